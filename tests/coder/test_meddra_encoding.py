"""A MedDRA distribution is read in whatever encoding and line ends it has; a mixture is refused with file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from meddra_coder.dictionary.meddra_files import Distribution, read_distribution
from tests.coder.distribution_folder import folder, good, line_of, put, refusal
from tests.support.invented_meddra import successor, write_distribution

__all__ = ["folder", "good"]


def written(tmp_path: Path, script: str, encoding: str, newline: str = "\r\n") -> Path:
    folder = tmp_path / f"{script} {encoding}"
    write_distribution(folder, llts=300, pts=100, script=script, encoding=encoding, newline=newline)
    return folder


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize(
    ("script", "encoding", "told"),
    [
        ("latin", "ascii", "utf-8"),
        ("accented", "utf-8", "utf-8"),
        ("chinese", "utf-8", "utf-8"),
        ("japanese", "utf-8", "utf-8"),
        ("chinese", "gb18030", "gb18030"),
        ("japanese", "cp932", "shift-jis"),
        ("accented", "cp1252", "windows-1252"),
        ("accented", "latin-1", "windows-1252"),
    ],
)
def test_the_encoding_is_found_and_the_names_are_the_same(
    tmp_path: Path, script: str, encoding: str, told: str
) -> None:
    def said(read: Distribution) -> object:
        return read.llts, read.pts, read.hlts, read.hlgts, read.socs, read.paths, read.smqs, read.smq_terms

    read = read_distribution(written(tmp_path, script, encoding))
    assert read.encoding == told
    assert said(read) == said(read_distribution(written(tmp_path, script, "utf-8")))


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_byte_order_mark_is_no_part_of_the_first_code(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    read = read_distribution(folder)
    assert read.encoding == "utf-8"
    assert read.llts[0].code == "10500001"


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize("name", ["Guérinosk", "naïve Zorbosk", "Zorbosk 5 µm", "Señal zorbosk"])
def test_a_single_accent_in_latin_1_is_not_taken_for_chinese(folder: Path, name: str) -> None:
    line = line_of(folder / "llt.asc", 250).split(b"$")
    put(folder / "llt.asc", 250, b"$".join([line[0], name.encode("latin-1"), *line[2:]]))
    read = read_distribution(folder)
    assert (read.encoding, read.llts[249].name) == ("windows-1252", name)


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize("name", ["头痛", "痛", "头"])
def test_a_short_chinese_name_whose_bytes_are_also_utf_8_is_read_as_the_others(tmp_path: Path, name: str) -> None:
    assert name.encode("gb18030").decode("utf-8").isprintable()
    folder = written(tmp_path, "chinese", "gb18030")
    cells = line_of(folder / "llt.asc", 250).split(b"$")
    put(folder / "llt.asc", 250, b"$".join([cells[0], name.encode("gb18030"), *cells[2:]]))
    assert read_distribution(folder).llts[249].name == name


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize(
    ("script", "most", "other", "told"),
    [
        ("chinese", "utf-8", "gb18030", "utf-8"),
        ("chinese", "gb18030", "utf-8", "gb18030"),
        ("accented", "utf-8", "latin-1", "utf-8"),
        ("accented", "cp1252", "utf-8", "windows-1252"),
        ("japanese", "cp932", "utf-8", "shift-jis"),
        ("japanese", "utf-8", "cp932", "utf-8"),
    ],
)
def test_a_file_in_another_encoding_than_the_others_is_refused(
    tmp_path: Path, script: str, most: str, other: str, told: str
) -> None:
    folder = written(tmp_path, script, most)
    shutil.copy(written(tmp_path, script, other) / "hlt.asc", folder)
    assert refusal(folder) == [
        f"hlt.asc, line 1: mixed encodings: not {told}, as most lines are; "
        "allowed is UTF-8, GB18030, Shift-JIS or Windows-1252, and one for all files"
    ]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize(
    ("script", "most", "other", "name"),
    [
        ("chinese", "utf-8", "gb18030", "左侧疼痛"),
        ("chinese", "gb18030", "utf-8", "左侧疼痛"),
        ("chinese", "gb18030", "latin-1", "Guérinosk"),
        ("accented", "cp1252", "utf-8", "Zorbõsk"),
        ("accented", "cp1252", "gb18030", "左侧疼痛"),
        ("accented", "utf-8", "latin-1", "Zorbõsk"),
    ],
)
def test_a_line_in_another_encoding_than_its_file_is_refused(
    tmp_path: Path, script: str, most: str, other: str, name: str
) -> None:
    folder = written(tmp_path, script, most)
    cells = line_of(folder / "llt.asc", 250).split(b"$")
    put(folder / "llt.asc", 250, b"$".join([cells[0], name.encode(other), *cells[2:]]))
    told = refusal(folder)
    assert len(told) == 1
    assert told[0].startswith("llt.asc, line 250: mixed encodings: not ")


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_utf_16_is_refused(folder: Path) -> None:
    path = folder / "llt.asc"
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))
    assert refusal(folder)[-1].startswith("llt.asc, line 1: a byte 0, as UTF-16 has it; allowed is UTF-8, GB18030")


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_both_line_ends_are_read(tmp_path: Path, newline: str) -> None:
    read = read_distribution(written(tmp_path, "latin", "utf-8", newline))
    assert len(read.llts) == 300
    assert {path.is_primary for path in read.paths} == {True, False}


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_line_ends_that_are_mixed_within_a_file_are_read(folder: Path) -> None:
    path = folder / "llt.asc"
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n", 100))
    assert len(read_distribution(folder).llts) == 302


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_last_line_without_line_end_is_read(folder: Path) -> None:
    path = folder / "llt.asc"
    path.write_bytes(path.read_bytes().removesuffix(b"\r\n"))
    assert len(read_distribution(folder).llts) == 302


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_carriage_return_alone_is_refused(folder: Path) -> None:
    line = line_of(folder / "llt.asc", 12)
    put(folder / "llt.asc", 12, line.replace(b"$", b"\r$", 1))
    assert refusal(folder) == [
        "llt.asc, line 12: a carriage return without line feed; allowed is CR LF or LF at the end of a line"
    ]


def test_a_later_version_differs_in_what_was_asked_for(good: Path, tmp_path: Path) -> None:
    changes = successor(good, tmp_path / "later", gone=12, moved_soc=5, moved_pt=7, added=9)
    before, after = read_distribution(good), read_distribution(tmp_path / "later")
    old, new = ({llt.code: llt for llt in read.llts} for read in (before, after))
    socs = {pt.code: pt.soc_code for pt in before.pts}
    assert {code for code in old if old[code].is_current and not new[code].is_current} == set(changes.gone)
    assert {code for code in old if old[code].pt_code != new[code].pt_code} == set(changes.moved_pt)
    assert {pt.code for pt in after.pts if pt.soc_code != socs[pt.code]} == set(changes.moved_soc)
    assert new.keys() - old.keys() == set(changes.added)
    assert [len(codes) for codes in (changes.gone, changes.moved_soc, changes.moved_pt, changes.added)] == [12, 5, 7, 9]


def test_a_later_version_may_name_the_codes_that_change(good: Path, tmp_path: Path) -> None:
    successor(good, tmp_path / "later", gone=["10002272"], moved_soc=["10002272"])
    read = read_distribution(tmp_path / "later")
    assert not next(llt for llt in read.llts if llt.code == "10002272").is_current
    before = {pt.code: pt.soc_code for pt in read_distribution(good).pts}
    assert next(pt for pt in read.pts if pt.code == "10002272").soc_code != before["10002272"]
