"""Alarms whose sender is killed, again and again, at every step of a delivery.

`python -m tests.flow.killed_deliveries --times 500`

A process with the real couriers and chores works on one database; a mail server and two receivers of webhooks, all
real, kill it with SIGKILL at a step that a seed chooses, or it is killed at a random moment. Then the next process
takes over, its clock beyond the lease. At the end one lives until nothing is owed, and what arrived is held against
the ledger. Some addresses refuse for good, so that dead letters are among the deliveries.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr
from sqlalchemy import select

from alerting import answers, handle, tables, timers, webhooks
from alerting.app import couriers_of, prepare
from alerting.chores import Chores
from alerting.delivery.ledger import LEASE
from alerting.parts import Parts
from tests.alerting.ward import FATAL, NOON, STUDY, report, without_doses
from tests.flow.killing_receivers import AT_RANDOM, REFUSES, STEPS, Trap, World, hook, mail_server
from tests.support.shapes import wait_until
from tests.support.warm import fork
from tocsin.domain.protocol import Protocol, Recipient
from tocsin.domain.words import Role
from tocsin.settings import Settings
from tocsin.store.engine import Store, open_store
from tocsin.workers import Worker

LONGEST_LIFE_S = 4.0
QUIET_LIFE_S = 120.0
DRAINED_EVERY = 10
SHOWN = 20
ONE_LIFE = LEASE + timedelta(seconds=1)


def served() -> dict[str, Protocol]:
    """The study with few people: a physician by mail and webhook, another whose address is gone, those in charge."""
    people = (
        Recipient(Role.SAFETY_PHYSICIAN, "Lin", "lin@sponsor.example"),
        Recipient(Role.SAFETY_PHYSICIAN, "Gone", REFUSES),
        Recipient(Role.SECOND_PHYSICIAN, "Qiao", "qiao@sponsor.example"),
        Recipient(Role.MEDICAL_DIRECTOR, "Zhou", "zhou@sponsor.example"),
        Recipient(Role.SAFETY_TEAM, "Wu", "wu@sponsor.example"),
        Recipient(Role.ADMINISTRATOR, "Admin", "admin@sponsor.example"),
    )
    return {STUDY: replace(without_doses()[STUDY], recipients=people)}


def parts_at(store: Store, life: int) -> Parts:
    """The house as a process of this life has it: its time goes on, and what another has claimed is free again."""
    begun = time.monotonic()

    def now() -> datetime:
        return NOON + life * ONE_LIFE + timedelta(seconds=time.monotonic() - begun)

    return Parts(store, served(), now, now, "https://tocsin.example")


def live(url: str, mail_port: int, life: int, data: str, until_done_s: float) -> None:
    """What a process does: send and ring on, until it is killed; the last one until nothing is owed for a while."""
    store = open_store(url, "alerting")
    parts = parts_at(store, life)
    smtp = f"smtp://127.0.0.1:{mail_port}?starttls=never"
    settings = Settings(data=Path(data), smtp_url=SecretStr(smtp), webhook_allow=["loopback"])
    chores, couriers = _Running([Chores(parts, every_s=0.02)]), _Running([*couriers_of(parts, settings)])
    if not until_done_s:
        # Until it is killed; and not for ever, where nobody is left to kill it.
        threading.Event().wait(10 * LONGEST_LIFE_S)
        return
    wait_until(lambda: not (_is_anything_to_send(store) or _is_a_timer_due(parts)), "nothing is owed", until_done_s)
    chores.stop()  # before the couriers: what it raised last is sent, too
    wait_until(lambda: not _is_anything_to_send(store), "everything is sent", until_done_s)
    couriers.stop()
    store.close()


class _Running:
    """Workers in threads of their own."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=one.run, args=(self._stop,), daemon=True) for one in workers]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)


def _is_anything_to_send(store: Store) -> bool:
    its = tables.deliveries.c
    with store.reading() as tx:
        return tx.scalars(select(its.id).where(its.state.in_(("pending", "sending"))).limit(1)).first() is not None


def _is_a_timer_due(parts: Parts) -> bool:
    with parts.store.reading() as tx:
        due = timers.next_due(tx)
    return due is not None and due <= parts.now()


@dataclass(frozen=True)
class Outcome:
    """What happened, and what of it must not have."""

    kills: int
    by_step: dict[str, int]
    alerts: int
    notices: int
    arrived: int
    twice: int
    dead: int
    wrong: tuple[str, ...]


def run(
    times: int, seed: int, folder: Path, *, url: str = "", progress: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Kill so many times; answers what arrived, held against the ledger."""
    draw = random.Random(seed)
    database = url or f"sqlite:///{folder}/alerting.db"
    store = open_store(database, "alerting")
    world = World(Trap())
    prepare(store, served())
    with _outside(world, store):
        # Every step once for each that many times over, in an order that the seed chooses.
        steps = [STEPS[n % len(STEPS)] for n in range(times)]
        draw.shuffle(steps)
        kills: Counter[str] = Counter()
        lives = count()
        for kill, step in enumerate(steps, 1):
            life = next(lives)
            _acknowledge(store, life, world)
            _report(parts_at(store, life), 1000 + 10 * life, draw.randint(1, 2))
            kills[_one_life(world, database, life, step, folder, draw)] += 1
            if kill % DRAINED_EVERY == 0:
                _drain(world, database, next(lives), folder)
                progress(f"{kill} of {times} kills, {len(world.arrived)} notices arrived")
        _drain(world, database, next(lives), folder)
        found = _held_against_the_ledger(store, world, kills)
    store.close()
    return found


def together(processes: int, reports: int, folder: Path, *, url: str = "") -> Outcome:
    """Several processes at once on one database, and nobody is killed; reports come in meanwhile."""
    database = url or f"sqlite:///{folder}/alerting.db"
    store = open_store(database, "alerting")
    world = World(Trap())
    prepare(store, served())
    with _outside(world, store):
        _report(parts_at(store, 0), 1000, reports)
        told = (database, world.mail_port, 0, str(folder), QUIET_LIFE_S)
        running = [fork(live, told, folder / f"process {n}") for n in range(processes)]
        _report(parts_at(store, 0), 5000, reports)
        codes = [one.wait(QUIET_LIFE_S + 30) for one in running]
        assert codes == [0] * processes, codes
        _drain(world, database, 2, folder)  # what came in after both had found nothing to do
        found = _held_against_the_ledger(store, world, Counter())
    store.close()
    return found


@contextmanager
def _outside(world: World, store: Store) -> Iterator[None]:
    """The receivers, and the webhooks to them."""
    with ExitStack() as outside:
        outside.enter_context(mail_server(world))
        for name, status in (("takes", 204), ("wants no more", 410)):
            outside.enter_context(hook(world, name, status))
            with store.transaction() as tx:
                where = f"http://127.0.0.1:{world.hook_ports[name]}/hook"
                webhooks.add(tx, STUDY, "safety_physician", where, NOON)
        yield


def _report(parts: Parts, first: int, number: int) -> None:
    """Deaths come in, numbered from `first` on: each is an alarm."""
    for n in range(first, first + number):
        with parts.store.transaction() as tx:
            message = report(FATAL, case=f"TOC-{n}", subject=f"S01-{n:05d}", at=parts.now())
            handle.on_report_received(message, tx, parts)


def _drain(world: World, database: str, life: int, folder: Path) -> None:
    """A process lives until nothing is owed: nobody kills every process for ever, or nothing could be sent."""
    world.trap.set("")
    code = fork(live, (database, world.mail_port, life, str(folder), QUIET_LIFE_S), folder / "quiet").wait(
        QUIET_LIFE_S + 30
    )
    assert code == 0, f"a process that nobody killed ended with {code}"


def _acknowledge(store: Store, life: int, world: World) -> None:
    """Whoever was reached answers, so that only what reached nobody yet rings on."""
    parts = parts_at(store, life)
    for alert_id in {one.alert_id for one in world.arrived} - world.answered:
        with store.transaction() as tx:
            answers.acknowledge(tx, parts, alert_id, "zhou", ["medical_director"], parts.now())
        world.answered.add(alert_id)


def _one_life(world: World, database: str, life: int, step: str, folder: Path, draw: random.Random) -> str:
    """A process lives until it is killed; answers at which step it was."""
    world.trap.set(step)
    process = fork(live, (database, world.mail_port, life, str(folder), 0.0), folder / "lives")
    world.trap.pid = process.pid
    if step == AT_RANDOM:
        time.sleep(draw.uniform(0.05, 0.6))  # the moment is what is drawn
        world.trap.kill()
    reached = world.trap.sprung.wait(LONGEST_LIFE_S)
    if not reached:
        world.trap.kill()
    process.wait(10)
    return step if reached else "nothing of that kind was left to send"


def _held_against_the_ledger(store: Store, world: World, kills: Counter[str]) -> Outcome:
    with store.reading() as tx:
        alerts = tx.execute(select(tables.alerts)).all()
        notices = {row.id: row for row in tx.execute(select(tables.notices))}
        deliveries = tx.execute(select(tables.deliveries)).all()
        tried = Counter(row.delivery_id for row in tx.execute(select(tables.attempts)))
        names = {str(row.id): row.url for row in tx.execute(select(tables.webhooks))}
    ports = {str(port): name for name, port in world.hook_ports.items()}
    who = {hook: ports[url.rpartition(":")[2].partition("/")[0]] for hook, url in names.items()}
    copies = Counter((one.notice_id, one.address) for one in world.arrived)
    reached = {one.alert_id for one in world.arrived}
    wrong = [f"alert {one.id} ({one.kind}) reached nobody" for one in alerts if one.id not in reached]
    ids = defaultdict(set)
    for came in world.arrived:
        if came.notice_id not in notices:
            wrong.append(f"{came.address} got {came.notice_id}, which is no notice")
        else:
            notice = notices[came.notice_id]
            ids[notice.alert_id, notice.step, notice.cause].add(came.notice_id)
            if notice.alert_id != came.alert_id:
                wrong.append(f"{came.notice_id} says it is about {came.alert_id}")
    wrong += [f"step {about[1]} of alert {about[0]} had {len(of)} ids" for about, of in ids.items() if len(of) > 1]
    for one in deliveries:
        address = who.get(one.address, one.address)
        got = copies[one.notice_id, address]
        if one.state not in ("delivered", "dead"):
            wrong.append(f"{one.channel} to {address} is still {one.state}")
        if one.state == "delivered" and not got:
            wrong.append(f"{one.channel} to {address} is said to be delivered, and nobody has it")
        if got > tried[one.id]:
            wrong.append(f"{address} got {got} copies of a notice of which {tried[one.id]} tries are kept")
    dead = [one for one in deliveries if one.state == "dead"]
    groups = {alert.group_key for alert in alerts if alert.kind == "delivery_failed" and alert.id in reached}
    wrong += [
        f"{one.channel} to {one.address} was given up and nobody was told"
        for one in dead
        if f"delivery_failed|{one.channel}|{one.address}" not in groups
    ]
    return Outcome(
        kills.total(), dict(sorted(kills.items())), len(alerts), len(notices), len(world.arrived),
        sum(number - 1 for number in copies.values()), len(dead), tuple(wrong),
    )  # fmt: skip


def main() -> int:
    """Run it and print what happened; exit code 1 when anything was lost."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--times", type=int, default=500, help="how many times it is killed")
    told.add_argument("--seed", type=int, default=None, help="the same seed kills at the same steps; none: a new one")
    told.add_argument("--database", default="", help="a PostgreSQL address; none: SQLite in a folder that is removed")
    asked = told.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    print(f"seed {seed}", file=sys.stderr)
    with TemporaryDirectory() as folder:
        found = run(
            asked.times, seed, Path(folder), url=asked.database, progress=lambda said: print(said, file=sys.stderr)
        )
    print(
        json.dumps(
            {"seed": seed, **vars(found), "wrong": [*found.wrong[:SHOWN]], "wrong_in_all": len(found.wrong)}, indent=2
        )
    )
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
