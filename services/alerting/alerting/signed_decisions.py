"""What people sign about a case, as it is kept: one row a decision, with every signature under it, and on the log.

A decision counts from the last signature that it needs (`needs`). What it does to clocks is the book of rules' own
(`tocsin.domain.chain`); who may decide what is in `assessments` and `duplicates`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from alerting import decisions
from alerting.judge import judge_again
from alerting.parts import Parts
from alerting.signing import Signature
from alerting.standing import Standing
from alerting.tables import signed
from tocsin.domain.assess import Assessment
from tocsin.domain.case import Opinion
from tocsin.domain.clock_life import ClockLife, Effect
from tocsin.domain.known import Known
from tocsin.domain.lives import NO_EFFECT
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.words import Agent, Criterion, Party, Relation
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity
from tocsin.store import audit

_NEVER = datetime.max.replace(tzinfo=UTC)
CLOSING = (Deed.DOWNGRADE, Deed.NULLIFICATION, Deed.DUPLICATE)
IN_FORCE, AWAITING = "in_force", "awaiting_second_signature"


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision before anybody has signed it. `more` is kept beside it and means nothing to the rules."""

    deed: Deed
    reason: str
    event_ids: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    expected: bool | None = None
    aware_at: datetime | None = None
    revision: int | None = None
    other_case: str | None = None
    needs: int = 1
    more: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """As `signed.body` keeps it."""
        said = {
            "event_ids": list(self.event_ids),
            "opinions": [{"agent": o.agent.value, "relation": o.relation.value} for o in self.opinions],
            "criteria": [c.value for c in self.criteria],
            "expected": self.expected,
            "aware_at": None if self.aware_at is None else self.aware_at.isoformat(),
            "revision": self.revision,
            "other_case": self.other_case,
            **self.more,
        }
        return dict(sorted(said.items()))  # as the log gives it back

    def signed(self, decision_id: UUID, by: Sequence[str], at: datetime) -> Signed:
        """As the book of rules reads it once it is in force."""
        return Signed(
            id=str(decision_id),
            deed=self.deed,
            signed_at=at,
            by=tuple(by),
            reason=self.reason,
            event_ids=frozenset(self.event_ids),
            opinions=self.opinions,
            criteria=frozenset(self.criteria),
            is_expected=Known.of(self.expected),
            aware_at=self.aware_at,
            revision=self.revision,
            other_case=self.other_case,
        )


def identity_of(stands: Standing, draft: Draft, first: str) -> UUID:
    """The id of a decision: the same person deciding the same in the same state of knowledge decides once."""
    codings = [c.at.isoformat() for c in stands.case.codings if c.at is not None]
    known = [str(stands.now.revision), max(codings, default="")]
    said = json.dumps(draft.body(), sort_keys=True, ensure_ascii=False)
    return identity("signed", stands.case_id, draft.deed.value, said, draft.reason, first, *known)


def find(tx: Connection, decision_id: UUID) -> Row[Any] | None:
    """The decision's row."""
    return tx.execute(select(signed).where(signed.c.id == decision_id)).one_or_none()


def of_case(tx: Connection, case_id: str) -> list[Row[Any]]:
    """Every decision about a case, in force or waiting, oldest first."""
    rows = tx.execute(select(signed).where(signed.c.case_id == case_id))
    return sorted(rows, key=lambda row: (row.asked_at, row.signed_at or _NEVER, row.id))


def counts_from(stands: Standing, now: datetime) -> datetime:
    """From when a decision signed now counts: behind everything that is known, so that it is about all of it.

    Two that fall on one instant keep the order in which they were made; a report that was received by a clock ahead
    of ours was on the table when this was signed.
    """
    made = [*(d.signed_at for d in stands.past.signed), *(s.sent_at for s in stands.past.submissions)]
    made += [s.rejected_at for s in stands.past.submissions if s.rejected_at is not None]
    last = max(made, default=None)
    told = max(r.received_at for r in stands.case.revisions)
    if last is not None and last >= now:
        return max(last + timedelta(microseconds=1), told)
    return max(now, told)


def put(
    tx: Connection, parts: Parts, stands: Standing, decision_id: UUID, draft: Draft, signature: Signature,
    at: datetime,
) -> Row[Any]:  # fmt: skip
    """Keep a decision with its first signature; judged again if that is enough. `at`: from when it then counts."""
    signed_at = at if draft.needs <= 1 else None
    row = {
        "id": decision_id, "case_id": stands.case_id, "study": stands.study, "deed": draft.deed.value,
        "body": draft.body(), "reason": draft.reason, "signatures": [signature.as_json()], "needs": draft.needs,
        "asked_at": signature.at, "signed_at": signed_at,
    }  # fmt: skip
    tx.execute(insert(signed), row)
    return _after_signing(tx, parts, stands, decision_id, signature)


def add_signature(
    tx: Connection, parts: Parts, stands: Standing, row: Row[Any], signature: Signature, at: datetime
) -> Row[Any]:
    """A further signature under a decision that waits; judged again if that is enough."""
    signatures = [*row.signatures, signature.as_json()]
    signed_at = at if len(signatures) >= row.needs else None
    tx.execute(update(signed).where(signed.c.id == row.id).values(signatures=signatures, signed_at=signed_at))
    return _after_signing(tx, parts, stands, row.id, signature)


def draft_of(row: Row[Any]) -> Draft:
    """The decision as it was drafted, from its row."""
    body = row.body
    known = ("event_ids", "opinions", "criteria", "expected", "aware_at", "revision", "other_case")
    return Draft(
        deed=Deed(row.deed),
        reason=row.reason,
        event_ids=tuple(body["event_ids"]),
        opinions=tuple(Opinion(Agent(o["agent"]), Party.SPONSOR, Relation(o["relation"])) for o in body["opinions"]),
        criteria=tuple(Criterion(c) for c in body["criteria"]),
        expected=body["expected"],
        aware_at=datetime.fromisoformat(body["aware_at"]) if body["aware_at"] else None,
        revision=body["revision"],
        other_case=body["other_case"],
        needs=row.needs,
        more={name: value for name, value in body.items() if name not in known},
    )


def why(row: Row[Any]) -> str:
    """What a clock's history says of a decision."""
    people = " and ".join(s["by"] for s in row.signatures)
    return f"{row.deed.replace('_', ' ')} signed by {people}: {row.reason}"


def _after_signing(tx: Connection, parts: Parts, stands: Standing, decision_id: UUID, signature: Signature) -> Row[Any]:
    row = find(tx, decision_id)
    assert row is not None
    is_in_force = row.signed_at is not None
    after: Assessment | None = None
    if is_in_force:
        after = judge_again(tx, parts, row.study, row.case_id, why=why(row), at=signature.at, by=signature.by)
    changed = [] if after is None else changes(stands, after)
    did = f"{row.deed.replace('_', ' ')} signed" + ("" if is_in_force else ", one more needed")
    audit.append(
        tx, at=signature.at, who=signature.by, did=did,
        about=f"case {row.case_id}", study=row.study,
        before={"clocks": [one.before for one in changed]},
        after={"decision": str(row.id), "body": row.body, "signatures": row.signatures,
               "clocks": [one.after for one in changed]},
        reason=row.reason,
    )  # fmt: skip
    decisions.record(
        tx, what=decisions.SIGNED, about=str(row.id), parts=(signature.by,), study=row.study, case_id=row.case_id,
        by=signature.by, at=signature.at, reason=row.reason,
        detail={
            "deed": row.deed, "body": json.dumps(row.body, sort_keys=True, ensure_ascii=False), "needs": row.needs,
            "meaning": signature.meaning, "roles": list(signature.roles), "asked_at": row.asked_at.isoformat(),
            "signed_at": row.signed_at.isoformat() if is_in_force else None,
        },
    )  # fmt: skip
    return row


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """One signature as the log tells it, on a rebuild, in whatever order the signatures come."""
    said = deed.detail
    assert deed.case_id is not None
    roles = said["roles"]
    assert isinstance(roles, list)
    signature = Signature(deed.by, tuple(roles), str(said["meaning"]), deed.at).as_json()
    signed_at = datetime.fromisoformat(str(said["signed_at"])) if said["signed_at"] else None
    decision_id = UUID(deed.about)
    row = find(tx, decision_id)
    if row is None:
        tx.execute(
            insert(signed),
            {"id": decision_id, "case_id": deed.case_id, "study": deed.study, "deed": said["deed"],
             "body": json.loads(str(said["body"])), "reason": deed.reason or "", "signatures": [signature],
             "needs": said["needs"], "asked_at": datetime.fromisoformat(str(said["asked_at"])),
             "signed_at": None if _lacks(1, said["needs"]) else signed_at},
        )  # fmt: skip
    else:
        under = [*row.signatures, signature]
        under.sort(key=lambda one: datetime.fromisoformat(one["at"]))
        values: dict[str, Any] = {"signatures": under}
        if not _lacks(len(under), row.needs):
            values["signed_at"] = signed_at or _counted(tx, deed)
        tx.execute(update(signed).where(signed.c.id == decision_id).values(values))
    row = find(tx, decision_id)
    assert row is not None
    if row.signed_at is not None:
        last = row.signatures[-1]
        at = datetime.fromisoformat(last["at"])
        judge_again(tx, parts, row.study, row.case_id, why=why(row), at=at, by=last["by"])


def _lacks(there: int, needs: Any) -> bool:
    return there < int(needs)


def _counted(tx: Connection, deed: DecisionRecordedV1) -> datetime | None:
    """From when the decision counts, as the last of its signatures told it."""
    told = [d.detail.get("signed_at") for d in decisions.about(tx, deed.about) if d.what == decisions.SIGNED]
    return next((datetime.fromisoformat(str(at)) for at in told if at), None)


def effects(before: Standing, after: Assessment, decision_id: str, deed: Deed) -> tuple[Effect, ...]:
    """What a decision does to the clocks: in the rules' own words, and by what differs where those say less."""
    said = [one for one in dict(after.effects).get(decision_id, ()) if one != NO_EFFECT]
    if deed in CLOSING and said:
        return tuple(said)
    found = [*said, *(Effect(one.text) for one in changes(before, after))]
    return tuple(dict.fromkeys(found)) or (NO_EFFECT,)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one clock, in words, and as facts before and after."""

    text: str
    before: dict[str, str] | None
    after: dict[str, str]


def changes(stands: Standing, after: Assessment) -> list[Change]:
    """How the clocks of a case differ from what they were."""
    before = stands.lives()
    found = []
    for clock_id, life in stands.lives(after).items():
        old = before.get(clock_id)
        if (text := _difference(old, life)) is not None:
            kept = None if old is None else _facts(old, str(clock_id))
            found.append(Change(text, kept, _facts(life, str(clock_id))))
    return found


def _difference(old: ClockLife | None, new: ClockLife) -> str | None:
    rule, due = new.clock.rule, f"due {new.clock.due_on.isoformat()}"
    if old is None:
        return f"{rule} starts: day zero {new.clock.day_zero.isoformat()}, {due}"
    if old.status is not new.status or old.is_open is not new.is_open:
        return f"{rule} is {new.status.value}: {new.because}"
    if old.clock.due_at != new.clock.due_at or old.clock.day_zero != new.clock.day_zero:
        return f"{rule} moves from {old.clock.due_on.isoformat()}: day zero {new.clock.day_zero.isoformat()}, {due}"
    if new.questions and not old.questions:
        return f"{rule} is in question: {'; '.join(new.questions)}"
    if old.questions and not new.questions:
        return f"{rule} is in question no more"
    return None


def _facts(life: ClockLife, clock_id: str) -> dict[str, str]:
    return {
        "clock_id": clock_id, "rule": life.clock.rule, "status": life.status.value,
        "day_zero": life.clock.day_zero.isoformat(), "due_on": life.clock.due_on.isoformat(),
    }  # fmt: skip
