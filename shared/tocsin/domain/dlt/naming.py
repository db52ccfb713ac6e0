"""Which events a rule or an exclusion names: by code, by syndrome, or by the site's own words."""

from __future__ import annotations

import re

from tocsin.domain.affirmed import named
from tocsin.domain.case import Coded, Event
from tocsin.domain.dlt.definition import DltRule, Exclusion
from tocsin.domain.syndromes import recognise


def names(rule: DltRule, event: Event, coded: Coded | None) -> str | None:
    """Why the rule's condition names this event; None when it does not."""
    if rule.is_any_event:
        return "the rule covers any other event"
    if rule.syndrome is not None and rule.syndrome in recognise(event, coded):
        return f"it is {rule.syndrome}"
    return by_code_or_words(rule.codes, rule.words, event, coded)


def excludes(exclusion: Exclusion, event: Event, coded: Coded | None) -> str | None:
    """Why the exclusion names this event; None when it does not. One that names nothing is left to its ground."""
    return by_code_or_words(exclusion.codes, exclusion.words, event, coded)


def by_code_or_words(
    codes: frozenset[str], words: re.Pattern[str] | None, event: Event, coded: Coded | None
) -> str | None:
    """By the code, or by the site's words or the coded term."""
    if coded is not None and coded.code in codes:
        return f"coded as {coded.term}"
    if words is None:
        return None
    if found := named(words, event.verbatim):
        return f"the site's words name it: {_whole_word(found)!r}"
    if coded is not None and coded.term is not None and named(words, coded.term):
        return f"coded as {coded.term}"
    return None


def _whole_word(found: re.Match[str]) -> str:
    """What was found, out to the ends of its word: patterns may stop inside one."""
    before = re.search(r"[A-Za-z]*$", found.string[: found.start()])
    after = re.match(r"[A-Za-z]*", found.string[found.end() :])
    return (before[0] if before else "") + found.group(0) + (after[0] if after else "")
