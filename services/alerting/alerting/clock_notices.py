"""The notices that time owes for clocks that run: each once, found by "due and not done" (rules.md 1.5).

One timer for each mark of a case and one for each due instant, set when the clock is kept. What stands when it fires
decides: clocks of one moment are told together, a clock that no longer runs is not told, and no review is asked for
that was signed. A service that slept owes every mark it missed, most urgent first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from alerting import alerts, decisions, kinds, overdue, past, timers
from alerting.delivery.bell import Due
from alerting.overdue import OVERDUE
from alerting.parts import NAME, Parts
from alerting.tables import clocks
from alerting.timers import Timer
from tocsin.domain.clock_life import ClockLife
from tocsin.domain.clocks import ClockRule, Duty
from tocsin.domain.notices import MARKS, REVIEW, Mark, is_told, marks_of
from tocsin.domain.protocol import Protocol
from tocsin.domain.signed import Deed
from tocsin.messages.bodies import DecisionRecordedV1

KINDS = {
    REVIEW: "clock_review", "warn": "clock_warning", "escalate": "clock_escalation", "critical": "clock_critical",
    OVERDUE: overdue.KIND,
}  # fmt: skip

# Made once: making a statement costs as much as running it.
_C = clocks.c
_OF_CASE = select(clocks).where(_C.case_id == bindparam("of_case"))
_OPEN = _OF_CASE.where(_C.is_open.is_(True)).order_by(_C.due_at, _C.rule)
_DUE_THEN = _OPEN.where(_C.due_at == bindparam("moment"))
_KNOWN_THEN = _OPEN.where(_C.known_at == bindparam("moment"))


def keep(tx: Connection, study: str, case_id: str, lives: Sequence[ClockLife]) -> None:
    """Set the timers of these clocks; those that are set already stay as they are."""
    found: dict[str, tuple[datetime, str]] = {}
    for life in lives:
        if not is_told(life) or not life.is_open:
            continue
        for mark in marks_of(life):
            hours = int(mark.after.total_seconds() // 3600)
            about = f"{case_id}|{life.known_at.isoformat()}|{mark.level}|{hours}"
            found.setdefault(about, (life.known_at + mark.after, mark.level))
        last = overdue.about(case_id, life.clock.due_at)
        found.setdefault(last, (overdue.since(life.clock.due_at), OVERDUE))
    rows = [(about, due_at, kinds.urgency(level, KINDS[level])) for about, (due_at, level) in found.items()]
    timers.begin_all_once(tx, timers.CLOCK, study, rows)


def reopened(tx: Connection, study: str, case_id: str, life: ClockLife) -> None:
    """A clock that was met is owed again: it is told at its due instant, or at once when that has passed."""
    if is_told(life):
        overdue.ring_at(tx, study, overdue.about(case_id, life.clock.due_at), overdue.since(life.clock.due_at))


def fire(tx: Connection, parts: Parts, timer: Timer, now: datetime) -> None:
    """Tell what this mark owes, if it is still owed."""
    protocol = parts.study(timer.study)
    case_id, of, *which = timer.about.split("|")
    level, moment = which[0], datetime.fromisoformat(of)
    if level == OVERDUE:
        running = _open(tx, protocol, case_id, _DUE_THEN, moment)
    else:
        mark = Mark(level, timedelta(hours=int(which[1])))
        found = _open(tx, protocol, case_id, _KNOWN_THEN, moment)
        running = [(row, rule) for row, rule in found if mark in MARKS.get(rule.days or 0, ())]
    if level == REVIEW:
        running = _unreviewed(tx, case_id, running)
    if not running:
        return
    alert = _alert(timer, protocol, case_id, level, running, now)
    if alerts.raise_one(tx, parts, alert, now):
        decisions.record(
            tx, what=decisions.FIRED, about=timer.about, parts=(timers.CLOCK, now.isoformat()), study=timer.study,
            case_id=case_id, by=NAME, at=now,
            detail={"kind": timers.CLOCK, "level": level, "clocks": [str(row.id) for row, _ in running],
                    "due_at": timer.due_at.isoformat()},
        )  # fmt: skip


def _alert(
    timer: Timer, protocol: Protocol, case_id: str, level: str, running: Sequence[tuple[Row[Any], ClockRule]],
    now: datetime,
) -> alerts.Alert:  # fmt: skip
    first, rule = running[0]
    return alerts.Alert(
        # An overdue report that was silenced rings anew: that is another alert about the same thing.
        key=f"{timer.about}|{now.isoformat()}" if level == OVERDUE else timer.about,
        study=timer.study,
        kind=KINDS[level],
        level=level,
        reasons=tuple(reason for row, of in running for reason in why(row, of, level)),
        case_id=case_id,
        assumptions=protocol.assumptions,
        roles=("medical_reviewer",) if level == REVIEW else (),
        is_provisional=any(row.is_provisional for row, _ in running),
        due=Due(f"{rule.days}-day clock", first.is_provisional, first.due_on, first.due_at),
        group_key=overdue.group_of(timer.about) if level == OVERDUE else None,
    )


def why(row: Row[Any], rule: ClockRule, level: str) -> list[str]:
    """Why this clock, and what to do: the sentences of an alert."""
    event = f"{row.event_id}: " if row.event_id else ""
    asked = {
        REVIEW: "no medical review is signed 24 hours after receipt",
        OVERDUE: f"it was due {row.due_on} and nothing was submitted",
    }.get(level, "nothing was submitted yet")
    said = [f"{event}{row.rule} to {row.recipient} is due {row.due_on}: {asked}", *row.reasons]
    if rule.confidence == "low":
        said.append(f"{row.rule} is held with low confidence: the sponsor must verify it")
    return said


def _open(
    tx: Connection, protocol: Protocol, case_id: str, of: Select[Any], moment: datetime
) -> list[tuple[Row[Any], ClockRule]]:
    """The reports to an authority that are still owed, of one receipt or one due instant; soonest due first."""
    rows = tx.execute(of, {"of_case": case_id, "moment": moment})
    rules = {rule.id: rule for rule in protocol.clock_rules}
    found = [(row, rules[row.rule]) for row in rows if row.rule in rules]
    return [(row, rule) for row, rule in found if rule.duty is Duty.REPORT and rule.days in MARKS]


def _unreviewed(
    tx: Connection, case_id: str, running: list[tuple[Row[Any], ClockRule]]
) -> list[tuple[Row[Any], ClockRule]]:
    reviews = [d for d in past.past_of(tx, case_id).signed if d.deed is Deed.MEDICAL_REVIEW]
    return [
        (row, rule)
        for row, rule in running
        if not any(review.is_about(row.event_id or "") and review.signed_at >= row.known_at for review in reviews)
    ]


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """On a rebuild: the alert that the log says was raised for a mark, as far as its clocks are known again."""
    if deed.detail.get("kind") != timers.CLOCK or deed.case_id is None:
        return
    protocol = parts.study(deed.study)
    ids = [str(one) for one in _listed(deed.detail.get("clocks"))]
    rules = {rule.id: rule for rule in protocol.clock_rules}
    rows = [row for row in tx.execute(_OF_CASE, {"of_case": deed.case_id}) if str(row.id) in ids]
    running = [(row, rules[row.rule]) for row in sorted(rows, key=lambda r: (r.due_at, r.rule)) if row.rule in rules]
    if not running:
        return
    due_at = datetime.fromisoformat(str(deed.detail["due_at"]))
    timer = Timer(timers.timer_id(timers.CLOCK, deed.about), timers.CLOCK, deed.about, deed.study, due_at)
    # Stopped first: an answer that the log tells of too may have silenced it, and then it rings again.
    timers.stop(tx, timers.CLOCK, deed.about, deed.at, "done")
    alerts.raise_one(
        tx, parts, _alert(timer, protocol, deed.case_id, str(deed.detail["level"]), running, deed.at), deed.at
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
