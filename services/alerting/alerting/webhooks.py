"""The webhooks of this house: added and disabled by an administrator, each with a secret that signs what it gets."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from alerting.delivery.addresses import Forbidden, check_form
from alerting.parts import ALL_STUDIES
from alerting.routing import EVERY_ROLE, PERSONAL, Hook
from alerting.tables import webhooks
from tocsin.domain.words import Role
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.store import audit

FAILING_LIMIT: Final = timedelta(days=5)
"""A webhook that takes nothing for so long is disabled, which rings: nobody must believe that it hears."""
BOTH_SIGN: Final = timedelta(days=1)
"""How long an earlier secret signs beside a new one, unless somebody says otherwise."""
HEARTBEAT: Final = "heartbeat"
"""In place of a role: a receiver outside that gets each heartbeat, and rings by itself when none comes."""
_LONGEST: Final = timedelta(days=30)

# Made once: these run for every alert and every try, and making a statement costs as much as running it.
_H = webhooks.c
_ENABLED = select(_H.id, _H.study, _H.role).where(_H.disabled_at.is_(None)).order_by(_H.added_at, _H.id)
_ONE = select(webhooks).where(_H.id == bindparam("of_id"))
_LOCKED = _ONE.with_for_update()
_ANSWERED = (
    update(webhooks).where(_H.id == bindparam("of_id"), _H.failing_since.is_not(None)).values(failing_since=None)
)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook as people look at it: never its secrets."""

    id: UUID
    study: str
    role: str
    url: str
    added_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    earlier_until: datetime | None
    failing_since: datetime | None


def add(tx: Connection, study: str, role: str, url: str, at: datetime, *, who: str = "command line") -> str:
    """Add a webhook of a study ("all": of every study) for a role ("all": for every role); answers its secret.

    The secret is told once, here. Raises Refused when the address or the role cannot be right. Whether the address may
    be called is checked at each call, after DNS.
    """
    try:
        check_form(url)
    except Forbidden as why:
        raise Refused("this webhook cannot be added", [Wrong("/url", str(why), "https://host/path")]) from None
    roles = [EVERY_ROLE, PERSONAL, HEARTBEAT, *(r.value for r in Role)]
    if role not in roles:
        raise Refused("this webhook cannot be added", [Wrong("/role", f"no role {role!r}", ", ".join(roles))])
    hook_id, secret = uuid4(), _new_secret()
    tx.execute(
        insert(webhooks),
        {"id": hook_id, "study": study or ALL_STUDIES, "role": role, "url": url, "secret": secret, "added_at": at},
    )
    audit.append(
        tx,
        at=at,
        who=who,
        did="webhook added",
        about=f"webhook {hook_id}",
        study=study,
        after={"role": role, "url": url},
    )
    return secret


def disable(tx: Connection, hook_id: UUID, why: str, at: datetime, *, who: str) -> None:
    """Send nothing more there. NotFound where there is none."""
    _row(tx, hook_id)
    done = tx.execute(
        update(webhooks)
        .where(webhooks.c.id == hook_id, webhooks.c.disabled_at.is_(None))
        .values(disabled_at=at, disabled_why=why)
    )
    if done.rowcount:
        audit.append(tx, at=at, who=who, did="webhook disabled", about=f"webhook {hook_id}", reason=why)


def enable(tx: Connection, hook_id: UUID, at: datetime, *, who: str) -> None:
    """Send there again. NotFound where there is none; what was given up meanwhile is not sent by itself."""
    row = _row(tx, hook_id)
    if row.disabled_at is None:
        return
    values = {"disabled_at": None, "disabled_why": None, "failing_since": None}
    tx.execute(update(webhooks).where(webhooks.c.id == hook_id).values(values))
    audit.append(tx, at=at, who=who, did="webhook enabled", about=f"webhook {hook_id}", study=row.study)


def rotate(tx: Connection, hook_id: UUID, at: datetime, *, who: str, both_sign: timedelta = BOTH_SIGN) -> str:
    """Give a webhook a new secret, answered once, here. Both sign for a while; an exchange under way must end first.

    With `both_sign` of nothing the earlier secret signs no more from now on, as when it was stolen.
    """
    row = _row(tx, hook_id)
    if not timedelta(0) <= both_sign <= _LONGEST:
        allowed = f"0 to {_LONGEST.days} days"
        raise Refused("this cannot be", [Wrong("/both_sign", f"{both_sign} is no such time", allowed)])
    if both_sign and row.earlier_until is not None and row.earlier_until > at:
        raise Conflict(f"two secrets sign until {row.earlier_until:%Y-%m-%d %H:%M} UTC already; a third would be lost")
    secret = _new_secret()
    earlier = {"earlier_secret": row.secret, "earlier_until": at + both_sign}
    nothing = {"earlier_secret": None, "earlier_until": None}
    changed = {"secret": secret, **(earlier if both_sign else nothing)}
    tx.execute(update(webhooks).where(webhooks.c.id == hook_id).values(changed))
    audit.append(
        tx, at=at, who=who, did="webhook secret changed", about=f"webhook {hook_id}", study=row.study,
        after={"earlier_signs_until": earlier["earlier_until"].isoformat() if both_sign else None},
    )  # fmt: skip
    return secret


def answered(tx: Connection, hook_id: UUID) -> None:
    """It took something: whatever failed before is over."""
    tx.execute(_ANSWERED, {"of_id": hook_id})


def failed(tx: Connection, hook_id: UUID, at: datetime) -> datetime | None:
    """It took nothing, once more; answers since when. None where it is disabled or gone."""
    row = tx.execute(_LOCKED, {"of_id": hook_id}).one_or_none()
    if row is None or row.disabled_at is not None:
        return None
    if row.failing_since is None:
        tx.execute(update(webhooks).where(webhooks.c.id == hook_id).values(failing_since=at))
        return at
    since: datetime = row.failing_since
    return since


def listed(tx: Connection) -> list[Receiver]:
    """Every webhook, disabled ones too, oldest first."""
    its = webhooks.c
    columns = (
        its.id, its.study, its.role, its.url, its.added_at, its.disabled_at, its.disabled_why, its.earlier_until,
        its.failing_since,
    )  # fmt: skip
    return [Receiver(*row) for row in tx.execute(select(*columns).order_by(its.added_at, its.id))]


def enabled(tx: Connection) -> list[Hook]:
    """Every webhook that is not disabled."""
    return [Hook(str(row.id), row.study, row.role) for row in tx.execute(_ENABLED)]


def endpoint(tx: Connection, hook_id: UUID, at: datetime) -> tuple[str, tuple[str, ...]] | None:
    """Its address, and the secrets that sign now; None when it is disabled or gone."""
    row = tx.execute(_ONE, {"of_id": hook_id}).one_or_none()
    if row is None or row.disabled_at is not None:
        return None
    both = row.earlier_secret is not None and row.earlier_until is not None and at < row.earlier_until
    return row.url, (row.secret, row.earlier_secret) if both else (row.secret,)


def _row(tx: Connection, hook_id: UUID) -> Row[Any]:
    row = tx.execute(_LOCKED, {"of_id": hook_id}).one_or_none()
    if row is None:
        raise NotFound(f"there is no webhook {hook_id}")
    return row


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
