"""What was observed of a subject becomes grades: laboratory values by CTCAE, the ward's facts by the syndromes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from meddra_coder import gradebook
from meddra_coder.handle import Parts, on_dose_recorded, on_observations_recorded
from tests.coder.conftest import AT
from tests.coder.test_handle import said
from tocsin.messages.bodies import DerivedGrade, DoseRecordedV1, GradesDerivedV1, ObservationsRecordedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store.engine import Store

STUDY, SUBJECT = "NCT06223646", "S01-003"


def observe(store: Store, parts: Parts, record: str, *seen: Mapping[str, Any], at: datetime = AT) -> None:
    """Observations as intake says them."""
    body = ObservationsRecordedV1.model_validate(
        {
            "record_id": record, "study": STUDY, "site": "S01", "subject": SUBJECT, "received_at": at,
            "observations": [{"subject": SUBJECT, **one} for one in seen],
        }
    )  # fmt: skip
    envelope = Envelope(identity("o", record), "observations.recorded.v1", SUBJECT, "ae-intake", STUDY, at, at, body)
    with store.transaction() as tx:
        on_observations_recorded(envelope, tx, parts)


def infuse(store: Store, parts: Parts, started_at: str) -> None:
    facts = {"kind": "infusion", "subject": SUBJECT, "level": "DL1", "started_at": started_at}
    body = DoseRecordedV1.model_validate(
        {"record_id": "D1", "study": STUDY, "site": "S01", "subject": SUBJECT, "received_at": AT, "facts": facts}
    )
    envelope = Envelope(identity("d"), "doses.recorded.v1", SUBJECT, "ae-intake", STUDY, AT, AT, body)
    with store.transaction() as tx:
        on_dose_recorded(envelope, tx, parts)


def lab(test: str, value: float, unit: str, at: str, **more: Any) -> dict[str, Any]:
    return {"kind": "laboratory", "test": test, "value": value, "unit": unit, "at": at, **more}


def anc(value: float, at: str, **more: Any) -> dict[str, Any]:
    return lab("Neutrophils", value, "10*9/L", at, **{"lln": 1.8, "uln": 6.3, **more})


def standing(store: Store) -> dict[tuple[str, str, str], DerivedGrade]:
    """The grades that count, by scale, term and time."""
    with store.reading() as connection:
        newest = {grade.grade_id: grade for grade, _, _ in gradebook.of_subject(connection, STUDY, SUBJECT)}
    return {(g.scale.value, g.term, g.at): g for g in newest.values() if not g.is_withdrawn}


def grade(store: Store, term: str, at: str, scale: str = "ctcae") -> tuple[int | None, int | None]:
    found = standing(store)[scale, term, at]
    return found.lowest, found.highest


@pytest.mark.rule("grading: editions never mix")
def test_a_value_is_graded_by_the_edition_of_its_study_and_says_why(store: Store, parts: Parts) -> None:
    observe(store, parts, "R1", anc(0.4, "2026-03-03T06:00"))

    found = standing(store)["ctcae", "Neutrophil count decreased", "2026-03-03T06:00"]
    assert (found.lowest, found.highest, found.edition, found.code) == (4, 4, "5.0", "10029366")
    assert found.evidence == ["R1/0"]
    assert found.said == "Neutrophils 0.4 10*9/L"
    assert found.reasons
    [message] = [one for one in said(store) if isinstance(one.body, GradesDerivedV1)]
    assert message.key == SUBJECT
    assert found in message.body.grades


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
def test_a_value_that_cannot_be_graded_says_why_and_has_no_grade(store: Store, parts: Parts) -> None:
    observe(store, parts, "R1", lab("Creatinine", 90, "umol/L", "2026-03-03T06:00"))

    found = standing(store)["ctcae", "Creatinine increased", "2026-03-03T06:00"]
    assert (found.lowest, found.highest) == (None, None)
    assert found.because


def glucose(value: float, **more: Any) -> dict[str, Any]:
    return lab("GLUC", value, "mmol/L", "2026-03-03T06:00", lln=3.9, uln=6.1, **more)


@pytest.mark.rule("grading: a value is judged by its specimen")
@pytest.mark.parametrize(
    ("specimen", "is_blood"),
    [
        (None, True), ("SERUM", True), ("plasma", True), ("静脉血", True), ("BLOOD, VENOUS", True), ("  ", True),
        ("URINE", False), ("urine, 24 hour", False), ("尿液", False), ("CSF", False), ("脑脊液", False),
        ("serum and urine", False), ("a drop of something", False),
    ],
)  # fmt: skip
def test_a_value_is_graded_as_blood_only_where_the_specimen_is_blood_or_not_named(
    store: Store, parts: Parts, specimen: str | None, is_blood: bool
) -> None:
    observe(store, parts, "R1", glucose(1.2) if specimen is None else glucose(1.2, specimen=specimen))

    graded = [(one.term, one.lowest) for one in standing(store).values()]
    assert (("Hypoglycemia", 4) in graded) is is_blood  # below 1.7 mmol/L
    assert bool(graded) is is_blood


@pytest.mark.rule("grading: a value is judged by its specimen")
def test_a_specimen_that_tells_two_quantities_apart_gives_the_value_its_term(store: Store, parts: Parts) -> None:
    ph = lab("PH", 7.1, "pH", "2026-03-03T06:00", lln=7.35, uln=7.45)
    observe(store, parts, "R1", ph)
    assert standing(store) == {}
    observe(store, parts, "R2", {**ph, "specimen": "动脉血"})

    found = standing(store)["ctcae", "Acidosis", "2026-03-03T06:00"]
    assert found.said == "PH (动脉血) 7.1 pH"


@pytest.mark.rule("grading: a value is judged by its specimen")
def test_a_correction_that_names_another_specimen_takes_the_first_grade_back(store: Store, parts: Parts) -> None:
    observe(store, parts, "R1", glucose(1.2, ref="LB-17"))
    assert standing(store)
    observe(store, parts, "R2", glucose(1.2, ref="LB-17", specimen="urine", correction=True))

    assert standing(store) == {}


@pytest.mark.rule("course: the site's grade and the computed one stand side by side")
def test_a_corrected_value_changes_the_grade_that_the_first_one_made(store: Store, parts: Parts) -> None:
    observe(store, parts, "R1", anc(0.4, "2026-03-03T06:00", ref="LB-17"))
    before = standing(store)["ctcae", "Neutrophil count decreased", "2026-03-03T06:00"]
    observe(store, parts, "R2", anc(1.4, "2026-03-03T06:00", ref="LB-17", correction=True))

    after = standing(store)["ctcae", "Neutrophil count decreased", "2026-03-03T06:00"]
    assert (after.lowest, after.number, after.evidence) == (2, 2, ["R2/0"])
    assert after.grade_id == before.grade_id


def test_a_correction_that_names_another_test_takes_the_first_grade_back(store: Store, parts: Parts) -> None:
    observe(store, parts, "R1", anc(0.4, "2026-03-03T06:00", ref="LB-17"))
    platelets = lab("Platelets", 80, "10*9/L", "2026-03-03T06:00", lln=150, uln=400, ref="LB-17", correction=True)
    observe(store, parts, "R2", platelets)

    terms = {term for _, term, _ in standing(store)}
    assert "Neutrophil count decreased" not in terms
    assert grade(store, "Platelet count decreased", "2026-03-03T06:00") == (1, 1)


def test_the_same_record_twice_says_nothing_new(store: Store, parts: Parts) -> None:
    observe(store, parts, "R1", anc(0.4, "2026-03-03T06:00"))
    how_many = len(said(store))
    infuse(store, parts, "2026-03-20T10:00")
    observe(store, parts, "R1", anc(0.4, "2026-03-03T06:00"))

    assert len([one for one in said(store) if isinstance(one.body, GradesDerivedV1)]) == how_many


def test_the_last_value_before_the_infusion_is_the_baseline_whichever_came_first(store: Store, parts: Parts) -> None:
    later = lab("Alanine aminotransferase", 150, "U/L", "2026-03-09T06:00", uln=40, lln=5)
    first = lab("Alanine aminotransferase", 30, "U/L", "2026-03-01T06:00", uln=40, lln=5)
    observe(store, parts, "R1", later)
    assert grade(store, "Alanine aminotransferase increased", "2026-03-09T06:00") != (2, 2)
    infuse(store, parts, "2026-03-02T10:00")
    observe(store, parts, "R2", first, at=AT + timedelta(days=9))

    # 150 is 3.75 times the upper limit, and the baseline was normal: CTCAE v5.0 grade 2.
    assert grade(store, "Alanine aminotransferase increased", "2026-03-09T06:00") == (2, 2)


def test_a_value_that_turns_out_to_be_the_baseline_is_graded_as_one(store: Store, parts: Parts) -> None:
    observe(store, parts, "R1", lab("Alanine aminotransferase", 60, "U/L", "2026-03-01T06:00", uln=40, lln=5))
    assert grade(store, "Alanine aminotransferase increased", "2026-03-01T06:00") != (0, 0)
    infuse(store, parts, "2026-03-02T10:00")

    # Its own baseline, abnormal: 1.0 times, where CTCAE v5.0 begins at 1.5 times.
    assert grade(store, "Alanine aminotransferase increased", "2026-03-01T06:00") == (0, 0)


def test_a_later_named_baseline_makes_the_value_itself_the_baseline(store: Store, parts: Parts) -> None:
    value = lab("Alanine aminotransferase", 60, "U/L", "2026-03-01T06:00", uln=40, lln=5, ref="A")
    observe(store, parts, "R1", value)
    observe(store, parts, "R2", {**value, "phase": "baseline", "correction": True})

    assert grade(store, "Alanine aminotransferase increased", "2026-03-01T06:00") == (0, 0)


def test_total_calcium_is_graded_once_the_albumin_of_the_same_draw_is_there(store: Store, parts: Parts) -> None:
    calcium = lab("Calcium", 1.9, "mmol/L", "2026-03-03T06:00", lln=2.1, uln=2.6)
    observe(store, parts, "R1", calcium)
    assert grade(store, "Hypocalcemia", "2026-03-03T06:00") == (None, None)
    observe(store, parts, "R2", lab("Albumin", 30, "g/L", "2026-03-03T06:00", lln=35, uln=50))

    # 1.9 + 0.02 × (40 - 30) = 2.1 mmol/L, which is not below the lower limit.
    assert grade(store, "Hypocalcemia", "2026-03-03T06:00") == (0, 0)


@pytest.mark.rule("rules.md 3.2", "rules.md 3.1")
def test_crs_is_graded_on_both_scales_from_what_the_ward_saw(store: Store, parts: Parts) -> None:
    infuse(store, parts, "2026-03-02T10:00")
    at = "2026-03-05T08:00"
    observe(
        store, parts, "R1",
        {"kind": "vital_sign", "sign": "temperature", "value": 39.1, "unit": "Cel", "at": at},
        {"kind": "vital_sign", "sign": "systolic", "value": 84, "unit": "mm[Hg]", "at": at},
        {"kind": "pressors", "excluding_vasopressin": 1, "vasopressin": False, "at": at},
        {"kind": "oxygen", "device": "low_flow_nc", "flow_l_per_min": 2, "at": at},
    )  # fmt: skip

    when = "2026-03-05T08:00+08:00"
    assert grade(store, "Cytokine release syndrome", when, "astct") == (3, 3)
    assert grade(store, "Cytokine release syndrome", when) == (3, 3)
    assert standing(store)["astct", "Cytokine release syndrome", when].evidence == ["R1/0", "R1/1", "R1/2", "R1/3"]


def test_a_fever_before_the_infusion_is_no_crs(store: Store, parts: Parts) -> None:
    infuse(store, parts, "2026-03-02T10:00")
    fever = {"kind": "vital_sign", "sign": "temperature", "value": 39.1, "unit": "Cel"}
    observe(store, parts, "R1", {**fever, "at": "2026-03-01T08:00"}, {**fever, "at": "2026-05-01T08:00"})

    assert not [term for _, term, _ in standing(store) if term == "Cytokine release syndrome"]


@pytest.mark.rule("rules.md 3.4")
def test_icans_is_graded_by_the_worst_axis(store: Store, parts: Parts) -> None:
    infuse(store, parts, "2026-03-02T10:00")
    at = "2026-03-07T08:00"
    observe(
        store, parts, "R1",
        {"kind": "ice", "score": 5, "at": at},
        {"kind": "consciousness", "level": "voice", "at": at},
        {"kind": "seizure", "course": "brief_resolves", "at": at},
        {"kind": "motor", "deep_focal": False, "at": at},
        {"kind": "oedema", "extent": "none", "at": at},
    )  # fmt: skip

    [found] = [one for (scale, _, _), one in standing(store).items() if scale == "astct"]
    assert (found.lowest, found.highest) == (3, 3)


@pytest.mark.rule("rules.md 3.6")
def test_haematotoxicity_is_one_grade_that_grows_with_the_counts(store: Store, parts: Parts) -> None:
    infuse(store, parts, "2026-03-02T10:00")
    observe(store, parts, "R1", *(anc(0.4, f"2026-03-{day:02d}T06:00") for day in range(3, 9)), anc(2.0, "2026-03-09"))
    early = [one for (scale, term, _), one in standing(store).items() if scale == "icaht" and term.startswith("Early")]

    assert [(one.lowest, one.highest) for one in early] == [(1, 1)]  # six days at 500 or less


def test_counts_of_another_unit_are_counted_too(store: Store, parts: Parts) -> None:
    infuse(store, parts, "2026-03-02T10:00")
    days = (lab("Neutrophils", 400, "/uL", f"2026-03-{day:02d}T06:00", lln=1800, uln=6300) for day in range(3, 10))
    observe(store, parts, "R1", *days, anc(2.0, "2026-03-10"))
    early = [one for (scale, term, _), one in standing(store).items() if scale == "icaht" and term.startswith("Early")]

    assert [(one.lowest, one.highest) for one in early] == [(2, 2)]  # seven days at 500 or less
