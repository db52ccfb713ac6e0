"""What holds of CRS on every scale, whatever the facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.crs import CrsFacts, Device, crs_astct
from tocsin.domain.crs_ctcae import Edition, crs_ctcae
from tocsin.domain.graded import Graded, Grading, NotGradable
from tocsin.domain.known import Known
from tocsin.domain.side_by_side import every_scale

YES, NO, UNKNOWN = Known.YES, Known.NO, Known.UNKNOWN
D = Device


def bounds(grading: Grading) -> tuple[int, int]:
    assert isinstance(grading, Graded), grading
    return grading.lowest, grading.highest


def but(facts: CrsFacts, name: str, fact: object) -> CrsFacts:
    """The same facts with one of them changed."""
    changed: dict[str, Any] = {name: fact}
    return replace(facts, **changed)


KNOWN = st.sampled_from(Known)
FACTS = st.builds(
    CrsFacts,
    fever=KNOWN,
    fever_earlier=KNOWN,
    antipyretic=KNOWN,
    anti_cytokine=KNOWN,
    hypotension=KNOWN,
    pressors=st.none() | st.integers(0, 3),
    vasopressin=KNOWN,
    device=st.none() | st.sampled_from(Device),
    airway_only=KNOWN,
    died_of_it=KNOWN,
)
EDITIONS: tuple[Edition, ...] = ("5.0", "6.0")


def every(facts: CrsFacts) -> list[tuple[int, int]]:
    """The bounds on each scale; what is not gradable may be anything."""
    gradings = [crs_astct(facts), *(crs_ctcae(facts, edition) for edition in EDITIONS)]
    return [bounds(each) if isinstance(each, Graded) else (0, 5) for each in gradings]


@pytest.mark.rule("rules.md 3.1", "rules.md 3.2")
@given(FACTS, st.data())
def test_knowing_more_never_widens_a_grade(facts: CrsFacts, data: st.DataObject) -> None:
    learnt = replace(
        facts,
        pressors=data.draw(st.integers(0, 3)) if facts.pressors is None else facts.pressors,
        device=facts.device or data.draw(st.none() | st.sampled_from(Device)),
        **{
            name: data.draw(KNOWN)
            for name in ("fever", "fever_earlier", "antipyretic", "anti_cytokine", "hypotension", "vasopressin")
            if getattr(facts, name) is UNKNOWN
        },
    )
    for (least, most), (now_least, now_most) in zip(every(facts), every(learnt), strict=True):
        assert least <= now_least <= now_most <= most


ORDERS: dict[str, list[Known] | list[int] | list[Device]] = {
    "fever": [NO, YES],
    "hypotension": [NO, YES],
    "pressors": [0, 1, 2, 3],
    "vasopressin": [NO, YES],
    "device": [D.NONE, D.LOW_FLOW_NC, D.NONREBREATHER, D.INTUBATED],
    "died_of_it": [NO, YES],
}


@pytest.mark.rule("rules.md 3.1", "rules.md 3.2")
@given(FACTS, st.sampled_from(sorted(ORDERS)))
def test_a_worse_fact_never_lowers_a_grade(facts: CrsFacts, name: str) -> None:
    steps = [but(replace(facts, airway_only=NO), name, fact) for fact in ORDERS[name]]
    found = [every(step) for step in steps]
    is_open = any(isinstance(crs_astct(step), NotGradable) for step in steps)
    for scale in range(1 if is_open else 0, len(found[0])):
        assert [each[scale][0] for each in found] == sorted(each[scale][0] for each in found)
        assert [each[scale][1] for each in found] == sorted(each[scale][1] for each in found)


@given(FACTS)
def test_every_answer_has_its_reasons_in_whole_sentences(facts: CrsFacts) -> None:
    for grading in every_scale(facts, ctcae=EDITIONS).grades:
        if isinstance(grading, NotGradable):
            assert grading.because
        else:
            assert grading.reasons
            assert all(reason[0].isupper() and reason.endswith(".") for reason in grading.reasons)
            assert bool(grading.missing) == (grading.grade is None)


@given(FACTS)
def test_scales_that_differ_are_never_merged_and_always_explained(facts: CrsFacts) -> None:
    found = every_scale(facts, ctcae=EDITIONS)
    assert found.grades[1:] == tuple(crs_ctcae(facts, edition) for edition in EDITIONS)
    assert all(": " in said and not said.endswith(": .") for said in found.differ)
