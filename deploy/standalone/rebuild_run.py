"""One rebuild from beginning to end: what must hold first, the log handled, the tables compared and put in place.

Each refusal says what to do, and leaves everything as it was.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from standalone.folder import Folder
from standalone.names import ServiceName
from standalone.progress import progress
from standalone.rebuild_log import LogCopy, unread
from standalone.rebuild_replay import Replayed, follow_inbox, replay, topics_of
from standalone.rebuild_tables import Compared, StillInUse, compare, mark_of, new_words, put_in_place
from standalone.rehearsal import time_of
from standalone.stores import open_existing
from tocsin.bus import open_bus
from tocsin.bus.embedded import EmbeddedBus
from tocsin.errors import SettingsError
from tocsin.now import Now, wall
from tocsin.store.engine import open_store
from tocsin.store.outbox import Relay

if TYPE_CHECKING:
    from standalone.rebuild_replay import Way
    from tocsin.bus.port import Bus
    from tocsin.settings import Settings
    from tocsin.store.engine import Store

SCRATCH = "rebuild-"
"""How the folder of a scratch database begins; it holds patients' data and goes when the rebuild ends."""
_RELAY_S, _GOING_S = 20.0, 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rebuild found and did. `said_anew`: messages by topic that the log does not hold and the tables owe."""

    service: str
    is_check: bool
    in_place: bool
    log: dict[str, dict[str, int]]
    tables: tuple[Compared, ...]
    said_anew: dict[str, int]
    failures: tuple[str, ...]

    @property
    def differing(self) -> list[str]:
        return [table.table for table in self.tables if table.differs]

    @property
    def is_well(self) -> bool:
        return not self.failures and not (self.is_check and self.differing)


def run(service: ServiceName, settings: Settings, *, is_check: bool) -> Outcome:
    """Rebuild or compare. Raises TocsinError, saying what to do, when that is not possible; then nothing is changed."""
    with alone_with(service, settings) as (kept, bus, folder):
        way = _way(service, settings)
        _must_be_of_this_version(kept, way)
        _empty_the_outbox(kept, bus, is_check=is_check)
        return _rebuild(way, kept, bus, folder, time_of(settings), is_check=is_check)


@contextmanager
def alone_with(service: ServiceName, settings: Settings) -> Iterator[tuple[Store, Bus, Path]]:
    """The tables of a stopped service, the log, and a scratch folder. Raises TocsinError where somebody is at work."""
    with ExitStack() as stack:
        _must_be_there(settings)
        kept = stack.enter_context(open_existing(settings, service))
        at_home = None
        if not settings.database or settings.bus.startswith("embedded:"):
            at_home = stack.enter_context(Folder(settings.data)).path
        _must_be_stopped(kept)
        bus = stack.enter_context(open_bus(settings.bus, replication=settings.kafka_replication))
        yield kept, bus, stack.enter_context(_scratch_folder(at_home))


def _rebuild(way: Way, kept: Store, bus: Bus, folder: Path, now: Now, *, is_check: bool) -> Outcome:
    with ExitStack() as stack:
        log = stack.enter_context(LogCopy(folder / "log.db", is_ordered=isinstance(bus, EmbeddedBus)))
        with progress("reading the log") as told:
            log.read(bus, f"tocsin.rebuild.{way.service}", topics_of(way), told)
        # After the log: what others add meanwhile is then on neither.
        not_read = {consumer: unread(bus, consumer, topics) for consumer, topics in way.reads.items()}
        if gaps := log.gaps():
            gone = Replayed(failures=[f"{gap}: what is gone cannot be rebuilt" for gap in gaps])
            return _outcome(way, gone, is_check)
        scratch = open_store(f"sqlite:///{folder / f'{way.service}.db'}", way.service)
        stack.callback(scratch.close)
        with kept.reading() as before:
            mark = mark_of(before)
            if way.follows_its_inbox:
                follow_inbox(log, way, before)
            way.begin(scratch, log.records)
            with progress("rebuilding") as told:
                done = replay(log, way, scratch, before, not_read, told)
            if not done.failures:
                with scratch.altering() as tx:
                    done.failures += way.finish(tx, before)
            if done.failures:
                return _outcome(way, done, is_check)
            with scratch.reading() as rebuilt:
                tables = compare(before, rebuilt, way)
                anew = new_words(rebuilt, before, log)
        found = _outcome(way, done, is_check, tables, Counter(record.topic for _, record, _ in anew))
        if not is_check:
            put_in_place(kept, scratch, way, mark, anew, _for_the_trail(found), now())
        return found


def _outcome(
    way: Way, done: Replayed, is_check: bool, tables: Sequence[Compared] = (), said: Mapping[str, int] | None = None
) -> Outcome:
    log = {topic: {str(name): number for name, number in of.items()} for topic, of in done.topics.items()}
    in_place = not is_check and not done.failures
    return Outcome(way.service, is_check, in_place, log, tuple(tables), dict(said or {}), tuple(done.failures))


def _way(service: ServiceName, settings: Settings) -> Way:
    if service == "coder":
        from meddra_coder.rebuilding import CoderWay

        return CoderWay()
    from alerting.rebuilding import AlertingWay
    from standalone.study_files import load_studies

    return AlertingWay(load_studies(settings.studies), settings.public_url)


def _must_be_there(settings: Settings) -> None:
    log = Path(settings.bus.removeprefix("embedded:"))
    if settings.bus.startswith("embedded:") and not log.is_file():
        raise SettingsError(f"{log}: no such log; name the folder of `tocsin up` with --data, or set TOCSIN_BUS")


def _must_be_stopped(kept: Store) -> None:
    """On PostgreSQL: nobody else may be connected as this service. (A folder has a lock; a process is not asked.)"""
    if kept.dialect != "postgresql":
        return
    kept.close()  # Our own earlier connections would look like another's, and take a moment to go.
    until = time.monotonic() + _GOING_S
    while (others := _connected(kept)) and time.monotonic() < until:
        time.sleep(0.1)
    if others:
        raise StillInUse(
            f"{others} other connections to {kept.name} are of {kept.schema}: stop `tocsin serve {kept.schema}` and "
            "whatever command runs beside it, and begin again; nothing was changed"
        )


def _connected(kept: Store) -> int:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = :name AND pid <> pg_backend_pid()"
    )
    with kept.reading() as connection:
        return int(connection.execute(query, {"name": f"tocsin {kept.schema}"}).scalar_one())


def _must_be_of_this_version(kept: Store, way: Way) -> None:
    with kept.reading() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    if found != way.head:
        raise SettingsError(
            f"{kept.name} is at version {found}, this program rebuilds version {way.head}: start the service once with "
            "this program, which brings its tables up, and stop it again"
        )


def _empty_the_outbox(kept: Store, bus: Bus, *, is_check: bool) -> None:
    """What the service has said must be on the log before it is read. `--check` changes nothing, so it refuses."""
    relay = Relay(kept, bus, wall, name="rebuild relay")
    waiting = relay.pending()
    if waiting and is_check:
        raise SettingsError(
            f"{waiting} messages of {kept.schema} wait for the bus and are not on the log yet: start the service until "
            "they are sent, and stop it again. A check sends nothing"
        )
    until = time.monotonic() + _RELAY_S
    while relay.pending():
        if relay.turn() == 0:
            if time.monotonic() > until:
                raise StillInUse(f"messages of {kept.schema} wait for the bus and another relay holds them: stop it")
            time.sleep(0.2)


@contextmanager
def _scratch_folder(at_home: Path | None) -> Iterator[Path]:
    """Where the scratch database stands: in the data folder where there is one, whose lock says that we are alone."""
    for left in [] if at_home is None else at_home.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)  # of a rebuild that was killed
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=at_home) as made:
        yield Path(made)


def _for_the_trail(found: Outcome) -> dict[str, Any]:
    return {
        "tables": {t.table: {"before": t.before, "after": t.after} for t in found.tables},
        "differing": found.differing,
        "said_anew": found.said_anew,
    }
