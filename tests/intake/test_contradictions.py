"""Contradictions are kept, read at their worst, named in the receipt and asked. Received at noon, 2 March 2026."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ae_intake.contradictions import contradictions
from tests.intake.at_site import Site, an_event
from tocsin.messages.facts import ReportFacts

RECEIVED = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
RELATED = {"agent": "product", "party": "investigator", "relation": "related"}
UNRELATED = {"agent": "product", "party": "investigator", "relation": "not_related"}

KEPT: list[tuple[dict[str, Any], dict[str, str]]] = [
    # the facts of one event; each contradiction by its pointer, with how it is read
    ({"onset": "2026-03-01", "end": "2026-02-28"}, {"/end": "going on: the end does not count"}),
    ({"onset": "2026-03", "end": "2026-02"}, {"/end": "going on: the end does not count"}),
    ({"onset": "2026-03-03", "investigator_aware_at": None}, {"/onset": "it has happened"}),
    ({"onset": "2026-03-02T12:06", "investigator_aware_at": None}, {"/onset": "it has happened"}),
    ({"onset": "2027", "investigator_aware_at": None}, {"/onset": "it has happened"}),
    ({"end": "2026-03-03"}, {"/end": "going on: the end does not count"}),
    ({"outcome": "fatal", "grade": None}, {"/seriousness": "fatal, and so serious"}),
    ({"grade": {"ctcae": 5}, "outcome": None}, {"/seriousness": "fatal, and so serious"}),
    ({"grade": {"astct": 5}, "outcome": None}, {"/seriousness": "fatal, and so serious"}),
    ({"course": [{"grade": 5, "from": "2026-03-01T20:00"}], "grade": None, "outcome": None},
     {"/seriousness": "fatal, and so serious"}),
    ({"grade": {"ctcae": 5}, "seriousness": ["death"], "outcome": "recovering"}, {"/outcome": "fatal"}),
    ({"seriousness": ["death"], "outcome": "recovered"}, {"/outcome": "fatal"}),
    ({"seriousness": ["death"], "outcome": "fatal", "grade": {"ctcae": 4}}, {"/grade/ctcae": "fatal"}),
    ({"serious": False, "seriousness": ["hospitalisation"]}, {"/serious": "serious"}),
    ({"serious": False, "seriousness": None, "outcome": "fatal", "grade": None},
     {"/seriousness": "fatal, and so serious", "/serious": "serious, fatal"}),
    ({"investigator_aware_at": "2026-03-02T12:30"},
     {"/investigator_aware_at": "the investigator knew when this was received, at the latest"}),
    ({"investigator_aware_at": "2026-02-28T09:00"}, {"/investigator_aware_at": "the earlier time counts"}),
    ({"treated": False, "treatment": "meropenem"}, {"/treated": "treated"}),
    ({"asymptomatic": True, "seriousness": ["life_threatening"]}, {"/asymptomatic": "with symptoms"}),
    ({"symptoms": "asymptomatic", "seriousness": ["life_threatening"]}, {"/symptoms": "with symptoms"}),
    ({"asymptomatic": True, "symptoms": "moderate"}, {"/asymptomatic": "with symptoms"}),
    ({"asymptomatic": True, "symptoms": "severe", "seriousness": ["life_threatening"]},
     {"/asymptomatic": "with symptoms"}),
    ({"asymptomatic": False, "symptoms": "asymptomatic"}, {"/symptoms": "with symptoms"}),
    ({"intervention": "none", "treatment": "meropenem"}, {"/intervention": "an intervention, it is not known which"}),
    ({"intervention": "none", "treated": True}, {"/intervention": "an intervention, it is not known which"}),
    ({"course": [{"grade": 2, "from": "2026-03-01T20:00"}, {"grade": 3, "from": "2026-03-01T20:00"}]},
     {"/course/1/grade": "grade 3"}),
    ({"course": [{"grade": 4, "from": "2026-03-01T20:00"}]}, {"/grade/ctcae": "grade 4"}),
    ({"grade": {"astct": 1}, "course": [{"grade": 2, "scale": "astct", "from": "2026-03-01T20:00"}]},
     {"/grade/astct": "grade 2"}),
    ({"course": [{"grade": 2, "from": "2026-02-27"}]},
     {"/course/0/from": "the earlier of the two is when it began"}),
    ({"course": [{"grade": 2, "from": "2026-03-04"}]}, {"/course/0/from": "the grade was reached"}),
    ({"causality": [UNRELATED, RELATED]}, {"/causality/1/relation": "suspected"}),
    ({"causality": [RELATED, UNRELATED]}, {"/causality/1/relation": "suspected"}),
    ({"component_of": "AE-9"}, {"/component_of": "an event of its own"}),
    ({"component_of": "AE-1"}, {"/component_of": "an event of its own"}),
]  # fmt: skip

NOT_SURE: list[dict[str, Any]] = [
    # what may be true under some reading is no contradiction
    {"onset": "2026-03", "end": "2026-03-01"},
    {"onset": "2026-03-01T22:00", "end": "2026-03-01"},
    {"onset": "2026", "end": "2026-01-05"},
    {"onset": "2026-03-02"},
    {"onset": "2026-03-02T12:04", "investigator_aware_at": "2026-03-02T12:04"},
    {"end": "2026-03-02"},
    {"onset": "--03-05", "end": "2025-01-01"},
    {"onset": None, "end": "2026-03-01"},
    {"seriousness": ["death"], "outcome": "unknown"},
    {"seriousness": ["death"], "outcome": None},
    {"seriousness": ["death"], "outcome": "fatal", "grade": {"ctcae": 5}},
    {"investigator_aware_at": "2026-03-01", "onset": "2026-03-01T23:00"},
    {"course": [{"grade": 2, "from": "2026-03-01"}, {"grade": 2, "scale": "astct", "from": "2026-03-01"}]},
    {"causality": [RELATED, {**UNRELATED, "party": "sponsor"}]},
    {"causality": [RELATED, {**UNRELATED, "agent": "bridging"}]},
    {"component_of": "AE-0"},
    {"asymptomatic": True, "symptoms": "asymptomatic"},
    {"asymptomatic": False, "symptoms": "mild"},
    {"symptoms": "severe", "limits": "self_care_adl", "intervention": "urgent", "seriousness": ["life_threatening"]},
    {"intervention": "none", "treated": False},
    {"intervention": "medical", "treated": False},
    {"nullified": True, "outcome": "fatal"},
]


def found(**facts: Any) -> dict[str, str]:
    """By pointer within the event."""
    report = ReportFacts.model_validate({"events": [an_event(ref="AE-0", verbatim="cough"), an_event(**facts)]})
    told = contradictions(report, ZoneInfo("Asia/Shanghai"), RECEIVED)
    return {one.pointer.removeprefix("/events/1"): one.read_as for one in told}


@pytest.mark.parametrize(("facts", "expected"), KEPT)
def test_what_cannot_both_be_is_found_and_read_at_its_worst(facts: dict[str, Any], expected: dict[str, str]) -> None:
    assert found(**facts) == expected


@pytest.mark.parametrize("facts", NOT_SURE)
def test_what_may_be_true_is_not_called_a_contradiction(facts: dict[str, Any]) -> None:
    assert found(**facts) == {}


@pytest.mark.parametrize(("facts", "expected"), KEPT)
def test_a_contradiction_is_kept_named_in_the_receipt_and_asked(
    lasting_site: Site, facts: dict[str, Any], expected: dict[str, str]
) -> None:
    receipt = lasting_site.report(an_event(ref="AE-0", verbatim="cough"), an_event(**facts))

    named = {f"/events/1{pointer}": read_as for pointer, read_as in expected.items()}
    assert {one["pointer"]: one["read_as"] for one in receipt["contradictions"]} == named
    asked = {query["about"] for query in receipt["queries"] if query["kind"] == "contradiction"}
    assert asked == set(named)
    (said,) = [e.body for e in lasting_site.said("reports.received.v1") if e.key == receipt["case_id"]]
    assert {one.pointer for one in said.contradictions} == set(named)


@pytest.mark.rule("promise: a death is not turned away by a form")
@pytest.mark.parametrize(
    "facts",
    [
        {"outcome": "fatal", "serious": False, "seriousness": None, "grade": None},
        {"grade": {"ctcae": 5}, "serious": False, "seriousness": None, "outcome": "recovered"},
        {"seriousness": ["death"], "serious": False, "outcome": "recovered", "grade": {"ctcae": 1}},
    ],
)
def test_a_death_that_is_contradicted_starts_the_clock_of_a_death(site: Site, facts: dict[str, Any]) -> None:
    receipt = site.report(an_event(**facts))

    assert "CN_SUSAR_7D" in {clock["rule"] for clock in receipt["clocks"]}


def test_the_sites_zone_decides_what_lies_in_the_future(site: Site) -> None:
    """One in the morning of 3 March in Shanghai is still 2 March in UTC."""
    site.now.pass_by(hours=13)
    receipt = site.report(an_event(onset="2026-03-03", investigator_aware_at="2026-03-03T00:30"))

    assert receipt["contradictions"] == []


def test_a_detail_of_another_kind_is_kept_and_asked(site: Site) -> None:
    receipt = site.report(kind="pregnancy", detail="mix_up")

    assert [(c["pointer"], c["read_as"]) for c in receipt["contradictions"]] == [("/detail", "a report of pregnancy")]


def test_a_first_report_that_takes_an_event_back_is_kept_as_standing(site: Site) -> None:
    receipt = site.report(an_event(nullified=True, seriousness=["death"], outcome="fatal", grade=None))

    assert [(c["pointer"], c["read_as"]) for c in receipt["contradictions"]] == [("/events/0/nullified", "it stands")]
    assert "CN_SUSAR_7D" in {clock["rule"] for clock in receipt["clocks"]}
