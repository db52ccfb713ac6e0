"""`tocsin demo`: an invented trial that plays itself on a rehearsal house of its own, and is checked as it goes."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from standalone.demo_deeds import Beat, Story
    from standalone.demo_house import Open
    from standalone.demo_stage import Stage

LASTS_S = 110.0
"""How long a story lasts at speed 1, with the start of its house beside it: about two minutes."""

DONE, NOT_AS_TOLD = 0, 1


def demo(
    speed: Annotated[float, typer.Option(min=0, help="So many times faster; 0: as fast as it goes.")] = 1.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 0,
    data: Annotated[
        Path | None, typer.Option(help="A new folder to keep it in.", show_default="a temporary one, taken away")
    ] = None,
    stay: Annotated[bool, typer.Option("--stay", help="Keep the house open after the end, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the end state as one JSON document.")] = False,
) -> None:
    """Play an invented dose escalation from the first infusion to a closed level, in about two minutes.

    Twelve subjects on three levels by the study file of NCT06223646, on a rehearsal house of its own: nothing reaches
    anybody. Each beat prints its date, what happens, and what the dose board says. Exit code 1 when the board does not
    say what the story says; it is told where. See docs/demo.md.

    Example: tocsin demo --speed 4

    Example: tocsin demo --speed 0 --json

    Example: tocsin demo --stay --port 8088 --data ./demo
    """
    from standalone.demo_story import STORY

    raise typer.Exit(run(STORY, data, Playing(speed=speed, stays=stay, as_json=as_json), port))


def run(story: Story, data: Path | None, playing: Playing, port: int = 0) -> int:
    """Play a story on a new house; the exit code. Without a folder it is played in one that is taken away again."""
    from standalone.demo_house import serve

    try:
        with tempfile.TemporaryDirectory(prefix="tocsin-demo-") if data is None else nullcontext(data) as folder:
            was_played = serve(Path(folder), port, story.begins_at, lambda house: playing.play(story, house))
    except KeyboardInterrupt:
        was_played = False
    if not was_played:
        print("Ended before the end of the story.", file=sys.stderr)
        return DONE
    return NOT_AS_TOLD if playing.differences else DONE


@dataclass
class Playing:
    """One playing of a story: at which pace, what is printed, and what was otherwise than told."""

    speed: float = 1.0
    stays: bool = False
    as_json: bool = False
    differences: list[str] = field(default_factory=list)

    def play(self, story: Story, house: Open) -> bool:
        """Play it all; whether it came to its end. What a beat finds otherwise is noted, and the story goes on."""
        from standalone.demo_house import STUDY
        from standalone.demo_stage import NotAsTold, Stage
        from standalone.progress import progress

        self._greet(house)
        stage = Stage(house.url, STUDY, house.cast)
        end: dict[str, Any] = {}
        try:
            with progress("the invented trial") as tell:
                if not self._beats(story, house, stage, tell):
                    return False
            end = self._end(story, stage)
        except NotAsTold as error:
            if house.pause(0):
                return False  # A house that was told to end refuses what comes: that is no part of the story.
            self.differences.append(str(error))
        finally:
            stage.close()
        self._close(end)
        if self.stays:
            self._say(f"The house stays open at {house.url} until Ctrl-C.")
            house.pause(float("inf"))
        return True

    def _beats(self, story: Story, house: Open, stage: Stage, tell: Callable[[int, int | None], None]) -> bool:
        share_s = LASTS_S / len(story.beats) / self.speed if self.speed else 0.0
        for number, beat in enumerate(story.beats, 1):
            began = time.monotonic()
            self._say(f"\n{_when(story, beat)}  {beat.said}")
            self._one(beat, stage)
            tell(number, len(story.beats))
            if house.pause(max(share_s - (time.monotonic() - began), 0.0)):
                return False
        return True

    def _one(self, beat: Beat, stage: Stage) -> None:
        from standalone.demo_board import differences, lines

        read = stage.play(beat)
        for line in lines(read.board, read.rang):
            self._say(f"            {line}")
        for said in differences(beat.then, read.stand):
            self._say(f"            NOT AS TOLD: {said}")
            self.differences.append(f"{beat.at[:16].replace('T', ' ')}: {said}")

    def _end(self, story: Story, stage: Stage) -> dict[str, Any]:
        from standalone.demo_board import end_differences

        end = stage.end_state()
        if story.end is not None:
            self.differences += [f"the end: {said}" for said in end_differences(story.end, end)]
        return end

    def _greet(self, house: Open) -> None:
        from standalone.demo_house import LOGIN

        self._say("EVERYTHING HERE IS INVENTED: subjects, events and the people who act. Nothing reaches anybody.")
        self._say(f"  house    {house.url}")
        self._say(f"  mailbox  {house.url}/mailbox")
        self._say(f"  login    name {LOGIN}, password {house.password}   (a demo login, for this house alone)")

    def _close(self, end: dict[str, Any]) -> None:
        if self.as_json:
            found = {"as_told": not self.differences, "differences": self.differences, "end": end}
            print(json.dumps(found, ensure_ascii=False, indent=2), flush=True)
            return
        self._say("")
        for level, said in end.get("levels", {}).items():
            self._say(f"{level}  {said}")
        if self.differences:
            self._say("The trial did not go as the story tells:")
            for one in self.differences:
                self._say(f"  {one}")
        else:
            self._say("The trial ended as the story tells.")

    def _say(self, text: str) -> None:
        if not self.as_json:
            print(text, flush=True)


def _when(story: Story, beat: Beat) -> str:
    day = story.day_of(beat)
    who = beat.subject if day is None else f"{beat.subject} day {day}"
    return beat.at[:10] + (f"  {who}:" if who else "")
