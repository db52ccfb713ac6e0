"""Which events are CRS, ICANS, IEC-HS or another event of special interest, by code or by name.

A syndrome that CTCAE v5.0 has no term for (ICANS, IEC-HS) must never be missed for want of a code, so the site's own
words count too. Which of these are of special interest is the study's to say: the list belongs to CAR-T cells
(rules.md 2.1, always medically important, and 3).
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from tocsin.domain.affirmed import WORDING, named
from tocsin.domain.case import Coded, Event
from tocsin.domain.known import Finding
from tocsin.domain.words import CrsScale, Scale


class Syndrome(StrEnum):
    """What CAR-T cells do to people, and what must always be looked at."""

    CRS = "CRS"
    ICANS = "ICANS"
    IEC_HS = "IEC-HS"
    PARKINSONISM = "movement disorder or parkinsonism"
    SECOND_MALIGNANCY = "second primary malignancy"
    HBV_REACTIVATION = "hepatitis B reactivation"
    REPLICATION_COMPETENT_LENTIVIRUS = "replication-competent lentivirus"


EVERY = frozenset(Syndrome)

# Codes of the terms of CTCAE v5.0 and v6.0 that are one of these.
_CODES = {
    "10052015": Syndrome.CRS,
    "10083347": Syndrome.ICANS,
    "10081409": Syndrome.IEC_HS,
    "10015832": Syndrome.PARKINSONISM,
    "10049737": Syndrome.SECOND_MALIGNANCY,
    "10048293": Syndrome.SECOND_MALIGNANCY,
    "10028533": Syndrome.SECOND_MALIGNANCY,
    "10058827": Syndrome.HBV_REACTIVATION,
}

# A grade may stand right behind a short form (CRS3级). Short forms with a second meaning in small letters (mas, mnt,
# rcl) are read in capitals only.
_NAMES: tuple[tuple[Syndrome, re.Pattern[str]], ...] = tuple(
    (syndrome, re.compile(pattern, WORDING))
    for syndrome, pattern in (
        (Syndrome.CRS, r"\bCRS(?![a-z])|cytokine[\s-]+(?:release|storm)|细胞因子(?:释放|风暴)"),
        (
            Syndrome.ICANS,
            r"\bICANS(?![a-z])|(?-i:\bCRES\b)|(?<!peripheral )\bneurotoxicit"
            r"|CAR[\s-]?T\S*\s(?:related\s|associated\s)?encephalopath|(?<!周围)(?<!外周)神经毒性|CAR-?T(?:细胞)?相关(?:性)?脑病",
        ),
        (
            Syndrome.IEC_HS,
            r"\bIEC[\s-]?HS(?![a-z])|\bHLH(?![a-z])|(?-i:\bMAS\b)|ha?emophagocyt|macrophage activation"
            r"|噬血细胞|嗜血细胞|巨噬细胞活化",
        ),
        (
            Syndrome.PARKINSONISM,
            r"(?<!wolff[\s-])\bparkinson|(?-i:\bMNTs?\b)"
            r"|(?<!bowel )(?<!eye )\bmovement.{0,25}(?:disorder|neurocognitive)"
            r"|extrapyramidal|帕金森|锥体外系|运动障碍",
        ),
        (
            Syndrome.SECOND_MALIGNANCY,
            r"\bsecond(?:ary)?(?: primary)? (?:malignan|cancer|neoplas|tumou?r|carcinom|leuka?em|lymphom)"
            r"|\bT[\s-]cell (?:lymphom|leuka?em|malignan)|\btreatment[\s-]related secondary|myelodysplas"
            r"|第二(?:原发)?(?:肿瘤|恶性|癌)|继发性?(?:肿瘤|恶性|白血病)"
            r"|T细胞性?(?:淋巴瘤|白血病|恶性|肿瘤)|骨髓增生异常",
        ),
        (
            Syndrome.HBV_REACTIVATION,
            r"(?:hepatitis B|\bHBV\b).{0,20}reactivat|reactivat.{0,20}(?:hepatitis B|\bHBV\b)"
            r"|(?:乙型?肝|HBV).{0,8}(?:再激活|再活化)",
        ),
        (
            Syndrome.REPLICATION_COMPETENT_LENTIVIRUS,
            r"replication[\s-]competent|(?-i:\bRCL\b)(?! (?:injur|sprain|tear|ruptur))|复制(?:型|能力).{0,2}病毒",
        ),
    )
)

_FROM_GRADE_3 = {Syndrome.CRS, Syndrome.ICANS}


def recognise(event: Event, coded: Coded | None) -> frozenset[Syndrome]:
    """The syndromes this event is, by its code, its coded term, or the site's words."""
    return recognised(event.verbatim, *(None, None) if coded is None else (coded.code, coded.term))


def recognised(verbatim: str, code: str | None, term: str | None) -> frozenset[Syndrome]:
    """The same from the site's words, and the code and term that they were coded as."""
    found = _named_by(verbatim) if term is None else _named_by(verbatim) | _named_by(term)
    return found | {_CODES[code]} if code in _CODES else found


@lru_cache(maxsize=8192)  # The same words are asked about at every look at a case, by several rules each time.
def _named_by(words: str) -> frozenset[Syndrome]:
    return frozenset(syndrome for syndrome, pattern in _NAMES if named(pattern, words))


_BY_ONE = {CrsScale.CTCAE: Scale.CTCAE, CrsScale.ASTCT: Scale.ASTCT}


def counting_grade(event: Event, coded: Coded | None, crs: CrsScale = CrsScale.WORST_OF) -> int | None:
    """The site's grade that counts: the worst on any scale, and of a CRS that on the scale the study goes by.

    Where the site states none on that scale, the others count: unknown is never low (rules.md 4.2).
    """
    only = _BY_ONE.get(crs)
    own = event.worst_grade(only) if only is not None and Syndrome.CRS in recognise(event, coded) else None
    return event.worst_grade() if own is None else own


def grade_said(event: Event, grade: int) -> str:
    """The grade that counts in words, beside the grades on each scale where the site states several."""
    stated = [(scale, worst) for scale in Scale if (worst := event.worst_grade(scale)) is not None]
    if len(stated) < 2:
        return f"grade {grade}"
    return f"grade {grade} ({', '.join(f'{scale.upper()} {worst}' for scale, worst in stated)})"


def special_interest(
    event: Event,
    coded: Coded | None,
    among: frozenset[Syndrome] = EVERY,
    crs: CrsScale = CrsScale.WORST_OF,
) -> Finding:
    """Whether this event is always medically important (rules.md 2.1).

    CRS and ICANS count from grade 3. A missing grade is not a low grade, so it counts as well, provisionally.
    """
    grade = counting_grade(event, coded, crs)
    firm, open_ = [], []
    for syndrome in sorted(recognise(event, coded) & among):
        if syndrome not in _FROM_GRADE_3:
            firm.append(f"{syndrome}: an event of special interest at any grade")
        elif grade is None:
            open_.append(f"{syndrome} without a grade: taken as grade 3 or more until the site grades it")
        elif grade >= 3:
            firm.append(f"{syndrome} {grade_said(event, grade)}: an event of special interest from grade 3")
    if firm or open_:
        return Finding(True, (*firm, *open_), is_provisional=not firm)
    return Finding(False, ("no event of special interest",))


def of_special_interest(event: Event, coded: Coded | None, among: frozenset[Syndrome] = EVERY) -> tuple[str, ...]:
    """Why this event is always medically important; empty when it is not."""
    found = special_interest(event, coded, among)
    return found.reasons if found else ()
