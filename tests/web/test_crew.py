"""Named loops: a crew stops in reverse order, wakes who sleeps, and names who does not end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tocsin.workers import Crew

LONG_S = 60.0


@dataclass
class Loop:
    """A worker that waits for its stop."""

    name: str
    ended: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        assert stop.wait(LONG_S)
        self.ended.append(self.name)


@dataclass
class Sleeping(Loop):
    """A worker that waits to be woken, and looks at its stop only then."""

    woken: threading.Event = field(default_factory=threading.Event)

    def wake(self) -> None:
        self.woken.set()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            assert self.woken.wait(LONG_S), "it was never woken"
            self.woken.clear()
        self.ended.append(self.name)


class Failing(Loop):
    """A worker that cannot work."""

    def run(self, stop: threading.Event) -> None:
        raise LookupError("no such topic")


@dataclass
class Deaf(Loop):
    """A worker that does not hear its stop."""

    heard: threading.Event = field(default_factory=threading.Event)

    def run(self, stop: threading.Event) -> None:
        assert self.heard.wait(LONG_S)


def test_a_crew_stops_in_reverse_order_and_wakes_who_sleeps() -> None:
    """Whoever writes for the others is started first, and must be there until they have ended."""
    ended: list[str] = []
    crew = Crew([Loop("writer", ended), Sleeping("relay", ended), Loop("consumer", ended), Sleeping("mail", ended)])
    crew.start()
    assert crew.stop(each_s=LONG_S / 2) == []
    assert ended == ["mail", "consumer", "relay", "writer"]
    assert crew.failed == {}


def test_who_does_not_hear_its_stop_is_named_and_holds_up_nobody_else() -> None:
    ended: list[str] = []
    deaf = Deaf("deaf")
    crew = Crew([Loop("writer", ended), deaf])
    crew.start()
    assert crew.stop(each_s=0.05) == ["deaf"]
    assert ended == ["writer"]
    deaf.heard.set()


def test_who_fails_is_remembered_with_its_error() -> None:
    crew = Crew([Failing("coder"), Loop("writer")])
    crew.start()
    crew.stop()
    assert {name: str(error) for name, error in crew.failed.items()} == {"coder": "no such topic"}
