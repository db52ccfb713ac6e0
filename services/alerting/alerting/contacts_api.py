"""HTTP: every way to reach somebody here, and trying one on purpose."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import contacts
from alerting.api import Reader, Retrier, shows
from alerting.delivery.ledger import To
from alerting.parts import Parts
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.reading import read_json, understood


class LastShown(BaseModel):
    """The newest delivery to an address, as `/v1/deliveries` has it."""

    delivery_id: str
    state: str = Field(description="pending, sending, delivered or dead")
    why: str | None
    created_at: str
    ended_at: str | None


class ContactShown(BaseModel):
    """One address; of a webhook its id, and its URL as `name`."""

    channel: str
    address: str
    name: str
    roles: list[str] = Field(description='"study: role" for each')
    is_enabled: bool
    last: LastShown | None


class ContactsShown(BaseModel):
    contacts: list[ContactShown]


class ContactTest(BaseModel):
    """The address to try, as it stands in the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Literal["mail", "webhook"]
    address: Annotated[str, Field(min_length=1, max_length=320)]


_TEST: TypeAdapter[ContactTest] = TypeAdapter(ContactTest)
_LAST = {
    "delivery_id": "9b2f6e0c-3c1a-5d8e-8a53-0d7f1b2c3e44",
    "state": "pending",
    "why": None,
    "created_at": "2026-05-13T18:08:00Z",
    "ended_at": None,
}
_CONTACTS = {
    "contacts": [
        {
            "channel": "mail",
            "address": "safety-physician@sponsor.invalid",
            "name": "safety-physician@sponsor.invalid",
            "roles": ["NCT06223646: safety_physician"],
            "is_enabled": True,
            "last": _LAST,
        }
    ]
}


def add(routes: APIRouter, parts: Parts) -> None:
    """Add the calls to those of alerting."""

    @routes.get(
        "/v1/contacts",
        summary="List every address that is rung, and how the last delivery to it went",
        tags=["Deliveries"],
        openapi_extra=shows(
            "People and sites of the study files, then webhooks.", "Contacts", ContactsShown, _CONTACTS
        ),
    )
    def list_contacts(who: Reader) -> dict[str, Any]:
        """Each address once, with everything it is rung for."""
        with parts.store.reading() as tx:
            return {"contacts": [contact.as_json() for contact in contacts.listed(tx, parts.studies, parts.now())]}

    @routes.post(
        "/v1/contacts/tests",
        summary="Send a trial notice to one address",
        tags=["Deliveries"],
        status_code=202,
        openapi_extra=call(
            taking(_TEST, "ContactTest", {
                "A physician's mail": {"channel": "mail", "address": "safety-physician@sponsor.invalid"},
            }),
            answering(202, "It is on its way; what became of it stands in /v1/deliveries.", "LastDelivery",
                      TypeAdapter(LastShown), _LAST),
            refusing(400, 401, 403, 404, 409, 413, 415, 422, 503),
        ),
    )  # fmt: skip
    async def test_contact(request: Request, who: Retrier) -> JSONResponse:
        """It goes the whole way of an alarm and says that it is a test. One that is given up rings like any other."""
        asked = understood(await read_json(request, 10_000), _TEST, "this test cannot be read")

        def fire() -> dict[str, Any]:
            with parts.store.transaction() as tx:
                to = To(asked.channel, asked.address)
                return contacts.outcome(tx, contacts.fire(tx, parts, to, who.name, parts.now()))

        return JSONResponse(await run_in_threadpool(fire), 202)
