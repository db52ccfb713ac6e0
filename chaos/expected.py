"""Which clocks the record of one event must have started, by the oracle of `tests.domain.oracle`.

The oracle shares no code with the rules of the house. What stands here is how a history of this generator is told to
it: what an event is in each revision, and on which day of the receiver's zone that became known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chaos.record import Did, Sent
from tests.domain.oracle import CN, Fact, Kind, Told, clocks_of
from tests.domain.oracle import Sent as Submitted

ZONE = ZoneInfo("Asia/Shanghai")
"""Day zero is a day of the authority that receives the report."""
_WORST = ("death", "life_threatening")
_DAY_ONE = date(2020, 1, 1)


@dataclass(frozen=True, slots=True, order=True)
class Clock:
    """One clock, by all that must be right about it. `superseded_by` is the rule of its successor."""

    case_id: str
    event_id: str
    rule: str
    day_zero: date
    due_on: date
    status: str
    superseded_by: str = ""


def kind_of(event: Mapping[str, Any]) -> Kind:
    """What an event is by ICH E2A, as far as this generator tells: an unknown is never "no"."""
    if event.get("nullified") or event.get("serious") is False:
        return Kind.NONE
    said = {opinion.get("party", "investigator"): opinion["relation"] for opinion in event.get("causality") or ()}
    if said.get("investigator") == said.get("sponsor") == "not_related":
        return Kind.NONE
    criteria = event.get("seriousness") or ()
    return Kind.FATAL if any(worst in criteria for worst in _WORST) else Kind.OTHER


def detail_of(event: Mapping[str, Any]) -> str:
    """What of it is news to an authority when it changes: its outcome, and further criteria."""
    return f"{event.get('outcome')} {sorted(event.get('seriousness') or ())}"


def histories(sent: Iterable[Sent]) -> dict[str, list[Sent]]:
    """The revisions of each case, in their order."""
    found: dict[str, list[Sent]] = {}
    for one in sent:
        if one.what in ("report", "follow_up"):
            found.setdefault(one.case_id, []).append(one)
    return {case_id: sorted(those, key=lambda one: one.revision) for case_id, those in found.items()}


def expected_clocks(sent: Iterable[Sent], did: Iterable[Did]) -> list[Clock]:
    """Every clock of every event, as it must stand now."""
    submissions: dict[str, list[Did]] = {}
    for deed in did:
        if deed.what == "submitted":
            submissions.setdefault(deed.event_id, []).append(deed)
    made = []
    for case_id, revisions in histories(sent).items():
        for event_id, states in states_of(case_id, revisions).items():
            made += _clocks(case_id, event_id, states, submissions.get(event_id, []))
    return sorted(made)


def states_of(case_id: str, revisions: Sequence[Sent]) -> dict[str, list[tuple[datetime, Mapping[str, Any]]]]:
    """By event: what was known of it with each revision, and since when. A follow-up says only what is new."""
    events: dict[str, dict[str, Any]] = {}
    found: dict[str, list[tuple[datetime, Mapping[str, Any]]]] = {}
    for one in revisions:
        if one.body.get("nullify"):
            events = {ref: {**event, "nullified": True} for ref, event in events.items()}
        for event in one.body.get("events") or ():
            events[event["ref"]] = {**events.get(event["ref"], {}), **event}
        for number, event in enumerate(events.values(), 1):
            found.setdefault(f"{case_id}-E{number}", []).append((one.received_at, event))
    return found


def _clocks(
    case_id: str, event_id: str, states: Sequence[tuple[datetime, Mapping[str, Any]]], submissions: Sequence[Did]
) -> list[Clock]:
    facts: list[tuple[datetime, Fact]] = [
        (at, Told(_day(at), kind_of(event), detail_of(event))) for at, event in states
    ]
    facts += [(deed.at, Submitted(_day(deed.at))) for deed in submissions]
    history = [fact for _, fact in sorted(facts, key=lambda fact: fact[0])]
    return [
        Clock(
            case_id, event_id, row.rule, _date(row.zero), _date(row.due), row.status,
            "" if row.successor is None else row.successor.rule,
        )
        for row in clocks_of(history, CN)
    ]  # fmt: skip


def _day(at: datetime) -> int:
    return (at.astimezone(ZONE).date() - _DAY_ONE).days


def _date(day: int) -> date:
    return _DAY_ONE + timedelta(days=day)
