"""A follow-up by form says only what somebody changed; nullifying needs a reason and a second word."""

from __future__ import annotations

from typing import Any

import pytest

from tests.intake.at_site import Site, a_report, accepted, an_event
from tests.intake.site_desk import Nurse, case_of, fields, words, wrong_at


def path(case_id: str) -> str:
    return f"/report/cases/{case_id}/follow-up"


def told(site: Site, case_id: str, **typed: str | None) -> dict[str, Any]:
    """What a follow-up says that a nurse sends after changing these fields."""
    nurse = Nurse(site.house)
    answer = nurse.send(nurse.get(path(case_id)), path(case_id), **{**typed, "do": "send"})
    assert case_of(answer) == case_id
    sent: dict[str, Any] = site.case(case_id)["history"][-1]["sent"]
    return sent


WHOLE = an_event(
    onset="2026-03-01T22:10:05+08:00", end="2026-03-02", action="not_changed", treatment="fluids",
    grade={"ctcae": 3, "astct": 2}, outcome="recovered", ref="AE-7",
    causality=[{"agent": "product", "relation": "很可能有关"}, {"agent": "bridging", "relation": "unlikely"},
               {"agent": "product", "party": "sponsor", "relation": "not_related"}],
    course=[{"grade": 1, "from": "2026-03-01"}], symptoms="severe", asymptomatic=False,
)  # fmt: skip


def test_a_form_on_which_nothing_was_changed_sends_nothing(site: Site) -> None:
    """Whatever a system had sent: nothing of it is lost or put in other words by opening and sending the form."""
    case_id = site.report(WHOLE, an_event(ref="AE-8", serious=False, seriousness=None), narrative="  as said ")[
        "case_id"
    ]
    nurse = Nurse(site.house)
    answer = nurse.send(nurse.get(path(case_id)), path(case_id), do="send")
    assert answer.status_code == 422
    assert "Nothing was changed, so nothing was sent." in words(answer)
    assert site.case(case_id)["revision"] == 1


@pytest.mark.parametrize(
    ("typed", "event"),
    [
        ({"e0__outcome": "recovering"}, {"outcome": "recovering"}),
        ({"e0__outcome": ""}, {"outcome": None}),
        ({"e0__treatment": ""}, {"treatment": None}),
        ({"e0__end_date": ""}, {"end": None}),
        ({"e0__onset_date": "", "e0__onset_time": ""}, {"onset": None}),
        ({"e0__aware_time": "09:00"}, {"investigator_aware_at": "2026-03-02T09:00"}),
        ({"e0__grade_ctcae": "4"}, {"grade": {"ctcae": 4}}),
        ({"e0__grade_ctcae": "2"}, {"grade": {"ctcae": 2}}),
        ({"e0__grade_ctcae": "2", "e0__correction": "yes"}, {"grade": {"ctcae": 2, "astct": 2}, "correction": True}),
        ({"e0__grade_astct": ""}, {"grade": {"ctcae": 3}, "correction": True}),
        ({"e0__grade_astct": "", "e0__grade_ctcae": ""}, {"grade": None}),
        ({"e0__serious_life_threatening": "yes"},
         {"serious": True, "seriousness": ["life_threatening", "hospitalisation"]}),
        ({"e0__serious_hospitalisation": "unknown"}, {"serious": None, "seriousness": []}),
        ({f"e0__serious_{name}": "no" for name in ("death", "life_threatening", "hospitalisation", "disability",
                                                    "congenital_anomaly", "medically_important")},
         {"serious": False, "seriousness": []}),
        ({"e0__cause_product": "no"}, {"causality": [{"agent": "product", "relation": "not_related"}]}),
        ({"e0__cause_apheresis": "yes"}, {"causality": [{"agent": "apheresis", "relation": "related"}]}),
        ({"e0__cause_bridging": "unknown"}, {"causality": [{"agent": "bridging", "relation": "unassessable"}]}),
    ],
    ids=lambda given: ", ".join(given) if isinstance(given, dict) else "",
)  # fmt: skip
def test_only_what_was_changed_is_sent_and_an_emptied_field_takes_its_fact_back(
    site: Site, typed: dict[str, str], event: dict[str, Any]
) -> None:
    case_id = site.report(WHOLE)["case_id"]
    sent = told(site, case_id, **typed)
    assert sent == {"events": [{"ref": f"{case_id}-E1", "verbatim": "pneumonia", **event}]}
    after = site.case(case_id)["facts"]["events"][0]
    for name, value in event.items():
        if name not in ("causality", "grade", "correction"):
            assert after.get(name) == value
    # What nobody touched stands as it stood.
    assert (after["course"], after["symptoms"], after["asymptomatic"]) == (WHOLE["course"], "severe", False)
    assert len(after["causality"]) == len(WHOLE["causality"]) + ("e0__cause_apheresis" in typed)


def test_the_words_of_an_event_can_be_put_right(site: Site) -> None:
    case_id = site.report()["case_id"]
    sent = told(site, case_id, e0__verbatim="lobar pneumonia")
    assert sent == {"events": [{"ref": "TOC-0001-E1", "verbatim": "lobar pneumonia"}]}
    assert [e["facts"]["verbatim"] for e in site.case(case_id)["events"]] == ["lobar pneumonia"]


def test_facts_of_the_report_are_changed_and_taken_back(site: Site) -> None:
    case_id = site.report(product="another drug")["case_id"]
    assert told(site, case_id, product_is="KQ-2003") == {"product": "KQ-2003"}
    assert told(site, case_id, product_is="unknown") == {"product": None}
    assert told(site, case_id, reporter_role="") == {"reporter": {"name": "Dr Li Example"}}
    assert told(site, case_id, reporter_name="") == {"reporter": None}
    assert told(site, case_id, narrative="more\nof it") == {"narrative": "more\nof it"}
    assert site.case(case_id)["missing"][0]["element"] == "reporter"


def test_a_new_event_gets_the_next_number(site: Site) -> None:
    case_id = site.report()["case_id"]
    sent = told(site, case_id, e1__verbatim="rash", e1__onset_date="2026-03-02")
    assert sent == {"events": [{"ref": "2", "verbatim": "rash", "onset": "2026-03-02"}]}
    assert [e["event_id"] for e in site.case(case_id)["events"]] == ["TOC-0001-E1", "TOC-0001-E2"]


@pytest.mark.parametrize("ref", ["AE-1", None])
def test_the_same_words_again_are_another_event(site: Site, ref: str | None) -> None:
    case_id = site.report(an_event(ref=ref, verbatim="fall"))["case_id"]
    told(site, case_id, e1__verbatim="Fall", e1__onset_date="2026-03-02")
    first, second = site.case(case_id)["events"]
    assert (first["facts"]["onset"], second["facts"]["onset"]) == ("2026-03-01", "2026-03-02")


def test_an_event_is_struck_out_for_a_reason_only(site: Site) -> None:
    case_id = site.report(an_event(), an_event(ref="AE-2", verbatim="rash"))["case_id"]
    nurse = Nurse(site.house)
    refused = nurse.send(nurse.get(path(case_id)), path(case_id), e1__struck="yes", do="send")
    assert (refused.status_code, wrong_at(refused)) == (422, {"reason": "A reason is needed."})
    assert fields(refused, path(case_id))["e1-struck"] == "yes"
    case_of(nurse.send(refused, path(case_id), reason="the other bed", do="send"))
    assert [e["facts"].get("nullified", False) for e in site.case(case_id)["events"]] == [False, True]
    assert told(site, case_id, e1__struck=None)["events"][0]["nullified"] is False


def test_refusals_are_at_their_fields_and_keep_what_was_typed(site: Site) -> None:
    case_id = site.report()["case_id"]
    nurse = Nurse(site.house, lang="zh")
    page = nurse.get(path(case_id))
    for typed, wrong in (
        (
            {"subject": "S01-002"},
            {"subject": "与本病例的受试者不同。如受试者写错，请作废该病例，并在作废时填写正确的编号。"},
        ),
        ({"e0__verbatim": ""}, {"e0-verbatim": "此项必填。"}),
        ({"e1__onset_date": "2026-02-30", "e1__verbatim": "b"}, {"e1-onset": "该月没有这一天。"}),
    ):
        answer = nurse.send(page, path(case_id), **{**typed, "narrative": "kept", "do": "send"})
        assert (answer.status_code, wrong_at(answer)) == (422, wrong)
        kept = fields(answer, path(case_id))
        assert kept["narrative"] == "kept"
        assert all(kept[name.replace("__", "-")] == value for name, value in typed.items())
    assert site.case(case_id)["revision"] == 1


def test_who_was_overtaken_is_told_and_may_send_on_top(site: Site) -> None:
    case_id = site.report()["case_id"]
    nurse = Nurse(site.house)
    page = nurse.get(path(case_id))
    site.follow_up(case_id, {"events": [{"ref": "AE-1", "verbatim": "pneumonia", "outcome": "recovering"}]})
    late = nurse.send(page, path(case_id), e0__treatment="antibiotics", do="send")
    assert late.status_code == 409
    assert "The case has changed since you opened it: revision 2 is there now." in words(late)
    assert fields(late, path(case_id))["e0-treatment"] == "antibiotics"
    case_of(nurse.send(late, path(case_id), over="2"))
    after = site.case(case_id)["facts"]["events"][0]
    # The other's change stands: only the treatment was touched here.
    assert (after["treatment"], after["outcome"]) == ("antibiotics", "recovering")


def test_a_double_click_gives_one_revision(site: Site) -> None:
    case_id = site.report()["case_id"]
    nurse = Nurse(site.house)
    typed = nurse.fill(nurse.get(path(case_id)), path(case_id), e0__outcome="recovering", do="send")
    assert case_of(nurse.post(path(case_id), typed)) == case_of(nurse.post(path(case_id), typed)) == case_id
    assert site.case(case_id)["revision"] == 2


def test_a_case_with_many_events_is_told_page_by_page(site: Site) -> None:
    events = [{"ref": f"AE-{n}", "verbatim": f"event {n}"} for n in range(1, 24)]
    case_id = accepted(site.post("/v1/reports", a_report(*events)))["case_id"]
    nurse = Nurse(site.house)
    second = nurse.get(path(case_id) + "?events=2")
    assert fields(second, path(case_id))["e20-verbatim"] == "event 21"
    case_of(nurse.send(second, path(case_id), e22__outcome="recovered", e23__verbatim="one more", do="send"))
    assert site.case(case_id)["history"][-1]["sent"] == {
        "events": [
            {"ref": f"{case_id}-E23", "verbatim": "event 23", "outcome": "recovered"},
            {"ref": "24", "verbatim": "one more"},
        ]
    }


def test_the_history_says_what_was_changed(site: Site) -> None:
    case_id = site.report()["case_id"]
    told(site, case_id, e0__outcome="recovering", e0__treatment="antibiotics")
    text = Nurse(site.house).get(f"/report/cases/{case_id}").text
    assert "Outcome: <s>not recovered</s> <ins>recovering</ins>" in text
    assert "Treatment given: <ins>antibiotics</ins>" in text


def nullify(nurse: Nurse, case_id: str, **typed: str | None) -> Any:
    return nurse.send(nurse.get(f"/report/cases/{case_id}"), f"/report/cases/{case_id}/nullify", **typed)


def test_nullifying_needs_a_reason_and_a_second_word(site: Site) -> None:
    case_id = site.report()["case_id"]
    nurse = Nurse(site.house)
    for typed, said in (
        ({"sure": "yes"}, "A reason is needed."),
        ({"reason": "twice"}, "Confirm that the whole case is to be nullified."),
    ):
        refused = nullify(nurse, case_id, **typed)
        assert refused.status_code == 422
        assert said in words(refused)
        assert fields(refused, f"/report/cases/{case_id}/nullify")["reason"] == typed.get("reason", "")
    assert site.case(case_id)["revision"] == 1

    assert case_of(nullify(nurse, case_id, sure="yes", reason="told twice")) == case_id
    held = site.case(case_id)
    assert (held["is_nullified"], held["history"][-1]["reason"]) == (True, "told twice")
    assert "The case is nullified." in words(nurse.get(f"/report/receipts/{case_id}"))


def test_a_wrong_subject_moves_to_the_right_one_of_the_same_site(site: Site) -> None:
    case_id = site.report()["case_id"]
    nurse = Nurse(site.house)
    refused = nullify(nurse, case_id, sure="yes", reason="wrong", right_subject="S02-001")
    assert refused.status_code == 422
    assert "This is not a subject of your site (S01)." in words(refused)
    answer = nullify(nurse, case_id, sure="yes", reason="wrong", right_subject="S01-002")
    assert "The history now stands under the right subject: TOC-0002" in words(nurse.get(answer.headers["location"]))
    assert site.case("TOC-0002")["subject"] == "S01-002"


def test_a_case_that_moved_on_is_not_nullified_unseen(site: Site) -> None:
    case_id = site.report()["case_id"]
    nurse = Nurse(site.house)
    page = nurse.get(f"/report/cases/{case_id}")
    site.follow_up(case_id, {"narrative": "it is real"})
    late = nurse.send(page, f"/report/cases/{case_id}/nullify", sure="yes", reason="no such event")
    assert late.status_code == 409
    assert site.case(case_id)["is_nullified"] is False
