"""What the board is made from: facts of subjects, of the product, and what people signed. In any order, also twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.domain.board.settings import ProductFault
from tocsin.domain.calendars import Partial
from tocsin.domain.causality import suspected
from tocsin.domain.dlt.subject import Reported
from tocsin.domain.dlt.verdict import Verdict
from tocsin.domain.known import Finding, Known
from tocsin.domain.words import Agent, Party, is_suspected


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A subject is in the trial, at a level where the site named one."""

    level: str | None
    on: Partial


@dataclass(frozen=True, slots=True)
class Given:
    """An infusion as the site wrote it. `planned` and `given` are in `unit`; None: not told."""

    started: Partial
    level: str
    planned: Decimal | None = None
    given: Decimal | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The subject left the trial or its observation."""

    on: Partial
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """A death. `related`: whether it counts as treatment-related; a missing opinion does (readings.md DLT 14)."""

    event_id: str
    on: Partial | None
    related: Finding


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """All that the board knows of one subject. `contacts`: local days of which any fact is held.

    `severe_icans`: ICANS of grade 3 or higher was seen. `relapsed`: the myeloma came back before death, where the
    subject died.
    """

    id: str
    site: str
    zone: ZoneInfo
    enrolled: tuple[Enrolled, ...] = ()
    given: tuple[Given, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    deaths: tuple[Death, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    contacts: frozenset[date] = frozenset()
    severe_icans: Known = Known.UNKNOWN
    relapsed: Known = Known.UNKNOWN

    @property
    def open_verdicts(self) -> tuple[Verdict, ...]:
        return tuple(one for one in self.verdicts if one.state.is_open)


@dataclass(frozen=True, slots=True)
class ProductEvent:
    """Something went wrong with the product. `received_at` is aware, UTC."""

    id: str
    fault: ProductFault
    received_at: datetime
    said: str = ""
    is_linked_to_harm: Known = Known.UNKNOWN


class Alarm(StrEnum):
    """What ST-06 pauses for beside the product."""

    CAR_POSITIVE_MALIGNANCY = "car_positive_malignancy"
    REPLICATION_COMPETENT_VIRUS = "replication_competent_virus"


@dataclass(frozen=True, slots=True)
class AlarmingFinding:
    """A CAR-positive T-cell malignancy, or replication-competent virus. `known_at` is aware, UTC."""

    id: str
    alarm: Alarm
    subject: str
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The committee signed that the dose goes up from a level."""

    level: str
    by: tuple[str, ...]
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Recommended:
    """The sponsor signed the dose of phase 2a: whoever is infused from then on belongs to the expansion."""

    level: str
    by: tuple[str, ...]
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Raised:
    """A hold that was set before: it stays until it is signed away, also where the facts no longer ask for it."""

    key: str
    kind: str
    level: str | None
    levels: tuple[str, ...]
    at: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lifted:
    """A hold was lifted by signature."""

    key: str
    by: tuple[str, ...]
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A site, or the cell lab, has confirmed that it knows of a hold. `party` is the site's id or `CELL_LAB`."""

    key: str
    party: str
    by: str
    at: datetime


CELL_LAB = "cell_lab"


@dataclass(frozen=True, slots=True)
class TrialFacts:
    """What is known beside the subjects."""

    product_events: tuple[ProductEvent, ...] = ()
    alarming: tuple[AlarmingFinding, ...] = ()
    reviewed: tuple[Reviewed, ...] = ()
    recommended: tuple[Recommended, ...] = ()
    raised: tuple[Raised, ...] = ()
    lifted: tuple[Lifted, ...] = ()
    confirmed: tuple[Confirmed, ...] = ()


def death_of(reported: Reported) -> Death | None:
    """A death as ST-03 sees it: related to the product, or to the lymphodepletion given for it. None: no death.

    A missing opinion on the product counts as related; one on lymphodepletion alone that is missing adds nothing.
    """
    event = reported.event
    if not reported.fatal or event.is_nullified:
        return None
    related = suspected(event)
    if not related:
        for party in Party:
            if is_suspected(event.relation(Agent.LYMPHODEPLETION, party)) is Known.YES:
                related = Finding(True, (*related.reasons, f"{party} relates it to lymphodepletion"))
    return Death(event.event_id, event.end, related)
