"""A person of a site sees and changes what is that site's. Anything else looks as if it were not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.intake.at_site import Site
from tests.intake.site_desk import Nurse, fields
from tests.support.houses import PILOT, SIGNING_KEY, STUDY
from tocsin.web.identity import Person, sign_person

NOBODYS_DRAFT = "00000000-0000-4000-8000-000000000000"
NOBODYS_QUERY = "00000000-0000-5000-8000-000000000000"


@dataclass
class TwoSites:
    """A case with a query, and a draft, of S01; and a nurse of another site."""

    site: Site
    ours: Nurse
    theirs: Nurse
    case_id: str
    draft: str
    query: str


@pytest.fixture(params=[(STUDY, "S02"), (PILOT, "701")], ids=["another site", "another study"])
def two(site: Site, request: pytest.FixtureRequest) -> TwoSites:
    ours = Nurse(site.house)
    case_id = ours.sent(e0__aware_date="", e0__aware_time="")
    draft = ours.new("save").headers["location"].rpartition("/")[2]
    (query,) = [one["query_id"] for one in site.queries(status="open")]
    study, other = request.param
    return TwoSites(site, ours, Nurse(site.house, name="nurse zhao", study=study, site=other), case_id, draft, query)


def paths(two: TwoSites) -> list[str]:
    return [
        f"/report/cases/{two.case_id}", f"/report/cases/{two.case_id}/follow-up", f"/report/receipts/{two.case_id}",
        f"/report/receipts/{two.case_id}?revision=1", f"/report/drafts/{two.draft}", f"/report/queries/{two.query}",
    ]  # fmt: skip


def test_what_is_anothers_looks_like_what_never_was(two: TwoSites) -> None:
    never = [
        "/report/cases/TOC-9999", "/report/cases/x", "/report/cases/TOC-1%00", "/report/cases/TOC-9999/follow-up",
        "/report/receipts/TOC-9999", "/report/receipts/TOC-99999999999999", f"/report/drafts/{NOBODYS_DRAFT}",
        "/report/drafts/1", f"/report/queries/{NOBODYS_QUERY}", "/report/queries/%27",
    ]  # fmt: skip
    missing = {two.theirs.get(path).text for path in [*never, *paths(two)]}
    assert len(missing) == 1
    assert {two.theirs.get(path).status_code for path in paths(two)} == {404}
    assert {two.ours.get(path).status_code for path in paths(two)} == {200}


def test_nothing_of_another_site_stands_on_the_start_page(two: TwoSites) -> None:
    assert two.case_id in two.ours.get("/report").text
    start = two.theirs.get("/report")
    assert start.status_code == 200
    for theirs in (two.case_id, two.draft, two.query, "S01-001", "felt faint"):
        assert theirs not in start.text


def test_no_form_of_another_sites_case_is_taken(two: TwoSites) -> None:
    follow_up = f"/report/cases/{two.case_id}/follow-up"
    own = two.ours.fill(two.ours.get(follow_up), follow_up, e0__outcome="recovered", do="send")
    for path, more in (
        (follow_up, {}),
        (f"/report/cases/{two.case_id}/nullify", {"sure": "yes", "reason": "x"}),
        (f"/report/queries/{two.query}", {"value_date": "2026-03-02", "value_time": "09:00"}),
        (f"/report/drafts/{two.draft}/delete", {"version": "1"}),
    ):
        token = token_for(two.theirs, two.site, path)
        for held in (token, ""):
            answer = two.theirs.post(path, {**own, **more, "token": held})
            assert answer.status_code == 404, path
            assert "There is no such page here" in answer.text
    assert two.site.case(two.case_id)["revision"] == 1
    assert two.ours.get(f"/report/drafts/{two.draft}").status_code == 200


def test_a_guessed_draft_becomes_a_draft_of_the_one_who_guessed(two: TwoSites) -> None:
    new = two.theirs.get("/report/new")
    kept = two.theirs.send(new, "/report/new", draft=two.draft, subject="S02-001", do="save")
    assert kept.status_code == 303
    assert fields(two.ours.get(f"/report/drafts/{two.draft}"), "/report/new")["subject"] == "S01-001"
    assert fields(two.theirs.get(f"/report/drafts/{two.draft}"), "/report/new")["subject"] == "S02-001"


def test_the_reading_calls_answer_a_person_of_a_site_for_that_site_only(two: TwoSites) -> None:
    def asked(nurse: Nurse, path: str) -> tuple[int, str]:
        person = Person(nurse.name, nurse.roles, nurse.study, nurse.site)
        token = sign_person(person, SIGNING_KEY, two.site.now(), timedelta(hours=1))
        answer = two.site.house.as_key(token).get(path)
        return answer.status_code, answer.text

    for path in ("/v1/reports", f"/v1/reports/{two.case_id}", "/v1/queries"):
        status, text = asked(two.ours, path)
        assert status == 200
        assert two.case_id in text
        status, text = asked(two.theirs, path)
        assert two.case_id not in text
        assert status == (404 if path.endswith(two.case_id) else 200)
    nowhere = Nurse(two.site.house, study=None, site=None)
    assert asked(nowhere, "/v1/reports")[0] == 403


def test_reading_a_case_leaves_a_line_and_guessing_leaves_none(two: TwoSites) -> None:
    two.ours.get(f"/report/cases/{two.case_id}")
    two.theirs.get(f"/report/cases/{two.case_id}")
    read = [who for who, did, about in two.site.audited() if (did, about) == ("case read", f"case {two.case_id}")]
    assert set(read) == {"nurse wang"}


def token_for(nurse: Nurse, site: Site, path: str) -> str:
    """The token that a page of this person would hold for the address: whoever knows the rules still sees nothing."""
    from tests.support.houses import protocols
    from tocsin.settings import Settings
    from tocsin.web.pages import Pages

    pages = Pages("ae_intake.desk", Settings(signing_key=SIGNING_KEY.decode()), protocols(), site.now)
    return pages.token(path, Person(nurse.name, nurse.roles, nurse.study, nurse.site))
