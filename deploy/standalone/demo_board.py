"""The dose board of the API in the words of a story: after a beat, at the end, and on a line of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from standalone.demo_deeds import At, Stand

Read = Mapping[str, Any]


def stand_of(board: Read, rang: tuple[str, ...] = ()) -> Stand:
    """What a board says. Levels that nobody is at are left out."""
    levels = tuple(
        At(one["level"], one["evaluable"], len(one["pending"]), one["dlt"], one["decision"])
        for one in board["levels"]
        if one["evaluable"] or one["pending"] or one["enrolled"] or one["replaced"]
    )
    return Stand(levels, board["next"]["level"], tuple(board["next"]["held_by"]), rang)


def end_state(board: Read, verdicts: Sequence[Read], open_clocks: Sequence[Read]) -> dict[str, Any]:
    """Where the trial stands, without ids and times: what a story writes down of its end."""
    after = board["next"]
    return {
        "today": board["today"],
        "enrolled": board["enrolled"],
        "levels": {one["level"]: _level(one) for one in board["levels"]},
        "next": {name: after[name] for name in ("level", "places", "may_be_infused", "held_by")},
        "holds": {one["key"]: _hold(one) for one in board["holds"] if one["stands"]},
        "subjects": {one["subject"]: f"{one['level']} {one['status']}" for one in board["subjects"]},
        "verdicts": {f"{one['subject']} {one['verbatim'] or one['key']}": _verdict(one) for one in verdicts},
        "clocks_open": sorted(f"{one['case_id']} {one['rule']}" for one in open_clocks),
        "mtd": board["mtd"]["level"],
    }


def _level(one: Read) -> str:
    who = f" ({', '.join(one['dlt_subjects'])})" if one["dlt_subjects"] else ""
    to = one["goes_to"]
    where = "" if to is None else f", at {to}" if to == one["level"] else f", to {to}"
    return (
        f"{one['evaluable']} evaluable, {one['dlt']} DLT{who}, {len(one['pending'])} pending, "
        f"{len(one['replaced'])} replaced: {one['decision']}{where}"
    )


def _hold(one: Read) -> str:
    what = "closes" if one["closing"] else "stops"
    where = one["stops"] if isinstance(one["stops"], str) else ", ".join(one["stops"])
    known = [party["party"] for party in one["confirmations"] if party["confirmed_at"]]
    return f"{what} {where}" + (f"; known to {', '.join(known)}" if known else "")


def _verdict(one: Read) -> str:
    rule = f" by {one['rule_id']}" if one["rule_id"] else ""
    return f"{one['state']}{rule}{', signed' if one['signatures'] else ''}"


def lines(board: Read, rang: Iterable[Read]) -> list[str]:
    """The board in one or two lines: the levels in use; who may be infused next, what stands against it, what rang."""
    said = [
        f"{at.level} {at.evaluable} evaluable, {at.dlt} DLT"
        + (f", {at.pending} pending" if at.pending else "")
        + f": {at.decision}"
        for at in stand_of(board).levels
    ]
    after = board["next"]
    where = f"next infusion: {after['level']}" if after["level"] else "nobody may be infused"
    held = f", held by {', '.join(after['held_by'])}" if after["held_by"] else ""
    until = f" until {after['earliest_on']}" if after["earliest_on"] else ""
    holds = "".join(f" | {_known(one)}" for one in board["holds"] if one["stands"] and one["confirmations"])
    rings = ", ".join(_counted(rang))
    return [" | ".join(said), where + held + until + holds + (f" | rang: {rings}" if rings else "")]


def _known(hold: Read) -> str:
    """A hold that sites and the cell lab have to know of, and how many of them do."""
    parties = hold["confirmations"]
    known = sum(party["confirmed_at"] is not None for party in parties)
    what = "closed by" if hold["closing"] else "held by"
    return f"{what} {hold['key']}, {known} of {len(parties)} have confirmed"


def _counted(rang: Iterable[Read]) -> list[str]:
    kinds = [f"{one['kind'].replace('_', ' ')} ({one['level']})" for one in rang]
    times = {kind: kinds.count(kind) for kind in sorted(kinds)}
    return [kind if count == 1 else f"{count} {kind}" for kind, count in times.items()]


def differences(wanted: Stand, found: Stand) -> list[str]:
    """What a board says otherwise than the story, each in a sentence."""
    told = {one.level: one for one in wanted.levels}
    read = {one.level: one for one in found.levels}
    said = [
        f"{level} should be {_named(told.get(level))} and is {_named(read.get(level))}"
        for level in sorted({*told, *read})
        if told.get(level) != read.get(level)
    ]
    pairs = (
        ("the next infusion should be at", wanted.next, found.next),
        ("it should be held by", wanted.held_by, found.held_by),
        ("there should have rung", wanted.rang, found.rang),
    )
    return said + [f"{what} {_named(one)}, not {_named(other)}" for what, one, other in pairs if one != other]


def end_differences(wanted: Read, found: Read) -> list[str]:
    """The same of the end, by the places of what is written down."""
    said = []
    for name in sorted({*wanted, *found}):
        one, other = wanted.get(name), found.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            said += [f"{name}, {line}" for line in end_differences(one, other)]
        elif one != other:
            said.append(f"{name} should be {_named(one)} and is {_named(other)}")
    return said


def _named(value: object) -> str:
    if isinstance(value, At):
        return f"{value.evaluable} evaluable, {value.pending} pending, {value.dlt} DLT, {value.decision}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value is None else str(value)
