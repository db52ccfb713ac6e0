"""The page of the audit trail: what it shows and to whom, its filters and files, and whether its chain is whole."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from alerting.desk.audit_files import cell
from alerting.desk.audit_view import Change, changes
from tests.alerting.desk import trail
from tests.alerting.visitor import Door, Visitor, refused_to, words
from tests.alerting.ward import STUDY, Ward
from tocsin.store import audit

HERE, CSV, JSONL, VERIFY = "/desk/audit", "/desk/audit/export.csv", "/desk/audit/export.jsonl", "/desk/audit/verify"
MAY = ("auditor", "administrator", "medical_director")
MAY_NOT = ("safety_physician", "second_physician", "medical_reviewer", "safety_team", "committee", "coder", "cell_lab")


@pytest.fixture
def door(house: Ward) -> Door:
    return Door(house)


@pytest.fixture
def auditor(door: Door) -> Visitor:
    return door.visitor("ada", "auditor")


def note(door: Door, did: str, about: str = "case TOC-0031", who: str = "lin", **more: object) -> None:
    with door.ward.store.transaction() as tx:
        audit.append(tx, at=door.ward.at, who=who, did=did, about=about, **more)  # type: ignore[arg-type]


def shown(page: str) -> list[int]:
    """The numbers of the lines on a page, in its order."""
    return [int(seq) for seq in re.findall(r'<tr data-row><td class="num">(\d+)</td>', page)]


def tamper(door: Door, statement: str) -> None:
    """As somebody does it who may drop the guards."""
    with door.ward.store.transaction() as tx:
        tx.execute(text("DROP TRIGGER audit_no_update"))
        tx.execute(text(statement))


@pytest.mark.parametrize("path", [HERE, CSV, JSONL])
def test_the_trail_is_for_auditors_administrators_and_the_medical_director(door: Door, path: str) -> None:
    refused_to(door, path, MAY, [*MAY, *MAY_NOT])


def test_verifying_is_for_the_same(door: Door) -> None:
    refused_to(door, VERIFY, [], MAY_NOT, x="y")


def test_the_newest_line_stands_first_with_old_struck_out_and_new_underlined(door: Door, auditor: Visitor) -> None:
    note(
        door, "person changed", "person wu", study=STUDY, reason="she moved",
        before={"roles": ["coder"], "site": "S01"}, after={"roles": ["auditor", "coder"], "site": "S01"},
    )  # fmt: skip
    page = auditor.opened(HERE).text
    seqs = shown(page)
    assert seqs == sorted(seqs, reverse=True)
    assert "<del>coder</del> <ins>auditor, coder</ins>" in page
    assert "Thu 14 May 2026, 12:00:00" in page
    assert "S01" not in re.findall(r"<tr data-row>.*?</tr>", page, re.DOTALL)[0]
    assert "she moved" in page
    assert "This is the trail of alerting" in words(auditor.opened(HERE))
    assert "tocsin audit verify" in words(auditor.opened(HERE))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, None, ()),
        (None, '{"a":1,"b":"x"}', (Change("a", None, "1"), Change("b", None, "x"))),
        ('{"a":1,"b":"x"}', '{"a":2,"b":"x"}', (Change("a", "1", "2"),)),
        ('{"a":{"b":[1]}}', None, (Change("a", '{"b": [1]}', None),)),
        ('"one"', '"two"', (Change("", "one", "two"),)),
        ("{broken", '{"a":1}', (Change("", "{broken", '{"a": 1}'),)),
    ],
)
def test_only_what_differs_is_shown(before: str | None, after: str | None, expected: tuple[Change, ...]) -> None:
    assert changes(before, after) == expected


def test_lines_are_found_by_who_did_about_study_and_day(door: Door, auditor: Visitor) -> None:
    note(door, "alert acknowledged", study=STUDY)
    door.ward.at += timedelta(hours=12)  # Friday 15 May, 00:00 in Shanghai
    note(door, "alert closed", who="shen")
    note(door, "100%_done", "case TOC-0032", who="shen")

    def found(query: str) -> list[str]:
        page = auditor.opened(f"{HERE}?{query}").text
        return re.findall(r"</td><td>\w+</td><td>(?:alert |100%_)(\w+)</td>", page)

    assert found("") == ["done", "closed", "acknowledged"]
    assert found("who=LIN") == ["acknowledged"]
    assert found("did=Closed") == ["closed"]
    assert found("about=toc-0031") == ["closed", "acknowledged"]
    assert found(f"study={STUDY}") == ["acknowledged"]
    assert found("from=2026-05-15") == ["done", "closed"]
    assert found("to=2026-05-14") == ["acknowledged"]
    assert found("did=%25_d") == ["done"]
    assert found("did=0_done") == []
    assert "No line is like this." in auditor.sees(f"{HERE}?who=nobody")
    kept = auditor.ask("GET", f"{HERE}?from=<b>&who=lin")
    assert kept.status_code == 422
    assert 'value="&lt;b&gt;"' in kept.text
    assert auditor.ask("GET", f"{HERE}?before=x").status_code == 422
    for days in ("from=0001-01-01", "to=9999-12-31"):
        assert auditor.ask("GET", f"{HERE}?{days}").status_code == 422, days


def test_a_page_holds_a_hundred_lines_and_leads_to_the_next(door: Door, auditor: Visitor) -> None:
    for number in range(230):
        note(door, "counted", f"thing {number}")
    path, seqs, sizes = f"{HERE}?did=counted", list[int](), list[int]()
    while path:
        page = auditor.opened(path).text
        seqs, sizes = seqs + shown(page), [*sizes, len(shown(page))]
        note(door, "counted", "what comes meanwhile")
        older = re.findall(r'href="([^"]+)" rel="next"', page)
        path = older[0].replace("&amp;", "&") if older else ""
    assert sizes == [100, 100, 30]
    assert seqs == sorted(set(seqs), reverse=True)


def test_reading_stands_in_the_trail_once_for_each_filter_and_a_while(door: Door, auditor: Visitor) -> None:
    def read() -> list[object]:
        return [json.loads(row["after"] or "null") for row in trail(door.ward) if row["did"] == "audit trail read"]

    for _ in range(3):
        auditor.opened(HERE)
    assert read() == [None]
    auditor.opened(f"{HERE}?who=lin")
    assert read() == [None, {"who": "lin"}]
    door.ward.move(timedelta(minutes=11))
    auditor.opened(HERE)
    assert read() == [None, {"who": "lin"}, None]


def test_the_csv_holds_what_the_filter_selects_and_runs_in_no_spreadsheet(door: Door, auditor: Visitor) -> None:
    note(door, "=1+1", "@case", who="+lin", reason='-2, "quoted"\nsecond line', after={"name": "李伟"})
    answer = auditor.opened(f"{CSV}?about=@case")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="tocsin-audit-alerting-2026-05-14.csv"'
    )  # fmt: skip
    assert answer.content.startswith(b"\xef\xbb\xbfseq,at,who,did,about,study,before,after,reason,prev_hash,hash\r\n")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert row["at"] == "2026-05-14T04:00:00.000000Z"
    assert (row["who"], row["did"], row["about"]) == ("'+lin", "'=1+1", "'@case")
    assert row["reason"] == '\'-2, "quoted"\nsecond line'
    assert row["after"] == '{"name":"李伟"}'
    line = trail(door.ward)[-1]
    assert (line["who"], line["did"]) == ("ada", "audit trail exported")
    assert json.loads(line["after"]) == {"as": "csv", "up_to": line["seq"] - 1, "about": "@case"}


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe(first: str) -> None:
    assert cell(f"{first}1") == f"'{first}1"
    assert cell(f"a{first}") == f"a{first}"
    assert cell(None) == ""


def test_the_json_lines_prove_the_chain_by_themselves(door: Door, auditor: Visitor) -> None:
    for number in range(1200):
        note(door, "counted", f"thing {number}", after={"number": number})
    lines = [json.loads(line) for line in auditor.opened(JSONL).text.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert len(lines) == trail(door.ward)[-1]["seq"] - 1
    before = "0" * 64
    for line in lines:
        kept = line.pop("hash")
        assert (line["prev_hash"], audit.hash_of(line)) == (before, kept)
        before = kept


def test_a_file_that_another_site_asks_for_is_refused(door: Door, auditor: Visitor) -> None:
    assert auditor.ask("GET", CSV, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert auditor.ask("GET", f"{CSV}?from=never").status_code == 422
    assert all(row["did"] != "audit trail exported" for row in trail(door.ward))


def test_a_whole_chain_is_said_to_be_whole_up_to_its_last_line(door: Door, auditor: Visitor) -> None:
    assert "Nobody has asked since this service was started." in auditor.sees(HERE)
    last = trail(door.ward)[-1]
    answer = auditor.sends(HERE, VERIFY)
    assert (answer.status_code, answer.headers["location"]) == (303, HERE)
    assert f"Verified up to line {last['seq']}, Thu 14 May 2026, 12:00." in auditor.sees(HERE)
    assert "Verified up to line" in door.visitor("dee", "medical_director").sees(HERE)


def test_a_form_of_another_person_verifies_nothing(door: Door, auditor: Visitor) -> None:
    other = door.visitor("dee", "medical_director")
    for token in (other.token(HERE, VERIFY), auditor.token(HERE, "/sign-out"), ""):
        assert auditor.ask("POST", VERIFY, {"token": token}).status_code == 403
    assert "Nobody has asked" in auditor.sees(HERE)


def test_a_line_that_was_altered_is_named(door: Door, auditor: Visitor) -> None:
    for number in range(5):
        note(door, "counted", f"thing {number}")
    (seq,) = [row["seq"] for row in trail(door.ward) if row["about"] == "thing 2"]
    tamper(door, f"UPDATE audit SET who = 'nobody' WHERE seq = {seq}")
    auditor.sends(HERE, VERIFY)
    page = auditor.sees(HERE)
    assert f"The audit chain is broken at line {seq}." in page
    assert f"Line {seq}: it was altered: its content does not give its hash." in page


def test_a_tampered_line_is_still_shown(door: Door, auditor: Visitor) -> None:
    note(door, "counted", "thing 1")
    tamper(door, "UPDATE audit SET at = 'no instant', after = '{' WHERE about = 'thing 1'")
    assert "no instant lin counted thing 1 {" in auditor.sees(HERE)
    assert "no instant" in auditor.opened(CSV).text


def test_what_somebody_is_called_is_only_a_name(door: Door, auditor: Visitor) -> None:
    hostile = "<script>alert(1)</script>"
    note(door, hostile, hostile, who=hostile, reason=hostile, before={hostile: hostile}, after={hostile: 1})
    assert "<script>alert" not in auditor.opened(HERE).text
    assert "<script>alert" not in auditor.opened(f"{HERE}?who=%3Cscript%3Ealert(1)").text
