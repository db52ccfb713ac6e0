"""A site's grade beside its own answers: asked once, settled by a correction, rung for where a line is crossed."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.alerting.desk import Desk
from tests.alerting.test_values import NEUTROPENIA, derived
from tests.alerting.ward import HEADACHE, NOON, Ward, coding, report, ward
from tocsin.bus.port import Received
from tocsin.messages.bodies import DecisionRecordedV1, QueryRaisedV1
from tocsin.messages.envelope import Envelope
from tocsin.messages.reading import decode
from tocsin.store.tables import outbox

HOUR = timedelta(hours=1)
DIARRHOEA = {"llt_code": "10012727", "term": "Diarrhea", "soc": "Gastrointestinal disorders"}
UNRELATED = [{"agent": "product", "party": party, "relation": "not_related"} for party in ("investigator", "sponsor")]
LOOSE = {"verbatim": "loose stools", "onset": "2026-05-12", "serious": False, "causality": UNRELATED}
STAYED = {**LOOSE, "serious": True, "seriousness": ["hospitalisation"]}


def said(house: Ward) -> list[Envelope[Any]]:
    """What alerting put into its outbox."""
    with house.store.reading() as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.seq)).all()
    return [decode(Received(r.topic, 0, r.seq, r.key, r.value, r.headers)) for r in rows]


def asked(house: Ward) -> list[QueryRaisedV1]:
    return [one.body for one in said(house) if isinstance(one.body, QueryRaisedV1)]


def settled(house: Ward) -> list[str]:
    bodies = (one.body for one in said(house))
    return [one.about for one in bodies if isinstance(one, DecisionRecordedV1) and one.what == "question_settled"]


def rung(house: Ward) -> list[dict[str, Any]]:
    return house.alerts(kind="grade_differs")


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_grade_that_the_answers_contradict_is_asked_about_once_without_any_observation(house: Ward) -> None:
    told = {**STAYED, "grade": {"ctcae": 2}}
    house.receive(report(told))
    assert asked(house) == []
    house.receive(coding(DIARRHOEA))
    house.receive(report({**told, "outcome": "recovering"}, revision=2), coding(DIARRHOEA, revision=2))

    (query,) = asked(house)
    assert (query.kind, query.case_id, query.site, query.about) == ("grade", "TOC-0031", "S01", "/events/0/grade/ctcae")
    english, chinese = query.question.split("\n")
    assert english.startswith(
        "You graded this event 2 (CTCAE 5.0). What you told of it makes it at least grade 3 of Diarrhea: "
        "hospitalisation was called for."
    )
    assert chinese.startswith("贵中心将该事件评为2级（CTCAE 5.0）。按贵中心所述（需要住院），Diarrhea 至少为3级。")
    assert settled(house) == []


@pytest.mark.rule("facets: a contradiction is seen")
@pytest.mark.parametrize(
    "corrected",
    [
        {**STAYED, "grade": {"ctcae": 3}, "correction": True},
        {**LOOSE, "grade": {"ctcae": 2}},
        {**STAYED, "grade": {"ctcae": 2}, "nullified": True},
    ],
)
def test_a_correction_of_the_grade_or_of_the_answer_settles_the_question(
    house: Ward, corrected: dict[str, Any]
) -> None:
    house.receive(report({**STAYED, "grade": {"ctcae": 2}}), coding(DIARRHOEA))
    (query,) = asked(house)
    house.receive(report(corrected, revision=2, at=NOON + HOUR))

    assert settled(house) == [query.query_id]
    assert len(asked(house)) == 1


def test_other_words_that_nobody_has_coded_yet_settle_nothing(house: Ward) -> None:
    told = {**STAYED, "grade": {"ctcae": 2}}
    reworded = {**told, "verbatim": "watery stools"}
    house.receive(report(told), coding(DIARRHOEA), report(reworded, revision=2))
    assert settled(house) == []
    house.receive(coding(DIARRHOEA, revision=2))
    assert (len(asked(house)), settled(house)) == (1, [])
    house.receive(coding(HEADACHE, revision=2, at=NOON + HOUR, by="wu"))

    assert settled(house) == [asked(house)[0].query_id]


@pytest.mark.rule("facets: a contradiction is seen")
def test_what_narrows_the_answers_on_another_side_asks_nothing_new_and_what_raises_them_does(house: Ward) -> None:
    told = {**STAYED, "grade": {"ctcae": 2}}
    house.receive(report(told), coding(DIARRHOEA))
    house.receive(report({**told, "outcome": "recovered"}, revision=2))
    assert len(asked(house)) == 1
    house.receive(report({**told, "seriousness": ["hospitalisation", "life_threatening"]}, revision=3))

    first, second = asked(house)
    assert settled(house) == [first.query_id]
    assert "at least grade 4 of Diarrhea: it was life-threatening" in second.question


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_line_between_the_grade_and_the_least_of_the_answers_rings(house: Ward) -> None:
    house.receive(report({**LOOSE, "grade": {"ctcae": 2}, "limits": "self_care_adl"}), coding(DIARRHOEA))

    (alert,) = rung(house)
    assert (alert["level"], alert["case_id"], alert["revision"]) == ("page", "TOC-0031", 1)
    assert alert["reasons"][:2] == [
        "TOC-0031-E1: the site grades it 2; what it told of it makes it at least grade 3 of Diarrhea (CTCAE 5.0): "
        "self care was limited",
        "the line of grade 3 is crossed: rules on dose-limiting toxicity begin there, and the site's grade does not "
        "reach it; the site is asked",
    ]


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_line_that_only_a_hospitalisation_crosses_waits_for_review_and_keeps_nothing_firmer_from_ringing(
    house: Ward,
) -> None:
    told = {**STAYED, "grade": {"ctcae": 2}}
    house.receive(report(told), coding(DIARRHOEA))
    assert [alert["level"] for alert in rung(house)] == ["review"]

    house.receive(report({**told, "limits": "self_care_adl"}, revision=2), coding(DIARRHOEA, revision=2))
    assert sorted(alert["level"] for alert in rung(house)) == ["page", "review"]


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_grade_below_the_answers_on_the_same_side_of_every_line_and_one_above_them_ring_nothing(house: Ward) -> None:
    low = {**LOOSE, "grade": {"ctcae": 1}, "limits": "instrumental_adl"}
    high = {"verbatim": "headache", "onset": "2026-05-12", "serious": False, "causality": UNRELATED,
            "grade": {"ctcae": 3}, "symptoms": "mild", "limits": "none", "intervention": "medical"}  # fmt: skip
    house.receive(report(low, high), coding(DIARRHOEA, HEADACHE))

    assert [query.about for query in asked(house)] == ["/events/0/grade/ctcae", "/events/1/grade/ctcae"]
    assert rung(house) == []


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_line_that_a_value_has_rung_for_is_not_rung_for_again_by_the_answers(house: Ward) -> None:
    told = {"verbatim": "blood count", "onset": "2026-05-12", "serious": False, "grade": {"ctcae": 2},
            "causality": UNRELATED}  # fmt: skip
    house.receive(report(told), coding(NEUTROPENIA), derived(lowest=4))
    assert len(rung(house)) == 1
    house.receive(report({**told, "serious": True, "seriousness": ["life_threatening"]}, revision=2))

    assert len(rung(house)) == 1
    assert len(asked(house)) == 2


@pytest.mark.rule("facets: a contradiction is seen")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # Intake asks: a grade beside a fatal outcome.
        ({"outcome": "fatal", "seriousness": ["death"], "serious": True}, []),
        ({"outcome": "fatal"}, []),
        # Intake asks nothing about the grade.
        ({"seriousness": ["death"], "serious": True}, ["/events/0/grade/ctcae"]),
        ({"seriousness": ["life_threatening"], "serious": True}, ["/events/0/grade/ctcae"]),
    ],
)
def test_what_intake_asks_of_the_same_grade_is_not_asked_again(
    house: Ward, facts: dict[str, Any], expected: list[str]
) -> None:
    house.receive(report({**LOOSE, "grade": {"ctcae": 2}, **facts}), coding(DIARRHOEA))

    assert [query.about for query in asked(house)] == expected


@pytest.mark.rule("facets: a contradiction is seen")
def test_a_death_rings_as_one_and_not_for_its_grade_too(house: Ward) -> None:
    house.receive(
        report({**LOOSE, "grade": {"ctcae": 2}, "seriousness": ["death"], "serious": True}), coding(DIARRHOEA)
    )

    assert rung(house) == []
    assert {alert["kind"] for alert in house.alerts()} == {"fatal"}


@pytest.mark.rule("facets: a contradiction is seen")
def test_what_no_term_of_the_study_is_has_no_bounds(house: Ward) -> None:
    told = {**STAYED, "grade": {"ctcae": 1}}
    held = {"status": "needs_review", "llt_code": "10012727", "term": "Diarrhea", "soc": None}
    house.receive(report(told, told), coding({**DIARRHOEA, "llt_code": "10099999"}, held))

    assert asked(house) == []
    seen = Desk(house)
    seen.person("safety_physician")
    assert [event["answered_grade"] for event in seen.get("/v1/assessments/TOC-0031")["events"]] == [None, None]


def test_whatever_comes_first_the_same_is_asked_and_rung(tmp_path: Path) -> None:
    told = {**STAYED, "grade": {"ctcae": 2}}
    facts = [report(told), coding(DIARRHOEA), report({**told, "symptoms": "severe"}, revision=2, at=NOON + HOUR)]
    found = []
    for n, order in enumerate(permutations(facts)):
        with ward(f"sqlite:///{tmp_path}/{n}.db", tmp_path / str(n)) as house:
            house.receive(*order)
            found.append(([q.query_id for q in asked(house)], [a["alert_id"] for a in rung(house)], settled(house)))

    assert all(one == found[0] for one in found)
    assert [len(part) for part in found[0]] == [1, 1, 0]


def test_a_rebuild_asks_and_rings_nothing_again(tmp_path: Path) -> None:
    told = {**STAYED, "grade": {"ctcae": 2}}
    corrected = {**told, "grade": {"ctcae": 3}, "correction": True}
    facts = [report(told), coding(DIARRHOEA), report(corrected, revision=2, at=NOON + HOUR)]
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        lived.receive(*facts)
        deeds = [one for one in said(lived) if one.type == "decisions.recorded.v1"]
        before = lived.everything_kept()
    for n, order in enumerate(([*facts, *deeds], [*deeds, *facts])):
        with ward(f"sqlite:///{tmp_path}/{n}.db", tmp_path / str(n)) as rebuilt:
            rebuilt.is_rebuilding = True
            rebuilt.receive(*order)
            after = rebuilt.everything_kept()
            assert [after[name] for name in ("decisions", "alerts")] == [
                before[name] for name in ("decisions", "alerts")
            ]
            assert asked(rebuilt) == []
            assert rebuilt.mails() == []


@pytest.mark.rule("facets: answers bound the grade")
def test_the_desk_is_shown_what_the_answers_leave_of_each_coded_event(house: Ward) -> None:
    told = {**STAYED, "grade": {"ctcae": 2}, "outcome": "recovering"}
    house.receive(report(told, {**LOOSE, "verbatim": "head hurts"}), coding(DIARRHOEA, HEADACHE))
    desk = Desk(house)
    desk.person("safety_physician")
    first, second = (event["answered_grade"] for event in desk.get("/v1/assessments/TOC-0031")["events"])

    assert first == {
        "edition": "5.0", "term": "Diarrhea", "code": "10012727", "stated": 2, "lowest": 3, "highest": 4,
        "reasons": ["At least grade 3: hospitalisation was called for.",
                    "At most grade 4: the subject did not die of it."],
        "missing": ["which intervention the event called for", "whether it was life-threatening"],
        "fits": False,
    }  # fmt: skip
    assert (second["term"], second["stated"], second["lowest"], second["highest"], second["fits"]) == (
        "Headache", None, 1, 3, None,
    )  # fmt: skip


def test_a_death_that_was_not_one_has_no_grade_and_says_why(house: Ward) -> None:
    sudden = {"llt_code": "10011914", "term": "Death NOS", "soc": "General disorders"}
    house.receive(report({**LOOSE, "verbatim": "collapse", "outcome": "recovered"}), coding(sudden))
    desk = Desk(house)
    desk.person("safety_physician")
    (event,) = desk.get("/v1/assessments/TOC-0031")["events"]

    shown = event["answered_grade"]
    assert (shown["lowest"], shown["highest"], shown["fits"]) == (None, None, None)
    assert shown["reasons"] == ["Death NOS is a death, and the subject did not die of it."]
