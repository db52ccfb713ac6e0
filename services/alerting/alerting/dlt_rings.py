"""What of a verdict rings, beside the first look that rings with the report: what time, values or exclusions changed.

What the rules pass on by themselves wakes nobody a second time: a potential DLT has paged once, and that it is met, or
that a strict limit has passed, is told to those who decide by day (readings.md DLT 4, clocks 8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, select

from alerting import alerts
from alerting.parts import Parts
from alerting.tables import concerns
from tocsin.domain.dlt.verdict import State
from tocsin.domain.protocol import APPROVED, ASSUMED_RULES, Protocol
from tocsin.domain.syndromes import Syndrome
from tocsin.messages.bodies import DecisionRecordedV1

if TYPE_CHECKING:
    from alerting.verdicts import Change

POTENTIAL, MET, STRICT, COMMITTEE = "potential_dlt", "dlt_met", "dlt_strict_limit", "dlt_for_committee"
LEVELS = {POTENTIAL: "page", MET: "review", STRICT: "info", COMMITTEE: "review"}

# Made once: these run for every message, and making a statement costs as much as running it.
_C = concerns.c
_RUNG = (
    select(_C.key)
    .where(_C.case_id == bindparam("of_case"), _C.event_id == bindparam("of_event"), _C.kind == POTENTIAL)
    .limit(1)
)


def kind_of(tx: Connection, protocol: Protocol, change: Change) -> str | None:
    """What this change rings as; None when a person knows of it already, or need not."""
    after, before = change.after, change.before
    was_open = before is not None and before.is_open
    if after.state.is_open and not was_open and not _has_rung(tx, after.case_id, after.event_id):
        return POTENTIAL
    if after.state is State.MET_BY_RULE and was_open and before is not State.MET_BY_RULE:
        return MET
    if after.for_committee and not change.was_for_committee and not after.state.is_open:
        return COMMITTEE
    rules = protocol.dlt.rules if protocol.dlt is not None and protocol.dlt.status != APPROVED else ()
    # Of CRS and ICANS alone: another event that goes on is waited for without a notice (readings DLT 4).
    is_told = any(rule.id == after.rule_id and rule.syndrome in (Syndrome.CRS, Syndrome.ICANS) for rule in rules)
    if is_told and after.is_strict_passed and not change.was_strict_passed and after.state.is_open:
        return STRICT
    return None


def _has_rung(tx: Connection, case_id: str | None, event_id: str | None) -> bool:
    """Whether the first look has rung for this event."""
    if case_id is None or event_id is None:
        return False
    return tx.scalars(_RUNG, {"of_case": case_id, "of_event": event_id}).one_or_none() is not None


def ring(tx: Connection, parts: Parts, protocol: Protocol, deed: DecisionRecordedV1) -> None:
    """Ring for a change, live or as the log tells it: the same alert both times."""
    said = deed.detail
    kind = str(said["rings"])
    about = said["event_id"] or f"{said['subject']}, {str(said['key']).replace('|', ' of ')}"
    is_assumed = protocol.dlt is not None and protocol.dlt.status != APPROVED
    reasons = [f"{about}: {said['state']}", *_listed(said["reasons"]), *_listed(said["for_committee"])]
    if kind == STRICT:
        reasons.insert(0, "the strict limit has passed: the event goes on, and the sponsor has approved no definition")
    alerts.raise_one(
        tx,
        parts,
        alerts.Alert(
            key=f"{deed.about}|{kind}|{said['number']}",
            study=deed.study,
            kind=kind,
            level=LEVELS[kind],
            reasons=tuple(dict.fromkeys([*reasons, *((ASSUMED_RULES,) if is_assumed else ())])),
            case_id=deed.case_id,
            assumptions=protocol.assumptions,
            is_provisional=bool(said["is_provisional"]),
        ),
        deed.at,
    )


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
