"""What a case's facts start, as far as intake can say: day zero of each event, and the clocks, before any coding.

The verdicts that bind are alerting's. This is the same book of rules read once at the door, so that a site sees in
its receipt what its report sets going.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from ae_intake.receipts import DayZero, StartedClock
from tocsin.domain import follow_up, seriousness
from tocsin.domain.assess import MINIMUM, assess
from tocsin.domain.calendars import local_day
from tocsin.domain.case import Case, Report
from tocsin.domain.clocks import Clock
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import KeptEvent, ReportReceivedV1
from tocsin.messages.translate import report_of, words_of


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows from the facts of all revisions so far. `serious`: events that are, or are not known not to be."""

    days: tuple[DayZero, ...]
    clocks: tuple[Clock, ...]
    serious: frozenset[str]

    def numbered(self, draft_id: str, case_id: str) -> Judgement:
        """The same under the case's number, when the facts were judged before they had one."""
        return Judgement(
            tuple(DayZero(**{**dict(d), "event_id": _renumber(d.event_id, draft_id, case_id)}) for d in self.days),
            tuple(
                replace(c, event_id=None if c.event_id is None else _renumber(c.event_id, draft_id, case_id))
                for c in self.clocks
            ),
            frozenset(_renumber(event_id, draft_id, case_id) for event_id in self.serious),
        )


def judge(
    revisions: Sequence[ReportReceivedV1], protocol: Protocol, reports: Sequence[Report] | None = None
) -> Judgement:
    """Judge a case by all its revisions, oldest first. `reports`: the same, where they were translated before."""
    case = Case(tuple(reports or (report_of(body) for body in revisions)))
    assessment = assess(case, protocol)
    latest = revisions[-1]
    days = [
        _day_zero(kept, n, revisions, protocol) for n, kept in enumerate(latest.events, 1) if not kept.facts.nullified
    ]
    serious = frozenset(event.event_id for event in assessment.events if event.serious)
    return Judgement(tuple(days), assessment.clocks, serious)


def leaves_to_ask(revisions: Sequence[ReportReceivedV1]) -> bool:
    """Whether a request for a follow-up would still find something open, whatever event of the case it is about.

    Whoever asked knew the coding too, so no event is taken out here for not being serious.
    """
    case = Case(tuple(report_of(body) for body in revisions))
    events = frozenset(event.event_id for event, _ in case.standing)
    fatal = frozenset(event.event_id for event, _ in case.standing if seriousness.of(event, None).fatal)
    words = {body.revision: words_of(body) for body in revisions}
    return bool(follow_up.requests(case, events, fatal, words))


def started(clock: Clock, protocol: Protocol) -> StartedClock:
    """A clock as a receipt shows it: due in the receiver's zone, with its offset."""
    return StartedClock(
        rule=clock.rule,
        clause=clock.clause,
        recipient=clock.recipient,
        event_id=clock.event_id,
        day_zero=clock.day_zero,
        due_on=clock.due_on,
        due_at=clock.due_at.astimezone(protocol.receiver_zone),
        reasons=list(clock.reasons),
        provisional=clock.is_provisional,
        confidence=clock.confidence,
    )


def _day_zero(kept: KeptEvent, place: int, revisions: Sequence[ReportReceivedV1], protocol: Protocol) -> DayZero:
    """The receipt of the first complete revision that tells of the event, else of the first that tells of it at all.

    The receiver's zone makes the date. Nothing the site writes changes it, and nothing that is missing delays it.
    """
    telling = [body for body in revisions if any(e.event_id == kept.event_id for e in body.events)]
    complete = next((body for body in telling if not body.missing), None)
    body = complete or telling[0]
    stamp = f"revision {body.revision} received {_local(body.received_at, protocol.receiver_zone)}"
    if complete is not None:
        why = f"{stamp} with the four minimum elements"
    else:
        lacking = ", ".join(MINIMUM[name] for name in revisions[-1].missing)
        why = f"{stamp}; still missing {lacking}: the legal day zero is the receipt of what is missing"
    return DayZero(
        event_id=kept.event_id,
        ref=kept.facts.ref or str(place),
        day_zero=local_day(body.received_at, protocol.receiver_zone),
        received_at=body.received_at,
        is_provisional=complete is None,
        why=why,
    )


@lru_cache(maxsize=64)  # Every event of a report came at one instant.
def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _renumber(event_id: str, draft_id: str, case_id: str) -> str:
    return case_id + event_id.removeprefix(draft_id)
