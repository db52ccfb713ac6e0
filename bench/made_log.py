"""A log as a house leaves it, made without the house: valid messages of every kind that a rebuild of alerting reads.

Reports are prepared as the intake prepares them and coded as the coder codes them; infusions, laboratory values, their
grades and follow-ups stand between. Nothing goes over HTTP and no handler runs, so a hundred thousand take seconds.
What alerting itself said of them (alerts, answers) it says when it handles them; see `rebuild`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from ae_intake.accept import prepare_report
from ae_intake.attribution import Place
from ae_intake.keeping import Sender
from ae_intake.revise import event_id
from bench import invented
from meddra_coder import casebook
from meddra_coder.coder import default_coder
from meddra_coder.coding import Coding, code_event
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Outcome, Scale
from tocsin.messages.bodies import (
    DerivedGrade,
    DoseRecordedV1,
    EventsCodedV1,
    GradesDerivedV1,
    ObservationsRecordedV1,
    ReportReceivedV1,
)
from tocsin.messages.envelope import Body, Envelope, identity
from tocsin.messages.facts import DoseFacts, Observation, ReportFacts
from tocsin.messages.topics import CODER, INTAKE

FIRST: Final = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
_DOSE: TypeAdapter[DoseFacts] = TypeAdapter(DoseFacts)
_OBSERVED: TypeAdapter[list[Observation]] = TypeAdapter(list[Observation])
_NEUTROPENIA: Final = {"code": "10029366", "term": "Neutrophil count decreased"}


@dataclass(frozen=True, slots=True)
class Said:
    """One message: its topic, what orders it, who says it, and its body."""

    topic: str
    key: str
    source: str
    body: Any

    def at(self, at: datetime, number: int) -> Envelope[Body]:
        named = identity("bench", self.topic, self.key, str(number))
        return Envelope(named, self.topic, self.key, self.source, self.body.study, at, at, self.body)


def messages(count: int, studies: Sequence[Protocol], of_a_subject: int) -> Iterator[Envelope[Body]]:
    """`count` messages in the order of their time, two seconds apart; the studies take turns, subject by subject.

    `of_a_subject`: how many reports there are of each; one in four has a follow-up.
    """
    number = 0
    for place in range(count):  # more subjects than are needed; the count ends it
        for said in _of_subject(place, studies, of_a_subject, FIRST + timedelta(seconds=2 * number)):
            yield said.at(FIRST + timedelta(seconds=2 * number), number)
            number += 1
            if number == count:
                return


def _of_subject(place: int, studies: Sequence[Protocol], reports: int, at: datetime) -> Iterator[Said]:
    """Everything about one subject: infused, then reports and their codings, and values with their grades between."""
    protocol = studies[place % len(studies)]
    subject = invented.subject(place // len(studies) + 1, protocol.sites[0].id)
    yield _infused(protocol, subject, place, at)
    for n in range(reports):
        number = place * reports + n + 1
        first = reported(number, subject, protocol, at)
        yield Said("reports.received.v1", first.case_id, INTAKE, first)
        yield Said("events.coded.v1", first.case_id, CODER, coded(first))
        if number % 4 == 1:
            again = followed_up(first, at)
            yield Said("reports.received.v1", first.case_id, INTAKE, again)
            yield Said("events.coded.v1", first.case_id, CODER, coded(again))
        if n % 2 == 0:
            yield from _graded(number, subject, protocol, at)


def reported(number: int, subject: str, protocol: Protocol, at: datetime) -> ReportReceivedV1:
    """Report `number` as the intake says it."""
    facts = ReportFacts.model_validate(invented.report(number, subject))
    body = prepare_report(facts, Place(protocol, protocol.sites[0]), Sender("key-bench", at, "")).body
    case_id = f"TOC-{number:04d}"
    events = [one.model_copy(update={"event_id": event_id(case_id, n)}) for n, one in enumerate(body.events, 1)]
    return body.model_copy(update={"case_id": case_id, "events": events})


def followed_up(first: ReportReceivedV1, at: datetime) -> ReportReceivedV1:
    """The next revision: the first event has ended well, or its outcome is not known any more."""
    head, *others = first.events
    outcome = Outcome.UNKNOWN if head.facts.outcome is Outcome.RECOVERED else Outcome.RECOVERED
    changed = head.model_copy(update={"facts": head.facts.model_copy(update={"outcome": outcome})})
    return first.model_copy(update={"revision": 2, "received_at": at, "events": [changed, *others]})


def coded(body: ReportReceivedV1) -> EventsCodedV1:
    """What the coder says of it."""
    return EventsCodedV1(
        case_id=body.case_id, revision=body.revision, study=body.study, dictionary=default_coder().version,
        coded_at=body.received_at, coder=CODER,
        events=[casebook.coded_event(kept, _coding(kept.facts.verbatim)) for kept in body.events],
    )  # fmt: skip


@cache
def _coding(verbatim: str) -> Coding:
    return code_event(verbatim, default_coder())


def _infused(protocol: Protocol, subject: str, number: int, at: datetime) -> Said:
    facts = _DOSE.validate_python(invented.infusion(number, subject))
    body = DoseRecordedV1(
        record_id=str(identity("bench dose", protocol.id, subject)), study=protocol.id, site=protocol.sites[0].id,
        subject=subject, received_at=at, facts=facts,
    )  # fmt: skip
    return Said("doses.recorded.v1", subject, INTAKE, body)


def _graded(number: int, subject: str, protocol: Protocol, at: datetime) -> Iterator[Said]:
    """A morning's values, and what the neutrophils among them are graded as (CTCAE 5.0)."""
    record_id, site = str(identity("bench values", protocol.id, str(number))), protocol.sites[0].id
    values = _OBSERVED.validate_python(invented.observed(number, subject))
    yield Said("observations.recorded.v1", subject, INTAKE, ObservationsRecordedV1(
        record_id=record_id, study=protocol.id, site=site, subject=subject, received_at=at, observations=values,
    ))  # fmt: skip
    value = invented.observed(number, subject)[0]["value"]
    grade = sum(value < below for below in (1.8, 1.5, 1.0, 0.5))
    made = DerivedGrade(
        grade_id=f"{record_id}-g", scale=Scale.CTCAE, edition="5.0", at=values[0].at, lowest=grade, highest=grade,
        reasons=[f"neutrophils {value} 10*9/L"], evidence=[f"{record_id}/0"], said=f"Neutrophils {value} 10*9/L",
        **_NEUTROPENIA,
    )  # fmt: skip
    yield Said("grades.derived.v1", subject, CODER, GradesDerivedV1(
        record_id=record_id, study=protocol.id, site=site, subject=subject, derived_at=at, grader=CODER, grades=[made],
    ))  # fmt: skip
