"""Whether an event is unexpected against the reference safety information (RSI).

What the RSI does not list is unexpected; so is a course more severe than listed, and a fatal one unless it is listed
as fatal (rules.md 1.1 and C7). An RSI that the sponsor has not approved makes nothing expected: a listing nobody
stands behind must not silence a clock.
"""

from __future__ import annotations

from tocsin.domain.case import Coded, Event
from tocsin.domain.causality import suspected
from tocsin.domain.known import Finding
from tocsin.domain.protocol import APPROVED, ExpectedReaction, ReferenceSafetyInformation

__all__ = ["suspected", "unexpected"]


def unexpected(event: Event, coded: Coded | None, is_fatal: bool, rsi: ReferenceSafetyInformation) -> Finding:
    """Whether the reference safety information leaves this event unlisted, or listed as milder."""
    version = f"reference safety information {rsi.version}"
    if coded is None or not coded.is_coded:
        return Finding(True, ("not coded yet: taken as unexpected",), True)
    entry = next((e for e in rsi.entries if _lists(e, coded)), None)
    if entry is None:
        return Finding(True, (f"{coded.term or coded.code} is not listed in {version}",))
    if rsi.status != APPROVED:
        reason = f"{entry.term} is listed in {version}, which the sponsor has not approved: taken as unexpected"
        return Finding(True, (reason,), True)
    if is_fatal:
        if entry.fatal_expected:
            return Finding(False, (f"{entry.term} is listed as fatal in {version}",))
        return Finding(True, (f"{entry.term} is listed in {version}, not as fatal",))
    if entry.max_expected_grade is None:
        return Finding(False, (f"{entry.term} is listed in {version} without a limit of grade",))
    grade = event.worst_grade()
    if grade is None:
        reason = f"{entry.term} is listed in {version}, the grade is missing: taken as more severe"
        return Finding(True, (reason,), True)
    if grade > entry.max_expected_grade:
        return Finding(True, (f"grade {grade} is above grade {entry.max_expected_grade} listed in {version}",))
    return Finding(False, (f"{entry.term} grade {grade} is listed in {version}",))


def _lists(entry: ExpectedReaction, coded: Coded) -> bool:
    if entry.code is not None and entry.code == coded.code:
        return True
    return entry.term.casefold() == (coded.term or "").casefold()
