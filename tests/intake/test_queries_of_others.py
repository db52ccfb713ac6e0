"""What the coder and alerting ask of a site stands beside what intake asks, once, and can be answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from ae_intake import tables
from ae_intake.handle import on_query_raised
from tests.intake.at_site import Site, an_event, refused
from tocsin.messages.bodies import QueryKind, QueryRaisedV1
from tocsin.messages.envelope import Envelope

AT = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def raised(
    query_id: str = "q-1", about: str = "/events/0/grade/ctcae", kind: QueryKind = "grade",
    case_id: str | None = "TOC-0001", at: datetime = AT,
) -> Envelope[QueryRaisedV1]:  # fmt: skip
    body = QueryRaisedV1(
        query_id=query_id,
        case_id=case_id,
        study="NCT06223646",
        site="S01",
        kind=kind,
        about=about,
        question="The values give grade 4, the site states 3. Which is right?",
        raised_at=at,
    )
    source = "meddra-coder" if kind == "grade" else "alerting"
    return Envelope(uuid4(), "queries.raised.v1", case_id or "S01", source, "NCT06223646", at, at, body)


def request(query_id: str = "q-1", about: str = "", days: int = 1) -> Envelope[QueryRaisedV1]:
    """What alerting asks on its cadence."""
    return raised(query_id, about, "follow_up", at=AT + timedelta(days=days))


def statuses(site: Site, kind: str = "follow_up") -> list[str]:
    return [query["status"] for query in site.queries() if query["kind"] == kind]


def hear(site: Site, *messages: Envelope[QueryRaisedV1]) -> None:
    with site.store.transaction() as tx:
        for message in messages:
            on_query_raised(message, tx)


def test_a_query_of_the_coder_stands_with_its_source(site: Site) -> None:
    site.report()
    hear(site, raised(), raised())

    (query,) = site.queries()
    assert (query["query_id"], query["raised_by"], query["status"]) == ("q-1", "meddra-coder", "open")


def test_intakes_own_queries_come_back_and_change_nothing(site: Site) -> None:
    site.report(product=None)
    (own,) = site.said("queries.raised.v1")
    hear(site, own)

    assert len(site.queries()) == 1


def test_it_is_answered_like_any_other_and_no_follow_up_settles_it(site: Site) -> None:
    site.report()
    hear(site, raised())
    site.follow_up("TOC-0001", {"narrative": "news"})
    assert [query["status"] for query in site.queries()] == ["open"]
    site.answer("q-1", {"value": 4})

    assert [query["status"] for query in site.queries()] == ["answered"]
    assert site.case("TOC-0001")["events"][0]["facts"]["grade"] == {"ctcae": 4}


def test_a_query_that_points_at_nothing_takes_facts_but_no_value(site: Site) -> None:
    site.report()
    hear(site, raised(about="/events/7/onset"))

    assert site.post("/v1/queries/q-1/answers", {"value": "2026-03-01"}).status_code == 422
    assert site.answer("q-1", {"statement": "there is no such event"})["revision"] == 2


OPINION = [{"agent": "product", "party": "investigator", "relation": "related"}]
OVER = {"outcome": "recovered", "end": "2026-03-02", "causality": OPINION}


def news(**facts: object) -> dict[str, object]:
    return {"events": [{"ref": "AE-1", "verbatim": "pneumonia", **facts}]}


def test_a_request_for_a_follow_up_is_settled_by_the_revision_that_leaves_nothing_to_ask(site: Site) -> None:
    site.report()
    hear(site, request())
    site.follow_up("TOC-0001", news(outcome="recovered"))
    assert statuses(site) == ["open"]
    site.follow_up("TOC-0001", news(**OVER))
    (query,) = site.queries()
    assert (query["status"], query["settled_revision"]) == ("settled", 3)


def test_a_request_about_a_death_stays_open_until_the_terminal_report_is_told(site: Site) -> None:
    dead = {"outcome": "fatal", "seriousness": ["death"], "causality": OPINION, "grade": {"ctcae": 5}}
    site.report(an_event(**dead))
    hear(site, request())
    site.follow_up("TOC-0001", {"narrative": "Autopsy is pending."})
    assert statuses(site) == ["open"]
    site.follow_up("TOC-0001", {"narrative": "Autopsy: pulmonary embolism."})
    assert statuses(site) == ["settled"]


def test_a_request_is_answered_at_its_own_address_by_a_value_where_it_points_at_one_fact(site: Site) -> None:
    site.report(an_event(**OVER | {"end": None}))
    hear(site, request(about="/events/0/end"))
    site.answer("q-1", {"value": "2026-03-02"})
    assert statuses(site) == ["answered"]
    assert site.case("TOC-0001")["events"][0]["facts"]["end"] == "2026-03-02"


def test_an_answer_in_words_is_told_to_those_who_listen(site: Site) -> None:
    site.report()
    hear(site, request())
    site.answer("q-1", {"statement": "the family refused an autopsy"})
    assert statuses(site) == ["answered"]
    first, second = site.said("reports.received.v1")
    assert (first.body.statement, second.body.statement) == (None, "the family refused an autopsy")


def test_a_later_request_takes_the_place_of_an_earlier_one_in_whatever_order_they_come(site: Site) -> None:
    site.report()
    hear(site, request("q-1", days=7), request("q-2", days=14))
    assert statuses(site) == ["settled", "open"]
    hear(site, request("q-0", days=1))
    assert {q["query_id"]: q["status"] for q in site.queries()} == {"q-0": "settled", "q-1": "settled", "q-2": "open"}


def test_a_nullified_case_is_not_asked_any_more(site: Site) -> None:
    site.report()
    hear(site, request(), raised("q-9"))
    site.follow_up("TOC-0001", {"nullify": True, "reason": "reported twice"})
    assert statuses(site) == ["settled"]
    assert statuses(site, "grade") == ["open"], "what others ask is theirs to settle"


def test_a_query_about_no_case_is_shown_and_answered_in_words(site: Site) -> None:
    hear(site, raised("q-1", "", "reconciliation", case_id=None))
    (query,) = site.queries()
    assert (query["case_id"], query["kind"], query["status"]) == (None, "reconciliation", "open")
    receipt = site.answer("q-1", {"statement": "reported today as TOC-0002"})
    assert receipt == {
        "query_id": "q-1", "received_at": "2026-03-02T04:00:00Z", "statement": "reported today as TOC-0002",
    }  # fmt: skip
    assert statuses(site, "reconciliation") == ["answered"]
    assert ("query answered in words", "query q-1") in [(did, about) for _, did, about in site.audited()]
    with site.store.reading() as tx:
        assert tx.scalars(select(tables.queries.c.statement)).all() == ["reported today as TOC-0002"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"value": "2026-03-01"}, "/value"), ({"follow_up": {"narrative": "news"}}, "/follow_up"), ({}, "")],
)
def test_a_query_about_no_case_takes_no_facts(site: Site, body: dict[str, object], pointer: str) -> None:
    hear(site, raised("q-1", "", "reconciliation", case_id=None))
    assert list(refused(site.post("/v1/queries/q-1/answers", body))) == [pointer]
    assert statuses(site, "reconciliation") == ["open"]


def test_another_site_does_not_see_or_answer_a_query_about_no_case(site: Site) -> None:
    hear(site, raised("q-1", "", "reconciliation", case_id=None))
    other = site.with_key(site="S02")
    assert other.queries() == []
    assert other.post("/v1/queries/q-1/answers", {"statement": "ours"}).status_code == 404
