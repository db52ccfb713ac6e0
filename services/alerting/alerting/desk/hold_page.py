"""The holds, `/desk/holds`: who has confirmed that they know of one, confirming it, and lifting it by signature.

Apart from the dose board, which changes under one's hands: what is typed here stays. A person of a site sees for which
level a hold stands and confirms for that site; why it was set may name subjects of another site, and is not theirs.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from alerting import board_json, holds_signed, shown_trial, trial, trial_api
from alerting.desk import case_deeds, dose_words
from alerting.desk.case_view import MEANINGS
from alerting.desk.dose_times import Times
from alerting.parts import Parts
from tocsin.domain.board.facts import CELL_LAB
from tocsin.domain.board.holds import Kind
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Role
from tocsin.errors import NotFound, Refused
from tocsin.web.identity import Person, must_hold
from tocsin.web.pages import Form, Pages, read_form
from tocsin.web.places import DOSE, HOLDS

CONFIRM, LIFT = "confirm", "lift"
DONE: Final = {
    CONFIRM: "Confirmed. Its ringing ends once everything that was set with it is confirmed.",
    LIFT: "Lifted, by your signature. What the facts set again afterwards stands again.",
}  # fmt: skip

_CONFIRMS: TypeAdapter[shown_trial.HoldConfirmationFacts] = TypeAdapter(shown_trial.HoldConfirmationFacts)
_LIFTS: TypeAdapter[shown_trial.HoldDecisionFacts] = TypeAdapter(shown_trial.HoldDecisionFacts)


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    page = HoldPage(parts, pages)

    @routes.get(HOLDS.path, include_in_schema=False)
    def list_holds(request: Request, done: str = "") -> Response:
        try:
            return page.show(pages.must_be(request, HOLDS), done=DONE.get(done, ""))
        except Refused as refusal:
            return pages.refused(request, refusal, title="Holds")

    @routes.post(f"{HOLDS.path}/{{hold_id}}/{{what}}", include_in_schema=False)
    async def act(hold_id: str, what: str, request: Request) -> Response:
        try:
            form = await read_form(request, 10_000)
            return await run_in_threadpool(page.act, hold_id, what, request, form)
        except Refused as refusal:
            return await run_in_threadpool(pages.refused, request, refusal)


class HoldPage:
    """Answers the page of the holds."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages

    def show(
        self, who: Person, *, done: str = "", refusal: Refused | None = None, about: str = "", form: Form | None = None
    ) -> Response:  # fmt: skip
        """Every hold that stands; of a site those that it is to know of."""
        with self._parts.store.reading() as tx:
            found = [
                one for study in self._parts.studies.values() if study.levels and who.study in (None, study.id)
                for one in self._of_study(tx, study, who)
            ]  # fmt: skip
        open_ = sum(bool(one["unconfirmed"]) for one in found)
        asked = any(one["unconfirmed"] or one["confirmed"] for one in found)
        return self._pages.html(
            "holds.html", refusal.status if refusal is not None else 200, who=who, title="Holds", place=DOSE,
            heading=_heading(len(found), open_, is_asked=asked), holds=found, done=done, about=about,
            refusal=refusal, typed=form.get if form is not None else _nothing, meanings=MEANINGS,
            may_see_dose=DOSE.is_for(who.roles), is_of_site=Role.SITE in who.roles,
        )  # fmt: skip

    def act(self, hold_id: str, what: str, request: Request, form: Form) -> Response:
        """Confirm or lift, then show the page anew."""
        who = self._pages.must_be(request, HOLDS)
        try:
            self._pages.check(request, who, form)
            self._do(hold_id, what, form, who)
        except Refused as refusal:
            return self.show(who, refusal=refusal, about=hold_id, form=form)
        return RedirectResponse(f"{self._pages.base}{HOLDS.path}?done={what}", 303)

    def _do(self, hold_id: str, what: str, form: Form, who: Person) -> None:
        try:
            wanted = UUID(hold_id)
        except ValueError:
            raise NotFound("there is no such hold") from None
        if what == CONFIRM:
            must_hold(who, holds_signed.MAY_CONFIRM)
            sent = {name: form.get(name) for name in ("party", "told_by") if form.get(name)}
            facts = case_deeds.understand(_CONFIRMS, sent, "this confirmation cannot be understood")
            trial_api.keep_confirmation(self._parts, wanted, facts, who)
        elif what == LIFT:
            must_hold(who, holds_signed.MAY_LIFT)
            sent = {"reason": form.get("reason")} if form.get("reason") else {}
            lifted = case_deeds.given(_LIFTS, sent, form, who, "this decision cannot be understood")
            trial_api.sign_lift(self._parts, wanted, lifted, who)
        else:
            raise NotFound("there is no such form")

    def _of_study(self, tx: Connection, study: Protocol, who: Person) -> list[dict[str, Any]]:
        times = Times(study.receiver_zone, self._parts.now())
        found = trial.board_of(tx, study, times.now)
        board = board_json.shown(found, {})
        sites = {site.id: site.name for site in study.sites}
        shown = []
        for one in dose_words.standing(board):
            parties = [c["party"] for c in one["confirmations"]]
            if Role.SITE in who.roles and who.site not in parties:
                continue
            shown.append(_hold(one, board, study, sites, who, times))
        return shown


def _hold(
    one: dose_words.Json, board: dose_words.Json, study: Protocol, sites: dict[str, str], who: Person, times: Times
) -> dict[str, Any]:  # fmt: skip
    is_of_site = Role.SITE in who.roles
    confirmations = [c for c in one["confirmations"] if not is_of_site or c["party"] == who.site]
    said = dose_words.hold(one, board, times)
    return {
        "id": one["hold_id"], "study": study.id, "said": said[:1].upper() + said[1:],
        "since": times.moment(one["since"]), "lifts": dose_words.lifts(one, board, times),
        "stops": "every level" if one["stops"] == "all" else ", ".join(one["stops"]),
        "reasons": [] if is_of_site else times.sentences(one["reasons"]),
        "confirmed": [
            (dose_words.party(c["party"], sites), c["by"], times.moment(c["confirmed_at"]))
            for c in confirmations if c["confirmed_at"]
        ],
        "unconfirmed": [
            (c["party"], dose_words.party(c["party"], sites), _is_own(c["party"], who))
            for c in confirmations if not c["confirmed_at"]
        ],
        "may_confirm": bool(who.roles & holds_signed.MAY_CONFIRM),
        "may_lift": bool(who.roles & holds_signed.MAY_LIFT) and one["kind"] not in (Kind.PARALLEL, Kind.STAGGER),
    }  # fmt: skip


def _is_own(party: str, who: Person) -> bool:
    """Whether they speak for themselves; else they say who told them."""
    return (party == CELL_LAB and Role.CELL_LAB in who.roles) or (Role.SITE in who.roles and party == who.site)


def _heading(number: int, open_: int, *, is_asked: bool) -> str:
    if not number:
        return "No hold stands."
    stand = f"{number} {'hold stands' if number == 1 else 'holds stand'}."
    if open_:
        return f"{stand} {open_} not confirmed by everybody."
    return f"{stand} Everybody has confirmed." if is_asked else stand


def _nothing(_: str) -> str:
    return ""
