"""Measurements say what they claim: percentiles and ratios of medians, sides in turn, a page of what was found."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from bench import charts, page
from bench.__main__ import PARTS, main
from bench.harness import in_ms, in_turn, medians, percentile, ratio


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([5.0], 0.5, 5.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
        ([float(n) for n in range(1, 11)], 0.99, 10.0),
        ([float(n) for n in range(1, 1002)], 0.99, 991.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.01)])
def test_a_percentile_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="a percentile needs values"):
        percentile(values, share)


def test_milliseconds_are_said_with_the_worst_beside_them() -> None:
    seconds = [0.001] * 98 + [0.050, 0.200]
    assert in_ms(seconds) == {"p50": 1.0, "p95": 1.0, "p99": 50.0, "max": 200.0}


def test_a_ratio_is_of_medians_so_that_one_bad_round_does_not_move_it() -> None:
    assert ratio([300.0, 310.0, 20.0], [100.0, 99.0, 2000.0]) == 3.0


def test_each_figure_is_the_median_of_its_rounds() -> None:
    assert medians([{"a": 1.0, "b": 9.0}, {"a": 3.0, "b": 7.0}, {"a": 2.0, "b": 8.0}]) == {"a": 2.0, "b": 8.0}


def test_sides_take_turns_in_every_round() -> None:
    order: list[str] = []

    def side(name: str) -> Callable[[int], None]:
        return lambda number: order.append(f"{name}{number}")

    in_turn({"a": side("a"), "b": side("b")}, 3)
    assert order == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_a_part_that_nobody_measures_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "intake,speed"])
    assert "speed is not measured; known are intake, ringing," in capsys.readouterr().err


def test_what_was_not_measured_is_said_with_its_command() -> None:
    said = page.text({})
    assert [name for name in PARTS if f"Not measured yet: `python -m bench --only {name}`." not in said] == []


RUN = {
    "at": "2026-06-01T12:00+00:00", "commit": "abc1234", "processor": "a processor", "cores": 2, "load": 0.1,
    "python": "3.11.7", "sqlite": "3.45", "postgresql": "PostgreSQL 15", "kafka": "no java", "system": "Linux",
}  # fmt: skip


def test_each_figure_stands_with_its_command_commit_and_machine() -> None:
    found = {"coded_per_s": {"1": 100.0, "2": 150.0}, "growth": {"1": 1.0, "2": 1.5}, "reports": 3000}
    said = page.text({"coder_processes": {"found": found, "took_s": 90, "run": RUN}})
    assert "| 2 | 150.0 | 1.5 |" in said
    assert "<sub>`python -m bench --only coder_processes`, 90 s, 2026-06-01T12:00+00:00, commit abc1234; " in said
    assert "2 cores, load 0.1 before" in said


def test_the_page_of_intake_says_ratios_and_the_cost_of_a_request() -> None:
    side = {"requests_per_s": 900.0, "p50": 30.0, "p99": 60.0, "cpu_ms_a_request": 1.1, "generator_core_share": 0.05}
    one = {
        "tocsin": side, "reference": {**side, "requests_per_s": 600.0}, "validation_alone": side, "rounds": 5,
        "ratio_to_reference": 1.5, "p99_to_reference": 0.8, "share_of_validation_alone": 0.4,
    }  # fmt: skip
    found = {"sqlite": {"32_connections": one}, "postgresql": {"left_out": "no initdb in PATH"}}
    parts = {"intake": {"found": found, "took_s": 300, "run": RUN}}
    assert "| SQLite, 32: tocsin | 900.0 | 30.0 | 60.0 | 1.1 | 0.05 |" in page.text(parts)
    assert "| SQLite, 32 | 1.5 | 0.8 | 0.4 |" in page.text(parts)
    assert set(page.pictures(parts)) == {"bench-intake.svg"}


def test_a_chart_is_well_formed_and_has_every_figure_as_text() -> None:
    drawn = charts.bars("Reports, a second", "/s", {"SQLite <32>": {"Tocsin": 1200.0, "reference app": 600.0}})
    texts = [one.text for one in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["Reports, a second", "SQLite <32>", "Tocsin", "1,200 /s", "reference app", "600 /s"]
    widths = [
        float(one.attrib["width"]) for one in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}rect")
    ]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)


def test_a_curve_shows_what_even_growth_would_be() -> None:
    drawn = ElementTree.fromstring(charts.curve("Coded", "processes", [(1.0, 100.0), (2.0, 150.0)], "/s"))
    [line] = drawn.iter("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    [even] = [one.attrib["d"] for one in drawn.iter() if one.get("class") == "even"]
    # The axis is at 240. Even growth to the second point would be twice the first; the line is one and a half.
    assert [240 - y for _, y in points] == [100.0, 150.0]
    assert float(even.rsplit(",", 1)[1]) == 40.0


def test_the_page_says_what_a_report_costs_each_process() -> None:
    found = {
        "embedded_log_and_sqlite": {"tocsin up": 31.5, "kilobytes": 12.0},
        "kafka_and_postgresql": {"left_out": "no java in PATH"},
    }
    said = page.text({"cost": {"found": found, "took_s": 60, "run": RUN}})
    assert "| embedded log and SQLite: tocsin up | 31.5 ms |" in said
    assert "| embedded log and SQLite: kilobytes | 12.0 kB |" in said
    assert "| Kafka and PostgreSQL: left out, no java in PATH |" in said
