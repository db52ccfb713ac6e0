"""What a report answers of an event: read as seriousness reads it, and nothing that is not said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.criteria.facets import load_facets
from tocsin.domain import seriousness
from tocsin.domain.answered import answers_of
from tocsin.domain.case import Event
from tocsin.domain.facets import Answers, Intervention, Limits, Symptoms, bounds
from tocsin.domain.graded import Graded
from tocsin.domain.known import Known
from tocsin.domain.words import Criterion, Outcome, Scale

YES, NO, UNKNOWN = Known.YES, Known.NO, Known.UNKNOWN
DEATH, THREAT, STAY = Criterion.DEATH, Criterion.LIFE_THREATENING, Criterion.HOSPITALISATION
IMPORTANT = Criterion.MEDICALLY_IMPORTANT


def event(verbatim: str = "cough", **facts: Any) -> Event:
    if "criteria" in facts:
        facts["criteria"] = frozenset(facts["criteria"])
    return Event("E1", verbatim, **facts)


def grave(**facts: Any) -> tuple[Known, Known, Known]:
    """Hospitalised, life-threatening, died."""
    found = answers_of(event(**facts))
    return found.hospitalised, found.life_threatening, found.died


@pytest.mark.rule("facets: what a report answers")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"stated_serious": YES}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"stated_serious": NO}, (NO, NO, NO)),
        ({"criteria": {STAY}}, (YES, UNKNOWN, UNKNOWN)),
        ({"criteria": {THREAT}}, (UNKNOWN, YES, UNKNOWN)),
        ({"criteria": {DEATH}}, (UNKNOWN, UNKNOWN, YES)),
        ({"criteria": {IMPORTANT}, "stated_serious": YES}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"outcome": Outcome.FATAL}, (UNKNOWN, UNKNOWN, YES)),
        ({"grades": ((Scale.CTCAE, 5),)}, (UNKNOWN, UNKNOWN, YES)),
        ({"outcome": Outcome.UNKNOWN}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"outcome": Outcome.RECOVERED}, (UNKNOWN, UNKNOWN, NO)),
        ({"outcome": Outcome.NOT_RECOVERED, "criteria": {STAY}}, (YES, UNKNOWN, NO)),
    ],
)
def test_hospitalised_life_threatening_and_died_come_from_what_is_said_of_seriousness(
    facts: dict[str, Any], expected: tuple[Known, Known, Known]
) -> None:
    assert grave(**facts) == expected


@pytest.mark.rule("facets: what a report answers")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # "Not serious" beside a criterion or a death is a contradiction, read at its worst: it denies nothing.
        ({"stated_serious": NO, "criteria": {STAY}}, (YES, UNKNOWN, UNKNOWN)),
        ({"stated_serious": NO, "criteria": {IMPORTANT}}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"stated_serious": NO, "outcome": Outcome.FATAL}, (UNKNOWN, UNKNOWN, YES)),
        ({"criteria": {DEATH}, "outcome": Outcome.RECOVERED}, (UNKNOWN, UNKNOWN, YES)),
        ({"grades": ((Scale.CTCAE, 5),), "outcome": Outcome.RECOVERING}, (UNKNOWN, UNKNOWN, YES)),
        # Words alone are taken for true until the site answers, so they are no answer, and neither is "no".
        ({"verbatim": "found dead", "stated_serious": NO}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"verbatim": "found dead", "outcome": Outcome.NOT_RECOVERED}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"verbatim": "cardiac arrest", "stated_serious": NO}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        # A grade 4 is no threat to life, and where nobody says more it is none that was denied.
        ({"grades": ((Scale.CTCAE, 4),)}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"grades": ((Scale.CTCAE, 4),), "stated_serious": NO}, (NO, NO, NO)),
    ],
)
def test_what_is_contradicted_or_only_taken_for_true_is_no_answer(
    facts: dict[str, Any], expected: tuple[Known, Known, Known]
) -> None:
    assert grave(**facts) == expected


@pytest.mark.rule("facets: what a report answers")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        ({"asymptomatic": YES}, Symptoms.ASYMPTOMATIC),
        ({"asymptomatic": NO}, None),
        ({"symptoms": Symptoms.MILD}, Symptoms.MILD),
        ({"symptoms": Symptoms.ASYMPTOMATIC}, Symptoms.ASYMPTOMATIC),
        ({"asymptomatic": YES, "symptoms": Symptoms.SEVERE}, Symptoms.SEVERE),
        ({"asymptomatic": NO, "symptoms": Symptoms.ASYMPTOMATIC}, None),
        ({"asymptomatic": YES, "criteria": {THREAT}}, None),
        ({"symptoms": Symptoms.ASYMPTOMATIC, "criteria": {DEATH}}, None),
        ({"asymptomatic": YES, "criteria": {STAY}}, Symptoms.ASYMPTOMATIC),
        ({"asymptomatic": YES, "grades": ((Scale.CTCAE, 4),)}, Symptoms.ASYMPTOMATIC),
    ],
)
def test_asymptomatic_is_an_answer_about_symptoms_unless_another_says_otherwise(
    facts: dict[str, Any], expected: Symptoms | None
) -> None:
    assert answers_of(event(**facts)).symptoms is expected


@pytest.mark.rule("facets: what a report answers")
def test_limits_and_intervention_are_carried_and_none_beside_a_treatment_is_no_answer() -> None:
    said = {"limits": Limits.SELF_CARE_ADL, "intervention": Intervention.NONE}
    assert answers_of(event(**said)) == Answers(limits=Limits.SELF_CARE_ADL, intervention=Intervention.NONE)
    assert answers_of(event(**said, treated=YES)).intervention is None
    assert answers_of(event(**said, treatment="meropenem")).intervention is None
    assert answers_of(event(**said, treated=NO)).intervention is Intervention.NONE
    assert answers_of(event(intervention=Intervention.URGENT, treated=YES)).intervention is Intervention.URGENT


EVENTS = st.builds(
    event,
    verbatim=st.sampled_from(["cough", "found dead", "cardiac arrest", "肺炎"]),
    stated_serious=st.sampled_from(Known),
    criteria=st.sets(st.sampled_from(Criterion), max_size=2),
    outcome=st.none() | st.sampled_from(Outcome),
    asymptomatic=st.sampled_from(Known),
    symptoms=st.none() | st.sampled_from(Symptoms),
    limits=st.none() | st.sampled_from(Limits),
    intervention=st.none() | st.sampled_from(Intervention),
)


@pytest.mark.rule("facets: what a report answers")
@given(EVENTS)
def test_the_answers_never_deny_what_seriousness_finds(of: Event) -> None:
    judged, answers = seriousness.of(of, None), answers_of(of)
    if judged.fatal:
        assert answers.died is not NO
    if judged.life_threatening:
        assert answers.life_threatening is not NO
    if of.stated_serious is not NO:
        assert NO not in (answers.hospitalised, answers.life_threatening)


QUIET = st.builds(
    event,
    stated_serious=st.sampled_from([UNKNOWN, YES]),
    criteria=st.sets(st.sampled_from([STAY, THREAT, IMPORTANT])),
    outcome=st.none() | st.sampled_from([Outcome.RECOVERED, Outcome.UNKNOWN]),
    symptoms=st.none() | st.sampled_from([Symptoms.MILD, Symptoms.MODERATE, Symptoms.SEVERE]),
    limits=st.none() | st.sampled_from(Limits),
    intervention=st.none() | st.sampled_from(Intervention),
)
NAMES = ("Diarrhea", "Pneumothorax", "Hypotension", "Headache", "Lung infection", "Fatigue", "Alopecia")
TERMS = [term for term in load_facets("5.0").values() if term.term in NAMES]


@pytest.mark.rule("facets: answers bound the grade")
@settings(max_examples=150)
@given(QUIET, st.sets(st.sampled_from(["symptoms", "limits", "intervention", "criteria", "outcome"])))
def test_a_report_that_says_more_never_leaves_more_grades(whole: Event, forgotten: set[str]) -> None:
    facts = {name: getattr(whole, name) for name in Event.__slots__ if name not in forgotten}
    for term in TERMS:
        more, less = bounds(term, answers_of(whole)), bounds(term, answers_of(Event(**facts)))
        assert isinstance(more, Graded)
        assert isinstance(less, Graded)
        assert less.lowest <= more.lowest <= more.highest <= less.highest
