"""How the coder is rebuilt: its facts as the log tells them, its codings and grades as it once said them.

`tocsin rebuild coder` asks for this. Nothing is coded or graded anew: another dictionary, another version of the rules
or another order of arrival would give other answers under numbers that were given already, and what was said stands. A
person's decision is beside it on the log, and so is each word on a phrase, each proposal, each question to a site, and
which version a study uses. Dictionaries and the official text of the criteria were set by hand, are on no log, and
stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from meddra_coder import (
    app,
    casebook,
    chart,
    decision_log,
    gradebook,
    held_phrases,
    proposals,
    review_queue,
    site_questions,
    synonym_book,
    tables,
    version_use,
    ward_grades,
)
from tocsin.domain.words import Scale
from tocsin.errors import Poison
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.reading import decode
from tocsin.messages.topics import CODER, read_by
from tocsin.store.migrate import bring_up

if TYPE_CHECKING:
    from tocsin.bus.port import Received
    from tocsin.messages.bodies import DecisionRecordedV1, DerivedGrade, EventsCodedV1, GradesDerivedV1
    from tocsin.store.engine import Store


class CoderWay:
    """What `tocsin rebuild` asks of a service."""

    service: str = "coder"
    source: str = casebook.SOURCE
    reads: Mapping[str, Sequence[str]] = {CODER: read_by(CODER)}
    tells: Sequence[str] = (casebook.TOPIC, gradebook.TOPIC, decision_log.TOPIC)
    metadata = tables.metadata
    head: str = tables.HEAD
    stays = frozenset({tables.criteria_texts.name, tables.dictionaries.name})
    set_anew: frozenset[str] = frozenset()
    follows_its_inbox = False  # Rows are added only; a grade bears the time of the values that it rests on.

    def __init__(self) -> None:
        self._decided: dict[UUID, DecisionRecordedV1] = {}
        self._moves: list[DecisionRecordedV1] = []

    def decode(self, received: Received) -> Envelope[Any]:
        return decode(received)

    def begin(self, scratch: Store, records: Callable[[str], Iterator[Received]]) -> None:
        """The tables; and by the message that it was said with, each decision of a person."""
        bring_up(scratch, tables.metadata, migrations=app.MIGRATIONS, head=tables.HEAD)
        for received in records(decision_log.TOPIC):
            try:
                envelope = decode(received)
            except Poison:
                continue  # told when its turn comes
            if envelope.source != self.source:
                continue
            if envelope.body.what == decision_log.DICTIONARY:
                self._moves.append(envelope.body)
            else:
                self._decided[identity(casebook.TOPIC, envelope.body.decision_id)] = envelope.body

    def handle(self, envelope: Envelope[Any], tx: Connection) -> None:
        body = envelope.body
        match envelope.type:
            case "reports.received.v1":
                seen = casebook.Revision(body.case_id, body.revision, body.study)
                casebook.keep_revision(tx, seen, body, review_queue.how_serious(body))
            case "observations.recorded.v1":
                chart.keep(tx, body)
            case "doses.recorded.v1":
                chart.keep_infusion(tx, body)
            case casebook.TOPIC:
                self._codings(envelope.id, body, tx)
            case gradebook.TOPIC:
                _grades(body, tx)
            case decision_log.TOPIC:
                _decision(body, tx)

    def finish(self, tx: Connection, kept: Connection) -> list[str]:
        """Everything came from the log, and nothing stands in the way."""
        return []

    def _codings(self, message_id: UUID, body: EventsCodedV1, tx: Connection) -> None:
        """What was said of every event, by the machine or a move to another version, or what a person decided of one:
        the others are only said again.
        """
        of = casebook.Revision(body.case_id, body.revision, body.study)
        events = body.events
        of_all = [identity("coded", body.case_id, str(body.revision), body.dictionary)]
        of_all += [version_use.case_decision(UUID(one.decision_id), of) for one in self._moves if one.study == of.study]
        decision = next((one for one in of_all if identity(casebook.TOPIC, str(one)) == message_id), None)
        if decision is None:
            decided = self._decided.get(message_id)
            if decided is None:
                raise Poison("a coding that no decision on the log explains")
            decision = UUID(decided.decision_id)
            events = [event for event in events if event.event_id == decided.about]
        casebook.keep(
            tx, of, events, decision=decision, dictionary=body.dictionary, at=body.coded_at, by=body.coder,
        )  # fmt: skip


def _decision(body: DecisionRecordedV1, tx: Connection) -> None:
    """What a person decided beside a coding. A coding itself is kept as it was said."""
    match body.what:
        case decision_log.SYNONYM:
            synonym_book.rebuild(tx, body)
        case decision_log.HELD:
            held_phrases.rebuild(tx, body)
        case decision_log.DICTIONARY:
            version_use.rebuild(tx, body)
        case decision_log.PROPOSED | decision_log.APPROVED | decision_log.REFUSED:
            proposals.rebuild(tx, body)
        case decision_log.ASKED:
            site_questions.rebuild(tx, body)


def _grades(body: GradesDerivedV1, tx: Connection) -> None:
    rows = [
        {
            "grade_id": grade.grade_id,
            "record_id": body.record_id,
            "study": body.study,
            "subject": body.subject,
            "about": _about(grade, tx),
            "derived_at": body.derived_at,
            "body": grade.model_dump(mode="json"),
        }
        for grade in body.grades
    ]
    if rows:
        tx.execute(insert(tables.grades), rows)


def _about(grade: DerivedGrade, tx: Connection) -> str:
    """The analyte or the syndrome: that of the observation which the grade rests on first."""
    if grade.scale is Scale.ICAHT:
        return "ICAHT"
    row = tables.observations.c
    seen = tx.execute(select(row.kind, row.analyte).where(row.id == grade.evidence[0])).one_or_none()
    if seen is None:
        raise Poison(f"a grade that rests on {grade.evidence[0]}, which is not on the log")
    if seen.kind == "laboratory" and seen.analyte is not None:
        return str(seen.analyte)
    return ward_grades.touched_by({seen.kind}, ())[0].name
