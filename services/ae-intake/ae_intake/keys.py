"""Site keys: random, kept as SHA-256, bound to a study and a site (or to all sites of the study)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from ae_intake.tables import keys
from tocsin.errors import NotFound
from tocsin.store import audit
from tocsin.store.engine import Store
from tocsin.web.identity import Machine, hash_of, new_key

REMEMBERED_S = 1.0
"""How long a found key is believed without looking again: a revoked key is refused after this at the latest."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key without its secret."""

    key_id: str
    study: str
    site: str | None
    created_at: datetime
    revoked_at: datetime | None


def create_key(tx: Connection, study: str, site: str | None, at: datetime, *, by: str = "tocsin keys add") -> str:
    """A new key in plain text, which nobody can read again. `site` None: for every site of the study.

    Valid at once in every running house on this database.
    """
    key = new_key()
    key_id = f"key-{uuid4().hex[:12]}"
    tx.execute(insert(keys), {"key_id": key_id, "hash": hash_of(key), "study": study, "site": site, "created_at": at})
    after = {"study": study, "site": site or "all"}
    audit.append(tx, at=at, who=by, did="key created", about=f"key {key_id}", study=study, after=after)
    return key


def revoke_key(tx: Connection, key_id: str, at: datetime, *, by: str, reason: str) -> None:
    """Refuse this key from now on. NotFound when there is none, or it was revoked before."""
    query = update(keys).where(keys.c.key_id == key_id, keys.c.revoked_at.is_(None)).values(revoked_at=at)
    if tx.execute(query).rowcount != 1:
        raise NotFound(f"there is no valid key {key_id}")
    audit.append(tx, at=at, who=by, did="key revoked", about=f"key {key_id}", reason=reason)


def known_keys(tx: Connection, study: str | None = None) -> list[KnownKey]:
    """Every key, or those of one study, oldest first."""
    query = select(keys.c.key_id, keys.c.study, keys.c.site, keys.c.created_at, keys.c.revoked_at)
    if study is not None:
        query = query.where(keys.c.study == study)
    return [KnownKey(*row) for row in tx.execute(query.order_by(keys.c.created_at, keys.c.key_id))]


class KeyRing:
    """Finds machines by their key's hash. Found ones are remembered for a moment; unknown ones never are."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[str, tuple[float, Machine]] = {}

    def remembered(self, key_hash: str) -> Machine | None:
        since, machine = self._found.get(key_hash, (0.0, None))
        return machine if machine is not None and time.monotonic() - since < REMEMBERED_S else None

    def find(self, key_hash: str) -> Machine | None:
        query = select(keys.c.key_id, keys.c.study, keys.c.site).where(
            keys.c.hash == key_hash, keys.c.revoked_at.is_(None)
        )
        looked_at = time.monotonic()
        with self._store.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            self._found.pop(key_hash, None)
            return None
        machine = Machine(row.key_id, row.study, row.site)
        self._found[key_hash] = (looked_at, machine)
        return machine
