"""The facts that a dose-review packet rests on: all that is held of a study, their hash, and whether a cut holds them.

Of a coding and of a grade only the newest statement is held. So a cut that lies before a fact cannot be made honestly
any more: it is refused, and nothing is ever left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Table, select

from alerting.canonical import plain, sha256_of
from alerting.instants import text
from alerting.tables import dlt_decisions, doses, grades, hold_deeds, observations, signed, snapshots
from tocsin.errors import Refused, Wrong
from tocsin.store.types import json_text


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of fact: where it is held, which column says when it was known, and what of it is hashed."""

    named: str
    table: Table
    known: str
    columns: tuple[str, ...]
    where: ColumnElement[bool] | None = None


_KINDS: Final = (
    _Kind("report", snapshots, "at", ("case_id", "revision", "body"), snapshots.c.source == "report"),
    _Kind("coding", snapshots, "at", ("case_id", "revision", "body"), snapshots.c.source == "coding"),
    _Kind("dose record", doses, "received_at", ("record_id", "body")),
    _Kind("observation", observations, "received_at", ("record_id", "body")),
    _Kind("derived grade", grades, "known_at", ("grade_id", "body")),
    # What still waits for a second person has decided nothing.
    _Kind(
        "signed decision on a case", signed, "signed_at",
        ("id", "case_id", "deed", "body", "reason", "signatures"), signed.c.signed_at.is_not(None),
    ),
    _Kind(
        "signature on a verdict", dlt_decisions, "at",
        ("id", "subject", "key", "decision", "rule_id", "by", "roles", "meaning", "reason"),
    ),
    _Kind(
        "answer to a hold", hold_deeds, "at",
        ("id", "key", "what", "party", "by", "roles", "meaning", "reason"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """How many facts of each kind are held, their hash, and the newest: when it was known, aware, UTC, and its kind."""

    counts: Mapping[str, int]
    sha256: str
    newest: tuple[datetime, str] | None


def of_study(tx: Connection, study: str) -> Facts:
    """All that is held of a study, whatever the order in which it came."""
    held = {kind.named: _rows(tx, kind, study) for kind in _KINDS}
    known = [(row[0], name) for name, rows in held.items() for row in rows]
    return Facts(
        {name: len(rows) for name, rows in held.items()},
        # In the order of their text: databases sort text by rules of their own.
        sha256_of({name: sorted(json_text(plain(row), sort_keys=True) for row in rows) for name, rows in held.items()}),
        max(known, default=None),
    )


def _rows(tx: Connection, kind: _Kind, study: str) -> list[tuple[Any, ...]]:
    """Rows of one kind: when each was known, then its columns."""
    columns: list[Column[Any]] = [kind.table.c[name] for name in (kind.known, *kind.columns)]
    query = select(*columns).where(kind.table.c.study == study)
    if kind.where is not None:
        query = query.where(kind.where)
    return [tuple(row) for row in tx.execute(query)]


def must_hold(facts: Facts, cut: datetime, now: datetime) -> None:
    """Refused where a fact was known only after the cut, and where the cut is still to come."""
    if cut > now:
        raise Refused(
            "this data cut is still to come: facts may come before it, and the packet would not be the same then",
            [Wrong("/as_of", f"is {text(cut)}", f"a moment up to now, {text(now)}")],
        )
    if facts.newest is not None and facts.newest[0] > cut:
        at, named = facts.newest
        raise Refused(
            "this data cut cannot be made any more: a newer fact is held, and of codings and grades only the newest is "
            "kept. The packet that was made then is the record; make one of a later cut",
            [Wrong("/as_of", f"is {text(cut)}, before the newest fact, a {named}", f"a moment from {text(at)} on")],
        )
