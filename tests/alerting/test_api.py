"""What people read and do over HTTP, and the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from alerting.delivery import mailbox
from tests.alerting.plans import plan
from tests.alerting.test_app import PASSWORD, Alive, alive, until
from tests.alerting.ward import FATAL, SERIOUS, dose, report
from tocsin.messages.envelope import encode
from tocsin.now import wall


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alive]:
    with alive(tmp_path_factory.mktemp("api")) as found:
        infusion = dose(
            kind="infusion", subject="S01-003", level="DL2", started_at="2026-05-08T10:00+08:00", at=wall()
        )  # fmt: skip
        found.bus.publish(
            [encode(infusion), encode(report(FATAL, at=wall())), encode(report(SERIOUS, case="TOC-0032", at=wall()))]
        )
        until(lambda: len(mailbox.read(found.folder / "mailbox")) >= 3)
        yield found


@pytest.fixture(scope="module")
def physician(house: Alive) -> str:
    return house.sign_in("safety_physician")


def alert_of(house: Alive, token: str, case: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = house.ask("GET", f"/v1/alerts?case_id={case}", token).json()["alerts"]
    return found[0]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/alerts",
        "/v1/clocks",
        "/v1/contacts",
        "/v1/on-duty",
        "/v1/call-plans/NCT06223646/overrides",
        "/v1/deliveries",
        "/v1/subjects/S01-003",
        "/v1/mailbox",
    ],
)
def test_reading_needs_a_person_with_a_role_that_may(house: Alive, physician: str, path: str) -> None:
    assert house.ask("GET", path).status_code == 401
    assert house.ask("GET", path, house.sign_in("cell_lab")).status_code == 403
    assert house.ask("GET", path, physician).status_code == 200


def test_alerts_are_found_by_case_state_level_kind_and_time(house: Alive, physician: str) -> None:
    def cases(query: str) -> list[str]:
        found = house.ask("GET", f"/v1/alerts?{query}", physician).json()["alerts"]
        return sorted(a["case_id"] for a in found if a["case_id"] is not None)

    assert cases("") == ["TOC-0031", "TOC-0032"]
    assert cases("level=page") == ["TOC-0031"]
    assert cases("kind=serious") == ["TOC-0032"]
    assert cases("case_id=TOC-0032") == ["TOC-0032"]
    assert cases("since=2999-01-01T00:00:00Z") == []
    assert house.ask("GET", "/v1/alerts?state=perhaps", physician).status_code == 422


def test_an_alert_shows_who_was_told_when_by_which_channel_and_how_it_went(house: Alive, physician: str) -> None:
    until(lambda: alert_of(house, physician, "TOC-0031")["notices"][0]["outcome"] == "delivered")
    (notice,) = alert_of(house, physician, "TOC-0031")["notices"]
    assert notice["role"] == "safety_physician"
    assert notice["channel"] == "mail"
    assert notice["at"]


def test_clocks_carry_all_that_a_regulator_asks(house: Alive, physician: str) -> None:
    clocks = house.ask("GET", "/v1/clocks?case_id=TOC-0031&recipient=CDE&status=RUNNING", physician).json()["clocks"]
    assert [c["rule"] for c in clocks] == ["CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D"]
    for name in ("event_id", "clause", "day_zero", "due_on", "due_at", "status_history", "reasons"):
        assert clocks[0][name], name


def test_a_subject_with_doses_and_events(house: Alive, physician: str) -> None:
    found = house.ask("GET", "/v1/subjects/S01-003", physician).json()
    assert [d["kind"] for d in found["doses"]] == ["infusion"]
    assert {e["case_id"] for e in found["events"]} == {"TOC-0031", "TOC-0032"}
    assert house.ask("GET", "/v1/subjects/S01-999", physician).status_code == 404


def test_only_those_who_may_answer_an_alarm_do(house: Alive, physician: str) -> None:
    page, info = alert_of(house, physician, "TOC-0031"), alert_of(house, physician, "TOC-0032")
    team = house.sign_in("safety_team")
    assert house.ask("POST", f"/v1/alerts/{page['alert_id']}/acknowledgements").status_code == 401
    assert house.ask("POST", f"/v1/alerts/{page['alert_id']}/acknowledgements", team).status_code == 403
    assert (
        house.ask("POST", f"/v1/alerts/{page['alert_id']}/acknowledgements", house.sign_in("coder")).status_code == 403
    )
    assert house.ask("POST", f"/v1/alerts/{UUID(int=0)}/acknowledgements", physician).status_code == 404
    first = house.ask("POST", f"/v1/alerts/{info['alert_id']}/acknowledgements", team)
    second = house.ask("POST", f"/v1/alerts/{info['alert_id']}/acknowledgements", physician)
    again = house.ask("POST", f"/v1/alerts/{info['alert_id']}/acknowledgements", physician)
    assert (first.json()["acknowledged_by"], first.json()["you_were_first"]) == ("safety_team", True)
    assert (second.json()["acknowledged_by"], second.json()["you_were_first"]) == ("safety_team", False)
    assert again.json() == second.json()


def test_a_wrong_login_and_one_that_cannot_be_read(house: Alive) -> None:
    wrong = house.ask("POST", "/v1/sessions", json={"name": "nobody", "password": PASSWORD})
    assert (wrong.status_code, wrong.headers["content-type"]) == (401, "application/problem+json")
    unread = house.ask("POST", "/v1/sessions", json={"name": "lin", "pasword": "x"})
    assert unread.status_code == 422
    assert "/pasword" in unread.text


def test_deliveries_are_searched_and_tried_again(house: Alive, physician: str) -> None:
    found = house.ask("GET", "/v1/deliveries?channel=mail&state=delivered", physician).json()["deliveries"]
    assert all(d["attempts"][0]["outcome"] == "delivered" for d in found)
    done = house.ask("POST", f"/v1/deliveries/{found[0]['delivery_id']}/retries", physician)
    assert done.status_code == 404, "what was delivered is not sent again"


def test_the_mailbox_lists_the_mails(house: Alive, physician: str) -> None:
    mails = house.ask("GET", "/v1/mailbox", physician).json()["mails"]
    assert "[Tocsin] TOC-0031: death, 7-day clock" in [m["subject"] for m in mails]


def test_every_call_stands_in_the_openapi_document_with_an_example(house: Alive) -> None:
    paths = house.ask("GET", "/openapi.json").json()["paths"]
    ours = {p for p in paths if p.startswith("/v1/")}
    assert ours == {
        "/v1/contacts", "/v1/contacts/tests", "/v1/on-duty", "/v1/call-plans/{study}",
        "/v1/call-plans/{study}/overrides", "/v1/call-plans/{study}/overrides/{override_id}",
        "/v1/alerts/{alert_id}/handovers", "/v1/alerts/{alert_id}/closings",
        "/v1/sessions", "/v1/alerts", "/v1/alerts/{alert_id}/acknowledgements", "/v1/clocks", "/v1/deliveries",
        "/v1/deliveries/{delivery_id}/retries", "/v1/subjects/{subject_id}", "/v1/mailbox",
        "/v1/clocks/{clock_id}", "/v1/clocks/{clock_id}/submissions",
        "/v1/clocks/{clock_id}/submissions/{submission_id}/acknowledgements",
        "/v1/assessments/{case_id}", "/v1/assessments/{case_id}/{decision_id}/signatures",
        "/v1/reconciliations", "/v1/reconciliations/{reconciliation_id}",
        "/v1/duplicates", "/v1/duplicates/{duplicate_id}/decisions", "/v1/dlt", "/v1/dlt/{dlt_id}",
        "/v1/dlt/{dlt_id}/decisions", "/v1/dose-board", "/v1/dose-board/recommendations",
        "/v1/holds/{hold_id}/decisions", "/v1/holds/{hold_id}/confirmations", "/v1/dose-board/packet",
    }  # fmt: skip
    for path in ours:
        for operation in paths[path].values():
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            (content,) = good["content"].values()
            assert content["example"]


def form_token(page: str, action: str) -> str:
    """The token of the form on this page that posts to this address."""
    found = re.search(
        rf'action="{re.escape(action)}"[^>]*>\s*<input type="hidden" name="token" value="([0-9a-f]{{64}})"', page
    )
    assert found, page
    return found[1]


def cookie_of(house: Alive, name: str) -> dict[str, str]:
    answer = house.ask("POST", "/sign-in", data={"name": name, "password": PASSWORD, "next": "/mailbox"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/mailbox")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.casefold()
    return {"cookie": cookie.partition(";")[0]}


def test_opening_the_link_of_a_mail_shows_no_more_than_the_mail_and_changes_nothing(
    house: Alive, physician: str
) -> None:
    alert = alert_of(house, physician, "TOC-0031")
    page = house.ask("GET", f"/a/{alert['alert_id']}")
    assert page.status_code == 200
    assert "TOC-0031" in page.text
    assert "Death" in page.text
    assert "7-day clock" in page.text
    for secret in ("criterion", "S01", "NCT", "grade", "ASSUMED"):
        assert secret not in page.text
    assert alert_of(house, physician, "TOC-0031")["state"] == "open"


def test_signed_in_the_page_says_why_and_acknowledges_by_a_form(house: Alive, physician: str) -> None:
    path = f"/a/{alert_of(house, physician, 'TOC-0031')['alert_id']}"
    assert house.ask("POST", path, data={"token": "0" * 64}).status_code == 401
    cookie = cookie_of(house, "safety_physician")
    page = house.ask("GET", path, headers=cookie)
    assert "outcome: fatal" in page.text
    assert "ASSUMED RULES" in page.text
    token = form_token(page.text, path)
    assert house.ask("POST", path, headers=cookie, data={"token": "0" * 64}).status_code == 403
    other = cookie_of(house, "safety_team")
    assert house.ask("POST", path, headers=other, data={"token": token}).status_code == 403
    abroad = {**cookie, "sec-fetch-site": "cross-site"}
    assert house.ask("POST", path, headers=abroad, data={"token": token}).status_code == 403
    assert alert_of(house, physician, "TOC-0031")["state"] == "open"
    done = house.ask("POST", path, headers=cookie, data={"token": token})
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert alert_of(house, physician, "TOC-0031")["acknowledged_by"] == "safety_physician"
    assert "Acknowledged by safety_physician" in house.ask("GET", path, headers=cookie).text
    assert "Acknowledged by a person" in house.ask("GET", path).text


def test_pages_that_are_not_there_look_alike(house: Alive) -> None:
    assert house.ask("GET", "/a/TOC-0031").status_code == 404
    assert house.ask("GET", f"/a/{UUID(int=0)}").text == house.ask("GET", "/a/x").text


def test_a_wrong_login_on_the_page_says_so_and_an_onward_address_stays_here(house: Alive) -> None:
    wrong = house.ask("POST", "/sign-in", data={"name": "lin", "password": "x", "next": "//evil.example/"})
    assert wrong.status_code == 401
    assert "do not fit" in wrong.text
    assert "evil" not in wrong.text


def test_the_mailbox_page_needs_a_login_and_shows_the_mails(house: Alive) -> None:
    assert house.ask("GET", "/mailbox").status_code == 401
    page = house.ask("GET", "/mailbox", headers=cookie_of(house, "administrator"))
    assert re.search(r"\b\d+ mails in the mailbox", page.text)
    assert "have reached nobody" in page.text


def test_pages_load_nothing_from_elsewhere(house: Alive, physician: str) -> None:
    page = house.ask("GET", f"/a/{alert_of(house, physician, 'TOC-0032')['alert_id']}")
    loaded = re.findall(r'<(?:link|script|img)[^>]* (?:src|href)="([^"]+)"', page.text)
    assert [address.partition("?")[0] for address in loaded] == ["/icon.svg", "/look/desk.css", "/look/desk.js"]
    assert house.ask("GET", loaded[1]).headers["content-type"].startswith("text/css")
    assert "style=" not in page.text


def test_an_alert_is_handed_over_and_closed_and_the_page_says_by_whom(house: Alive, physician: str) -> None:
    planner = house.sign_in("safety_team")
    saved = house.ask(
        "PUT", "/v1/call-plans/NCT06223646", planner, json={"replaces": 0, "reason": "the first", "plan": plan()}
    )
    assert saved.status_code == 200, saved.text
    again = house.ask(
        "PUT", "/v1/call-plans/NCT06223646", planner, json={"replaces": 0, "reason": "again", "plan": plan()}
    )
    assert again.status_code == 409
    assert house.ask("PUT", "/v1/call-plans/NCT06223646", physician, json={}).status_code == 403
    alert = alert_of(house, physician, "TOC-0031")
    here = f"/v1/alerts/{alert['alert_id']}"
    facts = {"to": "qiao", "reason": "I am in surgery"}
    assert house.ask("POST", f"{here}/handovers", house.sign_in("safety_team"), json=facts).status_code == 403
    nobody = house.ask("POST", f"{here}/handovers", physician, json={**facts, "to": "nobody"})
    assert (nobody.status_code, "/to" in nobody.text) == (422, True)
    handed = house.ask("POST", f"{here}/handovers", physician, json=facts)
    assert handed.status_code == 201, handed.text
    [shown] = handed.json()["alerts"]
    assert (shown["state"], shown["handed_over"][0]["to"]) == ("open", "qiao")
    assert shown["notices"][-1]["people"] == ["qiao"]
    cookie = cookie_of(house, "safety_physician")
    page = house.ask("GET", f"/a/{alert['alert_id']}", headers=cookie).text
    assert "Handed over to <b>qiao</b> by" in page
    assert "I am in surgery" in page
    assert "I am in surgery" not in house.ask("GET", f"/a/{alert['alert_id']}").text
    early = house.ask("POST", f"{here}/closings", physician, json={"reason": "done"})
    assert early.status_code == 409
    assert house.ask("POST", f"{here}/acknowledgements", physician).status_code == 200
    closed = house.ask("POST", f"{here}/closings", physician, json={"reason": "assessed and sent"})
    assert closed.status_code == 201, closed.text
    assert closed.json()["alerts"][0]["state"] == "closed"
    assert "assessed and sent" in house.ask("GET", f"/a/{alert['alert_id']}", headers=cookie).text
    assert "assessed and sent" not in house.ask("GET", f"/a/{alert['alert_id']}").text


def test_deliveries_are_found_by_address_case_and_time(house: Alive, physician: str) -> None:
    def found(query: str) -> int:
        return len(house.ask("GET", f"/v1/deliveries?{query}", physician).json()["deliveries"])

    assert found("address=safety-physician@sponsor.invalid") > 0
    assert found("address=nobody@sponsor.invalid") == 0
    assert found("case_id=TOC-0031") > 0
    assert found("case_id=TOC-9999") == 0
    assert found("since=2999-01-01T00:00:00Z") == 0
