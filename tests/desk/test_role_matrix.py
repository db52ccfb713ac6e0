"""Every route and every role: who may, written out. And a site reaches nothing of another site, by any route.

A route that stands in no line here fails the test: whoever adds one says here who may ask for it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

import ae_intake.app
import alerting.app
import meddra_coder.app
from tests.desk.role_matrix import MATRIX, OPEN
from tests.support.houses import SIGNING_KEY, STUDY, House, in_process
from tocsin.domain.words import Role
from tocsin.web.app import routes_of
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE

NOBODY = "nobody"
WHO = (NOBODY, *Role)
PLACES = {
    "case_id": "TOC-0099", "query_id": "Q-99", "study": STUDY, "decision_id": "6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11",
    "version": "1", "subject_id": "S01-099", "what": "assess", "draft_id": "6a3c1f0e7b1d5f0e9c550d4b8f6c2a11",
    "key_id": "key-6a3c1f0e7b1d",
}  # fmt: skip
ANY_ID = "6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11"
NOT_YOURS = re.compile(r"(?:needs?|is for) the role|your roles|no page here", re.IGNORECASE)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    build = (ae_intake.app.build, meddra_coder.app.build, alerting.app.build)
    with in_process(tmp_path_factory.mktemp("matrix"), build) as found:
        found.app.state.is_ending = lambda: True  # a stream ends with its first word
        yield found


def ask(house: House, method: str, path: str, role: str) -> httpx.Response:
    """Ask for a route as this role would: by its API with a login, by its page with the cookie of one."""
    address = re.sub(r"\{(\w+)\}", lambda found: PLACES.get(found[1], ANY_ID), path)
    headers = {"content-type": "application/json" if path.startswith("/v1") else "application/x-www-form-urlencoded"}
    if role != NOBODY:
        of = ("NCT06223646", "S01") if role == Role.SITE else (None, None)
        token = sign_person(Person("somebody", frozenset({role}), *of), SIGNING_KEY, house.now(), timedelta(hours=8))
        headers |= {"authorization": f"Bearer {token}"} if path.startswith("/v1") else {"cookie": f"{COOKIE}={token}"}
    body = b"{}" if path.startswith("/v1") and method != "GET" else b""
    if method == "POST" and not path.startswith("/v1"):
        body = f"token={token_for(address)}".encode()  # the form is theirs: what is refused, is so by the role
    return house.ask(method, address, headers=headers, content=body)


def token_for(action: str) -> str:
    """The token of a form on this person's own page."""
    if (draft := re.fullmatch(r"/desk/cases/(TOC-\d+)/\w+", action)) is not None:
        action = f"/desk/cases/{draft[1]}/assess"
    return hmac.digest(SIGNING_KEY, f"form\x1f{action}\x1fsomebody\x1f".encode(), "sha256").hex()


def may(answer: httpx.Response) -> bool:
    """Whether the answer is about the question, and not about who asks."""
    if answer.status_code == 401:
        return False
    return not (answer.status_code == 403 and NOT_YOURS.search(answer.text))


def found_in(house: House) -> list[tuple[str, str]]:
    return sorted({(method, route.path) for route in routes_of(house.app) for method in route.methods or ()})


def test_every_route_stands_in_the_matrix_and_nothing_else_does(house: House) -> None:
    written = {(method, path) for line in (*OPEN, *MATRIX) for method, path in [line.split(" ", 1)]}
    assert sorted(written) == found_in(house)


@pytest.mark.rule("promise: who may do what is written out, and a site reaches no other site")
@pytest.mark.parametrize("line", sorted(MATRIX))
def test_only_these_roles_may(house: House, line: str) -> None:
    method, path = line.split(" ", 1)
    allowed = {role for role in WHO if may(ask(house, method, path, role))}
    assert {str(role) for role in allowed} == set(MATRIX[line].split())


@pytest.mark.parametrize("line", sorted(OPEN))
def test_these_are_open_to_everybody_and_hold_nothing_of_a_case(house: House, line: str) -> None:
    method, path = line.split(" ", 1)
    for role in WHO:
        answer = ask(house, method, path, role)
        # An empty login is refused as a wrong one is; whoever has no page is told so at the door.
        is_the_door = path in ("/", "/sign-in")
        assert may(answer) or is_the_door, (line, role, answer.status_code)
