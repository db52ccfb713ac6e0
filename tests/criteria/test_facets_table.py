"""The tables of facets: whole, in words of the closed list, refused where wrong, and what the publication says."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest

from tests.support.environment import reference_folder
from tocsin.criteria import CriteriaError, load_terms
from tocsin.criteria.build import HERE
from tocsin.criteria.build_facets import WORKBOOKS, derive_facets, facets_of
from tocsin.criteria.facets import COLUMNS, FACET_FILES, load_facets, parse_facets
from tocsin.criteria.terms import Term
from tocsin.criteria.workbook import read_workbook
from tocsin.domain.facets import Facet

EDITIONS = ("5.0", "6.0")
TERM = Term("10033371", "Pain", "General disorders", frozenset({1, 2}), "5.0")
GOOD = ["10033371,1,mild", "10033371,2,moderate|instrumental_adl+medical"]


def _table(rows: list[str]) -> bytes:
    return "\n".join([",".join(COLUMNS), *rows, ""]).encode()


def _texts(edition: str) -> Iterator[tuple[str, int, str, set[Facet]]]:
    facets = load_facets(edition)
    for row in read_workbook(reference_folder() / "ctcae" / WORKBOOKS[edition]).rows:
        for grade, text in row.grades.items():
            its = {facet for alternative in facets[row.code].grades[grade] for facet in alternative}
            yield row.term, grade, " ".join(text.casefold().split()), its


@pytest.mark.rule("facets: answers bound the grade")
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_grade_of_every_term_has_its_facets(edition: str) -> None:
    facets = load_facets(edition)
    assert len(facets) == {"5.0": 837, "6.0": 850}[edition]
    assert {code: frozenset(its.grades) for code, its in facets.items()} == {
        term.code: term.grades for term in load_terms(edition)
    }
    assert all(its.grades[5] == (frozenset({Facet.DEATH}),) for its in facets.values() if 5 in its.grades)


@pytest.mark.rule("facets: no sentence of the criteria is shipped")
@pytest.mark.parametrize("edition", EDITIONS)
def test_the_table_holds_codes_grades_and_words_of_the_list_alone(edition: str) -> None:
    with (HERE / FACET_FILES[edition]).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            assert re.fullmatch("10[0-9]{6}", row["code"])
            assert re.fullmatch("[1-5]", row["grade"])
            assert set(re.split(r"[|+]", row["facets"])) <= set(Facet)


@pytest.mark.rule("facets: no sentence of the criteria is shipped")
@pytest.mark.reference
def test_no_long_text_of_a_grade_is_in_the_code_that_derives_them() -> None:
    code = " ".join("".join(each.read_text("utf-8") for each in sorted(HERE.glob("*facet*.py"))).casefold().split())
    whole = {text for edition in EDITIONS for _, _, text, _ in _texts(edition) if len(text) > 75}
    assert len(whole) > 500
    assert [text for text in whole if text in code] == []


@pytest.mark.rule("facets: answers bound the grade")
@pytest.mark.reference
@pytest.mark.parametrize("edition", EDITIONS)
def test_the_table_is_what_the_script_derives(edition: str) -> None:
    assert (HERE / FACET_FILES[edition]).read_bytes() == derive_facets(edition, reference_folder())


# Told apart from the patterns of the script: a plain search, whatever stands around it.
@pytest.mark.rule("facets: answers bound the grade")
@pytest.mark.reference
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize(
    ("phrase", "facet"),
    [
        (r"limiting self[ -]care adl", Facet.SELF_CARE_ADL),
        (r"(?<!not )limiting (age[- ]appropriate )?instrumental adl", Facet.INSTRUMENTAL_ADL),
        (r"life-threatening consequences", Facet.LIFE_THREATENING),
        (r"(?<!-)urgent (operative |invasive |medical )?intervention indicated", Facet.URGENT),
        (
            r"(?<!non)(invasive|operative) intervention indicated(?<!urgent operative intervention indicated)"
            r"(?<!urgent invasive intervention indicated)(?<!non-operative intervention indicated)",
            Facet.INVASIVE,
        ),
        (r"(^|; ?)hospitali[sz]ation indicated", Facet.HOSPITALISATION),
        (r"(^|; )transfusion indicated", Facet.TRANSFUSION),
        (r"\b(tpn|tube feeding) indicated", Facet.TUBE_FEEDING),
        (r"(^|; )severe (symptoms|pain)(;|$)", Facet.SEVERE),
        (r"(^|; )moderate (symptoms|pain)(;|$)", Facet.MODERATE),
        (r"(^|; )(mild (symptoms|pain)|symptomatic)(;|$)", Facet.MILD),
        (r"(^|; )intervention not indicated", Facet.NO_INTERVENTION),
    ],
)
def test_every_text_with_this_phrase_has_this_facet(edition: str, phrase: str, facet: Facet) -> None:
    those = [(term, grade, its) for term, grade, text, its in _texts(edition) if re.search(phrase, text)]
    assert len(those) >= 5
    assert [(term, grade) for term, grade, its in those if facet not in its] == []


@pytest.mark.rule("facets: answers bound the grade")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mild pain", "mild"),
        ("Symptomatic; limiting self-care ADL", "mild|self_care_adl"),
        ("Symptomatic, urgent intervention indicated", "mild+urgent"),
        ("Symptomatic, invasive intervention not indicated", "mild"),
        ("Invasive intervention not indicated", "other"),
        (
            "Severe pain, oral intervention or hospitalization indicated",
            "severe+medical+hospitalisation|severe+medical+other|severe+hospitalisation+other",
        ),
        ("Fluids, tube feeding, or hospitalization indicated", "other|tube_feeding+other|hospitalisation+other"),
        ("Tube feeding, TPN, or hospitalization indicated", "tube_feeding|hospitalisation"),
        ("Count <10,000/mm3 and asymptomatic", "asymptomatic+number"),
        ("Limited without medical intervention", "other"),
        ("Present", "present"),
        ("Steroids indicated", "noninvasive+other"),
        ("", "other"),
    ],
)
def test_a_text_becomes_these_words(text: str, expected: str) -> None:
    assert {frozenset(each) for each in facets_of(text, 3)} == {
        frozenset(map(Facet, each.split("+"))) for each in expected.split("|")
    }


@pytest.mark.rule("facets: answers bound the grade")
def test_a_good_table_is_read() -> None:
    (its,) = parse_facets(_table(GOOD), file="f.csv", version="5.0", terms=[TERM]).values()
    assert (its.code, its.term, its.edition) == ("10033371", "Pain", "5.0")
    assert its.grades == {
        1: (frozenset({Facet.MILD}),),
        2: (frozenset({Facet.MODERATE}), frozenset({Facet.INSTRUMENTAL_ADL, Facet.MEDICAL})),
    }


@pytest.mark.rule("facets: answers bound the grade")
@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["10000000,1,mild"], 'f.csv, line 2: code is "10000000"; allowed are those of CTCAE 5.0.'),
        ([GOOD[0], "10033371,4,severe"], 'f.csv, line 3: grade is "4"; "Pain" has 1, 2.'),
        ([GOOD[0], GOOD[0]], 'f.csv, line 3: grade 1 of "Pain" was already there.'),
        ([GOOD[0]], 'f.csv: lacks grade 2 of "Pain" (10033371).'),
        (["10033371,1,mild pain"], 'f.csv, line 2: facets has "mild pain"; allowed are asymptomatic, mild,'),
        (["10033371,1,"], 'f.csv, line 2: facets has ""; allowed are asymptomatic, mild,'),
        (["10033371,1,mild+mild"], 'f.csv, line 2: facets has "mild+mild"; allowed is each word once.'),
        (["10033371,1,mild|mild"], 'f.csv, line 2: facets is "mild|mild"; allowed is each alternative once.'),
        (["10033371,1"], "f.csv, line 2: has 2 cells; allowed is 3."),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(rows: list[str], told: str) -> None:
    with pytest.raises(CriteriaError) as refused:
        parse_facets(_table(rows), file="f.csv", version="5.0", terms=[TERM])
    assert str(refused.value).startswith(told)


@pytest.mark.rule("facets: answers bound the grade")
def test_an_edition_that_is_not_here_is_refused() -> None:
    with pytest.raises(CriteriaError, match=r'CTCAE version "4.03" is not known; known are 5.0, 6.0'):
        load_facets("4.03")
