"""CRS by the consensus, written out by hand from rules.md 3.2 and readings.md, DLT 6."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tocsin.domain.crs import CrsFacts, Device, crs_astct, is_fever
from tocsin.domain.crs_ctcae import crs_ctcae
from tocsin.domain.graded import Graded, Grading, NotGradable
from tocsin.domain.known import Known

YES, NO, UNKNOWN = Known.YES, Known.NO, Known.UNKNOWN
FEBRILE = CrsFacts(
    fever=YES, fever_earlier=NO, antipyretic=NO, anti_cytokine=NO, hypotension=NO, pressors=0, vasopressin=NO,
    device=Device.NONE,
)  # fmt: skip
AFEBRILE = replace(FEBRILE, fever=NO)
NOTHING_KNOWN = CrsFacts()
D = Device


def bounds(grading: Grading) -> tuple[int, int]:
    assert isinstance(grading, Graded), grading
    return grading.lowest, grading.highest


def but(facts: CrsFacts, name: str, fact: object) -> CrsFacts:
    """The same facts with one of them changed."""
    changed: dict[str, Any] = {name: fact}
    return replace(facts, **changed)


def astct(facts: CrsFacts) -> tuple[int, int]:
    return bounds(crs_astct(facts))


@pytest.mark.rule("rules.md 3.2")
@pytest.mark.parametrize(("celsius", "known"), [("37.9", NO), ("37.99", NO), ("38.0", YES), ("38", YES), ("41.2", YES)])
def test_fever_begins_at_38_degrees(celsius: str, known: Known) -> None:
    assert is_fever(Decimal(celsius)) is known
    assert is_fever(None) is UNKNOWN


@pytest.mark.rule("rules.md 3.2")
@pytest.mark.parametrize(
    ("hypotension", "pressors", "vasopressin", "grade"),
    [
        (NO, 0, NO, 1),
        (YES, 0, NO, 2),
        (YES, 0, YES, 3),
        (NO, 0, YES, 3),
        (YES, 1, NO, 3),
        (YES, 1, YES, 3),
        (NO, 1, NO, 3),
        (YES, 2, NO, 4),
        (YES, 2, YES, 4),
        (YES, 3, UNKNOWN, 4),
    ],
)
def test_hypotension_with_fever(hypotension: Known, pressors: int, vasopressin: Known, grade: int) -> None:
    facts = replace(FEBRILE, hypotension=hypotension, pressors=pressors, vasopressin=vasopressin)
    assert astct(facts) == (grade, grade)


@pytest.mark.rule("rules.md 3.2")
@pytest.mark.parametrize(
    ("device", "flow", "grade"),
    [
        (D.NONE, None, 1),
        (D.LOW_FLOW_NC, None, 2),
        (D.LOW_FLOW_NC, "2", 2),
        (D.LOW_FLOW_NC, "6", 2),
        (D.LOW_FLOW_NC, "6.1", 3),
        (D.BLOW_BY, None, 2),
        (D.BLOW_BY, "10", 2),
        (D.HIGH_FLOW_NC, None, 3),
        (D.HIGH_FLOW_NC, "40", 3),
        (D.HIGH_FLOW_NC, "5", 3),
        (D.FACEMASK, None, 3),
        (D.NONREBREATHER, "15", 3),
        (D.VENTURI, None, 3),
        (D.CPAP, None, 4),
        (D.BIPAP, None, 4),
        (D.INTUBATED, None, 4),
    ],
)
def test_hypoxia_with_fever(device: Device, flow: str | None, grade: int) -> None:
    facts = replace(FEBRILE, device=device, flow_l_per_min=None if flow is None else Decimal(flow))
    assert astct(facts) == (grade, grade)


@pytest.mark.rule("rules.md 3.2")
@pytest.mark.parametrize(
    ("name", "stated", "grade"),
    [("flow_l_per_min", 10, (1, 4)), ("fio2_percent", 60, (1, 4)), ("flow_l_per_min", 0, (1, 1)),
     ("fio2_percent", 21, (1, 1))],
)  # fmt: skip
def test_oxygen_that_flows_by_no_device_is_a_device_not_known(name: str, stated: int, grade: tuple[int, int]) -> None:
    facts = but(FEBRILE, name, Decimal(stated))
    assert astct(facts) == grade
    assert bounds(crs_ctcae(facts)) == grade


@pytest.mark.rule("rules.md 3.2")
def test_the_worse_of_the_two_axes_decides_and_is_named() -> None:
    worse_oxygen = crs_astct(replace(FEBRILE, hypotension=YES, device=D.VENTURI))
    assert isinstance(worse_oxygen, Graded)
    assert worse_oxygen.grade == 3
    assert worse_oxygen.reasons[0] == "Grade 3 by hypoxia: oxygen by Venturi mask."
    assert "By hypotension alone it would be grade 2: hypotension." in worse_oxygen.reasons
    worse_pressure = crs_astct(replace(FEBRILE, hypotension=YES, pressors=1, device=D.LOW_FLOW_NC))
    assert isinstance(worse_pressure, Graded)
    assert worse_pressure.reasons[0] == "Grade 3 by hypotension: one vasopressor."


@pytest.mark.rule("rules.md 3.2")
def test_intubation_only_to_protect_the_airway_is_not_grade_4() -> None:
    intubated = replace(FEBRILE, device=D.INTUBATED)
    assert astct(replace(intubated, airway_only=YES)) == (1, 1)
    assert astct(replace(intubated, airway_only=UNKNOWN)) == (1, 4)
    assert astct(intubated) == (4, 4)


@pytest.mark.rule("rules.md 3.2")
def test_death_of_it_is_grade_5_and_another_death_is_not() -> None:
    assert astct(replace(NOTHING_KNOWN, died_of_it=YES)) == (5, 5)
    assert astct(replace(AFEBRILE, died_of_it=YES)) == (5, 5)
    assert astct(replace(FEBRILE, device=D.CPAP, died_of_it=NO)) == (4, 4)
    assert astct(replace(FEBRILE, device=D.CPAP, died_of_it=UNKNOWN)) == (4, 5)


@pytest.mark.rule("rules.md 3.2")
def test_what_is_not_known_widens_the_grade_and_is_asked_for() -> None:
    found = crs_astct(replace(FEBRILE, device=D.BLOW_BY, pressors=None, vasopressin=UNKNOWN))
    assert isinstance(found, Graded)
    assert (found.lowest, found.highest, found.grade) == (2, 4, None)
    assert found.missing == ("vasopressin", "number of vasopressors")
    assert found.reasons[0] == "The facts leave grade 2 to grade 4."
    assert astct(replace(FEBRILE, hypotension=UNKNOWN)) == (1, 2)
    assert astct(replace(FEBRILE, vasopressin=UNKNOWN)) == (1, 3)
    assert astct(replace(FEBRILE, device=None)) == (1, 4)


@pytest.mark.rule("rules.md 3.2")
def test_what_cannot_change_the_grade_is_not_asked_for() -> None:
    found = crs_astct(replace(FEBRILE, device=D.BIPAP, pressors=None, hypotension=UNKNOWN, vasopressin=UNKNOWN))
    assert isinstance(found, Graded)
    assert (found.grade, found.missing) == (4, ())


@pytest.mark.rule("readings.md DLT 6")
def test_without_fever_it_is_grade_0_only_where_nothing_can_have_hidden_one() -> None:
    signs = replace(AFEBRILE, hypotension=YES, pressors=1)
    assert astct(signs) == (0, 0)
    for hidden in ("fever_earlier", "antipyretic", "anti_cytokine"):
        assert astct(but(signs, hidden, YES)) == (3, 3)
        open_ = crs_astct(but(signs, hidden, UNKNOWN))
        assert isinstance(open_, NotGradable)
        assert "worst grade 3 (hypotension: one vasopressor)" in open_.because


@pytest.mark.rule("readings.md DLT 6")
def test_without_fever_and_without_signs_it_is_grade_0_whatever_was_given() -> None:
    for known in Known:
        assert astct(replace(AFEBRILE, anti_cytokine=known)) == (0, 0)


@pytest.mark.rule("readings.md DLT 6")
def test_after_a_drug_a_fever_that_is_not_known_is_not_needed() -> None:
    assert astct(replace(FEBRILE, fever=UNKNOWN, anti_cytokine=YES, device=D.FACEMASK)) == (3, 3)
    assert astct(replace(FEBRILE, fever=UNKNOWN, anti_cytokine=YES)) == (0, 1)
    assert astct(replace(FEBRILE, fever=UNKNOWN)) == (0, 1)


@pytest.mark.rule("readings.md DLT 6")
def test_signs_are_not_gradable_while_the_fever_is_not_known() -> None:
    found = crs_astct(replace(FEBRILE, fever=UNKNOWN, pressors=2))
    assert isinstance(found, NotGradable)
    assert "worst grade 4" in found.because
    assert isinstance(crs_astct(NOTHING_KNOWN), NotGradable)
