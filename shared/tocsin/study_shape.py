"""The shape of a study file: which keys it has, and what each may be.

Closed and strict. What is well formed and still cannot be is found in `studies`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from tocsin.domain.clocks import Mode
from tocsin.domain.protocol import (
    ClockSettings,
    CopyTo,
    CountsFrom,
    FollowUpRequests,
    GradingSettings,
    SuspectedBy,
)
from tocsin.domain.syndromes import EVERY, Syndrome
from tocsin.domain.words import CrsScale, Role


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it is no IANA time zone; allowed is a name such as Asia/Shanghai") from None
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"it is no regular expression ({wrong}); allowed is one in Python's syntax") from None
    return text


def _wording(text: str) -> str:
    if re.compile(_pattern(text)).search(""):
        raise ValueError("it finds every text; allowed is a regular expression that needs at least one character")
    return text


def _address(text: str) -> str:
    if re.fullmatch(r"[^@\s]+@[^@\s]+", text) is None:
        raise ValueError("it is no e-mail address; allowed is one such as name@example.org")
    return text


def _code(text: str) -> str:
    if re.fullmatch(r"[0-9]{8}", text) is None:
        raise ValueError("it is no MedDRA code; allowed are eight digits in quotes")
    return text


def _release(text: str) -> str:
    if re.fullmatch(r"[0-9]{2}\.[01]", text) is None:
        raise ValueError("it is no MedDRA release; allowed is one such as 29.0 or 29.1, in quotes")
    return text


def _day(value: Any) -> Any:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("it is no date; allowed is a date without quotes, such as 2026-10-01")
    return value


def _once(days: list[date]) -> list[date]:
    if twice := [day for n, day in enumerate(days) if day in days[:n]]:
        raise ValueError(f"{twice[0]} stands twice; allowed is each date once")
    return days


def _ascending(days: list[int]) -> list[int]:
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError(f"{days} does not ascend; allowed are days such as [1, 3, 7], or [] for none")
    return days


ZoneName = Annotated[str, AfterValidator(_zone)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Wording = Annotated[str, AfterValidator(_wording)]
Status = Literal["SPONSOR_APPROVED", "ASSUMPTION_SPONSOR_MUST_REPLACE"]
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
Address = Annotated[str, AfterValidator(_address)]
Code = Annotated[str, AfterValidator(_code)]
Release = Annotated[str, AfterValidator(_release)]
Day = Annotated[date, BeforeValidator(_day)]
Cadence = Annotated[list[Annotated[int, Field(ge=1, le=366)]], AfterValidator(_ascending)]

_CLOCKS: Final = ClockSettings()
_REQUESTS: Final = FollowUpRequests()
_GRADING: Final = GradingSettings()


class Part(BaseModel):
    """Closed and strict: "28", true or an infinity where a number belongs are mistakes and not numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class StudyPart(Part):
    id: Text
    title: Text
    product: Text
    phase: Text
    receiver_zone: ZoneName
    subject_pattern: Pattern
    planned_subjects: int | None = Field(None, ge=1)
    follow_up_days: int | None = Field(None, ge=1)
    ctcae: Literal["5.0", "6.0"]
    meddra: Release
    uncoded_after_hours: float = Field(4, gt=0, le=720)
    special_interest: list[Annotated[Syndrome, Field(strict=False)]] = sorted(EVERY)


class ClocksPart(Part):
    profiles: list[str] = Field(min_length=1)
    mode: Annotated[Mode, Field(strict=False)] = Mode.CONSERVATIVE
    rules: list[Text] = []
    fda_suspected_by: Annotated[SuspectedBy, Field(strict=False)] = _CLOCKS.fda_suspected_by
    fda_15_days_from: Annotated[CountsFrom, Field(strict=False)] = _CLOCKS.fda_15_days_from
    non_working: Annotated[list[Day], AfterValidator(_once)] = sorted(_CLOCKS.non_working)
    strict_follow_up: bool = _CLOCKS.strict_follow_up
    also_7_days_after_determination: bool = _CLOCKS.also_7_days_after_determination
    probably_not_related_is_suspected: bool = _CLOCKS.probably_not_related_is_suspected
    wrong_subject_keeps_day_zero: bool = _CLOCKS.wrong_subject_keeps_day_zero
    signatures_to_close: int = Field(_CLOCKS.signatures_to_close, ge=1, le=2)


class FollowUpRequestsPart(Part):
    fatal_or_life_threatening: Cadence = list(_REQUESTS.fatal_or_life_threatening)
    other: Cadence = list(_REQUESTS.other)


class GradingPart(Part):
    crs: Annotated[CrsScale, Field(strict=False)] = _GRADING.crs
    ask_from_grade: int = Field(_GRADING.ask_from_grade, ge=1, le=5)


class CopyPart(Part):
    name: Text
    kind: Annotated[CopyTo, Field(strict=False)]
    site: Text | None = None


class LevelPart(Part):
    id: Text
    label: Text
    cells_per_kg: float | None = Field(None, gt=0)


class DosePart(Part):
    schedule: Text
    mtd_needs_evaluable: int | None = Field(None, ge=1)
    levels: list[LevelPart] = Field(min_length=1)


class SitePart(Part):
    id: Text
    name: Text
    zone: ZoneName
    contact: Address | None = None


class RecipientPart(Part):
    role: Annotated[Role, Field(strict=False)]
    name: Text
    email: Address | None = None


class ReactionPart(Part):
    term: Text
    code: Code | None = None
    max_expected_grade: int | None = Field(None, ge=1, le=5)
    fatal_expected: bool = False


class RsiPart(Part):
    version: Text
    status: Status
    in_force_from: Day | None = None
    entries: list[ReactionPart]


class DltRulePart(Part):
    id: Text
    text: Text
    min_grade: int = Field(ge=1, le=5)
    terms: list[str] = []
    words: Wording | None = None
    needs_relation: bool = True


class ExclusionPart(Part):
    id: Text
    text: Text
    terms: list[str] = Field(min_length=1)
    max_grade: int = Field(5, ge=1, le=5)


class DltPart(Part):
    id: Text
    status: Status
    window_days: int = Field(ge=1, le=365)
    day_base: Literal[0, 1] = 0
    rules: list[DltRulePart] = Field(min_length=1)
    exclusions: list[ExclusionPart] = []


class StudyFile(Part):
    study: StudyPart
    clocks: ClocksPart
    follow_up_requests: FollowUpRequestsPart = FollowUpRequestsPart()
    grading: GradingPart = GradingPart()
    copies_to: list[CopyPart] | None = Field(None, min_length=1)
    dose: DosePart | None = None
    sites: list[SitePart] = Field(min_length=1)
    recipients: list[RecipientPart] = Field(min_length=1)
    rsi: RsiPart
    earlier_rsi: list[RsiPart] = []
    dlt: DltPart | None = None
