"""The page of deliveries: what was given up stands first, each try is told, and trying again is one button."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest

from alerting.delivery.ledger import MAIL
from alerting.delivery.outcome import Delivered, GiveUp, Outcome, TryAgain
from alerting.delivery.parcel import Parcel
from tests.alerting.desk import trail
from tests.alerting.test_dead_letters import died
from tests.alerting.visitor import Door, Visitor, refused_to
from tests.alerting.ward import FATAL, SERIOUS, Ward, report

HERE, RETRY = "/desk/deliveries", "/desk/deliveries/retry"
READERS = ("safety_physician", "second_physician", "medical_director", "medical_reviewer", "safety_team", "committee",
           "auditor", "administrator")  # fmt: skip


@dataclass
class Post:
    """A mail server that answers as it is told, by who is written to."""

    answers: dict[str, Outcome]

    def send(self, parcel: Parcel) -> Outcome:
        return self.answers.get(parcel.address.partition("@")[0], Delivered("250 taken"))

    def rest(self) -> None:
        """Nothing is held open."""


GONE = GiveUp("550 no such <b>mailbox</b>")


@pytest.fixture
def door(house: Ward) -> Door:
    return Door(house)


@pytest.fixture
def team(door: Door) -> Visitor:
    return door.visitor("wu", "safety_team")


def post(door: Door, **answers: Outcome) -> None:
    door.ward.deliverers[MAIL] = Post({name.replace("_", "-"): how for name, how in answers.items()})


def rows(page: str) -> list[str]:
    """The rows of the table of all deliveries."""
    return re.findall(r"<tr data-row>(.*?)</tr>", page, re.DOTALL)


def test_readers_see_deliveries_and_nobody_else(door: Door) -> None:
    refused_to(door, HERE, READERS, [*READERS, "coder", "cell_lab"])


def test_only_some_may_try_again(door: Door) -> None:
    refused_to(door, RETRY, [], ["second_physician", "medical_reviewer", "committee", "auditor", "coder"], delivery="x")


def test_a_house_from_which_everything_arrived_says_so(door: Door, team: Visitor) -> None:
    assert "Every delivery has arrived." in team.sees(HERE)
    assert "Nothing was sent yet." in team.sees(HERE)
    door.ward.receive(report(FATAL))
    page = team.sees(HERE)
    assert "Every delivery has arrived." in page
    assert "Thu 14 May 2026, 12:00 TOC-0031 death safety-physician@sponsor.invalid" in page
    assert "Given up" not in page


def test_what_was_given_up_stands_first_with_its_reason_and_its_tries(door: Door, team: Visitor) -> None:
    post(door, safety_physician=GONE)
    door.ward.receive(report(FATAL))
    page = team.opened(HERE).text
    said = team.sees(HERE)
    assert "1 delivery was given up." in said
    assert "1 of an alarm that is still open." in said
    assert (
        "mail to safety-physician@sponsor.invalid was given up Thu 14 May 2026, 12:00. alarm still open "
        "TOC-0031 death , for safety physician. 550 no such <b>mailbox</b>"
    ) in said
    assert "Thu 14 May 2026, 12:00 : give up, " in said
    assert "<b>mailbox" not in page
    assert page.index("h-dead") < page.index("h-all")


def test_a_retry_is_tried_at_once_by_whoever_may_and_stands_in_the_trail(door: Door, team: Visitor) -> None:
    post(door, safety_physician=GONE)
    door.ward.receive(report(FATAL))
    (delivery,) = door.ward.deliveries(state="dead")
    post(door)
    answer = team.sends(HERE, RETRY, delivery=delivery["delivery_id"])
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}?said=retried")
    door.ward.send()
    assert "given up." not in team.sees(HERE)
    assert "2 tries" in team.sees(HERE)
    line = trail(door.ward)[-1]
    assert (line["who"], line["did"], line["about"]) == (
        "wu",
        "delivery retried",
        f"delivery {delivery['delivery_id']}",
    )
    # Another waits, so that the page has the form; this one has arrived, and there is nothing to be tried again.
    post(door, safety_physician=TryAgain("451 busy"))
    door.ward.receive(report(FATAL, case="TOC-0033"))
    assert team.sends(HERE, RETRY, delivery=delivery["delivery_id"]).status_code == 409
    assert team.sends(HERE, RETRY, delivery="no id").status_code == 404


def test_a_form_of_another_person_session_or_address_retries_nothing(door: Door, team: Visitor) -> None:
    post(door, safety_physician=GONE)
    door.ward.receive(report(FATAL))
    (delivery,) = door.ward.deliveries(state="dead")
    other, elsewhere = door.visitor("zhou", "medical_director"), door.again("wu")
    for token in (other.token(HERE, RETRY), elsewhere.token(HERE, RETRY), team.token(HERE, "/sign-out"), ""):
        data = {"delivery": delivery["delivery_id"], "token": token}
        assert team.ask("POST", RETRY, data).status_code == 403
    assert [one["delivery_id"] for one in door.ward.deliveries(state="dead")] == [delivery["delivery_id"]]


def test_deliveries_are_found_by_state_channel_address_case_and_day(door: Door, team: Visitor) -> None:
    post(door, safety_physician=GONE)
    door.ward.receive(report(FATAL))
    post(door)
    door.ward.at += timedelta(days=1)
    door.ward.receive(report(SERIOUS, case="TOC-0032"))

    def cases(query: str) -> set[str]:
        return {found for row in rows(team.opened(f"{HERE}?{query}").text) for found in re.findall(r">(TOC-\d+)<", row)}

    assert cases("") == {"TOC-0031", "TOC-0032"}
    assert cases("case=toc-0032") == {"TOC-0032"}
    assert cases("state=dead") == {"TOC-0031"}
    assert cases("since=2026-05-15") == {"TOC-0032"}
    assert cases("address=nobody@x.example") == set()
    assert cases("channel=webhook") == set()
    assert cases("state=no+such&channel=x") == {"TOC-0031", "TOC-0032"}
    assert "None is like this." in team.sees(f"{HERE}?channel=webhook")
    kept = team.ask("GET", f"{HERE}?since=<b>soon")
    assert kept.status_code == 422
    assert 'value="&lt;b&gt;soon"' in kept.text
    for far in ("since=0001-01-01", "at=0001-01-01T00:00%2B08:00&id=8f9d8a60-0000-4000-8000-000000000000"):
        assert team.ask("GET", f"{HERE}?{far}").status_code == 422, far


def test_older_ones_are_on_the_next_page_each_once(door: Door, team: Visitor) -> None:
    for number in range(60):
        door.ward.receive(report(SERIOUS, case=f"TOC-1{number:03}"))
        door.ward.move(timedelta(minutes=number % 2))
    sent = {one["delivery_id"] for one in door.ward.deliveries(limit=1000)}
    path, seen, pages = HERE, list[str](), 0
    while path:
        page = team.opened(path).text
        seen += [f"{row.count('TOC-')}" for row in rows(page)]
        older = re.findall(r'href="([^"]+)" rel="next"', page)
        path, pages = (older[0].replace("&amp;", "&") if older else ""), pages + 1
    assert len(seen) == len(sent) > 100
    assert pages == 2


def test_a_dead_letter_is_told_by_its_place_and_what_to_do_without_its_words(door: Door, team: Visitor) -> None:
    door.ward.dead_letter(died())
    page = team.sees(HERE)
    assert "1 of reports.received.v1 since Thu 14 May 2026, 12:00" in page
    assert "alarm open" in page
    assert "reports.received.v1/2/7: handler_error (ValueError), given up by meddra-coder" in page
    assert "tocsin replay reports.received.v1.dead" in page
    for inside in ("S01-003", "Wang", "without pulse"):
        assert inside not in page
