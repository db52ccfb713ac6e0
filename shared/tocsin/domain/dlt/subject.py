"""Everything known of one subject that a verdict rests on: facts only, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import Partial
from tocsin.domain.case import Coded, Event, Infusion
from tocsin.domain.cell_counts import Count
from tocsin.domain.derived import Derived
from tocsin.domain.dlt.verdict import State
from tocsin.domain.known import Finding, Known

NOT_FATAL = Finding(False, ())


@dataclass(frozen=True, slots=True)
class Reported:
    """An event as last told, with the sponsor's signed opinions in it. `derived`: the graded values that belong to it.

    `event.component_of` is the id of the event of which it is a sign, where the site named one. A nullified event is
    here too: its history stays.
    """

    case_id: str
    event: Event
    coded: Coded | None = None
    fatal: Finding = NOT_FATAL
    derived: tuple[Derived, ...] = ()


class LiverTest(StrEnum):
    """What of the liver DLT-13 goes by."""

    ALT = "ALT"
    AST = "AST"
    BILIRUBIN = "bilirubin"
    ALP = "alkaline phosphatase"


@dataclass(frozen=True, slots=True)
class LiverValue:
    """A value as a multiple of its upper limit of normal; None where no limit came with it."""

    test: LiverTest
    at: Partial
    times_uln: Decimal | None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Marrow:
    """A result of the bone marrow."""

    at: Partial
    myeloma_involvement: Known


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person signed of a verdict: CONFIRMED or REJECTED. `rule_id`: by what, such as DLT-99 or EX-09."""

    key: str
    state: State
    rule_id: str | None
    by: tuple[str, ...]
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject. `baseline_…` are the counts before lymphodepletion; dates of therapy are as the site wrote them."""

    id: str
    zone: ZoneInfo
    infusions: tuple[Infusion, ...] = ()
    events: tuple[Reported, ...] = ()
    neutrophils: tuple[Count, ...] = ()
    platelets: tuple[Count, ...] = ()
    baseline_neutrophils: tuple[Count, ...] = ()
    baseline_platelets: tuple[Count, ...] = ()
    transfusions: tuple[Partial, ...] = ()
    g_csf: tuple[Partial, ...] = ()
    marrow: tuple[Marrow, ...] = ()
    liver: tuple[LiverValue, ...] = ()
    decided: tuple[Decided, ...] = ()
