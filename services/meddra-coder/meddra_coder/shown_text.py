"""NCI's own words of a term, as the calls show them: those of the edition that is asked for, and only where loaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from meddra_coder.official_text import DEFINITION, texts_of_terms


class OfficialText(BaseModel):
    """What NCI's workbook says of a term, word for word. A grade that it leaves out is left out."""

    definition: str | None
    grades: dict[str, str] = Field(description="the words of each grade, by its number")


def official_texts(tx: Connection, edition: str, codes: Iterable[str]) -> dict[str, OfficialText]:
    """The official text of each of these terms that was loaded, by its code."""
    return {
        code: OfficialText(
            definition=texts.get(DEFINITION),
            grades={str(grade): text for grade, text in texts.items() if grade != DEFINITION},
        )
        for code, texts in texts_of_terms(tx, edition, codes).items()
    }


EXAMPLE: Final[dict[str, Any]] = {
    "definition": "what NCI's workbook says of the term",
    "grades": {"3": "what it says of grade 3", "4": "what it says of grade 4"},
}
