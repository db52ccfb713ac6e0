"""The dose page as a test reads it: opened by a person with roles, in its words, panel by panel."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import httpx

from tests.alerting import pages_desk
from tests.alerting.desk import KEY
from tests.alerting.pages_desk import served
from tests.alerting.test_dlt import AS_CRS, CRS
from tests.alerting.test_trial import TWO, infused
from tests.alerting.ward import Ward, coding, report
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE


def words(answer: httpx.Response) -> str:
    """The words of a page, without its tags."""
    return pages_desk.words(answer.text)


def opened(
    found: Ward, path: str = "/desk/dose", *roles: str, method: str = "GET", data: dict[str, str] | None = None
) -> httpx.Response:  # fmt: skip
    """A page as a person with these roles sees it who signed in on this browser; without roles nobody did."""

    async def asked() -> httpx.Response:
        app = served(found)
        token = sign_person(Person("lin", frozenset(roles)), KEY, found.wall_at, timedelta(hours=8))
        cookies = {COOKIE: token} if roles else {}
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tocsin.test", cookies=cookies)
        async with client:
            return await client.request(method, path, data=data)

    return asyncio.run(asked())


def seen(found: Ward) -> httpx.Response:
    """The page as a physician sees it."""
    answer = opened(found, "/desk/dose", "safety_physician")
    assert answer.status_code == 200, answer.text
    return answer


def heading(found: Ward) -> str:
    (said,) = re.findall(r"<h1>(.*?)</h1>", seen(found).text)
    return str(said)


def panel(found: Ward, name: str) -> str:
    """The words of one panel."""
    (part,) = re.findall(rf'<section class="[^"]*" aria-labelledby="{name}">.*?</section>', seen(found).text, re.DOTALL)
    return pages_desk.words(str(part))


def stamp(found: Ward) -> str:
    answer = opened(found, "/desk/dose/stamp", "safety_physician")
    assert answer.status_code == 200
    said: str = answer.json()["stamp"]
    return said


PENDING = [
    infused("S01-003", "DL1", "2026-05-11T10:00+08:00"),
    report({**CRS, "verbatim": "fever & <b>shaking</b>"}, subject="S01-003"),
    coding(AS_CRS),
]


OPEN = [*PENDING, TWO[1], *TWO[4:]]
"""One that waits for its limit, and one that is met."""
