"""The proofs of life at the foot of the board. Silence counts as calm only while each of them passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from alerting import heartbeats
from alerting.desk import board_facts
from alerting.desk.clock_words import span
from alerting.desk.dose_times import Times
from alerting.desk.now import counts
from alerting.parts import Parts

BEHIND = timedelta(minutes=2)
"""A coding that takes longer than this is told as the coder being behind."""
_LOOKED_BACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Sign:
    """One proof: what it is called, what is known of it, an icon, whether it is well, and where to look."""

    name: str
    said: str
    icon: str
    is_well: bool = True
    link: str = ""


def signs(
    tx: Connection, parts: Parts, times: Times, every: timedelta, troubles: Sequence[str]
) -> list[Sign]:  # fmt: skip
    """Every proof, in the order in which a message goes."""
    return [
        *_heartbeat(tx, parts, every),
        _last_report(tx, times),
        _coder(tx, times),
        _mail(tx, times),
        _dead(tx),
        *(Sign("Tocsin", said, "warn", False) for said in troubles),
    ]


def _last_report(tx: Connection, times: Times) -> Sign:
    at = board_facts.last_report(tx)
    if at is None:
        return Sign("Last report", "none yet", "tray")
    return Sign("Last report", f"{times.near(at)}, {span(max(times.now - at, timedelta(0)))} ago", "tray")


def _coder(tx: Connection, times: Times) -> Sign:
    number, oldest = board_facts.uncoded_since(tx, times.now - _LOOKED_BACK)
    if not number or oldest is None:
        return Sign("Coder", "nothing waits for it", "tag")
    waited = times.now - oldest
    return Sign("Coder", f"{number} behind, the oldest by {span(waited)}", "tag", waited < BEHIND)


def _mail(tx: Connection, times: Times) -> Sign:
    at = board_facts.last_mail(tx)
    return Sign("Last e-mail delivered", "none yet" if at is None else times.near(at), "mail")


def _dead(tx: Connection) -> Sign:
    dead = counts(tx)["dead"]
    said = "none given up" if not dead else f"{dead} given up"
    return Sign("Deliveries", said, "dead", not dead, "/desk/deliveries")


def _heartbeat(tx: Connection, parts: Parts, every: timedelta) -> list[Sign]:
    """The hourly report that goes the whole way; what it proves is told, and that it is off where it is."""
    if parts.is_rehearsal:
        return []
    if not every:
        return [Sign("Heartbeat", "switched off: silence is no proof", "bell")]
    ages = heartbeats.ages(tx, parts.wall())
    whole = max(ages.values()) if set(ages) == set(heartbeats.LEGS) else None
    if whole is None:
        return [Sign("Heartbeat", "none has come the whole way yet", "bell")]
    is_well = whole <= every + heartbeats.PATIENCE
    return [Sign("Heartbeat", f"came the whole way {span(max(whole, timedelta(0)))} ago", "bell", is_well)]
