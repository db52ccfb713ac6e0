"""People, passwords, and what a stranger learns by trying: nothing."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from alerting import accounts
from alerting.tables import accounts as rows
from tests.alerting.ward import NOON, Ward
from tocsin.errors import Conflict, NotFound, Refused, Unauthorised
from tocsin.web.identity import Person

PASSWORD = "a long and private sentence"
SECOND = timedelta(seconds=1)


@pytest.fixture
def lin(house: Ward) -> Ward:
    with house.store.transaction() as tx:
        accounts.add(tx, "Lin", PASSWORD, ["safety_physician", "administrator"], NOON)
    return house


def test_a_person_signs_in_with_all_roles_whatever_the_case_of_the_name(lin: Ward) -> None:
    person = accounts.sign_in(lin.store, " LIN ", PASSWORD, NOON)
    assert person == Person("lin", frozenset({"safety_physician", "administrator"}))


def test_no_password_is_kept(lin: Ward) -> None:
    with lin.store.reading() as tx:
        (kept,) = tx.scalars(rows.select().with_only_columns(rows.c.password))
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in repr(lin.everything_kept())


@pytest.mark.usefixtures("real_passwords")
def test_a_hash_costs_what_rfc_9106_recommends_where_memory_is_short(house: Ward) -> None:
    """RFC 9106, section 4, second choice: 64 MiB of memory, three passes, four lanes."""
    with house.store.transaction() as tx:
        accounts.add(tx, "Lin", PASSWORD, ["safety_physician"], NOON)
    with house.store.reading() as tx:
        (kept,) = tx.scalars(rows.select().with_only_columns(rows.c.password))
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert accounts.sign_in(house.store, "Lin", PASSWORD, NOON).name == "lin"


def refusal(house: Ward, name: str, password: str, at: object = NOON) -> str:
    with pytest.raises(Unauthorised) as refused:
        accounts.sign_in(house.store, name, password, at)  # type: ignore[arg-type]
    return str(refused.value)


def test_a_wrong_name_a_wrong_password_and_a_lock_are_told_in_the_same_words(lin: Ward) -> None:
    said = {refusal(lin, "nobody", PASSWORD), refusal(lin, "lin", "wrong")}
    for _ in range(6):
        said.add(refusal(lin, "lin", "wrong"))
    said.add(refusal(lin, "lin", PASSWORD))
    assert len(said) == 1


def test_after_five_wrong_tries_the_right_password_waits_longer_each_time(lin: Ward) -> None:
    for _ in range(5):
        refusal(lin, "lin", "wrong")
    refusal(lin, "lin", PASSWORD, NOON + 29 * SECOND)
    assert accounts.sign_in(lin.store, "lin", PASSWORD, NOON + 30 * SECOND).name == "lin"
    for _ in range(5):
        refusal(lin, "lin", "wrong", NOON + 31 * SECOND)
    refusal(lin, "lin", "wrong", NOON + 62 * SECOND)
    refusal(lin, "lin", PASSWORD, NOON + 62 * SECOND + 59 * SECOND)
    assert accounts.sign_in(lin.store, "lin", PASSWORD, NOON + 62 * SECOND + 60 * SECOND).name == "lin"


def test_a_stranger_who_goes_on_trying_does_not_lock_a_person_out_for_ever(lin: Ward) -> None:
    for _ in range(40):
        refusal(lin, "lin", "wrong")
    assert accounts.sign_in(lin.store, "lin", PASSWORD, NOON + 30 * SECOND).name == "lin"


def test_an_unknown_name_takes_as_long_as_a_known_one(lin: Ward) -> None:
    def took(name: str) -> float:
        begun = time.perf_counter()
        refusal(lin, name, "wrong")
        return time.perf_counter() - begun

    took("nobody")
    known, unknown = min(took("lin") for _ in range(3)), min(took("nobody") for _ in range(3))
    assert 0.3 < unknown / known < 3


def test_a_reset_gives_a_new_password_and_lifts_the_lock(lin: Ward) -> None:
    for _ in range(6):
        refusal(lin, "lin", "wrong")
    with lin.store.transaction() as tx:
        accounts.reset(tx, "Lin", "another long sentence", NOON)
    assert accounts.sign_in(lin.store, "lin", "another long sentence", NOON).name == "lin"
    refusal(lin, "lin", PASSWORD)


@pytest.mark.parametrize(
    ("name", "password", "roles"),
    [
        ("wu", "short", ["coder"]),
        ("wu", PASSWORD, ["king"]),
        ("wu", PASSWORD, ["site"]),
        ("wu", PASSWORD, []),
        (" ", PASSWORD, ["coder"]),
    ],
)
def test_an_account_that_cannot_be_is_refused(house: Ward, name: str, password: str, roles: list[str]) -> None:
    with pytest.raises(Refused), house.store.transaction() as tx:
        accounts.add(tx, name, password, roles, NOON)


def test_a_name_is_given_once_and_only_a_known_one_is_reset(lin: Ward) -> None:
    with pytest.raises(Conflict), lin.store.transaction() as tx:
        accounts.add(tx, "LIN", PASSWORD, ["coder"], NOON)
    with pytest.raises(NotFound), lin.store.transaction() as tx:
        accounts.reset(tx, "wu", PASSWORD, NOON)


def test_signing_in_and_being_refused_stand_in_the_audit_trail_without_the_strangers_words(lin: Ward) -> None:
    accounts.sign_in(lin.store, "lin", PASSWORD, NOON)
    refusal(lin, "my password is hunter2", "x")
    trail = " ".join(lin.everything_kept()["audit"])
    assert "signed in" in trail
    assert "sign-in refused" in trail
    assert "hunter2" not in trail
