"""What one case gives to the toxicity table: its standing events, each with its grades, its term and its onset.

The grade is the worse of the site's and of the values that belong to the event, on each scale (`grade_check`), as the
rules on dose-limiting toxicity read it; seriousness and relation are judged as the case itself is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from alerting.cases import ALL_CODINGS, Known
from tocsin.domain import causality, seriousness
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Coded, Event
from tocsin.domain.coverage import belonging
from tocsin.domain.derived import Derived
from tocsin.domain.grade_check import worst_with_computed
from tocsin.domain.judging import reviewed, reviews_of, zone_of
from tocsin.domain.known import Finding
from tocsin.domain.known import Known as Answer
from tocsin.domain.protocol import Protocol
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.toxicity import ScaleGrade, ToxicityEvent, known_as, onset_of, scale_of
from tocsin.domain.words import Scale

_PT: Final = "PT "


def events_of(
    known: Known, protocol: Protocol, signed: Sequence[Signed], derived: Sequence[Derived], started: Partial | None
) -> tuple[ToxicityEvent, ...]:
    """The standing events of a case. `derived`: the graded observations of its subject; `started`: its infusion."""
    case = known.case((), coded_before=ALL_CODINGS)
    found = []
    for told, report in case.standing:
        event, coded = reviewed(told, reviews_of(told, signed)), case.coding_of(told)
        zone = zone_of(report, protocol)
        own = belonging(event, coded, derived, zone) if derived else ()
        judged = seriousness.of(event, coded, protocol.special_interest, protocol.grading.crs)
        contested = protocol.clock_settings.probably_not_related_is_suspected
        term, soc = _term(known, coded)
        found.append(
            ToxicityEvent(
                case_id=known.case_id,
                event_id=event.event_id,
                subject=case.latest.subject,
                verbatim=event.verbatim,
                term=term,
                soc=soc,
                wanted=scale_of(event, coded),
                known_as=known_as(event) if term is None else None,
                grades=grades_by_scale(event, own),
                fatal=_answer(judged.fatal),
                onset=onset_of(event.onset, started, zone, _day_base(protocol)),
                ends=_last_day(event, started, zone, protocol),
                began=event.onset.text if event.onset is not None else "",
                month=_month(event.onset, zone),
                serious=_answer(judged.serious),
                related=_answer(causality.suspected(event, contested_counts=contested)),
                duplicate_of=_duplicate_of(event, signed),
            )
        )
    return tuple(found)


def grades_by_scale(event: Event, own: Sequence[Derived]) -> tuple[ScaleGrade, ...]:
    """The worst on each scale. Where the site grades the event, a value is read as the least that it is (`dlt`)."""
    found = [(scale, worst_with_computed(event, own, scale)) for scale in Scale]
    is_graded = event.worst_grade() is not None
    return tuple(
        ScaleGrade(scale, worst.grade, worst.grade if is_graded else worst.at_most)
        for scale, worst in found
        if worst.grade is not None and worst.at_most is not None
    )


def _term(known: Known, coded: Coded | None) -> tuple[str | None, str | None]:
    """The preferred term and its class: a licensed MedDRA gives the path, of CTCAE the term itself is shown."""
    if coded is None or coded.term is None:
        return None, None
    told = next((one for one in known.codings[coded.revision].events if one.event_id == coded.event_id), None)
    above = [step for step in (told.path if told is not None else ()) if step.startswith(_PT)]
    term = above[0].split(" ", 2)[2] if above and above[0].count(" ") > 1 else coded.term
    return term, coded.soc


def _answer(found: Finding) -> Answer:
    """What rests on a missing fact is not known."""
    if found and found.is_provisional:
        return Answer.UNKNOWN
    return Answer.of(bool(found))


def _last_day(event: Event, started: Partial | None, zone: ZoneInfo, protocol: Protocol) -> int | None:
    return onset_of(event.end, started, zone, _day_base(protocol)).last


def _day_base(protocol: Protocol) -> int:
    return protocol.dlt.day_base if protocol.dlt is not None else 0


def _month(onset: Partial | None, zone: ZoneInfo) -> str | None:
    """The month of an onset at the site, where the site says in which it was."""
    when = onset.widest(zone) if onset is not None and onset.month is not None else None
    return f"{when.earliest.astimezone(zone):%Y-%m}" if when is not None else None


def _duplicate_of(event: Event, signed: Iterable[Signed]) -> str | None:
    said = [one for one in signed if one.deed is Deed.DUPLICATE and one.is_about(event.event_id)]
    return said[-1].other_case if said else None
