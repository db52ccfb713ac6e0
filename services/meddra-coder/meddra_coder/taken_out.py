"""What a verbatim says beside its event, taken out and kept: grade, date, value, relation, treatment, severity ...

Three steps. What is measured or dated never belongs to the name of an event. Severity seldom does, course and side
often ("acute kidney injury", "muscle weakness left-sided"), so they are taken out only when the name with them is not
found. Nothing that is
taken out is lost: each stands on the coding as a fact, in the words of the verbatim.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Told:
    """A fact beside the event, in the words of the verbatim.

    `kind` is grade, date, relation, treatment, evidence, limits (of normal), value, severity, course, side,
    circumstance or place.
    """

    kind: str
    words: str


def take_out(text: str, kinds: tuple[tuple[str, re.Pattern[str]], ...]) -> tuple[str, tuple[Told, ...]]:
    """The text without what the patterns find, and what they found in the order of the kinds."""
    told: list[Told] = []
    has_number = _NUMERAL.search(text) is not None
    for kind, pattern in kinds:
        if kind in _WITH_NUMBERS and not has_number:
            continue

        def keep(found: re.Match[str], kind: str = kind) -> str:
            told.append(Told(kind, " ".join(found.group().split()).strip(" ,，()（）")))
            return _GAP

        text = pattern.sub(keep, text)
    return _EMPTY.sub(" ", text), tuple(told)


_GAP: Final = "\x00"
_EMPTY: Final = re.compile(r"(?:\x00\s*(?:[-–—~/]|to\b|until\b|[至到])?\s*)*\x00")
"""What was taken out, and what only stood between two of it: a range of dates, a value over another."""


_WITH_NUMBERS: Final = ("date", "limits", "value", "grade")
_NUMERAL: Final = re.compile(r"\d|\b(?:ctcae|nci|astct)|[iv一二三四五]\s*[级度]|\b(?:g|gr|grade)\.?\s*[:=]?\s*[iv]+\b")
"""Without any of these there is no date, value or grade: most verbatims are read quicker so."""


def _any(*words: str) -> str:
    """One of these patterns."""
    return "(?:" + "|".join(words) + ")"


_CAR_T: Final = r"car[ -]?t(?:[ -]cells?)?(?: (?:infusion|therapy|product))?"
_AGENT: Final = r"(?:the )?(?:study |investigational |trial )?" + _any(
    r"drugs?", "treatment", "product", "medication", "infusion", "therapy", _CAR_T, r"chemo(?:therapy)?",
    "lymphodepletion", "lymphodepleting chemotherapy", "fludarabine", "cyclophosphamide", r"flu/?cy", r"kq[ -]?2003",
    "imp", "ip",
)  # fmt: skip
_NUMBER: Final = r"\d+(?:[.,]\d+)?"
_PER_VOLUME: Final = r"/\s*(?:l|ul|µl|μl)"
_UNIT: Final = _any(
    rf"\s*(?:x|×|\*)\s*10\s*(?:\^|\*\*|e)?\s*\d{{1,2}}\s*(?:{_PER_VOLUME}|copies(?:/ml)?|iu/ml)?",
    r"\s*(?:/|per )\s*(?:l|ul|µl|μl|mm3|mm\^3|day|d|日|天|min|hpf|ml)",
    r"\s*" + _any(
        "g/dl", "g/l", "mg/dl", "mg/l", "mmol/l", "umol/l", "µmol/l", "μmol/l", "u/l", "iu/l", "miu/l", "ng/ml",
        "pg/ml", "ug/l", "k/ul", "k/µl", "k/mm3", "mmhg", "bpm", "msec", "ms", "kg", "cm", "mm", "ml", "l/min",
        r"(?:x|×|times)\s*(?:the\s*)?(?:uln|upper limit of normal)", "uln", "lln",
        r"times?(?:\s*(?:/|per|a)\s*(?:day|d))?", r"x\s*/\s*day", r"episodes?(?:\s*(?:/|per)\s*day)?",
        r"°\s*[cf]?", "℃", "度", r"次(?:\s*/\s*(?:日|天))?", "克/升", "天", "小时", "hours?", "hrs?",
        "minutes?", "mins?",
        "days?", "weeks?", r"k\b", r"c\b", r"f\b", "%", r"secs?\b", "seconds?", r"s\b", "秒", "倍",
        r"万(?:\s*/\s*(?:ul|µl|μl))?", r"亿(?:\s*/\s*l)?", r"copies(?:\s*/\s*ml)?", "iu/ml", r"cells(?:/[uµμ]l)?",
        "期", "分",
    ),
)  # fmt: skip
_LEVEL: Final = r"(?:[1-5]|iv|i{1,3}|v)"
_LEVEL_ZH: Final = r"(?:[1-5一二三四五]|iv|i{1,3})"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_ABOUT: Final = _any(
    "max(?:imum)?", "tmax", "peak", "nadir", "up to", "about", r"approx(?:imately)?\.?", "around", "of", "at", "to",
    "was", "is", "=", ":", "最高", "最低", "约", "达", "为", "到", "至", "只有", "仅为", "仅", "只剩", "高达", "低至",
)  # fmt: skip
_CAUSED: Final = _any(
    r"(?:possibly|probably|definitely|likely|not|un)?[ -]?(?:related|attributed|due|secondary) to", "caused by",
    "induced by", "post", "after", "following", "from", "with",
)  # fmt: skip
_CAUSED_ZH: Final = (
    r"[,，(]?与?(?:研究药物|试验药物|药物|治疗|car-?t(?:细胞)?|输注|回输)(?:治疗|输注|回输)?(?:肯定|很可能|可能)?"
    r"(?:有关|相关|无关|引起|所致|导致)的?\)?"
)

MEASURED: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("grade", r"\b(?:ctcae|nci|astct|nci-ctcae)(?:\s*v(?:ersion)?\.?\s*\d(?:\.\d)?)?\b[,:]?"),
        (
            "grade",
            # "GI" is no grade: a single letter takes two figures of the Roman kind, or an Arabic one.
            rf"\b(?:max(?:imum)?\.? |peak |highest |worst )?(?:toxicity )?"
            rf"(?:(?:grade?|gr)\.?\s*[:=]?\s*{_LEVEL}|g\.?\s*[:=]?\s*(?:[1-5]|i{{2,3}}|iv|v))"
            rf"(?:\s*(?:-|–|/|to|~)\s*(?:g|gr|grade)?\s*{_LEVEL})?\b",
        ),
        ("grade", r"\bstage [1-4]\b"),
        ("grade", rf"{_LEVEL_ZH}\s*(?:[-~–至]\s*{_LEVEL_ZH}\s*)?级"),
        # "三度房室传导阻滞" names the block by its degree; burns too.
        ("grade", r"(?:iv|i{1,3}|[1-4])\s*度(?!.{0,2}(?:房室|传导|烧伤|烫伤|心脏))(?=[^\d])"),
        ("date", r"(?<!\d)\d{4}[-/.年]\d{1,2}(?:[-/.月]\d{1,2}日?)?"),
        ("date", rf"\b(?:on |since |from )?\d{{1,2}}[-/ ]?{_MONTH}(?:[-/ ]?\d{{2,4}})?\b"),
        ("date", rf"\b(?:on |since |from )?{_MONTH} \d{{1,2}}(?:,? \d{{4}})?\b"),
        ("date", r"\d{1,2}月\d{1,2}[日号]"),
        ("date", r"\b\d{1,2}/\d{1,2}/\d{2,4}\b"),
        (
            "date",
            r"(?:\b(?:on |since |from |at )?(?:study )?(?:day|d)\s*[+-]?\s*\d{1,3}\b"
            rf"(?:\s*(?:after|post)[ -](?:the )?(?:infusion|{_CAR_T}))?|第\s*\d+\s*天)",
        ),
        ("relation", rf"[,(]?\s*\b{_CAUSED} {_AGENT}\b\)?"),
        ("relation", r"[,(]?\s*\b(?:possibly|probably|definitely|not|un)?[ -]?related\b\)?$"),
        ("relation", r"[,(]?\b(?:drug|treatment|chemo(?:therapy)?|car[ -]?t)[ -](?:related|induced|associated)\b\)?"),
        ("relation", _CAUSED_ZH),
        ("relation", r"car-?t(?:细胞)?(?:治疗|输注|回输)?(?:后|相关性?)"),
        ("relation", r"(?:化疗|治疗|药物|输注|回输|用药|清淋)(?:后|相关性?|所致|引起的?)"),
        # What was done for it, where nothing else is said after it: a second event would be lost.
        (
            "treatment",
            r"[,(]?\s*\b(?:requiring|needing|managed with|treated with)\b(?:(?! and | with |[,;&/+()]).)*\)?$",
        ),
        (
            "evidence",
            r"[,(]?\s*\b(?:proven |seen |noted |confirmed )?(?:on|by) "
            r"(?:echo|ct|mri|bal|x-?ray|biopsy|culture|ecg)\b\)?",
        ),
        ("evidence", r"[,(]?\s*\b(?:lab(?:oratory)?|biopsy|culture|pcr)[ -](?:confirmed|proven)\b\)?"),
        (
            "limits",
            r"[（(]\s*(?:参考|正常|ref|normal|nl|uln|lln|range|校正值?参考)[^()（）]*[)）]",
        ),
        (
            "value",
            r"[,，(（]?\s*(?:gcs|isth|kdigo|ice|ecog)(?:\s*(?:score|评分|分))?\s*[:=]?\s*\d{1,2}(?:\s*(?:分|期))?\s*[)）]?",
        ),
        ("value", r"[(（]?\+{1,4}[)）]?(?=\s*$)"),
        ("value", r"[×x]\s?\d{1,2}\s?(?:d|days?|天|日|周|w|wks?|h|hrs?)\b|\bx\s?\d{1,2}\b(?!\s*(?:uln|\^|e\d|\*|/))"),
        (
            "value",
            rf"(?<![a-z\d.])(?<![a-z]-)(?:from )?{_ABOUT}?\s*[<>≤≥=~≈]?\s*{_NUMBER}{_UNIT}?"
            rf"(?:\s*(?:-|–|to|~|至|/)\s*{_NUMBER}{_UNIT}?)*(?!\w)",
        ),
        (
            "value",
            rf"(?<![a-z\d.])(?<![a-z]-){_ABOUT}?\s*[<>≤≥=~≈]?\s*{_NUMBER}"
            rf"(?:\s*[-~至]\s*{_NUMBER})?{_UNIT}?(?![a-z])",
        ),
    )
)
"""What never belongs to the name of an event."""

_SEVERE: Final = _any(
    "low[ -]grade", "high[ -]grade", "mild(?:ly)?", "moderate(?:ly)?", "sever(?:e|ely)", "bad(?:ly)?", "terribl[ey]",
    "awful", "horribl[ey]", "intense", "profound", "marked(?:ly)?", "slight(?:ly)?", "significant(?:ly)?",
    "extreme(?:ly)?", "life[ -]threatening", "serious", "small", "large", "massive", "minor",
    "major", "really", "so much", "too much",
)  # fmt: skip
_COURSE: Final = _any(
    "acute", "chronic", "subacute", "worsening(?: of)?", "worsened", "worse", "getting worse", "recurrent", "recurring",
    "intermittent", "persistent", "continued", "continuous", "ongoing", "transient", "new", "aggravated",
    "exacerbation of", "constant(?:ly)?", "occasional(?:ly)?", "sudden(?:ly)?", "bouts? of", "prolonged", "all day",
    "every day", "at night", "in the morning", "for days", "for a few days", "for weeks", "all the time", "most days",
    "this morning", "last night", "yesterday", "after eating", "after meals", "delayed onset", "new[ -]onset",
    "worsen(?:ing|ed) from baseline", "from baseline",
)  # fmt: skip

SEVERITY: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    ("severity", re.compile(pattern))
    for pattern in (
        rf"\b{_SEVERE}\b(?: to (?:moderate|severe))?",
        r"轻度|中度|重度|轻微|严重|剧烈|明显|显著|极度|中重度|轻中度|厉害|特别|非常|稍微|轻至中度|危及生命的?|大量",
    )
)
"""How severe it is: seldom part of the name of an event."""

COURSE_AND_SIDE: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("course", rf"\b{_COURSE}\b"),
        (
            "course",
            r"急性|亚急性|慢性|加重|恶化|再发|反复(?:性|发作)?|持续(?:性)?|间断(?:性)?|间歇(?:性)?|一过性|阵发性|进行性"
            r"|顽固性|难治性|新发(?:生)?|突发(?:性)?|偶尔|偶有|经常|长期",
        ),
        (
            "side",
            r"\b(?:left|right)(?:[ -]sided)?(?! ?(?:ventric|atri|heart|bundle|sided))\b|\bbilateral(?:ly)?\b"
            r"|\bboth(?: sides)?\b",
        ),
        ("side", r"(?:左侧?|右侧?)(?!心|束支)|双侧|两侧"),
    )
)
"""How it goes and where: often part of the name, and taken out last."""
