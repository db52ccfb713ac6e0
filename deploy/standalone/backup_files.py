"""A copy of a house at one instant, taken while it runs: its three databases and its log, cut at the same moment.

Databases and log tell of one another: what an outbox says was sent is on the log, and what a reader has committed was
handled. Files copied one after the other would break that, whichever came first: a position that is ahead of its
tables skips messages for good. So for a moment nobody may write to any of the four, in that moment a snapshot of each
is begun, and from these snapshots the copies are made while the house goes on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from standalone.names import SERVICES
from standalone.rehearsal import MARK
from tocsin.errors import SettingsError, StoreAway, TocsinError

LOG: Final = "log.db"
SUMS: Final = "SHA256SUMS"
BESIDE: Final = ("signing.key", MARK)
"""Small files of a data folder without which a house is not the same."""
TURN_S: Final = 30.0
"""How long the moment is looked for in which nobody writes."""
ONE_TRY_S: Final = 0.5
"""How long one try may hold up the house. Everything in it waits longer than that before it calls a file away."""
_PAUSE_S = 0.1
_DAMAGED = (
    "{name} is damaged: {said}. It is so in the house, too: see docs/runbook.md, and keep the last backup that is whole"
)
_PAGES = 2_000
_CHUNK = 1 << 20


class NotWhole(TocsinError):
    """What was written is not what a backup must be; nothing is left of it."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One file of a backup. `bytes` is its size, `sha256` its hash in hex."""

    name: str
    bytes: int
    sha256: str


def sources_of(data: Path, log: Path) -> dict[str, Path]:
    """The files to be copied, by the name of the copy. SettingsError when one is not there."""
    found = {f"{service}.db": data / f"{service}.db" for service in SERVICES} | {LOG: log}
    for path in found.values():
        if not path.is_file():
            raise SettingsError(
                f"{path}: no such database; name the folder of `tocsin up` with --data (the house must have been "
                "started once)"
            )
    return found


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that becomes `target` when the block is left without an error, and else is removed.

    So there is a whole backup under that name or none, whoever is killed when. SettingsError when something is there.
    """
    target = target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise SettingsError(f"{target} is not empty, and a backup never overwrites: name a new folder")
    os.umask(0o077)  # It holds patients' data and every secret of the house: the owner's alone.
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", suffix=".part", dir=target.parent))
    except OSError as error:
        raise SettingsError(f"{target}: {error.strerror}; name a folder that may be made") from None
    try:
        yield part
        _flush(part)
        part.rename(target)
        _flush(target.parent)
    except OSError as error:
        raise NotWhole(
            f"{target}: {error.strerror or error}; nothing is left of this backup, the house is as it was"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def copy_at_one_instant(sources: Mapping[str, Path], to: Path, *, turn_s: float = TURN_S) -> float:
    """Copy each database into the folder `to`; answers for how many seconds nobody could write.

    StoreAway when no moment was found in which nobody writes: nothing is copied then.
    """
    with ExitStack() as stack:
        snapshots = {name: stack.enter_context(closing(_open(path))) for name, path in sources.items()}
        with _damage_named("a database"):
            held_s = _begin_together(list(sources.values()), list(snapshots.values()), turn_s)
        for name, snapshot in snapshots.items():
            with closing(sqlite3.connect(to / name, isolation_level=None)) as copy, _damage_named(name):
                # The open transaction is the snapshot: the pages of all steps are of that instant.
                snapshot.backup(copy, pages=_PAGES)
    return held_s


def copy_beside(data: Path, to: Path) -> None:
    """The small files. After the databases: the mark of a rehearsal is never behind what was stamped."""
    for name in BESIDE:
        if (data / name).is_file():
            shutil.copyfile(data / name, to / name)


def must_be_sound(folder: Path, names: Sequence[str]) -> None:
    """Read every page of each copy, as SQLite itself checks it. NotWhole names what is damaged."""
    for name in names:
        with closing(sqlite3.connect(folder / name, isolation_level=None)) as copy, _damage_named(name):
            answers = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(5)")]
            broken = copy.execute("PRAGMA foreign_key_check").fetchone()
        if answers != ["ok"] or broken is not None:
            said = "; ".join(answers) if answers != ["ok"] else f"a row of {broken[0]} names what is not in {broken[2]}"
            raise NotWhole(_DAMAGED.format(name=name, said=said))


@contextmanager
def _damage_named(name: str) -> Iterator[None]:
    """SQLite finds some damage while it reads, before it is asked for it."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise NotWhole(f"{name} could not be copied: {error}; nothing is left of this backup") from error
        raise NotWhole(_DAMAGED.format(name=name, said=error)) from error


def seal(folder: Path) -> list[Copied]:
    """Write every file down to the disk, and their hashes beside them, as `sha256sum --check` reads them."""
    found = []
    for path in sorted(folder.iterdir()):
        _flush(path)
        found.append(Copied(path.name, path.stat().st_size, _sha256(path)))
    sums = folder / SUMS
    sums.write_text("".join(f"{one.sha256}  {one.name}\n" for one in found), encoding="ascii")
    _flush(sums)
    return found


def _begin_together(paths: Sequence[Path], snapshots: Sequence[sqlite3.Connection], turn_s: float) -> float:
    """Begin a snapshot of each at one instant: while the right to write to every one of them is ours."""
    until = time.monotonic() + turn_s
    while True:
        with ExitStack() as held:
            begun = time.monotonic()
            if all(_is_ours(held.enter_context(closing(_open(path))), begun + ONE_TRY_S) for path in paths):
                for snapshot in snapshots:
                    snapshot.execute("BEGIN")
                    snapshot.execute("SELECT count(*) FROM sqlite_master").fetchone()  # It begins with the first read.
                return time.monotonic() - begun
        if time.monotonic() > until:
            raise StoreAway(
                f"for {turn_s:g} s there was no moment in which nobody wrote; nothing was copied: try again"
            )
        time.sleep(_PAUSE_S)


def _is_ours(lock: sqlite3.Connection, until: float) -> bool:
    """Whether we got the right to write to it in time."""
    # Asked again and again: SQLite's own wait sleeps up to 100 ms a turn, while others already wait for us.
    while True:
        try:
            lock.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode or 0) & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > until:
                return False
            time.sleep(0.001)
        else:
            return True


def _open(path: Path) -> sqlite3.Connection:
    """Only a file that is there: `rw`, because a reader beside a write-ahead log must be able to lock it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=0)


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
