"""How the grade of each event went, as the API shows it: what the site says and what the observations show, together.

What belongs to which event is decided in `coverage`, which grade counts at which time in `course`. Kept is nothing:
a corrected grade or value is simply no longer there when the course is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerting import grades
from alerting.instants import text
from tocsin.domain.case import Case
from tocsin.domain.course import Course, GradeAt, Step, course_of
from tocsin.domain.coverage import belonging
from tocsin.domain.derived import Derived
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Scale


def of_case(tx: Connection, protocol: Protocol, case: Case, as_of: datetime) -> Mapping[str, list[dict[str, Any]]]:
    """The courses of each standing event by its id, one for each scale on which anybody grades it."""
    latest = case.latest
    observed = () if latest.subject is None else grades.of_subject(tx, protocol.id, latest.subject)
    site = protocol.site(latest.site)
    zone = site.zone if site else protocol.receiver_zone
    found = {}
    for event, _ in case.standing:
        own = belonging(event, case.coding_of(event), observed, zone)
        found[event.event_id] = [
            _shown(course, own, zone, as_of)
            for scale in Scale
            if _is_graded(course := course_of(event, own, zone, scale=scale))
        ]
    return found


def _is_graded(course: Course) -> bool:
    """Whether there is more in it than the end of the event."""
    return any(not step.is_end for step in course.steps)


def _shown(course: Course, own: Sequence[Derived], zone: ZoneInfo, as_of: datetime) -> dict[str, Any]:
    return {
        "scale": course.scale,
        "editions": sorted({one.grading.edition for one in own if one.grading.scale is course.scale}),
        "steps": _steps(course.steps),
        "peak": _at(course.peak),
        "now": _at(course.grade_at(as_of)),
        "as_of": text(as_of),
        "zone": zone.key,
    }


def _steps(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [
        {
            "lowest": step.lowest,
            "highest": step.highest,
            "from": None
            if step.since is None
            else {"earliest": text(step.since.earliest), "latest": text(step.since.latest)},
            "source": step.said_by,
            "said": step.said,
            "is_end": step.is_end,
        }
        for step in steps
    ]


def _at(found: GradeAt | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"lowest": found.lowest, "highest": found.highest, "steps": _steps(found.steps)}
