"""What is asked of a site reaches its contact: that something is asked, gathered into one letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.alerting.ward import NOON, STUDY, Ward, query

SECOND = timedelta(seconds=1)


def test_the_questions_of_one_case_are_one_letter(any_house: Ward) -> None:
    any_house.receive(query("Q1"), query("Q2"), query("Q3"))
    assert any_house.mails() == []
    any_house.fast_forward(5 * SECOND, step=SECOND)
    assert any_house.rung() == [("site-s01", "[Tocsin] TOC-0031: 3 questions for you")]


def test_an_import_is_one_digest_for_each_site(house: Ward) -> None:
    for number in range(40):
        site = "S01" if number % 4 else "S02"
        house.receive(query(f"Q{number}", case=f"TOC-{number:04}", batch="import-1", site=site))
    house.fast_forward(timedelta(minutes=2), step=10 * SECOND)
    assert house.rung() == [
        ("site-s01", "[Tocsin] 30 questions for you"),
        ("site-s02", "[Tocsin] 10 questions for you"),
    ]


def test_a_long_import_is_not_waited_for_longer_than_a_quarter_of_an_hour(house: Ward) -> None:
    for number in range(40):
        house.receive(query(f"Q{number}", batch="import-1", at=house.at))
        house.fast_forward(30 * SECOND, step=30 * SECOND)
    assert house.mails()[0].sent_at <= NOON + timedelta(minutes=15, seconds=30)


def test_a_question_that_comes_after_the_letter_gets_a_letter_of_its_own(house: Ward) -> None:
    house.receive(query("Q1"))
    house.fast_forward(10 * SECOND, step=SECOND)
    house.receive(query("Q2", at=house.at), query("Q1"))
    house.fast_forward(10 * SECOND, step=SECOND)
    assert [subject for _, subject in house.rung()] == ["[Tocsin] TOC-0031: 1 question for you"] * 2


def test_a_site_without_a_contact_is_the_safety_teams_to_look_after(house: Ward) -> None:
    protocol = house.studies[STUDY]
    silent = tuple(replace(site, contact=None) for site in protocol.sites)
    house.studies[STUDY] = replace(protocol, sites=silent)
    house.receive(query("Q1"))
    house.fast_forward(10 * SECOND, step=SECOND)
    assert [who for who, _ in house.rung()] == ["safety-team", "tocsin-admin"]
    assert house.alerts()[0]["kind"] == "nobody_reachable"
