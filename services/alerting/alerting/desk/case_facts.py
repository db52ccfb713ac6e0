"""Everything that the page of one case shows, read in one snapshot. Reading only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from alerting import board, cases, dlt_board, duplicates, one_assessment, one_clock, trial_facts
from alerting.parts import Parts
from alerting.tables import queries, snapshots
from tocsin.domain.board.standing import Standing, standing
from tocsin.domain.protocol import Protocol
from tocsin.errors import NotFound
from tocsin.messages.bodies import ReportReceivedV1


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One case. `assessed` is as the API shows it; `clocks` are whole, with their submissions."""

    case_id: str
    protocol: Protocol
    known: cases.Known
    latest: ReportReceivedV1
    assessed: dict[str, Any]
    clocks: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]
    duplicates: list[Row[Any]]
    queries: list[Row[Any]]
    standing: Standing | None

    @property
    def stamp(self) -> str:
        """Differs when there is something that whoever signs must have seen: facts, codings, clocks, signatures."""
        seen = [
            sorted(self.known.reports),
            [(n, one.coded_at.isoformat()) for n, one in sorted(self.known.codings.items())],
            [(one["clock_id"], len(one["changes"]), len(one["submissions"])) for one in self.clocks],
            [(one["decision_id"], len(one["signatures"])) for one in self.assessed["decisions"]],
            [(one["dlt_id"], one["state"], len(one["history"]), len(one["signatures"])) for one in self.verdicts],
            [(str(row.id), row.decision) for row in self.duplicates],
        ]
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]


def read(tx: Connection, parts: Parts, case_id: str) -> CaseFacts:
    """The case; NotFound while no report of it has come, or when its study is not served here."""
    study = tx.scalars(select(snapshots.c.study).where(snapshots.c.case_id == case_id).limit(1)).one_or_none()
    protocol = parts.studies.get(study) if study is not None else None
    known = cases.load(tx, case_id)
    latest = known.latest
    if protocol is None or latest is None:
        raise NotFound("there is no such case")
    clocks = board.clocks_like(tx, case_id=case_id)
    return CaseFacts(
        case_id=case_id,
        protocol=protocol,
        known=known,
        latest=latest,
        assessed=one_assessment.whole(tx, parts, case_id),
        clocks=one_clock.all_whole(tx, parts, clocks, protocol.id, case_id),
        alerts=board.alerts_like(tx, case_id=case_id, limit=board.MOST),
        deliveries=board.deliveries_like(tx, case_id=case_id, limit=board.MOST),
        verdicts=dlt_board.like(tx, parts, case_id=case_id),
        duplicates=duplicates.like(tx, case_id=case_id),
        queries=list(tx.execute(select(queries).where(queries.c.case_id == case_id).order_by(queries.c.raised_at))),
        standing=standing_of(tx, parts, protocol, latest.subject),
    )


def standing_of(tx: Connection, parts: Parts, protocol: Protocol | None, subject: str | None) -> Standing | None:
    """Where the subject stands on the dose board; None where there is none, or the subject is not on it."""
    if protocol is None or not protocol.levels or subject is None:
        return None
    found = trial_facts.of_subject(tx, protocol, subject)
    return None if found is None else standing(found, protocol, parts.now())
