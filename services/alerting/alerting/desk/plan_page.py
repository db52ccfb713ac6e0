"""The page `/desk/on-call/plan`: the call plan of a study to read, and as its document to check and to save."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from alerting import call_plan, call_plan_text, call_plans, kinds, webhooks
from alerting.alarm import POLICIES
from alerting.call_plan import CallPlanDocument
from alerting.call_plan_api import MAY_PLAN, MOST_BYTES
from alerting.desk.asked import Asked
from alerting.desk.dose_times import Times
from alerting.desk.on_call_page import study_of
from alerting.desk.role_words import role as in_words
from alerting.parts import Parts
from tocsin.errors import Refused, Wrong
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages
from tocsin.web.places import ON_CALL

HERE: Final = f"{ON_CALL.path}/plan"
NOBODY_RUNG: Final = "this call plan cannot be saved: somebody would not be rung"
_SAID: Final = {"saved": "This version counts from now on."}
_LONGEST_REASON: Final = 2000


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, ON_CALL)
    page = PlanPage(parts, pages, asked)
    asked.get(HERE, page.open)
    # A form writes every letter that is no Latin one as three times as many.
    asked.post(HERE, HERE, MAY_PLAN, page.post, most=3 * MOST_BYTES)


class PlanPage:
    """Answers the call plan."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked

    def open(self, request: Request, who: Person) -> Response:
        """The plan of the study that the address names."""
        return self.show(request, who, request.query_params.get("study", ""))

    def show(
        self, request: Request, who: Person, study: str, status: int = 200, *, typed: Form | None = None,
        refusal: Refused | None = None, is_good: bool = False, cautions: list[str] | None = None,
    ) -> Response:  # fmt: skip
        """The plan that counts; and the document, as it stands or as it was typed."""
        protocol, now = study_of(self._parts, study), self._parts.now()
        with self._parts.store.reading() as tx:
            kept = call_plans.document(tx, protocol.id)
            urls = {str(hook.id): hook.url for hook in webhooks.listed(tx)}
            standing = [] if kept is None or cautions is not None else call_plans.cautions(
                tx, call_plan.DOCUMENT.validate_python(kept["plan"])
            )  # fmt: skip
        plan = kept["plan"] if kept else call_plan.example(protocol.receiver_zone.key)
        version = kept["version"] if kept else 0
        house = [{"after_minutes": step.after.total_seconds() // 60, "roles": [step.role], "everyone": False}
                 for step in POLICIES["page"].steps]  # fmt: skip
        return self._pages.html(
            "call_plan.html", status, title="Call plan", who=who, place=ON_CALL, study=protocol.id, kept=kept,
            studies=sorted(self._parts.studies), plan=plan, urls=urls, in_words=in_words, for_what=for_what,
            minutes=minutes, house_steps=None if has_page_policy(plan) else house,
            saved_at=Times(protocol.receiver_zone, now).moment(kept["saved_at"]) if kept else "",
            may_plan=bool(who.roles & set(MAY_PLAN)), tab="plan", is_checked=is_good, refusal=refusal,
            cautions=standing if cautions is None else cautions,
            document=typed.raw("document") if typed else call_plan_text.toml(plan),
            reason=typed.get("reason") if typed else "", replaces=typed.get("replaces") if typed else version,
            said=_SAID.get(request.query_params.get("said", ""), ""),
        )  # fmt: skip

    def post(self, request: Request, who: Person, form: Form) -> Response:
        """Check what was typed, or save it; what cannot be is shown with its places, and nothing typed is lost."""
        study = form.get("study")
        call_plans.must_be_served(self._parts, study)
        try:
            plan = call_plan_text.read(form.raw("document"))
            if form.get("do") != "save":
                return self._check(request, who, study, plan, form)
            self._save(who, study, plan, form)
        except Refused as refusal:
            return self.show(request, who, study, refusal.status, typed=form, refusal=refusal)
        return self._asked.to(HERE, "saved", study=study)

    def _check(self, request: Request, who: Person, study: str, plan: CallPlanDocument, form: Form) -> Response:
        with self._parts.store.reading() as tx:
            wrong = call_plans.check(tx, plan, study, self._parts.studies, self._parts.now())
            cautions = call_plans.cautions(tx, plan)
        if wrong:
            refusal = Refused(NOBODY_RUNG, wrong)
            return self.show(request, who, study, refusal.status, typed=form, refusal=refusal, cautions=cautions)
        return self.show(request, who, study, typed=form, is_good=True, cautions=cautions)

    def _save(self, who: Person, study: str, plan: CallPlanDocument, form: Form) -> None:
        reason, replaces = form.get("reason"), form.get("replaces")
        wrong = []
        if not 0 < len(reason) <= _LONGEST_REASON:
            wrong.append(Wrong("/reason", "is missing or too long", f"1 to {_LONGEST_REASON} characters"))
        if not (replaces.isascii() and replaces.isdecimal() and len(replaces) < 10):
            wrong.append(Wrong("/replaces", "is no version", "the number of the version that this one replaces"))
        if wrong:
            raise Refused("this call plan was not saved", wrong)
        with self._parts.store.transaction() as tx:
            call_plans.save(
                tx, self._parts, study, plan, replaces=int(replaces), by=who.name, reason=reason, at=self._parts.now()
            )


def has_page_policy(plan: dict[str, Any]) -> bool:
    """Whether a policy of the plan says whom pages ring; else the house's does."""
    return any("page" in one.get("levels", []) for one in plan.get("policies", []))


def for_what(policy: dict[str, Any]) -> str:
    """The alerts that a policy is for."""
    named = [kinds.words(one) for one in policy.get("kinds", [])]
    levels = [f"every {one}" for one in policy.get("levels", [])]
    return "; ".join([*named, *levels])


def minutes(count: float | None) -> str:
    """A wait: "15 min", "1 h", "2 d 3 h"."""
    if count is None:
        return "never"
    days, hours, rest = int(count) // 1440, int(count) // 60 % 24, int(count) % 60
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (rest, "min")) if number]
    return " ".join(parts) or "at once"
