"""Every promise has numbers, lines of the log and alerts; every alert and trouble has its section of the runbook."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ae_intake import app as intake
from ae_intake.keys import create_key
from alerting import app as alerting
from alerting import kinds, watchdog
from alerting.watch import TROUBLES
from meddra_coder import app as coder
from tests.architecture.imports import PLACES
from tests.docs.pages import ROOT
from tests.flow.people import hospital
from tests.operations.numbers import samples, value
from tests.operations.pages import METRIC, OPERATIONS, RULES, RUNBOOK, rules, sections, table
from tests.support.houses import STUDY, House, Moment, in_process
from tests.support.shapes import wait_until
from tocsin.store.audit_watch import AuditWatch
from tocsin.store.engine import Store, open_store

OF_THE_TRIAL = {
    "fatal", "reconciliation", "life_threatening", "infusion_against_hold", "hold", "potential_dlt", "dlt_met",
    "dlt_for_committee", "grade_differs", "special_interest", "submission_rejected", "product_event",
    "medication_error", "pregnancy", "hold_confirmation", "follow_up_overdue", "dose_deviation", "nullified",
    "clock_critical", "clock_escalation", "clock_warning", "clock_review", "clock_in_question", "follow_up_to_judge",
    "no_event", "serious", "dlt_strict_limit", "unanswered",
}  # fmt: skip
"""Kinds of alert that are a physician's to answer, and nothing of the house. Any other has its section."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("watched")


@pytest.fixture(scope="module")
def house(data: Path) -> Iterator[House]:
    """A whole house that beats, with one report, one request that was refused, and everything read."""
    now = Moment(datetime.now(UTC))
    builds = [intake.build, coder.build, alerting.build]
    with in_process(data, builds, now=now, heartbeat_minutes=60) as running:
        with closing(open_store(f"sqlite:///{data}/intake.db", "intake")) as store, store.transaction() as tx:
            key = create_key(tx, STUDY, "S01", now(), by="the test")
        assert running.as_key(key).post("/v1/reports", hospital("S01-004")).status_code == 201
        assert running.as_key(key).post("/v1/reports", {"subject": 4}).status_code == 422
        wait_until(lambda: len(names(running) & {"tocsin_deliveries", "tocsin_heartbeat_age_seconds"}) == 2, "it rang")
        wait_until(lambda: "tocsin_coder_codings" in names(running), "it was coded")
        yield running


def numbers(house: House) -> str:
    answer = house.get("/metrics")
    assert answer.status_code == 200, answer.text
    return answer.text


def names(house: House) -> set[str]:
    return {name for name, _, _ in samples(numbers(house))}


@pytest.mark.rule("promise: what is promised is watched")
def test_every_number_that_a_page_or_a_rule_names_is_there(house: House) -> None:
    told = {page.name: set(METRIC.findall(page.read_text("utf-8"))) for page in (RUNBOOK, OPERATIONS)}
    told[RULES.name] = {name for rule in rules() for name in METRIC.findall(rule.expr)}
    there = names(house)
    assert {page: sorted(of - there) for page, of in told.items()} == {page: [] for page in told}


def test_every_promise_of_the_readme_stands_in_the_table(house: House) -> None:
    promised = [row[0] for row in table(ROOT / "README.md", "promise")]
    assert [row[0] for row in table(OPERATIONS, "promise")] == promised


def test_every_alert_of_the_table_is_a_rule_and_every_rule_stands_in_it_or_beside_it() -> None:
    told = {name for row in table(OPERATIONS, "promise") for name in re.findall(r"Tocsin[A-Z]\w+", row[3])}
    known = {rule.name for rule in rules()}
    assert told - known == set()
    assert known - told == {"TocsinSlow"}, "it breaks no promise, and comes before something does"


def test_every_line_of_the_log_that_the_table_names_is_said_somewhere() -> None:
    told = {name for row in table(OPERATIONS, "promise") for name in re.findall(r"`(\w+)`", row[2])}
    assert told - _said() == set()


def _said() -> set[str]:
    """The first argument of every call of a log in the program."""
    found = set()
    for place in PLACES.values():
        for path in place.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("debug", "info", "warning", "error", "exception", "log")
                ):
                    found |= {
                        a.value for a in node.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)
                    }
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_each_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(rule: object) -> None:
    from tests.operations.pages import Rule

    assert isinstance(rule, Rule)
    assert rule.severity in ("critical", "warning")
    assert rule.annotations["summary"]
    assert rule.annotations["runbook_url"].startswith("docs/runbook.md#")
    assert rule.section in sections()
    assert METRIC.search(rule.expr) or rule.expr.startswith("up{")


def test_each_section_of_the_runbook_says_the_same_four_things() -> None:
    _, *parts = re.split(r"^## ", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE)
    assert len(parts) > 15
    for part in parts:
        said = re.findall(r"^\*\*(.+?)\.\*\*", part, flags=re.MULTILINE)
        assert said == ["For patients", "Look", "Do", "Call"], part.splitlines()[0]


def test_every_trouble_and_every_alarm_of_the_house_has_its_section() -> None:
    told = {re.sub(r"`", "", row[0]): row[1] for row in table(RUNBOOK, "Tocsin rings")}
    of_the_house = set(kinds.KINDS) - OF_THE_TRIAL - {"house_in_trouble"}
    assert set(told) == {f"house_in_trouble: {kind}" for kind in TROUBLES} | of_the_house
    for section in told.values():
        [anchor] = re.findall(r"\(#([\w-]+)\)", section)
        assert anchor in sections()
    assert set(kinds.KINDS) >= OF_THE_TRIAL


def test_the_watchdog_knows_no_trouble_without_a_kind() -> None:
    source = ast.parse(Path(watchdog.__file__).read_text("utf-8"))
    calls = [n for n in ast.walk(source) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Trouble"]
    begin = set()
    for call in calls:
        key = call.args[0]
        first = key.values[0] if isinstance(key, ast.JoinedStr) else key
        assert isinstance(first, ast.Constant)
        begin.add(str(first.value).partition("|")[0])
    assert begin == set(TROUBLES)


def test_promtool_takes_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        missing = "promtool is not on the PATH (Debian: the package prometheus)"
        if os.environ.get("TOCSIN_REQUIRE_PROMTOOL") == "1":
            pytest.fail(f"TOCSIN_REQUIRE_PROMTOOL=1, but {missing}")
        pytest.skip(missing)
    done = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_clock_that_is_overdue_and_an_alarm_that_nobody_answers_are_counted(house: House) -> None:
    text_before = numbers(house)
    assert value(text_before, "tocsin_alerting_clocks_overdue") == 0
    assert value(text_before, "tocsin_alert_unanswered_seconds", level="page") == 0
    house.now.pass_by(days=30)
    try:
        text_after = numbers(house)
    finally:
        house.now.pass_by(days=-30)
    assert value(text_after, "tocsin_alerting_clocks_overdue") > 0
    assert value(text_after, "tocsin_alert_unanswered_seconds", level="page") == pytest.approx(30 * 86400, abs=1)
    assert value(text_after, "tocsin_queries_open", kind="awareness") == 1


def test_without_a_database_the_numbers_that_are_left_say_so(tmp_path: Path) -> None:
    with in_process(tmp_path, [intake.build, coder.build, alerting.build]) as house:
        for file in [*tmp_path.glob("*.db"), *tmp_path.glob("*.db-*")]:
            if not file.name.startswith("log"):
                file.rename(tmp_path / f"{file.name}.gone")
        for name in ("intake", "coder", "alerting"):
            (tmp_path / f"{name}.db").mkdir()
        for service in house.services:
            service.close()  # Connections that are open go on; new ones find no database.
        told = numbers(house)
    assert [value(told, "tocsin_store_up", service=name) for name in ("intake", "coder", "alerting")] == [0, 0, 0]
    assert value(told, "tocsin_consumer_dead_letters_total", consumer="alerting") == 0
    assert value(told, "tocsin_troubles", kind="disk") == 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store whose audit trail is 450 rows long."""
    from sqlalchemy import MetaData

    from tocsin.store import audit, migrate

    with closing(open_store(f"sqlite:///{tmp_path}/a.db", "trail")) as made:
        migrate.bring_up(made, MetaData(), migrations="unused", head="0001")
        for number in range(9):
            with made.transaction() as tx:
                for line in range(50):
                    audit.append(
                        tx, at=datetime(2026, 3, 2, tzinfo=UTC), who="lin", did="read", about=f"{number}/{line}"
                    )
        yield made


def tamper(store: Store, *statements: str) -> None:
    with store.altering() as tx:
        for (trigger,) in tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            tx.execute(text(f"DROP TRIGGER {trigger}"))
        for statement in statements:
            tx.execute(text(statement))


def watched(store: Store) -> AuditWatch:
    watch = AuditWatch("trail", store, lambda: datetime(2026, 3, 3, tzinfo=UTC))
    assert watch.read(threading.Event())
    return watch


def test_a_whole_audit_trail_is_read_to_its_end(store: Store) -> None:
    watch = watched(store)
    assert watch.last is not None
    assert (watch.last.rows, watch.last.broken, watch.trouble) == (450, None, None)


@pytest.mark.parametrize(
    ("statement", "row", "why"),
    [
        ("UPDATE audit SET who = 'nobody' WHERE seq = 317", 317, "it was altered"),
        ("DELETE FROM audit WHERE seq = 200", 200, "this row is missing; the next one there is 201"),
        ("DELETE FROM audit WHERE seq > 400", 401, "this row is missing; the trail should end at 450"),
        ("UPDATE audit_head SET hash = 'another'", 450, "is not the one that audit_head keeps"),
        ("DELETE FROM audit_head", 451, "audit_head, which says where the trail ends, is missing"),
        ("UPDATE audit SET seq = 0 WHERE seq = 450", 0, "this row was put in before the first one"),
        ("UPDATE audit_head SET seq = 449", 450, "this row was put in after the last one, which was 449"),
    ],
)
def test_the_first_broken_link_is_named_whatever_was_done(store: Store, statement: str, row: int, why: str) -> None:
    tamper(store, statement)
    watch = watched(store)
    assert watch.last is not None
    assert watch.last.broken is not None
    assert watch.last.broken.seq == row
    assert why in watch.last.broken.why
    assert f"the audit trail is broken at row {row}" in (watch.trouble or "")


def test_a_reading_ends_when_it_is_asked_to_and_says_nothing(store: Store) -> None:
    watch, stop = AuditWatch("trail", store, lambda: datetime(2026, 3, 3, tzinfo=UTC)), threading.Event()
    stop.set()
    assert not watch.read(stop)
    assert watch.last is None


def test_a_broken_trail_of_alerting_is_a_trouble_that_rings(house: House, data: Path) -> None:
    from alerting.parts import Parts
    from alerting.watchdog import Looks, troubles
    from tests.support.houses import protocols

    with closing(open_store(f"sqlite:///{data}/alerting.db", "alerting")) as kept:
        chain = AuditWatch("alerting", kept, house.now)
        parts = Parts(kept, protocols(), house.now, house.now, "http://house")
        looks = Looks([], data, house.now(), timedelta(0), chain=chain)
        with kept.reading() as tx:
            assert [one.key for one in troubles(tx, parts, looks)] == []
        from tocsin.store.audit import Broken
        from tocsin.store.audit_watch import Chain

        chain.last = Chain(house.now(), 2, Broken(3, "it was altered"))
        with kept.reading() as tx:
            [found] = troubles(tx, parts, looks)
    assert found.key == "audit"
    assert "broken at row 3: it was altered" in found.said
