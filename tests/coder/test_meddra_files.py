"""A MedDRA distribution is read whole or refused with file, line, problem and what is allowed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from meddra_coder.dictionary.meddra_files import DistributionRefused, Llt, Soc, read_distribution
from meddra_coder.dictionary.meddra_tables import COLUMNS
from tests.coder.distribution_folder import folder, good, line_of, put, refusal

__all__ = ["folder", "good"]


def set_cell(folder: Path, file: str, line: int, column: str, value: str) -> None:
    cells = line_of(folder / file, line).decode().split("$")
    cells[COLUMNS[file].index(column)] = value
    put(folder / file, line, "$".join(cells).encode())


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_good_distribution_is_read_whole(good: Path) -> None:
    read = read_distribution(good)
    assert {
        "llts": len(read.llts), "pts": len(read.pts), "hlts": len(read.hlts), "hlgts": len(read.hlgts),
        "socs": len(read.socs), "paths": len(read.paths), "smqs": len(read.smqs), "smq terms": len(read.smq_terms),
    } == {
        "llts": 302, "pts": 101, "hlts": 27, "hlgts": 27, "socs": 27, "paths": 150, "smqs": 10, "smq terms": 201,
    }  # fmt: skip
    assert read.encoding == "utf-8"
    assert sum(llt.is_current for llt in read.llts) == 283
    assert sum(path.is_primary for path in read.paths) == 101
    assert sum(term.is_narrow for term in read.smq_terms) == 121
    assert sum(term.is_active for term in read.smq_terms) == 196
    assert [smq.level for smq in read.smqs] == [1, 2, 2, 3, 1, 1, 1, 1, 1, 1]


def test_terms_that_a_test_puts_in_stand_as_they_were_said(good: Path) -> None:
    llts = {llt.code: llt for llt in read_distribution(good).llts}
    assert llts["10002272"] == Llt("10002272", "Anemia", "10002272", is_current=True)
    assert llts["10016558"] == Llt("10016558", "Fever", "10500005", is_current=False)


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_class_has_its_abbreviation_and_its_place_in_the_order(good: Path) -> None:
    soc = read_distribution(good).socs[1]
    assert soc == Soc("10720002", "Zaneteyorgorm weakness distal disorders", "Inv02", 2)


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_child_query_is_no_term_of_its_parent(good: Path) -> None:
    read = read_distribution(good)
    assert {smq.code for smq in read.smqs}.isdisjoint(term.term_code for term in read.smq_terms)


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_the_same_files_have_the_same_fingerprint_and_one_other_letter_another(folder: Path, good: Path) -> None:
    before = read_distribution(good)
    assert read_distribution(folder).fingerprint == before.fingerprint
    assert len(before.files) == 12
    set_cell(folder, "smq_list.asc", 1, "SMQ_note", "Another note")
    after = read_distribution(folder)
    assert after.fingerprint != before.fingerprint
    assert [file for file in before.files if before.files[file] != after.files[file]] == ["smq_list.asc"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_progress_is_told_from_the_first_step_to_the_last(good: Path) -> None:
    told: list[tuple[int, int | None]] = []
    read_distribution(good, lambda done, of: told.append((done, of)))
    assert told == [(step, 30) for step in range(31)]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize(
    ("file", "line", "column", "value", "problem"),
    [
        ("llt.asc", 12, "llt_code", "1050001", 'llt_code is "1050001"; allowed is 8 digits'),
        ("llt.asc", 12, "pt_code", "", 'pt_code is ""; allowed is 8 digits'),
        ("llt.asc", 12, "llt_code", "１０５０００１２", 'llt_code is "１０５０００１２"; allowed is 8 digits'),
        ("pt.asc", 3, "pt_soc_code", "x0720003", 'pt_soc_code is "x0720003"; allowed is 8 digits'),
        ("mdhier.asc", 7, "hlgt_code", "107100045", 'hlgt_code is "107100045"; allowed is 8 digits'),
        ("smq_list.asc", 2, "SMQ_code", "2090000", 'SMQ_code is "2090000"; allowed is 8 digits'),
        ("smq_content.asc", 9, "Term_code", "PT", 'Term_code is "PT"; allowed is 8 digits'),
        ("intl_ord.asc", 5, "intl_ord_code", "10720005", 'intl_ord_code is "10720005"; allowed is a number of at most'),
        ("llt.asc", 12, "llt_name", "", "llt_name is empty; allowed is a name"),
        ("pt.asc", 3, "pt_name", " ", "pt_name is empty; allowed is a name"),
        ("soc.asc", 27, "soc_name", "", "soc_name is empty; allowed is a name"),
        ("smq_list.asc", 4, "SMQ_name", "", "SMQ_name is empty; allowed is a name"),
        ("llt.asc", 12, "llt_currency", "y", 'llt_currency is "y"; allowed is Y or N'),
        ("mdhier.asc", 7, "primary_soc_fg", "", 'primary_soc_fg is ""; allowed is Y or N'),
        ("smq_list.asc", 3, "SMQ_level", "6", 'SMQ_level is "6"; allowed is 1 or 2 or 3 or 4 or 5'),
        ("smq_list.asc", 3, "status", "X", 'status is "X"; allowed is A or I'),
        ("smq_content.asc", 5, "Term_level", "3", 'Term_level is "3"; allowed is 0 or 4 or 5'),
        ("smq_content.asc", 5, "Term_scope", "3", 'Term_scope is "3"; allowed is 0 or 1 or 2'),
        ("smq_content.asc", 5, "Term_status", "", 'Term_status is ""; allowed is A or I'),
        ("llt.asc", 12, "llt_code", "10500002", "llt_code 10500002: already in line 2; allowed is each once"),
        ("pt.asc", 12, "pt_code", "10500002", "pt_code 10500002: already in line 2; allowed is each once"),
        ("hlt.asc", 12, "hlt_code", "10700002", "hlt_code 10700002: already in line 2; allowed is each once"),
        ("hlgt.asc", 12, "hlgt_code", "10710002", "hlgt_code 10710002: already in line 2; allowed is each once"),
        ("soc.asc", 12, "soc_code", "10720002", "soc_code 10720002: already in line 2; allowed is each once"),
        ("smq_list.asc", 5, "SMQ_code", "20900002", "SMQ_code 20900002: already in line 2; allowed is each once"),
        ("intl_ord.asc", 12, "intl_ord_code", "2", "intl_ord_code 2: already in line 2; allowed is each once"),
        ("intl_ord.asc", 12, "soc_code", "10720002", "soc_code 10720002: already in line 2; allowed is each once"),
        (
            "soc_hlgt.asc", 2, "soc_code", "10720001",
            "soc_code 10720001 with hlgt_code 10710002 is not in mdhier.asc; allowed is a pair of mdhier.asc",
        ),
        ("llt.asc", 200, "pt_code", "10599999", "pt_code 10599999 is not in pt.asc; allowed is a code of pt.asc"),
        ("pt.asc", 3, "pt_soc_code", "10599999", "pt_soc_code 10599999 is not in soc.asc; allowed is a code of soc"),
        ("mdhier.asc", 3, "pt_code", "10599999", "pt_code 10599999 is not in pt.asc; allowed is a code of pt.asc"),
        ("mdhier.asc", 3, "hlt_code", "10599999", "hlt_code 10599999 is not in hlt.asc; allowed is a code of hlt.asc"),
        ("mdhier.asc", 3, "hlgt_code", "10599999", "hlgt_code 10599999 is not in hlgt.asc; allowed is a code of hlgt"),
        ("mdhier.asc", 3, "soc_code", "10599999", "soc_code 10599999 is not in soc.asc; allowed is a code of soc.asc"),
        (
            "mdhier.asc", 3, "hlt_code", "10700003",
            "hlt_code 10700003 with pt_code 10500002 is not in hlt_pt.asc; allowed is a pair of hlt_pt.asc",
        ),
        (
            "mdhier.asc", 3, "hlgt_code", "10710003",
            "hlgt_code 10710003 with hlt_code 10700002 is not in hlgt_hlt.asc; allowed is a pair of hlgt_hlt.asc",
        ),
        (
            "mdhier.asc", 3, "soc_code", "10720003",
            "soc_code 10720003 with hlgt_code 10710002 is not in soc_hlgt.asc; allowed is a pair of soc_hlgt.asc",
        ),
        (
            "mdhier.asc", 3, "pt_name", "Wexelukelzards",
            'pt_name is "Wexelukelzards", in pt.asc it is "Wexelukelzard lesion"; '
            "allowed is the name of 10500002 in pt.asc",
        ),
        ("mdhier.asc", 3, "hlt_name", "Zorb", 'hlt_name is "Zorb", in hlt.asc it is "Sabuvajorfant loss left cond'),
        ("mdhier.asc", 3, "hlgt_name", "Zorb", 'hlgt_name is "Zorb", in hlgt.asc it is "Nevinobalstent weakness'),
        ("mdhier.asc", 3, "soc_name", "Zorb", 'soc_name is "Zorb", in soc.asc it is "Zaneteyorgorm weakness distal'),
        ("mdhier.asc", 3, "soc_abbrev", "Zorb", 'soc_abbrev is "Zorb", in soc.asc it is "Inv02"; allowed is the abbr'),
        (
            "mdhier.asc", 3, "pt_soc_code", "10720003",
            "pt_soc_code is 10720003, in pt.asc it is 10720002; allowed is the pt_soc_code of 10500002 in pt.asc",
        ),
        (
            "mdhier.asc", 2, "primary_soc_fg", "Y",
            "the PT 10500001 has a second primary path, the first is in line 1; allowed is one",
        ),
        (
            "smq_content.asc", 1, "Term_code", "20999999",
            "Term_code 20999999 with Term_level 0 is not in smq_list.asc; allowed is a code of smq_list.asc",
        ),
        (
            "smq_content.asc", 4, "Term_code", "10500270",
            "Term_code 10500270 with Term_level 4 is not in pt.asc; allowed is a code of pt.asc",
        ),
        (
            "smq_content.asc", 5, "Term_code", "10599999",
            "Term_code 10599999 with Term_level 5 is not in llt.asc; allowed is a code of llt.asc",
        ),
        (
            "smq_content.asc", 5, "SMQ_code", "20999999",
            "SMQ_code 20999999 is not in smq_list.asc; allowed is a code of smq_list.asc",
        ),
        (
            "smq_content.asc", 4, "Term_scope", "0",
            "Term_scope is 0 with Term_level 4; allowed is 1 or 2; 0 is for a child SMQ, Term_level 0",
        ),
    ],
)  # fmt: skip
def test_one_wrong_cell_is_refused_with_its_file_and_line(
    folder: Path, file: str, line: int, column: str, value: str, problem: str
) -> None:
    set_cell(folder, file, line, column, value)
    begin = f"{file}, line {line}: {problem}"
    assert [told[: len(begin)] for told in refusal(folder)].count(begin) == 1


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize("file", list(COLUMNS))
def test_each_of_the_twelve_files_must_be_there(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert refusal(folder) == [
        f"{file}: missing in {folder}; allowed is a folder with the twelve files of MedAscii",
    ]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize("file", list(COLUMNS))
def test_a_row_with_a_column_less_is_refused(folder: Path, file: str) -> None:
    width = len(COLUMNS[file])
    line = line_of(folder / file, 2).replace(b"$", b"", 1)
    put(folder / file, 2, line)
    assert refusal(folder) == [f"{file}, line 2: {width - 1} columns; allowed is {width}"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_row_with_a_column_more_is_refused(folder: Path) -> None:
    put(folder / "llt.asc", 12, line_of(folder / "llt.asc", 12) + b"$")
    assert refusal(folder) == ["llt.asc, line 12: 12 columns; allowed is 11"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_row_must_end_with_a_dollar(folder: Path) -> None:
    put(folder / "hlt_pt.asc", 12, line_of(folder / "hlt_pt.asc", 12).removesuffix(b"$"))
    assert refusal(folder) == ['hlt_pt.asc, line 12: does not end with "$"; allowed is "$" after each of the 2 columns']


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_an_empty_line_between_rows_is_refused(folder: Path) -> None:
    put(folder / "llt.asc", 12, b"")
    assert refusal(folder) == ["llt.asc, line 12: 0 columns; allowed is 11"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_file_without_rows_is_refused(folder: Path) -> None:
    (folder / "hlt.asc").write_bytes(b"")
    assert refusal(folder) == ["hlt.asc: no rows; allowed is at least one"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize("file", ["hlt_pt.asc", "hlgt_hlt.asc", "soc_hlgt.asc", "mdhier.asc"])
def test_a_row_that_is_there_twice_is_refused(folder: Path, file: str) -> None:
    put(folder / file, 2, line_of(folder / file, 1))
    assert any(told.startswith(f"{file}, line 2: ") and "already in line 1" in told for told in refusal(folder))


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        (
            "llt.asc", 7,
            "pt.asc, line 7: the PT 10500007 is not an LLT of its own; "
            "allowed is a row of llt.asc that has it as llt_code and as pt_code",
        ),
        ("mdhier.asc", 3, "pt.asc, line 2: the PT 10500002 has no primary path in mdhier.asc; allowed is one"),
        (
            "mdhier.asc", 4,
            "hlt_pt.asc, line 3: hlt_code 10700022 with pt_code 10500002 is not in mdhier.asc; "
            "allowed is a pair of mdhier.asc",
        ),
        (
            "hlt_pt.asc", 2,
            "mdhier.asc, line 3: hlt_code 10700002 with pt_code 10500002 is not in hlt_pt.asc; "
            "allowed is a pair of hlt_pt.asc",
        ),
        (
            "intl_ord.asc", 2,
            "soc.asc, line 2: the SOC 10720002 is not in intl_ord.asc; allowed is each SOC once in intl_ord.asc",
        ),
        (
            "soc.asc", 2,
            "intl_ord.asc, line 2: soc_code 10720002 is not in soc.asc; allowed is a code of soc.asc",
        ),
    ],
)  # fmt: skip
def test_a_row_that_is_missing_is_told_where_it_is_missed(folder: Path, file: str, line: int, told: str) -> None:
    put(folder / file, line, None)
    assert told in refusal(folder)


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_preferred_term_that_is_an_llt_of_another_is_refused(folder: Path) -> None:
    set_cell(folder, "llt.asc", 7, "pt_code", "10500008")
    assert refusal(folder) == [
        "pt.asc, line 7: the PT 10500007 is not an LLT of its own; "
        "allowed is a row of llt.asc that has it as llt_code and as pt_code"
    ]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_primary_path_that_leads_elsewhere_than_the_primary_class_is_refused(folder: Path) -> None:
    set_cell(folder, "mdhier.asc", 1, "primary_soc_fg", "N")
    set_cell(folder, "mdhier.asc", 2, "primary_soc_fg", "Y")
    assert refusal(folder) == [
        "mdhier.asc, line 2: the primary path of the PT 10500001 leads to the SOC 10720002, "
        "pt_soc_code is 10720001; allowed is a path to pt_soc_code"
    ]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_term_that_left_a_query_may_have_become_an_llt(folder: Path) -> None:
    set_cell(folder, "smq_content.asc", 4, "Term_code", "10500270")
    set_cell(folder, "smq_content.asc", 4, "Term_status", "I")
    assert not read_distribution(folder).smq_terms[0].is_active


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_twenty_findings_are_told_and_the_others_counted(folder: Path) -> None:
    for line in range(101, 131):
        set_cell(folder, "llt.asc", line, "llt_currency", "?")
    with pytest.raises(DistributionRefused) as refused:
        read_distribution(folder)
    assert [finding.line for finding in refused.value.findings] == list(range(101, 121))
    assert str(refused.value).endswith('line 120: llt_currency is "?"; allowed is Y or N\nand 10 more')


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_findings_in_several_files_are_told_together(folder: Path) -> None:
    set_cell(folder, "llt.asc", 9, "llt_name", "")
    set_cell(folder, "smq_list.asc", 3, "SMQ_level", "0")
    assert [told.partition(":")[0] for told in refusal(folder)] == ["llt.asc, line 9", "smq_list.asc, line 3"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_names_of_files_may_be_in_capitals(folder: Path) -> None:
    for path in list(folder.iterdir()):
        path.rename(path.with_name(path.name.upper()))
    assert len(read_distribution(folder).llts) == 302


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_file_that_is_there_in_two_letter_cases_is_refused(folder: Path) -> None:
    shutil.copy(folder / "pt.asc", folder / "PT.ASC")
    if len(list(folder.iterdir())) == 12:
        pytest.skip("this file system knows no letter case")
    assert refusal(folder) == ["pt.asc: there more than once: PT.ASC, pt.asc; allowed is one"]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_other_files_in_the_folder_are_let_be(folder: Path) -> None:
    (folder / "readme.txt").write_bytes(b"\xff\x00 anything")
    assert len(read_distribution(folder).files) == 12


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert refusal(nowhere) == [
        f"{nowhere}: cannot be read: No such file or directory; allowed is a folder with the twelve files of MedAscii"
    ]


@pytest.mark.rule("rules.md 6: MedDRA ASCII loader checks")
def test_a_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "llt.asc").unlink()
    (folder / "llt.asc").mkdir()
    assert refusal(folder) == ["llt.asc: cannot be read: Is a directory; allowed is a file that may be read"]
