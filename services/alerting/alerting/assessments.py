"""Decisions of people about a case: medical review, downgrade, nullification, awareness override, significance.

Each is signed, with a reason. What the rules do not bear is refused with their words and leaves nothing behind; what
needs two people counts once the second, another one, has signed (readings.md, clocks 4 and 5; rules.md 1.2 D3, 1.4).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Row, select

from alerting import cases, signed_decisions
from alerting.moments import moment
from alerting.one_assessment import effects_of
from alerting.parts import Parts
from alerting.signed_decisions import Draft
from alerting.signing import Signature
from alerting.standing import Standing, standing_of
from alerting.tables import snapshots
from tocsin.domain.case import Opinion
from tocsin.domain.clock_life import Effect
from tocsin.domain.lives import NO_EFFECT
from tocsin.domain.signed import Deed
from tocsin.domain.words import Agent, Criterion, Party, Relation, Role
from tocsin.errors import Conflict, Forbidden, NotFound, Refused, Wrong

DecisionName = Literal["medical_review", "downgrade", "nullification", "awareness_override", "significant"]
ALLOWED = "medical_review, downgrade, nullification, awareness_override, significant"

MAY_ASSESS = frozenset(
    {Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR, Role.MEDICAL_REVIEWER}
)  # fmt: skip
_MAY_CLOSE = frozenset({Role.SAFETY_PHYSICIAN, Role.MEDICAL_DIRECTOR})
_NARROW = (Deed.NULLIFICATION, Deed.AWARENESS_OVERRIDE)
_CLOSING = (Deed.DOWNGRADE, Deed.NULLIFICATION)
_REVIEW_FIELDS = ("causality", "expectedness", "seriousness")


@dataclass(frozen=True, slots=True)
class Said:
    """A decision as a person states it. `given`: the names of the fields that were sent."""

    reason: str
    given: frozenset[str]
    decision: DecisionName | None = None
    events: tuple[str, ...] = ()
    causality: tuple[tuple[Agent, Relation], ...] = ()
    expected: bool | None = None
    seriousness: tuple[Criterion, ...] = ()
    aware_at: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was kept, and what it did."""

    row: Row[Any]
    effects: tuple[Effect, ...]
    stands: Standing


def deed_of(said: Said) -> Deed:
    """Which decision this is; Refused where it is not named and could be several, or has what does not belong to it."""
    reviews = [name for name in _REVIEW_FIELDS if name in said.given]
    name = said.decision
    if name is None:
        if "aware_at" in said.given and not reviews:
            name = "awareness_override"
        elif reviews and not {"aware_at", "revision"} & said.given:
            name = "medical_review"
        else:
            raise Refused("which decision is this?", [Wrong("/decision", "is missing", ALLOWED)])
    deed = Deed(name)
    wrong = []
    if deed not in (Deed.MEDICAL_REVIEW, Deed.DOWNGRADE):
        allowed = "medical_review or downgrade"
        wrong += [Wrong(f"/{field}", f"is no part of a decision {name}", allowed) for field in reviews]
    if deed is not Deed.AWARENESS_OVERRIDE and "aware_at" in said.given:
        wrong.append(Wrong("/aware_at", f"is no part of a decision {name}", "awareness_override"))
    if deed not in (Deed.AWARENESS_OVERRIDE, Deed.SIGNIFICANT) and "revision" in said.given:
        wrong.append(Wrong("/revision", f"is no part of a decision {name}", "awareness_override or significant"))
    if deed is Deed.AWARENESS_OVERRIDE and said.aware_at is None:
        wrong.append(Wrong("/aware_at", "is missing", "when the sponsor knew in truth: an exact time"))
    if deed is Deed.SIGNIFICANT and said.revision is None:
        wrong.append(Wrong("/revision", "is missing", "the revision whose news is significant"))
    if wrong:
        raise Refused("this decision cannot be understood", wrong)
    return deed


def needed_roles(deed: Deed) -> frozenset[str]:
    """Who may sign this: one of these roles."""
    return frozenset(_MAY_CLOSE if deed in _NARROW else MAY_ASSESS)


def decide(
    tx: Connection, parts: Parts, case_id: str, said: Said, signature: Signature, now: datetime
) -> Decided:  # fmt: skip
    """Keep a signed decision and judge the case again. The very same once more changes nothing.

    Raises NotFound; Refused for a wrong event, time or revision; Conflict when the rules do not bear it.
    """
    stands = locked(tx, parts, case_id)
    deed = deed_of(said)
    draft = _draft(deed, said, stands, now)
    decision_id = signed_decisions.identity_of(stands, draft, signature.by)
    before = signed_decisions.find(tx, decision_id)
    if before is not None:
        return Decided(before, effects_of(stands, before), stands)
    at = signed_decisions.counts_from(stands, now)
    effects = bear(stands, draft, decision_id, (signature.by,), at)
    row = signed_decisions.put(tx, parts, stands, decision_id, draft, signature, at)
    done = effects if row.signed_at is not None else ()
    return Decided(row, done, standing_of(tx, parts, stands.study, case_id))


def countersign(
    tx: Connection, parts: Parts, case_id: str, row: Row[Any], signature: Signature, now: datetime
) -> Decided:  # fmt: skip
    """The second signature under a decision that waits for it, by another person. It must still be borne now."""
    stands = locked(tx, parts, case_id)
    row = waiting(tx, case_id, row.id, signature.by)
    if row.signed_at is not None:
        return Decided(row, effects_of(stands, row), stands)
    draft = signed_decisions.draft_of(row)
    at = signed_decisions.counts_from(stands, now)
    effects = bear(stands, draft, row.id, (*(s["by"] for s in row.signatures), signature.by), at)
    row = signed_decisions.add_signature(tx, parts, stands, row, signature, at)
    return Decided(row, effects, standing_of(tx, parts, stands.study, case_id))


def waiting(tx: Connection, case_id: str, decision_id: UUID, by: str) -> Row[Any]:
    """The decision that this person may sign too; or one that they signed and that is in force, to be told again."""
    row = signed_decisions.find(tx, decision_id)
    if row is None or row.case_id != case_id:
        raise NotFound("there is no such decision about this case")
    has_signed = by in [s["by"] for s in row.signatures]
    if row.signed_at is not None and not has_signed:
        raise Conflict("this decision is in force already: it needs no further signature")
    if row.signed_at is None and has_signed:
        raise Conflict("you have signed this already: it needs another person")
    return row


def locked(tx: Connection, parts: Parts, case_id: str) -> Standing:
    """The case as it stands, with its study locked; NotFound."""
    study = tx.scalars(select(snapshots.c.study).where(snapshots.c.case_id == case_id).limit(1)).one_or_none()
    if study is None:
        raise NotFound("there is no such case")
    cases.lock_study(tx, study)
    return standing_of(tx, parts, study, case_id)


def bear(
    stands: Standing, draft: Draft, decision_id: UUID, by: Sequence[str], at: datetime
) -> tuple[Effect, ...]:  # fmt: skip
    """What the decision would do once all have signed; Conflict with the rules' own words when they do not bear it."""
    people = [*by, *(f"another person ({n})" for n in range(len(by), draft.needs))]
    after = stands.after(signed=[draft.signed(decision_id, people, at)])
    effects = signed_decisions.effects(stands, after, str(decision_id), draft.deed)
    if draft.deed in _CLOSING and all(effect.is_refused or effect == NO_EFFECT for effect in effects):
        why = "; ".join(effect.text for effect in effects if effect.is_refused)
        raise Conflict(
            f"the rules do not bear this: {why}. Nothing was kept" if why else
            "no clock of these events can be closed by this: none is open that it is about. Nothing was kept"
        )  # fmt: skip
    if draft.deed is Deed.SIGNIFICANT and not signed_decisions.changes(stands, after):
        raise Conflict(
            f"nothing of these events was reported before revision {draft.revision} came, or its news goes with a "
            "report that is owed already: no clock starts. Nothing was kept"
        )
    return effects


def _draft(deed: Deed, said: Said, stands: Standing, now: datetime) -> Draft:
    known = stands.event_ids
    wrong = [
        Wrong(f"/events/{n}", f"{event_id!r} is no event of {stands.case_id}", ", ".join(known) or "none")
        for n, event_id in enumerate(said.events)
        if event_id not in known
    ]
    revisions = [r.revision for r in stands.case.revisions]
    if said.revision is not None and said.revision not in revisions:
        allowed = ", ".join(map(str, revisions))
        wrong.append(Wrong("/revision", f"{stands.case_id} has no revision {said.revision}", allowed))
    if wrong:
        raise Refused("this decision is about what is not there", wrong)
    aware_at = None
    if said.aware_at is not None:
        aware_at = moment(said.aware_at, stands.protocol.receiver_zone, "/aware_at", now).earliest
        _refuse_later_than_receipt(stands, said, aware_at)
    return Draft(
        deed=deed,
        reason=said.reason,
        event_ids=tuple(dict.fromkeys(said.events)),
        opinions=tuple(Opinion(agent, Party.SPONSOR, relation) for agent, relation in said.causality),
        criteria=tuple(sorted(set(said.seriousness))),
        expected=said.expected,
        aware_at=aware_at,
        revision=said.revision,
        needs=stands.protocol.clock_settings.signatures_to_close if deed in _CLOSING else 1,
    )


def _refuse_later_than_receipt(stands: Standing, said: Said, aware_at: datetime) -> None:
    """An override says that the sponsor knew before we received it; it can never put off a day zero."""
    for event_id in said.events or stands.event_ids:
        telling = [r for r in stands.case.revisions if any(e.event_id == event_id for e in r.events)]
        about = [r for r in telling if r.revision == said.revision] if said.revision else telling[:1]
        for report in about:
            if aware_at > report.received_at:
                received = report.received_at.astimezone(stands.protocol.receiver_zone).isoformat(timespec="seconds")
                problem = f"{said.aware_at} is after revision {report.revision} was received: it was known by then"
                raise Refused(
                    "an override cannot be later than the receipt", [Wrong("/aware_at", problem, f"at most {received}")]
                )


def refuse_without(roles: Collection[str], deed: Deed) -> None:
    """Forbidden, naming the roles, unless one of them is held."""
    needed = needed_roles(deed)
    if not needed & set(roles):
        raise Forbidden(f"this needs the role {' or '.join(sorted(needed))}")
