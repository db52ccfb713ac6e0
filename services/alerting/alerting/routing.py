"""Who has a role, and by which addresses. Where nobody is reachable, who is rung instead, and that it is said.

People come from the study's file, webhooks from the table. A webhook for one role makes that role reachable; one for
"all" hears everything beside the people and stands in for nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from alerting.delivery.ledger import MAIL, WEBHOOK, To
from alerting.parts import ALL_STUDIES
from tocsin.domain.protocol import Protocol, Recipient

EVERY_ROLE = "all"
INSTEAD = (
    "safety_physician",
    "second_physician",
    "medical_director",
    "safety_team",
    "medical_reviewer",
    "administrator",
)
"""Who is asked in place of a role with nobody: from that role on, round the circle."""


@dataclass(frozen=True, slots=True)
class Hook:
    """An enabled webhook."""

    id: str
    study: str
    role: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A site, as far as it can be told of something that concerns it: `role` is `site:S01`."""

    role: str
    email: str | None


Person: TypeAlias = Recipient | Contact


@dataclass(frozen=True, slots=True)
class Reached:
    """Who is rung for `role`. `rung_role` differs where nobody is reachable as `role`, and is None where nobody is."""

    role: str
    rung_role: str | None
    to: tuple[To, ...]

    @property
    def note(self) -> str:
        if self.rung_role == self.role:
            return ""
        nobody = f"nobody is reachable as {self.role}"
        return f"{nobody}, nor as anybody else" if self.rung_role is None else f"{nobody}: {self.rung_role} instead"


def reach(role: str, people: Sequence[Person], hooks: Collection[Hook], *, avoid: To | None = None) -> Reached:
    """Who is rung when `role` is to be. `avoid` is an address that has failed: another channel is preferred to it.

    Where the whole channel fails (`avoid` without an address), somebody who is reached by another comes before it.
    """
    if avoid is not None and not avoid.address:
        by_another = reach(role, people if avoid.channel != MAIL else (), hooks if avoid.channel != WEBHOOK else ())
        return by_another if by_another.rung_role is not None else reach(role, people, hooks)
    everywhere = [To(WEBHOOK, h.id) for h in hooks if h.role == EVERY_ROLE]
    for candidate in _circle(role):
        mails = [To(MAIL, p.email) for p in people if p.role == candidate and p.email]
        own = [To(WEBHOOK, h.id) for h in hooks if h.role == candidate]
        reached = [to for to in dict.fromkeys([*mails, *own]) if to != avoid]
        if avoid is not None:
            reached = [to for to in reached if to.channel != avoid.channel] or reached
        if reached:
            also = [to for to in everywhere if to != avoid]
            return Reached(role, candidate, tuple(dict.fromkeys([*reached, *also])))
    return Reached(role, None, tuple(to for to in everywhere if to != avoid))


def people_of(study: str, studies: Mapping[str, Protocol]) -> tuple[Recipient, ...]:
    """The people of a study; of every study for what concerns the house, or a study nobody here knows."""
    if study in studies:
        return studies[study].recipients
    return tuple(dict.fromkeys(person for protocol in studies.values() for person in protocol.recipients))


def contacts_of(study: str, studies: Mapping[str, Protocol]) -> tuple[Contact, ...]:
    """The sites of a study, each by the contact that the study file names."""
    return tuple(Contact(f"site:{site.id}", site.contact) for site in studies[study].sites) if study in studies else ()


def hooks_for(study: str, hooks: Collection[Hook]) -> list[Hook]:
    """The webhooks that hear of a study."""
    return [h for h in hooks if study == ALL_STUDIES or h.study in (study, ALL_STUDIES)]


def _circle(role: str) -> tuple[str, ...]:
    start = INSTEAD.index(role) if role in INSTEAD else 0
    return tuple(dict.fromkeys((role, *INSTEAD[start:], *INSTEAD[:start])))
