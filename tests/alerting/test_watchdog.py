"""What is wrong with the house itself rings somebody, by a channel that works, and again while it lasts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerting import handle, heartbeats, watchdog, webhooks
from alerting.delivery.outcome import Delivered, TryAgain
from alerting.watchdog import LEAST_FREE_BYTES, Looks, Watchdog
from tests.alerting.plans import person, plan, save
from tests.alerting.receivers import Receiver, receiver
from tests.alerting.test_delivery import Told
from tests.alerting.test_webhooks import with_hook
from tests.alerting.ward import FATAL, STUDY, Ward, report
from tocsin.bus.consume import Status
from tocsin.messages import heartbeat

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Consumer:
    """A consumer whose state the test sets."""

    now: Status

    def status(self) -> Status:
        return self.now


def a_house(
    ward: Ward, consumer: Consumer | None = None, free: list[int] | None = None, every: timedelta = timedelta(0)
) -> Watchdog:
    left = free or [LEAST_FREE_BYTES]
    consumers = [consumer] if consumer else []
    looks = Looks(consumers, Path("/nowhere"), ward.wall_at, every, lambda _: left[0])
    return Watchdog(ward.parts, looks)


def look(ward: Ward, dog: Watchdog, span: timedelta = timedelta(0)) -> list[str]:
    """Look each minute for so long; answers what is wrong at the end."""
    until = ward.at + span
    found = dog.look()
    while ward.at < until:
        ward.move(MINUTE)
        found = dog.look()
    ward.send()
    return [one.key for one in found]


def rung(ward: Ward) -> list[str]:
    return [alert["reasons"][0] for alert in ward.alerts(kind="house_in_trouble")]


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.mark.parametrize(
    ("status", "key", "said"),
    [
        (Status("alerting", "waiting", "KafkaError: gone"), "consumer|alerting",
         "alerting is waiting: messages are not handled"),
        (Status("alerting", "stopped", "a fault"), "consumer|alerting",
         "alerting is stopped: messages are not handled"),
        (Status("alerting", "running", lag=1001), "lag|alerting", "alerting has 1001 messages to read"),
    ],
)  # fmt: skip
def test_a_consumer_that_stands_or_lags_rings_after_five_minutes(
    house: Ward, status: Status, key: str, said: str
) -> None:
    dog = a_house(house, Consumer(status))
    assert look(house, dog, 4 * MINUTE) == [key]
    assert rung(house) == []
    look(house, dog, MINUTE)
    assert rung(house) == [said]
    assert {mail.to.partition("@")[0] for mail in house.mails()} == {"tocsin-admin", "safety-team"}


@pytest.mark.parametrize(
    "status", [Status("alerting", "running", lag=1000), Status("alerting", "stopped", "asked to stop")]
)
def test_what_is_well_rings_nobody(house: Ward, status: Status) -> None:
    assert look(house, a_house(house, Consumer(status)), HOUR) == []
    assert rung(house) == []


def test_what_passes_within_five_minutes_rings_nobody_however_often_it_comes(house: Ward) -> None:
    consumer = Consumer(Status("alerting", "waiting", "x"))
    dog = a_house(house, consumer)
    for _ in range(10):
        consumer.now = Status("alerting", "waiting", "x")
        look(house, dog, 4 * MINUTE)
        consumer.now = Status("alerting", "running")
        look(house, dog, MINUTE)
    assert rung(house) == []


def test_a_disk_that_fills_up_rings_before_it_is_full(house: Ward) -> None:
    look(house, a_house(house, free=[499_999_999]), 5 * MINUTE)
    assert rung(house) == ["500 MB are free on the disk of the house: a full disk takes no report"]


def test_the_disk_is_looked_at_also_before_anything_lies_in_the_folder(house: Ward, tmp_path: Path) -> None:
    """With a mail server there is no mailbox, and nobody makes the folder: the others must be watched all the same."""
    dog = Watchdog(house.parts, Looks([], tmp_path / "not" / "yet", house.wall_at, timedelta(0)))
    assert [trouble.key for trouble in dog.look() if trouble.key == "disk"] == []
    assert watchdog.free_on_disk(tmp_path / "not" / "yet") > 0


def test_while_its_alert_is_open_it_rings_once_and_after_an_answer_again_in_four_hours(house: Ward) -> None:
    dog = a_house(house, free=[0])
    look(house, dog, 3 * HOUR)
    (alert,) = house.alerts(kind="house_in_trouble")
    house.acknowledge(alert["alert_id"], by="root", roles=("administrator",))
    look(house, dog, 54 * MINUTE)
    assert len(rung(house)) == 1
    look(house, dog, 12 * MINUTE)
    assert len(rung(house)) == 2


def test_what_was_over_and_comes_again_rings_again(house: Ward) -> None:
    free = [0]
    dog = a_house(house, free=free)
    look(house, dog, 5 * MINUTE)
    house.acknowledge(house.alerts(kind="house_in_trouble")[0]["alert_id"], by="root", roles=("administrator",))
    free[0] = LEAST_FREE_BYTES
    look(house, dog, MINUTE)
    free[0] = 0
    look(house, dog, 6 * MINUTE)
    assert len(rung(house)) == 2


def test_a_mail_server_that_takes_nothing_rings_by_webhook(house: Ward, hook: Receiver) -> None:
    """A mail about it would wait with the rest."""
    with_hook(house, hook.url)
    house.deliverers["mail"] = Told(always=TryAgain("451 later"))
    house.receive(report(FATAL))
    dog = a_house(house)
    before = len(hook.asked)
    for _ in range(9):
        look(house, dog, MINUTE)
    assert rung(house) == []
    look(house, dog, MINUTE)
    assert rung(house) == ["no mail has got through for 10 minutes"]
    assert len(hook.asked) == before + 1


def test_one_mail_that_got_through_says_that_the_server_works(house: Ward) -> None:
    class Refuses(Told):
        def send(self, parcel):  # type: ignore[no-untyped-def]
            return TryAgain("451") if parcel.address.startswith("safety-physician") else Delivered("ok")

    house.deliverers["mail"] = Refuses()
    house.receive(report(FATAL))
    dog = a_house(house)
    house.fast_forward(HOUR, step=MINUTE)
    look(house, dog, 6 * MINUTE)
    assert [said for said in rung(house) if "no mail" in said] == []


def test_of_two_processes_one_rings(house: Ward) -> None:
    first, second = a_house(house, free=[0]), a_house(house, free=[0])
    first.look()
    second.look()
    house.move(5 * MINUTE)
    first.look()
    second.look()
    assert len(rung(house)) == 1


def test_clocks_that_are_apart_are_seen(house: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    def ahead(tx: object, wall: datetime) -> timedelta:
        return timedelta(seconds=31)

    monkeypatch.setattr(watchdog, "_skew", ahead)
    look(house, a_house(house), 5 * MINUTE)
    assert rung(house) == ["the clocks of this machine and of the database are 31 s apart"]


def test_the_clock_of_a_real_database_is_asked(any_house: Ward) -> None:
    """The ward's wall is in May, a PostgreSQL's is today's; SQLite has no clock of its own."""
    with any_house.store.reading() as tx:
        apart = watchdog._skew(tx, any_house.wall_at)
        expected = tx.dialect.name == "postgresql"
    assert (apart != timedelta(0)) is expected


def beat(ward: Ward, at: datetime, *legs: str) -> None:
    case_id = heartbeat.beat(at, "ae-intake").body.case_id
    for leg in legs:
        with ward.store.transaction() as tx:
            heartbeats.arrived(tx, ward.parts, leg, case_id)


@pytest.mark.rule("rules.md: synthetic heartbeat SAE hourly")
def test_a_heartbeat_that_does_not_arrive_rings_and_says_which_way_is_broken(house: Ward) -> None:
    dog = a_house(house, every=HOUR)
    begun = house.wall_at
    assert look(house, dog, HOUR + 14 * MINUTE) == []
    beat(house, begun + HOUR, "report", "coding")
    assert look(house, dog, HOUR) == []
    beat(house, begun + 2 * HOUR, "report")
    assert look(house, dog, 20 * MINUTE) == ["heartbeat"]
    assert rung(house)[0].startswith("the heartbeat did not arrive: its coding is missing; its coding last came ")
    beat(house, begun + 2 * HOUR, "coding")
    assert look(house, dog) == []


def test_a_house_that_beats_never_or_has_only_begun_misses_nothing(house: Ward) -> None:
    assert look(house, a_house(house), 5 * HOUR) == []
    assert look(house, a_house(house, every=HOUR), HOUR) == []


def test_whoever_watches_from_outside_gets_each_heartbeat_that_went_the_whole_way_once(
    house: Ward, hook: Receiver
) -> None:
    with_hook(house, hook.url, role="heartbeat")
    at = house.wall_at
    beat(house, at, "report")
    house.send()
    assert hook.asked == []
    for _ in range(2):
        beat(house, at, "coding")
        house.send()
    [told] = hook.asked
    said = json.loads(told.body)
    assert (said["type"], said["data"]["case_id"]) == ("heartbeat", None)
    house.receive(report(FATAL))
    assert len(hook.asked) == 1, "an alarm is not for it"


def test_a_heartbeat_is_no_case_and_rings_nobody(house: Ward) -> None:
    at = house.at
    with house.store.transaction() as tx:
        handle.on_report_received(heartbeat.beat(at, "ae-intake"), tx, house.parts)
    assert house.alerts() == []
    assert house.clocks() == []
    with house.store.reading() as tx:
        assert heartbeats.ages(tx, house.wall_at) == {"report": timedelta(0)}


def test_a_role_that_pages_ring_and_nobody_has_any_more_rings(house: Ward) -> None:
    with house.store.transaction() as tx:
        webhooks.add(tx, STUDY, "person", "https://hooks.example.org/qiao", house.at)
        hook_id = webhooks.listed(tx)[0].id
    qiao = person("qiao", "second_physician", webhooks=[str(hook_id)]) | {"mails": []}
    save(house, plan(people=[*(one for one in plan()["people"] if one["name"] != "qiao"), qiao]))
    dog = a_house(house)
    assert look(house, dog, 10 * MINUTE) == []
    with house.store.transaction() as tx:
        webhooks.disable(tx, hook_id, "410 Gone", house.at, who="alerting")
    assert look(house, dog, 6 * MINUTE) == [f"nobody|{STUDY}|second_physician"]
    assert rung(house) == [f"nobody is reachable as second_physician in {STUDY}: its alarms ring others"]
