"""Dose-limiting toxicity as it is kept: verdicts follow facts, limits pass, people sign, a rebuild is the same."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from alerting.shown_dlt import VerdictShown
from alerting.tables import accounts
from alerting.verdicts import look
from tests.alerting.desk import MEANING, PASSWORD, Desk
from tests.alerting.test_rebuild import said
from tests.alerting.ward import HEADACHE, MILD, NOON, STUDY, Ward, _said, coding, dose, report, ward
from tocsin.messages.bodies import ObservationsRecordedV1
from tocsin.messages.envelope import Envelope

RELATED = [
    {"agent": "product", "party": "investigator", "relation": "related"},
    {"agent": "product", "party": "sponsor", "relation": "related"},
]
UNRELATED = [{**one, "relation": "not_related"} for one in RELATED]
CRS = {"verbatim": "CRS", "onset": "2026-05-14T11:00", "serious": False, "grade": {"ctcae": 3}, "causality": RELATED}
AS_CRS = {"term": "Cytokine release syndrome", "llt_code": "10052015", "soc": "Immune system disorders"}
RAISED = {"verbatim": "ALT increased", "onset": "2026-05-13T06:00", "serious": False, "grade": {"ctcae": 2},
          "causality": UNRELATED}  # fmt: skip
AS_RAISED = {"term": "Alanine aminotransferase increased", "llt_code": "10001551", "soc": "Investigations"}
LIVER = [
    {"kind": "laboratory", "test": test, "value": value, "unit": unit, "uln": uln, "at": "2026-05-13T06:00"}
    for test, value, unit, uln in (("ALT", 200, "U/L", 40), ("TBIL", 60, "umol/L", 20))
]
HOUR = timedelta(hours=1)


def infused(subject: str = "S01-003", started: str = "2026-05-11T10:00+08:00", at: datetime = NOON) -> Envelope[Any]:
    return dose(f"D-{subject}", at=at, kind="infusion", subject=subject, level="DL1", started_at=started)


def observed(
    *seen: dict[str, Any], record: str = "O1", subject: str = "S01-003", at: datetime = NOON
) -> Envelope[ObservationsRecordedV1]:  # fmt: skip
    """Observations as ae-intake says them."""
    body = ObservationsRecordedV1.model_validate(
        {
            "record_id": record, "study": STUDY, "site": "S01", "subject": subject, "received_at": at,
            "observations": [{"subject": subject, **one} for one in seen],
        }
    )  # fmt: skip
    return _said("observations.recorded.v1", subject, body, at, record, study=STUDY, source="ae-intake")


def anc(value: float, at: str, **more: Any) -> dict[str, Any]:
    return {"kind": "laboratory", "test": "Neutrophils", "value": value, "unit": "10*9/L", "at": at, **more}


def verdicts(house: Ward, **like: str) -> list[dict[str, Any]]:
    """The verdicts as a physician reads them."""
    query = "&".join(f"{name}={value}" for name, value in like.items())
    found: list[dict[str, Any]] = Desk(house).get(f"/v1/dlt?{query}")["verdicts"]
    for one in found:
        VerdictShown.model_validate(one)
    return found


def stands(house: Ward, **like: str) -> list[tuple[str, str | None, bool]]:
    return [(one["state"], one["rule_id"], one["provisional"]) for one in verdicts(house, **like)]


def sign(house: Ward, decision: str, *, by: str = "safety_physician", n: int = 0, **more: Any) -> Any:
    dlt_id = verdicts(house)[n]["dlt_id"]
    desk = Desk(house)
    with house.store.reading() as tx:
        is_known = by in tx.scalars(select(accounts.c.name))
    if not is_known:
        desk.person(by)
    signature = {"password": PASSWORD, "meaning": MEANING}
    body = {"decision": decision, "reason": "as discussed", "signature": signature, **more}
    return desk.ask("POST", f"/v1/dlt/{dlt_id}/decisions", body, by=by)


def rung(house: Ward) -> list[tuple[str, str]]:
    """(kind, level) of what rang about dose-limiting toxicity, in order."""
    return [(a["kind"], a["level"]) for a in house.alerts() if "dlt" in a["kind"]]


@pytest.mark.rule("rules.md 4.2: flow of a verdict")
def test_a_crs_of_grade_3_is_waited_for_told_at_72_h_and_met_at_168_h_by_its_durable_timer(house: Ward) -> None:
    house.receive(infused(), report(CRS), coding(AS_CRS))
    (one,) = verdicts(house)
    assert (one["state"], one["rule_id"], one["window_day"]) == ("PENDING_DURATION", "DLT-03", 3)
    assert one["due_at"] == "2026-05-21T03:00:01Z"
    assert one["assumptions"] == ["ASSUMED RULES, not approved by the sponsor: DLT definition dlt-default-0.1"]
    assert rung(house) == [("potential_dlt", "page")]

    house.fast_forward(timedelta(hours=72), step=HOUR)
    assert rung(house) == [("potential_dlt", "page"), ("dlt_strict_limit", "info")]
    house.fast_forward(timedelta(hours=96), step=HOUR)
    assert stands(house) == [("MET_BY_RULE", "DLT-03", True)]
    assert rung(house) == [("potential_dlt", "page"), ("dlt_strict_limit", "info"), ("dlt_met", "review")]
    (one,) = verdicts(house)
    assert [line["state"] for line in one["history"]] == ["PENDING_DURATION", "MET_BY_RULE"]
    assert one["history"][-1]["why"] == "a limit in time has passed"


@pytest.mark.rule("readings.md DLT 8")
def test_a_limit_that_ends_without_news_asks_the_site_once_and_what_it_tells_settles_the_question(house: Ward) -> None:
    house.receive(infused(), report(CRS), coding(AS_CRS))
    house.fast_forward(timedelta(hours=170), step=HOUR)
    (asked,) = [q.body for q in said(house, "queries.raised.v1") if "DLT-03" in q.body.question]
    assert (asked.case_id, asked.about, asked.kind) == ("TOC-0031", "/events/0/course", "grade")
    assert asked.question.startswith(
        "TOC-0031-E1: by DLT-03 a limit has passed, and we do not know how it went on: when did it fall below grade 3"
    )
    fell = {**CRS, "end": "2026-05-20T08:00"}
    house.receive(report(fell, revision=2, at=house.at), coding(AS_CRS, revision=2, at=house.at))
    deeds = [d.body for d in said(house, "decisions.recorded.v1")]
    assert [d.reason for d in deeds if d.what == "question_settled" and d.about == asked.query_id] == [
        "told now, or the value or the grade was corrected"
    ]


@pytest.mark.rule("readings.md DLT 3")
def test_a_fall_that_is_told_late_takes_a_met_verdict_back_and_its_history_stays(house: Ward) -> None:
    house.receive(infused(), report(CRS), coding(AS_CRS))
    house.fast_forward(timedelta(hours=170), step=HOUR)
    fell = {**CRS, "course": [{"grade": 3, "from": "2026-05-14T11:00"}, {"grade": 1, "from": "2026-05-17T11:00"}]}
    house.receive(report(fell, revision=2, at=house.at), coding(AS_CRS, revision=2, at=house.at))
    (one,) = verdicts(house)
    assert (one["state"], one["rule_id"]) == ("NOT_DLT", "DLT-03")
    assert [line["state"] for line in one["history"]][-2:] == ["MET_BY_RULE", "NOT_DLT"]
    assert {a["kind"]: a["state"] for a in house.alerts()}["dlt_met"] == "open"


@pytest.mark.rule("readings.md DLT 3")
def test_a_signature_confirms_and_a_later_one_rejects_and_both_are_kept(house: Ward) -> None:
    house.receive(infused(), report(CRS), coding(AS_CRS))
    assert sign(house, "CONFIRMED").status_code == 201
    assert stands(house) == [("CONFIRMED", "DLT-03", False)]
    assert sign(house, "confirmed").status_code == 201, "the very same once more changes nothing"
    again = sign(house, "CONFIRMED", reason="once more")
    assert again.status_code == 409
    assert sign(house, "REJECTED", reason="a transcription error", by="medical_director").status_code == 201
    (one,) = verdicts(house)
    assert (one["state"], one["by_rule"]) == ("REJECTED", "PENDING_DURATION")
    assert [s["decision"] for s in one["signatures"]] == ["CONFIRMED", "REJECTED"]
    house.fast_forward(timedelta(hours=170), step=HOUR)
    assert stands(house) == [("REJECTED", "DLT-03", False)], "what a person signed is not undone by time"


@pytest.mark.rule("rules.md 4.2: EX-09 and DLT-99")
def test_what_is_the_committees_to_sign_is_refused_to_others(house: Ward) -> None:
    death = {"verbatim": "died", "onset": "2026-05-14T11:00", "outcome": "fatal", "seriousness": ["death"],
             "serious": True, "grade": {"ctcae": 5}, "causality": UNRELATED}  # fmt: skip
    rash = {"verbatim": "rash", "onset": "2026-05-14T11:00", "serious": False, "grade": {"ctcae": 2},
            "causality": RELATED}  # fmt: skip
    house.receive(infused(), report(death, rash))
    assert stands(house) == [("MET_BY_RULE", "DLT-01", True), ("none", None, False)]
    refused = sign(house, "REJECTED")
    assert (refused.status_code, refused.json()["title"]) == (
        403, "that a death has another cause is the committee's to sign (EX-09): this needs the role committee"
    )  # fmt: skip
    assert sign(house, "CONFIRMED", n=1).status_code == 403
    assert sign(house, "REJECTED", n=1, by="committee").status_code == 422
    assert sign(house, "REJECTED", by="committee").json()["rule_id"] == "EX-09"
    assert sign(house, "CONFIRMED", n=1, by="committee").json()["rule_id"] == "DLT-99"
    assert stands(house) == [("REJECTED", "EX-09", False), ("CONFIRMED", "DLT-99", False)]
    assert sign(house, "CONFIRMED", by="coder").status_code == 403


@pytest.mark.rule("rules.md 4.2: DLT-08 from values")
def test_a_low_count_rings_without_a_report_and_without_the_coder(house: Ward) -> None:
    house.receive(infused(), observed(anc(0.4, "2026-05-14T06:00")))
    (one,) = verdicts(house)
    assert (one["state"], one["rule_id"], one["event_id"], one["provisional"]) == (
        "PENDING_DURATION", "DLT-08", None, True,
    )  # fmt: skip
    assert [(a["kind"], a["level"]) for a in house.alerts()] == [("potential_dlt", "page")]
    house.receive(observed(anc(1.4, "2026-05-14T06:00", ref="L1", correction=True), record="O2", at=NOON + HOUR))


@pytest.mark.rule("readings.md DLT 3")
def test_a_corrected_value_takes_its_verdict_away(house: Ward) -> None:
    house.receive(infused(), observed(anc(0.4, "2026-05-14T06:00", ref="L1")))
    correction = anc(1.4, "2026-05-14T06:00", ref="L1", correction=True)
    house.receive(observed(correction, record="O2", at=NOON + HOUR))
    (one,) = verdicts(house)
    assert (one["state"], one["reasons"]) == ("NOT_DLT", ["what it rested on was corrected or taken back"])


@pytest.mark.rule("rules.md 4.2: liver injury; readings.md DLT 7")
def test_a_report_of_the_liver_is_still_read_when_another_case_of_the_subject_is_told(house: Ward) -> None:
    house.receive(infused(), observed(*LIVER), report(RAISED), coding(AS_RAISED))
    house.fast_forward(timedelta(hours=170), step=24 * HOUR)

    def liver() -> list[tuple[str, str | None]]:
        return [(one["state"], one["rule_id"]) for one in verdicts(house) if one["event_id"] is None]

    assert liver() == [("NOT_DLT", "DLT-13")]
    house.receive(report(MILD, case="TOC-0032", at=house.at), coding(HEADACHE, case="TOC-0032", at=house.at))
    assert liver() == [("NOT_DLT", "DLT-13")]


def test_an_event_of_a_wrong_subject_takes_its_verdict_and_its_signature_along(house: Ward) -> None:
    house.receive(infused(), infused("S01-004"), report(CRS), coding(AS_CRS))
    assert sign(house, "CONFIRMED").status_code == 201
    house.receive(report(CRS, revision=2, subject="S01-004", at=NOON + HOUR))
    (one,) = verdicts(house)
    assert (one["subject"], one["state"]) == ("S01-004", "CONFIRMED")


FACTS = [
    infused(),
    report(CRS),
    coding(AS_CRS),
    report({**CRS, "grade": {"ctcae": 4}}, revision=2, at=NOON + HOUR),
    coding(AS_CRS, revision=2, at=NOON + HOUR),
    observed(anc(0.4, "2026-05-13T06:00"), anc(0.9, "2026-05-15T06:00"), anc(1.1, "2026-05-16T06:00"),
             anc(1.2, "2026-05-17T06:00"), at=NOON + 2 * HOUR),
]  # fmt: skip


def kept(house: Ward, *names: str) -> dict[str, list[Any]]:
    found = house.everything_kept()
    return {name: found[name] for name in names}


@pytest.mark.rule("promise: the order of arrival of the same facts does not change the outcome")
@pytest.mark.parametrize("seed", range(6))
def test_the_same_facts_in_any_order_and_twice_give_the_same_verdicts(tmp_path: Path, seed: int) -> None:
    def lived(facts: Sequence[Envelope[Any]], where: str) -> dict[str, list[Any]]:
        with ward(f"sqlite:///{tmp_path}/{where}.db", tmp_path / where) as one:
            one.receive(*facts)
            return kept(one, "verdicts", "subject_watch")

    mixed = [*FACTS, *FACTS[::2]]
    Random(seed).shuffle(mixed)
    assert lived(mixed, f"mixed{seed}") == lived(FACTS, "straight")


SIGN = {"verbatim": "fever", "onset": "2026-05-14T11:00", "serious": False, "grade": {"ctcae": 3},
        "component_of": "TOC-0031-E1", "causality": RELATED}  # fmt: skip
LOW_PLATELETS = {"verbatim": "platelet count decreased", "onset": "2026-05-13T06:00", "serious": False,
                 "grade": {"ctcae": 4}, "causality": RELATED}  # fmt: skip
BLED = {"verbatim": "epistaxis", "onset": "2026-05-14T06:00", "serious": False, "grade": {"ctcae": 2},
        "causality": RELATED}  # fmt: skip
OF_MANY_CASES = [
    infused(),
    *(report(event, case=f"TOC-{n}", at=NOON) for n, event in enumerate((LOW_PLATELETS, SIGN, BLED, MILD), 40)),
    report(CRS),
    coding(AS_CRS),
    report(RAISED, case="TOC-0050"),
    coding(AS_RAISED, case="TOC-0050"),
    report({**RAISED, "causality": RELATED}, case="TOC-0051"),
    observed(*LIVER, at=NOON),
    report(CRS, revision=2, nullified=True),
]


@pytest.mark.rule("promise: the order of arrival of the same facts does not change the outcome")
@pytest.mark.parametrize("seed", range(8))
def test_what_is_judged_with_only_the_cases_that_matter_is_what_the_whole_subject_gives(
    house: Ward, seed: int
) -> None:  # fmt: skip
    facts = list(OF_MANY_CASES)
    Random(seed).shuffle(facts)
    protocol = house.parts.study(STUDY)
    for fact in facts:
        house.receive(fact)
        before = kept(house, "verdicts")
        with house.store.transaction() as tx:
            look(tx, house.parts, protocol, "S01-003", NOON, why="the whole subject is read")
        assert kept(house, "verdicts") == before, fact


SAME = (
    "verdicts", "verdict_history", "dlt_decisions", "subject_watch", "alerts", "concerns", "notices", "decisions",
)  # fmt: skip


@dataclass(frozen=True)
class Lived:
    """What a house was told and said in a week, and what it kept of it."""

    facts: list[Any]
    counted: list[Any]
    deeds: list[Any]
    kept: dict[str, list[Any]]
    at: datetime


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A DLT by a syndrome and one by values, both with their limits passed, the first confirmed."""
    folder = tmp_path_factory.mktemp("lived")
    facts = [infused(), report(CRS), coding(AS_CRS), infused("S01-004")]
    counted = [observed(anc(0.4, "2026-05-14T06:00"), subject="S01-004")]
    with ward(f"sqlite:///{folder}/lived.db", folder) as house:
        house.receive(*facts[:3])
        house.receive(*facts[3:], *counted)
        house.fast_forward(timedelta(hours=100), step=HOUR)
        assert sign(house, "CONFIRMED").status_code == 201
        house.fast_forward(timedelta(hours=75), step=HOUR)
        return Lived(facts, counted, said(house, "decisions.recorded.v1"), kept(house, *SAME), house.at)


@pytest.mark.rule("promise: a rebuild gives the same verdicts")
@pytest.mark.parametrize("order", ["as lived", "decisions first", "observations last"])
def test_a_rebuild_gives_the_same_verdicts_history_and_alerts(lived: Lived, tmp_path: Path, order: str) -> None:
    told = {
        "as lived": [*lived.facts, *lived.counted, *lived.deeds],
        "decisions first": [*lived.deeds, *lived.facts, *lived.counted],
        "observations last": [*lived.facts, *lived.deeds, *lived.counted],
    }[order]
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        rebuilt.is_rebuilding, rebuilt.at = True, lived.at
        rebuilt.receive(*told)
        before, after = lived.kept, kept(rebuilt, *SAME)
        if order == "decisions first":  # What time rang for clocks is known again only once they are.
            after, before = _about_dlt(after), _about_dlt(before)
        assert after == before
        assert rebuilt.mails() == []


@pytest.mark.rule("promise: a rebuild gives the same verdicts")
def test_a_rebuild_knows_a_finding_that_was_there_for_a_while(tmp_path: Path) -> None:
    """What was corrected leaves a row: its subject is judged where the log tells of a change, not at the end only."""
    low, corrected = anc(0.4, "2026-05-14T06:00", ref="L1"), anc(1.4, "2026-05-14T06:00", ref="L1", correction=True)
    first = [infused(), observed(low)]
    then = [observed(corrected, record="O2", at=NOON + HOUR)]
    same = ("verdicts", "verdict_history", "subject_watch", "decisions")
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        lived.receive(*first)
        of_first = said(lived, "decisions.recorded.v1")
        lived.receive(*then)
        of_then = said(lived, "decisions.recorded.v1")[len(of_first) :]
        before, at = kept(lived, *same), lived.at
        assert [one["state"] for one in verdicts(lived)] == ["NOT_DLT"]
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        rebuilt.is_rebuilding, rebuilt.at = True, at
        rebuilt.receive(*first, *of_first, *then, *of_then)
        assert kept(rebuilt, *same) == before


def _about_dlt(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    own = {name: rows for name, rows in found.items() if name not in ("alerts", "concerns", "notices")}
    return {**own, "alerts": [row for row in found["alerts"] if "'dlt_" in row or "'potential_dlt'" in row]}


def test_every_state_can_be_asked_for(house: Ward) -> None:
    house.receive(infused(), report(CRS), coding(AS_CRS))
    assert len(verdicts(house, state="PENDING_DURATION", open="true")) == 1
    assert verdicts(house, state="CONFIRMED") == verdicts(house, open="false") == verdicts(house, subject="S01-9") == []
    assert len(list(itertools.chain(verdicts(house, case_id="TOC-0031"), verdicts(house, event_id="TOC-0031-E1")))) == 2
