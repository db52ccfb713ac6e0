"""A house with something of everything in it: what a stranger's request may hit besides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import ae_intake.app
import alerting.app
import meddra_coder.app
from ae_intake.keys import create_key
from alerting.accounts import add as add_account
from tests.support.houses import SIGNING_KEY, STUDY, House, Moment, in_process
from tests.support.shapes import wait_until
from tocsin.domain.words import Role
from tocsin.store.engine import open_store
from tocsin.web.identity import Person, sign_person

PASSWORD = "a long and private sentence"
RECEIVED, NOW = datetime(2026, 5, 14, 1, 0, tzinfo=UTC), datetime(2026, 5, 20, 10, 0, tzinfo=UTC)
SERIOUS = {"verbatim": "pneumonia", "onset": "2026-05-12", "serious": True, "seriousness": ["hospitalisation"]}
DEATH = {"verbatim": "myocarditis", "onset": "2026-05-13", "serious": True, "outcome": "fatal"}
CASES = 6


@dataclass(frozen=True, slots=True)
class Full:
    """The house as each may ask it, its document, and what is there by the name of the parameter that names it."""

    by_key: House
    by_person: House
    by_nobody: House
    document: dict[str, Any]
    there: dict[str, list[str]]


@contextmanager
def full_house(folder: Path) -> Iterator[Full]:
    """Cases with clocks, queries, codings, alerts, a hold, a toxicity, a pair and a submission, and who asks."""
    services = (ae_intake.app.build, meddra_coder.app.build, alerting.app.build)
    with in_process(folder, services, now=Moment(RECEIVED)) as house:
        with closing(open_store(f"sqlite:///{folder}/intake.db", "intake")) as store, store.transaction() as tx:
            site = house.as_key(create_key(tx, STUDY, "S01", house.now(), by="test"))
        with closing(open_store(f"sqlite:///{folder}/alerting.db", "alerting")) as store, store.transaction() as tx:
            # A person of a site is nothing else, so that all roles are all others.
            roles = frozenset(Role) - {Role.SITE}
            add_account(tx, "lin", PASSWORD, sorted(roles), house.now(), who="test")
        login = sign_person(Person("lin", roles), SIGNING_KEY, house.now(), timedelta(days=14))
        person = house.as_key(login)
        cases = [_told(site, n, SERIOUS) for n in range(100, 100 + CASES)]
        cases += [_told(site, 200, DEATH), _told(site, 100, SERIOUS, reporter="Dr Zhao")]
        lot = {"kind": "product_event", "what": "sterility", "found_at": "2026-05-13", "lot": "L-1"}
        assert _post(site, "/v1/doses", lot).is_success
        for case_id in cases:
            wait_until(lambda case_id=case_id: _is_coded(person, case_id), f"{case_id} is coded")  # type: ignore[misc]
        there = {name: _found(person, *where) for name, where in _LISTS.items()}
        house.now.at = NOW
        sent = {"at": "2026-05-20T16:30+08:00", "kind": "initial", "reference": "CDE-2026-004711"}
        kept = _post(person, f"/v1/clocks/{there['clock_id'][0]}/submissions", sent)
        assert kept.status_code == 201, kept.text
        there |= {"submission_id": [kept.json()["submission_id"]], "study": [STUDY], "version": ["ctcae", "5.0"]}
        there |= {"subject_id": ["S01-100", "S01-200"]}
        document = house.get("/openapi.json").json()
        plan = _example(document, "/v1/call-plans/{study}", "put")
        assert person.ask("PUT", f"/v1/call-plans/{STUDY}", json=plan).status_code == 200
        override = _example(document, "/v1/call-plans/{study}/overrides", "post")
        made = _post(person, f"/v1/call-plans/{STUDY}/overrides", override)
        assert made.status_code == 201, made.text
        there |= {"override_id": [one["override_id"] for one in made.json()["overrides"]]}
        yield Full(site, person, house, document, there)


_LISTS = {
    "case_id": ("/v1/reports", "reports", "case_id"),
    "query_id": ("/v1/queries", "queries", "query_id"),
    "clock_id": ("/v1/clocks", "clocks", "clock_id"),
    "alert_id": ("/v1/alerts", "alerts", "alert_id"),
    "duplicate_id": ("/v1/duplicates", "duplicates", "duplicate_id"),
    "dlt_id": ("/v1/dlt", "verdicts", "dlt_id"),
    "hold_id": ("/v1/dose-board", "holds", "hold_id"),
    "delivery_id": ("/v1/deliveries", "deliveries", "delivery_id"),
}
"""Where to look for what a parameter may name."""


def _example(document: dict[str, Any], path: str, method: str) -> Any:
    body = document["paths"][path][method]["requestBody"]["content"]["application/json"]
    return next(iter(body["examples"].values()))["value"]


def _told(site: House, number: int, event: dict[str, Any], reporter: str = "Dr Li") -> str:
    body = {"subject": f"S01-{number}", "reporter": {"name": reporter}, "product": "KQ-2003", "events": [event]}
    answer = _post(site, "/v1/reports", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


def _post(who: House, path: str, body: Any) -> Any:
    return who.post(path, body, headers={"Idempotency-Key": str(uuid4())})


def _is_coded(person: House, case_id: str) -> bool:
    return person.get(f"/v1/codings/{case_id}").status_code == 200


def _found(person: House, path: str, what: str, name: str) -> list[str]:
    def listed() -> list[str]:
        return [str(row[name]) for row in person.get(path).json()[what]]

    return wait_until(listed, f"{path} lists some")
