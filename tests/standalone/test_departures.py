"""A study that departs from the stated defaults says so aloud: at each start, and to whoever asks `tocsin doctor`."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from standalone.study_files import default_studies
from tests.standalone.processes import House, tocsin

KQ2003 = next(path for path in default_studies() if path.stem == "nct06223646")
SAID = "NCT06223646: 2 people must sign to cancel or downgrade a clock: the default is 1"
LONGER = (
    "NCT06223646: CN_FU_15D allows 20 days: Tocsin's rule allows 15 (CDE safety data rapid reporting standard (2018))"
)
OWN = """profile = "CN"
zone = "Asia/Shanghai"

[[rule]]
id = "CN_FU_15D"
recipient = "CDE"
trigger = "significant_follow_up"
days = 20
valid_from = 2018-05-01
clause = "our agreement with the CDE"
text = "new information within 20 days of its receipt"
confidence = "low"
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    lines = '\n[clocks]\nrules = ["rules/own.toml"]\nsignatures_to_close = 2\n'
    path.write_text(KQ2003.read_text("utf-8").replace("\n[clocks]\n", lines), "utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.toml").write_text(OWN, "utf-8")
    return path


def test_the_whole_house_says_it_at_start(study: Path, tmp_path: Path) -> None:
    words = ["up", "--data", str(tmp_path / "data"), "--port", "0", "--study", str(study)]
    house = House.start(words, tmp_path, "Tocsin is ready at")
    try:
        said = house.err.read_text()
    finally:
        house.kill()
    assert f"Caution: {SAID}\n" in said
    assert f"Caution: {LONGER}\n" in said


def test_one_service_says_it_at_start(study: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        # Its port is taken, so that it ends at once; what it has to say comes before.
        ended = tocsin(
            "serve", "intake", TOCSIN_DATA=str(tmp_path / "data"), TOCSIN_PORT=str(taken.getsockname()[1]),
            TOCSIN_SIGNING_KEY="a-signing-key-for-tests-0123456789", TOCSIN_STUDIES=str(study),
        )  # fmt: skip
    assert ended.returncode != 0
    assert f"Caution: {SAID}\n" in ended.stderr


def test_the_doctor_lists_it_as_a_caution(study: Path, tmp_path: Path) -> None:
    told = tocsin("doctor", "--json", "--data", str(tmp_path / "data"), TOCSIN_STUDIES=str(study))
    found = [one["found"] for one in json.loads(told.stdout)["findings"] if one["about"] == "studies"]
    assert found[0] == "NCT06223646"
    assert found[1:] == ["NCT06223646: rests on assumptions", SAID, LONGER]


def test_a_wrong_rule_file_stops_the_start_with_its_place(study: Path, tmp_path: Path) -> None:
    own = tmp_path / "rules" / "own.toml"
    own.write_text(OWN.replace("days = 20", "days = 0"), "utf-8")
    refused = tocsin("up", "--data", str(tmp_path / "data"), "--port", "0", "--study", str(study))
    assert refused.returncode == 1
    assert f"{own}: rule 1 (CN_FU_15D): the limit is 0; allowed is a whole number from 1 to 366 days" in refused.stderr
