"""What somebody wrote on a page and has not signed. Nobody else sees it, and no rule reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from alerting.tables import drafts
from tocsin.store.insert import insert_unless_there


def save(tx: Connection, account: str, about: str, body: Mapping[str, object], at: datetime) -> None:
    """Keep it in place of what was kept before."""
    row = {"account": account, "about": about, "body": dict(body), "saved_at": at}
    if not tx.execute(insert_unless_there(drafts, tx.dialect.name), row).rowcount:
        its = drafts.c
        kept = update(drafts).where(its.account == account, its.about == about)
        tx.execute(kept.values(body=dict(body), saved_at=at))


def load(tx: Connection, account: str, about: str) -> tuple[dict[str, object], datetime] | None:
    """What was kept, and when."""
    its = drafts.c
    query = select(its.body, its.saved_at).where(its.account == account, its.about == about)
    row = tx.execute(query).one_or_none()
    return None if row is None else (row.body, row.saved_at)


def drop(tx: Connection, account: str, about: str) -> None:
    """It was signed, or is not wanted any more."""
    tx.execute(delete(drafts).where(drafts.c.account == account, drafts.c.about == about))
