"""Every page and every form of the desk, asked with parameters and fields that no browser would send: no fault."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.desk.role_matrix import MATRIX, OPEN
from tests.hostile.full_house import Full, full_house
from tests.hostile.longer import bounded
from tests.support.houses import SIGNING_KEY, STUDY
from tocsin.domain.words import Role
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE

# The workers of the house run in this process and may draw from `random` while a request is being made up.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

EXAMPLES = 12
PAGES = sorted(line for line in (*MATRIX, *OPEN) if " /v1/" not in line)
WORDS = (
    "", "0", "-1", "9" * 400, "1e999", "NaN", "\x00", "\ud7ff\U0010ffff", "\u202e", "'\"><script>",
    "../../etc/passwd", "%", "%00", "[]", "{}", "null", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59", "2026-05-14", "2026-02-30", "2026-05-14T25:00", "TOC-0001", "TOC-0001-E1", STUDY,
    "lin", "S01-100", "3", "6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11", "٣", "½", "😀", "x" * 5000, "on", "csv",
    "a,b;c\td", "//evil.example", "\\\\evil", "javascript:alert(1)", "\r\nSet-Cookie: a=b", "=1+1",
)  # fmt: skip
ANY = st.one_of(st.sampled_from(WORDS), st.text(max_size=30))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    with full_house(tmp_path_factory.mktemp("pages")) as found:
        found.by_nobody.app.state.is_ending = lambda: True  # a stream ends with its first word
        yield found


@pytest.fixture(scope="module")
def named(full: Full) -> dict[str, list[str]]:
    """The parameters and fields that the code of each page reads, as near as its source tells."""
    from tocsin.web.app import routes_of

    found: dict[str, list[str]] = {}
    for route in routes_of(full.by_nobody.app):
        names = [one.alias for one in route.dependant.query_params]
        for method in route.methods or ():
            found[f"{method} {route.path}"] = names
    return found


FIELDS = (
    "about", "after", "again", "alert", "approve", "as_of", "at", "before", "begins", "decision", "delivery", "did",
    "draft", "ends", "event", "events", "from", "id", "keep", "key_id", "kind", "lang", "language", "level", "limit",
    "llt_code", "mark", "meaning", "name", "new", "next", "old", "onset", "outcome", "page", "password", "person",
    "phrase", "plan", "q", "reason", "recipient", "reference", "replaces", "revision", "role", "rows", "scale",
    "scope", "since", "site", "state", "study", "subject", "text", "to", "undo", "until", "url", "verbatim", "who",
)  # fmt: skip
"""Words that the forms and pages go by; one that is none of a page's own is not looked at there."""


@pytest.mark.rule("promise: whatever is sent, no page is a fault")
@pytest.mark.parametrize("line", PAGES)
def test_no_page_is_a_fault_whatever_it_is_asked(full: Full, named: dict[str, list[str]], line: str) -> None:
    method, path = line.split(" ", 1)
    names = st.one_of(st.sampled_from(sorted({*FIELDS, *named[line]})), st.text(max_size=6))
    asked = st.dictionaries(st.sampled_from(named[line]) if named[line] and method == "GET" else names, ANY, max_size=8)

    @bounded(EXAMPLES)
    @given(data=st.data(), query=asked, who=st.sampled_from(("site", "everybody", "everybody", "nobody")))
    def holds(data: st.DataObject, query: dict[str, str], who: str) -> None:
        def place(found: re.Match[str]) -> str:
            known = full.there.get(found[1], [])
            return quote(data.draw(st.one_of(st.sampled_from(known), ANY) if known else ANY) or "x", safe="")

        address = re.sub(r"\{(\w+)\}", place, path)
        headers = {"cookie": f"{COOKIE}={token_of(full, who)}"} if who != "nobody" else {}
        body = b""
        if method == "POST":
            headers["content-type"] = "application/x-www-form-urlencoded"
            fields = {**query, "token": form_token(address, who)} if data.draw(st.booleans()) else query
            body = urlencode(fields, errors="replace").encode()
        else:
            address += "?" + urlencode(query, errors="replace")
        answer = full.by_nobody.ask(method, address, headers=headers, content=body)
        assert answer.status_code < 500, (address, query, who, answer.text[-300:])
        assert "set-cookie: a=b" not in str(answer.headers).lower()
        if answer.is_redirect:
            assert re.match(r"/(?![/\\])", answer.headers["location"]), answer.headers["location"]

    holds()


def token_of(full: Full, who: str) -> str:
    somebody = {
        "everybody": Person("lin", frozenset(Role) - {Role.SITE}),
        "site": Person("gao", frozenset({Role.SITE}), STUDY, "S01"),
    }[who]
    return sign_person(somebody, SIGNING_KEY, full.by_nobody.now(), timedelta(days=1))


def form_token(action: str, who: str) -> str:
    """The token of a form on their own page."""
    from urllib.parse import unquote

    action = unquote(action)
    if draft := re.fullmatch(r"(/desk/cases/[^/]+)/\w+", action):
        action = f"{draft[1]}/assess"
    name = {"everybody": "lin", "site": "gao"}.get(who, "")
    said = f"form\x1f{action}\x1f{name}\x1f".encode(errors="replace")
    return hmac.digest(SIGNING_KEY, said, "sha256").hex()
