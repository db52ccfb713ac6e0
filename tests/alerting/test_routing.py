"""Who has a role, and who is rung where nobody has."""

from __future__ import annotations

from alerting.delivery.ledger import To
from alerting.routing import Hook, reach
from tests.alerting.ward import only
from tocsin.domain.protocol import Recipient
from tocsin.domain.words import Role

PHYSICIAN = only(Role.SAFETY_PHYSICIAN, "lin@x.example")
SECOND = only(Role.SECOND_PHYSICIAN, "qiao@x.example")
TEAM = only(Role.SAFETY_TEAM, "team@x.example")


def mail(name: str) -> To:
    return To("mail", f"{name}@x.example")


def test_the_role_is_rung_by_every_address_it_has() -> None:
    other = only(Role.SAFETY_PHYSICIAN, "shen@x.example")
    hook = Hook("h1", "all", "safety_physician")
    found = reach("safety_physician", [PHYSICIAN, other, SECOND], [hook])
    assert found.to == (mail("lin"), mail("shen"), To("webhook", "h1"))
    assert found.note == ""


def test_a_role_with_nobody_falls_to_the_next_and_says_so() -> None:
    found = reach("safety_physician", [SECOND, TEAM], [])
    assert (found.rung_role, found.to) == ("second_physician", (mail("qiao"),))
    assert found.note == "nobody is reachable as safety_physician: second_physician instead"


def test_somebody_without_an_address_is_not_reachable() -> None:
    silent = Recipient(Role.SAFETY_PHYSICIAN, "Dr Lin", None)
    assert reach("safety_physician", [silent, TEAM], []).rung_role == "safety_team"


def test_the_circle_closes_after_the_last_role() -> None:
    assert reach("administrator", [PHYSICIAN], []).rung_role == "safety_physician"
    assert reach("coder", [TEAM], []).rung_role == "safety_team"


def test_nobody_at_all_is_said_and_not_hidden_by_a_webhook_for_everything() -> None:
    found = reach("safety_physician", [], [Hook("h1", "all", "all")])
    assert (found.rung_role, found.to) == (None, (To("webhook", "h1"),))
    assert found.note == "nobody is reachable as safety_physician, nor as anybody else"


def test_a_webhook_of_the_role_makes_it_reachable() -> None:
    assert reach("safety_physician", [], [Hook("h1", "all", "safety_physician")]).rung_role == "safety_physician"


def test_an_address_that_failed_is_avoided_for_another_channel() -> None:
    hook, other = Hook("h1", "all", "safety_team"), only(Role.SAFETY_TEAM, "team2@x.example")
    found = reach("safety_team", [TEAM, other], [hook], avoid=mail("team"))
    assert found.to == (To("webhook", "h1"),)
    assert reach("safety_team", [TEAM, other], [], avoid=mail("team")).to == (mail("team2"),)


def test_where_the_whole_channel_fails_somebody_who_is_reached_by_another_comes_before_it() -> None:
    """A mail server that takes nothing: a mail about it would wait with the rest."""
    hook = Hook("h1", "all", "safety_team")
    found = reach("safety_physician", [PHYSICIAN, TEAM], [hook], avoid=To("mail", ""))
    assert (found.rung_role, found.to) == ("safety_team", (To("webhook", "h1"),))
    alone = reach("safety_physician", [PHYSICIAN, TEAM], [], avoid=To("mail", ""))
    assert {to.channel for to in alone.to} == {"mail"}


def test_without_another_channel_another_person_is_better_than_nobody() -> None:
    found = reach("safety_team", [TEAM, PHYSICIAN], [], avoid=mail("team"))
    assert (found.rung_role, found.to) == ("safety_physician", (mail("lin"),))
