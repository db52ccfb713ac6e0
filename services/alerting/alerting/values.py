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
from tocsin.messages.bodies import QueryRaisedV1, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import outbox

TOPIC: Final = "queries.raised.v1"
ASKED: Final = "value_asked"
SETTLED: Final = "question_settled"
_TOGETHER: Final = "values"
"""The questions about values of one site go out in one letter, as those of an import do."""


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
    _ask_for_reports(tx, protocol, subject, site, found, reported, zone, at)
    for one in reported:
        for difference in compare(one.event, one.coded, found, zone):
            _ask_about(tx, protocol, one, difference, at)
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


def _ask_for_reports(
    tx: Connection, protocol: Protocol, subject: str, site: str, found: Iterable[Derived],
    reported: Sequence[_Reported], zone: ZoneInfo, at: datetime,
) -> None:  # fmt: skip
    at_least = [replace(one, grading=replace(one.grading, highest=one.grading.lowest)) for one in found]
    events = [(one.event, one.coded) for one in reported]
    open_ = uncovered(at_least, events, zone, from_grade=protocol.grading.ask_from_grade)
    about = f"{protocol.id}|{subject}"
    asked = [deed for deed in decisions.about(tx, about) if deed.what == ASKED]
    told = {deed.decision_id: frozenset(_texts(deed.detail["evidence"])) for deed in asked}
    for one in open_:
        if not any(evidence & set(one.evidence) for evidence in told.values()):
            _ask_for_one(tx, protocol, subject, site, one, at)
    still = {seen for one in open_ for seen in one.evidence}
    for deed in asked:
        if not told[deed.decision_id] & still:
            _settle(tx, protocol, str(deed.detail["query_id"]), at)


def _ask_for_one(tx: Connection, protocol: Protocol, subject: str, site: str, one: Unreported, at: datetime) -> None:
    worst, about = one.worst, f"{protocol.id}|{subject}"
    query_id = str(identity("query", "value", about, worst.term, worst.grading.scale, *sorted(one.evidence)))
    is_new = decisions.record(
        tx, what=ASKED, about=about, parts=(query_id,), study=protocol.id, case_id=None, by=NAME, at=at,
        detail={"query_id": query_id, "term": worst.grading.term, "evidence": list(one.evidence)},
    )  # fmt: skip
    if is_new:
        _say(tx, protocol, QueryRaisedV1(
            query_id=query_id, case_id=None, study=protocol.id, site=site, kind="grade", about="",
            question=f"{subject}: {one.english}\n{subject}：{one.chinese}", raised_at=at, batch=_TOGETHER,
        ), at)  # fmt: skip


def _ask_about(tx: Connection, protocol: Protocol, one: _Reported, found: Difference, at: datetime) -> None:
    facts = (found.event_id, found.scale.value, str(found.site), str(found.lowest), str(found.highest))
    query_id = str(identity("query", "grade", protocol.id, *facts))
    latest = one.latest
    is_new = decisions.record(
        tx, what=ASKED, about=query_id, parts=(), study=protocol.id, case_id=latest.case_id, by=NAME, at=at,
        detail={"query_id": query_id, "evidence": list(found.deciding.evidence)},
    )  # fmt: skip
    if not is_new:
        return
    place = next((n for n, kept in enumerate(latest.events) if kept.event_id == found.event_id), None)
    _say(tx, protocol, QueryRaisedV1(
        query_id=query_id, case_id=latest.case_id, study=protocol.id, site=latest.site, kind="grade",
        about="/events" if place is None else f"/events/{place}/grade/{found.scale}",
        question=f"{found.english}\n{found.chinese}", raised_at=at, batch=_TOGETHER,
    ), at)  # fmt: skip


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


def _settle(tx: Connection, protocol: Protocol, query_id: str, at: datetime) -> None:
    decisions.record(
        tx, what=SETTLED, about=query_id, parts=(), study=protocol.id, case_id=None, by=NAME, at=at,
        reason="a report tells of it now, or the value was corrected",
    )  # fmt: skip


def _say(tx: Connection, protocol: Protocol, body: QueryRaisedV1, at: datetime) -> None:
    key = body.case_id or body.site
    outbox.put(tx, Envelope(identity(TOPIC, body.query_id), TOPIC, key, NAME, protocol.id, at, at, body))


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
