"""The webhooks of this house: added and disabled by an administrator, each with a secret that signs what it gets."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, select, update

from alerting.delivery.addresses import Forbidden, check_form
from alerting.parts import ALL_STUDIES
from alerting.routing import EVERY_ROLE, Hook
from alerting.tables import webhooks
from tocsin.domain.words import Role
from tocsin.errors import Refused, Wrong
from tocsin.store import audit


def add(tx: Connection, study: str, role: str, url: str, at: datetime, *, who: str = "command line") -> str:
    """Add a webhook of a study ("all": of every study) for a role ("all": for every role); answers its secret.

    The secret is told once, here. Raises Refused when the address or the role cannot be right. Whether the address may
    be called is checked at each call, after DNS.
    """
    try:
        check_form(url)
    except Forbidden as why:
        raise Refused("this webhook cannot be added", [Wrong("/url", str(why), "https://host/path")]) from None
    roles = [EVERY_ROLE, *(r.value for r in Role)]
    if role not in roles:
        raise Refused("this webhook cannot be added", [Wrong("/role", f"no role {role!r}", ", ".join(roles))])
    hook_id, secret = uuid4(), "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
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
    """Send nothing more there."""
    done = tx.execute(
        update(webhooks)
        .where(webhooks.c.id == hook_id, webhooks.c.disabled_at.is_(None))
        .values(disabled_at=at, disabled_why=why)
    )
    if done.rowcount:
        audit.append(tx, at=at, who=who, did="webhook disabled", about=f"webhook {hook_id}", reason=why)


def enabled(tx: Connection) -> list[Hook]:
    """Every webhook that is not disabled."""
    rows = tx.execute(
        select(webhooks.c.id, webhooks.c.study, webhooks.c.role)
        .where(webhooks.c.disabled_at.is_(None))
        .order_by(webhooks.c.added_at, webhooks.c.id)
    )
    return [Hook(str(row.id), row.study, row.role) for row in rows]


def endpoint(tx: Connection, hook_id: UUID) -> tuple[str, str] | None:
    """Address and secret; None when it is disabled or gone."""
    row = tx.execute(
        select(webhooks.c.url, webhooks.c.secret).where(webhooks.c.id == hook_id, webhooks.c.disabled_at.is_(None))
    ).one_or_none()
    return None if row is None else (row.url, row.secret)
