"""Whether a follow-up changes the medical judgement of an event that was reported already.

Significant is what changes seriousness, causality, expectedness, outcome, event term, suspect product or the subject's
identity (rules.md 1.4). A narrative a machine cannot judge: a person says so (`Deed.SIGNIFICANT`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.domain.case import Coded, Event, Report
from tocsin.domain.judged import EventAssessment
from tocsin.domain.known import Finding
from tocsin.domain.words import Agent, Party


@dataclass(frozen=True, slots=True)
class Told:
    """What one revision says of one event, how that is coded, and how it was judged."""

    event: Event
    report: Report
    coded: Coded | None
    judged: EventAssessment


def significant(before: Told, after: Told) -> Finding:
    """What of the judgement changed from one state of knowledge to the next, and whether anything did."""
    changed = []
    if _seriousness(before) != _seriousness(after):
        changed.append("seriousness")
    if _causality(before.event) != _causality(after.event):
        changed.append("causality")
    if before.event.outcome is not after.event.outcome:
        changed.append("outcome")
    if _term_changed(before, after):
        changed.append("event term")
    elif after.coded is not None and bool(before.judged.unexpected) != bool(after.judged.unexpected):
        changed.append("expectedness")
    if _differ(before.report.product, after.report.product):
        changed.append("suspect product")
    if _differ(before.report.subject, after.report.subject):
        changed.append("subject")
    if before.event.is_nullified != after.event.is_nullified:
        changed.append("whether it happened")
    if not changed:
        return Finding(False, ("nothing that bears on the medical judgement has changed",))
    return Finding(True, (f"changed: {', '.join(changed)}",))


def narrative_alone(before: Told, after: Told) -> bool:
    """Whether the narrative changed and nothing that can be judged did: a person decides what it means."""
    return before.report.narrative != after.report.narrative and not significant(before, after)


def _differ(before: str | None, after: str | None) -> bool:
    """What a follow-up leaves out stands as it was."""
    return after is not None and before != after


def _seriousness(told: Told) -> tuple[object, ...]:
    judged = told.judged
    return bool(judged.serious), bool(judged.fatal), bool(judged.life_threatening), told.event.criteria


def _causality(event: Event) -> tuple[object, ...]:
    return tuple(event.relation(Agent.PRODUCT, party) for party in Party)


def _term_changed(before: Told, after: Told) -> bool:
    """Other words are another term only once they are coded, and not to the same code: a typo is corrected so."""
    if before.event.verbatim == after.event.verbatim or after.coded is None:
        return False
    if before.coded is None or not before.coded.is_coded or not after.coded.is_coded:
        return True
    return before.coded.code != after.coded.code
