"""A question to the site that sent an event: said once, whole on the log, and refused where nobody could answer it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import update

from meddra_coder import site_questions, tables
from meddra_coder.handle import Parts, on_report_received
from meddra_coder.site_questions import SiteQuestion, SiteQuestionFacts
from tests.coder.conftest import AT, report
from tests.coder.test_handle import said
from tocsin.errors import Conflict, NotFound, Refused
from tocsin.store.engine import Store

ODD = {"verbatim": "felt funny after lunch"}


def receive(store: Store, parts: Parts, *events: dict[str, Any], revision: int = 1) -> None:
    with store.transaction() as tx:
        on_report_received(report(*events, revision=revision), tx, parts)


def ask(store: Store, event_id: str = "TOC-0031-E1", by: str = "Lin Wei", **facts: Any) -> SiteQuestion:
    question = SiteQuestionFacts.model_validate({"event_id": event_id, **(facts or {"question": "Which was it?"})})
    with store.transaction() as tx:
        return site_questions.ask(tx, event_id.rpartition("-E")[0], question, by=by, at=AT)


def topics(store: Store) -> list[str]:
    return [one.type for one in said(store) if one.type != "events.coded.v1"]


@pytest.mark.rule("coding review: an event is only ever made by its site")
def test_the_same_question_of_the_same_revision_is_raised_once_whoever_asks(store: Store, parts: Parts) -> None:
    receive(store, parts, ODD)
    first = ask(store)
    assert (first.site, first.study, first.about, first.by) == ("S01", "NCT06223646", "/events/0/verbatim", "Lin Wei")
    assert ask(store, by="Zhao Min") == first
    assert topics(store) == ["queries.raised.v1", "decisions.recorded.v1"]
    ask(store, question="And when?")
    receive(store, parts, ODD, revision=2)
    assert ask(store).revision == 2
    assert topics(store) == ["queries.raised.v1", "decisions.recorded.v1"] * 3


def test_it_points_at_the_event_also_where_one_before_it_is_gone(store: Store, parts: Parts) -> None:
    receive(store, parts, {"verbatim": "Fever", "nullified": True}, {"verbatim": "Chills"}, ODD)
    assert ask(store, "TOC-0031-E3").about == "/events/2/verbatim"


def test_on_an_older_revision_of_no_case_and_of_no_event_nothing_is_asked(store: Store, parts: Parts) -> None:
    receive(store, parts, ODD)
    receive(store, parts, ODD, revision=2)
    with pytest.raises(Conflict, match="is at revision 2 now"):
        ask(store, question="Which?", revision=1)
    with pytest.raises(NotFound):
        ask(store, "TOC-0001-E1")
    with pytest.raises(Refused, match="no such event"):
        ask(store, "TOC-0031-E7")
    assert topics(store) == []


def test_of_a_nullified_case_and_of_an_unknown_site_nothing_is_asked(store: Store, parts: Parts) -> None:
    receive(store, parts, ODD)
    with store.altering() as tx:
        tx.execute(update(tables.revisions).values(serious={}))
    with pytest.raises(Conflict, match="nullified"):
        ask(store)
    with store.altering() as tx:  # as it was kept before sites were
        tx.execute(update(tables.revisions).values(serious=None, site=None))
    with pytest.raises(Conflict, match="which site sent") as refused:
        ask(store)
    assert refused.value.wrong[0].allowed == "the next revision of the case, or `tocsin rebuild coder` first"


@pytest.mark.parametrize(
    "facts",
    [{}, {"question": "Which?", "parts": ["a", "b"]}, {"parts": ["nausea"]}, {"parts": ["nausea", " "]},
     {"question": " "}],
)  # fmt: skip
def test_a_question_is_one_thing_and_says_something(facts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SiteQuestionFacts.model_validate({"event_id": "TOC-0031-E1", **facts})
