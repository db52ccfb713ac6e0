"""The places of the desk: which page answers which question, who may see it, and the key that leads to it.

One table for all three services, so that the links a person sees and the pages that open are decided in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.domain.words import Role

READERS = frozenset({
    Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR, Role.MEDICAL_REVIEWER, Role.SAFETY_TEAM,
    Role.COMMITTEE, Role.AUDITOR, Role.ADMINISTRATOR,
})  # fmt: skip
"""Who reads what the sponsor knows of its cases."""


@dataclass(frozen=True, slots=True)
class Place:
    """One page in the navigation. `key`: after G; `count`: which number of `/desk/now` stands beside it."""

    path: str
    english: str
    chinese: str
    roles: frozenset[Role]
    key: str = ""
    count: str = ""

    def label(self, lang: str) -> str:
        return self.chinese if lang.startswith("zh") else self.english

    def is_for(self, roles: frozenset[str]) -> bool:
        """Whether somebody with these roles may see it."""
        return bool(self.roles & roles)


BOARD = Place("/desk", "Board", "总览", READERS, "B", "ringing")
CASES = Place("/desk/cases", "Cases", "病例", READERS, "C")
DOSE = Place("/desk/dose", "Dose", "剂量", READERS | {Role.CELL_LAB}, "D")
CODING = Place(
    "/coding", "Coding", "编码",
    frozenset({Role.CODER, Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR, Role.MEDICAL_REVIEWER,
               Role.SAFETY_TEAM, Role.AUDITOR}),
    "Q",
)  # fmt: skip
TOXICITY = Place("/desk/toxicity", "Toxicity", "毒性", READERS, "T")
DELIVERIES = Place("/desk/deliveries", "Deliveries", "送达", READERS, "V", "dead")
AUDIT = Place(
    "/desk/audit", "Audit", "审计", frozenset({Role.AUDITOR, Role.ADMINISTRATOR, Role.MEDICAL_DIRECTOR}), "U"
)  # fmt: skip
ON_CALL = Place("/desk/on-call", "On call", "值班", READERS, "O")
PEOPLE = Place("/desk/people", "People", "人员", frozenset({Role.ADMINISTRATOR}), "P")
KEYS = Place("/report/keys", "Keys", "密钥", frozenset({Role.ADMINISTRATOR}), "K")
REPORT = Place("/report", "Report", "报告", frozenset({Role.SITE}), "R")

HOLDS = Place("/desk/holds", "Holds", "暂停", DOSE.roles | {Role.SITE})
"""Not in the navigation: the dose board, and the alarm that asks for a confirmation, lead to it."""

PLACES = (BOARD, CASES, DOSE, CODING, TOXICITY, DELIVERIES, AUDIT, ON_CALL, PEOPLE, KEYS, REPORT)


def first_of(roles: frozenset[str]) -> Place | None:
    """Where somebody with these roles begins; None when no page is for them."""
    return next((place for place in PLACES if place.is_for(roles)), None)
