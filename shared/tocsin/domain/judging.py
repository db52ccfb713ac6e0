"""One event judged at one state of knowledge: what is told of it, how it is coded, what the sponsor signed of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from tocsin.domain import dlt, seriousness
from tocsin.domain.case import Coded, Event, Infusion, Report
from tocsin.domain.causality import suspected
from tocsin.domain.expectedness import unexpected
from tocsin.domain.judged import EventAssessment
from tocsin.domain.known import Finding, Known
from tocsin.domain.protocol import Protocol, ReferenceSafetyInformation
from tocsin.domain.reference_information import in_force
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.syndromes import special_interest
from tocsin.domain.words import Criterion, Party


def judge(
    event: Event, report: Report, coded: Coded | None, protocol: Protocol, *, reviews: Sequence[Signed] = (),
    by: frozenset[Party] = frozenset(Party), infusions: Sequence[Infusion] | None = None,
) -> EventAssessment:  # fmt: skip
    """Everything the rules say of one event. `by`: whose opinion makes it suspected (rules.md 1.6 C1).

    Without `infusions` no DLT is looked for: the clocks need none.
    """
    event = reviewed(event, reviews)
    zone = zone_of(report, protocol)
    crs = protocol.grading.crs
    special = special_interest(event, coded, protocol.special_interest, crs)
    judged = seriousness.beside(event, special)
    contested_counts = protocol.clock_settings.probably_not_related_is_suspected
    versions = in_force(protocol, event.onset, zone)
    return EventAssessment(
        event_id=event.event_id,
        serious=judged.serious,
        fatal=judged.fatal,
        life_threatening=judged.life_threatening,
        suspected=suspected(event, by=by, contested_counts=contested_counts),
        unexpected=_unexpected(event, coded, bool(judged.fatal), versions, reviews),
        special_interest=special.reasons if special else (),
        dlt=_dlt(event, coded, judged.fatal, protocol, zone, infusions),
        special_interest_is_provisional=special.is_provisional,
        rsi_version=", ".join(version.version for version in versions),
    )


def reviews_of(event: Event, signed: Iterable[Signed]) -> list[Signed]:
    """What the sponsor signed of an event as its own judgement, in the order in which it was signed."""
    reviews = [
        deed for deed in signed if deed.deed in (Deed.MEDICAL_REVIEW, Deed.DOWNGRADE) and deed.is_about(event.event_id)
    ]
    return sorted(reviews, key=lambda deed: (deed.signed_at, deed.id))


def reviewed(event: Event, reviews: Iterable[Signed]) -> Event:
    """The event with what the sponsor signed of it: its newest opinion on each agent, and criteria it saw itself.

    What the investigator said stays: either party is enough (rules.md 1.1). A signed downgrade is the sponsor's last
    word on the criteria that the sponsor itself had seen; without one they add up.
    """
    seen: frozenset[Criterion] = frozenset()
    reviews = tuple(reviews)
    if not reviews:
        return event
    for review in reviews:
        agents = {opinion.agent for opinion in review.opinions}
        others = [o for o in event.opinions if not (o.party is Party.SPONSOR and o.agent in agents)]
        event = replace(event, opinions=(*others, *review.opinions))
        seen = review.criteria if review.deed is Deed.DOWNGRADE else seen | review.criteria
    return replace(event, criteria=event.criteria | seen)


def zone_of(report: Report, protocol: Protocol) -> ZoneInfo:
    """The zone that dates what happens at the site of a report."""
    site = protocol.site(report.site)
    return site.zone if site else protocol.receiver_zone


def _unexpected(
    event: Event, coded: Coded | None, is_fatal: bool, versions: Sequence[ReferenceSafetyInformation],
    reviews: Iterable[Signed],
) -> Finding:  # fmt: skip
    """By the reference safety information. A person may find more severe or specific what it lists, never the reverse:

    what nobody listed is unexpected, whoever signs.
    """
    by_rule = unexpected(event, coded, is_fatal, versions)
    answers = [review for review in reviews if review.is_expected is not Known.UNKNOWN]
    if not answers:
        return by_rule
    last = answers[-1]
    who = " and ".join(last.by)
    if last.is_expected is Known.NO:
        return Finding(True, (f"signed as unexpected by {who}: {last.reason}",))
    if by_rule:
        return replace(
            by_rule, reasons=(*by_rule.reasons, f"signed as expected by {who}, which the rule does not bear")
        )
    return Finding(False, (*by_rule.reasons, f"signed as expected by {who}"))


def _dlt(
    event: Event, coded: Coded | None, fatal: Finding, protocol: Protocol, zone: ZoneInfo,
    infusions: Sequence[Infusion] | None,
) -> dlt.Verdict:  # fmt: skip
    if protocol.dlt is None:
        return dlt.Verdict(dlt.NO_DLT, None, ("this study defines no dose-limiting toxicity",))
    if infusions is None:
        return dlt.Verdict(dlt.NO_DLT, None, ("not looked for",))
    return dlt.evaluate(event, coded, infusions, zone, protocol.dlt, fatal=fatal, crs=protocol.grading.crs)
