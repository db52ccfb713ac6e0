"""What is known of a case, judged: seriousness, causality, expectedness, DLT, clocks, and what must ring.

One function, used twice: as soon as the report arrives, and again when its coding refines it. It always starts from
all revisions and all codings known, so the order of arrival cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.domain import dlt, seriousness
from tocsin.domain.case import Case, Event, Report
from tocsin.domain.causality import suspected
from tocsin.domain.clocks import Clock, Start, Trigger, clocks
from tocsin.domain.concerns import Concern, concerns
from tocsin.domain.expectedness import unexpected
from tocsin.domain.judged import EventAssessment
from tocsin.domain.protocol import Protocol
from tocsin.domain.syndromes import special_interest
from tocsin.domain.words import Agent, ReportKind

__all__ = ["MINIMUM", "Assessment", "Concern", "EventAssessment", "assess", "missing_elements", "missing_so_far"]


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

    A subject at a trial site is an identifiable patient unless the report denies it (readings.md, clocks 3). An
    opinion on the relation to the product names the study's product, by whatever party it was given.
    """
    judges_the_product = any(o.agent is Agent.PRODUCT for e in report.events for o in e.opinions)
    has = {
        "patient": report.subject is not None and not report.patient_denied,
        "reporter": report.has_reporter,
        "product": report.product is not None or judges_the_product,
        "event": bool(report.events) or report.kind is not ReportKind.ADVERSE_EVENT,
    }
    return tuple(name for name in MINIMUM if not has[name])


def missing_so_far(case: Case, until: int | None = None) -> tuple[str, ...]:
    """Which minimum elements no revision has brought, up to and with revision `until`.

    What an earlier revision named is held, even when a later one leaves it out.
    """
    held = [r for r in case.revisions if not r.is_nullified and (until is None or r.revision <= until)]
    lacking = [set(missing_elements(r)) for r in held]
    return tuple(name for name in MINIMUM if all(name in one for one in lacking))


def assess(case: Case, protocol: Protocol) -> Assessment:
    """Judge a case by everything known of it."""
    judged = tuple(_event(event, report, case, protocol) for event, report in case.standing)
    running = _clocks(case, protocol)
    return Assessment(
        case_id=case.latest.case_id,
        revision=case.latest.revision,
        events=judged,
        clocks=running,
        concerns=concerns(case, judged, running, protocol),
        missing=missing_so_far(case),
        assumptions=protocol.assumptions,
    )


def _event(event: Event, report: Report, case: Case, protocol: Protocol) -> EventAssessment:
    coded = case.coding_of(event)
    judged = seriousness.of(event, coded, protocol.special_interest)
    special = special_interest(event, coded, protocol.special_interest)
    verdict = (
        dlt.evaluate(event, coded, case.infusions, _zone(report, protocol), protocol.dlt, fatal=judged.fatal)
        if protocol.dlt is not None
        else dlt.Verdict(dlt.NO_DLT, None, ("this study defines no dose-limiting toxicity",))
    )
    return EventAssessment(
        event_id=event.event_id,
        serious=judged.serious,
        fatal=judged.fatal,
        life_threatening=judged.life_threatening,
        suspected=suspected(event),
        unexpected=unexpected(event, coded, bool(judged.fatal), protocol.rsi),
        special_interest=special.reasons if special else (),
        dlt=verdict,
        special_interest_is_provisional=special.is_provisional,
        rsi_version=protocol.rsi.version,
    )


def _zone(report: Report, protocol: Protocol) -> ZoneInfo:
    site = protocol.site(report.site)
    return site.zone if site else protocol.receiver_zone


def _clocks(case: Case, protocol: Protocol) -> tuple[Clock, ...]:
    """Clocks over all revisions: what once qualified keeps its clock, with the day zero of the report that first did.

    Only a person closes a clock, so a later revision that would not qualify takes nothing away here.
    """
    reportable: dict[tuple[str, bool], dict[Trigger, Start]] = {}
    aware: list[Start] = []
    for revision in case.revisions:
        if revision.is_nullified:
            continue
        lacking = missing_so_far(case, revision.revision)
        for event in revision.events:
            if event.is_nullified:
                continue
            judged = _event(event, revision, case, protocol)
            if judged.trigger is not None:
                # An expected reaction is no upgrade or downgrade of a SUSAR: each has its own clocks.
                of_event = reportable.setdefault((event.event_id, judged.is_susar), {})
                _note(of_event, _start(judged, judged.trigger, revision, lacking, protocol), revision, protocol)
            if judged.serious or judged.dlt.state == dlt.POTENTIAL_DLT or revision.kind is ReportKind.PREGNANCY:
                aware += _site_aware(event, revision, protocol)
    # One clock a case, by what the investigator first knew of (readings.md, clocks 1): it is keyed without an event.
    first = sorted(aware, key=lambda start: (start.aware_at, start.is_provisional, start.reasons))[:1]
    starts = [start for of_event in reportable.values() for start in of_event.values()]
    return clocks(protocol.clock_rules, [*starts, *first], protocol.receiver_zone, protocol.clock_mode)


def _start(
    judged: EventAssessment, trigger: Trigger, report: Report, lacking: tuple[str, ...], protocol: Protocol
) -> Start:
    """What this revision alone would start."""
    reasons = [reason for finding in judged.grounds for reason in finding.reasons]
    reasons.append(f"revision {report.revision} received {_local(report.received_at, protocol)}")
    if lacking:
        wanted = ", ".join(MINIMUM[name] for name in lacking)
        reasons.append(f"still missing {wanted}: the legal day zero is the receipt of what is missing")
    return Start(
        trigger=trigger,
        event_id=judged.event_id,
        aware_at=report.received_at,
        reasons=tuple(dict.fromkeys(reasons)),
        is_provisional=any(finding.is_provisional for finding in judged.grounds),
        awaits=lacking,
    )


def _note(known: dict[Trigger, Start], new: Start, report: Report, protocol: Protocol) -> None:
    """Add to the starts of one event what a further revision says of it.

    A downgrade starts nothing, as the 7-day clock stands until a person closes it; an upgrade starts its own clock
    beside the one that runs. A start that awaited elements takes the legal day zero once they are complete.
    """
    for trigger, before in known.items():
        if before.awaits and not new.awaits:
            legal = (
                f"the last of the minimum elements came with revision {report.revision}, received "
                f"{_local(report.received_at, protocol)}: this is the legal day zero"
            )
            known[trigger] = replace(before, aware_at=new.aware_at, awaits=(), reasons=(*before.reasons, legal))
    is_downgrade = new.trigger is Trigger.OTHER_SUSAR and Trigger.FATAL_LT_SUSAR in known
    if new.trigger not in known:
        if not is_downgrade:
            known[new.trigger] = new
    elif known[new.trigger].is_provisional and not new.is_provisional:
        firm = f"confirmed by revision {report.revision}, received {_local(report.received_at, protocol)}"
        before = known[new.trigger]
        known[new.trigger] = replace(before, is_provisional=False, reasons=(*before.reasons, firm))


def _site_aware(event: Event, report: Report, protocol: Protocol) -> list[Start]:
    if event.investigator_aware_at is None:
        return []
    span = event.investigator_aware_at.widest(_zone(report, protocol))
    if span is None:
        return []
    is_exact = event.investigator_aware_at.is_instant and span.latest - span.earliest < timedelta(minutes=1)
    reasons = [f"the investigator was aware at {event.investigator_aware_at}"]
    if not is_exact:
        reasons.append("the time is not exact: its earliest reading counts")
    aware_at = min(span.earliest, report.received_at)
    if aware_at < span.earliest:
        reasons.append("that is after we received it: whoever told us knew by then")
    return [Start(Trigger.SITE_AWARE, None, aware_at, tuple(reasons), not is_exact or aware_at < span.earliest)]


def _local(at: datetime, protocol: Protocol) -> str:
    return f"{at.astimezone(protocol.receiver_zone):%Y-%m-%d %H:%M %Z}"
