"""The dose board as it is kept and shown: holds that ring until they are confirmed, reviews, infusions against them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerting import trial, trial_facts
from alerting.shown_trial import BoardShown, HoldShown
from alerting.tables import accounts
from tests.alerting.desk import MEANING, PASSWORD, Desk
from tests.alerting.test_dlt import AS_CRS, CRS, anc, kept, observed
from tests.alerting.test_rebuild import said
from tests.alerting.ward import _HANDLERS, HEADACHE, MILD, NOON, STUDY, Ward, coding, dose, report, studies, ward
from tocsin.domain.board.board import board as domain_board
from tocsin.domain.board.standing import Status
from tocsin.messages.envelope import Envelope

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRAVE = {**CRS, "grade": {"ctcae": 4}}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Ward]:
    """A house that serves the study with its dose levels."""
    with ward(f"sqlite:///{tmp_path}/alerting.db", tmp_path, studies()) as found:
        yield found


def infused(subject: str, level: str, started: str, *, given: float = 1.0e6, planned: float = 1.0e6) -> Envelope[Any]:
    return dose(
        f"D-{subject}", kind="infusion", subject=subject, level=level, started_at=started, planned=planned,
        given=given, unit="cells/kg",
    )  # fmt: skip


def crs_4(subject: str, case: str, at: datetime = NOON) -> list[Envelope[Any]]:
    """A grade 4 CRS, coded: dose-limiting at once."""
    return [report(GRAVE, case=case, subject=subject, at=at), coding(AS_CRS, case=case, at=at)]


def board(house: Ward) -> dict[str, Any]:
    found: dict[str, Any] = Desk(house).get("/v1/dose-board")
    BoardShown.model_validate(found)
    return found


def level(house: Ward, name: str) -> dict[str, Any]:
    return next(one for one in board(house)["levels"] if one["level"] == name)


def held(house: Ward, kind: str) -> list[dict[str, Any]]:
    return [hold for hold in board(house)["holds"] if hold["kind"] == kind and hold["stands"]]


def ask(house: Ward, path: str, body: dict[str, Any], by: str, status: int = 201) -> Any:
    desk = Desk(house)
    with house.store.reading() as tx:
        is_known = by in tx.scalars(select(accounts.c.name))
    if not is_known:
        desk.person(by)
    return desk.post(path, body, by=by, status=status)


def lift(house: Ward, hold: dict[str, Any], by: str = "committee", status: int = 201) -> Any:
    body = {"reason": "reviewed", "signature": {"password": PASSWORD, "meaning": MEANING}}
    return ask(house, f"/v1/holds/{hold['hold_id']}/decisions", body, by, status)


def rung(house: Ward, *kinds: str) -> list[tuple[str, str, str]]:
    """(kind, level, state) of the alerts of these kinds."""
    return [(a["kind"], a["level"], a["state"]) for a in house.alerts() if a["kind"] in kinds]


TWO = [
    infused("S01-001", "DL1", "2026-05-11T10:00+08:00"),
    infused("S01-002", "DL1", "2026-05-12T10:00+08:00"),
    *crs_4("S01-001", "TOC-0031"),
    *crs_4("S01-002", "TOC-0032"),
]


@pytest.mark.rule("rules.md 5.5: ST-04; readings.md DLT 14")
def test_the_second_dlt_of_a_level_holds_it_and_rings_until_every_site_and_the_cell_lab_have_confirmed(
    house: Ward,
) -> None:
    house.receive(*TWO)
    (hold,) = held(house, "second_dlt")
    HoldShown.model_validate(hold)
    assert (hold["key"], hold["closing"]) == ("second_dlt:DL1", False)
    assert hold["stops"] == ["DL1", "DL2", "DL3"]
    assert level(house, "DL1")["decision"] == "STOP_ALL_DOSES_TOO_TOXIC"
    (page,) = [a for a in house.alerts(case_id="TOC-0032") if a["level"] == "page"]
    assert [said for said in page["reasons"] if said.startswith("hold: ST-04")], "one page with all reasons"
    assert rung(house, "hold_confirmation") == [], "what else the same facts set is gathered for a minute"
    house.fast_forward(timedelta(minutes=1))
    assert rung(house, "hold_confirmation") == [("hold_confirmation", "warn", "open")] * 3
    house.fast_forward(timedelta(hours=12), step=HOUR)
    to = [mail.to for mail in house.mails() if "hold on infusions" in mail.subject]
    assert {one: to.count(one) for one in set(to)} == {
        "site-s01@trial.invalid": 4, "site-s02@trial.invalid": 4, "cell-lab@sponsor.invalid": 4,
    }, "at once and every four hours"  # fmt: skip

    confirm = f"/v1/holds/{hold['hold_id']}/confirmations"
    ask(house, confirm, {"party": "cell_lab"}, "cell_lab")
    ask(house, confirm, {"party": "S01"}, "safety_team", status=422)
    ask(house, confirm, {"party": "S01", "told_by": "Dr Gao, by telephone"}, "safety_team")
    ask(house, confirm, {"party": "S07", "told_by": "nobody"}, "safety_team", status=422)
    (hold,) = held(house, "second_dlt")
    assert [(c["party"], c["confirmed_at"] is not None) for c in hold["confirmations"]] == [
        ("S01", True), ("S02", False), ("cell_lab", True),
    ]  # fmt: skip
    assert sorted(state for _, _, state in rung(house, "hold_confirmation")) == ["acknowledged", "acknowledged", "open"]


def test_the_board_is_the_same_without_what_no_rule_says_anything_of(house: Ward) -> None:
    """A headache before the infusion has a verdict that says nothing. It is left out where nobody is shown it."""
    house.receive(infused("S01-001", "DL1", "2026-05-11T10:00+08:00"))
    house.receive(report(MILD, case="TOC-0040", subject="S01-001"), coding(HEADACHE, case="TOC-0040"))
    house.receive(*crs_4("S01-001", "TOC-0041"))
    protocol = house.parts.study(STUDY)
    with house.store.reading() as tx:
        whole = trial_facts.of_study(tx, protocol)
        told = trial.board_of(tx, protocol, house.at)
    assert [one.state.value for one in whole.subjects[0].verdicts] == ["none", "MET_BY_RULE"]
    assert domain_board(protocol, whole.subjects, whole.trial, house.at) == told
    [standing] = told.subjects
    assert standing.status is Status.DLT


def test_somebody_of_a_site_confirms_for_that_site_alone_and_reads_of_no_other(house: Ward) -> None:
    house.receive(*TWO)
    (hold,) = held(house, "second_dlt")
    confirm = f"/v1/holds/{hold['hold_id']}/confirmations"
    assert ask(house, confirm, {"party": "S02"}, "site", status=403)
    assert ask(house, confirm, {"party": "cell_lab"}, "site", status=403)
    shown = ask(house, confirm, {"party": "S01"}, "site")
    assert [(one["party"], one["by"]) for one in shown["confirmations"]] == [("S01", "site")]
    assert shown["reasons"] == []
    (hold,) = held(house, "second_dlt")
    assert [c["party"] for c in hold["confirmations"] if c["confirmed_at"]] == ["S01"]


@pytest.mark.rule("rules.md 5.5: ST-04; readings.md DLT 14")
def test_a_hold_stays_when_its_facts_go_and_is_lifted_only_by_signature(house: Ward) -> None:
    house.receive(*TWO)
    (second,) = Desk(house).get("/v1/dlt?subject=S01-002")["verdicts"]
    body = {"decision": "REJECTED", "reason": "grade 2 after review",
            "signature": {"password": PASSWORD, "meaning": MEANING}}  # fmt: skip
    ask(house, f"/v1/dlt/{second['dlt_id']}/decisions", body, "safety_physician")
    (hold,) = held(house, "second_dlt")
    assert not hold["asked_for"]
    house.move(HOUR)
    lift(house, hold, by="safety_physician", status=403)
    lift(house, hold, by="medical_director")
    assert held(house, "second_dlt") == []
    lift(house, hold, status=409)


@pytest.mark.rule("rules.md 5.5: ST-04; readings.md DLT 14")
def test_a_hold_that_was_lifted_is_set_anew_by_other_facts_and_rings_again(house: Ward) -> None:
    house.receive(*TWO)
    (hold,) = held(house, "second_dlt")
    house.move(HOUR)
    lift(house, hold, by="medical_director")
    house.move(HOUR)
    third = infused("S01-003", "DL1", "2026-05-13T10:00+08:00")
    house.receive(third)
    assert held(house, "second_dlt") == []
    house.receive(*crs_4("S01-003", "TOC-0033", house.at))
    (again,) = held(house, "second_dlt")
    assert again["hold_id"] == hold["hold_id"]
    assert [c["confirmed_at"] for c in again["confirmations"]] == [None, None, None]
    (page,) = [a for a in house.alerts(case_id="TOC-0033") if a["level"] == "page"]
    assert [said for said in page["reasons"] if said.startswith("hold: ST-04: 3 subjects")]


@pytest.mark.rule("rules.md 5.5: ST-02")
def test_an_infusion_against_a_hold_is_kept_and_rings_at_once(house: Ward) -> None:
    house.receive(infused("S01-001", "DL1", "2026-05-11T10:00+08:00"))
    assert rung(house, "infusion_against_hold") == []
    house.receive(infused("S01-002", "DL2", "2026-05-13T10:00+08:00", given=2.0e6, planned=2.0e6))
    found = next(one for one in board(house)["subjects"] if one["subject"] == "S01-002")
    assert found["infused_against"] == ["parallel:DL1", "review:DL2"]
    assert rung(house, "infusion_against_hold") == [("infusion_against_hold", "page", "open")] * 2


@pytest.mark.rule("rules.md 5.5: ST-03")
def test_a_treatment_related_death_holds_every_level_on_the_same_page(house: Ward) -> None:
    death = {**CRS, "grade": {"ctcae": 5}, "outcome": "fatal", "seriousness": ["death"], "serious": True}
    house.receive(infused("S01-001", "DL1", "2026-05-11T10:00+08:00"), report(death, subject="S01-001"))
    (hold,) = held(house, "treatment_related_death")
    assert (hold["stops"], hold["decide_by"]) == ("all", "2026-05-17T04:00:00Z")
    pages = [a for a in house.alerts() if a["level"] == "page"]
    assert [a["kind"] for a in pages] == ["fatal"], "one page for what one person must do now"
    lift(house, hold, by="medical_director", status=403)


@pytest.mark.rule("rules.md 5.1; rules.md 5.5: ST-02")
def test_three_without_a_dlt_go_up_once_the_committee_has_signed(house: Ward) -> None:
    for n, day in enumerate(("2026-04-01", "2026-04-30", "2026-05-01"), 1):
        house.receive(infused(f"S01-00{n}", "DL1", f"{day}T10:00+08:00"))
    assert level(house, "DL1")["decision"] == "WAIT"
    (review,) = held(house, "review")
    lift(house, review, status=409)
    house.fast_forward(timedelta(days=17), step=DAY)
    found = level(house, "DL1")
    assert (found["evaluable"], found["dlt"], found["decision"], found["needs_review"]) == (3, 0, "ESCALATE", True)
    assert board(house)["next"]["level"] is None
    lift(house, review)
    assert board(house)["next"] == {
        **board(house)["next"], "current_level": "DL1", "level": "DL2", "may_be_infused": True, "held_by": [],
    }  # fmt: skip


def test_a_subject_shows_its_window_and_where_it_stands(house: Ward) -> None:
    house.receive(infused("S01-001", "DL1", "2026-05-11T10:00+08:00"))
    found = Desk(house).get("/v1/subjects/S01-001")["standing"]
    assert (found["status"], found["window_day"], found["earliest_on"]) == ("pending", 3, "2026-06-08")
    assert found["window"] == {"from": "2026-05-11T02:00:00Z", "until": "2026-06-08T15:59:59Z"}
    assert found["unread_values"] == []
    house.receive(observed({**anc(0.4, "2026-05-14T06:00"), "unit": "drops"}, subject="S01-001"))
    (unread,) = Desk(house).get("/v1/subjects/S01-001")["standing"]["unread_values"]
    assert "drops" in unread


@pytest.mark.rule("rules.md 5.5: ST-06")
def test_a_product_event_holds_every_level_on_its_own_page(house: Ward) -> None:
    house.receive(dose("P1", kind="product_event", what="sterility", found_at="2026-05-14", lot="L7"))
    (hold,) = held(house, "product")
    assert hold["stops"] == "all"
    assert [a["kind"] for a in house.alerts() if a["level"] == "page"] == ["product_event"]


def test_what_if_says_what_the_board_would_say(house: Ward) -> None:
    house.receive(
        infused("S01-001", "DL1", "2026-05-11T10:00+08:00"), *crs_4("S01-001", "TOC-0031"),
        infused("S01-002", "DL1", "2026-05-12T10:00+08:00"),
        report(CRS, case="TOC-0032", subject="S01-002"), coding(AS_CRS, case="TOC-0032"),
    )  # fmt: skip
    found = {(one["subject"], one["change"]): one for one in board(house)["what_if"]}
    waited = found["S01-002", "nothing changes until the limit has passed"]
    assert (waited["state"], waited["rule_id"], waited["changes_the_board"]) == ("MET_BY_RULE", "DLT-03", True)
    assert waited["decision_after"] == "STOP_ALL_DOSES_TOO_TOXIC: " + waited["decision_after"].partition(": ")[2]
    unrelated = found["S01-001", "both parties judge it not related"]
    assert (unrelated["state"], unrelated["rule_id"]) == ("NOT_DLT", "DLT-02")
    assert found["S01-002", "it was grade 2 at its worst"]["state"] == "none"
    assert found["S01-002", "it was grade 4 at its worst"]["rule_id"] == "DLT-02"


def test_a_subject_whom_nobody_has_seen_rings_once_its_visit_is_overdue(house: Ward) -> None:
    house.receive(infused("S01-001", "DL1", "2026-05-11T10:00+08:00"))
    house.fast_forward(timedelta(days=54), step=DAY)
    assert rung(house, "follow_up_overdue") == []
    house.fast_forward(timedelta(days=4), step=DAY)
    assert rung(house, "follow_up_overdue") == [("follow_up_overdue", "warn", "open")]


@pytest.mark.rule("promise: a rebuild gives the same verdicts")
@pytest.mark.parametrize("decisions_first", [False, True])
def test_a_rebuild_gives_the_same_holds_and_who_confirmed_them(tmp_path: Path, decisions_first: bool) -> None:
    same = ("verdicts", "verdict_history", "holds", "hold_deeds", "subject_watch")
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived", studies()) as lived:
        lived.receive(*TWO)
        (hold,) = held(lived, "second_dlt")
        ask(lived, f"/v1/holds/{hold['hold_id']}/confirmations", {"party": "cell_lab"}, "cell_lab")
        lived.move(HOUR)
        lift(lived, hold)
        deeds, before, at = said(lived, "decisions.recorded.v1"), kept(lived, *same), lived.at
        shown = board(lived)
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt", studies()) as rebuilt:
        rebuilt.is_rebuilding, rebuilt.at = True, at
        rebuilt.receive(*[*deeds, *TWO] if decisions_first else [*TWO, *deeds])
        assert kept(rebuilt, *same) == before
        assert rebuilt.mails() == []
        assert board(rebuilt) == shown


@pytest.mark.postgres
@pytest.mark.rule("rules.md 5.5: ST-04; readings.md DLT 14")
def test_two_processes_that_are_each_handed_one_of_two_dlts_at_once_still_set_the_hold(
    fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    with ward(fresh_database(), tmp_path, studies()) as found:
        found.receive(*TWO[:2])
        together = threading.Barrier(2)
        failed: list[Exception] = []

        def handle(messages: list[Envelope[Any]]) -> None:
            try:
                together.wait()
                found_by = Ward(found.store, tmp_path, found.studies, found.at, found.wall_at, found.deliverers)
                for message in messages:
                    with found.store.transaction() as tx:
                        _handle(message, tx, found_by)
            except Exception as error:  # noqa: BLE001  shown by the test
                failed.append(error)

        workers = [threading.Thread(target=handle, args=(TWO[n : n + 2],)) for n in (2, 4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert failed == []
        assert [hold["key"] for hold in held(found, "second_dlt")] == ["second_dlt:DL1"]


def _handle(message: Envelope[Any], tx: Any, house: Ward) -> None:
    _HANDLERS[message.type](message, tx, house.parts)
