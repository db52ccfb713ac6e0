"""`tocsin rebuild`: from the log the same tables, and nothing is sent, lost or half done."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, select, text, update

from alerting import tables as alerting
from meddra_coder import tables as coder
from standalone.rebuild_run import SCRATCH, run
from tests.standalone.processes import environment, tocsin
from tests.support.rehearsals import Rehearsal, admitted, fatal, rehearsal, rung, serious
from tests.support.shapes import STUDIES, wait_until
from tocsin.bus.embedded import EmbeddedBus
from tocsin.bus.port import Record
from tocsin.settings import Settings
from tocsin.store import audit, outbox
from tocsin.store.engine import Store, open_store
from tocsin.store.tables import outbox as outbox_rows

TABLES = {
    "coder": list(coder.metadata.sorted_tables),
    "alerting": [table for table in alerting.metadata.sorted_tables if table.name != "timers"],
}
SETTINGS = {"TOCSIN_STUDIES": str(STUDIES[0]), "TOCSIN_LOG_LEVEL": "warning"}
INFUSION = {"kind": "infusion", "subject": "S01-003", "level": "DL2", "started_at": "2026-02-25T10:00+08:00"}
LOW = {"kind": "laboratory", "subject": "S01-003", "at": "2026-03-01T06:00", "ref": "LB-17", "test": "Neutrophils",
       "value": 0.4, "unit": "10*9/L", "lln": 1.8, "uln": 6.3}  # fmt: skip
HOT = {"kind": "vital_sign", "subject": "S01-003", "at": "2026-03-01T06:00", "sign": "temperature", "value": 39.1,
       "unit": "Cel"}  # fmt: skip


def answer(house: Rehearsal, by: str, **which: str) -> None:
    """Acknowledge what is open; a hold rings on until somebody confirms it."""
    for alert in house.alerts(state="open", **which):
        if alert["kind"] != "hold_confirmation":
            house.acknowledge(alert, by=by)


def confirm_holds(house: Rehearsal) -> None:
    """Each site and the cell lab says by telephone that it knows."""
    for hold in house.get("/v1/dose-board")["holds"]:
        for one in hold["confirmations"]:
            said = {"party": one["party"], "told_by": "whoever is on duty there"}
            assert house.ask("POST", f"/v1/holds/{hold['hold_id']}/confirmations", said).status_code == 201


def play(house: Rehearsal) -> None:
    """Ten days of a trial, with everything that a person and a timer can do to tables."""
    assert house.post("/v1/doses", INFUSION).status_code == 201
    dead = house.report(fatal())
    ill = house.report(serious())
    mild = house.report(admitted("S01-005", verbatim="Pneumonia", outcome="recovered"))
    assert house.post("/v1/observations", {"observations": [LOW, HOT]}).status_code == 201
    house.pass_by(minutes=5)
    answer(house, "safety_physician", level="page")
    confirm_holds(house)
    house.pass_by(hours=5)  # nobody has coded the second case: that rings
    event_id = f"{ill['case_id']}-E1"
    coded = {"event_id": event_id, "llt_code": "10042772", "reason": "syncope by the discharge letter"}
    undone = {"event_id": event_id, "undo": True, "reason": "the letter is of another stay"}
    kept = {**coded, "synonym": "study", "synonym_phrase": "felt faint in the corridor"}
    for decision in (coded, undone, kept):
        assert house.ask("POST", f"/v1/codings/{ill['case_id']}/decisions", decision, by="coder").status_code == 201
    held = {"phrase": "event", "study": None, "is_held": True, "reason": "it says nothing"}
    assert house.ask("POST", "/v1/held-phrases", held, by="coder").status_code == 201
    changed = house.post("/v1/observations", {"observations": [{**LOW, "value": 1.6, "correction": True}]})
    assert changed.status_code == 201
    house.settle()
    house.submit(house.clock(ill["case_id"], "CN_SUSAR_15D"), "2026-03-02T14:00+08:00")
    house.sign(mild["case_id"], "medical_review", "read and agreed")
    answer(house, "medical_director")
    house.move_to("2026-03-10T01:00+08:00")  # the report of the death to the authority is overdue since midnight
    answer(house, "medical_director")
    assert [a["state"] for a in house.alerts(kind="clock_overdue", case_id=dead["case_id"])][-1] == "acknowledged"
    house.settle()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house that has lived and was stopped."""
    folder = tmp_path_factory.mktemp("lived")
    with rehearsal(folder) as house:
        play(house)
        assert house.process.end()[0] == 0
        return house.data


@pytest.fixture
def data(played: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return Path(shutil.copytree(played, tmp_path / "data"))


@contextmanager
def again(data: Path) -> Iterator[Rehearsal]:
    """The house on this folder once more, until the block is left."""
    with rehearsal(data.parent, at=None) as house:
        house._tokens["safety_team"] = house.sign_in("safety_team")
        yield house
        house.process.end()


def rows_of(store: Store, tables: Sequence[Table]) -> dict[str, list[str]]:
    """Every row of these tables, less the numbers that only count."""
    with store.reading() as tx:
        return {
            table.name: sorted(repr(row) for row in tx.execute(select(*[c for c in table.c if c.name != "seq"])).all())
            for table in tables
        }


def kept(data: Path, service: str) -> dict[str, list[str]]:
    """Every row of the tables of a service but its timers, and of its outbox."""
    with closing(open_store(f"sqlite:///{data / service}.db", service)) as store:
        return rows_of(store, [*TABLES[service], outbox_rows])


def write(data: Path, service: str, *statements: Any) -> None:
    with closing(open_store(f"sqlite:///{data / service}.db", service)) as store, store.altering() as tx:
        for statement in statements:
            tx.execute(statement)


def rebuild(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return tocsin("rebuild", *words, "--data", str(data), **SETTINGS)


def letters(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "mailbox").iterdir())


@pytest.mark.parametrize("service", ["coder", "alerting"])
def test_the_log_gives_the_tables_of_a_house_that_has_lived(data: Path, service: str) -> None:
    before = kept(data, service)
    checked = rebuild(data, service, "--check", "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    told = json.loads(checked.stdout)
    assert (told["ok"], told["in_place"], told["differing"]) == (True, False, [])
    assert kept(data, service) == before

    done = rebuild(data, service, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["in_place"], told["differing"], told["said_anew"]) == (True, [], {})
    assert kept(data, service) == before
    assert {name for name, rows in before.items() if rows} >= {
        "coder": {"revisions", "codings", "observations", "infusions", "grades"},
        "alerting": {"snapshots", "doses", "observations", "grades", "clocks", "clock_history", "alerts", "concerns",
                     "acknowledgements", "notices", "deliveries", "attempts", "submissions", "signed", "queries",
                     "decisions", "accounts"},
    }[service], "the house has lived"  # fmt: skip


def test_nothing_is_sent_and_the_trail_says_who_did_it(data: Path) -> None:
    before = letters(data)
    assert rebuild(data, "alerting").returncode == 0
    assert letters(data) == before
    with closing(open_store(f"sqlite:///{data}/alerting.db", "alerting")) as store, store.reading() as tx:
        assert isinstance(audit.verify(tx), audit.Verified)
        last = tx.execute(text("SELECT who, did, about FROM audit ORDER BY seq DESC LIMIT 1")).one()
        assert tuple(last) == ("tocsin rebuild", "tables rebuilt from the log", "service alerting")
        assert outbox.pending(tx) == 0


def test_a_rebuilt_house_goes_on_where_it_was_and_rings_only_what_is_still_owed(data: Path) -> None:
    assert rebuild(data, "alerting").returncode == 0
    before = letters(data)
    with again(data) as house:
        house.settle()
        assert letters(data) == before, "nothing rings twice"
        house.move_to("2026-03-10T04:00+08:00")
        assert house.alerts(kind="clock_overdue", state="open") == [], "the director has silenced it until five"
        house.move_to("2026-03-10T06:00+08:00")
        [anew] = house.alerts(kind="clock_overdue", state="open")
        assert rung(anew) == [("medical_director", "2026-03-10T05:00"), ("medical_director", "2026-03-10T06:00")]


@pytest.mark.parametrize(
    ("service", "harm", "name"),
    [
        ("alerting", update(alerting.clocks).values(status="MET"), "clocks"),
        ("alerting", delete(alerting.acknowledgements), "acknowledgements"),
        ("coder", update(coder.codings).values(term="Headache"), "codings"),
    ],
    ids=["a clock that was set to met", "acknowledgements that were taken away", "a term that was changed"],
)
def test_a_table_that_is_not_what_the_log_gives_is_named_and_mended(
    data: Path, service: str, harm: Any, name: str
) -> None:
    before = kept(data, service)
    write(data, service, harm)
    checked = rebuild(data, service, "--check")
    assert checked.returncode == 1, checked.stdout
    assert f"nothing was changed; {name} differ" in checked.stdout
    assert kept(data, service) != before
    assert rebuild(data, service).returncode == 0
    assert kept(data, service) == before


def test_tables_that_were_lost_come_back_from_the_log_and_nobody_is_rung_again(data: Path) -> None:
    before, mails = kept(data, "alerting"), letters(data)
    for path in data.glob("alerting.db*"):
        path.unlink()
    with rehearsal(data.parent, at=None) as house:
        house.settle()  # empty tables, and a position at the end of the log
        house.process.end()
    assert kept(data, "alerting")["snapshots"] == []
    done = rebuild(data, "alerting")
    assert done.returncode == 0, done.stdout + done.stderr
    after = kept(data, "alerting")
    on_no_log = {"accounts", "sessions", "drafts", "webhooks", "deliveries", "attempts", "outbox", "studies"}
    bells = {"notices"}  # the address in a link is that of this run of the house
    assert {n: r for n, r in after.items() if n not in on_no_log | bells} == {
        n: r for n, r in before.items() if n not in on_no_log | bells
    }
    with again(data) as house:
        house.settle()
        assert letters(data) == mails


def test_the_intake_is_refused_because_it_writes_facts_first(data: Path) -> None:
    refused = rebuild(data, "intake")
    assert refused.returncode == 2
    assert "cannot be rebuilt from the log, and nothing was touched" in refused.stderr
    assert "Restore its backup" in refused.stderr


def test_a_running_house_is_refused(tmp_path: Path) -> None:
    with rehearsal(tmp_path) as house:
        refused = rebuild(house.data, "alerting")
    assert refused.returncode == 2
    assert "is in use by another `tocsin up`" in refused.stderr


def test_a_folder_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    refused = rebuild(tmp_path / "nowhere", "alerting")
    assert refused.returncode == 2
    assert "no such log" in refused.stderr
    assert not (tmp_path / "nowhere").exists()


def test_who_is_killed_half_way_leaves_the_tables_as_they_were(data: Path) -> None:
    before = kept(data, "alerting")
    process = subprocess.Popen(
        [sys.executable, "-m", "standalone", "rebuild", "alerting", "--data", str(data)],
        env=environment(**SETTINGS), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_until(lambda: list(data.glob(f"{SCRATCH}*/alerting.db")), "the scratch database")
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert kept(data, "alerting") == before
    assert rebuild(data, "alerting", "--check").returncode == 0
    assert list(data.glob(f"{SCRATCH}*")) == [], "what a killed one left behind is gone"


def test_what_fails_while_tables_are_put_in_place_leaves_them_as_they_were(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("the disk is gone")

    before = kept(data, "alerting")
    monkeypatch.setattr(audit, "seal", fails)  # the last thing before the commit
    with pytest.raises(OSError, match="the disk is gone"):
        run("alerting", Settings(data=data, studies=[STUDIES[0]]), is_check=False)
    monkeypatch.undo()
    assert kept(data, "alerting") == before


def test_somebody_who_writes_meanwhile_is_noticed_and_nothing_is_changed(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from standalone import rebuild_run
    from standalone.rebuild_tables import StillInUse, compare

    def writes(*arguments: Any) -> Any:
        write(
            data,
            "alerting",
            text("INSERT INTO inbox VALUES ('somebody', '0123456789abcdef0123456789abcdef', 'now', NULL)"),
        )
        return compare(*arguments)

    before = kept(data, "alerting")
    monkeypatch.setattr(rebuild_run, "compare", writes)
    with pytest.raises(StillInUse, match="was written to while its tables were rebuilt"):
        run("alerting", Settings(data=data, studies=[STUDIES[0]]), is_check=False)
    assert kept(data, "alerting") == before


SOME_ID = "0123456789abcdef0123456789abcdef"
NONSENSE = Record("reports.received.v1", "TOC-0099", b"no report", {"ce_id": "x"})


def test_what_was_set_aside_stays_aside_and_what_is_unread_is_left(data: Path) -> None:
    with EmbeddedBus(data / "log.db") as bus:
        bus.publish([NONSENSE])
    with again(data) as house:
        house.settle()
    with EmbeddedBus(data / "log.db") as bus:
        bus.publish([NONSENSE])
    before = kept(data, "alerting")
    assert len(before["dead_letters"]) == 2, "the coder and alerting gave it up"
    done = rebuild(data, "alerting", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    reports = json.loads(done.stdout)["log"]["reports.received.v1"]
    assert (reports["handled"], reports["set_aside"], reports["left"]) == (3, 1, 1)
    assert kept(data, "alerting") == before


def test_a_message_that_cannot_be_read_is_named_and_nothing_is_put_in_place(data: Path) -> None:
    with EmbeddedBus(data / "log.db") as bus:
        bus.publish([NONSENSE])
        with closing(bus.reader("alerting", ["reports.received.v1"])) as reader:
            reader.commit(reader.read(1, 5.0))  # as read, and never set aside
    before = kept(data, "alerting")
    failed = rebuild(data, "alerting")
    assert failed.returncode == 1
    assert "fails with Poison: header 'ce_type' is missing" in failed.stdout
    assert "1 things stand in the way: the tables of alerting are as they were" in failed.stdout
    assert kept(data, "alerting") == before


def test_a_log_that_lacks_what_was_handled_is_refused(data: Path) -> None:
    write(
        data,
        "alerting",
        text(f"INSERT INTO inbox VALUES ('alerting', '{SOME_ID}', '2026-03-02T00:00:00.000000Z', NULL)"),
    )
    failed = rebuild(data, "alerting")
    assert failed.returncode == 1
    assert "alerting has handled 1 messages that are not on this log" in failed.stdout


def test_what_was_sent_for_a_notice_that_the_log_does_not_tell_of_is_not_lost(data: Path) -> None:
    write(data, "alerting", text("INSERT INTO notices (id, alert_id, step, role, rung_role, at, reason, bell) "
                                 "SELECT 'ffffffffffffffffffffffffffffffff', alert_id, 999, role, rung_role, at, "
                                 "reason, bell FROM notices LIMIT 1"),
          text("UPDATE deliveries SET notice_id = 'ffffffffffffffffffffffffffffffff' WHERE id = "
               "(SELECT id FROM deliveries LIMIT 1)"))  # fmt: skip
    before = kept(data, "alerting")
    failed = rebuild(data, "alerting")
    assert failed.returncode == 1
    assert "1 deliveries belong to notices that the log does not tell of" in failed.stdout
    assert kept(data, "alerting") == before


def test_what_waits_in_the_outbox_is_sent_first_and_a_check_refuses(data: Path) -> None:
    with closing(open_store(f"sqlite:///{data}/alerting.db", "alerting")) as store, store.transaction() as tx:
        last = tx.execute(select(outbox_rows).order_by(outbox_rows.c.seq.desc()).limit(1)).one()
        tx.execute(update(outbox_rows).where(outbox_rows.c.seq == last.seq).values(sent_at=None))
    refused = rebuild(data, "alerting", "--check")
    assert refused.returncode == 2
    assert "1 messages of alerting wait for the bus" in refused.stderr
    done = rebuild(data, "alerting", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(open_store(f"sqlite:///{data}/alerting.db", "alerting")) as store, store.reading() as tx:
        assert outbox.pending(tx) == 0
