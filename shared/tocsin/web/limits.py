"""How fast one asker may ask: a bucket of tokens for each site key, each login, and each address that fails to sign in.

A bucket holds as many tokens as may be taken at once, and fills at a steady rate. Who finds it empty is refused (429)
with the whole seconds until there is a token again; nothing of the request was read or kept by then. Buckets are of
one process: three processes on one database let through three times as much.

Guessing a site key is hopeless, so a wrong one counts against nobody: a hospital's good key must not wait for a
neighbour behind the same address.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import State

from tocsin.errors import TocsinError, Unauthorised, Wrong
from tocsin.settings import Network, Settings
from tocsin.web.metrics import Measure
from tocsin.web.problems import TooMany

MOST_BUCKETS = 50_000
"""Of one kind. A stranger with more addresses than these gets no more memory, only others' half-filled buckets."""

_FEW = 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """How many a second in the long run, and how many at once. Nothing a second is no limit at all."""

    per_second: float
    at_once: int

    @property
    def is_free(self) -> bool:
        return self.per_second <= 0


FREE = Pace(0, 1)


class Buckets:
    """One bucket of tokens for each name. Time is an argument: seconds of any clock that never goes back.

    What is kept of a bucket is when it will be full again; a full one is not kept. Safe between threads.
    """

    def __init__(self, pace: Pace, most: int = MOST_BUCKETS) -> None:
        self.pace = pace
        self.refused = 0
        self._most = most
        self._full_at: dict[str, float] = {}
        self._look_at = _FEW
        self._lock = threading.Lock()

    def take(self, name: str, now_s: float) -> float:
        """Take one token: 0.0, or the seconds until there is one, when nothing was taken."""
        if self.pace.is_free:
            return 0.0
        each_s = 1 / self.pace.per_second
        with self._lock:
            full_at = max(self._full_at.get(name, now_s), now_s) + each_s
            wait_s = full_at - now_s - each_s * self.pace.at_once
            # Sums of fractions are a hair off: a token that is not there but for that is there.
            if wait_s > each_s * 1e-6:
                self.refused += 1
                return wait_s
            self._full_at[name] = full_at
            if len(self._full_at) > self._look_at:
                self._drop(now_s)
            return 0.0

    def give_back(self, name: str) -> None:
        """The token just taken was not used."""
        with self._lock:
            if name in self._full_at:
                self._full_at[name] -= 1 / self.pace.per_second

    def __len__(self) -> int:
        return len(self._full_at)

    def _drop(self, now_s: float) -> None:
        """Let go of the full ones; of too many others, of the fullest. So seldom that it costs a request nothing."""
        kept = {name: full_at for name, full_at in self._full_at.items() if full_at > now_s}
        half = self._most // 2
        if len(kept) > half:
            kept = {name: kept[name] for name in sorted(kept, key=kept.__getitem__, reverse=True)[:half]}
        self._full_at = kept
        self._look_at = min(max(_FEW, 2 * len(kept)), self._most)


@dataclass(frozen=True)
class Limits:
    """The limits of one house. `proxies`: networks whose word on the address of the client is believed."""

    keys: Buckets
    logins: Buckets
    failures: Buckets
    proxies: Sequence[Network] = ()
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def none(cls) -> Limits:
        """A house that lets everybody ask as fast as they can."""
        return cls(Buckets(FREE), Buckets(FREE), Buckets(FREE))

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """As the settings say."""
        failed = settings.failed_sign_ins
        return cls(
            Buckets(Pace(settings.rate_per_key, settings.burst_per_key)),
            Buckets(Pace(settings.rate_per_login, settings.burst_per_login)),
            Buckets(Pace(failed / 60, max(failed, 1))),
            settings.proxy_networks(),
        )

    def count_key(self, request: Request, key_id: str) -> None:
        """One request under a site key; TooMany when that is too fast."""
        then = "send the same again, with the same Idempotency-Key"
        self._count(request, self.keys, key_id, "requests with this key", then)

    def count_login(self, request: Request, login: str) -> None:
        """One request under a login; TooMany when that is too fast."""
        self._count(request, self.logins, login, "requests with this login", "ask again")

    @contextmanager
    def sign_in(self, request: Request) -> Iterator[None]:
        """One try to sign in from the address of the client, of which only a failed one counts; or TooMany.

        The token is taken before and given back after, so that tries at one time cannot all pass by the last token.
        """
        address = self.client(request)
        self._count(request, self.failures, address, "tries to sign in that failed from this address", "try again")
        try:
            yield
        except Unauthorised:
            raise
        except TocsinError:
            self._forgive(address)
            raise
        self._forgive(address)

    def client(self, request: Request) -> str:
        """The address that asks; of IPv6 the network of one household, in which addresses are for the taking.

        Behind proxies that are believed it is the last address in `X-Forwarded-For` that is none of them.
        """
        found = _address(request.client.host if request.client else "")
        said = [one for line in request.headers.getlist("x-forwarded-for") for one in line.split(",")]
        while said and found is not None and any(found in network for network in self.proxies):
            before = _address(said.pop())
            if before is None:
                break  # What no address is was not written by a proxy of ours.
            found = before
        if found is None:
            return "unknown"
        return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)

    def measures(self) -> Iterator[Measure]:
        """How many were refused, and of how many askers a bucket is kept."""
        for name, buckets in (("key", self.keys), ("login", self.logins), ("address", self.failures)):
            help_ = "Requests refused because one asker was too fast, by what was counted"
            yield Measure("too_fast", help_, buckets.refused, "counter", {"by": name})
        for name, buckets in (("key", self.keys), ("login", self.logins), ("address", self.failures)):
            yield Measure("buckets", "Askers whose bucket is not full, by what is counted", len(buckets), "gauge",
                          {"by": name})  # fmt: skip

    def _forgive(self, address: str) -> None:
        if not self.failures.pace.is_free:
            self.failures.give_back(address)

    def _count(self, request: Request, buckets: Buckets, name: str, what: str, then: str) -> None:
        wait_s = buckets.take(name, self.clock())
        if not wait_s:
            return
        after_s = max(1, math.ceil(wait_s))
        request.scope.setdefault("state", {})["retry_after"] = after_s  # The edge says it, whatever is answered.
        pace = buckets.pace
        often = f"{pace.per_second:g} a second" if pace.per_second > 1 else f"{pace.per_second * 60:g} a minute"
        raise TooMany(
            f"too many {what}: nothing was accepted. Wait {after_s} s, then {then}",
            [Wrong("", f"too many {what}", f"{often}, and {pace.at_once} at once; the next in {after_s} s")],
        )


def limits_of(request: Request) -> Limits:
    """The limits of the house that was asked."""
    state: State = request.app.state
    found: Limits = state.limits
    return found


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if found.version == 6 else None
    return mapped or found
