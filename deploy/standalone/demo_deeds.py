"""What a story is made of: beats, what people do in them, and what the dose board must say afterwards. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a site posts that is no report: a dose record or observations. `path`: v1/doses or v1/observations."""

    site: str
    path: str
    body: Body


@dataclass(frozen=True, slots=True)
class Reported:
    """A site's first report of one event. The story calls the case by `name`."""

    name: str
    site: str
    body: Body


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """What the site tells later of the event of a case."""

    name: str
    site: str
    body: Body


@dataclass(frozen=True, slots=True)
class Looked:
    """A safety physician signs the medical review of a case."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The safety team enters that a case was sent, for the clocks of these rules."""

    name: str
    kind: Literal["initial", "follow_up"]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A safety physician signs what the event of a case is."""

    name: str
    decision: Literal["CONFIRMED", "REJECTED"]
    reason: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The committee signs the review that opens a level."""

    opens: str
    reason: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A site or the cell lab says that it knows of a hold. `told_by`: who said so on the telephone."""

    key: str
    party: str
    told_by: str | None = None


OfASite = Told | Reported | FollowedUp
OfAPerson = Looked | Sent | Signed | Reviewed | Confirmed
Deed = OfASite | OfAPerson


@dataclass(frozen=True, slots=True)
class At:
    """One level in use: how many count in its table, are waited for, and had a DLT; and the decision."""

    level: str
    evaluable: int
    pending: int
    dlt: int
    decision: str


@dataclass(frozen=True, slots=True)
class Stand:
    """What the board must say. `next`: the level of the next infusion, None: nobody may be infused.

    `held_by`: the holds that stand against it. `rang`: the kinds of alerts since the beat before, each once, sorted.
    """

    levels: tuple[At, ...]
    next: str | None
    held_by: tuple[str, ...] = ()
    rang: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beat:
    """One moment of the story. `at`: local time in Beijing, with its offset. `subject`: whom it is about."""

    at: str
    said: str
    deeds: Sequence[Deed]
    then: Stand
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A story from its first moment to its end.

    `end` is what `demo_board.end_state` must answer, written by hand; None: the story leaves its end open.
    """

    begins_at: str
    beats: tuple[Beat, ...]
    end: Mapping[str, Any] | None = None

    def day_of(self, beat: Beat) -> int | None:
        """The study day of the subject of a beat: 0 is the day of infusion. None before it, and without a subject."""
        started = next((day for subject, day in self._infusions() if subject == beat.subject), None)
        if started is None:
            return None
        day = (date.fromisoformat(beat.at[:10]) - date.fromisoformat(started)).days
        return day if day >= 0 else None

    def _infusions(self) -> list[tuple[str, str]]:
        told = [deed.body for beat in self.beats for deed in beat.deeds if isinstance(deed, Told)]
        return [(body["subject"], body["started_at"][:10]) for body in told if body.get("kind") == "infusion"]
