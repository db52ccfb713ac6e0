"""The tables come to be in two ways, and both give the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select, text

import alerting
from alerting.tables import HEAD, metadata, snapshots
from tests.store.same_schema import assert_same_schema
from tocsin.store import migrate
from tocsin.store.engine import open_store

STEPS = str(Path(alerting.__file__).parent / "migrations")


def test_the_migrations_give_what_the_tables_say(any_database: Callable[[], str]) -> None:
    assert_same_schema(any_database, metadata, migrations=STEPS, head=HEAD)


def test_reports_that_were_kept_before_say_what_they_are_about(any_database: Callable[[], str]) -> None:
    store = open_store(any_database(), "alerting")
    bodies = [
        ("TOC-0001", "report", '{"facts": {"kind": "product_event"}}'),
        ("TOC-0001", "coding", '{"facts": {"kind": "product_event"}}'),
        ("TOC-0002", "report", '{"facts": {"events": []}}'),
    ]
    kept = text(
        "INSERT INTO snapshots (case_id, source, revision, study, at, message_id, body)"
        " VALUES (:case_id, :source, 1, 'NCT06223646', '2026-05-14T04:00:00.000000Z', :message_id, :body)"
    )
    try:
        migrate.upgrade_from_empty(store, metadata, migrations=STEPS, head="0007")
        with store.transaction() as tx:
            for number, (case_id, source, body) in enumerate(bodies):
                message_id = f"0000000000000000000000000000000{number}"
                tx.execute(kept, {"case_id": case_id, "source": source, "message_id": message_id, "body": body})
        assert migrate.bring_up(store, metadata, migrations=STEPS, head=HEAD) == "upgraded"
        with store.reading() as connection:
            s = snapshots.c
            found = connection.execute(select(s.case_id, s.source, s.kind).order_by(s.case_id, s.source)).all()
        assert [tuple(row) for row in found] == [
            ("TOC-0001", "coding", None),
            ("TOC-0001", "report", "product_event"),
            ("TOC-0002", "report", None),
        ]
    finally:
        store.close()
