"""A report that was begun is kept for the people of its site; nobody overwrites anybody without being told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
from sqlalchemy import func, select

from ae_intake import tables
from ae_intake.app import build
from tests.intake.at_site import Site
from tests.intake.conftest import UNHEARD
from tests.intake.site_desk import Nurse, case_of, fields, words
from tests.support.houses import in_process

NEW = "/report/new"


def drafts(site: Site) -> int:
    with site.store.reading() as tx:
        number: int = tx.execute(select(func.count()).select_from(tables.drafts)).scalar_one()
        return number


def begun(nurse: Nurse) -> str:
    """The address of a new draft."""
    answer = nurse.new("save")
    assert answer.status_code == 303
    return answer.headers["location"]


def autosaved(nurse: Nurse, page: httpx.Response, **typed: str | None) -> httpx.Response:
    return nurse.send(page, NEW, **typed, do="autosave")


def test_a_draft_is_kept_as_it_was_typed_wrong_dates_and_all(site: Site) -> None:
    nurse = Nurse(site.house)
    at = nurse.new("save", e0__onset_date="last tuesday", narrative="one\ntwo").headers["location"]
    kept = fields(nurse.get(at), NEW)
    assert (kept["e0-onset_date"], kept["narrative"], kept["version"]) == ("last tuesday", "one\ntwo", "1")
    assert kept["e0-serious_hospitalisation"] == "yes"
    assert "Saved by nurse wang, Mon 2 Mar 2026, 12:00" in words(nurse.get(at))


def test_a_colleague_sees_it_and_may_send_it(site: Site) -> None:
    at = begun(Nurse(site.house))
    colleague = Nurse(site.house, name="nurse zhao")
    assert "felt faint in the corridor" in words(colleague.get("/report"))
    case_id = case_of(colleague.send(colleague.get(at), NEW, do="send"))
    assert site.case(case_id)["history"][0]["sent_by"] == "nurse zhao"


def test_it_is_gone_when_it_was_sent(site: Site) -> None:
    nurse = Nurse(site.house)
    at = begun(nurse)
    page = nurse.get(at)
    case_of(nurse.send(page, NEW, do="send"))
    assert drafts(site) == 0
    assert nurse.get(at).status_code == 404
    # And no late save of an open page brings it back.
    assert autosaved(nurse, page, subject="S01-002").status_code == 409
    assert drafts(site) == 0


def test_the_script_saves_the_same_form_and_learns_the_version(site: Site) -> None:
    nurse = Nurse(site.house)
    page = nurse.get(NEW)
    first = autosaved(nurse, page, subject="S01-001")
    assert (first.status_code, first.json()) == (200, {"version": 1, "at": "12:00"})
    assert autosaved(nurse, page, subject="S01-001", version="1").json()["version"] == 2
    # An answer that got lost does not make the page a stranger to its own draft.
    assert autosaved(nurse, page, subject="S01-001", version="1").json()["version"] == 3
    assert autosaved(nurse, nurse.get(NEW)).json()["version"] == 0
    assert drafts(site) == 1


def test_the_script_is_told_by_the_status_what_went_wrong(site: Site) -> None:
    nurse = Nurse(site.house)
    page = nurse.get(NEW)
    assert autosaved(nurse, page, token="").status_code == 403
    sent = nurse.fill(page, NEW, subject="S01-001", do="autosave")
    assert site.house.ask("POST", NEW, data=sent).status_code == 401
    assert drafts(site) == 0


def test_a_second_persons_change_is_never_overwritten_without_a_word(site: Site) -> None:
    wang, zhao = Nurse(site.house), Nurse(site.house, name="nurse zhao")
    at = begun(wang)
    ours, theirs = wang.get(at), zhao.get(at)
    assert zhao.send(theirs, NEW, e0__verbatim="fainted", do="save").status_code == 303

    told = wang.send(ours, NEW, e0__verbatim="fell", do="save")
    assert told.status_code == 409
    assert "nurse zhao changed this draft on Mon 2 Mar 2026, 12:00, after you opened it." in words(told)
    assert fields(told, NEW)["e0-verbatim"] == "fell"
    assert fields(zhao.get(at), NEW)["e0-verbatim"] == "fainted"
    # The script is told, too, and so is who sends at once.
    assert autosaved(wang, ours, e0__verbatim="fell").status_code == 409
    assert wang.send(ours, NEW, e0__verbatim="fell", do="send").status_code == 409

    # Only who was told may replace it, and only what they were told of.
    assert wang.send(told, NEW, over="2").status_code == 303
    assert fields(zhao.get(at), NEW)["e0-verbatim"] == "fell"
    assert wang.send(told, NEW, over="2", page="another page").status_code == 409


def test_what_somebody_else_threw_away_is_told(site: Site) -> None:
    wang, zhao = Nurse(site.house), Nurse(site.house, name="nurse zhao")
    at = begun(wang)
    ours, theirs = wang.get(at), zhao.get(at)
    gone = zhao.send(theirs, f"{at}/delete")
    assert (gone.status_code, gone.headers["location"]) == (303, "/report")
    assert drafts(site) == 0
    told = wang.send(ours, NEW, do="save")
    assert told.status_code == 409
    assert "Somebody threw this draft away" in words(told)
    assert wang.send(told, NEW, over="0").status_code == 303
    assert drafts(site) == 1


def test_a_draft_that_somebody_changed_is_not_thrown_away(site: Site) -> None:
    wang, zhao = Nurse(site.house), Nurse(site.house, name="nurse zhao")
    at = begun(wang)
    ours, theirs = wang.get(at), zhao.get(at)
    zhao.send(theirs, NEW, e0__verbatim="fainted", do="save")
    assert wang.send(ours, f"{at}/delete").status_code == 409
    assert fields(wang.get(at), NEW)["e0-verbatim"] == "fainted"


def test_a_draft_says_nothing_to_the_bus(site: Site) -> None:
    begun(Nurse(site.house))
    assert site.said("reports.received.v1") == []
    assert site.get("/v1/reports").json()["reports"] == []


def test_one_more_event_is_there_after_saving(site: Site) -> None:
    nurse = Nurse(site.house)
    at = nurse.new("save", e1__verbatim="fell").headers["location"]
    assert {"e0-verbatim", "e1-verbatim", "e2-verbatim"} <= fields(nurse.get(at), NEW).keys()


def test_it_goes_the_same_way_on_every_database(tmp_path: Path, any_database: Callable[[], str]) -> None:
    url = any_database()
    database = "" if url.startswith("sqlite") else url  # A house on SQLite has files of its own.
    with in_process(tmp_path, [build], database=database, without=UNHEARD) as house:
        wang, zhao = Nurse(house), Nurse(house, name="nurse zhao")
        at = begun(wang)
        ours, theirs = wang.get(at), zhao.get(at)
        assert zhao.send(theirs, NEW, e0__verbatim="fainted", do="save").status_code == 303
        assert wang.send(ours, NEW, e0__verbatim="fell", do="save").status_code == 409
        case_id = case_of(wang.send(wang.get(at), NEW, do="send"))
        assert (wang.get(at).status_code, wang.get("/report").status_code) == (404, 200)
        follow_up = f"/report/cases/{case_id}/follow-up"
        assert case_of(zhao.send(zhao.get(follow_up), follow_up, e0__outcome="recovered", do="send")) == case_id
        assert "recovered" in words(zhao.get(f"/report/cases/{case_id}"))
