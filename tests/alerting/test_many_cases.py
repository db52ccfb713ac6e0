"""Many cases read at once are what each of them is when it is read alone, on both databases."""

from __future__ import annotations

from alerting import cases, past
from tests.alerting.desk import MEANING, PASSWORD, Desk, only_study, with_copies
from tests.alerting.ward import FATAL, PNEUMONIA, SERIOUS, STUDY, Ward, coding, report
from tocsin.domain.clock_life import NOTHING_YET

ASKED = ["TOC-0031", "TOC-0032", "TOC-0033", "TOC-9999"]
RELATED = {"causality": [{"agent": "product", "party": "investigator", "relation": "related"}]}


def test_many_cases_at_once_are_each_as_it_is_alone(any_house: Ward) -> None:
    """Two revisions with a coding, one report that something was sent for, one that a person signed of, and none."""
    only_study(any_house, with_copies(any_house.studies[STUDY]))
    any_house.receive(report(SERIOUS), coding(PNEUMONIA), report(SERIOUS, revision=2))
    any_house.receive(report(FATAL | RELATED, case="TOC-0032"), report(SERIOUS, case="TOC-0033"))
    desk = Desk(any_house)
    desk.submit("CN_SUSAR_7D", "2026-05-14T12:00", case="TOC-0032")
    desk.person("safety_physician")
    desk.post(
        "/v1/assessments/TOC-0033",
        {"decision": "medical_review", "reason": "read", "signature": {"password": PASSWORD, "meaning": MEANING}},
    )

    with any_house.store.reading() as tx:
        together, signed_of = cases.load_each(tx, ASKED), past.past_of_each(tx, ASKED)
        assert together == {one: cases.load(tx, one) for one in ASKED}
        assert {one: signed_of.get(one, NOTHING_YET) for one in ASKED} == {one: past.past_of(tx, one) for one in ASKED}
        assert (cases.load_each(tx, []), past.past_of_each(tx, [])) == ({}, {})

    known = together["TOC-0031"]
    assert (sorted(known.reports), sorted(known.codings)) == ([1, 2], [1])
    assert [len(signed_of["TOC-0032"].submissions), len(signed_of["TOC-0033"].signed)] == [1, 1]
    assert together["TOC-9999"].latest is None
