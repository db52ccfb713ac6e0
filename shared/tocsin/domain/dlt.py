"""A potential dose-limiting toxicity: whether an event must be put before the physician now.

The definition is data from the study file. This first evaluator answers only POTENTIAL_DLT or none, and errs on the
side of ringing: a missing grade, relation, code or infusion time is taken at its worst and marked provisional. Only
people confirm or reject. Sources: rules.md 4.2, readings.md "Dose-limiting toxicity" 1, 7 and 13.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.affirmed import named
from tocsin.domain.calendars import Span, end_of_day, local_day
from tocsin.domain.case import Coded, Event, Infusion
from tocsin.domain.causality import suspected
from tocsin.domain.known import Finding
from tocsin.domain.syndromes import counting_grade, grade_said
from tocsin.domain.words import CrsScale

POTENTIAL_DLT = "POTENTIAL_DLT"
NO_DLT = "none"


@dataclass(frozen=True, slots=True)
class DltRule:
    """One condition. `codes` and `words` name the events; both empty means any event. `min_grade` is on any scale."""

    id: str
    text: str
    min_grade: int
    codes: frozenset[str] = frozenset()
    words: re.Pattern[str] | None = None
    needs_relation: bool = True


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Events that are not dose-limiting. Applies here only where code and grade alone decide."""

    id: str
    text: str
    codes: frozenset[str]
    max_grade: int = 5


@dataclass(frozen=True, slots=True)
class DltDefinition:
    """The study's definition, in force from `day_base` (0: infusion is day 0) over `window_days`."""

    id: str
    status: str
    window_days: int
    day_base: int
    rules: tuple[DltRule, ...]
    exclusions: tuple[Exclusion, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one event."""

    state: str
    rule_id: str | None
    reasons: tuple[str, ...]
    is_provisional: bool = False


def window(started: datetime, zone: ZoneInfo, definition: DltDefinition) -> Span:
    """From the start of infusion to 23:59:59 site-local of the last study day (rules.md 4.2 W; vectors W01 to W04)."""
    last = local_day(started, zone) + timedelta(days=definition.window_days - definition.day_base)
    return Span(started, end_of_day(last, zone))


def evaluate(
    event: Event,
    coded: Coded | None,
    infusions: Sequence[Infusion],
    zone: ZoneInfo,
    definition: DltDefinition,
    *,
    fatal: Finding,
    crs: CrsScale = CrsScale.WORST_OF,
) -> Verdict:
    """POTENTIAL_DLT as soon as a rule's grade and condition hold, or cannot be ruled out.

    `crs`: by which scale a CRS counts; the reasons show every grade that the site states.
    """
    grade = 5 if fatal else counting_grade(event, coded, crs)
    where, where_missing = _in_window(event, infusions, zone, definition)
    if where is None:
        return Verdict(NO_DLT, None, (where_missing,))
    relation = suspected(event)
    # Whether it is a death is judged from every field, so a missing grade is at its worst a 4.
    worst = 4 if grade is None else grade
    held = [
        (rule, named_by)
        for rule in definition.rules
        if worst >= rule.min_grade
        and (named_by := _names(rule, event, coded)) is not None
        and (relation or not rule.needs_relation)
        and not (_is_any_event(rule) and grade != 5 and _excluded(coded, grade, definition) is not None)
    ]
    if not held:
        return Verdict(NO_DLT, None, (_why_none(coded, grade, relation, definition),))
    rule, named_by = min(held, key=lambda found: _rank(found[0], grade))
    missing = [where_missing] if where_missing else []
    if rule.needs_relation and relation.is_provisional:
        missing += [*relation.reasons, "the relation to the product is open: taken as related"]
    if not relation:
        missing.append("both parties judge it not related: for a death the committee must sign that (EX-09)")
    if fatal.is_provisional:
        missing += fatal.reasons
    if grade is None:
        missing.append("no grade: taken at its worst")
    reasons = [
        f"{rule.id}: {rule.text}",
        named_by,
        where,
        *([grade_said(event, grade)] if grade is not None else []),
        *missing,
    ]
    return Verdict(POTENTIAL_DLT, rule.id, tuple(reasons), bool(missing))


def _rank(rule: DltRule, grade: int | None) -> tuple[bool, bool, int, str]:
    """A death goes by the rule on deaths; else what names the event stands before "any event", the higher grade first.

    Without a grade it is the lowest threshold that cannot be ruled out.
    """
    higher_first = rule.min_grade if grade is None else -rule.min_grade
    return not (grade == 5 and rule.min_grade == 5), _is_any_event(rule), higher_first, rule.id


def _is_any_event(rule: DltRule) -> bool:
    return not rule.codes and rule.words is None


def _in_window(
    event: Event, infusions: Sequence[Infusion], zone: ZoneInfo, definition: DltDefinition
) -> tuple[str | None, str]:
    """(why it counts as inside, what was missing for that), or (None, why it is outside)."""
    if not infusions:
        return "no infusion is recorded for this subject", "taken as inside the DLT window"
    onset = event.onset.widest(zone) if event.onset is not None else None
    if onset is None:
        return "the onset is not known", "taken as inside the DLT window"
    length = f"the window of {definition.window_days} days"
    inside = []
    for infusion in infusions:
        started = infusion.started.widest(zone)
        if started is None:
            inside.append((False, f"the infusion of {infusion.started} has no year: the dates leave it open"))
            continue
        early = window(started.earliest, zone, definition)
        late = window(started.latest, zone, definition)
        if onset.latest < early.earliest or onset.earliest > late.latest:
            continue
        is_sure = onset.earliest >= late.earliest and onset.latest <= early.latest
        day = (local_day(onset.earliest, zone) - local_day(started.earliest, zone)).days + definition.day_base
        which = f"study day {day}" if event.onset is not None and event.onset.is_whole_day else "study day open"
        inside.append((is_sure, f"onset {event.onset} is inside {length} from {infusion.started} ({which})"))
    if not inside:
        return None, f"onset {event.onset} is outside {length} after infusion"
    is_sure, where = min(inside, key=lambda found: (not found[0], found[1]))
    return where, "" if is_sure else "the dates leave it open: taken as inside the DLT window"


def _names(rule: DltRule, event: Event, coded: Coded | None) -> str | None:
    """Why the rule's condition names this event; None when it does not."""
    if _is_any_event(rule):
        return "the rule covers any event"
    if coded is not None and coded.code in rule.codes:
        return f"coded as {coded.term}"
    if rule.words is not None and (found := named(rule.words, event.verbatim)):
        return f"the site's words name it: {found.group(0)!r}"
    return None


def _excluded(coded: Coded | None, grade: int | None, definition: DltDefinition) -> Exclusion | None:
    """The exclusion that the code, and the grade where it matters, settle. A code that waits settles nothing.

    Without a grade only an exclusion of any grade holds (fever, lymphopenia).
    """
    if coded is None or coded.code is None:
        return None
    worst = 5 if grade is None else grade
    return next((x for x in definition.exclusions if coded.code in x.codes and worst <= x.max_grade), None)


def _why_none(coded: Coded | None, grade: int | None, relation: Finding, definition: DltDefinition) -> str:
    excluded = _excluded(coded, grade, definition)
    if excluded is not None:
        return f"{excluded.id}: {excluded.text}"
    if not relation:
        return "both parties judge it not related to the product"
    return f"no rule of {definition.id} names an event of grade {grade}"
