"""What a ward sees of CRS and ICANS: each fact with its instant, and the chart of one episode.

What is known at a moment, and its grade, is in `ward_course`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from tocsin.domain.crs import Device
from tocsin.domain.icans import Consciousness, Oedema, Seizure
from tocsin.domain.ice import Ice
from tocsin.domain.known import Known

HORIZON: Final = timedelta(hours=24)

HYPOTENSIVE_BELOW_MM_HG: Final = 90
"""Systolic, for adults. The consensus names no number: this is the usual one (a choice)."""


@dataclass(frozen=True, slots=True)
class WardFact:
    """What every fact carries: the instant in UTC, and whose observation it is (an id, for evidence)."""

    at: datetime
    seen: str

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"{self.at.isoformat()} has no time zone; allowed is an instant in UTC")


@dataclass(frozen=True, slots=True)
class Temperature(WardFact):
    celsius: Decimal


@dataclass(frozen=True, slots=True)
class Systolic(WardFact):
    mm_hg: Decimal


@dataclass(frozen=True, slots=True)
class Pressors(WardFact):
    """`excluding_vasopressin` is a count; `fluids` were given for low pressure."""

    excluding_vasopressin: int
    vasopressin: Known = Known.UNKNOWN
    fluids: Known = Known.UNKNOWN


@dataclass(frozen=True, slots=True)
class Oxygen(WardFact):
    device: Device
    flow_l_per_min: Decimal | None = None
    fio2_percent: Decimal | None = None
    airway_only: Known = Known.NO


class Drug(StrEnum):
    """What may hide a fever. A corticosteroid works against cytokines too."""

    ANTIPYRETIC = "antipyretic"
    ANTI_CYTOKINE = "anti_cytokine"
    CORTICOSTEROID = "corticosteroid"


@dataclass(frozen=True, slots=True)
class Given(WardFact):
    drug: Drug


@dataclass(frozen=True, slots=True)
class IceTest(WardFact):
    ice: Ice


@dataclass(frozen=True, slots=True)
class Awake(WardFact):
    level: Consciousness


@dataclass(frozen=True, slots=True)
class Seized(WardFact):
    course: Seizure


@dataclass(frozen=True, slots=True)
class Weakness(WardFact):
    is_deep_focal: bool


@dataclass(frozen=True, slots=True)
class Swelling(WardFact):
    extent: Oedema


OF_CRS: Final = (Temperature, Systolic, Pressors, Oxygen, Given)
OF_ICANS: Final = (IceTest, Awake, Seized, Weakness, Swelling)


@dataclass(frozen=True, slots=True)
class Chart:
    """The facts of one episode, in any order, and how they are read.

    A value holds until the next one of its kind, at most for the `horizon`; after that it is not known.
    `is_complete`: what is not in the chart did not happen, as the site has said. That is a promise of the study's
    data, never a default: it makes "no drug, no earlier fever, no seizure, no weakness, no oedema" known where nothing
    says otherwise. A measurement is never made up.
    """

    facts: tuple[WardFact, ...]
    horizon: timedelta = HORIZON
    hypotensive_below_mm_hg: int = HYPOTENSIVE_BELOW_MM_HG
    is_complete: bool = False
