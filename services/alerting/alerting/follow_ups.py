"""Requests to a site for a follow-up, on the study's cadence: durable timers, one question a step, a record of each.

A timer is one day of one cadence of one case. What is asked is found when it is due, from what is known then; steps
that were missed are joined in one question. Whatever a step did or did not do is a deed on the log, so a rebuild asks
nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from alerting import alerts, cases, decisions, kinds, past
from alerting.parts import NAME, Parts
from alerting.tables import timers as rows
from alerting.timers import Timer, timer_id
from tocsin.domain import follow_up
from tocsin.domain.assess import Assessment, assess
from tocsin.domain.case import Case
from tocsin.domain.protocol import Protocol
from tocsin.domain.signed import Deed
from tocsin.messages.bodies import DecisionRecordedV1, QueryRaisedV1, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.translate import words_of
from tocsin.store import audit, outbox

FOLLOW_UP: Final = "follow_up"
TOPIC: Final = "queries.raised.v1"
URGENT, OTHER = "fatal_lt", "other"
_DAY = timedelta(days=1)

# Made once: these run for every message, and making a statement costs as much as running it.
_R = rows.c
_NEW = insert(rows)
_THERE = (
    select(_R.about, _R.due_at, _R.done_at)
    .where(_R.id.in_(bindparam("of_ids", expanding=True)))
    .order_by(_R.due_at, _R.about)
)
_NOT_DONE = update(rows).where(_R.id == bindparam("of_id"), _R.done_at.is_(None))
_FREE = (
    select(_R.id, _R.about)
    .where(_R.id.in_(bindparam("of_ids", expanding=True)), _R.done_at.is_(None), _R.due_at <= bindparam("now"))
    .order_by(_R.id)
    .with_for_update(skip_locked=True)  # Another process that has one of them and wants ours must not wait for us.
)
_SAY = update(rows).where(_R.id == bindparam("of_id")).values(outcome=bindparam("outcome"))
_MOVE = _NOT_DONE.values(due_at=bindparam("due_at"))
_END = _NOT_DONE.values(done_at=bindparam("done_at"), outcome=bindparam("outcome"))


def keep(
    tx: Connection, protocol: Protocol, case: Case, assessment: Assessment, at: datetime, *, is_new_case: bool
) -> None:  # fmt: skip
    """Set the timers that a case's seriousness asks for. What is set and not done moves with the facts.

    `case`: with every coding. `at`: since when it counts where no report makes it serious by itself, but a signed
    decision does. `is_new_case`: nothing of it was kept before.
    """
    if not any(event.serious for event in assessment.events):
        return  # What was set before finds nothing to ask when it is due.
    is_urgent = any(event.is_fatal_or_life_threatening for event in assessment.events)
    since = follow_up.since(case, urgent=is_urgent, among=protocol.special_interest, crs=protocol.grading.crs)
    cadence = URGENT if is_urgent else OTHER
    case_id = case.latest.case_id
    wanted = {_about(case_id, cadence, day): (since or at) + day * _DAY for day in _days(protocol, cadence)}
    there = {} if is_new_case else _there(tx, case_id, protocol)
    new = [
        {"id": timer_id(FOLLOW_UP, about), "kind": FOLLOW_UP, "about": about, "study": protocol.id, "due_at": due_at,
         "urgency": kinds.urgency("info") - is_urgent}
        for about, due_at in wanted.items()
        if about not in there
    ]  # fmt: skip
    if new:
        tx.execute(_NEW, new)
    for about, step in there.items():
        if about in wanted:
            if since is not None and not step.is_done and step.due_at != wanted[about]:
                tx.execute(_MOVE, {"of_id": timer_id(FOLLOW_UP, about), "due_at": wanted[about]})
        elif is_urgent and not step.is_done:
            days = ", ".join(map(str, _days(protocol, URGENT))) or "none"
            why = f"not sent: the case is fatal or life-threatening and is asked about on other days: {days}"
            tx.execute(_END, {"of_id": timer_id(FOLLOW_UP, about), "done_at": at, "outcome": why})


def ask(tx: Connection, parts: Parts, timer: Timer, now: datetime) -> None:
    """Ask the site what is open now, for this step and for every other that is due; record what was done and why."""
    case_id = _read(timer.about)[0]
    protocol = parts.study(timer.study)
    if done := decisions.about(tx, timer.about):
        _tell(tx, parts, protocol, done[-1])  # After a rebuild: it was done, and may have rung.
        return
    known = cases.load(tx, case_id)
    if known.latest is None:
        return
    steps = [timer.about, *_joined(tx, protocol, timer, case_id, now)]
    steps.sort(key=lambda about: (_read(about)[1] == URGENT, _read(about)[2]))
    found = _open(tx, protocol, known, steps[-1])
    query_id = None
    if isinstance(found, str):
        said, still_open = f"nothing is asked: {found}", []
    else:
        query_id = _raise(tx, protocol, known.latest, steps[-1], found, now)
        said, still_open = f"asked for {len(found)} of what is open", [one.why for one in found]
    _record(tx, parts, protocol, known.latest, steps, said, query_id, still_open, now)


def _raise(
    tx: Connection, protocol: Protocol, latest: ReportReceivedV1, about: str, found: Sequence[follow_up.Request],
    now: datetime,
) -> str:  # fmt: skip
    case_id, cadence, day = _read(about)
    days = _days(protocol, cadence)
    query_id = str(identity("query", case_id, FOLLOW_UP, cadence, str(day)))
    raised = QueryRaisedV1(
        query_id=query_id, case_id=case_id, study=protocol.id, site=latest.site, kind="follow_up",
        about=follow_up.about(found), raised_at=now,
        question=follow_up.question(case_id, found, day=day, number=days.index(day) + 1, of=len(days)),
    )  # fmt: skip
    outbox.put(tx, Envelope(identity(TOPIC, query_id), TOPIC, case_id, NAME, protocol.id, now, now, raised))
    return query_id


def _open(
    tx: Connection, protocol: Protocol, known: cases.Known, about: str
) -> Sequence[follow_up.Request] | str:  # fmt: skip
    """What is open of the serious events of a case, or why nothing is asked."""
    _, cadence, day = _read(about)
    if day not in _days(protocol, cadence):
        return "the study has taken this day from its cadence"
    decided = past.past_of(tx, known.case_id)
    case = known.case((), coded_before=cases.ALL_CODINGS)
    if case.latest.is_nullified:
        return "the case is nullified"
    closing = [one for one in decided.signed if one.deed in (Deed.DUPLICATE, Deed.NULLIFICATION)]
    judged = [e for e in assess(case, protocol, decided).events if not any(c.is_about(e.event_id) for c in closing)]
    serious = frozenset(event.event_id for event in judged if event.serious)
    if not serious:
        if closing:
            return f"the case was signed as {closing[-1].deed.value}"
        return "no event of the case is serious any more"
    fatal = frozenset(event.event_id for event in judged if event.fatal)
    words = {revision: words_of(body) for revision, body in known.reports.items()}
    return follow_up.requests(case, serious, fatal, words) or "everything is told"


def _joined(tx: Connection, protocol: Protocol, timer: Timer, case_id: str, now: datetime) -> list[str]:
    """The other steps of the case that are due too, taken by us: a service that slept asks once."""
    others = [about for about in _there(tx, case_id, protocol) if about != timer.about]
    free = tx.execute(_FREE, {"of_ids": [timer_id(FOLLOW_UP, about) for about in others], "now": now}).all()
    taken = [row.about for row in free if not decisions.about(tx, row.about)]
    if free:
        why = f"joined with {timer.about}"
        ids = [row.id for row in free]
        tx.execute(update(rows).where(rows.c.id.in_(ids)).values(done_at=now, outcome=why))
    return taken


def _record(
    tx: Connection, parts: Parts, protocol: Protocol, latest: ReportReceivedV1, steps: Sequence[str], said: str,
    query_id: str | None, still_open: Sequence[str], now: datetime,
) -> None:  # fmt: skip
    """Each step is a deed of its own; the last one of the cadence closes the requests and says what is still open."""
    last = steps[-1]
    _, cadence, day = _read(last)
    is_closed = day >= max(_days(protocol, cadence), default=day)
    tx.execute(_SAY, {"of_id": timer_id(FOLLOW_UP, last), "outcome": said})
    for about in steps:
        is_last = about == last
        decisions.record(
            tx, what=decisions.FIRED, about=about, parts=(FOLLOW_UP,), study=protocol.id, case_id=latest.case_id,
            by=NAME, at=now, reason=said if is_last else f"joined with {last}",
            detail={"kind": FOLLOW_UP, "query_id": query_id if is_last else None, "revision": latest.revision,
                    "open": list(still_open), "is_closed": is_closed and is_last},
        )  # fmt: skip
    audit.append(
        tx, at=now, who=NAME, did="follow-up requests closed" if is_closed else "follow-up step done",
        about=f"case {latest.case_id}", study=protocol.id,
        after={"steps": list(steps), "query_id": query_id, "open": list(still_open)}, reason=said,
    )  # fmt: skip
    _tell(tx, parts, protocol, decisions.about(tx, last)[-1])


def _tell(tx: Connection, parts: Parts, protocol: Protocol, deed: DecisionRecordedV1) -> None:
    """The site was asked for the last time and something is open: people go on from here."""
    case_id, cadence, day = _read(deed.about)
    still_open = deed.detail["open"]
    if not deed.detail["is_closed"] or not isinstance(still_open, list) or not still_open:
        return
    alert = alerts.Alert(
        key=f"{case_id}|unanswered|{cadence}",
        study=protocol.id,
        kind="unanswered",
        level="warn" if cadence == URGENT else "info",
        reasons=(f"the last request, of day {day}, was sent and none follows by itself", *still_open),
        case_id=case_id,
        revision=int(str(deed.detail["revision"])),
        roles=("safety_team",),
    )
    alerts.raise_one(tx, parts, alert, deed.at)


@dataclass(frozen=True, slots=True)
class _Step:
    due_at: datetime
    is_done: bool


def _there(tx: Connection, case_id: str, protocol: Protocol) -> dict[str, _Step]:
    """The steps of a case that were set, of those that the study's cadences have."""
    known = [_about(case_id, cadence, day) for cadence in (URGENT, OTHER) for day in _days(protocol, cadence)]
    found = tx.execute(_THERE, {"of_ids": [timer_id(FOLLOW_UP, about) for about in known]})
    return {row.about: _Step(row.due_at, row.done_at is not None) for row in found}


def _days(protocol: Protocol, cadence: str) -> tuple[int, ...]:
    asked = protocol.follow_up_requests
    return asked.fatal_or_life_threatening if cadence == URGENT else asked.other


def _about(case_id: str, cadence: str, day: int) -> str:
    return f"{case_id}|{cadence}|{day}"


def _read(about: str) -> tuple[str, str, int]:
    case_id, cadence, day = about.split("|")
    return case_id, cadence, int(day)
