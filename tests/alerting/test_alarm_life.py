"""An alarm is acknowledged by one or by everyone, handed over, closed with a reason; forgotten, it reminds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from alerting import answers, decisions, ringing, tables
from alerting.alarm import Alarm, Handed, Policy, Rung, Step, next_due, next_notice
from tests.alerting.plans import person, plan, save, step
from tests.alerting.test_alarm import HOUR, MINUTE, PAGE, T0, page
from tests.alerting.ward import FATAL, STUDY, Ward, report
from tocsin.errors import Conflict, NotFound, Refused
from tocsin.messages.envelope import identity

REMINDING = Policy(PAGE.steps, PAGE.repeat, remind=4 * HOUR)


def answered(at: Any = T0, **more: Any) -> Alarm:
    return page(state="acknowledged", answered_by="lin", last_deed_at=at, **more)


# Pure: whom next, and why


def test_whoever_acknowledged_and_did_nothing_is_reminded_and_then_somebody_above() -> None:
    history = [Rung(0, T0)]
    found = []
    for hour in range(14):
        while (n := next_notice(answered(), history, REMINDING, T0 + hour * HOUR)) is not None:
            history.append(Rung(n.step, T0 + hour * HOUR, n.cause))
            found.append((hour, n.role, n.cause))
    assert found == [
        (4, "person:lin", "reminder"),
        (8, "medical_director", "reminder"),
        (12, "medical_director", "reminder"),
    ]


def test_a_deed_begins_the_wait_for_a_reminder_anew() -> None:
    history = [Rung(0, T0), Rung(1, T0 + 4 * HOUR, "reminder")]
    at = T0 + 5 * HOUR
    assert next_due(answered(at), history, REMINDING, at) == T0 + 9 * HOUR
    notice = next_notice(answered(at), history, REMINDING, T0 + 9 * HOUR)
    assert notice is not None
    assert (notice.role, notice.step) == ("person:lin", 2)
    assert notice.reason == "acknowledged, and nothing was done about it for 4 hours"


def test_reminders_that_were_missed_are_one() -> None:
    history = [Rung(0, T0), Rung(1, T0 + 4 * HOUR, "reminder")]
    week = T0 + timedelta(days=7)
    notice = next_notice(answered(), history, REMINDING, week)
    assert notice is not None
    assert notice.reason == "acknowledged, and nothing was done about it for 168 hours"
    history.append(Rung(notice.step, week, notice.cause))
    assert next_notice(answered(), history, REMINDING, week) is None


def test_a_closed_alarm_rings_nobody() -> None:
    closed = page(state="closed", answered_by="lin", last_deed_at=T0)
    assert next_due(closed, [Rung(0, T0)], REMINDING, T0 + timedelta(days=9)) is None


def test_handed_over_the_new_person_is_rung_at_once_and_has_the_waits_anew() -> None:
    at = T0 + 10 * MINUTE
    alarm = page(handed=Handed("shen", 1, at))
    history = [Rung(0, T0)]
    notice = next_notice(alarm, history, PAGE, at)
    assert notice is not None
    assert (notice.role, notice.cause, notice.answer_by) == ("person:shen", "assigned", at + 15 * MINUTE)
    history.append(Rung(notice.step, at, notice.cause))
    assert next_notice(alarm, history, PAGE, T0 + 15 * MINUTE) is None
    assert next_due(alarm, history, PAGE, at) == at + 15 * MINUTE
    second = next_notice(alarm, history, PAGE, at + 15 * MINUTE)
    assert second is not None
    assert second.role == "second_physician"


def test_after_a_hand_over_in_the_middle_of_the_repeats_the_next_is_a_whole_wait_later() -> None:
    history = [Rung(0, T0), Rung(1, T0 + 15 * MINUTE), Rung(2, T0 + HOUR), Rung(3, T0 + 2 * HOUR)]
    at = T0 + 2 * HOUR + 30 * MINUTE
    alarm = page(handed=Handed("shen", 1, at))
    history.append(Rung(1, at, "assigned"))
    assert next_due(alarm, history, PAGE, at) == at + HOUR + HOUR
    notice = next_notice(alarm, history, PAGE, at + 2 * HOUR)
    assert notice is not None
    assert (notice.step, notice.role) == (4, "medical_director")


def test_a_repeat_that_rang_one_of_its_two_roles_owes_the_other() -> None:
    policy = Policy(PAGE.steps, HOUR, last_resort="safety_team")
    history = [Rung(0, T0), Rung(1, T0 + 15 * MINUTE), Rung(2, T0 + HOUR), Rung(3, T0 + 2 * HOUR)]
    notice = next_notice(page(), history, policy, T0 + 2 * HOUR)
    assert notice is not None
    assert (notice.step, notice.role) == (4, "safety_team")
    history.append(Rung(4, T0 + 2 * HOUR))
    assert next_due(page(), history, policy, T0 + 2 * HOUR) == T0 + 3 * HOUR


def test_a_policy_is_kept_and_read_back_as_it_was() -> None:
    policy = Policy((Step(timedelta(0), "a", everyone=True), Step(5 * MINUTE, "b")), HOUR, "c", 4 * HOUR)
    assert Policy.of(policy.as_json()) == policy
    assert Policy.of(PAGE.as_json()) == PAGE


# In the house


def fatal_alert(house: Ward) -> dict[str, Any]:
    return next(one for one in house.alerts() if one["kind"] == "fatal")


def death_rang(house: Ward) -> list[str]:
    return [name for name, subject in house.rung() if ": death" in subject]


def everyone(house: Ward) -> dict[str, Any]:
    """A death rings the physician and the director; both must answer."""
    steps = [step(0, "safety_physician", "medical_director", everyone=True), step(60, "second_physician")]
    save(house, plan(policies=[{"levels": ["page"], "steps": steps, "repeat_minutes": 60}]))
    house.receive(report(FATAL))
    return fatal_alert(house)


def test_where_everyone_must_answer_the_first_answer_does_not_stop_the_ringing(house: Ward) -> None:
    alert = everyone(house)
    done = house.acknowledge(alert["alert_id"], by="lin")
    assert (done.waits_for, done.is_first) == (("zhou",), False)
    assert fatal_alert(house)["state"] == "open"
    house.fast_forward(HOUR)
    assert death_rang(house) == ["lin", "zhou", "qiao"]
    done = house.acknowledge(alert["alert_id"], by="zhou", roles=["medical_director"])
    assert (done.waits_for, done.is_first) == ((), True)
    assert fatal_alert(house)["state"] == "acknowledged"
    house.fast_forward(5 * HOUR)
    assert death_rang(house) == ["lin", "zhou", "qiao"]


def test_whoever_answered_is_not_rung_again_for_the_others(house: Ward) -> None:
    steps = [step(0, "safety_physician", "medical_director", everyone=True)]
    save(house, plan(policies=[{"levels": ["page"], "steps": steps, "repeat_minutes": 60}]))
    house.receive(report(FATAL))
    house.acknowledge(fatal_alert(house)["alert_id"], by="lin")
    house.fast_forward(2 * HOUR)
    assert death_rang(house) == ["lin", "zhou", "zhou", "zhou"]


def test_an_answer_of_somebody_else_does_not_stand_for_those_who_must(house: Ward) -> None:
    alert = everyone(house)
    done = house.acknowledge(alert["alert_id"], by="qiao", roles=["second_physician"])
    assert done.waits_for == ("lin", "zhou")


def hand_over(house: Ward, alert: dict[str, Any], to: str) -> None:
    with house.store.transaction() as tx:
        answers.hand_over(tx, house.parts, UUID(alert["alert_id"]), to, by="lin", reason="in surgery", at=house.at)
    house.send()


def test_handed_over_after_an_answer_it_is_open_again_and_rings_the_other(house: Ward) -> None:
    save(house, plan())
    house.receive(report(FATAL))
    alert = fatal_alert(house)
    house.acknowledge(alert["alert_id"])
    house.fast_forward(HOUR)
    hand_over(house, alert, "Shen")
    now = fatal_alert(house)
    assert (now["state"], now["handed_over"][0]["to"], now["acknowledged_by"]) == ("open", "shen", None)
    assert death_rang(house) == ["lin", "shen"]
    house.fast_forward(15 * MINUTE)
    assert death_rang(house) == ["lin", "shen", "qiao"]
    done = house.acknowledge(alert["alert_id"], by="lin")
    assert done.is_first, "the same person may answer again: it was another's meanwhile"
    house.fast_forward(3 * HOUR)
    assert death_rang(house) == ["lin", "shen", "qiao"]
    assert fatal_alert(house)["acknowledged_by"] == "lin"


def test_the_mail_to_whom_it_was_handed_says_so_and_not_the_reason(house: Ward) -> None:
    save(house, plan())
    house.receive(report(FATAL))
    house.move(MINUTE)
    hand_over(house, fatal_alert(house), "shen")
    mail = next(one for one in house.mails() if one.to.startswith("shen"))
    assert "it was handed over to you" in mail.text
    assert "surgery" not in mail.text


def test_it_is_handed_over_only_to_somebody_of_the_plan_who_may_answer(house: Ward) -> None:
    save(house, plan())
    house.receive(report(FATAL))
    for to, problem in (("wu", "wu may not acknowledge it"), ("gao", "nobody in the call plan is called gao")):
        with pytest.raises(Refused) as refusal:
            hand_over(house, fatal_alert(house), to)
        [wrong] = refusal.value.wrong
        assert (wrong.problem, wrong.allowed) == (problem, "lin, shen, qiao, zhou")
    with pytest.raises(NotFound):
        hand_over(house, {"alert_id": str(identity("no alert"))}, "shen")


def close(house: Ward, alert: dict[str, Any]) -> None:
    with house.store.transaction() as tx:
        answers.close(tx, UUID(alert["alert_id"]), by="lin", reason="assessed and sent", at=house.at)


def test_it_is_closed_with_a_reason_once_somebody_has_answered(house: Ward) -> None:
    save(house, plan())
    house.receive(report(FATAL))
    alert = fatal_alert(house)
    with pytest.raises(Conflict, match="acknowledge it first"):
        close(house, alert)
    house.acknowledge(alert["alert_id"])
    close(house, alert)
    now = fatal_alert(house)
    assert (now["state"], now["closed_by"], now["closed_because"]) == ("closed", "lin", "assessed and sent")
    with pytest.raises(Conflict, match="closed by lin"):
        close(house, alert)
    with pytest.raises(Conflict, match="closed by lin"):
        hand_over(house, alert, "shen")


def reminding(house: Ward) -> dict[str, Any]:
    pages = plan()["policies"][0] | {"remind_minutes": 240}
    save(house, plan(policies=[pages]))
    house.receive(report(FATAL))
    alert = fatal_alert(house)
    house.acknowledge(alert["alert_id"])
    return alert


def test_an_answer_that_nothing_follows_reminds_whoever_gave_it_until_it_is_closed(house: Ward) -> None:
    alert = reminding(house)
    house.fast_forward(4 * HOUR)
    assert death_rang(house) == ["lin", "lin"]
    house.fast_forward(4 * HOUR)
    assert death_rang(house) == ["lin", "lin", "zhou"]
    close(house, alert)
    house.fast_forward(24 * HOUR, step=HOUR)
    assert death_rang(house) == ["lin", "lin", "zhou"]


def test_what_is_decided_about_the_case_is_something_done(house: Ward) -> None:
    reminding(house)
    house.fast_forward(3 * HOUR)
    with house.store.transaction() as tx:
        row = {
            "id": identity("signed of a test"), "case_id": "TOC-0031", "study": STUDY, "deed": "causality", "body": {},
            "reason": "x", "signatures": [], "needs": 1, "asked_at": house.at, "signed_at": house.at,
        }  # fmt: skip
        tx.execute(insert(tables.signed), row)
    house.fast_forward(3 * HOUR)
    assert death_rang(house) == ["lin"]
    house.fast_forward(HOUR)
    assert death_rang(house) == ["lin", "lin"]


def test_what_was_done_about_an_alarm_stands_on_the_log(house: Ward) -> None:
    """Told to an empty table in another order, the deeds give the same alarm."""
    save(house, plan())
    house.receive(report(FATAL))
    alert = fatal_alert(house)
    alert_id = UUID(alert["alert_id"])
    house.acknowledge(alert["alert_id"])
    house.move(MINUTE)
    hand_over(house, alert, "shen")
    house.move(MINUTE)
    house.acknowledge(alert["alert_id"], by="shen")
    close(house, alert)
    before = fatal_alert(house)
    with house.store.transaction() as tx:
        past = decisions.about(tx, alert["alert_id"])
        assert sorted(deed.what for deed in past) == [
            "alert_acknowledged", "alert_acknowledged", "alert_closed", "alert_handed_over", "notice_rung",
            "notice_rung",
        ]  # fmt: skip
        for table in (tables.acknowledgements, tables.assignments):
            tx.execute(table.delete())
        fresh = {"state": "open", "settled_at": None, "settled_by": None, "closed_why": None, "policy": None}
        tx.execute(tables.alerts.update().where(tables.alerts.c.id == alert_id).values(fresh))
        tx.execute(tables.attempts.delete())
        tx.execute(tables.deliveries.delete())
        tx.execute(tables.notices.delete())
        ready = ringing.load(tx, alert_id)
        assert ready is not None
        for deed in reversed(past):
            answers.apply(tx, house.parts, ready, deed)
    after = fatal_alert(house)
    told = ("state", "closed_by", "closed_because", "closed_at", "acknowledgements", "handed_over")
    assert {name: after[name] for name in told} == {name: before[name] for name in told}
    kept = [(n["step"], n["cause"], n["people"]) for n in after["notices"]]
    assert sorted(kept) == [(0, "policy", ["lin"]), (1, "assigned", ["shen"])]


def test_somebody_who_is_no_longer_in_the_plan_is_replaced_and_not_forgotten(house: Ward) -> None:
    reminding(house)
    others = [one for one in plan()["people"] if one["name"] != "lin"]
    rota = plan()["rotas"][0] | {"people": ["shen"]}
    save(house, plan(people=[*others, person("gao", "safety_physician")], rotas=[rota]), replaces=1)
    house.fast_forward(4 * HOUR)
    assert death_rang(house) == ["lin", "shen"]
    assert fatal_alert(house)["notices"][-1]["reason"].endswith(
        "nobody is reachable as person:lin: safety_physician instead"
    )
