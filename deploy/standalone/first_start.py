"""The first start of `tocsin up`: one site key and one desk login, made and told once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from standalone.stores import open_existing

if TYPE_CHECKING:
    from sqlalchemy import Table

    from tocsin.domain.protocol import Protocol
    from tocsin.now import Now
    from tocsin.settings import Settings
    from tocsin.store.engine import Store

FIRST_USER = "admin"
FIRST_ROLES = frozenset(
    ("administrator", "safety_physician", "second_physician", "medical_director", "medical_reviewer", "safety_team",
     "coder")
)  # fmt: skip


def first_start(settings: Settings, studies: Mapping[str, Protocol], now: Now) -> list[str]:
    """Make what is missing to begin with; answers the lines to print. Nothing at any later start."""
    return [*_first_key(settings, studies, now), *_first_login(settings, now)]


def _first_key(settings: Settings, studies: Mapping[str, Protocol], now: Now) -> list[str]:
    from ae_intake.keys import create_key
    from ae_intake.tables import keys

    protocol = _first_study(studies)
    site = protocol.sites[0].id
    with open_existing(settings, "intake") as store:
        if not _is_empty(store, keys):
            return []
        with store.transaction() as tx:
            key = create_key(tx, protocol.id, site, now(), by="first start")
    return ["", f"A key for site {site} of {protocol.id}, shown once:", f"  {key}"]


def _first_study(studies: Mapping[str, Protocol]) -> Protocol:
    """The study that escalates a dose if there is one: it is what this house is for."""
    return next((p for p in studies.values() if p.dlt is not None), next(iter(studies.values())))


def _first_login(settings: Settings, now: Now) -> list[str]:
    from alerting.accounts import add
    from alerting.tables import accounts

    with open_existing(settings, "alerting") as store:
        if not _is_empty(store, accounts):
            return []
        password = secrets.token_urlsafe(12)
        with store.transaction() as tx:
            add(tx, FIRST_USER, password, FIRST_ROLES, now(), who="first start")
    return ["", "A login for the desk, shown once:", f"  name {FIRST_USER}, password {password}"]


def _is_empty(store: Store, table: Table) -> bool:
    with store.reading() as tx:
        return not tx.execute(select(func.count()).select_from(table)).scalar_one()
