"""How a follow-up becomes the next revision. Pure: facts before and facts sent in, facts after out.

A revision is always whole. A follow-up may say less than all:

* What it does not mention stays as it was. `null` takes a fact back. History keeps every earlier state.
* An event is known by its `ref`, its number here (`TOC-0031-E2`), the same words, or its place; an event that the
  follow-up leaves out stays, and one that it adds gets the next number. Numbers never move.
* Grades only add: a lower grade does not take back a higher one, unless `correction` says that these replace the
  earlier ones. So do the steps of a course. Opinions replace the earlier one of the same party on the same agent.
* Everything else that is mentioned replaces what was there, lists (such as the criteria) as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tocsin.domain.alike import normalised, tokens
from tocsin.errors import Refused
from tocsin.messages.bodies import Contradiction, KeptEvent
from tocsin.messages.facts import EventFacts, FollowUpFacts, ReportFacts
from tocsin.web.pointers import wrong_places

_REPORT: TypeAdapter[ReportFacts] = TypeAdapter(ReportFacts)
_ORDERS = ("nullify", "reason", "right_subject", "study", "site", "events", "statement")
"""What a follow-up says about itself, not about the patient."""


@dataclass(frozen=True, slots=True)
class Revised:
    """The facts after a follow-up. `differing`: grades that fell without a correction, and what was read instead."""

    facts: ReportFacts
    events: tuple[KeptEvent, ...]
    differing: tuple[Contradiction, ...]
    added: tuple[str, ...]


def first_revision(facts: ReportFacts, case_id: str) -> tuple[KeptEvent, ...]:
    """The events of a first report with their numbers, by order."""
    return tuple(KeptEvent(event_id=event_id(case_id, n), facts=event) for n, event in enumerate(facts.events, 1))


def event_id(case_id: str, place: int) -> str:
    """`TOC-0031-E2`, counted from 1."""
    return f"{case_id}-E{place}"


def revise(case_id: str, facts: ReportFacts, events: Sequence[KeptEvent], sent: FollowUpFacts) -> Revised:
    """The next revision. `events` are those of the last one, in order. Refused when it would hold too much."""
    said = _plain(sent)
    whole = _plain(facts)
    for name, value in said.items():
        if name in _ORDERS:
            continue
        if value is None:
            whole.pop(name, None)
        else:
            whole[name] = value
    kept = [_plain(kept_event.facts) for kept_event in events]
    differing: list[Contradiction] = []
    added: list[str] = []
    taken: set[int] = set()
    for n, event in enumerate(sent.events):
        place = _place_of(event, n, len(sent.events), events, taken)
        news = _plain(event)
        if place is None:
            kept.append(news)
            added.append(event_id(case_id, len(kept)))
            continue
        taken.add(place)
        if event.ref in (events[place].event_id, str(place + 1)):
            news.pop("ref")  # That is our number or its place, not a name that the site gave it.
        differing += _fallen_grades(kept[place], news, f"/events/{place}")
        kept[place] = _merged(kept[place], news)
    whole["events"] = kept
    try:
        after = ReportFacts.model_validate(whole)
    except ValidationError as error:  # Both were good: together they hold more events or steps than a case may.
        raise Refused("the case would hold more than it may", wrong_places(error, whole, _REPORT)) from None
    numbered = tuple(
        KeptEvent(event_id=event_id(case_id, n), facts=event_facts) for n, event_facts in enumerate(after.events, 1)
    )
    return Revised(after, numbered, tuple(differing), tuple(added))


def says_facts(sent: FollowUpFacts) -> bool:
    """Whether a follow-up tells anything of the patient, beside what is to be done with the case."""
    return bool(sent.events) or bool(set(_plain(sent)) - set(_ORDERS))


def _place_of(event: EventFacts, n: int, of: int, events: Sequence[KeptEvent], taken: set[int]) -> int | None:
    """Which event of the case this is; None for a new one."""
    if event.ref is not None:
        refs = [kept.facts.ref for kept in events]
        if event.ref in refs:
            return refs.index(event.ref)
        ids = [kept.event_id for kept in events]
        if event.ref in ids:
            return ids.index(event.ref)
        # The place is the ref of an event that was given none.
        if event.ref.isdecimal() and 0 < int(event.ref) <= len(events) and refs[int(event.ref) - 1] is None:
            return int(event.ref) - 1
    same = [
        place
        for place, kept in enumerate(events)
        if place not in taken
        and normalised(kept.facts.verbatim) == normalised(event.verbatim)
        and (event.ref is None or kept.facts.ref is None)
    ]
    if len(same) == 1:
        return same[0]
    if event.ref is not None or n >= len(events) or n in taken or events[n].facts.ref is not None:
        return None
    # By place only if the follow-up tells all events again, or the words are like: else it is a new event.
    if of == len(events) or tokens(events[n].facts.verbatim) & tokens(event.verbatim):
        return n
    return None


def _merged(before: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    after = dict(before)
    after.pop("correction", None)
    corrects = bool(news.get("correction"))
    for name, value in news.items():
        if value is None:
            after.pop(name, None)
        elif name == "grade" and not corrects:
            after[name] = _worst(before.get(name) or {}, value)
        elif name == "course" and not corrects:
            after[name] = [*before.get(name, ()), *(step for step in value if step not in before.get(name, ()))]
        elif name == "causality":
            given = {_judge(opinion) for opinion in value}
            after[name] = [*(o for o in before.get(name, ()) if _judge(o) not in given), *value]
        else:
            after[name] = value
    return after


def _worst(before: Mapping[str, int | None], news: Mapping[str, int | None]) -> dict[str, int]:
    return {
        scale: max(stated)
        for scale in {**before, **news}
        if (stated := [grade for grade in (before.get(scale), news.get(scale)) if grade is not None])
    }


def _fallen_grades(before: Mapping[str, Any], news: Mapping[str, Any], at: str) -> list[Contradiction]:
    """A lower grade without a word that it corrects: it may have got better, or have been wrong. The site says."""
    if news.get("correction") or not news.get("grade"):
        return []
    found = []
    for scale, grade in news["grade"].items():
        earlier = (before.get("grade") or {}).get(scale)
        if grade is not None and earlier is not None and grade < earlier:
            problem = f"{scale} grade {grade} now, grade {earlier} before, and not marked as a correction"
            found.append(Contradiction(pointer=f"{at}/grade/{scale}", problem=problem, read_as=f"grade {earlier}"))
    return found


def _judge(opinion: Mapping[str, Any]) -> tuple[str, str]:
    return opinion["agent"], opinion.get("party", "investigator")


def _plain(facts: ReportFacts | EventFacts) -> dict[str, Any]:
    return facts.model_dump(mode="json", by_alias=True, exclude_unset=True)
