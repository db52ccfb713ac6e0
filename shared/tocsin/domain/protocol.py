"""What one study's protocol says, as far as safety needs it. Read from a file by `tocsin.studies`.

Whatever the public record does not say is an assumption: it is marked, and every verdict that rests on it says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.domain.board.settings import DoseSettings
from tocsin.domain.clocks import ClockRule, Mode
from tocsin.domain.dlt import DltDefinition
from tocsin.domain.syndromes import EVERY, Syndrome
from tocsin.domain.words import CrsScale, Role

APPROVED = "SPONSOR_APPROVED"
ASSUMED_RULES = "ASSUMED RULES, not approved by the sponsor"


@dataclass(frozen=True, slots=True)
class Site:
    """A place that treats subjects. Its zone dates what happens there."""

    id: str
    name: str
    zone: ZoneInfo
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class DoseLevel:
    """One planned dose. `cells_per_kg` is absolute (1.0 ×10^6 is 1_000_000.0)."""

    id: str
    label: str
    cells_per_kg: float | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told, in which role. Webhooks and their secrets are kept outside the study file."""

    role: Role
    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectedReaction:
    """One entry of the reference safety information."""

    term: str
    code: str | None
    max_expected_grade: int | None
    fatal_expected: bool


@dataclass(frozen=True, slots=True)
class ReferenceSafetyInformation:
    """What counts as expected, in which version. `status` says whether the sponsor stands behind it.

    `in_force_from`: for events with onset on that date or later; None means from the beginning.
    """

    version: str
    status: str
    entries: tuple[ExpectedReaction, ...] = ()
    in_force_from: date | None = None


class CopyTo(StrEnum):
    """What kind of recipient a copy of a SUSAR goes to (China GCP 2020 Art. 48)."""

    INVESTIGATOR = "investigator"
    INSTITUTION = "institution"
    ETHICS_COMMITTEE = "ethics_committee"
    HEALTH_AUTHORITY = "health_authority"


@dataclass(frozen=True, slots=True)
class CopyRecipient:
    """One of those who get a copy of every SUSAR. `name` is how people and the API call it; `site` None: no site's."""

    name: str
    kind: CopyTo
    site: str | None = None


class SuspectedBy(StrEnum):
    """Whose opinion makes a reaction suspected for the FDA (rules.md 1.6 C1)."""

    EITHER_PARTY = "either_party"
    SPONSOR = "sponsor"


class CountsFrom(StrEnum):
    """Which day zero the FDA's 15-day report has (rules.md 1.6 C2)."""

    RECEIPT = "receipt"
    DETERMINATION = "determination"


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """What is contested or left to the sponsor, at its stated default (rules.md 1.6; readings.md, clocks).

    `strict_follow_up` (C4): the completed report is due 8 days after the first one was sent, if that is sooner.
    `non_working` (C3): dates on which a day clock that ends there is extended to the next other day; none by default.
    `also_7_days_after_determination` (C6). `probably_not_related_is_suspected`: how 可能无关 is read.
    `wrong_subject_keeps_day_zero`: the right subject's case counts from the first report that named the wrong one.
    `signatures_to_close`: how many different people must sign before a clock is cancelled or downgraded, 1 or 2.
    """

    fda_suspected_by: SuspectedBy = SuspectedBy.EITHER_PARTY
    fda_15_days_from: CountsFrom = CountsFrom.RECEIPT
    non_working: frozenset[date] = frozenset()
    strict_follow_up: bool = False
    also_7_days_after_determination: bool = True
    probably_not_related_is_suspected: bool = True
    wrong_subject_keeps_day_zero: bool = True
    signatures_to_close: int = 1


@dataclass(frozen=True, slots=True)
class FollowUpRequests:
    """After how many days from receipt a site is asked what is new of a serious event; closed after the last."""

    fatal_or_life_threatening: tuple[int, ...] = (1, 3, 7)
    other: tuple[int, ...] = (7, 14, 30)


@dataclass(frozen=True, slots=True)
class GradingSettings:
    """Which scale counts, and from which derived grade on a site is asked for a report that it has not sent.

    ICANS and IEC-HS have no term in CTCAE v5.0: their own scales count. Every scale is kept and shown in any case.
    """

    crs: CrsScale = CrsScale.WORST_OF
    ask_from_grade: int = 3


@dataclass(frozen=True, slots=True)
class CodingSettings:
    """How a coder's decisions are kept: at once, or once a second person agrees (`second_person`)."""

    second_person: bool = False


@dataclass(frozen=True, slots=True)
class Protocol:
    """One study. `assumptions` are the sentences that stand beside every verdict until the sponsor approves.

    `special_interest`: which syndromes are always medically important here.
    """

    id: str
    title: str
    product: str
    phase: str
    receiver_zone: ZoneInfo
    sites: tuple[Site, ...]
    levels: tuple[DoseLevel, ...]
    subject_pattern: re.Pattern[str]
    recipients: tuple[Recipient, ...]
    ctcae: str
    meddra: str
    rsi: ReferenceSafetyInformation
    clock_rules: tuple[ClockRule, ...]
    dlt: DltDefinition | None
    clock_mode: Mode = Mode.CONSERVATIVE
    uncoded_after: timedelta = timedelta(hours=4)
    follow_up: timedelta | None = None
    planned_subjects: int | None = None
    assumptions: tuple[str, ...] = field(default=())
    schedule: str | None = None
    special_interest: frozenset[Syndrome] = EVERY
    earlier_rsi: tuple[ReferenceSafetyInformation, ...] = ()
    clock_settings: ClockSettings = ClockSettings()
    follow_up_requests: FollowUpRequests = FollowUpRequests()
    copies_to: tuple[CopyRecipient, ...] = ()
    grading: GradingSettings = GradingSettings()
    coding: CodingSettings = CodingSettings()
    dose: DoseSettings = field(default_factory=DoseSettings)

    def site(self, site_id: str) -> Site | None:
        return next((s for s in self.sites if s.id == site_id), None)

    def level(self, level_id: str) -> DoseLevel | None:
        return next((d for d in self.levels if d.id == level_id), None)
