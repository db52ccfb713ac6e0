"""How the dose page puts moments, what is left of a limit, reasons and the grid of a design."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.desk import dose_table
from alerting.desk.dose_times import Times
from tests.alerting.test_trial import DAY, HOUR
from tests.alerting.ward import NOON
from tocsin.domain.escalation import three_plus_three
from tocsin.domain.escalation.table import Here

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-06-08T15:59:59Z", "Mon 8 Jun 2026, 24:00"),
        ("2026-05-14T16:00:00Z", "Fri 15 May 2026, 00:00"),
        ("2026-05-21T11:00:01+08:00", "Thu 21 May 2026, 11:00"),
    ],
)
def test_a_moment_has_its_weekday_and_a_day_ends_at_24(text: str, said: str) -> None:
    assert Times(SHANGHAI, NOON).moment(text) == said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOON + timedelta(days=6, hours=23, minutes=59), "6 d 23 h left"),
        (NOON + DAY, "1 d 0 h left"),
        (NOON + timedelta(hours=23, minutes=59, seconds=59), "23 h 59 min left"),
        (NOON + timedelta(minutes=59), "59 min left"),
        (NOON + timedelta(seconds=59), "under a minute left"),
        (NOON, "passed"),
        (NOON - timedelta(seconds=1), "passed"),
    ],
)
def test_what_is_left_is_never_more_than_there_is(at: datetime, said: str) -> None:
    assert Times(SHANGHAI, NOON).left(at.isoformat()) == said


@given(st.integers(0, 10**9), st.timedeltas(timedelta(minutes=1), timedelta(days=99)))
def test_what_is_left_is_true_to_its_last_unit(seconds: int, span: timedelta) -> None:
    at = NOON + timedelta(seconds=seconds)
    said = Times(SHANGHAI, at).left((at + span).isoformat())
    units = {"d": timedelta(days=1), "h": HOUR, "min": timedelta(minutes=1)}
    parts = re.findall(r"(\d+) (d|h|min)", said)
    told = sum((int(n) * units[unit] for n, unit in parts), timedelta())
    assert told <= span < told + units[parts[-1][1]]


def test_a_reason_is_put_into_the_zone_and_what_has_no_zone_stays() -> None:
    times = Times(SHANGHAI, NOON)
    assert times.sentence("by 2026-05-21T03:00+00:00 at the latest") == "by Thu 21 May 2026, 11:00 at the latest"
    assert (
        times.sentence("onset 2026-05-14T11:00, on 2026-05-14 11:00") == "onset 2026-05-14T11:00, on 2026-05-14 11:00"
    )
    assert times.sentence("the next is 28 days later: 2026-06-08") == "the next is 28 days later: Mon 8 Jun 2026"
    assert times.sentence("E1 is MET_BY_RULE by DLT-02") == "E1 is met by rule and not signed by DLT-02"


def _level(position: str, higher: bool, n: int, dlt: int, pending: int = 0) -> dict[str, Any]:
    found = three_plus_three.table(position, higher, Here(n, dlt))
    return {
        "evaluable": n, "dlt": dlt, "pending": ["S01-001"] * pending,
        "table": {"title": found.title, "columns": list(found.columns), "rows": [list(row) for row in found.rows],
                  "parameters": dict(found.parameters)},
    }  # fmt: skip


@pytest.mark.rule("rules.md 5.1")
@pytest.mark.parametrize(("position", "higher"), [("lowest", False), ("middle", True), ("highest", False)])
def test_each_cell_of_the_grid_is_the_decision_of_the_design(position: str, higher: bool) -> None:
    grid = dose_table.grid(_level(position, higher, 3, 1))
    assert grid is not None
    assert grid.columns == ("0", "1", "2", "3", "4", "5", "6")
    assert [said for said, _ in grid.rows] == ["0", "1", "2 or more"]
    for n in range(7):
        for dlt in range(n + 1):
            cell = grid.rows[min(dlt, 2)][1][n]
            assert cell is not None
            assert cell.word == three_plus_three.decide(position, higher, n, dlt).decision


def test_the_grid_says_where_one_stands_and_where_one_would_stand() -> None:
    grid = dose_table.grid(_level("middle", False, 3, 1, pending=2))
    assert grid is not None
    notes = {
        (said, n): cell.notes for said, cells in grid.rows for n, cell in enumerate(cells) if cell and cell.notes
    }  # fmt: skip
    assert notes == {
        ("1", 3): ("you are here",), ("1", 5): ("if no more DLTs",), ("2 or more", 4): ("if one more DLT",)
    }  # fmt: skip


def test_a_table_of_another_shape_is_printed_as_it_is() -> None:
    table = {
        "columns": ["evaluable", "E escalate", "S stay"],
        "rows": [["1", "0", "1"]],
        "title": "BOIN",
        "parameters": {},
    }
    assert dose_table.grid({"evaluable": 1, "dlt": 0, "pending": [], "table": table}) is None
