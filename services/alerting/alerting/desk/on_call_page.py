"""The page `/desk/on-call`: who is on duty now, every turn of two weeks, and overrides of it.

The plan behind it is `plan_page`'s, addresses and webhooks are `addresses_page`'s.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from alerting import call_plans
from alerting.alarm import POLICIES
from alerting.call_plan_api import MAY_OVERRIDE, MAY_PLAN
from alerting.desk.asked import Asked
from alerting.desk.dose_times import Times
from alerting.desk.duty_picture import picture
from alerting.desk.role_words import role as in_words
from alerting.parts import Parts
from tocsin.domain.protocol import Protocol
from tocsin.errors import NotFound, Refused, Wrong
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages
from tocsin.web.places import ON_CALL

HERE: Final = ON_CALL.path
DAYS: Final = 14
_SAID: Final = {
    "override": "The override counts from its beginning on. An alarm that is open rings by it from its next notice on.",
    "withdrawn": "The override counts no more.",
}
_LONGEST_REASON: Final = 2000


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, ON_CALL)
    page = OnCallPage(parts, pages, asked)
    asked.get(HERE, page.open)
    asked.post(f"{HERE}/overrides", HERE, MAY_OVERRIDE, page.make)
    asked.post(f"{HERE}/withdraw", HERE, MAY_OVERRIDE, page.withdraw)


def study_of(parts: Parts, wanted: str) -> Protocol:
    """The study that is asked for; the first where none is. NotFound for one that is not served here."""
    if not wanted and parts.studies:
        wanted = min(parts.studies)
    call_plans.must_be_served(parts, wanted)
    return parts.studies[wanted]


class OnCallPage:
    """Answers who is on call."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked

    def open(self, request: Request, who: Person) -> Response:
        """The page of the study that the address names."""
        return self.show(request, who, request.query_params.get("study", ""))

    def show(
        self, request: Request, who: Person, study: str, status: int = 200, *, typed: Form | None = None,
        refusal: Refused | None = None,
    ) -> Response:  # fmt: skip
        """Who is on duty, and the form of an override with what was typed where that was refused."""
        protocol, now = study_of(self._parts, study), self._parts.now()
        with self._parts.store.reading() as tx:
            kept = call_plans.load(tx, protocol.id, now)
            duties = [
                one for one in call_plans.now_on_duty(tx, self._parts, now, DAYS) if one["study"] == protocol.id
            ]  # fmt: skip
            overrides = call_plans.overrides_of(tx, protocol.id, now)
            missing = [role for one, role in call_plans.unreachable(tx, self._parts, now) if one == protocol.id]
        policy = kept.plan.policy("page", "") or POLICIES["page"]
        times = Times(protocol.receiver_zone, now)
        pairs = [(role, one.name) for one in kept.plan.people for role in one.roles]
        return self._pages.html(
            "on_call.html", status, title="On call", who=who, place=ON_CALL, study=protocol.id, of_plan=kept.version,
            studies=sorted(self._parts.studies), duties=duties, times=times, days=DAYS, in_words=in_words,
            heading=heading(duties, policy.steps[0].role, times), missing=missing, overrides=overrides, pairs=pairs,
            picture=picture(duties, now, DAYS, protocol.receiver_zone), zone_of_study=protocol.receiver_zone.key,
            file_people=[one for one in protocol.recipients if one.role.value not in kept.plan.roles],
            may_plan=bool(who.roles & set(MAY_PLAN)), may_override=bool(who.roles & set(MAY_OVERRIDE)), typed=typed,
            refusal=refusal, said=_SAID.get(request.query_params.get("said", ""), ""), tab="duty",
        )  # fmt: skip

    def make(self, request: Request, who: Person, form: Form) -> Response:
        """Somebody takes a role for a time."""
        study, now = form.get("study"), self._parts.now()
        zone = study_of(self._parts, study).receiver_zone
        try:
            role, _, person = form.get("taker").partition("|")
            times = [moment_of(form.get(name), f"/{name}", zone) for name in ("begins", "ends")]
            reason = form.get("reason")
            if not 0 < len(reason) <= _LONGEST_REASON:
                said = f"1 to {_LONGEST_REASON} characters"
                raise Refused("an override is made with a reason", [Wrong("/reason", "is missing or too long", said)])
            with self._parts.store.transaction() as tx:
                call_plans.put_override(
                    tx, self._parts, study, role, person, *times, by=who.name, reason=reason, at=now
                )  # fmt: skip
        except Refused as refusal:
            return self.show(request, who, study, refusal.status, typed=form, refusal=refusal)
        return self._asked.to(HERE, "override", study=study)

    def withdraw(self, request: Request, who: Person, form: Form) -> Response:
        """The rota counts again."""
        study = form.get("study")
        try:
            override_id = UUID(form.get("override"))
        except ValueError:
            raise NotFound("there is no such override that still counts") from None
        with self._parts.store.transaction() as tx:
            call_plans.withdraw_override(tx, override_id, by=who.name, at=self._parts.now(), study=study)
        return self._asked.to(HERE, "withdrawn", study=study)


def heading(duties: list[dict[str, Any]], first: str, times: Times) -> str:
    """Who is rung first by a page, as a sentence."""
    duty = next((one for one in duties if one["role"] == first), None)
    if duty is None:
        return f"The {in_words(first)} of the study file is rung first."
    names = " and ".join(duty["on_duty"]) or "Nobody"
    is_are = "are" if len(duty["on_duty"]) > 1 else "is"
    until = f" until {times.moment(duty['turns'][0]['ends'])}" if len(duty["turns"]) > 1 else ""
    return f"{names} {is_are} on duty as {in_words(first)}{until}."


def moment_of(text: str, where: str, zone: ZoneInfo) -> datetime:
    """A local time as a browser sends it, in this zone. Refused for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        said = f"a day and a time in {zone.key}, such as 2026-05-14T12:00"
        raise Refused("this override cannot be", [Wrong(where, f"{text!r} is no moment", said)]) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)
