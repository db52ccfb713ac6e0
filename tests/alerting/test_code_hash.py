"""One hash for the code that decides: every file of it counts, in one order, and nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.architecture.imports import PLACES
from tocsin.code_hash import code_hash, files_of, hash_of


def _made(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_it_is_the_hash_of_the_lines_that_sha256sum_prints(tmp_path: Path) -> None:
    root = _made(tmp_path, {"domain/due.py": "due", "criteria/bands.csv": "bands"})
    names = ("criteria/bands.csv", "domain/due.py")
    assert files_of(root) == names
    assert hash_of(root, names) == "3cf36757a6c1f75b034c7a9ec4946c6206e55b7a0610cceb231b104fb14cfbd9"


def test_another_text_another_name_and_one_file_more_each_change_it(tmp_path: Path) -> None:
    def found(name: str, files: Mapping[str, str]) -> str:
        root = _made(tmp_path / name, files)
        return hash_of(root, files_of(root))

    hashes = [
        found("as it is", {"domain/a.py": "1"}),
        found("another text", {"domain/a.py": "2"}),
        found("another name", {"domain/b.py": "1"}),
        found("one more", {"domain/a.py": "1", "domain/b.py": "1"}),
        found("elsewhere", {"criteria/a.py": "1"}),
    ]
    assert len(set(hashes)) == 5


def test_what_is_not_source_and_what_stands_elsewhere_does_not_count(tmp_path: Path) -> None:
    root = _made(tmp_path, {"domain/a.py": "1", "domain/a.pyc": "2", "web/a.py": "3", "domain/notes.md": "4"})
    assert files_of(root) == ("domain/a.py",)


def test_the_book_of_rules_and_the_criteria_are_in_it() -> None:
    names = files_of(PLACES["tocsin"])
    assert {"domain/dlt/verdicts.py", "domain/board/board.py", "criteria/ctcae_v5_bands.csv"} < set(names)
    assert list(names) == sorted(names)
    assert code_hash() == hash_of(PLACES["tocsin"], names)
