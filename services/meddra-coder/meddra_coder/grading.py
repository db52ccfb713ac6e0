"""From what was observed of a subject to grades: each laboratory value by CTCAE, the ward's facts by the syndromes.

Pure. The rules are in the book of rules; here is which value is whose baseline, what a grade is called, and what it
rests on. Which grade counts for what is not decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tocsin.chart import PRE_LYMPHODEPLETION, Seen, measured_of, said_of
from tocsin.domain.calendars import Span
from tocsin.domain.corrected_calcium import corrected_calcium
from tocsin.domain.graded import Grading, NotGradable
from tocsin.domain.labs import LabCriteria, Measured, grade_lab
from tocsin.messages.bodies import DerivedGrade
from tocsin.messages.envelope import identity
from tocsin.messages.facts import LaboratoryValue

TOTAL_CALCIUM: Final = "calcium_total"
CORRECTED_CALCIUM: Final = "calcium_corrected"
ALBUMIN: Final = "albumin"
BASELINE_PHASES: Final = ("baseline", PRE_LYMPHODEPLETION)
"""What a site calls a value that others are compared with; the first name counts before the second."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Whose observations they are, and what they are read against."""

    study: str
    subject: str
    zone: ZoneInfo
    infused: Span | None
    criteria: LabCriteria


def baseline_of(values: Sequence[Seen], chart: Chart) -> Seen | None:
    """What the values of one analyte are compared with: what the site named so, else the last before the infusion."""
    for phase in BASELINE_PHASES:
        named = [one for one in values if isinstance(one.facts, LaboratoryValue) and one.facts.phase == phase]
        if named:
            return max(named, key=lambda one: _place(one, chart.zone))
    if chart.infused is None:
        return None
    before = [one for one in values if (span := one.span(chart.zone)) and span.latest < chart.infused.earliest]
    return max(before, key=lambda one: _place(one, chart.zone), default=None)


def grade_analyte(
    values: Sequence[Seen], chart: Chart, *, albumin: Sequence[Seen] = (), before: Iterable[DerivedGrade] = ()
) -> list[DerivedGrade]:
    """Every grade of every value of one analyte, in both directions.

    `albumin` corrects total calcium. `before` are the grades that stand: what rests on the same observations, each of
    which never changes, is not worked out again; but for the baseline, which looks the same as a value without one.
    """
    baseline = baseline_of(values, chart)
    against = measured_of(baseline) if baseline else None
    keys = _keys(values)
    worked_out: dict[tuple[str, ...], list[DerivedGrade]] = {}
    for grade in before:
        if not grade.is_withdrawn and grade.edition == chart.criteria.edition:
            worked_out.setdefault(tuple(grade.evidence), []).append(grade)
    found: list[DerivedGrade] = []
    for seen in values:
        measured = measured_of(seen)
        if measured is None:
            continue
        with_it = _drawn_with(seen, albumin) if measured.analyte == TOTAL_CALCIUM else None
        evidence = [one.id for one in dict.fromkeys((seen, with_it or seen, baseline or seen))]
        if tuple(evidence) in worked_out and seen is not baseline:
            found += worked_out[tuple(evidence)]
            continue
        if with_it is not None:
            measured = _corrected(measured, with_it) or measured
        base = against if against is not None and against.analyte == measured.analyte else None
        grades = grade_lab(measured, chart.criteria, baseline=base)
        found += [
            stated(grading, chart, keys[seen.id], seen.facts.at, evidence, said_of(seen))
            for grading in (grades.low, grades.high)
            if grading is not None
        ]
    return found


def _drawn_with(seen: Seen, albumin: Sequence[Seen]) -> Seen | None:
    """The albumin of the same moment; of several the last received."""
    return next((one for one in reversed(albumin) if one.facts.at == seen.facts.at), None)


def _corrected(calcium: Measured, albumin: Seen) -> Measured | None:
    """Total calcium corrected for albumin: what the bounds of CTCAE are for. The limits stay those of the value."""
    level = measured_of(albumin)
    value = corrected_calcium(calcium.value, calcium.unit, level.value, level.unit) if level else None
    if value is None:
        return None
    return Measured(CORRECTED_CALCIUM, value, calcium.unit, calcium.lln, calcium.uln)


def stated(grading: Grading, chart: Chart, key: str, at: str, evidence: Iterable[str], said: str) -> DerivedGrade:
    """A grading as it is said on the bus."""
    name = (chart.study, chart.subject, grading.scale.value, grading.edition, grading.term, key)
    common = {
        "grade_id": str(identity("derived grade", *name)),
        "scale": grading.scale,
        "edition": grading.edition,
        "term": grading.term,
        "code": grading.code,
        "at": at,
        "evidence": list(evidence),
        "said": said,
    }
    if isinstance(grading, NotGradable):
        return DerivedGrade.model_validate({**common, "because": grading.because})
    return DerivedGrade.model_validate(
        {
            **common,
            "lowest": grading.lowest,
            "highest": grading.highest,
            "reasons": list(grading.reasons),
            "missing": list(grading.missing),
        }
    )


def _keys(values: Sequence[Seen]) -> dict[str, str]:
    """What stays the same of an observation when it is corrected: the site's `ref`, where only one value has it."""
    how_many = Counter(one.facts.ref for one in values)
    return {one.id: one.facts.ref if one.facts.ref and how_many[one.facts.ref] == 1 else one.id for one in values}


def _place(seen: Seen, zone: ZoneInfo) -> tuple[datetime, datetime, str]:
    span = seen.span(zone)
    when = span.latest if span else seen.received_at
    return when, seen.received_at, seen.id
