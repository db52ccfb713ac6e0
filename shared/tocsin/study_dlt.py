"""What a study file says of dose-limiting toxicity: its rules and exclusions as data, and what cannot be among them.

The keys and their form are in `study_shape`; the file as a whole is read in `studies`. What each key does to a verdict
is in `tocsin.domain.dlt`; docs/dlt.md explains them to whoever writes a definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from tocsin.criteria import load_terms
from tocsin.domain.affirmed import WORDING
from tocsin.domain.dlt import About, DltDefinition, DltRule, Exclusion, Ground
from tocsin.study_clocks import twice
from tocsin.study_shape import DltPart, DltRulePart, ExclusionPart

_OF_EVERY_RULE = frozenset({"id", "text", "about", "needs_relation", "exclusions"})
_NAMING = frozenset({"terms", "words"})
_KEYS = {
    About.EVENT: _NAMING
    | {"min_grade", "syndrome", "graded_by", "longer_than_hours", "strict_hours", "committee_below", "leaves_others"}
    | {"at_once_from", "at_once_terms", "at_once_words"},
    About.NEUTROPHILS: _NAMING | {"min_grade", "by_day", "late_days"},
    About.PLATELETS: _NAMING | {"min_grade", "by_day", "late_days"},
    About.BLEEDING: _NAMING | {"min_grade", "platelets_below"},
    About.LIVER: frozenset({"longer_than_hours", "transaminases_above", "bilirubin_above"}),
}
_OF_EVERY_EXCLUSION = frozenset({"id", "text", "ground"})
_ONLY_WITH_A_LIMIT = ("strict_hours", "at_once_from", "at_once_terms", "at_once_words")


def definition(part: DltPart, ctcae: str) -> DltDefinition:
    """The definition, with the terms of one CTCAE version as their codes. `part` must be free of contradictions."""
    codes = {term.name: str(term.code) for term in load_terms(ctcae)}
    return DltDefinition(
        id=part.id,
        status=part.status,
        window_days=part.window_days,
        day_base=part.day_base,
        rules=tuple(_rule(row, codes) for row in part.rules),
        exclusions=tuple(_exclusion(row, codes) for row in part.exclusions),
    )


def contradictions(part: DltPart, ctcae: str) -> Iterable[str]:
    """What is well formed and still cannot be."""
    # "… - Other, specify" carries the code of a class: no event is ever coded to it.
    names = {term.name for term in load_terms(ctcae) if not term.is_other_specify}
    known = {row.id for row in part.exclusions}
    for n, rule in enumerate(part.rules, 1):
        key = f"dlt.rules[{n}] ({rule.id})"
        yield from _unknown_terms(key, [*rule.terms, *rule.at_once_terms], names, ctcae)
        yield from _wrong_rule(key, rule)
        for name in sorted(set(rule.exclusions) - known):
            allowed = ", ".join(sorted(known)) or "none, as the file has no exclusions"
            yield f"{key}.exclusions names {name!r}, which is no exclusion; allowed are {allowed}"
    admitted = {name for rule in part.rules for name in rule.exclusions}
    for n, exclusion in enumerate(part.exclusions, 1):
        key = f"dlt.exclusions[{n}] ({exclusion.id})"
        yield from _unknown_terms(key, exclusion.terms, names, ctcae)
        yield from _wrong_exclusion(key, exclusion)
        if exclusion.id not in admitted:
            yield f"{key} is admitted by no rule; allowed is one that stands in the exclusions of at least one rule"
    yield from twice("dlt.rules", [rule.id for rule in part.rules])


def _unknown_terms(key: str, terms: Iterable[str], names: set[str], ctcae: str) -> Iterable[str]:
    for term in dict.fromkeys(terms):
        if term not in names:
            yield (
                f"{key} names term {term!r}; "
                f'allowed are the terms of CTCAE v{ctcae}, as spelt there, not "Other, specify"'
            )


def _wrong_rule(key: str, rule: DltRulePart) -> Iterable[str]:
    keys = _OF_EVERY_RULE | _KEYS[rule.about]
    for name in sorted(rule.model_fields_set - keys):
        yield (
            f"{key}.{name} has no meaning for a rule about {rule.about.value!r}; "
            f"allowed there are {', '.join(field for field in DltRulePart.model_fields if field in keys)}"
        )
    if "min_grade" in keys and rule.min_grade is None:
        yield f"{key}.min_grade is missing; it is needed"
    if rule.about is About.LIVER and rule.longer_than_hours is None:
        yield f"{key}.longer_than_hours is missing; it is needed for a rule about 'liver'"
    if rule.about is About.EVENT:
        yield from _wrong_limits(key, rule)
    elif "terms" in keys and not rule.terms and rule.words is None:
        yield f"{key} names nothing; a rule about {rule.about.value!r} needs terms or words"


def _wrong_limits(key: str, rule: DltRulePart) -> Iterable[str]:
    """Grades and times that do not go together."""
    longest, strict, grade = rule.longer_than_hours, rule.strict_hours, rule.min_grade
    if longest is None:
        for name in (name for name in _ONLY_WITH_A_LIMIT if name in rule.model_fields_set):
            yield f"{key}.{name} has no meaning without longer_than_hours: such a rule is met at once"
    elif strict is not None and strict >= longest:
        yield f"{key}.strict_hours is {strict:g}; allowed is less than longer_than_hours, {longest:g}"
    if grade is not None and rule.at_once_from is not None and rule.at_once_from < grade:
        yield f"{key}.at_once_from is {rule.at_once_from}; allowed is min_grade, {grade}, or more"
    if grade is not None and rule.committee_below is not None and rule.committee_below <= grade:
        yield f"{key}.committee_below is {rule.committee_below}; allowed is more than min_grade, {grade}"
    if rule.leaves_others and not rule.terms and rule.words is None and rule.syndrome is None:
        yield f"{key}.leaves_others is true; allowed is that only for a rule that names events: this one is for any"


def _wrong_exclusion(key: str, row: ExclusionPart) -> Iterable[str]:
    if row.ground is not Ground.EVENT:
        for name in (name for name in ExclusionPart.model_fields if name in row.model_fields_set - _OF_EVERY_EXCLUSION):
            yield f"{key}.{name} has no meaning for the ground {row.ground.value!r}; allowed there are id, text, ground"
    elif not row.terms and row.words is None and not row.needs:
        yield f"{key} names nothing and needs nothing; the ground 'event' needs terms, words or needs"
    if row.min_grade > row.max_grade:
        yield f"{key}.min_grade is {row.min_grade}; allowed is max_grade, {row.max_grade}, or less"


def _rule(row: DltRulePart, codes: dict[str, str]) -> DltRule:
    return DltRule(
        id=row.id,
        text=row.text,
        # Liver values have no grade: of them nothing is asked.
        min_grade=row.min_grade or 1,
        codes=_codes(row.terms, codes),
        words=_words(row.words),
        needs_relation=row.needs_relation,
        about=row.about,
        syndrome=row.syndrome,
        graded_by=row.graded_by,
        longer_than=_hours(row.longer_than_hours),
        strict=_hours(row.strict_hours),
        at_once_from=row.at_once_from,
        at_once_codes=_codes(row.at_once_terms, codes),
        at_once_words=_words(row.at_once_words),
        committee_below=row.committee_below,
        leaves_others=row.leaves_others,
        by_day=row.by_day,
        late_days=row.late_days,
        platelets_below=_number(row.platelets_below),
        transaminases_above=_number(row.transaminases_above),
        bilirubin_above=_number(row.bilirubin_above),
        exclusions=frozenset(row.exclusions),
    )


def _exclusion(row: ExclusionPart, codes: dict[str, str]) -> Exclusion:
    return Exclusion(
        id=row.id,
        text=row.text,
        codes=_codes(row.terms, codes),
        max_grade=row.max_grade,
        words=_words(row.words),
        min_grade=row.min_grade,
        within=_hours(row.within_hours),
        needs=frozenset(row.needs),
        ground=row.ground,
    )


def _codes(terms: Iterable[str], codes: dict[str, str]) -> frozenset[str]:
    return frozenset(codes[term] for term in terms)


def _words(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern, WORDING) if pattern else None


def _hours(limit: float | None) -> timedelta | None:
    return None if limit is None else timedelta(hours=limit)


def _number(written: float) -> Decimal:
    """As it is written in the file, so that 50 is not 50.0 in a reason."""
    return Decimal(f"{written:.15g}")
