"""A rehearsal's folder and its time: which folders may hold one, what stands in its mark, and the clock that stands.

A folder is marked before anything else is written into it, and the mark says where time stands. A folder with a mark
never holds a real house, a folder without one never a rehearsal: `begin` and `refuse` are the two doors. Nothing here
is a setting, so nothing can switch it on in a house that holds real cases.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tocsin.errors import SettingsError
from tocsin.now import Now, wall

if TYPE_CHECKING:
    from tocsin.settings import Settings

MARK = "rehearsal.json"
ALLOWED = "a date and time with its offset from UTC, such as 2026-03-01T09:00+08:00"
_OF_A_HOUSE = ("*.db", "*.db-wal", "mailbox", "signing.key")


class Unreadable(ValueError):
    """A text that is no instant; says what is wrong with it."""


class Standing:
    """A clock that stands until it is moved, forward only. `keep` is called before anybody sees the new time."""

    def __init__(self, at: datetime, keep: Callable[[datetime], None]) -> None:
        self._at = at
        self._keep = keep

    def __call__(self) -> datetime:
        """Where time stands, UTC."""
        return self._at

    def move(self, to: datetime) -> None:
        """Let time stand there. What is kept is never behind what was stamped: it is written first."""
        if to < self._at:
            raise ValueError(f"time stands at {shown(self._at)} and moves forward only, not to {shown(to)}")
        self._keep(to)
        self._at = to


def instant(text: str) -> datetime:
    """An instant with its offset, as UTC. Raises Unreadable."""
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            raise Unreadable("has no offset from UTC, so it could be any hour of the world")
        return found.astimezone(UTC)
    except Unreadable:
        raise
    except (ValueError, OverflowError):
        raise Unreadable("is no date and time that can be read") from None


def shown(at: datetime) -> str:
    """An instant as the API writes it: `2026-03-01T01:00:00Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def must_stay_here(settings: Settings) -> None:
    """A rehearsal keeps everything in its folder and reaches nobody beyond this machine. SettingsError otherwise."""
    from tocsin.cautions import is_loopback

    log = Path(settings.bus.removeprefix("embedded:"))
    if not settings.bus.startswith("embedded:") or log.absolute().parent.resolve() != settings.data.resolve():
        raise SettingsError(
            f"TOCSIN_BUS names a log outside the data folder {settings.data.absolute()}: a rehearsal keeps everything "
            "in its folder, so that it never touches real messages. Empty TOCSIN_BUS"
        )
    if settings.smtp_url is not None and not is_loopback(urlsplit(settings.smtp_url.get_secret_value()).hostname):
        raise SettingsError(
            "TOCSIN_SMTP_URL names a mail server beyond this machine: a rehearsal reaches nobody. Allowed is one at "
            "127.0.0.1, ::1 or localhost that catches mail, such as Mailpit, or none: mail then goes to the mailbox "
            "folder"
        )


def cautions(settings: Settings) -> list[str]:
    """What is legal but harmful about a rehearsal's settings."""
    from tocsin.cautions import is_loopback

    found = []
    if settings.smtp_url is not None:
        found.append(
            "Mail of this rehearsal goes to the mail server on this machine. If that server sends it on, the people "
            "in the study file are rung by an exercise: let it be one that only catches mail, such as Mailpit."
        )
    if not is_loopback(settings.host):
        found.append(
            f"This rehearsal listens on {settings.host}: people of other machines may open its pages and post to it. "
            "Its mail and webhooks still reach nobody beyond this machine."
        )
    return found


def in_words(settings: Settings, clock: Standing) -> list[str]:
    """What the terminal says of a rehearsal."""
    return [
        "",
        f"REHEARSAL: every case here is invented. Time stands at {shown(clock())} and moves only by",
        f"  POST {settings.public_url}/v1/rehearsal/now",
    ]


def begin(folder: Path, at: str | None) -> Standing:
    """Mark a new folder, or take up one that was marked, and answer its time.

    `at` is where time stands at the first start (without it, the machine's present second). Later it may lie ahead:
    then the house was away in between, and rings at once for all it owes. SettingsError for a folder that holds a real
    house, a time that cannot be read, and one that lies behind.
    """
    try:
        asked = None if at is None else instant(at)
    except Unreadable as wrong:
        raise SettingsError(f"--at {at} {wrong}; allowed is {ALLOWED}") from None
    reached = reached_in(folder)
    if reached is None:
        if found := sorted(path.name for pattern in _OF_A_HOUSE for path in folder.glob(pattern)):
            raise SettingsError(
                f"{folder} holds a house that is no rehearsal ({', '.join(found)}), perhaps with real cases: nothing "
                "was touched. Name a new or empty folder with --data"
            )
        reached = asked or wall().replace(microsecond=0)
        _keep(folder, reached)
    if asked is not None and asked < reached:
        raise SettingsError(
            f"--at {at} lies behind: in {folder} time stands at {shown(reached)} and moves forward only. Leave --at "
            "out to go on from there, or name a new folder with --data to begin anew"
        )
    clock = Standing(reached, lambda to: _keep(folder, to))
    if asked is not None and asked > reached:
        clock.move(asked)
    return clock


def refuse(settings: Settings) -> None:
    """A house that is no rehearsal has no business in a rehearsal's folder. SettingsError if it is led into one."""
    places = [settings.data.absolute()]
    if settings.bus.startswith("embedded:"):
        places.append(Path(settings.bus.removeprefix("embedded:")).absolute().parent)
    for folder in places:
        if (folder / MARK).exists():
            raise SettingsError(
                f"{folder} is the folder of a rehearsal: its cases are invented, and real ones must never stand among "
                "them. Name another folder with --data, or go on rehearsing with `tocsin up --rehearsal`"
            )


def reached_in(folder: Path) -> datetime | None:
    """Where time stands in a rehearsal's folder, UTC; None for a folder without the mark. SettingsError if damaged."""
    path = folder / MARK
    try:
        return instant(json.loads(path.read_text("utf-8"))["now"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise SettingsError(
            f"{path} marks a rehearsal but cannot be read; it must look like "
            '{"rehearsal": true, "now": "2026-03-01T01:00:00Z"}, or name a new folder with --data'
        ) from None


def time_of(settings: Settings) -> Now:
    """The time of the house on this folder, for commands beside it: that of a rehearsal where it stands."""
    folder = settings.data.absolute()
    return lambda: reached_in(folder) or wall()


def _keep(folder: Path, at: datetime) -> None:
    from tocsin.whole_file import whole_file

    with whole_file(folder / MARK, "utf-8") as file:
        json.dump({"rehearsal": True, "now": shown(at)}, file)
