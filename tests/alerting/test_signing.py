"""The electronic signature: two components, a meaning, and nothing of the password anywhere."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from alerting import accounts
from alerting.signing import DOES_NOT_FIT, Signature, SignatureFacts, check_signature
from tests.alerting.desk import every_word, trail
from tests.alerting.ward import NOON, Ward
from tocsin.errors import Forbidden, Unauthorised
from tocsin.web.identity import Person

PASSWORD = "a long and private sentence"
WRONG = "not the sentence of anybody"
LIN = Person("lin", frozenset({"safety_physician"}))


@pytest.fixture
def lin(any_house: Ward) -> Ward:
    with any_house.store.transaction() as tx:
        accounts.add(tx, "Lin", PASSWORD, ["safety_physician"], NOON)
    return any_house


def sign(house: Ward, password: str = PASSWORD, meaning: str = "approval", who: Person = LIN) -> Signature:
    given = SignatureFacts.model_validate({"password": password, "meaning": meaning})
    return check_signature(house.parts, who, given, house.at)


def refusal(house: Ward, password: str = WRONG, who: Person = LIN) -> str:
    with pytest.raises(Forbidden) as refused:
        sign(house, password, who=who)
    return refused.value.title


@pytest.mark.rule("21 CFR 11.50")
def test_a_signature_says_who_in_which_roles_when_and_in_which_meaning(lin: Ward) -> None:
    assert sign(lin, meaning=" review ") == Signature("lin", ("safety_physician",), "review", NOON)
    kept = sign(lin).as_json()
    assert kept == {
        "by": "lin",
        "roles": ["safety_physician"],
        "meaning": "approval",
        "at": "2026-05-14T04:00:00+00:00",
    }
    assert Signature.of(json.loads(json.dumps(kept))) == sign(lin)


@pytest.mark.rule("21 CFR 11.200")
def test_a_login_alone_signs_nothing(lin: Ward) -> None:
    assert refusal(lin) == DOES_NOT_FIT


def test_a_wrong_password_five_times_locks_and_is_told_in_the_same_words(lin: Ward) -> None:
    assert {refusal(lin) for _ in range(5)} == {DOES_NOT_FIT}
    assert refusal(lin, PASSWORD) == DOES_NOT_FIT, "the right one waits too, and nobody learns that it is right"
    lin.move(timedelta(seconds=30))
    assert sign(lin).by == "lin"


def test_wrong_signatures_and_wrong_logins_count_together(lin: Ward) -> None:
    for _ in range(4):
        refusal(lin)
    with pytest.raises(Unauthorised):
        accounts.sign_in(lin.store, "lin", WRONG, lin.at)
    assert refusal(lin, PASSWORD) == DOES_NOT_FIT


def test_a_lock_runs_out_by_the_machines_time_although_a_rehearsal_stands(lin: Ward) -> None:
    for _ in range(5):
        refusal(lin)
    lin.wall_at += timedelta(seconds=30)
    assert sign(lin).at == NOON


def test_who_has_no_account_any_more_does_not_sign(lin: Ward) -> None:
    assert refusal(lin, PASSWORD, who=Person("gone", frozenset({"safety_physician"}))) == DOES_NOT_FIT


def test_the_roles_of_the_account_count_and_not_those_of_an_old_login(lin: Ward) -> None:
    given = SignatureFacts.model_validate({"password": PASSWORD, "meaning": "approval"})
    with lin.store.transaction() as tx:
        accounts.reset(tx, "lin", PASSWORD, NOON, roles=["auditor"])
    with pytest.raises(Forbidden, match="this needs the role safety_physician"):
        check_signature(lin.parts, LIN, given, NOON, needs=frozenset({"safety_physician"}))


def test_a_refused_signature_is_in_the_audit_trail_with_a_name_and_without_the_password(lin: Ward) -> None:
    refusal(lin)
    sign(lin)
    (line,) = [line for line in trail(lin) if line["did"] == "signature refused"]
    assert (line["who"], line["about"]) == ("lin", "person lin")
    assert WRONG not in every_word(lin)
    assert PASSWORD not in every_word(lin)


@pytest.mark.parametrize(
    "wrong", [{"meaning": "approval"}, {"password": "", "meaning": "x"}, {"password": WRONG, "meaning": "  "},
              {"password": WRONG}, {"password": WRONG, "meaning": "x", "pin": WRONG}],
)  # fmt: skip
def test_what_lacks_a_part_is_refused_without_a_word_of_the_password(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(SignatureFacts).validate_python(wrong)
    assert WRONG not in str(refused.value)
    assert WRONG not in repr(TypeAdapter(SignatureFacts).validate_python({"password": WRONG, "meaning": "approval"}))
