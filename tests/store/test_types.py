"""What goes into a column comes out of it, the same on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, delete, insert, select, text

from tocsin.store.engine import Store, open_store
from tocsin.store.types import Instant, Json, instant_text

things_meta = MetaData()
things = Table(
    "things", things_meta, Column("id", Integer, primary_key=True), Column("at", Instant), Column("data", Json)
)


@pytest.fixture
def things_store(any_database: Callable[[], str]) -> Iterator[Store]:
    store = open_store(any_database(), "things")
    with store.altering() as tx:
        things_meta.create_all(tx)
    yield store
    store.close()


def there_and_back(store: Store, **values: Any) -> Any:
    with store.transaction() as tx:
        tx.execute(delete(things))
        tx.execute(insert(things), values)
    with store.reading() as connection:
        return connection.execute(select(things)).one()


def test_an_instant_comes_back_in_utc(things_store: Store) -> None:
    noon_in_shanghai = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    row = there_and_back(things_store, at=noon_in_shanghai)
    assert row.at == datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)
    assert row.at.tzinfo is UTC


def test_an_instant_without_a_zone_is_refused(things_store: Store) -> None:
    with pytest.raises(Exception, match="has no time zone"):
        there_and_back(things_store, at=datetime(2026, 3, 2, 12, 0))  # noqa: DTZ001  the very thing


def test_instants_sort_by_time_whatever_zone_they_were_given_in(things_store: Store) -> None:
    early = datetime(2026, 3, 2, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    late = datetime(2026, 3, 2, 4, 0, 0, 1, tzinfo=UTC)
    with things_store.transaction() as tx:
        tx.execute(insert(things), [{"id": 1, "at": late}, {"id": 2, "at": early}])
    with things_store.reading() as connection:
        assert connection.scalars(select(things.c.id).order_by(things.c.at)).all() == [2, 1]
        assert connection.scalars(select(things.c.id).where(things.c.at > early)).all() == [1]


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_the_text_of_instants_sorts_as_they_do(one: datetime, other: datetime) -> None:
    assert (instant_text(one) < instant_text(other)) == (one < other)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(json_values)
def test_json_comes_back_as_it_went_in(things_store: Store, value: Any) -> None:
    assert there_and_back(things_store, data=value).data == value


@pytest.mark.parametrize("value", ["发热", "Köhler 37,5 °C", "backslash \\u0000 spelt out", 12345678901234567890, 0.1])
def test_json_keeps_what_people_write(things_store: Store, value: Any) -> None:
    assert there_and_back(things_store, data={"said": value}).data == {"said": value}
    assert there_and_back(things_store, data=value).data == value


def test_json_is_stored_as_it_reads(things_store: Store) -> None:
    there_and_back(things_store, data={"said": "发热"})
    with things_store.reading() as connection:
        assert "发热" in connection.scalars(text("SELECT CAST(data AS TEXT) FROM things")).one()


@pytest.mark.parametrize(
    ("value", "because"),
    [
        (Decimal("1.10"), "Decimal 1.10 has no JSON form"),
        (float("nan"), "Out of range float values"),
        (float("inf"), "Out of range float values"),
        (["a\0b"], "U\\+0000 cannot be kept"),
        ({"a\0b": 1}, "U\\+0000 cannot be kept"),
        ("\ud800", "surrogates not allowed"),
        (datetime(2026, 3, 2, tzinfo=UTC), "datetime has no JSON form"),
    ],
)
def test_json_refuses_the_same_things_on_both(things_store: Store, value: Any, because: str) -> None:
    with pytest.raises(Exception, match=because):
        there_and_back(things_store, data=value)


def test_no_json_is_sql_null(things_store: Store) -> None:
    there_and_back(things_store, id=1)
    there_and_back(things_store, data=None)
    with things_store.reading() as connection:
        assert connection.scalars(text("SELECT count(*) FROM things WHERE data IS NULL")).one() == 1
