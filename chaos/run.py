"""One seed, from an empty house to the verdict: histories under fire, peace, a clean replay, the check."""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from alerting import tables as alerting
from chaos.checker import Fault, check
from chaos.generator import LONGEST_S, Physician, Site
from chaos.houses import SITES, House, embedded, on_kafka
from chaos.lives import Life
from chaos.nemesis import Nemesis, plan
from chaos.observed import Observed, observe
from chaos.outside import outside
from chaos.record import Record
from chaos.releases import Release
from tests.support.shapes import wait_until
from tocsin.messages.topics import all_topics

SHAPES = {"embedded": embedded, "kafka": on_kafka}
QUIET_S = 240.0
LEAP_S = 1800.0
"""How far time leaps at the end when a delivery waits for its next try: nothing else of a run is waited for."""
CHECKED = ("coder", "alerting")


@dataclass(frozen=True)
class Outcome:
    """What happened under one seed. `faults` is what must be empty."""

    seed: int
    kind: str
    kills: int
    others: int
    done: Counter[str]
    reports: int
    revisions: int
    clocks: int
    alarms: int
    arrived: int
    newer: int
    """Messages that the next release wrote."""
    set_aside: int
    """How often a reader gave up a message that was too new for it."""
    took_s: float
    disk: str = ""
    faults: tuple[Fault, ...] = ()
    failed: str = ""
    """Why the run did not come to its end; then nothing was shown."""

    @property
    def is_well(self) -> bool:
        return not self.faults and not self.failed


DEEDS_A_STEP = 4
"""What each site does while the nemesis does one thing."""

Told = Callable[[int, int, str], None]
"""Progress: steps done, steps in all, what was done last."""


@dataclass
class _Threads:
    """Those who act from outside, each on a thread of its own."""

    actors: Sequence[Site | Physician]
    stop: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self.threads = [threading.Thread(target=one.run, args=(self.stop,), daemon=True) for one in self.actors]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """Each brings what it is about to its end. Raises what one of them failed by."""
        self.stop.set()
        for thread in self.threads:
            thread.join(LONGEST_S + 20)
            assert not thread.is_alive(), "somebody outside waits for an answer for ever"
        self.raise_failed()

    def raise_failed(self) -> None:
        for one in self.actors:
            if one.failed is not None:
                raise one.failed


def run(
    seed: int,
    kind: str,
    kills: int,
    faults: int,
    folder: Path,
    told: Told = lambda *_: None,
    *,
    is_answered_under_fire: bool = True,
    deeds_a_step: int = DEEDS_A_STEP,
) -> Outcome:
    """Kill so many times and break so much else; answers what was found. The folder keeps record and logs.

    `is_answered_under_fire`: the physician acts while all that goes on, and not only when it is quiet again.
    `deeds_a_step`: what each site may do while the nemesis does one thing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    record = Record(folder / "record.jsonl")
    with ExitStack() as stack:
        world = stack.enter_context(outside(record))
        house = stack.enter_context(SHAPES[kind](folder, world))
        nemesis = Nemesis(house, world, random.Random(f"{seed}/nemesis"))
        observed, failed = Observed(), ""
        try:
            with ExitStack() as actors:
                sites = [actors.enter_context(Site(house, record, site, seed)) for site in SITES]
                physician = actors.enter_context(Physician(house, record, seed))
                those: list[Site | Physician] = [*sites]
                if is_answered_under_fire:
                    those.append(physician)
                _under_fire(nemesis, those, record, plan(kind, kills, faults, nemesis.draw), deeds_a_step, told)
                _come_to_rest(house, physician)
                _end(house)
                while house.shape.what_waits():  # Something rang while it was asked to end.
                    house.heal()
                    _come_to_rest(house, physician)
                    _end(house)
            record.mark("at rest")
            observed = _at_rest(house)
        except Exception as error:  # noqa: BLE001  a run that did not end has shown nothing, and says so
            failed = f"{type(error).__name__}: {error}"
            (folder / "sessions.txt").write_text(_sessions(house), "utf-8")
        found = () if failed else tuple(check(record, observed))
        if (found or failed) and house.disk is not None:
            shutil.copytree(folder / "data", folder / "tables", ignore=shutil.ignore_patterns("ballast"))
        return Outcome(
            seed, kind, nemesis.kills, nemesis.others, nemesis.done,
            sum(one.what == "report" for one in record.sent),
            sum(one.what in ("report", "follow_up") for one in record.sent), len(observed.clocks),
            len(observed.alerts), len(record.arrived), observed.written_by[Release.NEXT],
            sum(letter.is_too_new for letter in observed.dead_letters), round(time.monotonic() - began, 1),
            house.disk.title if house.disk else "", found, failed,
        )  # fmt: skip


def _under_fire(
    nemesis: Nemesis, actors: Sequence[Site | Physician], record: Record, steps: list[str], deeds: int, told: Told
) -> None:
    outside_of_it = _Threads(actors)
    outside_of_it.start()

    def step(number: int, said: str) -> None:
        outside_of_it.raise_failed()
        record.mark(said)
        told(number, len(steps), said)
        allow()

    def allow() -> None:
        for one in actors:
            if isinstance(one, Site):
                one.allow(deeds)

    nemesis.allow = allow
    allow()
    try:
        nemesis.carry_out(steps, step)
    finally:
        outside_of_it.stop.set()
    outside_of_it.end()
    record.mark("peace")


def _end(house: House) -> None:
    """Every process ends as it should be ended."""
    for process in reversed(house.processes.values()):
        assert process.stop() == 0, f"{process.name} did not end as it was asked to:\n{process.tail()}"


def _at_rest(house: House) -> Observed:
    """What stands in the tables, and what a replay of the log gives."""
    rebuilt = {service: _replayed(house, service) for service in CHECKED}
    with ExitStack() as stack:
        observed = observe(house.shape.stores(stack), house.records([topic.name for topic in all_topics()]))
    observed.rebuilt = rebuilt
    return observed


def _come_to_rest(house: House, physician: Physician) -> None:
    """Until everything accepted was said, coded and judged, everything that rang was answered, and all was delivered.

    Where a delivery waits for its next try, time leaps to it.
    """

    def is_at_rest() -> bool:
        physician.acknowledge_all()
        if house.shape.is_quiet():
            return True
        if _waits_for_time(house):
            house.ahead.jump(LEAP_S)
        return False

    wait_until(is_at_rest, "the house came to rest", QUIET_S, lambda: _what_waits(house))


def _waits_for_time(house: House) -> bool:
    its = alerting.deliveries.c
    with house.shape.reading("alerting") as tx:
        soonest = tx.execute(select(func.min(its.next_attempt_at)).where(its.state == "pending")).scalar_one()
        sending = tx.execute(select(func.count()).where(its.state == "sending")).scalar_one()
    return not sending and soonest is not None and soonest > house.ahead.now()


def _what_waits(house: House) -> str:
    tails = "\n".join(f"{name}:\n{process.tail()[-1500:]}" for name, process in house.processes.items())
    return f"{house.shape.what_waits()}\n{tails}"


def _sessions(house: House) -> str:
    """Who is connected to the database, and who waits for whom: for whoever looks why a run did not end."""
    if house.postgres is None:
        return ""
    query = (
        "SELECT pid, pg_blocking_pids(pid) AS blocked_by, state, wait_event_type, wait_event, client_port,"
        " now() - xact_start AS lasts, left(query, 200) AS query"
        " FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    try:
        with house.shape.reading("intake") as connection:
            return "\n".join(str(dict(row._mapping)) for row in connection.execute(text(query)))
    except SQLAlchemyError as error:
        return str(error)


def _replayed(house: House, service: str) -> list[str]:
    """Which tables a replay of the log gives otherwise: `tocsin rebuild --check`, on the time of the house.

    It reads what every release has written.
    """
    process = next(iter(house.processes.values()))
    out, err = house.shape.folder / f"rebuild-{service}.json", house.shape.folder / f"rebuild-{service}.log"
    words = ["rebuild", service, "--check", "--json"]
    if house.kind == "embedded":
        words += ["--data", house.shape.environment["TOCSIN_DATA"]]
    environment = dict(process.environment)
    code = Life(words, out, err, environment, ahead=house.ahead.path, release=Release.NEXT).wait(QUIET_S)
    try:
        found = json.loads(out.read_text("utf-8"))
    except ValueError:
        return [f"the replay ended with {code}: {err.read_text('utf-8')[-1500:]}"]
    return [] if found["ok"] else [*found["differing"], *map(str, found["failures"])]
