"""What the coder and alerting ask of a site stands beside what intake asks, once, and can be answered."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from ae_intake.handle import on_query_raised
from tests.intake.at_site import Site
from tocsin.messages.bodies import QueryRaisedV1
from tocsin.messages.envelope import Envelope

AT = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def raised(
    source: str = "meddra-coder", query_id: str = "q-1", about: str = "/events/0/grade/ctcae"
) -> Envelope[QueryRaisedV1]:
    body = QueryRaisedV1(
        query_id=query_id,
        case_id="TOC-0001",
        study="NCT06223646",
        site="S01",
        kind="grade",
        about=about,
        question="The values give grade 4, the site states 3. Which is right?",
        raised_at=AT,
    )
    return Envelope(uuid4(), "queries.raised.v1", "TOC-0001", "meddra-coder", "NCT06223646", AT, AT, body)


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
