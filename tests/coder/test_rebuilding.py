"""The coder's tables from the log: what was received, and what the coder said of it and of people's decisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from meddra_coder import held_phrases, proposals, site_questions, synonym_book, tables
from meddra_coder.decisions import CodingDecision, decide
from meddra_coder.handle import Parts, on_report_received
from meddra_coder.held_phrases import HoldFacts
from meddra_coder.proposals import CodingProposal, SecondAnswerFacts
from meddra_coder.rebuilding import CoderWay
from meddra_coder.site_questions import SiteQuestionFacts
from meddra_coder.synonym_book import SynonymFacts, SynonymWithdrawal
from tests.coder.conftest import AT, STUDY, report
from tests.coder.test_handle import said
from tocsin.bus.port import Received
from tocsin.errors import Poison
from tocsin.messages.envelope import Envelope, encode
from tocsin.store.engine import Store, open_store

KEPT = (tables.revisions, tables.codings, tables.synonyms, tables.held_phrases, tables.proposals, tables.site_questions)
ODD = {"verbatim": "felt funny after lunch"}


def received(envelope: Envelope[Any], offset: int) -> Received:
    record = encode(envelope)
    return Received(record.topic, 0, offset, record.key, record.value, record.headers)


def rows_of(store: Store) -> dict[str, list[str]]:
    with store.reading() as tx:
        return {
            table.name: [repr(row) for row in tx.execute(select(*(c for c in table.c if c.name != "seq")))]
            for table in KEPT
        }


def rebuilt(folder: Path, log: list[Envelope[Any]]) -> dict[str, list[str]]:
    """The tables that the log gives."""
    messages = [received(envelope, n) for n, envelope in enumerate(log)]

    def records(topic: str) -> Iterator[Received]:
        return (one for one in messages if one.topic == topic)

    way = CoderWay()
    with closing(open_store(f"sqlite:///{folder / 'scratch.db'}", "coder")) as scratch:
        way.begin(scratch, records)
        for message in messages:
            with scratch.transaction() as tx:
                way.handle(way.decode(message), tx)
        return {name: sorted(rows) for name, rows in rows_of(scratch).items()}


@pytest.fixture
def lived(store: Store, parts: Parts, two_people: Parts) -> list[Envelope[Any]]:
    """The log of everything that people can do to the coder's tables."""
    first = report(ODD, {"verbatim": "Fever", "serious": True}, {"verbatim": "x", "nullified": True})
    second = report(ODD, case_id="TOC-0032")
    clock = iter(AT + timedelta(minutes=n) for n in range(1, 100))

    def choose(event_id: str, by: str, among: Parts = parts, **facts: Any) -> Any:
        choice = CodingDecision.model_validate({"event_id": event_id, "reason": f"{by} says so", **facts})
        with store.transaction() as tx:
            case_id = event_id.rpartition("-E")[0]
            return decide(tx, case_id, choice, coders=among.coders, studies=among.studies, by=by, at=next(clock))

    def answer(proposal: CodingProposal, *, approve: bool) -> None:
        with store.transaction() as tx:
            facts = SecondAnswerFacts(approve=approve, reason="read")
            proposals.answer(
                tx, proposal.case_id, proposal.decision_id, facts, coders=parts.coders, by="Zhao Min", at=next(clock)
            )

    with store.transaction() as tx:
        on_report_received(first, tx, parts)
        on_report_received(second, tx, parts)
    choose("TOC-0031-E1", "Lin Wei", llt_code="10017577")
    choose("TOC-0031-E1", "Lin Wei", llt_code="10047700", synonym="study")
    choose("TOC-0031-E1", "Zhao Min", undo=True)
    answer(choose("TOC-0032-E1", "Lin Wei", two_people, llt_code="10017577"), approve=False)
    answer(choose("TOC-0032-E1", "Lin Wei", two_people, llt_code="10047700"), approve=True)
    choose("TOC-0031-E2", "Lin Wei", two_people, llt_code="10047700")
    for asked in ({"question": "Which was it?"}, {"parts": ["nausea", "fever"]}, {"question": "Which was it?"}):
        question = SiteQuestionFacts.model_validate({"event_id": "TOC-0031-E1", **asked})
        with store.transaction() as tx:
            site_questions.ask(tx, "TOC-0031", question, by="Lin Wei", at=next(clock))
    with store.transaction() as tx:
        told = SynonymFacts(phrase="inner fire", llt_code="10016558", scope="global", study=STUDY, reason="so")
        made = synonym_book.put(
            tx, told, coder=parts.coders.of(tx, STUDY), studies=two_people.studies, by="Lin Wei", at=next(clock)
        )  # fmt: skip
        agreed = SecondAnswerFacts(approve=True, reason="read")
        synonym_book.answer(tx, made.newest.decision_id, agreed, by="Zhao Min", at=next(clock))
        gone = SynonymWithdrawal(phrase="inner fire", scope="global", study=STUDY, reason="two meanings")
        synonym_book.withdraw(tx, gone, by="Lin Wei", at=next(clock))
        for study, is_held in ((None, True), (STUDY, True), (None, False)):
            facts = HoldFacts(phrase="reaction", study=study, is_held=is_held, reason="vague")
            held_phrases.put(tx, facts, by="Lin Wei", at=next(clock))
    return [first, second, *said(store)]


def test_the_log_gives_the_same_codings_synonyms_held_phrases_and_proposals(
    tmp_path: Path, store: Store, lived: list[Envelope[Any]]
) -> None:
    before = {name: sorted(rows) for name, rows in rows_of(store).items()}

    assert {name: len(rows) for name, rows in before.items()} == {
        "revisions": 2, "codings": 7, "synonyms": 4, "held_phrases": 3, "proposals": 3,
        "site_questions": 2,
    }  # fmt: skip
    assert rebuilt(tmp_path, lived) == before


def test_what_another_service_says_is_none_of_the_coders_decisions(
    tmp_path: Path, store: Store, lived: list[Envelope[Any]]
) -> None:
    """A decision of another source explains no coding, so a log without ours is seen to be broken."""
    foreign = [
        replace(one, source="alerting") if one.type == "decisions.recorded.v1" else one for one in lived
    ]  # fmt: skip
    with pytest.raises(Poison, match="a coding that no decision on the log explains"):
        rebuilt(tmp_path, foreign)
