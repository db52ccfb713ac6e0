"""A person decides a term: kept beside the machine's coding, with the reason, and said again as a whole."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from meddra_coder import casebook
from meddra_coder.decisions import CodingDecision, decide
from meddra_coder.handle import Parts, on_report_received
from tests.coder.conftest import AT, report
from tests.coder.test_handle import said
from tocsin.errors import NotFound, Refused
from tocsin.messages.bodies import CodedEvent
from tocsin.store.engine import Store
from tocsin.store.tables import audit

CHOICE = CodingDecision(event_id="TOC-0031-E2", llt_code="10029366", reason="ANC 0.8 on the attached sheet")


@pytest.fixture
def coded(store: Store, parts: Parts) -> Store:
    with store.transaction() as tx:
        on_report_received(
            report({"verbatim": "Fever"}, {"verbatim": "neutros down", "grade": {"ctcae": 3}}), tx, parts
        )
    return store


def choose(store: Store, parts: Parts, choice: CodingDecision = CHOICE, case_id: str = "TOC-0031") -> CodedEvent:
    with store.transaction() as tx:
        return decide(tx, case_id, choice, coders=parts.coders, by="Lin Wei", at=AT)


def test_the_decision_counts_and_the_machines_coding_stays_beside_it(coded: Store, parts: Parts) -> None:
    choose(coded, parts)

    with coded.reading() as connection:
        counting = casebook.counting(connection, "TOC-0031", 1)
        rows = casebook.history(connection, "TOC-0031")
    assert [(e.status, e.term) for e in counting] == [
        ("coded", "Fever"),
        ("corrected", "Neutrophil count decreased"),
    ]
    assert [(r.event_id, r.status, r.coded_by) for r in rows] == [
        ("TOC-0031-E1", "coded", "meddra-coder"),
        ("TOC-0031-E2", "needs_review", "meddra-coder"),
        ("TOC-0031-E2", "corrected", "Lin Wei"),
    ]


def test_the_whole_revision_is_said_again_and_the_decision_beside_it(coded: Store, parts: Parts) -> None:
    choose(coded, parts)

    coding, decision = said(coded)[-2:]
    assert coding.type == "events.coded.v1"
    assert [(e.event_id, e.status) for e in coding.body.events] == [
        ("TOC-0031-E1", "coded"),
        ("TOC-0031-E2", "corrected"),
    ]
    assert coding.body.events[1].grades == {"ctcae": 3}
    assert decision.type == "decisions.recorded.v1"
    assert (decision.body.by, decision.body.reason) == ("Lin Wei", "ANC 0.8 on the attached sheet")


def test_the_audit_says_who_changed_what_from_what_and_why(coded: Store, parts: Parts) -> None:
    choose(coded, parts)

    with coded.reading() as connection:
        row = connection.execute(select(audit).order_by(audit.c.seq.desc())).first()
    assert row is not None
    assert (row.who, row.did, row.about, row.reason) == (
        "Lin Wei", "coded an event", "case TOC-0031", "ANC 0.8 on the attached sheet",
    )  # fmt: skip
    assert '"needs_review"' in row.before
    assert '"10029366"' in row.after


def test_the_same_decision_twice_is_one(coded: Store, parts: Parts) -> None:
    first = choose(coded, parts)
    before = len(said(coded))

    assert choose(coded, parts) == first
    assert len(said(coded)) == before


def test_a_changed_mind_is_a_decision_of_its_own(coded: Store, parts: Parts) -> None:
    choose(coded, parts)
    choose(coded, parts, CodingDecision(event_id="TOC-0031-E2", llt_code="10016558", reason="it was the fever"))
    choose(coded, parts)

    with coded.reading() as connection:
        rows = casebook.history(connection, "TOC-0031")
    assert [r.llt_code for r in rows if r.coded_by == "Lin Wei"] == ["10029366", "10016558", "10029366"]


def test_an_unknown_code_is_refused_and_told_where_codes_are(coded: Store, parts: Parts) -> None:
    with pytest.raises(Refused) as refused:
        choose(coded, parts, CodingDecision(event_id="TOC-0031-E2", llt_code="19999999", reason="x"))

    assert refused.value.wrong[0].pointer == "/llt_code"
    assert refused.value.wrong[0].allowed == "a code that GET /v1/terms?q= finds"


def test_the_class_of_other_specify_is_no_term(coded: Store, parts: Parts) -> None:
    with pytest.raises(Refused, match="not a lowest level term"):
        choose(coded, parts, CodingDecision(event_id="TOC-0031-E2", llt_code="10005329", reason="x"))


def test_an_unknown_event_is_refused_with_those_there_are(coded: Store, parts: Parts) -> None:
    with pytest.raises(Refused) as refused:
        choose(coded, parts, CodingDecision(event_id="TOC-0031-E9", llt_code="10016558", reason="x"))

    assert refused.value.wrong[0].allowed == "TOC-0031-E1, TOC-0031-E2"


def test_an_unknown_case_is_not_found(coded: Store, parts: Parts) -> None:
    with pytest.raises(NotFound):
        choose(coded, parts, case_id="TOC-9999")
