"""Whether a relation to the product is a reasonable possibility.

Either party is enough, a missing opinion counts as suspected, and the sponsor may not downgrade the investigator
(rules.md 1.1; EU 536/2014 Annex III para 4; readings.md, clocks 2).
"""

from __future__ import annotations

from tocsin.domain.case import Event
from tocsin.domain.known import Finding, Known
from tocsin.domain.words import CONTESTED, Agent, Party, is_suspected

EITHER = frozenset(Party)
_PARTIES = tuple(Party)


def suspected(event: Event, *, by: frozenset[Party] = EITHER, contested_counts: bool = True) -> Finding:
    """Whether any party of `by` suspects the product. No only when each of them has judged and none does.

    `contested_counts` False is a sponsor's signed setting: 可能无关 then is a "no" (rules.md 2.4).
    """
    opinions = {party: event.relation(Agent.PRODUCT, party) for party in _PARTIES if party in by}
    given = {party: relation for party, relation in opinions.items() if relation is not None}
    yes = [
        party
        for party, relation in given.items()
        if is_suspected(relation) is Known.YES and (contested_counts or relation not in CONTESTED)
    ]
    missing = [party for party in opinions if party not in given]
    reasons = [f"{p} judges it {r.value.replace('_', ' ')}" for p, r in given.items()]
    if yes:
        contested = all(given[p] in CONTESTED for p in yes)
        if contested:
            reasons.append("a contested answer, counted as suspected until a signed sponsor setting says otherwise")
        return Finding(True, tuple(reasons), is_provisional=contested)
    if missing:
        reasons += [f"no opinion of the {p}: taken as suspected" for p in missing]
        return Finding(True, tuple(reasons), is_provisional=True)
    return Finding(False, tuple(reasons))
