"""What runs inside a process of the house under fire: `tocsin` itself, on a time and of a release that are given.

The time is the machine's plus the seconds that stand in a file, read at every look: `tocsin.now.wall` is the only
source of time of a house. What another release reads and writes is told in `releases`. Nothing else is changed.
"""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tocsin.now
from chaos.releases import Release, become
from tests.support.warm import Forked, say_to, server


class Life(Forked):
    """A process of the house; what it says is added to `out` and `err`, and it works in the folder of `out`."""

    def __init__(
        self,
        words: Sequence[str],
        out: Path,
        err: Path,
        environment: Mapping[str, str],
        *,
        ahead: Path,
        release: Release = Release.TODAY,
    ) -> None:
        told = (list(words), str(out.absolute()), str(err.absolute()), dict(environment), str(ahead), release)
        context = server(os.pathsep.join(sys.path))
        self._process = context.Process(target=live, args=told, daemon=True)
        self._process.start()


def live(words: list[str], out: str, err: str, environment: dict[str, str], ahead: str, release: Release) -> None:
    """Be `tocsin` of a release with these words, in this environment."""
    os.chdir(Path(out).parent)
    say_to(out, err)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["tocsin", *words]
    become(release)
    tocsin.now.datetime = ahead_of_the_machine(Path(ahead))  # type: ignore[attr-defined]
    from standalone.__main__ import main

    main()


def ahead_of_the_machine(ahead: Path) -> Any:
    """`datetime.datetime`, whose `now` is so many seconds ahead as the file says."""
    file = os.open(ahead, os.O_RDONLY)

    class Datetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return datetime.datetime.now(tz) + datetime.timedelta(seconds=float(os.pread(file, 64, 0)))

    return Datetime


class Ahead:
    """The file, from outside. It is written in one piece, of one length: nobody reads half a number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds = 0.0
        self._write()

    def jump(self, seconds: float) -> None:
        """Time jumps: forwards, or back."""
        self.seconds += seconds
        self._write()

    def now(self) -> datetime.datetime:
        """The time of the house, UTC."""
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.seconds)

    def _write(self) -> None:
        text = f"{self.seconds:<63.3f}\n".encode()
        if not self.path.exists():
            self.path.write_bytes(text)
            return
        file = os.open(self.path, os.O_WRONLY)
        os.pwrite(file, text, 0)
        os.close(file)
