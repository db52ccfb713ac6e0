"""Which infusion of a subject counts, and whether its dose was as planned.

Source: rules.md 4.2: evaluable is who was infused with the assigned dose, 80 to 120 % of it, both included. A dose
that nobody told is not known to be as planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

from tocsin.domain import units
from tocsin.domain.board.facts import Given, SubjectFacts
from tocsin.domain.board.settings import DoseSettings
from tocsin.domain.escalation.decision import told
from tocsin.domain.protocol import DoseLevel

_CELLS = {"{cells}/kg": Fraction(1), "10*6.{cells}/kg": Fraction(10**6)}
_LAST = datetime.max.replace(tzinfo=UTC)


class Dosed(StrEnum):
    """Whether the dose given was the one planned."""

    AS_PLANNED = "as_planned"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Dose:
    """What was given against what was planned. `part` is given/planned; None where it is not known."""

    dosed: Dosed
    said: str
    part: Fraction | None = None


def infusion_of(subject: SubjectFacts) -> Given | None:
    """The first infusion: it opens the window. One with an open year comes last."""
    return min(subject.given, key=lambda one: _order(one, subject), default=None)


def also_recorded(subject: SubjectFacts) -> tuple[Given, ...]:
    """The other infusions on record: the product is given once, so somebody has to say which is right."""
    first = infusion_of(subject)
    others = {one for one in subject.given if one != first}
    return tuple(sorted(others, key=lambda one: _order(one, subject)))


def dose_of(subject: SubjectFacts, levels: Sequence[DoseLevel], settings: DoseSettings) -> Dose:
    """The dose of a subject who was infused. Of two records of one start that disagree, neither is taken."""
    first = infusion_of(subject)
    if first is None:
        return Dose(Dosed.UNKNOWN, "no infusion is recorded")
    found = {_dose(one, levels, settings) for one in subject.given if one.started == first.started}
    if len({one.dosed for one in found}) == 1:
        return min(found, key=lambda one: one.said)
    said = "; ".join(sorted(one.said for one in found))
    return Dose(Dosed.UNKNOWN, f"the records of the dose contradict one another: {said}")


def _dose(one: Given, levels: Sequence[DoseLevel], settings: DoseSettings) -> Dose:
    planned, whence = _planned(one, levels)
    missing = [name for name, value in (("planned", planned), ("given", one.given)) if value is None]
    if planned is None or one.given is None:
        return Dose(Dosed.UNKNOWN, f"the {' and the '.join(missing)} dose is not known")
    part = Fraction(one.given) / planned
    allowed = f"{_percent(settings.evaluable_from)} to {_percent(settings.evaluable_to)} %"
    if settings.evaluable_from <= part <= settings.evaluable_to:
        return Dose(Dosed.AS_PLANNED, f"{_percent(part)} % of the {whence} was given (allowed is {allowed})", part)
    return Dose(Dosed.OUTSIDE, f"{_percent(part)} % of the {whence} was given, outside {allowed}", part)


def _planned(one: Given, levels: Sequence[DoseLevel]) -> tuple[Fraction | None, str]:
    """The planned dose in the record's unit: as the site told it, else as the protocol has it for the level."""
    if one.planned is not None:
        return (Fraction(one.planned), "planned dose") if one.planned > 0 else (None, "")
    level = next((level for level in levels if level.id == one.level), None)
    unit = None if one.unit is None else units.dose(one.unit)
    if level is None or level.cells_per_kg is None or unit is None:
        return None, ""
    return Fraction(str(level.cells_per_kg)) / _CELLS[unit], f"dose of {level.id} by the protocol"


def differs_from_level(one: Given, levels: Sequence[DoseLevel], settings: DoseSettings) -> str:
    """A sentence where the planned dose that was told is not that of the level; empty where nothing shows it."""
    by_protocol, _ = _planned(Given(one.started, one.level, None, one.given, one.unit), levels)
    if one.planned is None or one.planned <= 0 or by_protocol is None:
        return ""
    part = Fraction(one.planned) / by_protocol
    if settings.evaluable_from <= part <= settings.evaluable_to:
        return ""
    return f"the planned dose that was told is {_percent(part)} % of the dose of {one.level} by the protocol"


def _percent(part: Fraction) -> str:
    return told(part * 100, 2).removesuffix(".0")


def _order(one: Given, subject: SubjectFacts) -> tuple[datetime, str, str]:
    when = one.started.widest(subject.zone)
    return when.earliest if when is not None else _LAST, one.started.text, repr(one)
