"""What a site sends of its cases, on one path whether a system sends it or the form: understood, placed, kept.

Each of the three answers the work for the writer's turn; what can be refused without the database is refused before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeAlias

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Connection

from ae_intake import asking, cases
from ae_intake.accept import Prepared, keep_follow_up, keep_report, keep_reports, prepare_report
from ae_intake.answers import ANSWER, FOLLOW_UP, follow_up_of, words_of
from ae_intake.attribution import Place, place_of
from ae_intake.keeping import Sender
from ae_intake.reach import reach_of
from ae_intake.receipts import Answer, Scope, once, once_each
from ae_intake.rows import Rows
from tocsin.domain.protocol import Protocol
from tocsin.errors import NotFound, Refused, Wrong
from tocsin.messages.facts import FollowUpFacts, ReportFacts
from tocsin.store.writer import Alike
from tocsin.web.identity import Machine
from tocsin.web.reading import Sent, understood

REPORT: TypeAdapter[ReportFacts] = TypeAdapter(ReportFacts)
Work: TypeAlias = Callable[[Connection], BaseModel]
"""What is done in the writer's turn."""


@dataclass(frozen=True, slots=True)
class FirstReport:
    """The work of a first report."""

    prepared: Prepared

    def __call__(self, tx: Connection) -> BaseModel:
        return keep_report(tx, self.prepared)


def a_report(who: Machine, protocol: Protocol, sent: Sent, sender: Sender) -> FirstReport:
    """A first report. Refused, with pointers, when it cannot be understood or attributed."""
    facts = understood(sent, REPORT, "the report cannot be understood")
    return FirstReport(prepare_report(facts, place_of(who, protocol, facts.study, facts.site), sender))


def a_follow_up(who: Machine, protocol: Protocol, case_id: str, sent: Sent, sender: Sender) -> Work:
    """The next revision of a case; its work raises NotFound when the case is not there or not theirs."""
    facts = understood(sent, FOLLOW_UP, "the follow-up cannot be understood")

    def work(tx: Connection) -> BaseModel:
        place = _place_of_case(tx, case_id, who, protocol, facts)
        return keep_follow_up(tx, case_id, place, facts, sender, may_cross_sites=who.site is None)

    return work


def an_answer(who: Machine, protocol: Protocol, query_id: str, sent: Sent, sender: Sender) -> Work:
    """The answer to a query, which is the next revision of its case, or stands in words where there is no case."""
    answer = understood(sent, ANSWER, "the answer cannot be understood")

    def work(tx: Connection) -> BaseModel:
        query = asking.find(tx, query_id, reach_of(who))
        if query is not None and query.case_id is None:
            return asking.answered_in_words(tx, query_id, words_of(answer), sender.at, sender.key_id)
        if query is None or cases.find(tx, query.case_id, reach_of(who)) is None:
            raise NotFound("there is no such query")
        facts = follow_up_of(answer, query.about, cases.bodies_of(tx, query.case_id)[-1])
        place = _place_of_case(tx, query.case_id, who, protocol, facts)
        return keep_follow_up(
            tx, query.case_id, place, facts, sender, how="answer", statement=answer.statement, answers=query_id,
            may_cross_sites=who.site is None,
        )  # fmt: skip

    return work


def once_in_turn(tx: Connection, scope: Scope | None, at: datetime, work: Work) -> Answer:
    """Do the work in the writer's turn, unless its Idempotency-Key was seen before; the receipt either way."""
    cases.take_turn(tx)
    return once(tx, scope, at, lambda: work(tx))


def in_turn(scope: Scope | None, at: datetime, work: Work) -> Callable[[Connection], Answer]:
    """`once_in_turn` for the writer, which does the first reports that wait together at once."""
    if isinstance(work, FirstReport):
        return ReportInTurn(scope, at, work.prepared)
    return partial(once_in_turn, scope=scope, at=at, work=work)


@dataclass(frozen=True, slots=True)
class ReportInTurn(Alike[Answer]):
    """A first report in the writer's turn. Each table gets the rows of all that are done together by one statement."""

    scope: Scope | None
    at: datetime
    prepared: Prepared

    @classmethod
    def together(cls, tx: Connection, works: Sequence[ReportInTurn]) -> list[Answer]:
        """Number by number in their order; Conflict when one of them is in conflict."""
        cases.take_turn(tx)
        rows = Rows(tx)
        asked = [(work.scope, work.at) for work in works]
        answers = once_each(rows, asked, lambda new: keep_reports(rows, [works[n].prepared for n in new]))
        rows.write()
        return answers


def _place_of_case(tx: Connection, case_id: str, who: Machine, protocol: Protocol, facts: FollowUpFacts) -> Place:
    """Where a case belongs; NotFound when it is not there or not theirs, Refused when the body says another site."""
    case = cases.find(tx, case_id, reach_of(who))
    if case is None:
        raise NotFound("there is no such case")
    place = place_of(who, protocol, facts.study, facts.site or case.site)
    if place.site.id != case.site:
        raise Refused("the case is of another site", [Wrong("/site", "is not the site of this case", case.site)])
    return place
