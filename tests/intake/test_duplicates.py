"""Likely duplicates: kept, linked with their reasons, left to a person."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ae_intake.duplicates import Told, reasons
from tests.intake.at_site import Site, an_event
from tocsin.domain.alike import normalised, tokens

SHANGHAI = ZoneInfo("Asia/Shanghai")


def told(**facts: Any) -> Told:
    return Told(
        **{"case_id": "TOC-1", "verbatim": "pneumonia", "onset": "2026-03-01", "reporter": "Li", "channel": "direct"}
        | facts
    )


LIKELY: list[tuple[dict[str, Any], list[str]]] = [
    ({"reporter": "Wang"}, ["the same subject", "the same words", "onsets 2026-03-01 and 2026-03-01",
                            "another person"]),
    ({"channel": "edc"}, ["the same subject", "the same words", "onsets 2026-03-01 and 2026-03-01",
                          "by another way (edc, direct)"]),
    ({"reporter": None}, ["the same subject", "the same words", "onsets 2026-03-01 and 2026-03-01",
                          "perhaps another person: a reporter is not named"]),
    ({"reporter": "Wang", "verbatim": "PNEUMONIA, left lung", "onset": "2026-03-04"},
     ["the same subject", "like words (pneumonia)", "onsets 2026-03-04 and 2026-03-01", "another person"]),
    ({"reporter": "Wang", "onset": None},
     ["the same subject", "the same words", "an onset that is not known", "another person"]),
    ({"reporter": "Wang", "onset": "2026-02"},
     ["the same subject", "the same words", "onsets 2026-02 and 2026-03-01", "another person"]),
    ({}, ["the same subject", "the same words", "onsets 2026-03-01 and 2026-03-01",
          "the same person by the same way: it may have been sent twice"]),
]  # fmt: skip

UNLIKELY: list[dict[str, Any]] = [
    {"reporter": "Wang", "verbatim": "fracture"},
    {"reporter": "Wang", "onset": "2026-03-05"},
    {"reporter": "Wang", "onset": "2026-02-25"},
    {"verbatim": "pneumonia, left lung"},
    {"onset": "2026-03-02"},
]


@pytest.mark.parametrize(("new", "why"), LIKELY)
def test_what_may_be_one_event_says_why(new: dict[str, Any], why: list[str]) -> None:
    assert reasons(told(**new), told(), SHANGHAI) == why


@pytest.mark.parametrize("new", UNLIKELY)
def test_what_need_not_be_one_event_is_not_linked(new: dict[str, Any]) -> None:
    assert reasons(told(**new), told(), SHANGHAI) == []


def test_rows_of_one_import_are_never_suspected_of_one_another() -> None:
    row = {"channel": "sdtm", "batch": "run-1", "reporter": None}

    assert reasons(told(**row), told(**row), SHANGHAI) == []
    assert reasons(told(**row), told(**row | {"batch": "run-2"}), SHANGHAI) != []


def test_the_same_row_of_the_same_system_with_other_content_is_always_linked() -> None:
    row = {"channel": "edc", "batch": "run-1", "reference": "AE-77", "reporter": None}

    assert reasons(told(**row), told(**row, verbatim="lung infection", onset="2026-09-01"), SHANGHAI) == [
        "the same subject",
        "the same row AE-77 of edc, which has changed",
    ]


@pytest.mark.parametrize(
    ("one", "other"), [("Pneumonia", "pneumonia."), ("ＰＮＥＵＭＯＮＩＡ", "pneumonia"), ("肺炎。", "肺炎")]
)
def test_spelling_does_not_make_another_word(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


def test_words_without_meaning_do_not_make_two_events_alike() -> None:
    assert tokens("grade 3 pain of the arm") == {"pain", "arm"}
    assert tokens("重症肺炎") == {"重症", "症肺", "肺炎"}


def test_a_likely_duplicate_is_kept_linked_and_asked(site: Site) -> None:
    first = site.report()
    second = site.report(reporter={"name": "Nurse Wang"})

    (link,) = second["possible_duplicates"]
    assert link["case_id"] == first["case_id"]
    assert "another person" in link["reasons"]
    (query,) = second["queries"]
    assert (query["kind"], query["about"]) == ("duplicate", "")
    assert second["clocks"] != []
    assert site.said("reports.received.v1")[1].body.possible_duplicates[0].case_id == "TOC-0001"
    assert site.case("TOC-0001")["possible_duplicates"][0]["case_id"] == "TOC-0002"


def test_a_follow_up_does_not_settle_a_suspected_duplicate(site: Site) -> None:
    site.report()
    second = site.report(reporter={"name": "Nurse Wang"})
    receipt = site.follow_up(second["case_id"], {"narrative": "news"})

    assert [query["kind"] for query in receipt["queries"]] == ["duplicate"]
    assert [link["case_id"] for link in receipt["possible_duplicates"]] == ["TOC-0001"]


def test_other_subjects_and_nullified_cases_are_not_suspected(site: Site) -> None:
    first = site.report()
    site.follow_up(first["case_id"], {"nullify": True, "reason": "not ours"})

    assert site.report(reporter={"name": "Nurse Wang"})["possible_duplicates"] == []
    assert site.report(subject="S01-002", reporter={"name": "Nurse Wang"})["possible_duplicates"] == []


def test_a_subject_that_is_named_later_is_compared_then(site: Site) -> None:
    site.report()
    unnamed = site.report(subject=None, reporter={"name": "Nurse Wang"})
    assert unnamed["possible_duplicates"] == []
    receipt = site.follow_up(unnamed["case_id"], {"subject": "S01-001"})

    assert [link["case_id"] for link in receipt["possible_duplicates"]] == ["TOC-0001"]


def test_an_event_that_is_added_later_is_compared_then(site: Site) -> None:
    site.report(an_event(verbatim="sepsis"))
    other = site.report(reporter={"name": "Nurse Wang"})
    assert other["possible_duplicates"] == []
    receipt = site.follow_up(other["case_id"], {"events": [an_event(ref="B", verbatim="sepsis")]})

    assert [link["case_id"] for link in receipt["possible_duplicates"]] == ["TOC-0001"]
