"""What people do about a hold: lift it by signature, confirm that it is known; and sign the dose of phase 2a.

A hold stops nobody by itself. A review hold is lifted by the committee's signed review; every other by the committee or
the medical director (rules.md 5.5; readings.md DLT 14).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from alerting import cases, decisions, hold_parties, trial
from alerting.parts import Parts
from alerting.signing import Signature
from alerting.tables import hold_deeds
from alerting.trial_facts import CONFIRMED, LIFTED, RECOMMENDED
from tocsin.domain.board.board import Board
from tocsin.domain.board.facts import CELL_LAB
from tocsin.domain.board.holds import Hold, Kind
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Role
from tocsin.errors import Conflict, Forbidden, NotFound, Refused, Wrong
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity
from tocsin.store import audit
from tocsin.store.insert import insert_unless_there

DONE = "hold_answered"

MAY_LIFT = frozenset({Role.COMMITTEE, Role.MEDICAL_DIRECTOR})
MAY_CONFIRM = frozenset(
    {Role.SITE, Role.CELL_LAB, Role.SAFETY_TEAM, Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR}
)
BY_COMMITTEE = frozenset({Kind.REVIEW, Kind.TREATMENT_RELATED_DEATH, Kind.OUTSIDE_PLAN, Kind.UNDONE})


@dataclass(frozen=True, slots=True)
class Found:
    """A hold with the study that it is of, and the board that it stands on."""

    protocol: Protocol
    hold: Hold
    board: Board


def find(tx: Connection, parts: Parts, hold_id: UUID, now: datetime) -> Found:
    """The hold of this id on the board of any study served here; NotFound when there is none."""
    for protocol in parts.studies.values():
        if not protocol.levels:
            continue
        board = trial.board_of(tx, protocol, now)
        for hold in board.holds:
            if trial.hold_id(protocol.id, hold.key) == hold_id:
                return Found(protocol, hold, board)
    raise NotFound("there is no such hold")


def lift(
    tx: Connection, parts: Parts, hold_id: UUID, reason: str, signature: Signature, now: datetime
) -> Found:  # fmt: skip
    """Lift a hold by signature; the very same once more changes nothing.

    Raises NotFound; Forbidden where only the committee may; Conflict where it does not stand.
    """
    found = find(tx, parts, hold_id, now)
    cases.lock_study(tx, found.protocol.id)
    found = find(tx, parts, hold_id, now)
    hold = found.hold
    if hold.kind in BY_COMMITTEE and Role.COMMITTEE not in signature.roles:
        raise Forbidden(f"this hold is the review committee's to lift: this needs the role {Role.COMMITTEE}")
    if hold.kind is Kind.PARALLEL:
        raise Conflict("it ends when the subjects at the other level have completed the window: nothing to sign")
    lifted = hold.lifted
    if lifted is not None and (lifted.by, lifted.reason) == ((signature.by,), reason):
        return found
    if not hold.stands(now, found.board.today):
        raise Conflict("this hold does not stand any more; nothing was changed")
    if hold.kind is Kind.REVIEW:
        _refuse_early_review(found)
    _keep(tx, parts, found.protocol, hold.key, LIFTED, signature.by, now, reason=reason, signature=signature)
    audit.append(
        tx, at=now, who=signature.by, did="hold lifted", about=f"hold {hold_id}", study=found.protocol.id,
        before={"key": hold.key, "reasons": list(hold.reasons)}, after={"signature": signature.as_json()},
        reason=reason,
    )  # fmt: skip
    return find(tx, parts, hold_id, now)


def _refuse_early_review(found: Found) -> None:
    """The review before a level opens comes after the last subject's day 28 below (ST-02)."""
    places = [level.id for level in found.protocol.levels]
    assert found.hold.level is not None
    lower = places[places.index(found.hold.level) - 1]
    decision = found.board.decision(lower)
    if not decision.is_up:
        raise Conflict(
            f"{lower} does not go up: {decision.word}, {decision.action}. The review is signed once it does; "
            "nothing was changed"
        )


def confirm(
    tx: Connection, parts: Parts, hold_id: UUID, party: str, by: str, roles: frozenset[str], told: str | None,
    now: datetime,
) -> Found:  # fmt: skip
    """Keep that a site or the cell lab knows of a hold; its ringing ends. Doing so again changes nothing.

    A site's and the cell lab's own people confirm for themselves; the safety team for whoever told them, saying who.
    """
    found = find(tx, parts, hold_id, now)
    cases.lock_study(tx, found.protocol.id)
    allowed = [one.party for one in found.hold.confirmations]
    if party not in allowed:
        which = ", ".join(allowed) or "nobody: this hold is only shown"
        raise Refused("this is nobody who confirms this hold", [Wrong("/party", f"{party!r} is not asked", which)])
    own = Role.CELL_LAB if party == CELL_LAB else Role.SITE
    if own not in roles and not told:
        raise Refused("who told you?", [Wrong("/told_by", "is missing", f"who of {party} said that they know")])
    if party in found.hold.unconfirmed:
        reason = f"told by {told}" if told else None
        _keep(tx, parts, found.protocol, found.hold.key, CONFIRMED, by, now, party=party, reason=reason, roles=roles)
        audit.append(
            tx, at=now, who=by, did="hold confirmed", about=f"hold {hold_id}", study=found.protocol.id,
            after={"party": party, "told_by": told}, reason=reason,
        )  # fmt: skip
    return find(tx, parts, hold_id, now)


def recommend(
    tx: Connection, parts: Parts, study: str, level: str, reason: str, signature: Signature, now: datetime
) -> Board:  # fmt: skip
    """Sign the dose of phase 2a. Refused while a subject of phase 1 is still observed, and for another dose."""
    protocol = parts.study(study)
    cases.lock_study(tx, study)
    board = trial.board_of(tx, protocol, now)
    if board.expansion.recommended is not None:
        raise Conflict(f"{board.expansion.recommended.level} was signed for phase 2a already; nothing was changed")
    if not board.proposal.may_be_made or board.proposal.level != level:
        why = "; ".join((*board.proposal.reasons, *board.proposal.waits_for))
        raise Conflict(f"{level} may not be signed for phase 2a: {why}. Nothing was changed")
    _keep(tx, parts, protocol, level, RECOMMENDED, signature.by, now, reason=reason, signature=signature)
    audit.append(
        tx, at=now, who=signature.by, did="dose of phase 2a signed", about=f"study {study}", study=study,
        after={"level": level, "signature": signature.as_json()}, reason=reason,
    )  # fmt: skip
    return trial.board_of(tx, protocol, now)


def _keep(
    tx: Connection, parts: Parts, protocol: Protocol, key: str, what: str, by: str, at: datetime, *,
    party: str | None = None, reason: str | None = None, signature: Signature | None = None,
    roles: frozenset[str] = frozenset(),
) -> None:  # fmt: skip
    deed = DecisionRecordedV1(
        decision_id=str(identity("decision", DONE, protocol.id, key, what, party or "", at.isoformat(), by)),
        study=protocol.id, what=DONE, by=by, at=at, about=f"{protocol.id}|{key}", reason=reason,
        detail={"key": key, "what": what, "party": party, "meaning": signature.meaning if signature else None,
                "roles": list(signature.roles) if signature else sorted(roles)},
    )  # fmt: skip
    decisions.say(tx, deed)
    restore(tx, parts, deed)
    trial.look(tx, parts, protocol, at)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """What a person did about a hold, live or as the log tells it."""
    said: dict[str, Any] = deed.detail
    row = {
        "id": UUID(deed.decision_id), "study": deed.study, "key": said["key"], "what": said["what"],
        "party": said["party"], "by": deed.by, "roles": said["roles"], "meaning": said["meaning"],
        "reason": deed.reason, "at": deed.at,
    }  # fmt: skip
    tx.execute(insert_unless_there(hold_deeds, tx.dialect.name), row)
    if said["what"] == CONFIRMED and not parts.is_rebuilding:
        hold_parties.end_ringing(tx, parts, deed, str(said["key"]), str(said["party"]))
