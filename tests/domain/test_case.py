"""A case as it is held: in order whatever the order of arrival, nothing lost, each coding with its words."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.domain.cases import case, coded, event, infusion, report
from tocsin.domain.case import Case
from tocsin.domain.words import Agent, Party, Relation, Scale

RASH = event("rash")
FEVER = event("fever", n=2)


def test_facts_in_any_order_and_twice_make_the_same_case() -> None:
    reports = [report(RASH, revision=n, received=f"2026-03-0{n}T09:00") for n in (1, 2, 3)]
    codings = [coded("Fever", revision=n) for n in (1, 2)]
    infusions = [infusion("2026-03-01"), infusion("2026-03-02")]
    made = {
        Case((*one, one[0]), (*two, two[1]), three)
        for one in itertools.permutations(reports)
        for two in itertools.permutations(codings)
        for three in itertools.permutations(infusions)
    }
    assert len(made) == 1
    (only,) = made
    assert [r.revision for r in only.revisions] == [1, 2, 3]
    assert only.latest.revision == 3


def test_a_case_without_a_report_says_so() -> None:
    with pytest.raises(ValueError, match="no revision of its report has arrived"):
        _ = case(codings=[coded("Fever")]).latest


def test_an_event_that_a_follow_up_does_not_mention_still_stands() -> None:
    held = case(report(RASH, FEVER), report(FEVER, revision=2, received="2026-03-03T09:00"))
    assert [(e.verbatim, r.revision) for e, r in held.standing] == [("rash", 1), ("fever", 2)]


def test_only_a_nullification_takes_an_event_away() -> None:
    held = case(report(RASH, FEVER), report(replace(RASH, is_nullified=True), revision=2, received="2026-03-03T09:00"))
    assert [e.verbatim for e, _ in held.standing] == ["fever"]


def test_no_event_of_a_nullified_case_stands_and_a_later_revision_revives_it() -> None:
    first = report(RASH)
    taken_back = report(RASH, revision=2, received="2026-03-03T09:00", nullified=True)
    again = report(FEVER, revision=3, received="2026-03-04T09:00")
    assert case(first, taken_back).standing == ()
    assert {e.verbatim for e, _ in case(first, taken_back, again).standing} == {"rash", "fever"}


def test_a_coding_counts_for_the_words_it_was_made_of() -> None:
    reworded = replace(RASH, verbatim="Stevens-Johnson syndrome")
    held = case(
        report(RASH),
        report(reworded, revision=2, received="2026-03-03T09:00"),
        codings=[coded("Rash maculo-papular"), coded("Stevens-Johnson syndrome", revision=2)],
    )
    first, second = held.coding_of(RASH), held.coding_of(reworded)
    assert first is not None
    assert second is not None
    assert (first.term, second.term) == ("Rash maculo-papular", "Stevens-Johnson syndrome")


def test_words_that_did_not_change_keep_their_coding() -> None:
    held = case(report(RASH), report(RASH, revision=2, received="2026-03-03T09:00"), codings=[coded("Rash acneiform")])
    found = held.coding_of(held.latest.events[0])
    assert found is not None
    assert found.term == "Rash acneiform"


def test_a_coding_of_an_older_revision_never_replaces_a_newer_one() -> None:
    newer = coded("Rash acneiform", revision=2, hour=1)
    older = coded("Rash maculo-papular", revision=1, hour=9)
    reports = (report(RASH), report(RASH, revision=2, received="2026-03-03T09:00"))
    for codings in ([newer, older], [older, newer]):
        assert case(*reports, codings=codings).coding_of(RASH) == newer


def test_of_two_codings_of_one_revision_the_later_counts() -> None:
    machine, person = coded(None, is_coded=False, hour=1), coded("Rash acneiform", hour=5)
    retracted = coded(None, is_coded=False, hour=7)
    for codings in itertools.permutations([machine, person]):
        assert case(report(RASH), codings=codings).coding_of(RASH) == person
    for codings in itertools.permutations([machine, person, retracted]):
        assert case(report(RASH), codings=codings).coding_of(RASH) == retracted


def test_a_coding_of_a_revision_not_held_yet_waits_for_its_words() -> None:
    assert case(report(RASH), codings=[coded("Fever", revision=2)]).coding_of(RASH) is None


def test_grades_of_two_scales_stand_side_by_side() -> None:
    told = event("CRS", grade=2, astct=3)
    assert (told.worst_grade(), told.worst_grade(Scale.CTCAE), told.worst_grade(Scale.ASTCT)) == (3, 2, 3)
    assert event().worst_grade() is None


def test_a_party_that_gave_no_opinion_has_none() -> None:
    told = event(investigator=Relation.RELATED)
    assert told.relation(Agent.PRODUCT, Party.SPONSOR) is None
    assert told.relation(Agent.DISEASE, Party.INVESTIGATOR) is None
    assert told.relation(Agent.PRODUCT, Party.INVESTIGATOR) is Relation.RELATED
