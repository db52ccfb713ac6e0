"""What a dose record itself rings for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alerting.ward import Ward, dose

INFUSION: dict[str, Any] = {
    "kind": "infusion",
    "subject": "S01-003",
    "level": "DL2",
    "started_at": "2026-05-08T10:00+08:00",
}


@pytest.mark.rule("readings.md DLT 2: outside 80 to 120 % of plan")
@pytest.mark.parametrize(
    ("planned", "given", "rings"),
    [
        (2.0, 2.0, False), (2.0, 1.6, False), (2.0, 1.59, True), (2.0, 2.4, False), (2.0, 2.41, True),
        (0.3, 0.24, False), (0.3, 0.36, False), (2.0, 0.0, True), (None, 2.0, False), (2.0, None, False),
    ],
)  # fmt: skip
def test_a_dose_far_from_plan_warns_the_safety_team(
    house: Ward, planned: float | None, given: float | None, rings: bool
) -> None:
    house.receive(dose(**INFUSION, planned=planned, given=given, unit="10^6 cells/kg"))
    assert [(a["kind"], a["level"]) for a in house.alerts()] == ([("dose_deviation", "warn")] if rings else [])
    assert [who for who, _ in house.rung()] == (["safety-team"] if rings else [])


def test_the_alert_says_what_was_given_and_planned(house: Ward) -> None:
    house.receive(dose(**INFUSION, planned=2.0, given=1.0, unit="10^6 cells/kg"))
    assert house.alerts()[0]["reasons"] == [
        "infusion of S01-003: given 1 10^6 cells/kg, planned 2 10^6 cells/kg: 50% of plan"
    ]


def test_a_product_event_pages(any_house: Ward) -> None:
    any_house.receive(dose(kind="product_event", what="sterility", found_at="2026-05-14", lot="L7"))
    (alert,) = any_house.alerts()
    assert (alert["kind"], alert["level"], alert["case_id"]) == ("product_event", "page", None)
    assert alert["reasons"] == ["product event of no subject named: sterility, found 2026-05-14"]
    assert any_house.rung() == [("safety-physician", "[Tocsin] product event")]


def test_the_same_record_again_rings_nobody(house: Ward) -> None:
    event = dose(kind="product_event", what="mix_up", found_at="2026-05-14", subject="S01-003")
    house.receive(event, event)
    assert len(house.mails()) == 1
