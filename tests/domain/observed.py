"""Builders of graded observations for the tests of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from tests.domain.cases import CODES
from tocsin.domain.calendars import Partial
from tocsin.domain.derived import Derived
from tocsin.domain.graded import Graded
from tocsin.domain.words import Scale

ANC = "Neutrophil count decreased"
PLATELETS = "Platelet count decreased"
ALT = "Alanine aminotransferase increased"
AST = "Aspartate aminotransferase increased"
KNOWN = datetime(2026, 4, 30, 8, tzinfo=UTC)


def derived(
    term: str, at: str, lowest: int, highest: int | None = None, *, said: str = "a value", scale: Scale = Scale.CTCAE,
    edition: str = "5.0", code: str | None = None, missing: Sequence[str] = (), evidence: str | None = None,
) -> Derived:  # fmt: skip
    """One value of a term; known under its date unless `evidence` names it."""
    known_code = code or (CODES.get(term) if scale is Scale.CTCAE else None)
    most = lowest if highest is None else highest
    grading = Graded(scale, edition, term, known_code, lowest, most, ("as measured",), tuple(missing))
    return Derived(grading, Partial.parse(at), KNOWN, (evidence or f"record/{at}",), said)


def anc(at: str, value: str, grade: int) -> Derived:
    return derived(ANC, at, grade, said=f"neutrophils {value} 10*9/L")
