"""From the ward's observations and the counts of a subject to grades of CRS, ICANS and ICAHT, on every scale.

What is graded is what was seen after the infusion, for `LONGEST` days: later signs need a person (rules.md 3.2). Where
no infusion is recorded everything is graded, because unknown is not "before". An observation that has a day and no
time stands at the first moment it may have been. Whether the signs have another cause is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, cast

from meddra_coder.grading import Chart, stated
from tocsin.chart import Seen, amount, measured_of, said_of
from tocsin.domain import icaht
from tocsin.domain.crs import Device
from tocsin.domain.crs_ctcae import Edition
from tocsin.domain.icans import Consciousness, Oedema, Seizure
from tocsin.domain.ice import Ice
from tocsin.domain.known import Known
from tocsin.domain.ward import (
    Awake,
    Drug,
    Given,
    IceTest,
    Oxygen,
    Pressors,
    Seized,
    Swelling,
    Systolic,
    Temperature,
    WardFact,
    Weakness,
)
from tocsin.domain.ward import Chart as WardChart
from tocsin.domain.ward_course import Moment, crs_over_time, icans_over_time
from tocsin.messages import facts as told
from tocsin.messages.bodies import DerivedGrade

LONGEST: Final = timedelta(days=30)
_KPA_IN_MM_HG: Final = Decimal("7.50062")


@dataclass(frozen=True, slots=True)
class Syndrome:
    """What is graded from which kinds of observation, and of which analytes."""

    name: str
    kinds: frozenset[str]
    analytes: frozenset[str]
    grade: Callable[[Sequence[Seen], Chart], list[DerivedGrade]]


def touched_by(kinds: Iterable[str], analytes: Collection[str]) -> tuple[Syndrome, ...]:
    """The syndromes whose grades these observations may change."""
    seen = set(kinds)
    return tuple(one for one in _SYNDROMES if (one.kinds & seen if not one.analytes else one.analytes & set(analytes)))


def ward_facts(seen: Sequence[Seen], chart: Chart) -> tuple[WardFact, ...]:
    """The observations as the rules see them: those after the infusion, each at its moment."""
    placed = [(at, one) for one in seen if (at := _moment(one, chart)) is not None]
    return tuple(fact for at, one in placed if (fact := _fact(at, one)) is not None)


def _crs(seen: Sequence[Seen], chart: Chart) -> list[DerivedGrade]:
    edition = cast("Edition", chart.criteria.edition)
    return _of_moments(crs_over_time(WardChart(ward_facts(seen, chart)), ctcae=(edition,)), seen, chart)


def _icans(seen: Sequence[Seen], chart: Chart) -> list[DerivedGrade]:
    return _of_moments(icans_over_time(WardChart(ward_facts(seen, chart))), seen, chart)


def _of_moments(moments: Iterable[Moment], seen: Sequence[Seen], chart: Chart) -> list[DerivedGrade]:
    by_id = {one.id: one for one in seen}
    found = []
    for moment in moments:
        at = moment.at.astimezone(chart.zone).isoformat(timespec="minutes")
        said = ", ".join(said_of(by_id[name]) for name in moment.rests_on)
        key = moment.at.astimezone(UTC).isoformat()
        found += [stated(grading, chart, key, at, moment.rests_on, said) for grading in moment.graded.grades]
    return found


def _icaht(seen: Sequence[Seen], chart: Chart) -> list[DerivedGrade]:
    """Early and late: of the whole series of counts, so each has one grade that changes as counts come."""
    if chart.infused is None:
        return []
    analyte = chart.criteria.analytes["neutrophils"]
    counts: list[tuple[datetime, Seen, Decimal]] = []
    for one in seen:
        measured, span = measured_of(one), one.span(chart.zone)
        value = amount(measured, analyte) if measured else None
        if value is not None and span is not None:
            counts.append((span.earliest, one, value))
    counts.sort(key=lambda count: (count[0], count[1].id))
    infused_on = chart.infused.earliest.astimezone(chart.zone).date()
    values = [icaht.Neutrophils(at.astimezone(chart.zone).date(), value * 1000) for at, _, value in counts]
    after = [one for value, (_, one, _) in zip(values, counts, strict=True) if value.on >= infused_on]
    if not after:
        return []
    evidence, last = [one.id for one in after], after[-1]
    return [
        stated(grading, chart, "course", last.facts.at, evidence, f"{len(after)} counts, the last {said_of(last)}")
        for grading in (icaht.early_from(values, infused_on), icaht.late_from(values, infused_on))
    ]


def _moment(seen: Seen, chart: Chart) -> datetime | None:
    span = seen.span(chart.zone)
    if span is None:
        return None
    if chart.infused is None:
        return span.earliest
    is_after = span.latest >= chart.infused.earliest
    is_soon = span.earliest <= chart.infused.latest + LONGEST
    return max(span.earliest, chart.infused.earliest) if is_after and is_soon else None


def _fact(at: datetime, one: Seen) -> WardFact | None:
    match one.facts:
        case told.VitalSign(sign="temperature"):
            value = Decimal(repr(one.facts.value))
            is_fahrenheit = (measured := measured_of(one)) is not None and measured.unit == "[degF]"
            return Temperature(at, one.id, (value - 32) * 5 / 9 if is_fahrenheit else value)
        case told.VitalSign(sign="systolic"):
            value = Decimal(repr(one.facts.value))
            is_kpa = (measured := measured_of(one)) is not None and measured.unit == "kPa"
            return Systolic(at, one.id, value * _KPA_IN_MM_HG if is_kpa else value)
        case told.Pressors() as given:
            flags = Known.of(given.vasopressin), Known.of(given.fluids)
            return Pressors(at, one.id, given.excluding_vasopressin, *flags)
        case told.Oxygen() as oxygen:
            flow = None if oxygen.flow_l_per_min is None else Decimal(repr(oxygen.flow_l_per_min))
            fio2 = None if oxygen.fio2_percent is None else Decimal(repr(oxygen.fio2_percent))
            return Oxygen(at, one.id, Device(oxygen.device), flow, fio2)
        case told.Therapy(what="antipyretic" | "anti_cytokine" | "corticosteroid") as drug:
            return Given(at, one.id, Drug(drug.what))
        case told.IceScore() as ice:
            items = ice.orientation, ice.naming, ice.command, ice.writing, ice.attention
            return IceTest(at, one.id, Ice(ice.score, *items))
        case told.Consciousness() as awake:
            return Awake(at, one.id, Consciousness(awake.level))
        case told.Seizure() as seizure:
            return Seized(at, one.id, Seizure(seizure.course))
        case told.MotorWeakness() as motor:
            return Weakness(at, one.id, motor.deep_focal)
        case told.CerebralOedema() as oedema:
            return Swelling(at, one.id, Oedema(oedema.extent))
    return None


_SYNDROMES: Final = (
    Syndrome("CRS", frozenset({"vital_sign", "pressors", "oxygen", "therapy"}), frozenset(), _crs),
    Syndrome("ICANS", frozenset({"ice", "consciousness", "seizure", "motor", "oedema"}), frozenset(), _icans),
    Syndrome("ICAHT", frozenset({"laboratory"}), frozenset({"neutrophils"}), _icaht),
)
