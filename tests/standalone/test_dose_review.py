"""`tocsin dose-review`: the bytes of the call, as a file, whole or not at all, beside a house that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.alerting.desk import Desk
from tests.alerting.test_packet import dosing, facts
from tests.alerting.ward import NOON, Ward
from tests.standalone.processes import tocsin

STUDY = "NCT06223646"
NAME = "dose-review_NCT06223646_2026-05-14T1200.html"
AT = "2026-05-14T12:00+08:00"
assert NOON.isoformat() == "2026-05-14T04:00:00+00:00"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """A house that is running while the command reads its database."""
    with dosing(tmp_path_factory.mktemp("data"), *facts()) as found:
        yield found


def review(house: Ward, out: Path, *more: str, study: str = STUDY, **environment: str) -> CompletedProcess[str]:
    words = ("dose-review", "--data", str(house.folder), "--study", study, "--out", str(out), *more)
    return tocsin(*words, **environment)


@pytest.mark.rule("promise: the same facts and the same cut give the same packet")
def test_the_command_writes_the_bytes_of_the_call_and_prints_its_hash(house: Ward, tmp_path: Path) -> None:
    answer = Desk(house).ask("GET", "/v1/dose-board/packet", by="committee")
    done = review(house, tmp_path, "--at", AT, PYTHONHASHSEED="7")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == answer.content
    assert done.stdout == f"{answer.headers['etag'].strip(chr(34))}  {tmp_path / NAME}\n"
    again = review(house, tmp_path, "--at", "2026-05-14T04:00Z", "--json", PYTHONHASHSEED="8")
    assert json.loads(again.stdout) == {"file": str(tmp_path / NAME), "sha256": done.stdout.split()[0]}


def test_a_packet_that_is_there_with_other_content_is_never_replaced(house: Ward, tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("as it was reviewed")
    done = review(house, tmp_path, "--at", AT)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{NAME} is there with other content" in done.stderr
    assert (tmp_path / NAME).read_text() == "as it was reviewed"


@pytest.mark.parametrize(
    ("more", "study", "code", "said"),
    [
        (("--at", "2026-05-14T11:59+08:00"), STUDY, 1, "this data cut cannot be made any more"),
        (("--at", "2999-01-01T00:00Z"), STUDY, 1, "still to come"),
        (("--at", "yesterday"), STUDY, 2, "is no date and time that can be read"),
        (("--at", "2026-05-14T12:00"), STUDY, 2, "has no offset from UTC"),
        ((), "NCT1", 2, "no study 'NCT1'"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_written(
    house: Ward, tmp_path: Path, more: tuple[str, ...], study: str, code: int, said: str
) -> None:
    done = review(house, tmp_path, *more, study=study)
    assert done.returncode == code
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_not_made(house: Ward, tmp_path: Path) -> None:
    done = review(house, tmp_path / "reviews")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such folder" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_in_the_folder_of_a_rehearsal_time_stands_where_it_stands_and_the_file_says_so(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    out.mkdir()
    with dosing(data, *facts()) as house:
        (data / "rehearsal.json").write_text(json.dumps({"rehearsal": True, "now": "2026-05-14T04:00:00Z"}))
        done = review(house, out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "REHEARSAL. Every case in this file is invented." in (out / NAME).read_text("utf-8")
