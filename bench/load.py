"""The load: a process of its own that posts reports over kept connections, and says how long each answer took.

Closed loop: every connection sends its next report when the last one is answered. Requests are made beforehand; what is
done between two is to put a subject and an Idempotency-Key in place and to find the end of the answer, so that the
generator stays far quicker than what it measures. It says how much of a core it took.

    python -m bench.load < plan.json
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast

from bench import invented
from bench.harness import in_ms

DIFFERENT: Final = 1_000
"""How many different reports are made; they come again under other subjects and keys."""
_SUBJECT: Final = "S01-9999999"
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True, slots=True)
class Plan:
    """One round. `first`: the number of its first report, so that no two rounds send the same."""

    port: int
    path: str
    connections: int
    seconds: float
    warm_s: float
    first: int
    headers: dict[str, str] = field(default_factory=dict)


def run(plan: Plan) -> dict[str, Any]:
    """Post by this plan from another process: `requests_per_s`, `p50` to `max` in ms, and how much of a core it took.

    RuntimeError when an answer was other than 201: what is refused is not measured.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(plan)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    if found.pop("refused"):
        raise RuntimeError(f"http://127.0.0.1:{plan.port}{plan.path} answered other than 201: {done.stdout}")
    return found


class _Requests:
    """Gives one whole request after the other."""

    def __init__(self, plan: Plan) -> None:
        fixed = {"Host": f"127.0.0.1:{plan.port}", "Content-Type": "application/json", **plan.headers}
        head = f"POST {plan.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        self._parts = []
        for number in range(1, DIFFERENT + 1):
            body = json.dumps(invented.report(number, _SUBJECT), ensure_ascii=False).encode()
            before, after = body.split(_SUBJECT.encode())
            start = f"{head}Content-Length: {len(body)}\r\nIdempotency-Key: bench-".encode()
            self._parts.append((start, before, after))
        self._number = plan.first

    def next(self) -> bytes:
        self._number += 1
        start, before, after = self._parts[self._number % DIFFERENT]
        number = b"%07d" % self._number
        return b"".join((start, number, b"\r\n\r\n", before, b"S01-", number, after))


class _Connection(asyncio.Protocol):
    def __init__(self, requests: _Requests, took: list[tuple[float, float]], statuses: Counter[bytes]) -> None:
        self._requests, self._took, self._statuses = requests, took, statuses
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self._sent_at = 0.0
        self.is_ending = False
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        if self.is_ending:
            self._transport.close()
            return
        request = self._requests.next()
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._got, 0, end)
        if length is None:
            raise RuntimeError(f"an answer without a length: {self._got[:200]!r}")
        if len(self._got) < end + 4 + int(length[1]):
            return
        now = time.perf_counter()
        self._took.append((now, now - self._sent_at))
        self._statuses[self._got[9:12]] += 1
        self._got = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_ending:
            self._statuses[b"lost"] += 1
        self.ended.set_result(None)


async def _post(plan: Plan) -> dict[str, Any]:
    requests, took, statuses = _Requests(plan), list[tuple[float, float]](), Counter[bytes]()
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(plan.connections):
        _, one = await loop.create_connection(lambda: _Connection(requests, took, statuses), "127.0.0.1", plan.port)
        connections.append(one)
    await asyncio.sleep(plan.warm_s)
    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(plan.seconds)
    ended, cpu = time.perf_counter(), time.process_time() - cpu
    for one in connections:
        one.is_ending = True
    await asyncio.wait([one.ended for one in connections], timeout=30)
    kept = [seconds for at, seconds in took if begun <= at < ended]
    refused = {status.decode(): number for status, number in statuses.items() if status != b"201"}
    return {
        "requests_per_s": round(len(kept) / (ended - begun), 1),
        **in_ms(kept),
        "generator_core_share": round(cpu / (ended - begun), 3),
        "answered": len(took),
        "refused": refused,
    }


if __name__ == "__main__":
    import uvloop

    print(json.dumps(uvloop.run(_post(Plan(**json.load(sys.stdin))))))
