"""One row of syndrome facts in, its grade and the reason out, as the cells of a file.

The grades are found in `tocsin.domain`; which words a row may use is in `syndrome_keys`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from standalone.syndrome_keys import KEYS, Told, Unread, read
from tocsin.domain.crs import CrsFacts
from tocsin.domain.crs_ctcae import crs_ctcae
from tocsin.domain.graded import Grading, NotGradable
from tocsin.domain.icaht import Days, EarlyFacts, early, late
from tocsin.domain.icans import IcansFacts
from tocsin.domain.ice import ITEMS, Ice
from tocsin.domain.iec_hs import IecHsFacts, grade_iec_hs
from tocsin.domain.side_by_side import every_scale

READ: Final = ("scale", "inputs")
ADDED: Final = ("grade", "reason")


def answer(scale: str, inputs: str) -> tuple[str, str]:
    """The cells of `ADDED`; the grade is empty where the facts leave several. Raises Unread."""
    name = scale.strip().upper().replace("-", "_")
    if name not in KEYS:
        raise Unread([f"scale is {scale!r}; allowed are {', '.join(KEYS)}"])
    told = read(name, inputs)
    grading, more = _graded(name, told.facts)
    return _cell(grading), " ".join((*_why(grading), *more, *_convention(told)))


def _graded(scale: str, facts: Mapping[str, Any]) -> tuple[Grading, tuple[str, ...]]:
    """The grade, and what is to be told beside it."""
    if scale == "CRS":
        both = every_scale(_crs(facts))
        return both.grades[0], both.differ
    if scale == "ICANS":
        of = every_scale(_icans(facts))
        terms = ", ".join(component.term for component in of.components)
        return of.grades[0], (f"To be graded beside it by CTCAE v5.0, which has no term for ICANS: {terms}.",)
    if scale == "IEC_HS":
        return grade_iec_hs(_iec_hs(facts)), ()
    if scale == "ICAHT_EARLY":
        low, very_low = facts["days_anc_le_500"], facts["days_anc_le_100"]
        return early(EarlyFacts(_days(low), _days(very_low), facts["never_above_500"])), ()
    if scale == "ICAHT_LATE":
        return late(facts["anc_per_uL"]), ()
    return crs_ctcae(_crs(facts), "6.0" if scale == "CRS_CTCAE6" else "5.0"), ()


def _crs(facts: Mapping[str, Any]) -> CrsFacts:
    return CrsFacts(
        fever=facts["fever"],
        fever_earlier=facts["fever_earlier"],
        antipyretic=facts["antipyretic"],
        anti_cytokine=facts["anticytokine"],
        hypotension=facts["hypotension"],
        pressors=facts["pressors_ex_vaso"],
        vasopressin=facts["vasopressin"],
        device=facts["o2"],
        flow_l_per_min=facts["flow_l_per_min"],
        fio2_percent=facts["fio2_percent"],
        airway_only=facts["airway_only"],
        died_of_it=facts["death"],
    )


def _icans(facts: Mapping[str, Any]) -> IcansFacts:
    items = {item: facts[item] for item in ITEMS}
    is_tested = facts["ice"] is not None or any(points is not None for points in items.values())
    return IcansFacts(
        ice=Ice(facts["ice"], **items) if is_tested else None,
        consciousness=facts["consciousness"],
        seizure=facts["seizure"],
        motor=facts["motor"],
        oedema=facts["edema"],
        died_of_it=facts["death"],
    )


def _iec_hs(facts: Mapping[str, Any]) -> IecHsFacts:
    named = {name: known for name, known in facts.items() if name not in ("iec_hs", "death")}
    return IecHsFacts(is_iec_hs=facts["iec_hs"], died_of_it=facts["death"], **named)


def _days(days: int | None) -> Days | None:
    return None if days is None else Days(days, days)


def _cell(grading: Grading) -> str:
    return "" if isinstance(grading, NotGradable) or grading.grade is None else str(grading.grade)


def _why(grading: Grading) -> tuple[str, ...]:
    if isinstance(grading, NotGradable):
        return (f"Not gradable: {grading.because}.",)
    asked = f"What would settle it: {', '.join(grading.missing)}."
    return (*grading.reasons, asked) if grading.missing else grading.reasons


def _convention(told: Told) -> tuple[str, ...]:
    if not told.read_as_absent:
        return ()
    return (f"Not named in the row, so read as not there: {', '.join(told.read_as_absent)}.",)
