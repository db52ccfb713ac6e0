"""The tables of CTCAE terms: what they hold, and that a wrong one is refused with file and line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tocsin.criteria import CriteriaError, load_terms, parse_terms
from tocsin.criteria.build import HERE, derive, main
from tocsin.criteria.terms import EDITIONS

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / os.environ.get("TOCSIN_REFERENCE", "../shared/reference")).resolve()

HEADER = b"soc,term,meddra_code,grades\n"


@pytest.mark.parametrize(("version", "terms"), [("5.0", 837), ("6.0", 850)])
def test_every_term_of_the_publication_is_there(version: str, terms: int) -> None:
    assert len(load_terms(version)) == terms


@pytest.mark.parametrize(
    ("version", "name", "code", "soc", "grades"),
    [
        ("5.0", "Anemia", "10002272", "Blood and lymphatic system disorders", {1, 2, 3, 4, 5}),
        ("5.0", "Febrile neutropenia", "10016288", "Blood and lymphatic system disorders", {3, 4, 5}),
        ("5.0", "Cytokine release syndrome", "10052015", "Immune system disorders", {1, 2, 3, 4, 5}),
        ("5.0", "Presyncope", "10036653", "Nervous system disorders", {2}),
        ("5.0", "Death NOS", "10011914", "General disorders and administration site conditions", {5}),
        ("5.0", "Cyanosis", "10011703", "Cardiac disorders", {2}),
        ("6.0", "Cyanosis", "10011703", "Vascular disorders", {2}),
    ],
)
def test_a_term_is_as_published(version: str, name: str, code: str, soc: str, grades: set[int]) -> None:
    (term,) = [term for term in load_terms(version) if term.name == name]
    assert (term.code, term.soc, term.grades, term.version) == (code, soc, frozenset(grades), version)


@pytest.mark.parametrize("version", ["5.0", "6.0"])
def test_each_of_the_26_classes_has_one_other_specify(version: str) -> None:
    terms = load_terms(version)
    assert len({term.soc for term in terms}) == 26
    assert len({term.soc for term in terms if term.is_other_specify}) == 26
    assert sum(term.is_other_specify for term in terms) == 26


def test_an_unknown_version_is_refused_with_those_known() -> None:
    with pytest.raises(CriteriaError, match=r'"4\.03" is not known; known are 5\.0, 6\.0'):
        load_terms("4.03")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"", r"t\.csv, line 1: the columns are"),
        (b"term,soc,meddra_code,grades\n", r"t\.csv, line 1: .*allowed is soc,term"),
        (HEADER, r"t\.csv: holds no terms"),
        (HEADER + b",Fever,10016558,1\n", r"t\.csv, line 2: soc is empty"),
        (HEADER + b"A,,10016558,1\n", r"t\.csv, line 2: term is empty"),
        (HEADER + b"A, Fever,10016558,1\n", r"t\.csv, line 2: .*stray blanks"),
        (HEADER + b"A,Fever,1001655,1\n", r'line 2: meddra_code is "1001655"; allowed are eight digits'),
        (HEADER + b"A,Fever,20016558,1\n", r"line 2: meddra_code"),
        (HEADER + "A,Fever,١٠٠١٦٥٥٨,1\n".encode(), r"line 2: meddra_code"),
        (HEADER + b'A,Fever,10016558,"1,6"\n', r'line 2: grades is "1,6"'),
        (HEADER + b'A,Fever,10016558,"2,1"\n', r"line 2: grades"),
        (HEADER + b'A,Fever,10016558,"1,1"\n', r"line 2: grades"),
        (HEADER + b"A,Fever,10016558,\n", r"line 2: grades"),
        (HEADER + b"A,Fever,10016558\n", r"line 2: has 3 cells; allowed is 4"),
        (HEADER + b"A,Fever,10016558,1\nA,Chills,10016558,1\n", r"line 3: the code .* already on line 2"),
        (HEADER + b"A,Fever,10016558,1\nB,FEVER,10016559,1\n", r"line 3: the term .* already on line 2"),
        (HEADER + b'A,"Fever,10016558,1\n', r"line 2: not readable as CSV"),
        (HEADER + b"A,F\xe9ver,10016558,1\n", r"line 2: not UTF-8"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(table: bytes, said: str) -> None:
    with pytest.raises(CriteriaError, match=said):
        parse_terms(table, file="t.csv", version="5.0")


@pytest.mark.reference
@pytest.mark.parametrize("version", ["5.0", "6.0"])
def test_the_tables_are_what_the_reference_gives(version: str) -> None:
    if not (REFERENCE / "ctcae").is_dir():
        pytest.skip(f"the reference files are not at {REFERENCE}; set TOCSIN_REFERENCE")
    edition = EDITIONS[version]
    assert derive(edition, REFERENCE) == (HERE / edition.file).read_bytes()


def test_build_refuses_a_reference_without_the_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ctcae").mkdir()
    (tmp_path / "ctcae" / "ctcae_v5_terms.csv").write_text("soc,term\nA,Fever\n")
    monkeypatch.setenv("TOCSIN_REFERENCE", str(tmp_path))
    assert main([]) == 1
    assert "line 1: lacks the columns meddra_code, grades" in capsys.readouterr().err
    assert main(["--all"]) == 2
