"""What one study's protocol says, as far as safety needs it. Read from a file by `tocsin.studies`.

Whatever the public record does not say is an assumption: it is marked, and every verdict that rests on it says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.clocks import ClockRule, Mode
from tocsin.domain.dlt import DltDefinition
from tocsin.domain.syndromes import EVERY, Syndrome
from tocsin.domain.words import Role

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
    """What counts as expected, in which version. `status` says whether the sponsor stands behind it."""

    version: str
    status: str
    entries: tuple[ExpectedReaction, ...] = ()


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
    mtd_needs_evaluable: int | None = None
    planned_subjects: int | None = None
    assumptions: tuple[str, ...] = field(default=())
    schedule: str | None = None
    special_interest: frozenset[Syndrome] = EVERY

    def site(self, site_id: str) -> Site | None:
        return next((s for s in self.sites if s.id == site_id), None)

    def level(self, level_id: str) -> DoseLevel | None:
        return next((d for d in self.levels if d.id == level_id), None)
