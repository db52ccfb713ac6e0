"""What was sent, entered by people: what it meets, what it does not, and what the other side says to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from tests.alerting.desk import ALL_COPIES, MEANING, PASSWORD, Desk, only_study, said, trail, with_copies
from tests.alerting.ward import FATAL, NOON, SERIOUS, STUDY, Ward, report, ward
from tocsin import clockrules

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RELATED = {"causality": [{"agent": "product", "party": "investigator", "relation": "related"}]}
# NOON is Thursday 14 May 2026, 12:00 in Shanghai: the 7-day clock ends on 21 May, the 15-day clock on 29 May.


@pytest.fixture
def desk(any_house: Ward) -> Desk:
    """A desk before which a fatal report came a day ago."""
    return desk_of(any_house)


@pytest.fixture
def small(house: Ward) -> Desk:
    """The same, on SQLite alone."""
    return desk_of(house)


def desk_of(found: Ward) -> Desk:
    only_study(found, with_copies(found.studies[STUDY]))
    found.receive(report(FATAL | RELATED))
    found.move(DAY)
    return Desk(found)


def title(answer: Any) -> str:
    return str(answer["title"])


def wrong(answer: Any) -> dict[str, str]:
    """Pointer to problem."""
    return {e["pointer"]: e["problem"] for e in answer["errors"]}


@pytest.mark.rule("readings.md clocks 6")
def test_a_first_report_sent_in_time_meets_the_clock_and_says_what_it_met(desk: Desk) -> None:
    answer = desk.submit("CN_SUSAR_7D", "2026-05-15T11:30", reference="CDE-1")
    clock = desk.clock("CN_SUSAR_7D")
    assert answer["met"] == [
        {"clock_id": clock["clock_id"], "rule": "CN_SUSAR_7D", "event_id": "TOC-0031-E1", "status": "MET",
         "recipient": "CDE"}
    ]  # fmt: skip
    assert (clock["status"], clock["open"]) == ("MET", False)
    assert answer["clock"]["status_history"][-1]["reason"] == (
        "initial CDE-1 sent to CDE: sent 2026-05-15T03:30:00+00:00"
    )
    (kept,) = answer["clock"]["submissions"]
    assert (kept["at"], kept["kind"], kept["recipient"], kept["reference"]) == (
        "2026-05-15T03:30:00Z", "initial", "CDE", "CDE-1",
    )  # fmt: skip
    assert (kept["entered_by"], kept["version"], kept["acknowledgement"]) == ("safety_team", 1, None)


@pytest.mark.rule("readings.md clocks 6")
def test_what_is_sent_a_minute_after_the_due_date_is_late_for_ever(desk: Desk) -> None:
    desk.ward.move(10 * DAY)
    assert desk.clock("CN_SUSAR_7D")["due_at"] == "2026-05-21T15:59:59Z"
    desk.submit("CN_SUSAR_7D", "2026-05-22T00:00")
    assert desk.clock("CN_SUSAR_7D")["status"] == "LATE"
    again = desk.submit("CN_SUSAR_7D", "2026-05-15T11:00", status=409)
    assert "CN_SUSAR_7D is met already" in title(again)
    assert desk.clock("CN_SUSAR_7D")["status"] == "LATE"


def test_a_submission_entered_days_later_counts_from_when_it_was_sent(desk: Desk) -> None:
    desk.ward.move(10 * DAY)
    desk.submit("CN_SUSAR_7D", "2026-05-21T23:59")
    assert desk.clock("CN_SUSAR_7D")["status"] == "MET"


@pytest.mark.parametrize(
    ("at", "pointer", "problem"),
    [
        ("2026-05-15", "/at", "'2026-05-15' is not an exact time: day, hour and minute are needed"),
        ("yesterday", "/at", "'yesterday' is not a date as CDISC writes them"),
        ("2026-05-15T12:01", "/at", "2026-05-15T12:01 is in the future"),
        ("2026-05-14T11:59+08:00", "/at", "2026-05-14T11:59+08:00 is before the clock started"),
        ("2026-02-30T12:00", "/at", "day is out of range for month: '2026-02-30T12:00'"),
    ],
)
def test_a_time_that_cannot_be_is_refused_and_none_is_ever_taken_for_it(
    small: Desk, at: str, pointer: str, problem: str
) -> None:
    answer = small.submit("CN_SUSAR_7D", at, status=422)
    assert wrong(answer) == {pointer: problem}
    assert answer["errors"][0]["allowed"]
    assert small.statuses()["CN_SUSAR_7D"] == "RUNNING"


def test_a_time_is_never_defaulted(small: Desk) -> None:
    clock = small.clock("CN_SUSAR_7D")["clock_id"]
    answer = small.post(f"/v1/clocks/{clock}/submissions", {"kind": "initial", "reference": "x"}, status=422)
    assert wrong(answer) == {"/at": "is missing"}


@pytest.mark.rule("rules.md D6")
def test_local_text_is_read_in_the_receivers_zone_and_a_gap_or_an_overlap_is_refused(house: Ward) -> None:
    pilot = "CDISCPILOT01"
    told = {**FATAL, **RELATED, "onset": "2026-02-27"}
    house.at = house.wall_at = NOON.replace(month=11, day=20)
    house.receive(report(told, study=pilot, site="701", subject="01-701-1001", at=NOON.replace(month=3, day=7)))
    found = Desk(house)
    gap = found.submit("US_312_32_C2_7D", "2026-03-08T02:30", status=422)
    assert wrong(gap)["/at"].startswith("nonexistent local time")
    twice = found.submit("US_312_32_C2_7D", "2026-11-01T01:30", status=422)
    assert wrong(twice)["/at"].startswith("ambiguous local time")
    assert "2026-11-01T01:30-04:00 or 2026-11-01T01:30-05:00" in wrong(twice)["/at"]
    kept = found.submit("US_312_32_C2_7D", "2026-03-08T03:30")
    assert kept["clock"]["submissions"][0]["at"] == "2026-03-08T07:30:00Z"


def test_what_is_written_to_the_minute_may_be_the_minute_in_which_the_clock_started(house: Ward) -> None:
    started = NOON + timedelta(seconds=30)
    house.receive(report(FATAL | RELATED, at=started))
    house.at = house.wall_at = started + timedelta(seconds=5)
    answer = Desk(house).submit("CN_SUSAR_7D", "2026-05-14T12:00")
    assert answer["clock"]["status"] == "MET"
    assert answer["clock"]["submissions"][0]["at"] == "2026-05-14T04:00:30Z"


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"recipient": "FDA"}, "/recipient"),
        ({"recipient": "Ethics committee of S01"}, "/recipient"),
        ({"events": ["TOC-0032-E1"]}, "/events/0"),
        ({"events": []}, "/events"),
        ({"reference": "  "}, "/reference"),
        ({"kind": "final"}, "/kind"),
        ({"sent": "x"}, "/sent"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place_with_what_is_allowed(
    small: Desk, facts: dict[str, Any], pointer: str
) -> None:
    answer = small.submit("CN_SUSAR_7D", "2026-05-15T11:00", status=422, **facts)
    assert pointer in wrong(answer)
    assert all(e["allowed"] for e in answer["errors"])
    assert small.statuses()["CN_SUSAR_7D"] == "RUNNING"


def test_a_recipient_is_the_same_however_it_is_capitalised(small: Desk) -> None:
    answer = small.submit("CN_SUSAR_7D", "2026-05-15T11:00", recipient=" cde ")
    assert answer["submissions"][0]["recipient"] == "CDE"
    assert answer["clock"]["status"] == "MET"


@pytest.mark.rule("readings.md clocks 1")
def test_one_submission_meets_the_clocks_of_every_event_it_tells_of(desk: Desk) -> None:
    second = {**FATAL, **RELATED, "verbatim": "shock"}
    desk.ward.receive(report(FATAL | RELATED, second, revision=2, at=desk.ward.at))
    clock = desk.clock("CN_SUSAR_7D", event=2)["clock_id"]
    desk.ward.move(HOUR)
    body = {"at": "2026-05-15T12:30", "kind": "initial", "reference": "CDE-2", "events": ["TOC-0031-E1", "TOC-0031-E2"]}
    answer = desk.post(f"/v1/clocks/{clock}/submissions", body, by="safety_team")
    assert [(m["rule"], m["event_id"], m["status"]) for m in answer["met"]] == [
        ("CN_SUSAR_7D", "TOC-0031-E1", "MET"), ("CN_SUSAR_7D", "TOC-0031-E2", "MET"),
    ]  # fmt: skip
    first = desk.get(f"/v1/clocks/{desk.clock('CN_SUSAR_7D', event=1)['clock_id']}")
    assert [s["submission_id"] for s in first["submissions"]] == [answer["submission_id"]]


def test_events_that_leave_out_the_clocks_own_are_refused(small: Desk) -> None:
    small.ward.receive(report(FATAL | RELATED, SERIOUS, revision=2, at=small.ward.at))
    clock = small.clock("CN_SUSAR_7D")["clock_id"]
    body = {"at": "2026-05-15T11:00", "kind": "initial", "reference": "x", "events": ["TOC-0031-E2"]}
    answer = small.post(f"/v1/clocks/{clock}/submissions", body, by="safety_team", status=422)
    assert "the clock's own event TOC-0031-E1 is not among them" in wrong(answer)["/events"]


def test_a_follow_up_before_the_first_report_meets_nothing_and_is_refused_with_where_to_go(small: Desk) -> None:
    first = small.clock("CN_SUSAR_7D")["clock_id"]
    assert "its kind is initial" in title(small.submit("CN_SUSAR_7D", "2026-05-15T11:00", kind="follow_up", status=409))
    answer = small.submit("CN_SUSAR_7D_PLUS_8D", "2026-05-15T11:00", kind="follow_up", status=409)
    assert f"the first report (CN_SUSAR_7D) is not sent yet: enter it, as kind initial, at /v1/clocks/{first}" in title(
        answer
    )
    assert "its kind is follow_up" in title(small.submit("CN_SUSAR_7D_PLUS_8D", "2026-05-15T11:00", status=409))
    assert set(small.statuses().values()) == {"RUNNING"}
    assert small.get(f"/v1/clocks/{first}/submissions") == {"submissions": []}


@pytest.mark.rule("CN_SUSAR_7D_PLUS_8D")
def test_the_complete_report_meets_its_clock_after_the_first_one(small: Desk) -> None:
    small.submit("CN_SUSAR_7D", "2026-05-15T11:00")
    small.ward.move(3 * DAY)
    small.submit("CN_SUSAR_7D_PLUS_8D", "2026-05-18T09:00", kind="follow_up")
    assert (small.statuses()["CN_SUSAR_7D"], small.statuses()["CN_SUSAR_7D_PLUS_8D"]) == ("MET", "MET")


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, not yet submitted")
def test_a_submission_at_a_clock_that_gave_way_is_refused_and_led_to_the_one_that_stands(house: Ward) -> None:
    house.receive(report(SERIOUS | RELATED))
    house.receive(report({**SERIOUS, **RELATED, "seriousness": ["death"]}, revision=2, at=NOON + HOUR))
    house.move(DAY)
    found = Desk(house)
    successor = found.clock("CN_SUSAR_7D")["clock_id"]
    answer = found.submit("CN_SUSAR_15D", "2026-05-15T11:00", status=409)
    assert title(answer) == (
        f"CN_SUSAR_15D gave way to CN_SUSAR_7D: enter it at /v1/clocks/{successor}/submissions. Nothing was kept"
    )


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, already submitted", "readings.md clocks 6")
def test_what_was_sent_before_a_death_was_told_and_entered_after_it_was_a_report_by_then(any_house: Ward) -> None:
    only_study(any_house, with_copies(any_house.studies[STUDY]))
    any_house.receive(report(SERIOUS | RELATED))
    any_house.move(10 * DAY)
    any_house.receive(report({**SERIOUS, **RELATED, "seriousness": ["death"]}, revision=2, at=any_house.at))
    any_house.move(DAY)
    found = Desk(any_house)
    assert found.clock("CN_SUSAR_7D")["due_on"] == "2026-05-29"
    answer = found.submit("CN_SUSAR_15D", "2026-05-23T09:00")
    assert [met["rule"] for met in answer["met"]] == ["CN_SUSAR_15D"]
    assert answer["clock"]["submissions"][0]["version"] == 1
    earlier, now = found.clock("CN_SUSAR_15D"), found.clock("CN_SUSAR_7D")
    assert [line["status"] for line in earlier["status_history"]] == ["RUNNING", "SUPERSEDED", "MET"]
    assert (earlier["superseded_by"], earlier["open"]) == (None, False)
    assert (now["day_zero"], now["due_on"], now["status"]) == ("2026-05-24", "2026-05-31", "RUNNING")
    # The copies that went out with it, in a letter to all.
    copies = found.submit("CN_GCP48_COPY_15D", "2026-05-23T09:00")
    assert len(copies["submissions"]) == 3
    assert (found.statuses()["CN_GCP48_COPY_15D"], found.statuses()["CN_GCP48_COPY_7D"]) == ("MET", "RUNNING")


@pytest.mark.rule("rules.md 1.4: SUSAR to not SUSAR, already submitted", "readings.md clocks 6")
def test_what_was_sent_before_a_clock_was_cancelled_and_entered_after_it_owes_a_follow_up(house: Ward) -> None:
    house.receive(report(SERIOUS | RELATED))
    house.move(DAY)
    unrelated = [
        {"agent": "product", "party": party, "relation": "not_related"} for party in ("investigator", "sponsor")
    ]
    house.receive(report({**SERIOUS, "causality": unrelated}, revision=2, at=house.at))
    house.move(HOUR)
    found = Desk(house)
    found.person("safety_physician")
    signature = {"password": PASSWORD, "meaning": MEANING}
    said = {"decision": "downgrade", "reason": "both say so", "signature": signature}
    found.post("/v1/assessments/TOC-0031", said)
    assert found.statuses()["CN_SUSAR_15D"] == "CANCELLED"
    house.move(DAY)
    assert title(found.submit("CN_SUSAR_15D", "2026-05-16T09:00", status=409)).startswith("CN_SUSAR_15D was cancelled")
    found.submit("CN_SUSAR_15D", "2026-05-15T09:00")
    owed = found.clock("CN_FU_15D")
    assert found.statuses()["CN_SUSAR_15D"] == "MET"
    assert (owed["day_zero"], owed["due_on"], owed["status"]) == ("2026-05-15", "2026-05-30", "RUNNING")


@pytest.mark.rule("EU_ART42_2C_UPGRADE_7D", "rules.md 1.4: never delete a clock")
def test_a_clock_that_ran_for_want_of_an_entry_gives_way_to_the_one_of_the_same_duty(house: Ward) -> None:
    only_study(house, replace(house.studies[STUDY], clock_rules=clockrules.rules_of("EU")))
    house.receive(report(SERIOUS | RELATED))
    house.move(10 * DAY)
    house.receive(report({**SERIOUS, **RELATED, "seriousness": ["death"]}, revision=2, at=house.at))
    house.move(DAY)
    found = Desk(house)
    found.submit("EU_ART42_2B_15D", "2026-05-23T09:00")
    combined, own = found.clock("EU_ART42_2A_7D"), found.clock("EU_ART42_2C_UPGRADE_7D")
    assert (combined["status"], combined["superseded_by"]) == ("SUPERSEDED", own["clock_id"])
    assert (own["due_on"], own["status"]) == ("2026-05-31", "RUNNING")
    assert house.alerts(kind="clock_in_question") == []


@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted")
def test_a_follow_up_to_what_was_taken_back_is_refused_and_a_nullification_asked_for(house: Ward) -> None:
    house.receive(report(SERIOUS | RELATED))
    house.move(DAY)
    found = Desk(house)
    found.submit("CN_SUSAR_15D", "2026-05-15T09:00")
    house.receive(report(SERIOUS | RELATED, revision=2, at=house.at, nullified=True))
    found.person("safety_physician")
    signature = {"password": PASSWORD, "meaning": MEANING}
    said = {"decision": "nullification", "reason": "it never happened", "signature": signature}
    found.post("/v1/assessments/TOC-0031", said)
    house.move(DAY)
    refused = found.submit("CN_FU_15D", "2026-05-16T09:00", status=409, kind="follow_up")
    assert "CN_FU_15D waits for a nullification" in title(refused)
    found.submit("CN_FU_15D", "2026-05-16T09:00", kind="nullification")
    assert found.statuses()["CN_FU_15D"] == "MET"


def test_the_sites_own_clock_takes_no_submission(house: Ward) -> None:
    told = {**FATAL, **RELATED, "investigator_aware_at": "2026-05-14T08:00+08:00"}
    house.receive(report(told))
    found = Desk(house)
    (clock,) = [c for c in house.clocks() if c["rule"] == "INV_TO_SPONSOR_24H"]
    body = {"at": "2026-05-14T12:00", "kind": "initial", "reference": "x"}
    answer = found.post(f"/v1/clocks/{clock['clock_id']}/submissions", body, by="safety_team", status=409)
    assert "this clock is the site's own" in title(answer)


def test_the_same_submission_sent_twice_is_one_and_is_answered_alike(desk: Desk) -> None:
    first = desk.submit("CN_SUSAR_7D", "2026-05-15T11:00", reference="CDE-1")
    desk.ward.move(HOUR)
    before = desk.ward.everything_kept()
    clock = desk.clock("CN_SUSAR_7D")["clock_id"]
    body = {"at": "2026-05-15T03:00Z", "kind": "initial", "reference": "CDE-1", "recipient": "CDE"}
    assert desk.post(f"/v1/clocks/{clock}/submissions", body, by="safety_physician") == first
    assert desk.ward.everything_kept() == before
    other = desk.post(f"/v1/clocks/{clock}/submissions", {**body, "reference": "CDE-2"}, status=409)
    assert "is met already" in title(other)


def test_of_two_people_who_enter_a_first_report_at_once_one_is_told_that_it_is_met(desk: Desk) -> None:
    clock = desk.clock("CN_SUSAR_7D")["clock_id"]
    both = Barrier(2)

    def enter(who: str) -> int:
        both.wait(10)
        body = {"at": "2026-05-15T11:00", "kind": "initial", "reference": f"by {who}"}
        return desk.ask("POST", f"/v1/clocks/{clock}/submissions", body, by=who).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(enter, ("safety_team", "medical_reviewer"))) == [201, 409]
    assert len(desk.get(f"/v1/clocks/{clock}/submissions")["submissions"]) == 1


@pytest.mark.rule("CN_GCP48_COPY_7D", "readings.md clocks 6")
def test_copies_are_met_recipient_by_recipient_and_only_when_all_are_sent(desk: Desk) -> None:
    answer = desk.submit("CN_GCP48_COPY_7D", "2026-05-15T10:00", recipient="dr gao, s01", reference="letter 1")
    assert (answer["met"], answer["clock"]["status"]) == ([], "RUNNING")
    assert answer["outstanding"] == ["Ethics committee of S01", "Provincial health commission"]
    answer = desk.submit("CN_GCP48_COPY_7D", "2026-05-15T11:00", recipient=ALL_COPIES, reference="letter 2")
    assert [m["rule"] for m in answer["met"]] == ["CN_GCP48_COPY_7D"]
    assert {s["recipient"] for s in answer["submissions"]} == {
        "Ethics committee of S01", "Provincial health commission",
    }  # fmt: skip
    assert [
        (d["recipient"], d["kind"], d["site"], d["version"], d["sent_at"], d["reference"], d["outstanding"])
        for d in answer["clock"]["distribution"]
    ] == [
        ("Dr Gao, S01", "investigator", "S01", 1, "2026-05-15T02:00:00Z", "letter 1", False),
        ("Ethics committee of S01", "ethics_committee", "S01", 1, "2026-05-15T03:00:00Z", "letter 2", False),
        ("Provincial health commission", "health_authority", None, 1, "2026-05-15T03:00:00Z", "letter 2", False),
    ]


def test_the_version_is_the_newest_revision_at_the_time_of_sending_not_of_entering(small: Desk) -> None:
    small.ward.receive(report({**FATAL, **RELATED, "treatment": "none"}, revision=2, at=small.ward.at))
    small.ward.move(HOUR)
    sent = small.submit("CN_GCP48_COPY_7D", "2026-05-15T11:00", recipient="Dr Gao, S01")
    assert sent["clock"]["distribution"][0]["version"] == 1
    sent = small.submit("CN_GCP48_COPY_7D", "2026-05-15T12:30", recipient="Ethics committee of S01")
    assert sent["clock"]["distribution"][1]["version"] == 2


def test_a_letter_to_all_is_received_and_signed_for_one_by_one(small: Desk) -> None:
    sent = small.submit("CN_GCP48_COPY_7D", "2026-05-15T10:00", reference="letter 3")
    path = f"/v1/clocks/{sent['clock_id']}/submissions"
    one = next(s for s in sent["submissions"] if s["recipient"] == "Dr Gao, S01")
    body = {"at": "2026-05-15T11:20", "outcome": "accepted", "signed_by": "Dr Gao"}
    answer = small.post(f"{path}/{one['submission_id']}/acknowledgements", body, by="safety_team")
    assert [(d["recipient"], d["acknowledged_at"], d["signed_by"]) for d in answer["clock"]["distribution"]] == [
        ("Dr Gao, S01", "2026-05-15T03:20:00Z", "Dr Gao"),
        ("Ethics committee of S01", None, None),
        ("Provincial health commission", None, None),
    ]
    again = small.submit("CN_GCP48_COPY_7D", "2026-05-15T10:00", reference="letter 3")
    assert again["submission_id"] == sent["submission_id"]
    assert len(again["submissions"]) == 3


@pytest.mark.rule("readings.md clocks 6")
def test_a_copy_that_comes_back_is_outstanding_again_for_that_recipient_alone(desk: Desk) -> None:
    sent = desk.submit("CN_GCP48_COPY_7D", "2026-05-15T10:00", reference="letter 3")
    one = next(s for s in sent["submissions"] if s["recipient"] == "Dr Gao, S01")
    body = {"at": "2026-05-15T11:20", "outcome": "rejected", "reason": "unknown at this address"}
    path = f"/v1/clocks/{sent['clock_id']}/submissions/{one['submission_id']}/acknowledgements"
    answer = desk.post(path, body, by="safety_team")
    assert (answer["clock"]["status"], answer["clock"]["outstanding"]) == ("RUNNING", ["Dr Gao, S01"])
    again = desk.submit("CN_GCP48_COPY_7D", "2026-05-15T11:40", reference="letter 4")
    assert [s["recipient"] for s in again["submissions"]] == ["Dr Gao, S01"]
    assert again["clock"]["status"] == "MET"


def rejected(desk: Desk, at: str = "2026-05-15T11:30", **facts: Any) -> tuple[str, Any]:
    """A first report that CDE refuses: the path of its answers, and the answer."""
    sent = desk.submit("CN_SUSAR_7D", "2026-05-15T11:00", reference="CDE-1")
    path = f"/v1/clocks/{sent['clock_id']}/submissions/{sent['submission_id']}/acknowledgements"
    body = {"at": at, "outcome": "rejected", "reference": "ACK-1", "reason": "N.2.r.3 is not known", **facts}
    return path, desk.post(path, body, by="safety_team")


@pytest.mark.rule("readings.md clocks 6")
def test_a_rejection_reopens_the_clock_and_pages_a_physician(desk: Desk) -> None:
    _, answer = rejected(desk)
    clock = answer["clock"]
    assert (clock["status"], clock["open"]) == ("RUNNING", True)
    assert clock["submissions"][0]["acknowledgement"]["reason"] == "N.2.r.3 is not known"
    (alert,) = desk.ward.alerts(kind="submission_rejected")
    assert (alert["level"], alert["due"]["on"]) == ("page", "2026-05-21")
    assert alert["reasons"] == [
        "CDE rejected CDE-1: N.2.r.3 is not known",
        "TOC-0031-E1: CN_SUSAR_7D runs again: due 2026-05-21, by CDE safety data rapid reporting standard (2018)",
    ]
    desk.ward.send()
    assert ("safety-physician", "[Tocsin] TOC-0031: report rejected, its clock is open again, 7-day clock") in (
        desk.ward.rung()
    )


def test_no_word_of_a_rejection_leaves_by_mail(small: Desk) -> None:
    rejected(small, reason="MARKER-REASON", reference="MARKER-REF")
    small.ward.send()
    assert len(small.ward.mails()) == 2
    assert not [mail for mail in small.ward.mails() if "MARKER" in mail.text or "CDE" in mail.text]


@pytest.mark.rule("readings.md clocks 6")
def test_what_is_sent_again_in_time_meets_the_clock_and_what_was_late_stays_late(desk: Desk) -> None:
    rejected(desk)
    answer = desk.submit("CN_SUSAR_7D", "2026-05-15T11:45", reference="CDE-1b")
    assert answer["clock"]["status"] == "MET"
    assert [s["acknowledgement"] is None for s in answer["clock"]["submissions"]] == [False, True]


@pytest.mark.rule("readings.md clocks 6")
def test_a_late_report_that_is_rejected_is_owed_again_and_stays_late_when_it_is_sent(small: Desk) -> None:
    small.ward.move(10 * DAY)
    sent = small.submit("CN_SUSAR_7D", "2026-05-23T09:00")
    path = f"/v1/clocks/{sent['clock_id']}/submissions/{sent['submission_id']}/acknowledgements"
    answer = small.post(path, {"at": "2026-05-23T10:00", "outcome": "rejected", "reason": "no E2B"}, by="safety_team")
    assert (answer["clock"]["status"], answer["clock"]["open"]) == ("LATE", True)
    again = small.submit("CN_SUSAR_7D", "2026-05-24T09:00")
    assert (again["clock"]["status"], again["clock"]["open"]) == ("LATE", False)


def test_an_earlier_submission_that_comes_to_light_does_not_undo_lateness_behind_a_rejection(small: Desk) -> None:
    small.ward.move(10 * DAY)
    sent = small.submit("CN_SUSAR_7D", "2026-05-23T09:00")
    path = f"/v1/clocks/{sent['clock_id']}/submissions/{sent['submission_id']}/acknowledgements"
    small.post(path, {"at": "2026-05-23T10:00", "outcome": "rejected", "reason": "no E2B"}, by="safety_team")
    answer = small.submit("CN_SUSAR_7D", "2026-05-20T09:00", status=409)
    assert "late is late for ever" in title(answer)


def test_one_answer_a_submission_the_same_again_is_the_same(desk: Desk) -> None:
    path, first = rejected(desk)
    before = desk.ward.everything_kept()
    same = {"at": "2026-05-15T11:30", "outcome": "rejected", "reference": "ACK-1", "reason": "N.2.r.3 is not known"}
    assert desk.post(path, same, by="safety_team") == first
    other = desk.post(path, {"at": "2026-05-15T11:40", "outcome": "accepted"}, by="safety_team", status=409)
    assert title(other).startswith("CDE-1 to CDE was answered already: rejected")
    assert desk.ward.everything_kept() == before


@pytest.mark.rule("readings.md clocks 6")
def test_what_a_gateway_accepted_and_the_authority_then_rejects_reopens_the_clock_and_rings(small: Desk) -> None:
    sent = small.submit("CN_SUSAR_7D", "2026-05-15T11:00", reference="CDE-1")
    path = f"/v1/clocks/{sent['clock_id']}/submissions/{sent['submission_id']}/acknowledgements"
    small.post(path, {"at": "2026-05-15T11:05", "outcome": "accepted", "reference": "MDN-1"}, by="safety_team")
    body = {"at": "2026-05-15T11:30", "outcome": "rejected", "reference": "ACK-1", "reason": "N.2.r.3 is not known"}
    answer = small.post(path, body, by="safety_team")
    assert (answer["clock"]["status"], answer["clock"]["open"]) == ("RUNNING", True)
    assert [h["status"] for h in answer["clock"]["status_history"]] == ["RUNNING", "MET", "RUNNING"]
    assert [alert["level"] for alert in small.ward.alerts(kind="submission_rejected")] == ["page"]
    told = [line["did"] for line in trail(small.ward) if line["about"] == f"submission {sent['submission_id']}"]
    assert told == ["submission accepted", "submission rejected"]
    # The rejection is the last word.
    small.post(path, {"at": "2026-05-15T11:40", "outcome": "accepted"}, by="safety_team", status=409)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"at": "2026-05-15T11:30", "outcome": "rejected"}, "/reason"),
        ({"at": "2026-05-15T10:59", "outcome": "accepted"}, "/at"),
        ({"at": "2026-05-15T12:01", "outcome": "accepted"}, "/at"),
        ({"outcome": "accepted"}, "/at"),
        ({"at": "2026-05-15T11:30", "outcome": "perhaps"}, "/outcome"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(small: Desk, body: dict[str, Any], pointer: str) -> None:
    sent = small.submit("CN_SUSAR_7D", "2026-05-15T11:00")
    path = f"/v1/clocks/{sent['clock_id']}/submissions/{sent['submission_id']}/acknowledgements"
    assert pointer in wrong(small.post(path, body, by="safety_team", status=422))
    assert small.statuses()["CN_SUSAR_7D"] == "MET"


ROLES = ("safety_physician", "second_physician", "medical_director", "medical_reviewer", "safety_team", "coder",
         "committee", "cell_lab", "auditor", "administrator")  # fmt: skip
MAY = {"safety_physician", "second_physician", "medical_director", "medical_reviewer", "safety_team"}


@pytest.mark.parametrize("role", ROLES)
def test_who_may_enter_and_who_may_read(small: Desk, role: str) -> None:
    clock = small.clock("CN_SUSAR_7D")["clock_id"]
    path = f"/v1/clocks/{clock}/submissions"
    entered = small.ask("POST", path, {"at": "2026-05-15T11:00", "kind": "initial", "reference": "r"}, by=role)
    assert entered.status_code == (201 if role in MAY else 403)
    may_read = role not in ("coder", "cell_lab")
    for read in (f"/v1/clocks/{clock}", path):
        assert small.ask("GET", read, by=role).status_code == (200 if may_read else 403)
        assert small.ask("GET", read, by=None).status_code == 401
    answers = f"{path}/00000000-0000-0000-0000-000000000000/acknowledgements"
    answer = small.ask("POST", answers, {"at": "2026-05-15T11:30", "outcome": "accepted"}, by=role)
    assert answer.status_code == (404 if role in MAY else 403)


def test_what_is_not_there_is_not_found(small: Desk) -> None:
    nowhere = "/v1/clocks/00000000-0000-0000-0000-000000000000"
    assert small.ask("GET", nowhere).status_code == 404
    body = {"at": "2026-05-15T11:00", "kind": "initial", "reference": "r"}
    assert small.ask("POST", f"{nowhere}/submissions", body).status_code == 404
    assert small.ask("GET", "/v1/clocks/seven").status_code == 422


@pytest.mark.rule("21 CFR 11.10(e)")
def test_the_audit_trail_says_who_entered_what_and_what_became_of_the_clock(small: Desk) -> None:
    rejected(small)
    told = [(line["did"], line["who"]) for line in trail(small.ward)]
    for did in ("submission entered", "submission rejected", "clock met", "clock runs again"):
        assert (did, "safety_team") in told


@pytest.mark.parametrize("decisions_first", [False, True])
def test_a_rebuild_restores_submissions_and_their_answers_and_rings_nobody(
    tmp_path: Path, decisions_first: bool
) -> None:
    facts = [report(FATAL | RELATED)]
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        only_study(lived, with_copies(lived.studies[STUDY]))
        lived.receive(*facts)
        lived.move(DAY)
        found = Desk(lived)
        rejected(found)
        found.submit("CN_SUSAR_7D", "2026-05-15T11:45", reference="CDE-1b")
        found.submit("CN_GCP48_COPY_7D", "2026-05-15T11:00", reference="letter 1")
        lived.send()
        deeds, before, at = said(lived), lived.everything_kept(), lived.at
        shown = [found.get(f"/v1/clocks/{c['clock_id']}") for c in lived.clocks()]
        rung = [(a["alert_id"], a["reasons"], a["due"]) for a in lived.alerts(kind="submission_rejected")]
        assert len(rung) == 1
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        only_study(rebuilt, with_copies(rebuilt.studies[STUDY]))
        rebuilt.is_rebuilding, rebuilt.at, rebuilt.wall_at = True, at, at
        rebuilt.receive(*[*deeds, *facts] if decisions_first else [*facts, *deeds])
        after = rebuilt.everything_kept()
        for table in ("submissions", "decisions", *(() if decisions_first else ("alerts", "notices"))):
            assert after[table] == before[table], table
        assert [(a["alert_id"], a["reasons"], a["due"]) for a in rebuilt.alerts(kind="submission_rejected")] == rung
        again = [Desk(rebuilt).get(f"/v1/clocks/{c['clock_id']}") for c in rebuilt.clocks()]
        history = ("status_history", "changes")

        def without(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [{k: v for k, v in clock.items() if k not in history} for clock in found]

        assert without(again) == without(shown)
        if not decisions_first:
            assert again == shown
        assert rebuilt.mails() == []


def test_clocks_are_found_by_site_authority_event_and_whether_something_is_owed(desk: Desk) -> None:
    desk.ward.receive(report(SERIOUS | RELATED, case="TOC-0032", subject="S02-001", site="S02", at=desk.ward.at))
    desk.submit("CN_SUSAR_7D", "2026-05-15T11:00")

    def rules(query: str) -> set[tuple[str, str]]:
        return {(c["case_id"][-1], c["rule"]) for c in desk.get(f"/v1/clocks?{query}")["clocks"]}

    first = {("1", "CN_SUSAR_7D"), ("1", "CN_SUSAR_7D_PLUS_8D"), ("1", "CN_GCP48_COPY_7D")}
    second = {("2", "CN_SUSAR_15D"), ("2", "CN_GCP48_COPY_15D")}
    assert rules("site=S01") == first
    assert rules("site=S02") == second
    assert rules("event_id=TOC-0032-E1") == second
    assert rules("authority=cn") == first | second
    assert rules("authority=FDA") == set()
    assert rules("authority=cde&open=true") == {("1", "CN_SUSAR_7D_PLUS_8D"), ("2", "CN_SUSAR_15D")}
    assert rules("open=false") == {("1", "CN_SUSAR_7D")}
    assert rules("due_after=2026-05-22&due_before=2026-05-29") == {("1", "CN_SUSAR_7D_PLUS_8D")}
    assert rules("due_after=2026-05-30") == second
