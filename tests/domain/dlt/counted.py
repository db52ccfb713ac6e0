"""Counts and liver values for the tests of verdicts, by the days of March 2026: day 28 after infusion is the 30th."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.domain.cases import at
from tests.domain.dlt.told import DEFINITION, subject
from tocsin.domain.calendars import Partial
from tocsin.domain.cell_counts import Count
from tocsin.domain.dlt.definition import About, DltDefinition, DltRule
from tocsin.domain.dlt.of_counts import of_counts
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.dlt.verdict import Verdict

LAST_SECOND = "2026-03-30T23:59:59"
AFTER = "2026-03-31T00:00:00"
LATER = "2026-04-20T09:00"

Values = Sequence[tuple[str, str]]


def march(*days: tuple[int, str]) -> list[tuple[str, str]]:
    """Values at 07:30 of days of March; the 31st is followed by the first of April."""
    return [(f"2026-{3 + (day > 31):02d}-{day - 31 * (day > 31):02d}T07:30", value) for day, value in days]


def counts(values: Values) -> tuple[Count, ...]:
    return tuple(Count(Partial.parse(when), Decimal(value), f"{when} {value}") for when, value in values)


def dates(*texts: str) -> tuple[Partial, ...]:
    return tuple(Partial.parse(text) for text in texts)


def with_neutrophils(*events: Reported, values: Values = (), baseline: Values = (), **facts: Any) -> Subject:
    return subject(*events, neutrophils=counts(values), baseline_neutrophils=counts(baseline), **facts)


def with_platelets(*events: Reported, values: Values = (), baseline: Values = (), **facts: Any) -> Subject:
    return subject(*events, platelets=counts(values), baseline_platelets=counts(baseline), **facts)


def rule_about(about: About, definition: DltDefinition = DEFINITION) -> DltRule:
    (rule,) = definition.rules_about(about)
    return rule


def by_counts(
    of: Subject, as_of: str, about: About = About.NEUTROPHILS, definition: DltDefinition = DEFINITION
) -> dict[str, Verdict]:
    """The verdicts by their keys."""
    found = of_counts(of, rule_about(about, definition), definition, at(as_of))
    return {one.key: one for one in found}


def by_count(
    of: Subject, as_of: str, about: About = About.NEUTROPHILS, definition: DltDefinition = DEFINITION
) -> Verdict:
    """The only verdict."""
    (one,) = by_counts(of, as_of, about, definition).values()
    return one
