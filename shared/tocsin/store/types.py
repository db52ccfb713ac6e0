"""The two column types that SQLite and PostgreSQL would otherwise keep differently: an instant and a JSON value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, TIMESTAMP, Dialect, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


def instant_text(value: datetime) -> str:
    """An aware datetime as `2026-03-02T01:15:00.000000Z`: UTC, fixed width, so that text order is time order.

    ValueError when it has no zone: an instant without one would have to be guessed.
    """
    if value.tzinfo is UTC:  # As nearly always, and several columns of a row hold one instant.
        return _text_of_utc(value)
    if value.utcoffset() is None:
        raise ValueError(f"{value.isoformat()} has no time zone; an instant needs one (use an aware datetime)")
    return _text_of_utc(value.astimezone(UTC))


@lru_cache(maxsize=256)
def _text_of_utc(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def json_text(value: object, *, sort_keys: bool = False) -> str:
    """A value as JSON text: no spaces, nothing escaped that UTF-8 can carry, so that it is stored as it was written.

    TypeError for what JSON does not know: a Decimal has to be turned into text or a float by whoever knows which.
    ValueError for NaN and infinities, and for characters that PostgreSQL cannot keep (U+0000, lone surrogates):
    both databases refuse the same things.
    """
    text = _dump(value, sort_keys)
    if "\\u0000" in text:
        _refuse_nul(value)
    if "e+" in text:
        text = _dump(_spelt_out(value), sort_keys)
    text.encode()  # A lone surrogate cannot be written as UTF-8: UnicodeEncodeError is a ValueError.
    return text


def _dump(value: object, sort_keys: bool) -> str:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys, default=_unknown
    )


def _spelt_out(value: object) -> object:
    """Floats of 10**16 and more (they are whole) as the int of the same value.

    Written as 9.50439012876187e+16, JSONB makes the decimal 95043901287618700 of it, which is another number.
    """
    if isinstance(value, float) and abs(value) >= 1e16:
        return int(value)
    if isinstance(value, dict):
        return {key: _spelt_out(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelt_out(item) for item in value]
    return value


def _unknown(value: object) -> object:
    if isinstance(value, Decimal):
        raise TypeError(f"Decimal {value} has no JSON form; keep it as text, or as a float on purpose")
    raise TypeError(f"{type(value).__name__} has no JSON form; keep it as text")


def _refuse_nul(value: object) -> None:
    """ValueError when U+0000 is in any text of `value`. (The six characters backslash-u-0000 are innocent.)"""
    if isinstance(value, str) and "\0" in value:
        raise ValueError("text with the character U+0000 cannot be kept; remove it")
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key)
            _refuse_nul(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_nul(item)


class Instant(TypeDecorator[datetime]):
    """A moment in time. In: any aware datetime; out: the same moment in UTC. ValueError for a naive datetime.

    PostgreSQL keeps `timestamptz`, SQLite the text of `instant_text`; both sort and compare by time, to the
    microsecond.
    """

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        text = instant_text(value)
        return value.astimezone(UTC) if dialect.name == "postgresql" else text

    def process_literal_param(self, value: datetime | None, dialect: Dialect) -> str:
        return "NULL" if value is None else f"'{instant_text(value)}'"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """A JSON value: JSONB on PostgreSQL, text on SQLite. None is SQL NULL. See `json_text` for what is refused.

    Keys may come back in another order (JSONB sorts them), and a float of 10**16 or more comes back as the int of
    the same value. What must be kept to the byte is kept as text or bytes, not as Json.
    """

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            # Imported late: a house on SQLite never needs the PostgreSQL dialect (start-up time).
            from sqlalchemy.dialects.postgresql import JSONB

            return dialect.type_descriptor(JSONB(none_as_null=True))
        # Text, because SQLite gives a column declared JSON numeric affinity: a lone 12345678901234567890 is rounded.
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return json_text(value) if dialect.name == "sqlite" and value is not None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return json.loads(value) if dialect.name == "sqlite" and value is not None else value
