"""Mail to a real SMTP server on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from alerting.delivery.mail import Mail, Server
from alerting.delivery.outcome import Delivered, GiveUp, TryAgain
from alerting.delivery.parcel import Parcel
from tests.alerting.receivers import MailServer, mail_server
from tests.alerting.test_letter import BELL
from tests.alerting.ward import FATAL, Ward, report
from tocsin.errors import SettingsError

PARCEL = Parcel(UUID(int=1), UUID(int=2), "lin@sponsor.example", 1, 1, BELL)
SENDER = "Tocsin <tocsin@sponsor.example>"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as found:
        yield found


@pytest.fixture
def sender(server: MailServer) -> Iterator[Mail]:
    found = Mail(Server.of(f"smtp://127.0.0.1:{server.port}"), SENDER, timeout_s=5)
    yield found
    found.rest()


def test_a_notice_arrives_with_text_and_html_and_its_own_message_id(server: MailServer, sender: Mail) -> None:
    assert isinstance(sender.send(PARCEL), Delivered)
    sender.rest()
    (taken,) = server.taken
    assert taken["Message-ID"] == "<00000000-0000-0000-0000-000000000002@sponsor.example>"
    assert taken["Subject"] == "[Tocsin] TOC-0031: potential DLT, 7-day clock"
    assert [part.get_content_type() for part in taken.iter_parts()] == ["text/plain", "text/html"]


def test_one_connection_serves_many_and_is_closed_when_there_is_nothing_more(server: MailServer, sender: Mail) -> None:
    for _ in range(3):
        assert isinstance(sender.send(PARCEL), Delivered)
    assert server.connections == 1
    sender.rest()
    sender.send(PARCEL)
    sender.rest()
    assert server.connections == 2


def test_an_address_that_does_not_exist_is_given_up_at_once(server: MailServer, sender: Mail) -> None:
    server.recipients.append("550 5.1.1 no such person")
    outcome = sender.send(PARCEL)
    assert outcome == GiveUp("the address is refused: 550 5.1.1 no such person")


@pytest.mark.parametrize("answer", ["451 4.3.0 try later", "452 4.2.2 mailbox full"])
def test_a_server_that_is_busy_is_tried_again(server: MailServer, answer: str, sender: Mail) -> None:
    server.answers.append(answer)
    assert sender.send(PARCEL) == TryAgain(f"the mail is refused: {answer}")
    assert isinstance(sender.send(PARCEL), Delivered)


def test_a_mail_that_is_refused_for_good_is_given_up(server: MailServer, sender: Mail) -> None:
    server.answers.append("554 5.7.1 not wanted")
    assert sender.send(PARCEL) == GiveUp("the mail is refused: 554 5.7.1 not wanted")


def test_a_server_that_hangs_up_is_tried_again(server: MailServer, sender: Mail) -> None:
    server.answers.append("hang up")
    assert isinstance(sender.send(PARCEL), TryAgain)
    assert isinstance(sender.send(PARCEL), Delivered)


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outcome = Mail(Server.of(f"smtp://127.0.0.1:{port}"), SENDER).send(PARCEL)
    assert isinstance(outcome, TryAgain)
    assert "does not answer" in outcome.why


def test_no_mail_goes_in_the_clear_where_starttls_is_required(server: MailServer) -> None:
    outcome = Mail(Server.of(f"smtp://127.0.0.1:{server.port}?starttls=require"), SENDER).send(PARCEL)
    assert isinstance(outcome, TryAgain)
    assert server.taken == []


def test_a_login_that_the_server_does_not_know_of_is_tried_again(server: MailServer) -> None:
    outcome = Mail(Server.of(f"smtp://lin:secret@127.0.0.1:{server.port}"), SENDER).send(PARCEL)
    assert isinstance(outcome, TryAgain)
    assert "secret" not in outcome.why


@pytest.mark.parametrize(
    "url",
    ["http://host", "smtp://", "smtp://host:port", "smtp://host?starttls=perhaps", "smtp://host?tls=1", "smtp://h/x"],
)
def test_a_wrong_server_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Server.of(url.replace("://", "://user:secret@") if "://h" in url else url)
    assert "secret" not in str(refused.value)


def test_a_server_never_prints_its_password() -> None:
    assert repr(Server.of("smtps://lin:secret@mail.example")) == "<Server mail.example:465>"


def test_a_refusing_server_is_tried_on_the_schedule_until_it_takes_the_mail(
    house: Ward, server: MailServer, sender: Mail
) -> None:
    server.answers.extend(["451 later", "451 later"])
    house.deliverers["mail"] = sender
    house.receive(report(FATAL))
    (waiting,) = house.deliveries(channel="mail")
    assert (waiting["state"], waiting["next_attempt_at"]) == ("pending", "2026-05-14T04:00:05Z")
    house.fast_forward(timedelta(seconds=40), step=timedelta(seconds=5))
    (done,) = house.deliveries(channel="mail")
    assert [a["outcome"] for a in done["attempts"]] == ["try_again", "try_again", "delivered"]
    assert done["attempts"][0]["why"] == "the mail is refused: 451 later"
    assert len(server.taken) == 1
