"""What must ring, how loud, and under which key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.cases import DEFINITION, FATAL, HARMLESS, SUSAR, case, event, infusion, protocol, report
from tocsin.domain.assess import assess
from tocsin.domain.case import Report
from tocsin.domain.concerns import Concern
from tocsin.domain.protocol import ASSUMED_RULES, GradingSettings
from tocsin.domain.words import Criterion, CrsScale, ReportKind

STUDY = protocol("CN", dlt=DEFINITION)


def rung(*reports: Report) -> dict[str, Concern]:
    return {c.key: c for c in assess(case(*reports, infusions=[infusion("2025-01-01T10:00")]), STUDY).concerns}


OUTSIDE = "2026-03-01"


def told(verbatim: str = "cough", **facts: object):  # type: ignore[no-untyped-def]
    return event(verbatim, onset=OUTSIDE, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reported", "keys"),
    [
        (report(told(serious=False)), {}),
        (report(told(serious=True)), {"TOC-0031-E1:serious": ("info", False)}),
        (report(told()), {"TOC-0031-E1:serious": ("info", True)}),
        (report(told(criteria=[Criterion.DEATH])), {"TOC-0031-E1:fatal": ("page", False)}),
        (report(told("patient died", serious=False)), {"TOC-0031-E1:fatal": ("page", True)}),
        (report(told(criteria=[Criterion.LIFE_THREATENING])), {"TOC-0031-E1:life_threatening": ("page", False)}),
        (
            report(told(criteria=[Criterion.DEATH, Criterion.LIFE_THREATENING])),
            {"TOC-0031-E1:fatal": ("page", False), "TOC-0031-E1:life_threatening": ("page", False)},
        ),
        (
            report(told("CRS", grade=3, serious=False)),
            {"TOC-0031-E1:special_interest": ("page", False), "TOC-0031-E1:serious": ("info", False)},
        ),
        (
            report(told("CRS", serious=False)),
            {"TOC-0031-E1:special_interest": ("page", True), "TOC-0031-E1:serious": ("info", True)},
        ),
        (report(kind=ReportKind.PREGNANCY), {"TOC-0031:pregnancy": ("page", False)}),
        (report(kind=ReportKind.PRODUCT_EVENT), {"TOC-0031:product_event": ("page", False)}),
        (report(kind=ReportKind.MEDICATION_ERROR), {"TOC-0031:medication_error": ("page", False)}),
        (
            report(told(serious=True), kind=ReportKind.MEDICATION_ERROR),
            {"TOC-0031:medication_error": ("page", False), "TOC-0031-E1:serious": ("info", False)},
        ),
        (report(), {"TOC-0031:no_event": ("warn", True)}),
    ],
)
@pytest.mark.rule("rules.md 1.5: what pages at once; interfaces.md: each kind of report rings")
def test_what_rings_and_how_loud(reported: Report, keys: dict[str, tuple[str, bool]]) -> None:
    assert {key: (c.level, c.is_provisional) for key, c in rung(reported).items()} == keys


@pytest.mark.rule("rules.md 1.5: death pages irrespective of causality")
def test_a_death_that_nobody_relates_still_pages() -> None:
    found = rung(report(replace(FATAL, opinions=HARMLESS.opinions)))
    assert found["TOC-0031-E1:fatal"].level == "page"


@pytest.mark.rule("rules.md 1.5: a DLT candidate pages")
def test_a_potential_dlt_pages_and_says_that_its_rules_are_assumed() -> None:
    found = {c.kind: c for c in assess(case(report(SUSAR)), STUDY).concerns}["potential_dlt"]
    assert found.level == "page"
    assert found.is_provisional
    assert found.reasons[-1] == ASSUMED_RULES


@pytest.mark.parametrize(
    ("crs", "kinds"),
    [
        (CrsScale.WORST_OF, {"serious", "special_interest", "potential_dlt"}),
        (CrsScale.CTCAE, {"serious", "special_interest", "potential_dlt"}),
        (CrsScale.ASTCT, set()),
    ],
)
@pytest.mark.rule("rules.md 4.2: scale of CRS")
def test_a_crs_rings_by_the_scale_that_the_study_file_names(crs: CrsScale, kinds: set[str]) -> None:
    study = protocol("CN", dlt=DEFINITION, grading=GradingSettings(crs))
    told = event("CRS", grade=3, astct=2, serious=False)
    found = assess(case(report(told)), study)
    assert {c.kind for c in found.concerns} == kinds
    assert bool(found.events[0].serious) is bool(kinds)


def test_an_approved_definition_says_nothing_of_assumptions() -> None:
    study = protocol("CN", dlt=replace(DEFINITION, status="SPONSOR_APPROVED"))
    found = {c.kind: c for c in assess(case(report(SUSAR)), study).concerns}["potential_dlt"]
    assert ASSUMED_RULES not in found.reasons


def test_the_same_thing_keeps_its_key_over_revisions_and_codings() -> None:
    first = set(rung(report(FATAL)))
    again = set(rung(report(FATAL), report(FATAL, revision=2, received="2026-03-05T09:00")))
    assert first == again


def test_a_nullified_event_stops_ringing_and_who_may_close_its_clock_is_told() -> None:
    taken_back = report(replace(SUSAR, is_nullified=True), revision=2, received="2026-03-05T09:00")
    found = rung(report(SUSAR), taken_back)
    assert set(found) == {"TOC-0031-E1:nullified"}
    assert found["TOC-0031-E1:nullified"].level == "review"
    assert found["TOC-0031-E1:nullified"].reasons[0] == "nullified by revision 2"
    assert "CN_SUSAR_15D due 2026-03-17 goes on until a person closes it by signature" in (
        found["TOC-0031-E1:nullified"].reasons
    )


def test_a_nullified_event_without_a_clock_is_only_told() -> None:
    taken_back = report(replace(HARMLESS, is_nullified=True), revision=2, received="2026-03-05T09:00")
    assert rung(report(HARMLESS), taken_back)["TOC-0031-E1:nullified"].level == "info"


def test_a_nullified_case_rings_for_nothing_here() -> None:
    taken_back = report(FATAL, revision=2, received="2026-03-05T09:00", nullified=True)
    assert rung(report(FATAL), taken_back) == {}


def test_a_pregnancy_told_once_rings_although_a_follow_up_is_of_another_kind() -> None:
    later = report(told(serious=False), revision=2, received="2026-03-05T09:00")
    assert set(rung(report(kind=ReportKind.PREGNANCY), later)) == {"TOC-0031:pregnancy"}
