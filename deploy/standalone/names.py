"""The names of the three services, as commands and schemas spell them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from tocsin.errors import SettingsError

ServiceName = Literal["intake", "coder", "alerting"]

SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)
"""In the order in which they start: who keeps facts before who reads them. Also the names of their schemas."""


def chosen(named: Sequence[str] | None) -> tuple[ServiceName, ...]:
    """The named services, all when none is named. SettingsError for a name that is none."""
    if not named:
        return SERVICES
    if unknown := [name for name in named if name not in SERVICES]:
        raise SettingsError(f"no service {', '.join(unknown)}; services are {', '.join(SERVICES)}")
    return tuple(service for service in SERVICES if service in named)
