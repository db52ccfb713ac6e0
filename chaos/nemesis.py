"""What goes wrong, drawn from a seed: kills of the house's processes, and faults of everything that it stands on.

A `Step` is one fault with what heals it. Faults of those outside last over the steps that follow; everything else is
healed within its step, so that the next one meets a house that lives.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import func, select

from alerting import tables as alerting
from chaos.houses import READY_S, House
from chaos.outside import HOOK_FAULTS, MAIL_FAULTS, TAKES, Outside
from chaos.releases import Release, is_of_the_next
from tests.support.shapes import Process, wait_until
from tocsin.store.tables import outbox

KILL = "kill"
EVERYWHERE = ("mail fails", "webhook fails", "clock jumps", "rolling restart", "new version")
FAULTS = {
    "embedded": (*EVERYWHERE, "disk full"),
    "kafka": (
        *EVERYWHERE, "broker stops", "broker is killed", "broker pauses", "database restarts", "database is killed",
        "slow wires", "wires are cut", "a wire is silent",
    ),
}  # fmt: skip
BREATH_EVERY = 8
"""After so many kills the house is left alone for a moment: nobody may kill for ever, or nothing could be done."""
FARTHEST_S = 36 * 3600.0


def plan(kind: str, kills: int, faults: int, draw: random.Random) -> list[str]:
    """So many kills and faults, each kind of fault as often as the others, in an order that the seed gives."""
    of_kind = FAULTS[kind]
    steps = [KILL] * kills + [of_kind[n % len(of_kind)] for n in range(faults)]
    draw.shuffle(steps)
    return steps


@dataclass
class Nemesis:
    """Carries out a plan on one house. `done` counts its steps by name, and who ended by itself.

    `kills` and `others` count by kind: a step that stops the broker kills a process besides. `allow` lets those outside
    do a few things more, in the middle of a step that needs them.
    """

    house: House
    world: Outside
    draw: random.Random
    allow: Callable[[], None] = lambda: None
    done: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    others: int = 0

    def carry_out(self, steps: list[str], told: Callable[[int, str], None]) -> None:
        """Every step in its turn. `told` gets how many are done, and what was done last."""
        for number, step in enumerate(steps, 1):
            self._pause(0.1, 1.5)  # so that a kill falls into work, and not only into a start
            said = self._kill() if step == KILL else self._fault(step)
            self.done[said] += 1
            self.others += step != KILL
            if step == KILL and self.kills % BREATH_EVERY == 0:
                self._pause(1.0, 3.0)
            told(number, said)
        self.world.heal()
        self.house.heal()

    def _pause(self, least: float, most: float) -> None:
        time.sleep(self.draw.uniform(least, most))  # the moment of a fault is what the seed draws

    def _kill(self, *, wait: bool = True) -> str:
        """kill -9, and start again."""
        name = self.draw.choice(sorted(self.house.processes))
        process = self.house.processes[name]
        process.kill()
        self.kills += 1
        self._pause(0.0, 0.3)
        process.start()
        if wait:
            process.ready(READY_S)
        return f"{KILL} {name}"

    def _fault(self, name: str) -> str:
        deeds: dict[str, Callable[[], None]] = {
            "mail fails": self._mail, "webhook fails": self._hook, "clock jumps": self._clock,
            "rolling restart": self._roll, "new version": self._new_version, "disk full": self._disk,
            "broker stops": self._broker_stops, "broker is killed": self._broker_dies,
            "broker pauses": self._broker_pauses,
            "database restarts": self._database_restarts, "database is killed": self._database_dies,
            "slow wires": self._slow, "wires are cut": self._cut, "a wire is silent": self._silent,
        }  # fmt: skip
        deeds[name]()
        return name

    def _mail(self) -> None:
        """The mail server refuses from now on, or takes again."""
        self.world.mail.now = self.draw.choice(MAIL_FAULTS) if self.world.mail.now == TAKES else TAKES

    def _hook(self) -> None:
        self.world.hook.now = self.draw.choice(HOOK_FAULTS) if self.world.hook.now == TAKES else TAKES

    def _clock(self) -> None:
        """Mostly ahead, by minutes to a day and a half; sometimes back by seconds, as a corrected clock goes."""
        if self.draw.random() < 0.2:
            self.house.ahead.jump(-self.draw.uniform(0.1, 3.0))
        else:
            self.house.ahead.jump(self.draw.choice((60.0, 600.0, 3700.0, FARTHEST_S)) * self.draw.uniform(0.5, 1.0))

    def _roll(self) -> None:
        """One process after the other ends as it was asked to, and starts again."""
        for process in self.house.processes.values():
            self._stop(process)
            process.start()
            process.ready(READY_S)

    def _new_version(self) -> None:
        """One process after the other becomes the next release, writers first; then some are taken back.

        Writers first is the wrong order: who reads is older than who writes until its own turn comes. What was set
        aside meanwhile is put back when all are new, as the runbook says. Who is taken back reads what the others write
        and writes as before, beside them.
        """
        for name in self.house.processes:
            self._restart_as(name, Release.NEXT)
            self.allow()
            self._until_something_is_set_aside()
        self.house.put_back()
        wait_until(self._has_said_more, "the next release has said something", READY_S)
        names = sorted(self.house.processes)
        for name in self.draw.sample(names, self.draw.randint(1, len(names))):
            self._restart_as(name, Release.BETWEEN)
            self.allow()

    def _has_said_more(self) -> bool:
        with self.house.shape.reading("intake") as tx:
            last = tx.scalars(select(outbox.c.value).order_by(outbox.c.seq.desc()).limit(10)).all()
        return any(map(is_of_the_next, last))

    def _restart_as(self, name: str, release: Release) -> None:
        """Asked to end, or killed; then it starts as another release."""
        process = self.house.processes[name]
        if self.draw.random() < 0.3:
            process.kill()
            self.kills += 1
        else:
            self._stop(process)
        self.house.install(name, release)
        process.start()
        process.ready(READY_S)

    def _stop(self, process: Process) -> None:
        """It ends as it was asked to; an older reader may have ended at its limit of dead letters before."""
        code = process.stop()
        is_older = Release.NEXT in self.house.releases.values() and process.name not in self.house.releases
        assert code == 0 or (is_older and "DeadLetterLimit" in process.tail()), (
            f"{process.name} ended with {code}:\n{process.tail()}"
        )

    def _until_something_is_set_aside(self) -> None:
        """Where a reader is older than its writer: until it has met what it cannot read, or has ended by that."""
        older = [process for name, process in self.house.processes.items() if name not in self.house.releases]
        letters = select(func.count()).select_from(alerting.dead_letters)

        def is_set_aside() -> bool:
            return any(one.running and one.running.poll() is not None for one in older) or bool(
                self.house.shape.count("alerting", letters)
            )

        if older:
            wait_until(is_set_aside, "an older reader sets aside what a newer writer said", READY_S)

    def _disk(self) -> None:
        assert self.house.disk is not None
        pids = [process.running.pid for process in self.house.processes.values() if process.running is not None]
        self.house.disk.fill(pids)
        self._pause(0.5, 2.0)
        self.house.disk.free(pids)
        self._again_if_ended()

    def _broker_stops(self) -> None:
        assert self.house.broker is not None
        self.house.broker.stop()
        self._kill(wait=False)  # Who starts while the broker is away waits for it.
        self._pause(0.5, 2.0)
        self.house.broker.start()
        self._again_if_ended()

    def _broker_dies(self) -> None:
        assert self.house.broker is not None
        self.house.broker.kill()
        self._pause(0.1, 1.0)
        self.house.broker.start()
        self._again_if_ended()

    def _broker_pauses(self) -> None:
        assert self.house.broker is not None
        self.house.broker.pause()
        self._pause(1.0, 6.0)
        self.house.broker.resume()

    def _database_restarts(self) -> None:
        assert self.house.postgres is not None
        self.house.postgres.stop()
        self._pause(0.1, 1.0)
        self.house.postgres.start()
        self._again_if_ended()

    def _database_dies(self) -> None:
        assert self.house.postgres is not None
        self.house.postgres.kill()
        self._pause(0.1, 1.0)
        self.house.postgres.start()
        self._again_if_ended()

    def _slow(self) -> None:
        for wire in self.house.wires:
            wire.delay_s = self.draw.uniform(0.02, 0.15)
        self._pause(1.0, 3.0)
        self._heal_wires()

    def _cut(self) -> None:
        for _ in range(self.draw.randint(1, 4)):
            self.draw.choice(self.house.wires).cut()
            self._pause(0.05, 0.3)

    def _silent(self) -> None:
        self.draw.choice(self.house.wires).silence()
        self._pause(1.0, 5.0)
        self._heal_wires()

    def _heal_wires(self) -> None:
        for wire in self.house.wires:
            wire.heal()

    def _again_if_ended(self) -> None:
        """Who ended by a fault is started again, as a supervisor does; everybody must be ready before the next step."""
        for process in self.house.processes.values():
            if process.running is not None and process.running.poll() is not None:
                process.start()
                self.done[f"{process.name} ended by itself"] += 1
        for process in self.house.processes.values():
            process.ready(READY_S)
