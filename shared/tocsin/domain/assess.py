"""What is known of a case, judged: seriousness, causality, expectedness, DLT, clocks, and what must ring.

One function, used twice: as soon as the report arrives, and again when its coding refines it. It always starts from
all revisions and all codings known, so the order of arrival cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tocsin.domain import dlt, expectedness, seriousness
from tocsin.domain.case import Case, Event, Report
from tocsin.domain.clocks import Clock, Start, Trigger, clocks
from tocsin.domain.known import Finding
from tocsin.domain.protocol import APPROVED, ASSUMED_RULES, Protocol
from tocsin.domain.syndromes import of_special_interest
from tocsin.domain.words import ReportKind


@dataclass(frozen=True, slots=True)
class EventAssessment:
    """One event, judged. `is_susar` and `fatal_lt` are what the clocks go by."""

    event_id: str
    serious: Finding
    fatal: Finding
    life_threatening: Finding
    suspected: Finding
    unexpected: Finding
    special_interest: tuple[str, ...]
    dlt: dlt.Verdict

    @property
    def is_susar(self) -> bool:
        return bool(self.serious) and bool(self.suspected) and bool(self.unexpected)

    @property
    def is_fatal_or_life_threatening(self) -> bool:
        return bool(self.fatal) or bool(self.life_threatening)


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing a person must know of. `key` is stable: the same thing has the same key in every assessment."""

    key: str
    kind: str
    level: str
    event_id: str | None
    reasons: tuple[str, ...]
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """The whole answer for one case at one state of knowledge."""

    case_id: str
    revision: int
    events: tuple[EventAssessment, ...]
    clocks: tuple[Clock, ...]
    concerns: tuple[Concern, ...]
    missing: tuple[str, ...]
    assumptions: tuple[str, ...]


MINIMUM = {
    "patient": "an identifiable patient",
    "reporter": "an identifiable reporter",
    "product": "a suspect product",
    "event": "an adverse event",
}


def missing_elements(report: Report) -> tuple[str, ...]:
    """Which of the four minimum elements a report lacks (ICH E2D; rules.md 2.5).

    A subject at a trial site is an identifiable patient unless the report denies it (readings.md, clocks 3).
    """
    has = {
        "patient": report.subject is not None and not report.patient_denied,
        "reporter": report.has_reporter,
        "product": report.product is not None,
        "event": bool(report.events) or report.kind is not ReportKind.ADVERSE_EVENT,
    }
    return tuple(name for name in MINIMUM if not has[name])


def assess(case: Case, protocol: Protocol) -> Assessment:
    """Judge a case by everything known of it."""
    report = case.latest
    judged = tuple(_event(e, case, protocol) for e in report.events if not e.is_nullified)
    return Assessment(
        case_id=report.case_id,
        revision=report.revision,
        events=judged,
        clocks=_clocks(case, protocol),
        concerns=() if report.is_nullified else _concerns(report, judged, protocol),
        missing=missing_elements(report),
        assumptions=protocol.assumptions,
    )


def _event(event: Event, case: Case, protocol: Protocol) -> EventAssessment:
    coded = case.coding_of(event.event_id)
    judged = seriousness.of(event, coded)
    site = protocol.site(case.latest.site)
    zone = site.zone if site else protocol.receiver_zone
    verdict = (
        dlt.evaluate(event, coded, case.infusions, zone, protocol.dlt, is_fatal=bool(judged.fatal))
        if protocol.dlt is not None
        else dlt.Verdict(dlt.NO_DLT, None, ("this study defines no dose-limiting toxicity",))
    )
    return EventAssessment(
        event_id=event.event_id,
        serious=judged.serious,
        fatal=judged.fatal,
        life_threatening=judged.life_threatening,
        suspected=expectedness.suspected(event),
        unexpected=expectedness.unexpected(event, coded, bool(judged.fatal), protocol.rsi),
        special_interest=of_special_interest(event, coded),
        dlt=verdict,
    )


def _clocks(case: Case, protocol: Protocol) -> tuple[Clock, ...]:
    """Clocks over all revisions: what once qualified keeps its clock, with the day zero of the report that first did.

    Only a person closes a clock, so a later revision that would not qualify takes nothing away here.
    """
    starts: dict[tuple[Trigger, str | None], Start] = {}
    for revision in case.revisions:
        if revision.is_nullified:
            continue
        known_then = Case(
            tuple(r for r in case.revisions if r.revision <= revision.revision), case.codings, case.infusions
        )
        incomplete = missing_elements(revision)
        for event in revision.events:
            if event.is_nullified:
                continue
            judged = _event(event, known_then, protocol)
            for start in _starts(event, judged, revision, incomplete, protocol):
                before = starts.get((start.trigger, start.event_id))
                if before is None or (_awaits_elements(before) and not incomplete):
                    starts[(start.trigger, start.event_id)] = start
    return clocks(protocol.clock_rules, starts.values(), protocol.receiver_zone, protocol.clock_mode)


_AWAITS = "the legal day zero is the receipt of what is missing"


def _awaits_elements(start: Start) -> bool:
    return start.trigger is not Trigger.SITE_AWARE and any(_AWAITS in reason for reason in start.reasons)


def _starts(
    event: Event, judged: EventAssessment, report: Report, incomplete: tuple[str, ...], protocol: Protocol
) -> list[Start]:
    found = []
    received = f"revision {report.revision} received {_local(report.received_at, protocol)}"
    if judged.is_susar:
        kind = Trigger.FATAL_LT_SUSAR if judged.is_fatal_or_life_threatening else Trigger.OTHER_SUSAR
        reasons = [*judged.serious.reasons, *judged.suspected.reasons, *judged.unexpected.reasons, received]
        if judged.is_fatal_or_life_threatening:
            reasons = [*judged.fatal.reasons * bool(judged.fatal),
                       *judged.life_threatening.reasons * bool(judged.life_threatening), *reasons]  # fmt: skip
        if incomplete:
            lacking = ", ".join(MINIMUM[name] for name in incomplete)
            reasons.append(f"still missing {lacking}: {_AWAITS}")
        provisional = bool(incomplete) or any(
            f.is_provisional for f in (judged.serious, judged.suspected, judged.unexpected)
        )
        found.append(Start(kind, event.event_id, report.received_at, tuple(dict.fromkeys(reasons)), provisional))
    if judged.serious and event.investigator_aware_at is not None:
        site = protocol.site(report.site)
        zone = site.zone if site else protocol.receiver_zone
        span = event.investigator_aware_at.span(zone)
        if span is not None:
            whole = event.investigator_aware_at.is_instant
            reasons = [f"the investigator was aware at {event.investigator_aware_at}"]
            if not whole:
                reasons.append("the time is not whole: its earliest reading counts")
            # One clock a case (readings.md, clocks 1): it is keyed without an event.
            found.append(Start(Trigger.SITE_AWARE, None, span.earliest, tuple(reasons), not whole))
    return found


def _concerns(report: Report, judged: tuple[EventAssessment, ...], protocol: Protocol) -> tuple[Concern, ...]:
    found: list[Concern] = []

    def add(kind: str, level: str, event_id: str | None, reasons: tuple[str, ...], provisional: bool = False) -> None:
        found.append(Concern(f"{event_id or report.case_id}:{kind}", kind, level, event_id, reasons, provisional))

    if report.kind is not ReportKind.ADVERSE_EVENT:
        add(report.kind.value, "page", None, (f"a report of a {report.kind.value.replace('_', ' ')}",))
    for event in judged:
        if event.fatal:
            add("fatal", "page", event.event_id, event.fatal.reasons, event.fatal.is_provisional)
        if event.life_threatening:
            add("life_threatening", "page", event.event_id, event.life_threatening.reasons,
                event.life_threatening.is_provisional)  # fmt: skip
        if event.special_interest:
            add("special_interest", "page", event.event_id, event.special_interest)
        if event.dlt.state == dlt.POTENTIAL_DLT:
            unapproved = protocol.dlt is not None and protocol.dlt.status != APPROVED
            note = (ASSUMED_RULES,) if unapproved else ()
            add("potential_dlt", "page", event.event_id, (*event.dlt.reasons, *note), event.dlt.is_provisional)
        if event.serious and not event.is_fatal_or_life_threatening:
            add("serious", "info", event.event_id, event.serious.reasons, event.serious.is_provisional)
    return tuple(found)


def _local(at: datetime, protocol: Protocol) -> str:
    return f"{at.astimezone(protocol.receiver_zone):%Y-%m-%d %H:%M %Z}"
