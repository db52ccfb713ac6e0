"""Intake says a heartbeat with every beat that comes due, once, however many processes it has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from ae_intake.heartbeat import Heart
from ae_intake.tables import HEAD, MIGRATIONS, metadata
from tests.support.houses import Moment
from tocsin.messages.heartbeat import beat, beat_of, is_heartbeat, last_beat
from tocsin.store.engine import open_store
from tocsin.store.migrate import bring_up
from tocsin.store.tables import outbox

HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_beats_are_whole_hours_of_utc_for_all_machines() -> None:
    assert last_beat(NINE, HOUR) == NINE
    assert last_beat(NINE + timedelta(minutes=59, seconds=59), HOUR) == NINE
    assert last_beat(NINE - timedelta(microseconds=1), HOUR) == NINE - HOUR


def test_a_heartbeat_says_of_itself_which_it_is_and_is_the_same_from_everybody() -> None:
    one = beat(NINE, "ae-intake")
    assert one == beat(NINE, "ae-intake")
    assert one.id != beat(NINE + HOUR, "ae-intake").id
    assert is_heartbeat(one.study)
    assert beat_of(one.body.case_id) == NINE
    with pytest.raises(ValueError, match="'TOC-0031' is no heartbeat"):
        beat_of("TOC-0031")


def test_of_two_processes_one_says_the_beat_and_what_was_missed_is_not_made_up_for(
    any_database: Callable[[], str],
) -> None:
    store = open_store(any_database(), "intake")
    bring_up(store, metadata, migrations=str(MIGRATIONS), head=HEAD)
    moment = Moment(NINE + timedelta(minutes=20))
    first, second = Heart(store, moment, HOUR), Heart(store, moment, HOUR)
    assert [first.beat(), second.beat(), first.beat(), second.beat()] == [True, False, False, False]
    moment.pass_by(hours=5)
    assert [second.beat(), first.beat()] == [True, False]
    with store.reading() as tx:
        said = list(tx.scalars(select(outbox.c.key).order_by(outbox.c.seq)))
    assert [beat_of(key) for key in said] == [NINE, NINE + 5 * HOUR]
    store.close()
