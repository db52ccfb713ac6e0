"""What the fuzzing of this folder found, each by itself, so that it is known again without luck."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerting import call_plan_text
from standalone.ae_files import FileWrong, read_ae
from tests.hostile.full_house import Full, full_house
from tests.hostile.test_files_fuzz import good
from tocsin import studies
from tocsin.criteria import CriteriaError
from tocsin.criteria.workbook import read_workbook
from tocsin.errors import ProtocolError, Refused
from tocsin.web.pages import COOKIE


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    with full_house(tmp_path_factory.mktemp("known")) as found:
        yield found


A_TIME = "a time with its offset, such as 2026-05-14T09:00:00+08:00"
ENDS = ["0001-01-01T00:00:00+23:19", "9999-12-31T23:59:59-23:00"]


@pytest.mark.parametrize(
    ("path", "name", "moments", "years"),
    [
        ("/v1/dose-board", "as_of", ["0136-12-07T20:19+23:19", "1969-12-31T23:59Z", "2100-01-01T00:00Z", *ENDS],
         "1970 to 2099"),
        ("/v1/dose-board/packet", "as_of", ENDS, "1970 to 2099"),
        ("/v1/alerts", "since", ENDS, "2 to 9998"),
        ("/v1/deliveries", "since", ENDS, "2 to 9998"),
        ("/v1/on-duty", "at", ENDS, "2 to 9998"),
    ],
)  # fmt: skip
def test_a_moment_at_the_ends_of_all_time_is_a_refused_parameter(
    full: Full, path: str, name: str, moments: list[str], years: str
) -> None:
    for moment in moments:
        answer = full.by_person.get(path, params={name: moment})
        assert answer.status_code == 422
        [wrong] = answer.json()["errors"]
        assert wrong == {
            "pointer": f"/query/{name}", "problem": f"is of the year {int(moment[:4])}",
            "allowed": f"{A_TIME}, of the years {years}",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "name", "moment"),
    [
        ("/v1/dose-board", "as_of", "1970-01-01T00:00:00+14:00"),
        ("/v1/dose-board", "as_of", "2099-12-31T23:59:59-12:00"),
        ("/v1/alerts", "since", "0002-01-01T00:00:00+14:00"),
        ("/v1/alerts", "since", "9998-12-31T23:59:59-12:00"),
        ("/v1/on-duty", "at", "0002-01-01T00:00:00+14:00"),
        ("/v1/on-duty", "at", "9998-12-31T23:59:59-12:00"),
    ],
)
def test_the_first_and_the_last_moment_that_are_allowed_are_answered(
    full: Full, path: str, name: str, moment: str
) -> None:
    assert full.by_person.get(path, params={name: moment}).status_code == 200


@pytest.mark.parametrize(
    ("path", "wrong", "allowed"),
    [
        ("/v1/alerts?limit=x", "/query/limit", "a whole number"),
        ("/v1/alerts?limit=0", "/query/limit", "a number of 1 or more"),
        ("/v1/on-duty?days=93", "/query/days", "a number of 92 or less"),
        ("/v1/alerts?state=loud", "/query/state", "'open', 'acknowledged' or 'closed'"),
        ("/v1/alerts?since=2026-05-14T09:00", "/query/since", A_TIME),
        ("/v1/clocks?due_before=soon", "/query/due_before", "a date, such as 2026-05-14"),
        ("/v1/dlt?open=perhaps", "/query/open", "true or false"),
        ("/v1/dlt/x", "/path/dlt_id", "a UUID, such as 6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11"),
        ("/v1/terms", "/query/q", "one value: it must be given"),
        ("/v1/codings?study=" + "x" * 61, "/query/study", "text, at most 60 characters"),
    ],
)
def test_a_refused_parameter_says_what_is_allowed(full: Full, path: str, wrong: str, allowed: str) -> None:
    answer = full.by_person.get(path)
    assert answer.status_code == 422
    assert [(one["pointer"], one["allowed"]) for one in answer.json()["errors"]] == [(wrong, allowed)]
    assert not answer.json()["errors"][0]["problem"].startswith("Input")


def test_a_record_that_is_no_object_is_told_of_which_kinds_there_are(full: Full) -> None:
    [wrong] = full.by_key.post("/v1/doses", None).json()["errors"]
    assert wrong["allowed"] == "an object of the kind enrolment, infusion, product_event, withdrawal"


def test_a_case_page_is_answered_to_a_cookie_that_is_no_text(full: Full) -> None:
    answer = full.by_nobody.ask("GET", "/desk", headers={"cookie": f"{COOKIE}=\xff\xfe".encode("latin-1")})
    assert answer.status_code == 401


DATASET: dict[str, Any] = {"columns": [{"name": name} for name in ("STUDYID", "USUBJID", "AESEQ", "AETERM")]}
ROW = ["S", "S-1", 1, "rash"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "cannot be read as JSON"),
        (json.dumps({**DATASET, "rows": [["S", "S-1", 1, "\ud800"]]}), "row 1, AETERM holds half of a character"),
        (json.dumps({**DATASET, "rows": [["S", "S-1", 1, ["rash"]]]}), "row 1 is no list of single values"),
        (json.dumps({**DATASET, "rows": ["SAE!"]}), "row 1 is no list of single values"),
        (json.dumps({"columns": [{"name": 1}], "rows": [ROW]}), "has a variable whose name is no text"),
    ],
)
def test_a_data_set_that_is_json_and_yet_none_is_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "ae.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileWrong, match=said):
        read_ae(path)


@pytest.mark.parametrize("text", ["a = " + "[" * 5_000, "a = " + "9" * 5_000])
def test_toml_of_thousands_of_brackets_or_digits_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError, match="not TOML"):
        studies.read(path)
    with pytest.raises(Refused, match="this is no call plan"):
        call_plan_text.read(text)


def test_a_workbook_whose_parts_begin_before_the_file_does_is_refused_in_words(tmp_path: Path) -> None:
    whole = good("ctcae.xlsx")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.namelist()[0] == "xl/workbook.xml"
    path = tmp_path / "ctcae.xlsx"
    path.write_bytes(whole[150:])  # all that the table of contents names stands earlier than it says
    with pytest.raises(CriteriaError, match=r"is no readable \.xlsx file"):
        read_workbook(path)
