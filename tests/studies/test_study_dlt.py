"""The definition of dose-limiting toxicity in a study file: the default set as it stands, and a wrong one refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.domain.cases import CODES, coded, event
from tocsin.criteria import load_terms
from tocsin.domain.dlt import About, DltDefinition, GradedBy, Ground, Need
from tocsin.domain.dlt.naming import excludes, names
from tocsin.domain.syndromes import Syndrome
from tocsin.errors import ProtocolError
from tocsin.studies import read

STUDY = Path(__file__).parents[2] / "deploy" / "protocols" / "nct06223646.toml"
HEAD = STUDY.read_text("utf-8").split("[dlt]")[0]
TERMS = 'allowed are the terms of CTCAE v5.0, as spelt there, not "Other, specify"'


def default() -> DltDefinition:
    found = read(STUDY).dlt
    assert found is not None
    return found


def defined(tmp_path: Path, rules: str = "", exclusions: str = "", *, number: str = "DLT-1") -> DltDefinition:
    """A definition of one rule, with these lines in it, and of at most one exclusion."""
    path = tmp_path / "study.toml"
    written = (
        f'{HEAD}[dlt]\nid = "own"\nstatus = "SPONSOR_APPROVED"\nwindow_days = 28\n'
        f'[[dlt.rules]]\nid = "{number}"\ntext = "a rule"\n{rules}\n'
    )
    path.write_text(written + (f'[[dlt.exclusions]]\ntext = "none"\n{exclusions}\n' if exclusions else ""), "utf-8")
    found = read(path).dlt
    assert found is not None
    return found


def refused(tmp_path: Path, rules: str = "", exclusions: str = "") -> list[str]:
    with pytest.raises(ProtocolError) as wrong:
        defined(tmp_path, rules, exclusions)
    return [line.removeprefix(f"{tmp_path / 'study.toml'}: ") for line in str(wrong.value).splitlines()]


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


def test_each_key_of_a_rule_and_of_an_exclusion_reaches_the_definition(tmp_path: Path) -> None:
    found = defined(
        tmp_path,
        'min_grade = 2\nterms = ["Fever"]\nwords = "hot"\nsyndrome = "CRS"\nneeds_relation = false\n'
        'graded_by = "ctcae"\nlonger_than_hours = 100\nstrict_hours = 50.5\nat_once_from = 4\n'
        'at_once_terms = ["Anaphylaxis"]\nat_once_words = "shock"\ncommittee_below = 3\nleaves_others = true\n'
        'exclusions = ["EX-1"]',
        'id = "EX-1"\nterms = ["Alopecia"]\nwords = "bald"\nmin_grade = 2\nmax_grade = 4\nwithin_hours = 12\n'
        'needs = ["treated", "asymptomatic"]',
    )
    [rule], [row] = found.rules, found.exclusions
    assert (rule.id, rule.min_grade, rule.needs_relation, rule.syndrome) == ("DLT-1", 2, False, Syndrome.CRS)
    assert (rule.about, rule.graded_by, rule.leaves_others) == (About.EVENT, GradedBy.CTCAE, True)
    assert (_hours(rule.longer_than), _hours(rule.strict)) == (100, 50.5)
    assert (rule.at_once_from, set(rule.at_once_codes), rule.committee_below) == (4, {CODES["Anaphylaxis"]}, 3)
    assert rule.at_once_words is not None
    assert rule.at_once_words.search("SHOCK")
    assert found.admitted(rule) == (row,)
    assert names(rule, event("x"), coded("Fever")) == "coded as Fever"
    assert names(rule, event("hot"), None) == "the site's words name it: 'hot'"
    assert (set(row.codes), row.min_grade, row.max_grade) == ({CODES["Alopecia"]}, 2, 4)
    assert (_hours(row.within), set(row.needs)) == (12, {Need.TREATED, Need.ASYMPTOMATIC})
    assert excludes(row, event("bald"), None) is not None


def test_the_limits_of_counts_bleeding_and_liver_reach_the_definition_as_they_are_written(tmp_path: Path) -> None:
    counts = 'about = "platelets"\nmin_grade = 4\nwords = "x"\nby_day = 42\nlate_days = 7'
    [rule] = defined(tmp_path, counts).rules
    assert (rule.by_day, rule.late_days) == (42, 7)
    [rule] = defined(tmp_path, 'about = "bleeding"\nmin_grade = 3\nwords = "x"\nplatelets_below = 25').rules
    assert str(rule.platelets_below) == "25"
    liver = 'about = "liver"\nlonger_than_hours = 72\ntransaminases_above = 5\nbilirubin_above = 1.5'
    [rule] = defined(tmp_path, liver).rules
    assert (rule.transaminases_above, rule.bilirubin_above) == (Decimal(5), Decimal("1.5"))


COUNTS = 'about = "neutrophils"\nmin_grade = 4\nwords = "x"\n'
ALLOWED_OF_COUNTS = (
    "allowed there are id, text, about, min_grade, terms, words, needs_relation, by_day, late_days, exclusions"
)
ADMITS = 'min_grade = 3\nexclusions = ["EX-1"]'


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('min_grade = 3\nterms = ["Hot"]', f"dlt.rules[1] (DLT-1) names term 'Hot'; {TERMS}"),
        (
            'min_grade = 3\nlonger_than_hours = 24\nat_once_terms = ["Hot"]',
            f"dlt.rules[1] (DLT-1) names term 'Hot'; {TERMS}",
        ),
        ("", "dlt.rules[1] (DLT-1).min_grade is missing; it is needed"),
        (
            f"{COUNTS}strict_hours = 72",
            "dlt.rules[1] (DLT-1).strict_hours has no meaning for a rule about 'neutrophils'; " + ALLOWED_OF_COUNTS,
        ),
        (
            f"{COUNTS}platelets_below = 50",
            "dlt.rules[1] (DLT-1).platelets_below has no meaning for a rule about 'neutrophils'; " + ALLOWED_OF_COUNTS,
        ),
        (
            'about = "bleeding"\nmin_grade = 3\nwords = "x"\nby_day = 28',
            "dlt.rules[1] (DLT-1).by_day has no meaning for a rule about 'bleeding'; allowed there are "
            "id, text, about, min_grade, terms, words, needs_relation, platelets_below, exclusions",
        ),
        (
            'about = "liver"\nlonger_than_hours = 168\nmin_grade = 3',
            "dlt.rules[1] (DLT-1).min_grade has no meaning for a rule about 'liver'; allowed there are "
            "id, text, about, needs_relation, longer_than_hours, transaminases_above, bilirubin_above, exclusions",
        ),
        (
            "min_grade = 3\nbilirubin_above = 2",
            "dlt.rules[1] (DLT-1).bilirubin_above has no meaning for a rule about 'event'; allowed there are id, text, "
            "about, min_grade, terms, words, syndrome, needs_relation, graded_by, longer_than_hours, strict_hours, "
            "at_once_from, at_once_terms, at_once_words, committee_below, leaves_others, exclusions",
        ),
        (
            'about = "liver"',
            "dlt.rules[1] (DLT-1).longer_than_hours is missing; it is needed for a rule about 'liver'",
        ),
        (
            'about = "neutrophils"\nmin_grade = 4',
            "dlt.rules[1] (DLT-1) names nothing; a rule about 'neutrophils' needs terms or words",
        ),
        (
            'about = "platelets"\nmin_grade = 4',
            "dlt.rules[1] (DLT-1) names nothing; a rule about 'platelets' needs terms or words",
        ),
        (
            'about = "bleeding"\nmin_grade = 3',
            "dlt.rules[1] (DLT-1) names nothing; a rule about 'bleeding' needs terms or words",
        ),
        (
            "min_grade = 3\nlonger_than_hours = 72\nstrict_hours = 72",
            "dlt.rules[1] (DLT-1).strict_hours is 72; allowed is less than longer_than_hours, 72",
        ),
        (
            "min_grade = 3\nstrict_hours = 72",
            "dlt.rules[1] (DLT-1).strict_hours has no meaning without longer_than_hours: such a rule is met at once",
        ),
        (
            "min_grade = 3\nat_once_from = 4",
            "dlt.rules[1] (DLT-1).at_once_from has no meaning without longer_than_hours: such a rule is met at once",
        ),
        (
            "min_grade = 3\nlonger_than_hours = 24\nat_once_from = 2",
            "dlt.rules[1] (DLT-1).at_once_from is 2; allowed is min_grade, 3, or more",
        ),
        (
            "min_grade = 3\ncommittee_below = 3",
            "dlt.rules[1] (DLT-1).committee_below is 3; allowed is more than min_grade, 3",
        ),
        (
            "min_grade = 3\nleaves_others = true",
            "dlt.rules[1] (DLT-1).leaves_others is true; allowed is that only for a rule that names events: "
            "this one is for any",
        ),
        (
            'min_grade = 3\nexclusions = ["EX-1"]',
            "dlt.rules[1] (DLT-1).exclusions names 'EX-1', which is no exclusion; "
            "allowed are none, as the file has no exclusions",
        ),
        (f"{COUNTS}by_day = 0", "dlt.rules[1].by_day is 0; Input should be greater than or equal to 1"),
        (
            "min_grade = 3\nlonger_than_hours = 0",
            "dlt.rules[1].longer_than_hours is 0; Input should be greater than 0",
        ),
        (
            'min_grade = 3\nabout = "kidney"',
            "dlt.rules[1].about is 'kidney'; "
            "Input should be 'event', 'neutrophils', 'platelets', 'bleeding' or 'liver'",
        ),
        (
            'min_grade = 3\ngraded_by = "nci"',
            "dlt.rules[1].graded_by is 'nci'; Input should be 'any', 'ctcae', 'astct' or 'crs_scale'",
        ),
    ],
)
@pytest.mark.rule("rules.md 4.2: a wrong rule is refused")
def test_a_wrong_rule_is_refused_in_one_sentence(tmp_path: Path, rule: str, said: str) -> None:
    assert refused(tmp_path, rule) == [said]


@pytest.mark.parametrize(
    ("exclusion", "said"),
    [
        ('id = "EX-1"\nterms = ["Hot"]', f"dlt.exclusions[1] (EX-1) names term 'Hot'; {TERMS}"),
        (
            'id = "EX-1"',
            "dlt.exclusions[1] (EX-1) names nothing and needs nothing; the ground 'event' needs terms, words or needs",
        ),
        (
            'id = "EX-1"\nwords = "x"\nmin_grade = 4\nmax_grade = 3',
            "dlt.exclusions[1] (EX-1).min_grade is 4; allowed is max_grade, 3, or less",
        ),
        (
            'id = "EX-1"\nground = "component"\nterms = ["Fever"]',
            "dlt.exclusions[1] (EX-1).terms has no meaning for the ground 'component'; "
            "allowed there are id, text, ground",
        ),
        (
            'id = "EX-1"\nground = "marrow_or_baseline"\nwords = "marrow"',
            "dlt.exclusions[1] (EX-1).words has no meaning for the ground 'marrow_or_baseline'; "
            "allowed there are id, text, ground",
        ),
        (
            'id = "EX-1"\nground = "other_cause"\nwithin_hours = 72',
            "dlt.exclusions[1] (EX-1).within_hours has no meaning for the ground 'other_cause'; "
            "allowed there are id, text, ground",
        ),
        (
            'id = "EX-1"\nneeds = ["culture"]',
            "dlt.exclusions[1].needs[1] is 'culture'; Input should be 'asymptomatic', 'treated' or 'culture_positive'",
        ),
        (
            'id = "EX-1"\nground = "marrow"',
            "dlt.exclusions[1].ground is 'marrow'; "
            "Input should be 'event', 'component', 'marrow_or_baseline' or 'other_cause'",
        ),
    ],
)
@pytest.mark.rule("rules.md 4.2: a wrong rule is refused")
def test_a_wrong_exclusion_is_refused_in_one_sentence(tmp_path: Path, exclusion: str, said: str) -> None:
    assert refused(tmp_path, ADMITS, exclusion) == [said]


def test_what_stands_at_the_edge_of_a_limit_is_allowed(tmp_path: Path) -> None:
    at_once = "min_grade = 3\nlonger_than_hours = 72.5\nstrict_hours = 72\nat_once_from = 3\ncommittee_below = 4"
    [rule] = defined(tmp_path, at_once).rules
    assert (rule.at_once_from, rule.committee_below) == (3, 4)
    [row] = defined(tmp_path, ADMITS, 'id = "EX-1"\nmin_grade = 3\nmax_grade = 3\nneeds = ["treated"]').exclusions
    assert (row.min_grade, row.max_grade, row.codes, row.words) == (3, 3, frozenset(), None)


@pytest.mark.rule("rules.md 4.2: a wrong rule is refused")
def test_a_name_that_leads_nowhere_is_refused_at_both_ends(tmp_path: Path) -> None:
    assert refused(tmp_path, ADMITS, 'id = "EX-2"\nwords = "x"') == [
        "dlt.rules[1] (DLT-1).exclusions names 'EX-1', which is no exclusion; allowed are EX-2",
        "dlt.exclusions[1] (EX-2) is admitted by no rule; "
        "allowed is one that stands in the exclusions of at least one rule",
    ]


@pytest.mark.rule("rules.md 4.2: a wrong rule is refused")
def test_a_rule_may_stand_once_and_an_exclusion_several_times(tmp_path: Path) -> None:
    one = 'id = "EX-1"\nwords = "x"'
    two = f'{one}\n[[dlt.exclusions]]\ntext = "more"\n{one}'
    assert [row.id for row in defined(tmp_path, ADMITS, two).exclusions] == ["EX-1", "EX-1"]
    again = 'min_grade = 3\n[[dlt.rules]]\nid = "DLT-1"\ntext = "again"\nmin_grade = 4'
    assert refused(tmp_path, again) == ["dlt.rules has the id 'DLT-1' more than once; allowed is each once"]


@pytest.mark.rule("rules.md 4.2: a wrong rule is refused")
def test_all_that_is_wrong_with_a_definition_is_told_at_once(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        'min_grade = 3\nterms = ["Hot"]\nby_day = 28\ncommittee_below = 2\nexclusions = ["EX-1"]',
        'id = "EX-1"\nmin_grade = 5\nmax_grade = 4',
    )
    assert [line.split(";")[0] for line in said] == [
        "dlt.rules[1] (DLT-1) names term 'Hot'",
        "dlt.rules[1] (DLT-1).by_day has no meaning for a rule about 'event'",
        "dlt.rules[1] (DLT-1).committee_below is 2",
        "dlt.exclusions[1] (EX-1) names nothing and needs nothing",
        "dlt.exclusions[1] (EX-1).min_grade is 5",
    ]


def _hours(limit: timedelta | None) -> float | None:
    return None if limit is None else limit.total_seconds() / 3600
