"""What meets a clock, what reopens it, what is late for ever; the completed report, and copies one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.cases import (
    FATAL,
    HARMLESS,
    SUSAR,
    case,
    protocol,
    report,
    signed,
    submitted,
)
from tests.domain.written import clocks, past, told
from tocsin.domain.assess import assess
from tocsin.domain.case import Case
from tocsin.domain.clocks import Duty
from tocsin.domain.protocol import CopyRecipient, CopyTo
from tocsin.domain.signed import Deed
from tocsin.domain.submissions import Submission, SubmissionKind

CN, UK = protocol("CN"), protocol("UK")
UNRELATED = replace(SUSAR, opinions=HARMLESS.opinions)
FIRST, FOLLOW_UP, NULLIFICATION = SubmissionKind

SENT_15 = submitted("2026-03-10T10:00")
MET_15 = "CN_SUSAR_15D 03-02 > 03-17 MET"
MET_7 = "CN_SUSAR_7D 03-02 > 03-09 MET"
PLUS_8 = "CN_SUSAR_7D_PLUS_8D 03-02 > 03-17 RUNNING"


# --- sent, refused, sent again ---


@pytest.mark.rule("readings.md clocks 6")
def test_a_clock_is_met_by_a_report_on_its_last_second_and_late_a_second_after() -> None:
    held = case(report(SUSAR))
    assert clocks(held, CN, submitted("2026-03-17T23:59:59")) == ["CN_SUSAR_15D 03-02 > 03-17 MET"]
    assert clocks(held, CN, submitted("2026-03-18T00:00")) == ["CN_SUSAR_15D 03-02 > 03-17 LATE"]
    assert clocks(held, CN) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]


@pytest.mark.rule("readings.md clocks 6")
def test_a_rejection_reopens_and_late_is_late_for_ever() -> None:
    held = case(report(SUSAR))
    refused = submitted("2026-03-10T10:00", rejected="2026-03-11T10:00")
    assert clocks(held, CN, refused) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    assert clocks(held, CN, refused, submitted("2026-03-16T10:00")) == [MET_15]
    assert clocks(held, CN, refused, submitted("2026-03-18T10:00")) == ["CN_SUSAR_15D 03-02 > 03-17 LATE"]
    late = submitted("2026-03-18T10:00", rejected="2026-03-19T10:00")
    assert clocks(held, CN, late) == ["CN_SUSAR_15D 03-02 > 03-17 LATE open"]
    assert clocks(held, CN, late, submitted("2026-03-20T10:00")) == ["CN_SUSAR_15D 03-02 > 03-17 LATE"]
    back = Case((*held.revisions, told(UNRELATED, on="2026-03-20T09:00")))
    assert clocks(back, CN, late, signed(Deed.DOWNGRADE, "2026-03-21T10:00")) == ["CN_SUSAR_15D 03-02 > 03-17 LATE"]


@pytest.mark.rule("readings.md clocks 6")
def test_a_report_sent_again_before_the_answer_came_stands_in_place_of_the_rejected_one() -> None:
    refused = submitted("2026-03-08T10:00", rejected="2026-03-12T10:00")
    assert clocks(case(report(SUSAR)), CN, refused, SENT_15) == [MET_15]


@pytest.mark.rule("readings.md clocks 6; rules.md 1.4: SUSAR to not SUSAR, not yet submitted")
def test_a_rejected_report_that_is_owed_again_is_owed_for_what_it_was_started_for() -> None:
    held = case(report(SUSAR), told(UNRELATED, on="2026-03-11T09:00"), told(SUSAR, on="2026-03-14T09:00", revision=3))
    refused = submitted("2026-03-10T10:00", rejected="2026-03-13T10:00")
    assert "CN_SUSAR_15D 03-02 > 03-17 RUNNING" in clocks(held, CN, refused)
    assert not [c for c in clocks(held, CN, refused) if c.startswith("CN_SUSAR_15D 03-14")]
    downgrade = signed(Deed.DOWNGRADE, "2026-03-13T12:00")
    only = case(*held.revisions[:2])
    assert clocks(only, CN, refused, downgrade) == [
        "CN_FU_15D 03-11 > 03-26 CANCELLED",
        "CN_SUSAR_15D 03-02 > 03-17 CANCELLED",
    ]


@pytest.mark.rule("readings.md clocks 1")
def test_one_report_meets_the_clocks_of_several_events_and_of_no_other() -> None:
    second, third = (replace(FATAL, event_id=f"TOC-0031-E{n}") for n in (2, 3))
    held = case(report(SUSAR, second, third))
    sent = submitted("2026-03-06T10:00", n=[1, 2])
    assert clocks(held, CN, sent) == [MET_15]
    assert clocks(held, CN, sent, n=2) == [MET_7, PLUS_8]
    assert clocks(held, CN, sent, n=3) == ["CN_SUSAR_7D 03-02 > 03-09 RUNNING", PLUS_8]


@pytest.mark.rule("readings.md clocks 6")
def test_a_report_counts_from_when_it_was_sent_however_late_somebody_enters_it() -> None:
    held = case(report(SUSAR), told(FATAL, on="2026-03-14T09:00"))
    combined = clocks(held, CN, submitted("2026-03-15T09:00"))
    assert combined[:2] == [
        "CN_SUSAR_15D 03-02 > 03-17 SUPERSEDED by CN_SUSAR_7D",
        "CN_SUSAR_7D 03-14 > 03-17 MET",
    ]
    # Now the earlier report is entered too: it was sent before the death was known.
    assert clocks(held, CN, SENT_15, submitted("2026-03-15T09:00", kind=FOLLOW_UP))[:2] == [
        MET_15,
        "CN_SUSAR_7D 03-14 > 03-21 MET",
    ]


@pytest.mark.rule("readings.md clocks 6")
@pytest.mark.parametrize("did", [submitted("2026-03-01T09:00"), submitted("2026-03-06T10:00", "FDA"),
                                 submitted("2026-03-06T10:00", kind=FOLLOW_UP),
                                 submitted("2026-03-06T10:00", kind=NULLIFICATION)])  # fmt: skip
def test_what_was_sent_before_elsewhere_or_as_something_else_meets_no_first_report(did: Submission) -> None:
    assert clocks(case(report(SUSAR)), CN, did) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]


# --- the completed report ---


@pytest.mark.rule("readings.md clocks 5; rules.md C4")
@pytest.mark.parametrize("first", ["2026-03-03T10:00", "2026-03-06T10:00", "2026-03-12T10:00"])
def test_c02_the_completed_report_is_due_on_day_fifteen_whenever_the_first_one_was_sent(first: str) -> None:
    sent = submitted(first)
    assert PLUS_8 in clocks(case(report(FATAL)), CN, sent)
    done = submitted("2026-03-17T10:00", kind=FOLLOW_UP)
    assert "CN_SUSAR_7D_PLUS_8D 03-02 > 03-17 MET" in clocks(case(report(FATAL)), CN, sent, done)
    assert "CN_SUSAR_7D_PLUS_8D 03-02 > 03-17 RUNNING" in clocks(case(report(FATAL)), CN, done)


@pytest.mark.rule("rules.md C4")
def test_a_strict_study_counts_eight_days_from_the_first_report_if_that_is_sooner() -> None:
    study = protocol("CN", clock_settings=replace(CN.clock_settings, strict_follow_up=True))
    for first, due in (("2026-03-04T10:00", "03-12"), ("2026-03-09T10:00", "03-17"), ("2026-03-12T10:00", "03-17")):
        assert f"CN_SUSAR_7D_PLUS_8D 03-02 > {due} RUNNING" in clocks(case(report(FATAL)), study, submitted(first))


@pytest.mark.rule("rules.md C4; readings.md clocks 5")
def test_k02_an_early_first_report_brings_the_british_follow_up_forward_and_a_rejected_one_does_not() -> None:
    held = case(report(FATAL))
    early = submitted("2026-03-04T10:00", "MHRA")
    assert clocks(held, UK, early) == [
        "UK_7D_BEGINNING_DAY_AFTER 03-02 > 03-09 MET",
        "UK_FU_8D 03-02 > 03-12 RUNNING",
    ]
    late_follow_up = submitted("2026-03-13T10:00", "MHRA", kind=FOLLOW_UP, rejected="2026-03-14T10:00")
    assert "UK_FU_8D 03-02 > 03-12 LATE open" in clocks(held, UK, early, late_follow_up)
    refused = submitted("2026-03-04T10:00", "MHRA", rejected="2026-03-05T10:00")
    assert "UK_FU_8D 03-02 > 03-17 RUNNING" in clocks(held, UK, refused)


# --- copies ---


@pytest.mark.rule("readings.md clocks 6; readings.md clocks 10")
def test_copies_are_met_recipient_by_recipient_and_the_whole_text_means_all() -> None:
    names = ("Dr Gao, S01", "Ethics committee of S01", "Health commission")
    kinds = (CopyTo.INVESTIGATOR, CopyTo.ETHICS_COMMITTEE, CopyTo.HEALTH_AUTHORITY)
    study = protocol("CN", copies_to=tuple(map(CopyRecipient, names, kinds)))
    held = case(report(FATAL))
    first, second = submitted("2026-03-05T10:00", names[0]), submitted("2026-03-06T10:00", names[1].upper())

    def outstanding(*did: Submission) -> tuple[str, tuple[str, ...]]:
        (life,) = (x for x in assess(held, study, past(*did)).lives if x.duty is Duty.COPIES)
        return life.status, life.outstanding

    assert outstanding() == ("RUNNING", names)
    assert outstanding(first) == ("RUNNING", names[1:])
    assert outstanding(first, second) == ("RUNNING", names[2:])
    assert outstanding(first, second, submitted("2026-03-09T23:00", names[2])) == ("MET", ())
    assert outstanding(first, second, submitted("2026-03-10T00:00", names[2])) == ("LATE", ())
    assert outstanding(first, submitted("2026-03-06T10:00", "CDE")) == ("RUNNING", names[1:])
    refused = submitted("2026-03-05T11:00", names[0], rejected="2026-03-07T10:00")
    whole = submitted("2026-03-08T10:00", "investigators, institutions, ethics committees, health authority")
    assert outstanding(refused) == ("RUNNING", names)
    assert outstanding(refused, whole) == ("MET", ())


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, already submitted; readings.md clocks 10")
def test_copies_not_sent_yet_are_brought_forward_by_a_death_although_the_authority_was_told_before() -> None:
    held = case(report(SUSAR), told(FATAL, on="2026-03-14T09:00"))
    assert clocks(held, CN, SENT_15, copies=True) == [
        "CN_GCP48_COPY_15D 03-02 > 03-17 SUPERSEDED by CN_GCP48_COPY_7D",
        "CN_GCP48_COPY_7D 03-14 > 03-17 RUNNING",
    ]
