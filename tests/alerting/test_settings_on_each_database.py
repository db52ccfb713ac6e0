"""The pages of people, on call, deliveries and audit say and do the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import json

from tests.alerting.plans import plan, save
from tests.alerting.test_dead_letters import died
from tests.alerting.test_deliveries_page import GONE, post
from tests.alerting.visitor import Door
from tests.alerting.ward import FATAL, STUDY, Ward, report


def test_what_an_administrator_sees_and_does(any_house: Ward) -> None:
    door = Door(any_house)
    boss, wu = door.visitor("boss", "administrator"), door.visitor("wu", "administrator", "coder")
    save(any_house, plan())
    post(door, lin=GONE)
    any_house.receive(report(FATAL))
    any_house.dead_letter(died())

    assert "2 people may sign in." in boss.sees("/desk/people")
    assert "1 delivery was given up." in boss.sees("/desk/deliveries?case=toc-0031&since=2026-05-14&channel=mail")
    assert "tocsin replay reports.received.v1.dead" in boss.sees("/desk/deliveries")
    (dead,) = any_house.deliveries(state="dead")
    assert boss.sends("/desk/deliveries", "/desk/deliveries/retry", delivery=dead["delivery_id"]).status_code == 303
    document = json.dumps(plan())
    saved = boss.sends(
        "/desk/on-call/plan", "/desk/on-call/plan", study=STUDY, replaces="1", reason="x", do="save", document=document
    )
    assert saved.status_code == 303
    assert "Version 2 of the call plan counts." in boss.sees("/desk/on-call/plan")
    assert "lin is on duty" in boss.sees("/desk/on-call")
    assert "lin@sponsor.example" in boss.sees("/desk/on-call/addresses")

    one = "/desk/people/one?name=wu"
    assert boss.sends(one, "/desk/people/roles", name="wu", role="coder", of_roles="yes").status_code == 303
    assert wu.ask("GET", "/desk/me").status_code == 401
    assert boss.sends(one, "/desk/people/close", name="wu", reason="left").status_code == 303
    assert boss.sends("/desk/people/one?name=boss", "/desk/people/close", name="boss", reason="x").status_code == 409

    boss.sends("/desk/audit", "/desk/audit/verify")
    page = boss.sees(f"/desk/audit?who=BOSS&did=Plan&study={STUDY}&from=2026-05-14&to=2026-05-14")
    assert "Verified up to line" in page
    assert "boss call plan saved" in page
    lines = boss.opened("/desk/audit/export.jsonl?about=person+wu").text.splitlines()
    assert [json.loads(line)["did"] for line in lines] == [
        "person added", "signed in", "person changed", "account closed",
    ]  # fmt: skip
    assert {json.loads(line)["at"] for line in lines} == {"2026-05-14T04:00:00.000000Z"}
