"""The bounds of a grade from what a site answers: by hand for known terms, and for every term as a property."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.criteria.facets import load_facets
from tocsin.domain.facets import (
    Answers,
    Facet,
    Intervention,
    Limits,
    Symptoms,
    TermFacets,
    bounds,
    contradicts,
)
from tocsin.domain.graded import Graded, NotGradable
from tocsin.domain.known import Known

YES, NO = Known.YES, Known.NO
ALIVE = Answers(hospitalised=NO, life_threatening=NO, died=NO)
FINE = replace(ALIVE, symptoms=Symptoms.ASYMPTOMATIC, limits=Limits.NONE, intervention=Intervention.NONE)


@functools.cache
def _by_name(edition: str) -> Mapping[str, TermFacets]:
    return {each.term: each for each in load_facets(edition).values()}


def term(name: str, edition: str = "5.0") -> TermFacets:
    return _by_name(edition)[name]


def made(*grades: str) -> TermFacets:
    """A term whose first grade is 1, each written as in the table; "" is a grade that it lacks."""
    its = {
        grade: tuple(frozenset(map(Facet, each.split("+"))) for each in text.split("|"))
        for grade, text in enumerate(grades, 1)
        if text
    }
    return TermFacets("10000000", "Made up", "5.0", MappingProxyType(its))


def found(of: TermFacets, answers: Answers) -> Graded:
    graded = bounds(of, answers)
    assert isinstance(graded, Graded)
    return graded


def span(of: TermFacets, answers: Answers) -> tuple[int, int]:
    graded = found(of, answers)
    return graded.lowest, graded.highest


# The grades are read by hand from the criteria of v5.0.
@pytest.mark.rule("facets: answers bound the grade")
@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("Pain", {"symptoms": Symptoms.MILD, "limits": Limits.NONE}, (1, 1)),
        ("Pain", {"symptoms": Symptoms.MODERATE, "limits": Limits.NONE}, (2, 2)),
        ("Pain", {"symptoms": Symptoms.MODERATE}, (2, 3)),
        ("Pain", {"symptoms": Symptoms.MILD, "limits": Limits.SELF_CARE_ADL}, (3, 3)),
        ("Headache", {"symptoms": Symptoms.SEVERE}, (3, 3)),
        ("Vomiting", {"intervention": Intervention.NONE}, (1, 1)),
        ("Vomiting", {"intervention": Intervention.MEDICAL}, (2, 3)),
        ("Vomiting", {"hospitalised": YES}, (3, 3)),
        ("Diarrhea", {"limits": Limits.INSTRUMENTAL_ADL}, (2, 3)),
        ("Diarrhea", {"hospitalised": YES, "intervention": None}, (3, 4)),
        ("Anemia", {"symptoms": Symptoms.SEVERE, "intervention": Intervention.MEDICAL}, (1, 3)),
        ("Anemia", {"intervention": Intervention.URGENT}, (4, 4)),
        ("Febrile neutropenia", {"intervention": Intervention.MEDICAL}, (3, 3)),
        ("Lung infection", {"symptoms": Symptoms.MODERATE, "intervention": Intervention.MEDICAL}, (2, 3)),
        ("Lung infection", {"intervention": Intervention.INVASIVE}, (3, 3)),
        ("Pneumothorax", {"symptoms": Symptoms.MILD, "intervention": Intervention.NONE}, (2, 3)),
        ("Pneumothorax", {"hospitalised": YES, "intervention": Intervention.INVASIVE}, (3, 3)),
        ("Hypotension", {"intervention": Intervention.NONE}, (1, 1)),
        ("Fatigue", {"limits": Limits.NONE}, (1, 2)),
        ("Fatigue", {"limits": Limits.INSTRUMENTAL_ADL}, (2, 2)),
        # Its grade 3 says more than self care: an answer of self care alone does not settle it.
        ("Fatigue", {"limits": Limits.SELF_CARE_ADL}, (2, 3)),
        # Its grade 2 knows a changed drug, its grade 3 an intervention: a drug settles neither.
        ("Sick sinus syndrome", {"symptoms": Symptoms.MODERATE}, (2, 3)),
        ("Dyspnea", {"limits": Limits.SELF_CARE_ADL}, (3, 3)),
        ("Tooth discoloration", {}, (1, 1)),
        ("Alopecia", {"symptoms": Symptoms.SEVERE}, (1, 2)),
    ],
)
def test_these_answers_beside_a_drug_and_no_stay_leave_these_grades(
    name: str, said: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert span(term(name), replace(ALIVE, **{"intervention": Intervention.MEDICAL, **said})) == expected


@pytest.mark.rule("facets: answers bound the grade")
def test_what_is_not_said_is_never_taken_as_no() -> None:
    graded = found(term("Pneumothorax"), Answers())
    assert (graded.lowest, graded.highest) == (1, 5)
    assert graded.missing == (
        "how bad the symptoms were",
        "which intervention the event called for",
        "whether it called for hospitalisation",
        "whether it was life-threatening",
        "whether the subject died of it",
        "a criterion of the term's own (grade 3), which no question asks",
    )


@pytest.mark.rule("facets: answers bound the grade")
def test_each_bound_has_its_reason() -> None:
    pain = replace(ALIVE, symptoms=Symptoms.MODERATE, limits=Limits.NONE, intervention=Intervention.MEDICAL)
    graded = found(term("Pain"), pain)
    assert graded.reasons == (
        "At least grade 2: the symptoms were moderate.",
        "At most grade 2: the symptoms were moderate, and daily life was not limited, and a medical intervention was "
        "called for, and it was not life-threatening, and the subject did not die of it.",
    )
    assert graded.missing == ()
    assert found(term("Pain"), Answers()).reasons == ("The answers leave every grade of Pain.",)


@pytest.mark.rule("facets: answers bound the grade")
def test_a_threat_to_life_is_grade_4_and_where_there_is_none_the_highest_below_death() -> None:
    threat = Answers(life_threatening=YES, died=NO)
    assert span(term("Pneumothorax"), threat) == (4, 4)
    assert span(term("Alopecia"), threat) == (2, 2)
    assert span(made("asymptomatic", "mild", "", "", "death"), threat) == (2, 2)


@pytest.mark.rule("facets: answers bound the grade")
def test_urgency_is_grade_4_unless_a_lower_grade_names_it() -> None:
    urgent = Answers(intervention=Intervention.URGENT, life_threatening=NO, died=NO)
    assert span(made("mild", "medical", "invasive", "life_threatening"), urgent) == (4, 4)
    assert span(made("mild", "medical", "urgent", "life_threatening|urgent"), urgent) == (3, 4)


@pytest.mark.rule("facets: answers bound the grade")
def test_a_death_is_grade_5_and_is_said_where_the_term_has_none() -> None:
    assert span(term("Pneumothorax"), Answers(died=YES)) == (5, 5)
    graded = found(term("Alopecia"), Answers(died=YES))
    assert graded.grade == 2
    assert graded.reasons[-1] == "Alopecia has no grade 5 in CTCAE 5.0; the death needs a term that has one."


@pytest.mark.rule("facets: answers bound the grade")
def test_a_term_that_is_a_death_is_not_graded_where_nobody_died() -> None:
    assert bounds(term("Death NOS"), ALIVE) == NotGradable(
        found(term("Death NOS"), Answers()).scale,
        "5.0",
        "Death NOS",
        "10011914",
        "Death NOS is a death, and the subject did not die of it.",
    )
    assert span(term("Death NOS"), Answers()) == (5, 5)


@pytest.mark.rule("facets: answers bound the grade")
def test_what_no_question_asks_keeps_a_grade_open() -> None:
    graded = found(made("asymptomatic", "mild", "severe|number", "life_threatening", "death"), FINE)
    assert (graded.lowest, graded.highest) == (1, 3)
    assert graded.missing == ("a measured value (grade 3), which no question asks",)


@pytest.mark.rule("facets: answers bound the grade")
def test_facets_that_hold_together_are_affirmed_together_and_denied_by_one() -> None:
    both = made("asymptomatic", "noninvasive", "mild+medical")
    assert span(both, replace(FINE, symptoms=Symptoms.MILD)) == (1, 1)
    assert span(both, replace(ALIVE, symptoms=Symptoms.MILD, intervention=Intervention.MEDICAL)) == (3, 3)
    assert span(made("asymptomatic", "", "severe+invasive"), replace(FINE, symptoms=Symptoms.SEVERE)) == (1, 1)


@pytest.mark.rule("facets: answers bound the grade")
def test_an_answer_raises_to_the_lowest_grade_that_it_fits() -> None:
    assert span(
        made("mild", "medical", "medical|hospitalisation"), replace(ALIVE, intervention=Intervention.MEDICAL)
    ) == (2, 3)
    # An operation is not proof of a drug, and may be what a lower grade calls an intervention of its own.
    assert span(made("mild", "noninvasive+other", "invasive"), Answers(intervention=Intervention.INVASIVE))[0] == 2
    # Severe symptoms are symptoms, but the grade that names them severe is the one that fits.
    assert span(made("asymptomatic", "mild", "severe"), Answers(symptoms=Symptoms.SEVERE))[0] == 3
    assert span(made("asymptomatic", "mild", "severe"), Answers(symptoms=Symptoms.MODERATE))[0] == 2


@pytest.mark.rule("facets: answers bound the grade")
def test_a_transfusion_is_denied_only_where_nothing_was_called_for() -> None:
    its = made("mild", "medical", "transfusion")
    assert span(its, FINE) == (1, 1)
    assert span(its, replace(FINE, intervention=Intervention.NONINVASIVE)) == (1, 3)


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_grade_outside_the_bounds_is_named_with_the_answer_that_it_contradicts() -> None:
    graded = found(term("Pneumothorax"), replace(ALIVE, hospitalised=YES, intervention=Intervention.INVASIVE))
    assert contradicts(1, graded) == (
        "Grade 1 was stated, but the answers give at least grade 3: an invasive intervention was called for."
    )
    assert contradicts(3, graded) is None
    assert contradicts(4, graded) == (
        "Grade 4 was stated, but the answers give at most grade 3: an invasive intervention was called for, "
        "and it was not life-threatening, and the subject did not die of it."
    )


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_grade_that_the_term_lacks_is_named() -> None:
    assert contradicts(4, found(term("Alopecia"), Answers())) == (
        "Grade 4 was stated, but Alopecia has at most grade 2 in CTCAE 5.0."
    )


ANSWERS = st.builds(
    Answers,
    symptoms=st.none() | st.sampled_from(Symptoms),
    limits=st.none() | st.sampled_from(Limits),
    intervention=st.none() | st.sampled_from(Intervention),
    hospitalised=st.sampled_from(Known),
    life_threatening=st.sampled_from(Known),
    died=st.sampled_from(Known),
)
FIELDS = {name: getattr(Answers(), name) for name in Answers.__slots__}
# Terms whose grades are written alike answer alike: one of them stands for all.
SHAPES = tuple(
    {
        tuple(sorted((grade, frozenset(each)) for grade, each in its.grades.items())): its
        for edition in ("5.0", "6.0")
        for its in load_facets(edition).values()
    }.values()
)


@pytest.mark.rule("facets: answers bound the grade")
@settings(max_examples=60, deadline=None)
@given(answers=ANSWERS, forgotten=st.sets(st.sampled_from(sorted(FIELDS))))
def test_of_every_term_more_answers_never_leave_more_and_bounds_are_grades_that_it_has(
    answers: Answers, forgotten: set[str]
) -> None:
    fewer = replace(answers, **{name: FIELDS[name] for name in forgotten})
    for its in SHAPES:
        more, less = bounds(its, answers), bounds(its, fewer)
        if isinstance(more, NotGradable):
            assert set(its.grades) == {5}
            continue
        assert isinstance(less, Graded)
        assert less.lowest <= more.lowest <= more.highest <= less.highest, its.term
        assert {more.lowest, more.highest} <= set(its.grades), its.term


@pytest.mark.rule("facets: answers bound the grade")
@settings(max_examples=40, deadline=None)
@given(answers=ANSWERS)
def test_of_every_term_a_grade_within_the_bounds_is_no_contradiction_and_one_outside_is(answers: Answers) -> None:
    for its in SHAPES:
        graded = bounds(its, answers)
        if isinstance(graded, Graded):
            for stated in range(6):
                within = graded.lowest <= stated <= graded.highest
                assert (contradicts(stated, graded) is None) is within
            assert all(reason.endswith(".") for reason in graded.reasons)
