"""A stated grade outside what the site's answers leave: named in both languages, with the lines between."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.criteria.facets import load_facets
from tocsin.domain.answer_check import Mismatch, check
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Event, GradeStep
from tocsin.domain.facets import Intervention, Limits, Symptoms
from tocsin.domain.known import Known
from tocsin.domain.words import Criterion, Outcome, Scale

TERMS = {term.term: term for term in load_facets("5.0").values()}
STAY = frozenset({Criterion.HOSPITALISATION})
THREAT = frozenset({Criterion.LIFE_THREATENING})


def checked(term: str, grade: int | None, **facts: Any) -> Mismatch | None:
    grades = () if grade is None else ((Scale.CTCAE, grade),)
    return check(Event("E1", "as told", grades=grades, **facts), TERMS[term])


def differing(term: str, grade: int, **facts: Any) -> Mismatch:
    found = checked(term, grade, **facts)
    assert found is not None
    return found


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_grade_below_the_least_that_the_answers_make_it_is_asked_in_both_languages() -> None:
    found = differing("Pneumothorax", 1, criteria=STAY, intervention=Intervention.INVASIVE)

    assert (found.site, found.broken, found.because) == (1, "at least 3", "an invasive intervention was called for")
    assert found.english == (
        "You graded this event 1 (CTCAE 5.0). What you told of it makes it at least grade 3 of Pneumothorax: an "
        "invasive intervention was called for. We keep both. Please check: correct the grade or what you told, or "
        "tell us why both stand."
    )
    assert found.chinese == (
        "贵中心将该事件评为1级（CTCAE 5.0）。按贵中心所述（需要有创干预），Pneumothorax 至少为3级。"
        "两者我们均保留。请核对：更正分级或所述内容，或说明为何均不变。"
    )


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_grade_above_the_most_that_the_answers_leave_is_asked_and_crosses_no_line() -> None:
    found = differing(
        "Headache", 3, symptoms=Symptoms.MILD, limits=Limits.NONE, intervention=Intervention.MEDICAL,
        stated_serious=Known.NO,
    )  # fmt: skip

    assert (found.broken, found.crosses) == ("at most 1", ())
    assert (
        "makes it at most grade 1 of Headache: the symptoms were mild, and daily life was not limited" in found.english
    )
    assert "症状轻微，日常生活未受限" in found.chinese
    assert "最高为1级" in found.chinese


@pytest.mark.rule("facets: a contradiction is seen")
@pytest.mark.parametrize(
    ("term", "grade", "expected"),
    [
        ("Febrile neutropenia", 2, "Febrile neutropenia has at least grade 3 in CTCAE 5.0."),
        ("Alopecia", 4, "Alopecia has at most grade 2 in CTCAE 5.0."),
    ],
)
def test_a_grade_that_the_term_lacks_is_asked_about_without_any_answer(term: str, grade: int, expected: str) -> None:
    found = differing(term, grade)
    assert (found.because, expected in found.english) == ("", True)
    assert f"在 CTCAE 5.0 中，{term} " in found.chinese


@pytest.mark.rule("facets: a contradiction is seen")
@pytest.mark.parametrize(
    ("grade", "criteria", "expected"),
    [(1, STAY, (3,)), (2, THREAT, (3, 4)), (3, THREAT, (4,)), (1, THREAT, (3, 4))],
)
def test_the_lines_between_the_stated_grade_and_the_least_are_named(
    grade: int, criteria: frozenset[Criterion], expected: tuple[int, ...]
) -> None:
    assert differing("Diarrhea", grade, criteria=criteria).crosses == expected


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_death_is_marked_as_one() -> None:
    assert differing("Diarrhea", 3, outcome=Outcome.FATAL).is_of_a_death
    assert not differing("Diarrhea", 2, criteria=THREAT).is_of_a_death


@pytest.mark.rule("facets: a contradiction is seen")
def test_what_fits_and_what_is_not_graded_asks_nothing() -> None:
    assert checked("Diarrhea", 3, criteria=STAY) is None
    assert checked("Diarrhea", None, criteria=THREAT) is None
    assert checked("Diarrhea", 2, limits=Limits.INSTRUMENTAL_ADL) is None
    assert checked("Diarrhea", 1, asymptomatic=Known.YES) is None
    assert checked("Death NOS", 3, stated_serious=Known.NO) is None


@pytest.mark.rule("facets: a contradiction is seen")
def test_the_highest_grade_of_the_course_is_what_the_site_states() -> None:
    course = (GradeStep(3, Scale.CTCAE, Partial.parse("2026-05-13")),)
    assert checked("Diarrhea", 1, criteria=STAY, course=course) is None
    astct = (GradeStep(3, Scale.ASTCT, Partial.parse("2026-05-13")),)
    assert differing("Diarrhea", 1, criteria=STAY, course=astct).site == 1
