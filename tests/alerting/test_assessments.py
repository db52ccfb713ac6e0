"""What people decide about a case: signed, with a reason, borne by the rules, by two where the study says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.alerting.desk import MEANING, PASSWORD, Desk, every_word, only_study, said, trail, with_settings
from tests.alerting.ward import NOON, SERIOUS, STUDY, Ward, report, ward

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RELATED = {"causality": [{"agent": "product", "party": "investigator", "relation": "related"}]}
UNRELATED = {"causality": [{"agent": "product", "party": "investigator", "relation": "not_related"}]}
SPONSOR_NO = [{"agent": "product", "relation": "not_related"}]
PATH = "/v1/assessments/TOC-0031"
ROLES = ("safety_physician", "second_physician", "medical_director", "medical_reviewer", "safety_team", "coder",
         "committee", "cell_lab", "auditor", "administrator")  # fmt: skip


@pytest.fixture
def desk(any_house: Ward) -> Desk:
    return desk_of(any_house)


@pytest.fixture
def small(house: Ward) -> Desk:
    return desk_of(house)


def desk_of(found: Ward, *reports: Any) -> Desk:
    """A desk before which a serious, related event came an hour ago: TOC-0031, due 29 May."""
    found.receive(*(reports or [report(SERIOUS | RELATED)]))
    found.move(HOUR)
    desk = Desk(found)
    desk.person("safety_physician")
    return desk


def signed(meaning: str = MEANING, password: str = PASSWORD) -> dict[str, Any]:
    return {"password": password, "meaning": meaning}


def decide(
    desk: Desk, decision: str | None, *, status: int = 201, by: str = "safety_physician", case: str = "TOC-0031",
    **facts: Any,
) -> Any:  # fmt: skip
    desk.person(by)
    body = {"reason": "after reading the discharge letter", "signature": signed(), **facts}
    if decision is not None:
        body["decision"] = decision
    return desk.post(f"/v1/assessments/{case}", body, by=by, status=status)


def wrong(answer: Any) -> dict[str, str]:
    return {e["pointer"]: e["problem"] for e in answer["errors"]}


def follow_up(desk: Desk, event: dict[str, Any], revision: int = 2, **facts: Any) -> None:
    desk.ward.receive(report(event, revision=revision, at=desk.ward.at, **facts))
    desk.ward.move(HOUR)


@pytest.mark.rule("21 CFR 11.50", "21 CFR 11.70")
def test_a_medical_review_is_kept_with_who_when_and_why_and_shown_beside_the_investigators_opinion(
    desk: Desk,
) -> None:
    causality = [{"agent": "product", "relation": "unlikely"}, {"agent": "lymphodepletion", "relation": "possible"}]
    answer = decide(desk, "medical_review", causality=causality, expectedness="unexpected", events=["TOC-0031-E1"])
    assert (answer["state"], answer["next"], answer["in_question"]) == ("in_force", None, [])
    assert answer["signatures"] == [
        {"by": "safety_physician", "roles": ["safety_physician"], "meaning": "approval", "at": "2026-05-14T05:00:00Z"}
    ]
    seen = desk.get(PATH)
    (kept,) = seen["decisions"]
    assert kept == {name: value for name, value in answer.items() if name not in ("in_question", "next", "clocks")}
    (event,) = seen["events"]
    assert event["opinions"] == {
        "investigator": [{"agent": "product", "relation": "related"}],
        "sponsor": [{"agent": "product", "relation": "unlikely"}, {"agent": "lymphodepletion", "relation": "possible"}],
    }
    assert (event["susar"], event["rsi_version"]) == (True, "none")
    assert event["unexpected"]["reasons"] == [
        "signed as unexpected by safety_physician: after reading the discharge letter"
    ]
    assert desk.statuses()["CN_SUSAR_15D"] == "RUNNING"


@pytest.mark.rule("rules.md 1.4: sponsor alone wants unrelated")
def test_the_sponsor_alone_closes_no_clock_and_its_downgrade_is_refused_with_the_rules_words(small: Desk) -> None:
    decide(small, None, causality=SPONSOR_NO)
    answer = decide(small, "downgrade", causality=SPONSOR_NO, status=409)
    assert "investigator judges it related" in answer["title"]
    assert small.statuses()["CN_SUSAR_15D"] == "RUNNING"
    assert [d["decision"] for d in small.get(PATH)["decisions"]] == ["medical_review"]


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, not yet submitted", "rules.md 1.4: only a person cancels")
def test_news_of_the_investigator_and_a_signed_downgrade_of_the_sponsor_cancel_the_clocks(desk: Desk) -> None:
    follow_up(desk, SERIOUS | UNRELATED)
    reviewed = decide(desk, "medical_review", causality=SPONSOR_NO)
    assert [q["rule"] for q in reviewed["in_question"]] == ["CN_GCP48_COPY_15D", "CN_SUSAR_15D"]
    assert "these clocks run on: a review closes none" in reviewed["next"]
    assert desk.statuses()["CN_SUSAR_15D"] == "RUNNING"
    answer = decide(desk, "downgrade", reason="both parties judge it unrelated")
    assert {e["text"] for e in answer["effects"]} == {"CN_SUSAR_15D is cancelled", "CN_GCP48_COPY_15D is cancelled"}
    assert desk.statuses()["CN_SUSAR_15D"] == "CANCELLED"
    clock = desk.clock("CN_SUSAR_15D")
    assert "both parties judge it unrelated" in clock["status_history"][-1]["reason"]
    assert len(desk.get("/v1/clocks?case_id=TOC-0031")["clocks"]) == 2, "a clock is never deleted"


def test_two_decisions_of_one_instant_keep_the_order_in_which_they_were_signed(small: Desk) -> None:
    """In a rehearsal time stands: the downgrade must still see the review before it."""
    follow_up(small, SERIOUS | UNRELATED)
    for n in range(4):
        decide(small, "medical_review", causality=SPONSOR_NO, reason=f"reading {n}")
    assert decide(small, "downgrade")["state"] == "in_force"
    assert [d["reason"] for d in small.get(PATH)["decisions"]][:4] == [f"reading {n}" for n in range(4)]


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, not yet submitted")
def test_a_nullification_needs_the_sites_word_first_and_then_cancels(small: Desk) -> None:
    refused = decide(small, "nullification", status=409)
    assert "the site has not taken this event back" in refused["title"]
    follow_up(small, SERIOUS | RELATED, nullified=True)
    answer = decide(small, "nullification", reason="it was another subject")
    assert answer["state"] == "in_force"
    assert set(small.statuses().values()) == {"CANCELLED"}


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted")
def test_a_nullification_of_what_was_reported_starts_the_clock_of_its_own_report(small: Desk) -> None:
    small.submit("CN_SUSAR_15D", "2026-05-14T12:30")
    follow_up(small, SERIOUS | RELATED, nullified=True)
    # The site's word is itself news of what was reported: its clock runs, and the nullification is sent for it.
    decide(small, "nullification")
    small.ward.move(HOUR)
    answer = small.submit("CN_FU_15D", "2026-05-14T14:30", kind="nullification")
    assert answer["clock"]["status"] == "MET"
    assert small.statuses()["CN_SUSAR_15D"] == "MET"


def test_what_can_be_closed_by_nobody_is_refused(small: Desk) -> None:
    follow_up(small, SERIOUS | UNRELATED)
    decide(small, "medical_review", causality=SPONSOR_NO)
    decide(small, "downgrade")
    again = decide(small, "downgrade", reason="once more", status=409)
    assert "none is open that it is about" in again["title"]


@pytest.mark.rule("rules.md D3")
def test_an_awareness_override_moves_day_zero_to_when_the_sponsor_knew_and_keeps_the_receipt(desk: Desk) -> None:
    answer = decide(desk, None, aware_at="2026-05-12T15:20", reason="told by telephone, contact report 17")
    assert answer["decision"] == "awareness_override"
    assert answer["aware_at"] == "2026-05-12T07:20:00Z"
    clock = desk.clock("CN_SUSAR_15D")
    assert (clock["day_zero"], clock["due_on"]) == ("2026-05-12", "2026-05-27")
    assert "the sponsor knew 2026-05-12 15:20 CST already" in " ".join(clock["reasons"])
    assert "CN_SUSAR_15D moves from 2026-05-29: day zero 2026-05-12, due 2026-05-27" in [
        e["text"] for e in answer["effects"]
    ]
    assert clock["known_at"] == "2026-05-14T04:00:00Z", "the receipt stays what it was"


@pytest.mark.parametrize(
    ("facts", "pointer", "problem"),
    [
        ({"aware_at": "2026-05-12"}, "/aware_at", "is not an exact time"),
        ({"aware_at": "2026-05-14T12:01"}, "/aware_at", "is after revision 1 was received"),
        ({"aware_at": "2026-05-14T13:01"}, "/aware_at", "is in the future"),
        ({}, "/aware_at", "is missing"),
        ({"aware_at": "2026-05-12T15:20", "revision": 7}, "/revision", "TOC-0031 has no revision 7"),
        ({"aware_at": "2026-05-12T15:20", "events": ["TOC-0032-E1"]}, "/events/0", "is no event of TOC-0031"),
        ({"aware_at": "2026-05-12T15:20", "causality": SPONSOR_NO}, "/causality", "is no part of"),
    ],
)
def test_an_override_that_cannot_be_is_refused(small: Desk, facts: Any, pointer: str, problem: str) -> None:
    answer = decide(small, "awareness_override", status=422, **facts)
    assert problem in wrong(answer)[pointer]
    assert small.clock("CN_SUSAR_15D")["day_zero"] == "2026-05-14"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/decision"),
        ({"aware_at": "2026-05-12T15:20", "expectedness": "expected"}, "/decision"),
        ({"decision": "duplicate"}, "/decision"),
        ({"decision": "medical_review", "aware_at": "2026-05-12T15:20"}, "/aware_at"),
        ({"decision": "significant"}, "/revision"),
        ({"decision": "downgrade", "revision": 1}, "/revision"),
        ({"decision": "medical_review", "causality": []}, "/causality"),
        ({"decision": "medical_review", "causality": [{"agent": "product", "relation": "maybe"}]},
         "/causality/0/relation"),
        ({"decision": "medical_review",
          "causality": [{"agent": "product", "relation": "related", "party": "investigator"}]}, "/causality/0/party"),
        ({"decision": "medical_review", "reason": " "}, "/reason"),
        ({"decision": "medical_review", "seriousness": ["severe"]}, "/seriousness/0"),
        ({"decision": "medical_review", "signature": {"password": PASSWORD}}, "/signature/meaning"),
        ({"decision": "medical_review", "signature": None}, "/signature"),
        ({"decision": "medical_review", "closed": True}, "/closed"),
    ],
)  # fmt: skip
def test_a_decision_that_is_not_clear_is_refused_at_its_place_with_what_is_allowed(
    small: Desk, body: dict[str, Any], pointer: str
) -> None:
    sent = {"reason": "x", "signature": signed(), **body}
    answer = small.post(PATH, sent, status=422)
    assert pointer in wrong(answer), answer
    assert all(e["allowed"] for e in answer["errors"])
    assert PASSWORD not in str(answer)
    assert small.get(PATH)["decisions"] == []


@pytest.mark.rule("21 CFR 11.200")
def test_a_wrong_password_signs_nothing_and_five_lock(small: Desk) -> None:
    body = {"decision": "medical_review", "reason": "x", "signature": signed(password="MARKER wrong")}
    before = small.statuses()
    for _ in range(5):
        answer = small.post(PATH, body, status=403)
        assert answer["title"] == "the signature does not fit"
    locked = small.post(PATH, {**body, "signature": signed()}, status=403)
    assert locked["title"] == "the signature does not fit"
    assert (small.get(PATH)["decisions"], small.statuses()) == ([], before)
    assert "MARKER" not in every_word(small.ward)
    small.ward.move(timedelta(seconds=30))
    small.post(PATH, {**body, "signature": signed()})
    assert PASSWORD not in every_word(small.ward)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_decide_what(small: Desk, role: str) -> None:
    physicians = {"safety_physician", "second_physician", "medical_director", "medical_reviewer"}
    closing = {"safety_physician", "medical_director"}
    small.person(role)

    def ask(decision: str, **facts: Any) -> int:
        body = {"decision": decision, "reason": "x", "signature": signed(), **facts}
        return small.ask("POST", PATH, body, by=role).status_code

    assert ask("medical_review") == (201 if role in physicians else 403)
    assert ask("downgrade") == (409 if role in physicians else 403)
    assert ask("nullification") == (409 if role in closing else 403)
    assert ask("awareness_override", aware_at="2026-05-12T09:00") == (201 if role in closing else 403)
    may_read = role not in ("coder", "cell_lab")
    assert small.ask("GET", PATH, by=role).status_code == (200 if may_read else 403)
    assert small.ask("POST", PATH, {}, by=None).status_code == 401


def test_a_role_that_was_taken_away_signs_no_more_although_the_login_still_says_it(small: Desk) -> None:
    small.person("gone", "auditor")
    body = {"decision": "medical_review", "reason": "x", "signature": signed()}
    answer = small.ask("POST", PATH, body, by="gone", roles=["safety_physician"])
    assert (answer.status_code, small.get(PATH)["decisions"]) == (403, [])


def test_what_is_not_there_is_not_found(small: Desk) -> None:
    assert small.ask("GET", "/v1/assessments/TOC-0099").status_code == 404
    decide(small, "medical_review", case="TOC-0099", status=404)
    nobody = f"{PATH}/00000000-0000-0000-0000-000000000000/signatures"
    small.post(nobody, {"signature": signed()}, status=404)


def test_the_same_decision_sent_twice_is_one(desk: Desk) -> None:
    first = decide(desk, "medical_review", causality=SPONSOR_NO)
    desk.ward.move(HOUR)
    before = desk.ward.everything_kept()
    again = decide(desk, "medical_review", causality=SPONSOR_NO)
    assert again == first
    after = desk.ward.everything_kept()
    assert {k: v for k, v in after.items() if k != "accounts"} == {k: v for k, v in before.items() if k != "accounts"}
    follow_up(desk, SERIOUS | RELATED | {"treatment": "steroids"})
    other = decide(desk, "medical_review", causality=SPONSOR_NO)
    assert other["decision_id"] != first["decision_id"], "the same words about news are another decision"


@pytest.mark.rule("rules.md 1.4: significance")
def test_news_that_a_rule_cannot_judge_is_signed_as_significant_and_starts_its_report(small: Desk) -> None:
    nothing = decide(small, "significant", revision=1, status=409)
    assert "nothing of these events was reported before revision 1 came" in nothing["title"]
    small.submit("CN_SUSAR_15D", "2026-05-14T12:30")
    follow_up(small, SERIOUS | RELATED, narrative="the autopsy shows more")
    assert "CN_FU_15D" not in small.statuses()
    answer = decide(small, "significant", revision=2)
    assert [e["text"] for e in answer["effects"]] == ["CN_FU_15D starts: day zero 2026-05-14, due 2026-05-29"]
    assert small.statuses()["CN_FU_15D"] == "RUNNING"


# -- two people -------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(any_house: Ward) -> Desk:
    """A study that asks for two people before a clock is closed, and news that bears a downgrade."""
    only_study(any_house, with_settings(any_house.studies[STUDY], signatures_to_close=2))
    found = desk_of(any_house)
    follow_up(found, SERIOUS | UNRELATED)
    decide(found, "medical_review", causality=SPONSOR_NO)
    for role in ("medical_director", "medical_reviewer"):
        found.person(role)
    return found


@pytest.mark.rule("readings.md clocks 4", "readings.md clocks 5")
def test_where_two_must_sign_the_first_signature_changes_nothing(two: Desk) -> None:
    answer = decide(two, "downgrade", status=202)
    assert (answer["state"], answer["needs"], answer["signed_at"]) == ("awaiting_second_signature", 2, None)
    assert f"POST {PATH}/{answer['decision_id']}/signatures" in answer["next"]
    assert {c["status"] for c in answer["clocks"]} == {"RUNNING"}
    assert decide(two, "downgrade", status=202)["decision_id"] == answer["decision_id"]
    assert len(two.get(PATH)["decisions"]) == 2


@pytest.mark.rule("readings.md clocks 4", "21 CFR 11.70")
def test_the_second_must_be_another_person_and_then_it_is_in_force(two: Desk) -> None:
    waits = decide(two, "downgrade", status=202)
    path = f"{PATH}/{waits['decision_id']}/signatures"
    same = two.post(path, {"signature": signed()}, status=409)
    assert same["title"] == "you have signed this already: it needs another person"
    two.ward.move(HOUR)
    done = two.post(path, {"signature": signed("second approval")}, by="medical_director")
    assert (done["state"], done["signed_at"]) == ("in_force", "2026-05-14T07:00:00Z")
    assert [(s["by"], s["meaning"]) for s in done["signatures"]] == [
        ("safety_physician", "approval"), ("medical_director", "second approval"),
    ]  # fmt: skip
    assert set(two.statuses().values()) == {"CANCELLED"}
    assert (
        "signed by safety_physician and medical_director" in two.clock("CN_SUSAR_15D")["status_history"][-1]["reason"]
    )
    assert two.post(path, {"signature": signed()}, by="medical_director") == done
    third = two.post(path, {"signature": signed()}, by="medical_reviewer", status=409)
    assert third["title"] == "this decision is in force already: it needs no further signature"


def test_what_the_rules_bear_no_more_when_the_second_signs_is_refused(two: Desk) -> None:
    waits = decide(two, "downgrade", status=202)
    follow_up(two, SERIOUS | RELATED, revision=3)
    path = f"{PATH}/{waits['decision_id']}/signatures"
    refused = two.post(path, {"signature": signed()}, by="medical_director", status=409)
    assert "the rules do not bear this: the facts still make it other SUSAR" in refused["title"]
    assert set(two.statuses().values()) == {"RUNNING"}


def test_who_may_not_close_does_not_sign_second_either(two: Desk) -> None:
    follow_up(two, SERIOUS | RELATED, revision=3, nullified=True)
    waits = decide(two, "nullification", status=202)
    path = f"{PATH}/{waits['decision_id']}/signatures"
    assert two.ask("POST", path, {"signature": signed()}, by="medical_reviewer").status_code == 403
    assert two.ask("POST", path, {"signature": signed()}, by="safety_team").status_code == 403
    two.post(path, {"signature": signed()}, by="medical_director")
    assert set(two.statuses().values()) == {"CANCELLED"}


# -- the trail and the log --------------------------------------------------------------------------------------------


@pytest.mark.rule("21 CFR 11.10(e)")
def test_the_audit_trail_holds_old_and_new_and_the_reason(small: Desk) -> None:
    decide(small, "awareness_override", aware_at="2026-05-12T15:20", reason="told by telephone")
    (line,) = [one for one in trail(small.ward) if one["did"] == "awareness override signed"]
    assert (line["who"], line["about"], line["reason"]) == ("safety_physician", "case TOC-0031", "told by telephone")
    assert '"due_on":"2026-05-29"' in line["before"]
    assert '"due_on":"2026-05-27"' in line["after"]
    changed = [one["who"] for one in trail(small.ward) if one["did"] == "clock changed"]
    assert changed == ["safety_physician"] * 2


@pytest.mark.parametrize("decisions_first", [False, True])
def test_a_rebuild_restores_every_decision_with_its_signatures(tmp_path: Path, decisions_first: bool) -> None:
    facts = [report(SERIOUS | RELATED), report(SERIOUS | UNRELATED, revision=2, at=NOON + HOUR)]
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        only_study(lived, with_settings(lived.studies[STUDY], signatures_to_close=2))
        found = desk_of(lived, *facts)
        lived.move(HOUR)
        decide(found, None, aware_at="2026-05-12T15:20")
        decide(found, "medical_review", causality=SPONSOR_NO)
        waits = decide(found, "downgrade", status=202)
        found.person("medical_director")
        lived.move(HOUR)
        path = f"{PATH}/{waits['decision_id']}/signatures"
        found.post(path, {"signature": signed()}, by="medical_director")
        deeds, before, shown, at = said(lived), lived.everything_kept(), found.get(PATH), lived.at
        clocks = lived.clocks()
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        only_study(rebuilt, with_settings(rebuilt.studies[STUDY], signatures_to_close=2))
        rebuilt.is_rebuilding, rebuilt.at, rebuilt.wall_at = True, at, at
        rebuilt.receive(*[*reversed(deeds), *facts] if decisions_first else [*facts, *deeds])
        after = rebuilt.everything_kept()
        assert after["signed"] == before["signed"]
        assert Desk(rebuilt).get(PATH) == shown
        again = rebuilt.clocks()
        assert [(c["clock_id"], c["status"], c["due_on"]) for c in again] == [
            (c["clock_id"], c["status"], c["due_on"]) for c in clocks
        ]
        if not decisions_first:
            assert again == clocks
        assert rebuilt.mails() == []


def test_a_signature_stands_at_the_time_of_the_house_and_never_at_one_that_was_sent(small: Desk) -> None:
    kept = decide(small, "medical_review")
    assert datetime.fromisoformat(kept["signatures"][0]["at"]) == small.ward.at
    body = {"decision": "medical_review", "reason": "x", "signature": {**signed(), "at": "2020-01-01T00:00Z"}}
    assert "/signature/at" in wrong(small.post(PATH, body, status=422))
