"""Two cases that tell of the same: which stays, what would be lost with the other, and whose day zero is the earlier.

Reads and refuses; keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from alerting import signed_decisions
from alerting.parts import Parts
from alerting.signed_decisions import Draft
from alerting.standing import Standing, standing_of
from tocsin.domain.alike import like_words, same_words
from tocsin.domain.assess import Assessment
from tocsin.domain.clock_life import ClockLife, Status
from tocsin.domain.clocks import Duty, Trigger
from tocsin.domain.signed import Deed
from tocsin.errors import Conflict, NotFound, Refused, Wrong

_GONE = (Status.CANCELLED, Status.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Pair:
    """The case that stays, and the one that goes."""

    kept: Standing
    dropped: Standing


def pair_of(tx: Connection, parts: Parts, row: Row[Any], keep: str | None) -> Pair:
    """Which of the two stays; Refused when it is neither."""
    both = (row.case_id, row.other_case_id)
    if keep is not None and keep not in both:
        raise Refused(
            "this is none of the two cases", [Wrong("/keep", f"{keep!r} is not of this pair", " or ".join(both))]
        )
    try:
        one, other = (standing_of(tx, parts, row.study, case_id) for case_id in both)
    except NotFound:
        raise Conflict(
            "the report of one of the two has not come here yet: decide once it has. Nothing was kept"
        ) from None
    first = min((one, other), key=lambda stands: (stands.case.revisions[0].received_at, stands.case_id))
    kept = first if keep is None else one if keep == one.case_id else other
    return Pair(kept, other if kept is one else one)


def draft(row: Row[Any], pair: Pair, reason: str) -> Draft:
    """The decision about the case that goes."""
    return Draft(
        deed=Deed.DUPLICATE,
        reason=reason,
        other_case=pair.kept.case_id,
        needs=pair.kept.protocol.clock_settings.signatures_to_close,
        more={"duplicate_id": str(row.id)},
    )


def _known_of(stands: Standing) -> list[ClockLife]:
    """The clocks that tell since when the sponsor has known: not the site's own, nor of news about what was sent."""
    later = {r.id for r in stands.protocol.clock_rules if r.trigger is Trigger.SIGNIFICANT_FOLLOW_UP}
    return [
        life
        for life in stands.now.lives
        if life.status not in _GONE and life.duty is not Duty.SITE_REPORT and life.clock.rule not in later
    ]


def _standing_for(found: Assessment, rule: str) -> list[ClockLife]:
    return [life for life in found.lives if life.clock.rule == rule and life.status not in _GONE]


def refuse_lost_clocks(pair: Pair, decision: Draft, now: datetime) -> None:
    """Each clock that this would close in the case that goes must have its counterpart in the one that stays."""
    at = signed_decisions.counts_from(pair.dropped, now)
    people = tuple(f"person {n}" for n in range(decision.needs))
    after = pair.dropped.lives(pair.dropped.after(signed=[decision.signed(UUID(int=0), people, at)]))
    lost = [
        life
        for clock_id, life in pair.dropped.lives().items()
        if life.is_open and not after[clock_id].is_open and not _standing_for(pair.kept.now, life.clock.rule)
    ]
    if not lost:
        return
    rules = ", ".join(f"{life.clock.rule} (due {life.clock.due_on.isoformat()})" for life in lost)
    kept, dropped = pair.kept.case_id, pair.dropped.case_id
    raise Conflict(
        f"a running clock would be lost: {rules} runs in {dropped} and nothing like it in {kept}. Have the site send "
        f"what {dropped} tells as a follow-up of {kept}, or keep {dropped}. Nothing was kept"
    )


def overrides(pair: Pair, decision: Draft, now: datetime) -> list[Draft]:
    """What must be signed of the case that stays so that the earliest day zero wins; Conflict when nothing makes it."""
    earliest: dict[tuple[str, int], datetime] = {}
    known = _known_of(pair.dropped)
    for life in known:
        since = life.clock.started_at
        for other in _counterparts(pair, life):
            revision = next((r.revision for r in pair.kept.case.revisions if r.received_at == other.known_at), None)
            if other.clock.started_at > since and revision is not None and other.clock.event_id is not None:
                key = (other.clock.event_id, revision)
                earliest[key] = min(since, earliest.get(key, since))
    drafts = [
        _override(pair, decision, event_id, revision, at) for (event_id, revision), at in sorted(earliest.items())
    ]
    at = signed_decisions.counts_from(pair.kept, now)
    after = pair.kept.after(signed=[one.signed(UUID(int=n), ("somebody",), at) for n, one in enumerate(drafts)])
    for life in known:
        there = _standing_for(after, life.clock.rule)
        if there and all(one.clock.started_at > life.clock.started_at for one in there):
            raise Conflict(
                f"the sponsor knew of {pair.dropped.case_id} first, and that day zero cannot be carried over to "
                f"{life.clock.rule} of {pair.kept.case_id}: keep {pair.dropped.case_id} instead. Nothing was kept"
            )
    return drafts


def _counterparts(pair: Pair, life: ClockLife) -> list[ClockLife]:
    """The same clocks of the case that stays: of the events in like words, or of all where none has any."""
    found = _standing_for(pair.kept.now, life.clock.rule)
    told = _words(pair.dropped, life.clock.event_id)
    alike = [one for one in found if any(_is_like(a, b) for a in told for b in _words(pair.kept, one.clock.event_id))]
    return alike or found


def _words(stands: Standing, event_id: str | None) -> set[str]:
    return {e.verbatim for r in stands.case.revisions for e in r.events if e.event_id == event_id}


def _is_like(one: str, other: str) -> bool:
    return same_words(one, other) or bool(like_words(one, other))


def _override(pair: Pair, decision: Draft, event_id: str, revision: int, at: datetime) -> Draft:
    knew = f"{at.astimezone(pair.kept.protocol.receiver_zone):%Y-%m-%d %H:%M %Z}"
    return Draft(
        deed=Deed.AWARENESS_OVERRIDE,
        reason=f"{pair.dropped.case_id} tells of the same and was known {knew}: the earliest day zero wins; "
        + decision.reason,
        event_ids=(event_id,),
        aware_at=at,
        revision=revision,
        more=dict(decision.more),
    )
