"""HTTP: the versions of the dictionary, what moving a study to another would do, and moving it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from meddra_coder import version_use
from meddra_coder.api import MAY_READ, Parts
from meddra_coder.impact import Impact
from meddra_coder.review_api import served
from meddra_coder.version_use import Applied, KnownDictionary, UseFacts
from tocsin.domain.words import Role
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

_USE: TypeAdapter[UseFacts] = TypeAdapter(UseFacts)
_VERSION = Path(min_length=1, max_length=20, description='like "28.1"; ctcae: the dictionary that is shipped')

_EXAMPLE_KNOWN: dict[str, Any] = {
    "version": None,
    "dictionary": "CTCAE v5.0 (MedDRA 20.1 codes)",
    "terms": 837,
    "current_terms": 837,
    "loaded_at": None,
    "loaded_by": None,
    "fingerprint": None,
    "studies": ["NCT06223646"],
}
_EXAMPLE_IMPACT: dict[str, Any] = {
    "study": "NCT06223646",
    "before": "CTCAE v5.0 (MedDRA 20.1 codes)",
    "after": "CTCAE v5.0 (MedDRA 20.1 codes)",
    "fingerprint": "9f2c4d1be07a6135",
    "events": 2,
    "behind": 0,
    "changes": {"same": 1, "uncoded": 1},
    "outcomes": {"stays": 1, "waits": 1},
    "better": 0,
    "touched": [
        {
            "case_id": "TOC-0031",
            "revision": 1,
            "event_id": "TOC-0031-E1",
            "verbatim": "neutros down, grade 3",
            "status": "needs_review",
            "llt_code": None,
            "term": None,
            "change": "uncoded",
            "moved": [],
            "was": [],
            "becomes": [],
            "better": None,
            "outcome": "waits",
            "with_better": "waits",
        }
    ],
    "synonyms": [],
}
_EXAMPLE_APPLIED: dict[str, Any] = {
    "use": {
        "decision_id": "5f2f7c51-6a39-5a30-8f0f-3d0a8a1f3c55",
        "study": "NCT06223646",
        "version": "28.1",
        "by": "coder1",
        "at": "2026-03-02T04:00:00Z",
        "reason": "the reporting version since November",
    },
    "dictionary": "MedDRA 28.1",
    "cases": 1,
    "outcomes": {"stays": 1, "coded": 0, "waits": 1},
}


class Dictionaries(BaseModel):
    """The versions that studies may be coded with, the shipped one first."""

    dictionaries: list[KnownDictionary]


def add(routes: APIRouter, parts: Parts) -> None:
    """Add the calls to the coder's routes."""

    @routes.get(
        "/v1/dictionaries",
        tags=["Dictionaries"],
        summary="The versions of the dictionary, and which studies use them",
        openapi_extra=call(
            answering(200, "The shipped one first, then as they were loaded.", "Dictionaries",
                      TypeAdapter(Dictionaries), {"dictionaries": [_EXAMPLE_KNOWN]}),
            refusing(401, 403, 503),
        ),
    )  # fmt: skip
    async def list_dictionaries(who: Annotated[Person, requires(*MAY_READ)]) -> Dictionaries:
        """A licensed MedDRA is loaded with tocsin meddra load."""

        def ask() -> list[KnownDictionary]:
            with parts.store.reading() as connection:
                return version_use.known(connection, parts.coders, list(parts.studies))

        return Dictionaries(dictionaries=await run_in_threadpool(ask))

    @routes.get(
        "/v1/dictionaries/{version}/impact",
        tags=["Dictionaries"],
        summary="What moving a study to a version would do",
        openapi_extra=call(
            answering(200, "Every event that does not simply stay as it is.", "Impact", TypeAdapter(Impact),
                      _EXAMPLE_IMPACT),
            refusing(401, 403, 404, 422, 503),
        ),
    )  # fmt: skip
    async def show_impact(
        version: Annotated[str, _VERSION],
        who: Annotated[Person, requires(*MAY_READ)],
        study: Annotated[str, Query(min_length=1, max_length=60)],
    ) -> Impact:
        """Nothing is changed by asking. Codes that are gone or no longer current, moved paths, better matches."""
        served(parts, study)

        def ask() -> Impact:
            with parts.store.reading() as connection:
                return version_use.report(connection, parts.coders, study, version_use.named(version))

        return await run_in_threadpool(ask)

    @routes.post(
        "/v1/dictionaries/{version}/uses",
        tags=["Dictionaries"],
        status_code=201,
        summary="Code a study with a version from now on",
        openapi_extra=call(
            taking(_USE, "UseFacts", {
                "As the report says": {"study": "NCT06223646", "impact": "9f2c4d1be07a6135", "better": "keep",
                                       "reason": "the reporting version since November"},
            }),
            answering(201, "The study is moved; every case was said again.", "Applied", TypeAdapter(Applied),
                      _EXAMPLE_APPLIED),
            refusing(400, 401, 403, 404, 409, 413, 415, 422, 503),
        ),
    )  # fmt: skip
    async def use_dictionary(
        version: Annotated[str, _VERSION],
        request: Request,
        who: Annotated[Person, requires(Role.CODER, Role.MEDICAL_REVIEWER)],
    ) -> JSONResponse:
        """Refused when anything was coded or decided since the report. Old codes stay readable at each case."""
        facts = understood(await read_json(request), _USE, "the decision cannot be understood")
        served(parts, facts.study)
        at = parts.now()
        applied = await asyncio.wrap_future(
            parts.writer.submit(
                lambda tx: version_use.apply(tx, parts.coders, facts, version_use.named(version), by=who.name, at=at)
            )
        )
        return JSONResponse(applied.model_dump(mode="json"), 201)
