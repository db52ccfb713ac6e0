"""Case histories for the tests of verdicts: subject S01-001, infused on 2 March 2026 at 10:00 in Beijing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.domain.cases import SHANGHAI, at, coded, event
from tocsin.domain import seriousness
from tocsin.domain.calendars import Partial
from tocsin.domain.case import GradeStep, Infusion
from tocsin.domain.derived import Derived
from tocsin.domain.dlt.definition import DltDefinition
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.dlt.verdict import Verdict
from tocsin.domain.dlt.verdicts import verdicts
from tocsin.domain.words import Relation, Scale
from tocsin.studies import read

STUDY = Path(__file__).parents[3] / "deploy" / "protocols" / "nct06223646.toml"
_shipped = read(STUDY).dlt
assert _shipped is not None
DEFINITION: DltDefinition = _shipped

YES, NO = Relation.RELATED, Relation.NOT_RELATED
ONSET = "2026-03-05T08:00"
"""Study day 3. 72 h are over on 8 March at 08:00, 168 h on 12 March at 08:00."""


def told(
    verbatim: str = "cough", *, n: int = 1, term: str | None = None, onset: str | None = ONSET, end: str | None = None,
    course: Sequence[tuple[int, str]] = (), astct_course: Sequence[tuple[int, str]] = (),
    investigator: Relation | None = YES, sponsor: Relation | None = YES, derived: Sequence[Derived] = (),
    case_id: str = "TOC-0031", **facts: Any,
) -> Reported:  # fmt: skip
    """A reported event; related by both parties unless it says otherwise. `course`: (grade, from when)."""
    steps = [GradeStep(grade, Scale.CTCAE, Partial.parse(since)) for grade, since in course]
    steps += [GradeStep(grade, Scale.ASTCT, Partial.parse(since)) for grade, since in astct_course]
    one = event(
        verbatim, n=n, onset=onset, investigator=investigator, sponsor=sponsor, course=tuple(steps),
        end=None if end is None else Partial.parse(end), **facts,
    )  # fmt: skip
    coding = coded(term, n=n) if term is not None else None
    return Reported(case_id, one, coding, seriousness.of(one, coding).fatal, tuple(derived))


def subject(*events: Reported, infused: Sequence[str] = ("2026-03-02T10:00",), **facts: Any) -> Subject:
    given = tuple(Infusion(Partial.parse(started), "DL1") for started in infused)
    return Subject("S01-001", SHANGHAI, infusions=given, events=events, **facts)


def judged(of: Subject, as_of: str, definition: DltDefinition = DEFINITION, **how: Any) -> dict[str, Verdict]:
    """The verdicts by their keys; those of events by the last part, E1."""
    found = verdicts(of, definition, at(as_of), **how)
    return {one.key.rpartition("-")[2] if one.event_id else one.key: one for one in found}


def verdict(one: Reported, as_of: str, **facts: Any) -> Verdict:
    """The verdict on one event of a subject who has no other."""
    return judged(subject(one, **facts), as_of)[one.event.event_id.rpartition("-")[2]]


def nullified(one: Reported) -> Reported:
    return replace(one, event=replace(one.event, is_nullified=True))
