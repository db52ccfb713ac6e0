"""The page of the holds: each party confirms for itself, the team for whoever told them, and a signature lifts."""

from __future__ import annotations

import re

import pytest

from tests.alerting.desk import PASSWORD, Desk
from tests.alerting.pages_desk import Visitor, forms, heading, words
from tests.alerting.test_trial import TWO
from tests.alerting.ward import STUDY, Ward

HERE = "/desk/holds"


@pytest.fixture
def held(trial: Ward) -> tuple[Ward, str]:
    """Two DLTs at the first dose close it; the id of that hold."""
    trial.receive(*TWO)
    holds = Desk(trial).get("/v1/dose-board")["holds"]
    (hold,) = [one for one in holds if one["kind"] == "second_dlt"]
    return trial, hold["hold_id"]


def confirmations(ward: Ward) -> dict[str, str | None]:
    (hold,) = [one for one in Desk(ward).get("/v1/dose-board")["holds"] if one["kind"] == "second_dlt"]
    return {one["party"]: one["by"] for one in hold["confirmations"]}


def test_the_heading_says_how_many_stand_and_how_many_are_not_confirmed(held: tuple[Ward, str]) -> None:
    page = Visitor(held[0], "lin", ["safety_physician"]).opens(HERE)
    assert re.fullmatch(r"\d holds stand\. \d not confirmed by everybody\.", heading(page))
    assert "A hold set in Tocsin stops nobody by itself." in words(page.text)
    assert words(page.text).count("not yet confirmed. Call.") >= 3


def test_the_cell_lab_confirms_for_itself_with_one_button(held: tuple[Ward, str]) -> None:
    ward, hold = held
    lab = Visitor(ward, "wang", ["cell_lab"])
    action = f"{HERE}/{hold}/confirm"
    own = next(n for n, form in enumerate(forms(lab.opens(HERE), action)) if form["party"] == "cell_lab")
    answer = lab.sends(HERE, action, {}, which=own)
    assert answer.headers["location"] == f"{HERE}?done=confirm"
    assert confirmations(ward) == {"S01": None, "S02": None, "cell_lab": "wang"}


def test_the_team_says_who_told_them(held: tuple[Ward, str]) -> None:
    ward, hold = held
    team = Visitor(ward, "wu", ["safety_team"])
    action = f"{HERE}/{hold}/confirm"
    refused = team.sends(HERE, action, {"party": "S01"})
    assert refused.status_code == 422
    assert "who of S01 said that they know" in words(refused.text)
    assert team.sends(HERE, action, {"party": "S01", "told_by": "Dr Gao, by telephone"}).status_code == 303
    assert confirmations(ward)["S01"] == "wu"


def test_somebody_of_a_site_confirms_for_that_site_and_reads_no_reason(held: tuple[Ward, str]) -> None:
    ward, hold = held
    gao = Visitor(ward, "gao", ["site"], of=(STUDY, "S01"))
    page = gao.opens(HERE)
    assert "S01-001" not in page.text
    assert "S02" not in words(page.text)
    action = f"{HERE}/{hold}/confirm"
    assert [form["party"] for form in forms(page, action)] == ["S01"]
    assert gao.sends(HERE, action, {"party": "S02"}).status_code == 403
    assert gao.sends(HERE, action, {}).status_code == 303
    assert confirmations(ward) == {"S01": "gao", "S02": None, "cell_lab": None}


def test_a_hold_is_lifted_by_signature_and_a_wrong_one_keeps_the_reason(held: tuple[Ward, str]) -> None:
    ward, hold = held
    director = Visitor(ward, "qiao", ["medical_director"]).signs()
    action = f"{HERE}/{hold}/lift"
    fields = {"reason": "both were reviewed", "meaning": "approval", "name": "qiao"}
    wrong = director.sends(HERE, action, {**fields, "password": "not the one"})
    assert wrong.status_code == 403
    assert "both were reviewed" in wrong.text
    assert "not the one" not in wrong.text
    assert director.sends(HERE, action, {**fields, "password": PASSWORD}).headers["location"] == f"{HERE}?done=lift"
    assert hold not in director.opens(HERE).text


def test_what_ends_by_itself_has_no_form_to_lift_it(held: tuple[Ward, str]) -> None:
    page = Visitor(held[0], "qiao", ["medical_director"]).opens(HERE)
    for card in re.findall(r'<section class="card in".*?</section>', page.text, re.DOTALL):
        if "There is nothing to sign." in card or "It needs no signature." in card:
            assert "/lift" not in card


def test_whoever_may_not_lift_has_no_form_for_it(held: tuple[Ward, str]) -> None:
    ward, hold = held
    page = Visitor(ward, "lin", ["safety_physician"]).opens(HERE)
    assert forms(page, f"{HERE}/{hold}/lift") == []
    assert "Confirm or lift" in Visitor(ward, "lin", ["safety_physician"]).opens("/desk/dose").text
