"""Stories of reports that were owed to an authority: in time, late, rejected, together, copied. Times are Shanghai's.

Each is a case history on a rehearsal house, played by the public API alone. What is expected was written by hand from
the rules, and every page of the house is counted: the pages that a story does not name must not happen.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.rehearsals import about, admitted, fatal, rehearsal, rung, shanghai, statuses


@pytest.mark.rule("rules.md D1", "readings.md clocks 5", "CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D")
def test_a_death_on_christmas_day_is_reported_in_time_and_completed_in_its_eight_further_days(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-12-25T18:00+08:00") as house:
        case = house.report(fatal(onset="2026-12-21", investigator_aware_at="2026-12-25T11:00+08:00"))["case_id"]
        house.move_to("2026-12-25T18:05+08:00")
        [page] = house.alerts(case_id=case, level="page")
        house.acknowledge(page)

        first, full = house.clock(case, "CN_SUSAR_7D"), house.clock(case, "CN_SUSAR_7D_PLUS_8D")
        assert (first["day_zero"], first["due_on"]) == ("2026-12-25", "2027-01-01")
        assert first["due_at"] == "2027-01-01T15:59:59Z"
        assert (full["day_zero"], full["due_on"]) == ("2026-12-25", "2027-01-09")

        house.move_to("2026-12-30T10:00+08:00")
        sent = house.submit(first, "2026-12-30T09:40+08:00", reference="CDE-2026-1")
        assert [met["rule"] for met in sent["met"]] == ["CN_SUSAR_7D"]
        house.answer_submission(sent, "2026-12-30T09:55+08:00", reference="ACK-1")
        house.move_to("2027-01-06T12:00+08:00")
        house.submit(full, "2027-01-06T11:00+08:00", kind="follow_up", reference="CDE-2026-1-F1")
        house.move_to("2027-01-12T00:00+08:00")

        assert statuses(house.clock(case, "CN_SUSAR_7D")) == [
            ("RUNNING", "2026-12-25T18:00"),
            ("MET", "2026-12-30T10:00"),
        ]
        assert statuses(house.clock(case, "CN_SUSAR_7D_PLUS_8D")) == [
            ("RUNNING", "2026-12-25T18:00"),
            ("MET", "2027-01-06T12:00"),
        ]
        assert house.told(case_id=case, kind="fatal") == [("page", "fatal", "safety_physician", "2026-12-25T18:00")]
        assert [told for told in house.told() if told[1].startswith("clock_")] == [
            ("review", "clock_review", "medical_reviewer", "2026-12-26T18:00"),
            ("warn", "clock_warning", "safety_team", "2026-12-28T18:00"),
        ]
        assert house.pages() == [("fatal", "2026-12-25T18:00")]


@pytest.mark.rule("readings.md clocks 6", "rules.md 1.5: 7-day notices")
def test_a_report_that_is_sent_late_rings_hourly_until_then_and_is_late_for_ever(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        house.settle()
        house.acknowledge(house.alerts(case_id=case, level="page")[0])
        due = house.clock(case, "CN_SUSAR_7D")

        house.move_to("2026-03-10T02:20+08:00")
        overdue = house.clock(case, "CN_SUSAR_7D")
        assert (overdue["due_on"], overdue["status"], overdue["open"]) == ("2026-03-09", "RUNNING", True)
        house.submit(due, "2026-03-10T02:10+08:00")
        house.move_to("2026-03-11T00:00+08:00")

        assert statuses(house.clock(case, "CN_SUSAR_7D")) == [
            ("RUNNING", "2026-03-02T09:00"),
            ("LATE", "2026-03-10T02:20"),
        ]
        [ringing] = house.alerts(case_id=case, level="overdue")
        assert rung(ringing) == [
            ("medical_director", "2026-03-10T00:00"),
            ("medical_director", "2026-03-10T01:00"),
            ("medical_director", "2026-03-10T02:00"),
        ]
        assert (ringing["state"], ringing["acknowledged_by"]) == ("closed", None)
        assert shanghai(ringing["closed_at"]) == "2026-03-10T02:20"
        page = house.ask("GET", f"/a/{ringing['alert_id']}", by=None).text
        assert "nothing is owed on it any more" in page
        assert "Acknowledged by" not in page

        # Nothing that is entered afterwards makes it good.
        earlier = house.try_to_submit(due, "2026-03-09T20:00+08:00", reference="found in a drawer")
        assert earlier.status_code == 409
        assert house.clock(case, "CN_SUSAR_7D")["status"] == "LATE"
        assert house.pages() == [("fatal", "2026-03-02T09:00")]


@pytest.mark.rule("readings.md clocks 6", "rules.md D2")
def test_what_was_sent_in_the_last_second_and_entered_two_days_later_was_in_time(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        house.settle()
        house.acknowledge(house.alerts(case_id=case, level="page")[0])
        house.move_to("2026-03-11T08:30+08:00")
        house.submit(house.clock(case, "CN_SUSAR_7D"), "2026-03-09T23:59:59+08:00")
        met = house.clock(case, "CN_SUSAR_7D")
        assert statuses(met) == [("RUNNING", "2026-03-02T09:00"), ("MET", "2026-03-11T08:30")]
        house.move_to("2026-03-11T12:00+08:00")
        [ringing] = house.alerts(case_id=case, level="overdue")
        assert [at for _, at in rung(ringing)][-1] == "2026-03-11T08:00"
        assert ringing["state"] == "closed"


@pytest.mark.rule("readings.md clocks 6")
def test_a_report_that_was_rejected_before_it_was_due_is_owed_again_and_met_by_the_next(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        house.settle()
        house.acknowledge(house.alerts(case_id=case, level="page")[0])
        due = house.clock(case, "CN_SUSAR_7D")
        house.move_to("2026-03-04T10:00+08:00")
        sent = house.submit(due, "2026-03-04T10:00+08:00")
        house.move_to("2026-03-06T14:00+08:00")
        house.answer_submission(sent, "2026-03-06T13:50+08:00", "rejected", reason="N.2.r.3: the receiver is not known")
        house.move_to("2026-03-06T14:10+08:00")
        house.acknowledge(house.alerts(case_id=case, kind="submission_rejected")[0])
        house.move_to("2026-03-08T16:00+08:00")
        house.submit(due, "2026-03-08T16:00+08:00")
        house.move_to("2026-03-11T00:00+08:00")

        assert statuses(house.clock(case, "CN_SUSAR_7D")) == [
            ("RUNNING", "2026-03-02T09:00"),
            ("MET", "2026-03-04T10:00"),
            ("RUNNING", "2026-03-06T14:00"),
            ("MET", "2026-03-08T16:00"),
        ]
        assert house.pages() == [("fatal", "2026-03-02T09:00"), ("submission_rejected", "2026-03-06T14:00")]
        assert [told[1:] for told in house.told(case_id=case) if told[1].startswith("clock_")] == [
            ("clock_review", "medical_reviewer", "2026-03-03T09:00"),
            ("clock_escalation", "medical_director", "2026-03-07T09:00"),
            ("clock_critical", "medical_director", "2026-03-08T09:00"),
        ]


@pytest.mark.rule("readings.md clocks 6")
def test_a_report_that_the_gateway_took_and_the_authority_rejects_after_it_was_due_rings_and_ends_late(
    tmp_path: Path,
) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        house.settle()
        house.acknowledge(house.alerts(case_id=case, level="page")[0])
        due = house.clock(case, "CN_SUSAR_7D")
        house.move_to("2026-03-08T15:00+08:00")
        sent = house.submit(due, "2026-03-08T15:00+08:00")
        house.answer_submission(sent, "2026-03-08T15:00+08:00", reference="the gateway took the file")
        house.move_to("2026-03-10T09:40+08:00")
        assert house.alerts(case_id=case, level="overdue") == []

        house.answer_submission(sent, "2026-03-10T09:30+08:00", "rejected", reason="D.1: no patient")
        house.move_to("2026-03-10T09:45+08:00")
        house.acknowledge(house.alerts(case_id=case, kind="submission_rejected")[0])
        house.move_to("2026-03-10T11:50+08:00")
        house.submit(due, "2026-03-10T11:50+08:00", reference="the same, put right")
        house.move_to("2026-03-11T00:00+08:00")

        assert statuses(house.clock(case, "CN_SUSAR_7D")) == [
            ("RUNNING", "2026-03-02T09:00"),
            ("MET", "2026-03-08T15:00"),
            ("RUNNING", "2026-03-10T09:40"),
            ("LATE", "2026-03-10T11:50"),
        ]
        [ringing] = house.alerts(case_id=case, level="overdue")
        assert rung(ringing) == [
            ("medical_director", "2026-03-10T09:40"),
            ("medical_director", "2026-03-10T10:40"),
            ("medical_director", "2026-03-10T11:40"),
        ]
        assert house.pages() == [("fatal", "2026-03-02T09:00"), ("submission_rejected", "2026-03-10T09:40")]


@pytest.mark.rule("readings.md clocks 1", "readings.md clocks 8")
def test_two_events_of_one_report_are_one_page_and_one_submission_meets_both(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        [death], [stay] = fatal()["events"], admitted()["events"]
        case = house.report(about("S01-003", death, stay))["case_id"]
        house.move_to("2026-03-02T09:04+08:00")
        [page] = house.alerts(level="page")
        assert any(f"{case}-E1" in reason for reason in page["reasons"])
        house.acknowledge(page)

        seven = house.clock(case, "CN_SUSAR_7D", event_id=f"{case}-E1")
        fifteen = house.clock(case, "CN_SUSAR_15D", event_id=f"{case}-E2")
        assert (seven["due_on"], fifteen["due_on"]) == ("2026-03-09", "2026-03-17")
        house.move_to("2026-03-06T09:00+08:00")
        sent = house.submit(seven, "2026-03-06T09:00+08:00", events=[f"{case}-E1", f"{case}-E2"])
        assert sorted((met["rule"], met["event_id"], met["status"]) for met in sent["met"]) == [
            ("CN_SUSAR_15D", f"{case}-E2", "MET"),
            ("CN_SUSAR_7D", f"{case}-E1", "MET"),
        ]
        assert statuses(house.clock(case, "CN_SUSAR_15D"))[-1] == ("MET", "2026-03-06T09:00")
        assert len([one for one in house.clocks(case_id=case) if one["rule"] == "INV_TO_SPONSOR_24H"]) == 1
        assert house.pages() == [("fatal", "2026-03-02T09:00")]


@pytest.mark.rule("readings.md clocks 6", "readings.md clocks 10", "CN_GCP48_COPY_7D")
def test_copies_are_met_when_the_last_of_their_recipients_has_one(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        case = house.report(fatal())["case_id"]
        house.settle()
        house.acknowledge(house.alerts(case_id=case, level="page")[0])
        copies = house.clock(case, "CN_GCP48_COPY_7D")
        house.move_to("2026-03-05T10:00+08:00")
        site = [f"S01 {who}" for who in ("investigator", "institution", "ethics committee")]
        for name in site:
            letter = house.submit(copies, "2026-03-05T10:00+08:00", recipient=name, reference="letter 12")
            house.answer_submission(letter, "2026-03-05T10:00+08:00", signed_by="Dr Gao")
        house.submit(copies, "2026-03-05T10:00+08:00", recipient="health authority", reference="letter 13")

        waiting = house.get(f"/v1/clocks/{copies['clock_id']}")
        assert waiting["outstanding"] == ["S02 investigator", "S02 institution", "S02 ethics committee"]
        assert waiting["status"] == "RUNNING"
        signed = {one["recipient"]: one["signed_by"] for one in waiting["distribution"] if not one["outstanding"]}
        assert signed == {**dict.fromkeys(site, "Dr Gao"), "health authority": None}

        house.move_to("2026-03-09T09:00+08:00")
        for name in waiting["outstanding"]:
            house.submit(copies, "2026-03-09T09:00+08:00", recipient=name, reference="letter 14")
        assert statuses(house.clock(case, "CN_GCP48_COPY_7D")) == [
            ("RUNNING", "2026-03-02T09:00"),
            ("MET", "2026-03-09T09:00"),
        ]
        # The report to the authority is another thing.
        assert house.clock(case, "CN_SUSAR_7D")["status"] == "RUNNING"
        assert house.pages() == [("fatal", "2026-03-02T09:00")]


@pytest.mark.rule("rules.md D2", "rules.md D3")
def test_one_minute_before_midnight_is_a_day_and_so_are_the_ends_of_the_year_and_of_a_leap_february(
    tmp_path: Path,
) -> None:
    with rehearsal(tmp_path, at="2026-03-02T23:59+08:00") as house:
        received = {
            "2026-03-02T23:59+08:00": ("2026-03-02", "2026-03-17"),
            "2026-03-03T00:00+08:00": ("2026-03-03", "2026-03-18"),
            "2026-12-20T10:00+08:00": ("2026-12-20", "2027-01-04"),
            "2027-02-14T10:00+08:00": ("2027-02-14", "2027-03-01"),
            "2028-02-14T10:00+08:00": ("2028-02-14", "2028-02-29"),
        }
        for number, (at, (day_zero, due_on)) in enumerate(received.items(), 101):
            house.move_to(at)
            receipt = house.report(admitted(f"S01-{number}", onset=at[:10], investigator_aware_at=at))
            house.settle()
            due = house.clock(receipt["case_id"], "CN_SUSAR_15D")
            assert (due["day_zero"], due["due_on"]) == (day_zero, due_on)
            assert shanghai(due["due_at"]) == f"{due_on}T23:59:59"
            assert receipt["day_zero"][0]["day_zero"] == day_zero
            for rule in ("CN_SUSAR_15D", "CN_GCP48_COPY_15D"):
                house.submit(house.clock(receipt["case_id"], rule), at)
        assert house.pages() == []


@pytest.mark.rule("INV_TO_SPONSOR_24H", "rules.md D5", "readings.md clocks 1")
def test_the_site_has_24_hours_from_its_own_awareness_and_an_absent_one_is_asked_for(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at="2026-03-03T09:00+08:00") as house:
        told = {
            "S01-021": ("2026-03-02T09:00+08:00", "MET"),
            "S01-022": ("2026-03-02T08:59+08:00", "LATE"),
            "S01-023": (None, None),
        }
        for subject, (aware_at, status) in told.items():
            receipt = house.report(admitted(subject, investigator_aware_at=aware_at))
            house.settle()
            found = [one for one in house.clocks(case_id=receipt["case_id"]) if one["rule"] == "INV_TO_SPONSOR_24H"]
            assert [one["status"] for one in found] == ([] if status is None else [status])
            # The sponsor's own day zero waits for no date of the site.
            assert house.clock(receipt["case_id"], "CN_SUSAR_15D")["day_zero"] == "2026-03-03"
        asked = [query["about"] for query in receipt["queries"]]
        assert "/events/0/investigator_aware_at" in asked
        # What is asked of the site goes to the site, and pages nobody.
        house.move_to("2026-03-03T09:10+08:00")
        assert {mail["to"] for mail in house.mails() if "question" in mail["subject"]} == {"site-s01@trial.invalid"}
        assert house.pages() == []
