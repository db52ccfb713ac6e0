"""Whether two people's words, and two onsets, may tell of one event. A person decides; this only says how alike.

Used to link likely duplicates and to compare a site's list with ours.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

from tocsin.domain.calendars import Span

NEAR = timedelta(days=3)
"""How far apart two onsets of one event may stand in two people's books."""

_WORDS = re.compile(r"[a-z0-9]+")
_CJK = re.compile("[㐀-鿿豈-﫿]+")
_EMPTY_WORDS = frozenset(
    ["a", "an", "and", "by", "due", "event", "for", "grade", "in", "of", "on", "or", "secondary", "the", "to", "with"]
)


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


def same_words(one: str, other: str) -> bool:
    """Whether they differ in case, punctuation and width at most."""
    return normalised(one) == normalised(other)


def like_words(one: str, other: str) -> frozenset[str]:
    """The words that both say, where that is more than half of all, or all that one of them says; else nothing."""
    first, second = tokens(one), tokens(other)
    shared = first & second
    if shared and (2 * len(shared) > len(first | second) or shared in (first, second)):
        return shared
    return frozenset()


def apart(one: Span | None, other: Span | None) -> timedelta | None:
    """How far apart two onsets lie at least, nothing where they may be the same; None where one is not known."""
    if one is None or other is None:
        return None
    return max(one.earliest - other.latest, other.earliest - one.latest, timedelta())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
