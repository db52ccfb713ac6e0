"""A study's definition of dose-limiting toxicity, as data. Read from its file by `tocsin.study_dlt`.

Sources: rules.md 4.2 (`dlt-default-0.1`), readings.md "Dose-limiting toxicity".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from tocsin.domain.syndromes import Syndrome


class About(StrEnum):
    """What a rule looks at: the event itself, or what was measured beside it."""

    EVENT = "event"
    NEUTROPHILS = "neutrophils"
    PLATELETS = "platelets"
    BLEEDING = "bleeding"
    LIVER = "liver"


class GradedBy(StrEnum):
    """Which grades a rule goes by. CRS_SCALE is the study's own choice; where nobody graded by the one, all count."""

    ANY = "any"
    CTCAE = "ctcae"
    ASTCT = "astct"
    CRS_SCALE = "crs_scale"


class Ground(StrEnum):
    """What an exclusion rests on: what the event is, a syndrome it belongs to, the marrow or baseline, another cause.

    OTHER_CAUSE is the committee's alone: no rule applies it.
    """

    EVENT = "event"
    COMPONENT = "component"
    MARROW_OR_BASELINE = "marrow_or_baseline"
    OTHER_CAUSE = "other_cause"


class Need(StrEnum):
    """A fact that the site must have stated for an exclusion to hold; not known is not yes."""

    ASYMPTOMATIC = "asymptomatic"
    TREATED = "treated"
    CULTURE_POSITIVE = "culture_positive"


@dataclass(frozen=True, slots=True)
class DltRule:
    """One condition. `codes`, `words` and `syndrome` name the events; none of them means any other event.

    `longer_than`: the grade must last longer, exactly as long is still within; `strict` is the shorter limit that
    committees ask about. From `at_once_from`, or for what `at_once_codes` and `at_once_words` name, no time is waited
    for. Below `committee_below` only the committee can say that it is met. `leaves_others`: what this rule names may
    meet the rules on any other event too. `by_day`: the study day by whose end a count must have recovered, and a
    first low value fewer than `late_days` before it is the committee's. `platelets_below` (10*9/L) makes a bleeding
    one of DLT-10; `transaminases_above` and `bilirubin_above` are multiples of the upper limit of normal.
    `exclusions` are the ids that may take an event from this rule.
    """

    id: str
    text: str
    min_grade: int
    codes: frozenset[str] = frozenset()
    words: re.Pattern[str] | None = None
    needs_relation: bool = True
    about: About = About.EVENT
    syndrome: Syndrome | None = None
    graded_by: GradedBy = GradedBy.ANY
    longer_than: timedelta | None = None
    strict: timedelta | None = None
    at_once_from: int | None = None
    at_once_codes: frozenset[str] = frozenset()
    at_once_words: re.Pattern[str] | None = None
    committee_below: int | None = None
    leaves_others: bool = False
    by_day: int = 28
    late_days: int = 14
    platelets_below: Decimal = Decimal(50)
    transaminases_above: Decimal = Decimal(3)
    bilirubin_above: Decimal = Decimal(2)
    exclusions: frozenset[str] = frozenset()

    @property
    def is_any_event(self) -> bool:
        """Whether it covers any other event, so that what names the event stands before it."""
        return self.about is About.EVENT and not self.codes and self.words is None and self.syndrome is None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Events that are not dose-limiting. `codes` and `words` name them; both empty means whatever the rule names.

    It holds from `min_grade` to `max_grade`, where everything in `needs` was stated, and where the time at `min_grade`
    or more is `within` a limit (exactly as long is within; None: however long).
    """

    id: str
    text: str
    codes: frozenset[str] = frozenset()
    max_grade: int = 5
    words: re.Pattern[str] | None = None
    min_grade: int = 1
    within: timedelta | None = None
    needs: frozenset[Need] = frozenset()
    ground: Ground = Ground.EVENT


@dataclass(frozen=True, slots=True)
class DltDefinition:
    """The study's definition, in force from `day_base` (0: infusion is day 0) over `window_days`."""

    id: str
    status: str
    window_days: int
    day_base: int
    rules: tuple[DltRule, ...]
    exclusions: tuple[Exclusion, ...]

    def admitted(self, rule: DltRule) -> tuple[Exclusion, ...]:
        """The exclusions that may take an event from a rule."""
        return tuple(exclusion for exclusion in self.exclusions if exclusion.id in rule.exclusions)

    def rules_about(self, *about: About) -> tuple[DltRule, ...]:
        return tuple(rule for rule in self.rules if rule.about in about)
