"""CRS and ICANS over time: at every observed instant, what was known then and the grades of it.

The latest known value of each kind counts, while it is fresh; of two at one instant the worse. Therapy and fever hold
for the rest of the episode. The order in which facts arrive makes no difference. Between instants nothing is said;
what a grade means for a duration is left to `course`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from tocsin.domain import crs
from tocsin.domain.crs import CrsFacts, Device, is_fever
from tocsin.domain.crs_ctcae import Edition
from tocsin.domain.icans import Consciousness, IcansFacts, Oedema, Seizure
from tocsin.domain.known import Known
from tocsin.domain.side_by_side import SideBySide, every_scale
from tocsin.domain.ward import (
    OF_CRS,
    OF_ICANS,
    Awake,
    Chart,
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

_Kind = TypeVar("_Kind", bound=WardFact)


@dataclass(frozen=True, slots=True)
class Moment:
    """The grades of one instant, on every scale; `rests_on` are the ids of the observations they were made from."""

    at: datetime
    graded: SideBySide
    rests_on: tuple[str, ...]


def crs_over_time(chart: Chart, *, ctcae: tuple[Edition, ...] = ("5.0",)) -> tuple[Moment, ...]:
    """CRS at every instant at which something of it was seen, in order of time."""
    state = _CrsState(chart)
    moments = []
    for at in _instants(chart, OF_CRS):
        facts, rests_on = state.at(at)
        moments.append(Moment(at, every_scale(facts, ctcae=ctcae), rests_on))
    return tuple(moments)


def icans_over_time(chart: Chart) -> tuple[Moment, ...]:
    """ICANS at every instant at which something of it was seen, in order of time."""
    state = _IcansState(chart)
    moments = []
    for at in _instants(chart, OF_ICANS):
        facts, rests_on = state.at(at)
        moments.append(Moment(at, every_scale(facts), rests_on))
    return tuple(moments)


class _Track(Generic[_Kind]):
    """The facts of one kind in order of time, the worse last of two at one instant."""

    def __init__(self, chart: Chart, kind: type[_Kind], badness: Callable[[_Kind], Any], says: str = "") -> None:
        told = [one for one in chart.facts if isinstance(one, kind)]
        if says:
            told = [one for one in told if getattr(one, says) is not Known.UNKNOWN]
        self._facts = sorted(told, key=lambda one: (one.at, badness(one), one.seen, repr(one)))
        self._instants = [one.at for one in self._facts]
        self._horizon = chart.horizon

    def at(self, at: datetime) -> _Kind | None:
        """The latest that is not older than the horizon."""
        last = bisect_right(self._instants, at)
        if not last or at - self._instants[last - 1] > self._horizon:
            return None
        return self._facts[last - 1]


class _CrsState:
    """What is known for CRS at any instant."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._warmth = _Track(chart, Temperature, lambda one: one.celsius)
        self._pressure = _Track(chart, Systolic, lambda one: -one.mm_hg)
        self._pressors = _Track(chart, Pressors, lambda one: one.excluding_vasopressin)
        self._vasopressin = _Track(chart, Pressors, lambda one: one.vasopressin is Known.YES, "vasopressin")
        self._fluids = _Track(chart, Pressors, lambda one: one.fluids is Known.YES, "fluids")
        self._oxygen = _Track(chart, Oxygen, _by_oxygen)
        given = [one for one in chart.facts if isinstance(one, Given)]
        warm = [one for one in chart.facts if isinstance(one, Temperature) and is_fever(one.celsius) is Known.YES]
        self._first_fever = _first(warm)
        self._first_antipyretic = _first(one for one in given if one.drug is Drug.ANTIPYRETIC)
        self._first_anti_cytokine = _first(one for one in given if one.drug is not Drug.ANTIPYRETIC)

    def at(self, at: datetime) -> tuple[CrsFacts, tuple[str, ...]]:
        """The facts, and which observations they rest on."""
        warmth, pressure, oxygen = self._warmth.at(at), self._pressure.at(at), self._oxygen.at(at)
        pressors, vasopressin = self._pressors.at(at), self._vasopressin.at(at)
        fluids = self._fluids.at(at)
        fever = self._first_fever if self._first_fever and self._first_fever.at < at else None
        antipyretic, anti_cytokine = _by(self._first_antipyretic, at), _by(self._first_anti_cytokine, at)
        facts = CrsFacts(
            fever=is_fever(warmth.celsius if warmth else None),
            fever_earlier=_ever(fever, self._chart),
            antipyretic=_ever(antipyretic, self._chart),
            anti_cytokine=_ever(anti_cytokine, self._chart),
            hypotension=self._hypotension(pressure, fluids),
            pressors=pressors.excluding_vasopressin if pressors else None,
            vasopressin=vasopressin.vasopressin if vasopressin else Known.UNKNOWN,
            device=oxygen.device if oxygen else None,
            flow_l_per_min=oxygen.flow_l_per_min if oxygen else None,
            fio2_percent=oxygen.fio2_percent if oxygen else None,
            airway_only=oxygen.airway_only if oxygen else Known.NO,
        )
        used = (warmth, pressure, pressors, vasopressin, fluids, oxygen, fever, antipyretic, anti_cytokine)
        return facts, _names(used)

    def _hypotension(self, pressure: Systolic | None, fluids: Pressors | None) -> Known:
        """Low pressure, or fluids that were needed for it."""
        if fluids is not None and fluids.fluids is Known.YES:
            return Known.YES
        return Known.of(None if pressure is None else pressure.mm_hg < self._chart.hypotensive_below_mm_hg)


class _IcansState:
    """What is known for ICANS at any instant."""

    def __init__(self, chart: Chart) -> None:
        self._is_complete = chart.is_complete
        self._test = _Track(chart, IceTest, lambda one: tuple(-score for score in one.ice.bounds()))
        self._level = _Track(chart, Awake, lambda one: list(Consciousness).index(one.level))
        self._seized = _Track(chart, Seized, lambda one: list(Seizure).index(one.course))
        self._weak = _Track(chart, Weakness, lambda one: one.is_deep_focal)
        self._swelling = _Track(chart, Swelling, lambda one: list(Oedema).index(one.extent))

    def at(self, at: datetime) -> tuple[IcansFacts, tuple[str, ...]]:
        """The facts, and which observations they rest on."""
        test, level, seized = self._test.at(at), self._level.at(at), self._seized.at(at)
        weak, swelling = self._weak.at(at), self._swelling.at(at)
        none = self._is_complete
        facts = IcansFacts(
            ice=test.ice if test else None,
            consciousness=level.level if level else None,
            seizure=seized.course if seized else (Seizure.NONE if none else None),
            motor=Known.of(weak.is_deep_focal) if weak else (Known.NO if none else Known.UNKNOWN),
            oedema=swelling.extent if swelling else (Oedema.NONE if none else None),
        )
        return facts, _names((test, level, seized, weak, swelling))


def _instants(chart: Chart, kinds: tuple[type[WardFact], ...]) -> list[datetime]:
    return sorted({fact.at for fact in chart.facts if isinstance(fact, kinds)})


def _first(facts: Iterable[_Kind]) -> _Kind | None:
    return min(facts, key=lambda one: (one.at, one.seen), default=None)


def _by(fact: _Kind | None, at: datetime) -> _Kind | None:
    return fact if fact is not None and fact.at <= at else None


def _ever(fact: WardFact | None, chart: Chart) -> Known:
    if fact is not None:
        return Known.YES
    return Known.NO if chart.is_complete else Known.UNKNOWN


def _by_oxygen(one: Oxygen) -> tuple[Any, ...]:
    axis = crs.hypoxia(CrsFacts(device=one.device, flow_l_per_min=one.flow_l_per_min, airway_only=one.airway_only))
    return axis.highest, axis.lowest, one.fio2_percent or 0, one.flow_l_per_min or 0, list(Device).index(one.device)


def _names(facts: Iterable[WardFact | None]) -> tuple[str, ...]:
    return tuple(sorted({fact.seen for fact in facts if fact is not None}))
