"""Which verbatims are coded, which stop for a person, and what is said about each."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddra_coder.coding import Coding, Method, Status, code_event
from meddra_coder.dictionary import Dictionary, DictionaryTerm, Kind, default_dictionary
from meddra_coder.wording import normalise

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / os.environ.get("TOCSIN_REFERENCE", "../shared/reference")).resolve()


def coding(verbatim: str) -> Coding:
    return code_event(verbatim, default_dictionary())


@pytest.mark.rule("rules.md 6: auto-match only on an exact normalised LLT")
@pytest.mark.parametrize(
    ("verbatim", "code", "term", "method"),
    [
        ("Anemia", "10002272", "Anemia", "exact"),
        ("  Fever\n", "10016558", "Fever", "exact"),
        ("Cytokine release syndrome", "10052015", "Cytokine release syndrome", "exact"),
        ("Chest pain - cardiac", "10008481", "Chest pain - cardiac", "exact"),
        ("NAUSEA", "10028813", "Nausea", "normalised"),
        ("nausea.", "10028813", "Nausea", "normalised"),
        ("Anaemia", "10002272", "Anemia", "normalised"),
        ("ANAEMIA", "10002272", "Anemia", "normalised"),
        ("ＡＮＥＭＩＡ", "10002272", "Anemia", "normalised"),
        ("diarrhoea", "10012727", "Diarrhea", "normalised"),
        ("Diarrhœa", "10012727", "Diarrhea", "normalised"),
        ("Oesophagitis", "10015461", "Esophagitis", "normalised"),
        ("oesophageal varices haemorrhage", "10015453", "Esophageal varices hemorrhage", "normalised"),
        ("Gastro-oesophageal reflux disease", "10066874", "Gastroesophageal reflux disease", "normalised"),
        ("gastrooesophageal reflux disease", "10066874", "Gastroesophageal reflux disease", "normalised"),
        ("Leucocytosis", "10024378", "Leukocytosis", "normalised"),
        ("leucoencephalopathy", "10024382", "Leukoencephalopathy", "normalised"),
        ("Haemolytic uraemic syndrome", "10019515", "Hemolytic uremic syndrome", "normalised"),
        ("methaemoglobinaemia", "10027506", "Methemoglobinemia", "normalised"),
        ("Tumour lysis syndrome", "10045152", "Tumor lysis syndrome", "normalised"),
        ("TUMOUR-LYSIS SYNDROME", "10045152", "Tumor lysis syndrome", "normalised"),
        ("Oedema face", "10014222", "Edema face", "normalised"),
        ("oedema limbs", "10050068", "Edema limbs", "normalised"),
        ("localised oedema", "10062466", "Localized edema", "normalised"),
        ("Generalised  oedema", "10018112", "Generalized edema", "normalised"),
        ("papilloedema", "10033703", "Papilledema", "normalised"),
        ("paraesthesia", "10033987", "Paresthesia", "normalised"),
        ("dysaesthesia", "10062872", "Dysesthesia", "normalised"),
        ("Faecal incontinence", "10016296", "Fecal incontinence", "normalised"),
        ("caecal haemorrhage", "10065747", "Cecal hemorrhage", "normalised"),
        ("Haematuria", "10019450", "Hematuria", "normalised"),
        ("hypokalaemia", "10021018", "Hypokalemia", "normalised"),
        ("hyponatraemia", "10021038", "Hyponatremia", "normalised"),
        ("viraemia", "10054688", "Viremia", "normalised"),
        ("Gynaecomastia", "10018801", "Gynecomastia", "normalised"),
        ("virilisation", "10047488", "Virilization", "normalised"),
        ("urine discolouration", "10046628", "Urine discoloration", "normalised"),
        ("body odour", "10005901", "Body odor", "normalised"),
        ("hair colour changes", "10055525", "Hair color changes", "normalised"),
        ("transient ischaemic attacks", "10044391", "Transient ischemic attacks", "normalised"),
        ("Guillain-Barré syndrome", "10018767", "Guillain-Barre syndrome", "normalised"),
        ("guillain barre syndrome", "10018767", "Guillain-Barre syndrome", "normalised"),
        ("Guillain–Barré Syndrome", "10018767", "Guillain-Barre syndrome", "normalised"),
        ("Mobitz（type）Ⅱ atrioventricular block", "10027786", "Mobitz (type) II atrioventricular block", "normalised"),
        ("mobitz type II atrioventricular block", "10027786", "Mobitz (type) II atrioventricular block", "normalised"),
        ("noncardiac chest pain", "10062501", "Non-cardiac chest pain", "normalised"),
        ("multi organ failure", "10028154", "Multi-organ failure", "normalised"),
        ("intraabdominal hemorrhage", "10055291", "Intra-abdominal hemorrhage", "normalised"),
        ("pre-syncope", "10036653", "Presyncope", "normalised"),
        ("febrile\u00a0neutropenia", "10016288", "Febrile neutropenia", "normalised"),
        ("“Platelet count decreased”", "10035528", "Platelet count decreased", "normalised"),
        ("neutrophil count decreased;", "10029366", "Neutrophil count decreased", "normalised"),
        ("rash maculo papular", "10037868", "Rash maculo-papular", "normalised"),
        (
            "Epstein Barr virus infection reactivation",
            "10015109",
            "Epstein-Barr virus infection reactivation",
            "normalised",
        ),
    ],
)
def test_a_written_name_is_coded(verbatim: str, code: str, term: str, method: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.llt_code, answer.term, answer.method) == ("coded", code, term, method)
    assert answer.verbatim == verbatim
    assert answer.confidence is None
    assert answer.dictionary_version == "CTCAE v5.0 (MedDRA 20.1 codes)"
    assert (answer.candidates[0].code, answer.candidates[0].why) == (code, "the same name")
    assert term in answer.reasons[0]


@pytest.mark.rule("readings.md Coding: outcomes stop for a person")
@pytest.mark.parametrize(
    "verbatim",
    [
        "Death NOS",
        "death nos",
        "DEATH NEONATAL",
        "Sudden death NOS",
        "Disease progression",
        "disease  progression.",
        "death",
        "Sudden death",
        "died",
        "Patient deceased",
        "Death due to sepsis",
        "fatal sepsis",
        "progressive disease",
        "progression of multiple myeloma",
        "tumour progression",
        "死亡",
        "疾病进展",
    ],
)
def test_an_outcome_stops_for_a_person_and_says_so(verbatim: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.llt_code, answer.term, answer.soc) == ("needs_review", None, None, None)
    assert any("is an outcome, not an event" in reason for reason in answer.reasons)


@pytest.mark.rule("readings.md Coding: other, specify, is never coded")
@pytest.mark.parametrize(
    "verbatim",
    [
        "Cardiac disorders - Other, specify",
        "INFECTIONS AND INFESTATIONS - OTHER, SPECIFY",
        "nervous system disorders other specify",
        "Surgical and medical procedures - Other, specify",
    ],
)
def test_other_specify_is_never_coded_nor_proposed(verbatim: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.llt_code) == ("needs_review", None)
    assert "never coded automatically" in answer.reasons[0]
    assert not [candidate for candidate in answer.candidates if "Other, specify" in candidate.term]


@pytest.mark.parametrize(
    ("verbatim", "among"),
    [
        ("APPLICATION SITE ERYTHEMA", "Injection site reaction"),
        ("transient ischaemic attack", "Transient ischemic attacks"),
        ("upper respiratory tract infection", "Upper respiratory infection"),
        ("pain abdominal", "Abdominal pain"),
        ("anemia?", "Anemia"),
        ("?anemia", "Anemia"),
        ("no anemia", "Anemia"),
        ("anemia (-)", "Anemia"),
        ("possible sepsis", "Sepsis"),
        ("nausea and vomiting", "Vomiting"),
        ("nausea/vomiting", "Nausea"),
        ("grade 3 diarrhea", "Diarrhea"),
        ("neutropenia", "Febrile neutropenia"),
        ("headach", "Headache"),
    ],
)
def test_all_else_is_held_with_candidates_by_letters(verbatim: str, among: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.llt_code, answer.method) == ("needs_review", None, "none")
    assert among in [candidate.term for candidate in answer.candidates]
    assert len(answer.candidates) <= 20
    assert answer.reasons == (
        "no term of CTCAE v5.0 (MedDRA 20.1 codes) has this name",
        "candidates are ordered by shared letters only, not by meaning",
    )


@pytest.mark.parametrize("verbatim", ["", "   ", "\u200b", "..."])
def test_an_empty_verbatim_asks_the_site(verbatim: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.candidates) == ("needs_review", ())
    assert answer.reasons[0] == "the verbatim is empty: the site is to be asked"


def test_chinese_has_no_candidates_yet_and_says_so() -> None:
    answer = coding("发热")
    assert answer.status == "needs_review"
    assert answer.reasons[-1] == "no candidates: no term shares letters with the verbatim"


def test_a_name_that_fits_two_terms_is_held() -> None:
    terms = [
        DictionaryTerm(code=code, name=name, soc="Invented", soc_code=None, kind=Kind.EVENT)
        for code, name in (("10000001", "Blue-ear"), ("10000002", "Blue ear"))
    ]
    dictionary = Dictionary("invented 1", terms)
    assert code_event("BLUE EAR", dictionary).status == Status.NEEDS_REVIEW
    assert code_event("BLUE EAR", dictionary).reasons[0] == "the name fits 2 terms: Blue-ear, Blue ear"
    assert code_event("Blue ear", dictionary).llt_code == "10000002"


def test_an_outcome_in_any_dictionary_stops_even_if_its_term_does_not_say_so() -> None:
    term = DictionaryTerm(code="10000001", name="Sudden death", soc="Invented", soc_code=None, kind=Kind.EVENT)
    assert code_event("Sudden death", Dictionary("invented 1", [term])).status == Status.NEEDS_REVIEW


@pytest.mark.parametrize(("top", "given"), [(0, 0), (3, 3), (20, 20), (500, 20), (-1, 0)])
def test_no_more_candidates_than_asked_for(top: int, given: int) -> None:
    assert len(code_event("infection of the skin", default_dictionary(), top=top).candidates) == given


@given(st.text())
def test_any_text_is_answered_and_the_same_each_time(verbatim: str) -> None:
    assert coding(verbatim) == coding(verbatim)


@given(st.sampled_from([term.name for term in default_dictionary().terms]), st.data())
def test_coded_only_when_the_wording_is_a_name_of_that_term(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name)))
    insert = data.draw(st.sampled_from(["", " ", "-", "?", "x", "no ", ".", "é", "Ａ", "'", "death "]))
    answer = coding(name[:at] + insert + name[at:])
    if answer.status == Status.CODED:
        assert answer.term is not None
        assert normalise(answer.verbatim).text == normalise(answer.term).text
        term = default_dictionary().named(answer.term)
        assert term is not None
        assert (term.code, term.soc, term.kind) == (answer.llt_code, answer.soc, Kind.EVENT)
    else:
        assert answer.method == Method.NONE


@pytest.mark.reference
def test_of_the_cdisc_pilot_473_events_are_coded_and_718_are_held() -> None:
    pilot = REFERENCE / "pilot" / "cdiscpilot_ae.csv"
    if not pilot.is_file():
        pytest.skip(f"the reference files are not at {REFERENCE}; set TOCSIN_REFERENCE")
    with pilot.open(encoding="utf-8", newline="") as lines:
        answers = [coding(row["AETERM"]).status for row in csv.DictReader(lines)]
    assert (answers.count(Status.CODED), answers.count(Status.NEEDS_REVIEW)) == (473, 718)
