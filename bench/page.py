"""docs/benchmarks.md, its charts, and bench/results.json: written from what was measured, never by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import charts
from bench.invented import ROOT

RESULTS: Final = Path(__file__).parent / "results.json"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
PICTURES: Final = ROOT / "docs" / "pictures"
_HEAD: Final = """\
# Benchmarks

This page and its charts are written by `make bench`; nothing on it is typed. Each figure is the median of several
rounds in one run, and each comparison is of programs measured in turn in that run, on the same machine. Compare the
ratios: the figures themselves are this machine's.

`python -m bench --only NAME` measures one part again, `--quick` tries it in a minute and writes nothing. (With
`PYTHONPATH=.` in front, as `make bench` has it.) The figures as JSON: [bench/results.json](../bench/results.json).
"""

Parts = Mapping[str, Mapping[str, Any]]


def load() -> dict[str, Any]:
    """What is kept of earlier runs, by part."""
    if not RESULTS.is_file():
        return {}
    kept: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return kept


def write(parts: Parts) -> None:
    """Keep the results, and write the page and its charts from them."""
    RESULTS.write_text(json.dumps(parts, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    for name, drawn in pictures(parts).items():
        (PICTURES / name).write_text(drawn, "utf-8")
    PAGE.write_text(text(parts), "utf-8")


def text(parts: Parts) -> str:
    """The page."""
    said = [_HEAD]
    for name, (title, tell) in _CHAPTERS.items():
        said.append(f"## {title}\n")
        if name not in parts:
            said.append(f"Not measured yet: `python -m bench --only {name}`.\n")
            continue
        said += [*tell(parts[name]["found"]), _source(name, parts[name])]
    return "\n".join(said)


def pictures(parts: Parts) -> dict[str, str]:
    """The charts, by the name of their file."""
    drawn = {}
    if "intake" in parts:
        found = parts["intake"]["found"]
        groups = {
            f"{_TITLES[database]}, {of} connections": {
                "Tocsin": one["tocsin"]["requests_per_s"], "reference app": one["reference"]["requests_per_s"],
                "validation alone": one["validation_alone"]["requests_per_s"],
            }
            for database in ("sqlite", "postgresql") for of, one in _by_connections(found[database])
        }  # fmt: skip
        drawn["bench-intake.svg"] = charts.bars("Reports taken in, a second", "/s", groups)
    if "coder_processes" in parts and "coded_per_s" in parts["coder_processes"]["found"]:
        speeds = parts["coder_processes"]["found"]["coded_per_s"]
        points = [(float(n), speed) for n, speed in speeds.items()]
        drawn["bench-coders.svg"] = charts.curve("Reports coded, a second", "processes", points, "/s")
    return drawn


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown; numbers stand right."""
    rule = ["---" if n == 0 else "--:" for n in range(len(head))]
    lines = [head, rule, *[[_cell(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _source(name: str, part: Mapping[str, Any]) -> str:
    run = part["run"]
    return (
        f"<sub>`python -m bench --only {name}`, {part['took_s']} s, {run['at']}, commit {run['commit']}; "
        f"{run['processor']}, {run['cores']} cores, load {run['load']} before; Python {run['python']}, "
        f"SQLite {run['sqlite']}, {run['postgresql']}, {run['kafka']}.</sub>\n"
    )


def _by_connections(found: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, one in found.items():
        if isinstance(one, Mapping):
            yield name.removesuffix("_connections"), one


_TITLES: Final = {
    "sqlite": "SQLite", "postgresql": "PostgreSQL", "embedded_log_and_sqlite": "embedded log and SQLite",
    "kafka_and_postgresql": "Kafka and PostgreSQL",
}  # fmt: skip


def _intake(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "`POST /v1/reports`, whole, beside a bare app that takes the same report by the same model, keeps it with one "
        "INSERT and commits ([tests/reference_app](../tests/reference_app/app.py)), and beside validation alone. One "
        "process each, the same reports in turn, from a generator that is a process of its own and says how much of a "
        "core it took.\n"
    )
    yield "![Reports taken in, a second](pictures/bench-intake.svg)\n"
    rows: list[tuple[Any, ...]] = []
    for database in ("sqlite", "postgresql"):
        for of, one in _by_connections(found[database]):
            for side in ("tocsin", "reference", "validation_alone"):
                told = one[side]
                figures = ("requests_per_s", "p50", "p99", "cpu_ms_a_request", "generator_core_share")
                name = f"{_TITLES[database]}, {of}: {side.replace('_', ' ')}"
                rows.append((name, *(told[figure] for figure in figures)))
    yield table(("database, connections", "requests/s", "p50 ms", "p99 ms", "CPU ms", "generator, cores"), rows)
    rows = [
        (
            f"{_TITLES[database]}, {of}",
            one["ratio_to_reference"],
            one["p99_to_reference"],
            one["share_of_validation_alone"],
        )
        for database in ("sqlite", "postgresql")
        for of, one in _by_connections(found[database])
    ]
    yield table(
        ("database, connections", "requests/s to the reference", "p99 to the reference", "of validation alone"), rows
    )
    yield "Meant: at least 1.5 times the reference on SQLite, at least as many on PostgreSQL, p99 no longer.\n"


def _ringing(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "From the moment a site begins to POST a death to the moment the receiver of the webhook has read it, open "
        "loop; the deaths come from twenty studies. The floor is the same hops with nothing in them (HTTP, commit, "
        "log, consumer, commit, HTTP), on the same log and databases.\n"
    )
    rows = []
    for shape in ("embedded_log_and_sqlite", "kafka_and_postgresql"):
        for rate, one in sorted(found[shape].items(), key=lambda item: (len(item[0]), item[0])):  # by number
            if rate == "left_out":
                rows.append((f"{_TITLES[shape]}: left out, {one}", "", "", "", ""))
                continue
            house, floor = one["tocsin"], one["floor"]
            rows.append((f"{_TITLES[shape]}, {rate.replace('_', ' ')}", house["p50"], house["p99"],
                         f"{floor['p50']:,} / {floor['p99']:,}", one["p50_to_floor"]))  # fmt: skip
    yield table(("shape, rate", "p50 ms", "p99 ms", "floor p50 / p99 ms", "p50 to the floor"), rows)
    yield (
        "Meant, at 20 a second: p99 under 150 ms on the embedded log and SQLite, under 400 ms on Kafka and PostgreSQL, "
        "p50 at most 3 times the floor.\n"
    )


def _cost(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "Milliseconds of a core that one report costs each process, from the POST until it is coded, judged, and what "
        "rings is decided; one event in four is serious. Beside them what it leaves on the disk, indexes and log too.\n"
    )
    rows: list[tuple[Any, ...]] = []
    for shape, one in found.items():
        if "left_out" in one:
            rows.append((f"{_TITLES[shape]}: left out, {one['left_out']}", ""))
            continue
        rows += [
            (f"{_TITLES[shape]}: {name}", f"{cost:,} {'kB' if name == 'kilobytes' else 'ms'}")
            for name, cost in one.items()
        ]
    yield table(("shape: process", "one report"), rows)


def _rebuild(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "`tocsin rebuild alerting` into empty tables, the whole command. What a message costs depends on how much is "
        "known of its subject: beside the long log, a shorter one is made with 2 and with 20 reports of each.\n"
    )
    rows = [
        (name.replace("_", " "), one["messages"], one["seconds"], one["messages_per_s"])
        for name, one in found.items()
        if "messages" in one
    ]
    yield table(("log", "messages", "seconds", "messages/s"), rows)
    yield "Meant: at least 3,000 messages a second.\n"


def _coders(found: Mapping[str, Any]) -> Iterator[str]:
    if "left_out" in found:
        yield f"Left out: {found['left_out']}.\n"
        return
    yield (
        "One, two and three processes of the coder on one Kafka and one PostgreSQL. Broker, database and coders share "
        "this machine's cores, so that the curve flattens where they are used up; dashed is even growth.\n"
    )
    yield "![Reports coded, a second](pictures/bench-coders.svg)\n"
    rows = [(n, speed, found["growth"][n]) for n, speed in found["coded_per_s"].items()]
    yield table(("coders", "reports/s", "times one"), rows)


def _history(found: Mapping[str, Any]) -> Iterator[str]:
    few, many = (name for name in found if name != "times_dearer")
    yield (
        f"The same figures with {int(few):,} and with {int(many):,} reports stored, in intake and alerting. The tables "
        "are filled by bulk inserts of the rows that two played reports leave, copied under other numbers as trials of "
        "29 subjects with 150 reports each ([bench/filled.py](../bench/filled.py)); the audit trail is chained. POST "
        "to webhook is of deaths, 4 a second.\n"
    )
    rows = [
        (name.replace("_", " "), found[few][name], found[many][name], dear)
        for name, dear in found["times_dearer"].items()
    ]
    yield table(("figure", f"{int(few):,} stored", f"{int(many):,} stored", "times dearer"), rows)
    yield "Meant: at most 1.3 times dearer.\n"


def _footprint(found: Mapping[str, Any]) -> Iterator[str]:
    yield "From a fresh interpreter and an empty folder. Memory is what is resident; in use: after 200 reports.\n"
    rows = [
        ("`tocsin up`" if name == "up" else f"`tocsin serve {name}`", one["ready_after_s"], one["memory_when_ready_mb"],
         one.get("memory_after_use_mb", ""))
        for name, one in found.items()
    ]  # fmt: skip
    yield table(("process", "seconds to ready", "MB when ready", "MB in use"), rows)


def _scorecard(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "What the coder codes by itself, how often that is right, and what it holds back; the sets are this project's "
        "own ([their README](../bench/coding_sets/README.md)), and the measuring half gave no figure to the coder. "
        "More in [coding](coding.md).\n"
    )
    names = ("auto_coded", "right_of_auto_coded", "top_1", "top_20", "held_back")
    rows = [
        (shelf.replace("_", " "), found[shelf]["rows"], *(found[shelf][name] for name in names))
        for shelf in ("half_kept_for_measuring", "all")
    ]
    yield table(("set", "rows", *(name.replace("_", " ") for name in names)), rows)


def _speed(found: Mapping[str, Any]) -> Iterator[str]:
    if "left_out" in found:
        yield f"Left out: {found['left_out']}.\n"
        return
    ours = found["coder"]
    yield "Against an invented dictionary of the size of MedDRA, with the same questions asked of two libraries.\n"
    beside = found["beside_it"]
    yield table(
        ("coder", "terms/s in batches", "right term first"),
        [
            ("Tocsin", ours["batch_terms_per_s"], ours["top_1"]),
            (
                "scikit-learn, TF-IDF",
                beside["tfidf_of_characters"]["terms_per_s"],
                beside["tfidf_of_characters"]["top_1"],
            ),
            ("rapidfuzz, WRatio", beside["wratio"]["terms_per_s"], beside["wratio"]["top_1"]),
        ],
    )
    yield f"One by one: p50 {ours['alone_p50_ms']} ms, p99 {ours['alone_p99_ms']} ms; {ours['memory_mb']} MB.\n"


def _labs(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['rows']:,} laboratory rows on one core; by columns, and by the rule for each row.\n"
    rows = [
        (edition, one["columns_rows_per_s"], one["rule_rows_per_s"], one["columns_to_rule"])
        for edition, one in found["grading"].items()
    ]
    yield table(("edition", "columns, rows/s", "rule, rows/s", "times quicker"), rows)
    yield f"The whole command, reading and writing a CSV: {found['command']['whole_rows_per_s']:,} rows/s.\n"


def _due(found: Mapping[str, Any]) -> Iterator[str]:
    if "left_out" in found:
        yield f"Left out: {found['left_out']}.\n"
        return
    yield "What the chores ask each half second of PostgreSQL, by open clocks and by what is due: milliseconds.\n"
    houses = found["open_clocks"]
    few, many = houses
    rows = [
        (due, houses[few]["look_ms"][due], houses[many]["look_ms"][due], found["ratio_many_to_few"][due])
        for due in houses[few]["look_ms"]
    ]
    yield table(("due", f"{int(few):,} open", f"{int(many):,} open", "ratio"), rows)


def _pages(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "Pages of the desk, asked for in process: milliseconds of the first view, and the median of those after it.\n"
    )
    houses = found["pages"]
    rows = [
        (path, *(f"{house[path]['first_ms']:,.0f}, then {house[path]['median_ms']:,.0f}" for house in houses.values()))
        for path in next(iter(houses.values()))
    ]
    yield table(("page", *(f"{int(number):,} cases" for number in houses)), rows)


_CHAPTERS: Final = {
    "intake": ("Taking a report in", _intake),
    "ringing": ("From POST to webhook", _ringing),
    "cost": ("What a report costs", _cost),
    "rebuild": ("Rebuilding from the log", _rebuild),
    "coder_processes": ("More coders", _coders),
    "history": ("Cost against history", _history),
    "footprint": ("Start and memory", _footprint),
    "coding_scorecard": ("The coder's scorecard", _scorecard),
    "coding_speed": ("Coding against a full dictionary", _speed),
    "lab_rows": ("Grading laboratory data", _labs),
    "due_clocks": ("Finding what is due", _due),
    "desk_pages": ("Pages of the desk", _pages),
}
