"""Which verbatims are coded, which stop for a person, and what is said about each."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddra_coder.coder import Coder, default_coder
from meddra_coder.coding import Coding, Status, code_event, code_events
from meddra_coder.confidence import MEASURED
from meddra_coder.dictionary import Dictionary, DictionaryTerm, Kind, default_dictionary
from meddra_coder.manner import Manner

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / os.environ.get("TOCSIN_REFERENCE", "../shared/reference")).resolve()


def coding(verbatim: str) -> Coding:
    return code_event(verbatim, default_coder())


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
    assert answer.confidence == MEASURED.get(answer.method)
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
    ("verbatim", "among", "why"),
    [
        (
            "APPLICATION SITE ERYTHEMA",
            "Injection site reaction",
            "no term of CTCAE v5.0 (MedDRA 20.1 codes) has this name",
        ),
        ("anemia?", "Anemia", '"?" says that it is not sure'),
        ("?anemia", "Anemia", '"?" says that it is not sure'),
        ("no anemia", "Anemia", '"no" says that something is not there'),
        ("anemia (-)", "Anemia", '"−" says that something is not there'),
        ("denies cough", "Cough", '"denies" says that something is not there'),
        ("无发热", "Fever", '"无" says that something is not there'),
        ("无咳嗽咳痰", "Cough", '"无" says that something is not there'),
        ("possible sepsis", "Sepsis", '"possible" says that it is not sure'),
        ("r/o sepsis", "Sepsis", '"r/o" says that it is not sure'),
        ("疑似肺部感染", "Lung infection", '"疑似" says that it is not sure'),
        ("history of hypertension", "Hypertension", '"history of" is of the past'),
        ("red cell transfusion for anemia", "Anemia", '"transfusion" is a procedure or a treatment'),
        ("nausea and vomiting", "Vomiting", "it names more than one event, to be split"),
        ("anemia requiring transfusion and hypotension", "Hypotension", '"transfusion" is a procedure or a treatment'),
        ("nausea/vomiting", "Nausea", "it names more than one event, to be split"),
        ("发热伴寒战", "Chills", "it names more than one event, to be split"),
        ("fever, reason unknown to me", "Fever", "beside Fever it says"),
    ],
)
def test_what_is_not_one_sure_event_is_held_with_its_reason_and_candidates(verbatim: str, among: str, why: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.llt_code, answer.method, answer.confidence) == ("needs_review", None, "none", None)
    assert among in [candidate.term for candidate in answer.candidates]
    assert len(answer.candidates) <= 20
    assert any(reason.startswith(why) for reason in answer.reasons), answer.reasons
    assert answer.reasons[-1] == "candidates are ordered by likeness, not by meaning"


def test_the_split_of_two_events_is_proposed() -> None:
    answer = coding("nausea and vomiting, grade 2")
    assert answer.split == (("nausea", "10028813"), ("vomiting", "10047700"))
    assert answer.reasons[0] == ('it names more than one event, to be split: "nausea" (Nausea), "vomiting" (Vomiting)')
    assert [candidate.code for candidate in answer.candidates[:2]] == ["10028813", "10047700"]


@pytest.mark.parametrize(
    ("verbatim", "term", "method", "told"),
    [
        ("Grade 3 diarrhea", "Diarrhea", "normalised", [("grade", "grade 3")]),
        ("fever 39.2 °C on 3 Mar 2026", "Fever", "normalised", [("date", "on 3 mar 2026"), ("value", "39.2 °c")]),
        ("severe flank pain, left-sided", "Flank pain", "normalised", [("severity", "severe"), ("side", "left-sided")]),
        (
            "nausea possibly related to study drug",
            "Nausea",
            "normalised",
            [("relation", "possibly related to study drug")],
        ),
        ("acute kidney injury", "Acute kidney injury", "normalised", []),
        ("severe acute kidney injury", "Acute kidney injury", "normalised", [("severity", "severe")]),
        ("anaemia requiring 2 u PRBC", "Anemia", "normalised", [("treatment", "requiring 2 u prbc")]),
        ("pericardial effusion, small, on echo", "Pericardial effusion", "normalised", [("evidence", "on echo")]),
        ("血小板计数降低3级", "Platelet count decreased", "synonym", [("grade", "3级")]),
    ],
)
def test_what_stands_beside_the_event_is_taken_out_and_kept(
    verbatim: str, term: str, method: str, told: list[tuple[str, str]]
) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.term, answer.method) == ("coded", term, method)
    assert [(one.kind, one.words) for one in answer.told if one.kind in dict(told)] == told
    assert all(f"taken out: {kind} ({words})" in answer.reasons for kind, words in told)


@pytest.mark.parametrize(
    ("verbatim", "term"),
    [
        ("low platelets", "Platelet count decreased"),
        ("PLT↓", "Platelet count decreased"),
        ("decreased count of thrombocytes", "Platelet count decreased"),
        ("bleeding from the rectum", "Rectal hemorrhage"),
        ("infection of the skin", "Skin infection"),
        ("pain in the abdomen", "Abdominal pain"),
        ("肾出血", "Renal hemorrhage"),
    ],
)
def test_other_words_for_the_same_are_the_same(verbatim: str, term: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.term) == ("coded", term)


@pytest.mark.parametrize(
    ("verbatim", "term"),
    [
        ("headach", "Headache"),
        ("diahrea", "Diarrhea"),
        ("hypertnsion", "Hypertension"),
        ("consitpation", "Constipation"),
    ],
)
def test_a_slip_of_the_pen_is_mended_and_told(verbatim: str, term: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.term, answer.method) == ("coded", term, "spelling")
    assert f'once "{verbatim}" is read as "' in answer.reasons[0]


@pytest.mark.parametrize(
    ("verbatim", "term"),
    [
        ("乏利", "Fatigue"),
        ("便密", "Constipation"),
        ("欧吐 2次", "Vomiting"),
        ("血小扳计数降低 3级", "Platelet count decreased"),
    ],
)
def test_a_chinese_character_of_the_same_sound_is_mended_and_told(verbatim: str, term: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.term, answer.method) == ("coded", term, "spelling")
    assert "which sounds the same" in answer.reasons[0]


@pytest.mark.parametrize("verbatim", ["双下肢不肿", "言痛", "肝盐"])
def test_a_character_that_negates_or_leaves_a_doubt_is_no_slip(verbatim: str) -> None:
    """不肿 and 浮肿 sound alike to some, and 言痛 is 咽痛 or 眼痛."""
    assert coding(verbatim).status == "needs_review"


@pytest.mark.parametrize(
    ("verbatim", "term", "place"),
    [("herpes zoster on the trunk", "Shingles", "trunk"), ("躯干瘙痒", "Pruritus", "躯干")],
)
def test_a_place_is_left_out_where_no_term_tells_such_an_event_by_its_place(
    verbatim: str, term: str, place: str
) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.term, answer.method) == ("coded", term, "place")
    assert f"taken out: place ({place})" in answer.reasons


def test_a_word_of_circumstance_that_belongs_to_a_name_is_not_left_out() -> None:
    """MedDRA has a term for itching all over beside that for itching; CTCAE has not."""
    terms = [
        DictionaryTerm("10000001", "Pruritus", "Skin", None, Kind.EVENT),
        DictionaryTerm("10000002", "Pruritus generalised", "Skin", None, Kind.EVENT),
    ]
    coder = Coder(Dictionary.of("two terms", terms))
    answer = code_event("Generalized pruritus", coder)
    assert (answer.term, answer.method) == ("Pruritus generalised", "words")
    assert coding("generalized pruritus").term == "Pruritus"


@pytest.mark.parametrize("verbatim", ["pain in the elbow and elsewhere", "oedema of the flank", "腰疼腿疼", "膝盖出血"])
def test_a_place_that_may_be_of_the_name_is_never_left_out(verbatim: str) -> None:
    """CTCAE tells pain, edema and bleeding by their place; and one thing in two places is two events."""
    assert coding(verbatim).status == "needs_review"


@pytest.mark.parametrize(
    ("verbatim", "term", "treatment"),
    [
        ("constipation, lactulose given", "Constipation", "lactulose given"),
        ("低血压2级，予补液", "Hypotension", "予补液"),
    ],
)
def test_a_clause_that_says_only_what_was_given_is_kept_beside_the_event(
    verbatim: str, term: str, treatment: str
) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.term, answer.method) == ("coded", term, "treated")
    assert f"taken out: treatment ({treatment})" in answer.reasons


@pytest.mark.parametrize("verbatim", ["头痛，予布洛芬后呕吐", "headache, given ibuprofen then vomited", "予补液"])
def test_an_event_in_the_clause_of_a_treatment_is_not_lost(verbatim: str) -> None:
    assert coding(verbatim).status == "needs_review"


@pytest.mark.parametrize("verbatim", ["shingles in 2018", "2015年带状疱疹", "hepatitis B since 2009"])
def test_a_year_alone_is_of_the_past(verbatim: str) -> None:
    answer = coding(verbatim)
    assert answer.status == "needs_review"
    assert any("is of the past" in reason for reason in answer.reasons)


@pytest.mark.parametrize("verbatim", ["lab abnormality", "abnormal", "low", "异常", "下降"])
def test_a_word_that_only_qualifies_is_no_event(verbatim: str) -> None:
    assert coding(verbatim).status == "needs_review"


@pytest.mark.parametrize(
    "verbatim", ["hypotnsion hypertnsion", "hyprtension hypotension", "xyz", "fevr of unknown oriin"]
)
def test_a_slip_that_leaves_a_doubt_is_not_mended_into_a_code(verbatim: str) -> None:
    assert coding(verbatim).status == "needs_review"


@pytest.mark.rule("readings.md Coding: a bare laboratory value")
@pytest.mark.parametrize(
    ("verbatim", "term"),
    [
        ("ANC 0.3", "Neutrophil count decreased"),
        ("ANC 300", "Neutrophil count decreased"),
        ("中性粒细胞0.3×10^9/L", "Neutrophil count decreased"),
        ("Hb 68 g/L", "Anemia"),
        ("Hb 6.8", "Anemia"),
        ("platelets 12", "Platelet count decreased"),
        ("ALT 6 x ULN", "Alanine aminotransferase increased"),
        ("ANC 1.8", None),  # without the lower limit of normal it may be grade 1 or none
        ("ANC 5.2", None),
        ("纤维蛋白原0.9g/L", "Fibrinogen decreased"),  # no laboratory's lower limit is under 1.5 g/L
        ("纤维蛋白原1.7g/L", None),  # the lower limit of normal is not told
        ("ALT 213 U/L", "Alanine aminotransferase increased"),  # no laboratory's upper limit is over 90 U/L
        ("ALT 60", None),  # the upper limit of normal is not told
        ("尿酸 612μmol/L", "Hyperuricemia"),
        ("QTcF 512ms", "Electrocardiogram QT corrected interval prolonged"),
        ("血小板只有2万", "Platelet count decreased"),
        ("NEUT# 0.05（参考值1.8-6.3）", "Neutrophil count decreased"),
        ("corrected Ca 1.82 mmol/L", "Hypocalcemia"),
        ("Ca 1.82 mmol/L", None),  # ionised it would be too high, in all too low
        ("INR 2.1", None),  # under anticoagulation it is meant to be so
        ("ANC 0.3 to 0.8", None),
        ("ANC 0.3 furlongs", None),
    ],
)
def test_a_bare_value_is_a_term_only_where_it_lies_surely_in_a_grade(verbatim: str, term: str | None) -> None:
    answer = coding(verbatim)
    assert answer.term == term
    if term:
        assert answer.method == "laboratory_value"


@pytest.mark.parametrize("verbatim", ["", "   ", "\u200b", "..."])
def test_an_empty_verbatim_asks_the_site(verbatim: str) -> None:
    answer = coding(verbatim)
    assert (answer.status, answer.candidates) == ("needs_review", ())
    assert answer.reasons[0] == "the verbatim is empty: the site is to be asked"


def test_chinese_is_coded_and_what_is_not_known_has_candidates_across_languages() -> None:
    assert (coding("发热").term, coding("发热").status) == ("Fever", "coded")
    answer = coding("肾脏怪怪的感染")
    assert answer.status == "needs_review"
    assert "Kidney infection" in [candidate.term for candidate in answer.candidates[:3]]


def test_a_name_that_fits_two_terms_is_held() -> None:
    terms = [
        DictionaryTerm(code=code, name=name, soc="Invented", soc_code=None, kind=Kind.EVENT)
        for code, name in (("10000001", "Blue-ear"), ("10000002", "Blue ear"))
    ]
    coder = Coder(Dictionary.of("invented 1", terms))
    assert code_event("BLUE EAR", coder).status == Status.NEEDS_REVIEW
    assert code_event("BLUE EAR", coder).reasons[0] == "the name fits 2 terms: Blue-ear, Blue ear"
    assert code_event("Blue ear", coder).llt_code == "10000002"


def test_an_outcome_in_any_dictionary_stops_even_if_its_term_does_not_say_so() -> None:
    term = DictionaryTerm(code="10000001", name="Sudden death", soc="Invented", soc_code=None, kind=Kind.EVENT)
    assert code_event("Sudden death", Coder(Dictionary.of("invented 1", [term]))).status == Status.NEEDS_REVIEW


@pytest.mark.parametrize(("top", "given"), [(0, 0), (3, 3), (20, 20), (500, 20), (-1, 0)])
def test_no_more_candidates_than_asked_for(top: int, given: int) -> None:
    assert len(code_event("infection of the skin", default_coder(), top=top).candidates) == given


@given(st.text())
def test_any_text_is_answered_and_the_same_each_time(verbatim: str) -> None:
    assert coding(verbatim) == coding(verbatim)


@given(st.sampled_from([term.name for term in default_dictionary().terms]), st.data())
def test_a_word_that_stops_a_coding_does_so_wherever_it_is_put_into_a_name(name: str, data: st.DataObject) -> None:
    words = name.split()
    at = data.draw(st.integers(0, len(words)))
    stop = data.draw(st.sampled_from(["no", "possible", "?", "denies", "death", "history of", "疑似", "否认"]))
    answer = coding(" ".join([*words[:at], stop, *words[at:]]))
    assert answer.status == Status.NEEDS_REVIEW


@given(st.sampled_from([term for term in default_dictionary().terms if term.kind is Kind.EVENT]), st.data())
def test_a_name_with_a_letter_more_is_coded_as_itself_or_not_at_all(term: DictionaryTerm, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(term.name)))
    insert = data.draw(st.sampled_from(["", " ", "-", "x", ".", "é", "Ａ", "'"]))
    answer = coding(term.name[:at] + insert + term.name[at:])
    assert answer.llt_code in (term.code, None)
    if answer.status == Status.CODED:
        assert (answer.term, answer.soc) == (term.name, term.soc)
    else:
        assert answer.method == Manner.NONE


@given(
    st.lists(
        st.sampled_from(["Anemia", "low platelets", "no fever", "ANC 0.3", "diahrea", "发热伴寒战", "zz", ""]),
        max_size=9,
    )
)
def test_many_at_once_are_answered_as_each_alone(verbatims: list[str]) -> None:
    assert code_events(verbatims, default_coder()) == [coding(verbatim) for verbatim in verbatims]


@pytest.mark.reference
def test_of_the_cdisc_pilot_more_than_half_is_coded_and_no_procedure_or_outcome_is() -> None:
    pilot = REFERENCE / "pilot" / "cdiscpilot_ae.csv"
    if not pilot.is_file():
        pytest.skip(f"the reference files are not at {REFERENCE}; set TOCSIN_REFERENCE")
    with pilot.open(encoding="utf-8", newline="") as lines:
        verbatims = [row["AETERM"] for row in csv.DictReader(lines)]
    answers = code_events(verbatims, default_coder(), top=0)
    assert len(answers) == 1191
    assert sum(answer.status == Status.CODED for answer in answers) > 550
    never = {"BIOPSY", "BIOPSY PROSTATE", "CATARACT OPERATION", "CYSTOSCOPY", "SUDDEN DEATH", "EYE LASER SURGERY"}
    held = [answer for answer in answers if answer.verbatim in never]
    assert len({answer.verbatim for answer in held}) >= 4
    assert {answer.status for answer in held} == {Status.NEEDS_REVIEW}
