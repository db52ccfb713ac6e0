"""Yes, no, and not known: the third is a value of its own and never reads as "no"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Known(StrEnum):
    """A fact that a site may not have told us yet."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, stated: bool | None) -> Known:
        if stated is None:
            return cls.UNKNOWN
        return cls.YES if stated else cls.NO


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer with its reasons. `is_provisional`: a fact is missing and was taken at its worst."""

    value: bool
    reasons: tuple[str, ...]
    is_provisional: bool = False

    def __bool__(self) -> bool:
        return self.value
