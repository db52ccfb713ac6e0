"""A death at Christmas, and nobody acts: every notice comes at its instant to its person, once; sleep loses none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.rehearsals import Rehearsal, fatal, rehearsal, shanghai

NIGHT = "2026-12-25T23:59+08:00"
PAGES_FIRST = [
    ("page", "safety_physician", "2026-12-25T23:59"),
    ("page", "second_physician", "2026-12-26T00:14"),
    ("page", "medical_director", "2026-12-26T00:59"),
]


def report_the_death(house: Rehearsal) -> str:
    facts = fatal("S01-007", onset="2026-12-20", investigator_aware_at="2026-12-25T20:00+08:00")
    case: str = house.report(facts)["case_id"]
    house.settle()
    return case


def told(house: Rehearsal, case: str, kind: str = "") -> list[tuple[str, str, str]]:
    """(level, role, when) of every notice about the case, in the order of time; one entry for each notice."""
    once = {
        notice["notice_id"]: (alert["level"], notice["role"], shanghai(notice["at"]))
        for alert in house.alerts(case_id=case)
        for notice in alert["notices"]
        if alert["kind"].startswith(kind)
    }
    return sorted(once.values(), key=lambda one: (one[2], one[0]))


def clock(house: Rehearsal, case: str, rule: str) -> dict[str, Any]:
    (found,) = [c for c in house.clocks(case_id=case) if c["rule"] == rule]
    return found


@pytest.mark.rule("rules.md 1.5: 7-day notices", "rules.md 1.5: what pages at once", "readings.md clocks 7, 9")
def test_every_notice_of_a_death_comes_at_its_instant_to_its_person_once(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=NIGHT) as house:
        case = report_the_death(house)
        house.move_to("2027-01-02T01:30+08:00")
        assert told(house, case, "clock_") == [
            ("review", "medical_reviewer", "2026-12-26T23:59"),
            ("warn", "safety_team", "2026-12-28T23:59"),
            ("escalate", "medical_director", "2026-12-30T23:59"),
            ("critical", "medical_director", "2026-12-31T23:59"),
            ("overdue", "medical_director", "2027-01-02T00:00"),
            ("overdue", "medical_director", "2027-01-02T01:00"),
        ]
        assert told(house, case, "fatal")[:3] == PAGES_FIRST
        assert {role for _, role, _ in told(house, case, "fatal")[3:]} == {"medical_director"}
        due = clock(house, case, "CN_SUSAR_7D")
        assert (due["day_zero"], due["due_on"], due["status"]) == ("2026-12-25", "2027-01-01", "RUNNING")
        assert all(delivery["state"] == "delivered" for delivery in house.deliveries(limit=1000))


@pytest.mark.rule(
    "rules.md 1.5: 7-day notices", "promise: a service that slept owes everything once, most urgent first"
)
def test_a_service_that_sleeps_through_two_of_them_catches_up_most_urgent_first(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=NIGHT) as house:
        case = report_the_death(house)
        house.acknowledge(house.alerts(case_id=case)[0])
        house.move_to("2026-12-28T12:00+08:00")
        house.kill()
        house.start_again("--at", "2026-12-31T12:00+08:00")
        house.settle()
        house.move_to("2027-01-02T00:30+08:00")
        assert told(house, case, "clock_") == [
            ("review", "medical_reviewer", "2026-12-26T23:59"),
            ("escalate", "medical_director", "2026-12-31T12:00"),
            ("warn", "safety_team", "2026-12-31T12:00"),
            ("critical", "medical_director", "2026-12-31T23:59"),
            ("overdue", "medical_director", "2027-01-02T00:00"),
        ]
        woken = [alert for alert in house.alerts(case_id=case) if shanghai(alert["raised_at"]) == "2026-12-31T12:00"]
        assert sorted(notice["outcome"] for alert in woken for notice in alert["notices"]) == ["delivered", "delivered"]
