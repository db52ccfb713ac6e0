"""IEC-HS (Hines 2023; rules.md 3.5): whether its criteria are met, and its grade by what it needs.

The criteria were read from the summary that rules.md gives. How many of the common signs are needed is not written
there: here one is enough, and none leaves the answer open.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tocsin.domain.axes import Axis, any_of, bounds, death, missing, told
from tocsin.domain.graded import IEC_HS, Graded, Grading, NotGradable
from tocsin.domain.known import Finding, Known
from tocsin.domain.words import Scale

TERM: Final = "Immune effector cell-associated hemophagocytic lymphohistiocytosis-like syndrome"

FIBRINOGEN_BELOW_MG_PER_DL: Final = 150


@dataclass(frozen=True, slots=True)
class Level:
    """A value with what it is compared to, all in one unit."""

    value: Decimal | None = None
    uln: Decimal | None = None
    baseline: Decimal | None = None

    def is_above(self, times: int) -> Known:
        """More than so many times the upper limit of normal, or the baseline."""
        if self.value is None:
            return Known.UNKNOWN
        return any_of(*(Known.of(None if of is None else self.value > times * of) for of in (self.uln, self.baseline)))


@dataclass(frozen=True, slots=True)
class CriteriaFacts:
    """What IEC-HS is recognised by. `transaminase` is the worse of ALT and AST against its own limits."""

    of_the_cells: Known = Known.UNKNOWN
    another_cause: Known = Known.UNKNOWN
    ferritin: Level = Level()
    ferritin_rises_rapidly: Known = Known.UNKNOWN
    transaminase: Level = Level()
    fibrinogen_mg_per_dl: Decimal | None = None
    fibrinogen_lln_mg_per_dl: Decimal | None = None
    haemophagocytosis: Known = Known.UNKNOWN
    cytopenias: Known = Known.UNKNOWN


@dataclass(frozen=True, slots=True)
class IecHsFacts:
    """What it needed. `is_iec_hs` is the diagnosis; the rest are facts about it."""

    is_iec_hs: Known = Known.UNKNOWN
    intervention: Known = Known.UNKNOWN
    bleeding_transfused: Known = Known.UNKNOWN
    organ_admission: Known = Known.UNKNOWN
    life_threatening: Known = Known.UNKNOWN
    intubated: Known = Known.UNKNOWN
    dialysis: Known = Known.UNKNOWN
    died_of_it: Known = Known.NO


def criteria(facts: CriteriaFacts) -> Finding:
    """Whether the criteria are met. Where a fact is missing the answer is yes, provisionally: never no."""
    required = any_of(facts.ferritin.is_above(2), facts.ferritin_rises_rapidly)
    common = _common(facts)
    needed = {
        "ferritin above twice the upper limit of normal or the baseline, or rising rapidly": required,
        "attributable to the cells": facts.of_the_cells,
        "not explained by CRS, infection or progression": _not(facts.another_cause),
    }
    failed = [name for name, known in needed.items() if known is Known.NO]
    if failed:
        return Finding(False, tuple(f"does not hold: {name}" for name in failed))
    held = [name for name, known in {**needed, **common}.items() if known is Known.YES]
    open_ = [name for name, known in {**needed, **common}.items() if known is Known.UNKNOWN]
    reasons = (*(f"holds: {name}" for name in held), *(f"not known: {name}" for name in open_))
    if Known.YES in common.values() and all(known is Known.YES for known in needed.values()):
        return Finding(True, reasons)
    if Known.UNKNOWN not in common.values() and Known.YES not in common.values():
        reasons = (*reasons, "none of the common signs is there: a physician decides")
    return Finding(True, reasons, is_provisional=True)


def grade_iec_hs(facts: IecHsFacts) -> Grading:
    """The grade by what it needed; without the diagnosis the worst grade is told, and no grade given."""
    axes = (
        Axis("diagnosis", 1, 1, "IEC-HS, observed"),
        _need("intervention", 2, "treatment for it, or transfusion for low fibrinogen", facts.intervention),
        _need(
            "severity", 3, "bleeding that needed transfusion, or an admission for kidneys, pressure or breathing",
            any_of(facts.bleeding_transfused, facts.organ_admission),
        ),
        _need(
            "threat to life", 4, "a threat to life, intubation or dialysis",
            any_of(facts.life_threatening, facts.intubated, facts.dialysis),
        ),
        *death(facts.died_of_it),
    )  # fmt: skip
    if facts.died_of_it is Known.YES or facts.is_iec_hs is Known.YES:
        return Graded(Scale.IEC_HS, IEC_HS, TERM, None, *bounds(axes), told(axes), missing(axes))
    if facts.is_iec_hs is Known.NO:
        return Graded(Scale.IEC_HS, IEC_HS, TERM, None, 0, 0, ("Grade 0: it is not IEC-HS.",))
    least, most = bounds(axes)
    if_so = f"grade {least}" if least == most else f"grade {least} to grade {most}"
    because = f"whether it is IEC-HS is not known; if it is, {if_so}, worst grade {most}"
    return NotGradable(Scale.IEC_HS, IEC_HS, TERM, None, because)


def _need(name: str, grade: int, because: str, known: Known) -> Axis:
    if known is Known.NO:
        return Axis(name, 0, 0, f"without {because}")
    if known is Known.YES:
        return Axis(name, grade, grade, because)
    return Axis(name, 0, grade, f"{because}: not known", (name,))


def _common(facts: CriteriaFacts) -> dict[str, Known]:
    fibrinogen, lln = facts.fibrinogen_mg_per_dl, facts.fibrinogen_lln_mg_per_dl
    is_low = Known.UNKNOWN
    if fibrinogen is not None:
        under_own = Known.of(None if lln is None else fibrinogen < lln)
        is_low = any_of(Known.of(fibrinogen < FIBRINOGEN_BELOW_MG_PER_DL), under_own)
    return {
        "transaminases above five times the upper limit of normal or the baseline": facts.transaminase.is_above(5),
        "fibrinogen below 150 mg/dL or the lower limit of normal": is_low,
        "haemophagocytosis": facts.haemophagocytosis,
        "new, worse or refractory cytopenias": facts.cytopenias,
    }


def _not(known: Known) -> Known:
    return {Known.YES: Known.NO, Known.NO: Known.YES, Known.UNKNOWN: Known.UNKNOWN}[known]
