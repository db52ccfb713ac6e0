"""Follow-ups: the next revision is whole, loses nothing, and says what changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ae_intake.app import build
from ae_intake.revise import first_revision, revise
from tests.intake.at_site import AWARE, Site, an_event, at, refused
from tests.intake.conftest import UNHEARD
from tests.support.houses import STUDY, in_process, protocols
from tocsin.messages.facts import FollowUpFacts, ReportFacts


def facts_of(site: Site, case_id: str = "TOC-0001") -> list[dict[str, Any]]:
    return [event["facts"] for event in site.case(case_id)["events"]]


def test_a_follow_up_raises_the_revision_and_is_said_whole(site: Site) -> None:
    case_id = site.report()["case_id"]
    site.now.pass_by(days=1)
    receipt = site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "outcome": "recovered"}]})
    first, second = (envelope.body for envelope in site.said("reports.received.v1"))

    assert (receipt["case_id"], receipt["revision"]) == (case_id, 2)
    assert (first.revision, second.revision) == (1, 2)
    assert first.events[0].facts.outcome == "not_recovered"
    assert second.events[0].facts.outcome == "recovered"
    assert second.facts.product == "KQ-2003"


def test_what_a_follow_up_does_not_mention_stays_as_it_was(site: Site) -> None:
    case_id = site.report()["case_id"]
    site.follow_up(case_id, {"narrative": "seen again today"})

    assert facts_of(site) == [an_event()]


@pytest.mark.rule("facets: what a report answers")
def test_answers_stay_until_a_follow_up_says_otherwise_and_null_takes_one_back(site: Site) -> None:
    told = an_event(symptoms="moderate", limits="instrumental_adl", intervention="medical")
    case_id = site.report(told)["case_id"]
    site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "symptoms": "severe"}]})
    assert facts_of(site) == [{**told, "symptoms": "severe"}]
    site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "limits": None}]})

    assert facts_of(site) == [an_event(symptoms="severe", intervention="medical")]
    said = [envelope.body.events[0].facts for envelope in site.said("reports.received.v1")]
    assert [(one.symptoms, one.limits, one.intervention) for one in said] == [
        ("moderate", "instrumental_adl", "medical"),
        ("severe", "instrumental_adl", "medical"),
        ("severe", None, "medical"),
    ]


def test_an_event_that_a_follow_up_leaves_out_is_not_lost(site: Site) -> None:
    case_id = site.report(an_event(ref="A"), an_event(ref="B", verbatim="sepsis"))["case_id"]
    site.follow_up(case_id, {"events": [{"ref": "B", "verbatim": "sepsis", "outcome": "recovered"}]})

    assert [(e["ref"], e["outcome"]) for e in facts_of(site)] == [("A", "not_recovered"), ("B", "recovered")]


def test_an_added_event_gets_the_next_number_and_the_others_keep_theirs(site: Site) -> None:
    case_id = site.report(an_event(ref="A"))["case_id"]
    receipt = site.follow_up(case_id, {"events": [an_event(ref="C", verbatim="sepsis")]})

    assert [(day["event_id"], day["ref"]) for day in receipt["day_zero"]] == [
        ("TOC-0001-E1", "A"),
        ("TOC-0001-E2", "C"),
    ]


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ({"ref": "A", "verbatim": "another word"}, 0),
        ({"ref": "TOC-0001-E2", "verbatim": "another word"}, 1),
        ({"ref": "2", "verbatim": "another word"}, 1),
        ({"verbatim": "Sepsis!"}, 1),
        ({"verbatim": "pneumonia of the left lung"}, 0),
        ({"verbatim": "something else"}, 2),
        ({"ref": "B", "verbatim": "sepsis"}, 1),
        ({"ref": "9", "verbatim": "pneumonia"}, 2),
    ],
)
def test_an_event_is_known_by_its_ref_number_words_or_place(site: Site, named: dict[str, str], place: int) -> None:
    case_id = site.report(an_event(ref="A"), an_event(ref=None, verbatim="sepsis"))["case_id"]
    if named["verbatim"].startswith("pneumonia of"):
        named = {**named, "ref": "A"}
    site.follow_up(case_id, {"events": [{**named, "outcome": "recovering"}]})
    changed = [n for n, event in enumerate(facts_of(site)) if event.get("outcome") == "recovering"]

    assert changed == [place]


def test_null_takes_a_fact_back_and_history_keeps_it(site: Site) -> None:
    case_id = site.report()["case_id"]
    receipt = site.follow_up(
        case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "investigator_aware_at": None}]}
    )

    assert "investigator_aware_at" not in facts_of(site)[0]
    assert [query["kind"] for query in receipt["queries"]] == ["awareness"]
    assert site.case(case_id)["history"][0]["sent"]["events"][0]["investigator_aware_at"] == AWARE
    # Only a person closes a clock: the one that started keeps running.
    assert "INV_TO_SPONSOR_24H" in {clock["rule"] for clock in receipt["clocks"]}


def test_a_lower_grade_does_not_take_back_a_higher_one(site: Site) -> None:
    case_id = site.report()["case_id"]
    receipt = site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "grade": {"ctcae": 2}}]})

    assert facts_of(site)[0]["grade"] == {"ctcae": 3}
    (told,) = receipt["contradictions"]
    assert (told["pointer"], told["read_as"]) == ("/events/0/grade/ctcae", "grade 3")
    assert [query["kind"] for query in receipt["queries"]] == ["grade"]


def test_a_fallen_grade_stays_asked_until_it_is_corrected(site: Site) -> None:
    case_id = site.report()["case_id"]
    fallen = {"ref": "AE-1", "verbatim": "pneumonia", "grade": {"ctcae": 2}}
    site.follow_up(case_id, {"events": [fallen]})

    assert [query["kind"] for query in site.follow_up(case_id, {"narrative": "news"})["queries"]] == ["grade"]
    assert site.follow_up(case_id, {"events": [{**fallen, "correction": True}]})["queries"] == []


@pytest.mark.parametrize(
    ("before", "now", "pointers"),
    [
        (
            {"seriousness": ["death", "hospitalisation"]},
            {"seriousness": ["hospitalisation"]},
            ["/events/0/seriousness"],
        ),
        ({"seriousness": ["life_threatening"]}, {"seriousness": []}, ["/events/0/seriousness"]),
        (
            {"outcome": "fatal", "seriousness": ["death"], "grade": None},
            {"outcome": "recovered", "seriousness": []},
            ["/events/0/seriousness", "/events/0/outcome"],
        ),
        ({"seriousness": None}, {"serious": False}, ["/events/0/serious"]),
    ],
)
def test_seriousness_that_is_taken_back_is_named_and_asked_and_its_clock_runs_on(
    site: Site, before: dict[str, Any], now: dict[str, Any], pointers: list[str]
) -> None:
    first = site.report(an_event(**before))
    receipt = site.follow_up(first["case_id"], {"events": [{"ref": "AE-1", "verbatim": "pneumonia", **now}]})

    assert [one["pointer"] for one in receipt["contradictions"]] == pointers
    assert {one["read_as"] for one in receipt["contradictions"]} == {"taken back; the clocks that it started run on"}
    assert [query["about"] for query in receipt["queries"]] == pointers
    assert {clock["rule"] for clock in first["clocks"]} <= {clock["rule"] for clock in receipt["clocks"]}


def test_a_correction_replaces_earlier_grades_and_history_keeps_them(site: Site) -> None:
    case_id = site.report()["case_id"]
    receipt = site.follow_up(
        case_id,
        {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "grade": {"ctcae": 2}, "correction": True}]},
    )

    assert facts_of(site)[0]["grade"] == {"ctcae": 2}
    assert receipt["contradictions"] == []
    grades = [revision["sent"]["events"][0]["grade"] for revision in site.case(case_id)["history"]]
    assert grades == [{"ctcae": 3}, {"ctcae": 2}]


def test_grades_of_two_scales_stand_side_by_side(site: Site) -> None:
    case_id = site.report()["case_id"]
    site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "grade": {"astct": 1}}]})

    assert facts_of(site)[0]["grade"] == {"ctcae": 3, "astct": 1}


def test_steps_of_a_course_are_added(site: Site) -> None:
    one, two = {"grade": 2, "from": "2026-03-01T10:00"}, {"grade": 3, "from": "2026-03-01T20:00"}
    case_id = site.report(an_event(course=[one]))["case_id"]
    site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "course": [one, two]}]})

    assert facts_of(site)[0]["course"] == [one, two]


def test_an_opinion_replaces_the_earlier_one_of_the_same_party_on_the_same_agent(site: Site) -> None:
    related = {"agent": "product", "relation": "related"}
    bridging = {"agent": "bridging", "relation": "related"}
    unrelated = {"agent": "product", "relation": "not_related"}
    case_id = site.report(an_event(causality=[related, bridging]))["case_id"]
    site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "causality": [unrelated]}]})

    assert facts_of(site)[0]["causality"] == [bridging, unrelated]


@pytest.mark.rule("rules.md 2.5: legal day zero; readings.md clocks 3")
def test_the_missing_element_makes_day_zero_and_settles_its_query(site: Site) -> None:
    case_id = site.report(reporter=None)["case_id"]
    site.now.pass_by(days=2)
    receipt = site.follow_up(case_id, {"reporter": {"role": "nurse"}})

    assert receipt["complete"] is True
    assert receipt["queries"] == []
    (day,) = receipt["day_zero"]
    assert (day["day_zero"], day["is_provisional"]) == ("2026-03-04", False)
    assert [query["status"] for query in site.queries()] == ["settled"]


def test_day_zero_of_a_complete_report_never_moves(site: Site) -> None:
    case_id = site.report()["case_id"]
    site.now.pass_by(days=5)
    receipt = site.follow_up(case_id, {"narrative": "news"})

    assert receipt["day_zero"][0]["day_zero"] == "2026-03-02"


def test_a_contradiction_that_is_put_right_is_settled_and_one_that_returns_is_asked_again(site: Site) -> None:
    case_id = site.report(an_event(serious=False))["case_id"]
    right = {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "serious": True}]}
    wrong = {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "serious": False}]}

    assert site.follow_up(case_id, right)["queries"] == []
    (again,) = site.follow_up(case_id, wrong)["queries"]
    assert again["about"] == "/events/0/serious"
    assert len(site.said("queries.raised.v1")) == 2
    assert len(site.queries()) == 1


def test_an_unchanged_question_is_not_asked_twice(site: Site) -> None:
    case_id = site.report(product=None)["case_id"]
    receipt = site.follow_up(case_id, {"narrative": "news"})

    assert [query["about"] for query in receipt["queries"]] == ["/product"]
    assert len(site.said("queries.raised.v1")) == 1


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"subject": "S01-002"}, "/subject"),
        ({"subject": "S02-001"}, "/subject"),
        ({"study": "OTHER"}, "/study"),
        ({"site": "S02"}, "/site"),
        ({"nullify": True}, "/reason"),
        ({"events": [{"ref": "AE-1", "verbatim": "pneumonia", "nullified": True}]}, "/reason"),
        ({"right_subject": "S01-002"}, "/right_subject"),
        ({"nullify": True, "reason": "x", "right_subject": "S02-001"}, "/right_subject"),
        ({"nullify": True, "reason": "x", "right_subject": "S01-001"}, "/right_subject"),
        ({"nullify": "yes", "reason": "x"}, "/nullify"),
        ({"events": [{"ref": "AE-1", "verbatim": "pneumonia", "onset": "2026-02-30"}]}, "/events/0/onset"),
        ({"events": [{"ref": "AE-1"}]}, "/events/0/verbatim"),
    ],
)
def test_a_follow_up_that_cannot_be_attributed_is_refused_and_changes_nothing(
    site: Site, sent: dict[str, Any], pointer: str
) -> None:
    case_id = site.report()["case_id"]

    assert pointer in refused(site.post(f"/v1/reports/{case_id}/follow-ups", sent))
    assert site.case(case_id)["revision"] == 1


def test_a_case_does_not_grow_beyond_fifty_events(site: Site) -> None:
    case_id = site.report(*(an_event(ref=f"A{n}", verbatim=f"event number {n}") for n in range(50)))["case_id"]

    one_more = {"events": [an_event(ref="B", verbatim="one more")]}

    assert list(refused(site.post(f"/v1/reports/{case_id}/follow-ups", one_more))) == ["/events"]
    assert site.case(case_id)["revision"] == 1


def test_a_course_does_not_grow_beyond_what_a_report_may_hold(site: Site) -> None:
    steps = [{"grade": 2, "from": f"2026-02-01T{n // 60:02d}:{n % 60:02d}"} for n in range(200)]
    case_id = site.report(an_event(onset="2026-02-01", course=steps))["case_id"]
    one_more = {"ref": "AE-1", "verbatim": "pneumonia", "course": [{"grade": 3, "from": "2026-03-01"}]}

    wrong = refused(site.post(f"/v1/reports/{case_id}/follow-ups", {"events": [one_more]}))
    assert list(wrong) == ["/events/0/course"]


def test_a_case_that_is_not_there_has_no_follow_up(site: Site) -> None:
    refused(site.post("/v1/reports/TOC-0099/follow-ups", {"narrative": "news"}), 404)


# Nullification


def test_a_nullified_case_keeps_its_history_and_is_said_with_its_reason(site: Site) -> None:
    case_id = site.report(product=None)["case_id"]
    receipt = site.follow_up(case_id, {"nullify": True, "reason": "entered twice"})
    body = site.said("reports.received.v1")[-1].body

    assert (body.is_nullified, body.reason) == (True, "entered twice")
    assert receipt["queries"] == []
    case = site.case(case_id)
    assert case["is_nullified"] is True
    assert [revision["is_nullified"] for revision in case["history"]] == [False, True]


def test_news_of_a_nullified_case_make_it_stand_again_and_are_asked_about(site: Site) -> None:
    case_id = site.report()["case_id"]
    site.follow_up(case_id, {"nullify": True, "reason": "entered twice"})
    receipt = site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "outcome": "fatal"}]})

    assert site.said("reports.received.v1")[-1].body.is_nullified is False
    assert receipt["contradictions"][0]["read_as"] == "the case stands again"


def test_a_nullification_can_be_taken_back_in_so_many_words(site: Site) -> None:
    case_id = site.report()["case_id"]
    site.follow_up(case_id, {"nullify": True, "reason": "entered twice"})
    receipt = site.follow_up(case_id, {"nullify": False, "reason": "it was this one after all"})

    assert receipt["contradictions"] == []
    assert site.case(case_id)["is_nullified"] is False


def test_one_event_is_nullified_and_keeps_its_place(site: Site) -> None:
    case_id = site.report(an_event(ref="A"), an_event(ref="B", verbatim="sepsis"))["case_id"]
    receipt = site.follow_up(
        case_id,
        {"reason": "was another subject's", "events": [{"ref": "A", "verbatim": "pneumonia", "nullified": True}]},
    )
    body = site.said("reports.received.v1")[-1].body

    assert [kept.facts.nullified for kept in body.events] == [True, False]
    assert [day["event_id"] for day in receipt["day_zero"]] == ["TOC-0001-E2"]
    assert body.is_nullified is False


@pytest.mark.rule("readings.md clocks 4: the right subject's case keeps the day zero of the first report")
def test_the_right_subject_gets_the_case_with_its_history_and_its_day_zero(site: Site) -> None:
    case_id = site.report(an_event(outcome="fatal", seriousness=["death"], grade=None))["case_id"]
    site.now.pass_by(days=1)
    site.follow_up(case_id, {"narrative": "more"})
    site.now.pass_by(days=1)
    receipt = site.follow_up(case_id, {"nullify": True, "reason": "typed wrongly", "right_subject": "S01-002"})

    assert receipt["moved_to"] == "TOC-0002"
    moved = site.case("TOC-0002")
    assert (moved["subject"], moved["is_nullified"], moved["revision"]) == ("S01-002", False, 2)
    assert moved["day_zero"][0]["day_zero"] == "2026-03-02"
    assert [clock["due_on"] for clock in moved["clocks"] if clock["rule"] == "CN_SUSAR_7D"] == ["2026-03-09"]
    assert [revision["recorded_at"] for revision in moved["history"]] == ["2026-03-04T04:00:00Z"] * 2
    said = [e for e in site.said("reports.received.v1") if e.key == "TOC-0002"]
    assert [e.occurred_at.isoformat() for e in said] == ["2026-03-02T04:00:00+00:00", "2026-03-03T04:00:00+00:00"]
    assert "TOC-0001" in (said[0].body.reason or "")
    assert moved["possible_duplicates"] == []


@pytest.mark.rule("readings.md clocks 4: a setting may use the day of the correction")
def test_a_study_may_count_the_right_subjects_case_from_the_correction(tmp_path: Path) -> None:
    study = protocols()[STUDY]
    counts_anew = replace(study, clock_settings=replace(study.clock_settings, wrong_subject_keeps_day_zero=False))
    with in_process(tmp_path, [build], without=UNHEARD, served={STUDY: counts_anew}) as house:
        site = at(house, f"sqlite:///{tmp_path}/intake.db")
        case_id = site.report(an_event(outcome="fatal", seriousness=["death"], grade=None))["case_id"]
        site.now.pass_by(days=2)
        receipt = site.follow_up(case_id, {"nullify": True, "reason": "typed wrongly", "right_subject": "S01-002"})
        moved = site.case(receipt["moved_to"])
        site.store.close()
    assert moved["day_zero"][0]["day_zero"] == "2026-03-04"
    assert [clock["due_on"] for clock in moved["clocks"] if clock["rule"] == "CN_SUSAR_7D"] == ["2026-03-11"]


GRADES = st.one_of(st.none(), st.integers(1, 5))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABC"), GRADES, st.booleans()), max_size=8))
def test_however_follow_ups_come_no_event_is_lost_and_no_uncorrected_grade_falls(
    news: list[tuple[str, int | None, bool]],
) -> None:
    facts = ReportFacts.model_validate({"events": [{"ref": "A", "verbatim": "a", "grade": {"ctcae": 3}}]})
    events = first_revision(facts, "TOC-1")
    seen, worst = {"A"}, {"A": 3}
    for ref, grade, corrects in news:
        event: dict[str, Any] = {"ref": ref, "verbatim": ref.lower(), "correction": corrects}
        if grade is not None:
            event["grade"] = {"ctcae": grade}
        after = revise("TOC-1", facts, events, FollowUpFacts.model_validate({"events": [event]}))
        seen.add(ref)
        if grade is not None:
            worst[ref] = grade if corrects else max(grade, worst.get(ref, 0))
        assert [kept.event_id for kept in after.events][: len(events)] == [kept.event_id for kept in events]
        facts, events = after.facts, after.events

    assert {kept.facts.ref for kept in events} == seen
    assert {kept.facts.ref: kept.facts.grade.ctcae for kept in events if kept.facts.grade} == worst
