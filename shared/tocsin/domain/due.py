"""Which clocks the facts of one moment start: the rules of a calculator, over the same clocks as the service's.

Takes each fact as said: whether an event is expected has been judged by whoever says so. What depends on earlier
reports (an upgrade after a submission, a follow-up) is not here. Reading words and files is left to the command line.
Source: rules.md 1.1 to 1.3; readings.md, clocks 1, 2 and 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.domain import dlt
from tocsin.domain.clocks import Clock, ClockRule, Mode, Start, Trigger, clocks
from tocsin.domain.judged import EventAssessment
from tocsin.domain.known import Finding


class SaidSeriousness(StrEnum):
    """What is said of the seriousness of an event."""

    FATAL = "fatal"
    LIFE_THREATENING = "life_threatening"
    HOSPITALISATION = "hospitalisation"
    DISABILITY = "disability"
    CONGENITAL_ANOMALY = "congenital_anomaly"
    MEDICALLY_IMPORTANT = "medically_important"
    NONSERIOUS = "nonserious"
    ANY_SERIOUS = "any_serious"
    DLT_CANDIDATE = "dlt_candidate"
    UNKNOWN = "unknown_seriousness"


class SaidCausality(StrEnum):
    """What is said of the relation to the product. A single word is the opinion of both parties."""

    RELATED = "related"
    SUSPECTED = "suspected"
    UNRELATED = "unrelated"
    NOT_ASSESSED = "not_assessed"
    INVESTIGATOR_ALONE_UNRELATED = "investigator_unrelated_sponsor_related"
    SPONSOR_ALONE_UNRELATED = "investigator_related_sponsor_unrelated"
    ANY = "any"


class SaidExpectedness(StrEnum):
    """What is said of the event against the reference safety information."""

    EXPECTED = "expected"
    UNEXPECTED = "unexpected"
    NOT_ASSESSED = "not_assessed"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Facts:
    """One event as it stood at one moment. `aware_at` is aware; `receiver` is the zone of whoever received it.

    `authority` is a profile of clock rules; None when it is not known whose rules hold.
    """

    seriousness: SaidSeriousness
    causality: SaidCausality
    expectedness: SaidExpectedness
    authority: str | None
    aware_at: datetime
    receiver: ZoneInfo


@dataclass(frozen=True, slots=True)
class Due:
    """Every clock that the facts start, soonest due first, and why these and no others."""

    clocks: tuple[Clock, ...]
    reasons: tuple[str, ...]


BASELINE = "ICH"
"""The rules that stand in, provisionally, while the authority is not known."""

SITE = "SITE"


def due(facts: Facts, rules: Mapping[str, Iterable[ClockRule]], mode: Mode = Mode.CONSERVATIVE) -> Due:
    """The clocks of an authority and of the site. `rules` holds the rules of each profile, `SITE` among them."""
    judged = _judged(facts)
    reasons = list(dict.fromkeys(reason for finding in judged.grounds for reason in finding.reasons))
    if facts.authority is None:
        reasons.append(f"the jurisdiction is not known: the {BASELINE} baseline stands in for it")
    chosen = [*rules[facts.authority or BASELINE], *rules[SITE]]
    starts = list(_starts(facts, judged, tuple(reasons)))
    running = clocks(chosen, starts, facts.receiver, mode)
    reasons += _why_none(facts, judged, running)
    waits = {rule.id: rule for rule in chosen if rule.valid_from and not _binds(rule, starts, running)}
    reasons += [f"{rule.id} binds only from day zero {rule.valid_from}" for rule in waits.values()]
    return Due(running, tuple(reasons))


def _starts(facts: Facts, judged: EventAssessment, reasons: tuple[str, ...]) -> Iterable[Start]:
    if judged.trigger is not None:
        is_class_open = facts.seriousness is SaidSeriousness.ANY_SERIOUS
        is_provisional = any(f.is_provisional for f in judged.grounds) or is_class_open or facts.authority is None
        yield Start(judged.trigger, None, facts.aware_at, reasons, is_provisional)
    if judged.serious or facts.seriousness is SaidSeriousness.DLT_CANDIDATE:
        by = (*judged.serious.reasons, "the time given is taken for the investigator's awareness too")
        yield Start(Trigger.SITE_AWARE, None, facts.aware_at, by, judged.serious.is_provisional)


def _binds(rule: ClockRule, starts: Iterable[Start], running: Iterable[Clock]) -> bool:
    """False only for a rule that these facts would start, had it been in force."""
    fires = {start.trigger for start in starts}
    if fires & {Trigger.FATAL_LT_SUSAR, Trigger.OTHER_SUSAR}:
        fires.add(Trigger.ANY_SUSAR)
    return rule.trigger not in fires or any(found.rule == rule.id for found in running)


def _judged(facts: Facts) -> EventAssessment:
    said = facts.seriousness
    return EventAssessment(
        event_id="",
        serious=_serious(said),
        fatal=Finding(said is SaidSeriousness.FATAL, ("serious: fatal",)),
        life_threatening=Finding(said is SaidSeriousness.LIFE_THREATENING, ("serious: life threatening",)),
        suspected=_suspected(facts.causality),
        unexpected=_unexpected(facts.expectedness),
        special_interest=(),
        dlt=dlt.Verdict(dlt.NO_DLT, None, ()),
    )


def _serious(said: SaidSeriousness) -> Finding:
    match said:
        case SaidSeriousness.NONSERIOUS:
            return Finding(False, ("not serious",))
        case SaidSeriousness.DLT_CANDIDATE:
            return Finding(False, ("a candidate for a dose-limiting toxicity, which by itself is not serious",))
        case SaidSeriousness.UNKNOWN:
            return Finding(True, ("no word on seriousness: taken as serious until the site answers",), True)
        case SaidSeriousness.ANY_SERIOUS:
            return Finding(True, ("serious, no word on a death or a threat to life: taken as neither",))
    return Finding(True, (f"serious: {said.value.replace('_', ' ')}",))


def _suspected(said: SaidCausality) -> Finding:
    match said:
        case SaidCausality.UNRELATED:
            return Finding(False, ("both parties judge it not related",))
        case SaidCausality.INVESTIGATOR_ALONE_UNRELATED:
            return Finding(True, ("the sponsor suspects a relation, which is enough",))
        case SaidCausality.SPONSOR_ALONE_UNRELATED:
            return Finding(True, ("the investigator suspects a relation, which the sponsor may not downgrade",))
        case SaidCausality.NOT_ASSESSED | SaidCausality.ANY:
            return Finding(True, ("no opinion on the relation: taken as suspected",), True)
    return Finding(True, ("a suspected relation to the product",))


def _unexpected(said: SaidExpectedness) -> Finding:
    match said:
        case SaidExpectedness.EXPECTED:
            return Finding(False, ("expected",))
        case SaidExpectedness.UNEXPECTED:
            return Finding(True, ("unexpected",))
    return Finding(True, ("expectedness not assessed: taken as unexpected",), True)


def _why_none(facts: Facts, judged: EventAssessment, running: Iterable[Clock]) -> Iterable[str]:
    is_fatal_lt = judged.is_fatal_or_life_threatening
    if judged.serious and judged.suspected and not judged.unexpected and is_fatal_lt:
        # Else a listed term alone would silence a death (rules.md 1.1; readings.md, clocks 11).
        yield "expected is taken to mean that the reference safety information lists this outcome; if not: unexpected"
    running = list(running)
    if facts.seriousness is SaidSeriousness.DLT_CANDIDATE:
        yield "should it meet a criterion of seriousness, the authority's clocks start too"
    elif judged.trigger is None or all(found.rule == "INV_TO_SPONSOR_24H" for found in running):
        yield f"no clock of an authority{'' if facts.authority is None else f' ({facts.authority})'}"
