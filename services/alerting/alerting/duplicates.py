"""Two cases that may tell of the same event: found by intake, decided by people, by signature.

One of the two stays. The other's running clocks are cancelled only where the one that stays has the same clocks, and
the earliest day zero wins (readings.md, clocks 4): what the sponsor knew first is carried over by an override.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from alerting import assessments, cases, decisions, signed_decisions, two_cases
from alerting.parts import Parts
from alerting.signed_decisions import Draft
from alerting.signing import Signature
from alerting.standing import Standing
from alerting.tables import duplicates
from alerting.two_cases import Pair
from tocsin.domain.clock_life import Effect
from tocsin.domain.signed import Deed
from tocsin.errors import Conflict, NotFound
from tocsin.messages.bodies import DecisionRecordedV1, ReportReceivedV1
from tocsin.messages.envelope import identity
from tocsin.store import audit
from tocsin.store.insert import insert_unless_there

Verdict = Literal["duplicate", "distinct"]
DUPLICATE: Final = "duplicate"
DISTINCT: Final = "distinct"

# Made once: it runs for every link of a report, and making a statement costs as much as running it.
_PAIR = select(duplicates.c.id).where(
    duplicates.c.case_id == bindparam("of_case"), duplicates.c.other_case_id == bindparam("of_other")
)


@dataclass(frozen=True, slots=True)
class Said:
    """A decision as a person states it. `keep`: the case that stays; default the one that was received first."""

    decision: Verdict
    reason: str
    keep: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided: the pair's row, and of a duplicate the decision about the case that goes and its effects."""

    row: Row[Any]
    decision: Row[Any] | None = None
    effects: tuple[Effect, ...] = ()
    overrides: tuple[Row[Any], ...] = ()


def keep(tx: Connection, body: ReportReceivedV1, at: datetime) -> None:
    """Keep what intake found with this revision. The same pair is one, whichever case it was found with."""
    for link in body.possible_duplicates:
        pair = UUID(link.id) if link.id else identity("duplicate", body.case_id, link.case_id)
        turned = {"of_case": link.case_id, "of_other": body.case_id}
        if tx.execute(_PAIR, turned).first() is None:
            row = {
                "id": pair, "study": body.study, "case_id": body.case_id, "other_case_id": link.case_id,
                "reasons": list(link.reasons), "found_at": at,
            }  # fmt: skip
            tx.execute(insert_unless_there(duplicates, tx.dialect.name), row)


def like(
    tx: Connection, *, is_open: bool | None = None, case_id: str | None = None, limit: int = 200
) -> list[Row[Any]]:  # fmt: skip
    """Pairs, newest first."""
    d = duplicates.c
    query = select(duplicates).order_by(d.found_at.desc(), d.id).limit(limit)
    if is_open is not None:
        query = query.where(d.decision.is_(None) if is_open else d.decision.is_not(None))
    if case_id is not None:
        query = query.where(or_(d.case_id == case_id, d.other_case_id == case_id))
    return list(tx.execute(query))


def decide(tx: Connection, parts: Parts, pair_id: UUID, said: Said, signature: Signature, now: datetime) -> Decided:
    """Keep the decision about a pair, and judge both cases again. The very same once more changes nothing.

    Raises NotFound; Refused when the case to keep is none of the two; Conflict when it was decided otherwise, or when
    a running clock would be lost by it.
    """
    row = _locked(tx, pair_id)
    if row.decision is not None:
        return _decided_before(tx, row, said)
    if said.decision == DISTINCT:
        _close(tx, row, DISTINCT, None, (signature.by,), said.reason, now)
        return Decided(_row(tx, pair_id))
    pair = two_cases.pair_of(tx, parts, row, said.keep)
    draft = two_cases.draft(row, pair, said.reason)
    decision_id = signed_decisions.identity_of(pair.dropped, draft, signature.by)
    if (waits := _waiting(tx, row)) is not None:
        if waits.id != decision_id:
            raise Conflict(
                "somebody decided this already and it waits for another person: sign it at "
                f"/v1/assessments/{waits.case_id}/{waits.id}/signatures"
            )
        return Decided(row, waits)
    two_cases.refuse_lost_clocks(pair, draft, now)
    two_cases.overrides(pair, draft, now)
    at = signed_decisions.counts_from(pair.dropped, now)
    effects = assessments.bear(pair.dropped, draft, decision_id, (signature.by,), at)
    kept = signed_decisions.put(tx, parts, pair.dropped, decision_id, draft, signature, at)
    return _complete(tx, parts, row, pair, kept, effects, now)


def countersign(tx: Connection, parts: Parts, decision: Row[Any], signature: Signature, now: datetime) -> Decided:
    """The second signature under a duplicate that waits for it. No running clock may be lost by it now either."""
    row = _locked(tx, UUID(decision.body["duplicate_id"]))
    decision = assessments.waiting(tx, decision.case_id, decision.id, signature.by)
    draft = signed_decisions.draft_of(decision)
    if decision.signed_at is not None:
        return _decided_before(tx, row, Said(DUPLICATE, row.why, row.kept_case_id))
    pair = two_cases.pair_of(tx, parts, row, draft.other_case)
    two_cases.refuse_lost_clocks(pair, draft, now)
    two_cases.overrides(pair, draft, now)
    at = signed_decisions.counts_from(pair.dropped, now)
    people = (*(s["by"] for s in decision.signatures), signature.by)
    effects = assessments.bear(pair.dropped, draft, decision.id, people, at)
    signed = signed_decisions.add_signature(tx, parts, pair.dropped, decision, signature, at)
    return _complete(tx, parts, row, pair, signed, effects, now)


def restore(tx: Connection, deed: DecisionRecordedV1) -> None:
    """A decided pair as the log tells it, on a rebuild, whether or not its report was read yet."""
    said = deed.detail
    values = {
        "decision": said["decision"], "kept_case_id": said["kept_case_id"], "decided_at": deed.at,
        "decided_by": said["decided_by"], "why": deed.reason,
    }  # fmt: skip
    row = {
        "id": UUID(deed.about), "study": deed.study, "case_id": said["case_id"],
        "other_case_id": said["other_case_id"], "reasons": said["reasons"],
        "found_at": datetime.fromisoformat(str(said["found_at"])), **values,
    }  # fmt: skip
    if not tx.execute(insert_unless_there(duplicates, tx.dialect.name), row).rowcount:
        tx.execute(update(duplicates).where(duplicates.c.id == row["id"]).values(values))


def _row(tx: Connection, pair_id: UUID) -> Row[Any]:
    row = tx.execute(select(duplicates).where(duplicates.c.id == pair_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such pair of cases")
    return row


def _locked(tx: Connection, pair_id: UUID) -> Row[Any]:
    cases.lock_study(tx, _row(tx, pair_id).study)
    return _row(tx, pair_id)


def _waiting(tx: Connection, row: Row[Any]) -> Row[Any] | None:
    """The decision about this pair that waits for a second person."""
    found = [*signed_decisions.of_case(tx, row.case_id), *signed_decisions.of_case(tx, row.other_case_id)]
    return next((one for one in found if one.signed_at is None and one.body.get("duplicate_id") == str(row.id)), None)


def _decided_before(tx: Connection, row: Row[Any], said: Said) -> Decided:
    kept = said.keep or row.kept_case_id
    if row.decision != said.decision or row.kept_case_id != kept or row.why != said.reason:
        stays = f", {row.kept_case_id} stays" if row.kept_case_id else ""
        raise Conflict(f"this was decided already by {row.decided_by}: {row.decision}{stays}. Nothing was changed")
    found = [*signed_decisions.of_case(tx, row.case_id), *signed_decisions.of_case(tx, row.other_case_id)]
    ours = [one for one in found if one.body.get("duplicate_id") == str(row.id)]
    decision = next((one for one in ours if one.deed == Deed.DUPLICATE), None)
    return Decided(row, decision, overrides=tuple(one for one in ours if one.deed != Deed.DUPLICATE))


def _complete(
    tx: Connection, parts: Parts, row: Row[Any], pair: Pair, decision: Row[Any], effects: tuple[Effect, ...],
    now: datetime,
) -> Decided:  # fmt: skip
    """Once all have signed: the pair is closed, and the earliest day zero carried over under the same signatures."""
    if decision.signed_at is None:
        return Decided(row, decision)
    signatures = [Signature.of(one) for one in decision.signatures]
    draft = signed_decisions.draft_of(decision)
    carried = [
        _sign_over(tx, parts, pair.kept, replace(one, needs=len(signatures)), signatures, now)
        for one in two_cases.overrides(pair, draft, now)
    ]
    people = [signature.by for signature in signatures]
    _close(tx, row, DUPLICATE, pair.kept.case_id, people, decision.reason, now)
    return Decided(_row(tx, row.id), decision, effects, tuple(carried))


def _sign_over(
    tx: Connection, parts: Parts, kept: Standing, draft: Draft, signatures: Sequence[Signature], now: datetime
) -> Row[Any]:
    at = signed_decisions.counts_from(kept, now)
    decision_id = signed_decisions.identity_of(kept, draft, signatures[0].by)
    row = signed_decisions.put(tx, parts, kept, decision_id, draft, signatures[0], at)
    for signature in signatures[1:]:
        row = signed_decisions.add_signature(tx, parts, kept, row, signature, at)
    return row


def _close(
    tx: Connection, row: Row[Any], decision: Verdict, kept: str | None, people: Sequence[str], why: str, now: datetime
) -> None:
    by = " and ".join(people)
    values = {"decision": decision, "kept_case_id": kept, "decided_at": now, "decided_by": by, "why": why}
    tx.execute(update(duplicates).where(duplicates.c.id == row.id).values(values))
    after = {"decision": decision, "kept_case_id": kept, "decided_by": by}
    audit.append(
        tx, at=now, who=people[-1], did="duplicate decided", about=f"cases {row.case_id} and {row.other_case_id}",
        study=row.study, before={"decision": None}, after=after, reason=why,
    )  # fmt: skip
    decisions.record(
        tx, what=decisions.DUPLICATE, about=str(row.id), parts=(), study=row.study, case_id=row.case_id,
        by=people[-1], at=now, reason=why, detail={
            **after, "case_id": row.case_id, "other_case_id": row.other_case_id, "reasons": row.reasons,
            "found_at": row.found_at.isoformat(),
        },
    )  # fmt: skip
