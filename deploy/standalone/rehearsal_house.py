"""A rehearsal house: the house, with a clock that stands, a door, and the two calls about time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from standalone import rehearsal_api
from standalone.rehearsal import Standing
from standalone.rehearsal_door import Door, Porter
from standalone.rehearsal_walk import Walk
from tocsin.bus.embedded import EmbeddedBus
from tocsin.errors import SettingsError
from tocsin.now import wall
from tocsin.web.app import Service, house
from tocsin.web.limits import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tocsin.bus.port import Bus


def rehearsing(
    services: Sequence[Service], bus: Bus, clock: Standing, *, signing_key: bytes, limits: Limits | None = None
) -> FastAPI:  # fmt: skip
    """The application that serves these services on standing time."""
    if not isinstance(bus, EmbeddedBus):
        raise SettingsError("a rehearsal runs on the embedded log: empty TOCSIN_BUS")
    door = Door()
    walk = Walk(clock, door, bus, services)
    app = house([*services, rehearsal_api.service(walk)], now=wall, signing_key=signing_key, limits=limits)
    app.title = "Tocsin REHEARSAL"
    app.add_middleware(Porter, door=door, now=clock)
    return app
