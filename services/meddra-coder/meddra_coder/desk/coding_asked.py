"""What the coding page is asked for by its address, and a form that was refused, as it was typed."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.errors import Refused
from tocsin.web.pages import Form
from tocsin.web.places import CODING


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: an event, a search, a study; and the code of what was done to another event.

    `proof` shows that this house led there after the deed, so that no link can claim what never happened.
    """

    event: str = ""
    q: str = ""
    study: str = ""
    said: str = ""
    of: str = ""
    word: str = ""
    proof: str = ""

    @property
    def claim(self) -> str:
        """What the proof is of."""
        return f"{CODING.path} said {self.said} of {self.of} {self.word}"


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was refused: shown again as it was sent, and no other form with it."""

    deed: str = ""
    form: Form | None = None
    refusal: Refused | None = None

    def is_of(self, deed: str) -> bool:
        return self.form is not None and self.deed == deed

    def get(self, deed: str, name: str, default: str = "") -> str:
        """What was typed in this form, or what stands there at first."""
        return self.form.get(name) if self.form is not None and self.deed == deed else default

    def many(self, deed: str, name: str, default: list[str]) -> list[str]:
        return self.form.many(name) if self.form is not None and self.deed == deed else default

    def texts(self) -> list[str]:
        """What was typed in words, to be shown where its form is gone."""
        found = [self.form.get(name) for name in ("reason", "question")] if self.form is not None else []
        return [text for text in (*found, *self.many(self.deed, "part", [])) if text.strip()]

    def is_about(self, deed: str, proposal: object) -> bool:
        return self.get(deed, "proposal") == str(proposal)
