"""From a message to the bell: what rings, for whom, and what does not ring again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerting.tables import clock_history
from tests.alerting.ward import FATAL, MILD, NOON, SERIOUS, STUDY, Ward, coding, report, studies, ward, without
from tocsin.domain.protocol import APPROVED, ExpectedReaction
from tocsin.domain.words import Role
from tocsin.errors import Poison
from tocsin.messages.bodies import Contradiction

PHYSICIAN = "safety-physician"
MINUTE = timedelta(minutes=1)
LATER = NOON + timedelta(hours=1)


def test_rings_before_it_is_coded(any_house: Ward) -> None:
    any_house.receive(report(FATAL))
    assert any_house.rung() == [(PHYSICIAN, "[Tocsin] TOC-0031: death, 7-day clock")]


@pytest.mark.rule("readings.md clocks 8")
def test_all_that_one_report_says_is_one_page_with_all_its_reasons(any_house: Ward) -> None:
    any_house.receive(report(FATAL, SERIOUS))
    (alert,) = any_house.alerts()
    assert (alert["kind"], alert["level"], alert["state"]) == ("fatal", "page", "open")
    assert "TOC-0031-E1: death: outcome: fatal" in alert["reasons"]
    assert "TOC-0031-E1: potential DLT: DLT-01: death from any cause" in alert["reasons"]
    assert "TOC-0031-E2: serious event: criterion: hospitalisation" in alert["reasons"]


def test_a_serious_event_is_a_message_and_nobody_is_woken_later(house: Ward) -> None:
    # Non-fatal, graded 2, not life-threatening: the DLT rules want grade 3 or more.
    house.receive(report(SERIOUS))
    assert house.rung() == [
        (PHYSICIAN, "[Tocsin] TOC-0031: serious event, 15-day clock"),
        ("safety-team", "[Tocsin] TOC-0031: serious event, 15-day clock"),
    ]
    house.fast_forward(timedelta(hours=3), step=timedelta(minutes=30))
    assert len(house.rung()) == 2


def test_an_event_that_is_not_serious_rings_nobody(house: Ward) -> None:
    house.receive(report(MILD))
    assert (house.alerts(), house.mails()) == ([], [])


@pytest.mark.parametrize("kind", ["pregnancy", "product_event", "medication_error"])
def test_every_other_kind_of_report_pages(house: Ward, kind: str) -> None:
    house.receive(report(kind=kind))
    assert [(a["kind"], a["level"]) for a in house.alerts()] == [(kind, "page")]


def test_a_duplicate_delivery_changes_nothing(any_house: Ward) -> None:
    any_house.receive(report(FATAL), coding({}))
    before = any_house.everything_kept()
    any_house.receive(report(FATAL), coding({}))
    assert any_house.everything_kept() == before


def test_equal_or_better_facts_do_not_ring_again(house: Ward) -> None:
    house.receive(report(FATAL))
    house.receive(
        report({**FATAL, "treatment": "resuscitation"}, revision=2, at=LATER),
        report({**FATAL, "seriousness": ["death", "life_threatening"]}, revision=3, at=LATER),
        coding({}, revision=3, at=LATER),
    )
    assert len(house.alerts()) == 1


def test_worse_facts_ring_again_even_after_an_acknowledgement(house: Ward) -> None:
    house.receive(report(SERIOUS))
    house.acknowledge(house.alerts()[0]["alert_id"])
    house.receive(report({**SERIOUS, "seriousness": ["life_threatening"]}, revision=2, at=LATER))
    assert [(a["kind"], a["level"]) for a in house.alerts()] == [("serious", "info"), ("life_threatening", "page")]
    house.receive(report({**SERIOUS, "seriousness": ["death"], "outcome": "fatal"}, revision=3, at=LATER + MINUTE))
    assert [a["kind"] for a in house.alerts()][-1] == "fatal"


def test_a_coding_that_shows_an_event_of_special_interest_pages(house: Ward) -> None:
    vague = {"verbatim": "shaking, hot, low pressure", "serious": False, "grade": {"ctcae": 3}}
    house.receive(report({**vague, "causality": [
        {"agent": "product", "party": p, "relation": "not_related"} for p in ("investigator", "sponsor")
    ]}))  # fmt: skip
    assert house.alerts() == []
    house.receive(coding({"llt_code": "10052015", "term": "Cytokine release syndrome"}))
    (alert,) = house.alerts()
    assert (alert["kind"], alert["level"]) == ("special_interest", "page")


def test_a_coding_of_an_older_revision_never_replaces_a_newer_one(any_house: Ward) -> None:
    newer = coding({"term": "Sepsis", "llt_code": "10040047"}, revision=2, at=LATER)
    older = coding({"term": "Fever", "llt_code": "10016558"}, revision=1, at=LATER + MINUTE)
    reports = (report(SERIOUS), report({**SERIOUS, "outcome": "recovering"}, revision=2, at=LATER))
    any_house.receive(*reports, newer)
    before = any_house.clocks()
    any_house.receive(older)
    assert any_house.clocks() == before


def test_a_persons_coding_counts_over_the_machines_whichever_comes_first(house: Ward) -> None:
    machine = coding({"status": "needs_review", "llt_code": None, "term": None, "soc": None}, at=NOON)
    person = coding({"status": "corrected", "term": "Pneumonia"}, at=LATER, by="coder wu")
    house.receive(report(SERIOUS), person)
    before = house.clocks()
    house.receive(machine)
    assert house.clocks() == before
    assert any("Pneumonia" in r for r in house.clocks(case_id="TOC-0031")[0]["reasons"])


def test_whether_the_report_or_its_coding_is_read_first_makes_no_difference(tmp_path: Path) -> None:
    # The coding shows an event that the sponsor lists as expected, so that the report alone starts more than both do.
    known = studies()
    listed = ExpectedReaction("Pneumonia", "10035664", 3, fatal_expected=False)
    rsi = replace(known[STUDY].rsi, status=APPROVED, entries=(listed,))
    known[STUDY] = replace(known[STUDY], rsi=rsi)
    said, coded = report(SERIOUS), coding({"term": "Pneumonia", "llt_code": "10035664"})
    found = []
    for name, order in {"report first": (said, coded), "coding first": (coded, said)}.items():
        with ward(f"sqlite:///{tmp_path}/{name}.db", tmp_path / name, known) as house:
            house.receive(*order)
            alerts = {a["alert_id"]: a["reasons"] for a in house.alerts()}
            clocks = {c["clock_id"]: (c["status"], c["due_on"], c["in_question"], c["reasons"]) for c in house.clocks()}
            found.append((alerts, clocks, house.rung()))
    assert found[0] == found[1]
    assert len(found[0][0]) == 2, "the serious event, and the clock that a person must decide"


@pytest.mark.rule("promise: the order of arrival of the same facts does not change the outcome")
def test_the_history_of_a_clock_is_the_same_whether_the_report_or_its_coding_is_read_first(tmp_path: Path) -> None:
    """A bus gives no order to two topics: tables that are rebuilt from a log may have read the other first."""
    said, coded = report(FATAL), coding({"term": "Cardiac arrest", "llt_code": "10007515"})
    found = []
    for name, order in {"report first": (said, coded), "coding first": (coded, said)}.items():
        with ward(f"sqlite:///{tmp_path}/{name}.db", tmp_path / name) as house:
            house.receive(*order)
            with house.store.reading() as tx:
                rows = tx.execute(select(clock_history).order_by(clock_history.c.clock_id, clock_history.c.seq))
                found.append([tuple(row)[1:] for row in rows])
    assert found[0] == found[1]
    assert {row[-1] for row in found[0]} == {"revision 1 received", "revision 1 coded by machine"}


def test_a_revision_that_says_something_else_under_the_same_number_is_not_taken(house: Ward) -> None:
    house.receive(report(SERIOUS))
    with pytest.raises(Poison, match="a revision never changes"):
        house.receive(report(FATAL))


def test_a_study_that_is_not_served_is_poison(house: Ward) -> None:
    with pytest.raises(Poison, match="NCT00000000"):
        house.receive(report(FATAL, study="NCT00000000"))


def test_a_contradiction_is_named_on_the_alert(house: Ward) -> None:
    envelope = report({**SERIOUS, "serious": False})
    said = Contradiction(pointer="/events/0/serious", problem="not serious beside a criterion", read_as="serious")
    house.receive(replace(envelope, body=envelope.body.model_copy(update={"contradictions": [said]})))
    (alert,) = house.alerts()
    assert "contradiction at /events/0/serious: not serious beside a criterion; read as serious" in alert["reasons"]
    assert any("read at its worst" in reason for reason in alert["reasons"])


def test_every_alert_that_rests_on_an_assumption_says_so(house: Ward) -> None:
    house.receive(report(FATAL))
    (alert,) = house.alerts()
    assert alert["assumptions"]
    assert all("ASSUMED RULES, not approved by the sponsor" in said for said in alert["assumptions"])


def test_a_nullified_case_rings_for_a_person_and_its_clocks_go_on(house: Ward) -> None:
    house.receive(report(FATAL))
    house.receive(report(FATAL, revision=2, at=LATER, nullified=True))
    assert [(a["kind"], a["level"]) for a in house.alerts()] == [("fatal", "page"), ("nullified", "review")]
    assert {c["status"] for c in house.clocks()} == {"RUNNING"}


def test_two_cases_do_not_share_their_alerts(house: Ward) -> None:
    house.receive(report(FATAL), report(FATAL, case="TOC-0032", subject="S01-004"))
    assert {a["case_id"] for a in house.alerts()} == {"TOC-0031", "TOC-0032"}


def test_where_the_physician_has_no_address_the_next_is_rung_and_the_administrator_told(house: Ward) -> None:
    house.studies[STUDY] = without(house.studies[STUDY], Role.SAFETY_PHYSICIAN)
    house.receive(report(FATAL))
    assert [who for who, _ in house.rung()] == ["second-physician", "tocsin-admin"]
    told = house.alerts(kind="nobody_reachable")
    assert told[0]["reasons"] == ["nobody is reachable as safety_physician; second_physician was rung instead"]
    house.receive(report(FATAL, case="TOC-0032"))
    assert len(house.alerts(kind="nobody_reachable")) == 1


def test_where_nobody_has_an_address_the_alert_stands_red_and_is_tried_until_somebody_has(house: Ward) -> None:
    whole = house.studies[STUDY]
    house.studies[STUDY] = without(whole, *Role)
    house.receive(report(FATAL))
    (alert,) = house.alerts()
    assert alert["reached_nobody_since"] == "2026-05-14T04:00:00Z"
    assert [n["outcome"] for n in alert["notices"]] == ["nobody reachable"]
    house.fast_forward(timedelta(minutes=10))
    house.studies[STUDY] = whole
    house.fast_forward(timedelta(minutes=5))
    assert house.alerts()[0]["reached_nobody_since"] is None
    assert [who for who, _ in house.rung()] == [PHYSICIAN]


def test_facts_from_a_machine_whose_clock_is_ahead_ring_now(house: Ward) -> None:
    house.receive(report(FATAL, at=NOON + timedelta(minutes=20)))
    assert [who for who, _ in house.rung()] == [PHYSICIAN]
