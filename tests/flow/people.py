"""A site and a physician, by API, as they would be in a real night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.shapes import Shape, wait_until

FATAL: dict[str, Any] = {
    "subject": "S01-003",
    "product": "KQ-2003",
    "reporter": {"name": "Dr Gao", "role": "investigator"},
    "events": [
        {
            "verbatim": "Cytokine release syndrome",
            "onset": "2026-05-11",
            "serious": True,
            "seriousness": ["death"],
            "outcome": "fatal",
            "grade": {"ctcae": 5, "astct": 5},
            "causality": [{"agent": "product", "party": "investigator", "relation": "related"}],
            "investigator_aware_at": "2026-05-13T22:10+08:00",
        }
    ],
}


def hospital(subject: str, verbatim: str = "felt faint in the corridor") -> dict[str, Any]:
    """A serious report that no dictionary has a term for."""
    return {
        **FATAL,
        "subject": subject,
        "events": [{"verbatim": verbatim, "onset": "2026-05-11", "serious": True, "seriousness": ["hospitalisation"]}],
    }


@dataclass(frozen=True)
class SiteFeed:
    """What a site posts, with its key."""

    shape: Shape
    key: str

    def post(
        self, body: dict[str, Any], path: str = "/v1/reports", idempotency_key: str | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        return httpx.post(f"{self.shape.intake}{path}", json=body, headers=headers, timeout=30)

    def report(self, body: dict[str, Any]) -> dict[str, Any]:
        """Post it, accepted; the receipt."""
        answer = self.post(body)
        assert answer.status_code == 201, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt


@dataclass(frozen=True)
class Desk:
    """A person at the desk, logged in."""

    shape: Shape
    token: str

    def get(self, path: str, **parameters: Any) -> Any:
        answer = httpx.get(
            f"{self.shape.alerting}{path}",
            params=parameters,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def knows(self, case_id: str) -> None:
        """Waits until the case has come to the desk: a receipt says that the report is kept, not that it was read."""
        headers = {"Authorization": f"Bearer {self.token}"}
        wait_until(
            lambda: (
                httpx.get(f"{self.shape.alerting}/v1/assessments/{case_id}", headers=headers, timeout=30).is_success
            ),
            f"case {case_id} at the desk",
        )

    def alerts(self, **parameters: Any) -> list[dict[str, Any]]:
        found = self.get("/v1/alerts", **parameters)
        listed: list[dict[str, Any]] = found["alerts"] if isinstance(found, dict) else found
        return listed


def site(shape: Shape, study: str = "NCT06223646", site_id: str = "S01") -> SiteFeed:
    return SiteFeed(shape, shape.key(study, site_id))


def desk(shape: Shape, *roles: str) -> Desk:
    """A new account with these roles, logged in."""
    password = "a long night, quiet so far"
    shape.person("physician", password, *roles)
    answer = httpx.post(f"{shape.alerting}/v1/sessions", json={"name": "physician", "password": password}, timeout=30)
    assert answer.status_code in (200, 201), answer.text
    return Desk(shape, answer.json()["token"])
