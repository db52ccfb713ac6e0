"""Suspected, unexpected, SUSAR: the three judgements that start an expedited clock.

Either party is enough, and a missing opinion counts as suspected; the sponsor may not downgrade the investigator
(rules.md 1.1; EU 536/2014 Annex III). What the reference safety information does not list is unexpected; so is a
course more severe than listed, and a fatal one unless listed as fatal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.domain.case import Coded, Event
from tocsin.domain.known import Finding, Known
from tocsin.domain.words import CONTESTED, Agent, Party, is_suspected

if TYPE_CHECKING:
    from tocsin.domain.protocol import ReferenceSafetyInformation


def suspected(event: Event) -> Finding:
    """Whether a relation to the product is a reasonable possibility for either party."""
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


def unexpected(event: Event, coded: Coded | None, is_fatal: bool, rsi: ReferenceSafetyInformation) -> Finding:
    """Whether the reference safety information leaves this event unlisted, or listed as milder."""
    version = f"reference safety information {rsi.version}"
    entry = next(
        (
            e
            for e in rsi.entries
            if coded is not None
            and coded.is_coded
            and ((e.code is not None and e.code == coded.code) or e.term.casefold() == (coded.term or "").casefold())
        ),
        None,
    )
    if entry is None:
        if coded is None or not coded.is_coded:
            return Finding(True, ("not coded yet: taken as unexpected",), True)
        return Finding(True, (f"{coded.term} is not listed in {version}",))
    if is_fatal and not entry.fatal_expected:
        return Finding(True, (f"{entry.term} is listed in {version}, not as fatal",))
    grade = event.worst_grade()
    if grade is None:
        return Finding(
            True, (f"{entry.term} is listed in {version}, the grade is missing: taken as more severe",), True
        )
    if entry.max_expected_grade is not None and grade > entry.max_expected_grade and not is_fatal:
        return Finding(True, (f"grade {grade} is above grade {entry.max_expected_grade} listed in {version}",))
    return Finding(False, (f"{entry.term} grade {grade} is listed in {version}",))
