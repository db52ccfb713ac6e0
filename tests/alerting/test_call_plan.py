"""A call plan is saved only if somebody is rung by it, and is then rung as it says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from alerting import call_plans, webhooks
from alerting.call_plan import DOCUMENT, example
from alerting.routing import Callee
from tests.alerting.plans import person, plan, save, step
from tests.alerting.ward import FATAL, MILD, STUDY, Ward, report
from tocsin.errors import Conflict, NotFound, Refused


def told_of_the_death(house: Ward) -> list[str]:
    return [name for name, subject in house.rung() if ": death" in subject]


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def wrong(house: Ward, document: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refusal:
        save(house, document)
    return [(one.pointer, one.problem) for one in refusal.value.wrong]


def policy(**parts: Any) -> dict[str, Any]:
    found: dict[str, Any] = plan()["policies"][0] | parts
    return found


def people_less(name: str) -> list[dict[str, Any]]:
    return [one for one in plan()["people"] if one["name"] != name]


def test_the_example_can_be_saved(house: Ward) -> None:
    assert save(house, example()) == 1


@pytest.mark.parametrize(
    ("change", "where", "problem"),
    [
        ({"people": [*people_less("wu"), {"name": "wu", "roles": ["safety_team"]}]}, "/people/4",
         "wu has no address: nobody would be rung"),
        ({"people": [*plan()["people"], person("lin", "coder") | {"name": " LIN"}]}, "/people/5/name",
         " LIN stands here twice"),
        ({"people": [*plan()["people"], person("gao", "coder", webhooks=["h9"])]}, "/people/5/webhooks/0",
         "h9 is no webhook that is enabled"),
        ({"people": [*plan()["people"], person("gao", "coder", quiet={"begins": "22:00", "ends": "22:00"})]},
         "/people/5/quiet", "it begins when it ends: never, or always?"),
        ({"rotas": [plan()["rotas"][0] | {"people": ["lin", "nobody"]}]}, "/rotas/0/people/1",
         "nobody here is called nobody"),
        ({"rotas": [plan()["rotas"][0] | {"people": ["wu"]}]}, "/rotas/0/people/0",
         "wu is safety_team: who is on call must have the role"),
        ({"rotas": [plan()["rotas"][0] | {"begins": "2026-06-01"}]}, "/rotas/0/begins",
         "the rota has not begun: nobody would be on call until then"),
        ({"rotas": plan()["rotas"] * 2}, "/rotas/1/role", "safety_physician has two rotas"),
        ({"policies": [policy(kinds=["no such"])]}, "/policies/0/kinds/0", "there is no kind 'no such' of alert"),
        ({"policies": [policy(levels=["loud"])]}, "/policies/0/levels/0", "there is no level 'loud'"),
        ({"policies": [policy(levels=[])]}, "/policies/0", "it names neither kinds nor levels"),
        ({"policies": [policy(steps=[step(5, "safety_physician")])]}, "/policies/0/steps/0/after_minutes",
         "the first step rings at once"),
        ({"policies": [policy(steps=[step(0, "safety_physician"), step(0, "safety_team")])]},
         "/policies/0/steps/1/after_minutes", "0 is not later than the step before"),
        ({"policies": [policy(steps=[step(0, "safety_physician"), step(9, "auditor")])]},
         "/policies/0/steps/1/roles/0", "nobody is reachable as auditor"),
        ({"policies": [policy(last_resort="auditor")]}, "/policies/0/last_resort", "nobody is reachable as auditor"),
        ({"policies": [policy(repeat_minutes=None)]}, "/policies/0/repeat_minutes",
         "a page that nobody answers must ring again"),
        ({"policies": [policy(kinds=["fatal"], levels=[], repeat_minutes=None)]}, "/policies/0/repeat_minutes",
         "a page that nobody answers must ring again"),
        ({"policies": [policy(steps=[step(0, "cell_lab", everyone=True)])]}, "/policies/0/steps/0/everyone",
         "everyone must acknowledge, and who that is can be told of people in this plan only"),
    ],
)  # fmt: skip
def test_a_plan_by_which_somebody_would_not_be_rung_is_refused_with_the_place(
    house: Ward, change: dict[str, Any], where: str, problem: str
) -> None:
    found = wrong(house, plan(**change))
    assert any(pointer == where and said.startswith(problem) for pointer, said in found), found
    with house.store.reading() as tx:
        assert call_plans.document(tx, STUDY) is None


def test_a_plan_of_another_version_than_the_one_that_was_read_is_not_saved_over_it(house: Ward) -> None:
    assert save(house, plan()) == 1
    assert save(house, plan(), replaces=1) == 2
    with pytest.raises(Conflict, match="version 2 stands now, and this one replaces 1"):
        save(house, plan(), replaces=1)
    with pytest.raises(NotFound, match="study 'NCT0' is not served here"):
        save(house, plan(), study="NCT0")


def test_who_is_on_duty_is_rung_and_the_policy_of_the_plan_counts(house: Ward) -> None:
    """Monday 11 May 2026 begins an odd week of the rota: the night of Thursday the 14th is Lin's, or Shen's."""
    save(house, plan())
    house.receive(report(FATAL))
    house.fast_forward(2 * HOUR + MINUTE)
    assert told_of_the_death(house) == ["lin", "qiao", "zhou", "zhou"]
    house.acknowledge(house.alerts()[0]["alert_id"], by="zhou", roles=["medical_director"])
    house.fast_forward(3 * HOUR)
    assert len(told_of_the_death(house)) == 4


def test_the_next_one_on_duty_is_rung_after_the_hand_over(house: Ward) -> None:
    steps = [step(0, "safety_physician"), step(15, "second_physician"), step(24 * 60, "safety_physician")]
    save(house, plan(policies=[policy(steps=steps)]))
    house.fast_forward(3 * DAY, step=DAY)  # Sunday noon; on Monday at eight Shen comes
    house.receive(report(FATAL))
    house.fast_forward(DAY + MINUTE, step=15 * MINUTE)
    assert told_of_the_death(house)[:3] == ["lin", "qiao", "shen"]


def test_an_override_rings_whoever_takes_the_night(house: Ward) -> None:
    save(house, plan())
    with house.store.transaction() as tx:
        made = call_plans.put_override(
            tx, house.parts, STUDY, "safety_physician", "Shen", house.at, house.at + HOUR, by="lin", at=house.at,
            reason="a congress",
        )  # fmt: skip
    house.receive(report(FATAL))
    assert [name for name, _ in house.rung()] == ["shen"]
    with house.store.transaction() as tx:
        call_plans.withdraw_override(tx, made, by="lin", at=house.at)
        with pytest.raises(NotFound):
            call_plans.withdraw_override(tx, made, by="lin", at=house.at)
    house.receive(report(FATAL, case="TOC-0032", subject="S01-004"))
    assert [name for name, _ in house.rung()] == ["lin", "shen"]


@pytest.mark.parametrize(
    ("role", "who", "begins", "ends", "where"),
    [
        ("safety_physician", "nobody", 0, 1, "/person"),
        ("safety_physician", "wu", 0, 1, "/person"),
        ("auditor", "lin", 0, 1, "/role"),
        ("safety_physician", "lin", 1, 0, "/ends"),
        ("safety_physician", "lin", -2, -1, "/ends"),
        ("safety_physician", "lin", 0, 24 * 93, "/ends"),
    ],
)
def test_an_override_that_would_leave_nobody_is_refused(
    house: Ward, role: str, who: str, begins: int, ends: int, where: str
) -> None:
    save(house, plan())
    with pytest.raises(Refused) as refusal, house.store.transaction() as tx:
        call_plans.put_override(
            tx, house.parts, STUDY, role, who, house.at + begins * HOUR, house.at + ends * HOUR, by="lin", reason="x",
            at=house.at,
        )  # fmt: skip
    assert where in [one.pointer for one in refusal.value.wrong]


def test_whoever_is_on_duty_and_has_no_address_left_is_replaced_by_another_of_the_role_and_that_is_said(
    house: Ward,
) -> None:
    with house.store.transaction() as tx:
        webhooks.add(tx, STUDY, "person", "https://hooks.example.org/lin", house.at)
        hook = webhooks.listed(tx)[0].id
    lin = person("lin", "safety_physician", webhooks=[str(hook)]) | {"mails": []}
    save(house, plan(people=[lin, *people_less("lin")]))
    with house.store.transaction() as tx:
        webhooks.disable(tx, hook, "gone", house.at, who="zhou")
    house.receive(report(FATAL))
    assert house.rung()[0][0] == "shen"
    fatal = next(one for one in house.alerts() if one["kind"] == "fatal")
    assert fatal["notices"][0]["reason"] == (
        "rung at once; whoever is on duty as safety_physician has no address: another one instead"
    )
    [short] = [one for one in house.alerts() if one["kind"] == "nobody_reachable"]
    assert short["reasons"] == [
        "nobody is reachable as safety_physician on duty; another safety_physician was rung instead"
    ]


def test_a_webhook_of_a_person_hears_only_what_rings_that_person(house: Ward) -> None:
    with house.store.transaction() as tx:
        webhooks.add(tx, STUDY, "person", "https://hooks.example.org/zhou", house.at)
        hook = str(webhooks.listed(tx)[0].id)
    zhou = person("zhou", "medical_director", webhooks=[hook])
    save(house, plan(people=[*people_less("zhou"), zhou]))
    with house.store.transaction() as tx:
        people = call_plans.callees(tx, STUDY, house.studies, webhooks.enabled(tx), house.at)
    assert [one.role for one in people if getattr(one, "name", "") == "zhou"] == ["medical_director", "person:zhou"]
    lins = [one for one in people if isinstance(one, Callee) and one.name == "lin"]
    assert lins
    assert all(hook not in [to.address for to in one.to] for one in lins)


def test_quiet_hours_hold_what_threatens_no_life_and_the_alarm_goes_on(house: Ward) -> None:
    """Twelve o'clock at noon in Shanghai; Lin sleeps from eleven to three. The second physician does not."""
    lin = person("lin", "safety_physician", quiet={"begins": "11:00", "ends": "15:00"})
    save(house, plan(people=[lin, *people_less("lin")]))
    house.receive(report({**MILD, "serious": True, "seriousness": ["hospitalisation"], "grade": {"ctcae": 4}}))
    [alert] = house.alerts()
    assert (alert["level"], alert["kind"]) == ("page", "potential_dlt")
    assert house.rung() == []
    [held] = house.deliveries()
    assert (held["state"], held["next_attempt_at"]) == ("pending", "2026-05-14T07:00:00Z")
    house.fast_forward(16 * MINUTE)
    assert [name for name, _ in house.rung()] == ["qiao"]
    house.acknowledge(alert["alert_id"], by="qiao", roles=["second_physician"])
    house.fast_forward(3 * HOUR)
    assert sorted(name for name, subject in house.rung() if ": potential DLT" in subject) == ["lin", "qiao"]


def test_a_death_is_sent_in_quiet_hours_too(house: Ward) -> None:
    lin = person("lin", "safety_physician", quiet={"begins": "11:00", "ends": "15:00"})
    save(house, plan(people=[lin, *people_less("lin")]))
    house.receive(report(FATAL))
    assert [name for name, _ in house.rung()] == ["lin"]


def test_a_plan_does_not_change_the_steps_of_an_alarm_that_rings_already(house: Ward) -> None:
    """Whom it rings next is looked up when it is rung; by which steps was settled when it was raised."""
    save(house, plan())
    house.receive(report(FATAL))
    save(house, plan(policies=[policy(steps=[step(0, "safety_physician"), step(5, "safety_team")])]), replaces=1)
    house.fast_forward(20 * MINUTE)
    assert [name for name, _ in house.rung()] == ["lin", "qiao"]


def test_kinds_with_a_policy_of_their_own_follow_it(house: Ward) -> None:
    own = {"kinds": ["fatal"], "steps": [step(0, "medical_director", "safety_physician")], "repeat_minutes": 30}
    save(house, plan(policies=[own, *plan()["policies"]]))
    house.receive(report(FATAL))
    assert sorted(name for name, _ in house.rung()) == ["lin", "zhou"]
    house.fast_forward(31 * MINUTE)
    assert sorted(name for name, _ in house.rung()) == ["lin", "lin", "zhou", "zhou"]


def test_the_last_resort_is_rung_with_each_repeat(house: Ward) -> None:
    save(house, plan(policies=[policy(last_resort="safety_team")]))
    house.receive(report(FATAL))
    house.fast_forward(3 * HOUR + MINUTE)
    assert told_of_the_death(house) == ["lin", "qiao", "zhou", "wu", "zhou", "wu", "zhou"]


def test_it_is_kept_as_it_was_saved_and_the_trail_says_by_whom(house: Ward) -> None:
    save(house, plan())
    with house.store.reading() as tx:
        kept = call_plans.document(tx, STUDY)
    assert kept is not None
    assert (kept["version"], kept["saved_by"], kept["reason"]) == (1, "zhou", "a plan of a test")
    assert DOCUMENT.validate_python(kept["plan"]) == DOCUMENT.validate_json(json.dumps(plan()))
