"""The delivery ledger: every notice reaches somebody or rings, whatever dies in between."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alerting import handle
from alerting.app import couriers_of, webhooks_of
from alerting.delivery import ledger
from alerting.delivery.outcome import Delivered, GiveUp, Outcome, TryAgain
from alerting.delivery.parcel import Deliverer, Parcel
from tests.alerting.receivers import Receiver, receiver, says
from tests.alerting.ward import FATAL, SERIOUS, Ward, report, ward
from tocsin.errors import StoreAway
from tocsin.settings import Settings

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@dataclass
class Told:
    """A deliverer that answers as it is told, then by delivering, and remembers what it was given."""

    answers: deque[Outcome | Exception] = field(default_factory=deque)
    always: Outcome = field(default_factory=lambda: Delivered("ok"))
    given: list[Parcel] = field(default_factory=list)

    def send(self, parcel: Parcel) -> Outcome:
        self.given.append(parcel)
        answer = self.answers.popleft() if self.answers else self.always
        if isinstance(answer, Exception):
            raise answer
        return answer

    def rest(self) -> None: ...


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def with_hook(house: Ward, url: str, role: str = "all") -> None:
    house.add_webhook(url, role)
    house.deliverers["webhook"] = webhooks_of(house.parts, Settings(webhook_allow=["loopback"], data=house.folder))


def test_the_intent_is_on_the_disk_before_anything_is_sent(any_house: Ward) -> None:
    class Looks:
        seen: list[object]

        def send(self, parcel: Parcel) -> Outcome:
            (row,) = any_house.deliveries()
            self.seen = [row["state"], [a["outcome"] for a in row["attempts"]]]
            return Delivered("ok")

        def rest(self) -> None: ...

    looks = Looks()
    any_house.deliverers["mail"] = looks
    any_house.receive(report(FATAL))
    assert looks.seen == ["sending", ["unknown: the process ended before it could say"]]
    assert any_house.deliveries()[0]["attempts"][0]["outcome"] == "delivered"


class Killed(BaseException):
    """The process is gone, as far as this test can tell."""


@pytest.mark.parametrize("sent", [False, True], ids=["before the send", "between send and record"])
def test_a_process_killed_in_a_delivery_sends_again_under_the_same_id_and_never_not_at_all(
    any_house: Ward, sent: bool
) -> None:
    class Dies(Told):
        def send(self, parcel: Parcel) -> Outcome:
            if sent:
                super().send(parcel)
            raise Killed

    dying, second = Dies(), Told()
    any_house.deliverers["mail"] = dying
    with pytest.raises(Killed):
        any_house.receive(report(FATAL))
    any_house.deliverers["mail"] = second
    any_house.send()
    assert second.given == [], "the lease still runs"
    any_house.move(ledger.LEASE)
    any_house.send()
    (again,) = second.given
    assert again.attempt == 2
    assert all(before.notice_id == again.notice_id for before in dying.given)
    assert [a["outcome"] for a in any_house.deliveries()[0]["attempts"]] == [
        "unknown: the process ended before it could say",
        "delivered",
    ]


def test_of_two_couriers_one_gets_the_parcel(any_house: Ward) -> None:
    any_house.deliverers["mail"] = Told(always=TryAgain("not yet"))
    any_house.receive(report(FATAL))
    any_house.move(10 * SECOND)
    claims = []
    for holder in ("one", "two"):
        with any_house.store.transaction() as tx:
            claims.append(
                ledger.claim(tx, "mail", holder, most=10, now=any_house.at, wall=any_house.wall_at)
            )  # fmt: skip
    assert [len(found) for found in claims] == [1, 0]


def test_one_who_was_slow_and_lost_the_lease_does_not_undo_what_the_other_recorded(house: Ward) -> None:
    house.deliverers["mail"] = Told(always=TryAgain("not yet"))
    house.receive(report(FATAL))
    house.move(10 * SECOND)

    def claim(holder: str) -> Parcel:
        with house.store.transaction() as tx:
            (found,) = ledger.claim(tx, "mail", holder, most=1, now=house.at, wall=house.wall_at)
            return found

    def record(parcel: Parcel, outcome: Outcome) -> str:
        with house.store.transaction() as tx:
            return ledger.record(
                tx, parcel, outcome, now=house.at, wall=house.wall_at, took=SECOND, draw=lambda: 0.5
            )  # fmt: skip

    slow = claim("slow")
    house.move(ledger.LEASE)
    quick = claim("quick")
    assert record(quick, Delivered("ok")) == "delivered"
    assert record(slow, GiveUp("no")) == "superseded"
    assert house.deliveries()[0]["state"] == "delivered"


def test_retries_survive_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/alerting.db"
    with ward(url, tmp_path) as house:
        house.deliverers["mail"] = Told(always=TryAgain("not yet"))
        house.receive(report(FATAL))
        at = house.at
    with ward(url, tmp_path) as house:
        house.at = house.wall_at = at + 5 * SECOND
        told = Told()
        house.deliverers["mail"] = told
        house.send()
        assert [parcel.attempt for parcel in told.given] == [2]


def test_after_the_last_pause_it_is_dead_and_that_rings_by_another_channel(house: Ward, hook: Receiver) -> None:
    with_hook(house, hook.url, role="safety_team")
    told = Told(always=TryAgain("451 later"))
    house.deliverers["mail"] = told
    house.receive(report(FATAL))
    house.acknowledge(house.alerts()[0]["alert_id"])
    house.fast_forward(timedelta(hours=30), step=timedelta(minutes=5))
    dead = [d for d in house.deliveries(state="dead") if d["address"] == "safety-physician@sponsor.invalid"]
    assert [len(d["attempts"]) for d in dead] == [10]
    (alert,) = [a for a in house.alerts(kind="delivery_failed") if "safety-physician" in a["reasons"][0]]
    assert alert["level"] == "page"
    assert alert["reasons"] == [
        "TOC-0031: death: mail to safety-physician@sponsor.invalid was given up after 10 tries: 451 later"
    ]
    assert ("webhook", "delivered") in [(n["channel"], n["outcome"]) for n in alert["notices"]]


def test_an_address_that_is_refused_for_good_rings_at_once_and_once(house: Ward) -> None:
    class Refuses(Told):
        def send(self, parcel: Parcel) -> Outcome:
            super().send(parcel)
            return GiveUp("550 no such person") if parcel.address.startswith("safety-physician") else Delivered("ok")

    told = Refuses()
    house.deliverers["mail"] = told
    house.receive(report(FATAL), report(FATAL, case="TOC-0032"))
    (alert,) = house.alerts(kind="delivery_failed")
    assert [reason.partition(":")[0] for reason in alert["reasons"]] == ["TOC-0031", "TOC-0032"]
    tried = sorted(parcel.address.partition("@")[0] for parcel in told.given)
    assert tried == ["safety-physician", "safety-physician", "safety-team", "tocsin-admin"]


def test_a_webhook_that_is_gone_is_disabled_and_that_rings(house: Ward, hook: Receiver) -> None:
    with_hook(house, hook.url)
    hook.then(says(410))
    house.receive(report(FATAL))
    assert house.alerts(kind="delivery_failed")[0]["reasons"][0].endswith("410: the address says that it wants no more")
    house.receive(report(FATAL, case="TOC-0032"))
    assert len(hook.asked) == 1


def test_a_webhook_gets_each_notice_once(house: Ward, hook: Receiver) -> None:
    with_hook(house, hook.url)
    house.receive(report({"verbatim": "pneumonia", "seriousness": ["hospitalisation"], "grade": {"ctcae": 2}}))
    # Two roles are told of a serious event; a webhook for all roles hears of it once.
    assert len(hook.asked) == 1


def test_a_fault_of_our_own_is_recorded_and_tried_again(house: Ward) -> None:
    told = Told(answers=deque([ZeroDivisionError("Mrs Wang")]))
    house.deliverers["mail"] = told
    house.receive(report(FATAL))
    (row,) = house.deliveries()
    assert row["why"] == "a fault inside Tocsin: ZeroDivisionError"
    house.move(5 * SECOND)
    house.send()
    assert house.deliveries()[0]["state"] == "delivered"


def test_a_person_may_have_a_dead_one_tried_again_from_the_start_of_the_schedule(house: Ward) -> None:
    told = Told(answers=deque([GiveUp("550 no such person"), TryAgain("451 later")]))
    house.deliverers["mail"] = told
    house.receive(report(FATAL))
    (dead,) = house.deliveries(state="dead")
    house.move(HOUR)
    with house.store.transaction() as tx:
        assert ledger.retry(tx, UUID(dead["delivery_id"]), house.at)
        assert not ledger.retry(tx, UUID(int=0), house.at)
    told.answers = deque([TryAgain("451 later")])
    house.send()
    (again,) = [d for d in house.deliveries() if d["delivery_id"] == dead["delivery_id"]]
    assert (again["state"], again["next_attempt_at"]) == ("pending", "2026-05-14T05:00:05Z")
    assert [a["number"] for a in again["attempts"]] == [1, 2]


def test_what_could_not_be_recorded_is_kept_in_hand_until_it_can_be(
    house: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    house.deliverers["mail"] = told
    with house.store.transaction() as tx:
        handle.on_report_received(report(FATAL), tx, house.parts)
    courier = house.courier("mail")
    assert courier.turn()

    def away() -> None:
        raise StoreAway("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "transaction", away)
        with pytest.raises(StoreAway):
            courier.turn()
    assert not courier.turn()
    assert house.deliveries()[0]["state"] == "delivered"
    assert len(told.given) == 1


def test_the_deliverers_keep_their_promise() -> None:
    deliverer: Deliverer = Told()
    assert deliverer


def test_couriers_whose_receivers_hang_stop_in_time_and_the_parcels_are_sent_again(house: Ward, hook: Receiver) -> None:
    for _ in range(4):
        house.add_webhook(hook.url)
    hook.then(*[hook.hang] * 4)
    with house.store.transaction() as tx:
        handle.on_report_received(report(FATAL), tx, house.parts)
    settings = Settings(webhook_allow=["loopback"], data=house.folder)
    (pool,) = [pool for pool in couriers_of(house.parts, settings) if pool.name == "webhooks"]
    stop = threading.Event()
    thread = threading.Thread(target=pool.run, args=(stop,))
    thread.start()
    until = time.monotonic() + 10
    while len(hook.asked) < 4:
        assert time.monotonic() < until
        time.sleep(0.01)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert {d["state"] for d in house.deliveries(channel="webhook")} == {"sending"}
    hook.release.set()


def test_a_courier_that_fails_is_not_silent(house: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> bool:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(ledger, "is_any_due", broken)
    (pool,) = [pool for pool in couriers_of(house.parts, Settings(data=house.folder)) if pool.name == "mail"]
    with pytest.raises(KeyError):
        pool.run(threading.Event())


def test_an_address_that_failed_is_not_told_of_its_own_failure(house: Ward, hook: Receiver) -> None:
    class Refuses(Told):
        def send(self, parcel: Parcel) -> Outcome:
            super().send(parcel)
            return GiveUp("550 no such person") if parcel.address.startswith("safety-team") else Delivered("ok")

    with_hook(house, hook.url, role="safety_team")
    told = Refuses()
    house.deliverers["mail"] = told
    house.receive(report(SERIOUS))
    (alert,) = house.alerts(kind="delivery_failed")
    assert {(n["role"], n["channel"]) for n in alert["notices"]} == {
        ("administrator", "mail"),
        ("safety_team", "webhook"),
    }
    assert [p.address for p in told.given if p.address.startswith("safety-team")] == ["safety-team@sponsor.invalid"]


def test_many_couriers_at_once_never_share_a_parcel(any_house: Ward) -> None:
    with any_house.store.transaction() as tx:
        for number in range(40):
            handle.on_report_received(report(FATAL, case=f"TOC-{number:04}"), tx, any_house.parts)
    claimed: list[list[Parcel]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def claim(mine: list[Parcel]) -> None:
        start.wait()
        for _ in range(20):
            with any_house.store.transaction() as tx:
                mine += ledger.claim(tx, "mail", "x", most=7, now=any_house.at, wall=any_house.wall_at)

    threads = [threading.Thread(target=claim, args=(mine,)) for mine in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parcels = [parcel.delivery_id for mine in claimed for parcel in mine]
    assert len(parcels) == len(set(parcels)) == 40
