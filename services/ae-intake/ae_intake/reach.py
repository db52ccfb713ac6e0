"""How far somebody sees: a site and its people its own rows, a sponsor's feed its study, a person of the sponsor all.

What is out of reach looks exactly like what is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table

from tocsin.domain.words import Role
from tocsin.errors import Forbidden
from tocsin.web.identity import Machine, Person

READERS = frozenset(Role) - {Role.SITE, Role.COMMITTEE, Role.CELL_LAB}
"""Who of the sponsor may read cases at intake."""


@dataclass(frozen=True, slots=True)
class Reach:
    """None means any."""

    who: str
    study: str | None = None
    site: str | None = None

    def within(self, query: Select[Any], table: Table) -> Select[Any]:
        """The query, for the rows in reach only."""
        if self.study is not None:
            query = query.where(table.c.study == self.study)
        if self.site is not None:
            query = query.where(table.c.site == self.site)
        return query


def reach_of(who: Machine | Person) -> Reach:
    """Forbidden for a person who holds no reading role, and for one of a site of whom it is not known which."""
    if isinstance(who, Machine):
        return Reach(who.key_id, who.study, who.site)
    if Role.SITE in who.roles or who.study is not None or who.site is not None:
        sender = sender_for(who)
        return Reach(sender.key_id, sender.study, sender.site)
    if not who.roles & {role.value for role in READERS}:
        raise Forbidden(f"this needs the role {' or '.join(sorted(READERS))}")
    return Reach(who.name)


def sender_for(who: Person) -> Machine:
    """A person of a site as the sender of what they report: bound to that site as its key is, under their own name.

    Forbidden when the person is of no site.
    """
    if Role.SITE not in who.roles or who.study is None or who.site is None:
        raise Forbidden("this is for people of a site: the administrator says of which")
    return Machine(who.name, who.study, who.site)
