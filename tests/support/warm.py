"""`tocsin` as a process of its own that need not import everything anew: forked from one that has, and has coded once.

For the many tests that need a running house and not its start. What is about starting, ending or being killed takes
`tests.standalone.processes`, where the interpreter starts from nothing as it does for people.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import TemporaryDirectory
from typing import Any

_PRELOADED = "tests.support.warmed"


class Forked:
    """A running process, with what `subprocess.Popen` has of it. Both files grow.

    It reads the file `given`, else nothing, and works in `folder`, else in that of `out`.
    """

    def __init__(
        self, words: Sequence[str], out: Path, err: Path, environment: Mapping[str, str],
        given: Path | None = None, folder: Path | None = None,
    ) -> None:  # fmt: skip
        settings = dict(environment)
        where = str(folder or out.absolute().parent)
        told = (list(words), str(given or os.devnull), str(out.absolute()), str(err.absolute()), where, settings)
        self._process: ForkServerProcess = server(settings["PYTHONPATH"]).Process(target=_run, args=told, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        pid = self._process.pid
        assert pid is not None
        return pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise TimeoutExpired(str(self._process.name), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


def run(
    words: Sequence[str], environment: Mapping[str, str], *, cwd: Path | None = None, stdin: str = "",
    timeout: float = 180,
) -> CompletedProcess[str]:  # fmt: skip
    """One command to its end, as `subprocess.run` would have it run; TimeoutExpired, and it is killed, when it is late.

    It works in the folder `cwd`, or in this process's.
    """
    with TemporaryDirectory() as folder:
        given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
        for path, text in ((given, stdin), (out, ""), (err, "")):
            path.write_text(text, "utf-8")
        running = Forked(words, out, err, environment, given, (cwd or Path.cwd()).absolute())
        try:
            code = running.wait(timeout)
        except TimeoutExpired:
            running.kill()
            raise
        return CompletedProcess(["tocsin", *words], code, out.read_text("utf-8"), err.read_text("utf-8"))


class _Function(Forked):
    """A function of a test in a process of its own."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], out: Path) -> None:
        self._process = server(os.pathsep.join(sys.path)).Process(
            target=_call, args=(target, args, str(out.absolute())), daemon=True
        )
        self._process.start()


def fork(target: Callable[..., None], args: tuple[Any, ...], out: Path) -> Forked:
    """Run a function in a process that has imported everything; what it says is added to the file `out`."""
    return _Function(target, args, out)


@cache
def server(path: str) -> ForkServerContext:
    """The process that others are forked from: one for each process of tests, started when it is first asked for."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOADED])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = path
    try:
        first = context.Process(target=_nothing)
        first.start()
        first.join()
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before
    assert first.exitcode == 0
    return context


def _nothing() -> None:
    assert _PRELOADED in sys.modules, "what is forked from has imported nothing: each start would pay for it again"


def _call(target: Callable[..., None], args: tuple[Any, ...], out: str) -> None:
    say_to(out, out)
    target(*args)


def say_to(out: str, err: str) -> None:
    for path, number in ((out, 1), (err, 2)):
        to = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(to, number)
        os.close(to)


def _run(words: list[str], given: str, out: str, err: str, folder: str, environment: dict[str, str]) -> None:
    os.chdir(folder)
    say_to(out, err)
    sys.stdin = open(given, encoding="utf-8")  # noqa: SIM115  read until the process ends
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["tocsin", *words]
    from standalone.__main__ import main

    main()
