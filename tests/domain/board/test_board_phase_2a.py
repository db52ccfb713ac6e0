"""Phase 2a: no proposal before everybody of phase 1 is observed, and an expansion that stops."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from tests.domain.board.trial import MET, POTENTIAL, at_board, cohort, protocol, reviewed, subject
from tests.domain.cases import at
from tocsin.domain.board.facts import Recommended, SubjectFacts, TrialFacts
from tocsin.domain.board.settings import ExpansionSettings
from tocsin.domain.known import Known

MARCH, MAY, JULY = "2026-03-02T10:00", "2026-05-04T10:00", "2026-07-06T10:00"
SIGNED = replace(reviewed(), recommended=(Recommended("DL1", ("Sponsor",), at("2026-06-20T10:00"), "MTD"),))


def phase_1(last: object = None) -> list[SubjectFacts]:
    """DL1 holds six, DL2 was too toxic: DL1 is the MTD."""
    back = cohort(6, None, None, last, on=MAY)  # type: ignore[arg-type]
    return [*cohort(1, None, None, None), *cohort(4, MET, MET, level="DL2", on=MARCH), *back]


@pytest.mark.rule("NCT06223646, public record")
def test_a_dose_is_proposed_only_when_every_subject_of_phase_1_has_been_observed() -> None:
    done = at_board(phase_1(), reviewed()).proposal
    assert (done.may_be_made, done.level) == (True, "DL1")
    early = at_board(phase_1(), reviewed(), as_of="2026-06-01T10:00").proposal
    assert (early.may_be_made, early.level) == (False, None)
    assert early.waits_for == tuple(f"S01-00{n}: day 28 is not complete" for n in (6, 7, 8))
    open_verdict = at_board(phase_1(POTENTIAL), reviewed()).proposal
    assert not open_verdict.may_be_made
    assert open_verdict.waits_for[0].startswith("S01-008: E1 is POTENTIAL_DLT")


def test_without_an_mtd_nothing_is_proposed() -> None:
    found = at_board(cohort(1, None, None, None)).proposal
    assert (found.may_be_made, found.reasons[0]) == (False, "no dose has been found yet that may be proposed")


@pytest.mark.rule("rules.md 5.5: ST-05")
@pytest.mark.parametrize(("dlts", "word"), [(2, "CONTINUE"), (3, "STOP")])
def test_the_expansion_stops_where_the_rate_is_all_but_sure_to_be_too_high(dlts: int, word: str) -> None:
    expansion = cohort(20, *[MET] * dlts, *[None] * (3 - dlts), on=JULY)
    found = at_board([*phase_1(), *expansion], SIGNED)
    assert found.expansion.subjects == ("S01-020", "S01-021", "S01-022")
    assert found.expansion.looks[0].decision.decision == word
    keys = [one.key for one in found.standing_holds]
    assert ("monitoring:dlt" in keys) is (word == "STOP")
    assert found.next.may_be_infused is (word != "STOP")


def test_dlts_of_the_expansion_do_not_change_the_decisions_of_phase_1() -> None:
    found = at_board([*phase_1(), *cohort(20, MET, MET, on=JULY)], SIGNED)
    assert found.decision("DL1").word == "DECLARE_MTD"
    assert found.count("DL1").evaluable == 6
    assert found.hold("second_dlt:DL1") is None


def test_a_rate_without_a_limit_is_said_not_to_be_watched() -> None:
    found = at_board(phase_1(), SIGNED).expansion
    assert [look.name for look in found.looks] == ["dlt"]
    assert found.reasons == (
        "ICANS of grade 3 or higher is not watched: the sponsor has set no limit",
        "deaths without relapse are not watched: the sponsor has set no limit",
    )


@pytest.mark.rule("rules.md 5.5: ST-05")
def test_a_death_of_which_nobody_says_that_the_myeloma_came_back_counts_as_without_relapse() -> None:
    limits = ExpansionSettings(icans_limit=Fraction(1, 5), non_relapse_mortality_limit=Fraction(1, 10))
    died = [subject(n, on=JULY, died="2026-09-01", severe_icans=Known.YES) for n in (20, 21, 22)]
    trial = [*phase_1(), *died]
    found = at_board(trial, SIGNED, of=protocol(expansion=limits)).expansion
    assert [(look.name, look.decision.decision) for look in found.looks] == [
        ("dlt", "CONTINUE"),
        ("icans", "STOP"),
        ("non_relapse_mortality", "STOP"),
    ]
    assert found.looks[2].unknown == ("S01-020", "S01-021", "S01-022")
    relapsed = [replace(one, relapsed=Known.YES) for one in died]
    again = at_board([*phase_1(), *relapsed], SIGNED, of=protocol(expansion=limits)).expansion
    assert again.looks[2].decision.decision == "CONTINUE"


def test_who_is_infused_after_the_dose_was_signed_belongs_to_the_expansion() -> None:
    found = at_board([*phase_1(), subject(20, on=JULY), subject(21, on=None)], SIGNED)
    assert found.expansion.subjects == ("S01-020",)
    assert found.next.level == "DL1"
    assert at_board(phase_1(), TrialFacts()).expansion.level is None
