"""NCI's own words, where they are loaded: beside each term and beside the grades, of the same edition and no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from meddra_coder import api, grades_api
from meddra_coder.handle import Parts
from meddra_coder.official_text import keep
from tests.coder.conftest import AT
from tests.coder.test_grades import anc, lab, observe
from tests.criteria.test_workbook import parts as parts_of_file
from tests.criteria.test_workbook import whole, write
from tocsin.criteria.workbook import read_workbook
from tocsin.store.engine import Store
from tocsin.store.writer import Writer
from tocsin.web.app import Service, house
from tocsin.web.identity import Person, sign_person

KEY = b"a signing key that is long enough for this"
LOADED = {"definition": "What it is", "grades": {str(grade): f"Text {grade}" for grade in range(1, 5)}}

Get = Callable[..., Any]


@pytest.fixture
def get(store: Store, parts: Parts) -> Get:
    """The answer to a call, asked by a coder."""
    routes = api.router(api.Parts(store, Writer(store), parts.coders, parts.studies, lambda: AT))
    grades_api.add(routes, store, parts.studies)
    app = house([Service("coder", routes)], now=lambda: AT, signing_key=KEY)
    token = sign_person(Person("lin", frozenset({"coder"})), KEY, AT, timedelta(hours=1))

    async def asked(path: str, params: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tocsin.test") as client:
            return await client.get(path, params=params, headers={"authorization": f"Bearer {token}"})

    def answered(path: str, **params: Any) -> Any:
        answer = asyncio.run(asked(path, params))
        assert answer.status_code == 200, answer.text
        return answer.json()

    return answered


def load(store: Store, folder: Path, *, edition: str = "5.0") -> None:
    """A workbook of words of our own, kept as that of this edition."""
    workbook = read_workbook(write(folder / "ctcae.xlsx", parts_of_file(whole())))
    with store.transaction() as tx:
        keep(tx, replace(workbook, edition=edition), AT)


def grades(get: Get, **params: Any) -> Any:
    return get("/v1/grades", study="NCT06223646", subject="S01-003", **params)


@pytest.mark.rule("facets: the official text is shown where it is loaded")
def test_nothing_is_said_in_the_place_of_a_text_that_is_not_loaded(store: Store, parts: Parts, get: Get) -> None:
    observe(store, parts, "R1", anc(0.4, "2026-03-03T06:00"))

    assert grades(get)["official"] == {}
    assert [term["official"] for term in get("/v1/terms", q="10029366")["terms"]] == [None]


@pytest.mark.rule("facets: the official text is shown where it is loaded")
def test_the_terms_of_the_grades_shown_have_their_text_once_each(
    store: Store, parts: Parts, get: Get, tmp_path: Path
) -> None:
    load(store, tmp_path)
    platelets = lab("Platelets", 80, "10*9/L", "2026-03-03T06:00", lln=150, uln=400)
    observe(store, parts, "R1", anc(0.4, "2026-03-03T06:00"), anc(1.6, "2026-03-04T06:00"), platelets)

    assert len(grades(get)["grades"]) == 3
    assert grades(get)["official"] == {"5.0": {"10029366": LOADED, "10035528": LOADED}}
    assert grades(get, at_least=4)["official"] == {"5.0": {"10029366": LOADED}}
    assert grades(get, scale="astct")["official"] == {}


@pytest.mark.rule("facets: the official text is shown where it is loaded", "grading: editions never mix")
def test_the_text_of_another_edition_is_never_shown(store: Store, parts: Parts, get: Get, tmp_path: Path) -> None:
    load(store, tmp_path, edition="6.0")
    observe(store, parts, "R1", anc(0.4, "2026-03-03T06:00"))

    assert grades(get)["official"] == {}
    assert [term["official"] for term in get("/v1/terms", q="10029366")["terms"]] == [None]


@pytest.mark.rule("facets: the official text is shown where it is loaded")
def test_each_term_that_a_search_finds_has_its_text_and_the_grades_that_it_lacks_are_left_out(
    store: Store, get: Get, tmp_path: Path
) -> None:
    load(store, tmp_path)
    found = {term["term"]: term["official"] for term in get("/v1/terms", q="anemia", top=5)["terms"]}

    assert found["Anemia"] == {"definition": "What it is", "grades": {str(n): f"Text {n}" for n in range(1, 6)}}
    assert None not in found.values()
    [neutrophils] = get("/v1/terms", q="10029366")["terms"]
    assert neutrophils["official"] == LOADED
