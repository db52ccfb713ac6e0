"""The trial as it stands: the dose board, the holds that its facts set, and what of it must ring.

A hold that something set rings at once, joined to the page that the same facts raised for the same case; each site and
the cell lab are then told until they confirm (`hold_parties`). Once set it stays until it is lifted by signature. What
was set, rung and confirmed is a deed on the log. The rules are `tocsin.domain.board`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, select

from alerting import alerts, cases, decisions, dlt_rings, hold_parties, timers, trial_facts, verdicts
from alerting.parts import NAME, Parts
from alerting.so_far import SoFar
from alerting.tables import alerts as alert_rows
from alerting.tables import doses, holds
from alerting.timers import Timer
from tocsin.domain.board.board import Board, board
from tocsin.domain.board.facts import Raised
from tocsin.domain.board.follow_up import VisitState
from tocsin.domain.board.holds import Hold, Kind
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity
from tocsin.store.insert import insert_unless_there

RAISED, AGAINST, OVERDUE = "hold_set", "infusion_against_hold", "follow_up_overdue"
HOLD = "hold"
_URGENCY = 160

# Made once: these run for every message, and making a statement costs as much as running it.
_D, _A = doses.c, alert_rows.c
_DOSED = select(_D.record_id).where(_D.study == bindparam("of_study"), _D.subject == bindparam("of_subject")).limit(1)
_PAGE = (
    select(_A.id)
    .where(_A.case_id == bindparam("of_case"), _A.level == "page", _A.raised_at == bindparam("raised_at"))
    .order_by(_A.id)
    .limit(1)
)
_ALERT = select(_A.id).where(_A.id == bindparam("of_id"))


def hold_id(study: str, key: str) -> UUID:
    """The id of a hold: the same facts set the same one."""
    return identity("hold", study, key)


def board_of(tx: Connection, protocol: Protocol, as_of: datetime) -> Board:
    """The board from everything known."""
    return _board(protocol, trial_facts.of_study(tx, protocol, is_shown=False), as_of)


def _board(protocol: Protocol, known: trial_facts.Known, as_of: datetime) -> Board:
    return board(protocol, known.subjects, known.trial, as_of)


def follow(
    tx: Connection, parts: Parts, protocol: Protocol, subjects: Iterable[str | None], at: datetime, *, why: str,
    case: SoFar | None = None,
) -> None:  # fmt: skip
    """Judge these subjects anew, and the board where what changed may change it. `case`: no other fact changed."""
    is_touched, case_id = False, None if case is None else case.latest.case_id
    for subject in subjects:
        found = verdicts.look(
            tx, parts, protocol, subject, at, why=why if case_id is None else f"{case_id}: {why}", case=case
        )
        is_touched |= found.pauses or (bool(found.changes) and _is_dosed(tx, protocol.id, subject))
    if is_touched:
        look(tx, parts, protocol, at, case_id=case_id)


def follow_case(tx: Connection, parts: Parts, protocol: Protocol, case: SoFar, at: datetime, *, why: str) -> None:
    """Judge anew every subject that a case names. No other fact than the case's changed."""
    follow(tx, parts, protocol, case.known.subjects, at, why=why, case=case)


def _is_dosed(tx: Connection, study: str, subject: str | None) -> bool:
    """Whether a subject is on the board: enrolled, infused or withdrawn."""
    return tx.scalars(_DOSED, {"of_study": study, "of_subject": subject}).one_or_none() is not None


def look(
    tx: Connection, parts: Parts, protocol: Protocol, at: datetime, *, case_id: str | None = None,
    rung: UUID | None = None,
) -> None:  # fmt: skip
    """Set the holds that the facts ask for now, and ring for them.

    `case_id`: whose page of this moment tells of it too; `rung`: the alert that the very fact has raised already.
    """
    if parts.is_rebuilding or not protocol.levels:
        return
    known = trial_facts.of_study(tx, protocol, is_shown=False)
    found = _board(protocol, known, at)
    before = _set_before(known.trial.raised)
    standing = {hold.key for hold in found.standing_holds}
    for hold in found.holds:
        if not _is_quiet(hold) and _is_new(hold, before.get(hold.key, []), stands=hold.key in standing):
            _set(tx, parts, protocol, hold, len(before.get(hold.key, [])), at, rung or _page_of(tx, case_id, at))
    for subject, against in found.given_against:
        for hold in against:
            _say(tx, parts, protocol, AGAINST, f"{subject}|{hold.key}", at, _against(subject, hold))
    for one in found.follow_up:
        for visit in one.overdue:
            said = {
                "reasons": [
                    f"{one.subject}: the visit of month {visit.month} was due {visit.due_on} and could be until "
                    f"{visit.closes_on}; nothing is known of the subject since {one.last_contact or 'the infusion'}",
                    "every subject is followed for at least two years: ask the site how the subject is",
                ]
            }
            _say(tx, parts, protocol, OVERDUE, f"{one.subject}|{visit.month}", at, said)
    _set_timer(tx, protocol, found, at)


def look_at_all(parts: Parts, at: datetime) -> None:
    """Look at each trial once, as a service starts: what its tables owe, and the timer for what comes next."""
    for protocol in parts.studies.values():
        if protocol.levels:
            with parts.store.transaction() as tx:
                cases.lock_study(tx, protocol.id)
                look(tx, parts, protocol, at)


def _is_quiet(hold: Hold) -> bool:
    """What is only a condition is shown and rings nobody: that nobody infuses against it is looked at by itself.

    A DLT after another dose than planned is the committee's, who must hear of it.
    """
    return hold.kind.is_condition and hold.kind is not Kind.OUTSIDE_PLAN


def _set_before(raised: Iterable[Raised]) -> dict[str, list[Raised]]:
    """How often each hold was set, first to last."""
    found: dict[str, list[Raised]] = {}
    for one in sorted(raised, key=lambda one: one.at):
        found.setdefault(one.key, []).append(one)
    return found


def _is_new(hold: Hold, before: list[Raised], *, stands: bool) -> bool:
    """Whether a hold is to be set now: never set yet, or lifted and asked for again by other facts than then."""
    if not before:
        return stands
    return hold.lifted is not None and hold.is_asked_for and hold.reasons != before[-1].reasons


def _set(
    tx: Connection, parts: Parts, protocol: Protocol, hold: Hold, number: int, at: datetime, joined: UUID | None
) -> None:  # fmt: skip
    detail = {
        "number": number, "kind": hold.kind.value, "level": hold.level, "levels": list(hold.levels),
        "reasons": list(hold.reasons),
        "joins": None if joined is None else str(joined), "sites": [site.id for site in protocol.sites],
    }  # fmt: skip
    _say(tx, parts, protocol, RAISED, hold.key, at, detail, number)


def _against(subject: str, hold: Hold) -> dict[str, Any]:
    return {
        "reasons": [
            f"{subject} was infused against a hold; it is kept as a fact, and the committee has to know",
            *hold.reasons,
        ]
    }


def _say(
    tx: Connection, parts: Parts, protocol: Protocol, what: str, about: str, at: datetime, detail: dict[str, Any],
    number: int = 0,
) -> None:  # fmt: skip
    """Once for each thing, or each time that it comes anew: put it on the log, and do what it asks for."""
    deed = DecisionRecordedV1(
        decision_id=str(identity("decision", what, protocol.id, about, str(number))), study=protocol.id, what=what,
        by=NAME, at=at, about=f"{protocol.id}|{about}", detail=detail,
    )  # fmt: skip
    if decisions.say(tx, deed):
        restore(tx, parts, deed)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """What was set or found, live or as the log tells it: the row, and the same alerts both times."""
    protocol = parts.study(deed.study)
    about = deed.about.removeprefix(f"{deed.study}|")
    said: dict[str, Any] = deed.detail
    reasons = tuple(said["reasons"])
    if deed.what == RAISED:
        _restore_hold(tx, parts, protocol, about, reasons, deed)
        return
    level = {AGAINST: "page", OVERDUE: "warn"}[deed.what]
    alerts.raise_one(
        tx, parts,
        alerts.Alert(f"{deed.study}|{deed.what}|{about}", deed.study, deed.what, level, reasons,
                     assumptions=protocol.assumptions),
        deed.at,
    )  # fmt: skip


def _restore_hold(
    tx: Connection, parts: Parts, protocol: Protocol, key: str, reasons: tuple[str, ...], deed: DecisionRecordedV1
) -> None:  # fmt: skip
    said = deed.detail
    is_committees = said["kind"] == Kind.OUTSIDE_PLAN
    joins = None if said["joins"] is None or is_committees else UUID(str(said["joins"]))
    kind, level = (dlt_rings.COMMITTEE, "review") if is_committees else (HOLD, "page")
    alert = alerts.Alert(
        f"{deed.study}|{HOLD}|{key}|{said['number']}", deed.study, kind, level, reasons,
        assumptions=protocol.assumptions,
    )  # fmt: skip
    if joins is None:
        alerts.raise_one(tx, parts, alert, deed.at)
    elif not parts.is_rebuilding or _is_there(tx, joins):
        alerts.join(tx, joins, [f"hold: {reason}" for reason in reasons], most=60)
    row = {
        "id": identity("hold set", deed.study, key, str(said["number"])), "study": deed.study, "key": key,
        "kind": said["kind"], "level": said["level"],
        "levels": said["levels"], "reasons": list(reasons), "raised_at": deed.at, "alert_id": joins or alert.id,
    }  # fmt: skip
    tx.execute(insert_unless_there(holds, tx.dialect.name), row)
    if not is_committees:
        hold_parties.gather(tx, deed.study, deed.at)


def _page_of(tx: Connection, case_id: str | None, at: datetime) -> UUID | None:
    """The page that the facts of this moment raised for the case (readings.md, clocks 8)."""
    if case_id is None:
        return None
    return tx.scalars(_PAGE, {"of_case": case_id, "raised_at": at}).one_or_none()


def _is_there(tx: Connection, alert_id: UUID) -> bool:
    return tx.scalars(_ALERT, {"of_id": alert_id}).one_or_none() is not None


def _set_timer(tx: Connection, protocol: Protocol, found: Board, at: datetime) -> None:
    """One timer for each study: the next moment at which the board changes if nobody says anything."""
    later = [moment for moment in _moments(protocol, found) if moment > at]
    if later:
        due_at = min(later)
        timers.move(tx, timers.TRIAL, protocol.id, study=protocol.id, due_at=due_at, urgency=_URGENCY)
    else:
        timers.stop(tx, timers.TRIAL, protocol.id, at, "nothing changes by time alone")


def _moments(protocol: Protocol, found: Board) -> Iterable[datetime]:
    """The first moments after each window, and after each visit that nobody came to."""
    for one in found.subjects:
        if one.window is not None:
            yield one.window.latest + timedelta(seconds=1)
    for calendar in found.follow_up:
        site = protocol.site(calendar.site)
        zone = site.zone if site else protocol.receiver_zone
        for visit in calendar.visits:
            if visit.state in (VisitState.TO_COME, VisitState.DUE):
                yield _start_of(visit.closes_on.toordinal() + 1, zone)


def _start_of(ordinal: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(date.fromordinal(ordinal), time(), zone).astimezone(UTC)


def fire(tx: Connection, parts: Parts, timer: Timer, now: datetime) -> None:
    """Time alone has changed the board: look at it. What follows is told by its own deeds."""
    cases.lock_study(tx, timer.study)
    look(tx, parts, parts.study(timer.study), now)
