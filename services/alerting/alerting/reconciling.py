"""HTTP in: send a list of serious events to be compared with ours, and read what was found. The edge commits here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import Connection, Row, select
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import reconciliation, reconciliation_list
from alerting.api import Limit, Reader
from alerting.instants import text
from alerting.parts import Parts
from alerting.tables import reconciliations
from tocsin.domain.reconcile import Field as Fact
from tocsin.domain.reconcile import Kind
from tocsin.domain.words import Role
from tocsin.errors import NotFound, Refused, Wrong
from tocsin.web.describe import answering, call, refusing, taking_text
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_text

MAY_RECONCILE = (Role.SAFETY_TEAM, Role.SAFETY_PHYSICIAN, Role.MEDICAL_REVIEWER, Role.ADMINISTRATOR)
LIMIT_BYTES = 4 * 1024 * 1024
MEDIA_TYPE = "text/csv"

Reconciler = Annotated[Person, requires(*MAY_RECONCILE)]


class DifferenceShown(BaseModel):
    """One difference, and the question that was asked about it. `row` counts from 1, the header not counted."""

    row: int | None
    case_id: str | None
    event_id: str | None
    subject: str | None
    kind: Kind = Field(description="in theirs and not ours, in ours and not theirs, or in both and not the same")
    field: Fact
    theirs: str | None = Field(description="what the list says; null where it says nothing")
    ours: str | None = Field(description="what we hold; null where we hold nothing")
    query_id: str
    unheard_death: bool = Field(description="a death in the list of a subject of whom we hold none: it rings")


class ReconciliationLine(BaseModel):
    """One comparison. `agreed` rows have no difference; `differ` counts differences."""

    reconciliation_id: str
    study: str
    site: str | None
    source: str
    at: str
    by: str
    sha256: str
    rows: int
    agreed: int
    differ: int


class ReconciliationShown(ReconciliationLine):
    """One comparison with its differences, the deaths that nobody reported first."""

    differences: list[DifferenceShown]


class ReconciliationMade(ReconciliationShown):
    """A comparison that was just made. `not_read` are columns of the list that are not looked at."""

    not_read: list[str]


class ReconciliationsShown(BaseModel):
    reconciliations: list[ReconciliationLine]


LIST = (
    "USUBJID,AETERM,AESTDTC,AESER,AESDTH,AEOUT,AESPID\n"
    "S01-003,Cytokine release syndrome,2026-05-11,Y,N,RECOVERED/RESOLVED,TOC-0031-E1\n"
    "S01-007,found dead at home,2026-05-16,Y,Y,FATAL,\n"
)
_LINE: dict[str, Any] = {
    "reconciliation_id": "4b0d3f6e-52a8-5c7e-9a51-3a7f0d5b9c10",
    "study": "NCT06223646",
    "site": "S01",
    "source": "EDC",
    "at": "2026-05-31T02:00:00Z",
    "by": "wu",
    "sha256": "0f9c3a51d9a3c64b1cbd1f3f6a3c2f4e0a4f3c7b5d2e9a8b7c6d5e4f3a2b1c0d",
    "rows": 2,
    "agreed": 1,
    "differ": 1,
}
_MADE: dict[str, Any] = {
    **_LINE,
    "differences": [
        {
            "row": 2,
            "case_id": None,
            "event_id": None,
            "subject": "S01-007",
            "kind": "not_ours",
            "field": "death",
            "theirs": "found dead at home, onset 2026-05-16",
            "ours": None,
            "query_id": "1f6a9d2c-7f41-5b1e-8a3d-6c2b9e0f4d55",
            "unheard_death": True,
        }
    ],
}


def add(routes: APIRouter, parts: Parts) -> None:
    """The calls."""

    @routes.post(
        "/v1/reconciliations",
        summary="Compare a list of serious events and deaths with what we hold",
        tags=["Reconciliation"],
        status_code=201,
        openapi_extra=call(
            taking_text(
                MEDIA_TYPE, "CSV in UTF-8 with a header; the names of its columns are in docs/api.md", {"A list": LIST}
            ),
            answering(201, "Compared, kept and asked.", "ReconciliationMade", TypeAdapter(ReconciliationMade),
                      {**_MADE, "not_read": []}),
            refusing(400, 401, 403, 413, 415, 422, 503),
        ),
    )  # fmt: skip
    async def post_list(
        request: Request, who: Reconciler,
        study: Annotated[str, Query(description="the study of the list")],
        source: Annotated[
            str, Query(min_length=1, max_length=60, description="whose list it is: `EDC`, `site log`; sites read it")
        ],
        site: Annotated[str | None, Query(description="the site whose list it is; without it, of all sites")] = None,
    ) -> JSONResponse:  # fmt: skip
        """Every difference is a query to its site, asked once however often a list comes. A death in the list of a
        subject of whom we hold none rings the safety physician. A list with a wrong cell is refused as a whole.
        """
        protocol = parts.studies.get(study)
        if protocol is None:
            allowed = ", ".join(sorted(parts.studies))
            raise Refused("the study is not served here", [Wrong("/query/study", f"{study!r} is unknown", allowed)])
        if site is not None and protocol.site(site) is None:
            allowed = ", ".join(one.id for one in protocol.sites)
            raise Refused("the site is not one of the study", [Wrong("/query/site", f"{site!r} is unknown", allowed)])
        raw, text = await read_text(request, MEDIA_TYPE, LIMIT_BYTES)

        def work() -> dict[str, Any]:
            read = reconciliation_list.read(text, protocol, site)
            sent = reconciliation.Sent(study, site, source.strip(), who.name, raw, read.listed)
            with parts.store.transaction() as tx:
                number = reconciliation.reconcile(tx, parts, sent, parts.now())
                return {**_one(tx, number), "not_read": list(read.not_read)}

        return JSONResponse(await run_in_threadpool(work), 201)

    @routes.get(
        "/v1/reconciliations",
        summary="List the comparisons that were made",
        tags=["Reconciliation"],
        openapi_extra=call(
            answering(200, "Newest first.", "Reconciliations", TypeAdapter(ReconciliationsShown),
                      {"reconciliations": [_LINE]}),
            refusing(401, 403, 422, 503),
        ),
    )  # fmt: skip
    def list_reconciliations(
        who: Reader, study: str | None = None, site: str | None = None, limit: Limit = 200
    ) -> dict[str, Any]:
        """Each list that was compared, by whom and when, with how much of it differed."""
        r = reconciliations.c
        wanted = select(reconciliations).order_by(r.at.desc(), r.id).limit(limit)
        for column, value in ((r.study, study), (r.site, site)):
            wanted = wanted if value is None else wanted.where(column == value)
        with parts.store.reading() as tx:
            return {"reconciliations": [_line(row) for row in tx.execute(wanted)]}

    @routes.get(
        "/v1/reconciliations/{reconciliation_id}",
        summary="Show a comparison with its differences",
        tags=["Reconciliation"],
        openapi_extra=call(
            answering(200, "The comparison.", "Reconciliation", TypeAdapter(ReconciliationShown), _MADE),
            refusing(401, 403, 404, 422, 503),
        ),
    )
    def get_reconciliation(reconciliation_id: UUID, who: Reader) -> dict[str, Any]:
        """What the list and we differed in when it was compared, and the query of each difference."""
        with parts.store.reading() as tx:
            return _one(tx, reconciliation_id)


def _one(tx: Connection, number: UUID) -> dict[str, Any]:
    row = tx.execute(select(reconciliations).where(reconciliations.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("there is no such comparison")
    return {**_line(row), "differences": row.differences}


def _line(row: Row[Any]) -> dict[str, Any]:
    return {
        "reconciliation_id": str(row.id),
        "study": row.study,
        "site": row.site,
        "source": row.source,
        "at": text(row.at),
        "by": row.by,
        "sha256": row.sha256,
        "rows": row.rows,
        "agreed": row.agreed,
        "differ": len(row.differences),
    }
