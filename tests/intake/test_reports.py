"""A report comes in: what is kept, what is answered, what is said on the bus."""

from __future__ import annotations

import pytest

from tests.intake.at_site import AWARE, Site, a_report, an_event
from tocsin.messages.bodies import ReportReceivedV1


def test_a_complete_report_gets_a_receipt_that_says_all(site: Site) -> None:
    receipt = site.report()

    assert receipt["case_id"] == "TOC-0001"
    assert receipt["revision"] == 1
    assert receipt["received_at"] == "2026-03-02T04:00:00Z"
    assert receipt["complete"] is True
    for nothing in ("missing", "contradictions", "possible_duplicates", "queries"):
        assert receipt[nothing] == []
    assert receipt["day_zero"] == [
        {
            "event_id": "TOC-0001-E1",
            "ref": "AE-1",
            "day_zero": "2026-03-02",
            "received_at": "2026-03-02T04:00:00Z",
            "is_provisional": False,
            "why": "revision 1 received 2026-03-02 12:00 CST with the four minimum elements",
        }
    ]


def test_the_clocks_that_these_facts_start_are_shown_as_received(site: Site) -> None:
    clocks = {clock["rule"]: clock for clock in site.report()["clocks"]}

    fifteen = clocks["CN_SUSAR_15D"]
    assert fifteen["status"] == "as_received"
    assert fifteen["event_id"] == "TOC-0001-E1"
    assert (fifteen["day_zero"], fifteen["due_on"]) == ("2026-03-02", "2026-03-17")
    assert fifteen["due_at"] == "2026-03-17T23:59:59+08:00"
    assert fifteen["provisional"] is True
    assert "not coded yet: taken as unexpected" in fifteen["reasons"]
    aware = clocks["INV_TO_SPONSOR_24H"]
    assert (aware["due_at"], aware["event_id"]) == ("2026-03-03T08:30:00+08:00", None)


@pytest.mark.rule("rules.md D1, D3; interfaces.md: day zero is the server's receipt, in the receiver's zone")
def test_day_zero_is_the_receipt_in_the_receivers_zone(site: Site) -> None:
    site.now.pass_by(hours=12, minutes=1)  # 00:01 on 3 March in Shanghai, still 2 March in UTC
    (day,) = site.report()["day_zero"]

    assert day["day_zero"] == "2026-03-03"


def test_what_is_said_on_the_bus_is_the_whole_report(site: Site) -> None:
    site.report(an_event(verbatim="肺炎，重症"), narrative="as told by the ward")
    (envelope,) = site.said("reports.received.v1")
    body = envelope.body

    assert isinstance(body, ReportReceivedV1)
    assert (envelope.key, envelope.source, envelope.study) == ("TOC-0001", "ae-intake", "NCT06223646")
    assert (body.case_id, body.revision, body.site, body.subject) == ("TOC-0001", 1, "S01", "S01-001")
    assert body.events[0].event_id == "TOC-0001-E1"
    assert body.events[0].facts.verbatim == "肺炎，重症"
    assert body.facts.narrative == "as told by the ward"


def test_numbers_go_up_by_one_and_events_are_numbered_in_order(site: Site) -> None:
    first = site.report(an_event(ref="A"), an_event(ref="B", verbatim="sepsis"))
    second = site.report(subject="S01-002")

    assert [day["event_id"] for day in first["day_zero"]] == ["TOC-0001-E1", "TOC-0001-E2"]
    assert second["case_id"] == "TOC-0002"


@pytest.mark.rule("rules.md 2.5: the four minimum elements", "rules.md 2.5: incomplete posts are accepted")
@pytest.mark.parametrize(
    ("report", "missing"),
    [
        ({"subject": None}, {"patient": "/subject"}),
        ({"patient_identifiable": False}, {"patient": "/patient_identifiable"}),
        ({"reporter": None}, {"reporter": "/reporter"}),
        ({"reporter": {}}, {"reporter": "/reporter"}),
        ({"product": None}, {"product": "/product"}),
        ({"events": []}, {"event": "/events"}),
        (
            {"subject": None, "reporter": None, "product": None, "events": None},
            {"patient": "/subject", "reporter": "/reporter", "product": "/product", "event": "/events"},
        ),
    ],
)
def test_an_incomplete_report_is_kept_and_answered_with_what_is_missing(
    site: Site, report: dict[str, object], missing: dict[str, str]
) -> None:
    receipt = site.report(**report)

    assert receipt["complete"] is False
    assert {one["element"]: one["pointer"] for one in receipt["missing"]} == missing
    asked = [query for query in site.queries() if query["kind"] == "missing"]
    assert [query["about"] for query in asked] == list(missing.values())
    assert all(query["question"].endswith("?") or "Give" in query["question"] for query in asked)


def test_a_death_of_which_nothing_else_is_known_is_kept_and_starts_a_clock(site: Site) -> None:
    receipt = site.report({"verbatim": "patient died"}, reporter=None, product=None)

    assert receipt["complete"] is False
    assert receipt["day_zero"][0]["day_zero"] == "2026-03-02"
    assert receipt["day_zero"][0]["is_provisional"] is True
    assert "CN_SUSAR_7D" in {clock["rule"] for clock in receipt["clocks"]}


@pytest.mark.rule("promise: no date is invented; interfaces.md: absent awareness is asked for, never filled in")
@pytest.mark.parametrize(
    ("event", "is_asked"),
    [
        ({"serious": True}, True),
        ({"serious": None, "seriousness": None}, True),
        ({"serious": False, "seriousness": ["death"]}, True),
        ({"serious": False, "seriousness": None}, False),
    ],
)
def test_absent_awareness_is_asked_for_unless_the_event_is_known_not_to_be_serious(
    site: Site, event: dict[str, object], is_asked: bool
) -> None:
    receipt = site.report(an_event(investigator_aware_at=None, grade=None, **event))
    asked = [query["about"] for query in receipt["queries"] if query["kind"] == "awareness"]

    assert asked == (["/events/0/investigator_aware_at"] if is_asked else [])
    assert "INV_TO_SPONSOR_24H" not in {clock["rule"] for clock in receipt["clocks"]}
    (envelope,) = site.said("reports.received.v1")
    assert envelope.body.events[0].facts.investigator_aware_at is None


def test_awareness_by_day_alone_is_asked_for_to_the_minute(site: Site) -> None:
    receipt = site.report(an_event(investigator_aware_at="2026-03-01"))

    (query,) = receipt["queries"]
    assert query["kind"] == "awareness"
    assert "2026-03-01" in query["question"]


@pytest.mark.parametrize(
    "onset", ["2026", "2026-03", "2026-03-01", "2026-03-01T22", "2026-03-01T22:10", "2026-03-01T22:10:05+08:00",
              "2026---01", "-----T22:10"],
)  # fmt: skip
def test_partial_dates_are_kept_as_they_were_written(site: Site, onset: str) -> None:
    site.report(an_event(onset=onset))

    assert site.case("TOC-0001")["events"][0]["facts"]["onset"] == onset


@pytest.mark.parametrize(
    ("kind", "detail"),
    [("pregnancy", "partner"), ("product_event", "mix_up"), ("medication_error", "overdose")],
)
def test_other_kinds_of_report_need_no_event(site: Site, kind: str, detail: str) -> None:
    receipt = site.report(kind=kind, detail=detail, events=None)

    assert receipt["complete"] is True
    assert receipt["contradictions"] == []


def test_fifty_events_are_one_report(site: Site) -> None:
    receipt = site.report(*(an_event(ref=f"AE-{n}", verbatim=f"event {n} of many") for n in range(50)))

    assert len(receipt["day_zero"]) == 50


def test_queries_of_a_report_are_said_once_each_with_their_batch(site: Site) -> None:
    site.report(
        an_event(investigator_aware_at=None), product=None, source={"system": "edc", "batch": "B-7", "reference": "1"}
    )
    said = [envelope.body for envelope in site.said("queries.raised.v1")]

    assert [(body.kind, body.about, body.batch) for body in said] == [
        ("missing", "/product", "B-7"),
        ("awareness", "/events/0/investigator_aware_at", "B-7"),
    ]
    assert {body.query_id for body in said} == {query["query_id"] for query in site.queries()}


def test_what_is_accepted_leaves_a_line_in_the_audit_trail(site: Site) -> None:
    site.report()
    created, accepted = site.audited()

    assert created[1:2] == ("key created",)
    assert accepted[1:] == ("report accepted", "case TOC-0001")


def test_what_we_hold_can_be_read_back_with_its_history(site: Site) -> None:
    sent = a_report()
    site.post("/v1/reports", sent)
    case = site.case("TOC-0001")

    assert case["subject"] == "S01-001"
    assert case["events"][0]["facts"]["investigator_aware_at"] == AWARE
    (revision,) = case["history"]
    assert (revision["revision"], revision["how"], revision["sent"]) == (1, "report", sent)
    assert site.audited()[-1][1:] == ("case read", "case TOC-0001")


def test_the_list_of_cases_is_paged_by_number(site: Site) -> None:
    for n in range(1, 4):
        site.report(subject=f"S01-00{n}")
    first = site.get("/v1/reports", params={"limit": 2}).json()
    rest = site.get("/v1/reports", params={"limit": 2, "after": first["next"]}).json()

    assert [case["case_id"] for case in first["reports"]] == ["TOC-0001", "TOC-0002"]
    assert [case["case_id"] for case in rest["reports"]] == ["TOC-0003"]
    assert rest["next"] is None
