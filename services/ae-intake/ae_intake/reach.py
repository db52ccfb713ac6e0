"""How far somebody sees: a site its own rows, a sponsor's feed its study, a person of the sponsor all.

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
"""Who may read cases at intake. A person of a site reads with the site's key: a login is bound to no site."""


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
    """Forbidden for a person who holds no reading role."""
    if isinstance(who, Machine):
        return Reach(who.key_id, who.study, who.site)
    if not who.roles & {role.value for role in READERS}:
        raise Forbidden(f"this needs the role {' or '.join(sorted(READERS))}")
    return Reach(who.name)
