"""`tocsin rebuild alerting` into empty tables: messages a second of the whole command.

The log is made (`bench.made_log`), as read to its end by the service that was lost; its tables are made empty before
each time. The command reads the log, handles every message once more, and puts the tables in place. How much a message
costs depends on how much is known of its subject, so a shorter log is made twice: with few reports of each, and with
many.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from alerting.app import prepare
from alerting.rebuilding import AlertingWay
from bench import invented, made_log
from bench.harness import Progress
from bench.running import postgres
from standalone.rebuild_run import Outcome, run
from standalone.study_files import load_studies
from tocsin import observe, studies
from tocsin.bus.embedded import EmbeddedBus
from tocsin.messages.envelope import encode
from tocsin.messages.topics import all_topics
from tocsin.settings import Settings
from tocsin.store.engine import open_store

MESSAGES, SHORT, TIMES, STUDIES = 100_000, 5_000, 3, 20
FEW, MANY = 2, 20
"""Reports of one subject, beside its values, codings and follow-ups."""
_TOGETHER: Final = 2_000


def measure(progress: Progress = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """Messages a second by store and by reports of a subject: of the long log once, else the median of three."""
    observe.set_up("error", as_json=False)
    count, short, times = (300, 100, 1) if is_quick else (MESSAGES, SHORT, TIMES)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        files = [invented.study_file(folder, f"BENCH-{n:02d}") for n in range(STUDIES)]
        long = made(folder / "long", files, count, FEW)
        logs = {"few": made(folder / "few", files, short, FEW), "many": made(folder / "many", files, short, MANY)}
        progress(f"logs of {count:,} and {short:,} messages were made")
        found[f"sqlite_{count}_messages"] = _of(Settings(data=long, studies=files), 1, progress)
        for which, data in logs.items():
            found[f"sqlite_{which}_reports_of_a_subject"] = _of(Settings(data=data, studies=files), times, progress)
        server = stack.enter_context(postgres())
        if isinstance(server, str):
            return {**found, "postgresql": {"left_out": server}}
        settings = [Settings(data=logs["few"], studies=files, database=server.fresh_database()) for _ in range(times)]
        found["postgresql_few_reports_of_a_subject"] = _timed(settings, progress)
    return found


def made(data: Path, files: Sequence[Path], count: int, of_a_subject: int) -> Path:
    """A data folder whose log holds `count` messages, all of them read by alerting."""
    data.mkdir()
    protocols = list(studies.load(files).values())
    with EmbeddedBus(data / "log.db") as bus:
        bus.ensure(all_topics(6, 1))
        messages = made_log.messages(count, protocols, of_a_subject)
        while some := [encode(one) for one in islice(messages, _TOGETHER)]:
            bus.publish(some)
        for group, topics in AlertingWay.reads.items():
            with closing(bus.reader(group, topics)) as reader:
                while reader.lag():
                    if found := reader.read(_TOGETHER, 1.0):
                        reader.commit(found)
    return data


def _of(settings: Settings, times: int, progress: Progress) -> dict[str, Any]:
    return _timed([settings] * times, progress)


def _timed(given: Sequence[Settings], progress: Progress) -> dict[str, Any]:
    took, outcome = [], None
    for settings in given:
        emptied(settings)
        begun = time.perf_counter()
        outcome = run("alerting", settings, is_check=False)
        took.append(time.perf_counter() - begun)
        if outcome.failures or not outcome.in_place:
            raise RuntimeError(f"the rebuild failed: {outcome.failures[:3]}")
        progress(f"rebuilt {_handled(outcome):,} messages in {took[-1]:.1f} s")
    assert outcome is not None
    messages = _handled(outcome)
    return {
        "messages": messages,
        "seconds": round(statistics.median(took), 1),
        "messages_per_s": round(messages / statistics.median(took)),
        "rows": {one.table: one.after for one in outcome.tables if one.after},
    }


def emptied(settings: Settings) -> None:
    """The tables as a new service makes them."""
    if not settings.database:
        for left in settings.data.glob("alerting.db*"):
            left.unlink()
    store = open_store(settings.database_for("alerting"), "alerting")
    prepare(store, load_studies(settings.studies))
    store.close()


def _handled(outcome: Outcome) -> int:
    return sum(of["handled"] for of in outcome.log.values())
