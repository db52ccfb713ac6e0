"""HTTP: the grades found from what was observed of one subject, with their reasons and every statement of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from meddra_coder import gradebook, shown_text
from meddra_coder.api import MAY_READ
from meddra_coder.shown_text import OfficialText
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Scale
from tocsin.errors import Refused, Wrong
from tocsin.messages.bodies import DerivedGrade
from tocsin.store.engine import Store
from tocsin.web.describe import answering, call, refusing
from tocsin.web.identity import Person, requires

_EXAMPLE: dict[str, Any] = {
    "grade_id": "3f0e4f0a-7f5e-5f0e-9b53-8c8a6f6c2f11",
    "number": 1,
    "scale": "ctcae",
    "edition": "5.0",
    "term": "Neutrophil count decreased",
    "code": "10029366",
    "at": "2026-03-03T06:00",
    "lowest": 4,
    "highest": 4,
    "because": None,
    "reasons": ["neutrophils 0.4 10*9/L is below 0.5 10*9/L: grade 4"],
    "missing": [],
    "evidence": ["0b7b6d2e-0a2f-4a3c-9f8e-0d6a1c9b7e55/0"],
    "said": "Neutrophils 0.4 10*9/L",
    "is_withdrawn": False,
}


class Statement(BaseModel):
    """What was once said of a grade: by which record of observations or doses, and when."""

    derived_at: str
    record_id: str
    grade: DerivedGrade


class Grades(BaseModel):
    """The grades of a subject that count, by time; `history` has every statement of them, oldest first.

    `official` has NCI's own words of the terms in `grades`, each once: by edition, then by code.
    """

    study: str
    subject: str
    grades: list[DerivedGrade]
    history: list[Statement]
    official: dict[str, dict[str, OfficialText]] = Field(
        description="by edition and code; only what the house has loaded of NCI's workbooks, so perhaps nothing"
    )


def add(routes: APIRouter, store: Store, studies: Mapping[str, Protocol]) -> None:
    """Add the call to the coder's routes."""

    @routes.get(
        "/v1/grades",
        tags=["Grading"],
        summary="The grades found from what was observed of a subject",
        openapi_extra=call(
            answering(200, "The grades that count, and every statement of them.", "Grades", TypeAdapter(Grades),
                      {"study": "NCT06223646", "subject": "S01-001", "grades": [_EXAMPLE], "history": [],
                       "official": {"5.0": {"10029366": shown_text.EXAMPLE}}}),
            refusing(401, 403, 422, 503),
        ),
    )  # fmt: skip
    async def get_grades(
        study: Annotated[str, Query(min_length=1, max_length=200)],
        subject: Annotated[str, Query(min_length=1, max_length=200)],
        who: Annotated[Person, requires(*MAY_READ)],
        scale: Annotated[Scale | None, Query()] = None,
        at_least: Annotated[int, Query(ge=0, le=5, description="leave out what is lower even at its highest")] = 0,
    ) -> Grades:
        """What could not be graded is in the list with its reason; it is left out where `at_least` is above 0."""
        if study not in studies:
            raise Refused("no such study", [Wrong("/study", "is not served here", ", ".join(sorted(studies)))])
        return await run_in_threadpool(_grades, store, study, subject, scale, at_least)


def _grades(store: Store, study: str, subject: str, scale: Scale | None, at_least: int) -> Grades:
    with store.reading() as connection:
        said = gradebook.of_subject(connection, study, subject)
        said = [one for one in said if scale in (None, one[0].scale)]
        newest = {grade.grade_id: grade for grade, _, _ in said}
        standing = [grade for grade in newest.values() if not grade.is_withdrawn and (grade.highest or 0) >= at_least]
        official = _official(connection, standing)
    kept = {grade.grade_id for grade in standing}
    return Grades(
        study=study,
        subject=subject,
        grades=sorted(standing, key=lambda grade: (grade.at, grade.term, grade.grade_id)),
        history=[
            Statement(derived_at=at.isoformat(), record_id=record, grade=grade)
            for grade, at, record in said
            if grade.grade_id in kept or at_least == 0
        ],
        official=official,
    )


def _official(tx: Connection, grades: Iterable[DerivedGrade]) -> dict[str, dict[str, OfficialText]]:
    """The text of each CTCAE term by the edition that it was graded by, and of no other."""
    codes: dict[str, set[str]] = {}
    for grade in grades:
        if grade.scale is Scale.CTCAE and grade.code is not None:
            codes.setdefault(grade.edition, set()).add(grade.code)
    texts = {edition: shown_text.official_texts(tx, edition, codes[edition]) for edition in sorted(codes)}
    return {edition: found for edition, found in texts.items() if found}
