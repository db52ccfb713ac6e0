"""Two cases that may tell of the same: what a person decides of them, and whose day zero wins."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.alerting.desk import MEANING, PASSWORD, Desk, only_study, said, trail, with_settings
from tests.alerting.ward import FATAL, MILD, NOON, SERIOUS, STUDY, Ward, report, ward
from tocsin.domain.protocol import Protocol
from tocsin.messages.envelope import Envelope, identity

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RELATED = {"causality": [{"agent": "product", "party": "investigator", "relation": "related"}]}
PAIR = str(identity("duplicate", "TOC-0032", "TOC-0031"))
WHY = ["the same subject", "the same words", "another person"]


def linked(event: Any, *, at: datetime = NOON + DAY, case: str = "TOC-0032", to: str = "TOC-0031") -> Envelope[Any]:
    """A report with which intake found another case."""
    told = report(event, case=case, at=at)
    link = {"id": str(identity("duplicate", case, to)), "case_id": to, "reasons": WHY}
    body = type(told.body).model_validate({**told.body.model_dump(by_alias=True), "possible_duplicates": [link]})
    return type(told)(told.id, told.type, told.key, told.source, told.study, at, at, body)


def desk_of(found: Ward, first: Any = None, second: Any = None) -> Desk:
    """TOC-0031 came on 14 May at noon; TOC-0032, which may be the same, a day later; now it is an hour after that."""
    found.receive(report((first or SERIOUS) | RELATED))
    found.receive(linked((second or SERIOUS) | RELATED))
    found.move(DAY + HOUR)
    desk = Desk(found)
    desk.person("safety_physician")
    return desk


@pytest.fixture
def desk(any_house: Ward) -> Desk:
    return desk_of(any_house)


@pytest.fixture
def small(house: Ward) -> Desk:
    return desk_of(house)


def decide(
    desk: Desk, decision: str = "duplicate", *, status: int = 201, by: str = "safety_physician", pair: str = PAIR,
    **facts: Any,
) -> Any:  # fmt: skip
    desk.person(by)
    body = {
        "decision": decision, "reason": "one admission, told twice",
        "signature": {"password": PASSWORD, "meaning": MEANING}, **facts,
    }  # fmt: skip
    return desk.post(f"/v1/duplicates/{pair}/decisions", body, by=by, status=status)


def days(desk: Desk, case: str) -> dict[str, tuple[str, str, str]]:
    return {c["rule"]: (c["status"], c["day_zero"], c["due_on"]) for c in desk.ward.clocks(case_id=case)}


def test_what_intake_found_stands_open_with_its_reasons(desk: Desk) -> None:
    (pair,) = desk.get("/v1/duplicates?status=open")["duplicates"]
    assert pair == {
        "duplicate_id": PAIR, "study": STUDY, "case_id": "TOC-0032", "other_case_id": "TOC-0031", "reasons": WHY,
        "found_at": "2026-05-15T04:00:00Z", "status": "open", "kept_case_id": None, "decided_at": None,
        "decided_by": None, "reason": None,
    }  # fmt: skip
    assert desk.get("/v1/duplicates?case_id=TOC-0031")["duplicates"] == [pair]
    assert desk.get("/v1/duplicates?case_id=TOC-0033")["duplicates"] == []
    assert desk.get("/v1/duplicates?status=decided")["duplicates"] == []


def test_a_pair_is_one_however_often_and_from_whichever_side_it_is_told(small: Desk) -> None:
    again = linked(SERIOUS, case="TOC-0031", to="TOC-0032").body.model_copy(update={"revision": 2})
    told = report(SERIOUS, revision=2, at=small.ward.at)
    small.ward.receive(type(told)(told.id, told.type, told.key, told.source, told.study, NOON, NOON, again))
    assert [p["duplicate_id"] for p in small.get("/v1/duplicates")["duplicates"]] == [PAIR]


@pytest.mark.rule("readings.md clocks 4")
def test_the_later_case_gives_way_and_its_clocks_are_cancelled_by_signature(desk: Desk) -> None:
    answer = decide(desk)
    assert (answer["status"], answer["kept_case_id"], answer["state"]) == ("duplicate", "TOC-0031", "in_force")
    assert (answer["decided_by"], answer["overrides"]) == ("safety_physician", [])
    assert (answer["decision"]["case_id"], answer["decision"]["other_case"]) == ("TOC-0032", "TOC-0031")
    assert {e["text"] for e in answer["decision"]["effects"]} == {
        "CN_SUSAR_15D is cancelled", "CN_GCP48_COPY_15D is cancelled",
    }  # fmt: skip
    assert days(desk, "TOC-0031")["CN_SUSAR_15D"] == ("RUNNING", "2026-05-14", "2026-05-29")
    assert days(desk, "TOC-0032")["CN_SUSAR_15D"] == ("CANCELLED", "2026-05-15", "2026-05-30")
    assert (
        "duplicate of TOC-0031: signed by safety_physician"
        in (desk.clock("CN_SUSAR_15D", case="TOC-0032")["status_history"][-1]["reason"])
    )


@pytest.mark.rule("readings.md clocks 4")
def test_when_the_later_case_stays_the_earliest_day_zero_wins(desk: Desk) -> None:
    assert days(desk, "TOC-0032")["CN_SUSAR_15D"] == ("RUNNING", "2026-05-15", "2026-05-30")
    answer = decide(desk, keep="TOC-0032")
    (override,) = answer["overrides"]
    assert (override["decision"], override["case_id"], override["events"], override["revision"]) == (
        "awareness_override", "TOC-0032", ["TOC-0032-E1"], 1,
    )  # fmt: skip
    assert override["aware_at"] == "2026-05-14T04:00:00Z"
    assert (
        "TOC-0031 tells of the same and was known 2026-05-14 12:00 CST: the earliest day zero wins"
        in (override["reason"])
    )
    assert days(desk, "TOC-0032") == {
        "CN_SUSAR_15D": ("RUNNING", "2026-05-14", "2026-05-29"),
        "CN_GCP48_COPY_15D": ("RUNNING", "2026-05-14", "2026-05-29"),
    }
    assert {c[0] for c in days(desk, "TOC-0031").values()} == {"CANCELLED"}


def test_a_running_clock_is_never_lost_by_it(house: Ward) -> None:
    desk = desk_of(house, first=SERIOUS, second=FATAL)
    answer = decide(desk, status=409)
    assert answer["title"].startswith(
        "a running clock would be lost: CN_GCP48_COPY_7D (due 2026-05-22), CN_SUSAR_7D (due 2026-05-22), "
        "CN_SUSAR_7D_PLUS_8D (due 2026-05-30) runs in TOC-0032 and nothing like it in TOC-0031"
    )
    assert "as a follow-up of TOC-0031, or keep TOC-0032" in answer["title"]
    assert {c["status"] for c in house.clocks()} == {"RUNNING"}
    assert desk.get("/v1/assessments/TOC-0032")["decisions"] == []


def test_a_clock_that_the_case_that_stays_has_met_is_not_lost(small: Desk) -> None:
    small.submit("CN_SUSAR_15D", "2026-05-15T12:30")
    decide(small)
    assert days(small, "TOC-0032")["CN_SUSAR_15D"][0] == "CANCELLED"
    assert days(small, "TOC-0031")["CN_SUSAR_15D"][0] == "MET"


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted")
def test_a_duplicate_that_was_reported_is_nullified_there_too(small: Desk) -> None:
    small.submit("CN_SUSAR_15D", "2026-05-15T12:30", case="TOC-0032")
    decide(small)
    assert days(small, "TOC-0032")["CN_SUSAR_15D"][0] == "MET"
    assert days(small, "TOC-0032")["CN_FU_15D"][0] == "RUNNING"


def test_a_case_without_a_clock_is_a_duplicate_like_any_other(house: Ward) -> None:
    desk = desk_of(house, first=MILD, second=MILD)
    answer = decide(desk)
    assert (answer["status"], answer["clocks"]) == ("duplicate", [])
    assert answer["decision"]["effects"] == [{"text": "it changes no clock", "refused": False}]


def test_only_the_event_in_like_words_gets_the_earlier_day_zero(house: Ward) -> None:
    house.receive(report(SERIOUS | RELATED))
    two = [SERIOUS | RELATED, {**SERIOUS, **RELATED, "verbatim": "fracture of the left hip"}]
    told = report(*two, case="TOC-0032", at=NOON + DAY)
    link = {"id": PAIR, "case_id": "TOC-0031", "reasons": WHY}
    body = type(told.body).model_validate({**told.body.model_dump(by_alias=True), "possible_duplicates": [link]})
    house.receive(type(told)(told.id, told.type, told.key, told.source, told.study, NOON + DAY, NOON + DAY, body))
    house.move(DAY + HOUR)
    desk = Desk(house)
    decide(desk, keep="TOC-0032")
    assert desk.clock("CN_SUSAR_15D", case="TOC-0032", event=1)["due_on"] == "2026-05-29"
    assert desk.clock("CN_SUSAR_15D", case="TOC-0032", event=2)["due_on"] == "2026-05-30"


def test_distinct_is_recorded_and_changes_no_clock(desk: Desk) -> None:
    before = [(c["clock_id"], c["status"]) for c in desk.ward.clocks()]
    answer = decide(desk, "distinct", reason="two falls")
    assert (answer["status"], answer["kept_case_id"], answer["decision"], answer["reason"]) == (
        "distinct", None, None, "two falls",
    )  # fmt: skip
    assert [(c["clock_id"], c["status"]) for c in desk.ward.clocks()] == before
    assert desk.get("/v1/duplicates?status=open")["duplicates"] == []
    (line,) = [one for one in trail(desk.ward) if one["did"] == "duplicate decided"]
    assert (line["who"], line["about"], line["reason"]) == (
        "safety_physician", "cases TOC-0032 and TOC-0031", "two falls",
    )  # fmt: skip


def test_the_same_decision_twice_is_one_and_another_one_is_refused(desk: Desk) -> None:
    first = decide(desk)
    desk.ward.move(HOUR)
    before = desk.ward.everything_kept()
    assert decide(desk) == first
    assert desk.ward.everything_kept() == before
    for other in ({"decision": "distinct"}, {"keep": "TOC-0032"}, {"reason": "changed my mind"}):
        refused = decide(desk, **{"decision": "duplicate", **other}, status=409)
        assert refused["title"] == (
            "this was decided already by safety_physician: duplicate, TOC-0031 stays. Nothing was changed"
        )


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"keep": "TOC-0033"}, "/keep"),
        ({"decision": "perhaps"}, "/decision"),
        ({"reason": ""}, "/reason"),
        ({"signature": {"meaning": "x"}}, "/signature/password"),
        ({"drop": "TOC-0032"}, "/drop"),
    ],
)
def test_what_cannot_be_understood_is_refused_at_its_place(small: Desk, facts: Any, pointer: str) -> None:
    answer = decide(small, **{"decision": "duplicate", **facts}, status=422)
    assert [e["pointer"] for e in answer["errors"]] == [pointer]
    assert answer["errors"][0]["allowed"]


ROLES = ("safety_physician", "second_physician", "medical_director", "medical_reviewer", "safety_team", "coder",
         "committee", "cell_lab", "auditor", "administrator")  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_who_may_decide_and_who_may_read(small: Desk, role: str) -> None:
    may = {"safety_physician", "second_physician", "medical_director", "medical_reviewer"}
    may_read = role not in ("coder", "cell_lab")
    assert small.ask("GET", "/v1/duplicates", by=role).status_code == (200 if may_read else 403)
    decide(small, "distinct", by=role, status=201 if role in may else 403)


def test_a_wrong_password_and_an_unknown_pair(small: Desk) -> None:
    refused = decide(small, signature={"password": "not the one", "meaning": "x"}, status=403)
    assert refused["title"] == "the signature does not fit"
    decide(small, pair="00000000-0000-0000-0000-000000000000", status=404)
    assert small.get("/v1/duplicates")["duplicates"][0]["status"] == "open"


def test_a_pair_whose_other_report_has_not_come_yet_waits(house: Ward) -> None:
    house.receive(linked(SERIOUS | RELATED))
    house.move(DAY + HOUR)
    desk = Desk(house)
    answer = decide(desk, status=409)
    assert "the report of one of the two has not come here yet" in answer["title"]
    house.receive(report(SERIOUS | RELATED))
    assert decide(desk)["kept_case_id"] == "TOC-0031"


# -- two people -------------------------------------------------------------------------------------------------------


def by_two(protocol: Protocol) -> Protocol:
    return with_settings(protocol, signatures_to_close=2)


@pytest.mark.rule("readings.md clocks 4")
def test_where_two_must_sign_nothing_changes_until_another_person_has(any_house: Ward) -> None:
    only_study(any_house, by_two(any_house.studies[STUDY]))
    desk = desk_of(any_house)
    waits = decide(desk, keep="TOC-0032", status=202)
    assert (waits["state"], waits["status"], waits["overrides"]) == ("awaiting_second_signature", "open", [])
    assert {c["status"] for c in any_house.clocks()} == {"RUNNING"}
    assert decide(desk, keep="TOC-0032", status=202) == waits
    desk.person("medical_director")
    other = decide(desk, keep="TOC-0032", by="medical_director", status=409)
    path = f"/v1/assessments/TOC-0031/{waits['decision']['decision_id']}/signatures"
    assert f"sign it at {path}" in other["title"]
    signature = {"signature": {"password": PASSWORD, "meaning": "second approval"}}
    assert desk.post(path, signature, status=409)["title"] == "you have signed this already: it needs another person"
    done = desk.post(path, signature, by="medical_director")
    assert [s["by"] for s in done["signatures"]] == ["safety_physician", "medical_director"]
    (pair,) = desk.get("/v1/duplicates")["duplicates"]
    assert (pair["status"], pair["kept_case_id"], pair["decided_by"]) == (
        "duplicate", "TOC-0032", "safety_physician and medical_director",
    )  # fmt: skip
    assert days(desk, "TOC-0032")["CN_SUSAR_15D"] == ("RUNNING", "2026-05-14", "2026-05-29")
    (override,) = desk.get("/v1/assessments/TOC-0032")["decisions"]
    assert [s["by"] for s in override["signatures"]] == ["safety_physician", "medical_director"]
    assert desk.post(path, signature, by="medical_director")["signed_at"] == done["signed_at"]


# -- the log ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decisions_first", [False, True])
def test_a_rebuild_restores_what_was_decided_of_pairs(tmp_path: Path, decisions_first: bool) -> None:
    facts = [report(SERIOUS | RELATED), linked(SERIOUS | RELATED)]
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        desk = desk_of(lived)
        decide(desk, keep="TOC-0032")
        deeds, before, at = said(lived), lived.everything_kept(), lived.at
        clocks = [(c["clock_id"], c["status"], c["due_on"]) for c in lived.clocks()]
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        rebuilt.is_rebuilding, rebuilt.at, rebuilt.wall_at = True, at, at
        rebuilt.receive(*[*deeds, *facts] if decisions_first else [*facts, *deeds])
        after = rebuilt.everything_kept()
        assert after["duplicates"] == before["duplicates"]
        assert after["signed"] == before["signed"]
        assert [(c["clock_id"], c["status"], c["due_on"]) for c in rebuilt.clocks()] == clocks
        assert rebuilt.mails() == []


def test_the_decision_is_on_the_log_for_intake_to_read(small: Desk) -> None:
    decide(small, "distinct", reason="two falls")
    (deed,) = [envelope.body for envelope in said(small.ward) if envelope.body.what == "duplicate_decided"]
    assert (deed.about, deed.case_id, deed.by, deed.reason) == (PAIR, "TOC-0032", "safety_physician", "two falls")
    assert deed.detail["decision"] == "distinct"
