"""From messages to the book of rules: what a report calls its own events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tocsin.messages.bodies import ReportReceivedV1
from tocsin.messages.translate import report_of

NOON = datetime(2026, 5, 14, 4, 0, tzinfo=UTC)


def components(*events: dict[str, Any]) -> list[str | None]:
    """Of which event each event of a report is a sign."""
    body = ReportReceivedV1.model_validate(
        {
            "case_id": "TOC-0031", "revision": 1, "study": "NCT06223646", "site": "S01", "received_at": NOON,
            "facts": {},
            "events": [{"event_id": f"TOC-0031-E{n}", "facts": event} for n, event in enumerate(events, 1)],
        }
    )  # fmt: skip
    return [event.component_of for event in report_of(body).events]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("CRS-a", "TOC-0031-E1"),
        ("3", "TOC-0031-E3"),
        ("TOC-0031-E3", "TOC-0031-E3"),
        # The first event has a ref: its place is no name of it.
        ("1", "1"),
        ("AE-9", "AE-9"),
        ("TOC-0007-E1", "TOC-0007-E1"),
    ],
)
def test_a_sign_names_its_syndrome_by_ref_by_place_or_by_our_id(named: str, found: str) -> None:
    crs, sign, other = {"verbatim": "CRS", "ref": "CRS-a"}, {"verbatim": "hypotension"}, {"verbatim": "fever"}

    assert components(crs, {**sign, "component_of": named}, other) == [None, found, None]


def test_a_ref_that_looks_like_a_place_is_a_ref() -> None:
    crs, sign = {"verbatim": "CRS", "ref": "2"}, {"verbatim": "hypotension", "component_of": "2"}

    assert components(crs, sign) == [None, "TOC-0031-E1"]
