"""What was observed of a subject beside what its site reported: what no report tells of, and grades that differ.

Both are kept and neither overwrites the other. The site is asked once about each, and an answer that a later report
gives settles the question. A difference that crosses a line at which rules on dose-limiting toxicity begin rings. What
is only possible is not asked: a grade counts from the least that its facts make it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerting import alerts, cases, decisions, grades
from alerting.parts import NAME, Parts
from tocsin.domain.case import Coded, Event
from tocsin.domain.coverage import Unreported, uncovered
from tocsin.domain.derived import Derived
from tocsin.domain.grade_check import Difference, compare
from tocsin.domain.protocol import APPROVED, ASSUMED_RULES, Protocol
from tocsin.domain.words import Scale
from tocsin.messages.bodies import DecisionRecordedV1, QueryRaisedV1, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import outbox

TOPIC: Final = "queries.raised.v1"
ASKED: Final = "value_asked"
SETTLED: Final = "question_settled"
_TOGETHER: Final = "values"
"""The questions about values of one site go out in one letter, as those of an import do."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One thing to ask a site. Two that share a key are the same question."""

    keys: frozenset[str]
    case_id: str | None
    site: str
    about: str
    text: str


@dataclass(frozen=True, slots=True)
class _Reported:
    """One standing event of a subject, with the newest report of its case."""

    event: Event
    coded: Coded | None
    latest: ReportReceivedV1


def look(tx: Connection, parts: Parts, protocol: Protocol, subject: str | None, site: str, at: datetime) -> None:
    """Compare everything known of a subject, ask its site what is new to ask, settle what is answered, and ring."""
    if subject is None or not grades.are_known(tx, protocol.id, subject):
        return
    found = grades.of_subject(tx, protocol.id, subject)
    known = protocol.site(site)
    zone = known.zone if known else protocol.receiver_zone
    reported = list(_reported(tx, protocol.id, subject))
    differing = [(one, each) for one in reported for each in compare(one.event, one.coded, found, zone)]
    questions = [
        *(_for_a_report(subject, site, one) for one in _untold(found, reported, zone, protocol)),
        *(_about_a_grade(one, difference) for one, difference in differing),
    ]
    _ask(tx, protocol, subject, questions, at)
    for one, difference in differing:
        if difference.crosses:
            _ring(tx, parts, protocol, one, difference, at)


def _reported(tx: Connection, study: str, subject: str) -> Iterable[_Reported]:
    for case_id in cases.of_subject(tx, study, subject):
        known = cases.load(tx, case_id)
        latest = known.latest
        if latest is None or latest.subject != subject:
            continue
        case = known.case((), coded_before=cases.ALL_CODINGS)
        for event, _ in case.standing:
            yield _Reported(event, case.coding_of(event), latest)


def _untold(
    found: Iterable[Derived], reported: Sequence[_Reported], zone: ZoneInfo, protocol: Protocol
) -> tuple[Unreported, ...]:
    """What no report tells of, by the least that its facts make it."""
    at_least = [replace(one, grading=replace(one.grading, highest=one.grading.lowest)) for one in found]
    events = [(one.event, one.coded) for one in reported]
    return uncovered(at_least, events, zone, from_grade=protocol.grading.ask_from_grade)


def _for_a_report(subject: str, site: str, one: Unreported) -> _Question:
    """Known again by its values: a later value of the episode, or a corrected one, asks nothing new."""
    return _Question(
        keys=frozenset(_key(value) for value in one.values),
        case_id=None,
        site=site,
        about="",
        text=f"{subject}: {one.english}\n{subject}：{one.chinese}",
    )


def _key(value: Derived) -> str:
    """What stays of a value when it is corrected. Haematotoxicity is one grade that moves with each count."""
    grading = value.grading
    when = "" if grading.scale is Scale.ICAHT else value.at.text
    return f"{grading.scale.value}|{value.term}|{when}"


def _about_a_grade(one: _Reported, found: Difference) -> _Question:
    latest = one.latest
    place = next((n for n, kept in enumerate(latest.events) if kept.event_id == found.event_id), None)
    return _Question(
        keys=frozenset({f"{found.event_id}|{found.scale.value}|{found.site}|{found.lowest}|{found.highest}"}),
        case_id=latest.case_id,
        site=latest.site,
        about="/events" if place is None else f"/events/{place}/grade/{found.scale.value}",
        text=f"{found.english}\n{found.chinese}",
    )


def _ask(tx: Connection, protocol: Protocol, subject: str, questions: Sequence[_Question], at: datetime) -> None:
    """Ask what is not asked yet, settle what is nothing to ask any more; what comes back is asked anew."""
    about = f"{protocol.id}|{subject}"
    asked = [deed for deed in decisions.about(tx, about) if deed.what == ASKED]
    waiting = {
        deed.decision_id: deed for deed in asked if not decisions.about(tx, str(deed.detail["query_id"]))
    }  # A deed about the question itself is that it is settled.
    still = frozenset[str]().union(*(question.keys for question in questions))
    for deed_id, deed in list(waiting.items()):
        if not _keys(deed) & still:
            decisions.record(
                tx, what=SETTLED, about=str(deed.detail["query_id"]), parts=(), study=protocol.id,
                case_id=deed.case_id, by=NAME, at=at, reason="told now, or the value or the grade was corrected",
            )  # fmt: skip
            del waiting[deed_id]
    told = frozenset[str]().union(*(_keys(deed) for deed in waiting.values()))
    for question in questions:
        if not question.keys & told:
            before = sum(1 for deed in asked if _keys(deed) & question.keys)
            _say(tx, protocol, about, question, before, at)


def _say(tx: Connection, protocol: Protocol, about: str, question: _Question, before: int, at: datetime) -> None:
    query_id = str(identity("query", "value", about, *sorted(question.keys), str(before)))
    is_new = decisions.record(
        tx, what=ASKED, about=about, parts=(query_id,), study=protocol.id, case_id=question.case_id, by=NAME, at=at,
        detail={"query_id": query_id, "keys": sorted(question.keys)},
    )  # fmt: skip
    if not is_new:
        return
    body = QueryRaisedV1(
        query_id=query_id, case_id=question.case_id, study=protocol.id, site=question.site, kind="grade",
        about=question.about, question=question.text, raised_at=at, batch=_TOGETHER,
    )  # fmt: skip
    key = question.case_id or question.site
    outbox.put(tx, Envelope(identity(TOPIC, query_id), TOPIC, key, NAME, protocol.id, at, at, body))


def _keys(deed: DecisionRecordedV1) -> frozenset[str]:
    kept = deed.detail["keys"]
    return frozenset(kept) if isinstance(kept, list) else frozenset()


def _ring(tx: Connection, parts: Parts, protocol: Protocol, one: _Reported, found: Difference, at: datetime) -> None:
    """A line is crossed: a physician decides. The site's grade stands until the site changes it."""
    is_assumed = protocol.dlt is not None and protocol.dlt.status != APPROVED
    value = found.deciding
    alerts.raise_one(
        tx,
        parts,
        alerts.Alert(
            key=f"{found.event_id}|grade_differs|{found.scale}|{found.site}|{found.lowest}",
            study=protocol.id,
            kind="grade_differs",
            level="page" if protocol.dlt is not None else "review",
            reasons=(
                f"{found.event_id}: the site grades it {found.site}; {value.said} of {value.at} is {value.grade_said} "
                f"of {value.grading.term} ({value.scale_said})",
                *value.grading.reasons,
                f"the line of grade {' and '.join(map(str, found.crosses))} is crossed: rules on dose-limiting "
                "toxicity begin there, and the site's grade does not reach it; the site is asked",
                *((ASSUMED_RULES,) if is_assumed else ()),
            ),
            case_id=one.latest.case_id,
            revision=one.latest.revision,
            assumptions=protocol.assumptions,
        ),
        at,
    )
