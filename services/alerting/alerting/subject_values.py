"""The observations of one subject as the rules on dose-limiting toxicity read them: counts, liver, marrow, therapy.

Which observation counts is `tocsin.chart`. A value that cannot be read is never left out in silence: it has a sentence
that says why. What a value means is left to `tocsin.domain.dlt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from tocsin.chart import PRE_LYMPHODEPLETION, Seen, amount, analyte_of, counting, measured_of, said_of
from tocsin.criteria import find_analyte
from tocsin.criteria.analytes import load_analytes
from tocsin.criteria.specimens import fluid, plain
from tocsin.domain.calendars import Partial, Span
from tocsin.domain.case import Infusion
from tocsin.domain.cell_counts import Count
from tocsin.domain.dlt.subject import LiverTest, LiverValue, Marrow
from tocsin.domain.known import Known
from tocsin.messages.facts import LaboratoryValue, MarrowResult, Observation, Therapy

NEUTROPHILS: Final = "neutrophils"
PLATELETS: Final = "platelets"
LIVER: Final = {
    "alt": LiverTest.ALT,
    "ast": LiverTest.AST,
    "bilirubin": LiverTest.BILIRUBIN,
    "alp": LiverTest.ALP,
}
_READ: Final = {NEUTROPHILS, PLATELETS, *LIVER}
_KINDS: Final = {"laboratory", "therapy", "marrow"}
_OBSERVATION: TypeAdapter[Observation] = TypeAdapter(Observation)


@dataclass(frozen=True, slots=True)
class Values:
    """What was observed, each kind in order of receipt. `baseline_…` are of before lymphodepletion, by the site."""

    neutrophils: tuple[Count, ...] = ()
    platelets: tuple[Count, ...] = ()
    baseline_neutrophils: tuple[Count, ...] = ()
    baseline_platelets: tuple[Count, ...] = ()
    transfusions: tuple[Partial, ...] = ()
    g_csf: tuple[Partial, ...] = ()
    marrow: tuple[Marrow, ...] = ()
    liver: tuple[LiverValue, ...] = ()
    unread: tuple[str, ...] = ()


def read(bodies: Iterable[Mapping[str, Any]], infusions: Iterable[Infusion], zone: ZoneInfo) -> Values:
    """The values in these records of one subject, each the body of an `observations.recorded.v1` as it was kept."""
    counted = counting([one for body in bodies for one in _seen(body)])
    infused = _first(infusions, zone)
    return Values(
        neutrophils=_counts(counted, NEUTROPHILS, infused, zone, is_baseline=False),
        platelets=_counts(counted, PLATELETS, infused, zone, is_baseline=False),
        baseline_neutrophils=_counts(counted, NEUTROPHILS, infused, zone, is_baseline=True),
        baseline_platelets=_counts(counted, PLATELETS, infused, zone, is_baseline=True),
        transfusions=_given(counted, "platelet_transfusion"),
        g_csf=_given(counted, "g_csf"),
        marrow=tuple(
            Marrow(_at(one), Known.of(one.facts.myeloma_involvement))
            for one in counted
            if isinstance(one.facts, MarrowResult)
        ),
        liver=tuple(
            LiverValue(LIVER[one.analyte], _at(one), _times_uln(one), one.id) for one in counted if one.analyte in LIVER
        ),
        unread=tuple(
            f"{said_of(one)} of {one.facts.at} {why}" for one in counted for why in _unread(one, infused, zone)
        ),
    )


def _seen(body: Mapping[str, Any]) -> Iterator[Seen]:
    """The observations of one record that are read here. A correction is always of the same kind."""
    received_at = datetime.fromisoformat(body["received_at"])
    for place, kept in enumerate(body["observations"]):
        if kept["kind"] in _KINDS:
            facts = _OBSERVATION.validate_python(kept)
            yield Seen(f"{body['record_id']}/{place}", analyte_of(facts), received_at, facts)


def _first(infusions: Iterable[Infusion], zone: ZoneInfo) -> Span | None:
    spans = [span for one in infusions if (span := one.started.widest(zone)) is not None]
    return min(spans, key=lambda span: (span.earliest, span.latest), default=None)


def _counts(
    counted: Sequence[Seen], analyte: str, infused: Span | None, zone: ZoneInfo, *, is_baseline: bool
) -> tuple[Count, ...]:
    """Those of the course, or those of before lymphodepletion, in 10*9/L."""
    return tuple(
        Count(_at(one), value, one.id)
        for one in counted
        if one.analyte == analyte
        and (value := _per_litre(one)) is not None
        and (_is_called_baseline(one) and not _is_after(one, infused, zone)) is is_baseline
    )


def _per_litre(one: Seen) -> Decimal | None:
    """A cell count in 10*9/L, the unit of both analytes; None where its unit is not converted."""
    measured = measured_of(one)
    return None if measured is None else amount(measured, load_analytes().by_id[measured.analyte])


def _is_called_baseline(one: Seen) -> bool:
    return isinstance(one.facts, LaboratoryValue) and one.facts.phase == PRE_LYMPHODEPLETION


def _is_after(one: Seen, infused: Span | None, zone: ZoneInfo) -> bool:
    """After the first infusion, whatever the dates leave open."""
    span = one.span(zone)
    return infused is not None and span is not None and span.earliest > infused.latest


def _given(counted: Iterable[Seen], what: str) -> tuple[Partial, ...]:
    return tuple(_at(one) for one in counted if isinstance(one.facts, Therapy) and one.facts.what == what)


def _times_uln(one: Seen) -> Decimal | None:
    """The value by its own limit, to 28 digits. A limit of nothing, or below, is how a laboratory writes none."""
    measured = measured_of(one)
    if measured is None or measured.uln is None or measured.uln <= 0 or _limits_contradict(one):
        return None
    return measured.value / measured.uln


def _limits_contradict(one: Seen) -> bool:
    measured = measured_of(one)
    if measured is None or measured.lln is None or measured.uln is None:
        return False
    return measured.lln > measured.uln


def _unread(one: Seen, infused: Span | None, zone: ZoneInfo) -> Iterator[str]:
    """Why a value has no place among those that count, or not the one that the site gave it."""
    if not isinstance(one.facts, LaboratoryValue):
        return
    if one.analyte is None and (why := _unnamed(one.facts)):
        yield why
    if one.analyte in LIVER and _limits_contradict(one):
        yield "is not read: its lower limit of normal is above its upper"
    if one.analyte in (NEUTROPHILS, PLATELETS):
        if _per_litre(one) is None:
            yield f"is not read: {one.facts.unit} is no unit in which {one.analyte} are counted"
        elif not _at(one).is_whole_day:
            yield "is of no known day, and so on no day of the course"
        if _is_called_baseline(one) and _is_after(one, infused, zone):
            yield "is called one of before lymphodepletion but is of after the infusion: read as one of the course"


def _unnamed(facts: LaboratoryValue) -> str | None:
    """Why a value that has the name or the code of one that is read here is none; None where it is of another fluid."""
    alone = find_analyte(test=facts.test), find_analyte(loinc=facts.loinc)
    where = plain(facts.specimen or "")
    if fluid(where, where) or not any(found is not None and found.id in _READ for found in alone):
        return None
    if find_analyte(test=facts.test, loinc=facts.loinc) is None:
        return "is not read: its name and its LOINC code are of different tests"
    return "is not read: what it was taken from is not known here as blood"


def _at(one: Seen) -> Partial:
    return Partial.parse(one.facts.at)
