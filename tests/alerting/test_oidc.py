"""Signing in by an identity provider, with a provider that runs as a process of its own and signs with its own key."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from alerting import accounts, api, sessions
from alerting.desk import routes as desk
from alerting.tables import accounts as account_rows
from tests.alerting.desk import KEY, PASSWORD, trail
from tests.alerting.ward import Ward, studies, ward
from tests.support.shapes import free_port, wait_until
from tocsin.errors import SettingsError
from tocsin.settings import Settings
from tocsin.web.app import Service, house
from tocsin.web.pages import COOKIE


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    claims = '{"sub": "1", "preferred_username": "lin"}', '{"sub": "2", "preferred_username": "stranger"}'
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for one in claims:
        command += ["--user-claims", one]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{address}/.well-known/openid-configuration", timeout=2).is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, "the provider", 30)
        yield str(httpx.get(f"{address}/.well-known/openid-configuration", timeout=5).json()["issuer"]).rstrip("/")
    finally:
        running.kill()
        running.wait()


@dataclass
class Browser:
    """A browser without script: it keeps the cookies of the house."""

    app: FastAPI
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def get(self, path: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(self.app), base_url="http://tocsin.test", cookies=self.cookies
            )
            async with client:
                answer = await client.get(path)
                self.cookies.update(client.cookies)
                return answer

        return asyncio.run(asked())

    def goes_to_the_provider(self, onward: str = "/desk") -> str:
        answer = self.get(f"/sign-in/provider?next={onward}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def signs_in_there_as(self, subject: str, address: str) -> str:
        """What somebody does on the provider's own page; the address to which it sends the browser back."""
        answer = httpx.post(address, data={"sub": subject}, timeout=10)
        assert answer.status_code in (302, 303), answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"


@dataclass
class Door:
    ward: Ward
    issuer: str

    def browser(self, **settings: str) -> Browser:
        given = {
            "oidc_issuer": self.issuer, "oidc_client_id": "tocsin", "oidc_secret": "a secret of the registration",
            "public_url": "http://tocsin.test", **settings,
        }  # fmt: skip
        of_house = Settings(data=self.ward.folder, signing_key=KEY.decode(), **given)
        routes = api.router(self.ward.parts, of_house)
        desk.add(routes, self.ward.parts, of_house)
        service = Service("alerting", routes, logins=sessions.Logins(self.ward.store))
        return Browser(house([service], now=lambda: self.ward.wall_at, signing_key=KEY))


@pytest.fixture
def door(tmp_path: Path, issuer: str) -> Iterator[Door]:
    with ward(f"sqlite:///{tmp_path}/alerting.db", tmp_path, studies()) as found:
        found.wall_at = datetime.now(UTC)  # a provider's word runs out by the real time
        with found.store.transaction() as tx:
            accounts.add(tx, "lin", PASSWORD, ["safety_physician"], found.at)
        yield Door(found, issuer)


def test_somebody_with_an_account_is_let_in_and_goes_on_to_the_page(door: Door) -> None:
    browser = door.browser()
    assert f"Sign in with {urlsplit(door.issuer).hostname}" in browser.get("/sign-in").text
    back = browser.signs_in_there_as("1", browser.goes_to_the_provider("/desk/cases"))
    answer = browser.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/cases"), answer.text
    assert browser.get("/desk/cases").status_code == 200
    assert ("lin", "signed in", "by identity provider") in [(r["who"], r["did"], r["reason"]) for r in trail(door.ward)]


def test_whoever_has_no_account_here_is_not_let_in_however_well_the_provider_knows_them(door: Door) -> None:
    browser = door.browser()
    answer = browser.get(browser.signs_in_there_as("2", browser.goes_to_the_provider()))
    assert answer.status_code == 401
    assert "you have no account here: ask an administrator" in answer.text
    assert COOKIE not in browser.cookies


def test_a_closed_account_is_not_opened_by_the_provider(door: Door) -> None:
    with door.ward.store.transaction() as tx:
        tx.execute(account_rows.update().values(closed_at=door.ward.at))
    browser = door.browser()
    assert browser.get(browser.signs_in_there_as("1", browser.goes_to_the_provider())).status_code == 401


def test_the_way_back_fits_only_the_browser_that_began_and_only_once(door: Door) -> None:
    mine, theirs = door.browser(), door.browser()
    back = mine.signs_in_there_as("1", mine.goes_to_the_provider())
    # Somebody lured onto a link with another's code gets nothing: no cookie, or a cookie of another state.
    assert theirs.get(back).status_code == 400
    theirs.goes_to_the_provider()
    assert theirs.get(back).status_code == 401
    assert COOKIE not in theirs.cookies
    assert mine.get(back).status_code == 303
    assert mine.get(back).status_code in (400, 401), "a code is worth one sign-in"


def test_a_cookie_that_was_altered_is_none(door: Door) -> None:
    browser = door.browser()
    back = browser.signs_in_there_as("1", browser.goes_to_the_provider())
    kept = browser.cookies["tocsin_asked"]
    browser.cookies = httpx.Cookies({"tocsin_asked": ("A" if kept[0] != "A" else "B") + kept[1:]})
    assert browser.get(back).status_code == 400


def test_what_is_not_ascii_on_the_way_back_is_refused_in_words(door: Door) -> None:
    browser = door.browser()
    browser.goes_to_the_provider()
    assert browser.get("/sign-in/provider/back?code=x&state=%E4%BB%A4").status_code == 401
    browser.cookies = httpx.Cookies({"tocsin_asked": '"QQ==.\\351"'})
    assert browser.get("/sign-in/provider/back?code=x&state=x").status_code == 400


def test_a_code_is_worth_nothing_to_another_client_and_is_asked_for_with_a_proof(door: Door) -> None:
    browser = door.browser()
    address = browser.goes_to_the_provider()
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["nonce"][0]) >= 32
    back = browser.signs_in_there_as("1", address)
    other = door.browser(oidc_client_id="another")
    other.cookies = browser.cookies
    assert other.get(back).status_code == 401
    assert COOKIE not in other.cookies


def test_a_provider_that_does_not_answer_is_told_and_passwords_still_work(door: Door) -> None:
    browser = door.browser(oidc_issuer=f"http://127.0.0.1:{free_port()}")
    answer = browser.get("/sign-in/provider")
    assert answer.status_code == 502
    assert 'name="password"' in answer.text


def test_without_a_provider_there_is_no_such_way(door: Door) -> None:
    browser = door.browser(oidc_issuer="")
    assert "Sign in with" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/provider").status_code == 404


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_issuer": "http://login.example"}, "https://host"),
        ({"oidc_issuer": "login.example"}, "https://host"),
        ({"oidc_issuer": "https://login.example"}, "TOCSIN_OIDC_CLIENT_ID"),
    ],
)
def test_a_provider_that_is_set_half_or_without_tls_is_refused_at_the_start(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings(**given)
