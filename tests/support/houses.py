"""A house in the test's own process: the real application on a real store and bus, asked without a socket.

Workers run; time is what the test says. `with in_process(...) as house: house.post(...)`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from tocsin import studies
from tocsin.bus.open import open_bus
from tocsin.bus.port import Bus
from tocsin.domain.protocol import Protocol
from tocsin.messages.topics import all_topics
from tocsin.settings import Settings
from tocsin.web.app import Service, house

PROTOCOLS = Path(__file__).parents[2] / "deploy" / "protocols"
STUDY, PILOT = "NCT06223646", "CDISCPILOT01"
SIGNING_KEY = b"a signing key of the tests, long enough"


@dataclass
class Moment:
    """A clock that stands until it is moved. Noon in Shanghai on 2 March 2026 to begin with."""

    at: datetime = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **much: float) -> None:
        self.at += timedelta(**much)


@cache
def protocols() -> dict[str, Protocol]:
    """Both studies of the project."""
    return studies.load(sorted(PROTOCOLS.glob("*.toml")))


@dataclass
class House:
    """A running house and one way to ask it. Answers are httpx responses."""

    app: FastAPI
    services: Sequence[Service]
    bus: Bus
    now: Moment
    _portal: BlockingPortal
    _client: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {**self.headers, **how.pop("headers", {})}

        async def request() -> httpx.Response:
            return await self._client.request(method, path, headers=headers, **how)

        return self._portal.call(request)

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("GET", path, **how)

    def post(self, path: str, body: Any, **how: Any) -> httpx.Response:
        headers = {"Content-Type": "application/json", **how.pop("headers", {})}
        return self.ask("POST", path, content=json.dumps(body), headers=headers, **how)

    def as_key(self, key: str) -> House:
        """The same house, asked with this key or token."""
        headers = {**self.headers, "Authorization": f"Bearer {key}"}
        return House(self.app, self.services, self.bus, self.now, self._portal, self._client, headers)


@contextmanager
def in_process(
    folder: Path,
    build: Sequence[Callable[..., Service]],
    *,
    now: Moment | None = None,
    database: str = "",
    bus: Bus | None = None,
    served: Mapping[str, Protocol] | None = None,
    without: Collection[str] = (),
    heartbeat_minutes: int = 0,
) -> Iterator[House]:
    """The services of these `build` functions as one running house on `folder`, without the workers so named.

    It does not beat unless a test asks for it: what is on the log is what the test has put there.
    """
    settings = Settings(
        data=folder, database=database, partitions=2, signing_key=SIGNING_KEY.decode(),
        heartbeat_minutes=heartbeat_minutes,
    )  # fmt: skip
    moment = now or Moment()
    carrier = bus or open_bus(settings.bus)
    carrier.ensure(all_topics(settings.partitions, 1))
    services = [one(settings, served or protocols(), carrier, now=moment) for one in build]
    services = [replace(s, workers=[w for w in s.workers if w.name not in without]) for s in services]
    app = house(services, now=moment, signing_key=SIGNING_KEY)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://house")
        yield House(app, services, carrier, moment, portal, client)
        portal.call(client.aclose)
    if bus is None:
        carrier.close()
