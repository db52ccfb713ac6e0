"""`tocsin reconcile` beside a running house: the list goes in, the differences come out and are asked of the site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from standalone.posting import Desk, NotOurs
from tests.standalone.processes import tocsin
from tests.support.shapes import Shape, one_process, wait_until
from tocsin.errors import Refused

PASSWORD = "a long and private sentence"
STUDY = ("--study", "NCT06223646", "--source", "EDC")
LIST = "USUBJID,AETERM,AESTDTC,AESER,AESDTH,AEOUT\n"
OURS = 'S01-001,"pneumonia",2026-03-01,Y,N,NOT RECOVERED/NOT RESOLVED\n'
DEAD = "S01-002,found dead at home,2026-03-02,Y,Y,FATAL\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shape]:
    shape = one_process(tmp_path_factory.mktemp("house"))
    try:
        shape.start()
        shape.person("wu", PASSWORD, "safety_team")
        yield shape
    finally:
        shape.end()


@pytest.fixture(scope="module")
def site(house: Shape) -> Iterator[httpx.Client]:
    """A site that has reported one serious event, which alerting has read."""
    headers = {"Authorization": f"Bearer {house.key('NCT06223646', 'S01')}"}
    with httpx.Client(base_url=house.intake, headers=headers, trust_env=False) as client:
        event = {
            "verbatim": "pneumonia", "onset": "2026-03-01", "serious": True, "seriousness": ["hospitalisation"],
            "outcome": "not_recovered",
        }  # fmt: skip
        assert client.post("/v1/reports", json={"subject": "S01-001", "events": [event]}).status_code == 201
        with Desk(house.alerting) as desk:
            desk.sign_in("wu", PASSWORD)
            token = desk._client.headers["Authorization"]

        def is_read() -> bool:
            answer = httpx.get(f"{house.alerting}/v1/subjects/S01-001", headers={"Authorization": token})
            return answer.status_code == 200

        wait_until(is_read, "alerting has read the report")
        yield client


def reconciled(house: Shape, file: Path, *more: str, stdin: str = PASSWORD + "\n") -> Any:
    login = ("--login", "wu") if "--token" not in more else ()
    return tocsin("reconcile", str(file), *STUDY, "--url", house.alerting, *login, *more, stdin=stdin)


def a_list(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "sae.csv"
    file.write_text(text, encoding)
    return file


def test_a_list_that_agrees_is_kept_and_ends_with_0(house: Shape, site: httpx.Client, tmp_path: Path) -> None:
    done = reconciled(house, a_list(tmp_path, LIST + OURS), "--site", "S01")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sae.csv, EDC, NCT06223646, S01: 1 rows, 1 agree\nkept as ")


def test_differences_end_with_1_and_stand_before_the_site_which_answers_them(
    house: Shape, site: httpx.Client, tmp_path: Path
) -> None:
    file = a_list(tmp_path, LIST + DEAD)
    done = reconciled(house, file, "--json")
    assert done.returncode == 1
    made = json.loads(done.stdout)
    assert [(d["kind"], d["field"], d["unheard_death"]) for d in made["differences"]] == [
        ("not_ours", "death", True), ("not_theirs", "event", False),
    ]  # fmt: skip
    wanted = {d["query_id"] for d in made["differences"]}

    def asked() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = site.get("/v1/queries?status=open&limit=500").json()["queries"]
        return [query for query in found if query["query_id"] in wanted]

    wait_until(lambda: len(asked()) == 2, "the site sees what is asked")
    for query in asked():
        answer = site.post(f"/v1/queries/{query['query_id']}/answers", json={"statement": "entered today"})
        assert answer.status_code == 201, answer.text
    assert asked() == []
    table = reconciled(house, file)
    assert table.returncode == 1
    assert "2 differences, each asked of its site" in table.stdout
    assert "not ours: death" in table.stdout


def test_a_chinese_list_as_excel_saves_it_is_read(house: Shape, site: httpx.Client, tmp_path: Path) -> None:
    file = a_list(tmp_path, "受试者编号,不良事件名称,发生日期\nS01-001,肺炎,2026年3月1日\n", "gb18030")
    done = reconciled(house, file, "--site", "S01", "--json")
    assert [d["field"] for d in json.loads(done.stdout)["differences"]] == ["term"]


def test_a_list_that_cannot_be_understood_names_each_place(house: Shape, site: httpx.Client, tmp_path: Path) -> None:
    done = reconciled(house, a_list(tmp_path, LIST + "S02-001,fever,05/06/2026,Y,N,\n"), "--site", "S01")
    assert done.returncode == 1
    assert "/rows/1/subject: 'S02-001' is not of site S01; allowed is subjects of site S01" in done.stderr
    assert "/rows/1/onset: '05/06/2026' is not a date as CDISC writes them; allowed is " in done.stderr


@pytest.mark.parametrize("more", [(), ("--token", "t", "--login", "wu")])
def test_asking_wrongly_ends_with_2(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = tocsin("reconcile", str(a_list(tmp_path, LIST)), *STUDY, "--url", "http://127.0.0.1:9", *more)
    assert done.returncode == 2
    assert "give one of --token and --login" in done.stderr


def test_a_wrong_password_a_wrong_address_and_a_missing_file_say_so(house: Shape, tmp_path: Path) -> None:
    file = a_list(tmp_path, LIST)
    wrong = reconciled(house, file, stdin="not this one\n")
    assert (wrong.returncode, "password" in wrong.stderr or "name" in wrong.stderr) == (1, True)
    away = tocsin("reconcile", str(file), *STUDY, "--url", "http://127.0.0.1:9", "--token", "t")
    assert (away.returncode, "does not answer" in away.stderr) == (1, True)
    nothing = tocsin("reconcile", str(tmp_path / "none.csv"), *STUDY, "--url", house.alerting, "--token", "t")
    assert (nothing.returncode, "no such file" in nothing.stderr) == (2, True)


def test_what_is_no_tocsin_is_told_apart_from_a_refusal() -> None:
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with Desk("http://tocsin.test", "t", transport=page) as desk, pytest.raises(NotOurs, match="no Tocsin is there"):
        desk.send_list("", {})
    problem = {"title": "no", "errors": [{"pointer": "/rows/1", "problem": "has 2 cells", "allowed": "3"}]}
    refusal = httpx.MockTransport(lambda _: httpx.Response(422, json=problem))
    with Desk("http://tocsin.test", "t", transport=refusal) as desk, pytest.raises(Refused) as refused:
        desk.send_list("", {})
    assert [(w.pointer, w.problem, w.allowed) for w in refused.value.wrong] == [("/rows/1", "has 2 cells", "3")]
