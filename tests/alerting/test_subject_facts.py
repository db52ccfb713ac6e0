"""What alerting holds of one subject, as the rules on dose-limiting toxicity are handed it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerting import subject_facts
from alerting.subject_facts import Facts
from tests.alerting.desk import Desk, only_study
from tests.alerting.test_assessments import SPONSOR_NO, decide
from tests.alerting.test_values import NEUTROPENIA, derived
from tests.alerting.ward import FATAL, HEADACHE, MILD, NOON, STUDY, Ward, coding, dose, report, ward
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Infusion
from tocsin.domain.cell_counts import Count
from tocsin.domain.dlt.subject import LiverTest, LiverValue, Marrow, Reported
from tocsin.domain.known import Known
from tocsin.domain.words import Agent, Party, Relation
from tocsin.messages.bodies import ObservationsRecordedV1
from tocsin.messages.envelope import Envelope, identity

HOUR = timedelta(hours=1)
SUBJECT = "S01-003"
INFUSED = dose(kind="infusion", subject=SUBJECT, level="DL1", started_at="2026-05-10T10:00")


def observed(
    *seen: dict[str, Any], record: str = "R1", at: datetime = NOON, subject: str = SUBJECT
) -> Envelope[ObservationsRecordedV1]:
    """Observations as ae-intake says them."""
    body = ObservationsRecordedV1.model_validate(
        {
            "record_id": record, "study": STUDY, "site": "S01", "subject": subject, "received_at": at,
            "observations": [{"subject": subject, **one} for one in seen],
        }
    )  # fmt: skip
    return Envelope(
        identity("observations", record), "observations.recorded.v1", subject, "ae-intake", STUDY, at, at, body
    )


def lab(test: str, value: float, unit: str = "10*9/L", at: str = "2026-05-12T08:00", **more: Any) -> dict[str, Any]:
    return {"kind": "laboratory", "test": test, "value": value, "unit": unit, "at": at, **more}


def therapy(what: str, at: str) -> dict[str, Any]:
    return {"kind": "therapy", "what": what, "at": at}


def facts_of(house: Ward, subject: str = SUBJECT) -> Facts:
    found = facts_or_none(house, subject)
    assert found is not None
    return found


def facts_or_none(house: Ward, subject: str = SUBJECT) -> Facts | None:
    with house.store.reading() as tx:
        return subject_facts.subject_of(tx, house.studies[STUDY], subject)


def events_of(house: Ward, subject: str = SUBJECT) -> list[Reported]:
    return list(facts_of(house, subject).subject.events)


def test_a_subject_that_nothing_tells_of_is_none(house: Ward) -> None:
    house.receive(report(MILD))

    assert facts_or_none(house, "S01-009") is None


def test_a_subject_that_only_a_dose_record_or_an_observation_names_is_known(house: Ward) -> None:
    house.receive(INFUSED, observed(lab("ANC", 1), subject="S01-004"))

    assert facts_of(house).subject.infusions == (Infusion(Partial.parse("2026-05-10T10:00"), "DL1"),)
    assert facts_of(house, "S01-004").subject.infusions == ()


def test_every_case_of_the_subject_is_there_with_its_coding_and_the_grades_that_belong_to_it(house: Ward) -> None:
    count = {"verbatim": "blood count", "onset": "2026-05-12", "serious": False}
    house.receive(report(MILD, count), coding({"status": "needs_review"}, NEUTROPENIA), derived())
    house.receive(report(MILD, case="TOC-0032"), report(MILD, case="TOC-0033", subject="S01-004"))
    headache, count_told, other = events_of(house)

    assert [one.case_id for one in (headache, count_told, other)] == ["TOC-0031", "TOC-0031", "TOC-0032"]
    assert (headache.coded and headache.coded.code, headache.derived) == (None, ())
    assert count_told.coded is not None
    assert count_told.coded.code == "10029366"
    assert [(one.said, one.grading.lowest) for one in count_told.derived] == [("Neutrophils 0.4 10*9/L", 4)]
    assert other.coded is None


def test_an_event_stands_as_a_follow_up_last_told_it(house: Ward) -> None:
    house.receive(report(MILD), report({**MILD, "grade": {"ctcae": 3}}, revision=2, at=NOON + HOUR))
    [headache] = events_of(house)

    assert headache.event.worst_grade() == 3


def test_a_death_is_fatal_and_says_why_and_a_headache_is_not(house: Ward) -> None:
    house.receive(report(FATAL, MILD))
    death, headache = events_of(house)

    assert (death.fatal.value, death.fatal.reasons) == (True, ("criterion: results in death", "outcome: fatal"))
    assert headache.fatal.value is False


def test_what_the_sponsor_signed_of_an_event_is_in_it(house: Ward) -> None:
    house.receive(report(MILD, MILD))
    decide(Desk(house), "medical_review", events=["TOC-0031-E1"], causality=SPONSOR_NO, seriousness=["death"])
    first, second = events_of(house)

    assert first.event.relation(Agent.PRODUCT, Party.SPONSOR) is Relation.NOT_RELATED
    assert second.event.relation(Agent.PRODUCT, Party.SPONSOR) is None
    assert (first.fatal.value, second.fatal.value) == (True, False)


def test_an_event_that_was_taken_back_is_there_as_taken_back(house: Ward) -> None:
    house.receive(report(MILD, MILD), report(MILD, {**MILD, "nullified": True}, revision=2, at=NOON + HOUR))

    assert [one.event.is_nullified for one in events_of(house)] == [False, True]


def test_every_event_of_a_case_that_was_taken_back_is_there_as_taken_back(house: Ward) -> None:
    house.receive(derived(), report({**MILD, "verbatim": "neutropenia"}))
    assert [len(one.derived) for one in events_of(house)] == [1]
    house.receive(report(MILD, revision=2, at=NOON + HOUR, nullified=True))

    assert [(one.event.is_nullified, one.derived) for one in events_of(house)] == [(True, ())]


def test_what_only_a_revision_told_that_took_the_case_back_counts_only_while_it_is_taken_back(house: Ward) -> None:
    house.receive(report(MILD, MILD, revision=2, at=NOON + HOUR, nullified=True))
    assert [one.event.is_nullified for one in events_of(house)] == [True, True]
    house.receive(report(MILD), report(MILD, revision=3, at=NOON + 2 * HOUR))

    assert [one.event.is_nullified for one in events_of(house)] == [False]


def test_a_case_that_was_moved_is_the_right_subjects_only(house: Ward) -> None:
    house.receive(report(MILD), report(MILD, revision=2, at=NOON + HOUR, subject="S01-004"))

    assert facts_or_none(house) is None
    assert [one.case_id for one in events_of(house, "S01-004")] == ["TOC-0031"]
    with house.store.reading() as tx:
        assert subject_facts.subjects_of(tx, STUDY) == ["S01-003", "S01-004"]


def test_a_sign_names_the_event_of_its_syndrome(house: Ward) -> None:
    crs = {"verbatim": "CRS", "ref": "AE-1", "onset": "2026-05-12"}
    house.receive(report(crs, {"verbatim": "hypotension", "ref": "AE-2", "component_of": "AE-1"}))
    [syndrome, sign] = events_of(house)

    assert (syndrome.event.component_of, sign.event.component_of) == (None, "TOC-0031-E1")


def test_counts_of_every_unit_are_in_one_unit_and_exact(house: Ward) -> None:
    house.receive(
        INFUSED,
        observed(
            lab("ANC", 499, "/uL"), lab("Neutrophils", 0.5), lab("PLT", 24.9, "K/uL"), lab("血小板计数", 25000, "/mm3")
        ),
    )  # fmt: skip
    known, at = facts_of(house).subject, Partial.parse("2026-05-12T08:00")

    assert known.neutrophils == (Count(at, Decimal("0.499"), "R1/0"), Count(at, Decimal("0.5"), "R1/1"))
    assert known.platelets == (Count(at, Decimal("24.9"), "R1/2"), Count(at, Decimal(25), "R1/3"))
    assert (known.baseline_neutrophils, known.baseline_platelets, facts_of(house).unread) == ((), (), ())


@pytest.mark.rule("grading: a value is judged by its specimen")
def test_a_count_of_another_fluid_is_no_count(house: Ward) -> None:
    house.receive(observed(lab("ANC", 0.1, specimen="CSF"), lab("BILI", 2, "mg/dL", specimen="urine")))

    found = facts_of(house)
    assert (found.subject.neutrophils, found.subject.liver, found.unread) == ((), (), ())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            lab("ANC", 40, "%"),
            "ANC 40 % of 2026-05-12T08:00 is not read: % is no unit in which neutrophils are counted",
        ),
        (
            lab("PLT", 20, at="2026-05"),
            "PLT 20 10*9/L of 2026-05 is of no known day, and so on no day of the course",
        ),
        (
            lab("ANC", 0.1, loinc="777-3"),
            "ANC 0.1 10*9/L of 2026-05-12T08:00 is not read: its name and its LOINC code are of different tests",
        ),
        (
            lab("ANC", 0.1, specimen="EDTA tube 3"),
            "ANC (EDTA tube 3) 0.1 10*9/L of 2026-05-12T08:00 is not read: what it was taken from is not known here as "
            "blood",
        ),
        (
            lab("ALT", 200, "U/L", lln=40, uln=5),
            "ALT 200 U/L of 2026-05-12T08:00 is not read: its lower limit of normal is above its upper",
        ),
        (
            lab("ANC", 0.1, phase="pre_lymphodepletion"),
            "ANC 0.1 10*9/L of 2026-05-12T08:00 is called one of before lymphodepletion but is of after the infusion: "
            "read as one of the course",
        ),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read_as_it_was_sent_is_named_with_the_reason(
    house: Ward, value: dict[str, Any], said: str
) -> None:
    house.receive(INFUSED, observed(value, lab("K", 4, "mmol/L")))

    assert facts_of(house).unread == (said,)


@pytest.mark.parametrize(
    ("at", "phase", "course", "baseline"),
    [
        ("2026-05-01", "pre_lymphodepletion", [], ["0.1"]),
        ("2026-05-01", "screening", ["0.1"], []),
        ("2026-05-01", None, ["0.1"], []),
        # The day of the infusion, and a date without a year, may be before it: the site's word counts.
        ("2026-05-10", "pre_lymphodepletion", [], ["0.1"]),
        ("----05", "pre_lymphodepletion", [], ["0.1"]),
        ("2026-05-11", "pre_lymphodepletion", ["0.1"], []),
    ],
)
def test_a_count_of_before_lymphodepletion_is_a_baseline_and_not_of_the_course(
    house: Ward, at: str, phase: str | None, course: list[str], baseline: list[str]
) -> None:
    more = {} if phase is None else {"phase": phase}
    house.receive(INFUSED, observed(lab("ANC", 0.1, at=at, **more), lab("PLT", 0.1, at=at, **more)))
    known = facts_of(house).subject

    assert [str(one.value_10e9_per_l) for one in known.neutrophils] == course
    assert [str(one.value_10e9_per_l) for one in known.platelets] == course
    assert [str(one.value_10e9_per_l) for one in known.baseline_neutrophils] == baseline
    assert [str(one.value_10e9_per_l) for one in known.baseline_platelets] == baseline


def test_without_an_infusion_the_sites_word_makes_a_baseline(house: Ward) -> None:
    house.receive(observed(lab("ANC", 0.1, phase="pre_lymphodepletion")))

    assert [one.evidence for one in facts_of(house).subject.baseline_neutrophils] == ["R1/0"]


def test_values_of_the_liver_are_multiples_of_their_own_upper_limit(house: Ward) -> None:
    house.receive(
        observed(
            lab("ALT", 120, "U/L", uln=40), lab("SGOT", 0.5, "ukat/L", uln=0.4), lab("TBIL", 41.8, "umol/L", uln=20.9),
            lab("ALP", 90, "U/L"), lab("DBIL", 9, "umol/L", uln=3), lab("ALT", 120, "U/L", uln=0),
        )
    )  # fmt: skip
    at = Partial.parse("2026-05-12T08:00")

    assert facts_of(house).subject.liver == (
        LiverValue(LiverTest.ALT, at, Decimal(3), "R1/0"),
        LiverValue(LiverTest.AST, at, Decimal("1.25"), "R1/1"),
        LiverValue(LiverTest.BILIRUBIN, at, Decimal(2), "R1/2"),
        LiverValue(LiverTest.ALP, at, None, "R1/3"),
        LiverValue(LiverTest.ALT, at, None, "R1/5"),
    )


def test_transfusions_of_platelets_g_csf_and_marrow_results_are_told_apart(house: Ward) -> None:
    house.receive(
        observed(
            therapy("platelet_transfusion", "2026-05-12"), therapy("g_csf", "2026-05-13"),
            therapy("red_cells", "2026-05-14"), therapy("antipyretic", "2026-05-14"),
            {"kind": "marrow", "at": "2026-05", "myeloma_involvement": True},
            {"kind": "marrow", "at": "2026-06", "description": "dry tap"},
        )
    )  # fmt: skip
    known = facts_of(house).subject

    assert known.transfusions == (Partial.parse("2026-05-12"),)
    assert known.g_csf == (Partial.parse("2026-05-13"),)
    assert known.marrow == (
        Marrow(Partial.parse("2026-05"), Known.YES),
        Marrow(Partial.parse("2026-06"), Known.UNKNOWN),
    )


def test_a_corrected_value_takes_the_place_of_the_first_whichever_comes_first(house: Ward) -> None:
    house.receive(
        observed(lab("ANC", 0.9, ref="LB-1", correction=True), record="R2", at=NOON + HOUR),
        observed(lab("ANC", 0.1, ref="LB-1"), lab("PLT", 20, ref="LB-1")),
    )
    known = facts_of(house).subject

    assert [(one.evidence, str(one.value_10e9_per_l)) for one in known.neutrophils] == [("R2/0", "0.9")]
    assert [one.evidence for one in known.platelets] == ["R1/1"]


def test_the_zone_is_that_of_the_site_that_infused(house: Ward) -> None:
    only_study(house, replace(house.studies[STUDY], receiver_zone=ZoneInfo("Europe/Berlin")))
    house.receive(report(MILD, site="S99"))
    assert facts_of(house).subject.zone.key == "Europe/Berlin", "no site of the study: as the receiver"
    elsewhere = dose("D0", kind="product_event", subject=SUBJECT, what="mix_up", found_at="2026-05-01")
    house.receive(replace(elsewhere, body=elsewhere.body.model_copy(update={"site": "S99"})))
    assert facts_of(house).subject.zone.key == "Europe/Berlin"
    house.receive(INFUSED)

    assert facts_of(house).subject.zone.key == "Asia/Shanghai"


def test_every_subject_that_anything_tells_of_is_listed_once(house: Ward) -> None:
    house.receive(report(MILD), coding(NEUTROPENIA), INFUSED, observed(lab("ANC", 1)))
    house.receive(report(MILD, case="TOC-0032", subject=None), report(MILD, case="TOC-0033", subject="S01-001"))
    house.receive(dose("D2", kind="enrolment", subject="S01-005", enrolled_on="2026-05-01"))
    house.receive(dose("D3", kind="product_event", what="mix_up", found_at="2026-05-01"))
    house.receive(observed(lab("ANC", 1), record="R2", subject="S01-004"))

    with house.store.reading() as tx:
        assert subject_facts.subjects_of(tx, STUDY) == ["S01-001", "S01-003", "S01-004", "S01-005"]
        assert subject_facts.subjects_of(tx, "another study") == []


def test_the_order_of_arrival_changes_nothing_of_what_is_known(tmp_path: Path) -> None:
    told = [
        report(MILD, FATAL), report(MILD, FATAL, {**MILD, "component_of": "1"}, revision=2, at=NOON + HOUR),
        coding(HEADACHE, {"status": "needs_review"}), report(MILD, case="TOC-0032"), INFUSED,
        derived(), derived("R3", number=2),
        dose("D2", at=NOON + HOUR, kind="infusion", subject=SUBJECT, level="DL1", started_at="2026-05-20"),
        observed(lab("ANC", 0.1, ref="LB-1"), lab("PLT", 9)),
        observed(lab("ANC", 0.9, ref="LB-1", correction=True), record="R2", at=NOON + HOUR),
    ]  # fmt: skip
    found = []
    for seed in range(5):
        with ward(f"sqlite:///{tmp_path}/{seed}.db", tmp_path / str(seed)) as house:
            house.receive(*Random(seed).sample(told, len(told)))
            found.append(facts_of(house))

    assert [len(one.subject.events) for one in found[:1]] == [4]
    assert all(one == found[0] for one in found)
