"""Likely duplicates: cases that may tell of the same event. Kept and linked with the reasons; a person decides.

Linked are events of one subject in like words with onsets that are near, when somebody else tells or when they come by
another way. What the same person sends by the same way is linked only if words and onset agree: it may be sent twice.
Different rows of one import are never suspected of one another; the same row with other content always is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import Partial, Span

NEAR = timedelta(days=3)
_WORDS = re.compile(r"[a-z0-9]+")
_CJK = re.compile("[㐀-鿿豈-﫿]+")
_EMPTY_WORDS = frozenset(
    ["a", "an", "and", "by", "due", "event", "for", "grade", "in", "of", "on", "or", "secondary", "the", "to", "with"]
)


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


def normalised(verbatim: str) -> str:
    """The words without case, punctuation and width."""
    return " ".join(_WORDS.findall(_folded(verbatim)) + _CJK.findall(_folded(verbatim)))


def tokens(verbatim: str) -> frozenset[str]:
    """The words that carry meaning; Chinese, which writes no spaces, in pairs of characters."""
    text = _folded(verbatim)
    words = {w for w in _WORDS.findall(text) if w not in _EMPTY_WORDS and not w.isdecimal()}
    for run in _CJK.findall(text):
        words |= {run[n : n + 2] for n in range(max(len(run) - 1, 1))}
    return frozenset(words)


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
    if another is None and not (exact and normalised(new.verbatim) == normalised(old.verbatim)):
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
    if normalised(new.verbatim) == normalised(old.verbatim):
        return "the same words"
    one, two = tokens(new.verbatim), tokens(old.verbatim)
    shared = one & two
    if not shared:
        return None
    # More than half of all words, or one says all that the other says.
    if 2 * len(shared) > len(one | two) or shared in (one, two):
        return f"like words ({', '.join(sorted(shared))})"
    return None


def _near(new: str | None, old: str | None, zone: ZoneInfo) -> tuple[str | None, bool]:
    """Whether the onsets may lie near one another, in words, and whether they may be the very same."""
    one, two = _span(new, zone), _span(old, zone)
    if one is None or two is None:
        return "an onset that is not known", one is two
    gap = max(one.earliest - two.latest, two.earliest - one.latest, timedelta())
    if gap > NEAR:
        return None, False
    return f"onsets {new} and {old}", gap == timedelta()


def _another(new: Told, old: Told) -> str | None:
    if new.channel != old.channel:
        return f"by another way ({new.channel}, {old.channel})"
    if new.reporter is None or old.reporter is None:
        return "perhaps another person: a reporter is not named"
    return "another person" if normalised(new.reporter) != normalised(old.reporter) else None


def _span(text: str | None, zone: ZoneInfo) -> Span | None:
    return None if text is None else Partial.parse(text).span(zone)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
