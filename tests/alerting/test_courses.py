"""How the grade of an event went, by the API: reports, follow-ups and observations together, in whatever order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from alerting.shown_decisions import AssessmentShown
from tests.alerting.desk import Desk
from tests.alerting.test_values import NEUTROPENIA, derived
from tests.alerting.ward import NOON, Ward, coding, report, ward
from tocsin.messages.envelope import Envelope

HOUR = timedelta(hours=1)
STATED = {
    "verbatim": "blood count",
    "onset": "2026-05-12",
    "serious": False,
    "course": [{"grade": 2, "from": "2026-05-12"}],
}
WORSE = {**STATED, "course": [{"grade": 2, "from": "2026-05-12"}, {"grade": 3, "from": "2026-05-14T08:00"}]}
ON_THE_12TH = {"earliest": "2026-05-11T16:00:00Z", "latest": "2026-05-12T15:59:59Z"}
"""The 12th of May in Shanghai."""
BY_SITE = {
    "lowest": 2, "highest": 2, "from": ON_THE_12TH, "source": "site", "said": "the site says grade 2 since 2026-05-12",
    "is_end": False,
}  # fmt: skip
MEASURED = {
    "lowest": 4, "highest": 4, "from": {"earliest": "2026-05-12T22:00:00Z", "latest": "2026-05-12T22:00:00Z"},
    "source": "computed", "said": "Neutrophils 0.4 10*9/L of 2026-05-13T06:00 is grade 4 of Neutrophil count decreased",
    "is_end": False,
}  # fmt: skip
BY_FOLLOW_UP = {
    "lowest": 3, "highest": 3, "from": {"earliest": "2026-05-14T00:00:00Z", "latest": "2026-05-14T00:00:00Z"},
    "source": "site", "said": "the site says grade 3 since 2026-05-14T08:00", "is_end": False,
}  # fmt: skip


def courses(house: Ward, case: str = "TOC-0031") -> list[list[dict[str, Any]]]:
    """Those of each event of the case, as a physician reads them."""
    answer = Desk(house).get(f"/v1/assessments/{case}")
    AssessmentShown.model_validate(answer)
    return [event["courses"] for event in answer["events"]]


def follow_up(event: dict[str, Any], revision: int = 2) -> Envelope[Any]:
    return report(event, revision=revision, at=NOON + revision * HOUR)


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_report_a_follow_up_and_an_observation_are_one_course(house: Ward) -> None:
    house.receive(report(STATED), coding(NEUTROPENIA), follow_up(WORSE), derived())

    assert courses(house) == [
        [
            {
                "scale": "ctcae",
                "editions": ["5.0"],
                "steps": [BY_SITE, MEASURED, BY_FOLLOW_UP],
                "peak": {"lowest": 4, "highest": 4, "steps": [MEASURED]},
                "now": {"lowest": 3, "highest": 3, "steps": [BY_FOLLOW_UP]},
                "as_of": "2026-05-14T04:00:00Z",
                "zone": "Asia/Shanghai",
            }
        ]
    ]


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_the_grade_of_now_moves_with_the_time_at_which_it_is_asked_for(house: Ward) -> None:
    house.receive(report({**WORSE, "end": "2026-05-15T10:00"}), coding(NEUTROPENIA), derived())
    house.move(timedelta(days=2))
    [[course]] = courses(house)

    assert (course["now"]["lowest"], course["now"]["highest"]) == (0, 0)
    assert [step["is_end"] for step in course["steps"]] == [False, False, False, True]
    assert course["peak"]["steps"] == [MEASURED]
    assert course["as_of"] == "2026-05-16T04:00:00Z"


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_value_that_was_corrected_takes_the_place_of_the_first(house: Ward) -> None:
    house.receive(report(STATED), coding(NEUTROPENIA), derived())
    house.receive(derived("R2", lowest=1, number=2))
    [[course]] = courses(house)

    assert [(step["source"], step["highest"]) for step in course["steps"]] == [("site", 2), ("computed", 1)]
    assert course["peak"] == {"lowest": 2, "highest": 2, "steps": [BY_SITE]}
    house.receive(derived("R3", number=3, gone=True))
    assert [course["steps"] for [course] in courses(house)] == [[BY_SITE]]


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_grade_that_the_site_corrected_takes_the_place_of_the_first(house: Ward) -> None:
    house.receive(report(WORSE), coding(NEUTROPENIA))
    assert [course["peak"]["highest"] for [course] in courses(house)] == [3]
    house.receive(follow_up(STATED))

    assert [course["steps"] for [course] in courses(house)] == [[BY_SITE]]


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_the_order_of_arrival_changes_no_course(tmp_path: Path) -> None:
    said = [
        report(STATED), follow_up(WORSE), coding(NEUTROPENIA), coding(NEUTROPENIA, revision=2),
        derived(lowest=1), derived("R2", number=2), derived("R3", lowest=2, grade_id="g2", at="2026-05-12T20:00"),
    ]  # fmt: skip
    found = []
    for seed in range(6):
        with ward(f"sqlite:///{tmp_path}/{seed}.db", tmp_path / str(seed)) as house:
            house.receive(*Random(seed).sample(said, len(said)))
            found.append(courses(house))

    assert all(one == found[0] for one in found)
    [[course]] = found[0]
    assert [step["highest"] for step in course["steps"]] == [2, 2, 4, 3]


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_value_of_another_finding_or_another_time_is_no_part_of_it(house: Ward) -> None:
    rash = {"verbatim": "rash", "onset": "2026-05-12", "serious": False, "grade": {"ctcae": 1}}
    late = {**STATED, "onset": "2026-05-20", "course": []}
    house.receive(report(rash, late), coding({"llt_code": "10037868", "term": "Rash maculo-papular"}, NEUTROPENIA))
    house.receive(derived())
    [[of_rash], of_late] = courses(house)

    assert [step["said"] for step in of_rash["steps"]] == ["the site says grade 1 and no date of it"]
    assert (of_rash["steps"][0]["from"], of_rash["now"], of_rash["editions"]) == (None, None, [])
    assert of_late == [], "nobody grades it: no course, and not grade 0"


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_each_scale_has_a_course_of_its_own(house: Ward) -> None:
    crs = {"verbatim": "CRS", "onset": "2026-05-12", "serious": False, "grade": {"ctcae": 2, "astct": 3}}
    house.receive(report(crs))
    [both] = courses(house)

    assert [(one["scale"], one["peak"]["highest"]) for one in both] == [("ctcae", 2), ("astct", 3)]


def test_an_event_that_was_taken_back_has_no_course(house: Ward) -> None:
    house.receive(report(STATED, STATED), follow_up({**STATED, "nullified": True}))

    assert len(courses(house)) == 1
