"""A potential dose-limiting toxicity: whether an event must be put before the physician now.

The first look at one event by itself, which rings: POTENTIAL_DLT or none. It errs on the side of ringing: a missing
grade, relation, code or infusion time is taken at its worst and marked provisional, and no duration is waited for. What
the rules say once everything of a subject is looked at is in `verdicts`. Sources: rules.md 4.2, readings.md
"Dose-limiting toxicity" 1, 7 and 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from tocsin.domain.case import Coded, Event, Infusion
from tocsin.domain.causality import suspected
from tocsin.domain.dlt.definition import About, DltDefinition, DltRule, Exclusion, Ground
from tocsin.domain.dlt.naming import names
from tocsin.domain.dlt.verdict import NO_DLT, POTENTIAL_DLT, Verdict
from tocsin.domain.dlt.window import place
from tocsin.domain.known import Finding
from tocsin.domain.syndromes import counting_grade, grade_said
from tocsin.domain.words import CrsScale


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
    onset = place(event.onset, infusions, zone, definition)
    if not onset.is_inside:
        return Verdict(NO_DLT, None, (onset.said,))
    relation = suspected(event)
    # Whether it is a death is judged from every field, so a missing grade is at its worst a 4.
    worst = 4 if grade is None else grade
    held = [
        (rule, named_by)
        for rule in definition.rules
        if worst >= rule.min_grade
        and rule.about is not About.LIVER  # No event is one: it goes by values.
        and (named_by := names(rule, event, coded)) is not None
        and (relation or not rule.needs_relation)
        and not (rule.is_any_event and grade != 5 and _excluded(coded, grade, definition, rule) is not None)
    ]
    if not held:
        return Verdict(NO_DLT, None, (_why_none(coded, grade, relation, definition),))
    rule, named_by = min(held, key=lambda found: _rank(found[0], grade))
    missing = [onset.missing] if onset.missing else []
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
        onset.said,
        *([grade_said(event, grade)] if grade is not None else []),
        *missing,
    ]
    return Verdict(POTENTIAL_DLT, rule.id, tuple(reasons), bool(missing))


def _rank(rule: DltRule, grade: int | None) -> tuple[bool, bool, int, str]:
    """A death goes by the rule on deaths; else what names the event stands before "any event", the higher grade first.

    Without a grade it is the lowest threshold that cannot be ruled out.
    """
    higher_first = rule.min_grade if grade is None else -rule.min_grade
    return not (grade == 5 and rule.min_grade == 5), rule.is_any_event, higher_first, rule.id


def _excluded(
    coded: Coded | None, grade: int | None, definition: DltDefinition, rule: DltRule | None = None
) -> Exclusion | None:
    """The exclusion that the code, and the grade where it matters, settle. A code that waits settles nothing.

    Without a grade only an exclusion of any grade holds (fever, lymphopenia). `rule`: of those that it admits.
    """
    if coded is None or coded.code is None:
        return None
    lowest, highest = (1, 5) if grade is None else (grade, grade)
    of = definition.exclusions if rule is None else definition.admitted(rule)
    settled = (x for x in of if x.ground is Ground.EVENT and x.within is None and not x.needs)
    return next((x for x in settled if coded.code in x.codes and x.min_grade <= lowest <= highest <= x.max_grade), None)


def _why_none(coded: Coded | None, grade: int | None, relation: Finding, definition: DltDefinition) -> str:
    excluded = _excluded(coded, grade, definition)
    if excluded is not None:
        return f"{excluded.id}: {excluded.text}"
    if not relation:
        return "both parties judge it not related to the product"
    return f"no rule of {definition.id} names an event of grade {grade}"
