"""What was observed of a subject, as whoever reads it must read it: which of it counts, and what was measured.

Kept as it was said. A correction takes the place of what has its `ref` and was the same test; where nothing was, of
all that has its `ref` (the wrong test was named). Of several the last received counts, so that nothing depends on the
order of arrival. Where it is kept, and what follows from it, is left to each service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from tocsin.criteria import find_analyte
from tocsin.criteria.specimens import told
from tocsin.domain import units
from tocsin.domain.bands import Analyte
from tocsin.domain.calendars import Partial, Span
from tocsin.domain.measured import Measured
from tocsin.messages.facts import LaboratoryValue, Observation, VitalSign

PRE_LYMPHODEPLETION: Final = "pre_lymphodepletion"
"""What a site calls a value that was taken before lymphodepletion."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation. `id` is `record_id/place`; `analyte` None: no measurement, or none that is known here."""

    id: str
    analyte: str | None
    received_at: datetime
    facts: Observation

    def span(self, zone: ZoneInfo) -> Span | None:
        """When it was, as far as the site's words allow; None where they leave the year open."""
        return Partial.parse(self.facts.at).widest(zone)


def counting(seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """Those that count, in order of receipt."""
    ordered = sorted(seen, key=lambda one: (one.received_at, one.id))
    gone: set[str] = set()
    for correction in ordered:
        if not correction.facts.correction or correction.facts.ref is None:
            continue
        named = [
            one for one in ordered if one.facts.ref == correction.facts.ref and one.facts.kind == correction.facts.kind
        ]
        same = [one for one in named if _test(one) == _test(correction) and one is not correction]
        earlier = (correction.received_at, correction.id)
        gone |= {one.id for one in same or named if (one.received_at, one.id) < earlier}
    return tuple(one for one in ordered if one.id not in gone)


def _test(one: Seen) -> str:
    """What was observed: the analyte where it is known, else the name that the site gave it."""
    if one.analyte is not None:
        return one.analyte
    if isinstance(one.facts, LaboratoryValue):
        return one.facts.test.casefold()
    return one.facts.sign if isinstance(one.facts, VitalSign) else one.facts.kind


def analyte_of(observed: Observation) -> str | None:
    """The analyte that was measured; None where it is no measurement, or none of its specimen is known by this name."""
    if isinstance(observed, LaboratoryValue):
        found = find_analyte(test=observed.test, loinc=observed.loinc, specimen=told(observed.specimen))
        return found.id if found else None
    if isinstance(observed, VitalSign):
        found = find_analyte(test=observed.sign, loinc=None)
        return found.id if found else None
    return None


def measured_of(seen: Seen) -> Measured | None:
    """The value as the rules see it; None where no analyte is known by its name."""
    if seen.analyte is None:
        return None
    if isinstance(seen.facts, LaboratoryValue):
        unit = units.laboratory(seen.facts.unit) or seen.facts.unit
        limits = (_decimal(seen.facts.lln), _decimal(seen.facts.uln))
        return Measured(seen.analyte, _exactly(seen.facts.value), unit, *limits)
    if isinstance(seen.facts, VitalSign):
        return Measured(
            seen.analyte,
            _exactly(seen.facts.value),
            units.vital_sign(seen.facts.sign, seen.facts.unit) or seen.facts.unit,
        )
    return None


def amount(measured: Measured, analyte: Analyte) -> Decimal | None:
    """The value in the unit of its analyte; None where its unit is none that is converted."""
    factor = analyte.factors.get(measured.unit)
    return None if factor is None else measured.value * factor.numerator / factor.denominator


def said_of(seen: Seen) -> str:
    """What was observed, in words."""
    facts = seen.facts
    if isinstance(facts, LaboratoryValue):
        measured_in = f" ({facts.specimen})" if facts.specimen else ""
        return f"{facts.test}{measured_in} {facts.value:g} {facts.unit}"
    if isinstance(facts, VitalSign):
        return f"{facts.sign} {facts.value:g} {facts.unit}"
    shown = facts.model_dump(exclude={"kind", "subject", "at", "ref", "correction", "reason"}, exclude_none=True)
    return f"{facts.kind} " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())


def _exactly(value: float) -> Decimal:
    """The number as it was written: 0.1 is 0.1, not what a float makes of it."""
    return Decimal(repr(value))


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else _exactly(value)
