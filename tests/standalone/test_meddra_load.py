"""`tocsin meddra load`: a version of a licensed MedDRA, loaded whole or not at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from meddra_coder import tables
from standalone.__main__ import main
from tests.support.invented_meddra import write_distribution
from tocsin.store.engine import Store, open_store
from tocsin.store.migrate import bring_up


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'coder.db'}", "coder")
    bring_up(opened, tables.metadata, migrations=str(Path(tables.__file__).parent / "migrations"), head=tables.HEAD)
    yield opened
    opened.close()


@pytest.fixture
def distribution(tmp_path: Path) -> Path:
    folder = tmp_path / "MedAscii"
    folder.mkdir()
    write_distribution(folder, llts=300, pts=90, seed=7)
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    monkeypatch.setattr(sys, "argv", ["tocsin", "meddra", "load", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def versions(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.scalars(select(tables.dictionaries.c.version)))


def test_a_version_is_loaded_beside_the_house_and_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    store: Store,
    distribution: Path,
    tmp_path: Path,
) -> None:
    capsys.readouterr()
    assert run(monkeypatch, str(distribution), "--version", "99.0", "--data", str(tmp_path)) == 0
    assert capsys.readouterr().out == "MedDRA 99.0 loaded: 300 lowest level terms, 90 preferred terms\n"
    assert run(monkeypatch, str(distribution), "--version", "99.0", "--data", str(tmp_path), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version"], told["new"], told["terms"], told["preferred_terms"]) == ("99.0", False, 300, 90)
    assert versions(store) == ["99.0"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_damaged_distribution_is_refused_with_file_and_line_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    store: Store,
    distribution: Path,
    tmp_path: Path,
) -> None:
    capsys.readouterr()
    (distribution / "smq_list.asc").unlink()
    assert run(monkeypatch, str(distribution), "--version", "99.0", "--data", str(tmp_path)) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "smq_list.asc" in told.err
    assert versions(store) == []
