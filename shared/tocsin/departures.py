"""Where a study departs from the stated defaults and from our rules: said aloud at every start, never refused.

A sponsor may decide what is contested, and may know its authority better than our data do. It must not be decided
unseen: each point is a sentence. The points and their defaults are on docs/clocks.md, and those of dose-limiting
toxicity on docs/dlt.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tocsin import clockrules
from tocsin.domain.clocks import ClockRule, Mode
from tocsin.domain.dlt import About, DltDefinition
from tocsin.domain.protocol import CopyTo, CountsFrom, Protocol, SuspectedBy
from tocsin.domain.words import CrsScale

# The default set of rules.md 4.2, counted from the infusion as day 0.
_DLT_DAYS = 28
_DLT_LIMIT = timedelta(hours=168)
_DLT_LIMITS = {"DLT-14": timedelta(hours=24)}


def departures(protocol: Protocol) -> tuple[str, ...]:
    """A sentence for each departure of a study, with its id before it."""
    found = [*_of_settings(protocol), *_of_copies(protocol), *of_rules(protocol.clock_rules)]
    if protocol.dlt is not None:
        found += _of_dlt(protocol.dlt)
    return tuple(f"{protocol.id}: {sentence}" for sentence in found)


def of_rules(rules: Iterable[ClockRule]) -> tuple[str, ...]:
    """What a sponsor's rules take away from ours, in the profiles that these rules belong to, or make later."""
    found: list[str] = []
    by_id = {rule.id: rule for rule in rules}
    running = {rule.jurisdiction for rule in by_id.values()}
    for ours in (rule for p in clockrules.profiles() if p in running for rule in clockrules.rules_of(p)):
        theirs = by_id.get(ours.id)
        if theirs is None:
            found.append(f"{ours.id} is left out: nothing is due to {ours.recipient} by {ours.clause}")
        else:
            found += [f"{ours.id} {what}" for what in _changes(ours, theirs)]
    return tuple(found)


def _changes(ours: ClockRule, theirs: ClockRule) -> Iterable[str]:
    limit, longest = theirs.days or theirs.hours or 0, ours.days or ours.hours or 0
    if limit > longest:
        unit = "days" if ours.hours is None else "hours"
        yield f"allows {limit} {unit}: Tocsin's rule allows {longest} ({ours.clause})"
    if ours.strict_days is not None and (theirs.strict_days is None or theirs.strict_days > ours.strict_days):
        allowed = "no limit" if theirs.strict_days is None else f"{theirs.strict_days} days"
        yield f"has {allowed} after the first report was sent: Tocsin's rule has {ours.strict_days} ({ours.clause})"
    if theirs.valid_from is not None and (ours.valid_from is None or theirs.valid_from > ours.valid_from):
        since = "always" if ours.valid_from is None else f"from {ours.valid_from}"
        yield f"binds only from {theirs.valid_from}: Tocsin's rule binds {since}"
    if theirs.recipient != ours.recipient:
        yield f"goes to {theirs.recipient}: Tocsin's rule goes to {ours.recipient}"
    if theirs.zone != ours.zone:
        yield f"counts days in the zone {_zone(theirs)}: Tocsin's rule in {_zone(ours)}"


def _of_settings(protocol: Protocol) -> Iterable[str]:
    """In the order of rules.md 1.6, C1 to C6, then what else is the sponsor's to decide."""
    chosen = protocol.clock_settings
    if chosen.fda_suspected_by is SuspectedBy.SPONSOR:
        yield "for the FDA only the sponsor's opinion makes a reaction suspected: the default is either party's (C1)"
    if chosen.fda_15_days_from is CountsFrom.DETERMINATION:
        yield "the FDA's 15-day clock counts from determination: the default is receipt, which is earlier (C2)"
    if chosen.non_working:
        yield (
            f"clocks that end on one of {len(chosen.non_working)} non-working dates are extended: "
            "the default is never (C3)"
        )
    if chosen.strict_follow_up:
        yield (
            "a completed report is due 8 days after the first one was sent, if that is sooner: "
            "the default is day zero plus 15 (C4)"
        )
    if protocol.clock_mode is Mode.RECEIVER:
        yield "days are counted in the receiver's zone alone: the default is the earlier of two zones (C5)"
    if not chosen.also_7_days_after_determination:
        yield "a late determination of a death or threat to life runs no 7-day clock: the default runs one too (C6)"
    if not chosen.probably_not_related_is_suspected:
        yield "probably not related (可能无关) does not count as suspected: the default is that it does"
    if not chosen.wrong_subject_keeps_day_zero:
        yield ("after a wrong subject day zero is the correction: the default is the first report, which is earlier")
    if chosen.signatures_to_close != 1:
        yield f"{chosen.signatures_to_close} people must sign to cancel or downgrade a clock: the default is 1"
    requests = protocol.follow_up_requests
    if not requests.fatal_or_life_threatening:
        yield "no site is asked again after a fatal or life-threatening event: the default is on days 1, 3 and 7"
    if not requests.other:
        yield "no site is asked again after another serious event: the default is on days 7, 14 and 30"
    if protocol.grading.crs is not CrsScale.WORST_OF:
        yield (f"CRS counts by {protocol.grading.crs.value.upper()} alone: the default is the worse of CTCAE and ASTCT")
    if protocol.grading.ask_from_grade > 3:
        yield (
            f"a site is asked for a report from a derived grade {protocol.grading.ask_from_grade} on: "
            "the default is grade 3"
        )


def _of_dlt(definition: DltDefinition) -> Iterable[str]:
    """Where a DLT is waited for longer, or looked for over a shorter time, than by the default set (rules.md 4.2)."""
    window_ends = definition.window_days - definition.day_base
    if window_ends < _DLT_DAYS:
        yield f"the DLT window ends {window_ends} days after the infusion: the default is {_DLT_DAYS}"
    for rule in definition.rules:
        longest = _DLT_LIMITS.get(rule.id, _DLT_LIMIT)
        if rule.longer_than is not None and rule.longer_than > longest:
            yield f"{rule.id} waits {_hours(rule.longer_than)} hours: the default set waits {_hours(longest)}"
        recovers_in = rule.by_day - definition.day_base
        if rule.about in (About.NEUTROPHILS, About.PLATELETS) and recovers_in > _DLT_DAYS:
            yield f"{rule.id} gives {rule.about} {recovers_in} days to recover: the default is {_DLT_DAYS}"


def _of_copies(protocol: Protocol) -> Iterable[str]:
    """Who of those that GCP names gets no copy. A recipient of no site may stand for every site."""
    if not any(rule.copies for rule in protocol.clock_rules):
        return
    told = {(copy.kind, copy.site) for copy in protocol.copies_to}
    for kind in CopyTo:
        if (kind, None) in told:
            continue
        word = kind.value.replace("_", " ")
        if kind is CopyTo.HEALTH_AUTHORITY:
            if not any(of is kind for of, _ in told):
                yield f"no copy of a SUSAR goes to a {word}: the default is one"
            continue
        for site in protocol.sites:
            if (kind, site.id) not in told:
                yield f"no copy of a SUSAR goes to the {word} of {site.id}: the default is to everyone of each site"


def _zone(rule: ClockRule) -> str:
    return "of the receiver" if rule.zone is None else rule.zone.key


def _hours(limit: timedelta) -> str:
    return f"{limit.total_seconds() / 3600:g}"
