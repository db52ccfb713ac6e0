"""What a person does on the page of a case: assess, save a draft, sign second, decide a DLT, record a submission.

Each deed goes the way of its call in the API, with the same models and the same refusals. Nobody signs what they have
not seen: when something of the case changed since the page was opened, nothing is signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from alerting import accounts, answers, api, decisions_api, deeds_api, dlt_api, kinds, shown_decisions, shown_deeds
from alerting.desk import case_facts, drafts
from alerting.parts import Parts
from alerting.shown_dlt import DltDecisionFacts
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.web.identity import Person, must_hold
from tocsin.web.pages import Form
from tocsin.web.reading import Sent, understood

T = TypeVar("T")

ASSESS, DRAFT, SECOND, DLT, SENT, ANSWERED, PAIR = (
    "assess", "draft", "second", "dlt", "submission", "answer", "duplicate"
)  # fmt: skip
CHANGED = "the case has changed since you opened this page: nothing was signed. Read what is new, then sign again"
DRAFT_FIELDS = ("decision", "expectedness", "reason", "meaning", "aware_at", "revision")
DRAFT_LISTS = ("events", "seriousness")

_DECISION: TypeAdapter[shown_decisions.DecisionFacts] = TypeAdapter(shown_decisions.DecisionFacts)
_SECOND: TypeAdapter[shown_decisions.SecondSignatureFacts] = TypeAdapter(shown_decisions.SecondSignatureFacts)
_PAIR: TypeAdapter[shown_decisions.DuplicateFacts] = TypeAdapter(shown_decisions.DuplicateFacts)
_DLT: TypeAdapter[DltDecisionFacts] = TypeAdapter(DltDecisionFacts)
_SUBMISSION: TypeAdapter[shown_deeds.SubmissionFacts] = TypeAdapter(shown_deeds.SubmissionFacts)
_ANSWER: TypeAdapter[shown_deeds.AcknowledgementFacts] = TypeAdapter(shown_deeds.AcknowledgementFacts)


class CaseDeeds:
    """Does what the forms of one case ask for, and answers the code of what was done."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._does: Mapping[str, Callable[[str, Form, Person], None]] = {
            ASSESS: self._assess, DRAFT: self._draft, SECOND: self._second, DLT: self._dlt, SENT: self._sent,
            ANSWERED: self._answered, PAIR: self._pair,
        }  # fmt: skip

    def do(self, what: str, case_id: str, form: Form, who: Person) -> str:
        """Do it; Refused in the words of the rule that refuses."""
        does = self._does.get(what)
        if does is None:
            raise NotFound("there is no such form")
        does(case_id, form, who)
        return what

    def _assess(self, case_id: str, form: Form, who: Person) -> None:
        self._must_be_seen(case_id, form)
        facts = given(_DECISION, assessment(form), form, who, "this assessment cannot be understood")
        decisions_api.sign(self._parts, case_id, facts, who)
        with self._parts.store.transaction() as tx:
            drafts.drop(tx, who.name, about(case_id))
        self._acknowledge_all(case_id, who)

    def _draft(self, case_id: str, form: Form, who: Person) -> None:
        body = drafted(form)
        with self._parts.store.transaction() as tx:
            drafts.save(tx, who.name, about(case_id), body, self._parts.now())

    def _second(self, case_id: str, form: Form, who: Person) -> None:
        self._must_be_seen(case_id, form)
        facts = given(_SECOND, {}, form, who, "this signature cannot be understood")
        decisions_api.sign_too(self._parts, case_id, _id(form, "decision_id"), facts, who)

    def _dlt(self, case_id: str, form: Form, who: Person) -> None:
        self._must_be_seen(case_id, form)
        sent = _filled(form, "decision", "reason", "rule_id")
        facts = given(_DLT, sent, form, who, "this decision cannot be understood")
        dlt_api.sign(self._parts, self._own(case_id, _id(form, "dlt_id")), facts, who)

    def _own(self, case_id: str, dlt_id: UUID) -> UUID:
        """The verdict, if it is about this case: a page decides about nothing that it does not show."""
        with self._parts.store.reading() as tx:
            facts = case_facts.read(tx, self._parts, case_id)
        if str(dlt_id) not in [one["dlt_id"] for one in facts.verdicts]:
            raise NotFound("there is no such verdict about this case")
        return dlt_id

    def _sent(self, case_id: str, form: Form, who: Person) -> None:
        must_hold(who, deeds_api.MAY_SUBMIT)
        sent: dict[str, Any] = _filled(form, "at", "kind", "reference", "recipient")
        facts = understand(_SUBMISSION, sent, "this submission cannot be understood")
        deeds_api.enter(self._parts, self._clock(case_id, _id(form, "clock_id")), facts, who)

    def _answered(self, case_id: str, form: Form, who: Person) -> None:
        must_hold(who, deeds_api.MAY_SUBMIT)
        sent = _filled(form, "at", "outcome", "reference", "reason", "signed_by")
        facts = understand(_ANSWER, sent, "this answer cannot be understood")
        clock_id = self._clock(case_id, _id(form, "clock_id"))
        deeds_api.acknowledge(self._parts, clock_id, _id(form, "submission_id"), facts, who)

    def _clock(self, case_id: str, clock_id: UUID) -> UUID:
        with self._parts.store.reading() as tx:
            facts = case_facts.read(tx, self._parts, case_id)
        if str(clock_id) not in [one["clock_id"] for one in facts.clocks]:
            raise NotFound("there is no such clock of this case")
        return clock_id

    def _pair(self, case_id: str, form: Form, who: Person) -> None:
        self._must_be_seen(case_id, form)
        pair_id = _id(form, "duplicate_id")
        with self._parts.store.reading() as tx:
            facts = case_facts.read(tx, self._parts, case_id)
        if pair_id not in [row.id for row in facts.duplicates]:
            raise NotFound("there is no such pair about this case")
        sent = _filled(form, "decision", "keep", "reason")
        decisions_api.sign_pair(
            self._parts, pair_id, given(_PAIR, sent, form, who, "this decision cannot be understood"), who
        )

    def _must_be_seen(self, case_id: str, form: Form) -> None:
        with self._parts.store.reading() as tx:
            stamp = case_facts.read(tx, self._parts, case_id).stamp
        if form.get("seen") != stamp:
            raise Conflict(CHANGED)

    def _acknowledge_all(self, case_id: str, who: Person) -> None:
        """Whoever assessed a case has answered its alarms."""
        with self._parts.store.reading() as tx:
            open_ = case_facts.read(tx, self._parts, case_id).alerts
        for one in open_:
            is_theirs = answers.may_acknowledge(one["level"], one["roles"], who.roles)
            if one["state"] == "open" and is_theirs and one["kind"] not in kinds.UNTIL_ANSWERED:
                api.answer(self._parts, UUID(one["alert_id"]), who)


def about(case_id: str) -> str:
    """What a draft of an assessment is kept under."""
    return f"assessment of {case_id}"


def assessment(form: Form) -> dict[str, Any]:
    """The decision as its model takes it; what was not filled in is not sent."""
    sent: dict[str, Any] = _filled(form, "decision", "expectedness", "reason", "aware_at")
    if form.get("revision"):
        sent["revision"] = _number(form, "revision")
    for name in DRAFT_LISTS:
        if form.many(name):
            sent[name] = form.many(name)
    opinions = [
        {"agent": name.removeprefix("causality_"), "relation": form.get(name)}
        for name in form.names()
        if name.startswith("causality_") and form.get(name)
    ]
    return {**sent, "causality": opinions} if opinions else sent


def drafted(form: Form) -> dict[str, object]:
    """Everything of the form but the password and the token."""
    kept: dict[str, object] = {name: form.get(name) for name in DRAFT_FIELDS if form.get(name)}
    kept |= {name: form.many(name) for name in DRAFT_LISTS if form.many(name)}
    return kept | {n: form.get(n) for n in form.names() if n.startswith("causality_") and form.get(n)}


def given(model: TypeAdapter[T], sent: dict[str, Any], form: Form, who: Person, title: str) -> T:
    """The decision with its signature: both components are asked for anew, and both must be this person's."""
    if accounts.key(form.get("name")) != who.name:
        said = "the name is not the one that is signed in"
        raise Refused("nothing was signed", [Wrong("/name", said, "your own user name")])
    signature = {"password": form.raw("password"), "meaning": form.get("meaning")}
    return understand(model, {**sent, "signature": signature}, title)


def understand(model: TypeAdapter[T], sent: dict[str, Any], title: str) -> T:
    return understood(Sent(json.dumps(sent).encode(), sent), model, title)


def _filled(form: Form, *names: str) -> dict[str, Any]:
    return {name: form.get(name) for name in names if form.get(name)}


def _id(form: Form, name: str) -> UUID:
    try:
        return UUID(form.get(name))
    except ValueError:
        raise NotFound("this form is about nothing that is there") from None


def _number(form: Form, name: str) -> int:
    try:
        return int(form.get(name))
    except ValueError:
        raise Refused(
            "a field cannot be understood", [Wrong(f"/{name}", "is no number", "a version: 1, 2, …")]
        ) from None
