"""The one table of messages: topic, body, key, who writes it, who reads it, how it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.bus.dead import dead_topic
from tocsin.bus.port import Topic
from tocsin.messages import bodies
from tocsin.messages.envelope import Body

INTAKE, CODER, ALERTING = "ae-intake", "meddra-coder", "alerting"


@dataclass(frozen=True, slots=True)
class Contract:
    """One row: `key` names the field of the body that orders messages among their like."""

    topic: str
    body: type[Body]
    key: str
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]


CONTRACTS = (
    Contract("reports.received.v1", bodies.ReportReceivedV1, "case_id", (INTAKE,), (CODER, ALERTING)),
    Contract("doses.recorded.v1", bodies.DoseRecordedV1, "subject", (INTAKE,), (CODER, ALERTING)),
    Contract("observations.recorded.v1", bodies.ObservationsRecordedV1, "subject", (INTAKE,), (CODER, ALERTING)),
    Contract("grades.derived.v1", bodies.GradesDerivedV1, "subject", (CODER,), (ALERTING,)),
    Contract("events.coded.v1", bodies.EventsCodedV1, "case_id", (CODER,), (ALERTING,)),
    Contract("queries.raised.v1", bodies.QueryRaisedV1, "case_id", (INTAKE, CODER, ALERTING), (INTAKE, ALERTING)),
    Contract(
        "decisions.recorded.v1", bodies.DecisionRecordedV1, "case_id", (INTAKE, CODER, ALERTING), (INTAKE, ALERTING)
    ),
    Contract("alerts.raised.v1", bodies.AlertRaisedV1, "case_id", (ALERTING,), ()),
    Contract("alerts.settled.v1", bodies.AlertSettledV1, "case_id", (ALERTING,), ()),
)

BODIES: dict[str, type[Body]] = {c.topic: c.body for c in CONTRACTS}


def read_by(service: str) -> tuple[str, ...]:
    """The topics a service reads."""
    return tuple(c.topic for c in CONTRACTS if service in c.read_by)


def all_topics(partitions: int = 6, replication: int = 1) -> tuple[Topic, ...]:
    """Every topic and its dead letters, kept for ever: safety data does not expire by default."""
    live = [Topic(c.topic, partitions, replication) for c in CONTRACTS]
    return (*live, *(Topic(dead_topic(c.topic), 1, replication) for c in CONTRACTS))
