"""The life of a webhook: a secret that is exchanged while both sign, days of failure, being enabled again."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from alerting import webhooks
from alerting.delivery.outcome import TryAgain
from alerting.delivery.webhook import Endpoint, Webhooks
from tests.alerting.receivers import Asked, Receiver, receiver, says
from tests.alerting.test_delivery import Told
from tests.alerting.ward import FATAL, Ward, report
from tocsin.errors import Conflict, NotFound, Refused

DAY = timedelta(days=1)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def with_hook(house: Ward, url: str, role: str = "all") -> tuple[UUID, str]:
    """A webhook for everything or for a role, sent to as it is live; answers its id and secret."""
    secret = house.add_webhook(url, role)

    def find(address: str) -> Endpoint | None:
        with house.store.reading() as tx:
            found = webhooks.endpoint(tx, UUID(address), house.wall_at)
        return Endpoint(*found) if found else None

    house.deliverers["webhook"] = Webhooks(find, lambda: house.wall_at, allow=("loopback",))
    with house.store.reading() as tx:
        (kept,) = webhooks.listed(tx)
    return kept.id, secret


def verifies(asked: Asked, secret: str) -> bool:
    """Whether a receiver that knows this secret alone takes the message."""
    sent_at = datetime.fromtimestamp(int(asked.headers["webhook-timestamp"]), UTC)
    own = Webhook(secret).sign(asked.headers["webhook-id"], sent_at, asked.body.decode())
    return own in asked.headers["webhook-signature"].split(" ")


def rotate(house: Ward, hook_id: UUID, **how: timedelta) -> str:
    with house.store.transaction() as tx:
        return webhooks.rotate(tx, hook_id, house.at, who="Lin Wei", **how)


def test_while_a_secret_is_exchanged_both_sign_and_then_the_new_one_alone(house: Ward, hook: Receiver) -> None:
    """Standard Webhooks: several signatures in one header, so that secrets change without a refused message."""
    hook_id, first = with_hook(house, hook.url)
    second = rotate(house, hook_id)
    assert second != first
    house.receive(report(FATAL))
    assert (verifies(hook.asked[0], first), verifies(hook.asked[0], second)) == (True, True)
    house.move(DAY - timedelta(seconds=1))
    house.receive(report(FATAL, case="TOC-0032"))
    assert (verifies(hook.asked[1], first), verifies(hook.asked[1], second)) == (True, True)
    house.move(timedelta(seconds=1))
    house.receive(report(FATAL, case="TOC-0033"))
    assert (verifies(hook.asked[2], first), verifies(hook.asked[2], second)) == (False, True)


def test_a_library_of_the_standard_takes_a_message_that_two_secrets_signed(house: Ward, hook: Receiver) -> None:
    house.at = house.wall_at = datetime.now(UTC)  # the library refuses old timestamps by the machine's clock
    hook_id, first = with_hook(house, hook.url)
    second = rotate(house, hook_id)
    house.receive(report(FATAL))
    asked = hook.asked[0]
    for secret in (first, second):
        assert Webhook(secret).verify(asked.body, asked.headers)
    stranger = "whsec_" + base64.b64encode(bytes(32)).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger).verify(asked.body, asked.headers)


def test_a_stolen_secret_signs_no_more_at_once(house: Ward, hook: Receiver) -> None:
    hook_id, first = with_hook(house, hook.url)
    second = rotate(house, hook_id, both_sign=timedelta(0))
    house.receive(report(FATAL))
    assert (verifies(hook.asked[0], first), verifies(hook.asked[0], second)) == (False, True)


def test_a_third_secret_waits_until_the_exchange_is_over(house: Ward, hook: Receiver) -> None:
    """With three, the first would be refused although it was promised a day."""
    hook_id, _ = with_hook(house, hook.url)
    rotate(house, hook_id)
    with pytest.raises(Conflict, match=r"two secrets sign until 2026-05-15 04:00 UTC already"):
        rotate(house, hook_id)
    house.move(DAY)
    rotate(house, hook_id)


@pytest.mark.parametrize("both_sign", [timedelta(days=31), timedelta(seconds=-1)])
def test_how_long_both_sign_has_bounds(house: Ward, hook: Receiver, both_sign: timedelta) -> None:
    hook_id, _ = with_hook(house, hook.url)
    with pytest.raises(Refused) as refused:
        rotate(house, hook_id, both_sign=both_sign)
    assert refused.value.wrong[0].allowed == "0 to 30 days"


def test_no_secret_stands_in_the_audit_trail_or_the_list(house: Ward, hook: Receiver) -> None:
    hook_id, first = with_hook(house, hook.url)
    second = rotate(house, hook_id)
    with house.store.reading() as tx:
        listed = repr(webhooks.listed(tx))
    kept = repr(house.everything_kept()["audit"])
    assert "webhook secret changed" in kept
    assert not any(secret in text for secret in (first, second) for text in (kept, listed))


def test_a_webhook_that_takes_nothing_for_five_days_is_disabled_and_that_rings_by_mail(
    house: Ward, hook: Receiver
) -> None:
    hook_id, _ = with_hook(house, hook.url)
    hook.always = says(500)
    house.receive(report(FATAL))
    house.fast_forward(timedelta(days=5) - timedelta(hours=1), step=timedelta(hours=2))
    house.receive(report(FATAL, case="TOC-0032"))
    assert house.alerts(kind="webhook_disabled") == []
    house.move(timedelta(hours=1))
    house.receive(report(FATAL, case="TOC-0033"))
    (alert,) = house.alerts(kind="webhook_disabled")
    assert alert["level"] == "warn"
    assert alert["reasons"][0].startswith(
        f"webhook {hook_id} took nothing for 5 days and is disabled; the last try: 500"
    )
    assert {notice["channel"] for notice in alert["notices"]} == {"mail"}
    with house.store.reading() as tx:
        (kept,) = webhooks.listed(tx)
    assert kept.disabled_at == house.at
    tried = len(hook.asked)
    house.receive(report(FATAL, case="TOC-0034"))
    assert len(hook.asked) == tried


def test_one_answer_in_between_and_the_days_are_counted_anew(house: Ward, hook: Receiver) -> None:
    with_hook(house, hook.url)
    hook.then(says(500), says(200))
    house.receive(report(FATAL))
    house.fast_forward(timedelta(minutes=1), step=timedelta(seconds=5))
    hook.always = says(500)
    house.move(timedelta(days=6))
    house.receive(report(FATAL, case="TOC-0032"))
    assert house.alerts(kind="webhook_disabled") == []
    with house.store.reading() as tx:
        (kept,) = webhooks.listed(tx)
    assert kept.failing_since == house.at


def test_an_enabled_one_is_sent_to_again_and_its_failures_are_forgotten(house: Ward, hook: Receiver) -> None:
    hook_id, _ = with_hook(house, hook.url)
    with house.store.transaction() as tx:
        webhooks.failed(tx, hook_id, house.at)
        webhooks.disable(tx, hook_id, "moved", house.at, who="Lin Wei")
    house.receive(report(FATAL))
    assert hook.asked == []
    with house.store.transaction() as tx:
        webhooks.enable(tx, hook_id, house.at, who="Lin Wei")
        (kept,) = webhooks.listed(tx)
    assert (kept.disabled_at, kept.failing_since) == (None, None)
    house.receive(report(FATAL, case="TOC-0032"))
    assert len(hook.asked) == 1


@pytest.mark.parametrize("do", [webhooks.rotate, webhooks.enable])
def test_a_webhook_that_is_not_there_is_not_found(house: Ward, do: object) -> None:
    with house.store.transaction() as tx, pytest.raises(NotFound):
        do(tx, UUID(int=1), house.at, who="Lin Wei")  # type: ignore[operator]


def test_a_mail_that_fails_disables_no_webhook(house: Ward, hook: Receiver) -> None:
    with_hook(house, hook.url)
    house.deliverers["mail"] = Told(always=TryAgain("451 later"))
    house.receive(report(FATAL))
    with house.store.reading() as tx:
        (kept,) = webhooks.listed(tx)
    assert kept.failing_since is None
