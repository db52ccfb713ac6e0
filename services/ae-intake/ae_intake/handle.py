"""Messages in: what other services ask of a site stands beside what intake asks."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ae_intake import asking
from ae_intake.tables import queries
from tocsin.messages.bodies import QueryRaisedV1
from tocsin.messages.envelope import Envelope
from tocsin.messages.topics import INTAKE


def on_query_raised(envelope: Envelope[QueryRaisedV1], tx: Connection) -> None:
    """Keep a query that another service raises. Intake's own come back too, and are here already."""
    if envelope.source == INTAKE:
        return
    known = select(queries.c.query_id).where(queries.c.query_id == envelope.body.query_id)
    if tx.execute(known).one_or_none() is None:
        asking.keep(tx, envelope.body, envelope.source)
        asking.only_the_last_follow_up(tx, envelope.body, envelope.source)
