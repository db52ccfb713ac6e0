"""The receipt: what we hold now, what is missing, what is asked, and what these facts start. Kept to the byte.

The same `Idempotency-Key` with the same document gives the same receipt; with another document it is a conflict. Keys
are remembered for ever, per study and site rather than per site key: a site that was given a new key may still repeat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, bindparam, insert, select

from ae_intake.rows import Rows
from ae_intake.tables import receipts
from tocsin.errors import Conflict, Refused, Wrong
from tocsin.messages.bodies import Contradiction, DuplicateLink, QueryKind
from tocsin.web.identity import Machine

ALL_SITES = "*"
# Built once: on this path, building a statement costs more than running it.
_GIVEN = select(receipts.c.key, receipts.c.digest, receipts.c.body).where(
    receipts.c.study == bindparam("of_study"),
    receipts.c.scope == bindparam("of_scope"),
    receipts.c.key.in_(bindparam("of_keys", expanding=True)),
)
_GIVE = insert(receipts)
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MissingElement(Part):
    """One of the four minimum elements that the report lacks."""

    element: Literal["patient", "reporter", "product", "event"]
    pointer: str
    question: str


class AskedQuery(Part):
    """A question that stands at GET /v1/queries."""

    query_id: str
    kind: QueryKind
    about: str = Field(description="a JSON Pointer into the report's facts; empty for the whole")
    question: str


class DayZero(Part):
    """The sponsor's day zero of one event: a date in the receiver's zone. It always exists."""

    event_id: str
    ref: str
    day_zero: date
    received_at: datetime
    is_provisional: bool = Field(description="an element is missing: the legal day zero is the receipt of the last")
    why: str


class StartedClock(Part):
    """A clock that these facts start, as received. The binding clocks stand at /v1/clocks."""

    status: Literal["as_received"] = "as_received"
    rule: str
    clause: str
    recipient: str
    event_id: str | None
    day_zero: date
    due_on: date
    due_at: datetime
    reasons: list[str]
    provisional: bool
    confidence: str


class Receipt(Part):
    """The answer to a report, a follow-up or an answered query."""

    case_id: str
    revision: int
    received_at: datetime
    complete: bool = Field(description="the four minimum elements are there")
    missing: list[MissingElement]
    contradictions: list[Contradiction]
    possible_duplicates: list[DuplicateLink]
    queries: list[AskedQuery] = Field(description="what is open for this case now")
    day_zero: list[DayZero]
    clocks: list[StartedClock]
    assumptions: list[str] = Field(description="what the clocks rest on and the sponsor has not approved")
    moved_to: str | None = Field(None, description="the case of the right subject, after the wrong one was named")


class StatementReceipt(Part):
    """The answer to a query that is about no case: kept in words. An event that is new is reported as any other."""

    query_id: str
    received_at: datetime
    statement: str


class DoseReceipt(Part):
    """The answer to a dose record."""

    record_id: str
    received_at: datetime
    study: str
    site: str
    subject: str | None
    kind: Literal["enrolment", "infusion", "withdrawal", "product_event"]


class ObservedSubject(Part):
    """What was kept of one subject."""

    record_id: str
    subject: str
    observations: int


class ObservationsReceipt(Part):
    """The answer to observations: one record a subject, all kept or none."""

    received_at: datetime
    study: str
    records: list[ObservedSubject]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an Idempotency-Key counts."""

    study: str
    site: str
    key: str
    digest: str

    @property
    def place(self) -> tuple[str, str, str]:
        """What no two receipts share."""
        return self.study, self.site, self.key


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of a receipt, and whether they were given before."""

    body: str
    is_replay: bool = False


def scope_of(machine: Machine, key: str | None, digest: str) -> Scope | None:
    """The scope of a request's Idempotency-Key, None without one. Refused when the header cannot be one."""
    if key is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        allowed = "1 to 255 visible ASCII characters, such as a UUID"
        raise Refused(
            "the Idempotency-Key cannot be read", [Wrong("", "the header Idempotency-Key is malformed", allowed)]
        )
    return Scope(machine.study, machine.site or ALL_SITES, key, digest)


def given_before(tx: Connection, scope: Scope | None) -> Answer | None:
    """The receipt given under this key; Conflict when that was for another document."""
    if scope is None:
        return None
    given = _given(tx, [scope]).get(scope.place)
    return None if given is None else _again(scope, *given)


def once(tx: Connection, scope: Scope | None, at: datetime, work: Callable[[], BaseModel]) -> Answer:
    """The receipt of `work`, which is done only if this key was never seen. The caller holds the turn."""
    before = given_before(tx, scope)
    if before is not None:
        return before
    body = work().model_dump_json()
    if scope is not None:
        tx.execute(_GIVE, _row(scope, at, body))
    return Answer(body)


def once_each(
    rows: Rows, asked: Sequence[tuple[Scope | None, datetime]], work: Callable[[list[int]], Iterable[BaseModel]]
) -> list[Answer]:
    """As `once`, for many requests at once, in their order: `work` is told which of them are new, by place.

    Of two with one key the first is done, and the second is answered as if it had come later. Their receipts wait in
    `rows`. Conflict when any of them is in conflict.
    """
    given = _given(rows.tx, [scope for scope, _ in asked if scope is not None])
    fresh, seen = [], set(given)
    for n, (scope, _) in enumerate(asked):
        if scope is None or scope.place not in seen:
            fresh.append(n)
        if scope is not None:
            seen.add(scope.place)
    made = dict(zip(fresh, work(fresh), strict=True))
    answers = []
    for n, (scope, at) in enumerate(asked):
        if n not in made:
            assert scope is not None
            answers.append(_again(scope, *given[scope.place]))
            continue
        body = made[n].model_dump_json()
        answers.append(Answer(body))
        if scope is not None:
            rows.add(_GIVE, _row(scope, at, body))
            given[scope.place] = (scope.digest, body)
    return answers


def _given(tx: Connection, scopes: Iterable[Scope]) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Digest and receipt of those that were answered before."""
    keys: dict[tuple[str, str], list[str]] = {}
    for scope in scopes:
        keys.setdefault((scope.study, scope.site), []).append(scope.key)
    return {
        (study, site, key): (digest, body)
        for (study, site), of in keys.items()
        for key, digest, body in tx.execute(_GIVEN, {"of_study": study, "of_scope": site, "of_keys": of})
    }


def _again(scope: Scope, digest: str, body: str) -> Answer:
    if digest != scope.digest:
        raise Conflict("this Idempotency-Key was used before with another request: use a new one for new facts")
    return Answer(body, is_replay=True)


def _row(scope: Scope, at: datetime, body: str) -> dict[str, Any]:
    return {
        "study": scope.study,
        "scope": scope.site,
        "key": scope.key,
        "digest": scope.digest,
        "answered_at": at,
        "body": body,
    }
