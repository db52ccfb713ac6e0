"""The rows of deliveries: what is to be sent, claimed with a lease, tried, and what became of it.

A claim writes the intent (an attempt without an outcome) and is committed before anything is sent; the outcome is
written after it. A process that dies in between leaves the lease to run out, and another sends again with the same
id: perhaps twice, never zero times. Due times are the house's time, leases the machine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Integer, and_, bindparam, insert, or_, select, update

from alerting.delivery.bell import Bell
from alerting.delivery.outcome import Delivered, GiveUp, Outcome, TryAgain
from alerting.delivery.parcel import Parcel
from alerting.delivery.schedule import Draw, next_attempt
from alerting.tables import attempts, deliveries, notices
from tocsin.messages.envelope import identity
from tocsin.store.pending import announce

MAIL, WEBHOOK = "mail", "webhook"
PENDING, SENDING, DELIVERED, DEAD = "pending", "sending", "delivered", "dead"
DUE = {MAIL: "mails", WEBHOOK: "webhooks"}
"""What a transaction announces when something is to be sent, by channel: the others need not look."""

LEASE = timedelta(seconds=30)
"""How long a process may take over one try before another one takes it over."""


@dataclass(frozen=True, slots=True)
class To:
    """One address of one channel: a mail address, or the id of a webhook."""

    channel: str
    address: str


def plan(
    tx: Connection, notice_id: UUID, alert_id: UUID | None, to: Sequence[To], urgency: int, at: datetime, *,
    held: Mapping[To, datetime] | None = None,
) -> None:  # fmt: skip
    """Owe this notice to these addresses, from now on; those that are `held`, from then on."""
    until = held or {}
    if not to:
        return
    tx.execute(
        _PLAN,
        [
            {
                "id": identity("delivery", str(notice_id), one.channel, one.address),
                "notice_id": notice_id,
                "alert_id": alert_id,
                "channel": one.channel,
                "address": one.address,
                "urgency": urgency,
                "state": PENDING,
                "attempts": 0,
                "forgiven": 0,
                "next_attempt_at": until.get(one, at),
                "created_at": at,
            }
            for one in to
        ],
    )
    for channel in {one.channel for one in to}:
        announce(tx, DUE[channel])


def claim(tx: Connection, channel: str, holder: str, *, most: int, now: datetime, wall: datetime) -> list[Parcel]:
    """Take up to `most` of what is due, most urgent first, and write the intent to send each."""
    found = tx.execute(_CLAIMED, {"channel": channel, "now": now, "wall": wall, "most": most}).all()
    parcels = []
    for row in found:
        # Another process may have been quicker: the row must still be as it was read.
        found_so = {"of_id": row.id, "of_attempts": row.attempts, "of_state": row.state, "now": now, "wall": wall}
        told = {"attempts": row.attempts + 1, "lease_until": wall + LEASE, "holder": holder}
        taken = tx.execute(_TAKE, {**found_so, **told})
        if taken.rowcount == 1:
            number = row.attempts + 1
            bell = Bell.of(row.bell)
            parcels.append(Parcel(row.id, row.notice_id, row.address, number, number - row.forgiven, bell))
    if parcels:
        tx.execute(
            _BEGIN,
            [{"delivery_id": p.delivery_id, "number": p.attempt, "begun_at": wall} for p in parcels],
        )
    return parcels


def is_any_due(tx: Connection, channel: str, *, now: datetime, wall: datetime) -> bool:
    """Whether there is something to claim."""
    return tx.scalars(_ANY_DUE, {"channel": channel, "now": now, "wall": wall}).first() is not None


def next_due(tx: Connection) -> datetime | None:
    """When the next try is due, by the house's time; in the past when one is owed or on its way."""
    return tx.scalars(_NEXT_DUE).one_or_none()


def _free(now: Any, wall: Any) -> ColumnElement[bool]:
    d = deliveries.c
    return or_(
        and_(d.state == PENDING, d.next_attempt_at <= now),
        and_(d.state == SENDING, d.lease_until <= wall),
    )


# Made once: every courier asks the first of them twice a second, and building it costs more than running it.
_PLAN, _BEGIN = insert(deliveries), insert(attempts)
_CLAIMED = (
    select(
        deliveries.c.id, deliveries.c.notice_id, deliveries.c.address, deliveries.c.attempts, deliveries.c.forgiven,
        deliveries.c.state, notices.c.bell,
    )
    .join(notices, notices.c.id == deliveries.c.notice_id)
    .where(deliveries.c.channel == bindparam("channel"), _free(bindparam("now"), bindparam("wall")))
    .order_by(deliveries.c.urgency, deliveries.c.next_attempt_at)
    .limit(bindparam("most", type_=Integer))
)  # fmt: skip
_TAKE = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("of_id"), deliveries.c.attempts == bindparam("of_attempts"),
        deliveries.c.state == bindparam("of_state"), _free(bindparam("now"), bindparam("wall")),
    )
    .values(
        state=SENDING, attempts=bindparam("attempts"), lease_until=bindparam("lease_until"),
        holder=bindparam("holder"),
    )
)  # fmt: skip
_TRIED = (
    update(attempts)
    .where(attempts.c.delivery_id == bindparam("of_delivery"), attempts.c.number == bindparam("of_number"))
    .values(
        ended_at=bindparam("ended_at"), outcome=bindparam("outcome"), why=bindparam("why"),
        took_ms=bindparam("took_ms"),
    )
)  # fmt: skip
_ANY_DUE = (
    select(deliveries.c.id)
    .where(deliveries.c.channel == bindparam("channel"), _free(bindparam("now"), bindparam("wall")))
    .limit(1)
)
_NEXT_DUE = (
    select(deliveries.c.next_attempt_at)
    .where(deliveries.c.state.in_((PENDING, SENDING)))
    .order_by(deliveries.c.next_attempt_at)
    .limit(1)
)


def record(
    tx: Connection, parcel: Parcel, outcome: Outcome, *, now: datetime, wall: datetime, took: timedelta, draw: Draw
) -> str:
    """Write what became of a try; answers the delivery's state."""
    tx.execute(
        _TRIED,
        {"of_delivery": parcel.delivery_id, "of_number": parcel.attempt, "ended_at": wall, "outcome": _name(outcome),
         "why": _why(outcome), "took_ms": int(took.total_seconds() * 1000)},
    )  # fmt: skip
    values: dict[str, Any] = {"why": _why(outcome), "lease_until": None, "holder": None}
    this = deliveries.c.id == parcel.delivery_id
    mine = and_(this, deliveries.c.attempts == parcel.attempt, deliveries.c.state == SENDING)
    match outcome:
        case Delivered():
            # True even when the lease had run out and another process is sending the same once more.
            mine = and_(this, deliveries.c.state != DELIVERED)
            values |= {"state": DELIVERED, "ended_at": now}
        case TryAgain(after=after):
            again = next_attempt(parcel.failures, after, now, draw)
            values |= (
                {"state": DEAD, "ended_at": now} if again is None else {"state": PENDING, "next_attempt_at": again}
            )
        case GiveUp():
            values |= {"state": DEAD, "ended_at": now}
    kept = tx.execute(update(deliveries).where(mine).values(values))
    return str(values["state"]) if kept.rowcount else "superseded"


def retry(tx: Connection, delivery_id: UUID, at: datetime) -> bool:
    """A person wants a dead one, or one that waits, tried now; the back-off begins anew. False when there is none."""
    done = tx.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state.in_((DEAD, PENDING)))
        .values(state=PENDING, next_attempt_at=at, ended_at=None, forgiven=deliveries.c.attempts)
    )
    if done.rowcount:
        for due in DUE.values():
            announce(tx, due)
    return bool(done.rowcount)


def _name(outcome: Outcome) -> str:
    match outcome:
        case Delivered():
            return "delivered"
        case TryAgain():
            return "try_again"
        case GiveUp():
            return "give_up"


def _why(outcome: Outcome) -> str:
    # A far end may answer anything; PostgreSQL keeps no U+0000.
    text = outcome.note if isinstance(outcome, Delivered) else outcome.why
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:500]
