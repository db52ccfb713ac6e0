"""A person of a site reaches nothing of another site: by no list, by no address, by no guess at what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

import ae_intake.app
import alerting.app
import meddra_coder.app
from ae_intake.keys import create_key
from tests.support.houses import SIGNING_KEY, STUDY, House, in_process
from tests.support.shapes import wait_until
from tocsin.domain.words import Role
from tocsin.store.engine import open_store
from tocsin.web.app import routes_of
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE

SECRET_SUBJECT, SECRET_WORDS = "S02-001", "nightmares of falling"
OWN_SUBJECT = "S01-003"


@dataclass
class Two:
    """A house with a case of each site, and what there is of the second: its ids, as somebody might guess them."""

    house: House
    ids: dict[str, str]

    def ask(self, method: str, path: str, body: bytes = b"") -> httpx.Response:
        """By a person of the first site, with login and cookie."""
        who = Person("gao", frozenset({Role.SITE}), STUDY, "S01")
        token = sign_person(who, SIGNING_KEY, self.house.now(), timedelta(hours=8))
        kind = "application/json" if path.startswith("/v1") else "application/x-www-form-urlencoded"
        headers = {"authorization": f"Bearer {token}", "cookie": f"{COOKIE}={token}", "content-type": kind}
        return self.house.ask(method, path, headers=headers, content=body)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    build = (ae_intake.app.build, meddra_coder.app.build, alerting.app.build)
    with in_process(folder, build) as house:
        house.app.state.is_ending = lambda: True
        store = open_store(f"sqlite:///{folder}/intake.db", "intake")
        with store.transaction() as tx:
            keys = {site: create_key(tx, STUDY, site, house.now()) for site in ("S01", "S02")}
        store.close()

        def report(site: str, subject: str, words: str) -> dict[str, object]:
            body = {"subject": subject, "events": [{"verbatim": words, "serious": True}]}
            answer = house.as_key(keys[site]).post("/v1/reports", body)
            assert answer.status_code == 201, answer.text
            found: dict[str, object] = answer.json()
            return found

        report("S01", OWN_SUBJECT, "headache at night")
        theirs = report("S02", SECRET_SUBJECT, SECRET_WORDS)
        queries = house.as_key(keys["S02"]).get("/v1/queries").json()["queries"]
        admin = sign_person(Person("root", frozenset(Role)), SIGNING_KEY, house.now(), timedelta(hours=8))
        everything = house.as_key(admin)
        wait_until(lambda: everything.get(f"/v1/assessments/{theirs['case_id']}").status_code == 200, "it is judged")
        alert = everything.get(f"/v1/alerts?case_id={theirs['case_id']}").json()["alerts"][0]
        clock = everything.get(f"/v1/clocks?case_id={theirs['case_id']}").json()["clocks"][0]
        yield Two(house, {
            "case_id": str(theirs["case_id"]), "query_id": queries[0]["query_id"], "subject_id": SECRET_SUBJECT,
            "alert_id": alert["alert_id"], "clock_id": clock["clock_id"], "study": STUDY, "version": "1",
            "what": "assess",
        })  # fmt: skip


def addresses(two: Two) -> list[tuple[str, str]]:
    """Every route, about the case of the other site wherever it names anything."""
    other = "6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11"
    return [
        (method, re.sub(r"\{(\w+)\}", lambda found: two.ids.get(found[1], other), route.path))
        for route in routes_of(two.house.app) for method in sorted(route.methods or ())
    ]  # fmt: skip


def test_the_secret_is_there_for_whoever_may_read_it(two: Two) -> None:
    """Else this file proves nothing."""
    admin = sign_person(Person("root", frozenset({Role.SAFETY_TEAM})), SIGNING_KEY, two.house.now(), timedelta(hours=8))
    found = two.house.as_key(admin).get(f"/v1/reports/{two.ids['case_id']}")
    assert SECRET_SUBJECT in found.text
    assert SECRET_WORDS in found.text


@pytest.mark.rule("promise: who may do what is written out, and a site reaches no other site")
def test_no_route_tells_a_site_of_another_sites_subject(two: Two) -> None:
    told = []
    for method, path in addresses(two):
        answer = two.ask(method, path, b"{}" if path.startswith("/v1") and method != "GET" else b"")
        without_the_question = answer.text.replace(path, "")
        if SECRET_SUBJECT in without_the_question or SECRET_WORDS in answer.text:
            told.append((method, path, answer.status_code))
    assert told == []


@pytest.mark.parametrize(
    "query", [f"subject={SECRET_SUBJECT}", f"q={SECRET_SUBJECT}", "site=S02", f"study={STUDY}&site=S02", "after=0"]
)
def test_no_parameter_of_a_list_reaches_over_to_another_site(two: Two, query: str) -> None:
    for path in ("/v1/reports", "/v1/queries", "/report", "/report/new", "/desk/cases", "/v1/subjects/S02-001"):
        answer = two.ask("GET", f"{path}?{query}")
        assert SECRET_WORDS not in answer.text
        assert SECRET_SUBJECT not in answer.text.replace(query, "").replace("/v1/subjects/S02-001", "")


def test_another_sites_case_and_one_that_is_not_there_are_answered_alike(two: Two) -> None:
    case = two.ids["case_id"]
    for path in (f"/report/cases/{case}", f"/report/receipts/{case}", f"/report/cases/{case}/follow-up",
                 f"/v1/reports/{case}"):  # fmt: skip
        theirs, nobodys = two.ask("GET", path), two.ask("GET", path.replace(case, "TOC-0099"))
        assert theirs.status_code == nobodys.status_code == 404
        if path.startswith("/report"):
            assert theirs.text.replace(case, "TOC-0099") == nobodys.text
