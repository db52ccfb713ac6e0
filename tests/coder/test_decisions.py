"""A person decides a term: kept beside the machine's coding, with the reason, and said again as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from meddra_coder import casebook, synonym_book
from meddra_coder.coding import code_event
from meddra_coder.decisions import CodingDecision, decide
from meddra_coder.handle import Parts, on_report_received
from tests.coder.conftest import AT, report
from tests.coder.test_handle import said
from tocsin.errors import Conflict, NotFound, Refused
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
        decided = decide(tx, case_id, choice, coders=parts.coders, studies=parts.studies, by="Lin Wei", at=AT)
    assert isinstance(decided, CodedEvent)
    return decided


@pytest.mark.rule("coding review: history stays whole")
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


UNDO = CodingDecision(event_id="TOC-0031-E2", undo=True, reason="the sheet was another subject's")


@pytest.mark.rule("coding review: history stays whole")
def test_an_undo_brings_the_coding_before_back_as_a_row_of_its_own(coded: Store, parts: Parts) -> None:
    choose(coded, parts)

    back = choose(coded, parts, UNDO)

    assert (back.status, back.llt_code, back.method) == ("needs_review", None, "none")
    assert back.reasons[-1] == (
        "Lin Wei undid the coding as Neutrophil count decreased: the sheet was another subject's"
    )  # fmt: skip
    with coded.reading() as connection:
        rows = casebook.history(connection, "TOC-0031")
    assert [(r.status, r.llt_code, r.coded_by) for r in rows if r.event_id == "TOC-0031-E2"] == [
        ("needs_review", None, "meddra-coder"),
        ("corrected", "10029366", "Lin Wei"),
        ("needs_review", None, "Lin Wei"),
    ]


def test_an_undo_is_said_with_the_whole_revision_and_kept_in_the_trail(coded: Store, parts: Parts) -> None:
    choose(coded, parts)
    choose(coded, parts, UNDO)

    coding, decision = said(coded)[-2:]
    assert [(e.event_id, e.status) for e in coding.body.events] == [
        ("TOC-0031-E1", "coded"),
        ("TOC-0031-E2", "needs_review"),
    ]
    assert (decision.body.what, decision.body.about) == ("coding by a person undone", "TOC-0031-E2")
    assert decision.body.detail["before"] == "10029366"
    with coded.reading() as connection:
        row = connection.execute(select(audit).order_by(audit.c.seq.desc())).first()
    assert row is not None
    assert (row.did, row.reason) == ("undid a coding", "the sheet was another subject's")


def test_an_undo_after_a_changed_mind_brings_the_first_choice_back(coded: Store, parts: Parts) -> None:
    choose(coded, parts)
    choose(coded, parts, CodingDecision(event_id="TOC-0031-E2", llt_code="10016558", reason="it was the fever"))

    assert choose(coded, parts, UNDO).llt_code == "10029366"


def test_an_undo_of_an_undo_is_refused_and_a_new_decision_is_not(coded: Store, parts: Parts) -> None:
    choose(coded, parts)
    choose(coded, parts, CodingDecision(event_id="TOC-0031-E2", llt_code="10016558", reason="it was the fever"))
    choose(coded, parts, UNDO)

    with pytest.raises(Conflict, match="the newest decision on this event is an undo"):
        choose(coded, parts, UNDO)
    choose(coded, parts, CodingDecision(event_id="TOC-0031-E2", llt_code="10016558", reason="the fever after all"))
    assert choose(coded, parts, UNDO).llt_code == "10029366"


@pytest.mark.parametrize("event_id", ["TOC-0031-E1", "TOC-0031-E2"])
def test_what_the_machine_said_is_not_undone(coded: Store, parts: Parts, event_id: str) -> None:
    with pytest.raises(Conflict, match="there is nothing to undo"):
        choose(coded, parts, CodingDecision(event_id=event_id, undo=True, reason="x"))


def test_a_decision_on_a_revision_that_is_no_longer_the_newest_is_refused(coded: Store, parts: Parts) -> None:
    with coded.transaction() as tx:
        on_report_received(report({"verbatim": "Fever"}, {"verbatim": "neutros down"}, revision=2), tx, parts)

    with pytest.raises(Conflict, match="TOC-0031 is at revision 2 now") as refused:
        choose(coded, parts, CHOICE.model_copy(update={"revision": 1}))
    assert refused.value.wrong[0].pointer == "/revision"
    assert choose(coded, parts, CHOICE.model_copy(update={"revision": 2})).status == "corrected"


def test_a_decision_can_make_the_words_a_synonym_without_what_stands_beside_them(store: Store, parts: Parts) -> None:
    with store.transaction() as tx:
        on_report_received(report({"verbatim": "Severe heat ripples in the chest, grade 3"}), tx, parts)
    choice = CodingDecision(event_id="TOC-0031-E1", llt_code="10020407", reason="hot flashes", synonym="study")

    choose(store, parts, choice)

    with store.reading() as connection:
        [kept] = synonym_book.listed(connection, "NCT06223646")
        again = code_event("Heat ripples in the chest", parts.coders.of(connection, "NCT06223646"))
        elsewhere = code_event("Heat ripples in the chest", parts.coders.of(connection, "CDISCPILOT01"))
    assert (kept.phrase, kept.scope, kept.counts) == ("heat ripples in the chest", "study", "10020407")
    assert (again.llt_code, again.method) == ("10020407", "study_synonym")
    assert elsewhere.llt_code is None


def test_the_phrase_of_a_synonym_may_be_given(coded: Store, parts: Parts) -> None:
    choose(coded, parts, CHOICE.model_copy(update={"synonym": "global", "synonym_phrase": "neutros are down"}))

    with coded.reading() as connection:
        [kept] = synonym_book.listed(connection, "CDISCPILOT01")
    assert (kept.phrase, kept.scope, kept.study, kept.counts) == ("neutros are down", "global", None, "10029366")


def test_where_the_synonym_is_refused_the_decision_is_not_kept(coded: Store, parts: Parts) -> None:
    with pytest.raises(Conflict, match="Fever"):
        choose(coded, parts, CHOICE.model_copy(update={"synonym": "global", "synonym_phrase": "fever"}))

    with coded.reading() as connection:
        assert [row.coded_by for row in casebook.history(connection, "TOC-0031")] == ["meddra-coder"] * 2


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({}, "either llt_code is given, or undo is true"),
        ({"undo": True, "llt_code": "10016558"}, "either llt_code is given, or undo is true"),
        ({"undo": True, "synonym": "study"}, "a synonym is withdrawn for itself"),
        ({"llt_code": "10016558", "synonym_phrase": "hot"}, "synonym says where it holds: study or global"),
    ],
)
def test_a_decision_is_one_thing(facts: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        CodingDecision.model_validate({"event_id": "TOC-0031-E2", "reason": "x", **facts})
