"""The checker of the no-loss proof: a clean history has no fault, and each kind of fault, planted, is found.

The history is written out by hand: three reports (a threat to life; something serious that turns worse; nothing
serious), one of them told twice, a dose, two records of observations, an acknowledgement, a submission.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from chaos.checker import DOUBLED, LOST, WRONG, check
from chaos.expected import Clock
from chaos.observed import Alert, DeadLetter, Delivery, Observed
from chaos.record import Arrived, Did, Record, Sent

THREAT = {
    "ref": "AE-1", "verbatim": "sepsis", "serious": True, "seriousness": ["life_threatening"],
    "outcome": "not_recovered", "causality": [{"agent": "product", "relation": "related"}],
}  # fmt: skip
SERIOUS = {**THREAT, "verbatim": "pneumonia", "seriousness": ["hospitalisation"]}
HARMLESS = {"ref": "AE-1", "verbatim": "nausea", "serious": False, "outcome": "not_recovered"}
COPIES_7, COPIES_15 = "CN_GCP48_COPY_7D", "CN_GCP48_COPY_15D"


def report(key: str, case_id: str, at: str, **event: Any) -> Sent:
    return Sent(key, "report", "/v1/reports", {"events": [event]}, receipt(case_id, 1, at))


def follow_up(key: str, case_id: str, revision: int, at: str, **event: Any) -> Sent:
    path = f"/v1/reports/{case_id}/follow-ups"
    return Sent(key, "follow_up", path, {"events": [event]}, receipt(case_id, revision, at))


def receipt(case_id: str, revision: int, at: str) -> dict[str, Any]:
    return {"case_id": case_id, "revision": revision, "received_at": at}


# 2026-03-02 16:30 UTC is 3 March in Beijing, where the authority's days are counted.
SENT = [
    report("k1", "TOC-0001", "2026-03-02T04:00:00Z", **THREAT),
    report("k2", "TOC-0002", "2026-03-02T04:05:00Z", **SERIOUS),
    report("k3", "TOC-0003", "2026-03-02T04:10:00Z", **HARMLESS),
    follow_up("k4", "TOC-0002", 2, "2026-03-02T16:30:00Z", ref="AE-1", verbatim="pneumonia",
              seriousness=["life_threatening"]),
    Sent("k5", "dose", "/v1/doses", {"kind": "infusion"}, {"record_id": "dose-1"}),
    Sent("k6", "observations", "/v1/observations", {"observations": []},
         {"records": [{"record_id": "lab-1"}, {"record_id": "lab-2"}]}, answers=2),
]  # fmt: skip
DID = [
    Did("acknowledged", "alert-1", datetime(2026, 3, 2, 5, tzinfo=UTC)),
    Did("submitted", "clock-1", datetime(2026, 3, 4, 5, tzinfo=UTC), "TOC-0001-E1", "CDE-1"),
]


def clock(event_id: str, rule: str, zero: date, due: date, status: str = "RUNNING", by: str = "") -> Clock:
    return Clock(event_id.removesuffix("-E1"), event_id, rule, zero, due, status, by)


# By hand, from the CDE's 7 and 15 days, the 8 further days, and the copies of GCP Art. 48.
CLOCKS = [
    clock("TOC-0001-E1", COPIES_7, date(2026, 3, 2), date(2026, 3, 9)),
    clock("TOC-0001-E1", "CN_SUSAR_7D", date(2026, 3, 2), date(2026, 3, 9), "MET"),
    clock("TOC-0001-E1", "CN_SUSAR_7D_PLUS_8D", date(2026, 3, 2), date(2026, 3, 17)),
    clock("TOC-0002-E1", COPIES_15, date(2026, 3, 2), date(2026, 3, 17), "SUPERSEDED", COPIES_7),
    clock("TOC-0002-E1", COPIES_7, date(2026, 3, 3), date(2026, 3, 10)),
    clock("TOC-0002-E1", "CN_SUSAR_15D", date(2026, 3, 2), date(2026, 3, 17), "SUPERSEDED", "CN_SUSAR_7D"),
    clock("TOC-0002-E1", "CN_SUSAR_7D", date(2026, 3, 3), date(2026, 3, 10)),
    clock("TOC-0002-E1", "CN_SUSAR_7D_PLUS_8D", date(2026, 3, 3), date(2026, 3, 18)),
]
REVISIONS = [("TOC-0001", 1), ("TOC-0002", 1), ("TOC-0002", 2), ("TOC-0003", 1)]
ALERTS = [
    Alert("alert-1", "life_threatening", "page", "TOC-0001", None),
    Alert("alert-2", "life_threatening", "page", "TOC-0002", None),
    Alert("alert-3", "delivery_failed", "urgent", None, "delivery_failed|mail|gone@sponsor.example"),
]
ARRIVED = [
    Arrived("mail", "lin@sponsor.example", "notice-1", "alert-1", "TOC-0001 by 9 March"),
    Arrived("mail", "lin@sponsor.example", "notice-1", "alert-1", "TOC-0001 by 9 March"),
    Arrived("webhook", "hook-1", "notice-2", "alert-2", "{}"),
    Arrived("mail", "admin@sponsor.example", "notice-3", "alert-3", "somebody is not reached"),
]
DELIVERIES = [
    Delivery("notice-1", "alert-1", "mail", "lin@sponsor.example", "delivered", 2),
    Delivery("notice-2", "alert-2", "webhook", "hook-1", "delivered", 1),
    Delivery("notice-2", "alert-2", "mail", "gone@sponsor.example", "dead", 1),
    Delivery("notice-3", "alert-3", "mail", "admin@sponsor.example", "delivered", 1),
]


def clean() -> tuple[Record, Observed]:
    """What those outside know, and what the house holds: they agree."""
    observed = Observed(
        revisions={(one.case_id, one.revision): one.body for one in SENT[:4]},
        receipts={one.key: one.receipt for one in SENT},
        doses=Counter(["dose-1"]),
        observations=Counter(["lab-1", "lab-2"]),
        seen_by_coder=Counter(REVISIONS),
        codings=Counter((case_id, revision, f"{case_id}-E1") for case_id, revision in REVISIONS),
        judged=Counter(REVISIONS),
        judged_codings={place: (f"{place[0]}-E1",) for place in REVISIONS},
        doses_in_alerting=Counter(["dose-1"]),
        observations_in_alerting=Counter(["lab-1", "lab-2"]),
        clocks=list(CLOCKS),
        alerts=list(ALERTS),
        notices={"notice-1": "alert-1", "notice-2": "alert-2", "notice-3": "alert-3"},
        deliveries=list(DELIVERIES),
        acknowledged={"alert-1"},
        submitted=Counter(["CDE-1"]),
        unsent={"intake": 0, "coder": 0, "alerting": 0},
        rebuilt={"coder": [], "alerting": []},
    )
    return Record(sent=list(SENT), did=list(DID), arrived=list(ARRIVED)), deepcopy(observed)


Plant = Callable[[Record, Observed], None]
PLANTED: list[tuple[str, Plant, str, str]] = []


def planted(promise: str, how: str) -> Callable[[Plant], Plant]:
    """A fault, and what the checker must call it."""

    def keep(plant: Plant) -> Plant:
        PLANTED.append((plant.__name__, plant, promise, how))
        return plant

    return keep


@planted("one revision", LOST)
def an_acknowledged_report_is_not_there(_: Record, observed: Observed) -> None:
    del observed.revisions["TOC-0003", 1]


@planted("one revision", DOUBLED)
def a_report_that_was_sent_again_became_a_second_case(_: Record, observed: Observed) -> None:
    observed.revisions["TOC-0004", 1] = SENT[0].body


@planted("one revision", DOUBLED)
def two_keys_were_given_one_revision(record: Record, observed: Observed) -> None:
    record.sent.append(replace(SENT[2], key="k7"))
    observed.receipts["k7"] = SENT[2].receipt


@planted("one revision", WRONG)
def what_is_kept_is_not_what_was_sent(_: Record, observed: Observed) -> None:
    observed.revisions["TOC-0001", 1] = {"events": [{**THREAT, "seriousness": []}]}


@planted("one receipt", WRONG)
def a_repeated_request_got_another_receipt(record: Record, _: Observed) -> None:
    record.sent[5] = replace(SENT[5], alike=False)


@planted("one receipt", LOST)
def a_receipt_was_forgotten(_: Record, observed: Observed) -> None:
    del observed.receipts["k2"]


@planted("no fault of ours", WRONG)
def a_request_was_answered_with_500(record: Record, _: Observed) -> None:
    record.wrong("POST /v1/reports: 500")


@planted("one dose record", LOST)
def a_dose_is_not_there(_: Record, observed: Observed) -> None:
    observed.doses.clear()


@planted("every dose record judged", LOST)
def a_dose_never_reached_whoever_judges(_: Record, observed: Observed) -> None:
    observed.doses_in_alerting.clear()


@planted("one observations record", DOUBLED)
def an_observation_is_there_twice(_: Record, observed: Observed) -> None:
    observed.observations["lab-1"] += 1


@planted("one observations record", WRONG)
def an_observation_is_there_that_nobody_sent(_: Record, observed: Observed) -> None:
    observed.observations["lab-9"] += 1


@planted("every revision coded", LOST)
def a_revision_was_never_coded(_: Record, observed: Observed) -> None:
    del observed.seen_by_coder["TOC-0002", 2]


@planted("every event coded once", DOUBLED)
def an_event_was_coded_twice(_: Record, observed: Observed) -> None:
    observed.codings["TOC-0001", 1, "TOC-0001-E1"] += 1


@planted("every event coded once", LOST)
def an_event_was_left_out_of_its_coding(_: Record, observed: Observed) -> None:
    observed.judged_codings["TOC-0001", 1] = ()


@planted("every revision judged", LOST)
def a_revision_was_never_judged(_: Record, observed: Observed) -> None:
    del observed.judged["TOC-0003", 1]


@planted("every coding judged", LOST)
def a_coding_was_never_judged(_: Record, observed: Observed) -> None:
    del observed.judged_codings["TOC-0003", 1]


@planted("every clock right", LOST)
def a_clock_is_not_there(_: Record, observed: Observed) -> None:
    observed.clocks.remove(CLOCKS[6])


@planted("every clock right", DOUBLED)
def a_clock_is_there_twice(_: Record, observed: Observed) -> None:
    observed.clocks.append(CLOCKS[6])


@planted("every clock right", WRONG)
def a_clock_is_due_a_day_later(_: Record, observed: Observed) -> None:
    observed.clocks[6] = replace(CLOCKS[6], due_on=date(2026, 3, 11))


@planted("every clock right", WRONG)
def day_zero_was_taken_in_utc(_: Record, observed: Observed) -> None:
    observed.clocks[6] = replace(CLOCKS[6], day_zero=date(2026, 3, 2), due_on=date(2026, 3, 9))


@planted("every clock right", WRONG)
def a_clock_that_was_met_runs_on(_: Record, observed: Observed) -> None:
    observed.clocks[1] = replace(CLOCKS[1], status="RUNNING")


@planted("every clock right", WRONG)
def a_clock_runs_for_what_is_not_serious(_: Record, observed: Observed) -> None:
    observed.clocks.append(clock("TOC-0003-E1", "CN_SUSAR_15D", date(2026, 3, 2), date(2026, 3, 17)))


@planted("every alarm rings", LOST)
def a_threat_to_life_paged_nobody(_: Record, observed: Observed) -> None:
    observed.alerts[1] = replace(ALERTS[1], level="info")


@planted("every alarm reaches somebody", LOST)
def an_alarm_reached_nobody(record: Record, _: Observed) -> None:
    del record.arrived[2]


@planted("delivered means arrived", LOST)
def a_delivery_is_said_to_be_done_and_nobody_has_it(_: Record, observed: Observed) -> None:
    observed.deliveries.append(Delivery("notice-1", "alert-1", "webhook", "hook-1", "delivered", 1))


@planted("every delivery comes to its end", LOST)
def a_delivery_waits_for_ever(_: Record, observed: Observed) -> None:
    observed.deliveries[0] = replace(DELIVERIES[0], state="sending")


@planted("what is given up rings", LOST)
def a_dead_delivery_rang_for_nobody(record: Record, observed: Observed) -> None:
    del observed.alerts[2], record.arrived[3], observed.deliveries[3]


@planted("no copy without a try", DOUBLED)
def more_copies_arrived_than_were_sent(_: Record, observed: Observed) -> None:
    observed.deliveries[0] = replace(DELIVERIES[0], attempts=1)


@planted("one id a notice", WRONG)
def a_notice_arrived_under_an_id_that_is_none(record: Record, _: Observed) -> None:
    record.arrived.append(replace(ARRIVED[2], notice_id="notice-9"))


@planted("one id a notice", WRONG)
def one_id_was_used_for_two_alarms(record: Record, _: Observed) -> None:
    record.arrived.append(replace(ARRIVED[2], alert_id="alert-1"))


@planted("one id a notice", WRONG)
def a_second_copy_says_something_else(record: Record, _: Observed) -> None:
    record.arrived[1] = replace(ARRIVED[1], text="TOC-0001 by 10 March")


@planted("every webhook is signed", WRONG)
def a_webhook_came_with_a_wrong_signature(record: Record, _: Observed) -> None:
    record.arrived[2] = replace(ARRIVED[2], is_signed=False)


@planted("a deed is kept", LOST)
def an_acknowledgement_is_not_there(_: Record, observed: Observed) -> None:
    observed.acknowledged.clear()


@planted("a deed is kept", DOUBLED)
def a_submission_was_entered_twice(_: Record, observed: Observed) -> None:
    observed.submitted["CDE-1"] += 1


@planted("everything is said", LOST)
def a_message_still_waits(_: Record, observed: Observed) -> None:
    observed.unsent["coder"] = 1


@planted("no dead letter", WRONG)
def a_message_was_set_aside(_: Record, observed: Observed) -> None:
    observed.dead_letters.append(DeadLetter("reports.received.v1/0/17", "alerting", "KeyError", is_handled=True))


TOO_NEW = DeadLetter("reports.received.v1/0/17", "alerting", "Poison", is_too_new=True, is_handled=True)


@planted("what is set aside rings", LOST)
def a_message_that_was_too_new_was_set_aside_in_silence(_: Record, observed: Observed) -> None:
    observed.dead_letters.append(replace(TOO_NEW, has_rung=False))


@planted("what was too new is handled in the end", LOST)
def a_message_that_was_too_new_stayed_aside(_: Record, observed: Observed) -> None:
    observed.dead_letters.append(replace(TOO_NEW, is_handled=False))


@planted("the audit chain is whole", WRONG)
def a_line_of_the_audit_trail_was_changed(_: Record, observed: Observed) -> None:
    observed.broken_audit["alerting"] = "line 17"


@planted("a replay gives the same", WRONG)
def a_replay_gives_another_table(_: Record, observed: Observed) -> None:
    observed.rebuilt["alerting"].append("clocks")


TOO_EARLY = clock("TOC-0002-E1", "CN_SUSAR_7D", date(2026, 3, 4), date(2026, 3, 11), "SUPERSEDED", "CN_SUSAR_7D")


@planted("every clock right", WRONG)
def a_clock_gave_way_to_its_like_and_no_revision_was_aside(_: Record, observed: Observed) -> None:
    observed.dead_letters.append(replace(TOO_NEW, key="TOC-0001"))
    observed.clocks.append(TOO_EARLY)


@planted("every clock right", WRONG)
def a_clock_that_was_begun_while_a_revision_was_aside_runs_on(_: Record, observed: Observed) -> None:
    observed.dead_letters.append(replace(TOO_NEW, key="TOC-0002"))
    observed.clocks.append(replace(TOO_EARLY, status="RUNNING", superseded_by=""))


def test_a_clock_may_give_way_to_that_of_a_later_revision_which_bears_the_earlier_time() -> None:
    """The time of the house was put back by two minutes between the two."""
    record, observed = clean()
    observed.receipts["k4"] = receipt("TOC-0002", 2, "2026-03-02T04:03:00Z")
    record.sent[3] = replace(SENT[3], receipt=observed.receipts["k4"])
    observed.clocks.append(TOO_EARLY)
    assert not [fault for fault in check(record, observed) if "2026-03-04" in fault.about]


@planted("every clock right", WRONG)
def a_clock_was_met_by_what_does_not_meet_the_right_one(_: Record, observed: Observed) -> None:
    observed.dead_letters.append(replace(TOO_NEW, key="TOC-0002"))
    observed.clocks.append(replace(TOO_EARLY, status="MET", superseded_by=""))


def test_a_submission_may_meet_both_the_right_clock_and_the_one_that_was_begun_too_early() -> None:
    record, observed = clean()
    observed.dead_letters.append(replace(TOO_NEW, key="TOC-0001"))
    observed.clocks.append(CLOCKS[1])
    assert check(record, observed) == []


def test_a_clock_that_was_begun_while_an_earlier_revision_was_aside_and_gave_way_to_the_right_one_is_no_fault() -> None:
    record, observed = clean()
    observed.dead_letters.append(replace(TOO_NEW, key="TOC-0002"))
    observed.clocks.append(TOO_EARLY)
    assert check(record, observed) == []


def test_a_clean_history_has_no_fault() -> None:
    assert check(*clean()) == []


def test_what_was_too_new_for_its_reader_rang_and_was_handled_in_the_end_is_no_fault() -> None:
    record, observed = clean()
    observed.dead_letters.append(TOO_NEW)
    assert check(record, observed) == []


@pytest.mark.parametrize(("plant", "promise", "how"), [pytest.param(*of[1:], id=of[0]) for of in PLANTED])
def test_a_planted_fault_is_found_and_called_by_its_name(plant: Plant, promise: str, how: str) -> None:
    record, observed = clean()
    plant(record, observed)
    found = check(record, observed)
    assert (promise, how) in {(fault.promise, fault.how) for fault in found}, [*map(str, found)]
