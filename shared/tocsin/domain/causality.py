"""Whether a relation to the product is a reasonable possibility.

Either party is enough, a missing opinion counts as suspected, and the sponsor may not downgrade the investigator
(rules.md 1.1; EU 536/2014 Annex III para 4; readings.md, clocks 2).
"""

from __future__ import annotations

from tocsin.domain.case import Event
from tocsin.domain.known import Finding, Known
from tocsin.domain.words import CONTESTED, Agent, Party, is_suspected


def suspected(event: Event) -> Finding:
    """Whether either party suspects the product. No only when both have judged and neither does."""
    opinions = {party: event.relation(Agent.PRODUCT, party) for party in Party}
    yes = [p for p, r in opinions.items() if is_suspected(r) is Known.YES]
    missing = [p for p, r in opinions.items() if r is None]
    reasons = [f"{p} judges it {r.value.replace('_', ' ')}" for p, r in opinions.items() if r is not None]
    if yes:
        contested = all(opinions[p] in CONTESTED for p in yes)
        if contested:
            reasons.append("a contested answer, counted as suspected until a signed sponsor setting says otherwise")
        return Finding(True, tuple(reasons), is_provisional=contested)
    if missing:
        reasons += [f"no opinion of the {p}: taken as suspected" for p in missing]
        return Finding(True, tuple(reasons), is_provisional=True)
    return Finding(False, tuple(reasons))
