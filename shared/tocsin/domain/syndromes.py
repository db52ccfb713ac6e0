"""Which events are CRS, ICANS, IEC-HS or another event of special interest, by code or by name.

A syndrome that CTCAE v5.0 has no term for (ICANS, IEC-HS) must never be missed for want of a code, so the site's own
words and the scale it graded on count too. Source: rules.md 2.1 (always medically important) and 3.
"""

from __future__ import annotations

import re
from enum import StrEnum

from tocsin.domain.case import Coded, Event
from tocsin.domain.words import Scale


class Syndrome(StrEnum):
    """What CAR-T cells do to people, and what must always be looked at."""

    CRS = "CRS"
    ICANS = "ICANS"
    IEC_HS = "IEC-HS"
    PARKINSONISM = "movement disorder or parkinsonism"
    SECOND_MALIGNANCY = "second primary malignancy"
    HBV_REACTIVATION = "hepatitis B reactivation"
    REPLICATION_COMPETENT_LENTIVIRUS = "replication-competent lentivirus"


_CODES = {"10052015": Syndrome.CRS, "10083347": Syndrome.ICANS}

_NAMES: tuple[tuple[Syndrome, re.Pattern[str]], ...] = tuple(
    (syndrome, re.compile(pattern, re.IGNORECASE))
    for syndrome, pattern in (
        (Syndrome.CRS, r"\bCRS\b|cytokine[\s-]+(release|storm)|细胞因子(释放|风暴)"),
        (
            Syndrome.ICANS,
            r"\bICANS\b|immune effector cell.{0,3}associated neurotox|neurotoxicity|神经毒性",
        ),
        (
            Syndrome.IEC_HS,
            r"\bIEC[\s-]?HS\b|\bHLH\b|\bMAS\b|h(a)?emophagocytic|macrophage activation|噬血细胞|巨噬细胞活化",
        ),
        (Syndrome.PARKINSONISM, r"parkinson|\bMNT\b|movement.{0,25}(disorder|neurocognitive)|帕金森"),
        (
            Syndrome.SECOND_MALIGNANCY,
            r"second(ary)?( primary)? (malignan|cancer|neoplas)|T[\s-]cell (lymphoma|leuk|malignan)|treatment related"
            r" secondary|myelodysplastic|第二(原发)?(肿瘤|恶性)|继发(性)?(肿瘤|恶性)|T细胞(淋巴瘤|恶性)",
        ),
        (Syndrome.HBV_REACTIVATION, r"(hepatitis B|HBV).{0,20}reactivat|乙(型)?肝.{0,8}(再激活|再活化)"),
        (Syndrome.REPLICATION_COMPETENT_LENTIVIRUS, r"replication[\s-]competent|\bRCL\b|复制型(慢)?病毒"),
    )
)

_FROM_GRADE_3 = {Syndrome.CRS, Syndrome.ICANS}


def recognise(event: Event, coded: Coded | None) -> frozenset[Syndrome]:
    """The syndromes this event is, by its code, its coded term, or the site's words."""
    words = event.verbatim if coded is None or coded.term is None else f"{event.verbatim} | {coded.term}"
    found = {syndrome for syndrome, pattern in _NAMES if pattern.search(words)}
    if coded is not None and coded.code in _CODES:
        found.add(_CODES[coded.code])
    return frozenset(found)


def of_special_interest(event: Event, coded: Coded | None) -> tuple[str, ...]:
    """Why this event is always medically important (rules.md 2.1); empty when it is not.

    CRS and ICANS count from grade 3. A missing grade is not a low grade, so it counts as well.
    """
    grade = event.worst_grade()
    reasons = []
    for syndrome in sorted(recognise(event, coded)):
        if syndrome not in _FROM_GRADE_3:
            reasons.append(f"{syndrome}: an event of special interest at any grade")
        elif grade is None:
            reasons.append(f"{syndrome} without a grade: taken as grade 3 or more until the site grades it")
        elif grade >= 3:
            reasons.append(f"{syndrome} grade {grade}: an event of special interest from grade 3")
    return tuple(reasons)


def is_graded_on_astct_only(event: Event) -> bool:
    """True when the site graded on ASTCT alone, which only CRS and ICANS have."""
    return event.worst_grade(Scale.ASTCT) is not None and event.worst_grade(Scale.CTCAE) is None
