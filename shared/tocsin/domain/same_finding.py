"""Which codes and words tell of the finding behind a graded observation, as data.

`is_` names the finding itself (neutropenia), so that its grade is the grade of the value. `tells` names something wider
that it is part of (febrile neutropenia, kidney failure), which has a grade of its own. Codes are those of the terms of
CTCAE v5.0 and v6.0; the words are ours, English and Chinese.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tocsin.domain.affirmed import WORDING


@dataclass(frozen=True, slots=True)
class SameFinding:
    """One finding: the codes of its terms, the words that name it, and what else tells of it.

    `is_by_number`: CTCAE grades it by the number alone up to grade 4, so that no clinical fact makes it worse.
    """

    chinese: str
    codes: frozenset[str]
    is_: re.Pattern[str]
    tells_codes: frozenset[str] = frozenset()
    tells: re.Pattern[str] | None = None
    is_by_number: bool = False


# Which way a value went, in English and in Chinese.
_DOWN = (
    r"decreas|reduc|low\b|lower|drop|fell\b|fall|declin|deplet|deficien",
    r"减少|减低|降低|下降|偏低|过低|低|缺乏|缺少",
)
_UP = (r"increas|elevat|high\b|higher|rais|rise\b|rising|rose\b", r"升高|增高|偏高|过高|上升|增加|增多|高")
_PANCYTOPENIA = (
    r"\b(?:pan|bi)?cytopeni|my?elosuppress|marrow (?:suppress|fail|aplas|hypocell)"
    r"|全血细胞减少|血细胞减少|骨髓抑制|骨髓衰竭"
)
_HEPATIC = (
    r"\bhepat(?:ic(?! enzyme)|itis|otox|ocell|opath)|\bliver(?! enzyme)|(?-i:\bDILI\b)"
    r"|肝(?:脏|功能|功|损|炎|衰|毒性|细胞)"
)
# Both of them, where neither is named.
_LIVER_ENZYMES = (
    r"(?<!alanine )(?<!aspartate )\b(?:transaminas|aminotransfer)|(?:liver|hepatic) enzyme|肝酶"
    r"|(?<!谷丙)(?<!谷草)转氨酶|(?<!丙氨酸)(?<!冬氨酸)氨基转移酶"
)
_GRANULOCYTES = r"(?:中性|(?<!酸性)(?<!碱性)(?<!中性))粒细胞"
_CLOTTING = r"disseminated intravas|(?-i:\bDIC\b)|coagulopath|弥散性血管内|凝血(?:功能)?(?:异常|障碍)"
# What may stand between a name and what is said of it: no end of a sentence, but the point of a number.
_CLAUSE = r"(?:[^.;,，。；、]|\.(?=\d))"
_CRS = r"\bCRS(?![a-z])|cytokine[\s-]+(?:release|storm)|细胞因子(?:释放|风暴)"
_KIDNEY = (
    rf"\b(?:kidney|renal)\b{_CLAUSE}{{0,15}}(?:injur|fail|insuff|impair|dysfunc|toxic|diseas)|\bnephrotox|\bura?emia"
    r"|(?-i:\bAKI\b)|肾(?:功能|功|损|衰|脏|毒性|病)"
)
_MARROW = ("10048580", "10002969")


# Every grade up to 4 is a number in the text of CTCAE v5.0, and nothing but a number.
_BY_NUMBER = frozenset(
    {"10029366", "10035528", "10049182", "10025256", "10007839", "10001551", "10003481", "10005364", "10001675"}
    | {"10056910", "10011368", "10011268", "10008661", "10016596"}
)


def _moved(name: str, chinese: str, way: tuple[str, str]) -> str:
    """A thing that went one way, said before or after its name, in either language."""
    said, chinese_said = way
    return (
        rf"\b(?:{name}){_CLAUSE}{{0,25}}\b(?:{said})|\b(?:{said})\w*\s(?:\w+\s)?(?:{name})"
        rf"|(?:{chinese}){_CLAUSE}{{0,10}}(?:{chinese_said})|(?:{chinese_said})(?:{chinese})"
    )


def _short(name: str, other_way: tuple[str, str]) -> str:
    """A short form that stands for the finding (ANC 0.3), unless it is said to have gone the other way."""
    return rf"(?-i:\b(?:{name})\b)(?!{_CLAUSE}{{0,15}}(?:{'|'.join(other_way)}))"


def _finding(
    chinese: str, codes: str, is_: str, tells_codes: tuple[str, ...] = (), tells: str | None = None
) -> SameFinding:
    own = frozenset(codes.split())
    wider = None if tells is None else re.compile(tells, WORDING)
    return SameFinding(
        chinese, own, re.compile(is_, WORDING), frozenset(tells_codes), wider, is_by_number=bool(own & _BY_NUMBER)
    )


def _salt(stem: str, name: str, chinese: str, low: str, high: str) -> tuple[SameFinding, SameFinding]:
    """An electrolyte, or sugar: too little of it is one finding, too much another."""
    return (
        _finding(f"低{chinese}血症", low, rf"\bhypo{stem}|低血?{chinese}|{_moved(name, f'血?{chinese}', _DOWN)}"),
        _finding(f"高{chinese}血症", high, rf"\bhyper{stem}|高血?{chinese}|{_moved(name, f'血?{chinese}', _UP)}"),
    )


_COUNTS = (
    _finding(
        "中性粒细胞减少",
        "10029366",
        rf"\bneutropa?eni|agranulocyto|粒缺|{_short('ANC', _UP)}"
        rf"|{_moved('neutrophil|granulocyte', _GRANULOCYTES, _DOWN)}",
        ("10016288", *_MARROW),
        r"febrile neutrop|neutropa?enic (?:fever|sepsis)|粒缺(?:伴|性)?发热|(?:减少|缺乏)(?:伴|性)发热|发热性中性"
        rf"|{_PANCYTOPENIA}",
    ),
    _finding(
        "血小板减少",
        "10035528 10043554",
        rf"\bthrombo(?:cyto)?pa?eni|{_short('PLT', _UP)}|{_moved('platelet|thrombocyte', '血小板', _DOWN)}",
        ("10043648", "10019515", *_MARROW),
        rf"thrombotic (?:thrombocytop|microangiop)|血栓性(?:血小板|微血管)|{_PANCYTOPENIA}",
    ),
    _finding(
        "贫血",
        "10002272",
        rf"\bana?emi|贫血|{_short('Hb|HGB', _UP)}|{_moved('ha?emoglobin', '血红蛋白|血色素', _DOWN)}",
        ("10019493", "10019491", "10019515", *_MARROW),
        rf"\bha?emoly|aplastic|溶血|再生障碍|{_PANCYTOPENIA}",
    ),
    _finding(
        "白细胞减少",
        "10049182",
        rf"\bleu[ck]opa?eni|{_short('WBC', _UP)}|{_moved('white (?:blood )?cell|leu[ck]ocyte', '白细胞', _DOWN)}",
        _MARROW,
        _PANCYTOPENIA,
    ),
    _finding(
        "淋巴细胞减少",
        "10025256 10025327",
        rf"\blympho(?:cyto)?pa?eni|{_moved('lymphocyte', '淋巴细胞', _DOWN)}",
        ("10007839",),
        _PANCYTOPENIA,
    ),
    _finding(
        "CD4淋巴细胞减少",
        "10007839",
        rf"\bCD4\b|{_moved('CD4', 'CD4', _DOWN)}",
        ("10025256", "10025327"),
        rf"\blympho(?:cyto)?pa?eni|淋巴细胞.{{0,6}}减少|{_PANCYTOPENIA}",
    ),
    _finding("淋巴细胞增多", "10025258", rf"lymphocytosis|{_moved('lymphocyte', '淋巴细胞', _UP)}"),
    _finding("白细胞增多", "10024378", rf"leu[ck]ocytosis|{_moved('white (?:blood )?cell', '白细胞', _UP)}"),
    _finding("血红蛋白升高", "10055599", rf"polycyth|{_moved('ha?emoglobin', '血红蛋白', _UP)}"),
)

_LIVER = ("10019663", "10019692", "10019717", "10019799", "10058827", "10019805")
_CHEMISTRY = (
    _finding(
        "丙氨酸氨基转移酶升高",
        "10001551",
        rf"(?-i:\bALT\b|\bS?GPT\b)|\balanine|谷丙|{_LIVER_ENZYMES}",
        _LIVER,
        _HEPATIC,
    ),
    _finding(
        "天门冬氨酸氨基转移酶升高",
        "10003481",
        rf"(?-i:\bAST\b|\bS?GOT\b)|\baspartate|谷草|{_LIVER_ENZYMES}",
        _LIVER,
        _HEPATIC,
    ),
    _finding("血胆红素升高", "10005364", r"bilirubin|jaundice|icter|胆红素|黄疸", _LIVER, _HEPATIC),
    _finding("碱性磷酸酶升高", "10001675", r"alkaline phosph|(?-i:\bALP\b)|碱性磷酸酶", _LIVER, _HEPATIC),
    _finding("谷氨酰转移酶升高", "10056910", r"(?-i:\bGGT\b)|glutamyl|谷氨酰", _LIVER, _HEPATIC),
    _finding(
        "血肌酐升高",
        "10011368 10011363",
        r"creatinin|肌酐",
        ("10069339", "10064848"),
        _KIDNEY,
    ),
    _finding("血乳酸脱氢酶升高", "10005630", r"lactate dehydrog|(?-i:\bLDH\b)|乳酸脱氢酶"),
    _finding("肌酸磷酸激酶升高", "10011268", r"creatine (?:phospho)?kinase|(?-i:\bCP?K\b)|肌酸(?:磷酸)?激酶"),
    _finding("脂肪酶升高", "10024574", r"\blipase|脂肪酶", (), r"pancreatit|胰腺炎"),
    _finding("血清淀粉酶升高", "10040139", r"\bamylase|淀粉酶", (), r"pancreatit|胰腺炎"),
    _finding(
        "纤维蛋白原降低",
        "10016596",
        r"fibrinogen|纤维蛋白原|低纤维蛋白",
        ("10013442",),
        _CLOTTING,
    ),
    _finding(
        "国际标准化比值升高",
        "10022402",
        r"(?-i:\bINR\b)|international normali|prothrombin time|国际标准化|凝血酶原时间",
        ("10013442",),
        _CLOTTING,
    ),
    _finding(
        "活化部分凝血活酶时间延长",
        "10000636",
        r"thromboplastin|\ba?PTT\b|凝血活酶",
        ("10013442",),
        _CLOTTING,
    ),
    _finding("低白蛋白血症", "10020943", rf"hypoalbumin|低白蛋白|{_moved('albumin', '白蛋白', _DOWN)}"),
    _finding("高尿酸血症", "10020907", rf"hyperuric|高尿酸|{_moved('uric acid|urate', '尿酸', _UP)}"),
    _finding("高甘油三酯血症", "10020870", rf"hypertriglycerid|高甘油三酯|{_moved('triglycerid', '甘油三酯', _UP)}"),
    _finding("胆固醇升高", "10008661", rf"hypercholest|高胆固醇|{_moved('cholesterol', '胆固醇', _UP)}"),
    *_salt("natra?emi", "sodium", "钠", "10021038", "10020680"),
    *_salt("kala?emi", "potassium", "钾", "10021018", "10020647"),
    *_salt("calca?emi", "calcium", "钙", "10020949", "10020587"),
    *_salt("magnesa?emi", "magnesium", "镁", "10021028", "10020670"),
    *_salt("phosphata?emi", "phosph(?:ate|orus)", "磷", "10021059", "10020712"),
    *_salt("glyca?emi", "glucose|blood sugar", "糖", "10021005", "10020639"),
    _finding("蛋白尿", "10037032 10046553", r"proteinuri|urin\w* protein|蛋白尿|尿蛋白"),
    _finding("嗜酸性粒细胞增多", "10014950", r"eosinophilia|嗜酸性粒细胞(?:增多|升高|增高)"),
    _finding(
        "肌钙蛋白升高", "10007612 10007613", r"\btroponin|肌钙蛋白", (), r"infarct|myocardit|心梗|心肌(?:梗死|炎)"
    ),
    _finding("酸中毒", "10000486", r"acidosis|酸中毒"),
    _finding("碱中毒", "10001680", r"alkalosis|碱中毒"),
    _finding("慢性肾脏病", "10064848", r"chronic kidney|(?-i:\bCKD\b)|慢性肾", ("10011368", "10069339")),
)

_BEDSIDE = (
    _finding("QT间期延长", "10014383", r"\bQTc?\b|QTc?间期"),
    _finding(
        "射血分数降低", "10050528", r"ejection fraction|(?-i:\bL?VEF\b)|射血分数", ("10049694",),
        r"heart failure|cardiomyopath|ventricular dysfunc|心(?:力)?衰|心功能",
    ),
    _finding("尿量减少", "10059895", r"oliguri|anuri|urine output|少尿|无尿|尿量", ("10069339",), _KIDNEY),
    _finding("体重下降", "10047900", r"weight (?:loss|decreas)|体重(?:下降|减轻|减少)"),
    _finding("体重增加", "10047896", r"weight (?:gain|increas)|体重(?:增加|升高)"),
    _finding("腹泻", "10012727", r"diarrh|腹泻"),
    _finding("高血压", "10020772", rf"\bhypertensi|高血压|{_moved('blood pressure', '血压', _UP)}"),
    _finding(
        "低血压", "10021097", rf"\bhypotensi|低血压|{_moved('blood pressure', '血压', _DOWN)}", ("10052015",),
        rf"{_CRS}|\bshock|休克",
    ),
    _finding(
        "低氧血症", "10021143", rf"\bhypox|desaturat|低氧|缺氧|{_moved('oxygen saturation|SpO2', '血氧', _DOWN)}",
        ("10052015",), rf"{_CRS}|respiratory (?:fail|distress)|呼吸(?:衰竭|窘迫)",
    ),
    _finding(
        "发热", "10016558", r"\bfever|\bpyrexi|\bfebril|发热|发烧|高热", ("10052015", "10016288"),
        rf"{_CRS}|febrile neutrop|粒缺",
    ),
    _finding(
        "造血毒性",
        "",
        r"\bICAHT(?![a-z])|ha?ematotox|ha?ematologic(?:al)? toxicit|造血毒性|血液(?:学)?毒性",
        ("10029366", "10016288", "10035528", "10043554", *_MARROW),
        rf"neutropa?eni|thrombocytop|粒细胞.{{0,6}}(?:减少|缺乏)|粒缺|血小板.{{0,4}}减少|{_PANCYTOPENIA}",
    ),
)  # fmt: skip

FINDINGS = (*_COUNTS, *_CHEMISTRY, *_BEDSIDE)

LABORATORY = frozenset(code for finding in (*_COUNTS, *_CHEMISTRY) for code in finding.codes)
"""The codes of the terms of laboratory values. A report coded as one may name another: "ALT and AST increased"."""


def finding_of(code: str | None, term: str) -> SameFinding | None:
    """The finding that a term is, by its code or else by its name; None for a term that is none of these."""
    by_code = next((one for one in FINDINGS if code is not None and code in one.codes), None)
    if by_code is not None or code is not None:
        return by_code
    return next((one for one in FINDINGS if one.is_.search(term)), None)
