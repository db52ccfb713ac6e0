"""The default definition of dose-limiting toxicity, as the first study's file has it, against its reference."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.domain.cases import CODES, event
from tocsin.criteria import load_terms
from tocsin.domain.dlt import About, DltDefinition, GradedBy, Ground, Need
from tocsin.domain.dlt.naming import excludes, names
from tocsin.domain.syndromes import Syndrome
from tocsin.studies import read

STUDY = Path(__file__).parents[2] / "deploy" / "protocols" / "nct06223646.toml"


def default() -> DltDefinition:
    found = read(STUDY).dlt
    assert found is not None
    return found


@pytest.mark.rule("dlt_default_ruleset.csv")
def test_the_default_set_has_these_exclusions_and_nothing_else() -> None:
    assert [exclusion.id for exclusion in default().exclusions] == [
        "EX-01", "EX-01", "EX-02", "EX-02", "EX-03", "EX-04", "EX-04", "EX-05", "EX-05", "EX-06", "EX-06", "EX-07",
        "EX-08", "EX-09",
    ]  # fmt: skip


@pytest.mark.rule("dlt_default_ruleset.csv", "DLT-10", "DLT-13")
def test_each_rule_of_the_default_set_has_its_grade_time_and_exclusions() -> None:
    any_other = {"EX-01", "EX-02", "EX-03", "EX-04", "EX-05", "EX-06", "EX-07"}
    assert [
        (
            rule.id,
            rule.min_grade,
            _hours(rule.longer_than),
            _hours(rule.strict),
            rule.at_once_from,
            set(rule.exclusions),
        )
        for rule in default().rules
    ] == [
        ("DLT-01", 5, None, None, None, {"EX-09"}),
        ("DLT-02", 4, None, None, None, set()),
        ("DLT-03", 3, 168, 72, None, set()),
        ("DLT-04", 4, None, None, None, set()),
        ("DLT-05", 3, 168, 72, None, set()),
        ("DLT-06", 3, None, None, None, {"EX-07"}),
        ("DLT-07", 3, 168, None, 4, set()),
        ("DLT-08", 4, None, None, None, {"EX-02", "EX-08"}),
        ("DLT-09", 4, None, None, None, {"EX-02", "EX-08"}),
        ("DLT-10", 3, None, None, None, set()),
        ("DLT-11", 4, None, None, None, any_other),
        ("DLT-12", 3, 168, 72, None, any_other),
        ("DLT-13", 1, 168, None, None, set()),
        ("DLT-14", 3, 24, None, None, set()),
        ("DLT-15", 3, None, None, None, {"EX-05", "EX-07"}),
    ]


@pytest.mark.rule("dlt_default_ruleset.csv")
def test_each_rule_of_the_default_set_looks_where_it_should() -> None:
    by_id = {rule.id: rule for rule in default().rules}
    assert {name: rule.about for name, rule in by_id.items() if rule.about is not About.EVENT} == {
        "DLT-08": About.NEUTROPHILS,
        "DLT-09": About.PLATELETS,
        "DLT-10": About.BLEEDING,
        "DLT-13": About.LIVER,
    }
    assert {name: (rule.syndrome, rule.graded_by) for name, rule in by_id.items() if rule.syndrome} == {
        "DLT-02": (Syndrome.CRS, GradedBy.CRS_SCALE),
        "DLT-03": (Syndrome.CRS, GradedBy.CRS_SCALE),
        "DLT-04": (Syndrome.ICANS, GradedBy.ASTCT),
        "DLT-05": (Syndrome.ICANS, GradedBy.ASTCT),
        "DLT-06": (Syndrome.PARKINSONISM, GradedBy.ANY),
        "DLT-07": (Syndrome.IEC_HS, GradedBy.ANY),
    }
    assert [name for name, rule in by_id.items() if rule.is_any_event] == ["DLT-01", "DLT-11", "DLT-12"]
    assert [name for name, rule in by_id.items() if rule.leaves_others] == ["DLT-14"]
    assert by_id["DLT-14"].at_once_codes == {CODES["Anaphylaxis"]}
    assert by_id["DLT-15"].committee_below == 4
    assert (by_id["DLT-08"].by_day, by_id["DLT-08"].late_days) == (28, 14)
    assert by_id["DLT-10"].platelets_below == 50
    assert (by_id["DLT-13"].transaminases_above, by_id["DLT-13"].bilirubin_above) == (Decimal(3), Decimal(2))


@pytest.mark.rule("dlt_default_ruleset.csv", "EX-03", "EX-04", "EX-05", "EX-07", "EX-08", "EX-09")
def test_each_exclusion_of_the_default_set_has_its_grades_time_needs_and_ground() -> None:
    assert [
        (row.id, row.min_grade, row.max_grade, _hours(row.within), set(row.needs), row.ground)
        for row in default().exclusions
    ] == [
        ("EX-01", 1, 5, None, set(), Ground.EVENT),
        ("EX-01", 1, 3, 168, set(), Ground.EVENT),
        ("EX-02", 1, 5, None, set(), Ground.EVENT),
        ("EX-02", 1, 5, None, set(), Ground.EVENT),
        ("EX-03", 1, 5, None, set(), Ground.EVENT),
        ("EX-04", 3, 4, 72, {Need.ASYMPTOMATIC}, Ground.EVENT),
        ("EX-04", 3, 3, 168, set(), Ground.EVENT),
        ("EX-05", 3, 3, 168, set(), Ground.EVENT),
        ("EX-05", 3, 3, 168, {Need.CULTURE_POSITIVE}, Ground.EVENT),
        ("EX-06", 3, 3, 72, {Need.TREATED}, Ground.EVENT),
        ("EX-06", 1, 5, None, set(), Ground.EVENT),
        ("EX-07", 1, 5, None, set(), Ground.COMPONENT),
        ("EX-08", 1, 5, None, set(), Ground.MARROW_OR_BASELINE),
        ("EX-09", 1, 5, None, set(), Ground.OTHER_CAUSE),
    ]  # fmt: skip


@pytest.mark.rule("DLT-15")
def test_every_infection_of_ctcae_is_named_by_the_rule_on_infections() -> None:
    [rule] = [rule for rule in default().rules if rule.id == "DLT-15"]
    not_named = {
        term.name
        for term in load_terms("5.0")
        if term.soc == "Infections and infestations" and term.code not in rule.codes
    }
    # A myelitis is DLT-06's; the others are no infection for certain, and go as any other event.
    assert not_named == {
        "Conjunctivitis",
        "Infections and infestations - Other, specify",
        "Myelitis",
        "Papulopustular rash",
        "Rash pustular",
    }
    assert rule.codes == next(row.codes for row in default().exclusions if Need.CULTURE_POSITIVE in row.needs)
    assert CODES["Febrile neutropenia"] not in rule.codes


@pytest.mark.rule("DLT-10")
def test_every_haemorrhage_of_ctcae_is_named_by_the_rule_on_bleeding() -> None:
    [rule] = [rule for rule in default().rules if rule.id == "DLT-10"]
    spelt = {term.code for term in load_terms("5.0") if "hemorrhage" in term.name.lower() or "bleeding" in term.name}
    # What bleeds by another name.
    others = {"Epistaxis", "Hematoma", "Hematosalpinx", "Hematuria", "Menorrhagia", "Purpura"}
    assert rule.codes == spelt | {CODES[name] for name in others}


@pytest.mark.parametrize(
    ("verbatim", "rules"),
    [
        ("CRS", ["DLT-02", "DLT-03"]),
        ("神经毒性", ["DLT-04", "DLT-05"]),
        ("sixth-nerve palsy", ["DLT-06"]),
        ("面神经麻痹", ["DLT-06"]),
        ("CN VI palsy", ["DLT-06"]),
        ("peroneal nerve palsy", []),
        ("myelitis", ["DLT-06"]),
        ("osteomyelitis", ["DLT-15"]),
        ("macrophage activation syndrome", ["DLT-07"]),
        ("severe neutropenia grade 4", ["DLT-08"]),
        ("4级中性粒细胞减少", ["DLT-08"]),
        ("febrile neutropenia", []),
        ("neutropenic sepsis", ["DLT-15"]),
        ("血小板减少症", ["DLT-09"]),
        ("thrombotic thrombocytopenic purpura", []),
        ("gastrointestinal haemorrhage", ["DLT-10"]),
        ("消化道出血", ["DLT-10"]),
        ("no bleeding", []),
        ("infusion-related reaction", ["DLT-14"]),
        ("过敏性休克", ["DLT-14"]),
        ("bacterial pneumonia", ["DLT-15"]),
        ("CMV reactivation", ["DLT-15"]),
        ("肺部感染", ["DLT-15"]),
        ("organising pneumonia", []),
        ("间质性肺炎", []),
        ("no infection", []),
    ],
)
@pytest.mark.rule("readings.md DLT 5")
def test_the_words_of_the_default_rules_name_these_events_and_not_those(verbatim: str, rules: list[str]) -> None:
    told = event(verbatim)
    found = [rule.id for rule in default().rules if not rule.is_any_event and names(rule, told, None) is not None]
    assert found == rules


@pytest.mark.parametrize(
    ("verbatim", "exclusions"),
    [
        ("fever grade 3", {"EX-01"}),
        ("fever and hypotension", set()),
        ("fatigue", {"EX-01"}),
        ("贫血3级", {"EX-02"}),
        ("haemolytic anaemia", set()),
        ("aplastic anemia", set()),
        ("thrombocytopenia", {"EX-02"}),
        ("immune thrombocytopenia with bleeding", set()),
        ("hypogammaglobulinaemia", {"EX-03"}),
        ("B细胞缺乏", {"EX-03"}),
        ("asymptomatic hypophosphataemia", {"EX-04"}),
        ("低钾血症", {"EX-04"}),
        ("tumour lysis syndrome", {"EX-04"}),
        ("febrile neutropenia", {"EX-05"}),
        ("E. coli bacteraemia", {"EX-05"}),
        ("diarrhoea", {"EX-06"}),
        ("脱发", {"EX-06"}),
    ],
)
@pytest.mark.rule("readings.md DLT 5")
def test_the_words_of_the_default_exclusions_name_an_event_only_whole(verbatim: str, exclusions: set[str]) -> None:
    told = event(verbatim)
    rows = [row for row in default().exclusions if row.ground is Ground.EVENT]
    assert {row.id for row in rows if excludes(row, told, None) is not None} == exclusions


def _hours(limit: timedelta | None) -> float | None:
    return None if limit is None else limit.total_seconds() / 3600
