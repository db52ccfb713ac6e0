"""A short stamp that differs when the dose board may.

Each open page asks for it several times a second, so it reads no bodies. It counts what is only ever added, and names
the version of what is written over. Verdicts are written over too, but only where a fact came, a person signed or a
limit passed, and each of those is counted here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, Executable, func, select

from alerting.tables import (
    dlt_decisions,
    doses,
    grades,
    hold_deeds,
    holds,
    observations,
    signed,
    snapshots,
    subject_watch,
    verdict_history,
    verdicts,
)
from tocsin.domain.protocol import Protocol


def stamp(tx: Connection, protocol: Protocol, now: datetime) -> str:
    """The stamp of a study: of its facts, of what people signed, and of the minute in the study's own zone."""
    minute = f"{now.astimezone(protocol.receiver_zone):%Y-%m-%dT%H:%M%z}"
    seen = [tuple(map(str, row)) for query in _queries(protocol.id) for row in tx.execute(query)]
    return hashlib.sha256(repr((protocol.id, minute, seen)).encode()).hexdigest()[:16]


def _queries(study: str) -> Iterable[Executable]:
    # Only added to: their number says all.
    for table in (doses, observations, holds, hold_deeds, dlt_decisions):
        yield select(func.count()).select_from(table).where(table.c.study == study)
    yield _reports(study)
    history = verdict_history.join(verdicts, verdicts.c.id == verdict_history.c.verdict_id)
    yield select(func.count()).select_from(history).where(verdicts.c.study == study)
    # Written over: a coding of the same revision, a grade of a higher number, a second signature, a limit that passed.
    s = snapshots.c
    yield (
        select(s.case_id, s.revision, s.at, s.message_id)
        .where(s.study == study, s.source == "coding")
        .order_by(s.case_id, s.revision)
    )
    yield select(func.count(), func.sum(grades.c.number)).where(grades.c.study == study)
    yield select(func.count(), func.count(signed.c.signed_at)).where(signed.c.study == study)
    w = subject_watch.c
    yield select(w.subject, w.as_of).where(w.study == study).order_by(w.subject)


def _reports(study: str) -> Executable:
    return select(func.count()).select_from(snapshots).where(snapshots.c.study == study, snapshots.c.source == "report")
