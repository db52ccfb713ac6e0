"""The grades found from observations, as the coder says them: of each the statement with the highest number."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from alerting.tables import grades
from tocsin.domain.derived import Derived
from tocsin.messages.bodies import DerivedGrade, GradesDerivedV1
from tocsin.messages.translate import derived_of
from tocsin.store.insert import insert_unless_there

# Made once: these run for every message, and making a statement costs as much as running it.
_OF_SUBJECT = (grades.c.study == bindparam("of_study"), grades.c.subject == bindparam("of_subject"))
_ALL = select(grades.c.known_at, grades.c.body).where(*_OF_SUBJECT).order_by(grades.c.grade_id)


@dataclass(frozen=True, slots=True)
class Graded:
    """What was found of a subject and stands. `is_any`: something was ever graded, also what was taken back since."""

    subject: str
    is_any: bool
    found: tuple[Derived, ...]


def keep(tx: Connection, body: GradesDerivedV1) -> bool:
    """Keep what a message says of grades; False when nothing of it is news."""
    ids = [grade.grade_id for grade in body.grades]
    row = grades.c
    known = {found.grade_id: found.number for found in tx.execute(
        select(row.grade_id, row.number).where(row.grade_id.in_(ids))
    )}  # fmt: skip
    news = [grade for grade in body.grades if grade.number > known.get(grade.grade_id, 0)]
    for grade in news:
        told = {"number": grade.number, "known_at": body.derived_at, "body": grade.model_dump(mode="json")}
        if grade.grade_id in known:
            tx.execute(grades.update().where(row.grade_id == grade.grade_id, row.number < grade.number).values(**told))
        else:
            kept = {"grade_id": grade.grade_id, "study": body.study, "subject": body.subject, **told}
            tx.execute(insert_unless_there(grades, tx.dialect.name), kept)
            known[grade.grade_id] = grade.number
    return bool(news)


def told_of(tx: Connection, study: str, subject: str) -> Graded:
    """What was found of a subject."""
    rows = tx.execute(_ALL, {"of_study": study, "of_subject": subject}).all()
    told = (derived_of(DerivedGrade.model_validate(one.body), one.known_at) for one in rows)
    return Graded(subject, bool(rows), tuple(one for one in told if one is not None))


def of_subject(tx: Connection, study: str, subject: str) -> tuple[Derived, ...]:
    """Every grade that was found of a subject and stands."""
    return told_of(tx, study, subject).found
