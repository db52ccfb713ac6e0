"""What a site's answers leave of an event's grade, as the API shows it: the model, and its example."""

from __future__ import annotations

from pydantic import BaseModel, Field


class AnsweredGradeShown(BaseModel):
    """The lowest and the highest grade of the coded CTCAE term that the site's answers leave, beside what it states.

    Without `lowest` and `highest` the term cannot be graded by these answers; `reasons` say why.
    """

    edition: str
    term: str
    code: str | None
    stated: int | None = Field(description="the highest CTCAE grade that the site states")
    lowest: int | None
    highest: int | None
    reasons: list[str]
    missing: list[str] = Field(description="what would narrow it")
    fits: bool | None = Field(
        description="whether the stated grade lies within; null where there is nothing to compare"
    )


ANSWERED_GRADE = {
    "edition": "5.0",
    "term": "Diarrhea",
    "code": "10012727",
    "stated": 2,
    "lowest": 4,
    "highest": 5,
    "reasons": ["At least grade 4: it was life-threatening."],
    "missing": ["whether the subject died of it"],
    "fits": False,
}
