"""A list of a site's serious events is compared with ours: each difference is asked, a death nobody reported rings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerting import reconciliation, reconciliation_list, reconciliation_words
from alerting import tables as alerting_tables
from tests.alerting.test_app import Alive, alive, until
from tests.alerting.test_rebuild import said
from tests.alerting.ward import FATAL, MILD, NOON, SERIOUS, STUDY, Ward, coding, report, studies, ward
from tocsin.domain.calendars import Partial
from tocsin.domain.known import Known
from tocsin.domain.reconcile import Field, Kind, Listed
from tocsin.domain.words import Criterion, Outcome
from tocsin.errors import Refused
from tocsin.messages.bodies import QueryRaisedV1
from tocsin.messages.envelope import encode
from tocsin.now import wall
from tocsin.store.tables import audit

HEADER = "subject,term,onset,serious,death,outcome,reference\n"
PNEUMONIA = "S01-003,pneumonia,2026-05-13,Y,,,\n"
FOUND_DEAD = "S01-009,found dead,2026-05-14,Y,Y,fatal,\n"


def send(house: Ward, text: str, site: str | None = "S01", source: str = "EDC") -> dict[str, Any]:
    """Send a list and read the record of its comparison."""
    read = reconciliation_list.read(text, house.studies[STUDY], site)
    sent = reconciliation.Sent(STUDY, site, source, "wu", text.encode(), read.listed)
    with house.store.transaction() as tx:
        number = reconciliation.reconcile(tx, house.parts, sent, house.at)
    house.send()
    table = alerting_tables.reconciliations
    with house.store.reading() as tx:
        return dict(tx.execute(select(table).where(table.c.id == number)).one()._mapping)


def queries(house: Ward) -> list[QueryRaisedV1]:
    return [envelope.body for envelope in said(house, "queries.raised.v1")]


def read(text: str, site: str | None = "S01") -> reconciliation_list.Read:
    return reconciliation_list.read(text, studies()[STUDY], site)


def wrong(text: str, site: str | None = "S01") -> dict[str, str]:
    """The wrong places of a refused list, with what is said of each."""
    with pytest.raises(Refused) as refusal:
        read(text, site)
    return {one.pointer: one.problem for one in refusal.value.wrong}


def test_a_list_that_says_what_we_hold_is_kept_and_asks_nothing(any_house: Ward) -> None:
    any_house.receive(report(SERIOUS), report(MILD, case="TOC-0032", subject="S01-004"))
    found = send(any_house, HEADER + PNEUMONIA)
    assert (found["rows"], found["agreed"], found["differences"], found["by"]) == (1, 1, [], "wu")
    assert queries(any_house) == []


@pytest.mark.rule("promise: every difference between a list and ours is asked of the site, once")
def test_each_difference_is_a_query_to_its_site_about_its_case_and_fact(any_house: Ward) -> None:
    any_house.receive(report({**SERIOUS, "onset": "2026-05-11"}), report(SERIOUS, case="TOC-0032", subject="S01-004"))
    found = send(any_house, HEADER + PNEUMONIA + "S01-005,sepsis,2026-05-14,Y,,,\n")
    assert found["agreed"] == 0
    assert [(d["kind"], d["field"], d["row"], d["event_id"]) for d in found["differences"]] == [
        ("not_ours", "event", 2, None),
        ("not_theirs", "event", None, "TOC-0032-E1"),
        ("differs", "onset", 1, "TOC-0031-E1"),
    ]
    assert [(q.kind, q.case_id, q.site, q.about) for q in queries(any_house)] == [
        ("reconciliation", None, "S01", ""),
        ("reconciliation", "TOC-0032", "S01", ""),
        ("reconciliation", "TOC-0031", "S01", "/events/0/onset"),
    ]
    assert [q.query_id for q in queries(any_house)] == [d["query_id"] for d in found["differences"]]
    assert queries(any_house)[2].question == (
        "TOC-0031-E1: of onset, the list of EDC, row 1, says 2026-05-13, and your report says 2026-05-11. "
        "What is right? If these are two events, report the other one.\n"
        "TOC-0031-E1：关于发生时间，EDC 清单第 1 行为“2026-05-13”，贵中心报告为“2026-05-11”。"
        "哪一个正确？如为两个不同的事件，请另行报告。"
    )


def test_the_questions_of_one_list_are_one_letter_to_the_site(house: Ward) -> None:
    send(house, HEADER + PNEUMONIA + "S01-005,sepsis,2026-05-14,Y,,,\n")
    house.receive(*said(house, "queries.raised.v1"))
    house.fast_forward(timedelta(minutes=2), step=timedelta(seconds=10))
    assert house.rung() == [("site-s01", "[Tocsin] 2 questions for you")]


@pytest.mark.rule("promise: a death in a list that nobody reported rings")
@pytest.mark.parametrize(
    ("words", "case_id", "reason"),
    [
        ("found dead", None, "we hold no such event: found dead, onset 2026-05-13"),
        ("pneumonia", "TOC-0031", "we hold TOC-0031-E1 as not fatal"),
    ],
)
def test_a_death_that_nobody_reported_pages_a_physician(
    any_house: Ward, words: str, case_id: str | None, reason: str
) -> None:
    any_house.receive(report(SERIOUS))
    found = send(any_house, f"{HEADER}S01-003,{words},2026-05-13,Y,Y,fatal,\n")
    (alert,) = any_house.alerts(kind="reconciliation")
    assert (alert["level"], alert["case_id"]) == ("page", case_id)
    assert alert["reasons"] == [f"row 1 of the list of EDC is a death of subject S01-003; {reason}"]
    assert [d["field"] for d in found["differences"] if d["unheard_death"]] == ["death"]
    prefix = f"{case_id}: " if case_id else ""
    assert ("safety-physician", f"[Tocsin] {prefix}a death in a site's list that we do not hold") in any_house.rung()


def test_a_death_that_we_hold_does_not_ring_whatever_the_list_calls_it(house: Ward) -> None:
    house.receive(report(FATAL))
    send(house, f"{HEADER}S01-003,sepsis,2026-05-13,Y,Y,fatal,\n")
    assert house.alerts(kind="reconciliation") == []


def test_a_death_of_a_nullified_case_is_one_that_we_do_not_hold(house: Ward) -> None:
    house.receive(report(FATAL), report(FATAL, revision=2, at=NOON + timedelta(minutes=1), nullified=True))
    send(house, f"{HEADER}S01-003,found without pulse,2026-05-13,Y,Y,fatal,\n")
    assert [alert["level"] for alert in house.alerts(kind="reconciliation")] == ["page"]


def test_two_deaths_of_two_subjects_are_two_pages_and_two_rows_of_one_are_one(house: Ward) -> None:
    send(house, HEADER + FOUND_DEAD + "S01-009,sepsis,2026-05-14,Y,Y,fatal,\n" + "S01-010,sepsis,2026-05-14,Y,Y,,\n")
    assert sorted(len(alert["reasons"]) for alert in house.alerts(kind="reconciliation")) == [1, 2]


@pytest.mark.rule("promise: every difference between a list and ours is asked of the site, once")
def test_the_same_list_sent_twice_asks_and_rings_once_and_is_two_records(any_house: Ward) -> None:
    any_house.receive(report(SERIOUS))
    first = send(any_house, HEADER + FOUND_DEAD)
    any_house.move(timedelta(hours=1))
    second = send(any_house, HEADER + FOUND_DEAD)
    assert first["id"] != second["id"]
    assert first["differences"] == second["differences"]
    assert len(queries(any_house)) == 2
    assert len(any_house.alerts(kind="reconciliation")) == 1


def test_cases_of_other_sites_are_no_business_of_the_list_of_one(house: Ward) -> None:
    house.receive(report(SERIOUS, subject="S02-001", site="S02"))
    assert send(house, HEADER)["differences"] == []
    assert [d["event_id"] for d in send(house, HEADER, site=None)["differences"]] == ["TOC-0031-E1"]
    assert [q.site for q in queries(house)] == ["S02"]


def test_what_the_coder_made_of_our_words_counts_as_ours(house: Ward) -> None:
    house.receive(report({**SERIOUS, "verbatim": "fever, no white cells"}), coding({"term": "Febrile neutropenia"}))
    assert send(house, f"{HEADER}S01-003,febrile neutropenia,2026-05-13,Y,,,\n")["differences"] == []


def test_the_sites_own_number_of_an_event_and_our_case_number_find_it(house: Ward) -> None:
    house.receive(report({**SERIOUS, "ref": "AE-7"}))
    for number in ("AE-7", "TOC-0031", "TOC-0031-E1"):
        found = send(house, f"subject,term,AESPID\nS01-003,lung infection,{number}\n")
        fields = [(d["kind"], d["field"]) for d in found["differences"]]
        # Our numbers are ours alone. A name that may be anything needs words or a date beside it.
        apart = [("not_ours", "event"), ("not_theirs", "event")]
        assert fields == (apart if number == "AE-7" else [("differs", "term")])


def test_it_is_audited_with_who_sent_what(house: Ward) -> None:
    found = send(house, HEADER + FOUND_DEAD)
    with house.store.reading() as tx:
        rows = tx.execute(select(audit).where(audit.c.did == "list reconciled")).all()
    assert [(row.who, row.about) for row in rows] == [("wu", f"reconciliation {found['id']}")]
    assert found["sha256"] in rows[0].after


@pytest.mark.parametrize("decisions_first", [False, True])
def test_a_rebuild_has_the_comparison_and_its_alert_and_neither_asks_nor_rings(
    tmp_path: Path, decisions_first: bool
) -> None:
    facts = [report(SERIOUS)]
    with ward(f"sqlite:///{tmp_path}/lived.db", tmp_path / "lived") as lived:
        lived.receive(*facts)
        send(lived, HEADER + FOUND_DEAD + "".join(f"S01-{n:03},sepsis,2026-05-14,Y,,,\n" for n in range(100, 400)))
        deeds, before, at = said(lived, "decisions.recorded.v1"), lived.everything_kept(), lived.at
        assert len([d for d in deeds if d.body.what == reconciliation.RECONCILED]) == 2
    with ward(f"sqlite:///{tmp_path}/rebuilt.db", tmp_path / "rebuilt") as rebuilt:
        rebuilt.is_rebuilding, rebuilt.at = True, at
        rebuilt.receive(*[*deeds, *facts] if decisions_first else [*facts, *deeds])
        after = rebuilt.everything_kept()
        same = ("reconciliations", "decisions", "alerts", "notices")
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
        rebuilt.is_rebuilding = False
        rebuilt.do_chores()
        assert rebuilt.mails() == []
        assert queries(rebuilt) == []
        again = send(rebuilt, HEADER + FOUND_DEAD)
        assert (len(again["differences"]), queries(rebuilt)) == (2, [])


def test_cdisc_names_and_values_are_read() -> None:
    found = read(
        "STUDYID,USUBJID,AETERM,AESTDTC,AESER,AESDTH,AESHOSP,AEOUT,AESPID,AESEV\r\n"
        'NCT06223646,S01-003,"Fever, high",2026-05,Y,N,Y,NOT RECOVERED/NOT RESOLVED,AE-7,SEVERE\r\n'
    )
    assert found.not_read == ("AESEV",)
    assert found.listed.rows == (
        Listed(
            1, "S01-003", "Fever, high", Partial.parse("2026-05"), Known.YES, frozenset({Criterion.HOSPITALISATION}),
            Known.NO, Outcome.NOT_RECOVERED, frozenset({"AE-7"}),
        ),
    )  # fmt: skip
    assert found.listed.fields == {Field.TERM, Field.ONSET, Field.SERIOUS, Field.DEATH, Field.OUTCOME}
    assert found.listed.criteria == {Criterion.DEATH, Criterion.HOSPITALISATION}


def test_chinese_names_and_values_semicolons_and_blank_lines_are_read() -> None:
    found = read("受试者编号;不良事件名称;发生日期;是否严重;死亡;转归\n\nS01-003;肺炎;2026年5月3日;是;否;好转\n\n")
    (row,) = found.listed.rows
    assert (row.row, row.term, str(row.onset), row.serious, row.death, row.outcome) == (
        1, "肺炎", "2026-05-03", Known.YES, Known.NO, Outcome.RECOVERING,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "onset"),
    [
        ("2026-05-13", "2026-05-13"), ("2026-05-13T08:30", "2026-05-13T08:30"),
        ("2026-05-13 08:30", "2026-05-13T08:30"), ("2026年5月13日", "2026-05-13"),
        ("13-May-2026", "2026-05-13"), ("3MAY2026", "2026-05-03"), ("UN-MAY-2026", "2026-05"),
        ("2026/5/3", "2026-05-03"),
        ("2026年5月", "2026-05"), ("unknown", None), ("", None),
    ],
)  # fmt: skip
def test_a_date_that_can_be_read_in_one_way_only_is_read(cell: str, onset: str | None) -> None:
    (row,) = read(f"subject,term,onset\nS01-003,fever,{cell}\n").listed.rows
    assert (None if row.onset is None else row.onset.text) == onset


@pytest.mark.parametrize(
    ("cells", "pointer", "problem"),
    [
        ("S01-003,fever,05/06/2026,Y,,,", "/rows/2/onset", "'05/06/2026' is not a date as CDISC writes them"),
        ("S01-003,fever,2026-02-30,Y,,,", "/rows/2/onset", "day is out of range for month: '2026-02-30'"),
        ("S01-003,fever,,perhaps,,,", "/rows/2/serious", "'perhaps' is not known"),
        ("S01-003,fever,,Y,maybe,,", "/rows/2/death", "'maybe' is not known"),
        ("S01-003,fever,,Y,,better,", "/rows/2/outcome", "'better' is not known"),
        ("S02-003,fever,,Y,,,", "/rows/2/subject", "'S02-003' is not of site S01"),
        ("Mr Wang,fever,,Y,,,", "/rows/2/subject", "'Mr Wang' is no subject of this study"),
        ("S99-003,fever,,Y,,,", "/rows/2/subject", "'S99-003' is of no site of this study"),
        (",fever,,Y,,,", "/rows/2/subject", "is empty"),
        ("S01-003,,2026-05-13,Y,,,", "/rows/2/term", "is empty"),
        ("S01-003,fever", "/rows/2", "has 2 cells"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(cells: str, pointer: str, problem: str) -> None:
    assert wrong(f"{HEADER}{PNEUMONIA}{cells}\n") == {pointer: problem}


def test_every_wrong_cell_of_a_list_is_named_at_once_up_to_a_hundred() -> None:
    found = wrong(HEADER + "S01-003,fever,never,perhaps,,,\n" * 60)
    assert len(found) == 101
    assert found["/rows"] == "hold 20 more wrong cells, not named here"


@pytest.mark.parametrize(
    ("text", "pointer", "problem"),
    [
        ("", "", "is empty"),
        ("term,onset\nfever,2026\n", "/columns/subject", "is not there"),
        ("subject,onset\nS01-003,2026\n", "/columns/term", "is not there"),
        ("subject,term,onset,AESTDTC\n", "/columns/onset", "is there twice: onset, AESTDTC"),
        ("subject,term,study\nS01-003,fever,CDISCPILOT01\n", "/rows/1/study", "'CDISCPILOT01' is another study"),
        ('subject,term\nS01-003,"fever\n', "", "is not CSV (unexpected end of data)"),
        ("subject,term\n" + "S01-003,fever\n" * 5001, "/rows", "are 5001"),
    ],
)
def test_what_is_no_list_is_refused(text: str, pointer: str, problem: str) -> None:
    assert wrong(text) == {pointer: problem}


def test_criteria_are_read_from_a_column_of_words() -> None:
    (row,) = read("subject,term,seriousness criteria\nS01-003,fever,Hospitalization; life-threatening\n").listed.rows
    assert row.criteria == {Criterion.HOSPITALISATION, Criterion.LIFE_THREATENING}


def test_every_question_has_its_chinese() -> None:
    assert set(reconciliation_words.PHRASES) == set(Kind)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alive]:
    with alive(tmp_path_factory.mktemp("reconciling")) as found:
        found.bus.publish([encode(report({**SERIOUS, "onset": "2026-05-11"}, at=wall()))])
        token = found.sign_in("safety_team")
        until(lambda: bool(found.ask("GET", "/v1/clocks?case_id=TOC-0031", token).json()["clocks"]))
        yield found


def post(house: Alive, text: str | bytes, token: str, query: str = "study=NCT06223646&site=S01&source=EDC") -> Any:
    headers = {"content-type": "text/csv; charset=utf-8"}
    return house.ask("POST", f"/v1/reconciliations?{query}", token, content=text, headers=headers)


def test_a_list_is_posted_and_its_record_read_back(served: Alive) -> None:
    token = served.sign_in("safety_team")
    answer = post(served, "\ufeff" + HEADER + PNEUMONIA, token)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["rows"], made["agreed"], made["differ"], made["by"], made["not_read"]) == (1, 0, 1, "safety_team", [])
    (difference,) = made["differences"]
    assert {name: difference[name] for name in ("row", "case_id", "event_id", "subject", "kind", "field")} == {
        "row": 1, "case_id": "TOC-0031", "event_id": "TOC-0031-E1", "subject": "S01-003", "kind": "differs",
        "field": "onset",
    }  # fmt: skip
    shown = served.ask("GET", f"/v1/reconciliations/{made['reconciliation_id']}", token).json()
    assert shown == {name: value for name, value in made.items() if name != "not_read"}
    lines = served.ask("GET", "/v1/reconciliations?study=NCT06223646&site=S01", token).json()["reconciliations"]
    assert made["reconciliation_id"] in [line["reconciliation_id"] for line in lines]
    assert served.ask("GET", "/v1/reconciliations?site=S02", token).json() == {"reconciliations": []}


def test_who_may_send_a_list_and_who_may_read_it(served: Alive) -> None:
    assert post(served, HEADER, served.sign_in("coder")).status_code == 403
    assert post(served, HEADER, served.sign_in("cell_lab")).status_code == 403
    assert served.ask("GET", "/v1/reconciliations").status_code == 401
    assert served.ask("GET", "/v1/reconciliations", served.sign_in("coder")).status_code == 403
    nowhere = "/v1/reconciliations/00000000-0000-4000-8000-000000000000"
    assert served.ask("GET", nowhere, served.sign_in("administrator")).status_code == 404


def test_a_list_that_cannot_be_understood_is_refused_whole_and_nothing_is_kept(served: Alive) -> None:
    token = served.sign_in("safety_physician")

    def kept() -> int:
        return len(served.ask("GET", "/v1/reconciliations", token).json()["reconciliations"])

    before = kept()
    answer = post(served, HEADER + PNEUMONIA + "S01-003,fever,13.13.2026,Y,,,\n", token)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    (place,) = answer.json()["errors"]
    assert (place["pointer"], place["allowed"]) == ("/rows/2/onset", reconciliation_list.ONSETS)
    assert post(served, HEADER.encode() + b"S01-003,\xe9v\xe9nement,,,,,\n", token).status_code == 400
    assert post(served, HEADER + "x" * 5_000_000, token).status_code == 413
    assert served.ask("POST", "/v1/reconciliations?study=NCT06223646&source=EDC", token, json=[]).status_code == 415
    for query, pointer in (
        ("study=NO&source=EDC", "/query/study"),
        ("study=NCT06223646&source=EDC&site=S99", "/query/site"),
        ("study=NCT06223646", "/query/source"),
    ):
        answer = post(served, HEADER, token, query)
        assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (422, [pointer])
    assert kept() == before
