"""The electronic signature under a decision: who, when, in which meaning (21 CFR 11.50, 11.200; rules.md 7).

Two components: the login says who it is, and the password is given anew for each signature. A wrong one counts
towards the same lock as a wrong login. What was signed is told by whoever keeps it; a signature is kept with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from alerting import accounts
from alerting.parts import Parts
from tocsin.errors import Forbidden
from tocsin.web.identity import Person

DOES_NOT_FIT = "the signature does not fit"

Meaning = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class SignatureFacts(BaseModel):
    """How a person signs. The password is verified, and neither kept nor repeated anywhere."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    password: SecretStr = Field(min_length=1, max_length=1000, description="your own, given anew for each signature")
    meaning: Meaning = Field(description="what your signature means: authorship, review, approval, responsibility")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as it is kept: the printed name, the roles held then, the meaning, the instant (UTC)."""

    by: str
    roles: tuple[str, ...]
    meaning: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        return {"by": self.by, "roles": list(self.roles), "meaning": self.meaning, "at": self.at.isoformat()}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Signature:
        return cls(kept["by"], tuple(kept["roles"]), kept["meaning"], datetime.fromisoformat(kept["at"]))


def check_signature(
    parts: Parts, person: Person, given: SignatureFacts, now: datetime, *, needs: frozenset[str] = frozenset()
) -> Signature:
    """The signature of the person who asks; Forbidden in the same words whatever does not fit.

    Call it outside of any transaction: hashing takes long on purpose. `needs`: one of these roles is needed, by the
    account as it is now; a login may be hours old.
    """
    signer = accounts.verify(parts.store, person.name, given.password.get_secret_value(), now, wall=parts.wall())
    if signer is None:
        raise Forbidden(DOES_NOT_FIT)
    if needs and not signer.roles & needs:
        raise Forbidden(f"this needs the role {' or '.join(sorted(needs))}")
    return Signature(signer.name, tuple(sorted(signer.roles)), given.meaning, now)
