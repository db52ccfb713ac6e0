"""One case of the site as its pages show it: every revision, what is asked, and how a query can be answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from ae_intake import asking, cases
from ae_intake.desk import in_words, sayings
from ae_intake.desk.sayings import Said
from ae_intake.desk.visit import Desk, Visit, new_uuid
from ae_intake.receipts import AskedQuery
from ae_intake.tables import queries, revisions
from tocsin.errors import NotFound
from tocsin.messages.bodies import ReportReceivedV1
from tocsin.store import audit

_NUMBER = re.compile(r"TOC-[0-9]{1,9}")
_MOMENT = re.compile(r"/events/\d+/(?:onset|end|investigator_aware_at)")
_TEXT = {"/subject", "/product", "/reporter"}
_QUERY = re.compile(r"[0-9a-f-]{1,60}")


@dataclass(frozen=True, slots=True)
class Held:
    """A case with all its revisions, oldest first."""

    case_id: str
    bodies: Sequence[ReportReceivedV1]
    rows: Sequence[Row[Any]]
    asked: Sequence[AskedQuery]

    @property
    def newest(self) -> ReportReceivedV1:
        return self.bodies[-1]


def read_case(desk: Desk, visit: Visit, case_id: str) -> Held:
    """The case, with a line in the audit trail, as at the API. NotFound when it is not there or not theirs."""
    with desk.parts.store.reading() as tx:
        find(tx, visit, case_id)  # Whoever guesses numbers writes nothing.

    def work(tx: Connection) -> Held:
        held = find(tx, visit, case_id)
        audit.append(
            tx, at=desk.parts.now(), who=visit.who.name, did="case read", about=f"case {case_id}",
            study=visit.protocol.id,
        )  # fmt: skip
        return held

    return desk.write(work)


def find(tx: Connection, visit: Visit, case_id: str) -> Held:
    """The case, if it is the site's; else NotFound."""
    if not _NUMBER.fullmatch(case_id) or cases.find(tx, case_id, visit.reach) is None:
        raise NotFound("there is no such case")
    query = select(revisions).where(revisions.c.case_id == case_id).order_by(revisions.c.revision)
    return Held(case_id, cases.bodies_of(tx, case_id), tx.execute(query).all(), asking.open_of(tx, case_id))


def find_query(tx: Connection, visit: Visit, query_id: str) -> Row[Any]:
    """The query, if it is asked of the site; else NotFound."""
    found = asking.find(tx, query_id, visit.reach) if _QUERY.fullmatch(query_id) else None
    if found is None:
        raise NotFound("there is no such query")
    return found


def query_rows(tx: Connection, held: Held) -> list[Row[Any]]:
    """What is open about a case."""
    query = select(queries).where(queries.c.case_id == held.case_id, queries.c.status == "open")
    return list(tx.execute(query.order_by(queries.c.seq)))


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with its form. `takes`: moment, text, yes_no, or nothing but words."""

    query_id: str
    case_id: str | None
    kind: str
    about: str
    said: Said
    takes: str
    typed: Mapping[str, str]
    once: str


def asked_of(row: Row[Any], visit: Visit, typed: Mapping[str, str] | None = None, once: str = "") -> Asked:
    """How a query is put, and what it can be answered with."""
    takes = ""
    if row.kind in ("missing", "awareness"):
        takes = "moment" if _MOMENT.fullmatch(row.about) else "text" if row.about in _TEXT else ""
        takes = "yes_no" if row.about == "/patient_identifiable" else takes
    said = sayings.query(row.kind, row.about, row.question, visit.w)
    return Asked(row.query_id, row.case_id, row.kind, row.about, said, takes, typed or {}, once or new_uuid())


def history_of(held: Held, visit: Visit) -> list[dict[str, Any]]:
    """Every revision with what it changed, newest first."""
    found: list[dict[str, Any]] = []
    before: ReportReceivedV1 | None = None
    for row, body in zip(held.rows, held.bodies, strict=True):
        changes = in_words.changes_of(before, body, visit.w, visit.protocol.product) if before else []
        found.append({
            "revision": row.revision, "how": row.how, "recorded_at": row.recorded_at, "sent_by": row.sent_by,
            "reason": body.reason, "statement": row.statement, "is_nullified": body.is_nullified, "changes": changes,
        })  # fmt: skip
        before = body
    return found[::-1]
