"""The kinds of alert: what they are called outside the walls, which is the more urgent, which includes which.

The words are all that a mail or webhook says of what happened, so they name no patient, term or grade.
"""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = ("info", "review", "warn", "page", "escalate", "critical", "overdue")
"""Least urgent first."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`covers`: the lesser kinds that need no ring of their own after this one, about the same event."""

    name: str
    words: str
    covers: frozenset[str] = frozenset()


# Most urgent first: the first of several names the alert.
_ALL = (
    Kind("fatal", "death", frozenset({"life_threatening", "serious"})),
    Kind("reconciliation", "a death in a site's list that we do not hold"),
    Kind("life_threatening", "life-threatening event", frozenset({"serious"})),
    Kind("infusion_against_hold", "infusion against a hold"),
    Kind("hold", "hold on infusions"),
    Kind("potential_dlt", "potential DLT"),
    Kind("dlt_met", "DLT met by its rule, to be confirmed or rejected"),
    Kind("dlt_for_committee", "event for the review committee"),
    Kind("grade_differs", "facts of an event that differ"),
    Kind("special_interest", "event of special interest", frozenset({"serious"})),
    Kind("submission_rejected", "report rejected, its clock is open again"),
    Kind("product_event", "product event"),
    Kind("medication_error", "medication error"),
    Kind("pregnancy", "pregnancy"),
    Kind("hold_confirmation", "hold on infusions, to be confirmed"),
    Kind("follow_up_overdue", "follow-up of a subject overdue"),
    Kind("dose_deviation", "dose outside 80 to 120 % of plan"),
    Kind("nullified", "nullified by the site, clocks go on"),
    Kind("clock_overdue", "report overdue"),
    Kind("clock_critical", "report due within a day"),
    Kind("clock_escalation", "report due within two days"),
    Kind("clock_warning", "report not sent yet"),
    Kind("clock_review", "medical review due"),
    Kind("clock_in_question", "clock in question"),
    Kind("follow_up_to_judge", "follow-up whose significance a physician judges"),
    Kind("no_event", "report that names no event"),
    Kind("uncoded", "report still uncoded"),
    Kind("serious", "serious event"),
    Kind("dlt_strict_limit", "strict limit of a potential DLT passed"),
    Kind("unanswered", "last follow-up request sent, and something is still open"),
    Kind("delivery_failed", "an alarm could not be delivered"),
    Kind("webhook_disabled", "a webhook that failed for days was disabled"),
    Kind("nobody_reachable", "nobody is reachable in a role"),
    Kind("house_in_trouble", "Tocsin itself needs somebody"),
    Kind("dead_letter", "a message could not be handled"),
)
UNTIL_ANSWERED = frozenset({"hold_confirmation"})
"""Those that ring their own roles again until they answer: nobody else can answer for them."""

WAKES = frozenset({"fatal", "reconciliation", "life_threatening", "infusion_against_hold"})
"""Those that no quiet hours hold back: a life is lost, or may be."""

KINDS = {kind.name: kind for kind in _ALL}
_ORDER = {kind.name: place for place, kind in enumerate(_ALL)}


def urgency(level: str, kind: str = "") -> int:
    """A number to sort by, smallest first: by level, then by kind."""
    return (len(LEVELS) - 1 - LEVELS.index(level)) * 100 + _ORDER.get(kind, 99)


def words(kind: str) -> str:
    """What a kind is called outside the walls."""
    return KINDS[kind].words if kind in KINDS else "alarm"


def wakes(kind: str, level: str) -> bool:
    """Whether it is sent in quiet hours, too. A page that could not be delivered may have been such a one."""
    return kind in WAKES or (kind == "delivery_failed" and level == "page")


def is_at_least(level: str, other: str) -> bool:
    """Whether `level` is as urgent as `other`, or more."""
    return LEVELS.index(level) >= LEVELS.index(other)


def covers(kind: str) -> frozenset[str]:
    """The lesser kinds that need not ring once this one has, about the same event."""
    return KINDS[kind].covers if kind in KINDS else frozenset()
