"""What becomes of a study's codings when it moves to another version of the dictionary, event by event. Pure.

A code that is current in the new version stays, with its new place in the hierarchy. One that is gone or no longer
current is coded anew where the machine gave it and is sure again; otherwise a person decides. What waits is tried
again.
Where the machine would choose another term now, it is said; it is taken only for the machine's own codings, and only
where the decision says so.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, Field

from meddra_coder.coder import Coder
from meddra_coder.coding import Coding, Status, code_events
from meddra_coder.dictionary import DictionaryTerm
from meddra_coder.thesaurus import Approved
from tocsin.messages.bodies import CodedEvent


class CodeChange(StrEnum):
    """What the new version makes of the code of an event."""

    SAME = "same"
    RENAMED = "renamed"
    """The same code with another name."""
    MOVED = "moved"
    """The same code under another preferred term or system organ class, or another level between."""
    NOT_CURRENT = "not_current"
    """The code is kept, and not to be used any more."""
    GONE = "gone"
    """The new version has no such code."""
    UNCODED = "uncoded"
    """The event has no code: it waits for a person."""


class AfterMove(StrEnum):
    """What applying the version does to an event."""

    STAYS = "stays"
    CODED = "coded"
    """The machine codes it, and is sure."""
    WAITS = "waits"
    """A person has to decide."""


class Suggestion(BaseModel):
    """A term that the machine is sure of in the new version."""

    code: str
    term: str
    why: str


class ImpactOnEvent(BaseModel):
    """One event whose coding changes, or might. `moved`: the levels of the path that are others now."""

    case_id: str
    revision: int
    event_id: str
    verbatim: str
    status: str
    llt_code: str | None
    term: str | None
    change: CodeChange
    moved: list[str] = Field(default_factory=list, description="PT, HLT, HLGT, SOC: of what is known in both")
    was: list[str] = Field(default_factory=list, description="the path before")
    becomes: list[str] = Field(default_factory=list, description="the path in the new version")
    better: Suggestion | None = Field(None, description="another term that the machine is sure of now")
    outcome: AfterMove
    with_better: AfterMove = Field(description="the outcome where better terms are taken")


class SynonymImpact(BaseModel):
    """An approved synonym that says nothing in the new version. `change`: gone, or not_current."""

    phrase: str
    scope: str
    llt_code: str
    change: CodeChange


class Impact(BaseModel):
    """What moving a study to a version does. `fingerprint` names exactly this: the decision repeats it."""

    study: str
    before: str = Field(description="the version that the study uses now")
    after: str
    fingerprint: str
    events: int = Field(description="how many events count; each is under exactly one change")
    behind: int = Field(description="events that were coded with another version than the study uses")
    changes: dict[str, int]
    outcomes: dict[str, int]
    better: int = Field(description="events for which the machine is sure of another term")
    touched: list[ImpactOnEvent] = Field(description="every event that does not simply stay as it is")
    synonyms: list[SynonymImpact]


@dataclass(frozen=True, slots=True)
class Counting:
    """An event as it counts now, and where."""

    case_id: str
    revision: int
    event: CodedEvent


@dataclass(frozen=True, slots=True)
class Judged:
    """An event with what the new version makes of it. `term` is that of its own code, `anew` the machine's answer."""

    of: Counting
    change: CodeChange
    moved: tuple[str, ...]
    term: DictionaryTerm | None
    anew: Coding
    is_better: bool

    def outcome(self, take_better: bool) -> AfterMove:
        """What becomes of the event."""
        is_the_machines = self.of.event.status != "corrected"
        is_sure = self.anew.status is Status.CODED
        if self.change in (CodeChange.SAME, CodeChange.RENAMED, CodeChange.MOVED):
            return AfterMove.CODED if take_better and self.is_better and is_the_machines else AfterMove.STAYS
        return AfterMove.CODED if is_sure and is_the_machines else AfterMove.WAITS


def judge(counting: Sequence[Counting], new: Coder) -> list[Judged]:
    """Every event against the new version, each verbatim coded once."""
    verbatims = list(dict.fromkeys(one.event.verbatim for one in counting))
    anew = dict(zip(verbatims, code_events(verbatims, new), strict=True))
    return [_judged(one, new, anew[one.event.verbatim]) for one in counting]


def report(study: str, before: str, judged: Sequence[Judged], new: Coder, approved: Iterable[Approved]) -> Impact:
    """The report that somebody decides by."""
    touched = [_shown(one) for one in judged if one.change is not CodeChange.SAME or one.is_better]
    synonyms = [
        SynonymImpact(phrase=one.phrase, scope=one.scope, llt_code=one.code, change=change)
        for one in approved
        if (change := _fate(new.dictionary.coded(one.code))) is not None
    ]
    facts: dict[str, Any] = {
        "study": study,
        "before": before,
        "after": new.version,
        "events": len(judged),
        "behind": sum(one.of.event.dictionary != before for one in judged),
        "changes": dict(sorted(Counter(one.change.value for one in judged).items())),
        "outcomes": dict(sorted(Counter(one.outcome(False).value for one in judged).items())),
        "better": sum(one.is_better for one in judged),
    }
    impact = Impact(**facts, fingerprint="", touched=touched, synonyms=synonyms)
    every = "\n".join(f"{one.of.case_id} {one.of.revision} {one.of.event.model_dump_json()}" for one in judged)
    said = hashlib.sha256(f"{impact.model_dump_json()}\n{every}".encode()).hexdigest()
    return impact.model_copy(update={"fingerprint": said[:16]})


_LEVELS: Final = ("PT", "HLT", "HLGT", "SOC")


def _judged(one: Counting, new: Coder, anew: Coding) -> Judged:
    event = one.event
    if event.llt_code is None:
        return Judged(one, CodeChange.UNCODED, (), None, anew, False)
    term = new.dictionary.coded(event.llt_code)
    is_better = anew.status is Status.CODED and anew.llt_code != event.llt_code
    fate = _fate(term)
    if fate is not None or term is None:
        return Judged(one, fate or CodeChange.GONE, (), term, anew, is_better)
    moved = _moved(event, term)
    change = CodeChange.MOVED if moved else CodeChange.SAME if term.name == event.term else CodeChange.RENAMED
    return Judged(one, change, moved, term, anew, is_better)


def _fate(term: DictionaryTerm | None) -> CodeChange | None:
    """Why a term may not be used in the new version; None where it may."""
    if term is None:
        return CodeChange.GONE
    return None if term.is_current else CodeChange.NOT_CURRENT


def _moved(event: CodedEvent, term: DictionaryTerm) -> tuple[str, ...]:
    """The levels, of those that both versions give, on which the term is under another one now."""
    old, new = _by_level(event.path), _by_level(term.path)
    if "SOC" not in old and event.soc is not None:
        old["SOC"] = ("", event.soc)
    return tuple(
        level for level in _LEVELS if level in old and level in new and not _is_same(level, old[level], new[level])
    )


def _is_same(level: str, one: tuple[str, str], other: tuple[str, str]) -> bool:
    """By their codes where both have one; CTCAE publishes only the name of a class."""
    if one[0] and other[0]:
        return one[0] == other[0]
    return level == "SOC" and one[1].casefold() == other[1].casefold()


def _by_level(path: Iterable[str]) -> dict[str, tuple[str, str]]:
    """(code, name) of each level of a path; the code is empty where it is not given."""
    found = {}
    for step in path:
        level, _, rest = step.partition(" ")
        code, _, name = rest.partition(" ")
        found[level] = (code, name) if code.isdecimal() else ("", rest)
    return found


def _shown(one: Judged) -> ImpactOnEvent:
    event = one.of.event
    stays = one.change in (CodeChange.RENAMED, CodeChange.MOVED)
    return ImpactOnEvent(
        case_id=one.of.case_id,
        revision=one.of.revision,
        event_id=event.event_id,
        verbatim=event.verbatim,
        status=event.status,
        llt_code=event.llt_code,
        term=event.term,
        change=one.change,
        moved=list(one.moved),
        was=list(event.path),
        becomes=list(one.term.path) if one.term is not None and stays else list(one.anew.path),
        better=_suggestion(one.anew) if one.is_better or one.change is CodeChange.UNCODED else None,
        outcome=one.outcome(False),
        with_better=one.outcome(True),
    )


def _suggestion(anew: Coding) -> Suggestion | None:
    if anew.llt_code is None or anew.term is None:
        return None
    return Suggestion(code=anew.llt_code, term=anew.term, why=anew.reasons[0])
