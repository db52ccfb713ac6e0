"""What an intake that was restored from an older backup takes up from the log, which has gone on since.

Without it the next report would get a case number that was given already, and with it the id of a message that every
reader knows: it would be accepted, and nobody would ever hear of it. What was said stands on the log whole; how it was
sent word for word, by which key, and what was answered under an Idempotency-Key does not, and is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from ae_intake import asking, cases, tables
from ae_intake.cases import Provenance
from ae_intake.handle import on_decision_recorded, on_query_raised
from ae_intake.judge import judge
from ae_intake.keeping import Sender, keep_body
from ae_intake.questions import questions
from ae_intake.rows import Rows
from tocsin.domain.protocol import Protocol
from tocsin.errors import Poison
from tocsin.messages.bodies import DoseRecordedV1, ObservationsRecordedV1, QueryRaisedV1, ReportReceivedV1
from tocsin.messages.envelope import Envelope
from tocsin.messages.topics import INTAKE
from tocsin.store import audit
from tocsin.store.engine import Store
from tocsin.store.inbox import first_time
from tocsin.store.migrate import bring_up
from tocsin.store.types import json_text

WHO: Final = "tocsin catch-up"
HOW: Final = "from_the_log"
"""How a revision came that was taken up: what was sent is not known word for word."""
TOPICS: Final = (
    "reports.received.v1", "doses.recorded.v1", "observations.recorded.v1", "queries.raised.v1",
    "decisions.recorded.v1",
)  # fmt: skip


def prepare(store: Store) -> None:
    """Bring the tables of the restored database up to this version."""
    bring_up(store, tables.metadata, migrations=str(tables.MIGRATIONS), head=tables.HEAD)


@dataclass(frozen=True, slots=True)
class Catcher:
    """Takes up one message after the other, in the order of the log, all in one transaction of the caller's."""

    studies: Mapping[str, Protocol]
    _asked: list[QueryRaisedV1] = field(default_factory=list)

    def take(self, envelope: Envelope[Any], tx: Connection) -> bool:
        """Whether the message was new to these tables. Poison when it fits nothing that is there."""
        if envelope.source != INTAKE:
            return self._of_others(envelope, tx)
        body = envelope.body
        match body:
            case ReportReceivedV1():
                return self._report(envelope, body, tx)
            case DoseRecordedV1():
                row: dict[str, Any] = {"subject": body.subject, "kind": body.facts.kind}
                return _record(tx, tables.doses, envelope, row, body.facts.model_dump_json(exclude_unset=True))
            case ObservationsRecordedV1():
                row = {"subject": body.subject, "number": len(body.observations)}
                kept = [one.model_dump(mode="json", by_alias=True, exclude_unset=True) for one in body.observations]
                return _record(tx, tables.observations, envelope, row, json_text(kept))
            case QueryRaisedV1():
                self._asked.append(body)
        return False

    def finish(self, tx: Connection) -> int:
        """After the last message. A revision that is taken up raises its own queries; how many only the log knew."""
        return sum(_own_query(tx, body) for body in self._asked)

    def _of_others(self, envelope: Envelope[Any], tx: Connection) -> bool:
        handlers = {"queries.raised.v1": on_query_raised, "decisions.recorded.v1": on_decision_recorded}
        handler: Any = handlers.get(envelope.type)
        if handler is None or not first_time(tx, INTAKE, envelope.id, envelope.recorded_at):
            return False
        handler(envelope, tx)
        return True

    def _report(self, envelope: Envelope[Any], body: ReportReceivedV1, tx: Connection) -> bool:
        if body.study not in self.studies:
            return False  # A heartbeat is of no study, and no case.
        earlier = cases.bodies_of(tx, body.case_id)
        if body.revision <= len(earlier):
            if earlier[body.revision - 1] != body:
                raise Poison(
                    f"{body.case_id} revision {body.revision} is another report here than on the log: this intake has "
                    "accepted reports before it caught up, and no reader has heard of those. Restore its backup once "
                    "more, catch up, and send them again"
                )
            return False
        if body.revision != len(earlier) + 1:
            raise Poison(f"revision {body.revision} of {body.case_id}, of which there are {len(earlier)}")
        rows = Rows(tx)
        if body.revision == 1:
            number = int(body.case_id.rpartition("-")[2])
            counters = tables.counters.c
            higher = update(tables.counters).where(counters.name == "case", counters.value < number)
            tx.execute(higher.values(value=number))
            cases.open_case(rows, number, body)
        asked = questions(body, judge([*earlier, body], self.studies[body.study]).serious)
        text = body.model_dump_json(by_alias=True, exclude_unset=True)
        # The same path as a report that is sent: it is said once more under its own id, which every reader knows.
        keep_body(
            rows, body, Provenance(HOW, envelope.recorded_at, WHO, text), asked,
            Sender(WHO, envelope.recorded_at, text, envelope.traceparent), before=earlier[-1] if earlier else None,
        )  # fmt: skip
        rows.write()
        return True


def _record(tx: Connection, table: Any, envelope: Envelope[Any], row: Mapping[str, Any], facts: str) -> bool:
    body = envelope.body
    if tx.execute(select(table.c.record_id).where(table.c.record_id == body.record_id)).first() is not None:
        return False
    same = {"record_id": body.record_id, "study": body.study, "site": body.site, "received_at": body.received_at}
    tx.execute(insert(table), {**same, **row, "sent_by": WHO, "facts": facts})
    audit.append(
        tx, at=envelope.recorded_at, who=WHO, did="record taken up from the log", about=f"record {body.record_id}",
        study=body.study,
    )  # fmt: skip
    return True


def _own_query(tx: Connection, body: QueryRaisedV1) -> bool:
    """Whether it was not known: what rested on the words of a request is on the log alone."""
    known = select(tables.queries.c.query_id).where(tables.queries.c.query_id == body.query_id)
    if tx.execute(known).first() is not None:
        return False
    asking.keep(tx, body, INTAKE)
    return True
