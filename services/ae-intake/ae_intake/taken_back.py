"""What an earlier revision said of seriousness and the newest does not: named and asked, never silently dropped.

A site may take a criterion back. The facts then are as it says; but no clock that ran is closed by it (only a person
closes one), and the site is asked once whether it meant to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tocsin.domain.words import Criterion, Outcome
from tocsin.messages.bodies import Contradiction, KeptEvent, ReportReceivedV1

READ_AS = "taken back; the clocks that it started run on"


def taken_back(earlier: Sequence[ReportReceivedV1], now: Sequence[KeptEvent]) -> list[Contradiction]:
    """One contradiction for each criterion, fatal outcome or "serious" that was stated before and is not now."""
    found: list[Contradiction] = []
    for n, kept in enumerate(now):
        before = [
            (body.revision, old.facts)
            for body in earlier
            for old in body.events
            if old.event_id == kept.event_id and not kept.facts.nullified
        ]
        stated: dict[Criterion, int] = {}
        for revision, facts in before:
            for criterion in facts.seriousness:
                stated.setdefault(criterion, revision)
        found += _criteria(stated, kept, n)
        fatal = next((revision for revision, facts in before if facts.outcome is Outcome.FATAL), None)
        if fatal is not None and kept.facts.outcome is not Outcome.FATAL:
            found.append(_told(n, "outcome", f"the outcome fatal was stated in revision {fatal} and is not now"))
        serious = next((revision for revision, facts in before if facts.serious), None)
        if serious is not None and kept.facts.serious is False and not kept.facts.seriousness:
            found.append(_told(n, "serious", f'"serious" in revision {serious}, "not serious" now'))
    return found


def _criteria(stated: dict[Criterion, int], kept: KeptEvent, n: int) -> Iterator[Contradiction]:
    for criterion, revision in stated.items():
        if criterion not in kept.facts.seriousness:
            name = criterion.value.replace("_", " ")
            yield _told(n, "seriousness", f"the criterion {name} was stated in revision {revision} and is not now")


def _told(n: int, field: str, problem: str) -> Contradiction:
    return Contradiction(pointer=f"/events/{n}/{field}", problem=problem, read_as=READ_AS)
