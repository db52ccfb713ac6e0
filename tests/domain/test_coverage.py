"""Which report tells of a graded observation, and what is asked of the site where none does."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.cases import SHANGHAI, coded, event
from tests.domain.observed import ALT, ANC, AST, PLATELETS, anc, derived
from tocsin.criteria import load_terms
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Coded, Event
from tocsin.domain.coverage import Telling, Unreported, belonging, covers, tells, uncovered
from tocsin.domain.derived import Derived
from tocsin.domain.same_finding import FINDINGS, finding_of
from tocsin.domain.words import Scale

IS, TELLS = Telling.IS, Telling.TELLS


def told(of: Event, by: Coded | None, term: str) -> Telling | None:
    found = tells(of, by, derived(term, "2026-03-05", 4).grading)
    return None if found is None else found[0]


def asked(*found: Derived, events: list[tuple[Event, Coded | None]] | None = None) -> tuple[Unreported, ...]:
    return uncovered(found, events or [], SHANGHAI)


@pytest.mark.parametrize(
    ("verbatim", "term", "how"),
    [
        ("neutropenia", ANC, IS),
        ("Grade 4 neutropaenia", ANC, IS),
        ("low neutrophils", ANC, IS),
        ("neutrophil count 0.3 decreased", ANC, IS),
        ("ANC 0.3", ANC, IS),
        ("中性粒细胞减少", ANC, IS),
        ("中性粒细胞计数0.3降低", ANC, IS),
        ("粒细胞缺乏", ANC, IS),
        ("febrile neutropenia", ANC, TELLS),
        ("粒缺伴发热", ANC, TELLS),
        ("pancytopenia", ANC, TELLS),
        ("骨髓抑制", ANC, TELLS),
        ("no neutropenia", ANC, None),
        ("无中性粒细胞减少", ANC, None),
        ("ANC increased after G-CSF", ANC, None),
        ("嗜酸性粒细胞减少", ANC, None),
        ("thrombocytopenia", ANC, None),
        ("thrombocytopenia", PLATELETS, IS),
        ("platelets low", PLATELETS, IS),
        ("血小板减少", PLATELETS, IS),
        ("thrombotic thrombocytopenic purpura", PLATELETS, TELLS),
        ("anaemia", "Anemia", IS),
        ("hemoglobin decreased", "Anemia", IS),
        ("贫血", "Anemia", IS),
        ("血红蛋白降低", "Anemia", IS),
        ("leukaemia", "Anemia", None),
        ("leukopenia", "White blood cell decreased", IS),
        ("白细胞减少", "White blood cell decreased", IS),
        ("leukocytosis", "White blood cell decreased", None),
        ("lymphopenia", "Lymphocyte count decreased", IS),
        ("淋巴细胞减少", "Lymphocyte count decreased", IS),
        ("ALT elevated", ALT, IS),
        ("PLT 12", ALT, None),
        ("transaminases increased", ALT, IS),
        ("transaminases increased", AST, IS),
        ("转氨酶升高", AST, IS),
        ("AST elevated", ALT, None),
        ("hepatic toxicity", ALT, TELLS),
        ("肝功能异常", AST, TELLS),
        ("liver enzymes increased", ALT, IS),
        ("creatinine raised", "Creatinine increased", IS),
        ("acute kidney injury", "Creatinine increased", TELLS),
        ("急性肾损伤", "Creatinine increased", TELLS),
        ("血肌酐升高", "Creatinine increased", IS),
        ("hypokalaemia", "Hypokalemia", IS),
        ("low potassium", "Hypokalemia", IS),
        ("低钾血症", "Hypokalemia", IS),
        ("低钾血症", "Hyperkalemia", None),
        ("hyperkalemia", "Hypokalemia", None),
        ("血钾升高", "Hyperkalemia", IS),
        ("hyponatremia", "Hyponatremia", IS),
        ("低钙血症", "Hypocalcemia", IS),
        ("hypophosphataemia", "Hypophosphatemia", IS),
        ("高血糖", "Hyperglycemia", IS),
        ("fibrinogen low", "Fibrinogen decreased", IS),
        ("DIC", "Fibrinogen decreased", TELLS),
        ("low blood pressure", "Hypotension", IS),
        ("CRS", "Hypotension", TELLS),
        ("低血压", "Hypotension", IS),
        ("高血压", "Hypotension", None),
        ("血氧下降", "Hypoxia", IS),
        ("febrile neutropenia", "Fever", TELLS),
        ("afebrile", "Fever", None),
        ("QTc间期延长", "Electrocardiogram QT corrected interval prolonged", IS),
        ("血清淀粉酶升高", "Serum amylase increased", IS),
        ("creatine kinase raised", "Creatinine increased", None),
        ("chronic kidney disease", "Chronic kidney disease", IS),
        ("ejection fraction decreased to 30%", "Ejection fraction decreased", IS),
        ("haptoglobin decreased", "Haptoglobin decreased", IS),
        ("rash", "Haptoglobin decreased", None),
    ],
)
@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_the_sites_words_tell_of_a_finding_or_do_not(verbatim: str, term: str, how: Telling | None) -> None:
    assert told(event(verbatim), None, term) is how


@pytest.mark.parametrize(
    ("verbatim", "code", "term", "how"),
    [
        ("cells down", coded(ANC), ANC, IS),
        ("neutropenia", coded("Febrile neutropenia"), ANC, TELLS),
        ("sepsis with neutropenia", coded("Sepsis"), ANC, TELLS),
        ("ALT and AST increased", coded(ALT), AST, IS),
        ("fever, neutropenia", coded("Fever"), ANC, TELLS),
        ("症状", coded(AST), ALT, None),
        ("low cells", coded("Thrombocytopenia", code="10043554"), PLATELETS, IS),
        ("low cells", coded("Neutropenia", code="99999999"), ANC, IS),
        ("kidneys", coded("Acute kidney injury"), "Creatinine increased", TELLS),
        ("hepatitis B came back", coded("Hepatitis B reactivation"), ALT, TELLS),
    ],
)
def test_a_code_decides_whether_the_grade_is_that_of_the_finding(
    verbatim: str, code: Coded, term: str, how: Telling | None
) -> None:
    assert told(event(verbatim), code, term) is how


@pytest.mark.parametrize(
    ("verbatim", "term", "scale", "how"),
    [
        ("CRS", "Cytokine release syndrome", Scale.ASTCT, IS),
        ("细胞因子释放综合征", "Cytokine release syndrome", Scale.CTCAE, IS),
        ("ICANS", "Immune effector cell-associated neurotoxicity syndrome", Scale.ASTCT, IS),
        ("CRS", "ICANS", Scale.ASTCT, None),
        ("no CRS", "Cytokine release syndrome", Scale.ASTCT, None),
        ("HLH-like syndrome", "IEC-HS", Scale.IEC_HS, IS),
        ("噬血细胞综合征", "IEC-HS", Scale.IEC_HS, IS),
        ("haematotoxicity", "Early immune effector cell-associated hematotoxicity", Scale.ICAHT, IS),
        ("neutropenia", "Early immune effector cell-associated hematotoxicity", Scale.ICAHT, TELLS),
    ],
)
def test_a_syndrome_goes_by_its_name(verbatim: str, term: str, scale: Scale, how: Telling | None) -> None:
    found = tells(event(verbatim), None, derived(term, "2026-03-05", 3, scale=scale, edition="2019").grading)
    assert (None if found is None else found[0]) is how


def test_every_code_of_the_table_is_a_term_of_ctcae_and_of_one_finding() -> None:
    terms = {term.code: term.name for edition in ("5.0", "6.0") for term in load_terms(edition)}
    own = [code for finding in FINDINGS for code in finding.codes]
    assert len(own) == len(set(own))
    assert {code for finding in FINDINGS for code in finding.codes | finding.tells_codes} <= set(terms)
    for code in own:
        found = finding_of(code, terms[code])
        assert found is not None
        assert code == "10011363" or found.is_.search(terms[code]), terms[code]


@pytest.mark.parametrize(
    ("onset", "end", "does_cover"),
    [
        (None, None, True),
        ("2026-03-05T07:30", None, True),
        ("2026-03-06T07:30", None, True),
        ("2026-03-06T07:31", None, False),
        ("2026-03-06", None, True),
        ("2026-03-07", None, False),
        ("2026-03", None, True),
        ("2026-03-01", "2026-03-04T07:30", True),
        ("2026-03-01", "2026-03-04T07:29", False),
        ("2026-03-01", "2026-03-04", True),
        ("2026-03-01", "2026-03-03", False),
    ],
)
def test_an_event_covers_a_value_of_its_time_and_a_day_beside_it(
    onset: str | None, end: str | None, does_cover: bool
) -> None:
    of = event("neutropenia", onset=onset, end=None if end is None else Partial.parse(end))
    value = anc("2026-03-05T07:30", "0.4", 4)
    assert bool(covers(of, None, value, SHANGHAI)) is does_cover
    assert bool(covers(event("rash", onset=onset), None, value, SHANGHAI)) is False


def test_the_slack_is_a_parameter() -> None:
    of, value = event("neutropenia", onset="2026-03-08T08:00"), anc("2026-03-05T08:00", "0.4", 4)
    assert not covers(of, None, value, SHANGHAI)
    assert covers(of, None, value, SHANGHAI, slack=timedelta(days=3))


def test_an_event_that_was_taken_back_covers_nothing() -> None:
    assert not covers(event("neutropenia", nullified=True), None, anc("2026-03-05", "0.4", 4), SHANGHAI)


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_a_grade_4_that_nobody_reported_is_asked_of_the_site_once() -> None:
    (one,) = asked(
        anc("2026-03-05T07:30", "0.7", 3), anc("2026-03-08T07:30", "0.4", 4), anc("2026-03-10T07:30", "0.6", 3)
    )
    assert one.worst.said == "neutrophils 0.4 10*9/L"
    assert one.evidence == ("record/2026-03-05T07:30", "record/2026-03-08T07:30", "record/2026-03-10T07:30")
    assert not one.is_provisional
    assert one.english == (
        "We hold a value that is CTCAE 5.0 grade 4 (Neutrophil count decreased): neutrophils 0.4 10*9/L of "
        "2026-03-08T07:30, and no report of it. Please report it, or tell us why it is no adverse event."
    )
    assert one.chinese == (
        "我们收到的一项数值为 CTCAE 5.0 4级（中性粒细胞减少）：2026-03-08T07:30，neutrophils 0.4 10*9/L，"
        "但未收到相应的报告。请报告，或说明为何不是不良事件。"
    )


def test_a_reported_neutropenia_leaves_nothing_to_ask() -> None:
    found = anc("2026-03-05T07:30", "0.4", 4)
    assert asked(found, events=[(event("中性粒细胞减少", onset="2026-03-04"), None)]) == ()
    assert asked(found, events=[(event("febrile neutropenia"), None)]) == ()
    assert len(asked(found, events=[(event("thrombocytopenia"), None)])) == 1


def test_a_report_of_another_time_is_named_in_the_question() -> None:
    ended = event("neutropenia", onset="2026-03-01", end=Partial.parse("2026-03-10"))
    (one,) = asked(anc("2026-03-05", "0.4", 4), anc("2026-03-20", "0.3", 4), events=[(ended, None)])
    assert [value.at.text for value in one.values] == ["2026-03-20"]
    assert one.elsewhere == ("TOC-0031-E1",)
    assert "and no report of it (TOC-0031-E1 tells of it at another time)." in one.english


def test_a_syndrome_that_nobody_reported_is_asked_by_its_name() -> None:
    found = derived(
        "Cytokine release syndrome", "2026-03-05T07:30", 3, scale=Scale.ASTCT, edition="2019", said="one vasopressor"
    )
    (one,) = asked(found)
    assert one.english.startswith("We hold an observation that is ASTCT 2019 grade 3 (Cytokine release syndrome): one")
    assert one.chinese.startswith("我们收到的一项观察结果为 ASTCT 2019 3级（细胞因子释放综合征）：2026-03-05T07:30")
    assert asked(found, events=[(event("CRS grade 1"), None)]) == ()


def test_what_is_below_grade_3_is_not_asked() -> None:
    assert asked(anc("2026-03-05", "1.2", 2)) == ()


def test_where_only_the_highest_reaches_grade_3_the_question_is_provisional() -> None:
    (one,) = asked(derived("Creatinine increased", "2026-03-05", 2, 3, said="creatinine 210 umol/L"))
    assert one.is_provisional
    assert one.english.startswith("We hold a value that may be CTCAE 5.0 grade 2 to 3 (Creatinine increased)")
    assert one.chinese.startswith("我们收到的一项数值可能为 CTCAE 5.0 2至3级（血肌酐升高）")


@pytest.mark.parametrize(
    ("second", "between", "how_many"),
    [
        ("2026-03-19T08:00", None, 1),
        ("2026-03-19T08:01", None, 2),
        ("2026-03-12T08:00", "2026-03-08T08:00", 2),
        ("2026-03-12T08:00", "2026-03-20T08:00", 1),
    ],
)
def test_values_two_weeks_apart_or_with_a_lower_grade_between_are_two_episodes(
    second: str, between: str | None, how_many: int
) -> None:
    lower = [] if between is None else [anc(between, "1.2", 2)]
    assert len(asked(anc("2026-03-05T08:00", "0.4", 4), anc(second, "0.4", 4), *lower)) == how_many


def test_each_term_is_asked_for_itself() -> None:
    found = asked(anc("2026-03-05", "0.4", 4), derived(PLATELETS, "2026-03-05", 4), derived(ALT, "2026-03-05", 3))
    assert [one.worst.grading.term for one in found] == [ALT, ANC, PLATELETS]


def test_only_values_of_the_finding_itself_belong_to_an_event() -> None:
    values = (anc("2026-03-05", "0.4", 4), derived(ALT, "2026-03-05", 3))
    assert belonging(event("neutropenia"), None, values, SHANGHAI) == values[:1]
    assert belonging(event("febrile neutropenia"), None, values, SHANGHAI) == ()


findings = st.lists(
    st.builds(
        lambda day, grade, term: derived(term, f"2026-03-{day:02d}", grade, evidence=f"{term} {day} {grade}"),
        st.integers(1, 31), st.integers(0, 4), st.sampled_from([ANC, PLATELETS, ALT]),
    ),
    max_size=12,
)  # fmt: skip
reports = st.lists(
    st.builds(
        lambda words, n, day, days: (
            event(words, n=n, onset=f"2026-03-{day:02d}", end=Partial.parse(f"2026-03-{min(day + days, 31):02d}")), None
        ),
        st.sampled_from(["neutropenia", "血小板减少", "pancytopenia", "rash"]), st.integers(1, 9), st.integers(1, 31),
        st.integers(0, 20),
    ),
    max_size=4,
)  # fmt: skip


@given(findings, reports, st.randoms(use_true_random=False))
@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_the_questions_do_not_depend_on_the_order_of_arrival(
    found: list[Derived], events: list[tuple[Event, Coded | None]], random: Random
) -> None:
    before = uncovered(found, events, SHANGHAI)
    random.shuffle(found)
    random.shuffle(events)
    assert uncovered([*found, *found[:2]], events, SHANGHAI) == before


@given(findings, reports)
@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_every_grade_3_or_more_is_covered_or_asked_and_never_both(
    found: list[Derived], events: list[tuple[Event, Coded | None]]
) -> None:
    in_question = [value for one in uncovered(found, events, SHANGHAI) for value in one.values]
    assert len(in_question) == len(set(in_question))
    for value in set(found):
        is_told = any(covers(e, c, value, SHANGHAI) for e, c in events)
        assert (value in in_question) == (value.grading.highest >= 3 and not is_told)


@given(findings, reports)
def test_one_report_more_never_makes_a_question_more_than_it_parts(
    found: list[Derived], events: list[tuple[Event, Coded | None]]
) -> None:
    def open_values(of: list[tuple[Event, Coded | None]]) -> set[Derived]:
        return {value for one in uncovered(found, of, SHANGHAI) for value in one.values}

    assert open_values(events) <= open_values(events[:-1])
    assert len(uncovered(found, events, SHANGHAI)) <= len(uncovered(found, events[:-1], SHANGHAI))
