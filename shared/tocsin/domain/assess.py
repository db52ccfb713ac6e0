"""What is known of a case, judged: seriousness, causality, expectedness, DLT, clocks, and what must ring.

One function, used as soon as the report arrives, again when its coding refines it, and whenever a person has sent or
signed something. It always starts from everything known, so the order of arrival cannot matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tocsin.domain import dlt
from tocsin.domain.case import Case, Event, Report
from tocsin.domain.clock_life import NOTHING_YET, ClockLife, Effect, Past, Status
from tocsin.domain.clocks import Clock, Duty, Start, Trigger, clock, fires
from tocsin.domain.concerns import Concern, concerns
from tocsin.domain.elements import MINIMUM, missing_elements, missing_so_far
from tocsin.domain.judged import EventAssessment
from tocsin.domain.judging import judge, reviews_of, zone_of
from tocsin.domain.lives import live
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import ReportKind

__all__ = ["MINIMUM", "Assessment", "Concern", "EventAssessment", "assess", "missing_elements", "missing_so_far"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """The whole answer for one case at one state of knowledge. `lives`: every clock there ever was, soonest first."""

    case_id: str
    revision: int
    events: tuple[EventAssessment, ...]
    lives: tuple[ClockLife, ...]
    concerns: tuple[Concern, ...]
    missing: tuple[str, ...]
    assumptions: tuple[str, ...]
    effects: tuple[tuple[str, tuple[Effect, ...]], ...] = ()

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """The clocks that count: not those that gave way to another, nor those that a person cancelled."""
        gone = (Status.SUPERSEDED, Status.CANCELLED)
        return tuple(life.clock for life in self.lives if life.status not in gone)

    @property
    def open_clocks(self) -> tuple[Clock, ...]:
        """The clocks that something is still owed on."""
        return tuple(life.clock for life in self.lives if life.is_open)


def assess(case: Case, protocol: Protocol, past: Past = NOTHING_YET) -> Assessment:
    """Judge a case by everything known of it: what was told and coded, and what people sent and signed."""
    standing = case.standing
    judged = tuple(_event(event, report, case, protocol, past) for event, report in standing)
    known = {(id(event), id(report)): one for (event, report), one in zip(standing, judged, strict=True)}
    # A look at an event that nobody has coded or signed of is what the clocks go by, too.
    found = live(case, protocol, past, {} if case.codings or past.signed else known)
    lives = tuple(sorted((*found.clocks, *_sites_own(case, protocol, past, known)), key=_soonest))
    return Assessment(
        case_id=case.latest.case_id,
        revision=case.latest.revision,
        events=judged,
        lives=lives,
        concerns=concerns(case, judged, lives, protocol, found.to_judge),
        missing=missing_so_far(case),
        assumptions=protocol.assumptions,
        effects=tuple(found.effects.items()),
    )


def _soonest(life: ClockLife) -> tuple[datetime, str, str, datetime]:
    return life.clock.due_at, life.clock.rule, life.clock.event_id or "", life.known_at


def _event(event: Event, report: Report, case: Case, protocol: Protocol, past: Past) -> EventAssessment:
    coded = case.coding_of(event)
    return judge(
        event, report, coded, protocol, reviews=reviews_of(event, past.signed), infusions=case.infusions
    )  # fmt: skip


def _sites_own(
    case: Case, protocol: Protocol, past: Past, known: Mapping[tuple[int, int], EventAssessment]
) -> tuple[ClockLife, ...]:
    """The site's clock to the sponsor: once a case, by what the investigator first knew of, with the status it had

    at receipt (readings.md, clocks 1).
    """
    aware: list[Start] = []
    for revision in case.revisions:
        if revision.is_nullified:
            continue
        for event in revision.events:
            if event.is_nullified:
                continue
            # As last told, most events were judged a moment ago: judging is half of what a look at a case costs.
            judged = known.get((id(event), id(revision))) or _event(event, revision, case, protocol, past)
            if judged.serious or judged.dlt.state == dlt.POTENTIAL_DLT or revision.kind is ReportKind.PREGNANCY:
                aware += _site_aware(event, revision, protocol)
    first = sorted(aware, key=lambda start: (start.aware_at, start.is_provisional, start.reasons))[:1]
    received = min(r.received_at for r in case.revisions)
    found = []
    for start in first:
        for rule in protocol.clock_rules:
            if fires(rule, start.trigger):
                made = clock(rule, start, protocol.receiver_zone, protocol.clock_mode)
                status = Status.MET if received <= made.due_at else Status.LATE
                because = f"the first report was received {received.isoformat()}"
                found.append(
                    ClockLife(made, Duty.SITE_REPORT, rule.days, made.started_at, status, because, is_open=False)
                )
    return tuple(found)


def _site_aware(event: Event, report: Report, protocol: Protocol) -> list[Start]:
    if event.investigator_aware_at is None:
        return []
    span = event.investigator_aware_at.widest(zone_of(report, protocol))
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
