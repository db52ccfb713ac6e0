"""The life of a clock, cell by cell of rules.md 1.4, with every expected clock written out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.domain.cases import (
    FATAL,
    HARMLESS,
    SUSAR,
    case,
    coded,
    event,
    listed,
    protocol,
    report,
    rsi,
    signed,
    submitted,
)
from tests.domain.written import clocks, effects, past, told
from tocsin.domain.assess import assess
from tocsin.domain.case import Case, Event
from tocsin.domain.clock_life import Effect, Status
from tocsin.domain.clocks import Duty
from tocsin.domain.signed import Deed
from tocsin.domain.submissions import SubmissionKind
from tocsin.domain.words import Criterion, Outcome, Relation

CN = protocol("CN")
UNRELATED = replace(SUSAR, opinions=HARMLESS.opinions)
LIFE_THREATENING = replace(SUSAR, criteria=frozenset({Criterion.LIFE_THREATENING}))
WORSE_COURSE = replace(SUSAR, outcome=Outcome.NOT_RECOVERED)
FIRST, FOLLOW_UP, NULLIFICATION = SubmissionKind

SENT_15 = submitted("2026-03-10T10:00")
SENT_7 = submitted("2026-03-06T10:00")
MET_15 = "CN_SUSAR_15D 03-02 > 03-17 MET"
MET_7 = "CN_SUSAR_7D 03-02 > 03-09 MET"
PLUS_8 = "CN_SUSAR_7D_PLUS_8D 03-02 > 03-17 RUNNING"


# --- nothing was owed, and now it is ---


@pytest.mark.parametrize("before", [HARMLESS, UNRELATED])
@pytest.mark.rule("rules.md 1.4: nonserious to serious; rules.md 1.4: unrelated to related; rules.md D4")
def test_what_becomes_reportable_counts_from_the_receipt_of_that_news(before: Event) -> None:
    held = case(report(before), told(SUSAR, on="2026-03-05T09:00"))
    assert clocks(held, CN) == ["CN_SUSAR_15D 03-05 > 03-20 RUNNING"]


@pytest.mark.rule("rules.md 1.4: expected to unexpected")
def test_a_listed_event_that_takes_a_more_severe_course_counts_from_the_receipt_of_that_news() -> None:
    study = protocol("CN", safety=rsi(listed("Cytokine release syndrome", 3)))
    mild, severe = replace(SUSAR, verbatim="CRS", grades=event(grade=2).grades), replace(SUSAR, verbatim="CRS")
    severe = replace(severe, grades=event(grade=4).grades)
    held = case(report(mild), told(severe, on="2026-03-20T09:00"), codings=[coded("Cytokine release syndrome")])
    # Until it is coded it is taken as unexpected; that it is listed is news, which a person signs.
    assert clocks(held, study, signed(Deed.DOWNGRADE, "2026-03-03T15:00")) == [
        "CN_SUSAR_15D 03-02 > 03-17 CANCELLED",
        "CN_SUSAR_15D 03-20 > 04-04 RUNNING",
    ]


@pytest.mark.rule("rules.md 1.4: unrelated to related; rules.md 1.4: SUSAR to not SUSAR, already submitted")
def test_an_event_that_was_reported_lowered_and_is_a_susar_again_has_a_clock_of_its_own() -> None:
    held = case(
        report(SUSAR), told(UNRELATED, on="2026-03-12T09:00"), told(SUSAR, on="2026-03-20T09:00", revision=3)
    )  # fmt: skip
    assert clocks(held, CN, SENT_15) == [
        "CN_FU_15D 03-12 > 03-27 RUNNING",
        MET_15,
        "CN_SUSAR_15D 03-20 > 04-04 RUNNING",
    ]


# --- it becomes worse ---


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, not yet submitted")
@pytest.mark.parametrize(
    ("death_on", "due"), [("2026-03-05T09:00", "03-05 > 03-12"), ("2026-03-14T09:00", "03-14 > 03-17")]
)
def test_a_death_before_the_report_is_told_with_it_by_the_earlier_date(death_on: str, due: str) -> None:
    plus_8 = {"03-05": "03-20", "03-14": "03-29"}[due[:5]]
    assert clocks(case(report(SUSAR), told(FATAL, on=death_on)), CN) == [
        "CN_SUSAR_15D 03-02 > 03-17 SUPERSEDED by CN_SUSAR_7D",
        f"CN_SUSAR_7D {due} RUNNING",
        f"CN_SUSAR_7D_PLUS_8D {due[:5]} > {plus_8} RUNNING",
    ]


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, already submitted")
def test_a_death_after_the_report_has_seven_days_of_its_own_and_the_complete_report() -> None:
    assert clocks(case(report(SUSAR), told(FATAL, on="2026-03-14T09:00")), CN, SENT_15) == [
        MET_15,
        "CN_SUSAR_7D 03-14 > 03-21 RUNNING",
        "CN_SUSAR_7D_PLUS_8D 03-14 > 03-29 RUNNING",
    ]


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, not yet submitted; readings.md clocks 6")
def test_what_had_run_out_unsent_stays_overdue_beside_the_clock_of_the_death() -> None:
    held = case(report(SUSAR), told(FATAL, on="2026-03-20T09:00"))
    assert clocks(held, CN) == [
        "CN_SUSAR_15D 03-02 > 03-17 RUNNING",
        "CN_SUSAR_7D 03-20 > 03-27 RUNNING",
        "CN_SUSAR_7D_PLUS_8D 03-20 > 04-04 RUNNING",
    ]
    assert clocks(held, CN, submitted("2026-03-21T09:00"))[:2] == [
        "CN_SUSAR_15D 03-02 > 03-17 LATE",
        "CN_SUSAR_7D 03-20 > 03-27 MET",
    ]


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, already submitted")
@pytest.mark.parametrize("is_signed", [True, False])
def test_a_death_after_a_threat_to_life_that_was_reported_and_taken_back_has_its_seven_days(is_signed: bool) -> None:
    held = case(
        report(LIFE_THREATENING), told(SUSAR, on="2026-03-10T09:00"), told(FATAL, on="2026-03-20T09:00", revision=3)
    )  # fmt: skip
    lowered = [signed(Deed.DOWNGRADE, "2026-03-12T09:00")] if is_signed else []
    assert clocks(held, CN, SENT_7, *lowered) == [
        "CN_FU_15D 03-10 > 03-25 RUNNING",
        MET_7,
        "CN_SUSAR_7D 03-20 > 03-27 RUNNING",
        PLUS_8,
        "CN_SUSAR_7D_PLUS_8D 03-20 > 04-04 RUNNING",
    ]


@pytest.mark.rule("rules.md 1.4: significant follow-up, already submitted; rules.md 1.1: class")
def test_a_death_after_a_reported_threat_to_life_is_of_one_class_and_a_follow_up() -> None:
    assert clocks(case(report(LIFE_THREATENING), told(FATAL, on="2026-03-10T09:00")), CN, SENT_7) == [
        "CN_FU_15D 03-10 > 03-25 RUNNING",
        MET_7,
        PLUS_8,
    ]


# --- it becomes better, in words and by signature ---


@pytest.mark.rule("rules.md 1.4: FATAL_LT to OTHER, not yet submitted; readings.md clocks 5")
def test_a_signed_downgrade_gives_fifteen_days_from_the_original_day_zero_if_the_news_came_in_time() -> None:
    held = case(report(LIFE_THREATENING), told(SUSAR, on="2026-03-09T23:00"))
    assert clocks(held, CN) == ["CN_SUSAR_7D 03-02 > 03-09 RUNNING", PLUS_8]
    # The news counts, not the signature.
    assert clocks(held, CN, signed(Deed.DOWNGRADE, "2026-03-11T09:00")) == [
        "CN_SUSAR_15D 03-02 > 03-17 RUNNING",
        "CN_SUSAR_7D 03-02 > 03-09 SUPERSEDED by CN_SUSAR_15D",
        "CN_SUSAR_7D_PLUS_8D 03-02 > 03-17 SUPERSEDED by CN_SUSAR_15D",
    ]


@pytest.mark.rule("rules.md 1.4: FATAL_LT to OTHER, not yet submitted")
def test_news_after_the_seventh_day_leaves_the_lateness_on_record() -> None:
    held = case(report(LIFE_THREATENING), told(SUSAR, on="2026-03-10T00:00"))
    downgrade = signed(Deed.DOWNGRADE, "2026-03-11T09:00")
    assert clocks(held, CN, downgrade)[:2] == [
        "CN_SUSAR_15D 03-02 > 03-17 RUNNING",
        "CN_SUSAR_7D 03-02 > 03-09 RUNNING",
    ]
    assert clocks(held, CN, downgrade, submitted("2026-03-12T09:00"))[:2] == [
        MET_15,
        "CN_SUSAR_7D 03-02 > 03-09 LATE",
    ]
    assert clocks(held, CN, downgrade, copies=True)[:2] == [
        "CN_GCP48_COPY_15D 03-02 > 03-17 RUNNING",
        "CN_GCP48_COPY_7D 03-02 > 03-09 RUNNING",
    ]
    assert (
        Effect("CN_SUSAR_7D had run out on 2026-03-09, before the news came: its lateness stays")
    ) in effects(held, CN, downgrade)  # fmt: skip


@pytest.mark.rule("rules.md 1.4: FATAL_LT to OTHER, not yet submitted; rules.md D4")
def test_after_an_upgrade_the_fifteen_days_count_from_the_day_on_which_it_first_was_a_susar() -> None:
    held = case(
        report(SUSAR), told(LIFE_THREATENING, on="2026-03-07T09:00"), told(SUSAR, on="2026-03-09T09:00", revision=3)
    )  # fmt: skip
    assert clocks(held, CN, signed(Deed.DOWNGRADE, "2026-03-10T09:00")) == [
        "CN_SUSAR_15D 03-02 > 03-17 RUNNING",
        "CN_SUSAR_15D 03-02 > 03-17 SUPERSEDED by CN_SUSAR_7D",
        "CN_SUSAR_7D 03-07 > 03-14 SUPERSEDED by CN_SUSAR_15D",
        "CN_SUSAR_7D_PLUS_8D 03-07 > 03-22 SUPERSEDED by CN_SUSAR_15D",
    ]


@pytest.mark.rule("rules.md 1.4: FATAL_LT to OTHER, already submitted")
def test_a_better_class_after_the_report_is_a_follow_up_and_no_second_seven_days() -> None:
    held = case(report(LIFE_THREATENING), told(SUSAR, on="2026-03-10T09:00"))
    expected = ["CN_FU_15D 03-10 > 03-25 RUNNING", MET_7, PLUS_8]
    assert clocks(held, CN, SENT_7) == expected
    downgrade = signed(Deed.DOWNGRADE, "2026-03-12T09:00")
    assert clocks(held, CN, SENT_7, downgrade) == expected
    assert effects(held, CN, SENT_7, downgrade) == [
        Effect("it was reported already: the follow-up report tells the new assessment")
    ]


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, not yet submitted; rules.md 1.4: never delete a clock")
def test_g06_news_of_both_parties_and_a_signature_cancel_and_the_clock_stays_on_record() -> None:
    held = case(report(SUSAR), told(UNRELATED, on="2026-03-09T15:00"))
    assert clocks(held, CN) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    downgrade = signed(Deed.DOWNGRADE, "2026-03-10T09:00")
    assert clocks(held, CN, downgrade) == ["CN_SUSAR_15D 03-02 > 03-17 CANCELLED"]
    assert clocks(held, CN, downgrade, copies=True) == ["CN_GCP48_COPY_15D 03-02 > 03-17 CANCELLED"]
    (life, _) = assess(held, CN, past(downgrade)).lives
    assert life.because == "downgraded: signed by Dr Li 2026-03-10 09:00 CST: as discussed"
    assert not life.is_open


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, already submitted")
def test_a_reported_event_that_is_no_susar_is_told_in_fifteen_days_and_never_nullified() -> None:
    held = case(report(SUSAR), told(UNRELATED, on="2026-03-12T09:00"))
    expected = ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]
    assert clocks(held, CN, SENT_15) == expected
    assert clocks(held, CN, SENT_15, signed(Deed.DOWNGRADE, "2026-03-13T09:00")) == expected


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, already submitted")
def test_a_report_that_went_out_between_the_news_and_the_signature_is_followed_up_from_the_signature() -> None:
    doubtful = replace(SUSAR, opinions=event(investigator=Relation.NOT_RELATED).opinions)
    held = case(report(SUSAR), told(doubtful, on="2026-03-09T09:00"))
    downgrade = signed(Deed.DOWNGRADE, "2026-03-12T09:00", sponsor=Relation.NOT_RELATED)
    assert clocks(held, CN, SENT_15, downgrade) == ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]
    # The report told what both thought: there is nothing new to tell.
    review = signed(Deed.MEDICAL_REVIEW, "2026-03-09T12:00", sponsor=Relation.NOT_RELATED)
    assert clocks(held, CN, review, SENT_15, downgrade) == [MET_15]


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, already submitted; readings.md clocks 2")
def test_the_missing_opinion_that_is_signed_after_the_report_is_told_by_a_follow_up() -> None:
    half = event("myocarditis", criteria=[Criterion.HOSPITALISATION], investigator=Relation.NOT_RELATED)
    answer = signed(Deed.DOWNGRADE, "2026-03-12T09:00", sponsor=Relation.NOT_RELATED)
    assert clocks(case(report(half)), CN, SENT_15, answer) == ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, already submitted")
def test_a_death_withdrawn_before_it_was_told_still_owes_a_follow_up_to_what_was_told() -> None:
    held = case(
        report(SUSAR), told(FATAL, on="2026-03-14T09:00"), told(UNRELATED, on="2026-03-16T09:00", revision=3)
    )  # fmt: skip
    assert clocks(held, CN, SENT_15, signed(Deed.DOWNGRADE, "2026-03-17T09:00")) == [
        "CN_FU_15D 03-16 > 03-31 RUNNING",
        MET_15,
        "CN_SUSAR_7D 03-14 > 03-21 CANCELLED",
        "CN_SUSAR_7D_PLUS_8D 03-14 > 03-29 CANCELLED",
    ]


@pytest.mark.rule("rules.md 1.4: sponsor alone wants unrelated; rules.md 1.1: suspected")
@pytest.mark.parametrize("deed", [Deed.DOWNGRADE, Deed.MEDICAL_REVIEW])
def test_c11_the_sponsors_opinion_alone_has_no_effect(deed: Deed) -> None:
    held = case(report(SUSAR), told(SUSAR, on="2026-03-05T09:00"))
    alone = signed(deed, "2026-03-06T09:00", sponsor=Relation.NOT_RELATED)
    assert clocks(held, CN, alone) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    (effect,) = effects(held, CN, alone)
    assert effect.is_refused == (deed is Deed.DOWNGRADE)
    if effect.is_refused:
        assert "the facts still make it other SUSAR" in effect.text
        assert "investigator judges it related" in effect.text


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, not yet submitted")
def test_old_facts_judged_anew_close_no_clock() -> None:
    half = event("myocarditis", criteria=[Criterion.HOSPITALISATION], investigator=Relation.NOT_RELATED,
                 sponsor=Relation.RELATED)  # fmt: skip
    anew = signed(Deed.DOWNGRADE, "2026-03-06T09:00", sponsor=Relation.NOT_RELATED)
    assert clocks(case(report(half)), CN, anew) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    (effect,) = effects(case(report(half)), CN, anew)
    assert effect == Effect(
        "nothing new was told since the clock started: old facts judged anew close no clock", is_refused=True
    )


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, not yet submitted; readings.md clocks 2")
def test_the_missing_opinion_is_news_once_it_is_signed() -> None:
    half = event("myocarditis", criteria=[Criterion.HOSPITALISATION], investigator=Relation.NOT_RELATED)
    answer = signed(Deed.DOWNGRADE, "2026-03-06T09:00", sponsor=Relation.NOT_RELATED)
    assert clocks(case(report(half)), CN, answer) == ["CN_SUSAR_15D 03-02 > 03-17 CANCELLED"]


@pytest.mark.rule("rules.md 1.4: FATAL_LT to OTHER, not yet submitted")
def test_what_the_sponsor_itself_saw_it_can_sign_away_on_news_and_no_investigators_word() -> None:
    held = case(report(SUSAR), told(WORSE_COURSE, on="2026-03-06T09:00"))
    worse = signed(Deed.MEDICAL_REVIEW, "2026-03-04T09:00", criteria=[Criterion.LIFE_THREATENING])
    assert clocks(held, CN, worse)[1] == "CN_SUSAR_7D 03-02 > 03-09 RUNNING"
    assert clocks(held, CN, worse, signed(Deed.DOWNGRADE, "2026-03-07T09:00"))[:1] == [
        "CN_SUSAR_15D 03-02 > 03-17 RUNNING"
    ]


@pytest.mark.rule("rules.md 1.4: only a person cancels")
def test_a_study_that_asks_for_two_signatures_is_not_content_with_one() -> None:
    study = protocol("CN", clock_settings=replace(CN.clock_settings, signatures_to_close=2))
    held = case(report(SUSAR), told(UNRELATED, on="2026-03-09T15:00"))
    one, two = (signed(Deed.DOWNGRADE, "2026-03-10T09:00", by=by) for by in (["Dr Li", "Dr Li"], ["Dr Li", "Dr Wu"]))
    assert clocks(held, study, one) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    assert [effect.is_refused for effect in effects(held, study, one)] == [True]
    assert clocks(held, study, two) == ["CN_SUSAR_15D 03-02 > 03-17 CANCELLED"]
    # What one person could close when it was signed stays closed, whatever the study asks for since.
    assert clocks(held, study, replace(one, needs=1)) == ["CN_SUSAR_15D 03-02 > 03-17 CANCELLED"]


@pytest.mark.rule("rules.md 1.1: SUSAR; rules.md D4")
def test_a_downgrade_that_says_worse_is_read_for_what_it_says() -> None:
    worse = signed(Deed.DOWNGRADE, "2026-03-06T09:00", criteria=[Criterion.LIFE_THREATENING], sponsor=Relation.RELATED)
    assert clocks(case(report(HARMLESS)), CN, worse) == ["CN_SUSAR_7D 03-02 > 03-09 RUNNING", PLUS_8]


# --- told twice, never happened ---


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, not yet submitted; readings.md clocks 4")
def test_a_duplicate_is_cancelled_by_signature_and_a_review_does_not_bring_it_back() -> None:
    duplicate = signed(Deed.DUPLICATE, "2026-03-04T09:00", other_case="TOC-0007")
    review = signed(Deed.MEDICAL_REVIEW, "2026-03-05T09:00", sponsor=Relation.RELATED)
    for did in ([duplicate], [duplicate, review]):
        assert clocks(case(report(SUSAR)), CN, *did) == ["CN_SUSAR_15D 03-02 > 03-17 CANCELLED"]
    worse = signed(Deed.MEDICAL_REVIEW, "2026-03-05T09:00", criteria=[Criterion.DEATH])
    assert clocks(case(report(SUSAR)), CN, duplicate, worse)[:2] == [
        "CN_SUSAR_15D 03-02 > 03-17 CANCELLED",
        "CN_SUSAR_7D 03-02 > 03-09 RUNNING",
    ]


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted; rules.md D4")
def test_a_duplicate_that_was_reported_owes_a_nullification_on_the_follow_ups_clock() -> None:
    duplicate = signed(Deed.DUPLICATE, "2026-03-12T09:00", other_case="TOC-0007")
    assert clocks(case(report(SUSAR)), CN, SENT_15, duplicate) == ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]
    nullified = submitted("2026-03-13T09:00", kind=NULLIFICATION)
    assert clocks(case(report(SUSAR)), CN, SENT_15, duplicate, nullified) == ["CN_FU_15D 03-12 > 03-27 MET", MET_15]


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted")
def test_a_nullification_has_its_fifteen_days_beside_the_further_eight_and_no_follow_up_meets_either() -> None:
    held, duplicate = case(report(FATAL)), signed(Deed.DUPLICATE, "2026-03-08T09:00", other_case="TOC-0007")
    owed = ["CN_FU_15D 03-08 > 03-23 RUNNING", MET_7, PLUS_8]
    assert clocks(held, CN, SENT_7, duplicate) == owed
    more = submitted("2026-03-09T09:00", kind=FOLLOW_UP)
    assert clocks(held, CN, SENT_7, duplicate, more) == owed
    nullified = submitted("2026-03-10T09:00", kind=NULLIFICATION)
    assert clocks(held, CN, SENT_7, duplicate, more, nullified) == [
        "CN_FU_15D 03-08 > 03-23 MET",
        MET_7,
        "CN_SUSAR_7D_PLUS_8D 03-02 > 03-17 MET",
    ]


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted")
def test_a_follow_up_that_went_out_before_it_was_signed_is_no_nullification() -> None:
    held = case(report(SUSAR), told(replace(SUSAR, is_nullified=True), on="2026-03-12T09:00"))
    more = submitted("2026-03-13T09:00", kind=FOLLOW_UP)
    assert clocks(held, CN, SENT_15, more, signed(Deed.NULLIFICATION, "2026-03-14T09:00")) == [
        "CN_FU_15D 03-12 > 03-27 MET",
        "CN_FU_15D 03-14 > 03-29 RUNNING",
        MET_15,
    ]


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted")
def test_what_comes_back_is_completed_by_follow_ups_as_before() -> None:
    held = case(
        report(SUSAR), told(replace(SUSAR, is_nullified=True), on="2026-03-12T09:00"),
        told(FATAL, on="2026-03-16T09:00", revision=3),
    )  # fmt: skip
    nullification, combined = signed(Deed.NULLIFICATION, "2026-03-14T09:00"), submitted("2026-03-17T09:00")
    more = submitted("2026-03-18T09:00", kind=FOLLOW_UP)
    assert clocks(held, CN, SENT_15, nullification, combined, more) == [
        "CN_FU_15D 03-12 > 03-27 MET",
        MET_15,
        "CN_SUSAR_7D 03-16 > 03-23 MET",
        "CN_SUSAR_7D_PLUS_8D 03-16 > 03-31 MET",
    ]


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, not yet submitted")
@pytest.mark.parametrize("whole", [True, False])
def test_what_a_site_takes_back_runs_on_until_a_person_signs(whole: bool) -> None:
    back = told(SUSAR if whole else replace(SUSAR, is_nullified=True), on="2026-03-05T09:00", nullified=whole)
    held = case(report(SUSAR), back)
    assert clocks(held, CN) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    nullification = signed(Deed.NULLIFICATION, "2026-03-06T09:00")
    assert clocks(held, CN, nullification) == ["CN_SUSAR_15D 03-02 > 03-17 CANCELLED"]
    assert clocks(held, CN, nullification, copies=True) == ["CN_GCP48_COPY_15D 03-02 > 03-17 CANCELLED"]


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted")
def test_what_a_site_takes_back_after_the_report_is_a_follow_up_from_that_day() -> None:
    held = case(report(SUSAR), told(replace(SUSAR, is_nullified=True), on="2026-03-12T09:00"))
    nullification = signed(Deed.NULLIFICATION, "2026-03-14T09:00")
    for did in ([], [nullification]):
        assert clocks(held, CN, SENT_15, *did) == ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]
    # What was not sent yet, the copies, is not sent any more.
    assert clocks(held, CN, SENT_15, nullification, copies=True) == ["CN_GCP48_COPY_15D 03-02 > 03-17 CANCELLED"]
    sent_before = submitted("2026-03-13T09:00", kind=NULLIFICATION)
    assert clocks(held, CN, SENT_15, sent_before, nullification) == ["CN_FU_15D 03-12 > 03-27 MET", MET_15]


@pytest.mark.rule("rules.md 1.4: nonserious to serious; rules.md 1.4: never delete a clock")
def test_a_case_that_comes_back_from_a_nullification_brings_its_events_back() -> None:
    held = case(
        report(SUSAR), told(on="2026-03-05T09:00", nullified=True),
        told(event("rash", n=2, serious=False), on="2026-03-20T09:00", revision=3),
    )  # fmt: skip
    assert clocks(held, CN, signed(Deed.NULLIFICATION, "2026-03-06T09:00")) == [
        "CN_SUSAR_15D 03-02 > 03-17 CANCELLED",
        "CN_SUSAR_15D 03-20 > 04-04 RUNNING",
    ]


@pytest.mark.rule("rules.md 1.4: only a person cancels")
def test_nobody_nullifies_for_the_site() -> None:
    alone = signed(Deed.NULLIFICATION, "2026-03-06T09:00")
    assert clocks(case(report(SUSAR)), CN, alone) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    assert [effect.is_refused for effect in effects(case(report(SUSAR)), CN, alone)] == [True]


@pytest.mark.rule("rules.md 1.4: nonserious to serious; rules.md 1.4: never delete a clock")
def test_what_is_told_after_a_cancellation_starts_anew_beside_the_cancelled_clock() -> None:
    held = case(report(SUSAR), told(UNRELATED, on="2026-03-05T09:00"), told(SUSAR, on="2026-03-20T09:00", revision=3))
    assert clocks(held, CN, signed(Deed.DOWNGRADE, "2026-03-06T09:00")) == [
        "CN_SUSAR_15D 03-02 > 03-17 CANCELLED",
        "CN_SUSAR_15D 03-20 > 04-04 RUNNING",
    ]


# --- follow-ups ---


@pytest.mark.rule("rules.md 1.4: significant follow-up, not yet submitted")
def test_a_significant_follow_up_goes_with_the_report_that_is_pending() -> None:
    held = case(report(SUSAR), told(WORSE_COURSE, on="2026-03-05T09:00"))
    assert clocks(held, CN) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]


@pytest.mark.rule("rules.md 1.4: significant follow-up, already submitted")
def test_g08_a_significant_follow_up_after_the_report_has_fifteen_days_and_a_second_goes_with_it() -> None:
    held = case(report(SUSAR), told(WORSE_COURSE, on="2026-03-12T09:00"))
    assert clocks(held, CN, SENT_15) == ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]
    again = Case((*held.revisions, told(replace(SUSAR, outcome=Outcome.RECOVERED), on="2026-03-20T09:00", revision=3)))
    assert clocks(again, CN, SENT_15) == ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]
    sent = submitted("2026-03-18T09:00", kind=FOLLOW_UP)
    assert clocks(again, CN, SENT_15, sent) == [
        "CN_FU_15D 03-12 > 03-27 MET",
        "CN_FU_15D 03-20 > 04-04 RUNNING",
        MET_15,
    ]


@pytest.mark.rule("rules.md 1.4: non-significant follow-up")
@pytest.mark.parametrize("later", [SUSAR, replace(SUSAR, verbatim="myocardtis"), replace(SUSAR, end=None)])
def test_a_follow_up_that_changes_no_judgement_starts_nothing(later: Event) -> None:
    assert clocks(case(report(SUSAR), told(later, on="2026-03-12T09:00")), CN, SENT_15) == [MET_15]


@pytest.mark.rule("rules.md 1.4: significance")
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (replace(SUSAR, criteria=SUSAR.criteria | {Criterion.DISABILITY}), "seriousness"),
        (
            replace(SUSAR, opinions=event(investigator=Relation.RELATED, sponsor=Relation.NOT_RELATED).opinions),
            "causal",
        ),
        (WORSE_COURSE, "outcome"),
        (replace(SUSAR, is_nullified=True), "whether it happened"),
    ],
)
def test_what_changes_the_medical_judgement_is_significant_and_says_what(changed: Event, why: str) -> None:
    held = case(report(SUSAR), told(changed, on="2026-03-12T09:00"))
    (follow_up,) = (x for x in assess(held, CN, past(SENT_15)).lives if x.clock.rule == "CN_FU_15D")
    assert why in follow_up.clock.reasons[0]


@pytest.mark.rule("rules.md 1.4: significance")
def test_another_term_is_significant_once_it_is_coded_to_another_code() -> None:
    held = [report(SUSAR), told(replace(SUSAR, verbatim="sepsis"), on="2026-03-12T09:00")]
    first = coded("Myocarditis", code="10028606")
    assert clocks(case(*held, codings=[first]), CN, SENT_15) == [MET_15]
    other = [first, coded("Sepsis", revision=2)]
    assert clocks(case(*held, codings=other), CN, SENT_15) == ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]
    same = [first, coded("Myocarditis", code="10028606", revision=2)]
    assert clocks(case(*held, codings=same), CN, SENT_15) == [MET_15]


@pytest.mark.rule("rules.md 1.4: significance")
def test_a_changed_narrative_waits_for_a_person_and_counts_from_its_receipt() -> None:
    first = replace(report(SUSAR), narrative="He was well on day 3.")
    second = replace(told(SUSAR, on="2026-03-12T09:00"), narrative="He was found on the floor on day 3.")
    held = case(first, second)
    assert clocks(held, CN, SENT_15) == [MET_15]
    asked = "TOC-0031-E1:follow_up_to_judge:2"
    assert asked in {c.key for c in assess(held, CN, past(SENT_15)).concerns}
    word = signed(Deed.SIGNIFICANT, "2026-03-18T09:00", revision=2)
    assert clocks(held, CN, SENT_15, word) == ["CN_FU_15D 03-12 > 03-27 RUNNING", MET_15]
    assert asked not in {c.key for c in assess(held, CN, past(SENT_15, word)).concerns}


@pytest.mark.rule("rules.md 1.4: RSI updated later")
def test_a_term_listed_later_changes_nothing_for_an_earlier_onset() -> None:
    later = replace(rsi(listed("Sepsis")), version="IB 5.0", in_force_from=date(2026, 3, 10))
    sepsis = replace(SUSAR, verbatim="sepsis", onset=event(onset="2026-03-01").onset)
    held = case(report(sepsis), told(sepsis, on="2026-03-12T09:00"), codings=[coded("Sepsis")])
    study = protocol("CN", safety=later, earlier_rsi=(rsi(),))
    (life,) = (found for found in assess(held, study).lives if found.duty is Duty.REPORT)
    assert (life.clock.rule, life.status, life.questions) == ("CN_SUSAR_15D", Status.RUNNING, ())
