"""IEC-HS, its criteria and its grades, written out by hand from rules.md 3.5."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.graded import Graded, Grading, NotGradable
from tocsin.domain.iec_hs import CriteriaFacts, IecHsFacts, Level, criteria, grade_iec_hs
from tocsin.domain.known import Known

YES, NO, UNKNOWN = Known.YES, Known.NO, Known.UNKNOWN
OBSERVED = IecHsFacts(YES, NO, NO, NO, NO, NO, NO)
FERRITIN = Level(Decimal(12000), Decimal(300), Decimal(800))
TYPICAL = CriteriaFacts(
    of_the_cells=YES, another_cause=NO, ferritin=FERRITIN, ferritin_rises_rapidly=NO,
    transaminase=Level(Decimal(300), Decimal(40), Decimal(30)), fibrinogen_mg_per_dl=Decimal(250),
    fibrinogen_lln_mg_per_dl=Decimal(200), haemophagocytosis=NO, cytopenias=NO,
)  # fmt: skip


def bounds(grading: Grading) -> tuple[int, int]:
    assert isinstance(grading, Graded), grading
    return grading.lowest, grading.highest


@pytest.mark.rule("rules.md 3.5")
@pytest.mark.parametrize(
    ("facts", "grade"),
    [
        (OBSERVED, 1),
        (replace(OBSERVED, intervention=YES), 2),
        (replace(OBSERVED, intervention=YES, bleeding_transfused=YES), 3),
        (replace(OBSERVED, organ_admission=YES), 3),
        (replace(OBSERVED, life_threatening=YES), 4),
        (replace(OBSERVED, intubated=YES), 4),
        (replace(OBSERVED, dialysis=YES, organ_admission=YES), 4),
        (replace(OBSERVED, died_of_it=YES), 5),
        (replace(OBSERVED, is_iec_hs=NO, life_threatening=YES), 0),
    ],
)
def test_it_is_graded_by_what_it_needed(facts: IecHsFacts, grade: int) -> None:
    assert bounds(grade_iec_hs(facts)) == (grade, grade)


@pytest.mark.rule("rules.md 3.5")
def test_what_is_not_known_widens_the_grade() -> None:
    assert bounds(grade_iec_hs(IecHsFacts(YES))) == (1, 4)
    found = grade_iec_hs(replace(OBSERVED, intervention=YES, organ_admission=UNKNOWN))
    assert isinstance(found, Graded)
    assert (found.lowest, found.highest, found.missing) == (2, 3, ("severity",))


@pytest.mark.rule("rules.md 3.5")
def test_without_the_diagnosis_there_is_no_grade_but_the_worst_is_told() -> None:
    found = grade_iec_hs(replace(OBSERVED, is_iec_hs=UNKNOWN, organ_admission=YES))
    assert isinstance(found, NotGradable)
    assert found.because == "whether it is IEC-HS is not known; if it is, grade 3, worst grade 3"
    assert bounds(grade_iec_hs(replace(OBSERVED, is_iec_hs=UNKNOWN, died_of_it=YES))) == (5, 5)


@pytest.mark.rule("rules.md 3.5")
def test_the_criteria_are_met_by_ferritin_and_a_common_sign() -> None:
    found = criteria(TYPICAL)
    assert found
    assert not found.is_provisional
    assert any("transaminases above five times" in reason for reason in found.reasons)


@pytest.mark.rule("rules.md 3.5")
@pytest.mark.parametrize(
    "facts",
    [
        replace(TYPICAL, another_cause=YES),
        replace(TYPICAL, of_the_cells=NO),
        # Exactly twice is not above, on either measure, and it does not rise.
        replace(TYPICAL, ferritin=Level(Decimal(600), Decimal(300), Decimal(300))),
    ],
)
def test_the_criteria_are_not_met_where_one_is_known_to_fail(facts: CriteriaFacts) -> None:
    found = criteria(facts)
    assert not found
    assert found.reasons[0].startswith("does not hold: ")


@pytest.mark.rule("rules.md 3.5")
@pytest.mark.parametrize(
    "ferritin",
    [
        Level(Decimal(601), Decimal(300), Decimal(900)),
        Level(Decimal(601), None, Decimal(300)),
        Level(Decimal(601), Decimal(300), None),
    ],
)
def test_ferritin_above_twice_the_limit_or_the_baseline_is_enough(ferritin: Level) -> None:
    assert not criteria(replace(TYPICAL, ferritin=ferritin)).is_provisional


@pytest.mark.rule("rules.md 3.5")
def test_a_rapid_rise_stands_for_the_level() -> None:
    found = criteria(replace(TYPICAL, ferritin=Level(Decimal(100), Decimal(300)), ferritin_rises_rapidly=YES))
    assert found
    assert not found.is_provisional


@pytest.mark.rule("rules.md 3.5")
@pytest.mark.parametrize(
    "facts",
    [
        CriteriaFacts(),
        replace(TYPICAL, of_the_cells=UNKNOWN),
        replace(TYPICAL, another_cause=UNKNOWN),
        replace(TYPICAL, ferritin=Level()),
        replace(TYPICAL, ferritin=Level(Decimal(500), Decimal(300))),
        replace(TYPICAL, transaminase=Level()),
        # None of the common signs: a physician decides, not the machine.
        replace(TYPICAL, transaminase=Level(Decimal(40), Decimal(40), Decimal(40))),
    ],
)
def test_a_fact_that_is_not_known_is_never_a_no(facts: CriteriaFacts) -> None:
    found = criteria(facts)
    assert found
    assert found.is_provisional
    assert any(reason.startswith(("not known: ", "none of the common signs")) for reason in found.reasons)


@pytest.mark.rule("rules.md 3.5")
@pytest.mark.parametrize(
    "sign",
    [
        {"fibrinogen_mg_per_dl": Decimal(149)},
        {"fibrinogen_mg_per_dl": Decimal(190)},
        {"haemophagocytosis": YES},
        {"cytopenias": YES},
    ],
)
def test_any_common_sign_will_do(sign: dict[str, Decimal | Known]) -> None:
    without = replace(TYPICAL, transaminase=Level(Decimal(200), Decimal(40), Decimal(40)))
    assert criteria(without).is_provisional
    assert not criteria(replace(without, **sign)).is_provisional  # type: ignore[arg-type]


KNOWN = st.sampled_from(Known)
NEEDS = ("intervention", "bleeding_transfused", "organ_admission", "life_threatening", "intubated", "dialysis")


@pytest.mark.rule("rules.md 3.5")
@given(st.lists(KNOWN, min_size=6, max_size=6), st.sampled_from(NEEDS))
def test_a_worse_fact_never_lowers_and_knowing_never_widens(known: list[Known], name: str) -> None:
    facts = IecHsFacts(YES, *known)
    no, open_, yes = (bounds(grade_iec_hs(replace(facts, **{name: fact}))) for fact in (NO, UNKNOWN, YES))
    assert no[0] <= yes[0]
    assert no[1] <= yes[1]
    assert open_[0] <= no[0]
    assert yes[1] <= open_[1]
