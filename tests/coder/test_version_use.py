"""Moving a study to another version of the dictionary: the report, the decision, and what becomes of each event.

The distributions are invented; some of their terms have codes that CTCAE publishes, so that real words are coded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import meddra_coder.app
from meddra_coder import casebook, synonym_book, tables, version_use
from meddra_coder.coders import used_version
from meddra_coder.decisions import CodingDecision, decide
from meddra_coder.dictionary.versions import keep, read
from meddra_coder.handle import Parts, on_report_received
from meddra_coder.impact import Impact
from meddra_coder.rebuilding import CoderWay
from meddra_coder.synonym_book import SynonymFacts
from meddra_coder.version_use import Applied, UseFacts
from tests.coder.conftest import AT, STUDY, report
from tests.coder.test_handle import said
from tests.coder.test_rebuilding import received
from tests.support.houses import SIGNING_KEY, House, in_process
from tests.support.invented_meddra import successor, write_distribution
from tocsin.bus.port import Received
from tocsin.errors import Conflict, NotFound
from tocsin.messages.bodies import CodedEvent
from tocsin.store.engine import Store, open_store
from tocsin.web.identity import Person, sign_person

ANEMIA, FEVER, NAUSEA = "10002272", "10016558", "10028813"
OLD_NAME, SPARE = "10099001", "10099002"
LATER = AT + timedelta(days=1)


@pytest.fixture
def versions(tmp_path: Path, store: Store) -> None:
    """99.0, and 99.1 in which two terms are no longer current and Fever has another class."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    write_distribution(
        old,
        llts=400,
        pts=120,
        extra=[
            (ANEMIA, "Anemia", None, True),
            (FEVER, "Fever", None, True),
            (NAUSEA, "Nausea", None, True),
            (OLD_NAME, "Blood low", ANEMIA, True),
            (SPARE, "Anemic state", ANEMIA, True),
        ],
    )
    successor(old, new, gone=[OLD_NAME, SPARE], moved_soc=[FEVER])
    with store.transaction() as tx:
        for folder, version in ((old, "99.0"), (new, "99.1")):
            keep(tx, *read(folder, version), version, at=AT)


def move(
    store: Store,
    parts: Parts,
    version: str | None,
    *,
    better: str = "keep",
    minutes: int = 0,
    impact: str | None = None,
) -> Applied:
    with store.transaction() as tx:
        seen = impact or version_use.report(tx, parts.coders, STUDY, version).fingerprint
        facts = UseFacts.model_validate({"study": STUDY, "impact": seen, "better": better, "reason": "since May"})
        return version_use.apply(tx, parts.coders, facts, version, by="Lin Wei", at=LATER + timedelta(minutes=minutes))


def impact(store: Store, parts: Parts, version: str | None) -> Impact:
    with store.reading() as tx:
        return version_use.report(tx, parts.coders, STUDY, version)


def receive(store: Store, parts: Parts, *verbatims: str, case_id: str = "TOC-0031", **more: Any) -> None:
    with store.transaction() as tx:
        on_report_received(report(*({"verbatim": one} for one in verbatims), case_id=case_id, **more), tx, parts)


def events(store: Store, case_id: str = "TOC-0031") -> list[CodedEvent]:
    with store.reading() as tx:
        newest = casebook.latest_revision(tx, case_id)
        assert newest is not None
        return casebook.counting(tx, case_id, newest.revision)


def choose(store: Store, parts: Parts, event_id: str, code: str) -> None:
    choice = CodingDecision.model_validate({"event_id": event_id, "llt_code": code, "reason": "by the sheet"})
    with store.transaction() as tx:
        decide(
            tx, "TOC-0031", choice, coders=parts.coders, studies=parts.studies, by="Zhao Min",
            at=AT + timedelta(hours=1),
        )  # fmt: skip


@pytest.fixture
def on_old(store: Store, parts: Parts, versions: None) -> None:
    """The study on 99.0 with one event for each thing that may become of it."""
    move(store, parts, "99.0")
    receive(store, parts, "Fever", "Nausea", "Blood low", "odd feeling", "queer blood")
    choose(store, parts, "TOC-0031-E4", NAUSEA)
    choose(store, parts, "TOC-0031-E5", SPARE)


@pytest.mark.rule("dictionary: up-versioning")
def test_the_report_says_of_every_event_what_becomes_of_it_and_changes_nothing(
    store: Store, parts: Parts, on_old: None
) -> None:
    before = events(store)
    found = impact(store, parts, "99.1")
    assert (found.before, found.after, found.events, found.behind) == ("MedDRA 99.0", "MedDRA 99.1", 5, 0)
    assert found.changes == {"moved": 1, "not_current": 2, "same": 2}
    assert {one.event_id[-2:]: (one.change.value, one.moved, one.outcome.value) for one in found.touched} == {
        "E1": ("moved", ["HLT", "HLGT", "SOC"], "stays"),
        "E3": ("not_current", [], "waits"),
        "E5": ("not_current", [], "waits"),
    }
    moved = found.touched[0]
    assert moved.was[:2] == moved.becomes[:2] == [f"LLT {FEVER} Fever", f"PT {FEVER} Fever"]
    assert moved.was[-1] != moved.becomes[-1]
    assert events(store) == before
    assert impact(store, parts, "99.1") == found


@pytest.mark.rule("dictionary: up-versioning")
def test_codes_that_are_current_stay_with_their_new_path_and_the_others_wait(
    store: Store, parts: Parts, on_old: None
) -> None:
    """rules.md 6, Releases: freeze per study, up-version with an impact report; keep old and new codes."""
    becomes = {one.event_id: one.becomes for one in impact(store, parts, "99.1").touched}
    applied = move(store, parts, "99.1")
    assert applied.outcomes == {"stays": 3, "coded": 0, "waits": 2}

    now = {one.event_id[-2:]: one for one in events(store)}
    assert [(n, one.status, one.llt_code) for n, one in now.items()] == [
        ("E1", "coded", FEVER),
        ("E2", "coded", NAUSEA),
        ("E3", "needs_review", None),
        ("E4", "corrected", NAUSEA),
        ("E5", "needs_review", None),
    ]
    assert {one.dictionary for one in now.values()} == {"MedDRA 99.1"}
    assert now["E1"].path == becomes["TOC-0031-E1"]
    assert now["E1"].reasons[0] == (
        'the code stays, "Fever": MedDRA 99.1 instead of MedDRA 99.0, decided by Lin Wei: since May'
    )
    assert now["E3"].reasons[0] == (
        f"it was {OLD_NAME} Blood low: MedDRA 99.1 instead of MedDRA 99.0, decided by Lin Wei: since May"
    )
    with store.reading() as tx:
        kept = [(row.llt_code, row.dictionary) for row in casebook.history(tx, "TOC-0031") if row.event_id[-2:] == "E3"]
    assert kept == [(OLD_NAME, "MedDRA 99.0"), (None, "MedDRA 99.1")]


def test_every_case_is_said_again_once_with_all_of_its_events(store: Store, parts: Parts, on_old: None) -> None:
    receive(store, parts, "Nausea", case_id="TOC-0032")
    before = len(said(store))
    move(store, parts, "99.1")
    new = said(store)[before:]
    assert [(one.type, one.key) for one in new] == [
        ("decisions.recorded.v1", STUDY),
        ("events.coded.v1", "TOC-0031"),
        ("events.coded.v1", "TOC-0032"),
    ]
    assert [len(one.body.events) for one in new[1:]] == [5, 1]
    assert new[0].body.what == "dictionary chosen"


def test_what_comes_after_is_coded_with_the_new_version(store: Store, parts: Parts, on_old: None) -> None:
    move(store, parts, "99.1")
    receive(store, parts, "Blood low", "Nausea", case_id="TOC-0033")
    assert [(one.status, one.dictionary) for one in events(store, "TOC-0033")] == [
        ("needs_review", "MedDRA 99.1"), ("coded", "MedDRA 99.1"),
    ]  # fmt: skip


def test_what_waits_is_coded_where_the_new_version_has_the_term(store: Store, parts: Parts, versions: None) -> None:
    """From the shipped dictionary to a MedDRA that has a term which CTCAE has not."""
    receive(store, parts, "Blood low", "Anemic state", "Fever")
    assert [one.status for one in events(store)] == ["needs_review", "needs_review", "coded"]
    found = impact(store, parts, "99.0")
    assert found.outcomes == {"coded": 2, "stays": 1}
    assert {one.event_id[-2:]: one.better and one.better.code for one in found.touched if one.better} == {
        "E1": OLD_NAME, "E2": SPARE,
    }  # fmt: skip
    move(store, parts, "99.0")
    assert [(one.status, one.llt_code) for one in events(store)] == [
        ("coded", OLD_NAME), ("coded", SPARE), ("coded", FEVER),
    ]  # fmt: skip


@pytest.mark.parametrize(("better", "codes"), [("keep", [ANEMIA, ANEMIA]), ("take", [SPARE, ANEMIA])])
def test_a_better_term_is_taken_only_where_the_decision_says_so_and_never_over_a_person(
    store: Store, parts: Parts, versions: None, better: str, codes: list[str]
) -> None:
    """Under CTCAE a synonym made Anemia of "anemic state"; 99.0 has a term of that name."""
    with store.transaction() as tx:
        facts = SynonymFacts(phrase="anemic state", llt_code=ANEMIA, scope="study", study=STUDY, reason="as one says")
        synonym_book.put(tx, facts, coder=parts.coders.of(tx, STUDY), studies=parts.studies, by="Zhao Min", at=AT)
    receive(store, parts, "anemic state", "Anemic state of the blood")
    choose(store, parts, "TOC-0031-E2", ANEMIA)
    assert [one.llt_code for one in events(store)] == [ANEMIA, ANEMIA]
    with store.transaction() as tx:
        gone = synonym_book.SynonymWithdrawal(phrase="anemic state", scope="study", study=STUDY, reason="has a term")
        synonym_book.withdraw(tx, gone, by="Zhao Min", at=AT + timedelta(hours=2))
    found = impact(store, parts, "99.0")
    assert found.better == 1
    move(store, parts, "99.0", better=better)
    assert [one.llt_code for one in events(store)] == codes


@pytest.mark.rule("dictionary: up-versioning")
def test_a_report_that_is_not_true_any_more_is_refused(store: Store, parts: Parts, on_old: None) -> None:
    seen = impact(store, parts, "99.1").fingerprint
    receive(store, parts, "Nausea", case_id="TOC-0032")
    with pytest.raises(Conflict, match=r"the impact of MedDRA 99\.1 on NCT06223646 is another one now"):
        move(store, parts, "99.1", impact=seen)
    with store.reading() as tx:
        assert used_version(tx, STUDY) == "99.0"


def test_a_version_that_is_in_use_everywhere_is_no_decision(store: Store, parts: Parts, on_old: None) -> None:
    with pytest.raises(Conflict, match=r"NCT06223646 is coded with MedDRA 99\.0 already, every event of it"):
        move(store, parts, "99.0")


def test_the_version_in_use_once_more_tries_again_what_waits_and_says_only_the_cases_that_change(
    store: Store, parts: Parts, on_old: None
) -> None:
    receive(store, parts, "strange ebbing", "Nausea", case_id="TOC-0041")
    with store.transaction() as tx:
        facts = SynonymFacts(phrase="strange ebbing", llt_code=FEVER, scope="study", study=STUDY, reason="as one says")
        synonym_book.put(tx, facts, coder=parts.coders.of(tx, STUDY), studies=parts.studies, by="Zhao Min", at=AT)
    assert impact(store, parts, "99.0").outcomes == {"coded": 1, "stays": 6}
    before, nausea = len(said(store)), events(store, "TOC-0041")[1]
    applied = move(store, parts, "99.0", minutes=1)
    assert (applied.cases, [one.key for one in said(store)[before:]]) == (1, [STUDY, "TOC-0041"])
    assert [(one.status, one.llt_code) for one in events(store, "TOC-0041")] == [("coded", FEVER), ("coded", NAUSEA)]
    assert events(store, "TOC-0041")[1] == nausea


def test_what_was_coded_beside_the_move_is_counted_as_behind_and_brought_up_by_the_same_decision(
    store: Store, parts: Parts, on_old: None
) -> None:
    """A report that is coded in the moment of the move may still have the version before."""
    move(store, parts, "99.1")
    with store.transaction() as tx:
        old = parts.coders.version(tx, "99.0")
        seen = report({"verbatim": "Nausea"}, case_id="TOC-0040")
        on_report_received(seen, tx, Parts(_Always(old), parts.studies))  # type: ignore[arg-type]
    assert impact(store, parts, "99.1").behind == 1
    move(store, parts, "99.1", minutes=1)
    assert impact(store, parts, "99.1").behind == 0
    assert [one.dictionary for one in events(store, "TOC-0040")] == ["MedDRA 99.1"]


class _Always:
    """The coders of a process that has not seen the move yet."""

    def __init__(self, coder: Any) -> None:
        self._coder = coder

    def of(self, tx: Any, study: str) -> Any:
        return self._coder


def test_a_version_that_is_not_loaded_is_not_found(store: Store, parts: Parts, versions: None) -> None:
    with pytest.raises(NotFound, match=r"MedDRA 98\.0 is not loaded here; loaded are: 99\.0, 99\.1"):
        impact(store, parts, "98.0")


def test_synonyms_whose_term_is_not_current_are_in_the_report(store: Store, parts: Parts, on_old: None) -> None:
    with store.transaction() as tx:
        facts = SynonymFacts(phrase="thin blood", llt_code=SPARE, scope="study", study=STUDY, reason="as one says")
        synonym_book.put(tx, facts, coder=parts.coders.of(tx, STUDY), studies=parts.studies, by="Zhao Min", at=AT)
    (synonym,) = impact(store, parts, "99.1").synonyms
    assert (synonym.phrase, synonym.llt_code, synonym.change.value) == ("thin blood", SPARE, "not_current")


def test_the_study_can_be_moved_back(store: Store, parts: Parts, on_old: None) -> None:
    move(store, parts, "99.1")
    move(store, parts, "99.0", minutes=5)
    assert [(one.status, one.llt_code, one.dictionary) for one in events(store)][:3] == [
        ("coded", FEVER, "MedDRA 99.0"), ("coded", NAUSEA, "MedDRA 99.0"), ("coded", OLD_NAME, "MedDRA 99.0"),
    ]  # fmt: skip


def test_the_versions_say_which_studies_use_them(store: Store, parts: Parts, on_old: None) -> None:
    with store.reading() as tx:
        found = version_use.known(tx, parts.coders, [STUDY, "OTHER"])
        assert [use.version for use in version_use.uses(tx, STUDY)] == ["99.0"]
    assert [(one.version, one.terms, one.studies) for one in found] == [
        (None, len(parts.coders.version(None, None).dictionary), ["OTHER"]),  # type: ignore[arg-type]
        ("99.0", 405, [STUDY]),
        ("99.1", 405, []),
    ]


def test_the_log_gives_the_same_uses_and_codings(tmp_path: Path, store: Store, parts: Parts, on_old: None) -> None:
    move(store, parts, "99.1")
    log = [report(*({"verbatim": one} for one in ("Fever", "Nausea", "Blood low", "odd feeling", "queer blood")))]
    messages = [received(one, n) for n, one in enumerate([*log, *said(store)])]

    def records(topic: str) -> Iterator[Received]:
        return (one for one in messages if one.topic == topic)

    def rows(of: Store) -> list[str]:
        with of.reading() as tx:
            return sorted(
                repr(row)
                for table in (tables.dictionary_uses, tables.codings)
                for row in tx.execute(select(*(c for c in table.c if c.name != "seq")))
            )

    way = CoderWay()
    with closing(open_store(f"sqlite:///{tmp_path / 'scratch.db'}", "coder")) as scratch:
        way.begin(scratch, records)
        for message in messages:
            with scratch.transaction() as tx:
                way.handle(way.decode(message), tx)
        assert rows(scratch) == rows(store)
        assert len(rows(store)) == 2 + 5 + 2 + 5


def test_a_coder_reads_the_report_and_moves_the_study_over_http(tmp_path: Path) -> None:
    folder = tmp_path / "asc"
    folder.mkdir()
    write_distribution(folder, llts=300, pts=90, extra=[(FEVER, "Fever", None, True)])
    with in_process(tmp_path, (meddra_coder.app.build,)) as house:
        with closing(open_store(f"sqlite:///{tmp_path / 'coder.db'}", "coder")) as beside, beside.transaction() as tx:
            keep(tx, *read(folder, "99.0"), "99.0", at=AT)
        coder, physician = _as(house, "coder"), _as(house, "safety_physician")
        assert [one["version"] for one in coder.get("/v1/dictionaries").json()["dictionaries"]] == [None, "99.0"]
        seen = physician.get("/v1/dictionaries/99.0/impact", params={"study": STUDY}).json()
        body = {"study": STUDY, "impact": seen["fingerprint"], "reason": "the licence is there"}
        assert physician.post("/v1/dictionaries/99.0/uses", body).status_code == 403
        moved = coder.post("/v1/dictionaries/99.0/uses", body)
        assert (moved.status_code, moved.json()["dictionary"]) == (201, "MedDRA 99.0")
        again = coder.post("/v1/dictionaries/99.0/uses", body)
        assert again.status_code == 409
        wrong = coder.post("/v1/dictionaries/99.0/uses", {**body, "study": "NCT00000000"})
        assert wrong.json()["errors"][0]["pointer"] == "/study"
        assert coder.get("/v1/dictionaries").json()["dictionaries"][1]["studies"] == [STUDY]


def _as(house: House, role: str) -> House:
    return house.as_key(sign_person(Person("lin", frozenset({role})), SIGNING_KEY, house.now(), timedelta(hours=8)))
