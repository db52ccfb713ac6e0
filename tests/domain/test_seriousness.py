"""Serious, fatal, life-threatening: what is missing at its worst, contradictions at their worst, severity never."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from tests.domain.cases import CODES, REFERENCE, coded, event
from tocsin.domain import seriousness
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Event, GradeStep
from tocsin.domain.syndromes import Syndrome
from tocsin.domain.words import Criterion, Outcome, Scale, Severity

C = Criterion
NO, YES, MAYBE = "no", "yes", "provisional"


def found(e: Event) -> tuple[str, str, str]:
    judged = seriousness.of(e, None)
    findings = (judged.serious, judged.fatal, judged.life_threatening)
    serious, fatal, threat = (MAYBE if f and f.is_provisional else YES if f else NO for f in findings)
    return serious, fatal, threat


@pytest.mark.parametrize(
    ("told", "serious", "fatal", "life_threatening"),
    [
        # Each criterion is enough by itself.
        (event(criteria=[C.DEATH]), YES, YES, NO),
        (event(criteria=[C.LIFE_THREATENING]), YES, NO, YES),
        (event(criteria=[C.HOSPITALISATION]), YES, NO, NO),
        (event(criteria=[C.DISABILITY]), YES, NO, NO),
        (event(criteria=[C.CONGENITAL_ANOMALY]), YES, NO, NO),
        (event(criteria=[C.MEDICALLY_IMPORTANT]), YES, NO, NO),
        (event(criteria=[C.DEATH, C.LIFE_THREATENING]), YES, YES, YES),
        (event(serious=True), YES, NO, NO),
        (event(serious=True, criteria=[C.HOSPITALISATION]), YES, NO, NO),
        # Severity is not seriousness.
        (event(serious=False), NO, NO, NO),
        (event("neutropenia", serious=False, grade=4), NO, NO, NO),
        (event("neutropenia", serious=False, grade=3), NO, NO, NO),
        (event("headache", serious=False, severity=Severity.SEVERE), NO, NO, NO),
        (event("rash", grade=2, criteria=[C.HOSPITALISATION]), YES, NO, NO),
        (event("neutropenia", grade=4, criteria=[C.HOSPITALISATION]), YES, NO, NO),
        # A death by any field, whatever the site says beside it.
        (event(outcome=Outcome.FATAL), YES, YES, NO),
        (event(outcome=Outcome.FATAL, serious=False), YES, YES, NO),
        (event(grade=5), YES, YES, NO),
        (event(grade=5, serious=False), YES, YES, NO),
        (event(astct=5), YES, YES, NO),
        (event(outcome=Outcome.FATAL, criteria=[C.HOSPITALISATION], serious=False), YES, YES, NO),
        (event(criteria=[C.DEATH], outcome=Outcome.RECOVERED, serious=False), YES, YES, NO),
        (event(grade=5, outcome=Outcome.RECOVERED), YES, YES, NO),
        (event(outcome=Outcome.UNKNOWN, serious=False), NO, NO, NO),
        # "Not serious" beside a criterion.
        (event(serious=False, criteria=[C.HOSPITALISATION]), YES, NO, NO),
        (event(serious=False, criteria=[C.LIFE_THREATENING]), YES, NO, YES),
        (event(serious=False, criteria=[C.DEATH]), YES, YES, NO),
        # Nothing said of seriousness.
        (event(), MAYBE, NO, NO),
        (event(grade=1), MAYBE, NO, NO),
        (event(grade=3), MAYBE, NO, NO),
        (event("neutropenia", grade=4), MAYBE, NO, MAYBE),
        (event("neutropenia", astct=4), MAYBE, NO, MAYBE),
        (event("headache", severity=Severity.SEVERE), MAYBE, NO, NO),
        (event("respiratory failure, intubated"), MAYBE, NO, MAYBE),
        # Serious, but no word on why: the missing criterion is taken at its worst.
        (event("neutropenia", grade=4, serious=True), YES, NO, MAYBE),
        (event("respiratory failure, intubated", serious=True), YES, NO, MAYBE),
        # Words alone.
        (event("death"), MAYBE, MAYBE, NO),
        (event("Sudden death", serious=False), MAYBE, MAYBE, NO),
        (event("sepsis, died", criteria=[C.HOSPITALISATION]), YES, MAYBE, NO),
        (event("cardiac arrest"), MAYBE, NO, MAYBE),
        (event("cardiac arrest", serious=False), MAYBE, NO, MAYBE),
        (event("cardiac arrest", criteria=[C.HOSPITALISATION]), YES, NO, MAYBE),
        (event("life-threatening arrhythmia", serious=False), MAYBE, NO, MAYBE),
        (event("life-threatening arrhythmia", criteria=[C.MEDICALLY_IMPORTANT]), YES, NO, MAYBE),
        (event("sore throat after intubation", serious=False), NO, NO, NO),
        (event("respiratory failure, intubated", criteria=[C.HOSPITALISATION]), YES, NO, MAYBE),
        (event("respiratory failure, intubated", serious=False, criteria=[C.HOSPITALISATION]), YES, NO, MAYBE),
        # Events of special interest are medically important whatever the site ticks.
        (event("IEC-HS", serious=False), YES, NO, NO),
        (event("CRS", serious=False, grade=3), YES, NO, NO),
        (event("CRS", serious=False, grade=2), NO, NO, NO),
        (event("CRS", serious=False), MAYBE, NO, NO),
        (event("CRS", grade=3), YES, NO, NO),
    ],
)
@pytest.mark.rule("rules.md 1.1: severity is not seriousness", "rules.md 1.1: life-threatening", "ICH E2A II.B")
@pytest.mark.rule("rules.md 2.1: criteria", "rules.md 2.1: AESI", "rules.md 2.2: fatal", "readings.md clocks 2")
def test_an_event_is_judged_by_every_fact_and_by_the_worst_of_them(
    told: Event, serious: str, fatal: str, life_threatening: str
) -> None:
    assert found(told) == (serious, fatal, life_threatening)


@pytest.mark.parametrize(
    "verbatim",
    [
        "death",
        "Patient died at home",
        "found dead",
        "deceased",
        "fatal haemorrhage",
        "fatality",
        "passed away",
        "exitus letalis",
        "sepsis grade 5",
        "G5 sepsis",
        "high risk of death",
        "no resuscitation before death",
        "no CPR, died",
        "患者死亡",
        "去世",
        "患者于家中病逝",
        "猝死",
        "死于感染",
        "身亡",
        "经抢救无效死亡",
        "5级感染",
        "致死性出血",
        "患者died",
    ],
)
@pytest.mark.rule("readings.md clocks 2: a death is stated")
def test_words_of_death_are_taken_as_a_death_until_answered(verbatim: str) -> None:
    fatal = seriousness.of(event(verbatim, serious=False), None).fatal
    assert fatal.value
    assert fatal.is_provisional


@pytest.mark.parametrize(
    "verbatim",
    [
        "no risk of death",
        "non-fatal myocardial infarction",
        "nonfatal infarction",
        "not fatal",
        "dead tooth",
        "dead skin on heel",
        "fear of dying",
        "fear of death",
        "cell death on biopsy",
        "grief after death of his wife",
        "near-death experience",
        "muscle strength grade 5",
        "无死亡风险",
        "濒死感",
        "肌力5级",
        "组织坏死",
        "15级台阶跌倒",
        "diesel inhalation",
        "lethargy",
        "deadlift injury",
    ],
)
def test_words_that_only_sound_like_death_do_not_ring_as_one(verbatim: str) -> None:
    assert not seriousness.of(event(verbatim, serious=False), None).fatal


@pytest.mark.parametrize(
    "verbatim",
    [
        "cardiac arrest",
        "respiratory arrest",
        "patient arrested at 03:00",
        "life threatening bleed",
        "lifethreatening bleed",
        "asystole",
        "ventricular fibrillation",
        "near-fatal arrhythmia",
        "危及生命的出血",
        "心脏骤停",
        "心跳骤停",
        "心搏骤停",
        "心脏停搏",
        "呼吸骤停",
    ],
)
def test_a_body_that_stopped_is_a_threat_to_life_even_beside_not_serious(verbatim: str) -> None:
    assert found(event(verbatim, serious=False)) == (MAYBE, NO, MAYBE)


@pytest.mark.parametrize(
    "verbatim",
    [
        "intubated",
        "CPR given",
        "resuscitated",
        "mechanical ventilation",
        "气管插管",
        "心肺复苏",
        "抢救",
        "CRS grade 4",
        "4级CRS",
    ],
)
def test_signs_of_a_threat_are_believed_unless_the_site_calls_it_not_serious(verbatim: str) -> None:
    assert found(event(verbatim))[2] == MAYBE
    assert found(event(verbatim, serious=False, grade=1))[2] == NO


@pytest.mark.parametrize(
    "verbatim",
    [
        "non-life-threatening arrhythmia",
        "not life-threatening",
        "no longer life-threatening",
        "maturation arrest in marrow",
        "growth arrest",
        "arrested by police",
        "fluid resuscitation",
        "PICC插管部位疼痛",
        "肌力4级",
        "extubation",
        "ventricular extrasystoles",
        "supraventricular fibrillation",
    ],
)
def test_words_that_only_sound_like_a_threat_do_not_ring_as_one(verbatim: str) -> None:
    assert not seriousness.of(event(verbatim), None).life_threatening


def test_a_grade_anywhere_in_the_course_counts() -> None:
    step = GradeStep(5, Scale.CTCAE, Partial.parse("2026-03-05"))
    assert found(replace(event(serious=False, grade=2), course=(step,))) == (YES, YES, NO)


def test_a_contradiction_is_named_in_the_reasons() -> None:
    serious = seriousness.of(event(serious=False, criteria=[C.DEATH]), None).serious
    assert serious.reasons[0] == "criterion: death"
    assert "the site calls it not serious, which contradicts: read at its worst" in serious.reasons


def test_coding_may_reveal_an_event_of_special_interest_and_never_hides_one() -> None:
    assert seriousness.of(event("症状", serious=False), coded("Hepatitis B reactivation")).serious
    assert seriousness.of(event("HLH", serious=False), coded("Fever")).serious


def test_the_studys_list_of_special_interest_is_what_counts() -> None:
    told = event("Parkinson's disease", serious=False)
    assert seriousness.of(told, None).serious
    assert not seriousness.of(told, None, frozenset()).serious
    assert not seriousness.of(told, None, frozenset({Syndrome.CRS})).serious


def test_fatal_or_life_threatening_is_always_serious() -> None:
    for verbatim in ("death", "cardiac arrest", "rash"):
        for stated in (True, False, None):
            for grade in (None, 1, 4, 5):
                judged = seriousness.of(event(verbatim, serious=stated, grade=grade), None)
                assert judged.serious or not judged.is_fatal_or_life_threatening


PILOT_CRITERIA = {
    "AESDTH": C.DEATH,
    "AESLIFE": C.LIFE_THREATENING,
    "AESHOSP": C.HOSPITALISATION,
    "AESDISAB": C.DISABILITY,
    "AESCONG": C.CONGENITAL_ANOMALY,
    "AESCAN": C.MEDICALLY_IMPORTANT,
    "AESOD": C.MEDICALLY_IMPORTANT,
}


@pytest.mark.reference
@pytest.mark.rule("CDISC pilot: 3 rows say serious, 39 carry a criterion")
def test_of_the_1191_events_of_the_cdisc_pilot_39_are_serious_and_no_word_of_the_rest_rings() -> None:
    with (REFERENCE / "pilot" / "cdiscpilot_ae.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = [
        event(
            row["AETERM"],
            serious=row["AESER"] == "Y",
            criteria=[criterion for name, criterion in PILOT_CRITERIA.items() if row[name] == "Y"],
            outcome=Outcome.FATAL if row["AEOUT"] == "FATAL" else None,
        )
        for row in rows
    ]
    judged = [seriousness.of(e, None, frozenset()) for e in told]
    assert len(judged) == 1191
    assert sum(bool(j.serious) for j in judged) == 39
    assert not any(j.serious.is_provisional for j in judged)
    assert sum(row["AESER"] == "Y" for row in rows) == 3


def test_of_the_837_terms_of_ctcae_only_these_ring_by_their_name_beside_not_serious() -> None:
    rung = {name for name in CODES if seriousness.of(event(name, serious=False, grade=1), None).serious}
    assert rung == {
        "Asystole",
        "Cardiac arrest",
        "Ventricular fibrillation",
        "Death NOS",
        "Death neonatal",
        "Sudden death NOS",
        "Extrapyramidal disorder",
        "Hepatitis B reactivation",
        "Myelodysplastic syndrome",
        "Treatment related secondary malignancy",
    }
