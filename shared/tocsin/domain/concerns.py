"""What must ring: the things about a case that a person has to know now, each with a key that stays the same.

Knows nothing of who is told or how; see alerting.alarm. Levels as rules.md 1.5: a death, a threat to life, an event of
special interest, a potential DLT and every report that is not of an adverse event page at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tocsin.domain import dlt
from tocsin.domain.case import Case, Report
from tocsin.domain.clock_life import ClockLife
from tocsin.domain.clocks import Clock
from tocsin.domain.judged import EventAssessment
from tocsin.domain.protocol import APPROVED, ASSUMED_RULES, Protocol
from tocsin.domain.words import ReportKind


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing a person must know of. `key` is stable: the same thing has the same key in every assessment."""

    key: str
    kind: str
    level: str
    event_id: str | None
    reasons: tuple[str, ...]
    is_provisional: bool


def concerns(
    case: Case, judged: Sequence[EventAssessment], lives: Sequence[ClockLife], protocol: Protocol,
    to_judge: Sequence[tuple[str, int]] = (),
) -> tuple[Concern, ...]:  # fmt: skip
    """Everything to ring for, the case's own first, then event by event.

    `to_judge`: (event, revision) whose narrative alone changed after a report was sent.
    """
    running = [life.clock for life in lives if life.is_open]
    of_events = [concern for event in judged for concern in _of_event(event, protocol)]
    of_clocks = [*_in_question(case, lives), *_to_judge(to_judge)]
    return (*_of_case(case), *_nullified(case, running), *of_clocks, *of_events)


def _in_question(case: Case, lives: Sequence[ClockLife]) -> Iterable[Concern]:
    """A clock that the facts no longer support runs on, and a person is told. A taken back event says so itself."""
    taken_back = {e.event_id for r in case.revisions[-1:] for e in r.events if e.is_nullified or r.is_nullified}
    for life in lives:
        event_id = life.clock.event_id
        if life.questions and event_id not in taken_back and not case.latest.is_nullified:
            reasons = tuple(f"{life.clock.rule} runs: {question}" for question in life.questions)
            key = f"{event_id}:clock_in_question:{life.clock.rule}"
            yield Concern(key, "clock_in_question", "review", event_id, reasons, False)


def _to_judge(found: Sequence[tuple[str, int]]) -> Iterable[Concern]:
    for event_id, revision in found:
        reason = (
            f"revision {revision} changes the narrative of an event that was reported, and nothing that a rule can "
            "judge: a physician says by signature whether it is significant; until then it goes with the next report"
        )
        yield Concern(
            f"{event_id}:follow_up_to_judge:{revision}", "follow_up_to_judge", "review", event_id, (reason,), True
        )


def _of_case(case: Case) -> Iterable[Concern]:
    case_id = case.latest.case_id
    if case.latest.is_nullified:
        return
    standing = [r for r in case.revisions if not r.is_nullified]
    for kind in sorted({r.kind for r in standing} - {ReportKind.ADVERSE_EVENT}):
        yield Concern(
            f"{case_id}:{kind.value}",
            kind.value,
            "page",
            None,
            (f"a report of a {kind.value.replace('_', ' ')}",),
            False,
        )
    if not any(r.events or r.kind is not ReportKind.ADVERSE_EVENT for r in standing):
        reason = "a report that names no event: nothing of it can be judged until the site answers"
        yield Concern(f"{case_id}:no_event", "no_event", "warn", None, (reason,), True)


def _nullified(case: Case, running: Sequence[Clock]) -> Iterable[Concern]:
    """A nullified event closes no clock by itself: whoever may close one is told of it.

    That a whole case was nullified is told by whoever knows the site's reason for it.
    """
    if case.latest.is_nullified:
        return
    last: dict[str, tuple[bool, Report]] = {
        event.event_id: (event.is_nullified, r) for r in case.revisions if not r.is_nullified for event in r.events
    }
    for event_id, (is_nullified, report) in last.items():
        if is_nullified:
            yield _taken_back(event_id, report, [c for c in running if c.event_id == event_id])


def _taken_back(event_id: str, report: Report, running: Sequence[Clock]) -> Concern:
    reasons = [f"nullified by revision {report.revision}"]
    reasons += [f"{c.rule} due {c.due_on} goes on until a person closes it by signature" for c in running]
    return Concern(
        f"{event_id}:nullified", "nullified", "review" if running else "info", event_id, tuple(reasons), False
    )


def _of_event(event: EventAssessment, protocol: Protocol) -> Iterable[Concern]:
    def concern(kind: str, level: str, reasons: tuple[str, ...], is_provisional: bool) -> Concern:
        return Concern(f"{event.event_id}:{kind}", kind, level, event.event_id, reasons, is_provisional)

    if event.fatal:
        yield concern("fatal", "page", event.fatal.reasons, event.fatal.is_provisional)
    if event.life_threatening:
        threat = event.life_threatening
        yield concern("life_threatening", "page", threat.reasons, threat.is_provisional)
    if event.special_interest:
        yield concern("special_interest", "page", event.special_interest, event.special_interest_is_provisional)
    if event.dlt.state == dlt.POTENTIAL_DLT:
        is_assumed = protocol.dlt is not None and protocol.dlt.status != APPROVED
        note = (ASSUMED_RULES,) if is_assumed else ()
        yield concern("potential_dlt", "page", (*event.dlt.reasons, *note), event.dlt.is_provisional)
    if event.serious and not event.is_fatal_or_life_threatening:
        yield concern("serious", "info", event.serious.reasons, event.serious.is_provisional)
