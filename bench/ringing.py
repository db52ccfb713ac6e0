"""From a site's POST to the webhook of a physician, at four and at twenty reports a second, in both shapes.

Every report is serious and of another subject, so each rings. The time is measured by one clock: from the moment the
site begins to post to the moment the receiver has read the request. Beside it, in the same run, stands what a bare
POST to the same receiver takes: the figure is the ratio of the two, as both follow the machine.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from alerting.webhooks import add as add_webhook
from tests.flow.people import hospital, site
from tests.support.kafka_broker import Broker
from tests.support.postgres_server import NoPostgres, PostgresServer, find_programs
from tests.support.shapes import Shape, one_process, three_processes, wait_until
from tocsin.now import wall
from tocsin.store.engine import open_store

RATES, SECONDS = (4, 20), 30
"""Reports a second: more than a large trial sends in an hour, and a burst."""
STUDY = "NCT06223646"
WITHIN_S = 300.0


class Receiver(ThreadingHTTPServer):
    """Takes webhooks and keeps when the first one about each case was read."""

    daemon_threads = True

    def __init__(self) -> None:
        self.first: dict[str, float] = {}
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)


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


def measure(progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Milliseconds from POST to webhook, by shape, with their ratio to a bare POST; what was left out and why."""
    found: dict[str, Any] = {"seconds": SECONDS}
    with TemporaryDirectory() as folder:
        found["embedded_log_and_sqlite"] = _of(one_process(Path(folder)), progress)
    programs = find_programs()
    if isinstance(programs, NoPostgres):
        return {**found, "kafka_and_postgresql": {"left_out": programs.why}}
    with TemporaryDirectory() as folder, ExitStack() as outside:
        server = PostgresServer(programs)
        server.start()
        outside.callback(server.remove)
        broker = Broker(Path(folder) / "kafka")
        broker.start()
        outside.callback(broker.stop)
        shape = three_processes(Path(folder), bus=f"kafka://{broker.bootstrap}", database=server.fresh_database())
        found["kafka_and_postgresql"] = _of(shape, progress)
    return found


def _of(shape: Shape, progress: Callable[[str], None]) -> dict[str, Any]:
    with receiver() as hook:
        url = f"http://127.0.0.1:{hook.server_address[1]}/hook"
        shape.start()
        try:
            store = open_store(shape.databases["alerting"], "alerting")
            with store.transaction() as tx:
                add_webhook(tx, STUDY, "all", url, wall())
            store.close()
            first = iter(range(1, 1000))
            return {f"{rate}_a_second": _asked(shape, hook, url, rate, first, progress) for rate in RATES}
        finally:
            shape.end()


def _asked(
    shape: Shape, hook: Receiver, url: str, rate: int, subjects: Iterator[int], progress: Callable[[str], None]
) -> dict[str, Any]:
    feed = site(shape)
    number = rate * SECONDS
    with httpx.Client(timeout=30) as client, ThreadPoolExecutor(16) as posting:
        headers = {"Authorization": f"Bearer {feed.key}"}

        def post(n: int, due: float) -> tuple[str, float, float]:
            time.sleep(max(0.0, due - time.monotonic()))
            begun = time.monotonic()
            answer = client.post(f"{shape.intake}/v1/reports", json=hospital(f"S01-{n:03d}"), headers=headers)
            answer.raise_for_status()
            return answer.json()["case_id"], begun, time.monotonic() - begun

        # The first one pays for what is imported and made once.
        warm, _, _ = post(next(subjects), 0.0)
        wait_until(lambda: warm in hook.first, "the first report rings", WITHIN_S)
        begun = time.monotonic() + 0.5
        jobs = [posting.submit(post, next(subjects), begun + n / rate) for n in range(number)]
        sent = [job.result() for job in jobs]
        rung = sum(case in hook.first for case, _, _ in sent)
        progress(f"{number} reports are posted at {rate} a second, {rung} of them have rung")
        wait_until(lambda: all(case in hook.first for case, _, _ in sent), "every report has rung", WITHIN_S)
        took = [hook.first[case] - at for case, at, _ in sent]
        bare = []
        for n in range(200):
            at = time.monotonic()
            client.post(url, json={"data": {"case_id": f"bare-{n}"}})
            bare.append(time.monotonic() - at)
    figures = _figures(took)
    last = max(hook.first[case] for case, _, _ in sent) - begun
    return {
        "post_to_webhook_ms": figures,
        "post_to_receipt_ms": _figures([answered for _, _, answered in sent]),
        "bare_post_ms": _figures(bare),
        "ratio_of_medians": round(figures["median"] / _figures(bare)["median"], 1),
        "rung_per_second": round(number / last, 1),
    }


def _figures(seconds: list[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile and maximum, in milliseconds."""
    cut = statistics.quantiles(seconds, n=100)
    found = {"median": statistics.median(seconds), "p95": cut[94], "p99": cut[98], "max": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in found.items()}
