"""What a site is asked when a limit has passed and nobody said whether the event went on (readings.md DLT 8).

Asked once, settled by what comes, and asked anew when it comes back. What is missing beside that (a grade, an onset) is
asked of every report by the intake.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from alerting import cases
from alerting.grade_questions import Question, ask
from alerting.parts import Parts
from alerting.tables import observations
from tocsin.domain.dlt.definition import About
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import ReportReceivedV1

_CHINESE: Final = {
    About.EVENT: "该事件何时降至原级别以下（请注明时刻），或目前仍未降级？",
    About.BLEEDING: "出血前后24小时内的血小板计数是多少？",
    About.NEUTROPHILS: "请提供此后的中性粒细胞计数（日期、数值、单位），用以判断是否恢复。",
    About.PLATELETS: "请提供此后的血小板计数及输注日期，用以判断是否恢复。",
    About.LIVER: "请提供此后的ALT、AST和胆红素结果（日期和时刻）。",
}


def ask_what_is_open(
    tx: Connection, parts: Parts, protocol: Protocol, subject: str, found: Sequence[Verdict], at: datetime
) -> None:  # fmt: skip
    """Ask of each verdict that was met only because nothing was heard; what was asked and is known now is settled."""
    silent = [one for one in found if one.state is State.MET_BY_RULE and one.asks]
    questions = [_question(tx, protocol, subject, one) for one in silent]
    ask(tx, parts, protocol, f"dlt|{protocol.id}|{subject}", questions, at)


def _question(tx: Connection, protocol: Protocol, subject: str, verdict: Verdict) -> Question:
    latest = None if verdict.case_id is None else cases.load(tx, verdict.case_id).latest
    what = verdict.event_id or f"{subject}, {verdict.key.replace('|', ' of ')}"
    english = f"{what}: by {verdict.rule_id} a limit has passed, and we do not know how it went on: "
    english += " ".join(verdict.asks)
    chinese = f"{what}：按 {verdict.rule_id}，期限已过，尚不知其后情况。{_CHINESE[verdict.about]}"
    return Question(
        keys=frozenset({f"{verdict.key}|dlt|{verdict.rule_id}"}),
        case_id=verdict.case_id,
        site=_site_of(tx, protocol.id, subject) if latest is None else latest.site,
        about="" if latest is None else _where(latest, verdict.event_id),
        text=f"{english}\n{chinese}",
    )


def _where(latest: ReportReceivedV1, event_id: str | None) -> str:
    """The pointer to the course of an event in the newest report."""
    place = next((n for n, kept in enumerate(latest.events) if kept.event_id == event_id), None)
    return "/events" if place is None else f"/events/{place}/course"


def _site_of(tx: Connection, study: str, subject: str) -> str:
    """The site that sent the newest observation of a subject."""
    o = observations.c
    query = select(o.body).where(o.study == study, o.subject == subject).order_by(o.received_at.desc()).limit(1)
    site: str = tx.scalars(query).one()["site"]
    return site
