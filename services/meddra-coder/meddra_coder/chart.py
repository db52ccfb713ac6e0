"""The chart of a subject as the coder keeps it: what was observed of it, and when it was infused.

Which observation counts, and what was measured, is `tocsin.chart`. How an observation is graded is `grading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, or_, select

from meddra_coder import tables
from tocsin.chart import Seen, analyte_of, counting
from tocsin.domain.calendars import Partial, Span
from tocsin.messages.bodies import DoseRecordedV1, ObservationsRecordedV1
from tocsin.messages.facts import InfusionFacts, Observation
from tocsin.store.insert import insert_unless_there

_OBSERVATION: TypeAdapter[Observation] = TypeAdapter(Observation)


def keep(tx: Connection, body: ObservationsRecordedV1) -> tuple[Seen, ...]:
    """Keep the observations of one record; what is kept already is kept once."""
    seen = tuple(
        Seen(f"{body.record_id}/{place}", analyte_of(one), body.received_at, one)
        for place, one in enumerate(body.observations)
    )
    rows = [
        {
            "id": one.id,
            "study": body.study,
            "site": body.site,
            "subject": body.subject,
            "kind": one.facts.kind,
            "analyte": one.analyte,
            "ref": one.facts.ref,
            "is_correction": one.facts.correction,
            "received_at": one.received_at,
            "body": _OBSERVATION.dump_python(one.facts, mode="json", by_alias=True, exclude_unset=True),
        }
        for one in seen
    ]
    tx.execute(insert_unless_there(tables.observations, tx.dialect.name), rows)
    return seen


def keep_infusion(tx: Connection, body: DoseRecordedV1) -> bool:
    """Keep that a subject was infused; False for any other record, and for one that is known."""
    if not isinstance(body.facts, InfusionFacts) or body.subject is None:
        return False
    row = {
        "record_id": body.record_id, "study": body.study, "subject": body.subject,
        "started_at": body.facts.started_at, "received_at": body.received_at,
    }  # fmt: skip
    return tx.execute(insert_unless_there(tables.infusions, tx.dialect.name), row).rowcount == 1


def first_infusion(tx: Connection, study: str, subject: str, zone: ZoneInfo) -> Span | None:
    """When the subject was first infused; None while no infusion is recorded."""
    rows = tx.scalars(
        select(tables.infusions.c.started_at).where(
            tables.infusions.c.study == study, tables.infusions.c.subject == subject
        )
    )
    spans = [span for text in rows if (span := Partial.parse(text).widest(zone)) is not None]
    return min(spans, key=lambda span: (span.earliest, span.latest), default=None)


def of_analytes(tx: Connection, study: str, subject: str, analytes: Iterable[str]) -> dict[str, tuple[Seen, ...]]:
    """The measurements of a subject that count, by analyte."""
    wanted = sorted(set(analytes))
    row = tables.observations.c
    counted = counting(_read(tx, study, subject, or_(row.analyte.in_(wanted), row.is_correction)))
    return {name: tuple(one for one in counted if one.analyte == name) for name in wanted}


def of_kinds(tx: Connection, study: str, subject: str, kinds: Iterable[str]) -> tuple[Seen, ...]:
    """The observations of a subject of these kinds that count."""
    wanted = set(kinds)
    row = tables.observations.c
    counted = counting(_read(tx, study, subject, or_(row.kind.in_(sorted(wanted)), row.is_correction)))
    return tuple(one for one in counted if one.facts.kind in wanted)


def touched(tx: Connection, study: str, subject: str, seen: Sequence[Seen]) -> tuple[set[str], set[str]]:
    """The analytes and kinds of observation that these may change: their own, and what their corrections replace."""
    analytes = {one.analyte for one in seen if one.analyte is not None}
    kinds: set[str] = {one.facts.kind for one in seen}
    refs = sorted({one.facts.ref for one in seen if one.facts.correction and one.facts.ref})
    if refs:
        row = tables.observations.c
        for found in tx.execute(
            select(row.analyte, row.kind).where(row.study == study, row.subject == subject, row.ref.in_(refs))
        ):
            kinds.add(found.kind)
            if found.analyte is not None:
                analytes.add(found.analyte)
    return analytes, kinds


def everything(tx: Connection, study: str, subject: str) -> tuple[set[str], set[str]]:
    """Every analyte and every kind of observation that we hold of a subject."""
    row = tables.observations.c
    found = tx.execute(select(row.analyte, row.kind).where(row.study == study, row.subject == subject).distinct()).all()
    return {one.analyte for one in found if one.analyte is not None}, {one.kind for one in found}


def _read(tx: Connection, study: str, subject: str, like: ColumnElement[bool]) -> list[Seen]:
    row = tables.observations.c
    query = select(row.id, row.analyte, row.received_at, row.body).where(row.study == study, row.subject == subject)
    return [
        Seen(found.id, found.analyte, found.received_at, _OBSERVATION.validate_python(found.body))
        for found in tx.execute(query.where(like))
    ]
