"""`tocsin meddra list`, `impact` and `use`: a study moved to another version of the dictionary on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from meddra_coder import version_use
from meddra_coder.coders import Coders
from meddra_coder.handle import Parts, on_report_received
from standalone.__main__ import main
from standalone.study_files import load_studies
from tests.coder.conftest import STUDY, report
from tests.support.invented_meddra import write_distribution
from tocsin.store import tables as store_tables
from tocsin.store.engine import Store, open_store


@pytest.fixture
def store(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A house's coder with one event that waits, and a loaded version that has its term."""
    import meddra_coder.app as app
    from meddra_coder import tables
    from tocsin.store.migrate import bring_up

    with_it = tmp_path / "MedAscii"
    with_it.mkdir()
    write_distribution(with_it, llts=300, pts=90, extra=[("10099001", "Blood low", None, True)])
    opened = open_store(f"sqlite:///{tmp_path / 'coder.db'}", "coder")
    bring_up(opened, tables.metadata, migrations=app.MIGRATIONS, head=tables.HEAD)
    with opened.transaction() as tx:
        on_report_received(report({"verbatim": "Blood low"}), tx, Parts(Coders(), load_studies([])))
    run(monkeypatch, tmp_path, "load", str(with_it), "--version", "99.0")
    capsys.readouterr()
    yield opened
    opened.close()


def run(monkeypatch: pytest.MonkeyPatch, data: Path, *words: str) -> object:
    monkeypatch.setattr(sys, "argv", ["tocsin", "meddra", *words, "--data", str(data)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def test_the_report_is_shown_before_and_the_move_stands_on_the_record(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: Store, tmp_path: Path
) -> None:
    words = ("use", "99.0", "--study", STUDY, "--by", "Lin Wei", "--reason", "the licence is there")
    assert run(monkeypatch, tmp_path, *words, "--yes") == 0
    told = capsys.readouterr()
    assert '"Blood low": no code, uncoded; coded; sure of 10099001 Blood low now' in told.err
    assert told.out == (f"{STUDY} is coded with MedDRA 99.0; 1 cases said again: 0 stays, 1 coded, 0 waits\n")
    with store.reading() as tx:
        assert [(use.version, use.by) for use in version_use.uses(tx, STUDY)] == [("99.0", "Lin Wei")]
        did = list(tx.scalars(select(store_tables.audit.c.did).order_by(store_tables.audit.c.seq)))
        assert did == ["dictionary loaded", "chose a dictionary"]

    assert run(monkeypatch, tmp_path, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("CTCAE v5.0")
    assert lines[1].startswith("MedDRA 99.0: ")
    assert lines[1].endswith(f" by command line; used by {STUDY}")


def test_whoever_says_no_after_the_report_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, store: Store, tmp_path: Path
) -> None:
    monkeypatch.setattr("typer.confirm", _no)
    words = ("use", "99.0", "--study", STUDY, "--by", "Lin Wei", "--reason", "the licence is there")
    assert run(monkeypatch, tmp_path, *words) == 1
    with store.reading() as tx:
        assert version_use.uses(tx, STUDY) == []


def test_the_report_alone_is_a_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: Store, tmp_path: Path
) -> None:
    assert run(monkeypatch, tmp_path, "impact", "99.0", "--study", STUDY, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["after"], found["outcomes"], found["events"]) == ("MedDRA 99.0", {"coded": 1}, 1)


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("impact", "99.0", "--study", "NCT00000000"), 2, "no study 'NCT00000000'; served are"),
        (("impact", "98.0", "--study", STUDY), 1, "MedDRA 98.0 is not loaded here; loaded are: 99.0"),
    ],
)
def test_what_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    store: Store,
    tmp_path: Path,
    words: tuple[str, ...],
    exit_code: int,
    told: str,
) -> None:
    assert run(monkeypatch, tmp_path, *words) == exit_code
    assert told in capsys.readouterr().err


def _no(*_: object, abort: bool, **__: object) -> None:
    import typer

    assert abort
    raise typer.Abort
