"""What waits for a person: the newest coding of each event of the newest revision, the serious and the oldest first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

import meddra_coder.app
from meddra_coder import review_queue, tables
from meddra_coder.decisions import CodingDecision, decide
from meddra_coder.dictionary import default_dictionary
from meddra_coder.handle import Parts, on_report_received
from meddra_coder.review_queue import ReviewQueue
from tests.coder.conftest import AT, STUDY, report
from tests.support.houses import SIGNING_KEY, House, in_process
from tocsin.store.engine import Store, open_store
from tocsin.store.migrate import bring_up
from tocsin.web.identity import Person, sign_person

ODD = "felt funny after lunch"


def receive(store: Store, parts: Parts, case_id: str, *events: dict[str, Any], hours: int = 0, **how: Any) -> None:
    at = AT + timedelta(hours=hours)
    with store.transaction() as tx:
        on_report_received(report(*events, case_id=case_id, at=at, **how), tx, parts)


def choose(
    store: Store, parts: Parts, event_id: str, code: str = "10017577", at: datetime = AT + timedelta(days=1)
) -> None:
    case_id = event_id.rpartition("-E")[0]
    choice = CodingDecision(event_id=event_id, llt_code=code, reason="asked the site")
    with store.transaction() as tx:
        decide(tx, case_id, choice, coders=parts.coders, studies=parts.studies, by="Lin Wei", at=at)


def queue(store: Store, parts: Parts, study: str | None = None, limit: int = 50) -> ReviewQueue:
    with store.reading() as connection:
        return review_queue.queue(connection, parts.coders, study, limit)


def order(store: Store, parts: Parts, **how: Any) -> list[str]:
    return [one.event_id for one in queue(store, parts, **how).codings]


@pytest.mark.rule("coding review: serious first")
def test_serious_comes_first_then_unknown_then_not_serious(store: Store, parts: Parts) -> None:
    receive(store, parts, "TOC-0001", {"verbatim": ODD, "serious": False})
    receive(store, parts, "TOC-0002", {"verbatim": ODD}, hours=1)
    receive(store, parts, "TOC-0003", {"verbatim": ODD, "serious": True}, hours=2)

    assert [(one.event_id, one.serious) for one in queue(store, parts).codings] == [
        ("TOC-0003-E1", "yes"),
        ("TOC-0002-E1", "unknown"),
        ("TOC-0001-E1", "no"),
    ]


@pytest.mark.rule("ICH E2A II.B")
@pytest.mark.parametrize(
    ("facts", "serious"),
    [
        ({}, "unknown"),
        ({"serious": False}, "no"),
        ({"serious": True}, "yes"),
        ({"seriousness": ["hospitalisation"]}, "yes"),
        ({"serious": False, "seriousness": ["hospitalisation"]}, "yes"),
        ({"outcome": "fatal"}, "yes"),
        ({"verbatim": "found dead at home"}, "yes"),
        ({"grade": {"ctcae": 4}}, "yes"),
        ({"serious": False, "grade": {"ctcae": 4}}, "no"),
    ],
)
def test_how_serious_an_event_is_comes_from_the_report_alone(
    store: Store, parts: Parts, facts: dict[str, Any], serious: str
) -> None:
    receive(store, parts, "TOC-0001", {"verbatim": ODD, **facts})

    with store.reading() as connection:
        assert connection.scalar(select(tables.revisions.c.serious)) == {"TOC-0001-E1": serious}


@pytest.mark.rule("coding review: serious first")
def test_of_the_same_seriousness_the_longest_waiting_comes_first_also_after_a_follow_up(
    store: Store, parts: Parts
) -> None:
    receive(store, parts, "TOC-0001", {"verbatim": ODD})
    receive(store, parts, "TOC-0002", {"verbatim": ODD}, hours=1)
    receive(store, parts, "TOC-0001", {"verbatim": ODD, "outcome": "recovered"}, hours=2, revision=2)

    receive(store, parts, "TOC-0003", {"verbatim": "Fever"}, hours=3)  # another's is coded: that ends no waiting

    first, second = queue(store, parts).codings
    assert (first.event_id, first.revision, first.waiting_since) == ("TOC-0001-E1", 2, AT)
    assert (second.event_id, second.waiting_since) == ("TOC-0002-E1", AT + timedelta(hours=1))


def test_the_queue_is_the_same_on_each_database(any_database: Callable[[], str], two_people: Parts) -> None:
    with closing(open_store(any_database(), "coder")) as store:
        bring_up(store, tables.metadata, migrations=meddra_coder.app.MIGRATIONS, head=tables.HEAD)
        receive(store, two_people, "TOC-0001", {"verbatim": ODD})
        receive(store, two_people, "TOC-0002", {"verbatim": "Fever", "serious": True}, hours=1)
        receive(store, two_people, "TOC-0001", {"verbatim": ODD, "outcome": "recovered"}, hours=2, revision=2)
        choose(store, two_people, "TOC-0002-E1", "10008531")

        first, second = queue(store, two_people).codings
    assert (first.event_id, first.status, first.proposal is None) == ("TOC-0002-E1", "coded", False)
    assert (second.event_id, second.revision, second.waiting_since) == ("TOC-0001-E1", 2, AT)


def test_only_the_newest_revision_and_the_newest_coding_wait(store: Store, parts: Parts) -> None:
    waits, coded = {"verbatim": "heat ripples in the chest"}, {"verbatim": "Fever"}
    receive(store, parts, "TOC-0001", {"verbatim": ODD}, waits, coded)
    receive(store, parts, "TOC-0002", {"verbatim": ODD})
    receive(store, parts, "TOC-0002", {"verbatim": "Fever"}, revision=2, hours=1)
    choose(store, parts, "TOC-0001-E1")

    assert order(store, parts) == ["TOC-0001-E2"]


def test_what_was_undone_waits_again_from_then_on(store: Store, parts: Parts) -> None:
    receive(store, parts, "TOC-0001", {"verbatim": ODD})
    choose(store, parts, "TOC-0001-E1")
    assert order(store, parts) == []
    later = AT + timedelta(days=2)
    undo = CodingDecision(event_id="TOC-0001-E1", undo=True, reason="another subject")
    with store.transaction() as tx:
        decide(tx, "TOC-0001", undo, coders=parts.coders, studies=parts.studies, by="Lin Wei", at=later)

    [waiting] = queue(store, parts).codings
    assert (waiting.waiting_since, waiting.by) == (later, "Lin Wei")


def test_each_has_what_is_needed_to_decide(store: Store, parts: Parts) -> None:
    receive(store, parts, "TOC-0001", {"verbatim": "severe heat ripples in the chest, grade 3"})

    [waiting] = queue(store, parts).codings
    assert (waiting.case_id, waiting.study, waiting.verbatim, waiting.by) == (
        "TOC-0001", STUDY, "severe heat ripples in the chest, grade 3", "meddra-coder",
    )  # fmt: skip
    assert {(one.kind, one.words) for one in waiting.told} == {("grade", "grade 3"), ("severity", "severe")}
    assert waiting.reasons[0] == "no term of CTCAE v5.0 (MedDRA 20.1 codes) has this name"
    assert len(waiting.candidates) == 5
    # Which terms are like it depends on the lexicon; that each has its path does not.
    for one in waiting.candidates:
        term = default_dictionary().coded(one.code)
        assert term is not None
        assert one.path == [f"LLT {one.code} {one.term}", f"SOC {term.soc_code} {term.soc}"]
    assert waiting.proposal is None


def test_two_events_in_one_are_shown_with_their_split(store: Store, parts: Parts) -> None:
    receive(store, parts, "TOC-0001", {"verbatim": "nausea and fever"})

    [waiting] = queue(store, parts).codings
    assert [(part.words, part.code) for part in waiting.split] == [("nausea", "10028813"), ("fever", "10016558")]


def test_an_event_with_an_open_proposal_waits_for_a_second_person_however_it_is_coded(
    store: Store, two_people: Parts
) -> None:
    receive(store, two_people, "TOC-0001", {"verbatim": "Fever"}, {"verbatim": ODD})
    choose(store, two_people, "TOC-0001-E1", "10008531")
    choose(store, two_people, "TOC-0001-E2")

    first, second = sorted(queue(store, two_people).codings, key=lambda one: one.event_id)
    assert first.proposal is not None
    assert (first.status, first.term, first.proposal.llt_code) == ("coded", "Fever", "10008531")
    assert second.proposal is not None
    assert (second.status, second.proposal.llt_code, second.proposal.by) == ("needs_review", "10017577", "Lin Wei")


def test_the_queue_is_of_one_study_or_of_all_and_counts_what_it_leaves_out(store: Store, parts: Parts) -> None:
    receive(store, parts, "TOC-0001", {"verbatim": ODD})
    receive(store, parts, "TOC-0002", {"verbatim": ODD}, study="CDISCPILOT01", hours=1)
    receive(store, parts, "TOC-0003", {"verbatim": ODD}, hours=2)

    assert order(store, parts, study=STUDY) == ["TOC-0001-E1", "TOC-0003-E1"]
    assert order(store, parts, limit=1) == ["TOC-0001-E1"]
    assert queue(store, parts, limit=1).total == 3


def test_a_revision_from_before_seriousness_was_kept_is_unknown(store: Store, parts: Parts) -> None:
    receive(store, parts, "TOC-0001", {"verbatim": ODD, "serious": True})
    with store.altering() as tx:
        tx.execute(update(tables.revisions).values(serious=None))

    assert [one.serious for one in queue(store, parts).codings] == ["unknown"]


def _as(house: House, role: str) -> House:
    return house.as_key(sign_person(Person("lin", frozenset({role})), SIGNING_KEY, house.now(), timedelta(hours=8)))


@pytest.mark.parametrize(
    ("method", "path", "may", "may_not"),
    [
        ("GET", "/v1/codings", "auditor", "site"),
        ("GET", "/v1/synonyms", "medical_reviewer", "cell_lab"),
        ("GET", "/v1/held-phrases", "coder", "committee"),
        ("POST", "/v1/synonyms", "coder", "medical_reviewer"),
        ("POST", "/v1/synonyms/withdrawals", "coder", "medical_reviewer"),
        ("POST", "/v1/synonyms/7a1c1a52-53a5-5a0c-9a55-0b0a4a7d1f10/answers", "medical_reviewer", "safety_physician"),
        ("POST", "/v1/held-phrases", "coder", "auditor"),
        ("POST", "/v1/codings/TOC-0001/proposals/7a1c1a52-53a5-5a0c-9a55-0b0a4a7d1f10/answers", "coder", "auditor"),
    ],
)
def test_each_call_is_for_its_roles(tmp_path: Path, method: str, path: str, may: str, may_not: str) -> None:
    with in_process(tmp_path, (meddra_coder.app.build,)) as house:
        refused = house_ask(_as(house, may_not), method, path)
        understood = house_ask(_as(house, may), method, path)
    assert refused == 403
    assert understood == (200 if method == "GET" else 422)


def house_ask(house: House, method: str, path: str) -> int:
    return (house.get(path) if method == "GET" else house.post(path, {})).status_code


def test_a_study_that_is_not_served_here_is_refused(tmp_path: Path) -> None:
    with in_process(tmp_path, (meddra_coder.app.build,)) as house:
        answer = _as(house, "coder").get("/v1/codings", params={"study": "NCT00000000"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["allowed"] == "CDISCPILOT01, NCT06223646"
