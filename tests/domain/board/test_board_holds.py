"""Holds on infusions: what sets one, whom it stops, who confirms it, and what lifts it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.domain.board.trial import CONFIRMED, LATE, MET, at_board, cohort, protocol, reviewed, subject
from tests.domain.cases import at, event
from tocsin.domain.board.board import Board
from tocsin.domain.board.facts import (
    Alarm,
    AlarmingFinding,
    Confirmed,
    Lifted,
    ProductEvent,
    Raised,
    TrialFacts,
    death_of,
)
from tocsin.domain.board.holds import Hold, Kind
from tocsin.domain.board.settings import Design, ProductFault
from tocsin.domain.case import Opinion
from tocsin.domain.dlt.subject import Reported
from tocsin.domain.known import Finding, Known
from tocsin.domain.words import Agent, Party, Relation

MARCH = "2026-03-02T10:00"


def hold(found: Board, key: str) -> Hold:
    one = found.hold(key)
    assert one is not None, [each.key for each in found.holds]
    return one


def standing(found: Board, *kinds: Kind) -> list[str]:
    return [one.key for one in found.standing_holds if not kinds or one.kind in kinds]


def given_against(found: Board) -> dict[str, list[str]]:
    return {subject_id: [one.key for one in holds] for subject_id, holds in found.given_against}


@pytest.mark.rule("rules.md 5.5: ST-01")
def test_after_the_first_at_the_lowest_level_the_next_is_28_days_later() -> None:
    first = [subject(1)]
    day_27, day_28 = (at_board(first, as_of=day) for day in ("2026-02-01T23:59", "2026-02-02T00:00"))
    assert (day_27.next.level, day_27.next.held_by, day_27.next.earliest_on) == (
        "DL1",
        ("stagger:DL1",),
        date(2026, 2, 2),
    )
    assert not day_27.next.may_be_infused
    assert day_28.next.may_be_infused


@pytest.mark.rule("rules.md 5.5: ST-01")
def test_at_another_level_the_stagger_is_14_days() -> None:
    trial = [*cohort(1, None, None, None), subject(4, level="DL2", on=MARCH)]
    day_13, day_14 = (at_board(trial, reviewed(), as_of=day) for day in ("2026-03-15T23:59", "2026-03-16T00:00"))
    assert (day_13.next.level, day_13.next.held_by) == ("DL2", ("stagger:DL2",))
    assert day_14.next.may_be_infused


@pytest.mark.rule("rules.md 5.5: ST-01")
@pytest.mark.parametrize(("second", "against"), [("2026-02-01T20:00", ["stagger:DL1"]), ("2026-02-02T08:00", None)])
def test_an_infusion_within_the_stagger_is_accepted_and_named(second: str, against: list[str] | None) -> None:
    found = at_board([subject(1), subject(2, on=second)])
    assert given_against(found).get("S01-002") == against
    assert found.count("DL1").evaluable == 2


@pytest.mark.rule("rules.md 5.5: ST-02")
def test_an_infusion_at_a_level_without_the_signed_review_is_named() -> None:
    trial = [*cohort(1, None), subject(4, level="DL2", on=MARCH)]
    assert given_against(at_board(trial)) == {"S01-004": ["review:DL2"]}
    assert given_against(at_board(trial, reviewed())) == {}
    assert given_against(at_board(trial, reviewed(on="2026-03-02T10:01"))) == {"S01-004": ["review:DL2"]}


@pytest.mark.rule("readings.md DLT 14")
def test_the_second_dlt_met_holds_enrolment_and_the_second_confirmed_closes_the_level() -> None:
    one = at_board(cohort(1, MET))
    met, confirmed = at_board(cohort(1, MET, MET)), at_board(cohort(1, CONFIRMED, CONFIRMED))
    assert standing(one, Kind.SECOND_DLT) == []
    assert not hold(met, "second_dlt:DL1").is_closing
    assert hold(met, "second_dlt:DL1").levels == ("DL1", "DL2", "DL3")
    assert hold(confirmed, "second_dlt:DL1").is_closing
    assert hold(met, "second_dlt:DL1").reasons == (
        "ST-04: 2 subjects with a DLT at DL1: S01-001, S01-002",
        "0 confirmed: enrolment is held",
    )


@pytest.mark.rule("readings.md DLT 14")
def test_two_dlts_of_one_subject_are_one() -> None:
    assert standing(at_board([subject(1, MET, CONFIRMED)]), Kind.SECOND_DLT) == []


@pytest.mark.rule("readings.md DLT 14")
def test_under_boin_the_table_decides_and_closes() -> None:
    boin = protocol(design=Design.BOIN)
    assert standing(at_board(cohort(1, None, MET, MET), of=boin), Kind.SECOND_DLT, Kind.ELIMINATED) == []
    assert standing(at_board(cohort(1, MET, MET, MET), of=boin), Kind.SECOND_DLT, Kind.ELIMINATED) == [
        "eliminated:DL1"
    ]  # fmt: skip


@pytest.mark.rule("readings.md DLT 14")
def test_a_treatment_related_death_anywhere_pauses_every_infusion() -> None:
    facts = TrialFacts(raised=(Raised("death:D1", "treatment_related_death", None, (), at("2026-05-01T10:00"), ()),))
    found = at_board([subject(1, died="2026-05-01"), subject(2)], facts)
    death = hold(found, "death:D1")
    assert (death.levels, death.since) == ((), at("2026-05-01T10:00"))
    assert death.decide_by == at("2026-05-04T10:00")
    assert "death:D1" in found.next.held_by
    assert standing(at_board([subject(1, died="2026-05-01", related=False)]), Kind.TREATMENT_RELATED_DEATH) == []


@pytest.mark.rule("readings.md DLT 14")
@pytest.mark.parametrize(
    ("opinions", "related", "provisional"),
    [
        ([], True, True),
        ([(Agent.PRODUCT, Party.INVESTIGATOR, Relation.NOT_RELATED)], True, True),
        (
            [
                (Agent.PRODUCT, Party.INVESTIGATOR, Relation.NOT_RELATED),
                (Agent.PRODUCT, Party.SPONSOR, Relation.NOT_RELATED),
            ],
            False,
            False,
        ),
        (
            [
                (Agent.PRODUCT, Party.INVESTIGATOR, Relation.NOT_RELATED),
                (Agent.PRODUCT, Party.SPONSOR, Relation.NOT_RELATED),
                (Agent.LYMPHODEPLETION, Party.INVESTIGATOR, Relation.RELATED),
            ],
            True,
            False,
        ),
    ],
)
def test_a_death_without_both_opinions_counts_as_treatment_related(
    opinions: list[tuple[Agent, Party, Relation]], related: bool, provisional: bool
) -> None:
    told = replace(event("died"), opinions=tuple(Opinion(*one) for one in opinions))
    death = death_of(Reported("TOC-0031", told, fatal=Finding(True, ())))
    assert death is not None
    assert (death.related.value, death.related.is_provisional) == (related, provisional)
    assert death_of(Reported("TOC-0031", told)) is None


@pytest.mark.rule("rules.md 5.5: ST-06")
@pytest.mark.parametrize("fault", list(ProductFault))
def test_a_fault_of_the_product_holds_unless_it_concerns_one_bag_alone(fault: ProductFault) -> None:
    one = ProductEvent("P1", fault, at(MARCH), "lot 7")
    found = at_board([], TrialFacts(product_events=(one,)))
    holds = [] if fault in (ProductFault.THAW_FAILURE, ProductFault.BAG_FAILURE) else ["product:P1"]
    assert standing(found, Kind.PRODUCT) == holds
    harmful = replace(one, is_linked_to_harm=Known.YES)
    assert standing(at_board([], TrialFacts(product_events=(harmful,)))) == ["product:P1"]


@pytest.mark.rule("rules.md 5.5: ST-06")
@pytest.mark.parametrize("alarm", list(Alarm))
def test_a_malignancy_of_the_cells_or_competent_virus_pauses_everything(alarm: Alarm) -> None:
    found = at_board([], TrialFacts(alarming=(AlarmingFinding("A1", alarm, "S01-001", at(MARCH)),)))
    assert standing(found) == [f"{alarm}:A1"]
    assert found.standing_holds[0].levels == ()


def test_a_hold_is_confirmed_by_each_site_and_the_cell_lab() -> None:
    told = Confirmed("second_dlt:DL1", "S01", "Dr. A", at("2026-12-01T11:00"))
    raised = Raised("second_dlt:DL1", "second_dlt", "DL1", ("DL1",), at("2026-11-30T11:00"), ())
    found = hold(at_board(cohort(1, MET, MET), TrialFacts(confirmed=(told,), raised=(raised,))), "second_dlt:DL1")
    assert [(one.party, one.at) for one in found.confirmations] == [
        ("S01", at("2026-12-01T11:00")),
        ("S02", None),
        ("cell_lab", None),
    ]
    assert found.unconfirmed == ("S02", "cell_lab")


def test_a_hold_is_lifted_by_signature_alone_and_stands_again_when_it_is_set_again() -> None:
    key = "death:D1"
    lifted = Lifted(key, ("A. Chair",), at("2026-05-03T10:00"), "progression")
    raised = Raised(key, "treatment_related_death", None, (), at("2026-05-01T10:00"), ("told so",))
    again = replace(raised, at=at("2026-05-05T10:00"))
    dead = [subject(1, died="2026-05-01")]
    assert key not in standing(at_board(dead, TrialFacts(raised=(raised,), lifted=(lifted,))))
    assert key not in standing(at_board(dead, TrialFacts(lifted=(lifted,))))
    assert key in standing(at_board(dead, TrialFacts(raised=(raised, again), lifted=(lifted,))))
    assert key in standing(at_board(dead, TrialFacts(raised=(raised,), lifted=(lifted,)), as_of="2026-05-03T09:59"))


def test_a_hold_stays_although_the_facts_no_longer_ask_for_it() -> None:
    raised = Raised("second_dlt:DL1", "second_dlt", "DL1", ("DL1",), at("2026-02-01T10:00"), ("two with a DLT",))
    found = hold(at_board(cohort(1, MET, None), TrialFacts(raised=(raised,))), "second_dlt:DL1")
    assert not found.is_asked_for
    assert found.reasons == (
        "two with a DLT",
        "the facts no longer ask for it: it stays until it is lifted by signature",
    )
    assert found.key in standing(at_board(cohort(1, MET, None), TrialFacts(raised=(raised,))))


def test_an_infusion_after_the_second_dlt_is_named_and_one_before_it_is_not() -> None:
    raised = Raised("second_dlt:DL1", "second_dlt", "DL1", ("DL1",), at("2026-02-01T10:00"), ())
    trial = [*cohort(1, MET, MET), subject(3, on="2026-02-03T10:00"), subject(4, on="2026-02-01T09:59")]
    found = given_against(at_board(trial, TrialFacts(raised=(raised,)), of=protocol(stagger_lowest_days=0)))
    assert found == {"S01-003": ["second_dlt:DL1"]}


@pytest.mark.rule("one level at a time")
def test_nobody_is_infused_at_a_second_level_while_one_is_in_the_window() -> None:
    trial = [*cohort(1, None, None), subject(3, on="2026-02-20T10:00"), subject(4, level="DL2", on=MARCH)]
    signed = reviewed(on="2026-02-25T10:00")
    found = at_board(trial, signed, as_of="2026-03-03T10:00")
    assert given_against(found)["S01-004"] == ["parallel:DL1"]
    assert standing(found, Kind.PARALLEL) == ["parallel:DL1", "parallel:DL2"]
    assert "S01-004" not in given_against(at_board(trial, signed, of=protocol(parallel_levels=True)))


@pytest.mark.rule("one level at a time")
def test_after_a_dose_proved_too_toxic_the_lower_one_goes_on_at_once() -> None:
    raised = Raised("second_dlt:DL2", "second_dlt", "DL2", ("DL2", "DL3"), at("2026-03-08T10:00"), ())
    facts = replace(reviewed(), raised=(raised,))
    trial = [*cohort(1, None, None, None), *cohort(4, MET, MET, level="DL2", on=MARCH)]
    found = at_board(trial, facts, as_of="2026-03-10T10:00")
    assert (found.next.level, found.next.held_by) == ("DL1", ())
    assert "S01-006" not in given_against(at_board([*trial, subject(6, on="2026-03-11T10:00")], facts))


def test_a_late_dlt_below_holds_the_level_that_was_opened_before() -> None:
    trial = [*cohort(1, None, None, MET), subject(4, level="DL2", on=MARCH)]
    found = at_board(trial, reviewed())
    undone = hold(found, "undone:DL2")
    assert undone.levels == ("DL2", "DL3")
    assert undone.reasons[:2] == (
        "the review that opened DL2 was signed on other facts",
        "DL1 now: EXPAND_TO_6: enrol 3 more at the same dose",
    )
    assert "undone:DL2" in found.next.held_by


@pytest.mark.rule("readings.md DLT 2")
def test_a_dlt_outside_the_plan_holds_the_higher_levels_until_the_committee_signs() -> None:
    found = at_board([*cohort(1, None, None, None), subject(4, MET, percent="150")])
    assert hold(found, "outside_plan:DL1:S01-004").levels == ("DL2", "DL3")


def test_a_hold_that_nobody_dated_stands_from_the_moment_of_the_board_on() -> None:
    assert hold(at_board(cohort(1, MET, MET)), "second_dlt:DL1").since == LATE
    later = at_board(cohort(1, MET, MET), as_of=LATE + timedelta(days=1))
    assert hold(later, "second_dlt:DL1").stands(LATE + timedelta(days=1), later.today)


@pytest.mark.rule("readings.md DLT 14")
def test_a_death_of_which_nobody_has_judged_the_cause_pauses_infusions_too() -> None:
    dead = subject(1, died="2026-05-01")
    unjudged = replace(dead.deaths[0], related=Finding(True, ("no opinion of the sponsor",), is_provisional=True))
    found = hold(at_board([replace(dead, deaths=(unjudged,))]), "death:D1")
    assert found.reasons == (
        "ST-03: S01-001 died, and the death counts as treatment-related",
        "no opinion of the sponsor",
    )


def test_where_the_higher_level_is_left_by_its_own_table_no_escalation_is_undone() -> None:
    trial = [*cohort(1, None, None, MET, None, None, None), *cohort(7, MET, MET, level="DL2", on=MARCH)]
    found = at_board(trial, reviewed())
    assert found.decision("DL1").word == "DECLARE_MTD"
    assert standing(found, Kind.UNDONE) == []
