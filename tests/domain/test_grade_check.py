"""The site's grade beside the computed one."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.cases import SHANGHAI, coded, event
from tests.domain.observed import ALT, ANC, anc, derived
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Coded, Event, GradeStep
from tocsin.domain.derived import Derived
from tocsin.domain.grade_check import Difference, Worst, compare, worst_with_computed
from tocsin.domain.words import Outcome, Scale

CRS = "Cytokine release syndrome"


def differences(of: Event, *found: Derived, by: Coded | None = None) -> tuple[Difference, ...]:
    return compare(of, by, found, SHANGHAI)


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_a_site_that_grades_lower_than_the_number_is_asked_and_the_line_is_named() -> None:
    neutropenia = event("neutropenia", grade=3, onset="2026-03-04")
    (one,) = differences(neutropenia, anc("2026-03-05T07:30", "0.7", 3), anc("2026-03-08T07:30", "0.4", 4))
    assert (one.event_id, one.site, one.lowest, one.highest) == ("TOC-0031-E1", 3, 4, 4)
    assert (one.is_site_lower, one.crosses, one.may_cross) == (True, (4,), ())
    assert one.deciding == anc("2026-03-08T07:30", "0.4", 4)
    assert one.english == (
        "You graded this event 3 (CTCAE 5.0). neutrophils 0.4 10*9/L of 2026-03-08T07:30 is grade 4 of Neutrophil "
        "count decreased. We keep both grades. Please check: correct the grade, or tell us why it stands."
    )
    assert one.chinese == (
        "贵中心将该事件评为3级（CTCAE 5.0）。2026-03-08T07:30，neutrophils 0.4 10*9/L，按 Neutrophil count decreased 为"
        "4级。两个分级我们均保留。请核对：更正分级，或说明为何不变。"
    )


@pytest.mark.parametrize(
    ("site", "lowest", "highest", "crosses", "may_cross"),
    [
        (1, 4, 4, (3, 4), ()),
        (2, 3, 3, (3,), ()),
        (2, 3, 4, (3,), (4,)),
        (1, 2, 2, (), ()),
        (1, 2, 4, (), (3, 4)),
        (3, 4, 4, (4,), ()),
        (4, 2, 2, (), ()),
    ],
)
@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_the_lines_between_the_two_grades_are_those_of_3_and_4(
    site: int, lowest: int, highest: int, crosses: tuple[int, ...], may_cross: tuple[int, ...]
) -> None:
    (one,) = differences(event("neutropenia", grade=site), derived(ANC, "2026-03-05", lowest, highest))
    assert (one.crosses, one.may_cross) == (crosses, may_cross)


@pytest.mark.parametrize(("site", "is_different"), [(1, True), (2, False), (3, False), (4, False)])
def test_a_grade_that_the_values_leave_open_is_no_difference_and_the_higher_one_is_left_to_the_site(
    site: int, is_different: bool
) -> None:
    """From 2 to 3, for want of a baseline: a 4 may rest on what the number does not say."""
    found = derived("Creatinine increased", "2026-03-05", 2, 3, missing=["the baseline"])
    assert bool(differences(event("creatinine raised", grade=site), found)) is is_different


def test_a_site_that_grades_higher_is_asked_kindly_where_the_number_settles_it() -> None:
    (one,) = differences(event("neutropenia", grade=4), anc("2026-03-05T07:30", "0.7", 3))
    assert not one.is_site_lower
    assert one.english == (
        "You graded this event 4 (CTCAE 5.0). The worst value that we hold, neutrophils 0.7 10*9/L of "
        "2026-03-05T07:30, is grade 3 of Neutrophil count decreased. You may know what we do not: a value that has not "
        "reached us, or how the patient was. Your grade stands until you change it. Please send what it rests on, or "
        "correct it."
    )
    assert "在贵中心更正之前，贵中心的分级有效" in one.chinese


def test_a_grade_that_lacks_a_clinical_fact_does_not_question_a_higher_one() -> None:
    found = derived("Hypokalemia", "2026-03-05", 3, missing=["whether it was life-threatening"])
    assert differences(event("hypokalemia", grade=4), found) == ()


def test_a_higher_grade_of_what_is_not_graded_by_number_alone_is_left_to_the_site() -> None:
    """Anaemia of grade 4 is a threat to life, whatever the haemoglobin; CRS is what the ward saw."""
    assert differences(event("anaemia", grade=4), derived("Anemia", "2026-03-05", 3)) == ()
    assert differences(event("CRS", astct=4), derived(CRS, "2026-03-05", 2, scale=Scale.ASTCT, edition="2019")) == ()
    assert differences(event("anaemia", grade=2), derived("Anemia", "2026-03-05", 3))[0].crosses == (3,)


def test_a_death_is_not_questioned_by_a_number() -> None:
    assert differences(event("neutropenia", grade=5, outcome=Outcome.FATAL), anc("2026-03-05", "0.4", 4)) == ()


def test_a_site_that_gives_no_grade_has_none_to_compare() -> None:
    assert differences(event("neutropenia"), anc("2026-03-05", "0.4", 4)) == ()


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_grades_of_two_scales_are_never_compared() -> None:
    crs = event("CRS", grade=3, astct=2)
    by_astct = derived(CRS, "2026-03-05", 3, scale=Scale.ASTCT, edition="2019")
    by_ctcae = derived(CRS, "2026-03-05", 3)
    (one,) = differences(crs, by_astct, by_ctcae)
    assert (one.scale, one.site, one.lowest) == (Scale.ASTCT, 2, 3)
    assert differences(event("CRS", grade=1), by_astct) == ()


def test_febrile_neutropenia_has_a_grade_of_its_own() -> None:
    assert differences(event("febrile neutropenia", grade=3), anc("2026-03-05", "0.1", 4)) == ()
    assert (
        differences(event("neutropenia", grade=3), anc("2026-03-05", "0.1", 4), by=coded("Febrile neutropenia")) == ()
    )


def test_only_values_of_the_time_of_the_event_count() -> None:
    first = event("neutropenia", grade=3, onset="2026-03-04", end=Partial.parse("2026-03-09"))
    assert differences(first, anc("2026-03-20", "0.1", 4), anc("2026-03-05", "0.7", 3)) == ()


def test_the_worst_of_the_sites_course_is_what_is_compared() -> None:
    step = GradeStep(3, Scale.CTCAE, Partial.parse("2026-03-06"))
    assert differences(event("neutropenia", grade=2, course=(step,)), anc("2026-03-05", "0.7", 3)) == ()
    assert differences(event("neutropenia", grade=2), anc("2026-03-05", "0.7", 3))[0].crosses == (3,)


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_the_worse_of_both_is_judged_and_neither_is_overwritten() -> None:
    neutropenia = event("neutropenia", grade=3)
    found = worst_with_computed(neutropenia, [anc("2026-03-05T07:30", "0.4", 4)])
    assert found == Worst(
        4,
        4,
        (
            "the site grades it 3",
            "neutrophils 0.4 10*9/L of 2026-03-05T07:30 is grade 4 of Neutrophil count decreased (CTCAE 5.0)",
            "as measured",
        ),
    )
    assert neutropenia.worst_grade() == 3


@pytest.mark.parametrize(
    ("site", "computed", "grade", "at_most"),
    [
        (None, None, None, None),
        (3, None, 3, 3),
        (None, (4, 4), 4, 4),
        (4, (2, 2), 4, 4),
        (2, (1, 3), 2, 3),
        (None, (0, 2), 0, 2),
    ],
)
def test_the_worse_of_both_is_the_least_it_can_be_and_the_most(
    site: int | None, computed: tuple[int, int] | None, grade: int | None, at_most: int | None
) -> None:
    found = [] if computed is None else [derived(ALT, "2026-03-05", *computed)]
    worst = worst_with_computed(event("ALT increased", grade=site), found)
    assert (worst.grade, worst.at_most) == (grade, at_most)


def test_the_worse_of_both_on_one_scale_leaves_the_other_out() -> None:
    crs = event("CRS", grade=1, astct=2)
    by_astct = derived(CRS, "2026-03-05", 3, scale=Scale.ASTCT, edition="2019")
    assert worst_with_computed(crs, [by_astct], Scale.CTCAE).grade == 1
    assert worst_with_computed(crs, [by_astct], Scale.ASTCT).grade == 3
    assert worst_with_computed(crs, [by_astct]).grade == 3


values = st.lists(
    st.builds(
        lambda day, least, more: derived(ANC, f"2026-03-{day:02d}", least, min(least + more, 4)),
        st.integers(1, 31), st.integers(0, 4), st.integers(0, 2),
    ),
    max_size=8,
)  # fmt: skip


@given(values, st.none() | st.integers(1, 5), st.randoms(use_true_random=False))
@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_neither_the_order_nor_a_repeat_of_values_changes_what_is_said(
    found: list[Derived], site: int | None, random: Random
) -> None:
    of = event("neutropenia", grade=site)
    before, worst = differences(of, *found), worst_with_computed(of, found)
    random.shuffle(found)
    assert differences(of, *found, *found[:1]) == before
    assert worst_with_computed(of, [*found, *found[:1]]) == worst


@given(values, st.integers(1, 4))
@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_a_site_below_what_any_value_must_be_is_always_asked(found: list[Derived], site: int) -> None:
    said = differences(event("neutropenia", grade=site), *found)
    is_below = any(one.grading.lowest > site for one in found)
    assert any(one.is_site_lower for one in said) is is_below
    if is_below:
        assert (4 in said[0].crosses) is any(one.grading.lowest >= 4 for one in found)
