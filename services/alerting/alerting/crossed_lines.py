"""Ringing for a site's grade that does not reach a line at which rules on dose-limiting toxicity begin.

A physician decides; the site's grade stands until the site changes it. What puts the grade above the line, values or
the site's own answers, is found by `values` and `answered_grades`; the same line rings once, whichever finds it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from alerting import alerts
from alerting.parts import Parts
from tocsin.domain.protocol import APPROVED, ASSUMED_RULES, Protocol
from tocsin.domain.words import Scale
from tocsin.messages.bodies import ReportReceivedV1


@dataclass(frozen=True, slots=True)
class Crossed:
    """The lines between the grade of a site and the least that the grade is otherwise, and why it is.

    `can_wait`: what says so is weak, and nobody is woken for it.
    """

    event_id: str
    scale: Scale
    site: int
    lowest: int
    lines: Sequence[int]
    why: Sequence[str]
    can_wait: bool = False


def ring(
    tx: Connection, parts: Parts, protocol: Protocol, latest: ReportReceivedV1, one: Crossed, at: datetime
) -> None:
    """Ring once for an event, its grade and the least that it is otherwise."""
    is_assumed = protocol.dlt is not None and protocol.dlt.status != APPROVED
    alerts.raise_one(
        tx,
        parts,
        alerts.Alert(
            # What was only for review must not keep what is firmer from ringing.
            key=f"{one.event_id}|grade_differs|{one.scale}|{one.site}|{one.lowest}{'|stay' if one.can_wait else ''}",
            study=protocol.id,
            kind="grade_differs",
            level="page" if protocol.dlt is not None and not one.can_wait else "review",
            reasons=(
                *one.why,
                f"the line of grade {' and '.join(map(str, one.lines))} is crossed: rules on dose-limiting "
                "toxicity begin there, and the site's grade does not reach it; the site is asked",
                *((ASSUMED_RULES,) if is_assumed else ()),
            ),
            case_id=latest.case_id,
            revision=latest.revision,
            assumptions=protocol.assumptions,
        ),
        at,
    )
