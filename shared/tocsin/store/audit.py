"""The audit trail: who did what, about which case, when and why. Append-only, each row hashed onto the one before.

`append` writes nothing yet: the entry waits on the transaction, and is numbered, hashed and written when
`Store.transaction()` ends. So the one row that all writers must share, `audit_head`, is locked for the length of a
COMMIT only, and no second lock is ever taken after it (no deadlock).

What the chain can show and what it cannot: see docs/decisions/0007-audit-hash-chain.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Text, bindparam, func, insert, or_, select, type_coerce, update

from tocsin.store import tables
from tocsin.store.pending import Entry, pending_of
from tocsin.store.types import instant_text, json_text

PAGE = 1000

# Made once: these run in every transaction, and making a statement costs as much as running it.
_LOCKED_HEAD = select(tables.audit_head.c.seq, tables.audit_head.c.hash).with_for_update()
_WRITE = insert(tables.audit)
_NEW_HEAD = update(tables.audit_head).values(seq=bindparam("seq"), hash=bindparam("hash"))


@dataclass(frozen=True, slots=True)
class Verified:
    """The chain is whole. `head` is the hash of the last row: written down elsewhere, it proves these rows later."""

    rows: int
    head: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first broken link: the row's number, and what is wrong there."""

    seq: int
    why: str


def append(
    tx: Connection,
    *,
    at: datetime,
    who: str,
    did: str,
    about: str,
    study: str | None = None,
    before: object = None,
    after: object = None,
    reason: str | None = None,
) -> None:
    """Add one line to the trail of this transaction, kept if and only if the transaction (and savepoint) is.

    `did` is a verb phrase ("report accepted"), `about` a thing ("case TOC-0031"), `before` and `after` JSON values
    as they are now: changing them later changes nothing here. ValueError or TypeError for what cannot be kept.
    """
    for name, value in (("who", who), ("did", did), ("about", about)):
        if not value.strip():
            raise ValueError(f"an audit entry needs {name}")
    json_text((who, did, about, study, reason))  # Refuses what PostgreSQL cannot keep, on both.
    entry = Entry(
        at=instant_text(at),
        who=who,
        did=did,
        about=about,
        study=study,
        before=None if before is None else json_text(before, sort_keys=True),
        after=None if after is None else json_text(after, sort_keys=True),
        reason=reason,
    )
    pending_of(tx).entries.append(entry)


def seal(tx: Connection, entries: Sequence[Entry]) -> None:
    """Number, chain and write the entries, in order. Called by `Store.transaction()` just before COMMIT."""
    if not entries:
        return
    head = tx.execute(_LOCKED_HEAD).one()
    seq, last = head.seq, head.hash
    rows = []
    for entry in entries:
        seq += 1
        fields = _fields(seq, entry, last)
        last_before, last = last, hash_of(fields)
        rows.append({**fields, "at": datetime.fromisoformat(entry.at), "prev_hash": last_before, "hash": last})
    tx.execute(_WRITE, rows)
    tx.execute(_NEW_HEAD, {"seq": seq, "hash": last})


def hash_of(fields: dict[str, Any]) -> str:
    """SHA-256, in hex, of the row as canonical JSON: keys sorted, UTF-8, no spaces; without its own hash.

    `at` is the text 2026-03-02T01:15:00.000000Z, `before` and `after` are the kept texts, absent values are null.
    """
    return hashlib.sha256(json_text(fields, sort_keys=True).encode()).hexdigest()


def verify(tx: Connection) -> Verified | Broken:
    """Read the whole chain, in bounded memory, and name the first broken link.

    Use it inside `Store.reading()`: one snapshot, so that entries added meanwhile do not look like tampering.
    """
    head, at = _head(tx), BEGINNING
    for row in _rows(tx):
        found = _link(row, at, head)
        if isinstance(found, Broken):
            return found
        at = found
    return _ended(at, head)


BEGINNING = Verified(0, tables.FIRST_HASH)
"""Where a chain begins."""


def end_of(tx: Connection) -> Verified | Broken:
    """Where the trail ends, as `audit_head` says. Broken when it says nothing, or rows stand outside of the trail."""
    head, seq = _head(tx), tables.audit.c.seq
    if head is None:
        return _ended(Verified(tx.scalar(select(func.max(seq))) or 0, ""), None)
    outside = tx.scalars(select(seq).where(or_(seq < 1, seq > head.rows)).order_by(seq).limit(1)).first()
    return head if outside is None else _outside(outside, head)


def verify_on(tx: Connection, after: Verified, end: Verified, *, most: int = 200) -> Verified | Broken:
    """Read on from `after` by at most so many rows, and not beyond `end`: a long chain, page by page."""
    at = after
    for row in islice(_rows(tx, after=at.rows, page=most), min(most, end.rows - at.rows)):
        found = _link(row, at, end)
        if isinstance(found, Broken):
            return found
        at = found
    return _ended(at, end) if at == after or at.rows == end.rows else at


def _head(tx: Connection) -> Verified | None:
    found = tx.execute(select(tables.audit_head.c.seq, tables.audit_head.c.hash)).one_or_none()
    return None if found is None else Verified(found.seq, found.hash)


def _link(row: Row[Any], after: Verified, end: Verified | None) -> Verified | Broken:
    """The chain up to this row, which comes next after `after`; or why it does not continue it."""
    if row.seq < 1:
        return _outside(row.seq, end)
    if row.seq != after.rows + 1:
        return Broken(after.rows + 1, f"this row is missing; the next one there is {row.seq}")
    if end is not None and row.seq > end.rows:
        return _outside(row.seq, end)
    if why := _broken(row, after.head):
        return Broken(row.seq, why)
    return Verified(row.seq, row.hash)


def _outside(seq: int, end: Verified | None) -> Broken:
    if seq < 1 or end is None:
        return Broken(seq, "this row was put in before the first one")
    return Broken(seq, f"this row was put in after the last one, which was {end.rows}")


def _ended(at: Verified, end: Verified | None) -> Verified | Broken:
    """What is read to its end, held against where it should end."""
    if end is None:
        return Broken(at.rows + 1, "audit_head, which says where the trail ends, is missing")
    if at.rows < end.rows:
        return Broken(at.rows + 1, f"this row is missing; the trail should end at {end.rows}")
    if at.head != end.head:
        return Broken(at.rows, "the hash of the last row is not the one that audit_head keeps")
    return at


def _broken(row: Row[Any], last: str) -> str | None:
    if row.prev_hash != last:
        return "it does not continue from the row before"
    try:
        at = instant_text(row.at) if isinstance(row.at, datetime) else row.at
        entry = Entry(at, row.who, row.did, row.about, row.study, row.before, row.after, row.reason)
        same = hash_of(_fields(row.seq, entry, row.prev_hash)) == row.hash
    except (TypeError, ValueError) as error:  # A tampered cell may hold anything that SQLite can store.
        return f"it cannot be read as it was written ({error})"
    return None if same else "it was altered: its content does not give its hash"


def _fields(seq: int, entry: Entry, prev_hash: str) -> dict[str, Any]:
    return {
        "seq": seq,
        "at": entry.at,
        "who": entry.who,
        "did": entry.did,
        "about": entry.about,
        "study": entry.study,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "prev_hash": prev_hash,
    }


def _rows(tx: Connection, after: int | None = None, page: int = PAGE) -> Iterator[Row[Any]]:
    audit = tables.audit
    # On SQLite the kept text itself is read: a tampered one may be no instant at all.
    at = type_coerce(audit.c.at, Text).label("at") if tx.dialect.name == "sqlite" else audit.c.at
    columns = [at if column.name == "at" else column for column in audit.c]
    while True:
        query = select(*columns).order_by(audit.c.seq).limit(page)
        rows = tx.execute(query if after is None else query.where(audit.c.seq > after)).all()
        yield from rows
        if len(rows) < page:
            return
        after = rows[-1].seq
