"""A case history for each rule and each exclusion that looks at an event, with both sides of each limit and edge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.cases import at
from tests.domain.dlt.told import NO, ONSET, YES, judged, nullified, subject, told, verdict
from tests.domain.observed import derived
from tocsin.domain.case import Opinion
from tocsin.domain.dlt.subject import Reported
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.known import Known
from tocsin.domain.words import Agent, Criterion, CrsScale, Outcome, Party

NONE, NOT, POTENTIAL, PENDING, MET = (
    State.NONE, State.NOT_DLT, State.POTENTIAL_DLT, State.PENDING_DURATION, State.MET_BY_RULE,
)  # fmt: skip

CRS = "Cytokine release syndrome"
DAY_3, DAY_5, DAY_20 = "2026-03-05T09:00", "2026-03-07T09:00", "2026-03-22T09:00"
EXACTLY_168_H, LATER_168_H = "2026-03-12T08:00", "2026-03-12T08:01"


def fell(to: int, when: str, *, grade: int = 3) -> list[tuple[int, str]]:
    """A course from the onset on, and down."""
    return [(grade, ONSET), (to, when)]


def crs(grade: int, **facts: Any) -> Reported:
    return told("CRS", term=CRS, grade=grade, **facts)


def icans(grade: int, **facts: Any) -> Reported:
    return told("ICANS", astct=grade, **facts)


def death(**facts: Any) -> Reported:
    return told("multi-organ failure", outcome=Outcome.FATAL, criteria=[Criterion.DEATH], grade=5, **facts)


HISTORIES = [
    # DLT-01: death from any cause in the window.
    ("DLT-01", death(), DAY_5, MET, "DLT-01", False),
    ("DLT-01", death(investigator=None, sponsor=None), DAY_5, MET, "DLT-01", True),
    ("DLT-01", death(investigator=NO, sponsor=NO), DAY_5, MET, "DLT-01", True),
    ("DLT-01", death(onset="2026-03-30T23:59"), DAY_20, MET, "DLT-01", False),
    ("DLT-01", death(onset="2026-03-31T00:00"), "2026-04-02T09:00", NONE, None, False),
    ("DLT-01", death(onset="2026-03-02T09:00"), DAY_5, NONE, None, False),
    # DLT-02: CRS grade 4, at once, by the worse of both scales.
    ("DLT-02", crs(4), DAY_3, MET, "DLT-02", False),
    ("DLT-02", crs(2, astct=4), DAY_3, MET, "DLT-02", False),
    ("DLT-02", crs(4, investigator=None, sponsor=None), DAY_3, MET, "DLT-02", True),
    ("DLT-02", crs(4, investigator=NO, sponsor=None), DAY_3, MET, "DLT-02", True),
    ("DLT-02", crs(4, investigator=NO, sponsor=NO), DAY_3, NOT, "DLT-02", False),
    ("DLT-02", crs(4, onset="2026-03-30T23:59"), "2026-03-31T09:00", MET, "DLT-02", False),
    ("DLT-02", crs(4, onset="2026-03-31T00:00"), "2026-03-31T09:00", NONE, None, False),
    # DLT-03: CRS grade 3 for more than 168 h.
    ("DLT-03", crs(3), DAY_5, PENDING, "DLT-03", False),
    ("DLT-03", crs(3), EXACTLY_168_H, PENDING, "DLT-03", False),
    ("DLT-03", crs(3), LATER_168_H, MET, "DLT-03", True),
    ("DLT-03", crs(3, course=fell(2, EXACTLY_168_H)), DAY_20, NOT, "DLT-03", False),
    ("DLT-03", crs(3, course=fell(2, LATER_168_H)), DAY_20, MET, "DLT-03", False),
    ("DLT-03", crs(3, end=EXACTLY_168_H), DAY_20, NOT, "DLT-03", False),
    ("DLT-03", crs(3, end=LATER_168_H), DAY_20, MET, "DLT-03", False),
    ("DLT-03", crs(1, astct=3), DAY_5, PENDING, "DLT-03", False),
    ("DLT-03", crs(2), DAY_5, NONE, None, False),
    # DLT-04, DLT-05: ICANS by ASTCT, recognised without a code.
    ("DLT-04", icans(4), DAY_3, MET, "DLT-04", False),
    ("DLT-04", icans(4, investigator=NO, sponsor=NO), DAY_3, NOT, "DLT-04", False),
    ("DLT-05", icans(3), DAY_5, PENDING, "DLT-05", False),
    ("DLT-05", icans(3, astct_course=fell(1, EXACTLY_168_H)), DAY_20, NOT, "DLT-05", False),
    ("DLT-05", icans(3, astct_course=fell(1, LATER_168_H)), DAY_20, MET, "DLT-05", False),
    ("DLT-05", icans(2), DAY_5, NONE, None, False),
    # DLT-06: other neurotoxicity of grade 3 or more, at once.
    ("DLT-06", told("parkinsonism", grade=3), DAY_3, MET, "DLT-06", False),
    ("DLT-06", told("Guillain-Barre syndrome", term="Guillain-Barre syndrome", grade=3), DAY_3, MET, "DLT-06", False),
    ("DLT-06", told("transverse myelitis", grade=4), DAY_3, MET, "DLT-06", False),
    ("DLT-06", told("facial nerve palsy", grade=3), DAY_3, MET, "DLT-06", False),
    ("DLT-06", told("facial nerve palsy", grade=2), DAY_3, NONE, None, False),
    # DLT-07: IEC-HS; grade 4 at once, grade 3 for more than 168 h.
    ("DLT-07", told("IEC-HS", grade=4), DAY_3, MET, "DLT-07", False),
    ("DLT-07", told("IEC-HS", grade=3), DAY_3, PENDING, "DLT-07", False),
    ("DLT-07", told("HLH", grade=3, end=EXACTLY_168_H), DAY_20, NOT, "DLT-07", False),
    ("DLT-07", told("HLH", grade=3, end=LATER_168_H), DAY_20, MET, "DLT-07", False),
    # DLT-11: any other event of grade 4.
    ("DLT-11", told("myocarditis", grade=4), DAY_3, MET, "DLT-11", False),
    ("DLT-11", told("DIC", term="Disseminated intravascular coagulation", grade=4), DAY_3, MET, "DLT-11", False),
    ("DLT-11", told("hemolysis", term="Hemolysis", grade=4), DAY_3, MET, "DLT-11", False),
    ("DLT-11", told("myocarditis", grade=4, investigator=NO, sponsor=NO), DAY_3, NOT, "DLT-11", False),
    # DLT-12: any other event of grade 3 for more than 168 h.
    ("DLT-12", told("myocarditis", grade=3), DAY_3, PENDING, "DLT-12", False),
    ("DLT-12", told("myocarditis", grade=3, end=EXACTLY_168_H), DAY_20, NOT, "DLT-12", False),
    ("DLT-12", told("myocarditis", grade=3, end=LATER_168_H), DAY_20, MET, "DLT-12", False),
    ("DLT-12", told("myocarditis", grade=3), DAY_20, MET, "DLT-12", True),
    ("DLT-12", told("myocarditis", grade=2), DAY_20, NONE, None, False),
    # DLT-14: infusion or allergic reaction of grade 3 for more than 24 h; anaphylaxis at once; grade 4 by DLT-11.
    ("DLT-14", told("infusion reaction", term="Infusion related reaction", grade=3), DAY_3, PENDING, "DLT-14", False),
    ("DLT-14", told("infusion reaction", term="Infusion related reaction", grade=3, end="2026-03-06T08:00"), DAY_5,
     NOT, "DLT-14", False),
    ("DLT-14", told("infusion reaction", term="Infusion related reaction", grade=3, end="2026-03-06T08:01"), DAY_5,
     MET, "DLT-14", False),
    ("DLT-14", told("infusion reaction", term="Infusion related reaction", grade=4, course=fell(2, "2026-03-06T02:00",
     grade=4)), DAY_5, MET, "DLT-11", False),
    ("DLT-14", told("anaphylaxis", term="Anaphylaxis", grade=3, end="2026-03-05T10:00"), DAY_5, MET, "DLT-14", False),
    # DLT-15: infection; grade 4 at once, grade 3 only by the committee.
    ("DLT-15", told("lung infection", term="Lung infection", grade=4), DAY_3, MET, "DLT-15", False),
    ("DLT-15", told("lung infection", term="Lung infection", grade=3), DAY_3, POTENTIAL, "DLT-15", False),
    ("DLT-15", told("lung infection", term="Lung infection", grade=3), DAY_20, POTENTIAL, "DLT-15", False),
    ("DLT-15", told("lung infection", term="Lung infection", grade=2), DAY_3, NONE, None, False),
    # EX-01: fever of any grade; fatigue of grade 3 within 7 days.
    ("EX-01", told("fever", term="Fever", grade=4), DAY_3, NOT, "EX-01", False),
    ("EX-01", told("fatigue", term="Fatigue", grade=3, end=EXACTLY_168_H), DAY_20, NOT, "EX-01", False),
    ("EX-01", told("fatigue", term="Fatigue", grade=3, end=LATER_168_H), DAY_20, MET, "DLT-12", False),
    ("EX-01", told("fatigue", term="Fatigue", grade=3), DAY_5, PENDING, "DLT-12", False),
    # EX-02: lymphopenia, leukopenia, anaemia of any grade.
    ("EX-02", told("anaemia", term="Anemia", grade=4), DAY_3, NOT, "EX-02", False),
    ("EX-02", told("lymphopenia", term="Lymphocyte count decreased", grade=4), DAY_20, NOT, "EX-02", False),
    ("EX-02", told("leukopenia", term="White blood cell decreased", grade=3), DAY_20, NOT, "EX-02", False),
    # EX-03: hypogammaglobulinaemia, B-cell aplasia.
    ("EX-03", told("hypogammaglobulinemia", grade=3), DAY_20, NOT, "EX-03", False),
    ("EX-03", told("B-cell aplasia", grade=4), DAY_3, NOT, "EX-03", False),
    # EX-04: an asymptomatic laboratory change of grade 3 or 4, correctable within 72 h; tumour lysis within 7 days.
    ("EX-04", told("hypokalemia", term="Hypokalemia", grade=4, asymptomatic=Known.YES), DAY_3, PENDING, "DLT-11",
     False),
    ("EX-04", told("hypokalemia", term="Hypokalemia", grade=4, asymptomatic=Known.YES, end="2026-03-08T08:00"), DAY_20,
     NOT, "EX-04", False),
    ("EX-04", told("hypokalemia", term="Hypokalemia", grade=4, asymptomatic=Known.YES, end="2026-03-08T08:01"), DAY_20,
     MET, "DLT-11", False),
    ("EX-04", told("hypokalemia", term="Hypokalemia", grade=4, asymptomatic=Known.NO), DAY_3, MET, "DLT-11", False),
    ("EX-04", told("hypokalemia", term="Hypokalemia", grade=4), DAY_3, MET, "DLT-11", False),
    ("EX-04", told("lipase up", term="Lipase increased", grade=3, asymptomatic=Known.YES, end="2026-03-07T08:00"),
     DAY_20, NOT, "EX-04", False),
    ("EX-04", told("TLS", term="Tumor lysis syndrome", grade=3, end=EXACTLY_168_H), DAY_20, NOT, "EX-04", False),
    ("EX-04", told("TLS", term="Tumor lysis syndrome", grade=3, end=LATER_168_H), DAY_20, MET, "DLT-12", False),
    # EX-05: febrile neutropenia, and a culture-positive infection, of grade 3 within 7 days.
    ("EX-05", told("febrile neutropenia", term="Febrile neutropenia", grade=3), DAY_5, PENDING, "DLT-12", False),
    ("EX-05", told("febrile neutropenia", term="Febrile neutropenia", grade=3, end=EXACTLY_168_H), DAY_20, NOT, "EX-05",
     False),
    ("EX-05", told("febrile neutropenia", term="Febrile neutropenia", grade=3, end=LATER_168_H), DAY_20, MET, "DLT-12",
     False),
    ("EX-05", told("sepsis", term="Sepsis", grade=3, culture_positive=Known.YES, end=EXACTLY_168_H), DAY_20, NOT,
     "EX-05", False),
    ("EX-05", told("sepsis", term="Sepsis", grade=3, culture_positive=Known.YES, end=LATER_168_H), DAY_20, POTENTIAL,
     "DLT-15", False),
    ("EX-05", told("sepsis", term="Sepsis", grade=3, culture_positive=Known.NO, end=EXACTLY_168_H), DAY_20, POTENTIAL,
     "DLT-15", False),
    ("EX-05", told("sepsis", term="Sepsis", grade=3, end=EXACTLY_168_H), DAY_20, POTENTIAL, "DLT-15", False),
    # EX-06: nausea, vomiting, diarrhoea of grade 3 within 72 h with treatment; alopecia.
    ("EX-06", told("vomiting", term="Vomiting", grade=3, treated=Known.YES, end="2026-03-08T08:00"), DAY_20, NOT,
     "EX-06", False),
    ("EX-06", told("vomiting", term="Vomiting", grade=3, treated=Known.YES, end="2026-03-08T08:01"), DAY_20, NOT,
     "DLT-12", False),
    ("EX-06", told("vomiting", term="Vomiting", grade=3, treated=Known.YES, end=LATER_168_H), DAY_20, MET, "DLT-12",
     False),
    ("EX-06", told("vomiting", term="Vomiting", grade=3, treated=Known.NO, end="2026-03-07T08:00"), DAY_20, NOT,
     "DLT-12", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "one", "as_of", "state", "rule_id", "is_provisional"),
    HISTORIES,
    ids=[f"{what} {n}" for n, (what, *_) in enumerate(HISTORIES)],
)
@pytest.mark.rule("rules.md 4.2: verdicts by rule; readings.md DLT 9")
def test_each_history_comes_out_as_its_rule_says(
    what: str, one: Reported, as_of: str, state: State, rule_id: str | None, is_provisional: bool
) -> None:
    found = verdict(one, as_of)
    assert (found.state, found.rule_id, found.is_provisional) == (state, rule_id, is_provisional), found.reasons
    assert found.reasons


@pytest.mark.rule("readings.md DLT 7: a missing grade is potential, never met")
def test_without_a_grade_it_is_potential_however_long_it_lasts() -> None:
    for as_of in (DAY_5, DAY_20):
        found = verdict(told("myocarditis"), as_of)
        assert (found.state, found.is_provisional) == (State.POTENTIAL_DLT, True)
        assert found.asks == ("which grade was it at its worst?",)
    assert verdict(told("fever", term="Fever"), DAY_5).rule_id == "EX-01"


@pytest.mark.rule("readings.md DLT 1: onset at any grade")
def test_what_began_in_the_window_and_worsens_or_kills_after_it_counts_and_goes_to_the_committee() -> None:
    course = [(1, "2026-03-20T08:00"), (4, "2026-04-10T08:00")]
    late = told("myocarditis", grade=4, onset="2026-03-20T08:00", course=course)
    found = verdict(late, "2026-04-11T09:00")
    assert (found.state, found.rule_id) == (State.MET_BY_RULE, "DLT-11")
    assert found.for_committee == ("it began in the window and reached grade 4 after it, on 2026-04-10",)
    fatal = verdict(death(onset="2026-03-20T08:00", end="2026-04-10T08:00"), "2026-04-11T09:00")
    assert fatal.for_committee == ("it began in the window and killed after it, 2026-04-10T08:00",)
    assert verdict(death(end="2026-03-20T08:00"), DAY_20).for_committee == ()


@pytest.mark.rule("readings.md DLT 4: limits are inclusive")
def test_the_limits_are_told_with_the_first_moment_after_them() -> None:
    found = verdict(crs(3), DAY_3)
    assert found.due_at == at("2026-03-12T08:00:01")
    assert found.strict_at == at("2026-03-08T08:00:01")
    assert not found.is_strict_passed
    assert verdict(crs(3), "2026-03-08T08:01").is_strict_passed


@pytest.mark.rule("readings.md DLT 12: a fall of under 24 h does not stop a duration clock")
@pytest.mark.parametrize(("again", "state"), [("2026-03-11T07:59", MET), ("2026-03-11T08:00", NOT)])
def test_a_short_fall_does_not_stop_the_time(again: str, state: State) -> None:
    up_again = crs(3, course=[(3, ONSET), (2, "2026-03-10T08:00"), (3, again), (1, "2026-03-12T10:00")])
    assert verdict(up_again, DAY_20).state is state


@pytest.mark.rule("readings.md DLT 8: a limit that ends without data")
def test_a_limit_that_ends_without_news_is_met_provisionally_and_the_site_is_asked() -> None:
    silent = verdict(crs(3), DAY_20)
    assert (silent.state, silent.is_provisional, len(silent.asks)) == (State.MET_BY_RULE, True, 1)
    heard = verdict(crs(3, course=[(3, ONSET), (3, "2026-03-14T08:00")]), DAY_20)
    assert (heard.state, heard.is_provisional, heard.asks) == (State.MET_BY_RULE, False, ())


@pytest.mark.rule("readings.md DLT 10")
def test_a_component_is_graded_once_and_what_is_grave_by_itself_goes_to_the_committee() -> None:
    whole = crs(3, n=1)

    def component(grade: int, end: str) -> Verdict:
        sign = told("hypotension", n=2, term="Hypotension", component_of="TOC-0031-E1", grade=grade, end=end)
        return judged(subject(whole, sign), DAY_20)["E2"]

    mild = component(grade=3, end="2026-03-07T08:00")
    assert (mild.state, mild.rule_id, mild.for_committee, mild.holds_up) == (State.NOT_DLT, "EX-07", (), False)
    grave = component(grade=4, end="2026-03-07T08:00")
    assert (grave.state, grave.rule_id, len(grave.for_committee), grave.holds_up) == (NOT, "EX-07", 1, True)
    for end, lines in ((EXACTLY_168_H, 0), (LATER_168_H, 1)):
        long = component(grade=3, end=end)
        assert (long.state, long.rule_id, len(long.for_committee)) == (NOT, "EX-07", lines)


@pytest.mark.rule("readings.md DLT 10")
def test_a_nerve_palsy_within_icans_is_a_sign_of_it_and_what_names_no_syndrome_is_judged_by_itself() -> None:
    palsy = told("sixth nerve palsy", n=2, grade=3, component_of="TOC-0031-E1")
    assert judged(subject(icans(2, n=1), palsy), DAY_5)["E2"].rule_id == "EX-07"
    assert judged(subject(told("rash", n=1, grade=1), palsy), DAY_5)["E2"].rule_id == "DLT-06"
    assert judged(subject(nullified(icans(2, n=1)), palsy), DAY_5)["E2"].rule_id == "DLT-06"


@pytest.mark.rule("readings.md DLT 7: lymphodepletion alone")
def test_that_it_comes_of_lymphodepletion_alone_needs_the_committees_signature() -> None:
    one = told("myocarditis", grade=4, investigator=NO, sponsor=NO)
    blamed = Opinion(Agent.LYMPHODEPLETION, Party.INVESTIGATOR, YES)
    one = replace(one, event=replace(one.event, opinions=(*one.event.opinions, blamed)))
    found = verdict(one, DAY_5)
    assert (found.state, found.is_provisional, len(found.for_committee)) == (State.MET_BY_RULE, True, 1)


@pytest.mark.rule("readings.md DLT 13: a nullified event")
def test_a_nullified_event_is_no_dlt_without_a_rule() -> None:
    found = verdict(nullified(crs(4)), DAY_5)
    assert (found.state, found.rule_id) == (State.NOT_DLT, None)
    assert verdict(nullified(crs(1)), DAY_5).state is State.NONE


@pytest.mark.rule("readings.md DLT 6: the scale of a CRS drives the whole rule")
def test_a_crs_goes_by_the_scale_that_the_study_names() -> None:
    one = crs(4, astct=2)
    assert judged(subject(one), DAY_3, crs=CrsScale.ASTCT)["E1"].state is State.NONE
    assert judged(subject(one), DAY_3, crs=CrsScale.CTCAE)["E1"].rule_id == "DLT-02"
    assert judged(subject(crs(4)), DAY_3, crs=CrsScale.ASTCT)["E1"].rule_id == "DLT-02"


def test_without_an_infusion_there_is_no_window_yet_and_nothing_is_met() -> None:
    found = verdict(crs(4), DAY_3, infused=())
    assert (found.state, found.rule_id, found.is_provisional) == (State.POTENTIAL_DLT, "DLT-02", True)


def test_partial_dates_that_leave_a_limit_open_are_taken_as_past_it() -> None:
    whole_days = verdict(told("myocarditis", grade=3, onset="2026-03-05", end="2026-03-12"), DAY_20)
    assert (whole_days.state, whole_days.is_provisional) == (State.MET_BY_RULE, True)
    surely_within = verdict(told("myocarditis", grade=3, onset="2026-03-05", end="2026-03-11"), DAY_20)
    assert (surely_within.state, surely_within.is_provisional) == (State.NOT_DLT, False)


@pytest.mark.rule("rules.md 4.2: verdicts by rule")
def test_a_fall_that_is_told_before_its_time_is_waited_for_and_is_no_lack_of_news() -> None:
    within = told("cough", course=[(3, ONSET), (1, "2026-03-09T08:00")])
    waiting = verdict(within, "2026-03-06T08:00")
    assert (waiting.state, waiting.due_at) == (State.PENDING_DURATION, at("2026-03-09T08:00"))
    assert verdict(within, "2026-03-09T08:00").state is State.NOT_DLT
    beyond = told("cough", course=[(3, ONSET), (1, "2026-03-12T08:01")])
    met = verdict(beyond, "2026-03-12T08:00:01")
    assert (met.state, met.is_provisional, met.asks) == (State.MET_BY_RULE, False, ())


@pytest.mark.rule("rules.md 4.2: verdicts by rule")
def test_an_asymptomatic_change_of_grade_4_is_met_provisionally_where_nothing_is_told_after_72_h() -> None:
    one = told("hypokalaemia", grade=4, asymptomatic=Known.YES)
    assert verdict(one, "2026-03-08T08:00").state is State.PENDING_DURATION
    silent = verdict(one, "2026-03-08T08:00:01")
    assert (silent.state, silent.rule_id, silent.is_provisional) == (State.MET_BY_RULE, "DLT-11", True)
    assert silent.asks == (
        "when did it fall below grade 3, with the time of day, or is it still grade 3 or more?",
    )  # fmt: skip
    went_on = told("hypokalaemia", course=[(4, ONSET), (1, "2026-03-08T08:01")], asymptomatic=Known.YES)
    told_so = verdict(went_on, "2026-03-09T08:00")
    assert (told_so.state, told_so.rule_id, told_so.is_provisional) == (State.MET_BY_RULE, "DLT-11", False)


@pytest.mark.rule("readings.md DLT 7")
def test_what_a_value_only_may_be_makes_no_dlt_of_an_event_that_the_site_has_graded() -> None:
    may_be = derived("Cytokine release syndrome", "2026-03-06T08:00", 0, 4, code="10052015")
    assert verdict(crs(2, derived=[may_be]), DAY_5).state is State.NONE
    ungraded = verdict(told("CRS", term=CRS, derived=[may_be]), DAY_5)
    assert (ungraded.state, ungraded.is_provisional) == (State.POTENTIAL_DLT, True)
    surely = derived("Cytokine release syndrome", "2026-03-06T08:00", 4, code="10052015")
    assert verdict(crs(2, derived=[surely]), DAY_5).rule_id == "DLT-02"


@pytest.mark.rule("readings.md DLT 6")
@pytest.mark.parametrize(("fall", "state"), [(EXACTLY_168_H, NOT), (LATER_168_H, MET)])
def test_a_grade_without_dates_goes_with_the_course_that_the_site_tells_on_the_other_scale(
    fall: str, state: State
) -> None:
    found = verdict(crs(3, astct=3, course=fell(1, fall)), DAY_20)
    assert (found.state, found.rule_id, found.is_provisional) == (state, "DLT-03", False)


@pytest.mark.rule("rules.md 4.2: verdicts by rule")
def test_what_only_waits_is_not_told_beside_what_is_met_and_a_word_is_quoted_whole() -> None:
    found = verdict(told("Anaphylaxis", grade=4), "2026-03-05T09:00")
    assert (found.state, found.rule_id) == (State.MET_BY_RULE, "DLT-14")
    assert "the site's words name it: 'Anaphylaxis'" in found.reasons
    assert [said for said in found.reasons if said.startswith("beside it")] == [
        "beside it: MET_BY_RULE by DLT-11: any other event of grade 4"
    ]


@pytest.mark.rule("readings.md DLT 4")
@pytest.mark.parametrize(
    ("since", "is_provisional"), [(ONSET, True), ("2026-03-05", True), (LATER_168_H, False), ("2026-03-13", False)]
)
def test_a_fall_that_is_told_with_its_date_ends_the_grade_that_was_there_from_the_onset(
    since: str, is_provisional: bool
) -> None:
    later = [(2, since)] if since.startswith("2026-03-1") else [(2, since), (1, LATER_168_H)]
    found = verdict(crs(3, course=later), DAY_20)
    assert (found.state, found.is_provisional) == (State.MET_BY_RULE, is_provisional), found.reasons
