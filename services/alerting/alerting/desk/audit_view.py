"""The audit trail of this service as the page and its files show it: which lines a filter selects, in words and cells.

What a tampered line holds is shown as it is: a page that cannot show it would hide it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Text, func, select, type_coerce
from starlette.datastructures import QueryParams

from alerting.desk.dose_times import Times
from tocsin.errors import Refused, Wrong
from tocsin.store.engine import Store
from tocsin.store.tables import audit
from tocsin.store.types import instant_text

PAGE: Final = 100
_BATCH: Final = 500
_LONG: Final = 160
NAMES: Final = ("seq", "at", "who", "did", "about", "study", "before", "after", "reason", "prev_hash", "hash")
"""The fields of a line, as `audit.hash_of` has them, and its own hash."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for: parts of words, whatever their case; days from and to, in the zone of the page."""

    who: str = ""
    did: str = ""
    about: str = ""
    study: str = ""
    begins: str = ""
    ends: str = ""

    def query(self) -> dict[str, str]:
        """As it stands in an address."""
        names = {"begins": "from", "ends": "to"}
        return {names.get(name, name): value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that was another before. None where there was, or is, none."""

    name: str
    before: str | None
    after: str | None

    @property
    def is_long(self) -> bool:
        return len(self.before or "") + len(self.after or "") > _LONG


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trail."""

    seq: int
    at: str
    who: str
    did: str
    about: str
    study: str | None
    reason: str | None
    changes: tuple[Change, ...]


def filter_of(query: QueryParams) -> Filter:
    """The filter of an address."""
    names = {"begins": "from", "ends": "to"}
    fields = Filter.__dataclass_fields__
    return Filter(**{name: query.get(names.get(name, name), "").strip()[:200] for name in fields})


def wanted(found: Filter, times: Times) -> list[ColumnElement[bool]]:
    """What the rows must be. Refused where a day is none."""
    a = audit.c
    words = [(a.who, found.who), (a.did, found.did), (a.about, found.about)]
    conditions = [column.icontains(text, autoescape=True) for column, text in words if text]
    if found.study:
        conditions.append(a.study == found.study)
    if found.begins:
        conditions.append(a.at >= _start("/from", found.begins, times))
    if found.ends:
        conditions.append(a.at < _start("/to", found.ends, times, days=1))
    return conditions


def page(tx: Connection, conditions: list[ColumnElement[bool]], before: int | None) -> tuple[list[Any], int | None]:
    """The newest rows before this number, and the number to go on from; None at the end."""
    query = _rows(tx).where(*conditions).order_by(audit.c.seq.desc()).limit(PAGE + 1)
    rows = tx.execute(query if before is None else query.where(audit.c.seq < before)).all()
    return list(rows[:PAGE]), rows[PAGE - 1].seq if len(rows) > PAGE else None


def newest(tx: Connection) -> int:
    """The number of the last row."""
    return tx.scalar(select(func.max(audit.c.seq))) or 0


def selected(store: Store, conditions: list[ColumnElement[bool]], last: int) -> Iterator[dict[str, Any]]:
    """Every row up to `last`, oldest first, a few hundred at a time: rows never change, so this is one snapshot."""
    seq = 0
    while True:
        with store.reading() as tx:
            query = _rows(tx).where(*conditions, audit.c.seq > seq, audit.c.seq <= last)
            rows = tx.execute(query.order_by(audit.c.seq).limit(_BATCH)).all()
        for row in rows:
            yield {name: getattr(row, name) for name in NAMES} | {"at": _instant(row.at)}
        if len(rows) < _BATCH:
            return
        seq = rows[-1].seq


def line(row: Any, times: Times) -> Line:
    """A row in words."""
    try:
        local = datetime.fromisoformat(_instant(row.at)).astimezone(times.zone)
        at = f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S}"
    except ValueError:
        at = str(row.at)
    return Line(row.seq, at, row.who, row.did, row.about, row.study, row.reason, changes(row.before, row.after))


def changes(before: str | None, after: str | None) -> tuple[Change, ...]:
    """What differs between two kept texts, by name; what stayed the same is left out."""
    old, new = _read(before), _read(after)
    if not isinstance(old, dict | None) or not isinstance(new, dict | None):
        return (Change("", _text(old), _text(new)),)
    old, new = old or {}, new or {}
    return tuple(
        Change(name, _text(old.get(name)), _text(new.get(name)))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    )


def _rows(tx: Connection) -> Any:
    # On SQLite the kept text itself is read: a tampered one may be no instant at all.
    at = type_coerce(audit.c.at, Text).label("at") if tx.dialect.name == "sqlite" else audit.c.at
    return select(*(at if name == "at" else audit.c[name] for name in NAMES))


def _instant(at: Any) -> str:
    return instant_text(at) if isinstance(at, datetime) else str(at)


def _read(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _start(where: str, text: str, times: Times, days: int = 0) -> datetime:
    """When a day begins, or one so many days after it."""
    try:
        return times.start_of((date.fromisoformat(text) + timedelta(days=days)).isoformat())
    except (ValueError, OverflowError):
        raise Refused("this filter cannot be", [Wrong(where, f"{text!r} is no date", "2026-05-14")]) from None
