"""Limits in time that pass: of a verdict, by the timer of its subject. What follows is judged and told anew."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from alerting import cases, decisions, timers, trial
from alerting.parts import NAME, Parts
from alerting.timers import Timer
from tocsin.messages.bodies import DecisionRecordedV1


def fire(tx: Connection, parts: Parts, timer: Timer, now: datetime) -> None:
    """A limit has passed: the subject is judged as of now, and the log says so."""
    decisions.record(
        tx, what=decisions.FIRED, about=timer.about, parts=(timers.DLT, now.isoformat()), study=timer.study,
        case_id=None, by=NAME, at=now, detail={"kind": timers.DLT, "due_at": timer.due_at.isoformat()},
    )  # fmt: skip
    _passed(tx, parts, timer.study, timer.about, now)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """On a rebuild: a limit that passed, as the log tells it."""
    if deed.detail.get("kind") == timers.DLT:
        _passed(tx, parts, deed.study, deed.about, deed.at)


def _passed(tx: Connection, parts: Parts, study: str, about: str, at: datetime) -> None:
    cases.lock_study(tx, study)
    protocol, subject = parts.study(study), about.removeprefix(f"{study}|")
    trial.follow(tx, parts, protocol, [subject], at, why="a limit in time has passed")
