"""From a site's POST of a death to the webhook of a physician, in both shapes, at 4, 20 and 100 reports a second.

Open loop: each report goes out at its moment whether or not those before were answered. Each is fatal and of another
subject, so each rings. By one clock, the time runs from when the post begins to when the receiver has read it.
Beside it stands the floor (`bench.floor`): the same hops with nothing in them, on the same log and databases.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx

from alerting.webhooks import add as add_webhook
from bench import invented
from bench.harness import Progress, in_ms, in_turn, medians
from bench.running import kafka, postgres, running, service, settings, site_keys
from tests.support.shapes import SERVICES, free_port, wait_until
from tocsin.now import wall
from tocsin.store.engine import open_store

STUDIES: Final = tuple(f"BENCH-{n:02d}" for n in range(1, 21))
"""The deaths come from twenty studies in turn: each sets a hold of its study, and every hold is looked at again."""
NOBODY: Final = "nobody"
"""The key of the floor, which asks for none."""
RATES: Final = {4: (10, 3), 20: (15, 3), 100: (5, 1)}
"""Deaths a second: for how many seconds, how often. What a house cannot keep up with waits, and is waited for."""
WARM: Final = 20
WITHIN_S: Final = 300.0


class Receiver(ThreadingHTTPServer):
    """Takes webhooks and keeps when the first one about each case was read."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        self.first: dict[str, float] = {}
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        case_id = json.loads(self.rfile.read(int(self.headers["content-length"])))["data"]["case_id"]
        with self.server.lock:
            self.server.first.setdefault(case_id, time.monotonic())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback."""
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@dataclass(frozen=True, slots=True)
class Side:
    """Where reports are posted, with a key for each study, and who is rung."""

    url: str
    keys: Sequence[str]
    hook: Receiver


def measure(progress: Progress = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """By shape and rate: milliseconds of the house and of the floor, and the ratio of their medians."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        found["embedded_log_and_sqlite"] = _of(_embedded(Path(folder), stack), progress, is_quick)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server, broker = stack.enter_context(postgres()), stack.enter_context(kafka(Path(folder) / "kafka"))
        if isinstance(server, str) or isinstance(broker, str):
            why = "; ".join(one for one in (server, broker) if isinstance(one, str))
            return {**found, "kafka_and_postgresql": {"left_out": why}}
        databases = [server.fresh_database() for _ in range(3)]
        sides = _three(Path(folder), f"kafka://{broker.bootstrap}", databases, stack)
        found["kafka_and_postgresql"] = _of(sides, progress, is_quick)
    return found


def _embedded(folder: Path, stack: ExitStack) -> dict[str, Side]:
    house = embedded_house(folder, stack)
    theirs = folder / "floor"
    theirs.mkdir()
    databases = [f"sqlite:///{theirs / name}.db" for name in ("front", "back")]
    hook = stack.enter_context(receiver())
    url = _floor("both", theirs, f"embedded:{theirs / 'log.db'}", databases, hook, stack)
    return {"tocsin": house, "floor": Side(url, [NOBODY], hook)}


def embedded_house(folder: Path, stack: ExitStack) -> Side:
    """`tocsin up` on a fresh folder, told of a receiver."""
    data = folder / "data"
    data.mkdir()
    house = stack.enter_context(service("up", folder, settings(data, study_files(folder))))
    hook = stack.enter_context(receiver())
    tell_of(f"sqlite:///{data / 'alerting.db'}", hook)
    return Side(house.url, site_keys(f"sqlite:///{data / 'intake.db'}", STUDIES), hook)


def study_files(folder: Path) -> list[Path]:
    return [invented.study_file(folder, study) for study in STUDIES]


def _three(folder: Path, bus: str, databases: list[str], stack: ExitStack) -> dict[str, Side]:
    ours, front, back = databases
    (folder / "data").mkdir()
    environment = settings(folder / "data", study_files(folder), TOCSIN_BUS=bus, TOCSIN_DATABASE=ours)
    urls = {name: stack.enter_context(service(name, folder, environment)).url for name in SERVICES}
    hook, theirs = stack.enter_context(receiver()), stack.enter_context(receiver())
    tell_of(ours, hook)
    _floor("back", folder, bus, [front, back], theirs, stack)
    url = _floor("front", folder, bus, [front, back], theirs, stack)
    return {"tocsin": Side(urls["intake"], site_keys(ours, STUDIES), hook), "floor": Side(url, [NOBODY], theirs)}


def _floor(role: str, folder: Path, bus: str, databases: list[str], hook: Receiver, stack: ExitStack) -> str:
    port = free_port()
    words = ["bench.floor", role, str(port), bus, *databases, hook.url]
    return stack.enter_context(running(words, port, folder, settings(folder, []), "/openapi.json")).url


def tell_of(database: str, hook: Receiver) -> None:
    """The receiver is rung for every study and level."""
    store = open_store(database, "alerting")
    with store.transaction() as tx:
        for study in STUDIES:
            add_webhook(tx, study, "all", hook.url, wall())
    store.close()


def _of(sides: dict[str, Side], progress: Progress, is_quick: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    numbers = iter(range(1, 1_000_000))
    for side in sides.values():  # The first pay for what is imported and made once.
        rung(side, 10, 0.5 if is_quick else WARM / 10, numbers)
    for rate, (seconds, rounds) in RATES.items():
        lasts = 3 if is_quick else seconds
        each = {name: partial(_round, side, rate, lasts, numbers) for name, side in sides.items()}
        measured = in_turn(each, 1 if is_quick else rounds)
        told = {name: medians(of) for name, of in measured.items()}
        found[f"{rate}_a_second"] = {**told, "p50_to_floor": round(told["tocsin"]["p50"] / told["floor"]["p50"], 2)}
        progress(f"{rate} deaths a second: {found[f'{rate}_a_second']}")
    return found


def _round(side: Side, rate: int, seconds: float, numbers: Iterator[int], _: int) -> dict[str, float]:
    return rung(side, rate, seconds, numbers)


def rung(side: Side, rate: int, seconds: float, numbers: Iterator[int]) -> dict[str, float]:
    """Post deaths at this rate and wait until each has rung: milliseconds from POST to webhook.

    AssertionError where one has not within five minutes.
    """
    with httpx.Client(timeout=60, limits=httpx.Limits(max_connections=32)) as client, ThreadPoolExecutor(32) as posting:

        def post(n: int, body: dict[str, Any], due: float) -> tuple[str, float]:
            headers = {"Authorization": f"Bearer {side.keys[n % len(side.keys)]}"}
            time.sleep(max(0.0, due - time.monotonic()))
            begun = time.monotonic()
            answer = client.post(f"{side.url}/v1/reports", json=body, headers=headers)
            answer.raise_for_status()
            return answer.json()["case_id"], begun

        count = max(1, round(rate * seconds))
        bodies = [invented.fatal(next(numbers)) for _ in range(count)]
        begun = time.monotonic() + 0.2
        jobs = [posting.submit(post, n, body, begun + n / rate) for n, body in enumerate(bodies)]
        sent = [job.result() for job in jobs]
        wait_until(lambda: all(case in side.hook.first for case, _ in sent), "every death has rung", WITHIN_S)
    return in_ms([side.hook.first[case] - at for case, at in sent])
