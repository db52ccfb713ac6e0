"""The audit trail: append-only, chained, and honest about where it is broken."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, exc, func, insert, select, text, update

from tests.store.conftest import NOON, on_postgresql, on_sqlite
from tocsin.store import audit, tables
from tocsin.store.audit import Broken, Verified
from tocsin.store.engine import Store


def note(tx: Connection, about: str, **more: Any) -> None:
    audit.append(tx, at=NOON, who="site S01", did="report accepted", about=about, **more)


def trail_of(store: Store, rows: int) -> None:
    """A trail of cases 1 to `rows`, ten to a transaction."""
    for start in range(1, rows + 1, 10):
        with store.transaction() as tx:
            for number in range(start, min(start + 10, rows + 1)):
                note(tx, f"case {number}", study="NCT06223646", after={"grade": number})


def verified(store: Store) -> Verified | Broken:
    with store.reading() as connection:
        return audit.verify(connection)


def without_guards(store: Store, change: Callable[[Connection], object]) -> None:
    """As one who may do anything to the database would: drop the triggers, change it, put them back."""
    with store.altering() as tx:
        for table, name in _guards(tx):
            on = f" ON {table}" if store.dialect == "postgresql" else ""
            tx.execute(text(f"DROP TRIGGER {name}{on}"))
        change(tx)
        for statements in tables.GUARDS[store.dialect].values():
            for statement in statements:
                tx.execute(text(statement))


def _guards(tx: Connection) -> list[tuple[str, str]]:
    query = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
    if tx.dialect.name == "postgresql":
        query = "SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal"
    return [(row[0], row[1]) for row in tx.execute(text(query))]


def test_an_empty_trail_is_whole(store: Store) -> None:
    assert verified(store) == Verified(0, "0" * 64)


def test_the_hash_is_the_one_an_outsider_would_compute(store: Store) -> None:
    """By hand, so that an inspector can check a chain with any tool."""
    with store.transaction() as tx:
        note(tx, "case TOC-0031", study="NCT06223646", before=None, after={"ö": 1.5, "a": None}, reason="by phone")
    by_hand = (
        '{"about":"case TOC-0031","after":"{\\"a\\":null,\\"ö\\":1.5}","at":"2026-03-02T04:00:00.000000Z",'
        '"before":null,"did":"report accepted",'
        '"prev_hash":"0000000000000000000000000000000000000000000000000000000000000000",'
        '"reason":"by phone","seq":1,"study":"NCT06223646","who":"site S01"}'
    )
    assert verified(store) == Verified(1, hashlib.sha256(by_hand.encode()).hexdigest())


def test_many_pages_are_verified(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 7)
    trail_of(store, 35)
    assert isinstance(whole := verified(store), Verified)
    assert whole.rows == 35


def test_a_transaction_that_fails_leaves_no_line(store: Store) -> None:
    with pytest.raises(ValueError, match="half way"), store.transaction() as tx:  # noqa: PT012
        note(tx, "case 1")
        raise ValueError("half way")
    assert verified(store) == Verified(0, "0" * 64)


def test_a_savepoint_takes_its_own_lines_along(store: Store) -> None:
    with store.transaction() as tx:
        note(tx, "kept 1")
        with pytest.raises(ValueError, match="apart"), store.savepoint(tx):  # noqa: PT012
            note(tx, "gone 1")
            with store.savepoint(tx):
                note(tx, "gone 2")
            raise ValueError("apart")
        with store.savepoint(tx):
            note(tx, "kept 2")
            with pytest.raises(ValueError, match="inner"), store.savepoint(tx):  # noqa: PT012
                note(tx, "gone 3")
                raise ValueError("inner")
        note(tx, "kept 3")
    assert _about(store) == ["kept 1", "kept 2", "kept 3"]


def test_sqlalchemys_own_savepoints_do_so_too(store: Store) -> None:
    with store.transaction() as tx:
        note(tx, "kept 1")
        outer = tx.begin_nested()
        note(tx, "gone 1")
        inner = tx.begin_nested()
        note(tx, "gone 2")
        inner.commit()
        outer.rollback()
        with tx.begin_nested():
            note(tx, "kept 2")
            inner = tx.begin_nested()
            note(tx, "gone 3")
            inner.rollback()
    assert _about(store) == ["kept 1", "kept 2"]


def test_a_line_says_what_was_true_when_it_was_added(store: Store) -> None:
    grades = {"grade": 2}
    with store.transaction() as tx:
        note(tx, "case 1", after=grades)
        grades["grade"] = 5
    with store.reading() as connection:
        assert connection.scalars(select(tables.audit.c.after)).one() == '{"grade":2}'


@pytest.mark.parametrize("missing", ["who", "did", "about"])
def test_a_line_needs_who_did_what_to_what(store: Store, missing: str) -> None:
    line = {"who": "site S01", "did": "report accepted", "about": "case 1", missing: " "}
    with store.transaction() as tx, pytest.raises(ValueError, match=f"needs {missing}"):
        audit.append(tx, at=NOON, **line)


def test_only_a_stores_transaction_takes_lines(store: Store) -> None:
    with store.reading() as connection, pytest.raises(RuntimeError, match=r"not a Store\.transaction"):
        note(connection, "case 1")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET who = 'nobody' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_itself_refuses_changes(store: Store, change: str) -> None:
    trail_of(store, 3)
    with pytest.raises(exc.IntegrityError, match="append-only"), store.transaction() as tx:
        tx.execute(text(change))
    assert isinstance(verified(store), Verified)


@on_sqlite
def test_sqlite_refuses_to_replace(store: Store) -> None:
    trail_of(store, 3)
    replace = "INSERT OR REPLACE INTO audit SELECT *"
    with pytest.raises(exc.IntegrityError, match="append-only"), store.transaction() as tx:
        tx.execute(text(f"{replace} FROM audit WHERE seq = 2"))


@on_postgresql
def test_postgresql_refuses_to_truncate(store: Store) -> None:
    trail_of(store, 3)
    with pytest.raises(exc.IntegrityError, match="append-only"), store.transaction() as tx:
        tx.execute(text("TRUNCATE audit"))


ROWS = 12
A = tables.audit
H = tables.audit_head


def _row(tx: Connection, seq: int) -> dict[str, Any]:
    return dict(tx.execute(select(A).where(A.c.seq == seq)).one()._mapping)


def _alter(column: str, value: Any) -> Callable[[Connection, int], object]:
    return lambda tx, seq: tx.execute(update(A).where(A.c.seq == seq).values({column: value}))


def _rehash(tx: Connection, seq: int) -> None:
    """Alter a row and give it a hash that fits: the row after it gives it away."""
    row = _row(tx, seq) | {"who": "nobody"}
    fields = {name: value for name, value in row.items() if name != "hash"}
    fields["at"] = "2026-03-02T04:00:00.000000Z"
    tx.execute(update(A).where(A.c.seq == seq).values(who="nobody", hash=audit.hash_of(fields)))


def _swap(tx: Connection, seq: int) -> None:
    """This row and the last change places, with all that is in them."""
    one, other = _row(tx, seq), _row(tx, ROWS)
    tx.execute(delete(A).where(A.c.seq.in_([seq, ROWS])))
    tx.execute(insert(A), [one | {"seq": ROWS}, other | {"seq": seq}])


def _put_in(tx: Connection, seq: int) -> None:
    """One more row here, the later ones move up."""
    extra = _row(tx, seq) | {"about": "case 666"}
    for later in range(ROWS, seq - 1, -1):
        tx.execute(update(A).where(A.c.seq == later).values(seq=later + 1))
    tx.execute(insert(A), extra)


TAMPERINGS: dict[str, Callable[[Connection, int], object]] = {
    "who": _alter("who", "nobody"),
    "did": _alter("did", "report withdrawn"),
    "about": _alter("about", "case 666"),
    "at": _alter("at", NOON.replace(microsecond=1)),
    "study": _alter("study", "NCT00000000"),
    "no study": _alter("study", None),
    "before": _alter("before", "{}"),
    "after": _alter("after", '{"grade": 5}'),
    "reason": _alter("reason", ""),
    "prev_hash": _alter("prev_hash", "f" * 64),
    "hash": _alter("hash", "f" * 64),
    "missing": lambda tx, seq: tx.execute(delete(A).where(A.c.seq == seq)),
    "cut off here": lambda tx, seq: tx.execute(delete(A).where(A.c.seq >= seq)),
    "put in": _put_in,
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.sampled_from(sorted(TAMPERINGS)), st.integers(1, ROWS))
@pytest.mark.rule("promise: the audit cannot be changed unseen")
def test_any_single_tampering_is_found_at_its_row(store: Store, how: str, seq: int) -> None:
    if isinstance(verified(store), Verified) and _count(store) == 0:
        trail_of(store, ROWS)
    kept = _all(store)

    without_guards(store, lambda tx: TAMPERINGS[how](tx, seq))
    found = verified(store)

    without_guards(store, lambda tx: (tx.execute(delete(A)), tx.execute(insert(A), kept)))
    assert isinstance(found, Broken)
    assert found.seq == seq, found


@pytest.mark.parametrize(
    ("how", "first_broken", "why"),
    [
        (lambda tx: _swap(tx, 4), 4, "does not continue"),
        (lambda tx: _rehash(tx, 4), 5, "does not continue"),
        (lambda tx: _rehash(tx, ROWS), ROWS, "not the one that audit_head keeps"),
        (lambda tx: tx.execute(insert(A), _row(tx, 1) | {"seq": 0}), 0, "before the first"),
        (lambda tx: tx.execute(insert(A), _row(tx, 1) | {"seq": ROWS + 1}), ROWS + 1, "after the last"),
        (lambda tx: tx.execute(delete(A)), 1, "should end at 12"),
        (lambda tx: tx.execute(update(H).values(seq=ROWS + 1)), ROWS + 1, "should end at 13"),
        (lambda tx: tx.execute(update(H).values(hash="f" * 64)), ROWS, "not the one that audit_head keeps"),
        (lambda tx: tx.execute(delete(H)), ROWS + 1, "audit_head"),
    ],
    ids=["reordered", "rehashed", "last rehashed", "before", "after", "emptied", "head ahead", "head hash", "no head"],
)
def test_what_else_may_be_done_is_found_too(
    store: Store, how: Callable[[Connection], object], first_broken: int, why: str
) -> None:
    trail_of(store, ROWS)
    without_guards(store, how)
    found = verified(store)
    assert isinstance(found, Broken)
    assert found.seq == first_broken
    assert why in found.why


@on_sqlite  # PostgreSQL keeps its types.
@pytest.mark.parametrize("garbage", ["x'00ff'", "'yesterday'", "42"])
def test_a_cell_that_cannot_be_read_is_a_broken_link_and_no_crash(store: Store, garbage: str) -> None:
    trail_of(store, 3)
    without_guards(store, lambda tx: tx.execute(text(f"UPDATE audit SET at = {garbage} WHERE seq = 2")))
    found = verified(store)
    assert isinstance(found, Broken)
    assert found.seq == 2


def test_many_writers_keep_one_chain(open_ledger: Callable[[], Store]) -> None:
    """Six threads in two processes; each has locked rows of its own before the trail is written."""
    stores = [open_ledger(), open_ledger()]

    def write(worker: int) -> None:
        for number in range(15):
            with stores[worker % 2].transaction() as tx:
                note(tx, f"case {worker}-{number}")
                note(tx, f"case {worker}-{number} again")

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert isinstance(whole := verified(stores[0]), Verified)
    assert whole.rows == 180
    about = _about(stores[0])
    assert all(about[n] + " again" == about[n + 1] for n in range(0, 180, 2))


def _about(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.scalars(select(A.c.about).order_by(A.c.seq)))


def _count(store: Store) -> int:
    with store.reading() as connection:
        return connection.scalars(select(func.count()).select_from(A)).one()


def _all(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(select(A))]
