"""Whether an event is serious, and whether it is fatal or life-threatening.

Severity is not seriousness: a grade 4 laboratory finding that the site calls not serious is not serious (rules.md
1.1). What is missing is taken at its worst and marked provisional (readings.md, clocks 2); a contradiction is read at
its worst (a death is never turned away by a form). Sources: ICH E2A II.B, E2B(R3) E.i.3.2, rules.md 2.1 and 2.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tocsin.domain.case import Coded, Event
from tocsin.domain.known import Finding, Known
from tocsin.domain.syndromes import of_special_interest
from tocsin.domain.words import Criterion, Outcome

_DEATH_WORDS = re.compile(r"\b(death|died|dead|deceased|fatal)\b|死亡|去世|身亡", re.IGNORECASE)
_THREAT_WORDS = re.compile(
    r"life[\s-]?threatening|\barrest(ed)?\b|intubat|危及生命|心(脏)?(骤停|跳骤停)|呼吸骤停|插管", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Seriousness:
    """Three findings about one event. Fatal or life-threatening implies serious."""

    serious: Finding
    fatal: Finding
    life_threatening: Finding

    @property
    def is_fatal_or_life_threatening(self) -> bool:
        return bool(self.fatal) or bool(self.life_threatening)


def of(event: Event, coded: Coded | None) -> Seriousness:
    """Judge one event by all that is known of it."""
    fatal = _fatal(event)
    threat = _life_threatening(event)
    return Seriousness(_serious(event, coded, fatal, threat), fatal, threat)


def _fatal(event: Event) -> Finding:
    reasons = []
    if Criterion.DEATH in event.criteria:
        reasons.append("criterion: results in death")
    if event.outcome is Outcome.FATAL:
        reasons.append("outcome: fatal")
    if event.worst_grade() == 5:
        reasons.append("grade 5")
    if reasons:
        return Finding(True, tuple(reasons))
    if _DEATH_WORDS.search(event.verbatim):
        return Finding(True, ("the verbatim names a death that no field states: taken as fatal until answered",), True)
    return Finding(False, ("no criterion, outcome, grade or wording of death",))


def _life_threatening(event: Event) -> Finding:
    if Criterion.LIFE_THREATENING in event.criteria:
        return Finding(True, ("criterion: life-threatening",))
    if _nothing_said_of_seriousness(event):
        if event.worst_grade() == 4:
            return Finding(True, ("grade 4 with no word on seriousness: taken as life-threatening",), True)
        if _THREAT_WORDS.search(event.verbatim):
            return Finding(True, ("the verbatim names a threat to life and no field denies it",), True)
    return Finding(False, ("no criterion of a threat to life",))


def _serious(event: Event, coded: Coded | None, fatal: Finding, threat: Finding) -> Finding:
    reasons = [f"criterion: {c.value.replace('_', ' ')}" for c in sorted(event.criteria)]
    if fatal:
        reasons += [r for r in fatal.reasons if r not in reasons and not r.startswith("criterion")]
    if event.stated_serious is Known.YES:
        reasons.append("the site calls it serious")
    if event.stated_serious is Known.NO and event.criteria:
        reasons.append("the site calls it not serious beside a criterion: read at its worst")
    special = of_special_interest(event, coded)
    reasons += special
    if reasons:
        only_by_name = not (event.criteria or event.stated_serious is Known.YES or (fatal and not fatal.is_provisional))
        return Finding(True, tuple(reasons), is_provisional=only_by_name and not _is_graded_special(event, special))
    if _nothing_said_of_seriousness(event):
        why = threat.reasons if threat else ("no word on seriousness: taken as serious until the site answers",)
        return Finding(True, why, True)
    return Finding(False, ("the site calls it not serious, and no criterion is met",))


def _is_graded_special(event: Event, special: tuple[str, ...]) -> bool:
    return bool(special) and event.worst_grade() is not None


def _nothing_said_of_seriousness(event: Event) -> bool:
    return event.stated_serious is Known.UNKNOWN and not event.criteria
