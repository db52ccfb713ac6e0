"""A potential dose-limiting toxicity: rings as soon as it cannot be ruled out, and never decides."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.domain.cases import DEFINITION, NEW_YORK, REFERENCE, SHANGHAI, coded, event, infusion
from tocsin.domain import seriousness
from tocsin.domain.case import Coded, Event, Infusion
from tocsin.domain.dlt import NO_DLT, POTENTIAL_DLT, Verdict, evaluate, window
from tocsin.domain.words import Agent, CrsScale, Outcome, Party, Relation
from tocsin.studies import read

YES, NO = Relation.RELATED, Relation.NOT_RELATED
BOTH: dict[str, Any] = {"investigator": YES, "sponsor": YES}
NEITHER: dict[str, Any] = {"investigator": NO, "sponsor": NO}
STUDY = Path(__file__).parents[2] / "deploy" / "protocols" / "nct06223646.toml"


def judged(
    told: Event,
    coding: Coded | None = None,
    infusions: Sequence[Infusion] = (infusion(),),
    zone: ZoneInfo = SHANGHAI,
) -> Verdict:
    return evaluate(told, coding, infusions, zone, DEFINITION, fatal=seriousness.of(told, coding).fatal)


def at_day_9(verbatim: str = "cough", **facts: Any) -> Event:
    return event(verbatim, onset="2026-03-11T08:00", **facts)


@pytest.mark.parametrize(
    ("started", "onset", "is_in"),
    [
        ("2026-03-02T10:00", "2026-03-02T11:00", True),  # W01
        ("2026-03-02T10:00", "2026-03-30T23:59", True),  # W02: the last minute of day 28
        ("2026-03-02T10:00", "2026-03-31T00:00", False),  # W03: day 29
        ("2026-03-02T10:00", "2026-03-02T09:00", False),  # W04: before the infusion
    ],
)
@pytest.mark.rule("rules.md 4.2: window: W01 to W04")
def test_the_window_is_from_infusion_to_the_last_second_of_day_28(started: str, onset: str, is_in: bool) -> None:
    found = judged(event("cough", onset=onset, grade=4, **BOTH), infusions=[infusion(started)])
    assert (found.state, found.is_provisional) == (POTENTIAL_DLT if is_in else NO_DLT, False)


@pytest.mark.reference
@pytest.mark.rule("dlt_window_vectors.csv")
def test_every_window_vector_of_the_reference_comes_out() -> None:
    with (REFERENCE / "rules" / "dlt_window_vectors.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 4
    for row in rows:
        told = event("cough", onset=row["onset_local"], grade=4, **BOTH)
        found = judged(told, infusions=[infusion(row["infusion_local"])], zone=ZoneInfo(row["tz"]))
        assert (found.state == POTENTIAL_DLT) is (row["in_window"] == "1"), row
        if row["in_window"] == "1":
            assert f"(study day {row['study_day']})" in " ".join(found.reasons), row


def test_the_window_counts_local_days_across_a_change_of_the_clocks() -> None:
    found = window(datetime(2026, 3, 2, 15, 0, tzinfo=UTC), NEW_YORK, DEFINITION)
    assert found.latest == datetime(2026, 3, 31, 3, 59, 59, tzinfo=UTC)


def test_a_protocol_that_counts_infusion_as_day_1_ends_a_day_earlier() -> None:
    started = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    found = window(started, SHANGHAI, replace(DEFINITION, day_base=1))
    assert found.latest == datetime(2026, 3, 29, 15, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "coding", "state", "rule_id", "is_provisional"),
    [
        # By grade.
        (at_day_9(grade=4, **BOTH), None, POTENTIAL_DLT, "DLT-11", False),
        (at_day_9(grade=3, **BOTH), None, POTENTIAL_DLT, "DLT-12", False),
        (at_day_9(grade=2, **BOTH), None, NO_DLT, None, False),
        (at_day_9(grade=2, astct=4, **BOTH), None, POTENTIAL_DLT, "DLT-11", False),
        # By name, in the site's words or by code; what names it stands before "any event".
        (at_day_9("CRS", grade=4, **BOTH), None, POTENTIAL_DLT, "DLT-02", False),
        (at_day_9("CRS", grade=3, **BOTH), None, POTENTIAL_DLT, "DLT-03", False),
        (at_day_9("CRS", grade=2, **BOTH), None, NO_DLT, None, False),
        (at_day_9("细胞因子风暴", grade=3, **BOTH), None, POTENTIAL_DLT, "DLT-03", False),
        (at_day_9("出现CRS3级", grade=3, **BOTH), None, POTENTIAL_DLT, "DLT-03", False),
        (at_day_9("神经毒性", grade=3, **BOTH), None, POTENTIAL_DLT, "DLT-05", False),
        (
            at_day_9("fever after cells", grade=4, **BOTH),
            coded("Cytokine release syndrome"),
            POTENTIAL_DLT,
            "DLT-02",
            False,
        ),
        (at_day_9("fever, no CRS", grade=3, **BOTH), None, POTENTIAL_DLT, "DLT-12", False),
        (at_day_9("low ANC", grade=4, **BOTH), coded("Neutrophil count decreased"), POTENTIAL_DLT, "DLT-08", False),
        # A missing grade is at its worst: the lowest threshold cannot be ruled out.
        (at_day_9(**BOTH), None, POTENTIAL_DLT, "DLT-12", True),
        (at_day_9("CRS", **BOTH), None, POTENTIAL_DLT, "DLT-03", True),
        # A missing relation is taken as related, also where one party says not related.
        (at_day_9(grade=4), None, POTENTIAL_DLT, "DLT-11", True),
        (at_day_9(grade=4, investigator=NO), None, POTENTIAL_DLT, "DLT-11", True),
        (at_day_9(grade=4, sponsor=NO), None, POTENTIAL_DLT, "DLT-11", True),
        (at_day_9(grade=4, investigator=YES), None, POTENTIAL_DLT, "DLT-11", False),
        (at_day_9(grade=4, investigator=NO, sponsor=YES), None, POTENTIAL_DLT, "DLT-11", False),
        (
            at_day_9(grade=4, investigator=Relation.CN_UNLIKELY, sponsor=NO),
            None,
            POTENTIAL_DLT,
            "DLT-11",
            True,
        ),
        # Neither party relates it: none, graded or not, except a death.
        (at_day_9(grade=4, **NEITHER), None, NO_DLT, None, False),
        (at_day_9(**NEITHER), None, NO_DLT, None, False),
        (at_day_9(grade=5, **NEITHER), None, POTENTIAL_DLT, "DLT-01", True),
        (at_day_9("CRS", outcome=Outcome.FATAL, **NEITHER), None, POTENTIAL_DLT, "DLT-01", True),
        # A death is grade 5 by any field, and goes by the rule on deaths.
        (at_day_9(outcome=Outcome.FATAL, **BOTH), None, POTENTIAL_DLT, "DLT-01", False),
        (at_day_9(grade=2, outcome=Outcome.FATAL, **BOTH), None, POTENTIAL_DLT, "DLT-01", False),
        (at_day_9("CRS", grade=5, **BOTH), None, POTENTIAL_DLT, "DLT-01", False),
        (at_day_9("fever", outcome=Outcome.FATAL, **BOTH), coded("Fever"), POTENTIAL_DLT, "DLT-01", False),
        (at_day_9("patient died", grade=2, **BOTH), None, POTENTIAL_DLT, "DLT-01", True),
        # Exclusions hold only where code and grade settle them.
        (at_day_9("fever", grade=3, **BOTH), coded("Fever"), NO_DLT, None, False),
        (at_day_9("fever", grade=4, **BOTH), coded("Fever"), NO_DLT, None, False),
        (at_day_9("fever", grade=3, **BOTH), None, POTENTIAL_DLT, "DLT-12", False),
        (at_day_9("fever", grade=3, **BOTH), coded(None, is_coded=False), POTENTIAL_DLT, "DLT-12", False),
        (at_day_9("fever", **BOTH), coded("Fever"), NO_DLT, None, False),  # excluded at any grade
        (at_day_9("neutropenia", **BOTH), coded("Neutrophil count decreased"), POTENTIAL_DLT, "DLT-08", True),
        (at_day_9("low ANC", grade=3, **BOTH), coded("Neutrophil count decreased"), NO_DLT, None, False),
        # What the rule names is never excluded.
        (at_day_9("CRS with fever", grade=3, **BOTH), coded("Fever"), POTENTIAL_DLT, "DLT-03", False),
    ],
)
@pytest.mark.rule("rules.md 4.2: potential DLT; readings.md DLT 1, 5, 7, 13")
def test_an_event_rings_when_a_rule_holds_or_cannot_be_ruled_out(
    told: Event, coding: Coded | None, state: str, rule_id: str | None, is_provisional: bool
) -> None:
    found = judged(told, coding)
    assert (found.state, found.rule_id, found.is_provisional) == (state, rule_id, is_provisional)
    assert found.reasons


@pytest.mark.parametrize(
    ("onset", "infusions", "is_provisional", "said"),
    [
        ("2026-03-11", [], True, "no infusion is recorded for this subject"),
        (None, [infusion()], True, "the onset is not known"),
        ("--03-11", [infusion()], True, "the onset is not known"),
        ("2026-03", [infusion()], True, "the dates leave it open"),
        ("2026-03-02", [infusion()], True, "the dates leave it open"),
        ("2026-03-02T10:00", [infusion()], True, "the dates leave it open"),
        ("2026-03-30", [infusion()], False, "study day 28"),
        ("2026-03-30", [infusion("2026-03")], True, "the dates leave it open"),
        ("2027-03-30", [infusion("--03-02")], True, "has no year"),
        ("2027-03-30", [infusion(), infusion("--03-02")], True, "has no year"),
        ("2026-03-11", [infusion("2025-01-01"), infusion()], False, "study day 9"),
    ],
)
@pytest.mark.rule("readings.md DLT 7: what is missing is at its worst")
def test_dates_that_are_missing_or_open_keep_an_event_inside(
    onset: str | None, infusions: list[Infusion], is_provisional: bool, said: str
) -> None:
    found = judged(event("cough", onset=onset, grade=4, **BOTH), infusions=infusions)
    assert found.state == POTENTIAL_DLT
    assert found.is_provisional is is_provisional
    assert said in " | ".join(found.reasons)


def test_the_order_of_infusions_changes_nothing() -> None:
    given = [infusion("2026-03"), infusion(), infusion("2025-03-02")]
    told = at_day_9(grade=4, **BOTH)
    assert len({judged(told, infusions=order) for order in itertools.permutations(given)}) == 1


def test_an_onset_in_a_gap_of_the_clocks_still_gets_its_verdict() -> None:
    told = event("cough", onset="2026-03-08T02:30", grade=4, **BOTH)
    assert judged(told, zone=NEW_YORK).state == POTENTIAL_DLT


def test_only_the_relation_to_the_product_counts() -> None:
    told = at_day_9(grade=4, **NEITHER)
    blamed = replace(told.opinions[0], agent=Agent.LYMPHODEPLETION, relation=YES, party=Party.SPONSOR)
    assert judged(replace(told, opinions=(*told.opinions, blamed))).state == NO_DLT


def test_a_none_says_why() -> None:
    assert judged(at_day_9("fever", grade=3, **BOTH), coded("Fever")).reasons == ("EX-01: fever of any grade",)
    assert judged(at_day_9(grade=4, **NEITHER)).reasons == ("both parties judge it not related to the product",)
    assert judged(at_day_9(grade=1, **BOTH)).reasons == ("no rule of dlt-test names an event of grade 1",)


@pytest.mark.parametrize(
    ("crs", "ctcae", "astct", "rule_id", "said"),
    [
        (CrsScale.WORST_OF, 4, 3, "DLT-02", "grade 4 (CTCAE 4, ASTCT 3)"),
        (CrsScale.ASTCT, 4, 3, "DLT-03", "grade 3 (CTCAE 4, ASTCT 3)"),
        (CrsScale.CTCAE, 2, 4, None, None),
        (CrsScale.ASTCT, 2, 4, "DLT-02", "grade 4 (CTCAE 2, ASTCT 4)"),
        (CrsScale.CTCAE, None, 3, "DLT-03", "grade 3"),
    ],
)
@pytest.mark.rule("rules.md 4.2: scale of CRS", "readings.md DLT 6")
def test_a_crs_is_a_potential_dlt_by_the_scale_of_the_study_and_every_grade_is_told(
    crs: CrsScale, ctcae: int | None, astct: int, rule_id: str | None, said: str | None
) -> None:
    told = at_day_9("CRS", grade=ctcae, astct=astct, **BOTH)
    fatal = seriousness.of(told, None).fatal
    found = evaluate(told, None, [infusion()], SHANGHAI, DEFINITION, fatal=fatal, crs=crs)
    assert found.rule_id == rule_id
    assert said is None or said in found.reasons


def test_a_death_of_crs_is_grade_5_whatever_scale_the_study_goes_by() -> None:
    told = at_day_9("CRS", grade=5, astct=4, **BOTH)
    fatal = seriousness.of(told, None).fatal
    found = evaluate(told, None, [infusion()], SHANGHAI, DEFINITION, fatal=fatal, crs=CrsScale.ASTCT)
    assert (found.rule_id, found.reasons[-1]) == ("DLT-01", "grade 5 (CTCAE 5, ASTCT 4)")


@pytest.mark.parametrize(
    ("verbatim", "grade", "rule_id"),
    [
        ("death", 5, "DLT-01"),
        ("CRS", 4, "DLT-02"),
        ("患者出现CRS", 3, "DLT-03"),
        ("细胞因子释放综合征", 3, "DLT-03"),
        ("ICANS", 4, "DLT-04"),
        ("ICANS3级", 3, "DLT-05"),
        ("Guillain-Barré syndrome", 3, "DLT-06"),
        ("parkinsonism", 3, "DLT-06"),
        ("sixth nerve palsy", 3, "DLT-06"),
        ("脊髓炎", 3, "DLT-06"),
        ("IEC-HS", 3, "DLT-07"),
        ("噬血细胞综合征", 4, "DLT-07"),
        ("haemolysis", 4, "DLT-11"),
        ("disseminated intravascular coagulation", 3, "DLT-12"),
    ],
)
@pytest.mark.rule("DLT-01", "DLT-02", "DLT-03", "DLT-04", "DLT-05", "DLT-06", "DLT-07", "DLT-11", "DLT-12")
def test_the_studys_default_rules_name_what_they_should(verbatim: str, grade: int, rule_id: str) -> None:
    definition = read(STUDY).dlt
    assert definition is not None
    told = at_day_9(verbatim, grade=grade, **BOTH)
    fatal = seriousness.of(told, None).fatal
    assert evaluate(told, None, [infusion()], SHANGHAI, definition, fatal=fatal).rule_id == rule_id


@pytest.mark.parametrize(
    ("term", "grade", "rule_id"),
    [
        ("Neutrophil count decreased", 4, "DLT-08"),
        ("Platelet count decreased", 4, "DLT-09"),
        ("Infusion related reaction", 3, "DLT-14"),
        ("Anaphylaxis", 3, "DLT-14"),
        ("Fever", 4, None),
        ("Anemia", 4, None),
        ("Lymphocyte count decreased", 4, None),
        ("White blood cell decreased", 4, None),
        ("Platelet count decreased", 3, None),
        ("Alopecia", 3, None),
        ("Disseminated intravascular coagulation", 3, "DLT-12"),
        ("Sepsis", 4, "DLT-15"),
    ],
)
@pytest.mark.rule("DLT-08", "DLT-09", "DLT-11", "DLT-12", "DLT-14", "EX-01", "EX-02", "EX-06")
def test_the_studys_default_rules_and_exclusions_go_by_code(term: str, grade: int, rule_id: str | None) -> None:
    definition = read(STUDY).dlt
    assert definition is not None
    told = at_day_9("实验室检查", grade=grade, **BOTH)
    fatal = seriousness.of(told, None).fatal
    found = evaluate(told, coded(term), [infusion()], SHANGHAI, definition, fatal=fatal)
    assert found.rule_id == rule_id
