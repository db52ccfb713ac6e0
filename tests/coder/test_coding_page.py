"""The page `/coding` as it is read: what waits, in the order of the queue, for whom, and what it says of the coder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from meddra_coder import tables
from meddra_coder.dictionary.versions import keep, read
from tests.coder.coding_desk import ODD, Desk, coding_desk
from tests.coder.conftest import AT, STUDY
from tests.support.invented_meddra import write_distribution

FEVER, CHILLS, GAIT = "10016558", "10008531", "10017577"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with coding_desk(tmp_path) as found:
        yield found


@pytest.fixture
def two_people(tmp_path: Path) -> Iterator[Desk]:
    with coding_desk(tmp_path, second_person=True) as found:
        yield found


def test_the_heading_counts_what_waits_and_the_queue_is_in_its_order(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": "line site a bit red", "serious": False})
    desk.receive("TOC-0002", {"verbatim": ODD, "serious": True, "grade": {"ctcae": 3}}, hours=1)
    desk.receive("TOC-0003", {"verbatim": "Fever"}, hours=1)
    seen = desk.worker().open()

    assert seen.words.count("2 terms to review") == 2, "title and heading"
    assert "The coder was sure of 1 of 3 terms. These 2 need a person." in seen.words
    queue = seen.words.index("Queue")
    assert queue < seen.words.index(f"“{ODD}”") < seen.words.index("“line site a bit red”")
    # 09:15 in Shanghai is 01:15 UTC; the house stands at 04:00 UTC.
    for told in ("TOC-0002", "Serious", "Not serious", "1 h", "2 h", "Site S01 wrote · S01-003", "CTCAE v5.0",
                 "Site’s grade, CTCAE G3", "Mon 2 Mar 2026, 10:15", "too vague"):  # fmt: skip
        assert told in seen.words
    assert seen.answer.text.count('name="llt_code"') == 20
    assert "11 more, none above" in seen.words


def test_an_empty_queue_says_what_was_checked(desk: Desk) -> None:
    assert "No event has come yet." in desk.worker().open().words
    desk.receive("TOC-0001", {"verbatim": "Fever"})
    seen = desk.worker().open()
    assert "No term waits for review" in seen.words
    assert "Checked Mon 2 Mar 2026, 12:00: 1 event of 1 case; 1 coded by the coder, 0 by people." in seen.words
    assert "The newest report came Mon 2 Mar 2026, 09:15." in seen.words


@pytest.mark.parametrize(
    ("role", "forms"),
    [
        ("auditor", set()),
        ("safety_physician", set()),
        ("coder", {"decisions", "queries", "splits"}),
        ("medical_reviewer", {"queries", "splits"}),
    ],
)
def test_who_may_only_read_sees_no_forms(desk: Desk, role: str, forms: set[str]) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    seen = desk.worker("Wu Jia", role).open()
    assert (seen.status, seen.actions) == (200, forms)
    assert ODD in seen.words


def test_it_is_for_its_roles_and_shows_a_stranger_nothing(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    for answer, status in ((desk.worker("x", "site").open().answer, 403), (desk.house.get("/coding"), 401)):
        assert answer.status_code == status
        assert ODD not in answer.text


def test_what_the_address_says_is_never_shown_as_it_is(desk: Desk) -> None:
    seen = desk.worker().open(said="<b>All is well</b>", of="TOC-9999-E1", event="//evil.test", word="x")
    assert (seen.status, "All is well" in seen.words) == (200, False)
    assert "There is no event //evil.test here." in seen.words
    assert "is coded as" not in desk.worker().open(said="coded", of="TOC-9999-E1").words
    desk.receive("TOC-0001", {"verbatim": "Fever"}, {"verbatim": ODD})
    done = desk.worker().send("decisions", "TOC-0001-E2", llt_code=GAIT, reason="asked the site")
    assert "TOC-0001-E2 is coded as Gait disturbance now." in desk.worker().follow(done).words
    # Who was given the link did not do it, and no link claims what nobody did.
    assert "is coded as" not in desk.worker("Zhao Min").follow(done).words
    for said, of in (("coded", "TOC-0001-E1"), ("undone", "TOC-0001-E2"), ("synonym-approved", "")):
        assert 'role="status"' not in desk.worker().open(said=said, of=of).answer.text


def test_the_search_is_of_the_studys_dictionary_and_its_terms_are_picked_like_candidates(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    worker = desk.worker()
    seen = worker.open(event="TOC-0001-E1", q="chills")
    # The first with a key of its own is the term that was searched for.
    assert f'value="{CHILLS}" id="h1" data-term="Chills" data-key="1"' in seen.answer.text
    assert seen.answer.text.count('data-key="1"') == 1
    by_code = worker.open(event="TOC-0001-E1", q=CHILLS)
    assert "1 term like “10008531”" in by_code.words
    assert "0 terms like “???”" in worker.open(event="TOC-0001-E1", q="???").words
    picked = worker.post("decisions", {**by_code.form("decisions"), "llt_code": CHILLS, "reason": "searched"})
    assert picked.onward["said"] == "coded"


def test_a_proposed_synonym_waits_beside_the_queue_for_another_person(two_people: Desk) -> None:
    desk = two_people
    desk.receive("TOC-0001", {"verbatim": "heat ripples"})
    first, second = desk.worker("Lin Wei"), desk.worker("Zhao Min")
    done = first.send("decisions", "TOC-0001-E1", llt_code=FEVER, reason="asked", synonym="yes")
    assert done.onward["word"] == "proposed"
    assert "synonyms" not in first.open().actions
    approved = second.send("synonyms", "TOC-0001-E1", approve="yes", reason="the ward means fever")
    assert approved.onward == {"event": "TOC-0001-E1", "said": "synonym-approved"}
    assert "The synonym was approved." in second.follow(approved).words
    (kept,) = first.call("GET", "/v1/synonyms").json()["synonyms"]
    assert kept["counts"] == FEVER


def test_what_a_site_writes_stays_text(desk: Desk) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }}"
    desk.receive("TOC-0001", {"verbatim": hostile})
    seen = desk.worker().open(q="<script>alert(3)</script>")
    assert "<script>alert" not in seen.answer.text
    assert "<img" not in seen.answer.text
    assert hostile in seen.words
    assert seen.answer.text.count("<script ") == 2
    assert " style=" not in seen.answer.text


def test_of_one_study_or_of_all(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    desk.receive("TOC-0002", {"verbatim": "line site a bit red"}, study="CDISCPILOT01")
    worker = desk.worker()
    seen = worker.open(study="CDISCPILOT01")
    assert ("1 term to review" in seen.words, ODD in seen.words) == (True, False)
    done = worker.post("decisions", seen.form("decisions") | {"llt_code": [GAIT], "reason": ["asked"]})
    assert done.onward == {"study": "CDISCPILOT01", "said": "coded", "of": "TOC-0002-E1"}


def code_with(desk: Desk, version: str) -> None:
    with desk.store.transaction() as tx:
        tx.execute(
            tables.dictionary_uses.insert().values(
                decision_id=uuid4(), study=STUDY, version=version, by="Lin Wei", at=AT, reason="from today"
            )
        )


def test_a_licensed_dictionary_shows_its_preferred_term_and_its_version(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "invented"
    folder.mkdir()
    terms = [("10002272", "Anemia", None, True), ("10099001", "Blood low", "10002272", True)]
    write_distribution(folder, llts=400, pts=120, extra=terms)
    with desk.store.transaction() as tx:
        keep(tx, *read(folder, "99.0"), "99.0", at=AT)
    code_with(desk, "99.0")
    desk.receive("TOC-0001", {"verbatim": ODD})

    seen = desk.worker().open(q="blood low")
    assert "MedDRA 99.0" in seen.words
    assert re.search(r"1 Blood low Anemia \S.* 1\.00 code 10099001", seen.words)


def test_where_the_studys_dictionary_is_not_loaded_nothing_is_picked_and_the_page_says_why(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    code_with(desk, "98.0")
    seen = desk.worker().open(q="fever")
    assert "The dictionary of this study is not here. MedDRA 98.0 is not loaded here" in seen.words
    assert seen.actions == {"queries", "splits"}


def test_a_coder_that_stands_still_is_said_first_and_nothing_looks_calm(tmp_path: Path) -> None:
    with coding_desk(tmp_path, is_coding=False) as desk:
        desk.receive("TOC-0001", {"verbatim": "Fever"})
        seen = desk.worker().open()
    assert (
        "This list may not be whole, and what was decided may not be told yet. The coder says: it is not" in seen.words
    )
    assert "calmbox" not in seen.answer.text


def test_an_event_of_a_nullified_case_takes_no_action(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    with desk.store.altering() as tx:
        tx.execute(tables.revisions.update().values(serious={}))
    seen = desk.worker().open(event="TOC-0001-E1")
    assert "The case is nullified: nothing of it waits." in seen.words
    assert seen.actions == set()


def test_how_long_the_queue_is_is_told_to_an_open_board(desk: Desk) -> None:
    coder = desk.worker()
    assert coder.ask("/coding/now").json() == {"to_review": 0, "second_person": 0, "oldest": "none"}
    desk.receive("TOC-0001", {"verbatim": ODD})
    # It was received at 09:15 in Shanghai; the house stands at 12:00.
    assert coder.ask("/coding/now").json() == {"to_review": 1, "second_person": 0, "oldest": "2 h"}
    assert desk.worker("x", "site").ask("/coding/now").status_code == 403
    assert desk.house.get("/coding/now").status_code == 401
