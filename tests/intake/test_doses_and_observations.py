"""Doses and observations: kept as sent, said on the bus, one message a subject, all of a request or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.intake.at_site import Site, accepted
from tests.support.houses import PILOT
from tocsin.domain import units
from tocsin.messages.bodies import DoseRecordedV1
from tocsin.messages.facts import InfusionFacts

DOSES: list[dict[str, Any]] = [
    {"kind": "enrolment", "subject": "S01-001", "level": "DL1", "enrolled_on": "2026-02-10"},
    {"kind": "enrolment", "subject": "S01-001", "enrolled_on": "2026-02"},
    {"kind": "infusion", "subject": "S01-001", "level": "DL2", "started_at": "2026-02-27T10:05", "planned": 2.0,
     "given": 1.9, "unit": "10^6 cells/kg", "lot": "L7"},
    {"kind": "infusion", "subject": "S01-001", "level": "DL2", "started_at": "2026-02-27"},
    {"kind": "withdrawal", "subject": "S01-001", "withdrawn_on": "2026-04-01", "reason": "moved away"},
    {"kind": "product_event", "what": "mix_up", "found_at": "2026-02-27T09:20", "lot": "L7"},
    {"kind": "product_event", "what": "bag_failure", "subject": "S01-001", "found_at": "2026-02-27"},
]  # fmt: skip


@pytest.mark.parametrize("sent", DOSES)
def test_a_dose_record_is_kept_and_said(site: Site, sent: dict[str, Any]) -> None:
    receipt = accepted(site.post("/v1/doses", sent))
    (envelope,) = site.said("doses.recorded.v1")
    body = envelope.body

    assert receipt == {
        "record_id": body.record_id,
        "received_at": "2026-03-02T04:00:00Z",
        "study": "NCT06223646",
        "site": "S01",
        "subject": sent.get("subject"),
        "kind": sent["kind"],
    }
    assert isinstance(body, DoseRecordedV1)
    assert envelope.key == (sent.get("subject") or body.record_id)
    assert body.facts.model_dump(mode="json", exclude_unset=True) == sent
    assert site.audited()[-1][1:] == (
        f"{sent['kind'].replace('_', ' ')} recorded",
        f"dose record {body.record_id}",
    )


def test_the_unit_is_passed_on_as_it_was_written(site: Site) -> None:
    accepted(site.post("/v1/doses", {**DOSES[2], "unit": "×10^6 cells/kg"}))
    (envelope,) = site.said("doses.recorded.v1")

    assert isinstance(envelope.body.facts, InfusionFacts)
    assert envelope.body.facts.unit == "×10^6 cells/kg"


def seen(subject: str, **facts: Any) -> dict[str, Any]:
    return {"kind": "laboratory", "subject": subject, "at": "2026-03-01T06:00", "test": "Hb", "value": 9.1,
            "unit": "g/dL", **facts}  # fmt: skip


def test_observations_are_one_message_a_subject_in_the_order_sent(site: Site) -> None:
    sent = [seen("S01-002", value=1.0), seen("S01-001", value=2.0), seen("S01-002", value=3.0)]
    receipt = accepted(site.post("/v1/observations", {"observations": sent}))
    said = site.said("observations.recorded.v1")

    assert [(r["subject"], r["observations"]) for r in receipt["records"]] == [("S01-002", 2), ("S01-001", 1)]
    assert [e.key for e in said] == ["S01-002", "S01-001"]
    assert [one.value for one in said[0].body.observations] == [1.0, 3.0]
    assert site.audited()[-1][1] == "observations recorded"


def test_every_kind_of_observation_is_taken(site: Site) -> None:
    common = {"subject": "S01-001", "at": "2026-03-01T06:00"}
    kinds: list[dict[str, Any]] = [
        {"kind": "vital_sign", "sign": "temperature", "value": 39.1, "unit": "°C"},
        {"kind": "oxygen", "device": "low_flow_nc", "flow_l_per_min": 2},
        {"kind": "pressors", "excluding_vasopressin": 1, "vasopressin": False},
        {"kind": "ice", "score": 7, "orientation": 3},
        {"kind": "consciousness", "level": "voice"},
        {"kind": "seizure", "course": "none"},
        {"kind": "motor", "deep_focal": False},
        {"kind": "oedema", "extent": "none"},
        {"kind": "therapy", "what": "g_csf"},
        {"kind": "marrow", "myeloma_involvement": False},
    ]
    receipt = accepted(site.post("/v1/observations", {"observations": [{**common, **kind} for kind in kinds]}))

    assert receipt["records"][0]["observations"] == len(kinds)


def test_a_feed_may_send_subjects_of_several_sites_in_one_request(site: Site) -> None:
    feed = site.with_key(site=None)
    accepted(feed.post("/v1/observations", {"observations": [seen("S01-001"), seen("S02-001")]}))

    assert [e.body.site for e in site.said("observations.recorded.v1")] == ["S01", "S02"]


def test_five_thousand_values_are_one_request(site: Site) -> None:
    sent = [seen(f"S01-{n % 20:03d}", ref=f"LB-{n}", lln=12.0, uln=16.0) for n in range(5000)]
    receipt = accepted(site.post("/v1/observations", {"observations": sent}))

    assert sum(record["observations"] for record in receipt["records"]) == 5000


# Units

PILOT_UNITS = (
    "mg/dL", "THOU/uL", "U/L", "g/dL", "mEq/L", "NO UNITS", "pg", "MILL/uL", "%", "fL", "pg/mL", "uIU/mL", "FRACTION",
    "mmol/L", "GI/L", "umol/L", "g/L", "fmol(Fe)", "TI/L", "1", "pmol/L", "mU/L",
)  # fmt: skip
CTCAE_UNITS = (
    "mmol/L", "U/L", "mg/dL", "10*9/L", "%", "/mm3", "umol/L", "mm[Hg]", "g/dL", "Cel", "g/L", "1", "ms", "ng/mL", "pH",
    "[degF]", "mL/min/{1.73_m2}", "s", "kg/m2", "g/(24.h)", "mL/min/mmHg", "/d", "g/g", "mIU/L", "mL/(8.h)",
    "mL/(24.h)",
)  # fmt: skip


@pytest.mark.parametrize("unit", [*PILOT_UNITS, *CTCAE_UNITS])
def test_the_units_of_the_pilot_and_of_ctcae_are_known(unit: str) -> None:
    assert units.laboratory(unit) is not None


@pytest.mark.parametrize(
    ("text", "ucum"),
    [("µg/L", "ug/L"), ("μmol/L", "umol/L"), ("x10^9/L", "10*9/L"), (" g/dL ", "g/dL"), ("G/L", "10*9/L"),
     ("g/L", "g/L"), ("mL/min/1.73m²", "mL/min/{1.73_m2}")],
)  # fmt: skip
def test_one_unit_in_two_spellings_is_one_unit(text: str, ucum: str) -> None:
    assert units.laboratory(text) == ucum


@pytest.mark.parametrize("text", ["", "furlong", "MG/DL", "g / dL", "mg/dl/x"])
def test_what_could_be_another_unit_is_not_guessed(text: str) -> None:
    assert units.laboratory(text) is None


def test_a_study_without_dose_levels_takes_none(site: Site) -> None:
    pilot = site.with_key(PILOT, "701")
    answer = pilot.post("/v1/doses", {**DOSES[0], "subject": "01-701-1015"})

    assert "no dose levels" in answer.json()["errors"][0]["allowed"]
