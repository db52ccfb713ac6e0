"""What the coding page says in words: how long, how serious, what was done, and what each wrong place is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from meddra_coder.proposals import CodingProposal
from meddra_coder.tally import Tally
from tocsin.errors import Refused, Wrong

SERIOUS: Final[Mapping[str, tuple[str, str, str]]] = {
    "yes": ("Serious", "warn", "warn"),
    "unknown": ("Seriousness not told", "dash", ""),
    "no": ("Not serious", "", ""),
}
"""Of each answer: the words, the tone and the sign of its chip."""

SAID: Final[Mapping[str, str]] = {
    "coded": "{event} is coded as {term} now.",
    "proposed": "Your proposal for {event} waits for another person.",
    "asked": "{site} was asked about {event}. It goes on waiting here until the site answers.",
    "undone": "The decision on {event} was taken back. The coding before it counts again.",
    "approved": "{event} is coded as {term} now, as was proposed.",
    "refused": "The proposal for {event} was refused. Its coding is as it was.",
    "synonym-approved": "The synonym was approved. It counts for new reports.",
    "synonym-refused": "The proposed synonym was refused.",
}
"""By code, as the address of the page carries it: never a text from the address."""

SYNONYM: Final[Mapping[str, str]] = {
    "approved": " Its words are a synonym from now on.",
    "proposed": " The synonym waits for another person.",
}

_FIELDS: Final[Mapping[str, str]] = {
    "llt_code": "The term", "reason": "The note", "synonym": "The synonym", "synonym_phrase": "The synonym",
    "phrase": "The synonym", "question": "The question", "parts": "The parts", "revision": "The revision",
    "event_id": "The event", "undo": "The undo", "approve": "The proposal",
}  # fmt: skip


def heading(waiting: int) -> str:
    """The question of the page, answered."""
    if waiting == 0:
        return "No term waits for review"
    return "1 term to review" if waiting == 1 else f"{waiting} terms to review"


def below(tally: Tally, waiting: int) -> str:
    """What stands behind the number. An event with a proposal may be coded already, so it is counted for itself."""
    if tally.events == 0:
        return "No event has come yet."
    said = [f"The coder was sure of {tally.by_machine} of {_terms(tally.events)}."]
    if tally.by_person:
        said.append(f"People decided {tally.by_person}.")
    if waiting:
        said.append("This one needs a person." if waiting == 1 else f"These {waiting} need a person.")
        said.append("Alarms don’t wait for this queue.")
    return " ".join(said)


def age(much: timedelta) -> str:
    """How long something has waited, in its largest unit."""
    minutes = max(int(much.total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time as the page writes it."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def why(reasons: Sequence[str], proposal: CodingProposal | None, parts: int, me: str) -> str:
    """In one line, why an event waits."""
    if proposal is not None:
        return (
            "You proposed; another person answers"
            if proposal.by == me
            else f"Proposed by {proposal.by}, needs a second person"
        )
    if parts > 1:
        return f"{parts} events in one line"
    said = reasons[0] if reasons else "No reason is kept"
    return said[:1].upper() + said[1:]


def wrongs(refusal: Refused) -> list[str]:
    """Each wrong place of a refusal as a sentence, with what is allowed."""
    return [_wrong(one) for one in refusal.wrong]


def marked(refusal: Refused | None) -> frozenset[str]:
    """The fields that are wrong."""
    found = frozenset(_field(one) for one in refusal.wrong) if refusal is not None else frozenset()
    return found | ({"synonym_phrase"} if found & {"phrase", "synonym"} else frozenset())


def _field(wrong: Wrong) -> str:
    return wrong.pointer.strip("/").partition("/")[0]


def _wrong(wrong: Wrong) -> str:
    name = _FIELDS.get(_field(wrong), "")
    said = f"{name}: {wrong.problem}" if name else wrong.problem[:1].upper() + wrong.problem[1:]
    return f"{said}. Allowed: {wrong.allowed}." if wrong.allowed else f"{said}."


def _terms(number: int) -> str:
    return "1 term" if number == 1 else f"{number} terms"
