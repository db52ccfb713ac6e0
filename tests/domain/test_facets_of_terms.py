"""Terms that early-phase trials often meet, in both editions: what answers leave of the grades, read by hand from NCI.

Each row is one term, what was answered, and the lowest and highest grade. What is not answered is not known.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import pytest

from tocsin.criteria.facets import load_facets
from tocsin.domain.facets import Answers, Intervention, Limits, Symptoms, TermFacets, bounds, contradicts
from tocsin.domain.graded import Graded
from tocsin.domain.known import Known

YES, NO = Known.YES, Known.NO
LIVES: dict[str, Any] = {"life_threatening": NO, "died": NO}


@functools.cache
def _by_name(edition: str) -> Mapping[str, TermFacets]:
    return {each.term: each for each in load_facets(edition).values()}


def found(edition: str, name: str, answers: Answers) -> Graded:
    graded = bounds(_by_name(edition)[name], answers)
    assert isinstance(graded, Graded)
    return graded


@pytest.mark.rule("facets: answers bound the grade")
@pytest.mark.parametrize("edition", ["5.0", "6.0"])
@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        # Nothing is known: every grade that the term has.
        ("Nausea", {}, (1, 3)),
        ("Febrile neutropenia", {}, (3, 5)),
        ("Sepsis", {}, (3, 5)),
        ("Presyncope", {}, (2, 2)),
        # One answer is enough for a lower bound.
        ("Nausea", {"hospitalised": YES}, (3, 3)),
        ("Headache", {"limits": Limits.SELF_CARE_ADL}, (3, 3)),
        ("Encephalopathy", {"symptoms": Symptoms.MODERATE}, (2, 5)),
        ("Hypotension", {"intervention": Intervention.URGENT}, (4, 5)),
        ("Pneumonitis", {"life_threatening": YES}, (4, 5)),
        ("Seizure", {"life_threatening": YES, "died": NO}, (4, 4)),
        ("Sepsis", {"died": YES}, (5, 5)),
        # It takes a "no" to everything that a grade needs to be below it.
        ("Hypotension", {"intervention": Intervention.NONE, "hospitalised": NO, **LIVES}, (1, 1)),
        ("Hypotension", {"intervention": Intervention.MEDICAL, "hospitalised": YES, **LIVES}, (3, 3)),
        ("Hypotension", {"intervention": Intervention.MEDICAL, "hospitalised": NO, **LIVES}, (2, 3)),
        ("Encephalopathy", {"limits": Limits.SELF_CARE_ADL, "intervention": Intervention.MEDICAL, **LIVES}, (3, 3)),
        ("Febrile neutropenia", {"intervention": Intervention.MEDICAL, **LIVES}, (3, 3)),
        # The seizures themselves are asked by no question: grades stay open whatever is answered.
        ("Seizure", {"symptoms": Symptoms.ASYMPTOMATIC, "intervention": Intervention.NONE, **LIVES}, (1, 4)),
        # Where a term lacks the grade, its highest stands for it.
        ("Presyncope", {"life_threatening": YES}, (2, 2)),
        ("Presyncope", {"symptoms": Symptoms.ASYMPTOMATIC, "intervention": Intervention.NONE, **LIVES}, (2, 2)),
    ],
)
def test_in_both_editions_these_answers_leave_these_grades(
    edition: str, name: str, said: dict[str, Any], expected: tuple[int, int]
) -> None:
    graded = found(edition, name, Answers(**said))
    assert (graded.lowest, graded.highest) == expected


@pytest.mark.rule("facets: answers bound the grade")
@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("Confusion", {"limits": Limits.SELF_CARE_ADL, "intervention": Intervention.NONE, **LIVES}, (3, 3)),
        # That the disorientation was severe is asked by no question.
        ("Confusion", {"limits": Limits.NONE, "intervention": Intervention.NONE, **LIVES}, (1, 3)),
        (
            "Pneumonitis",
            {
                "symptoms": Symptoms.ASYMPTOMATIC,
                "limits": Limits.NONE,
                "intervention": Intervention.NONE,
                **LIVES,
            },
            (1, 1),
        ),
        ("Pneumonitis", {"symptoms": Symptoms.MILD}, (2, 5)),
        # A stay for observation alone is not its grade 3, which asks for one because of what followed.
        ("Infusion related reaction", {"hospitalised": YES, **LIVES, "intervention": Intervention.MEDICAL}, (1, 3)),
        ("Infusion related reaction", {"life_threatening": YES, "died": NO}, (4, 4)),
        # Urgency is grade 3 of this term where there are symptoms. Without any, its own text still goes before what
        # holds for all terms.
        ("Atrial fibrillation", {"symptoms": Symptoms.MILD, "intervention": Intervention.URGENT}, (3, 5)),
        ("Atrial fibrillation", {"symptoms": Symptoms.ASYMPTOMATIC, "intervention": Intervention.URGENT}, (3, 5)),
        (
            "Conduction disorder",
            {"symptoms": Symptoms.ASYMPTOMATIC, "intervention": Intervention.URGENT, **LIVES},
            (3, 4),
        ),
        ("Thromboembolic event", {"intervention": Intervention.URGENT, **LIVES}, (3, 4)),
    ],
)
def test_in_v5_these_answers_leave_these_grades(name: str, said: dict[str, Any], expected: tuple[int, int]) -> None:
    graded = found("5.0", name, Answers(**said))
    assert (graded.lowest, graded.highest) == expected


@pytest.mark.rule("facets: answers bound the grade")
def test_where_the_questions_cannot_tell_grades_apart_that_is_said() -> None:
    # Grades 1 to 3 are three sizes of the same operation.
    operated = Answers(intervention=Intervention.INVASIVE, limits=Limits.NONE, **LIVES)
    graded = found("5.0", "Intraoperative arterial injury", operated)
    assert (graded.lowest, graded.highest) == (1, 3)
    assert graded.missing == ("what tells grade 1 from grade 3, which no question asks",)


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_stated_grade_2_with_self_care_limited_is_a_contradiction_in_both_editions() -> None:
    for edition in ("5.0", "6.0"):
        graded = found(edition, "Headache", Answers(limits=Limits.SELF_CARE_ADL))
        assert contradicts(2, graded) == (
            "Grade 2 was stated, but the answers give at least grade 3: self care was limited."
        )
        assert contradicts(3, graded) is None
