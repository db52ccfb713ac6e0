"""Whose a report is, and whether its dates and units exist there: all that can make it impossible to take.

The key says study and site; the body may repeat them and may not say otherwise. A subject's number says its site, by
the named group of the study's pattern. Every wrong place is collected, so that one answer names them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from tocsin.domain import units
from tocsin.domain.calendars import Partial, instant
from tocsin.domain.protocol import Protocol, Site
from tocsin.errors import Forbidden, Refused, Wrong
from tocsin.messages.facts import (
    DoseFacts,
    EnrolmentFacts,
    EventFacts,
    InfusionFacts,
    LaboratoryValue,
    Observation,
    ObservationsFacts,
    ProductEventFacts,
    ReportFacts,
    VitalSign,
)
from tocsin.web.identity import Machine

YEARS = range(1900, 2101)
"""Nobody in a trial was born earlier, and nothing in it happens later; calendars beyond are other mistakes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body belongs: a site of a study."""

    protocol: Protocol
    site: Site


def study_of(machine: Machine, studies: Mapping[str, Protocol]) -> Protocol:
    """The study of the key; Forbidden when this house does not serve it (any more)."""
    protocol = studies.get(machine.study)
    if protocol is None:
        raise Forbidden(f"this key is for study {machine.study}, which is not served here")
    return protocol


def place_of(machine: Machine, protocol: Protocol, study: str | None, site: str | None) -> Place:
    """The site that a body belongs to. Refused, with pointers, when it names another than the key's."""
    wrong = list(_other_study(protocol, study))
    chosen = machine.site if machine.site is not None else site
    allowed = machine.site or ", ".join(s.id for s in protocol.sites)
    if chosen is None:
        wrong.append(Wrong("/site", "is missing: this key is for all sites of the study", allowed))
    elif machine.site is not None and site not in (None, machine.site):
        wrong.append(Wrong("/site", "is not the site of this key", allowed))
    found = protocol.site(chosen) if chosen is not None else None
    if chosen is not None and found is None and not wrong:
        wrong.append(Wrong("/site", "is not a site of this study", allowed))
    if wrong or found is None:
        raise Refused("this cannot be attributed to a site of this key", wrong)
    return Place(protocol, found)


def _other_study(protocol: Protocol, study: str | None) -> Iterator[Wrong]:
    if study not in (None, protocol.id):
        yield Wrong("/study", "is not the study of this key", protocol.id)


def site_of_subject(protocol: Protocol, subject: str) -> Site | None:
    """The site that a subject's number names; None when the number is not of the study's form, or names no site."""
    match = protocol.subject_pattern.fullmatch(subject)
    if match is None:
        return None
    return protocol.site(match["site"])


def wrong_subject(place: Place, subject: str | None, pointer: str) -> Iterator[Wrong]:
    """What keeps a subject's number from being one of this site's."""
    if subject is None:
        return
    form = f"a number of the form {place.protocol.subject_pattern.pattern} with site {place.site.id}"
    if place.protocol.subject_pattern.fullmatch(subject) is None:
        yield Wrong(pointer, "is not a subject number of this study", form)
    elif site_of_subject(place.protocol, subject) != place.site:
        yield Wrong(pointer, f"is not a subject of site {place.site.id}", form)


def wrong_in_report(place: Place, facts: ReportFacts) -> list[Wrong]:
    """Every place of a report that cannot be understood or attributed, beyond its form."""
    wrong = list(wrong_subject(place, facts.subject, "/subject"))
    refs: dict[str, int] = {}
    for n, event in enumerate(facts.events):
        if event.ref is not None and refs.setdefault(event.ref, n) != n:
            wrong.append(Wrong(f"/events/{n}/ref", "is the ref of an earlier event of this report", "a ref of its own"))
        wrong += wrong_dates(place, dates_of(event, f"/events/{n}"))
    return wrong


Exact = Literal["exact", "partial"]
"""`exact`: a time on which a clock depends, so that an ambiguous one is refused."""


def dates_of(event: EventFacts, at: str) -> list[tuple[str, str, Exact]]:
    """Every date of an event with its pointer."""
    found: list[tuple[str, str | None, Exact]] = [
        (f"{at}/onset", event.onset, "partial"),
        (f"{at}/end", event.end, "partial"),
        (f"{at}/investigator_aware_at", event.investigator_aware_at, "exact"),
        *((f"{at}/course/{n}/from", step.from_, "partial") for n, step in enumerate(event.course)),
    ]
    return [(pointer, text, exact) for pointer, text, exact in found if text is not None]


def wrong_dates(place: Place, dates: Sequence[tuple[str, str, Exact]]) -> Iterator[Wrong]:
    """Dates of no calendar, and wall times that the site's clocks never showed, or showed twice."""
    for pointer, text, exact in dates:
        if (found := _wrong_date(text, place.site.zone, exact)) is not None:
            yield Wrong(pointer, *found)


@lru_cache(maxsize=4096)  # The events of a report, and the values of a morning, share their dates.
def _wrong_date(text: str, zone: ZoneInfo, exact: Exact) -> tuple[str, str] | None:
    """What is wrong with a date, and what is allowed instead."""
    # A year 0000 is read as none by the calendar, so the text is asked.
    year = text[:4]
    if year.isdecimal() and int(year) not in YEARS:
        return f"year {year} is out of range", f"a year from {YEARS[0]} to {YEARS[-1]}"
    read = Partial.parse(text)
    try:
        if exact == "exact" and read.is_instant:
            instant(text, zone)
        else:
            read.span(zone)
    except ValueError as error:
        problem, _, _ = str(error).partition("; ")
        if problem.startswith("ambiguous"):
            return problem, f"the time with its offset, as in {text}+08:00: an ambiguous local time needs offset"
        return problem, f"a time that clocks in {zone} showed, or one with its own offset"
    return None


def wrong_in_dose(place: Place, facts: DoseFacts) -> list[Wrong]:
    """Every wrong place of a dose record."""
    wrong = list(wrong_subject(place, facts.subject, "/subject"))
    dates: list[tuple[str, str, Exact]] = []
    level = facts.level if isinstance(facts, EnrolmentFacts | InfusionFacts) else None
    if level is not None and place.protocol.level(level) is None:
        known = ", ".join(one.id for one in place.protocol.levels) or "none: this study has no dose levels"
        wrong.append(Wrong("/level", "is not a dose level of this study", known))
    if isinstance(facts, EnrolmentFacts):
        dates.append(("/enrolled_on", facts.enrolled_on, "partial"))
    elif isinstance(facts, InfusionFacts):
        dates.append(("/started_at", facts.started_at, "exact"))
        has_dose = facts.planned is not None or facts.given is not None
        if facts.unit is None and has_dose:
            wrong.append(Wrong("/unit", "is missing beside a dose", units.known_dose()))
        elif facts.unit is not None and units.dose(facts.unit) is None:
            wrong.append(Wrong("/unit", "is not a known unit of a dose", units.known_dose()))
    elif isinstance(facts, ProductEventFacts):
        dates.append(("/found_at", facts.found_at, "partial"))
    else:
        dates.append(("/withdrawn_on", facts.withdrawn_on, "partial"))
    return [*wrong, *wrong_dates(place, dates)]


def by_subject(
    machine: Machine, protocol: Protocol, facts: ObservationsFacts
) -> dict[str, tuple[Place, list[Observation]]]:
    """The observations of each subject, in the order sent. Refused with every wrong place.

    One request may hold subjects of several sites when the key is for all: each number says its own site.
    """
    wrong = list(_other_study(protocol, facts.study))
    whole = None
    if machine.site is not None or facts.site is not None:
        whole = place_of(machine, protocol, None, facts.site)
    found: dict[str, tuple[Place, list[Observation]]] = {}
    for n, seen in enumerate(facts.observations):
        site = site_of_subject(protocol, seen.subject)
        place = whole or (Place(protocol, site) if site is not None else None)
        if place is None:
            form = f"a number of the form {protocol.subject_pattern.pattern}"
            wrong.append(Wrong(f"/observations/{n}/subject", "is not a subject number of this study", form))
            continue
        wrong += wrong_subject(place, seen.subject, f"/observations/{n}/subject")
        wrong += wrong_dates(place, [(f"/observations/{n}/at", seen.at, "partial")])
        wrong += _wrong_unit(seen, f"/observations/{n}/unit")
        found.setdefault(seen.subject, (place, []))[1].append(seen)
    if wrong:
        raise Refused("the observations cannot be understood or attributed", wrong)
    return found


def _wrong_unit(seen: Observation, pointer: str) -> Iterator[Wrong]:
    if isinstance(seen, LaboratoryValue) and units.laboratory(seen.unit) is None:
        yield Wrong(pointer, "is not a known unit", units.known_laboratory())
    elif isinstance(seen, VitalSign) and units.vital_sign(seen.sign, seen.unit) is None:
        yield Wrong(pointer, f"is not a known unit of {seen.sign}", units.known_vital_sign(seen.sign))
