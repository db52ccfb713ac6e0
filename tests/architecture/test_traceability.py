"""Each requirement has a test, each marker names one, and docs/traceability.md says so; with the test of the test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT
from tests.traceability.marks import Mark, marks, marks_in
from tests.traceability.matrix import Matrix, join, matrix
from tests.traceability.page import PAGE, page, page_of_a_run
from tests.traceability.register import FILE, Register, Requirement, TraceError, register
from tests.traceability.results import Results
from tests.traceability.run import record

D2 = Requirement("rules.md D2", "Day zero", "21 CFR 312.32(c)", "plus calendar days", (("tocsin.x", "shared/x.py"),))
D6 = replace(D2, id="rules.md D6", is_pending=True)
UPGRADE = "rules.md 1.4: OTHER to FATAL_LT"
UNSENT = replace(D2, id=f"{UPGRADE}, not yet submitted", of=UPGRADE)
SENT = replace(D2, id=f"{UPGRADE}, already submitted", of=UPGRADE)
CLOCK5 = replace(D2, id="readings.md clocks 5")
CLOCK6 = replace(D2, id="readings.md clocks 6", also=("readings.md: late is final",))
C2_7D = replace(D2, id="US_7D", clause="21 CFR 312.32(c)(2)", is_shipped=True)
C1_15D = replace(D2, id="US_15D", clause="21 CFR 312.32(c)(1)", is_shipped=True)
C1_COPY = replace(C1_15D, id="US_COPY")
SITE = replace(D2, id="SITE_24H", clause="ICH E6(R3) 2.7.2(b); EU 536/2014 Art. 41(2)", is_shipped=True)
SMALL = Register([D2, D6, UNSENT, SENT, CLOCK5, CLOCK6, C2_7D, C1_15D, C1_COPY, SITE], ["RFC 6901", "interfaces.md"])


def test_every_requirement_has_a_test_and_every_marker_names_something() -> None:
    wrong = list(matrix().wrong())
    assert not wrong, "\n".join(wrong)


def test_the_page_is_what_the_markers_give() -> None:
    assert PAGE.read_text("utf-8") == page(matrix()), (
        "markers, rules or requirements.toml have changed: make traceability"
    )


def test_what_is_read_from_the_files_is_what_pytest_sees(request: pytest.FixtureRequest) -> None:
    seen = {
        (item.nodeid.partition("[")[0], text)
        for item in request.session.items
        for marker in item.iter_markers("rule")
        for text in marker.args
    }
    collected = {item.nodeid.partition("[")[0] for item in request.session.items}
    assert {(mark.test, mark.text) for mark in marks() if mark.test in collected} == seen


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("rules.md D2", ["rules.md D2"]),
        ("rules.md D2: a month's end", ["rules.md D2"]),
        ("rules.md 1.2 D2", ["rules.md D2"]),
        ("rules.md D2, D6: both", ["rules.md D2", "rules.md D6"]),
        ("rules.md D2; rules.md D6", ["rules.md D2", "rules.md D6"]),
        ("readings.md, clocks 5", ["readings.md clocks 5"]),
        ("readings.md clocks 5 to 6", ["readings.md clocks 5", "readings.md clocks 6"]),
        ("readings.md clocks 5, 6", ["readings.md clocks 5", "readings.md clocks 6"]),
        ("readings.md: late is final", ["readings.md clocks 6"]),
        ("rules.md 1.4 OTHER -> FATAL_LT, already submitted: E05", [SENT.id]),
        ("rules.md 1.4: other to fatal_lt, not yet submitted", [UNSENT.id]),
        ("US_7D", ["US_7D"]),
        ("21 CFR 312.32(c)(2)", ["US_7D"]),
        ("EU 536/2014 Art. 41(2)", ["SITE_24H"]),
    ],
)
def test_a_marker_names_its_requirements(text: str, ids: list[str]) -> None:
    named = SMALL.named(text)
    assert list(named.requirements) == ids
    assert (named.wider, named.sources) == ((), ())


def test_a_name_for_several_rows_is_accepted_and_counts_for_none() -> None:
    assert SMALL.named("rules.md 1.4: OTHER to FATAL_LT").wider == (UPGRADE,)
    assert SMALL.named("21 CFR 312.32(c)(1)").wider == ("21 CFR 312.32(c)(1) (US_15D, US_COPY)",)


def test_another_standard_is_kept_as_it_was_written() -> None:
    assert SMALL.named("RFC 6901; interfaces.md: 503").sources == ("RFC 6901", "interfaces.md: 503")


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("rules.md D9", "'rules.md D9' names nothing; nearest are 'rules.md D"),
        ("rules.md D2, D9", "'rules.md D2, D9' names nothing"),
        ("readings.md clocks 5 to 7", "names nothing"),
        ("readings.md clocks 55", "nearest are 'readings.md clocks 5'"),
        ("rules.md 1.4: OTHER to FATAL_LT, after the report", "nearest are 'rules.md 1.4: OTHER to FATAL_LT"),
        ("US_7D_AND_MORE", "nearest are 'US_7D'"),
        ("rules.md D2; a rule of thumb", "'a rule of thumb' names nothing"),
        ("", "names nothing"),
    ],
)
def test_a_marker_that_names_nothing_is_refused_with_what_is_nearest(text: str, near: str) -> None:
    with pytest.raises(TraceError) as refused:
        SMALL.named(text)
    assert near in str(refused.value)


def test_what_fails_the_build_is_named_with_its_place() -> None:
    small = Register([D2, D6, C2_7D], [])
    found = [Mark("tests/a.py::test_a", "rules.md D6", 7), Mark("tests/a.py::test_b", "rules.md D22", 9)]
    unread, no_test, flagged, rule = join(small, found).wrong()
    assert unread.startswith("tests/a.py:9: 'rules.md D22' names nothing; nearest are 'rules.md D2'")
    assert no_test == "rules.md D2: no test names it; mark one with @pytest.mark.rule('rules.md D2')"
    assert flagged == "rules.md D6: is marked pending, but tests/a.py::test_a names it; take the flag away"
    assert rule.startswith("US_7D: no test names it")


def test_every_shipped_rule_is_a_requirement() -> None:
    ids = {row.id for row in register().requirements if row.is_shipped}
    assert {"CN_SUSAR_7D", "INV_TO_SPONSOR_24H", "JP_ART273_7D", "DLT-01", "EX-06"} <= ids


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"tocsin.store.audit"',
            '"tocsin.store.gone"',
            "there is no module 'tocsin.store.gone'; allowed are modules of",
        ),
        ('id = "rules.md D2"', 'id = "rules.md D1"', "names both|stands twice"),
        ('id = "rules.md D2"', 'name = "rules.md D2"', "key 'id' is missing"),
        ('id = "rules.md D2"', 'id = "rules.md D2"\ntext = "x"', "unknown key 'text'; allowed are also, clause, code"),
        ("pending = []", 'pending = ["CN_OTHER_RISKS"]', "pending 'CN_OTHER_RISKS' is no shipped rule"),
        ("[shipped]", "[shipped", "requirements.toml: not TOML"),
    ],
)
def test_a_wrong_register_is_refused_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = FILE.read_text("utf-8")
    assert old in text
    wrong = tmp_path / FILE.name
    wrong.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(TraceError, match=said):
        register(ROOT, wrong)


def test_markers_are_read_above_functions_and_classes() -> None:
    text = """
import pytest
@pytest.mark.rule("A")
class TestMany:
    @pytest.mark.rule("B", "C")
    @pytest.mark.parametrize("x", [1])
    def test_one(self, x): ...
@pytest.mark.rule("D")
@pytest.mark.rule("E")
async def test_two(): ...
def test_three(): ...
"""
    assert [(mark.test, mark.text) for mark in marks_in(text, "tests/a.py")] == [
        ("tests/a.py::TestMany::test_one", "A"),
        ("tests/a.py::TestMany::test_one", "B"),
        ("tests/a.py::TestMany::test_one", "C"),
        ("tests/a.py::test_two", "D"),
        ("tests/a.py::test_two", "E"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        'pytestmark = pytest.mark.rule("A")\n',
        '@pytest.mark.rule("A")\ndef no_test(): ...\n',
        '@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.rule("A"))])\ndef test_a(x): ...\n',
        "@pytest.mark.rule(NAME)\ndef test_a(): ...\n",
        '@pytest.mark.rule(clause="A")\ndef test_a(): ...\n',
        "@pytest.mark.rule\ndef test_a(): ...\n",
    ],
)
def test_a_marker_that_would_be_overlooked_is_refused(text: str) -> None:
    with pytest.raises(TraceError, match=r"tests/a\.py:[12]: a rule marker "):
        marks_in(text, "tests/a.py")


@dataclass
class Case:
    nodeid: str


A, B = "tests/a.py::test_a", "tests/a.py::test_b"
RUN = Results.of(
    {
        "passed": [Case(f"{A}[1]"), Case(f"{A}[2]"), Case(B)],
        "skipped": [Case(f"{B}[x]")],
        "error": [Case("tests/a.py::test_c[1]")],
        "xfailed": [Case("tests/a.py::test_d")],
    }
)


@pytest.mark.parametrize(
    ("tests", "verdict"),
    [
        ([A], "passed"),
        ([A, B], "passed in part"),
        ([A, "tests/a.py::test_c"], "failed"),
        (["tests/a.py::test_d"], "failed"),
        ([A, "tests/a.py::never_run"], "not run"),
        ([], "no test"),
    ],
)
def test_a_requirement_is_as_good_as_the_worst_of_its_tests(tests: list[str], verdict: str) -> None:
    assert RUN.verdict(D2, tests) == verdict
    assert RUN.verdict(D6, []) == "pending"


def test_a_case_that_passed_and_failed_in_its_tear_down_has_failed() -> None:
    assert Results.of({"passed": [Case(A)], "error": [Case(A)]}).cases == {A: Counter(failed=1)}


def test_the_page_of_a_run_counts_cases_and_says_what_it_ran_on() -> None:
    found = Matrix((D2, D6), {"rules.md D2": (A, B)}, {}, {}, ())
    text = page_of_a_run(found, RUN, ["Python: 3.11"])
    assert "- Python: 3.11\n" in text
    assert (
        "[a.py::test_a](../tests/a.py): passed, 2 cases<br>[a.py::test_b](../tests/a.py): 1 of 2 cases left out" in text
    )
    assert "| passed in part |" in text
    assert text.count("| pending |") == 1


def test_a_run_writes_its_page_and_one_line(tmp_path: Path) -> None:
    (line,) = record({}, ["Kafka: none"], tmp_path / "build" / "traceability.md")
    assert line.startswith("Traceability: ")
    assert " not run" in line
    text = (tmp_path / "build" / "traceability.md").read_text("utf-8")
    assert "- Kafka: none\n" in text
    assert "- Source: " in text
