"""The grades of a subject: keeping every statement of one, and saying what is new, changed or taken back.

A grade has one id for ever: of the observation's own `ref` where it has one, so that a corrected value changes the
grade that the first one made. The newest statement counts; nothing is changed or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select

from meddra_coder import tables
from meddra_coder.casebook import SOURCE
from tocsin.messages.bodies import DerivedGrade, GradesDerivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import outbox

TOPIC: Final = "grades.derived.v1"
_AT_ONCE: Final = 500
"""How many grades one message carries: thousands would be more than a broker takes."""


def standing(tx: Connection, study: str, subject: str, about: Iterable[str]) -> dict[str, dict[str, DerivedGrade]]:
    """The newest statement of each grade, by what it is about (an analyte or a syndrome) and by its id."""
    row = tables.grades.c
    wanted = sorted(set(about))
    query = select(row.about, row.grade_id, row.body).where(
        row.study == study, row.subject == subject, row.about.in_(wanted)
    )
    found: dict[str, dict[str, DerivedGrade]] = {name: {} for name in wanted}
    for said in tx.execute(query.order_by(row.seq)):
        found[said.about][said.grade_id] = DerivedGrade.model_validate(said.body)
    return found


def changes(now: Sequence[DerivedGrade], before: Mapping[str, DerivedGrade]) -> list[DerivedGrade]:
    """What is to be said of one thing: grades that are new or say something else, and those that are taken back."""
    there = {grade.grade_id for grade in now}
    said = []
    for grade in now:
        kept = before.get(grade.grade_id)
        if kept is None:
            said.append(grade)
        elif kept.model_copy(update={"number": grade.number}) != grade:
            said.append(grade.model_copy(update={"number": kept.number + 1}))
    gone = [grade for grade_id, grade in before.items() if grade_id not in there and not grade.is_withdrawn]
    return [*said, *(one.model_copy(update={"is_withdrawn": True, "number": one.number + 1}) for one in gone)]


def keep_and_say(
    tx: Connection, found: Mapping[str, Sequence[DerivedGrade]], *, record_id: str, study: str, site: str,
    subject: str, at: datetime,
) -> None:  # fmt: skip
    """Keep these statements and put them into the outbox. Ids follow from the record, so a rebuild says the same."""
    rows = [
        {
            "grade_id": grade.grade_id,
            "record_id": record_id,
            "study": study,
            "subject": subject,
            "about": about,
            "derived_at": at,
            "body": grade.model_dump(mode="json"),
        }
        for about, grades in found.items()
        for grade in grades
    ]
    if not rows:
        return
    tx.execute(insert(tables.grades), rows)
    said = [grade for grades in found.values() for grade in grades]
    parts = -(-len(said) // _AT_ONCE)
    for part in range(parts):
        outbox.put(
            tx,
            Envelope(
                id=identity(TOPIC, study, subject, record_id, str(part + 1)),
                type=TOPIC,
                key=subject,
                source=SOURCE,
                study=study,
                occurred_at=at,
                recorded_at=at,
                body=GradesDerivedV1(
                    record_id=record_id,
                    part=part + 1,
                    parts=parts,
                    study=study,
                    site=site,
                    subject=subject,
                    derived_at=at,
                    grader=SOURCE,
                    grades=said[part * _AT_ONCE : (part + 1) * _AT_ONCE],
                ),
            ),
        )


def of_subject(tx: Connection, study: str, subject: str) -> Sequence[tuple[DerivedGrade, datetime, str]]:
    """Every statement about a subject, oldest first: the grade, when it was derived, by which record."""
    row = tables.grades.c
    query = select(row.body, row.derived_at, row.record_id).where(row.study == study, row.subject == subject)
    return [
        (DerivedGrade.model_validate(found.body), found.derived_at, found.record_id)
        for found in tx.execute(query.order_by(row.seq))
    ]
