"""Builders and the house that the tests of alerting play in: a real database, a clock they own, mail in a folder.

Anything a test did not ask for is seen: `mails()` and `alerts()` hold all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from alerting import answers, board, chores, dead_letters, handle, tables, undelivered, verdicts, webhooks
from alerting.app import prepare
from alerting.delivery import mailbox
from alerting.delivery.courier import Courier
from alerting.delivery.ledger import MAIL, WEBHOOK
from alerting.delivery.mailbox import Mailbox
from alerting.delivery.outcome import Outcome
from alerting.delivery.parcel import Deliverer, Parcel
from alerting.parts import Parts
from tocsin.bus.port import Received
from tocsin.domain.protocol import Protocol, Recipient
from tocsin.domain.words import Role
from tocsin.messages.bodies import (
    CodedEvent,
    DoseRecordedV1,
    EventsCodedV1,
    QueryRaisedV1,
    ReportReceivedV1,
)
from tocsin.messages.envelope import Body, Envelope, identity
from tocsin.store.engine import Store, open_store
from tocsin.store.tables import ledger
from tocsin.studies import load

PROTOCOLS = Path(__file__).parents[2] / "deploy" / "protocols"
STUDY = "NCT06223646"
NOON = datetime(2026, 5, 14, 4, 0, tzinfo=UTC)
"""Thursday 14 May 2026, 12:00 in Shanghai."""


@cache
def _shipped() -> Mapping[str, Protocol]:
    return load(sorted(PROTOCOLS.glob("*.toml")))


def studies() -> dict[str, Protocol]:
    """The studies as they are shipped."""
    return dict(_shipped())


def without_doses() -> dict[str, Protocol]:
    """The same, in which no dose is looked for: nothing holds an infusion."""
    return {name: replace(protocol, levels=()) for name, protocol in studies().items()}


def without(protocol: Protocol, *roles: Role) -> Protocol:
    """The same study, in which nobody has these roles."""
    return replace(protocol, recipients=tuple(r for r in protocol.recipients if r.role not in roles))


def report(
    *events: Mapping[str, Any], case: str = "TOC-0031", revision: int = 1, at: datetime = NOON,
    subject: str | None = "S01-003", nullified: bool = False, study: str = STUDY, site: str = "S01", **facts: Any,
) -> Envelope[ReportReceivedV1]:  # fmt: skip
    """A report as ae-intake says it. Events are numbered in their order."""
    reporter = {"name": "Dr Gao"}
    body = ReportReceivedV1.model_validate(
        {
            "case_id": case,
            "revision": revision,
            "study": study,
            "site": site,
            "subject": subject,
            "received_at": at,
            "facts": {"subject": subject, "reporter": reporter, "product": "KQ-2003", "events": events, **facts},
            "events": [{"event_id": f"{case}-E{n}", "facts": event} for n, event in enumerate(events, 1)],
            "is_nullified": nullified,
        }
    )
    return _said("reports.received.v1", case, body, at, case, str(revision), study=study, source="ae-intake")


def coding(
    *events: Mapping[str, Any], case: str = "TOC-0031", revision: int = 1, at: datetime = NOON, by: str = "machine",
    study: str = STUDY,
) -> Envelope[EventsCodedV1]:  # fmt: skip
    """A coding as meddra-coder says it. An event is coded unless it says otherwise."""
    coded = [
        CodedEvent.model_validate(
            {
                "event_id": f"{case}-E{n}",
                "verbatim": "as reported",
                "status": "coded",
                "llt_code": "10016288",
                "term": "Febrile neutropenia",
                "soc": "Blood and lymphatic system disorders",
                "method": "exact",
                "reasons": ["the words are the term"],
                **event,
            }
        )
        for n, event in enumerate(events, 1)
    ]
    body = EventsCodedV1(
        case_id=case, revision=revision, study=study, dictionary="CTCAE 5.0", coded_at=at, coder=by, events=coded
    )
    return _said("events.coded.v1", case, body, at, case, str(revision), by, study=study, source="meddra-coder")


def dose(record: str = "D1", at: datetime = NOON, study: str = STUDY, **facts: Any) -> Envelope[DoseRecordedV1]:
    """A dose record as ae-intake says it."""
    body = DoseRecordedV1.model_validate(
        {
            "record_id": record,
            "study": study,
            "site": "S01",
            "subject": facts.get("subject"),
            "received_at": at,
            "facts": facts,
        }
    )
    return _said("doses.recorded.v1", "S01-003", body, at, record, study=study, source="ae-intake")


def query(
    number: str, case: str = "TOC-0031", batch: str | None = None, at: datetime = NOON, site: str = "S01"
) -> Envelope[QueryRaisedV1]:
    """A question to a site."""
    body = QueryRaisedV1(
        query_id=number, case_id=case, study=STUDY, site=site, kind="missing", about="/reporter",
        question="Who reports this?", raised_at=at, batch=batch,
    )  # fmt: skip
    return _said("queries.raised.v1", case, body, at, number, study=STUDY, source="ae-intake")


def _said(kind: str, key: str, body: Body, at: datetime, *about: str, study: str, source: str) -> Envelope[Any]:
    return Envelope(identity(kind, *about), kind, key, source, study, at, at, body)


FATAL = {"verbatim": "found without pulse", "seriousness": ["death"], "outcome": "fatal", "onset": "2026-05-13"}
SERIOUS = {"verbatim": "pneumonia", "seriousness": ["hospitalisation"], "serious": True, "grade": {"ctcae": 2},
           "onset": "2026-05-13"}  # fmt: skip
MILD = {"verbatim": "headache", "serious": False, "grade": {"ctcae": 1}, "onset": "2026-05-13"}
HEADACHE = {"llt_code": "10019211", "term": "Headache", "soc": "Nervous system disorders"}
PNEUMONIA = {"llt_code": "10061229", "term": "Lung infection", "soc": "Infections and infestations"}

_HANDLERS: dict[str, Callable[[Any, Connection, Parts], None]] = {
    "reports.received.v1": handle.on_report_received,
    "events.coded.v1": handle.on_events_coded,
    "doses.recorded.v1": handle.on_dose_recorded,
    "observations.recorded.v1": handle.on_observations_recorded,
    "grades.derived.v1": handle.on_grades_derived,
    "queries.raised.v1": handle.on_query_raised,
    "decisions.recorded.v1": handle.on_decision_recorded,
    dead_letters.TYPE: dead_letters.on_dead_letter,
}


@dataclass
class Ward:
    """Alerting without its threads: messages are handed in, time is moved, couriers are walked until nothing is due."""

    store: Store
    folder: Path
    studies: dict[str, Protocol]
    at: datetime = NOON
    wall_at: datetime = NOON
    deliverers: dict[str, Deliverer] = field(default_factory=dict)
    is_rebuilding: bool = False

    @property
    def parts(self) -> Parts:
        return Parts(
            self.store, self.studies, lambda: self.at, lambda: self.wall_at, "https://tocsin.example",
            is_rebuilding=self.is_rebuilding,
        )  # fmt: skip

    def receive(self, *envelopes: Envelope[Any]) -> None:
        """Each message, in a transaction of its own, and whatever is then to be sent."""
        parts = self.parts
        for envelope in envelopes:
            with self.store.transaction() as tx:
                _HANDLERS[envelope.type](envelope, tx, parts)
        with self.store.transaction() as tx:
            verdicts.catch_up(tx, parts)  # of a rebuild, as `rebuilding.finish` does
        self.send()

    def dead_letter(self, received: Received) -> None:
        self.receive(dead_letters.decode(received))

    def fast_forward(self, span: timedelta, step: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass in steps, doing in each what is due. One step as long as the span is a service that slept."""
        until = self.at + span
        while self.at < until:
            self.move(min(step, until - self.at))
            self.do_chores()

    def move(self, span: timedelta) -> None:
        """Let time pass and do nothing."""
        self.at += span
        self.wall_at += span

    def do_chores(self) -> chores.Done:
        done = chores.do(self.parts, self.at)
        self.send()
        return done

    def send(self) -> None:
        """Walk every courier until nothing is due now."""
        for channel in (MAIL, WEBHOOK):
            courier = self.courier(channel)
            while courier.turn():
                pass
            courier._record_last()

    def courier(self, channel: str) -> Courier:
        def given_up(tx: Connection, channel: str, parcel: Parcel, outcome: Outcome) -> None:
            undelivered.ring_for(tx, self.parts, channel, parcel, outcome)

        def tried(tx: Connection, channel: str, parcel: Parcel, outcome: Outcome) -> None:
            undelivered.note_try(tx, self.parts, channel, parcel, outcome)

        return Courier(
            channel, 1, self.store, lambda: self.deliverers[channel],
            now=lambda: self.at, wall=lambda: self.wall_at, draw=lambda: 0.5, on_tried=tried, on_dead=given_up,
        )  # fmt: skip

    def acknowledge(self, alert_id: str, by: str = "lin", roles: Sequence[str] = ("safety_physician",)) -> Any:
        with self.store.transaction() as tx:
            return answers.acknowledge(tx, self.parts, UUID(alert_id), by, roles, self.at)

    def add_webhook(self, url: str, role: str = "all") -> str:
        with self.store.transaction() as tx:
            return webhooks.add(tx, STUDY, role, url, self.at)

    def mails(self) -> list[mailbox.Kept]:
        """Oldest first; those of one moment by address."""
        return sorted(mailbox.read(self.folder / "mailbox"), key=lambda mail: (mail.sent_at, mail.to, mail.subject))

    def rung(self) -> list[tuple[str, str]]:
        """Who got which mail: (name before the @, subject), in order."""
        return [(mail.to.partition("@")[0], mail.subject) for mail in self.mails()]

    def alerts(self, **like: Any) -> list[dict[str, Any]]:
        """Oldest first."""
        with self.store.reading() as tx:
            return board.alerts_like(tx, **like)[::-1]

    def clocks(self, **like: Any) -> list[dict[str, Any]]:
        with self.store.reading() as tx:
            return board.clocks_like(tx, **like)

    def deliveries(self, **like: Any) -> list[dict[str, Any]]:
        with self.store.reading() as tx:
            return board.deliveries_like(tx, **like)

    def everything_kept(self) -> dict[str, list[Any]]:
        """Every row of every table, the audit trail and the outbox included, to compare two houses."""
        with self.store.reading() as tx:
            return {
                table.name: sorted(map(repr, tx.execute(select(table)).all()))
                for table in [*tables.metadata.sorted_tables, *ledger.sorted_tables]
            }


@contextmanager
def ward(url: str, folder: Path, known: dict[str, Protocol] | None = None) -> Iterator[Ward]:
    """A fresh house on this database."""
    store = open_store(url, "alerting")
    try:
        served = without_doses() if known is None else known
        prepare(store, served)
        found = Ward(store, folder, served)
        found.deliverers[MAIL] = Mailbox(folder / "mailbox", "Tocsin <tocsin@sponsor.invalid>")
        yield found
    finally:
        store.close()


def only(role: Role, email: str) -> Recipient:
    """One person with one address."""
    return Recipient(role, "Somebody", email)
