"""Phase 2a: when a dose may be proposed for it, and how the expansion is watched.

Sources: the trial record (the RP2D after all subjects of phase 1 completed DLT observation), rules.md 5.5 ST-05.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tocsin.domain.board.facts import Recommended, SubjectFacts
from tocsin.domain.board.settings import ExpansionSettings
from tocsin.domain.board.standing import Standing, Status
from tocsin.domain.escalation.bayes_monitor import STOP, Monitor
from tocsin.domain.escalation.decision import Decision
from tocsin.domain.escalation.table import Here, Table
from tocsin.domain.known import Known

SHOWN_UP_TO = 12


@dataclass(frozen=True, slots=True)
class Proposal:
    """Whether an RP2D may be proposed yet; where not, who is waited for."""

    may_be_made: bool
    level: str | None
    reasons: tuple[str, ...]
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """One rate in the expansion. `unknown`: subjects of whom it is not known, and who count as having had it."""

    name: str
    rate: str
    decision: Decision
    table: Table
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expansion:
    """Phase 2a as it stands. `level` None: no dose is signed yet, and nobody is in it."""

    level: str | None
    subjects: tuple[str, ...]
    looks: tuple[Look, ...]
    recommended: Recommended | None = None
    reasons: tuple[str, ...] = ()

    @property
    def stopped(self) -> tuple[Look, ...]:
        return tuple(look for look in self.looks if look.decision.decision == STOP)


def parted(
    standings: Sequence[Standing], recommended: Iterable[Recommended]
) -> tuple[tuple[Standing, ...], tuple[Standing, ...], Recommended | None]:
    """The subjects of phase 1, those of phase 2a, and the signed dose that parts them.

    Whoever was infused after it was signed belongs to the expansion, and so does whoever is not infused yet.
    """
    signed = min(set(recommended), key=lambda one: (one.at, one.level, one.by, one.reason), default=None)
    if signed is None:
        return tuple(standings), (), None
    later = [one for one in standings if _is_later(one, signed)]
    return tuple(one for one in standings if one not in later), tuple(later), signed


def proposal(phase_1: Sequence[Standing], mtd: str | None, why: Sequence[str]) -> Proposal:
    """The RP2D is proposed only when every subject of phase 1 has completed the observation for DLTs."""
    waits = [
        f"{one.subject}: {one.waits_for[0] if one.waits_for else one.reasons[0]}"
        for one in sorted(phase_1, key=lambda one: one.subject)
        if one.status is Status.PENDING or one.is_watched or (one.status is Status.ENROLLED)
    ]
    waits += [f"{one.subject}: {what}" for one in phase_1 for what in one.for_committee if one.status is Status.DLT]
    if waits:
        said = "no dose for phase 2a before every subject of phase 1 has completed DLT observation"
        return Proposal(False, None, (said,), tuple(waits))
    if mtd is None:
        return Proposal(False, None, ("no dose has been found yet that may be proposed", *why))
    return Proposal(True, mtd, (f"{mtd} may be proposed for phase 2a: the sponsor and the committee sign it", *why))


def expansion(
    standings: Sequence[Standing],
    subjects: Sequence[SubjectFacts],
    signed: Recommended | None,
    settings: ExpansionSettings,
) -> Expansion:
    """The rates that are watched, per number infused. A rate without a limit is said not to be watched."""
    if signed is None:
        return Expansion(None, (), ())
    infused = sorted((one for one in standings if one.is_infused), key=lambda one: one.subject)
    facts = {one.id: one for one in subjects}
    looks, reasons = [], []
    with_dlt = {one.subject for one in infused if one.status is Status.DLT}
    looks.append(_look("dlt", Monitor.of_dlts(settings.dlt_limit), infused, with_dlt, (), settings))
    if settings.icans_limit is None:
        reasons.append("ICANS of grade 3 or higher is not watched: the sponsor has set no limit")
    else:
        seen = {one.subject for one in infused if facts[one.subject].severe_icans is Known.YES}
        looks.append(_look("icans", Monitor.of_icans(settings.icans_limit), infused, seen, (), settings))
    if settings.non_relapse_mortality_limit is None:
        reasons.append("deaths without relapse are not watched: the sponsor has set no limit")
    else:
        died = [one.subject for one in infused if facts[one.subject].deaths]
        counted = {name for name in died if facts[name].relapsed is not Known.YES}
        unknown = tuple(sorted(name for name in counted if facts[name].relapsed is Known.UNKNOWN))
        monitor = Monitor.of_non_relapse_mortality(settings.non_relapse_mortality_limit)
        looks.append(_look("non_relapse_mortality", monitor, infused, counted, unknown, settings))
    return Expansion(signed.level, tuple(one.subject for one in infused), tuple(looks), signed, tuple(reasons))


def _look(
    name: str,
    monitor: Monitor,
    infused: Sequence[Standing],
    events: set[str],
    unknown: tuple[str, ...],
    settings: ExpansionSettings,
) -> Look:
    set_so = Monitor(monitor.rate, monitor.limit, settings.certainty, settings.prior, settings.looks_from)
    n = len(infused)
    table = set_so.table(max(SHOWN_UP_TO, n), Here(n, len(events)) if n else None)
    return Look(name, monitor.rate, set_so.look(n, len(events)), table, unknown)


def _is_later(one: Standing, signed: Recommended) -> bool:
    if one.started is not None:
        return one.started.earliest > signed.at
    return one.status is Status.ENROLLED
