"""Rows of an SDTM AE data set become reports by tables; what the tables do not know is named, never guessed."""

from __future__ import annotations

import re

import pytest

from standalone.ae_rows import CRITERIA, Mapped, Row, map_row, map_rows

PATTERN = re.compile(r"01-(?P<site>\d{3})-\d{4}")

ROW: Row = {
    "STUDYID": "CDISCPILOT01",
    "DOMAIN": "AE",
    "USUBJID": "01-701-1015",
    "AESEQ": "1",
    "AETERM": "APPLICATION SITE ERYTHEMA",
    "AESTDTC": "2014-01-03",
    "AEENDTC": "",
    "AESEV": "MILD",
    "AESER": "N",
    "AEACN": "",
    "AEREL": "PROBABLE",
    "AEOUT": "NOT RECOVERED/NOT RESOLVED",
    "AESCAN": "N",
    "AESCONG": "N",
    "AESDISAB": "N",
    "AESDTH": "N",
    "AESHOSP": "N",
    "AESLIFE": "N",
    "AESOD": "N",
}


def mapped(**changes: str) -> Mapped:
    return map_row(1, {**ROW, **changes}, PATTERN)


def event(one: Mapped) -> dict[str, object]:
    assert one.body is not None
    [found] = one.body["events"]
    return dict(found)


def test_a_row_is_the_report_that_its_site_would_have_sent() -> None:
    one = mapped()
    assert one.body == {
        "study": "CDISCPILOT01",
        "site": "701",
        "subject": "01-701-1015",
        "reporter": {"name": "Investigator of site 701", "role": "investigator"},
        "events": [
            {
                "verbatim": "APPLICATION SITE ERYTHEMA",
                "onset": "2014-01-03",
                "serious": False,
                "outcome": "not_recovered",
                "severity": "mild",
                "causality": [{"agent": "product", "party": "investigator", "relation": "probable"}],
            }
        ],
        "source": {"system": "sdtm-ae-import", "batch": "97badad1a539fcd8", "reference": "01-701-1015/1"},
    }
    assert (one.is_serious, one.contradictions, one.findings) == (False, (), ())


@pytest.mark.parametrize(
    ("variable", "value", "fact", "expected"),
    [
        ("AEOUT", "FATAL", "outcome", "fatal"),
        ("AEOUT", "RECOVERED/RESOLVED", "outcome", "recovered"),
        ("AEOUT", "RECOVERED/RESOLVED WITH SEQUELAE", "outcome", "recovered_with_sequelae"),
        ("AEOUT", "RECOVERING/RESOLVING", "outcome", "recovering"),
        ("AEOUT", "UNKNOWN", "outcome", "unknown"),
        ("AEACN", "DOSE NOT CHANGED", "action", "not_changed"),
        ("AEACN", "DRUG WITHDRAWN", "action", "withdrawn"),
        ("AESEV", "severe", "severity", "severe"),
        ("AETOXGR", "4", "grade", {"ctcae": 4}),
        ("AESTDTC", "2013-05", "onset", "2013-05"),
        ("AESTDTC", "2013---05", "onset", "2013---05"),
        ("AESTDTC", "2013-05-02T14:30", "onset", "2013-05-02T14:30"),
        ("AEENDTC", "2014", "end", "2014"),
        ("AESER", "Y", "serious", True),
    ],
)
def test_a_value_is_read_by_its_table(variable: str, value: str, fact: str, expected: object) -> None:
    assert event(mapped(**{variable: value}))[fact] == expected


@pytest.mark.parametrize(
    ("said", "relation"),
    [
        ("NONE", "not_related"),
        ("REMOTE", "remote"),
        ("POSSIBLE", "possible"),
        ("PROBABLE", "probable"),
        ("RELATED", "related"),
        ("NOT RELATED", "not_related"),
        ("UNLIKELY", "unlikely"),
    ],
)
def test_an_opinion_on_causality_keeps_the_word_of_its_scale(said: str, relation: str) -> None:
    opinion = {"agent": "product", "party": "investigator", "relation": relation}
    assert event(mapped(AEREL=said))["causality"] == [opinion]


@pytest.mark.parametrize(
    ("variable", "fact"),
    [("AEREL", "causality"), ("AEOUT", "outcome"), ("AESER", "serious"), ("AESTDTC", "onset"), ("AESEV", "severity")],
)
def test_what_is_empty_stays_absent_and_is_no_finding(variable: str, fact: str) -> None:
    one = mapped(**{variable: ""})
    assert fact not in event(one)
    assert one.findings == ()


@pytest.mark.parametrize(
    ("variable", "value", "fact"),
    [
        ("AEREL", "MAYBE", "causality"),
        ("AEOUT", "BETTER", "outcome"),
        ("AESEV", "3", "severity"),
        ("AESER", "X", "serious"),
        ("AETOXGR", "6", "grade"),
        ("AESTDTC", "2013-02-30", "onset"),
        ("AEENDTC", "03MAR2013", "end"),
    ],
)
def test_what_a_table_does_not_know_is_a_finding_and_no_guess(variable: str, value: str, fact: str) -> None:
    one = mapped(**{variable: value})
    assert fact not in event(one)
    [finding] = one.findings
    assert (finding.row, finding.subject, finding.seq) == (1, "01-701-1015", "1")
    assert finding.problem.startswith(variable)
    assert value in finding.problem


@pytest.mark.rule("SDTMIG 3.4 AE: seriousness criteria")
@pytest.mark.parametrize(
    ("variable", "criterion"),
    [
        ("AESDTH", "death"),
        ("AESLIFE", "life_threatening"),
        ("AESHOSP", "hospitalisation"),
        ("AESDISAB", "disability"),
        ("AESCONG", "congenital_anomaly"),
        ("AESMIE", "medically_important"),
        ("AESCAN", "medically_important"),
        ("AESOD", "medically_important"),
    ],
)
def test_a_criterion_beside_not_serious_is_sent_as_it_stands_and_named(variable: str, criterion: str) -> None:
    one = mapped(**{variable: "Y"})
    assert event(one)["serious"] is False
    assert event(one)["seriousness"] == [criterion]
    assert one.is_serious
    assert [found.problem for found in one.contradictions] == [f"AESER=N beside {variable}=Y: read as serious"]


def test_every_criterion_variable_is_tried_above() -> None:
    assert set(CRITERIA) == {"AESDTH", "AESLIFE", "AESHOSP", "AESDISAB", "AESCONG", "AESMIE", "AESCAN", "AESOD"}


def test_several_criteria_are_one_contradiction() -> None:
    one = mapped(AESDTH="Y", AESLIFE="Y", AEOUT="FATAL")
    assert event(one)["seriousness"] == ["death", "life_threatening"]
    assert [found.problem for found in one.contradictions] == ["AESER=N beside AESDTH=Y, AESLIFE=Y: read as serious"]


def test_serious_with_its_criterion_is_no_contradiction() -> None:
    one = mapped(AESER="Y", AESHOSP="Y")
    assert one.is_serious
    assert (one.contradictions, one.findings) == ((), ())


def test_serious_without_any_criterion_is_named() -> None:
    assert [found.problem for found in mapped(AESER="Y").findings] == ["AESER=Y and no criterion says why"]


@pytest.mark.parametrize("variable", ["STUDYID", "USUBJID", "AESEQ", "AETERM"])
def test_a_row_that_cannot_be_attributed_is_not_sent_and_named(variable: str) -> None:
    one = mapped(**{variable: ""})
    assert one.body is None
    assert [found.problem for found in one.findings] == [
        f"{variable} empty: the row cannot be attributed and was not sent"
    ]


def test_a_subject_of_no_known_pattern_leaves_the_site_to_the_server() -> None:
    one = mapped(USUBJID="PATIENT-7")
    assert one.body is not None
    assert "site" not in one.body
    assert one.body["reporter"] == {"role": "investigator"}


def test_the_same_row_has_the_same_key_and_a_changed_one_another() -> None:
    assert mapped().idempotency_key == mapped().idempotency_key
    keys = {mapped(**change).idempotency_key for change in ({}, {"AESEQ": "2"}, {"AEOUT": "FATAL"}, {"AESLIFE": "Y"})}
    assert len(keys) == 4


def test_one_number_given_twice_is_named_and_both_rows_are_sent() -> None:
    first, second = map_rows([ROW, {**ROW, "AETERM": "RASH"}], {"CDISCPILOT01": PATTERN})
    assert first.findings == ()
    assert [found.problem for found in second.findings] == ["row 1 has the same USUBJID and AESEQ"]
    assert second.body is not None
