"""Likely duplicates: cases that may tell of the same event. Kept and linked with the reasons; a person decides.

Linked are events of one subject in like words with onsets that are near, when somebody else tells or when they come by
another way. What the same person sends by the same way is linked only if words and onset agree: it may be sent twice.
Different rows of one import are never suspected of one another; the same row with other content always is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.alike import NEAR, apart, like_words, same_words
from tocsin.domain.calendars import Partial, Span


@dataclass(frozen=True, slots=True)
class Told:
    """One event as somebody told it. `channel` is the sending system, "direct" without one."""

    case_id: str
    verbatim: str
    onset: str | None
    reporter: str | None
    channel: str
    batch: str | None = None
    reference: str | None = None


def reasons(new: Told, old: Told, zone: ZoneInfo) -> list[str]:
    """Why the two may be one event; [] when they need not be."""
    if new.reference is not None and (new.channel, new.reference) == (old.channel, old.reference):
        return ["the same subject", f"the same row {new.reference} of {new.channel}, which has changed"]
    if new.batch is not None and (new.channel, new.batch) == (old.channel, old.batch):
        return []
    like = _like(new, old)
    near, exact = _near(new.onset, old.onset, zone)
    if like is None or near is None:
        return []
    another = _another(new, old)
    if another is None and not (exact and same_words(new.verbatim, old.verbatim)):
        return []
    return ["the same subject", like, near, another or "the same person by the same way: it may have been sent twice"]


def most_likely(new: Iterable[Told], old: Iterable[Told], zone: ZoneInfo) -> dict[str, list[str]]:
    """The cases to link, each with its reasons: the first pair of events that matches speaks for the case."""
    found: dict[str, list[str]] = {}
    olds = list(old)
    for one in new:
        for other in olds:
            if other.case_id not in found and (why := reasons(one, other, zone)):
                found[other.case_id] = why
    return found


def _like(new: Told, old: Told) -> str | None:
    if same_words(new.verbatim, old.verbatim):
        return "the same words"
    shared = like_words(new.verbatim, old.verbatim)
    return f"like words ({', '.join(sorted(shared))})" if shared else None


def _near(new: str | None, old: str | None, zone: ZoneInfo) -> tuple[str | None, bool]:
    """Whether the onsets may lie near one another, in words, and whether they may be the very same."""
    one, two = _span(new, zone), _span(old, zone)
    gap = apart(one, two)
    if gap is None:
        return "an onset that is not known", one is two
    if gap > NEAR:
        return None, False
    return f"onsets {new} and {old}", gap == timedelta()


def _another(new: Told, old: Told) -> str | None:
    if new.channel != old.channel:
        return f"by another way ({new.channel}, {old.channel})"
    if new.reporter is None or old.reporter is None:
        return "perhaps another person: a reporter is not named"
    return None if same_words(new.reporter, old.reporter) else "another person"


def _span(text: str | None, zone: ZoneInfo) -> Span | None:
    return None if text is None else Partial.parse(text).span(zone)
