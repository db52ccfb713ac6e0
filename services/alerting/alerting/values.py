"""What was observed of a subject beside what its site reported: what no report tells of, and grades that differ.

Both are kept and neither overwrites the other. The site is asked once about each, and an answer that a later report
gives settles the question. A difference that crosses a line at which rules on dose-limiting toxicity begin rings. What
is only possible is not asked: a grade counts from the least that its facts make it. A site's grade beside its own
answers is left to `answered_grades`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerting import cases, grades
from alerting.crossed_lines import Crossed, ring
from alerting.grade_questions import Question, ask, where
from alerting.parts import Parts
from alerting.so_far import SoFar, each_case
from tocsin.domain.case import Coded, Event
from tocsin.domain.coverage import Unreported, together, uncovered
from tocsin.domain.derived import Derived
from tocsin.domain.grade_check import Difference, compare
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Scale
from tocsin.messages.bodies import ReportReceivedV1


@dataclass(frozen=True, slots=True)
class _Reported:
    """One standing event of a subject, with the newest report of its case."""

    event: Event
    coded: Coded | None
    latest: ReportReceivedV1


def look(
    tx: Connection, parts: Parts, protocol: Protocol, subject: str | None, site: str, at: datetime, *,
    known: SoFar | None = None,
) -> None:  # fmt: skip
    """Compare everything known of a subject, ask its site what is new to ask, settle what is answered, and ring.

    `known`: what is known already of one case, and of the grades of its subject.
    """
    if subject is None:
        return
    graded = None if known is None else known.graded
    if graded is None or graded.subject != subject:
        graded = grades.told_of(tx, protocol.id, subject)
    if not graded.is_any:
        return
    found, there = graded.found, protocol.site(site)
    zone = there.zone if there else protocol.receiver_zone
    reported = list(_reported(tx, protocol.id, subject, known))
    differing = [(one, each) for one in reported for each in compare(one.event, one.coded, found, zone)]
    if not parts.is_rebuilding:  # What was asked is on the log.
        questions = [
            *(_for_a_report(subject, site, one) for one in together(_untold(found, reported, zone, protocol))),
            *(_about_a_grade(one, difference) for one, difference in differing),
        ]
        ask(tx, parts, protocol, f"{protocol.id}|{subject}", questions, at)
    for one, difference in differing:
        if difference.crosses:
            ring(tx, parts, protocol, one.latest, _crossed(difference), at)


def _reported(tx: Connection, study: str, subject: str, read: SoFar | None) -> Iterable[_Reported]:
    for case, latest in each_case(tx, cases.of_subject(tx, study, subject), read):
        if latest.subject == subject:
            for event, _ in case.standing:
                yield _Reported(event, case.coding_of(event), latest)


def _untold(
    found: Iterable[Derived], reported: Sequence[_Reported], zone: ZoneInfo, protocol: Protocol
) -> tuple[Unreported, ...]:
    """What no report tells of, by the least that its facts make it."""
    at_least = [replace(one, grading=replace(one.grading, highest=one.grading.lowest)) for one in found]
    events = [(one.event, one.coded) for one in reported]
    return uncovered(at_least, events, zone, from_grade=protocol.grading.ask_from_grade)


def _for_a_report(subject: str, site: str, told: Sequence[Unreported]) -> Question:
    """One question for all scales of a finding. A later value of the episode, or a corrected one, asks nothing new."""
    first, others = told[0], [one.worst for one in told[1:]]
    english = "".join(f" By {one.scale_said} it is {one.grade_said}." for one in others)
    chinese = "".join(f"按 {one.scale_said} 为 {one.grading.lowest} 级。" for one in others)
    return Question(
        keys=frozenset(_key(value) for one in told for value in one.values),
        case_id=None,
        site=site,
        about="",
        text=f"{subject}: {first.english}{english}\n{subject}：{first.chinese}{chinese}",
    )


def _key(value: Derived) -> str:
    """What stays of a value when it is corrected. Haematotoxicity is one grade that moves with each count."""
    grading = value.grading
    when = "" if grading.scale is Scale.ICAHT else value.at.text
    return f"{grading.scale.value}|{value.term}|{when}"


def _about_a_grade(one: _Reported, found: Difference) -> Question:
    latest = one.latest
    return Question(
        keys=frozenset({f"{found.event_id}|{found.scale.value}|{found.site}|{found.lowest}|{found.highest}"}),
        case_id=latest.case_id,
        site=latest.site,
        about=where(latest, found.event_id, found.scale),
        text=f"{found.english}\n{found.chinese}",
    )


def _crossed(found: Difference) -> Crossed:
    value = found.deciding
    why = (
        f"{found.event_id}: the site grades it {found.site}; {value.said} of {value.at} is {value.grade_said} "
        f"of {value.grading.term} ({value.scale_said})",
        *value.grading.reasons,
    )
    return Crossed(found.event_id, found.scale, found.site, found.lowest, found.crosses, why)
