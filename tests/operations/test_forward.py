"""A database of the first release comes to today's version with its rows, on both databases; and so does the log.

The rows are those of a house that has lived, as far as the first release had a place for them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Row, Table, insert, inspect, select, text, update

from ae_intake import app as intake
from ae_intake import tables as intake_tables
from ae_intake.keys import create_key
from alerting import app as alerting
from alerting import tables as alerting_tables
from alerting.accounts import add as add_account
from meddra_coder import app as coder
from meddra_coder import tables as coder_tables
from tests.flow.people import FATAL, hospital
from tests.support.houses import STUDY, House, Moment, in_process
from tests.support.shapes import wait_until
from tocsin.bus import logfile
from tocsin.store import audit, migrate
from tocsin.store.engine import Store, open_store
from tocsin.store.tables import ledger

ALERTING_STEPS = str(Path(alerting.__file__).parent / "migrations")
BUILDS = [intake.build, coder.build, alerting.build]
NOW = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """One service: its tables today, its migrations, and its version."""

    metadata: MetaData
    steps: str
    head: str

    @property
    def tables(self) -> list[Table]:
        return [*ledger.sorted_tables, *self.metadata.sorted_tables]


SERVICES: Mapping[str, Kept] = {
    "intake": Kept(intake_tables.metadata, str(intake_tables.MIGRATIONS), intake_tables.HEAD),
    "coder": Kept(coder_tables.metadata, coder.MIGRATIONS, coder_tables.HEAD),
    "alerting": Kept(alerting_tables.metadata, ALERTING_STEPS, alerting_tables.HEAD),
}
HAS_ROWS = {
    "intake": {"keys", "counters", "cases", "revisions", "events", "queries", "doses", "receipts", "outbox", "inbox",
               "audit", "audit_head"},
    "coder": {"revisions", "codings", "outbox", "inbox", "audit_head"},
    "alerting": {"studies", "snapshots", "doses", "clocks", "clock_history", "alerts", "notices", "deliveries",
                 "attempts", "acknowledgements", "accounts", "timers", "outbox", "inbox", "audit", "audit_head"},
}  # fmt: skip
"""Tables of the first release in which the house that has lived left something."""


def live(house: House, data: Path) -> None:
    """A death, an admission and an infusion; an alarm that somebody has acknowledged."""
    with closing(open_store(f"sqlite:///{data}/intake.db", "intake")) as store, store.transaction() as tx:
        site = house.as_key(create_key(tx, STUDY, "S01", NOW, by="the test"))
    with closing(open_store(f"sqlite:///{data}/alerting.db", "alerting")) as store, store.transaction() as tx:
        add_account(tx, "lin", "a long password of the test", ["safety_physician"], NOW, who="the test")
    dose = {"kind": "infusion", "subject": "S01-003", "level": "DL2", "started_at": "2026-05-05T10:00+08:00"}
    assert site.post("/v1/doses", dose).status_code == 201
    for number, report in enumerate((FATAL, hospital("S01-004"))):
        answer = site.post("/v1/reports", report, headers={"Idempotency-Key": f"report-{number}"})
        assert answer.status_code == 201, answer.text
    login = house.post("/v1/sessions", {"name": "lin", "password": "a long password of the test"})
    physician = house.as_key(login.json()["token"])

    def pages() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = physician.get("/v1/alerts?state=open").json()["alerts"]
        return found

    wait_until(lambda: len(pages()) >= 2, "both have rung")
    wait_until(lambda: _number(data, "deliveries", "state = 'delivered'") >= 2, "both were sent")
    wait_until(lambda: _number(data, "snapshots") == 4, "both were coded")
    answered = physician.post(f"/v1/alerts/{pages()[0]['alert_id']}/acknowledgements", {})
    assert answered.status_code == 200, answer.text
    wait_until(lambda: _number(data, "outbox", "sent_at IS NULL") == 0, "everything was said")


def _number(data: Path, table: str, where: str = "true") -> int:
    with closing(open_store(f"sqlite:///{data}/alerting.db", "alerting")) as store, store.reading() as tx:
        return int(tx.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("lived")
    with in_process(data, BUILDS, now=Moment(NOW)) as house:
        live(house, data)
    return data


Rows = dict[str, list[Row[Any]]]


def rows(tx: Connection, tables: Sequence[Table], columns: Mapping[str, Sequence[str]]) -> Rows:
    """The rows of these tables, with these of their columns, in an order of their own."""
    return {
        table.name: sorted(tx.execute(select(*[table.c[name] for name in columns[table.name]])).all(), key=repr)
        for table in tables
        if table.name in columns
    }


def of_the_first_release(store: Store, service: str, lived: Path) -> tuple[dict[str, list[str]], Rows]:
    """Make the tables of the first release, and put into them what has a place there; answers columns and rows."""
    kept = SERVICES[service]
    migrate.upgrade_from_empty(store, kept.metadata, migrations=kept.steps, head="0001")
    with store.reading() as tx:
        there = inspect(tx)
        old = {t.name: [c["name"] for c in there.get_columns(t.name)] for t in kept.tables if there.has_table(t.name)}
    with closing(open_store(f"sqlite:///{lived / service}.db", service)) as today, today.reading() as tx:
        found = rows(tx, kept.tables, old)
    assert {name for name, of in found.items() if of} >= HAS_ROWS[service]
    with store.altering() as tx:
        for table in kept.tables:
            one_row = table.name in ("counters", "audit_head")  # It is made with the table.
            if given := [row._asdict() for row in found.get(table.name, [])]:
                tx.execute(update(table).values(given[0]) if one_row else insert(table), None if one_row else given)
    return old, found


@pytest.mark.rule("promise: a database of the first release comes forward with its rows")
@pytest.mark.parametrize("service", list(SERVICES))
def test_a_database_of_the_first_release_comes_to_todays_version_with_its_rows(
    service: str, lived: Path, any_database: Callable[[], str]
) -> None:
    kept = SERVICES[service]
    with closing(open_store(any_database(), service)) as store:
        old, before = of_the_first_release(store, service, lived)
        assert migrate.bring_up(store, kept.metadata, migrations=kept.steps, head=kept.head) == "upgraded"
        with store.reading() as tx:
            assert rows(tx, kept.tables, old) == before
            assert isinstance(audit.verify(tx), audit.Verified)
            assert tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == kept.head
            for table in kept.tables:
                tx.execute(select(table)).all()  # Every column of today is there, and can be read.


def test_what_the_first_release_did_not_know_of_a_clock_follows_from_what_it_did(
    lived: Path, any_database: Callable[[], str]
) -> None:
    kept, clocks = SERVICES["alerting"], alerting_tables.clocks
    with closing(open_store(any_database(), "alerting")) as store:
        of_the_first_release(store, "alerting", lived)
        migrate.bring_up(store, kept.metadata, migrations=kept.steps, head=kept.head)
        with store.reading() as tx:
            found = tx.execute(
                select(clocks.c.status, clocks.c.is_open, clocks.c.known_at == clocks.c.started_at)
            ).all()
    assert ("RUNNING", True, True) in {tuple(row) for row in found}
    assert all(row.is_open == (row.status == "RUNNING") for row in found)


@pytest.fixture
def first_release(lived: Path, tmp_path: Path) -> Path:
    """The folder of a house as the first release left it."""
    for service in SERVICES:
        with closing(open_store(f"sqlite:///{tmp_path / service}.db", service)) as store:
            of_the_first_release(store, service, lived)
    (tmp_path / "log.db").write_bytes((lived / "log.db").read_bytes())
    return tmp_path


def test_a_house_of_the_first_release_starts_today_and_nothing_rings_again(first_release: Path) -> None:
    letters = _number(first_release, "deliveries")
    alarms = _number(first_release, "alerts", "case_id IN ('TOC-0001', 'TOC-0002')")
    running = _number(first_release, "clocks", "status = 'RUNNING'")
    with in_process(first_release, BUILDS, now=Moment(NOW)) as house:
        login = house.post("/v1/sessions", {"name": "lin", "password": "a long password of the test"})
        physician = house.as_key(login.json()["token"])
        assert len(physician.get("/v1/clocks?open=true").json()["clocks"]) == running > 0
        site = house.as_key(_key(first_release))
        shown = site.get("/v1/reports/TOC-0001").json()
        assert (shown["case_id"], shown["revision"]) == ("TOC-0001", 1)
        assert site.post("/v1/reports", hospital("S01-005")).json()["case_id"] == "TOC-0003"
        wait_until(lambda: _number(first_release, "snapshots") == 6, "the new report is read and coded")
        assert _number(first_release, "alerts", "case_id IN ('TOC-0001', 'TOC-0002')") == alarms > 1
        assert _number(first_release, "alerts", "case_id = 'TOC-0003'") >= 1
        assert _number(first_release, "deliveries") > letters


def _key(data: Path) -> str:
    with closing(open_store(f"sqlite:///{data}/intake.db", "intake")) as store, store.transaction() as tx:
        return create_key(tx, STUDY, "S01", NOW, by="the test")


def test_the_tables_of_the_log_are_those_of_its_format() -> None:
    """Who changes them gives the format a new number, and brings files of the old one forward."""
    words = re.sub(r"\s+", " ", re.sub(r"--.*", "", logfile._TABLES)).strip()
    known = {1: "63da0a84ef6f45da41ca86ef63d405cfac6929749b9a0fa55deeaef4f75d8723"}
    assert hashlib.sha256(words.encode()).hexdigest() == known[logfile.FORMAT]
