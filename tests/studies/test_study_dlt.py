"""The definition of dose-limiting toxicity in a study file: each key reaches it, and a wrong one is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.domain.cases import CODES, coded, event
from tocsin.domain.dlt import About, DltDefinition, GradedBy, Need
from tocsin.domain.dlt.naming import excludes, names
from tocsin.domain.syndromes import Syndrome
from tocsin.errors import ProtocolError
from tocsin.studies import read

STUDY = Path(__file__).parents[2] / "deploy" / "protocols" / "nct06223646.toml"
HEAD = STUDY.read_text("utf-8").split("[dlt]")[0]
TERMS = 'allowed are the terms of CTCAE v5.0, as spelt there, not "Other, specify"'


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
    assert (rule.longer_than, rule.strict) == (timedelta(hours=100), timedelta(hours=50.5))
    assert (rule.at_once_from, set(rule.at_once_codes), rule.committee_below) == (4, {CODES["Anaphylaxis"]}, 3)
    assert rule.at_once_words is not None
    assert rule.at_once_words.search("SHOCK")
    assert found.admitted(rule) == (row,)
    assert names(rule, event("x"), coded("Fever")) == "coded as Fever"
    assert names(rule, event("hot"), None) == "the site's words name it: 'hot'"
    assert (set(row.codes), row.min_grade, row.max_grade) == ({CODES["Alopecia"]}, 2, 4)
    assert (row.within, set(row.needs)) == (timedelta(hours=12), {Need.TREATED, Need.ASYMPTOMATIC})
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
