"""Reports that wait together are kept at once: no row, receipt or message is another than one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from ae_intake import tables
from ae_intake.keeping import Sender
from ae_intake.receipts import Answer, scope_of
from ae_intake.taking import ReportInTurn, a_report, in_turn
from tests.intake import at_site
from tests.intake.at_site import an_event
from tests.support.houses import STUDY, protocols
from tocsin.errors import Conflict
from tocsin.store import tables as ledger
from tocsin.store.engine import Store, open_store
from tocsin.store.migrate import bring_up
from tocsin.store.writer import Writer
from tocsin.web.identity import Machine
from tocsin.web.reading import Sent, parse

SOON_S = 10
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SITE = Machine("key-1", STUDY, "S01")
WHOLE = {**tables.metadata.tables, "outbox": ledger.outbox, "audit": ledger.audit, "audit_head": ledger.audit_head}


@pytest.fixture
def fresh_store(any_database: Callable[[], str]) -> Iterator[Callable[[], Store]]:
    """Call it for an intake that holds nothing."""
    stores: list[Store] = []

    def fresh() -> Store:
        stores.append(open_store(any_database(), "intake"))
        bring_up(stores[-1], tables.metadata, migrations=str(tables.MIGRATIONS), head=tables.HEAD)
        return stores[-1]

    yield fresh
    for store in stores:
        store.close()


def work(key: str | None, facts: dict[str, Any], minute: int = 0) -> ReportInTurn:
    raw = json.dumps(facts).encode()
    sent, at = Sent(raw, parse(raw)), NOON + timedelta(minutes=minute)
    made = a_report(SITE, protocols()[STUDY], sent, Sender(SITE.key_id, at, raw.decode()))
    found = in_turn(scope_of(SITE, key, sent.digest("POST", "/v1/reports")), at, made)
    assert isinstance(found, ReportInTurn)
    return found


def a_morning() -> list[ReportInTurn]:
    """Complete ones, one that lacks much, likely duplicates of one another, and a request that is sent twice."""
    fatal = an_event(ref="AE-9", verbatim="sepsis", outcome="fatal", seriousness=["death"], grade={"ctcae": 5})
    bare = {"events": [{"verbatim": "headache", "serious": False}]}
    many = [an_event(ref=f"AE-{n}", verbatim=f"rash of place {n}", serious=False, seriousness=[]) for n in range(11)]
    reports: list[tuple[str | None, dict[str, Any]]] = [
        ("a", at_site.a_report()),
        ("b", at_site.a_report(fatal, subject="S01-002")),
        (None, at_site.a_report()),
        ("c", bare),
        ("b", at_site.a_report(fatal, subject="S01-002")),
        ("d", at_site.a_report(an_event(investigator_aware_at=None, end="2026-02-01"), subject="S01-003")),
        ("e", at_site.a_report(*many, subject="S01-004")),
        ("f", at_site.a_report(many[10], subject="S01-004", reporter={"name": "Nurse Example"})),
        ("g", at_site.a_report(an_event(nullified=True), subject="S01-001", reporter={"name": "Nurse Example"})),
    ]
    return [work(key, facts, minute) for minute, (key, facts) in enumerate(reports)]


def one_after_the_other(store: Store, works: Sequence[ReportInTurn]) -> list[Answer]:
    answers = []
    for one in works:
        with store.transaction() as tx:
            answers.append(one(tx))
    return answers


def at_once(store: Store, works: Sequence[ReportInTurn]) -> list[Answer]:
    with store.transaction() as tx:
        return ReportInTurn.together(tx, works)


def held(store: Store) -> dict[str, list[Any]]:
    with store.reading() as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for name, table in WHOLE.items()
        }


def test_what_is_kept_together_is_what_is_kept_one_after_the_other(fresh_store: Callable[[], Store]) -> None:
    alone, together = fresh_store(), fresh_store()
    answers = one_after_the_other(alone, a_morning())

    assert at_once(together, a_morning()) == answers
    assert [answer.is_replay for answer in answers] == [False, False, False, False, True, *[False] * 4]
    assert held(together) == held(alone)
    assert [row[0] for row in held(together)["cases"]] == [f"TOC-000{n}" for n in range(1, 9)]
    linked = {(row[1], row[2]) for row in held(together)["duplicate_links"]}
    assert linked == {("TOC-0003", "TOC-0001"), ("TOC-0007", "TOC-0006"), ("TOC-0008", "TOC-0001"),
                      ("TOC-0008", "TOC-0003")}  # fmt: skip


def test_a_group_sees_the_cases_and_the_keys_of_the_one_before(fresh_store: Callable[[], Store]) -> None:
    alone, together = fresh_store(), fresh_store()
    answers = one_after_the_other(alone, a_morning())

    assert at_once(together, a_morning()[:3]) + at_once(together, a_morning()[3:]) == answers
    assert held(together) == held(alone)


def test_one_in_conflict_harms_none_of_those_beside_it(fresh_store: Callable[[], Store]) -> None:
    store = fresh_store()
    writer = Writer(store, longest_s=SOON_S)
    works = [
        work("a", at_site.a_report()),
        work("a", at_site.a_report(subject="S01-002")),
        work("b", at_site.a_report(subject="S01-003")),
    ]
    futures = [writer.submit(one) for one in works]
    writer.start()
    receipts = [json.loads(futures[n].result(SOON_S).body)["case_id"] for n in (0, 2)]

    assert receipts == ["TOC-0001", "TOC-0002"]
    with pytest.raises(Conflict, match="used before with another request"):
        futures[1].result(SOON_S)
    writer.stop()
    assert [(row[0], row[4]) for row in held(store)["cases"]] == [("TOC-0001", "S01-001"), ("TOC-0002", "S01-003")]


def test_the_tables_are_written_once_for_all_of_them(fresh_store: Callable[[], Store]) -> None:
    """Nineteen reports of nineteen subjects take as many statements as two."""

    def statements(store: Store, count: int) -> list[str]:
        seen: list[str] = []

        def said(_: Connection, __: Any, statement: str, *___: Any) -> None:
            seen.append(statement.split(" (")[0].split(" WHERE")[0])

        works = [work(f"k{n}", at_site.a_report(subject=f"S01-{n:03d}")) for n in range(1, count + 1)]
        event.listen(store._writing, "before_cursor_execute", said)
        at_once(store, works)
        event.remove(store._writing, "before_cursor_execute", said)
        return seen

    few = statements(fresh_store(), 2)
    assert statements(fresh_store(), 19) == few
    assert len(few) == len(set(few))
