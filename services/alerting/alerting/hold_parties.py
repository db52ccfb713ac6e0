"""Each site and the cell lab are told of the holds that were set together, and rung until they have confirmed them.

What was told is a deed on the log; a rebuild gives the same alerts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from alerting import alerts, answers, cases, decisions, kinds, timers
from alerting.parts import NAME, Parts
from alerting.tables import alerts as alert_rows
from alerting.tables import hold_deeds, holds
from alerting.timers import Timer
from alerting.trial_facts import CONFIRMED
from tocsin.domain.board.facts import CELL_LAB
from tocsin.domain.board.holds import Kind
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity

CONFIRMATION = "hold_confirmation"

GATHERED = timedelta(minutes=1)
"""How long what one thing sets is gathered, so that a site or the cell lab gets one message of it."""

# Made once: making a statement costs as much as running it.
_H, _D = holds.c, hold_deeds.c
_TOGETHER = (
    select(holds)
    .where(
        _H.study == bindparam("of_study"), _H.raised_at == bindparam("of_moment"), _H.kind != Kind.OUTSIDE_PLAN.value
    )
    .order_by(_H.key)
)
_CONFIRMED = select(_D.key).where(
    _D.study == bindparam("of_study"),
    _D.what == CONFIRMED,
    _D.party == bindparam("of_party"),
    _D.at >= bindparam("since"),
)


def gather(tx: Connection, study: str, set_at: datetime) -> None:
    """Tell the parties of what was set at a moment, once all that belongs to it is known."""
    timers.begin_once(
        tx, timers.HOLD, f"{study}|{set_at.isoformat()}", study=study, due_at=set_at + GATHERED,
        urgency=kinds.urgency("warn", "hold"),
    )  # fmt: skip


def tell(tx: Connection, parts: Parts, timer: Timer, now: datetime) -> None:
    """What was set at one moment has been gathered: tell each site and the cell lab that has not confirmed it yet."""
    protocol = parts.study(timer.study)
    cases.lock_study(tx, timer.study)
    set_at = datetime.fromisoformat(timer.about.removeprefix(f"{timer.study}|"))
    found = _set_together(tx, timer.study, set_at)
    wanted = {row.key for row in found}
    told = [
        party
        for party in (*(site.id for site in protocol.sites), CELL_LAB)
        if not wanted <= _confirmed_by(tx, timer.study, party, set_at)
    ]
    deed = DecisionRecordedV1(
        decision_id=str(identity("decision", decisions.FIRED, timer.about, timers.HOLD)), study=timer.study,
        what=decisions.FIRED, by=NAME, at=now, about=timer.about,
        detail={"kind": timers.HOLD, "parties": told,
                "reasons": list(dict.fromkeys(reason for row in found for reason in row.reasons))},
    )  # fmt: skip
    if decisions.say(tx, deed):
        restore(tx, parts, deed)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """Whom a hold was told, live or as the log tells it: an alert for each, rung until it has confirmed."""
    said: dict[str, Any] = deed.detail
    if said.get("kind") != timers.HOLD:
        return
    protocol = parts.study(deed.study)
    set_at = datetime.fromisoformat(deed.about.removeprefix(f"{deed.study}|"))
    for party in said["parties"]:
        what = "the cell lab" if party == CELL_LAB else f"site {party}"
        alert = alerts.Alert(
            _dedupe_key(deed.study, set_at, str(party)), deed.study, CONFIRMATION, "warn",
            (f"{what} has not confirmed that it knows of this hold", *said["reasons"]),
            roles=(_role_of(str(party)),), assumptions=protocol.assumptions,
        )  # fmt: skip
        alerts.raise_one(tx, parts, alert, deed.at)
    if parts.is_rebuilding:
        timers.stop(tx, timers.HOLD, deed.about, deed.at, "done")


def end_ringing(tx: Connection, parts: Parts, deed: DecisionRecordedV1, key: str, party: str) -> None:
    """The alert of a party ends once it has confirmed everything that was set at that moment."""
    h = holds.c
    set_at = tx.scalar(select(func.max(h.raised_at)).where(h.study == deed.study, h.key == key))
    if set_at is None:
        return
    together = {row.key for row in _set_together(tx, deed.study, set_at)}
    known = _confirmed_by(tx, deed.study, party, set_at)
    alert_id = tx.scalars(
        select(alert_rows.c.id).where(alert_rows.c.dedupe_key == _dedupe_key(deed.study, set_at, party))
    ).one_or_none()
    if alert_id is not None and together <= known:
        roles = [str(one) for one in deed.detail["roles"]] if isinstance(deed.detail["roles"], list) else []
        answers.acknowledge(tx, parts, alert_id, deed.by, roles, deed.at)


def _set_together(tx: Connection, study: str, set_at: datetime) -> list[Row[Any]]:
    """The holds of one moment that sites and the cell lab confirm."""
    return list(tx.execute(_TOGETHER, {"of_study": study, "of_moment": set_at}))


def _confirmed_by(tx: Connection, study: str, party: str, since: datetime) -> set[str]:
    """The holds that a party has confirmed since a moment."""
    return set(tx.scalars(_CONFIRMED, {"of_study": study, "of_party": party, "since": since}))


def _dedupe_key(study: str, at: datetime, party: str) -> str:
    """The dedupe key of the alert that rings one party until it has confirmed what was set at a moment."""
    return f"{study}|{CONFIRMATION}|{at.isoformat()}|{party}"


def _role_of(party: str) -> str:
    """How routing knows a party: the cell lab is a role, a site is the contact of that site."""
    return CELL_LAB if party == CELL_LAB else f"site:{party}"
