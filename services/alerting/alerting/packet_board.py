"""The dose board as of a data cut, as a packet shows it: every verdict judged anew as of the cut.

The verdicts that are kept are as of the latest moment at which anybody looked; a limit may have passed since. Here
they follow from the facts and the cut alone, so that the packet of a cut can be made again later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerting import board_json, dlt_board, kept_verdicts, subject_facts, trial_facts
from alerting.board import MOST
from alerting.instants import text
from alerting.parts import Parts
from tocsin.domain.board.board import Board, board
from tocsin.domain.board.facts import SubjectFacts, TrialFacts
from tocsin.domain.board.follow_up import VisitState
from tocsin.domain.board.what_if import what_if
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.dlt.verdicts import verdicts as judge_subject
from tocsin.domain.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Cut:
    """A trial as it stood at the cut. `whole`: the subjects of whom a fact is held; `events`: theirs, by their ids."""

    protocol: Protocol
    as_of: datetime
    subjects: tuple[SubjectFacts, ...]
    trial: TrialFacts
    whole: Mapping[str, Subject]
    events: Mapping[str, Reported] = field(default_factory=dict)

    @property
    def board(self) -> Board:
        return board(self.protocol, self.subjects, self.trial, self.as_of)


def of_cut(tx: Connection, parts: Parts, protocol: Protocol, as_of: datetime) -> Cut:
    """The trial at the cut. No fact may be newer (`packet_facts.must_hold`); what was set by time alone may be."""
    known = trial_facts.of_study(tx, protocol)
    whole = {}
    for one in known.subjects:
        facts = subject_facts.subject_of(tx, protocol, one.id)
        if facts is not None:
            whole[one.id] = kept_verdicts.with_decisions(tx, protocol.id, facts.subject)
    subjects = tuple(replace(one, verdicts=_judged(protocol, one, whole.get(one.id), as_of)) for one in known.subjects)
    raised = tuple(one for one in known.trial.raised if one.at <= as_of)
    events = {reported.event.event_id: reported for subject in whole.values() for reported in subject.events}
    return Cut(protocol, as_of, subjects, replace(known.trial, raised=raised), whole, events)


def _judged(protocol: Protocol, kept: SubjectFacts, whole: Subject | None, as_of: datetime) -> tuple[Verdict, ...]:
    """The verdicts on a subject as of the cut; one whose facts are gone stays as it was kept."""
    if protocol.dlt is None or whole is None:
        return kept.verdicts
    found = judge_subject(whole, protocol.dlt, as_of, crs=protocol.grading.crs)
    keys = {one.key for one in found}
    gone = [one for one in kept.verdicts if one.key not in keys]
    return tuple(sorted([*found, *gone], key=lambda one: one.key))


def shown(cut: Cut) -> dict[str, Any]:
    """The board and what it would say otherwise, with the doses, the zones and the visits that are overdue."""
    judged = {one.id: one.verdicts for one in cut.subjects}
    found = board_json.shown(cut.board, judged)
    facts = {one.id: one for one in cut.subjects}
    for one in found["subjects"]:
        one["zone"] = facts[one["subject"]].zone.key
        one["infusions"] = [
            {"started_at": given.started.text, "level": given.level, "unit": given.unit,
             "planned": _number(given.planned), "given": _number(given.given)}
            for given in facts[one["subject"]].given
        ]  # fmt: skip
    return {**found, "what_if": _what_if(cut), "follow_up_overdue": list(_overdue(found["subjects"]))}


def _what_if(cut: Cut) -> list[dict[str, Any]]:
    found = what_if(cut.protocol, cut.subjects, cut.whole, cut.trial, cut.as_of)
    return [board_json.answer(one) for one in found]


def _overdue(subjects: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for one in subjects:
        calendar = one["follow_up"]
        for visit in calendar["visits"] if calendar is not None else ():
            if visit["state"] == VisitState.OVERDUE:
                yield {
                    "subject": one["subject"],
                    "site": one["site"],
                    "last_contact": calendar["last_contact"],
                    **visit,
                }


def judged_events(tx: Connection, parts: Parts, cut: Cut) -> list[dict[str, Any]]:
    """Each verdict at the cut, by subject and key, in the site's words, with its signatures and its history."""
    return [
        _entry(cut, one.id, verdict, kept.get(verdict.key, {}))
        for one in cut.subjects
        for kept in [{row["key"]: row for row in _kept(tx, parts, cut.protocol.id, one.id)}]
        for verdict in one.verdicts
    ]


def _kept(tx: Connection, parts: Parts, study: str, subject: str) -> list[dict[str, Any]]:
    return dlt_board.like(tx, parts, study=study, subject=subject, limit=MOST)


def _entry(cut: Cut, subject: str, verdict: Verdict, kept: Mapping[str, Any]) -> dict[str, Any]:
    reported = cut.events.get(verdict.event_id or "")
    history = [one for one in kept.get("history", ()) if datetime.fromisoformat(one["at"]) <= cut.as_of]
    return {
        "subject": subject, "key": verdict.key, "event_id": verdict.event_id, "case_id": verdict.case_id,
        "verbatim": reported.event.verbatim if reported else kept.get("verbatim"),
        "term": reported.coded.term if reported and reported.coded else None,
        "about": verdict.about.value, "state": verdict.state.value, "rule_id": verdict.rule_id,
        "provisional": verdict.is_provisional, "grade": verdict.grade, "window_day": verdict.study_day,
        "reasons": list(verdict.reasons), "due_at": None if verdict.due_at is None else text(verdict.due_at),
        "for_committee": list(verdict.for_committee), "would_change": list(verdict.would_change),
        "asks": list(verdict.asks), "by_rule": None if verdict.by_rule is None else verdict.by_rule.value,
        "signatures": kept.get("signatures", []), "history": history,
        "was_ever_a_question": bool(verdict.for_committee)
        or any(is_a_question(state) for state in (verdict.state, *(State(one["state"]) for one in history))),
    }  # fmt: skip


def is_a_question(state: State) -> bool:
    """Whether a person had, or has, to say: it is open, or was signed."""
    return state.is_open or state in (State.CONFIRMED, State.REJECTED)


def _number(value: object) -> str | None:
    return None if value is None else str(value)
