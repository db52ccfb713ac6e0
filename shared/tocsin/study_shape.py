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

from tocsin.domain.board.settings import Design, DoseSettings, ProductFault
from tocsin.domain.clocks import Mode
from tocsin.domain.dlt import About, GradedBy, Ground, Need
from tocsin.domain.protocol import (
    ClockSettings,
    CodingSettings,
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
Grade = Annotated[int, Field(ge=1, le=5)]
Hours = Annotated[float, Field(gt=0, le=8784)]
Whole = Annotated[int, Field(ge=1)]
Cadence = Annotated[list[Annotated[int, Field(ge=1, le=366)]], AfterValidator(_ascending)]

_CLOCKS: Final = ClockSettings()
_REQUESTS: Final = FollowUpRequests()
_GRADING: Final = GradingSettings()
_CODING: Final = CodingSettings()
_DOSE: Final = DoseSettings()


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


class CodingPart(Part):
    second_person: bool = _CODING.second_person


class CopyPart(Part):
    name: Text
    kind: Annotated[CopyTo, Field(strict=False)]
    site: Text | None = None


class LevelPart(Part):
    id: Text
    label: Text
    cells_per_kg: float | None = Field(None, gt=0)
    stagger_days: int | None = Field(None, ge=0, le=366)


class ExpansionPart(Part):
    dlt_limit: float = float(_DOSE.expansion.dlt_limit)
    certainty: float = float(_DOSE.expansion.certainty)
    prior: list[Whole] = Field(list(_DOSE.expansion.prior), min_length=2, max_length=2)
    looks_from: int = _DOSE.expansion.looks_from
    icans_limit: float | None = None
    non_relapse_mortality_limit: float | None = None


class VisitsPart(Part):
    months: Cadence = list(_DOSE.follow_up.months)
    grace_days: int = Field(_DOSE.follow_up.grace.days, ge=0, le=366)


class DosePart(Part):
    """Rates are written as numbers, and taken as they are written: 0.30 is 3/10. None: the default of the design."""

    schedule: Text
    status: Status = "ASSUMPTION_SPONSOR_MUST_REPLACE"
    design: Annotated[Design, Field(strict=False)] = _DOSE.design
    target: float | None = None
    phi1: float | None = None
    phi2: float | None = None
    subjects_per_cohort: int = Field(_DOSE.subjects_per_cohort, ge=1, le=20)
    evaluable_from: float = Field(float(_DOSE.evaluable_from), gt=0, le=1)
    evaluable_to: float = Field(float(_DOSE.evaluable_to), ge=1)
    mtd_needs_evaluable: int | None = Field(None, ge=1)
    parallel_levels: bool = _DOSE.parallel_levels
    committee_review_before_escalation: bool = _DOSE.committee_review_before_escalation
    review_within_hours: Hours = _DOSE.review_within.total_seconds() / 3600
    product_holds: list[Annotated[ProductFault, Field(strict=False)]] = sorted(_DOSE.product_holds)
    expansion: ExpansionPart = ExpansionPart()
    follow_up: VisitsPart = VisitsPart()
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
    about: Annotated[About, Field(strict=False)] = About.EVENT
    min_grade: Grade | None = None
    terms: list[str] = []
    words: Wording | None = None
    syndrome: Annotated[Syndrome, Field(strict=False)] | None = None
    needs_relation: bool = True
    graded_by: Annotated[GradedBy, Field(strict=False)] = GradedBy.ANY
    longer_than_hours: Hours | None = None
    strict_hours: Hours | None = None
    at_once_from: Grade | None = None
    at_once_terms: list[str] = []
    at_once_words: Wording | None = None
    committee_below: Grade | None = None
    leaves_others: bool = False
    by_day: int = Field(28, ge=1, le=365)
    late_days: int = Field(14, ge=0, le=365)
    platelets_below: float = Field(50, gt=0)
    transaminases_above: float = Field(3, gt=0)
    bilirubin_above: float = Field(2, gt=0)
    exclusions: list[Text] = []


class ExclusionPart(Part):
    id: Text
    text: Text
    ground: Annotated[Ground, Field(strict=False)] = Ground.EVENT
    terms: list[str] = []
    words: Wording | None = None
    min_grade: Grade = 1
    max_grade: Grade = 5
    within_hours: Hours | None = None
    needs: list[Annotated[Need, Field(strict=False)]] = []


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
    coding: CodingPart = CodingPart()
    copies_to: list[CopyPart] | None = Field(None, min_length=1)
    dose: DosePart | None = None
    sites: list[SitePart] = Field(min_length=1)
    recipients: list[RecipientPart] = Field(min_length=1)
    rsi: RsiPart
    earlier_rsi: list[RsiPart] = []
    dlt: DltPart | None = None
