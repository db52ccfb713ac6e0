"""Values in one form of JSON and no other, so that equal values have the same hash on every machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from tocsin.store.types import instant_text, json_text


def sha256_of(value: object) -> str:
    """SHA-256, in hex, of a value as canonical JSON: keys sorted, no spaces, UTF-8."""
    return hashlib.sha256(json_text(plain(value), sort_keys=True).encode()).hexdigest()


def plain(value: object) -> object:
    """A value of the book of rules as JSON has it. TypeError for a kind that has no form here.

    Sets are lists in the order of their JSON, patterns their text and flags, spans of time seconds, fractions and
    decimals their text, instants UTC to the microsecond.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value.value if isinstance(value, StrEnum) else value
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(one) for one in value), key=lambda one: json_text(one, sort_keys=True))
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    return _text(value)


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(Fraction(value // timedelta(microseconds=1), 1_000_000))
    if isinstance(value, re.Pattern):
        return {"pattern": value.pattern, "flags": value.flags}
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, Decimal | Fraction | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form here")
