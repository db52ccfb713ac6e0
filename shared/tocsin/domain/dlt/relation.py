"""Whether an event is related enough to the product for a rule, with what was assumed (rules.md 4.2 R; readings DLT 7).

At least one party that suspects the product is enough, a missing opinion counts as suspected. That it comes of
lymphodepletion alone needs the committee's signature: until then it counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.domain.case import Event
from tocsin.domain.causality import suspected
from tocsin.domain.known import Known
from tocsin.domain.words import Agent, is_suspected


@dataclass(frozen=True, slots=True)
class Related:
    """`holds`: it counts as related. `missing` says what was assumed for that."""

    holds: bool
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()
    for_committee: tuple[str, ...] = ()


NO_REPORT = Related(True, (), ("no report tells of it, so nobody has judged the relation: taken as related",))


def related(event: Event) -> Related:
    """Of a reported event, by both parties' opinions."""
    found = suspected(event)
    if found:
        missing = ("the relation to the product is open: taken as related",) if found.is_provisional else ()
        return Related(True, found.reasons, missing)
    if any(
        o.agent is Agent.LYMPHODEPLETION and is_suspected(o.relation) is Known.YES for o in event.opinions
    ):  # fmt: skip
        alone = "it is put down to lymphodepletion alone: that needs the committee's signature, until then it counts"
        return Related(True, found.reasons, (alone,), (alone,))
    return Related(False, (*found.reasons, "both parties judge it not related to the product"))
