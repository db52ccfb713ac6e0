"""Verdicts on dose-limiting toxicity as they are kept: computed anew from everything known, every change on the log.

A verdict is a function of the facts of its subject and of the moment. The moment never goes back: it is the latest of
all that was told and of the limits that passed, so that the order of arrival cannot matter. Each change is a deed on
the log; on a rebuild the history comes from there, and the rows from the facts. The rules are `tocsin.domain.dlt`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update

from alerting import cases, decisions, dlt_questions, dlt_rings, kept_verdicts, subject_facts, timers, watched
from alerting.parts import NAME, Parts
from alerting.so_far import SoFar
from alerting.tables import subject_watch, verdict_history, verdicts
from tocsin.domain.dlt.definition import About
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.dlt.verdicts import beside
from tocsin.domain.dlt.verdicts import verdicts as judge_subject
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity
from tocsin.store.insert import insert_unless_there

CHANGED = "verdict_changed"
_URGENCY = 150

# Made once: these run for every message, and making a statement costs as much as running it.
_V, _W = verdicts.c, subject_watch.c
_OF_SUBJECT = (_V.study == bindparam("of_study"), _V.subject == bindparam("of_subject"))
_WATCHED = (_W.study == bindparam("of_study"), _W.subject == bindparam("of_subject"))
_WATCH = select(_W.as_of, _W.body).where(*_WATCHED)
_NEW = insert(verdicts)
_WATCH_ON = update(subject_watch).where(*_WATCHED).values(as_of=bindparam("as_of"), body=bindparam("body"))
_ALL = select(verdicts).where(*_OF_SUBJECT)
_MATTERING = _ALL.where(or_(_V.event_id.is_(None), _V.state != State.NONE.value, _V.matters.is_(True)))
_THESE = select(verdicts).where(_V.id.in_(bindparam("of_ids", expanding=True)))
_COLUMNS = (
    "study", "subject", "key", "case_id", "event_id", "state", "rule_id", "is_provisional", "matters", "body",
)  # fmt: skip
_CHANGE = update(verdicts).where(_V.id == bindparam("of_id")).values({name: bindparam(name) for name in _COLUMNS})
_LAST_NUMBER = select(func.max(verdict_history.c.number)).where(verdict_history.c.verdict_id == bindparam("of_id"))


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that is not what it was. `before` None: it is new."""

    id: UUID
    subject: str
    before: State | None
    after: Verdict
    was_strict_passed: bool = False
    was_for_committee: bool = False


def verdict_id(study: str, subject: str, verdict: Verdict) -> UUID:
    """The id of a verdict: that of an event stays when its subject is corrected."""
    if verdict.event_id is not None:
        return identity("dlt", verdict.event_id)
    return identity("dlt", study, subject, verdict.key)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a subject has changed. `pauses`: a death, or a finding that may pause the trial by itself."""

    changes: tuple[Change, ...] = ()
    pauses: bool = False


def look(
    tx: Connection, parts: Parts, protocol: Protocol, subject: str | None, at: datetime, *, why: str,
    case: SoFar | None = None,
) -> Looked:  # fmt: skip
    """Judge a subject anew, keep what changed, and ring for it. `why`: the fact that may have changed something.

    `case`: the only one whose facts changed. Then the events of other cases are read only where they were looked
    at by a rule, or may change what a rule says of another: a subject with hundreds of cases is not read whole.

    On a rebuild it is left to `catch_up`: what changed, and when, is on the log.
    """
    if subject is None or protocol.dlt is None:
        return Looked()
    if parts.is_rebuilding:
        asked = (protocol.id, subject)
        parts.to_judge[asked] = max(parts.to_judge.get(asked, at), at)
        return Looked()
    return _look(tx, parts, protocol, subject, at, why=why, case=case)


def catch_up(tx: Connection, parts: Parts, deed: DecisionRecordedV1 | None = None) -> None:
    """On a rebuild: judge the subject of which the log tells a change next, or all that are not judged yet.

    What was found for a while and is found no more leaves a row. It was told of both times: so a subject that is judged
    before each change that the log tells of has the rows that it had.
    """
    asked = list(parts.to_judge) if deed is None else [(deed.study, str(deed.detail["subject"]))]
    for study, subject in asked:
        at = parts.to_judge.pop((study, subject), None)
        if at is not None:
            _look(tx, parts, parts.study(study), subject, at, why="", case=None)


def _look(
    tx: Connection, parts: Parts, protocol: Protocol, subject: str, at: datetime, *, why: str, case: SoFar | None
) -> Looked:
    assert protocol.dlt is not None  # without a definition nobody asks
    kept = tx.execute(_ALL if case is None else _MATTERING, {"of_study": protocol.id, "of_subject": subject}).all()
    only = None if case is None else {case.latest.case_id, *_cases_that_matter(kept)}
    facts = subject_facts.subject_of(tx, protocol, subject, of_cases=only, known=case)
    before = tx.execute(_WATCH, {"of_study": protocol.id, "of_subject": subject}).one_or_none()
    watched_before = watched.NOTHING if before is None else before.body
    body = {} if facts is None else watched.body(facts, watched_before)
    as_of = at if before is None else max(before.as_of, at)
    _keep_watch(tx, protocol.id, subject, as_of, body, is_new=before is None)
    found: tuple[Verdict, ...] = ()
    if facts is not None:
        known = kept_verdicts.with_decisions(tx, protocol.id, facts.subject)
        found = judge_subject(known, protocol.dlt, as_of, crs=protocol.grading.crs)
    matters = frozenset[str]() if facts is None else frozenset(beside(facts.subject, protocol.dlt))
    new_case = case.latest.case_id if case is not None and case.is_new else None
    changes, waiting = _keep(tx, protocol.id, subject, found, matters, kept, new_case)
    _set_timer(tx, protocol.id, subject, waiting, as_of, is_new=before is None)
    if not parts.is_rebuilding:
        for change in changes:
            _tell(tx, parts, protocol, change, at, why)
        if changes:
            dlt_questions.ask_what_is_open(tx, parts, protocol, subject, waiting, at)
    return Looked(changes, watched.pauses(body) != watched.pauses(watched_before))


def _cases_that_matter(kept: Iterable[Row[Any]]) -> set[str]:
    """The cases with an event that a rule looks at, or that may change what a rule says of another event."""
    return {row.case_id for row in kept if row.case_id is not None and (row.state != State.NONE.value or row.matters)}


def _keep_watch(
    tx: Connection, study: str, subject: str, as_of: datetime, body: dict[str, Any], *, is_new: bool
) -> None:  # fmt: skip
    """The moment as of which a subject is judged, which never goes back, and what the board needs of its events."""
    if is_new:
        row = {"study": study, "subject": subject, "as_of": as_of, "body": body}
        tx.execute(insert_unless_there(subject_watch, tx.dialect.name), row)
    else:
        tx.execute(_WATCH_ON, {"of_study": study, "of_subject": subject, "as_of": as_of, "body": body})


def _keep(
    tx: Connection, study: str, subject: str, found: Sequence[Verdict], matters: Collection[str],
    kept: Iterable[Row[Any]], new_case: str | None,
) -> tuple[tuple[Change, ...], tuple[Verdict, ...]]:  # fmt: skip
    """Bring the rows of a subject to what is found; what is not found any more is told of, or was taken back.

    Answers what has changed, and every verdict of the subject of which a rule says something, by their keys. `kept`:
    rows of the subject, at least those of no event and those of which a rule says something; `new_case`: of its events
    there are no rows.
    """
    wanted = {verdict_id(study, subject, one): one for one in found}
    there = {row.id: row for row in kept}
    others = [one for one, verdict in wanted.items() if one not in there and not _is_of(verdict, new_case)]
    if others:
        there |= {row.id: row for row in tx.execute(_THESE, {"of_ids": others})}
    gone = {one: _gone(row, found) for one, row in there.items() if one not in wanted and _is_gone(row)}
    stands = {**wanted, **gone}
    new, changed, changes = [], [], []
    for one, verdict in stands.items():
        values = _values(study, subject, verdict, matters=one in wanted and verdict.event_id in matters)
        row = there.get(one)
        if row is None:
            new.append({"id": one, **values})
        elif any(getattr(row, name) != value for name, value in values.items()):
            changed.append({"of_id": one, **values})
        changes += _change(one, subject, values, verdict, row)
    if new:
        tx.execute(_NEW, new)
    if changed:
        tx.execute(_CHANGE, changed)
    rest = [kept_verdicts.of_row(row) for one, row in there.items() if one not in stands and row.subject == subject]
    waiting = [one for one in (*stands.values(), *rest) if one.state is not State.NONE]
    return tuple(changes), tuple(sorted(waiting, key=lambda one: one.key))


def _is_of(verdict: Verdict, case_id: str | None) -> bool:
    return case_id is not None and verdict.case_id == case_id


def _is_gone(row: Row[Any]) -> bool:
    """Of what was measured, where it is found no more: whether it was open, and so has to be told of."""
    return row.event_id is None and State(row.state).is_open


def _gone(row: Row[Any], found: Sequence[Verdict]) -> Verdict:
    about = About(row.body["about"])
    return Verdict(State.NOT_DLT, None, (_why_gone(about, found),), key=row.key, about=about)


def _why_gone(about: About, found: Sequence[Verdict]) -> str:
    """Why values show no finding of their own any more."""
    telling = sorted(one.event_id for one in found if one.event_id is not None and one.about is about)
    if telling:
        return f"it is judged with the report that tells of it: {', '.join(telling)}"
    return "what it rested on was corrected or taken back"


def _values(study: str, subject: str, verdict: Verdict, *, matters: bool) -> dict[str, Any]:
    return {
        "study": study, "subject": subject, "key": verdict.key, "case_id": verdict.case_id,
        "event_id": verdict.event_id, "state": verdict.state.value, "rule_id": verdict.rule_id,
        "is_provisional": verdict.is_provisional, "matters": matters, "body": kept_verdicts.as_json(verdict),
    }  # fmt: skip


def _change(one: UUID, subject: str, values: dict[str, Any], verdict: Verdict, row: Row[Any] | None) -> list[Change]:
    """What of a verdict has to be told, where it is not what its row says."""
    if row is None:
        return [] if verdict.state is State.NONE else [Change(one, subject, None, verdict)]
    was_strict, was_committee = bool(row.body["is_strict_passed"]), bool(row.body["for_committee"])
    is_told = any(getattr(row, name) != values[name] for name in ("state", "rule_id", "is_provisional", "subject"))
    if not is_told and was_strict == verdict.is_strict_passed and was_committee == bool(verdict.for_committee):
        return []
    return [Change(one, subject, State(row.state), verdict, was_strict, was_committee)]


def _tell(
    tx: Connection, parts: Parts, protocol: Protocol, change: Change, at: datetime, why: str
) -> None:  # fmt: skip
    """Put the change on the log, and ring for what a person must know of it."""
    number = 1 if change.before is None else 1 + (tx.scalar(_LAST_NUMBER, {"of_id": change.id}) or 0)
    after = change.after
    deed = DecisionRecordedV1(
        decision_id=str(identity("decision", CHANGED, str(change.id), str(number))),
        case_id=after.case_id, study=protocol.id, what=CHANGED, by=NAME, at=at, about=str(change.id),
        reason=why,
        detail={
            "number": number, "subject": change.subject, "key": after.key, "event_id": after.event_id,
            "state": after.state.value, "rule_id": after.rule_id, "is_provisional": after.is_provisional,
            "reasons": list(after.reasons), "for_committee": list(after.for_committee),
            "rings": dlt_rings.kind_of(tx, protocol, change),
        },
    )  # fmt: skip
    decisions.say(tx, deed)
    restore(tx, parts, deed)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """One change as the log tells it: its line of history, and the ring that it was rung for."""
    said = deed.detail
    row = {
        "verdict_id": UUID(deed.about), "number": said["number"], "at": deed.at, "state": said["state"],
        "rule_id": said["rule_id"], "is_provisional": said["is_provisional"], "reasons": said["reasons"],
        "why": deed.reason or "",
    }  # fmt: skip
    tx.execute(insert_unless_there(verdict_history, tx.dialect.name), row)
    if said["rings"] is not None:
        dlt_rings.ring(tx, parts, parts.study(deed.study), deed)


def _set_timer(
    tx: Connection, study: str, subject: str, waiting: Iterable[Verdict], as_of: datetime, *, is_new: bool
) -> None:  # fmt: skip
    """One timer for each subject: the next limit that is passed if nobody says anything. `is_new`: it has none yet."""
    limits = [limit for one in waiting for limit in (one.due_at, one.strict_at) if limit is not None and limit > as_of]
    about = f"{study}|{subject}"
    if limits:
        timers.move(tx, timers.DLT, about, study=study, due_at=min(limits), urgency=_URGENCY)
    elif not is_new:
        timers.stop(tx, timers.DLT, about, as_of, "no limit is waited for")


def look_at_all(parts: Parts, *, why: str, at: datetime) -> int:
    """Judge every subject of every study, each in its own transaction; answers how many."""
    count = 0
    for protocol in parts.studies.values():
        with parts.store.reading() as connection:
            subjects = subject_facts.subjects_of(connection, protocol.id)
        for subject in subjects:
            with parts.store.transaction() as tx:
                cases.lock_study(tx, protocol.id)
                look(tx, parts, protocol, subject, at, why=why)
        count += len(subjects)
    return count
