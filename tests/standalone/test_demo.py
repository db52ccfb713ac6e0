"""`tocsin demo`, as a process: the story plays itself to its end, a broken one is named, nothing is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from standalone import rehearsal
from standalone.demo_board import differences, end_differences
from standalone.demo_deeds import At, Beat, Stand, Story, Told
from standalone.demo_story import STORY
from tests.docs.pages import ROOT
from tests.standalone.processes import environment, status, tocsin

SHORT = """
import sys
from dataclasses import replace
from standalone.demo import Playing, run
from standalone.demo_deeds import At, Stand
from standalone.demo_story import STORY

one, two = STORY.beats[:2]
{change}
story = replace(STORY, beats=(one, two), end={end})
playing = Playing(speed=0, stays={stays})
code = run(story, None, playing)
print(*playing.differences, sep="\\n", file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the demo puts its temporary folder, so that a test sees whether one is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def short(temporary: Path, *, change: str = "", end: str = "None", stays: bool = False) -> subprocess.Popen[str]:
    """The first two beats alone, as a process. `change`: what is done to the story before; `end`: as it tells it."""
    return started([sys.executable, "-c", SHORT.format(change=change, end=end, stays=stays)], temporary)


def started(words: list[str], temporary: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(TMPDIR=str(temporary)), start_new_session=True,
    )  # fmt: skip


def read_until(process: subprocess.Popen[str], true: Callable[[str], bool]) -> list[str]:
    """The lines that it says up to the first of which this is true."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if true(line):
            return said
    raise AssertionError("".join(said))


def is_anybody_left(process: subprocess.Popen[str]) -> bool:
    """Whether anything of its process group still lives."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.rule("interfaces.md: tocsin demo")
def test_the_invented_trial_plays_itself_and_ends_in_the_state_that_the_story_says(temporary: Path) -> None:
    began = time.monotonic()
    process = started([sys.executable, "-m", "standalone", "demo", "--speed", "0", "--json"], temporary)
    out, err = process.communicate(timeout=170)
    found = json.loads(out)
    assert (process.returncode, found["as_told"], found["differences"]) == (0, True, []), err
    end = found["end"]
    assert end == STORY.end
    assert end["levels"] == {
        "DL1": "4 evaluable, 0 DLT, 0 pending, 0 replaced: CONTINUE_COHORT, at DL1",
        "DL2": "6 evaluable, 2 DLT (S01-003, S02-004), 0 pending, 1 replaced: DE_ESCALATE, to DL1",
        "DL3": "1 evaluable, 0 DLT, 0 pending, 0 replaced: DE_ESCALATE, to DL1",
    }
    assert end["holds"]["second_dlt:DL2"] == "closes DL2, DL3; known to S01, S02, cell_lab"
    assert end["verdicts"]["S01-003 ICANS grade 4"] == "CONFIRMED by DLT-04, signed"
    assert end["verdicts"]["S02-004 Cytokine release syndrome"] == "CONFIRMED by DLT-03, signed"
    assert not is_anybody_left(process)
    assert list(temporary.iterdir()) == []
    assert time.monotonic() - began < 150, "well under 60 s on a machine that does nothing else"


@pytest.mark.rule("interfaces.md: tocsin demo")
def test_a_story_that_the_board_does_not_bear_out_ends_with_1_and_says_where(temporary: Path) -> None:
    change = 'two = replace(two, then=Stand((At("DL1", 1, 0, 0, "ESCALATE"),), None, rang=("fatal",)))'
    out, err = (process := short(temporary, change=change, end='{"today": "2026-03-06"}')).communicate(timeout=100)
    assert process.returncode == 1
    assert "the end: today should be 2026-03-06 and is 2026-03-05\n" in err
    assert (
        "2026-03-05 17:00: DL1 should be 1 evaluable, 0 pending, 0 DLT, ESCALATE and is 0 evaluable, 1 pending" in err
    )
    assert "2026-03-05 17:00: the next infusion should be at nothing, not DL1" in err
    assert "2026-03-05 17:00: there should have rung fatal, not nothing" in err
    assert "The trial did not go as the story tells:" in out
    assert "\x1b" not in out, "plain lines in a pipe"


def test_a_deed_that_the_house_refuses_ends_the_story_with_1_and_the_answer(temporary: Path) -> None:
    change = """
from standalone.demo_deeds import Reviewed
two = replace(two, deeds=(Reviewed("DL2", "far too early"),))
"""
    _, err = (process := short(temporary, change=change)).communicate(timeout=100)
    assert process.returncode == 1
    assert "decisions was refused, where the story goes on" in err
    assert "DL1 does not go up" in err


def test_each_beat_tells_its_date_and_day_then_the_board(temporary: Path) -> None:
    out, err = (process := short(temporary)).communicate(timeout=100)
    assert (process.returncode, err) == (0, "\n")
    assert out.startswith("EVERYTHING HERE IS INVENTED")
    assert re.search(r"login    name demo, password \S{12,}   \(a demo login, for this house alone\)\n", out)
    assert (
        "2026-03-05  S01-001 day 3:  Fever since six: CRS of grade 2, tocilizumab is given.\n"
        "            DL1 0 evaluable, 0 DLT, 1 pending: WAIT\n"
        "            next infusion: DL1, held by stagger:DL1 until 2026-03-30\n"
    ) in out


@pytest.mark.parametrize("speed", ["1", "0"], ids=["between two beats", "while time moves"])
def test_ctrl_c_in_the_middle_ends_it_at_once_and_leaves_nothing(temporary: Path, speed: str) -> None:
    process = started([sys.executable, "-m", "standalone", "demo", "--speed", speed], temporary)
    read_until(process, lambda line: "next infusion" in line)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "Ended before the end of the story.\n"), out
    assert time.monotonic() - began < 10
    assert "Traceback" not in out
    assert list(temporary.iterdir()) == []
    assert not is_anybody_left(process)


def test_with_stay_the_house_is_open_after_the_end_until_ctrl_c(temporary: Path) -> None:
    process = short(temporary, stays=True)
    said = read_until(process, lambda line: "stays open" in line)
    url = next(line.split()[-1] for line in said if line.startswith("  house"))
    assert status(f"{url}/health") == 200
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert list(temporary.iterdir()) == []
    assert not is_anybody_left(process)


def test_a_folder_that_was_played_in_is_refused_and_a_real_house_is_not_touched(tmp_path: Path) -> None:
    rehearsal.begin(tmp_path, "2026-03-02T08:00+08:00")
    answer = tocsin("demo", "--data", str(tmp_path))
    assert answer.returncode == 2
    assert f"tocsin up --rehearsal --data {tmp_path}" in answer.stderr
    real = tmp_path / "real"
    real.mkdir()
    (real / "intake.db").touch()
    answer = tocsin("demo", "--data", str(real))
    assert answer.returncode == 2
    assert "holds a house that is no rehearsal" in answer.stderr


def test_the_story_has_what_it_promises() -> None:
    infusions = [
        (body["subject"], body["level"], body["started_at"][:10])
        for beat in STORY.beats
        for deed in beat.deeds
        if isinstance(deed, Told) and (body := deed.body).get("kind") == "infusion"
    ]
    assert len({subject for subject, _, _ in infusions}) == 12
    assert {level: [at for _, at, _ in infusions].count(level) for level in ("DL1", "DL2", "DL3")} == {
        "DL1": 4, "DL2": 7, "DL3": 1,
    }  # fmt: skip
    times = [datetime.fromisoformat(beat.at) for beat in STORY.beats]
    assert times == sorted(times)
    assert timedelta(days=210) < times[-1] - times[0] < timedelta(days=250)
    assert not [beat for beat in STORY.beats if "infusion_against_hold" in beat.then.rang]


def test_the_page_tells_the_same_story_as_the_code() -> None:
    told = [row for row in (ROOT / "docs" / "demo.md").read_text("utf-8").splitlines() if row.startswith("| 2026-")]
    assert told == [row_of(STORY, beat) for beat in STORY.beats]


def row_of(story: Story, beat: Beat) -> str:
    """A beat as the page has it."""
    day = story.day_of(beat)
    who = "" if beat.subject is None else beat.subject if day is None else f"{beat.subject} day {day}"
    board = "; ".join(
        f"{at.level} {at.dlt}/{at.evaluable}{f' +{at.pending}' if at.pending else ''} {at.decision}"
        for at in beat.then.levels
    )
    rang = ", ".join(kind.replace("_", " ") for kind in beat.then.rang)
    return f"| {beat.at[:10]} | {who} | {beat.said} | {board} | {beat.then.next or ''} | {rang} |"


def test_a_difference_is_said_in_a_sentence() -> None:
    wanted = Stand((At("DL1", 3, 0, 0, "ESCALATE"), At("DL2", 0, 1, 0, "WAIT")), "DL2", ("stagger:DL2",))
    assert differences(wanted, wanted) == []
    assert differences(wanted, replace(wanted, levels=wanted.levels[:1], held_by=())) == [
        "DL2 should be 0 evaluable, 1 pending, 0 DLT, WAIT and is nothing",
        "it should be held by stagger:DL2, not nothing",
    ]
    assert end_differences({"levels": {"DL1": "a"}, "mtd": None}, {"levels": {"DL1": "b"}, "mtd": None}) == [
        "levels, DL1 should be a and is b"
    ]
    assert end_differences({"holds": {}}, {"holds": {"death:1": "stops all"}}) == [
        "holds, death:1 should be nothing and is stops all"
    ]
