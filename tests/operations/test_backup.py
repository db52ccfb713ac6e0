"""A backup is taken while the house runs; the machine is lost; the house is whole again as it was at that instant."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ae_intake import app as intake
from ae_intake import tables as intake_tables
from ae_intake.keys import create_key
from alerting import app as alerting
from alerting import tables as alerting_tables
from meddra_coder import app as coder
from standalone import backup_files, catch_up, rebuild_run
from standalone.backup import take
from standalone.names import SERVICES
from tests.flow.people import FATAL, SiteFeed, hospital, site
from tests.operations.cut import contradictions
from tests.standalone.processes import tocsin
from tests.support.houses import STUDY, House, in_process
from tests.support.shapes import STUDIES, Shape, one_process, wait_until
from tocsin.errors import SettingsError, StoreAway
from tocsin.settings import Settings
from tocsin.store.engine import open_store

FILES = ["SHA256SUMS", "alerting.db", "coder.db", "intake.db", "log.db"]


@contextmanager
def busy(house: House, key: str) -> Iterator[list[str]]:
    """Somebody who reports without a pause, until the block is left; the numbers of the cases, as they are given."""
    given: list[str] = []
    enough = threading.Event()

    def report() -> None:
        while not enough.is_set():
            answer = house.as_key(key).post("/v1/reports", hospital(f"S01-{len(given) % 900 + 100}"))
            assert answer.status_code == 201, answer.text
            given.append(answer.json()["case_id"])

    feed = threading.Thread(target=report)
    feed.start()
    try:
        yield given
    finally:
        enough.set()
        feed.join(30)


@contextmanager
def house_on(data: Path) -> Iterator[House]:
    """All three services on this folder, in this process."""
    data.mkdir(exist_ok=True)
    with in_process(data, [intake.build, coder.build, alerting.build]) as running:
        yield running


def key_of(data: Path) -> str:
    """A key for site S01."""
    with closing(open_store(f"sqlite:///{data}/intake.db", "intake")) as store, store.transaction() as tx:
        return create_key(tx, STUDY, "S01", datetime(2026, 3, 2, tzinfo=UTC), by="the test")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_on(tmp_path / "data") as running:
        yield running


@pytest.fixture
def key(house: House, tmp_path: Path) -> str:
    return key_of(tmp_path / "data")


@pytest.mark.rule("promise: a backup is a house of one instant")
def test_databases_and_log_of_a_backup_are_of_one_instant_however_busy_the_house_is(
    house: House, key: str, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path / "data")
    with busy(house, key) as given:
        for number in range(5):
            before = len(given)
            wait_until(lambda so_far=before: len(given) > so_far + 3, "reports come while it is taken")  # type: ignore[misc]
            known = list(given)
            made = take(settings, tmp_path / f"backup-{number}")
            assert made.held_ms < backup_files.TURN_S * 1000
            assert list(contradictions(tmp_path / f"backup-{number}")) == []
            with closing(sqlite3.connect(tmp_path / f"backup-{number}" / "intake.db")) as copy:
                kept = {row[0] for row in copy.execute("SELECT case_id FROM cases")}
            assert set(known) <= kept, "nothing that was accepted before the backup is missing"
            assert made.audit["intake"][0] >= len(known)


def lost_and_restored(shape: Shape, backup: Path) -> None:
    """The machine is lost, with everything on it; another gets a copy of the backup."""
    shape.end()
    shutil.rmtree(shape.folder / "data")
    shutil.copytree(backup, shape.folder / "data")
    shape.start()


def cases_of(shape: Shape) -> dict[str, str]:
    """Each case of the intake by its subject."""
    with shape.reading("intake") as tx:
        return {row.subject: row.case_id for row in tx.execute(select(intake_tables.cases))}


def send(hospital_of: SiteFeed, subject: str) -> str:
    """Report under a key of its own; the case number. Again is the same request again."""
    answer = hospital_of.post(hospital(subject), idempotency_key=f"report-{subject}")
    assert answer.status_code in (200, 201), answer.text
    case_id: str = answer.json()["case_id"]
    return case_id


@pytest.mark.rule("promise: a restored house is whole")
def test_the_drill_of_a_house_on_one_folder(tmp_path: Path) -> None:
    shape = one_process(tmp_path)
    backup = tmp_path / "elsewhere" / "backup"
    try:
        shape.start()
        feed = site(shape)
        first = feed.report(FATAL)["case_id"]
        before = {subject: send(feed, subject) for subject in ("S01-004", "S01-005")}
        said = shape.tocsin("backup", str(backup))
        assert f"{backup}: the house as it was at" in said
        assert sorted(path.name for path in backup.iterdir()) == FILES
        checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=backup, check=False)
        assert checked.returncode == 0
        after = {subject: send(feed, subject) for subject in ("S01-006", "S01-007")}
        wait_until(shape.is_quiet, "everything was judged and sent")

        lost_and_restored(shape, backup)
        assert cases_of(shape) == {"S01-003": first, **before}, "what came after the backup is not in it"
        # A site that got no answer, or is asked to, sends again under the same key: nothing counts twice.
        again = {subject: send(feed, subject) for subject in [*before, *after]}
        assert {subject: again[subject] for subject in before} == before
        assert cases_of(shape) == {"S01-003": first, **again}
        wait_until(shape.is_quiet, "everything was judged and sent")
        rung = select(func.count(alerting_tables.alerts.c.case_id.distinct()))
        assert shape.count("alerting", rung) == 5, "each of them has rung"
        assert shape.processes["up"].stop() == 0
        settings = Settings(data=tmp_path / "data", studies=list(STUDIES))
        for service in SERVICES[1:]:
            told = rebuild_run.run(service, settings, is_check=True)
            assert (told.failures, told.differing, told.said_anew) == ((), [], {})
    finally:
        shape.end()


def test_a_house_that_is_restored_onto_a_newer_log_takes_up_what_came_since(tmp_path: Path) -> None:
    log = tmp_path / "other disk" / "log.db"
    log.parent.mkdir()
    shape = one_process(tmp_path, TOCSIN_BUS=f"embedded:{log}")
    try:
        shape.start()
        feed = site(shape)
        first = feed.report(FATAL)["case_id"]
        take(Settings(data=tmp_path / "data", bus=f"embedded:{log}"), tmp_path / "backup")
        after = send(feed, "S01-006")
        answer = feed.post(
            {"reason": "more is known", "events": [{"verbatim": "rash"}]}, f"/v1/reports/{first}/follow-ups"
        )
        assert answer.status_code == 201, answer.text
        wait_until(shape.is_quiet, "everything was judged and sent")
        with shape.reading("alerting") as tx:
            verdicts = sorted(map(repr, tx.execute(select(alerting_tables.clocks))))

        shape.end()
        shutil.rmtree(tmp_path / "data")
        shutil.copytree(tmp_path / "backup", tmp_path / "data")
        (tmp_path / "data" / "log.db").unlink()  # The log was on another disk, and is there.
        settings = Settings(data=tmp_path / "data", bus=f"embedded:{log}", studies=list(STUDIES))
        told = catch_up.run(settings)
        assert (told.failures, told.unreadable, told.taken["reports.received.v1"]) == ([], [], 2)
        assert catch_up.run(settings).taken == {}, "again it changes nothing"
        for service in SERVICES[1:]:
            assert rebuild_run.run(service, settings, is_check=False).is_well
        with shape.reading("alerting") as tx:
            assert sorted(map(repr, tx.execute(select(alerting_tables.clocks)))) == verdicts
        shape.start()
        assert cases_of(shape) == {"S01-003": first, "S01-006": after}
        # The number is not given twice: else this report would bear the id of a message that all readers know.
        assert (after, feed.report(hospital("S01-008"))["case_id"]) == ("TOC-0002", "TOC-0003")
        wait_until(shape.is_quiet, "everything was judged and sent")
        rung = select(alerting_tables.alerts.c.case_id).distinct().order_by(alerting_tables.alerts.c.case_id)
        with shape.reading("alerting") as tx:
            assert list(tx.scalars(rung)) == ["TOC-0001", "TOC-0002", "TOC-0003"]
    finally:
        shape.end()


def test_an_intake_that_went_on_before_it_caught_up_is_told_so_and_nothing_is_changed(tmp_path: Path) -> None:
    with house_on(tmp_path / "data") as house:
        key = key_of(tmp_path / "data")
        take(Settings(data=tmp_path / "data"), tmp_path / "backup")
        assert house.as_key(key).post("/v1/reports", hospital("S01-004")).status_code == 201
        wait_until(lambda: _number(tmp_path / "data", "alerting", "snapshots"), "it is read")
    for file in tmp_path.glob("data/intake.db*"):
        file.unlink()
    shutil.copyfile(tmp_path / "backup" / "intake.db", tmp_path / "data" / "intake.db")
    with house_on(tmp_path / "data") as house:
        assert house.as_key(key).post("/v1/reports", hospital("S01-009")).status_code == 201
    before = (tmp_path / "data" / "intake.db").read_bytes()
    refused = tocsin("catch-up", "--data", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert "TOC-0001 revision 1 is another report here than on the log" in refused.stdout
    assert "the tables of the intake are as they were" in refused.stdout
    assert (tmp_path / "data" / "intake.db").read_bytes() == before


def test_a_lost_log_is_made_anew_from_what_the_outboxes_keep_and_nothing_rings_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with house_on(data) as house:
        site_of = house.as_key(key_of(data))
        for subject in ("S01-004", "S01-005"):
            assert site_of.post("/v1/reports", hospital(subject)).status_code == 201
        wait_until(lambda: _number(data, "alerting", "snapshots") == 4, "both are read and coded")
        wait_until(lambda: _unsent(data) == 0, "everything was said")
    rung = _number(data, "alerting", "alerts")
    for file in data.glob("log.db*"):
        file.unlink()
    for name in ("intake", "coder", "alerting"):
        with closing(sqlite3.connect(data / f"{name}.db")) as database, database:
            database.execute("UPDATE outbox SET sent_at = NULL")
    with house_on(data) as house:
        wait_until(lambda: _unsent(data) == 0, "everything was said again")
        assert house.as_key(key_of(data)).post("/v1/reports", hospital("S01-006")).status_code == 201
        wait_until(lambda: _number(data, "alerting", "snapshots") == 6, "a new report is read and coded")
        wait_until(lambda: _unsent(data) == 0, "everything was said")
        take(Settings(data=data), tmp_path / "backup")
    assert list(contradictions(tmp_path / "backup")) == [], "the new log holds whatever was said"
    assert _number(data, "alerting", "alerts WHERE case_id IN ('TOC-0001', 'TOC-0002') OR case_id IS NULL") == rung


def _number(data: Path, service: str, table: str) -> int:
    with closing(sqlite3.connect(data / f"{service}.db")) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _unsent(data: Path) -> int:
    return sum(_number(data, name, "outbox WHERE sent_at IS NULL") for name in ("intake", "coder", "alerting"))


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The folder of a house that was started and stopped."""
    with house_on(tmp_path / "data"):
        return tmp_path / "data"


def test_a_house_that_is_stopped_is_copied_too_and_only_its_owner_may_look(stopped: Path, tmp_path: Path) -> None:
    (stopped / "signing.key").write_text("a key of the tests")
    (stopped / "rehearsal.json").write_text("{}")
    made = take(Settings(data=stopped), tmp_path / "backup")
    assert [one.name for one in made.files] == [*FILES[1:], "rehearsal.json", "signing.key"]
    assert list(contradictions(tmp_path / "backup")) == []
    for path in [tmp_path / "backup", *(tmp_path / "backup").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_folder_that_holds_anything_is_refused_and_left_as_it_is(stopped: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").write_text("mine")
    refused = tocsin("backup", str(tmp_path / "full"), "--data", str(stopped))
    assert refused.returncode == 2
    assert "is not empty, and a backup never overwrites: name a new folder" in refused.stderr
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["note"]


def test_a_house_that_is_not_there_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"intake\.db: no such database; name the folder"):
        take(Settings(data=tmp_path / "nowhere"), tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_house_on_postgresql_is_told_its_own_way() -> None:
    settings = Settings(database="postgresql+psycopg://tocsin@127.0.0.1/tocsin", bus="kafka://127.0.0.1:9092")
    with pytest.raises(SettingsError, match="for PostgreSQL use pg_dump"):
        take(settings, Path("backup"))


def spoil(path: Path) -> None:
    """A page of the file is not what was written."""
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize("name", ["intake.db", "log.db"])
def test_a_damaged_file_is_named_and_no_backup_is_left(name: str, stopped: Path, tmp_path: Path) -> None:
    spoil(stopped / name)
    refused = tocsin("backup", str(tmp_path / "backup"), "--data", str(stopped))
    assert refused.returncode == 1
    assert name in refused.stderr
    assert "damaged" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_broken_audit_trail_is_named_and_no_backup_is_left(stopped: Path, tmp_path: Path) -> None:
    key_of(stopped)
    with closing(sqlite3.connect(stopped / "intake.db", isolation_level=None)) as harm:
        for (trigger,) in harm.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            harm.execute(f"DROP TRIGGER {trigger}")
        harm.execute("UPDATE audit SET who = 'nobody'")
    refused = tocsin("backup", str(tmp_path / "backup"), "--data", str(stopped))
    assert refused.returncode == 1
    assert "the audit trail of intake is broken at row 1" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_house_that_never_rests_is_waited_for_and_then_told(
    stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_files, "ONE_TRY_S", 0.02)
    sources = backup_files.sources_of(stopped, stopped / "log.db")
    with closing(sqlite3.connect(stopped / "coder.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreAway, match="no moment in which nobody wrote; nothing was copied: try again"):
            backup_files.copy_at_one_instant(sources, tmp_path, turn_s=0.1)
        with closing(sqlite3.connect(stopped / "intake.db", isolation_level=None, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")  # Nobody is held up by a try that failed.
