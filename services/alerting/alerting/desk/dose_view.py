"""The dose page as its template draws it, from the board's JSON and the verdicts: everything in words, in one zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerting.desk import dose_plot, dose_table, dose_words
from alerting.desk.dose_times import Times
from alerting.desk.dose_words import Json
from tocsin.domain.dlt.verdict import State
from tocsin.domain.protocol import Protocol


def view(board: Json, judged: Sequence[Json], protocol: Protocol, times: Times) -> dict[str, Any]:
    """What the template is handed. `judged`: every verdict of the study."""
    by_subject: defaultdict[str, list[Json]] = defaultdict(list)
    for one in judged:
        by_subject[one["subject"]].append(one)
    sites = {site.id: site.name for site in protocol.sites}
    open_ = [_verdict(one, board, protocol, times) for one in judged if _is_open(one)]
    held = [_hold(one, board, sites, times) for one in dose_words.standing(board)]
    here = dose_words.current(board)
    in_order = dose_plot.in_order(board["subjects"])
    return {
        "heading": dose_words.heading(board, times), "after": dose_words.after(board),
        "below": _below(board, here, by_subject, times), "assumptions": board["assumptions"],
        "unplaced": board["unplaced"], "why": times.sentences(board["next"]["reasons"]), "holds": held,
        "levels": [_level(one, board, times) for one in board["levels"]],
        "plot": dose_plot.plot(board["subjects"], by_subject, _axis(protocol)), "open": open_,
        "what_if": _what_if(board, judged, times), "design": board["design"],
        "tables": [_table(one, here) for one in board["levels"] if one["table"] is not None],
        "subjects": [_subject(one, by_subject[one["subject"]], board, times) for one in in_order],
        "mtd": times.sentences(board["mtd"]["reasons"]), "mtd_level": board["mtd"]["level"],
        "phase_2a": _phase_2a(board, times), "visits": _visits(board, times), "enrolled": board["enrolled"],
        "planned": board["planned"], "has_other_zones": any(site.zone != times.zone for site in protocol.sites),
        "said": list(_said(board, judged, sites, times)),
    }  # fmt: skip


def _axis(protocol: Protocol) -> dose_plot.Axis:
    definition = protocol.dlt
    return dose_plot.Axis(0, 28) if definition is None else dose_plot.Axis(definition.day_base, definition.window_days)


def _is_open(verdict: Json) -> bool:
    """Whether a person or a date must still say, or the committee has to see it."""
    state = State(verdict["state"])
    return state.is_open or (state is not State.REJECTED and bool(verdict["for_committee"]))


def _below(board: Json, here: Json, judged: Mapping[str, Sequence[Json]], times: Times) -> str:
    """DLTs and potential DLTs where the trial stands, and what time alone will change first."""
    said = " ".join(
        _at(one, board, judged) for one in board["levels"] if one is here or _is_watched(one, board, judged)
    )
    soonest = min(_changes(board, judged, times), default=None)
    if soonest is None:
        return f"{said} Nothing changes by time alone."
    return f"{said} Soonest change by time alone: {soonest[1]}"


def _at(level: Json, board: Json, judged: Mapping[str, Sequence[Json]]) -> str:
    dlts = sorted({*level["dlt_subjects"], *level["outside_plan"]})
    potential = _listed(_potential(level, board, judged), "with a potential DLT")
    return f"{level['level']}: {_listed(dlts, 'with a DLT')}, {potential}."


def _potential(level: Json, board: Json, judged: Mapping[str, Sequence[Json]]) -> list[str]:
    """Those without a DLT already: one subject is one DLT."""
    here = [one for one in board["subjects"] if one["level"] == level["level"] and one["status"] != "dlt"]
    names = [one["subject"] for one in here]
    return [name for name in names if any(dose_plot.ring(one) == "potential" for one in judged[name])]


def _is_watched(level: Json, board: Json, judged: Mapping[str, Sequence[Json]]) -> bool:
    """Whether a level is to be named beside the one in use: it is too toxic, or something is open there."""
    return level["exceeded"] or bool(_potential(level, board, judged))


def _listed(names: Sequence[str], what: str) -> str:
    count = f"{len(names)} {'subject' if len(names) == 1 else 'subjects'} {what}"
    return f"{count} ({', '.join(names)})" if names else count


def _changes(board: Json, judged: Mapping[str, Sequence[Json]], times: Times) -> Iterable[tuple[datetime, str]]:
    """Every moment that is still ahead and at which the board may change, with its sentence."""
    found: list[tuple[datetime, str]] = []
    for one in (verdict for ones in judged.values() for verdict in ones):
        if one["due_at"] and State(one["state"]).is_open:
            event = f"{one['subject']}’s {dose_words.named(one)}"
            said = f"{_due(one['due_at'], times)}, when {event} meets {one['rule_id']} unless improved"
            found.append((datetime.fromisoformat(one["due_at"]), f"{said}; a physician decides."))
    for one in board["subjects"]:
        if one["window"] and one["status"] == "pending":
            until = one["window"]["until"]
            ends = datetime.fromisoformat(until) + timedelta(seconds=1)
            found.append((ends, f"{_due(until, times)}, when the window of {one['subject']} ends."))
    for one in dose_words.standing(board):
        if one["ends_on"]:
            said = f"{times.day(one['ends_on'])}, when the stagger at {one['level']} ends."
            found.append((times.start_of(one["ends_on"]), said))
    return [one for one in found if one[0] > times.now]


def _due(at: str, times: Times) -> str:
    return f"{times.moment(at)} ({times.left(at)})"


def _hold(one: Json, board: Json, sites: Mapping[str, str], times: Times) -> dict[str, Any]:
    clause = dose_words.hold(one, board, times)
    return {
        "id": one["hold_id"], "said": clause[:1].upper() + clause[1:], "since": times.moment(one["since"]),
        "stops": "every level" if one["stops"] == "all" else ", ".join(one["stops"]),
        "reasons": times.sentences(one["reasons"]), "lifts": dose_words.lifts(one, board, times),
        "is_grave": bool(one["confirmations"]),
        "decide": _due(one["decide_by"], times) if one["decide_by"] else None,
        "confirmed": [
            f"{dose_words.party(c['party'], sites)}: confirmed by {c['by']}, {times.moment(c['confirmed_at'])}"
            for c in one["confirmations"] if c["confirmed_at"]
        ],
        "unconfirmed": [dose_words.party(c["party"], sites) for c in one["confirmations"] if not c["confirmed_at"]],
    }  # fmt: skip


def _level(one: Json, board: Json, times: Times) -> dict[str, Any]:
    expansion = board["phase_2a"]["subjects"]
    here = [s for s in board["subjects"] if s["level"] == one["level"] and s["subject"] not in expansion]
    treated = [s for s in here if s["infused_at"] and s["status"] != "enrolled"]
    return {
        **one, "treated": len(treated), "pending_now": len(one["pending"]),
        "plain": dose_words.decision(one["decision"]), "tone": dose_words.tone(one["decision"]),
        "action": times.sentence(one["action"]), "reasons": times.sentences(one["reasons"]),
        "waits_for": times.sentences(one["waits_for"]),
        "earliest": times.day(one["earliest_on"]) if one["earliest_on"] else None,
    }  # fmt: skip


def _verdict(one: Json, board: Json, protocol: Protocol, times: Times) -> dict[str, Any]:
    state = State(one["state"])
    level = next((s["level"] for s in board["subjects"] if s["subject"] == one["subject"]), None)
    rules = {rule.id: rule.text for rule in protocol.dlt.rules} if protocol.dlt is not None else {}
    limit = None
    if one["due_at"] and state.is_open:
        limit = f"Meets the rule {_due(one['due_at'], times)} unless improved; a physician decides"
    return {
        "id": one["dlt_id"], "subject": one["subject"], "level": level, "case_id": one["case_id"],
        "named": dose_words.named(one), "state": dose_words.STATES[state], "ring": dose_plot.ring(one),
        "counts": state.counts, "provisional": one["provisional"],
        "rule": one["rule_id"], "rule_text": rules.get(one["rule_id"] or ""),
        "grade": one["grade"], "day": one["window_day"], "limit": limit,
        "strict": _due(one["strict_limit_at"], times) if one["strict_limit_at"] else None,
        "strict_passed": one["strict_limit_passed"], "reasons": times.sentences(one["reasons"]),
        "would_change": times.sentences(one["would_change"]),
        "for_committee": times.sentences(one["for_committee"]), "asks": times.sentences(one["asks"]),
    }  # fmt: skip


def _what_if(board: Json, judged: Sequence[Json], times: Times) -> list[str] | None:
    """What changes the board, in sentences; None while it is not worked out."""
    if board["what_if"] is None:
        return None
    names = {(one["subject"], one["key"]): dose_words.named(one) for one in judged}
    found = []
    for one in board["what_if"]:
        if not one["changes_the_board"]:
            continue
        subject = f"{one['subject']}, {names.get((one['subject'], one['key']), one['key'])}"
        when = f" ({times.moment(one['at'])})" if "limit" in one["change"] else ""
        state = dose_words.STATES[State(one["state"])]
        rule = f" ({one['rule_id']})" if one["rule_id"] else ""
        found.append(f"{subject}: if {one['change']}{when}: {state}{rule}. {_turns(one, times)}")
    return found


def _turns(one: Json, times: Times) -> str:
    said = []
    if one["decision_before"] != one["decision_after"]:
        before, then = _plain(one["decision_before"]), times.sentence(_plain(one["decision_after"]))
        said.append(f"{one['level']} would say: {then}; it says now: {times.sentence(before)}.")
    if one["next_before"] != one["next_after"]:
        said.append(f"Then {one['next_after']}; now {one['next_before']}.")
    return " ".join(said)


def _plain(decided: str | None) -> str:
    """ "WAIT: wait for 2 pending" in plain words."""
    if decided is None:
        return "nothing"
    word, _, action = decided.partition(": ")
    return f"{dose_words.decision(word)} ({action})"


def _table(one: Json, here: Json) -> dict[str, Any]:
    return {
        "level": one["level"], "is_here": one["level"] == here["level"], "grid": dose_table.grid(one),
        "whole": one["table"],
    }  # fmt: skip


def _subject(one: Json, judged: Sequence[Json], board: Json, times: Times) -> dict[str, Any]:
    return {
        "subject": one["subject"], "site": one["site"], "level": one["level"] or "not known",
        "status": dose_words.status(one),
        "infused": times.moment(one["infused_at"]) if one["infused_at"] else "not infused",
        "ends": times.moment(one["window"]["until"]) if one["window"] else "–",
        "day": one["window_day"], "reasons": times.sentences(one["reasons"]),
        "verdicts": [f"{dose_words.named(v)}: {dose_words.STATES[State(v['state'])]}" for v in judged
                     if State(v["state"]) is not State.NONE],
        "for_committee": times.sentences(one["for_committee"]), "asks": times.sentences(one["asks"]),
        "against": [dose_words.against(key, board, times) for key in one["infused_against"]],
    }  # fmt: skip


def _phase_2a(board: Json, times: Times) -> dict[str, Any]:
    found = board["phase_2a"]
    return {
        **found, "reasons": times.sentences(found["reasons"]), "waits_for": times.sentences(found["waits_for"]),
        "looks": [{**one, "reasons": times.sentences(one["reasons"])} for one in found["monitored"]],
    }  # fmt: skip


def _visits(board: Json, times: Times) -> list[dict[str, Any]]:
    """The visits that are due or overdue, overdue first, then by date."""
    found = [
        (visit["state"] != "overdue", visit["due_on"], one, visit)
        for one in board["subjects"] if one["follow_up"] is not None
        for visit in one["follow_up"]["visits"] if visit["state"] in ("due", "overdue")
    ]  # fmt: skip
    return [
        {
            "subject": one["subject"], "site": one["site"], "month": visit["month"], "due": times.day(visit["due_on"]),
            "closes": times.day(visit["closes_on"]), "is_overdue": not is_due,
            "last": times.day(one["follow_up"]["last_contact"]) if one["follow_up"]["last_contact"] else "not known",
        }
        for is_due, _, one, visit in sorted(found, key=lambda each: (each[0], each[1], each[2]["subject"]))
    ]  # fmt: skip


def _said(board: Json, judged: Sequence[Json], sites: Mapping[str, str], times: Times) -> Iterable[tuple[str, str]]:
    """(key, sentence) of everything whose change is told to whoever has the page open. No time left stands in them."""
    for one in judged:
        if State(one["state"]) is not State.NONE:
            yield f"verdict {one['dlt_id']}", dose_words.verdict(one)
    yield "next", dose_words.heading(board, times).removesuffix(".")
    for one in board["holds"]:
        how = "stands" if one["stands"] else "was lifted" if one["lifted"] else "is over"
        yield f"hold {one['key']}", f"Hold {how}: {dose_words.hold(one, board, times)}"
        for c in one["confirmations"]:
            if c["confirmed_at"]:
                yield f"{one['key']} {c['party']}", f"{dose_words.party(c['party'], sites)} has confirmed the hold"
    for one in board["levels"]:
        yield f"level {one['level']}", f"{one['level']} now: {_lower(dose_words.decision(one['decision']))}"
    for one in board["subjects"]:
        yield f"subject {one['subject']}", f"{one['subject']}: {_lower(dose_words.status(one))}"


def _lower(said: str) -> str:
    """A sentence that goes on after a colon; what is written in capitals stays."""
    return said if said[:2].isupper() else said[:1].lower() + said[1:]
