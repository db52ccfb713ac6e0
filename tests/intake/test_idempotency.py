"""The same Idempotency-Key: the same receipt for the same request, a conflict for another, and each in effect once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from ae_intake.tables import cases
from tests.intake.at_site import Site, a_report, an_event, refused

DOSE = {"kind": "infusion", "subject": "S01-001", "level": "DL1", "started_at": "2026-02-27T10:00"}
LAB = {"kind": "laboratory", "subject": "S01-001", "at": "2026-03-01", "test": "Hb", "value": 9.1, "unit": "g/dL"}

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("/v1/reports", a_report(product=None), a_report(product="KQ-2003")),
    ("/v1/reports/TOC-0001/follow-ups", {"narrative": "one"}, {"narrative": "two"}),
    ("/v1/doses", DOSE, {**DOSE, "level": "DL2"}),
    ("/v1/observations", {"observations": [LAB]}, {"observations": [LAB, LAB]}),
]


def counted(site: Site) -> int:
    with site.store.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(cases)) or 0)


@pytest.mark.parametrize(("path", "body", "other"), CALLS)
def test_the_same_request_gets_the_same_receipt_and_another_a_conflict(
    site: Site, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    site.report(product=None)
    key = {"Idempotency-Key": "3f9a"}
    first = site.post(path, body, headers=key)
    site.now.pass_by(hours=1)
    lines = len(site.audited())
    again = site.post(path, body, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    refused(site.post(path, other, headers=key), 409)
    assert len(site.audited()) == lines


def test_an_answer_is_given_once(site: Site) -> None:
    (query,) = site.report(product=None)["queries"]
    path, key = f"/v1/queries/{query['query_id']}/answers", {"Idempotency-Key": "a"}
    first = site.post(path, {"value": "KQ-2003"}, headers=key)
    again = site.post(path, {"value": "KQ-2003"}, headers=key)

    assert again.content == first.content
    assert site.case("TOC-0001")["revision"] == 2


def test_spacing_and_order_of_names_make_no_other_request(site: Site) -> None:
    key = {"Idempotency-Key": "1", "Content-Type": "application/json"}
    one = site.house.ask("POST", "/v1/reports", content=b'{"product":"P","subject":"S01-001"}', headers=key)
    two = site.house.ask("POST", "/v1/reports", content=b'{ "subject": "S01-001", "product": "P" }', headers=key)

    assert one.content == two.content


def test_one_key_does_not_serve_two_calls(site: Site) -> None:
    site.post("/v1/doses", DOSE, headers={"Idempotency-Key": "1"})

    refused(site.post("/v1/reports", a_report(), headers={"Idempotency-Key": "1"}), 409)


def test_without_a_key_the_same_report_is_another_case(site: Site) -> None:
    assert site.report()["case_id"] != site.report()["case_id"]


def test_a_refused_request_does_not_use_up_its_key(site: Site) -> None:
    key = {"Idempotency-Key": "1"}
    refused(site.post("/v1/reports", a_report(an_event(onset="2026-02-30")), headers=key))

    assert site.post("/v1/reports", a_report(), headers=key).status_code == 201


def test_a_wrong_request_under_a_used_key_is_a_conflict(site: Site) -> None:
    key = {"Idempotency-Key": "1"}
    site.post("/v1/reports", a_report(), headers=key)

    refused(site.post("/v1/reports", a_report(an_event(onset="2026-02-30")), headers=key), 409)


def test_a_site_with_a_new_key_still_gets_its_old_receipt(site: Site) -> None:
    first = site.post("/v1/reports", a_report(), headers={"Idempotency-Key": "1"})
    again = site.with_key().post("/v1/reports", a_report(), headers={"Idempotency-Key": "1"})

    assert again.content == first.content


def test_the_keys_of_two_sites_never_meet(site: Site) -> None:
    site.post("/v1/reports", a_report(), headers={"Idempotency-Key": "1"})
    other = site.with_key(site="S02")

    assert other.post("/v1/reports", a_report(subject="S02-001"), headers={"Idempotency-Key": "1"}).status_code == 201


@pytest.mark.rule("promise: nothing accepted is lost, and nothing counts twice")
def test_the_same_request_sent_many_times_at_once_is_one_case(site: Site) -> None:
    def send(_: int) -> bytes:
        answer = site.post("/v1/reports", a_report(), headers={"Idempotency-Key": "at-once"})
        assert answer.status_code == 201
        return answer.content

    with ThreadPoolExecutor(16) as pool:
        receipts = set(pool.map(send, range(48)))

    assert len(receipts) == 1
    assert counted(site) == 1


def test_many_different_requests_at_once_get_each_its_own_number(site: Site) -> None:
    def send(n: int) -> str:
        return str(site.report(an_event(verbatim=f"event {n}"))["case_id"])

    with ThreadPoolExecutor(16) as pool:
        numbers = sorted(pool.map(send, range(48)))

    assert numbers == [f"TOC-{n:04d}" for n in range(1, 49)]
