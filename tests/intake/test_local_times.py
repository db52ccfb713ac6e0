"""Wall times that the site's clocks never showed, or showed twice. Site 701 of the pilot lives in New York."""

from __future__ import annotations

import pytest

from tests.intake.at_site import Site, a_report, an_event, refused
from tests.support.houses import PILOT


@pytest.fixture(scope="module")
def new_york(lasting_site: Site) -> Site:
    return lasting_site.with_key(PILOT, "701")


def sent(**facts: str) -> dict[str, object]:
    return a_report(an_event(**{"onset": "2025-03-01", "investigator_aware_at": "2025-03-02T10:00", **facts}),
                    subject="01-701-1015")  # fmt: skip


@pytest.mark.rule("rules.md D6: non-existent local times are rejected")
@pytest.mark.parametrize("field", ["onset", "end", "investigator_aware_at"])
def test_a_time_in_the_gap_of_spring_is_refused(new_york: Site, field: str) -> None:
    wrong = refused(new_york.post("/v1/reports", sent(**{field: "2025-03-09T02:30"})))

    assert wrong[f"/events/0/{field}"]["problem"].startswith("nonexistent local time")


@pytest.mark.rule("rules.md D6: ambiguous ones need an explicit offset")
def test_awareness_in_the_hour_that_comes_twice_needs_its_offset(new_york: Site) -> None:
    wrong = refused(new_york.post("/v1/reports", sent(investigator_aware_at="2025-11-02T01:30")))

    assert wrong["/events/0/investigator_aware_at"]["problem"].startswith("ambiguous local time")
    assert "needs offset" in wrong["/events/0/investigator_aware_at"]["allowed"]


@pytest.mark.parametrize("aware", ["2025-11-02T01:30-04:00", "2025-11-02T01:30-05:00"])
def test_with_its_offset_it_is_taken(new_york: Site, aware: str) -> None:
    assert new_york.post("/v1/reports", sent(investigator_aware_at=aware)).status_code == 201


def test_an_onset_in_the_hour_that_comes_twice_is_kept_as_it_is(new_york: Site) -> None:
    assert (
        new_york.post(
            "/v1/reports", sent(onset="2025-11-02T01:30", investigator_aware_at="2025-11-03T09:00")
        ).status_code
        == 201
    )
