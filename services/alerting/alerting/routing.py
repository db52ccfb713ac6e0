"""Who has a role, and by which addresses. Where nobody is reachable, who is rung instead, and that it is said.

People come from the study's call plan and file (`call_plans.callees`), webhooks from the table. A webhook for one role
makes that role reachable; one for "all" hears everything beside the people and stands in for nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from alerting.delivery.ledger import MAIL, WEBHOOK, To
from alerting.parts import ALL_STUDIES
from tocsin.domain.protocol import Protocol, Recipient

EVERY_ROLE = "all"
PERSONAL = "person"
"""In place of a role: a webhook of somebody in a call plan, who names it there; by itself it hears nothing."""
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


@dataclass(frozen=True, slots=True)
class Callee:
    """Somebody of a call plan, in one role (`person:lin`: by name). `quiet_until`: when quiet hours end, if in such.

    Who is not on duty is rung as this role when whoever is cannot be.
    """

    role: str
    name: str
    to: tuple[To, ...]
    quiet_until: datetime | None = None
    on_duty: bool = True


Person: TypeAlias = Recipient | Contact | Callee


@dataclass(frozen=True, slots=True)
class Reached:
    """Who is rung for `role`. `rung_role` differs where nobody is reachable as `role`, and is None where nobody is.

    `people` by name, where a call plan names them; `held` are addresses whose owner has quiet hours, until then.
    """

    role: str
    rung_role: str | None
    to: tuple[To, ...]
    people: tuple[str, ...] = ()
    held: Mapping[To, datetime] = field(default_factory=dict)
    on_duty: bool = True

    @property
    def note(self) -> str:
        if self.rung_role == self.role:
            return "" if self.on_duty else f"whoever is on duty as {self.role} has no address: another one instead"
        nobody = f"nobody is reachable as {self.role}"
        return f"{nobody}, nor as anybody else" if self.rung_role is None else f"{nobody}: {self.rung_role} instead"


def reach(
    role: str, people: Sequence[Person], hooks: Collection[Hook], *, avoid: To | None = None,
    without: Collection[str] = (),
) -> Reached:  # fmt: skip
    """Who is rung when `role` is to be. `avoid` is an address that has failed: another channel is preferred to it.

    Where the whole channel fails (`avoid` without an address), somebody who is reached by another comes before it.
    `without`: people who need no ring, by name, as they have answered.
    """
    if avoid is not None and not avoid.address:
        others = [_less(one, avoid.channel) for one in people]
        by_another = reach(role, others, hooks if avoid.channel != WEBHOOK else (), without=without)
        return by_another if by_another.rung_role is not None else reach(role, people, hooks, without=without)
    everywhere = [To(WEBHOOK, h.id) for h in hooks if h.role == EVERY_ROLE]
    for candidate in _circle(role):
        for on_duty in (True, False):
            found = [one for one in people if one.role == candidate and _is_on_duty(one) is on_duty]
            own = [To(WEBHOOK, h.id) for h in hooks if h.role == candidate] if on_duty else []
            reached = _of(found, own, avoid)
            if reached:
                also = [to for to in everywhere if to != avoid]
                named = [one for one in found if isinstance(one, Callee) and any(to in reached for to in one.to)]
                told = [to for to in reached if not _belongs_to(to, found, without)]
                return Reached(
                    role, candidate, tuple(dict.fromkeys([*told, *also])),
                    tuple(dict.fromkeys(one.name for one in named)), _held(found, told), on_duty,
                )  # fmt: skip
    return Reached(role, None, tuple(to for to in everywhere if to != avoid))


def _addresses(person: Person) -> tuple[To, ...]:
    if isinstance(person, Callee):
        return person.to
    return (To(MAIL, person.email),) if person.email else ()


def _is_on_duty(person: Person) -> bool:
    return not isinstance(person, Callee) or person.on_duty


def _less(person: Person, channel: str) -> Person:
    """The same without a channel."""
    if isinstance(person, Callee):
        return replace(person, to=tuple(to for to in person.to if to.channel != channel))
    return replace(person, email=None) if channel == MAIL else person


def _of(people: Sequence[Person], own: Sequence[To], avoid: To | None) -> list[To]:
    everything = [to for person in people for to in _addresses(person)]
    reached = [to for to in dict.fromkeys([*everything, *own]) if to != avoid]
    if avoid is not None:
        reached = [to for to in reached if to.channel != avoid.channel] or reached
    return reached


def _belongs_to(to: To, people: Sequence[Person], names: Collection[str]) -> bool:
    """Whether everybody who has this address is one of these."""
    owners = [one for one in people if to in _addresses(one)]
    return bool(owners) and all(isinstance(one, Callee) and one.name in names for one in owners)


def _held(people: Sequence[Person], told: Collection[To]) -> dict[To, datetime]:
    """Until when an address is quiet: not at all where one of those who have it is not."""
    held: dict[To, datetime] = {}
    for to in told:
        until = [one.quiet_until if isinstance(one, Callee) else None for one in people if to in _addresses(one)]
        known = [at for at in until if at is not None]
        if known and len(known) == len(until):
            held[to] = min(known)
    return held


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
