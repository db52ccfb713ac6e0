"""The pages of people: who may let whom in, what is shown once, and that what has ended has ended."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from alerting import accounts
from tests.alerting import pages_desk
from tests.alerting.desk import PASSWORD, every_word, trail
from tests.alerting.visitor import Door, Visitor, refused_to, words
from tests.alerting.ward import Ward, studies
from tocsin.errors import Unauthorised

OTHERS = ("safety_physician", "second_physician", "medical_director", "medical_reviewer", "safety_team", "coder",
          "committee", "cell_lab", "auditor")  # fmt: skip
HERE, ONE, ME = "/desk/people", "/desk/people/one", "/desk/me"
NEW = "another long sentence"


@pytest.fixture
def door(house: Ward) -> Door:
    return Door(house)


@pytest.fixture
def boss(door: Door) -> Visitor:
    return door.visitor("boss", "administrator")


def roles_of(door: Door, name: str) -> list[str]:
    with door.ward.store.reading() as tx:
        return next(sorted(one.roles) for one in accounts.known(tx) if one.name == name)


def did(door: Door) -> list[tuple[str, str, str]]:
    """Who did what to which person, without the signing in."""
    lines = [(row["who"], row["did"], row["about"]) for row in trail(door.ward)]
    return [line for line in lines if line[0] != "command line" and line[1] != "signed in"]


def test_only_an_administrator_sees_people(door: Door) -> None:
    door.person("site person", "safety_team")
    refused_to(door, HERE, ["administrator"], ["administrator", *OTHERS])


@pytest.mark.parametrize("deed", ["add", "roles", "password", "unlock", "sessions", "close"])
def test_only_an_administrator_changes_people(door: Door, deed: str) -> None:
    refused_to(door, f"{HERE}/{deed}", [], ["safety_physician", "medical_director", "auditor"], name="wu", reason="x")


def test_a_person_who_was_added_signs_in_with_the_password_that_was_typed(door: Door, boss: Visitor) -> None:
    answer = boss.sends(
        HERE, f"{HERE}/add", ("role", "coder"), ("role", "auditor"), name=" Wu  Li ", password=NEW, again=NEW
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ONE}?name=wu+li&said=added")
    assert "Added. They may sign in now." in boss.sees(answer.headers["location"])
    assert roles_of(door, "wu li") == ["auditor", "coder"]
    Visitor(door.app, "Wu Li").signs_in(NEW)
    assert did(door)[0] == ("boss", "person added", "person wu li")


def test_a_password_that_was_made_is_shown_once_and_is_nowhere_else(door: Door, boss: Visitor) -> None:
    answer = boss.sends(HERE, f"{HERE}/add", role="coder", name="wu", make="yes")
    assert answer.status_code == 200
    assert "This is shown once." in words(answer)
    (password,) = re.findall(r'class="secret mono" tabindex="0">([a-z0-9-]+)<', answer.text)
    assert len(password) == 24
    assert password not in boss.opened(f"{ONE}?name=wu").text
    assert password not in every_word(door.ward)
    Visitor(door.app, "wu").signs_in(password)


def test_a_person_of_a_site_is_of_a_site_that_a_study_file_has(door: Door, boss: Visitor) -> None:
    how = {"name": "gao", "password": NEW, "again": NEW, "role": "site"}
    assert boss.sends(HERE, f"{HERE}/add", **how, site="NCT06223646|S99").status_code == 422
    assert boss.sends(HERE, f"{HERE}/add", **how).status_code == 422
    assert boss.sends(HERE, f"{HERE}/add", **how, site="NCT06223646|S01").status_code == 303
    assert "NCT06223646, S01" in boss.sees(HERE)


def test_a_refusal_says_where_and_keeps_all_that_was_typed_but_passwords(boss: Visitor) -> None:
    answer = boss.sends(HERE, f"{HERE}/add", ("role", "coder"), name="wu", password="short one", again="short one")
    assert answer.status_code == 422
    assert "/password : the password is too short. Allowed: at least 12 characters" in words(answer)
    assert 'name="name" required autocomplete="username" maxlength="200" value="wu"' in answer.text
    assert 'value="coder" checked' in answer.text
    assert "short one" not in answer.text
    differ = boss.sends(HERE, f"{HERE}/add", role="coder", name="wu", password=NEW, again=f"{NEW}.")
    assert "the two passwords differ" in words(differ)
    assert "wu" not in re.findall(r"name=(\w+)\"", boss.opened(HERE).text)


def test_a_form_of_another_person_session_or_address_changes_nothing(door: Door, boss: Visitor) -> None:
    door.person("wu", "coder")
    action = f"{HERE}/close"
    mine = {"name": "wu", "reason": "left"}
    other = door.visitor("second boss", "administrator")
    same_person_elsewhere = door.again("boss")
    for token in (
        other.token(f"{ONE}?name=wu", action),
        same_person_elsewhere.token(f"{ONE}?name=wu", action),
        boss.token(f"{ONE}?name=wu", f"{HERE}/roles"),
        "令牌",
        "",
    ):
        answer = boss.ask("POST", action, {**mine, "token": token})
        assert answer.status_code == 403
        assert "This form was not from this page. Nothing was changed" in words(answer)
    good = boss.token(f"{ONE}?name=wu", action)
    assert (
        boss.ask("POST", action, {**mine, "token": good}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    )
    with door.ward.store.reading() as tx:
        assert "wu" in accounts.names(tx)
    assert boss.ask("POST", action, {**mine, "token": good}).status_code == 303


def test_sessions_that_an_administrator_ends_are_refused_at_once(door: Door, boss: Visitor) -> None:
    wu, again = door.visitor("wu", "coder"), door.again("wu")
    for one in (wu, again):
        one.opened(ME)
    assert "Signed in 2" in boss.sees(f"{ONE}?name=wu")
    boss.sends(f"{ONE}?name=wu", f"{HERE}/sessions", name="wu")
    for one in (wu, again):
        assert one.ask("GET", ME).status_code == 401
    assert door.again("wu").ask("GET", ME).status_code == 200
    assert ("boss", "sessions ended", "person wu") in did(door)


@pytest.mark.parametrize(
    ("deed", "how"),
    [
        ("roles", {"role": "auditor", "of_roles": "yes"}),
        ("password", {"password": NEW, "again": NEW}),
        ("close", {"reason": "left the company"}),
    ],
)
def test_other_roles_another_password_and_closing_end_sessions_at_once(
    door: Door, boss: Visitor, deed: str, how: dict[str, str]
) -> None:
    wu = door.visitor("wu", "coder")
    wu.opened(ME)
    answer = boss.sends(f"{ONE}?name=wu", f"{HERE}/{deed}", name="wu", **how)
    assert answer.status_code == 303
    assert wu.ask("GET", ME).status_code == 401


def test_a_closed_account_opens_to_nobody_until_it_has_a_new_password(door: Door, boss: Visitor) -> None:
    door.person("wu", "coder")
    assert boss.sends(f"{ONE}?name=wu", f"{HERE}/close", name="wu", reason=" ").status_code == 422
    boss.sends(f"{ONE}?name=wu", f"{HERE}/close", name="wu", reason="left")
    with pytest.raises(Unauthorised):
        accounts.sign_in(door.ward.store, "wu", PASSWORD, door.ward.at)
    assert "wu may not sign in any more" in boss.sees(f"{ONE}?name=wu")
    boss.sends(f"{ONE}?name=wu", f"{HERE}/password", name="wu", password=NEW, again=NEW)
    assert Visitor(door.app, "wu").signs_in(NEW).opened(ME)


def test_the_last_administrator_is_neither_closed_nor_made_something_else(door: Door, boss: Visitor) -> None:
    page = f"{ONE}?name=boss"
    for deed, how in (("close", {"reason": "tired"}), ("roles", {"role": "auditor", "of_roles": "yes"})):
        answer = boss.sends(page, f"{HERE}/{deed}", name="boss", **how)
        assert answer.status_code == 409
        assert "boss is the last administrator: add another first" in words(answer)
    assert 'value="tired"' in boss.sends(page, f"{HERE}/close", name="boss", reason="tired").text
    assert roles_of(door, "boss") == ["administrator"]
    door.person("wu", "administrator")
    assert boss.sends(page, f"{HERE}/roles", name="boss", role="auditor", of_roles="yes").status_code == 303


def test_a_lock_is_shown_and_lifted(door: Door, boss: Visitor) -> None:
    door.person("wu", "coder")
    for _ in range(5):
        with pytest.raises(Unauthorised):
            accounts.sign_in(door.ward.store, "wu", "wrong", door.ward.wall_at)
    assert "2 people may sign in, 1 locked out for now." in boss.sees(HERE)
    answer = boss.sends(f"{ONE}?name=wu", f"{HERE}/unlock", name="wu")
    assert answer.status_code == 303
    assert Visitor(door.app, "wu").signs_in().opened(ME)
    assert "locked out" not in boss.sees(HERE)
    assert ("boss", "account unlocked", "person wu") in did(door)


def test_a_hostile_name_is_a_name(door: Door, boss: Visitor) -> None:
    name = "<script>alert(1)</script>/../x?&\"'"
    answer = boss.sends(HERE, f"{HERE}/add", role="coder", name=name, password=NEW, again=NEW)
    assert answer.status_code == 303
    for path in (HERE, answer.headers["location"]):
        page = boss.opened(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;/../x?&amp;&#34;&#39;" in page
    assert boss.sends(answer.headers["location"], f"{HERE}/close", name=name, reason="<b>x").status_code == 303


def test_of_several_studies_a_page_tells_the_time_in_the_zone_that_its_frame_names(house: Ward) -> None:
    house.studies = studies()
    assert [study.receiver_zone.key for study in house.studies.values()] == ["America/New_York", "Asia/Shanghai"]
    with house.store.transaction() as tx:
        accounts.add(tx, "boss", PASSWORD, ["administrator"], datetime(2026, 5, 20, 17, 30, tzinfo=UTC))
    boss = pages_desk.Visitor(house, "boss", ["administrator"])
    for path in (HERE, f"{ONE}?name=boss"):
        said = words(boss.opens(path))
        assert "Asia/Shanghai" in said
        assert "Thu 21 May 2026, 01:30" in said  # 17:30 UTC; in New York it is still Wednesday


def test_a_note_is_chosen_by_its_code_and_never_by_its_words(boss: Visitor) -> None:
    assert "send money" not in boss.opened(f"{HERE}?said=send+money").text
    assert boss.ask("GET", f"{ONE}?name=nobody").status_code == 404


def test_whoever_opens_the_address_of_a_form_is_led_to_its_page(boss: Visitor) -> None:
    answer = boss.ask("GET", f"{HERE}/close")
    assert (answer.status_code, answer.headers["location"]) == (303, HERE)


def test_everybody_sees_themselves_and_changes_their_own_password(door: Door) -> None:
    assert door.stranger().ask("GET", ME).status_code == 401
    wu, phone = door.visitor("wu", "coder"), door.again("wu")
    assert "You are wu." in wu.sees(ME)
    assert "codes events" in wu.sees(ME)
    wrong = wu.sends(ME, f"{ME}/password", earlier="not it at all", password=NEW, again=NEW)
    assert wrong.status_code == 422
    assert "your password now was not right" in words(wrong)
    assert phone.opened(ME)
    assert wu.sends(ME, f"{ME}/password", earlier=PASSWORD, password="short", again="short").status_code == 422
    done = wu.sends(ME, f"{ME}/password", earlier=PASSWORD, password=NEW, again=NEW)
    assert (done.status_code, done.headers["location"]) == (303, "/desk/me?said=password")
    assert wu.opened(ME)
    assert phone.ask("GET", ME).status_code == 401
    with pytest.raises(Unauthorised):
        accounts.sign_in(door.ward.store, "wu", PASSWORD, door.ward.at)
    assert Visitor(door.app, "wu").signs_in(NEW).opened(ME)
    assert ("wu", "password changed", "person wu") in did(door)
    assert NEW not in every_word(door.ward)


def test_wrong_tries_for_the_own_password_lock_as_signing_in_does(door: Door) -> None:
    wu = door.visitor("wu", "coder")
    for _ in range(5):
        wu.sends(ME, f"{ME}/password", earlier="wrong", password=NEW, again=NEW)
    assert wu.sends(ME, f"{ME}/password", earlier=PASSWORD, password=NEW, again=NEW).status_code == 422


def test_somebody_ends_their_other_sessions_and_keeps_this_one(door: Door) -> None:
    wu, phone, other = door.visitor("wu", "coder"), door.again("wu"), door.visitor("shen", "coder")
    assert phone.opened(ME)
    assert wu.sends(ME, f"{ME}/sessions").status_code == 303
    assert phone.ask("GET", ME).status_code == 401
    assert wu.opened(ME)
    assert other.opened(ME)
