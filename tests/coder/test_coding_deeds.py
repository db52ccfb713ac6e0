"""What a person does on the page `/coding`, each by a form: decide, undo, propose and agree, ask the site, split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.coder.coding_desk import ODD, Desk, coding_desk
from tocsin.store.tables import audit

FEVER, GAIT = "10016558", "10017577"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with coding_desk(tmp_path) as found:
        yield found


@pytest.fixture
def two_people(tmp_path: Path) -> Iterator[Desk]:
    with coding_desk(tmp_path, second_person=True) as found:
        yield found


@pytest.mark.parametrize("deed", ["decisions", "undo"])
def test_a_role_that_may_not_decide_is_refused_also_with_a_token(desk: Desk, deed: str) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    reviewer = desk.worker("Lin Wei", "medical_reviewer")
    token = desk.worker().open().form("decisions")["token"]
    fields = {"token": token, "event": "TOC-0001-E1", "llt_code": GAIT, "reason": "asked"}
    assert reviewer.post(deed, fields).status == 403
    assert desk.codings("TOC-0001")["events"][0]["llt_code"] is None


def test_a_form_that_did_not_stand_on_this_persons_page_changes_nothing(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    worker = desk.worker()
    form = worker.open().form("decisions") | {"llt_code": [GAIT], "reason": ["asked the site"]}
    others = desk.worker("Zhao Min").open().form("decisions")["token"]
    of_another_form = worker.open().form("queries")["token"]

    for wrong in ("", others, of_another_form):
        seen = worker.post("decisions", form | {"token": wrong})
        assert (seen.status, "was not from this page" in seen.words) == (403, True)
    assert worker.post("decisions", form, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert desk.house.ask("POST", "/coding/decisions", content=b"event=TOC-0001-E1").status_code == 401
    assert desk.codings("TOC-0001")["events"][0]["status"] == "needs_review"
    assert worker.post("decisions", form).status == 303


def test_accepting_codes_the_event_with_its_note_and_leads_on_to_the_next(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    desk.receive("TOC-0002", {"verbatim": "line site a bit red"}, hours=1)
    desk.receive("TOC-0003", {"verbatim": "odd in the knees"}, hours=2)
    worker = desk.worker()
    done = worker.send("decisions", "TOC-0002-E1", llt_code=GAIT, reason="asked the site")

    assert done.onward == {"event": "TOC-0003-E1", "said": "coded", "of": "TOC-0002-E1"}
    assert "TOC-0002-E1 is coded as Gait disturbance now." in worker.follow(done).words
    (event,) = desk.codings("TOC-0002")["events"]
    assert (event["llt_code"], event["status"], event["reasons"]) == (GAIT, "corrected", ["Lin Wei: asked the site"])
    last = worker.send("decisions", "TOC-0003-E1", llt_code=GAIT, reason="asked the site")
    assert last.onward["event"] == "TOC-0001-E1", "after the last the first is next"


def test_what_is_refused_is_shown_with_what_is_allowed_and_what_was_typed_stays(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    worker = desk.worker()
    empty = worker.send("decisions", "TOC-0001-E1", synonym="yes", synonym_phrase="funny lunch", scope="global")
    assert empty.status == 422
    assert "The term: none is picked. Allowed: a candidate, or a term that the search finds." in empty.words
    assert "The note: is empty. Allowed: why, in a few words: 1 to 1000 letters." in empty.words
    form = empty.form("decisions")
    assert (form["synonym"], form["synonym_phrase"], form["scope"]) == (["yes"], ["funny lunch"], ["global"])

    # A code of a class is found by the search, and is no term.
    wrong = worker.send("decisions", "TOC-0001-E1", llt_code="10017947", reason="seen <i>by</i> me")
    assert (wrong.status, "Allowed: the code of a term" in wrong.words) == (422, True)
    assert wrong.form("decisions")["reason"] == ["seen <i>by</i> me"]
    long = worker.send("decisions", "TOC-0001-E1", llt_code=GAIT, reason="x" * 1001)
    assert (long.status, long.form("decisions")["reason"]) == (422, ["x" * 1001])
    unkeepable = worker.send("decisions", "TOC-0001-E1", llt_code=GAIT, reason="a\x00b")
    assert (unkeepable.status, "no U+0000" in unkeepable.words) == (422, True)
    assert desk.codings("TOC-0001")["events"][0]["status"] == "needs_review"


@pytest.mark.rule("coding review: history stays whole")
def test_who_decides_on_an_older_revision_is_told_so_and_decides_on_the_newest(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    worker = desk.worker()
    form = worker.open().form("decisions") | {"llt_code": [GAIT], "reason": ["asked the site"]}
    desk.receive("TOC-0001", {"verbatim": "Fever, and felt funny"}, revision=2, hours=1)

    seen = worker.post("decisions", form)
    assert seen.status == 409
    assert "TOC-0001 is at revision 2 now" in seen.words
    assert "“Fever, and felt funny”" in seen.words
    assert seen.form("decisions")["reason"] == ["asked the site"]
    assert seen.form("decisions")["revision"] == ["2"]


def test_a_picked_term_that_is_among_the_eleven_stays_picked(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    worker = desk.worker()
    (event,) = desk.codings("TOC-0001")["events"]
    last = event["candidates"][19]["code"]
    seen = worker.send("decisions", "TOC-0001-E1", llt_code=last)
    assert seen.form("decisions")["llt_code"] == [last]


def test_the_words_become_a_synonym_in_the_study_or_in_all(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": "severe heat ripples, grade 3"})
    worker = desk.worker()
    assert worker.open().form("decisions")["synonym_phrase"] == ["heat ripples"]
    done = worker.send("decisions", "TOC-0001-E1", llt_code=FEVER, reason="asked", synonym="yes", scope="study")

    assert done.onward == {"said": "coded", "of": "TOC-0001-E1", "word": "approved"}
    assert "Its words are a synonym from now on." in worker.follow(done).words
    (kept,) = worker.call("GET", "/v1/synonyms").json()["synonyms"]
    assert (kept["phrase"], kept["study"], kept["counts"]) == ("heat ripples", "NCT06223646", FEVER)


def test_a_synonym_that_is_the_name_of_another_term_is_refused_and_nothing_is_coded(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    fields = {"llt_code": GAIT, "reason": "asked", "synonym": "yes", "synonym_phrase": "fever"}
    seen = desk.worker().send("decisions", "TOC-0001-E1", **fields)
    assert (seen.status, "a name never means another term" in seen.words) == (409, True)
    assert desk.codings("TOC-0001")["events"][0]["status"] == "needs_review"


def test_the_newest_decision_of_a_person_is_undone_from_the_page(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": ODD})
    desk.receive("TOC-0002", {"verbatim": "line site a bit red"})
    worker = desk.worker()
    worker.send("decisions", "TOC-0001-E1", llt_code=GAIT, reason="asked the site")
    seen = worker.open()
    assert "“felt funny after lunch” is Gait disturbance TOC-0001-E1 · Lin Wei" in seen.words
    assert "undo" not in desk.worker("Zhao Min").open().actions, "U takes back one's own"

    empty = worker.post("undo", seen.form("undo"))
    assert (empty.status, "The note: is empty" in empty.words) == (422, True)
    done = worker.post("undo", seen.form("undo") | {"reason": ["another subject’s sheet"]})
    assert done.onward == {"event": "TOC-0001-E1", "said": "undone", "of": "TOC-0001-E1"}
    after = worker.follow(done)
    assert "2 terms to review" in after.words
    assert "Lin Wei undid the coding as Gait disturbance: another subject’s sheet" in after.words
    again = worker.post("undo", seen.form("undo") | {"reason": ["once more"]})
    assert (again.status, "You typed: once more" in again.words) == (409, True)
    # Another coder finds the decision of the first on the event itself.
    worker.send("decisions", "TOC-0001-E1", llt_code=GAIT, reason="asked again")
    assert "undo" in desk.worker("Zhao Min").open(event="TOC-0001-E1").actions


@pytest.mark.rule("coding review: a second person")
def test_a_second_person_approves_and_the_proposer_may_not(two_people: Desk) -> None:
    desk = two_people
    desk.receive("TOC-0001", {"verbatim": ODD})
    first = desk.worker("Lin Wei")
    assert "Another person approves after you" in first.open().words
    done = first.send("decisions", "TOC-0001-E1", llt_code=GAIT, reason="asked the site")
    assert done.onward["said"] == "proposed"
    own = first.follow(done)
    assert "Your proposal for TOC-0001-E1 waits for another person." in own.words
    assert "You proposed this: another person has to answer." in own.words
    assert own.actions == {"queries", "splits"}

    second = desk.worker("Zhao Min", "medical_reviewer")
    seen = second.open()
    assert "Lin Wei proposes Gait disturbance (10017577, General disorders" in seen.words
    form = seen.form("answers")
    stolen = {**form, "token": ["x"], "approve": "yes", "reason": "mine"}
    assert first.post("answers", stolen).status == 403
    approved = second.post("answers", {**form, "approve": "yes", "reason": "read on the sheet"})
    assert approved.onward == {"said": "approved", "of": "TOC-0001-E1"}
    assert desk.codings("TOC-0001")["events"][0]["reasons"] == [
        "Lin Wei: asked the site", "approved by Zhao Min: read on the sheet",
    ]  # fmt: skip
    late = desk.worker("Wu Jia").post("answers", {**form, "approve": "no", "reason": "too late"})
    assert late.status == 403, "the token is of another person"


@pytest.mark.rule("coding review: a second person")
def test_a_refusal_needs_its_reason_and_leaves_the_coding_as_it_was(two_people: Desk) -> None:
    desk = two_people
    desk.receive("TOC-0001", {"verbatim": ODD})
    desk.worker("Lin Wei").send("decisions", "TOC-0001-E1", llt_code=GAIT, reason="asked the site")
    second = desk.worker("Zhao Min")
    silent = second.send("answers", "TOC-0001-E1", approve="no")
    assert (silent.status, "The note: is empty" in silent.words) == (422, True)
    assert second.send("answers", "TOC-0001-E1", reason="because").status == 422, "neither approved nor refused"
    refused = second.send("answers", "TOC-0001-E1", approve="no", reason="the sheet says otherwise")
    assert refused.onward == {"said": "refused", "of": "TOC-0001-E1"}
    assert desk.codings("TOC-0001")["events"][0]["status"] == "needs_review"
    assert "decisions" in second.open().actions


@pytest.mark.rule("coding review: a second person")
def test_the_proposer_who_answers_nevertheless_is_refused_by_the_domain(two_people: Desk) -> None:
    desk = two_people
    desk.receive("TOC-0001", {"verbatim": ODD})
    first = desk.worker("Lin Wei")
    first.send("decisions", "TOC-0001-E1", llt_code=GAIT, reason="asked the site")
    theirs = desk.worker("Zhao Min").open().form("answers")
    # The same name with a token of its own for this address: as if the page had shown the form.
    token = desk.worker("Lin Wei").open()
    assert "answers" not in token.actions
    seen = first.post("answers", {**theirs, "approve": "yes", "reason": "mine"})
    assert seen.status == 403
    path = f"/v1/codings/TOC-0001/proposals/{theirs['proposal'][0]}/answers"
    assert first.call("POST", path, {"approve": True, "reason": "mine"}).status_code == 403


@pytest.mark.rule("coding review: an event is only ever made by its site")
def test_a_question_goes_to_the_site_and_the_event_goes_on_waiting(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": "Fever"}, {"verbatim": ODD})
    worker = desk.worker("Wu Jia", "medical_reviewer")
    form = worker.open().form("queries")
    assert form["question"] == [f"You wrote “{ODD}”. Which event was it, as exactly as is known?"]
    done = worker.post("queries", {**form, "question": "Was it nausea?\r\nOr pain?"})

    assert done.onward["said"] == "asked"
    (raised,) = desk.said("queries.raised.v1")
    assert (raised.source, raised.key, raised.body.site, raised.body.kind, raised.body.about) == (
        "meddra-coder", "TOC-0001", "S01", "coding", "/events/1/verbatim",
    )  # fmt: skip
    assert (raised.body.question, raised.body.batch) == ("Was it nausea?\nOr pain?", None)
    (decided,) = desk.said("decisions.recorded.v1")
    assert (decided.body.what, decided.body.by, decided.body.about) == (
        "site asked about an event", "Wu Jia", "TOC-0001-E2",
    )  # fmt: skip
    with desk.store.reading() as tx:
        assert ("Wu Jia", "asked a site about an event", "case TOC-0001") in [
            (row.who, row.did, row.about) for row in tx.execute(select(audit))
        ]
    seen = worker.follow(done)
    assert "Site S01 was asked about TOC-0001-E2. It goes on waiting here until the site answers." in seen.words
    assert "1 term to review" in seen.words
    assert "Site S01 was asked by Wu Jia, 0 min ago: Was it nausea? Or pain?" in seen.words
    assert "Site asked" in seen.words


@pytest.mark.rule("coding review: an event is only ever made by its site")
def test_the_split_asks_the_site_for_events_of_their_own_and_makes_none(desk: Desk) -> None:
    desk.receive("TOC-0001", {"verbatim": "nausea and fever"})
    worker = desk.worker()
    seen = worker.open()
    assert seen.form("splits")["part"] == ["nausea", "fever", ""]
    assert "would be Nausea (10028813)" in seen.words
    alone = worker.send("splits", "TOC-0001-E1", part=["nausea", "", ""])
    assert (alone.status, alone.form("splits")["part"]) == (422, ["nausea", "", "", ""])
    assert "The parts: there is one alone. Allowed: two or more, each in words." in alone.words

    assert worker.send("splits", "TOC-0001-E1").onward["said"] == "asked"
    (raised,) = desk.said("queries.raised.v1")
    assert raised.body.question == (
        "You wrote “nausea and fever”. This seems to tell of 2 events: 1. nausea; 2. fever. If so, please send a "
        "follow-up that reports each as an event of its own, and keeps one of them in this line. If it is one event, "
        "please say which."
    )
    assert [event["event_id"] for event in desk.codings("TOC-0001")["events"]] == ["TOC-0001-E1"]


def test_the_address_of_a_form_opened_by_hand_leads_to_the_page(desk: Desk) -> None:
    answer = desk.house.get("/coding/decisions")
    assert (answer.status_code, answer.headers["location"]) == (303, "/coding")
