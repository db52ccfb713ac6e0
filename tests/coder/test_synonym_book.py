"""What people say of a phrase: one word after the other, the newest counts, and the next report is coded by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from meddra_coder import held_phrases, synonym_book
from meddra_coder.coding import Coding, code_event
from meddra_coder.handle import Parts
from meddra_coder.held_phrases import HeldPhrase, HoldFacts
from meddra_coder.proposals import SecondAnswerFacts
from meddra_coder.synonym_book import KeptSynonym, SynonymFacts, SynonymWithdrawal
from tests.coder.conftest import AT, STUDY
from tests.coder.test_handle import said
from tocsin.errors import Conflict, Forbidden, NotFound, Refused
from tocsin.store.engine import Store
from tocsin.store.tables import audit

PHRASE, HOT_FLASHES, FEVER = "heat ripples in the chest", "10020407", "10016558"


def make(store: Store, parts: Parts, by: str = "Lin Wei", **facts: Any) -> KeptSynonym:
    told = {"phrase": PHRASE, "llt_code": HOT_FLASHES, "scope": "study", "study": STUDY, "reason": "said so", **facts}
    with store.transaction() as tx:
        coder = parts.coders.of(tx, told["study"])
        kept = SynonymFacts.model_validate(told)
        return synonym_book.put(tx, kept, coder=coder, studies=parts.studies, by=by, at=AT)


def withdraw(store: Store, scope: str = "study", phrase: str = PHRASE) -> KeptSynonym:
    facts = SynonymWithdrawal.model_validate(
        {"phrase": phrase, "scope": scope, "study": STUDY, "reason": "two meanings"}
    )
    with store.transaction() as tx:
        return synonym_book.withdraw(tx, facts, by="Zhao Min", at=AT + timedelta(hours=1))


def answer(store: Store, decision_id: UUID, by: str = "Zhao Min", *, approve: bool = True) -> KeptSynonym:
    with store.transaction() as tx:
        return synonym_book.answer(tx, decision_id, SecondAnswerFacts(approve=approve, reason="read"), by=by, at=AT)


def hold(store: Store, phrase: str = "Fever", study: str | None = STUDY, *, is_held: bool = True) -> HeldPhrase:
    with store.transaction() as tx:
        facts = HoldFacts(phrase=phrase, study=study, is_held=is_held, reason="too vague here")
        return held_phrases.put(tx, facts, by="Lin Wei", at=AT)


def coded(store: Store, parts: Parts, verbatim: str = PHRASE, study: str = STUDY) -> Coding:
    with store.reading() as connection:
        return code_event(verbatim, parts.coders.of(connection, study))


def test_a_synonym_of_a_study_codes_there_and_nowhere_else(store: Store, parts: Parts) -> None:
    made = make(store, parts)

    assert (made.phrase, made.scope, made.study, made.counts) == (PHRASE, "study", STUDY, HOT_FLASHES)
    assert (made.newest.state, made.newest.by) == ("approved", "Lin Wei")
    assert coded(store, parts, "Heat ripples in the chest, grade 2").llt_code == HOT_FLASHES
    assert coded(store, parts, study="CDISCPILOT01").llt_code is None


def test_a_synonym_of_all_codes_everywhere(store: Store, parts: Parts) -> None:
    assert make(store, parts, scope="global").study is None
    assert coded(store, parts, study="CDISCPILOT01").llt_code == HOT_FLASHES


def test_what_is_approved_already_is_not_kept_again(store: Store, parts: Parts) -> None:
    assert make(store, parts) == make(store, parts, by="Zhao Min")
    assert len(said(store)) == 1


def test_a_withdrawn_synonym_codes_no_more_and_its_history_stays(store: Store, parts: Parts) -> None:
    make(store, parts)
    gone = withdraw(store)

    assert gone.counts is None
    assert [(word.state, word.by) for word in gone.history] == [("approved", "Lin Wei"), ("withdrawn", "Zhao Min")]
    assert coded(store, parts).status == "needs_review"
    assert make(store, parts).counts == HOT_FLASHES


def test_what_was_never_approved_is_not_withdrawn(store: Store, parts: Parts) -> None:
    with pytest.raises(NotFound, match=f'"{PHRASE}" is no approved synonym in {STUDY}'):
        withdraw(store)
    make(store, parts)
    with pytest.raises(NotFound, match="in all studies"):
        withdraw(store, scope="global")


def test_a_phrase_with_another_meaning_is_refused_for_all_studies_and_not_for_one(store: Store, parts: Parts) -> None:
    with pytest.raises(Conflict, match='"Fever" \\(10016558\\)'):
        make(store, parts, phrase="burning up", scope="global")
    assert make(store, parts, phrase="burning up").counts == HOT_FLASHES
    assert coded(store, parts, "burning up").llt_code == HOT_FLASHES


@pytest.mark.parametrize("scope", ["study", "global"])
def test_the_name_of_a_term_is_never_made_to_mean_another(store: Store, parts: Parts, scope: str) -> None:
    with pytest.raises(Conflict, match='"fever" is the name of "Fever" \\(10016558\\)'):
        make(store, parts, phrase="FEVER", scope=scope)


def test_a_phrase_that_was_approved_for_all_is_refused_for_another_term_until_it_is_withdrawn(
    store: Store, parts: Parts
) -> None:
    make(store, parts, scope="global")
    with pytest.raises(Conflict, match='"Hot flashes" \\(10020407\\)'):
        make(store, parts, scope="global", llt_code=FEVER)
    withdraw(store, scope="global")
    assert make(store, parts, scope="global", llt_code=FEVER).counts == FEVER


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [({"llt_code": "19999999"}, "/llt_code"), ({"llt_code": "10005329"}, "/llt_code"), ({"phrase": ". ,"}, "/phrase")],
)
def test_what_is_no_term_or_no_phrase_is_refused(
    store: Store, parts: Parts, facts: dict[str, Any], pointer: str
) -> None:  # fmt: skip
    with pytest.raises(Refused) as refused:
        make(store, parts, **facts)
    assert refused.value.wrong[0].pointer == pointer


def test_each_word_is_said_with_all_that_a_rebuild_needs_and_kept_in_the_trail(store: Store, parts: Parts) -> None:
    made = make(store, parts, phrase="Heat ripples in the Chest")

    [message] = said(store)
    assert (message.type, message.key, message.body.decision_id) == (
        "decisions.recorded.v1", STUDY, str(made.newest.decision_id),
    )  # fmt: skip
    assert message.body.detail == {
        "text": PHRASE, "phrase": "Heat ripples in the Chest", "llt_code": HOT_FLASHES, "scope": "study",
        "study": STUDY, "state": "approved",
    }  # fmt: skip
    with store.reading() as connection:
        row = connection.execute(select(audit)).one()
    assert (row.who, row.did, row.about, row.reason) == (
        "Lin Wei", "approved a synonym", 'phrase "Heat ripples in the Chest"', "said so",
    )  # fmt: skip


@pytest.mark.rule("coding review: a second person")
def test_where_a_second_person_is_asked_for_a_proposed_synonym_codes_nothing_until_approved(
    store: Store, two_people: Parts
) -> None:
    proposed = make(store, two_people)
    assert (proposed.newest.state, proposed.counts) == ("proposed", None)
    assert coded(store, two_people).llt_code is None

    approved = answer(store, proposed.newest.decision_id)
    assert (approved.newest.state, approved.newest.by, approved.counts) == ("approved", "Zhao Min", HOT_FLASHES)
    assert coded(store, two_people).llt_code == HOT_FLASHES


def test_what_holds_in_all_studies_needs_a_second_person_where_one_study_asks_for_it(
    store: Store, two_people: Parts
) -> None:
    assert make(store, two_people, scope="global", study="CDISCPILOT01").newest.state == "proposed"
    assert make(store, two_people, study="CDISCPILOT01").newest.state == "approved"


def test_who_proposed_a_synonym_may_not_answer_it(store: Store, two_people: Parts) -> None:
    proposed = make(store, two_people)
    with pytest.raises(Forbidden, match="Lin Wei proposed this: another person has to answer"):
        answer(store, proposed.newest.decision_id, by="Lin Wei")


def test_a_refused_proposal_leaves_what_was_approved_before(store: Store, parts: Parts, two_people: Parts) -> None:
    make(store, parts)
    proposed = make(store, two_people, llt_code=FEVER)
    assert (proposed.newest.state, proposed.counts) == ("proposed", HOT_FLASHES)

    refused = answer(store, proposed.newest.decision_id, approve=False)

    assert (refused.newest.state, refused.counts) == ("refused", HOT_FLASHES)
    assert coded(store, two_people).llt_code == HOT_FLASHES


def test_a_second_proposal_waits_for_the_answer_to_the_first(store: Store, two_people: Parts) -> None:
    first = make(store, two_people)
    assert make(store, two_people) == first
    with pytest.raises(Conflict, match="is proposed as 10020407 already, by Lin Wei"):
        make(store, two_people, by="Zhao Min", llt_code=FEVER)


def test_a_proposal_is_answered_once_and_not_after_it_was_withdrawn(store: Store, two_people: Parts) -> None:
    first = make(store, two_people).newest.decision_id
    answer(store, first, approve=False)
    with pytest.raises(Conflict, match="something newer was said: refused, by Zhao Min"):
        answer(store, first)
    second = make(store, two_people).newest.decision_id
    withdraw(store)
    with pytest.raises(Conflict, match="something newer was said: withdrawn"):
        answer(store, second)


def test_what_nobody_proposed_is_not_answered(store: Store, parts: Parts) -> None:
    with pytest.raises(NotFound):
        answer(store, make(store, parts).newest.decision_id)


def test_the_list_has_what_holds_for_a_study_or_everything(store: Store, parts: Parts) -> None:
    make(store, parts)
    make(store, parts, phrase="inner fire", scope="global")
    make(store, parts, phrase="chest on fire", study="CDISCPILOT01")

    with store.reading() as connection:
        of_study = [(one.phrase, one.study) for one in synonym_book.listed(connection, STUDY)]
        every = [one.phrase for one in synonym_book.listed(connection, None)]
    assert of_study == [(PHRASE, STUDY), ("inner fire", None)]
    assert every == ["chest on fire", PHRASE, "inner fire"]


def test_a_held_phrase_waits_for_a_person_until_it_is_released(store: Store, parts: Parts) -> None:
    hold(store)
    assert coded(store, parts, "Fever").status == "needs_review"
    assert coded(store, parts, "Fever", "CDISCPILOT01").llt_code == FEVER

    released = hold(store, is_held=False)
    assert [word.is_held for word in released.history] == [True, False]
    assert coded(store, parts, "Fever").llt_code == FEVER


def test_a_phrase_held_in_all_studies_is_held_in_each_and_said_so(store: Store, parts: Parts) -> None:
    hold(store, study=None)

    assert coded(store, parts, "Fever", "CDISCPILOT01").status == "needs_review"
    [message] = said(store)
    assert (message.body.study, message.body.detail["study"], message.body.detail["is_held"]) == ("all", None, True)


def test_a_phrase_that_is_held_already_is_not_held_again_and_one_that_is_not_is_not_released(store: Store) -> None:
    assert hold(store) == hold(store, "FEVER")
    assert len(said(store)) == 1
    with pytest.raises(Refused, match="not on the list"):
        hold(store, "rash", is_held=False)
