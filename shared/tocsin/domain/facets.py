"""What a site answers of an event, and which grades of its CTCAE term those answers leave.

A grade of a term is a list of alternatives, one of which is enough; an alternative is a set of facets that hold
together. Six questions, which a nurse can answer, decide facets. A facet of an ordered question means "at least": an
answer below it denies the facet, the same or a higher answer affirms it. The lowest level of a question (no symptoms,
no limits, no intervention) only describes: it neither affirms nor denies a grade.

What is not answered is never taken as "no". What no question asks (a measured value, a criterion of the term's own)
can neither be affirmed nor denied, so it keeps a grade open. Leaves to others: which facets a term has
(`tocsin.criteria.facets`), and what is done about a contradiction.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tocsin.domain.facet_words import (
    MEDICAL,
    NEEDS_SOME_INTERVENTION,
    NOT_ASKED,
    QUESTIONS,
    Alternative,
    Answers,
    Facet,
    Intervention,
    Limits,
    Question,
    Symptoms,
    TermFacets,
    said,
)
from tocsin.domain.graded import Graded, NotGradable
from tocsin.domain.known import Known
from tocsin.domain.words import Scale

__all__ = [
    "Alternative",
    "Answers",
    "Facet",
    "Intervention",
    "Limits",
    "Symptoms",
    "TermFacets",
    "bounds",
    "contradicts",
    "decided_by",
]

Grades = Mapping[int, tuple[Alternative, ...]]


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of a term's grades. `raised_by` and `lowered_by` are the questions whose answers did it."""

    grades: Grades
    possible: Grades
    lowest: int
    highest: int
    raised_by: tuple[Question, ...]
    lowered_by: tuple[Question, ...]


def bounds(of: TermFacets, answers: Answers) -> Graded | NotGradable:
    """The lowest and the highest grade of a term that the answers leave, with reasons and what would settle it.

    More answers never leave more grades. The lowest grade that the term has is not excluded, as the event was reported;
    only a term that is nothing but a death cannot be graded where nobody died.
    """
    if not of.grades:
        return NotGradable(Scale.CTCAE, of.edition, of.term, of.code, f"{of.term} has no grades in CTCAE {of.edition}.")
    left = _left(of, answers)
    if min(left.grades) == 5 and not left.possible[5]:
        because = f"{of.term} is a death, and the subject did not die of it."
        return NotGradable(Scale.CTCAE, of.edition, of.term, of.code, because)
    lowest, highest = left.lowest, left.highest
    reasons = []
    if left.raised_by:
        reasons.append(f"At least grade {lowest}: {_said(left.raised_by, answers)}.")
    if highest < max(left.grades):
        reasons.append(f"At most grade {highest}: {_said(left.lowered_by, answers)}.")
    if answers.died is Known.YES and 5 not in left.grades:
        reasons.append(f"{of.term} has no grade 5 in CTCAE {of.edition}; the death needs a term that has one.")
    if not reasons:
        reasons.append(f"The answers leave every grade of {of.term}.")
    missing = () if lowest == highest else _missing(left.possible, answers, lowest, highest)
    return Graded(Scale.CTCAE, of.edition, of.term, of.code, lowest, highest, tuple(reasons), missing)


def decided_by(of: TermFacets, answers: Answers) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
    """The questions whose answers raise the lowest grade of a term, and those whose answers lower the highest."""
    left = _left(of, answers)
    return left.raised_by, left.lowered_by


def contradicts(stated: int, found: Graded) -> str | None:
    """One sentence where a stated grade is outside what the answers leave; None where it is within."""
    if found.lowest <= stated <= found.highest:
        return None
    side = "At least" if stated < found.lowest else "At most"
    grade = found.lowest if stated < found.lowest else found.highest
    because = next((each.partition(": ")[2] for each in found.reasons if each.startswith(f"{side} grade")), None)
    said = f"at {side.removeprefix('At ').lower()} grade {grade}"
    if because is None:
        return f"Grade {stated} was stated, but {found.term} has {said} in CTCAE {found.edition}."
    return f"Grade {stated} was stated, but the answers give {said}: {because}"


def _left(of: TermFacets, answers: Answers) -> _Left:
    grades = _with_what_holds_for_all(of)
    possible = {
        grade: tuple(each for each in its if not _is_denied(each, answers)) for grade, its in sorted(grades.items())
    }
    lowest, raised_by = _lowest(grades, possible, answers)
    highest = max((grade for grade, left in possible.items() if left), default=lowest)
    highest = max(highest, lowest)
    above = [grade for grade in grades if grade > highest]
    return _Left(
        grades, possible, lowest, highest, () if raised_by is None else (raised_by,), _denied(grades, above, answers)
    )


def _with_what_holds_for_all(of: TermFacets) -> dict[int, tuple[Alternative, ...]]:
    """The grades, and what every term means by them: a threat to life or urgency is grade 4, death is grade 5.

    Where the term lacks that grade it is the highest below; where a lower grade names it too, that one counts.
    """
    grades = dict(of.grades)
    top = max((grade for grade in grades if grade < 5), default=None)
    if top is None:
        return grades
    for facet, grade in ((Facet.LIFE_THREATENING, min(4, top)), (Facet.URGENT, min(4, top)), (Facet.DEATH, 5)):
        held = grade if grade in grades else top
        if frozenset({facet}) not in grades[held]:
            grades[held] = (*grades[held], frozenset({facet}))
    return grades


def _is_denied(alternative: Alternative, answers: Answers) -> bool:
    """Whether a definite, lesser answer excludes it."""
    for question in QUESTIONS:
        asked, level = question.of(alternative), question.level(answers)
        if asked is not None and level is not None and level < asked:
            return True
    return answers.intervention is Intervention.NONE and any(each in alternative for each in NEEDS_SOME_INTERVENTION)


def _is_affirmed(alternative: Alternative, answers: Answers) -> bool:
    """Whether every facet of it is one that a question asks, and was answered so."""
    if any(facet in NOT_ASKED for facet in alternative):
        return False
    for question in QUESTIONS:
        asked, level = question.of(alternative), question.level(answers)
        if asked is not None and (level is None or level < asked):
            return False
    return True


def _lowest(grades: Grades, possible: Grades, answers: Answers) -> tuple[int, Question | None]:
    """What the answers raise the grade to, and the question that does: to the lowest grade that an answer fits."""
    lowest, raised_by = min(grades), None
    for question in QUESTIONS:
        for fits in _reached(question, grades, answers):
            affirms = any(fits(each) and _is_affirmed(each, answers) for left in possible.values() for each in left)
            # A lower grade that names it counts, even where another answer denies that alternative: what a term says
            # of itself goes before what holds for all terms.
            named = [grade for grade, its in sorted(grades.items()) if any(map(fits, its))]
            if affirms and named[0] > lowest:
                lowest, raised_by = named[0], question
    return lowest, raised_by


def _reached(question: Question, grades: Grades, answers: Answers) -> Iterator[Callable[[Alternative], bool]]:
    """For each level that the answer reaches: whether an alternative asks for that much, and for no more than said."""
    own = question.level(answers) or 0
    levels: Iterable[int] = range(1, own + 1)
    if question.is_strict and own:
        # A drug may also be the "intervention" of a lower grade; an operation is none, where the term speaks of one.
        named = own > MEDICAL and any(question.of(each) == own for its in grades.values() for each in its)
        levels = (own if named else 1,)
    for level in levels:
        yield functools.partial(_fits, question, level, own)


def _fits(question: Question, level: int, own: int, alternative: Alternative) -> bool:
    asked = question.of(alternative) or 0
    # What else the alternative names may be an intervention of any kind.
    lowest = 1 if question.is_strict and Facet.OTHER in alternative else level
    return lowest <= asked <= own


def _denied(grades: Grades, above: list[int], answers: Answers) -> tuple[Question, ...]:
    """The questions that were answered with less than the grades above ask for."""
    return tuple(
        question
        for question in QUESTIONS
        if question.level(answers) is not None
        and any((question.of(each) or 0) > (question.level(answers) or 0) for grade in above for each in grades[grade])
    )


def _said(questions: Iterable[Question], answers: Answers) -> str:
    return ", and ".join(said(question, answers) for question in questions)


def _missing(possible: Grades, answers: Answers, lowest: int, highest: int) -> tuple[str, ...]:
    open_ones = [(grade, each) for grade, left in possible.items() if lowest < grade <= highest for each in left]
    missing = [
        question.missing
        for question in QUESTIONS
        if question.level(answers) is None and any(question.of(each) is not None for _, each in open_ones)
    ]
    for facet, words in NOT_ASKED.items():
        grades = sorted({grade for grade, each in open_ones if facet in each})
        if grades:
            missing.append(f"{words} (grade {', '.join(map(str, grades))}), which no question asks")
    return tuple(missing) or (f"what tells grade {lowest} from grade {highest}, which no question asks",)
