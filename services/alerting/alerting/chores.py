"""What time owes, most urgent first. One worker; several processes may run it at once.

Each item is a transaction of its own that first takes its timer (`timers.fire`), so of several processes one does it,
and an item that fails leaves its timer due and does not hold up the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Connection

from alerting import (
    alerts,
    cases,
    clock_notices,
    decisions,
    follow_ups,
    hold_parties,
    limits,
    queries,
    ringing,
    timers,
    trial,
)
from alerting.delivery import ledger
from alerting.parts import Parts
from alerting.timers import Timer
from tocsin.errors import Away
from tocsin.messages.bodies import DecisionRecordedV1

log = structlog.get_logger(__name__)

Chore = Callable[[Connection, Parts, Timer, datetime], None]


def ring_on(tx: Connection, parts: Parts, timer: Timer, now: datetime) -> None:
    """The next notices of an alert that nobody has acknowledged."""
    alert = ringing.load(tx, UUID(timer.about))
    if alert is not None:
        alerts.report_shortfalls(tx, parts, ringing.ring(tx, parts, alert, ringing.history(tx, alert.id), now))


def ring_for_uncoded(tx: Connection, parts: Parts, timer: Timer, now: datetime) -> None:
    """A report that is still uncoded rings by itself, once for each revision."""
    case_id, _, revision = timer.about.rpartition("|")
    known = cases.load(tx, case_id)
    latest = known.latest
    if latest is None or latest.revision != int(revision) or not (uncoded := known.uncoded_events()):
        return
    protocol = parts.study(timer.study)
    hours = protocol.uncoded_after.total_seconds() / 3600
    coding = known.codings.get(latest.revision)
    state = "the coder holds it for a person" if coding else "nothing has come from the coder"
    reason = f"uncoded {hours:g} h after receipt: {', '.join(uncoded)}"
    alert = _uncoded(timer.about, timer.study, (reason, state))
    alerts.raise_one(tx, parts, alert, now)
    decisions.record(
        tx, what=decisions.FIRED, about=timer.about, parts=(timers.UNCODED,), study=timer.study, case_id=case_id,
        by="alerting", at=now,
        detail={"kind": timers.UNCODED, "revision": latest.revision, "reasons": list(alert.reasons)},
    )  # fmt: skip


def restore_uncoded(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """On a rebuild: the alert that the log says was raised, whatever is coded by now."""
    reasons = deed.detail.get("reasons")
    if deed.detail.get("kind") == timers.UNCODED and isinstance(reasons, list):
        alerts.raise_one(tx, parts, _uncoded(deed.about, deed.study, tuple(map(str, reasons))), deed.at)
        timers.stop(tx, timers.UNCODED, deed.about, deed.at, "done")


def _uncoded(about: str, study: str, reasons: tuple[str, ...]) -> alerts.Alert:
    case_id, _, revision = about.rpartition("|")
    return alerts.Alert(
        key=f"{case_id}|uncoded|{revision}",
        study=study,
        kind="uncoded",
        level="warn",
        reasons=reasons,
        case_id=case_id,
        revision=int(revision),
        roles=("coder", "safety_team"),
    )


def send_letter(tx: Connection, parts: Parts, timer: Timer, now: datetime) -> None:
    """What is asked of a site, told to its contact."""
    queries.send(tx, parts, timer, now)


IN_ORDER: tuple[tuple[str, Chore], ...] = (
    (timers.CLOCK, clock_notices.fire),
    (timers.ALARM, ring_on),
    (timers.UNCODED, ring_for_uncoded),
    (timers.LETTER, send_letter),
    (follow_ups.FOLLOW_UP, follow_ups.ask),
    (timers.DLT, limits.fire),
    (timers.TRIAL, trial.fire),
    (timers.HOLD, hold_parties.tell),
)


@dataclass(frozen=True, slots=True)
class Done:
    """How many items were done, and which failed: they stay due."""

    items: int
    failed: tuple[str, ...]


def do(parts: Parts, now: datetime, *, most: int = 200) -> Done:
    """Do what is due at `now`, most urgent first over all kinds. Raises Away; any other fault is told and left due.

    At most `most` of each kind, so that a kind whose items fail cannot hold up the others.
    """
    items, failed = 0, []
    with parts.store.reading() as connection:
        found = [(timer, chore) for kind, chore in IN_ORDER for timer in timers.due(connection, kind, now, most)]
    for timer, chore in sorted(found, key=lambda pair: (pair[0].urgency, pair[0].due_at)):
        try:
            with parts.store.transaction() as tx:
                # Fired first: what the chore sets anew must stand after it.
                if timers.fire(tx, timer, now, "done"):
                    chore(tx, parts, timer, now)
                    items += 1
        except Away:
            raise
        except Exception as error:  # noqa: BLE001  one faulty item must not silence the alarms behind it
            log.error("chore_failed", chore=timer.kind, timer=str(timer.id), error=type(error).__name__)
            failed.append(f"{timer.kind} timer {timer.id} fails with {type(error).__name__}")
    return Done(items, tuple(failed))


def owes(parts: Parts) -> datetime | None:
    """When time next owes something: a timer, or a delivery that is on its way or waits for its next try."""
    with parts.store.reading() as connection:
        soonest = (timers.next_due(connection), ledger.next_due(connection))
    return min((at for at in soonest if at is not None), default=None)


class Chores:
    """The worker: looks every half second. What rings at once is rung by whoever raised it, not from here."""

    name = "alerting chores"

    def __init__(self, parts: Parts, *, every_s: float = 0.5) -> None:
        self._parts = parts
        self._every_s = every_s
        self._trouble: str | None = None
        self._woken = threading.Event()

    @property
    def trouble(self) -> str | None:
        """Why nothing is done at present; None when all is well."""
        return self._trouble

    def wake(self) -> None:
        """Time has moved: look now, not at the next half second."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`. Waits out a database that is away."""
        while not stop.is_set():
            self._woken.clear()  # Before looking: what comes while we look wakes us again.
            try:
                done = do(self._parts, self._parts.now())
                self._trouble = "; ".join(done.failed) or None
            except Away as error:
                if self._trouble is None:
                    log.warning("chores_wait", because=str(error))
                self._trouble = str(error)
            if not stop.is_set():
                self._woken.wait(self._every_s)
