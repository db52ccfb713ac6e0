"""What the dose board needs of a subject's events, kept beside its verdicts so that no case is read again for it.

Deaths, the days on which anything is known of the subject, severe ICANS, and findings that pause the trial (ST-06).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from alerting.subject_facts import Facts
from tocsin.domain.affirmed import WORDING, named
from tocsin.domain.board.facts import Alarm, AlarmingFinding, Death, death_of
from tocsin.domain.calendars import Partial
from tocsin.domain.dlt.subject import Reported
from tocsin.domain.known import Finding, Known
from tocsin.domain.syndromes import Syndrome, recognise
from tocsin.domain.words import Scale

NOTHING: Mapping[str, Any] = {}

# Whether its cells carry the CAR is known later, if ever: until then every T-cell malignancy is taken as one.
_T_CELL = re.compile(r"\bT[\s-]cell|T细胞", WORDING)


def body(facts: Facts, kept: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """What is kept of a subject, as plain JSON values. Of cases that were not asked for, what was kept stays."""
    by_case = {case_id: told for case_id, told in kept.get("cases", {}).items() if case_id not in facts.cases}
    for case_id in sorted({one.case_id for one in facts.subject.events}):
        by_case[case_id] = _of_case(facts, [one for one in facts.subject.events if one.case_id == case_id])
    return {
        "zone": facts.subject.zone.key,
        "seen_on": sorted({day.isoformat() for at in facts.seen_at if (day := day_of(at)) is not None}),
        "cases": {case_id: told for case_id, told in sorted(by_case.items()) if told},
    }


def _of_case(facts: Facts, events: Iterable[Reported]) -> dict[str, Any]:
    """What one case gives; nothing that is empty."""
    standing = [one for one in events if not one.event.is_nullified]
    deaths = [death for one in standing if (death := death_of(one)) is not None]
    icans = _severe_icans(standing)
    told = {
        "deaths": [_death_as_json(one) for one in sorted(deaths, key=lambda one: one.event_id)],
        "contacts": sorted(day.isoformat() for day in _contacts(standing)),
        "severe_icans": "" if icans is Known.NO else icans.value,
        "alarming": sorted(_alarming(facts, standing), key=lambda one: (one["id"], one["alarm"])),
    }
    return {name: value for name, value in told.items() if value}


def of_body(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `SubjectFacts` that the body holds."""
    told = list(kept.get("cases", {}).values())
    icans = {one.get("severe_icans") for one in told}
    severe = Known.YES if Known.YES in icans else Known.UNKNOWN if Known.UNKNOWN in icans else Known.NO
    days = [*kept.get("seen_on", ()), *(day for one in told for day in one.get("contacts", ()))]
    return {
        "deaths": tuple(_death(death) for one in told for death in one.get("deaths", ())),
        "contacts": frozenset(date.fromisoformat(day) for day in days),
        "severe_icans": severe,
    }


def alarming_of(subject: str, kept: Mapping[str, Any]) -> tuple[AlarmingFinding, ...]:
    return tuple(
        AlarmingFinding(found["id"], Alarm(found["alarm"]), subject, datetime.fromisoformat(found["known_at"]))
        for one in kept.get("cases", {}).values()
        for found in one.get("alarming", ())
    )


def pauses(kept: Mapping[str, Any]) -> list[Any]:
    """What of it may pause the trial by itself: deaths, and findings that alarm."""
    told = kept.get("cases", {}).values()
    return [found for one in told for name in ("deaths", "alarming") for found in one.get(name, ())]


def _death_as_json(death: Death) -> dict[str, Any]:
    return {
        "event_id": death.event_id,
        "on": None if death.on is None else death.on.text,
        "related": death.related.value,
        "reasons": list(death.related.reasons),
        "provisional": death.related.is_provisional,
    }


def _death(kept: Mapping[str, Any]) -> Death:
    related = Finding(kept["related"], tuple(kept["reasons"]), kept["provisional"])
    return Death(kept["event_id"], None if kept["on"] is None else Partial.parse(kept["on"]), related)


def _contacts(events: Iterable[Reported]) -> set[date]:
    """The local days of which anything is known of the subject; a day that is not known whole tells of none."""
    told: list[Partial | None] = []
    for one in events:
        event = one.event
        told += [event.onset, event.end, *(step.since for step in event.course)]
    return {day for one in told if one is not None and (day := day_of(one)) is not None}


def day_of(at: Partial) -> date | None:
    """The day that was written; None where it is not known whole."""
    if at.year is None or at.month is None or at.day is None:
        return None
    return date(at.year, at.month, at.day)


def _severe_icans(events: Iterable[Reported]) -> Known:
    found = [one for one in events if Syndrome.ICANS in recognise(one.event, one.coded)]
    grades = [one.event.worst_grade(Scale.ASTCT) or one.event.worst_grade() for one in found]
    if any(grade is not None and grade >= 3 for grade in grades):
        return Known.YES
    return Known.UNKNOWN if any(grade is None for grade in grades) else Known.NO


def _alarming(facts: Facts, events: Iterable[Reported]) -> Iterable[dict[str, Any]]:
    for one in events:
        known_at = facts.first_told[one.event.event_id].isoformat()
        what = recognise(one.event, one.coded)
        term = one.coded.term if one.coded is not None and one.coded.term else ""
        is_t_cell = named(_T_CELL, one.event.verbatim) or named(_T_CELL, term)
        if Syndrome.SECOND_MALIGNANCY in what and is_t_cell:
            yield {"id": one.event.event_id, "alarm": Alarm.CAR_POSITIVE_MALIGNANCY.value, "known_at": known_at}
        if Syndrome.REPLICATION_COMPETENT_LENTIVIRUS in what:
            yield {"id": one.event.event_id, "alarm": Alarm.REPLICATION_COMPETENT_VIRUS.value, "known_at": known_at}
