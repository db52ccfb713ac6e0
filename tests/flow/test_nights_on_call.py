"""Nights on call, played fast: every mail that anybody gets is written out, and one that is not expected fails.

People come from a call plan, in a house that is a process of its own. Times are those of Shanghai unless it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.alerting.plans import plan, step
from tests.support.rehearsals import STUDY, Rehearsal, admitted, fatal, rehearsal, shanghai

DEATH = "death, 7-day clock"
TOLD_OF_THE_HOLD = ("cell-lab", "site-s01", "site-s02")
NIGHT = "2026-03-05T23:00+08:00"
"""A Thursday. By the rota of the plan the week belongs to Lin until Monday 9 March at eight."""


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Rehearsal]:
    with rehearsal(tmp_path, at=NIGHT) as house:
        yield house


def save(house: Rehearsal, document: dict[str, Any], replaces: int = 0) -> None:
    body = {"replaces": replaces, "reason": "a night of a test", "plan": document}
    answer = house.ask("PUT", f"/v1/call-plans/{STUDY}", body, by="medical_director")
    assert answer.status_code == 200, answer.text


def mails(house: Rehearsal) -> list[tuple[str, str, str]]:
    """(when, to whom, about what) of every mail there is, in the order of time."""
    found = [(m["sent_at"], m["to"].partition("@")[0], m["subject"].partition(": ")[2]) for m in house.mails()]
    return [(shanghai(at), to, about) for at, to, about in sorted(found)]


def deaths(house: Rehearsal) -> list[tuple[str, str]]:
    """(when, to whom) of the mails about a death. A death holds infusions: the sites and the cell lab hear of that."""
    found = [(when, to, about) for when, to, about in mails(house) if to not in TOLD_OF_THE_HOLD]
    assert {about for _, _, about in found} <= {DEATH}, found
    return [(when, to) for when, to, _ in found]


def answer(house: Rehearsal, alert: dict[str, Any], name: str, *roles: str) -> dict[str, Any]:
    """A person of the plan acknowledges under their own name."""
    return house.acknowledge(alert, by=house.signed_in(name, *roles))


@pytest.mark.rule("readings.md clocks 9")
def test_a_night_on_call_without_an_answer_climbs_and_then_rings_on(night: Rehearsal) -> None:
    save(night, plan())
    night.report(fatal())
    night.move_to("2026-03-06T06:30+08:00")
    assert deaths(night) == [
        ("2026-03-05T23:00", "lin"),
        ("2026-03-05T23:15", "qiao"),
        ("2026-03-06T00:00", "zhou"),
        ("2026-03-06T01:00", "zhou"),
        ("2026-03-06T02:00", "zhou"),
        ("2026-03-06T03:00", "zhou"),
        ("2026-03-06T04:00", "zhou"),
        ("2026-03-06T05:00", "zhou"),
        ("2026-03-06T06:00", "zhou"),
    ]
    [alert] = night.alerts(kind="fatal")
    answer(night, alert, "zhou", "medical_director")
    night.move_to("2026-03-06T22:00+08:00")
    assert len(deaths(night)) == 9


def test_a_hand_over_in_a_night_when_clocks_go_forward_rings_whoever_has_come(tmp_path: Path) -> None:
    """The rota is Berlin's, where 02:00 becomes 03:00 on 29 March 2026 (01:00 UTC, 09:00 in Shanghai).

    Hand-over is at three: one minute after 01:59 there. Lin is rung at 01:50, Shen from the hand-over on.
    """
    steps = [step(0, "safety_physician"), step(5, "safety_physician"), step(15, "safety_physician")]
    rota = {
        "role": "safety_physician", "zone": "Europe/Berlin", "begins": "2026-03-22", "handover": "03:00",
        "every_days": 7, "people": ["lin", "shen"],
    }  # fmt: skip
    own = {"levels": ["page"], "steps": steps, "repeat_minutes": 60}
    with rehearsal(tmp_path, at="2026-03-29T08:50+08:00") as house:
        save(house, plan(rotas=[rota], policies=[own]))
        house.report(fatal())
        house.move_to("2026-03-29T10:30+08:00")
        assert deaths(house) == [
            ("2026-03-29T08:50", "lin"),
            ("2026-03-29T08:55", "lin"),
            ("2026-03-29T09:05", "shen"),
            ("2026-03-29T10:05", "shen"),
        ]
        duty = house.get("/v1/on-duty", at="2026-03-29T00:59:59Z")["duties"]
        [physician] = [one for one in duty if one["role"] == "safety_physician"]
        assert physician["on_duty"] == ["lin"]
        assert [(turn["begins"], turn["people"]) for turn in physician["turns"]][1] == (
            "2026-03-29T01:00:00Z",
            ["shen"],
        )


def test_where_everyone_must_answer_the_last_one_ends_the_ringing(night: Rehearsal) -> None:
    steps = [step(0, "safety_physician", "medical_director", everyone=True), step(30, "second_physician")]
    save(night, plan(policies=[{"levels": ["page"], "steps": steps, "repeat_minutes": 60}]))
    night.report(fatal())
    night.settle()
    [alert] = night.alerts(kind="fatal")
    assert answer(night, alert, "lin", "safety_physician")["waits_for"] == ["zhou"]
    night.move_to("2026-03-06T00:31+08:00")
    assert answer(night, alert, "zhou", "medical_director")["state"] == "acknowledged"
    night.move_to("2026-03-06T08:00+08:00")
    assert deaths(night) == [
        ("2026-03-05T23:00", "lin"),
        ("2026-03-05T23:00", "zhou"),
        ("2026-03-05T23:30", "qiao"),
        ("2026-03-06T00:30", "qiao"),
    ]


def test_facts_that_are_worse_ring_again_after_an_answer_and_equal_or_better_ones_do_not(night: Rehearsal) -> None:
    save(night, plan())
    receipt = night.report(admitted())
    night.settle()
    first = mails(night)
    assert first
    for alert in night.alerts():
        night.acknowledge(alert, by="safety_physician")
    night.pass_by(minutes=10)
    better = admitted(seriousness=["hospitalisation"], outcome="recovering")
    night.follow_up(receipt["case_id"], better)
    night.settle()
    assert mails(night) == first, "equal or better facts ring nobody"
    night.pass_by(minutes=10)
    worse = admitted(seriousness=["hospitalisation", "life_threatening"], grade={"ctcae": 4})
    night.follow_up(receipt["case_id"], worse)
    night.settle()
    new = [one for one in mails(night) if one not in first]
    assert [(when, to) for when, to, _ in new] == [("2026-03-05T23:20", "lin")], new
    assert new[0][2].startswith("life-threatening event")


def test_after_a_week_asleep_every_step_rings_once_and_what_was_missed_is_one(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=NIGHT) as house:
        save(house, plan())
        house.report(fatal())
        house.settle()
        assert deaths(house) == [("2026-03-05T23:00", "lin")]
        house.kill()
        house.start_again("--at", "2026-03-12T23:00+08:00")
        house.settle()
        late = [(to, about) for when, to, about in mails(house) if when >= "2026-03-12"]
        assert [to for to, about in late if about == DEATH] == ["qiao", "zhou"], "an address once at one moment"
        fatal_alert = next(one for one in house.alerts(kind="fatal"))
        assert fatal_alert["notices"][-1]["reason"].endswith("earlier notices were not sent and are joined in this one")
        house.pass_by(hours=1)
        later = [to for when, to, about in mails(house) if when > "2026-03-12T23:30" and about == DEATH]
        assert later == ["zhou"]
