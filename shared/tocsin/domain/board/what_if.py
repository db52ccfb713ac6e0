"""What the board would say if one open event were otherwise: its grade, its relation, or how long it lasts.

The same evaluator and the same board, asked with one fact changed. Nothing is kept and nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.domain.board.board import Board, board
from tocsin.domain.board.facts import SubjectFacts, TrialFacts
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Event, GradeStep, Opinion
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.dlt.verdict import Verdict
from tocsin.domain.dlt.verdicts import verdicts
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Agent, Outcome, Party, Relation, Scale


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One change to one open verdict: the verdict after it, and what the board says of the level before and after.

    `at` is the moment of the answer: now, or the first moment after a limit.
    """

    key: str
    subject: str
    change: str
    after: Verdict
    level: str | None
    decision_before: str | None
    decision_after: str | None
    next_before: str
    next_after: str
    at: datetime

    @property
    def changes_the_board(self) -> bool:
        return (self.decision_before, self.next_before) != (self.decision_after, self.next_after)


def what_if(
    protocol: Protocol, everyone: Sequence[SubjectFacts], whole: Mapping[str, Subject], facts: TrialFacts,
    as_of: datetime,
) -> tuple[WhatIf, ...]:  # fmt: skip
    """Every change to every open verdict. `whole`: what the rules read of each subject that has one, by its number."""
    if protocol.dlt is None:
        return ()
    now = board(protocol, everyone, facts, as_of)
    found = []
    for of in everyone:
        rest = [one for one in everyone if one is not of]
        for verdict in of.open_verdicts if of.id in whole else ():
            for change, changed, at in _changes(whole[of.id], verdict, as_of):
                found.append(_answer(protocol, changed, of, rest, facts, verdict, change, now, at))
    return tuple(one for one in found if one is not None)


def _answer(
    protocol: Protocol, changed: Subject, of: SubjectFacts, rest: Sequence[SubjectFacts], facts: TrialFacts,
    verdict: Verdict, change: str, now: Board, at: datetime,
) -> WhatIf | None:  # fmt: skip
    assert protocol.dlt is not None
    judged = verdicts(changed, protocol.dlt, at, crs=protocol.grading.crs)
    after = next((one for one in judged if one.key == verdict.key), None)
    if after is None:
        return None
    then = board(protocol, [*rest, replace(of, verdicts=judged)], facts, at)
    standing = now.subject(of.id)
    level = None if standing is None else standing.level
    return WhatIf(
        verdict.key, of.id, change, after, level, _decided(now, level), _decided(then, level), _next(now), _next(then),
        at,
    )  # fmt: skip


def _changes(
    subject: Subject, verdict: Verdict, as_of: datetime
) -> Iterable[tuple[str, Subject, datetime]]:  # fmt: skip
    if verdict.due_at is not None and verdict.due_at > as_of:
        yield "nothing changes until the limit has passed", subject, verdict.due_at
    reported = next((one for one in subject.events if one.event.event_id == verdict.event_id), None)
    if reported is None:
        return
    for grade in (2, 3, 4):
        if grade != verdict.grade and not reported.fatal:
            yield f"it was grade {grade} at its worst", _with(subject, reported, _graded(reported.event, grade)), as_of
    unrelated = replace(reported.event, opinions=_opinions(reported.event, Relation.NOT_RELATED))
    yield "both parties judge it not related", _with(subject, reported, unrelated), as_of
    if not reported.fatal and reported.event.end is None:
        local = as_of.astimezone(subject.zone).isoformat(timespec="seconds")
        ended = replace(reported.event, end=Partial.parse(local), outcome=reported.event.outcome or Outcome.RECOVERED)
        yield "it ends now", _with(subject, reported, ended), as_of


def _with(subject: Subject, reported: Reported, event: Event) -> Subject:
    """The subject with this event instead. Values that belong to it speak for themselves and are left out."""
    is_graded = event.grades != reported.event.grades
    other = replace(reported, event=event, derived=() if is_graded else reported.derived)
    return replace(subject, events=tuple(other if one is reported else one for one in subject.events))


def _graded(event: Event, grade: int) -> Event:
    """The event as if this had been its worst grade: what was higher comes down, and the worst comes up to it."""
    worst = event.worst_grade()
    course = tuple(replace(step, grade=_moved(step, grade, worst)) for step in event.course)
    scales = tuple(dict.fromkeys(scale for scale, _ in event.grades)) or (Scale.CTCAE,)
    return replace(event, grades=tuple((scale, grade) for scale in scales), course=course)


def _moved(step: GradeStep, grade: int, worst: int | None) -> int:
    return grade if step.grade == worst else min(step.grade, grade)


def _opinions(event: Event, relation: Relation) -> tuple[Opinion, ...]:
    others = [one for one in event.opinions if one.agent is not Agent.PRODUCT]
    return (*others, *(Opinion(Agent.PRODUCT, party, relation) for party in Party))


def _decided(found: Board, level: str | None) -> str | None:
    decision = next((one for one in found.decisions if one.level == level), None)
    return None if decision is None else f"{decision.word}: {decision.action}"


def _next(found: Board) -> str:
    if found.next.level is None:
        return "nobody may be infused"
    held = f", held by {', '.join(found.next.held_by)}" if found.next.held_by else ""
    return f"next infusion at {found.next.level}{held}"
