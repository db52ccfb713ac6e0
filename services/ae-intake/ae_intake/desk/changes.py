"""What a follow-up says: only what somebody changed on the form that was filled with the case as it stood.

A field that was emptied takes its fact back. An opinion on one agent cannot be taken back alone, so one that was
emptied is said to be not assessable. A lower grade replaces the earlier one only where somebody said that it was wrong.
"""

from __future__ import annotations

from typing import Any

from ae_intake.desk.filled import filled
from ae_intake.desk.typed import Typed, Values, about_the_report, at_block, blocks_of, event
from tocsin.domain.alike import normalised
from tocsin.messages.bodies import ReportReceivedV1

_EMPTY: dict[str, Any] = {"seriousness": [], "nullified": False}
"""What takes back a fact that cannot be null."""


def changes(values: Values, body: ReportReceivedV1, product: str, page: int = 1) -> Typed:
    """The follow-up that leads from the case as it stood to what is typed now."""
    before = filled(body, product, page)
    facts = _differing(about_the_report(before), about_the_report(values))
    events: list[dict[str, Any]] = []
    blocks: list[int] = []
    for n in blocks_of(values):
        at = at_block(n)
        known = before.get(f"{at}id")
        if known is None:
            if not any(name.startswith(at) and name != f"{at}id" for name in values):
                continue
            told = event(values, at)
            _mention_the_same(told, events, blocks, body)
            said = {"ref": _new_ref(body, events), **told}
        else:
            said = _changed_event(values, before, at)
            if not said:
                continue
            said = {"ref": known, "verbatim": before[f"{at}verbatim"], **said}
            if said["verbatim"] is None:
                del said["verbatim"]  # No event is without words: the model says so, at its field.
        events.append(said)
        blocks.append(n)
    if reason := values.get("reason"):
        facts["reason"] = reason
    return Typed({**facts, **({"events": events} if events else {})}, tuple(blocks))


def says_nothing(typed: Typed) -> bool:
    """Whether nothing was changed."""
    return not set(typed.facts) - {"reason"}


def _changed_event(values: Values, before: Values, at: str) -> dict[str, Any]:
    was, now = event(before, at), event(values, at)
    said = _differing(was, now)
    if "grade" in said:
        said |= _grade(was.get("grade") or {}, now.get("grade") or {}, bool(values.get(f"{at}correction")))
    if "causality" in said:
        said["causality"] = _opinions(was.get("causality") or [], now.get("causality") or [])
    if "serious" in said or "seriousness" in said:  # The two are one answer.
        said |= {"serious": now.get("serious"), "seriousness": now.get("seriousness", [])}
    return said


def _differing(was: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    names = [*now, *(name for name in was if name not in now)]
    return {name: now.get(name, _EMPTY.get(name)) for name in names if was.get(name) != now.get(name)}


def _grade(was: dict[str, Any], now: dict[str, Any], corrects: bool) -> dict[str, Any]:
    if not now:
        return {"grade": None}
    if corrects or set(was) - set(now):  # What replaces the earlier grades has to be whole.
        return {"grade": now, "correction": True}
    return {"grade": {scale: grade for scale, grade in now.items() if was.get(scale) != grade}}


def _opinions(was: list[dict[str, str]], now: list[dict[str, str]]) -> list[dict[str, str]]:
    given = {one["agent"] for one in now}
    emptied = [{"agent": one["agent"], "relation": "unassessable"} for one in was if one["agent"] not in given]
    return [*(one for one in now if one not in was), *emptied]


def _mention_the_same(
    told: dict[str, Any], events: list[dict[str, Any]], blocks: list[int], body: ReportReceivedV1
) -> None:
    """A second fall is another event than the first: the one that has the same words is named, so that both stand."""
    words = normalised(told.get("verbatim", ""))
    named = {one["ref"] for one in events}
    for kept in body.events:
        if kept.facts.ref is None and kept.event_id not in named and normalised(kept.facts.verbatim) == words:
            events.append({"ref": kept.event_id, "verbatim": kept.facts.verbatim})
            blocks.append(-1)


def _new_ref(body: ReportReceivedV1, events: list[dict[str, Any]]) -> str:
    """A name that no event of the case has."""
    taken = {kept.facts.ref for kept in body.events} | {one["ref"] for one in events}
    number = len(body.events) + 1
    while str(number) in taken:
        number += 1
    return str(number)
