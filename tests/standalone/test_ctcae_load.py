"""`tocsin ctcae load`: the official text of an edition, loaded whole or not at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from meddra_coder import tables
from meddra_coder.official_text import texts_of
from standalone.__main__ import main
from tests.criteria.test_workbook import parts, whole, write
from tests.support.environment import reference_folder
from tocsin.store.engine import Store, open_store
from tocsin.store.migrate import bring_up

ANEMIA = "10002272"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'coder.db'}", "coder")
    bring_up(opened, tables.metadata, migrations=str(Path(tables.__file__).parent / "migrations"), head=tables.HEAD)
    yield opened
    opened.close()


@dataclass(frozen=True)
class Told:
    """What the command said, and how it ended."""

    code: object
    out: str
    err: str


Load = Callable[..., Told]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Load:
    def run(*words: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["tocsin", "ctcae", "load", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return Told(ended.value.code or 0, *capsys.readouterr())

    return run


def kept(store: Store, edition: str = "5.0") -> int:
    its = tables.criteria_texts
    with store.reading() as connection:
        return connection.execute(select(func.count()).where(its.c.edition == edition)).scalar_one()


def of_anemia(store: Store, edition: str = "5.0") -> dict[int, str]:
    with store.reading() as connection:
        return texts_of(connection, edition, ANEMIA)


@pytest.mark.rule("facets: no sentence of the criteria is shipped")
def test_nothing_is_there_until_it_is_loaded(store: Store, tmp_path: Path, load: Load) -> None:
    assert of_anemia(store) == {}
    told = load(str(write(tmp_path / "v5.xlsx", parts(whole()))), "--data", str(tmp_path))
    assert (told.code, told.err) == (0, "")
    assert told.out == "CTCAE 5.0: 837 terms, 4022 texts loaded\n"
    assert of_anemia(store) == {0: "What it is", **{n: f"Text {n}" for n in range(1, 6)}}


def test_loading_again_takes_the_place_of_what_was_there_and_is_in_the_audit(
    store: Store, tmp_path: Path, load: Load
) -> None:
    file = tmp_path / "v5.xlsx"
    load(str(write(file, parts(whole()))), "--data", str(tmp_path))
    rows = whole()
    rows[1][3], rows[1][8] = "Another text", "-"
    told = load(str(write(file, parts(rows))), "--data", str(tmp_path), "--json")
    assert json.loads(told.out) == {"edition": "5.0", "terms": 837, "texts": 4021}
    assert of_anemia(store) == {1: "Another text", **{n: f"Text {n}" for n in range(2, 6)}}
    assert kept(store) == 4021
    with store.reading() as connection:
        lines = connection.exec_driver_sql("SELECT who, did, about FROM audit").all()
    assert [tuple(line) for line in lines] == [("command line", "official text loaded", "CTCAE 5.0")] * 2


def test_a_file_that_is_wrong_changes_nothing(store: Store, tmp_path: Path, load: Load) -> None:
    file = tmp_path / "v5.xlsx"
    load(str(write(file, parts(whole()))), "--data", str(tmp_path))
    good = file.read_bytes()
    rows = whole()
    rows[836][2] = "No such term"
    for wrong in (good[: len(good) // 2], write(tmp_path / "w.xlsx", parts(rows)).read_bytes()):
        file.write_bytes(wrong)
        told = load(str(file), "--data", str(tmp_path))
        assert told.code == 1
        assert told.out == ""
        assert told.err.startswith("tocsin: v5.xlsx")
        assert len(told.err.splitlines()) == 1
        assert kept(store) == 4022
        assert of_anemia(store)[1] == "Text 1"


def test_a_wrong_use_is_2(tmp_path: Path, load: Load, store: Store) -> None:
    assert load(str(tmp_path / "none.xlsx"), "--data", str(tmp_path)).code == 2
    file = write(tmp_path / "v5.xlsx", parts(whole()))
    told = load(str(file), "--data", str(tmp_path / "elsewhere"))
    assert told.code == 2
    assert "no such database" in told.err
    assert load().code == 2


def test_the_help_has_an_example(load: Load) -> None:
    told = load("--help")
    assert told.code == 0
    assert "Example: tocsin ctcae load" in told.out


@pytest.mark.rule("facets: no sentence of the criteria is shipped")
@pytest.mark.reference
def test_both_editions_of_nci_stand_side_by_side(store: Store, tmp_path: Path, load: Load) -> None:
    folder = reference_folder() / "ctcae"
    for name, edition in (("CTCAE_v5.0_2017-11-27.xlsx", "5.0"), ("ctcae-v6.0.xlsx", "6.0")):
        assert load(str(folder / name), "--data", str(tmp_path)).code == 0
        assert sorted(of_anemia(store, edition)) == [0, 1, 2, 3, 4, 5]
        assert of_anemia(store, edition)[5] == "Death"
    # v5.0 gives no definition (a lone hyphen) to its "Other, specify" terms.
    assert 4000 > kept(store, "5.0") > 3900
