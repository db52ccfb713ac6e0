"""HTTP in: sign in, read alerts, clocks, deliveries and subjects, acknowledge, retry. The edge commits here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter
from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import accounts, answers, board, board_json, kinds, sessions, shown
from alerting.alarm import ACKNOWLEDGED, OPEN
from alerting.delivery import ledger, mailbox
from alerting.instants import text
from alerting.parts import Parts
from alerting.tables import alerts as alert_rows
from tocsin.domain.words import Role
from tocsin.errors import Conflict, Forbidden, NotFound, Unauthorised
from tocsin.settings import Settings
from tocsin.store import audit
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires, sign_person
from tocsin.web.limits import limits_of
from tocsin.web.parameters import Moment
from tocsin.web.places import READERS
from tocsin.web.reading import read_json, understood

MAY_READ = tuple(sorted(READERS))
# A coder is rung for uncoded reports and may answer for those.
MAY_ANSWER = (*MAY_READ, Role.CODER)
MAY_RETRY = (Role.ADMINISTRATOR, Role.SAFETY_TEAM, Role.SAFETY_PHYSICIAN, Role.MEDICAL_DIRECTOR)

Reader = Annotated[Person, requires(*MAY_READ)]
Answerer = Annotated[Person, requires(*MAY_ANSWER)]
Retrier = Annotated[Person, requires(*MAY_RETRY)]
Limit = Annotated[int, Query(ge=1, le=board.MOST)]

_SIGN_IN = TypeAdapter(shown.SignIn)


def shows(says: str, name: str, model: Any, example: Any, *refusals: int, status: int = 200) -> dict[str, Any]:
    """What a reading call answers, for /openapi.json."""
    return call(answering(status, says, name, TypeAdapter(model), example), refusing(401, 403, *refusals, 503))


def router(parts: Parts, settings: Settings) -> APIRouter:
    """The calls of alerting; its pages are in `page`."""
    routes = APIRouter()
    _sessions(routes, parts, settings)
    _alerts(routes, parts)
    _lists(routes, parts, settings)
    return routes


def _sessions(routes: APIRouter, parts: Parts, settings: Settings) -> None:
    @routes.post(
        "/v1/sessions",
        summary="Sign in",
        tags=["People"],
        status_code=201,
        openapi_extra=call(
            taking(_SIGN_IN, "SignIn", {"A login": shown.SIGN_IN}),
            answering(201, "A token for eight hours.", "Session", TypeAdapter(shown.Session), shown.SESSION),
            refusing(400, 401, 413, 415, 422, 503),
        ),
    )
    async def sign_in(request: Request) -> JSONResponse:
        """Sign in. After a few wrong passwords an account waits, longer each time; after many, an address."""
        who = understood(await read_json(request, 10_000), _SIGN_IN, "this login cannot be read")
        with limits_of(request).sign_in(request):
            session = await run_in_threadpool(new_session, parts, settings, who.name, who.password)
        return JSONResponse(session, 201)


def new_session(parts: Parts, settings: Settings, name: str, password: str) -> dict[str, Any]:
    """A session for this name and password; Unauthorised when they do not fit."""
    key = settings.signing_key.get_secret_value().encode()
    if not key:
        raise Unauthorised("nobody can log in here: no signing key is set")
    person = accounts.sign_in(parts.store, name, password, parts.now(), wall=parts.wall())
    return open_session(parts, key, person)


def open_session(parts: Parts, key: bytes, person: Person) -> dict[str, Any]:
    """A session of somebody who has shown who they are, and its token."""
    now = parts.wall()  # Also in a rehearsal: a jump of days must not end everybody's session.
    with parts.store.transaction() as tx:
        person = replace(person, session=str(sessions.begin(tx, person.name, now)))
    return {
        "token": sign_person(person, key, now, sessions.LAST),
        "expires_at": text(now + sessions.LAST),
        "name": person.name,
        "roles": sorted(person.roles),
    }


def _alerts(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/alerts",
        summary="List what rang, why, and who answered",
        tags=["Alerts"],
        openapi_extra=shows("Alerts, newest first.", "Alerts", shown.AlertsShown, shown.ALERTS),
    )
    def list_alerts(
        who: Reader, case_id: str | None = None, state: Literal["open", "acknowledged", "closed"] | None = None,
        level: str | None = None, kind: str | None = None, since: Moment | None = None, limit: Limit = 200,
    ) -> dict[str, Any]:  # fmt: skip
        """What rang, why, who was told by which channel, and who answered."""
        with parts.store.reading() as tx:
            found = board.alerts_like(
                tx, case_id=case_id, state=state, level=level, kind=kind, since=since, limit=limit
            )
        return {"alerts": found}

    @routes.post(
        "/v1/alerts/{alert_id}/acknowledgements",
        summary="Answer an alert: the ringing stops",
        tags=["Alerts"],
        openapi_extra=shows("Who was first.", "Acknowledged", shown.AcknowledgedShown, shown.ACKNOWLEDGED, 404),
    )
    def acknowledge(alert_id: UUID, who: Answerer) -> dict[str, Any]:
        """Answer an alert: the ringing stops. It assesses and signs nothing. No body is needed."""
        return answer(parts, alert_id, who)


def answer(parts: Parts, alert_id: UUID, who: Person) -> dict[str, Any]:
    """A person acknowledges; NotFound, or Forbidden when their roles may not answer this alert."""
    now: datetime = parts.now()
    with parts.store.transaction() as tx:
        must_be_theirs(tx, alert_id, who)
        done = answers.acknowledge(tx, parts, alert_id, who.name, sorted(who.roles), now)
    assert done is not None  # it was read in the same transaction
    return {
        "alert_id": str(alert_id),
        "state": OPEN if done.waits_for else ACKNOWLEDGED,
        "acknowledged_by": done.by,
        "acknowledged_at": text(done.at),
        "you_were_first": done.is_first,
        "waits_for": list(done.waits_for),
    }


def must_be_theirs(tx: Connection, alert_id: UUID, who: Person) -> None:
    """NotFound, Conflict for an alert that only whom it concerns can answer, Forbidden when their roles may not."""
    asked = select(alert_rows.c.level, alert_rows.c.roles, alert_rows.c.kind).where(alert_rows.c.id == alert_id)
    row = tx.execute(asked).one_or_none()
    if row is None:
        raise NotFound("there is no such alert")
    if row.kind in kinds.UNTIL_ANSWERED:
        raise Conflict("it rings until whom it concerns has confirmed the hold: POST /v1/holds/{id}/confirmations")
    if not answers.may_acknowledge(row.level, row.roles, who.roles):
        raise Forbidden(f"a {row.level} alert is acknowledged by those whom it rings, or a physician")


def _lists(routes: APIRouter, parts: Parts, settings: Settings) -> None:
    @routes.get(
        "/v1/clocks",
        summary="List the regulatory clocks",
        tags=["Clocks"],
        openapi_extra=shows("Clocks, soonest due first.", "Clocks", shown.ClocksShown, shown.CLOCKS),
    )
    def list_clocks(
        who: Reader, case_id: str | None = None, study: str | None = None, status: str | None = None,
        recipient: str | None = None, due_before: date | None = None, due_after: date | None = None,
        event_id: str | None = None, site: str | None = None, authority: str | None = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None, limit: Limit = 200,
    ) -> dict[str, Any]:  # fmt: skip
        """The regulatory clocks with rule, clause, day zero, due date, and every change.

        `authority`: a jurisdiction such as CN, or a recipient by name. `open`: something is still owed.
        """
        with parts.store.reading() as tx:
            found = board.clocks_like(
                tx, case_id=case_id, study=study, status=status, recipient=recipient, due_before=due_before,
                due_after=due_after, event_id=event_id, site=site, is_open=is_open, limit=limit,
                authority=None if authority is None else authority_of(parts, authority),
            )  # fmt: skip
        return {"clocks": found}

    @routes.get(
        "/v1/deliveries",
        summary="List what was sent to whom, with every try",
        tags=["Deliveries"],
        openapi_extra=shows("Deliveries, newest first.", "Deliveries", shown.DeliveriesShown, shown.DELIVERIES),
    )
    def list_deliveries(
        who: Reader, alert_id: UUID | None = None, limit: Limit = 200,
        state: Literal["pending", "sending", "delivered", "dead"] | None = None,
        channel: Literal["mail", "webhook"] | None = None, address: str | None = None, case_id: str | None = None,
        since: Moment | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Each notice to each address, with every try and how the other side answered.

        `address`: a mail address, or the id of a webhook.
        """
        with parts.store.reading() as tx:
            found = board.deliveries_like(
                tx, alert_id=alert_id, state=state, channel=channel, address=address, case_id=case_id, since=since,
                limit=limit,
            )  # fmt: skip
        return {"deliveries": found}

    @routes.post(
        "/v1/deliveries/{delivery_id}/retries",
        summary="Try a delivery again now",
        tags=["Deliveries"],
        status_code=202,
        openapi_extra=shows("It is tried now.", "Deliveries", shown.DeliveriesShown, shown.DELIVERIES, 404, status=202),
    )
    def retry(delivery_id: UUID, who: Retrier) -> dict[str, Any]:
        """Try a delivery that was given up, or that waits, again at once."""
        now = parts.now()
        with parts.store.transaction() as tx:
            if not ledger.retry(tx, delivery_id, now):
                raise NotFound("there is no such delivery that waits or was given up")
            audit.append(tx, at=now, who=who.name, did="delivery retried", about=f"delivery {delivery_id}")
            return {"deliveries": board.deliveries_like(tx, delivery_id=delivery_id)}

    @routes.get(
        "/v1/subjects/{subject_id}",
        summary="Show a subject: doses, events, window, evaluability and verdicts",
        tags=["Subjects"],
        openapi_extra=shows("The subject as reported.", "Subject", shown.SubjectShown, shown.SUBJECT, 404),
    )
    def one_subject(subject_id: str, who: Reader) -> dict[str, Any]:
        """Doses and events as the site reported them; then where the subject stands, and why."""
        with parts.store.reading() as tx:
            found = board.subject(tx, subject_id, sorted(parts.studies))
            if found is None:
                raise NotFound("nothing is known of such a subject")
            return {**found, "standing": board_json.standing_of(tx, parts, subject_id)}

    @routes.get(
        "/v1/mailbox",
        summary="List the mails that no mail server took",
        tags=["Deliveries"],
        openapi_extra=shows("Mails, newest first.", "Mailbox", shown.MailboxShown, shown.MAILBOX),
    )
    def list_mails(who: Reader) -> dict[str, Any]:
        """The mails in the mailbox folder, where no mail server is set."""
        return {"mails": mails(settings)}


def authority_of(parts: Parts, name: str) -> board.Authority:
    """An authority by the name of its jurisdiction, in any of the studies served here; else a recipient's name."""
    rules = {
        rule.id
        for protocol in parts.studies.values()
        for rule in protocol.clock_rules
        if rule.jurisdiction.casefold() == name.casefold()
    }
    return board.Authority(name, tuple(sorted(rules)))


def mails(settings: Settings) -> list[dict[str, Any]]:
    """What the mailbox folder holds, newest first."""
    return [
        {"name": m.name, "sent_at": text(m.sent_at), "to": m.to, "subject": m.subject,
         "message_id": m.message_id, "text": m.text}
        for m in mailbox.read(settings.data / "mailbox")
    ]  # fmt: skip
