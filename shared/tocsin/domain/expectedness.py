"""Whether an event is unexpected against the reference safety information (RSI).

What the RSI does not list is unexpected; so is a course more severe than listed, and a fatal one unless it is listed
as fatal (rules.md 1.1 and C7). An RSI that the sponsor has not approved makes nothing expected: a listing nobody
stands behind must not silence a clock. Which version counts is in `reference_information`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.domain.case import Coded, Event
from tocsin.domain.causality import suspected
from tocsin.domain.known import Finding
from tocsin.domain.protocol import APPROVED, ExpectedReaction, ReferenceSafetyInformation

__all__ = ["suspected", "unexpected"]


def unexpected(
    event: Event,
    coded: Coded | None,
    is_fatal: bool,
    rsi: ReferenceSafetyInformation | Sequence[ReferenceSafetyInformation],
) -> Finding:
    """Whether the reference safety information leaves this event unlisted, or listed as milder.

    Several versions are those that may have been in force at its onset (`reference_information.in_force`): unexpected
    in any of them is unexpected, provisional where they differ. Raises ValueError for none at all.
    """
    versions = (rsi,) if isinstance(rsi, ReferenceSafetyInformation) else tuple(rsi)
    if not versions:
        raise ValueError("no version of the reference safety information is given; allowed is one or more")
    found = [_unexpected_by(event, coded, is_fatal, version) for version in versions]
    reasons = list(dict.fromkeys(reason for one in found for reason in one.reasons))
    differ = len({one.value for one in found}) > 1
    if differ:
        named = ", ".join(version.version for version in versions)
        reasons.append(f"the onset leaves open which was in force ({named}): taken as unexpected")
    is_unexpected = any(found)
    return Finding(is_unexpected, tuple(reasons), differ or any(one.is_provisional for one in found))


def _unexpected_by(event: Event, coded: Coded | None, is_fatal: bool, rsi: ReferenceSafetyInformation) -> Finding:
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
