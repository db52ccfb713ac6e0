"""Where a study asks for a second person: nothing is coded by a proposal, and another one applies or refuses it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from meddra_coder import casebook, proposals
from meddra_coder.decisions import CodingDecision, decide
from meddra_coder.handle import Parts, on_report_received
from meddra_coder.proposals import AnsweredProposal, CodingProposal, SecondAnswerFacts
from tests.coder.conftest import AT, report
from tests.coder.test_handle import said
from tocsin.errors import Conflict, Forbidden, NotFound
from tocsin.messages.bodies import CodedEvent
from tocsin.store.engine import Store
from tocsin.store.tables import audit

CHOICE = CodingDecision(event_id="TOC-0031-E2", llt_code="10029366", reason="ANC 0.8 on the attached sheet")
LATER = AT + timedelta(hours=2)


@pytest.fixture
def coded(store: Store, two_people: Parts) -> Store:
    with store.transaction() as tx:
        on_report_received(report({"verbatim": "Fever"}, {"verbatim": "neutros down"}), tx, two_people)
    return store


def choose(
    store: Store, parts: Parts, choice: CodingDecision = CHOICE, by: str = "Lin Wei", at: datetime = AT
) -> CodedEvent | CodingProposal:
    with store.transaction() as tx:
        return decide(tx, "TOC-0031", choice, coders=parts.coders, studies=parts.studies, by=by, at=at)


def propose(store: Store, parts: Parts, choice: CodingDecision = CHOICE, by: str = "Lin Wei") -> CodingProposal:
    made = choose(store, parts, choice, by)
    assert isinstance(made, CodingProposal)
    return made


def answer(
    store: Store, parts: Parts, made: CodingProposal, by: str = "Zhao Min", *, approve: bool = True
) -> AnsweredProposal:
    facts = SecondAnswerFacts(approve=approve, reason="read on the same sheet")
    with store.transaction() as tx:
        return proposals.answer(tx, made.case_id, made.decision_id, facts, coders=parts.coders, by=by, at=LATER)


def counting(store: Store, revision: int = 1) -> list[tuple[str, str | None]]:
    with store.reading() as connection:
        return [(event.status, event.llt_code) for event in casebook.counting(connection, "TOC-0031", revision)]


@pytest.mark.rule("coding review: a second person")
def test_a_proposal_codes_nothing(coded: Store, two_people: Parts) -> None:
    made = propose(coded, two_people)

    assert (made.state, made.llt_code, made.by, made.revision, made.second) == (
        "proposed", "10029366", "Lin Wei", 1, None,
    )  # fmt: skip
    assert counting(coded) == [("coded", "10016558"), ("needs_review", None)]
    decision = said(coded)[-1]
    assert (decision.body.what, decision.body.about, decision.body.detail["llt_code"]) == (
        "coding proposed", "TOC-0031-E2", "10029366",
    )  # fmt: skip


def test_an_approved_proposal_counts_and_both_names_stand_on_it(coded: Store, two_people: Parts) -> None:
    answered = answer(coded, two_people, propose(coded, two_people))

    assert counting(coded) == [("coded", "10016558"), ("corrected", "10029366")]
    assert answered.event is not None
    assert answered.event.reasons == [
        "Lin Wei: ANC 0.8 on the attached sheet",
        "approved by Zhao Min: read on the same sheet",
    ]
    assert (answered.proposal.state, answered.proposal.second, answered.proposal.second_reason) == (
        "approved", "Zhao Min", "read on the same sheet",
    )  # fmt: skip
    coding, decision = said(coded)[-2:]
    assert coding.type == "events.coded.v1"
    assert [event.status for event in coding.body.events] == ["coded", "corrected"]
    assert (decision.body.what, decision.body.by) == ("proposed coding approved", "Zhao Min")
    with coded.reading() as connection:
        row = connection.execute(select(audit).order_by(audit.c.seq.desc())).first()
    assert row is not None
    assert (row.who, row.did, row.reason) == ("Zhao Min", "approved a proposed coding", "read on the same sheet")


def test_a_refused_proposal_leaves_all_as_it_was(coded: Store, two_people: Parts) -> None:
    answered = answer(coded, two_people, propose(coded, two_people), approve=False)

    assert answered.proposal.state == "refused"
    assert answered.event is not None
    assert answered.event.status == "needs_review"
    assert counting(coded) == [("coded", "10016558"), ("needs_review", None)]
    assert said(coded)[-1].body.what == "proposed coding refused"


@pytest.mark.rule("coding review: a second person")
def test_who_proposed_may_neither_approve_nor_refuse(coded: Store, two_people: Parts) -> None:
    made = propose(coded, two_people)
    for approve in (True, False):
        with pytest.raises(Forbidden, match="Lin Wei proposed this: another person has to answer"):
            answer(coded, two_people, made, by="Lin Wei", approve=approve)


def test_a_proposal_is_answered_once(coded: Store, two_people: Parts) -> None:
    made = propose(coded, two_people)
    answer(coded, two_people, made, approve=False)
    with pytest.raises(Conflict, match="this proposal was refused already, by Zhao Min"):
        answer(coded, two_people, made)


def test_a_proposal_of_an_older_revision_is_not_applied_and_may_be_refused(coded: Store, two_people: Parts) -> None:
    made = propose(coded, two_people)
    with coded.transaction() as tx:
        on_report_received(report({"verbatim": "Fever"}, {"verbatim": "neutros low"}, revision=2), tx, two_people)

    with pytest.raises(Conflict, match="TOC-0031 is at revision 2 now"):
        answer(coded, two_people, made)
    assert answer(coded, two_people, made, approve=False).proposal.state == "refused"


def test_the_same_proposal_again_is_the_one_that_waits_and_another_has_to_wait_for_it(
    coded: Store, two_people: Parts
) -> None:
    made = propose(coded, two_people)

    assert propose(coded, two_people) == made
    with pytest.raises(Conflict, match="TOC-0031-E2 has a proposal already: 10029366, by Lin Wei"):
        propose(coded, two_people, by="Zhao Min")
    answer(coded, two_people, made, approve=False)
    assert propose(coded, two_people).decision_id != made.decision_id


def test_a_proposal_is_not_applied_over_a_coding_that_is_newer(
    coded: Store, parts: Parts, two_people: Parts
) -> None:  # fmt: skip
    made = propose(coded, two_people)
    other = CodingDecision(event_id="TOC-0031-E2", llt_code="10016558", reason="the study asked for one person then")
    choose(coded, parts, other, at=AT + timedelta(hours=1))

    with pytest.raises(Conflict, match="TOC-0031-E2 was coded anew by Lin Wei since this was proposed"):
        answer(coded, two_people, made)


def test_what_two_people_agreed_on_is_undone_at_once(coded: Store, two_people: Parts) -> None:
    answer(coded, two_people, propose(coded, two_people))

    choose(coded, two_people, CodingDecision(event_id="TOC-0031-E2", undo=True, reason="another subject"), at=LATER)

    assert counting(coded) == [("coded", "10016558"), ("needs_review", None)]


def test_a_proposal_that_there_is_not_is_not_found(coded: Store, two_people: Parts) -> None:
    made = propose(coded, two_people).model_copy(update={"case_id": "TOC-0099"})
    with pytest.raises(NotFound):
        answer(coded, two_people, made)
