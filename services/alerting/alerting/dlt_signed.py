"""What people sign of a verdict: that an event is dose-limiting, or that it is not (readings.md DLT 3; rules.md 4.2).

Only a signature confirms or rejects. What only the review committee may say (another cause of a death, a component, a
grade 3 infection, an event that no rule names) needs that role. A later signature stands over an earlier one, and both
stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from alerting import cases, decisions, kept_verdicts, trial
from alerting.parts import Parts
from alerting.signing import Signature
from alerting.tables import dlt_decisions
from alerting.tables import verdicts as verdict_rows
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.words import Role
from tocsin.errors import Conflict, Forbidden, NotFound, Refused, Wrong
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity
from tocsin.store import audit
from tocsin.store.insert import insert_unless_there

DECIDED = "dlt_decided"
BY_COMMITTEE, OTHER_CAUSE = "DLT-99", "EX-09"

MAY_DECIDE = frozenset(
    {Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR, Role.MEDICAL_REVIEWER, Role.COMMITTEE}
)


@dataclass(frozen=True, slots=True)
class Said:
    """A decision as a person states it. `decision` is CONFIRMED or REJECTED."""

    decision: State
    reason: str
    rule_id: str | None = None


def find(tx: Connection, verdict_id: UUID) -> Row[Any]:
    """The row of a verdict; NotFound when there is none."""
    row = tx.execute(select(verdict_rows).where(verdict_rows.c.id == verdict_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such verdict")
    return row


def needs_committee(verdict: Verdict, decision: State, death_rules: frozenset[str]) -> str | None:
    """Why only the committee may sign this; None where a physician may too."""
    by_rule = verdict.by_rule or verdict.state
    if decision is State.REJECTED:
        if verdict.rule_id in death_rules:
            return f"that a death has another cause is the committee's to sign ({OTHER_CAUSE})"
        return "it stands before the committee" if verdict.for_committee else None
    if not by_rule.is_open:
        return f"no rule makes it dose-limiting: that is the committee's to sign ({BY_COMMITTEE})"
    if by_rule is State.POTENTIAL_DLT and verdict.for_committee:
        return "below its rule only the committee can say that it is dose-limiting"
    return None


def decide(
    tx: Connection, parts: Parts, verdict_id: UUID, said: Said, signature: Signature, now: datetime
) -> Row[Any]:  # fmt: skip
    """Keep a signed decision, and judge the subject anew. The very same once more changes nothing.

    Raises NotFound; Refused where there is nothing to decide; Forbidden where only the committee may sign.
    """
    row = find(tx, verdict_id)
    cases.lock_study(tx, row.study)
    row = find(tx, verdict_id)
    verdict = kept_verdicts.of_row(row)
    last = last_of(tx, verdict_id)
    if last is not None and _is_same(last, said, signature):
        return last
    _refuse_nothing(verdict, said)
    protocol = parts.study(row.study)
    deaths = frozenset(rule.id for rule in protocol.dlt.rules if rule.min_grade == 5) if protocol.dlt else frozenset()
    why = needs_committee(verdict, said.decision, deaths)
    if why is not None and Role.COMMITTEE not in signature.roles:
        raise Forbidden(f"{why}: this needs the role {Role.COMMITTEE}")
    made_before = [] if last is None else [str(last.id)]
    decision_id = identity("dlt decided", str(verdict_id), said.decision, said.reason, signature.by, *made_before)
    rule_id = said.rule_id or _rule_of(verdict, said.decision, deaths)
    at = now if last is None else max(now, last.at)
    deed = DecisionRecordedV1(
        decision_id=str(decision_id), case_id=row.case_id, study=row.study, what=DECIDED, by=signature.by, at=at,
        about=str(verdict_id), reason=said.reason,
        detail={"subject": row.subject, "key": row.key, "event_id": row.event_id, "decision": said.decision.value,
                "rule_id": rule_id, "roles": list(signature.roles), "meaning": signature.meaning},
    )  # fmt: skip
    decisions.say(tx, deed)
    audit.append(
        tx, at=now, who=signature.by, did=f"DLT {said.decision.value.lower()}", about=f"verdict {verdict_id}",
        study=row.study, before={"state": row.state, "rule_id": row.rule_id},
        after={"decision": said.decision.value, "rule_id": rule_id, "signature": signature.as_json()},
        reason=said.reason,
    )  # fmt: skip
    restore(tx, parts, deed)
    kept = last_of(tx, verdict_id)
    assert kept is not None
    return kept


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """A signed decision, live or as the log tells it: kept, and its subject judged anew."""
    said = deed.detail
    row = {
        "id": UUID(deed.decision_id), "verdict_id": UUID(deed.about), "study": deed.study, "subject": said["subject"],
        "key": said["key"], "event_id": said["event_id"], "decision": said["decision"], "rule_id": said["rule_id"],
        "reason": deed.reason or "",
        "by": deed.by, "roles": said["roles"], "meaning": said["meaning"], "at": deed.at,
    }  # fmt: skip
    tx.execute(insert_unless_there(dlt_decisions, tx.dialect.name), row)
    there = tx.scalars(select(verdict_rows.c.subject).where(verdict_rows.c.id == row["verdict_id"])).one_or_none()
    why = f"{said['decision']} signed by {deed.by}: {deed.reason}"
    subject = there or str(said["subject"])
    trial.follow(tx, parts, parts.study(deed.study), [subject], deed.at, why=why)


def of_verdict(tx: Connection, verdict_id: UUID) -> list[Row[Any]]:
    """Every signed decision about a verdict, oldest first."""
    d = dlt_decisions.c
    return list(tx.execute(select(dlt_decisions).where(d.verdict_id == verdict_id).order_by(d.at, d.id)))


def last_of(tx: Connection, verdict_id: UUID) -> Row[Any] | None:
    return next(reversed(of_verdict(tx, verdict_id)), None)


def _is_same(last: Row[Any], said: Said, signature: Signature) -> bool:
    is_same_rule = said.rule_id in (None, last.rule_id)
    return (last.decision, last.reason, last.by) == (said.decision, said.reason, signature.by) and is_same_rule


def _refuse_nothing(verdict: Verdict, said: Said) -> None:
    if verdict.state is said.decision:
        raise Conflict(f"this is {verdict.state} by signature already; nothing was changed")
    by_rule = verdict.by_rule or verdict.state
    was_signed = verdict.by_rule is not None
    if said.decision is State.REJECTED and not by_rule.is_open and not verdict.for_committee and not was_signed:
        raise Refused(
            "there is nothing to reject",
            [Wrong("/decision", f"the rules say {verdict.state}", "CONFIRMED, by the review committee")],
        )


def _rule_of(verdict: Verdict, decision: State, deaths: frozenset[str]) -> str | None:
    by_rule = verdict.by_rule or verdict.state
    if decision is State.CONFIRMED and not by_rule.is_open:
        return BY_COMMITTEE
    if decision is State.REJECTED and verdict.rule_id in deaths:
        return OTHER_CAUSE
    return verdict.rule_id
