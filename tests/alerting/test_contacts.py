"""Every address that is rung is listed once, and can be tried before it is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from alerting import contacts, webhooks
from alerting.delivery.ledger import MAIL, WEBHOOK, To
from alerting.delivery.outcome import GiveUp
from tests.alerting.receivers import Receiver, receiver
from tests.alerting.test_delivery import Told
from tests.alerting.test_webhooks import with_hook
from tests.alerting.ward import STUDY, Ward
from tocsin.errors import Conflict, NotFound

PHYSICIAN = To(MAIL, "safety-physician@sponsor.invalid")


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def fire(house: Ward, to: To) -> None:
    with house.store.transaction() as tx:
        contacts.fire(tx, house.parts, to, "Lin Wei", house.at)
    house.send()


def listed(house: Ward) -> dict[To, contacts.Contact]:
    with house.store.reading() as tx:
        return {one.to: one for one in contacts.listed(tx, house.studies, house.at)}


def test_each_address_is_listed_once_with_all_it_is_rung_for(house: Ward, hook: Receiver) -> None:
    hook_id, _ = with_hook(house, hook.url)
    found = listed(house)
    assert f"{STUDY}: safety_physician" in found[PHYSICIAN].roles
    assert (found[PHYSICIAN].last, found[PHYSICIAN].is_enabled) == (None, True)
    assert found[To(WEBHOOK, str(hook_id))].name == hook.url
    assert found[To(WEBHOOK, str(hook_id))].roles == (f"{STUDY}: all",)


def test_a_trial_mail_goes_the_whole_way_and_says_that_nothing_has_happened(house: Ward) -> None:
    fire(house, PHYSICIAN)
    (mail,) = house.mails()
    assert (mail.to, mail.subject) == (PHYSICIAN.address, "[Tocsin] test of this address")
    assert mail.text.startswith("This tests whether Tocsin reaches you. Nothing has happened.")
    assert "acknowledge:" not in mail.text
    last = listed(house)[PHYSICIAN].last
    assert last is not None
    assert last["state"] == "delivered"
    assert house.alerts() == []


def test_a_trial_webhook_says_its_kind_and_is_signed(house: Ward, hook: Receiver) -> None:
    hook_id, _ = with_hook(house, hook.url)
    fire(house, To(WEBHOOK, str(hook_id)))
    (asked,) = hook.asked
    told = json.loads(asked.body)
    assert (told["type"], told["data"]["kind"], told["data"]["alert_id"], told["data"]["case_id"]) == (
        "contact.test", "contact_test", None, None,
    )  # fmt: skip
    assert asked.headers["webhook-signature"].startswith("v1,")


def test_two_trials_are_two_messages(house: Ward) -> None:
    fire(house, PHYSICIAN)
    fire(house, PHYSICIAN)
    assert len({mail.message_id for mail in house.mails()}) == 2


def test_a_trial_that_is_given_up_rings_like_any_other(house: Ward) -> None:
    house.deliverers["mail"] = Told(always=GiveUp("550 no such person"))
    fire(house, PHYSICIAN)
    reasons = [reason for alert in house.alerts(kind="delivery_failed") for reason in alert["reasons"]]
    what = "test of this address: mail to safety-physician@sponsor.invalid"
    assert f"{what} was given up after 1 tries: 550 no such person" in reasons


def test_an_address_that_nobody_here_has_is_not_written_to(house: Ward) -> None:
    with pytest.raises(NotFound):
        fire(house, To(MAIL, "somebody@elsewhere.invalid"))
    assert house.deliveries() == []


def test_a_disabled_webhook_is_enabled_first(house: Ward, hook: Receiver) -> None:
    hook_id, _ = with_hook(house, hook.url)
    with house.store.transaction() as tx:
        webhooks.disable(tx, hook_id, "moved", house.at, who="Lin Wei")
    with pytest.raises(Conflict, match="is disabled: enable it first"):
        fire(house, To(WEBHOOK, str(hook_id)))
