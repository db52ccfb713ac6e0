"""A dead letter is itself an alarm."""

from __future__ import annotations

from datetime import timedelta

from alerting import dead_letters
from tests.alerting.ward import FATAL, NOON, Ward, report
from tocsin.bus.dead import dead_letter, dead_topic
from tocsin.bus.port import Received
from tocsin.messages.envelope import encode


def died(offset: int = 7, topic: str = "reports.received.v1", consumer: str = "meddra-coder") -> Received:
    """What a consumer puts on the dead topic when it cannot handle a report."""
    record = encode(report(FATAL))
    at = Received(topic, 2, offset, "TOC-0031", record.value, {**record.headers, "ce_type": topic})
    error = ValueError("/events/0/verbatim: 'found without pulse by Mrs Wang' is too long")
    dead = dead_letter(at, reason="handler_error", error=error, consumer=consumer, at=NOON)
    return Received(dead_topic(topic), 0, offset, dead.key, dead.value, dead.headers)


def test_it_pages_naming_its_place_and_its_fault_and_no_word_of_a_patient(any_house: Ward) -> None:
    any_house.dead_letter(died())
    (alert,) = any_house.alerts()
    assert (alert["kind"], alert["level"]) == ("dead_letter", "page")
    assert alert["reasons"] == ["reports.received.v1/2/7: handler_error (ValueError), given up by meddra-coder"]
    assert any_house.rung() == [
        ("safety-team", "[Tocsin] a message could not be handled"),
        ("tocsin-admin", "[Tocsin] a message could not be handled"),
    ]
    assert "Wang" not in repr(any_house.everything_kept())


def test_the_same_dead_letter_again_changes_nothing(house: Ward) -> None:
    house.dead_letter(died())
    before = house.everything_kept()
    with house.store.transaction() as tx:  # as after a rewind, with an inbox that was lost
        dead_letters.on_dead_letter(dead_letters.decode(died()), tx, house.parts)
    assert house.everything_kept()["alerts"] == before["alerts"]
    assert house.everything_kept()["dead_letters"] == before["dead_letters"]


def test_many_of_one_topic_are_one_alarm_until_somebody_acknowledges(house: Ward) -> None:
    for offset in range(5):
        house.dead_letter(died(offset))
    (alert,) = house.alerts()
    assert len(alert["reasons"]) == 5
    assert len(house.mails()) == 2
    house.acknowledge(alert["alert_id"], by="root", roles=["administrator"])
    house.move(timedelta(hours=1))
    house.dead_letter(died(99))
    assert len(house.alerts()) == 2
    assert len(house.mails()) == 4


def test_a_flood_does_not_make_an_endless_alert(house: Ward) -> None:
    for offset in range(80):
        house.dead_letter(died(offset))
    (alert,) = house.alerts()
    assert len(alert["reasons"]) == 50
    assert alert["reasons"][-1] == "and more, not named here"


def test_a_message_that_two_consumers_gave_up_is_named_for_each(house: Ward) -> None:
    house.dead_letter(died(consumer="meddra-coder"))
    house.dead_letter(died(consumer="alerting"))
    assert len(house.alerts()[0]["reasons"]) == 2


def test_two_topics_are_two_alarms(house: Ward) -> None:
    house.dead_letter(died())
    house.dead_letter(died(topic="queries.raised.v1"))
    assert [a["level"] for a in sorted(house.alerts(), key=lambda a: str(a["level"]))] == ["page", "warn"]


def test_what_is_no_dead_letter_at_all_rings_by_its_own_place(house: Ward) -> None:
    house.dead_letter(Received("reports.received.v1.dead", 0, 3, "S01-003", b"\xff", {}))
    (alert,) = house.alerts()
    assert alert["reasons"] == ["reports.received.v1.dead/0/3: unreadable (unknown), given up by unknown"]
