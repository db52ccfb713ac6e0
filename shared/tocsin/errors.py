"""Every error that Tocsin raises on purpose.

    TocsinError
    ├── Refused                 the input cannot be understood or attributed; nothing was kept (HTTP 4xx)
    │   ├── Unauthorised        who asks is not known (401)
    │   ├── Forbidden           who asks may not (403)
    │   ├── NotFound            no such thing, or not theirs to see (404)
    │   └── Conflict            the same key with another body, or a decision already taken (409)
    ├── SettingsError           a setting is missing or wrong; says which and what is allowed
    ├── ProtocolError           a study file or a rule file is wrong; says file, key, value and what is allowed
    ├── CriteriaError           a table of grading criteria is wrong (tocsin.criteria)
    ├── DictionaryError         a dictionary contradicts itself (meddra_coder.dictionary)
    ├── DistributionRefused     a MedDRA distribution is damaged; says file and line (meddra_coder.dictionary)
    ├── LexiconError            a table of the coder's lexicon is wrong; says file and line (meddra_coder.lexicon)
    ├── Poison                  a message that can never be read; goes to the dead letters at once
    ├── Away                    something we depend on does not answer; waiting helps
    │   ├── BusAway
    │   └── StoreAway
    └── DeadLetterLimit         too many dead letters in a row: the consumer stops, health turns red

A refusal names each wrong place as a JSON Pointer (RFC 6901) with what is allowed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TocsinError(Exception):
    """The root of the tree above."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One wrong place: where (a JSON Pointer, or "" for the whole), what is wrong, what is allowed."""

    pointer: str
    problem: str
    allowed: str | None = None


class Refused(TocsinError):
    """Input that cannot be understood or attributed. Nothing was kept."""

    status = 422
    kind = "refused"

    def __init__(self, title: str, wrong: Sequence[Wrong] = ()) -> None:
        super().__init__(title)
        self.title = title
        self.wrong = tuple(wrong)


class Unauthorised(Refused):
    """Who asks is not known."""

    status = 401
    kind = "unauthorised"


class Forbidden(Refused):
    """Who asks is known and may not."""

    status = 403
    kind = "forbidden"


class NotFound(Refused):
    """No such thing, or not theirs to see: the two look the same from outside."""

    status = 404
    kind = "not-found"


class Conflict(Refused):
    """The same idempotency key with another body, or a decision already taken."""

    status = 409
    kind = "conflict"


class SettingsError(TocsinError):
    """A setting is missing or wrong."""


class ProtocolError(TocsinError):
    """A study file, or a file of clock rules, is wrong. The text carries file, key, value and what is allowed."""


class Poison(TocsinError):
    """A message that can never be read: unknown type or version, or a body that breaks its contract."""


class Away(TocsinError):
    """Something we depend on does not answer. Waiting helps; nothing is given up."""


class BusAway(Away):
    """The broker does not answer."""


class StoreAway(Away):
    """The database does not answer."""


class DeadLetterLimit(TocsinError):
    """Too many dead letters: something is wrong with us, not with the messages."""
