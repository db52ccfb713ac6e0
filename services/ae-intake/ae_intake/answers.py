"""Answers to queries. An answer is a new revision of the case, and settles the query.

It carries one of: `value`, the fact itself, put where the query points; `follow_up`, facts of any kind; and, with
either or alone, `statement`, what the site says in words ("not a duplicate: the second fall was on Tuesday").
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tocsin.errors import Refused, Wrong
from tocsin.messages.bodies import ReportReceivedV1
from tocsin.messages.facts import FollowUpFacts, Words
from tocsin.web.pointers import join, split, wrong_places

FOLLOW_UP: TypeAdapter[FollowUpFacts] = TypeAdapter(FollowUpFacts)


class AnswerFacts(BaseModel):
    """An answer to one query."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    value: Any = Field(None, description="the fact that was asked for, put where the query's `about` points")
    follow_up: FollowUpFacts | None = Field(None, description="facts of any kind, as at /follow-ups")
    statement: Words | None = Field(None, description="the answer in words, kept beside the revision")


ANSWER: TypeAdapter[AnswerFacts] = TypeAdapter(AnswerFacts)


def follow_up_of(answer: AnswerFacts, about: str, body: ReportReceivedV1) -> FollowUpFacts:
    """The follow-up that an answer amounts to. Refused, with pointers into the answer, when it amounts to none."""
    has_value = "value" in answer.model_fields_set
    if has_value and answer.follow_up is not None:
        raise Refused("an answer is a value or a follow-up", [Wrong("/value", "beside follow_up", "one of the two")])
    if answer.follow_up is not None:
        return answer.follow_up
    if not has_value:
        if answer.statement is None:
            raise Refused("the answer says nothing", [Wrong("", "is empty", "value, follow_up or statement")])
        return FollowUpFacts()
    return _with_value(answer.value, about, body)


def words_of(answer: AnswerFacts) -> str:
    """The answer to a query that is about no case. Refused when it carries facts: there is no case to keep them in."""
    wrong = [
        Wrong(f"/{name}", "has no place: this query is about no case of ours", allowed)
        for name, allowed in (
            ("value", "statement"),
            ("follow_up", "statement; report an event that is new with POST /v1/reports"),
        )
        if name in answer.model_fields_set
    ]
    if wrong:
        raise Refused("this query is answered in words", wrong)
    if answer.statement is None:
        raise Refused("the answer says nothing", [Wrong("", "is empty", "statement")])
    return answer.statement


def _with_value(value: Any, about: str, body: ReportReceivedV1) -> FollowUpFacts:
    """The follow-up that puts `value` at the pointer `about` and leaves the rest alone."""
    steps = split(about)
    if not steps:
        problem = "has no place: this query is about the whole report"
        raise Refused("this query is not answered by a value", [Wrong("/value", problem, "statement or follow_up")])
    try:
        sent = _sent(value, steps, body)
    except (ValueError, IndexError, TypeError):  # Another service may point where there is nothing (any more).
        problem = f"has no place: {about} does not lead to a fact of this report"
        raise Refused("this query is not answered by a value", [Wrong("/value", problem, "follow_up")]) from None
    try:
        # Strict, and from JSON, as everything that a site sends.
        return FOLLOW_UP.validate_json(json.dumps(sent), strict=True)
    except ValidationError as error:
        wrong = _in_value(wrong_places(error, sent, FOLLOW_UP), steps)
        raise Refused("the value is not what was asked for", wrong) from None


def _sent(value: Any, steps: list[str], body: ReportReceivedV1) -> dict[str, Any]:
    """The follow-up as a site would have sent it."""
    if steps[0] != "events" or len(steps) < 3:
        facts = body.facts.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return {steps[0]: _put(facts.get(steps[0]), steps[1:], value)}
    kept, field = body.events[int(steps[1])], steps[2]
    facts = kept.facts.model_dump(mode="json", by_alias=True, exclude_unset=True)
    event = {"verbatim": kept.facts.verbatim, field: _put(facts.get(field), steps[3:], value), "ref": kept.event_id}
    if field in ("grade", "course"):
        event["correction"] = True  # The site was asked which grade is right, and this is its answer.
    return {"events": [event]}


def _put(before: Any, steps: list[str], value: Any) -> Any:
    """`before` with `value` at `steps`; lists and objects on the way are copied."""
    if not steps:
        return value
    if before is not None and not isinstance(before, dict | list):
        raise TypeError("a single fact holds no others")
    if isinstance(before, list):
        if int(steps[0]) >= len(before):
            raise IndexError(steps[0])
        place = int(steps[0])
        return [_put(one, steps[1:], value) if n == place else one for n, one in enumerate(before)]
    return {**(before or {}), steps[0]: _put((before or {}).get(steps[0]), steps[1:], value)}


def _in_value(wrong: list[Wrong], steps: list[str]) -> list[Wrong]:
    """The wrong places as the sender sees them: what lies behind the query's pointer lies in `value`."""
    inner = join(["events", 0, *steps[2:]]) if steps[0] == "events" and len(steps) > 2 else join(steps)
    return [Wrong("/value" + w.pointer.removeprefix(inner), w.problem, w.allowed) for w in wrong]
