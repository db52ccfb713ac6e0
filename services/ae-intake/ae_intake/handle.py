"""Messages in: what others ask of a site and when it is settled, and what people decided about two cases."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ae_intake import asking, cases
from ae_intake.tables import queries
from tocsin.messages.bodies import DecisionRecordedV1, QueryRaisedV1
from tocsin.messages.envelope import Envelope
from tocsin.messages.topics import ALERTING, INTAKE

DUPLICATE_DECIDED = "duplicate_decided"
QUESTION_SETTLED = "question_settled"


def on_query_raised(envelope: Envelope[QueryRaisedV1], tx: Connection) -> None:
    """Keep a query that another service raises. Intake's own come back too, and are here already."""
    if envelope.source == INTAKE:
        return
    known = select(queries.c.query_id).where(queries.c.query_id == envelope.body.query_id)
    if tx.execute(known).one_or_none() is None:
        asking.keep(tx, envelope.body, envelope.source)
        asking.only_the_last_follow_up(tx, envelope.body, envelope.source)


def on_decision_recorded(envelope: Envelope[DecisionRecordedV1], tx: Connection) -> None:
    """What alerting and its people did that leaves a site nothing to answer. Every other decision is for others.

    A person decided whether two cases tell of the same: the link says so too. Or what alerting had asked for came.
    """
    body = envelope.body
    if envelope.source != ALERTING:
        return
    if body.what == QUESTION_SETTLED:
        asking.settle(tx, body.about, body.at, ALERTING)
    elif body.what == DUPLICATE_DECIDED:
        pair = cases.decide_link(tx, body.about, str(body.detail["decision"]))
        if pair is not None:
            asking.settle_duplicate(tx, *pair, body.at, ALERTING)
