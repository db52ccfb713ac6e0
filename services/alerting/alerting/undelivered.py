"""A notice that could not be delivered is an alert of its own, by another channel than the one that failed.

So is a webhook that takes nothing for days: it is disabled, and somebody has to know.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, select

from alerting import alerts, webhooks
from alerting.delivery.courier import wants_no_more
from alerting.delivery.ledger import WEBHOOK, To
from alerting.delivery.outcome import Delivered, Outcome
from alerting.delivery.parcel import Parcel
from alerting.parts import ALL_STUDIES, NAME, Parts
from alerting.tables import alerts as alert_rows
from tocsin.store import audit

_NAMED = 20


def note_try(tx: Connection, parts: Parts, channel: str, parcel: Parcel, outcome: Outcome) -> None:
    """Since when a webhook fails; after days of it, it is disabled, and that rings."""
    if channel != WEBHOOK:
        return
    hook_id, now = UUID(parcel.address), parts.now()
    if isinstance(outcome, Delivered):
        webhooks.answered(tx, hook_id)
        return
    since = webhooks.failed(tx, hook_id, now)
    if since is None or now - since < webhooks.FAILING_LIMIT:
        return
    days = (now - since).days
    webhooks.disable(tx, hook_id, f"it took nothing for {days} days: {outcome.why}", now, who=NAME)
    alert = alerts.Alert(
        key=f"webhook_disabled|{parcel.address}|{since.isoformat()}",
        study=_study(tx, parcel),
        kind="webhook_disabled",
        level="warn",
        reasons=(
            f"webhook {parcel.address} took nothing for {days} days and is disabled; the last try: {outcome.why}",
            "whoever relied on it hears nothing: mend it and enable it again, or name another address",
        ),
        roles=("administrator", "safety_team"),
        avoid=To(channel, parcel.address),
    )
    alerts.raise_one(tx, parts, alert, now)


def ring_for(tx: Connection, parts: Parts, channel: str, parcel: Parcel, outcome: Outcome) -> None:
    """Raise it, or join the open alert of the same address: an address that is gone rings once."""
    now = parts.now()
    why = "" if isinstance(outcome, Delivered) else outcome.why
    what = f"{parcel.bell.case_id}: {parcel.bell.words}" if parcel.bell.case_id else parcel.bell.words
    said = f"{what}: {channel} to {parcel.address} was given up after {parcel.failures} tries: {why}"
    audit.append(
        tx, at=now, who=NAME, did="delivery given up", about=f"delivery {parcel.delivery_id}",
        after={"attempts": parcel.attempt},
        reason=why or None,
    )  # fmt: skip
    if channel == WEBHOOK and wants_no_more(outcome):
        webhooks.disable(tx, UUID(parcel.address), "it answered 410 Gone", now, who=NAME)
    group = f"delivery_failed|{channel}|{parcel.address}"
    open_one = alerts.open_in_group(tx, group)
    if open_one is not None:
        alerts.join(tx, open_one, [said], most=_NAMED)
        return
    alert = alerts.Alert(
        key=f"{group}|{parcel.delivery_id}|{parcel.attempt}",
        study=_study(tx, parcel),
        kind="delivery_failed",
        # Whoever was not told of a page is somebody else's page.
        level="page" if parcel.bell.level == "page" else "warn",
        reasons=(said,),
        case_id=parcel.bell.case_id,
        roles=("administrator", "safety_team"),
        avoid=To(channel, parcel.address),
        group_key=group,
    )
    alerts.raise_one(tx, parts, alert, now)


def _study(tx: Connection, parcel: Parcel) -> str:
    if parcel.bell.alert_id is None:
        return ALL_STUDIES
    found = tx.scalars(select(alert_rows.c.study).where(alert_rows.c.id == UUID(parcel.bell.alert_id))).one_or_none()
    return found or ALL_STUDIES
