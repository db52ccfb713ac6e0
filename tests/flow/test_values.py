"""From an observation that a site posts to its grade, the question and its answer: real processes, both shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.people import desk, site
from tests.support.kafka_broker import Broker
from tests.support.shapes import Shape, one_process, three_processes, wait_until

LOW: dict[str, Any] = {
    "kind": "laboratory", "subject": "S01-001", "at": "2026-03-03T06:00", "ref": "LB-17", "test": "Neutrophils",
    "value": 0.4, "unit": "10*9/L", "lln": 1.8, "uln": 6.3,
}  # fmt: skip
TEMPERATURE = {"kind": "vital_sign", "subject": "S01-001", "at": "2026-03-03T06:00", "sign": "temperature",
               "value": 37.0, "unit": "Cel"}  # fmt: skip


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Shape]:
    made = one_process(tmp_path)
    made.start()
    yield made
    made.end()


@pytest.fixture
def on_kafka(tmp_path: Path, own_kafka: Broker, fresh_database: Callable[[], str]) -> Iterator[Shape]:
    made = three_processes(tmp_path, bus=f"kafka://{own_kafka.bootstrap}", database=fresh_database())
    made.start()
    yield made
    made.end()


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_in_one_process_a_value_is_graded_asked_about_corrected_and_settled(embedded: Shape) -> None:
    _played(embedded)


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_on_kafka_and_postgresql_a_value_is_graded_asked_about_corrected_and_settled(on_kafka: Shape) -> None:
    _played(on_kafka)


def _played(shape: Shape) -> None:
    hospital = site(shape)

    def post(*seen: dict[str, Any]) -> None:
        assert hospital.post({"observations": list(seen)}, "/v1/observations").status_code == 201

    def questions(status: str) -> list[dict[str, Any]]:
        key = {"Authorization": f"Bearer {hospital.key}"}
        held = httpx.get(f"{shape.intake}/v1/queries", headers=key, params={"status": status}, timeout=30)
        asked: list[dict[str, Any]] = held.json()["queries"]
        return [one for one in asked if one["status"] == status]

    post(LOW, TEMPERATURE)
    asked = wait_until(lambda: questions("open"), "the question about a value that no report tells of")
    assert [one["question"].partition(":")[0] for one in asked] == ["S01-001"]
    assert "grade 4 (Neutrophil count decreased)" in asked[0]["question"]

    post({**LOW, "value": 1.6, "correction": True})
    settled = wait_until(lambda: questions("settled"), "the correction settles the question")
    assert [one["query_id"] for one in settled] == [asked[0]["query_id"]]


@pytest.mark.rule("facets: a contradiction is seen")
def test_in_one_process_a_grade_that_the_answers_contradict_is_asked_about_corrected_and_settled(
    embedded: Shape,
) -> None:
    hospital = site(embedded)
    told = {
        "ref": "AE-1", "verbatim": "Diarrhea", "onset": "2026-05-12", "serious": False, "grade": {"ctcae": 1},
        "symptoms": "moderate", "limits": "self_care_adl", "intervention": "medical",
    }  # fmt: skip
    case_id = hospital.report({"subject": "S01-001", "product": "KQ-2003", "events": [told]})["case_id"]

    def questions(status: str) -> list[dict[str, Any]]:
        key = {"Authorization": f"Bearer {hospital.key}"}
        held = httpx.get(f"{embedded.intake}/v1/queries", headers=key, params={"status": status}, timeout=30)
        return [one for one in held.json()["queries"] if one["kind"] == "grade"]

    (asked,) = wait_until(lambda: questions("open"), "the question about a grade that does not fit what was told")
    assert (asked["case_id"], asked["about"]) == (case_id, "/events/0/grade/ctcae")
    assert "at least grade 3 of Diarrhea: self care was limited" in asked["question"]

    corrected = {"ref": "AE-1", "verbatim": "Diarrhea", "grade": {"ctcae": 3}, "correction": True}
    assert hospital.post({"events": [corrected]}, f"/v1/reports/{case_id}/follow-ups").status_code == 201
    settled = wait_until(lambda: questions("settled"), "the correction settles the question")
    assert [one["query_id"] for one in settled] == [asked["query_id"]]


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_in_one_process_a_report_a_value_and_corrections_of_both_make_one_course(embedded: Shape) -> None:
    hospital, physician = site(embedded), desk(embedded, "safety_physician")
    told = {
        "ref": "AE-1", "verbatim": "Neutrophil count decreased", "onset": "2026-03-02", "serious": False,
        "course": [{"grade": 2, "from": "2026-03-02T08:00"}],
    }  # fmt: skip
    case_id = hospital.report({"subject": "S01-001", "product": "KQ-2003", "events": [told]})["case_id"]

    def steps() -> list[tuple[str, int]]:
        (event,) = physician.get(f"/v1/assessments/{case_id}")["events"]
        return [(step["source"], step["highest"]) for course in event["courses"] for step in course["steps"]]

    def posted(body: dict[str, Any], path: str) -> None:
        assert hospital.post(body, path).status_code == 201

    def comes(expected: list[tuple[str, int]], what: str) -> None:
        wait_until(lambda: steps() == expected, what)

    physician.knows(case_id)
    posted({"observations": [LOW]}, "/v1/observations")
    comes([("site", 2), ("computed", 4)], "the value beside the site's grade")
    posted({"observations": [{**LOW, "value": 1.2, "correction": True}]}, "/v1/observations")
    comes([("site", 2), ("computed", 2)], "the corrected value in the place of the first")
    news = {
        "ref": "AE-1",
        "verbatim": "Neutrophil count decreased",
        "course": [{"grade": 3, "from": "2026-03-04T08:00"}],
    }
    posted({"events": [news]}, f"/v1/reports/{case_id}/follow-ups")
    comes([("site", 2), ("computed", 2), ("site", 3)], "what the follow-up adds")
    posted({"events": [{**news, "course": told["course"], "correction": True}]}, f"/v1/reports/{case_id}/follow-ups")
    comes([("site", 2), ("computed", 2)], "the corrected grades in the place of the first")
