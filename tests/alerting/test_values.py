"""What was observed beside what was reported: asked once, settled by a report, and rung for where a line is crossed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from tests.alerting.ward import NOON, STUDY, Ward, coding, report
from tocsin.bus.port import Received
from tocsin.messages.bodies import DecisionRecordedV1, DerivedGrade, GradesDerivedV1, QueryRaisedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.reading import decode
from tocsin.store.tables import outbox

NEUTROPENIA = {"llt_code": "10029366", "term": "Neutrophil count decreased", "soc": "Investigations"}


def derived(
    record: str = "R1", lowest: int = 4, *, number: int = 1, gone: bool = False, grade_id: str = "g1",
    at: str = "2026-05-13T06:00",
) -> Envelope[GradesDerivedV1]:  # fmt: skip
    """A neutrophil count as the coder grades it, beside a baseline."""
    grade = DerivedGrade.model_validate(
        {
            "grade_id": grade_id, "number": number, "scale": "ctcae", "edition": "5.0", "code": "10029366",
            "term": "Neutrophil count decreased", "at": at, "lowest": lowest, "highest": lowest,
            "reasons": ["neutrophils 0.4 10*9/L is below 0.5 10*9/L"], "evidence": [f"{record}/0", "B/0"],
            "said": "Neutrophils 0.4 10*9/L", "is_withdrawn": gone,
        }
    )  # fmt: skip
    body = GradesDerivedV1(
        record_id=record, study=STUDY, site="S01", subject="S01-003", derived_at=NOON, grader="meddra-coder",
        grades=[grade],
    )  # fmt: skip
    return Envelope(
        identity("grades", record, str(number)), "grades.derived.v1", "S01-003", "meddra-coder", STUDY, NOON, NOON, body
    )


def _with(body: GradesDerivedV1) -> Envelope[GradesDerivedV1]:
    return replace(derived(), body=body)


def said(house: Ward, kind: type[Any]) -> list[Any]:
    """What alerting put into its outbox of one kind."""
    with house.store.reading() as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.seq)).all()
    told = [decode(Received(r.topic, 0, r.seq, r.key, r.value, r.headers)).body for r in rows]
    return [body for body in told if isinstance(body, kind)]


def settled(house: Ward) -> list[str]:
    return [deed.about for deed in said(house, DecisionRecordedV1) if deed.what == "question_settled"]


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_a_grade_4_value_that_no_report_tells_of_asks_the_site_for_one_once(house: Ward) -> None:
    house.receive(derived())
    house.receive(derived(number=2))

    [query] = said(house, QueryRaisedV1)
    assert (query.kind, query.case_id, query.site) == ("grade", None, "S01")
    assert query.question.startswith("S01-003: We hold a value that is CTCAE 5.0 grade 4 (Neutrophil count decreased)")
    assert "未收到相应的报告" in query.question
    assert house.alerts() == []


def test_a_grade_2_value_asks_nothing(house: Ward) -> None:
    house.receive(derived(lowest=2))

    assert said(house, QueryRaisedV1) == []


def test_a_report_that_tells_of_the_value_settles_the_question(house: Ward) -> None:
    house.receive(derived())
    [query] = said(house, QueryRaisedV1)
    assert settled(house) == []
    neutropenia = {"verbatim": "neutropenia", "onset": "2026-05-12", "serious": False, "grade": {"ctcae": 4}}
    house.receive(report(neutropenia))

    assert settled(house) == [query.query_id]


def test_a_value_that_is_taken_back_settles_the_question(house: Ward) -> None:
    house.receive(derived())
    house.receive(derived("R2", number=2, gone=True))

    assert len(settled(house)) == 1


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_a_site_that_grades_lower_than_the_value_is_asked_and_a_physician_is_rung(house: Ward) -> None:
    stated = {"verbatim": "blood count", "onset": "2026-05-12", "serious": False, "grade": {"ctcae": 2},
              "causality": [{"agent": "product", "party": "investigator", "relation": "not_related"},
                            {"agent": "product", "party": "sponsor", "relation": "not_related"}]}  # fmt: skip
    house.receive(report(stated), coding(NEUTROPENIA))
    before = len(house.alerts())
    house.receive(derived())

    [query] = said(house, QueryRaisedV1)
    assert (query.case_id, query.about, query.kind) == ("TOC-0031", "/events/0/grade/ctcae", "grade")
    assert query.question.startswith("You graded this event 2 (CTCAE 5.0). Neutrophils 0.4 10*9/L of 2026-05-13T06:00")
    assert len(house.alerts()) == before + 1
    alert = house.alerts()[-1]
    assert (alert["kind"], alert["level"], alert["case_id"]) == ("grade_differs", "page", "TOC-0031")
    assert any("grade 3 and 4 is crossed" in reason for reason in alert["reasons"])


def test_a_site_that_grades_as_the_value_is_not_asked(house: Ward) -> None:
    stated = {"verbatim": "blood count", "onset": "2026-05-12", "serious": False, "grade": {"ctcae": 4}}
    house.receive(report(stated), coding(NEUTROPENIA))
    rung = len(house.alerts())
    house.receive(derived())

    assert said(house, QueryRaisedV1) == []
    assert len(house.alerts()) == rung


def test_an_older_statement_of_a_grade_never_replaces_a_newer_one(house: Ward) -> None:
    house.receive(derived("R2", lowest=1, number=2))
    house.receive(derived("R1", lowest=4, number=1))

    assert said(house, QueryRaisedV1) == []


def test_a_later_episode_is_asked_about_although_it_has_the_same_baseline(house: Ward) -> None:
    house.receive(derived())
    house.receive(derived("R2", lowest=1, grade_id="g2", at="2026-05-20T06:00"))
    house.receive(derived("R3", grade_id="g3", at="2026-07-20T06:00"))

    asked = [query.question.partition("\n")[0] for query in said(house, QueryRaisedV1)]
    assert ["2026-05-13T06:00" in asked[0], "2026-07-20T06:00" in asked[1], len(asked)] == [True, True, 2]


def test_another_value_of_an_episode_that_was_asked_about_asks_nothing_new(house: Ward) -> None:
    house.receive(derived())
    house.receive(derived("R2", grade_id="g2", at="2026-05-14T06:00"))

    assert len(said(house, QueryRaisedV1)) == 1


def test_what_was_settled_and_comes_back_is_asked_anew(house: Ward) -> None:
    house.receive(derived())
    house.receive(derived("R2", lowest=2, number=2))
    house.receive(derived("R3", lowest=4, number=3))

    first, second = said(house, QueryRaisedV1)
    assert first.query_id != second.query_id
    assert settled(house) == [first.query_id]


def test_a_question_about_a_grade_is_settled_when_the_site_corrects_it(house: Ward) -> None:
    stated = {"verbatim": "blood count", "onset": "2026-05-12", "serious": False, "grade": {"ctcae": 2}}
    house.receive(report(stated), coding(NEUTROPENIA), derived())
    [query] = said(house, QueryRaisedV1)
    house.receive(report({**stated, "grade": {"ctcae": 4}, "correction": True}, revision=2))

    assert settled(house) == [query.query_id]


def crs(scale: str, edition: str, lowest: int) -> DerivedGrade:
    """What the ward saw in one observation, as the coder grades it on one scale."""
    return DerivedGrade.model_validate(
        {
            "grade_id": f"crs {scale}", "number": 1, "scale": scale, "edition": edition, "code": "10052015",
            "term": "Cytokine release syndrome", "at": "2026-05-13T06:00", "lowest": lowest, "highest": lowest,
            "reasons": ["oxygen by high-flow nasal cannula"], "evidence": ["R1/0"], "said": "oxygen",
            "is_withdrawn": False,
        }
    )  # fmt: skip


@pytest.mark.parametrize("reverse", [False, True])
def test_a_syndrome_that_two_scales_see_is_asked_about_once_with_both_grades(house: Ward, reverse: bool) -> None:
    both = [crs("ctcae", "5.0", 3), crs("astct", "2019", 4)]
    body = derived().body.model_copy(update={"grades": both[::-1] if reverse else both})
    house.receive(_with(body))

    [query] = said(house, QueryRaisedV1)
    english, chinese = query.question.split("\n")
    assert english.startswith("S01-003: We hold an observation that is ASTCT 2019 grade 4 (Cytokine release syndrome)")
    assert english.endswith(" By CTCAE 5.0 it is grade 3.")
    assert chinese.endswith("按 CTCAE 5.0 为 3 级。")


def test_two_findings_of_one_moment_are_two_questions(house: Ward) -> None:
    body = derived().body.model_copy(update={"grades": [*derived().body.grades, crs("ctcae", "5.0", 3)]})
    house.receive(_with(body))

    assert len(said(house, QueryRaisedV1)) == 2
