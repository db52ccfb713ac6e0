"""A report comes in: what is a term is coded, everything else waits for a person, and all of it is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from meddra_coder import app, casebook, review_queue, tables
from meddra_coder.decisions import CodingDecision, decide
from meddra_coder.handle import Parts, on_report_received
from tests.coder.conftest import AT, report
from tests.store.same_schema import assert_same_schema
from tocsin.bus.port import Received
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.reading import decode
from tocsin.store.engine import Store
from tocsin.store.tables import outbox


def said(store: Store) -> list[Envelope[Any]]:
    """What the coder put into its outbox, as a reader would see it."""
    with store.reading() as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.seq)).all()
    return [decode(Received(r.topic, 0, r.seq, r.key, r.value, r.headers)) for r in rows]


def code(store: Store, parts: Parts, *events: dict[str, Any], revision: int = 1) -> Envelope[Any]:
    with store.transaction() as tx:
        on_report_received(report(*events, revision=revision), tx, parts)
    return said(store)[-1]


def test_a_verbatim_that_is_a_term_is_coded_and_the_rest_waits_for_a_person(store: Store, parts: Parts) -> None:
    message = code(store, parts, {"verbatim": "FEBRILE NEUTROPENIA"}, {"verbatim": "felt funny after lunch"})

    first, second = message.body.events
    assert (first.event_id, first.status, first.llt_code, first.term) == (
        "TOC-0031-E1", "coded", "10016288", "Febrile neutropenia",
    )  # fmt: skip
    assert (second.event_id, second.status, second.llt_code) == ("TOC-0031-E2", "needs_review", None)
    assert second.reasons[0] == "no term of CTCAE v5.0 (MedDRA 20.1 codes) has this name"


def test_the_sites_grade_is_carried_on_unchanged_on_each_scale(store: Store, parts: Parts) -> None:
    message = code(store, parts, {"verbatim": "Cytokine release syndrome", "grade": {"ctcae": 3, "astct": 2}})

    assert message.body.events[0].grades == {"ctcae": 3, "astct": 2}


def test_an_absent_grade_stays_absent(store: Store, parts: Parts) -> None:
    message = code(store, parts, {"verbatim": "Fever"})

    assert message.body.events[0].grades == {}


@pytest.mark.rule("MedDRA Term Selection: Points to Consider, death and other outcomes")
def test_an_outcome_is_never_coded_without_a_person(store: Store, parts: Parts) -> None:
    message = code(store, parts, {"verbatim": "Sudden death NOS"})

    assert message.body.events[0].status == "needs_review"


def test_a_nullified_event_is_not_coded_again(store: Store, parts: Parts) -> None:
    message = code(store, parts, {"verbatim": "Fever"}, {"verbatim": "Chills", "nullified": True})

    assert [e.event_id for e in message.body.events] == ["TOC-0031-E1"]


def test_of_a_nullified_case_nothing_waits(store: Store, parts: Parts) -> None:
    code(store, parts, {"verbatim": "felt funny after lunch"})
    again = report({"verbatim": "felt funny after lunch"}, revision=2)
    gone = replace(again, body=again.body.model_copy(update={"is_nullified": True}))
    with store.transaction() as tx:
        on_report_received(gone, tx, parts)
        assert review_queue.queue(tx, parts.coders, None, 10).total == 0
    assert [event.status for event in said(store)[-1].body.events] == ["needs_review"]


def decide_on(store: Store, parts: Parts, code: str) -> None:
    choice = CodingDecision(event_id="TOC-0031-E1", llt_code=code, reason="asked the site")
    with store.transaction() as tx:
        decide(tx, "TOC-0031", choice, coders=parts.coders, studies=parts.studies, by="Lin Wei", at=AT)


def test_a_follow_up_keeps_what_a_person_decided_of_the_same_words(store: Store, parts: Parts) -> None:
    """The machine would code "Fever" again, and the decision would be lost without a word."""
    code(store, parts, {"verbatim": "Fever"})
    decide_on(store, parts, "10017577")
    for revision in (2, 3):
        (event,) = code(store, parts, {"verbatim": "Fever", "outcome": "recovered"}, revision=revision).body.events
        assert (event.status, event.llt_code, event.method, event.reasons) == (
            "corrected", "10017577", "person",
            ["the words are the same as a person coded in revision 1", "Lin Wei: asked the site"],
        )  # fmt: skip


def test_other_words_in_a_follow_up_are_coded_anew(store: Store, parts: Parts) -> None:
    code(store, parts, {"verbatim": "Fever"})
    decide_on(store, parts, "10017577")
    (event,) = code(store, parts, {"verbatim": "Chills"}, revision=2).body.events
    assert (event.status, event.llt_code, event.method) == ("coded", "10008531", "exact")


def test_what_a_person_took_back_is_not_kept(store: Store, parts: Parts) -> None:
    code(store, parts, {"verbatim": "Fever"})
    decide_on(store, parts, "10017577")
    undo = CodingDecision(event_id="TOC-0031-E1", undo=True, reason="misread")
    with store.transaction() as tx:
        decide(tx, "TOC-0031", undo, coders=parts.coders, studies=parts.studies, by="Lin Wei", at=AT)
    (event,) = code(store, parts, {"verbatim": "Fever"}, revision=2).body.events
    assert (event.status, event.llt_code) == ("coded", "10016558")


def test_time_and_id_come_from_the_message_so_that_a_rebuild_says_the_same(store: Store, parts: Parts) -> None:
    message = code(store, parts, {"verbatim": "Fever"})

    assert message.occurred_at == AT
    assert message.body.coded_at == AT
    assert message.id == identity(
        "events.coded.v1", str(identity("coded", "TOC-0031", "1", "CTCAE v5.0 (MedDRA 20.1 codes)"))
    )


def test_each_revision_is_coded_for_itself_and_the_newest_counts(store: Store, parts: Parts) -> None:
    code(store, parts, {"verbatim": "Fever"})
    code(store, parts, {"verbatim": "Febrile neutropenia"}, revision=2)

    with store.reading() as connection:
        latest = casebook.latest_revision(connection, "TOC-0031")
        assert latest == casebook.Revision("TOC-0031", 2, "NCT06223646")
        assert [e.term for e in casebook.counting(connection, "TOC-0031", 2)] == ["Febrile neutropenia"]
        assert [e.term for e in casebook.counting(connection, "TOC-0031", 1)] == ["Fever"]


def test_ten_events_keep_their_order(store: Store, parts: Parts) -> None:
    code(store, parts, *({"verbatim": f"thing {n}"} for n in range(1, 13)))

    with store.reading() as connection:
        kept = [e.event_id for e in casebook.counting(connection, "TOC-0031", 1)]
    assert kept == [f"TOC-0031-E{n}" for n in range(1, 13)]


def test_the_migrations_give_the_tables_that_the_code_expects(any_database: Callable[[], str]) -> None:
    assert_same_schema(any_database, tables.metadata, migrations=app.MIGRATIONS, head=tables.HEAD)
