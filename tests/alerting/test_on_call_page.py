"""The pages of who is on call: who is on duty, overrides, the plan and its refusals, trials, webhooks and secrets."""

from __future__ import annotations

import html
import json
import re
from zoneinfo import ZoneInfo

import pytest

from alerting import call_plan_text, call_plans, webhooks
from alerting.call_plan import DOCUMENT, example
from alerting.desk.duty_picture import picture
from tests.alerting.desk import trail
from tests.alerting.plans import person, plan, save
from tests.alerting.visitor import Door, Visitor, plain, refused_to, words
from tests.alerting.ward import NOON, STUDY, Ward

HERE, PLAN, ADDRESSES, HOOKS = (
    "/desk/on-call",
    "/desk/on-call/plan",
    "/desk/on-call/addresses",
    "/desk/on-call/webhooks",
)
READERS = ("safety_physician", "second_physician", "medical_director", "medical_reviewer", "safety_team", "committee",
           "auditor", "administrator")  # fmt: skip
URL = "https://hooks.example.org/tocsin"


@pytest.fixture
def door(house: Ward) -> Door:
    return Door(house)


@pytest.fixture
def team(door: Door) -> Visitor:
    return door.visitor("wu", "safety_team")


@pytest.fixture
def boss(door: Door) -> Visitor:
    return door.visitor("boss", "administrator")


def version(door: Door) -> int:
    with door.ward.store.reading() as tx:
        return call_plans.load(tx, STUDY, door.ward.at).version


def did(door: Door, by: str) -> list[str]:
    return [row["did"] for row in trail(door.ward) if row["who"] == by and row["did"] != "signed in"]


@pytest.mark.parametrize("path", [HERE, PLAN, ADDRESSES])
def test_readers_see_who_is_on_call_and_nobody_else(door: Door, path: str) -> None:
    refused_to(door, path, READERS, [*READERS, "coder", "cell_lab"])


@pytest.mark.parametrize(
    ("path", "may_not"),
    [
        (PLAN, ["safety_physician", "committee", "auditor", "coder"]),
        (f"{HERE}/overrides", ["medical_reviewer", "committee", "auditor", "coder"]),
        (f"{HERE}/withdraw", ["medical_reviewer", "committee", "auditor"]),
        (f"{ADDRESSES}/trials", ["second_physician", "committee", "auditor"]),
        (f"{HOOKS}/add", ["safety_team", "medical_director", "auditor"]),
        (f"{HOOKS}/rotate", ["safety_team", "medical_director", "auditor"]),
        (f"{HOOKS}/disable", ["safety_team", "auditor"]),
        (f"{HOOKS}/enable", ["safety_team", "auditor"]),
    ],
)
def test_who_may_not_plan_try_or_keep_webhooks_is_refused(door: Door, path: str, may_not: list[str]) -> None:
    refused_to(door, path, [], may_not, study=STUDY)


def test_without_a_plan_the_people_of_the_study_file_are_named(team: Visitor) -> None:
    page = team.sees(HERE)
    assert "The safety physician of the study file is rung first." in page
    assert "The study has no call plan: the people of the study file are rung." in page
    assert team.ask("GET", f"{HERE}?study=NCT0").status_code == 404


def test_the_heading_says_who_is_on_duty_until_when(door: Door, team: Visitor) -> None:
    """Turns of a week from Monday 5 January 2026: the nineteenth, from 11 May, is lin's; it ends on Monday 18 May."""
    save(door.ward, plan())
    page = team.sees(HERE)
    assert "lin is on duty as safety physician until Mon 18 May 2026, 08:00." in page
    assert "safety physician Mon 18 May 2026, 08:00 Mon 25 May 2026, 08:00 shen the rota" in page
    assert "medical director zhou has the role no change in 14 days" in page


def test_the_picture_has_a_row_for_each_person_and_a_bar_for_each_turn(door: Door) -> None:
    save(door.ward, plan())
    with door.ward.store.reading() as tx:
        duties = call_plans.now_on_duty(tx, door.ward.parts, NOON, 14)
    drawn = picture(duties, NOON, 14, ZoneInfo("Asia/Shanghai"))
    assert [row.label for row in drawn.rows] == [
        "medical director", "zhou", "safety physician", "lin", "shen", "safety team", "wu", "second physician", "qiao",
    ]  # fmt: skip
    # 924 points for 336 hours: 2.75 an hour. To Monday 08:00 it is 92 hours, then 168, then 76.
    lin, shen = drawn.rows[3], drawn.rows[4]
    assert [(bar.x, bar.width) for bar in lin.bars] == [(176.0, 253.0), (891.0, 209.0)]
    assert [(bar.x, bar.width) for bar in shen.bars] == [(429.0, 462.0)]
    assert lin.bars[0].says == "lin: Thu 14 May, 12:00 to Mon 18 May, 08:00 (the rota)"
    assert drawn.days[0] == (209.0, "Fri 15")
    assert len(drawn.days) == 14


def test_an_override_is_made_in_the_zone_of_the_study_and_withdrawn(door: Door, team: Visitor) -> None:
    save(door.ward, plan())
    answer = team.sends(
        HERE, f"{HERE}/overrides", study=STUDY, taker="safety_physician|shen", begins="2026-05-14T11:00",
        ends="2026-05-15T08:00", reason="Lin is at a congress",
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}?study={STUDY}&said=override")
    page = team.sees(HERE)
    assert "shen is on duty as safety physician until Fri 15 May 2026, 08:00." in page
    assert "shen is safety physician from Thu 14 May 2026, 11:00 to Fri 15 May 2026, 08:00" in page
    (override,) = re.findall(r'name="override" value="([0-9a-f-]+)"', team.opened(HERE).text)
    assert team.sends(HERE, f"{HERE}/withdraw", study=STUDY, override=override).status_code == 303
    assert "lin is on duty" in team.sees(HERE)
    assert team.ask("POST", f"{HERE}/withdraw", {"override": "x"}).status_code == 403
    assert did(door, "wu") == ["override made", "override withdrawn"]


def test_a_refused_override_keeps_what_was_typed(door: Door, team: Visitor) -> None:
    save(door.ward, plan())
    typed = {"study": STUDY, "taker": "safety_physician|shen", "begins": "2026-05-15T08:00", "reason": "<i>a congress"}
    answer = team.sends(HERE, f"{HERE}/overrides", **typed, ends="2026-05-14T13:00")
    assert answer.status_code == 422
    assert "/ends : it ends before it begins" in words(answer)
    for kept in ('value="2026-05-15T08:00"', 'value="2026-05-14T13:00" aria-invalid="true"', '"&lt;i&gt;a congress"'):
        assert kept in answer.text
    assert 'value="safety_physician|shen" selected' in answer.text
    assert "None: every turn is as the rota says." in words(answer)
    for wrong in ({"ends": "soon"}, {"ends": "2026-05-16T08:00", "reason": " "}):
        assert team.sends(HERE, f"{HERE}/overrides", **{**typed, **wrong}).status_code == 422


def test_a_gap_rings_on_the_page(door: Door, team: Visitor) -> None:
    save(door.ward, plan())
    with door.ward.store.transaction() as tx:
        webhooks.add(tx, STUDY, "person", URL, NOON)
        hook = webhooks.listed(tx)[0].id
    people = [one for one in plan()["people"] if one["name"] != "qiao"]
    qiao = {"name": "qiao", "roles": ["second_physician"], "webhooks": [str(hook)]}
    save(door.ward, plan(people=[*people, qiao]), replaces=1)
    assert "Nobody is reachable" not in team.sees(HERE)
    with door.ward.store.transaction() as tx:
        webhooks.disable(tx, hook, "moved", NOON, who="zhou")
    assert "Nobody is reachable as second physician." in team.sees(HERE)


def test_the_plan_is_shown_readably(door: Door, team: Visitor) -> None:
    people = plan()["people"]
    people[0] |= {"quiet": {"begins": "22:00", "ends": "07:00"}}
    save(door.ward, plan(people=people))
    page = team.sees(PLAN)
    for said in (
        "Version 1 of the call plan counts.",
        "Saved by zhou, Thu 14 May 2026, 12:00: a plan of a test",
        "lin safety physician lin@sponsor.example 22:00 to 07:00",
        "safety physician : lin, then shen 7 days each, from 2026-01-05; hand-over at 08:00 (Asia/Shanghai)",
        "every page At once : safety physician 15 min later, when nobody has acknowledged: second physician 1 h later",
        "Again: every 1 h. Reminded when nothing is done: never.",
    ):
        assert said in page
    assert "Change the plan" in page
    assert "Change the plan" not in door.visitor("a", "auditor").sees(PLAN)


def test_the_document_on_the_page_is_the_plan(door: Door, team: Visitor) -> None:
    save(door.ward, example())
    text = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", team.opened(PLAN).text, re.DOTALL)[0]
    assert call_plan_text.read(html.unescape(text)) == DOCUMENT.validate_python(example())


@pytest.mark.parametrize("name", ['a "quoted" \\ name', "李\x7f伟", "<script>x</script>", "a\u2028b"])
def test_any_name_comes_back_from_toml_as_it_was(name: str) -> None:
    document = plan(
        people=[person("lin", "safety_physician", quiet={"begins": "22:00", "ends": "07:00"}) | {"name": name}]
    )
    document["rotas"][0]["people"] = [name]
    read = call_plan_text.read(call_plan_text.toml(document))
    assert (read.people[0].name, read.rotas[0].people) == (name, [name])
    assert read == call_plan_text.read(json.dumps(document))


def test_checking_saves_nothing_and_names_every_place(door: Door, team: Visitor) -> None:
    document = plan()
    document["policies"][0]["steps"][1]["roles"] = ["auditor"]
    document["rotas"][0]["people"] = ["lin", "nobody"]
    answer = team.sends(
        PLAN, PLAN, study=STUDY, replaces="0", reason="first", do="check", document=json.dumps(document)
    )
    assert answer.status_code == 422
    said = words(answer)
    assert "/policies/0/steps/1/roles/0 : nobody is reachable as auditor" in said
    assert "/rotas/0/people/1 : nobody here is called nobody" in said
    assert "To be looked at: lin has no login, and could not acknowledge" in said
    assert json.dumps(document) in plain(answer)
    good = team.sends(PLAN, PLAN, study=STUDY, replaces="0", do="check", document=json.dumps(plan()))
    assert good.status_code == 200
    assert "It can be saved: every step of every policy reaches somebody. Nothing was saved yet." in words(good)
    assert version(door) == 0


def test_a_plan_is_saved_with_its_reason_and_the_version_that_it_replaces(door: Door, team: Visitor) -> None:
    text = call_plan_text.toml(plan())
    answer = team.sends(PLAN, PLAN, study=STUDY, replaces="0", reason="the rota of June", do="save", document=text)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PLAN}?study={STUDY}&said=saved")
    assert version(door) == 1
    late = team.sends(PLAN, PLAN, study=STUDY, replaces="0", reason="mine", do="save", document=f"{text}# mine\n")
    assert late.status_code == 409
    assert "version 1 stands now, and this one replaces 0: read it again first" in words(late)
    assert "# mine" in late.text
    assert 'name="replaces" value="0"' in late.text
    assert version(door) == 1
    assert did(door, "wu") == ["call plan saved"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("zone = ", "Invalid value"),
        ("{", "the request is not JSON"),
        ("zone = 'Asia/Shanghai'\nsurprise = 1\npeople = []", "/surprise"),
        ("zone = 'Mars'\n[[people]]\nname = 'lin'\nroles = ['safety_physician']", "no time zone"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_and_kept(team: Visitor, document: str, said: str) -> None:
    answer = team.sends(PLAN, PLAN, study=STUDY, replaces="0", reason="x", do="save", document=document)
    assert answer.status_code in (400, 422)
    assert said in words(answer)
    assert document in plain(answer)


@pytest.mark.parametrize("how", [{"reason": ""}, {"replaces": "-1"}, {"replaces": "٣"}])
def test_saving_needs_a_reason_and_a_version(door: Door, team: Visitor, how: dict[str, str]) -> None:
    given = {"study": STUDY, "replaces": "0", "reason": "x", "do": "save", "document": json.dumps(plan()), **how}
    assert team.sends(PLAN, PLAN, **given).status_code == 422
    assert version(door) == 0


def test_a_form_of_another_page_or_person_plans_nothing(door: Door, team: Visitor) -> None:
    given = {"study": STUDY, "replaces": "0", "reason": "x", "do": "save", "document": json.dumps(plan())}
    other = door.visitor("zhou", "medical_director")
    for token in (other.token(PLAN, PLAN), team.token(ADDRESSES, f"{ADDRESSES}/trials"), ""):
        assert team.ask("POST", PLAN, {**given, "token": token}).status_code == 403
    assert version(door) == 0


def test_a_trial_goes_to_one_address_and_is_shown_there(door: Door, team: Visitor) -> None:
    save(door.ward, plan())
    mails = len(door.ward.mails())
    answer = team.sends(ADDRESSES, f"{ADDRESSES}/trials", channel="mail", address="lin@sponsor.example")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ADDRESSES}?said=tried")
    door.ward.send()
    (mail,) = door.ward.mails()[mails:]
    assert (mail.to, "test of this address" in mail.subject) == ("lin@sponsor.example", True)
    assert "delivered Thu 14 May 2026, 12:00" in team.sees(ADDRESSES)
    assert team.sends(ADDRESSES, f"{ADDRESSES}/trials", channel="mail", address="x@x.example").status_code == 404
    assert did(door, "wu") == ["contact tested"]
    assert "Send a trial" not in door.visitor("a", "auditor").sees(ADDRESSES)


def test_the_secret_of_a_webhook_is_shown_once(door: Door, boss: Visitor) -> None:
    answer = boss.sends(ADDRESSES, f"{HOOKS}/add", study=STUDY, role="all", url=URL)
    assert answer.status_code == 200
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", plain(answer))
    page = boss.opened(ADDRESSES).text
    assert URL in page
    assert "whsec_" not in page
    assert secret not in repr(trail(door.ward))
    again = boss.sends(ADDRESSES, f"{HOOKS}/add", study=STUDY, role="all", url=URL)
    assert again.status_code == 409
    assert "whsec_" not in again.text


def test_a_webhook_that_cannot_be_is_refused_and_kept(boss: Visitor) -> None:
    for wrong in ({"url": "ftp://x"}, {"study": "NCT0"}, {"role": "king"}):
        given = {"study": STUDY, "role": "all", "url": "https://h.example/<b>", **wrong}
        answer = boss.sends(ADDRESSES, f"{HOOKS}/add", **given)
        assert answer.status_code == 422
        assert f'value="{html.escape(given["url"])}"' in answer.text
    assert "Webhooks 0" in boss.sees(ADDRESSES)


def test_a_webhook_is_disabled_enabled_and_gets_another_secret(door: Door, boss: Visitor) -> None:
    door.ward.add_webhook(URL)
    (hook,) = re.findall(r'name="webhook" value="([0-9a-f-]+)"', boss.opened(ADDRESSES).text)[:1]
    first = boss.sends(ADDRESSES, f"{HOOKS}/rotate", webhook=hook)
    assert "whsec_" in first.text
    assert "Two secrets sign until Fri 15 May 2026, 12:00." in boss.sees(ADDRESSES)
    assert boss.sends(ADDRESSES, f"{HOOKS}/rotate", webhook=hook).status_code == 409
    assert "whsec_" in boss.sends(ADDRESSES, f"{HOOKS}/rotate", webhook=hook, stolen="yes").text
    assert boss.sends(ADDRESSES, f"{HOOKS}/disable", webhook=hook, reason="").status_code == 422
    assert boss.sends(ADDRESSES, f"{HOOKS}/disable", webhook=hook, reason="it <moved>").status_code == 303
    assert "it &lt;moved&gt;" in boss.opened(ADDRESSES).text
    assert boss.sends(ADDRESSES, f"{HOOKS}/enable", webhook=hook).status_code == 303
    assert boss.sends(ADDRESSES, f"{HOOKS}/disable", webhook=str(door.ward.at), reason="x").status_code == 404
    assert did(door, "boss") == [
        "webhook secret changed", "webhook secret changed", "webhook disabled", "webhook enabled",
    ]  # fmt: skip


def test_what_a_person_is_called_is_only_a_name(door: Door, team: Visitor) -> None:
    hostile = "<script>alert(1)</script>"
    people = [*plan()["people"], {"name": hostile, "roles": ["safety_team"], "mails": ["x@sponsor.example"]}]
    save(door.ward, plan(people=people))
    for path in (HERE, PLAN, ADDRESSES):
        assert "<script>alert" not in team.opened(path).text
