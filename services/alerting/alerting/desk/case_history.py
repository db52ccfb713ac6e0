"""The history of a case, newest first: who did what, by which rule, the old value struck out, the new one underlined.

Made of what is kept about the case: reports, codings, rings, answers, signatures, clocks, submissions, deliveries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting import kinds
from alerting.desk.case_facts import CaseFacts
from alerting.desk.clock_words import rules_of, title
from alerting.desk.dose_times import Times
from alerting.desk.dose_words import STATES
from alerting.desk.role_words import role
from tocsin.domain.dlt.verdict import State

REASONS_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `tone`: hot for what rang, done for what somebody finished; `changes`: (what, before, after)."""

    at: datetime
    said: str
    by: str
    tone: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()


def history(facts: CaseFacts, times: Times) -> list[Entry]:
    """Every line, newest first; lines of one instant in the order in which they follow from one another."""
    found = [
        *_reports(facts), *_codings(facts), *_clocks(facts, times), *_verdicts(facts, times), *_alerts(facts),
        *_decisions(facts), *_submissions(facts), *_deliveries(facts),
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.at, reverse=True)


def _reports(facts: CaseFacts) -> Iterable[Entry]:
    before: dict[str, Any] = {}
    for number, report in sorted(facts.known.reports.items()):
        told = {one.event_id: one.facts.model_dump(mode="json", by_alias=True, exclude_unset=True)
                for one in report.events}  # fmt: skip
        by = report.facts.reporter.name if report.facts.reporter and report.facts.reporter.name else "not named"
        what = "nullified by the site" if report.is_nullified else "received"
        yield Entry(
            report.received_at, f"Version {number} {what}", f"Site {report.site}, {by}", "",
            tuple(_changed(before, told)) if number > 1 else (),
        )  # fmt: skip
        before = told


def _changed(before: dict[str, Any], after: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    for event_id, facts in after.items():
        earlier = before.get(event_id)
        if earlier is None:
            yield event_id, "", f"new: {facts.get('verbatim', '')}"
            continue
        for name in sorted({*earlier, *facts}):
            if earlier.get(name) != facts.get(name):
                yield f"{event_id} {name.replace('_', ' ')}", _value(earlier.get(name)), _value(facts.get(name))


def _value(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "none"
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')} {_value(one)}" for name, one in value.items())
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _codings(facts: CaseFacts) -> Iterable[Entry]:
    for number, coding in sorted(facts.known.codings.items()):
        terms = "; ".join(f"{one.event_id} {one.term or 'waits for a person'}" for one in coding.events)
        yield Entry(coding.coded_at, f"Version {number} coded: {terms}", f"{coding.coder}, {coding.dictionary}", "done")


def _clocks(facts: CaseFacts, times: Times) -> Iterable[Entry]:
    rules = rules_of(facts.protocol)
    for clock in facts.clocks:
        name = title(rules.get(clock["rule"]), clock["rule"], clock["recipient"])
        for change in clock["changes"]:
            before, after = change["before"] or {}, change["after"] or {}
            moved = [
                (f.replace("_", " "), str(before[f]), str(after[f]))
                for f in ("day_zero", "due_on", "status", "recipient")
                if f in before and f in after and before[f] != after[f]
            ]  # fmt: skip
            said = f"{name}: {change['what']} ({change['status'].lower()})"
            yield Entry(_at(change["at"]), said, times.sentence(change["reason"]), "", tuple(moved))


def _verdicts(facts: CaseFacts, times: Times) -> Iterable[Entry]:
    for one in facts.verdicts:
        for change in one["history"]:
            rule = f" ({change['rule_id']})" if change["rule_id"] else ""
            said = f"{one['event_id'] or one['key']}: {STATES[State(change['state'])]}{rule}"
            yield Entry(_at(change["at"]), said, times.sentence(change["why"]))
        for signature in one["signatures"]:
            said = f"{one['event_id'] or one['key']}: DLT {signature['decision'].lower()} by signature"
            yield Entry(_at(signature["at"]), said, f"{signature['by']}: {signature['reason']}", "done")


def _alerts(facts: CaseFacts) -> Iterable[Entry]:
    for alert in facts.alerts:
        words = kinds.words(alert["kind"])
        yield Entry(_at(alert["raised_at"]), f"Alarm raised: {words}", _first(alert["reasons"]), "hot")
        for number, notice in enumerate({one["notice_id"]: one for one in alert["notices"]}.values()):
            who = ", ".join(notice["people"]) or role(notice["rung_role"] or notice["role"])
            verb = "Rung" if number == 0 else "Escalated to" if notice["cause"] == "policy" else "Rung again"
            reached = "" if notice["rung_role"] is not None else " (NOBODY is reachable)"
            yield Entry(_at(notice["at"]), f"{verb} {who}{reached}", f"{words}: {notice['reason']}", "hot")
        for answer in alert["acknowledgements"]:
            yield Entry(_at(answer["at"]), f"Acknowledged: {words}", answer["by"], "done")
        for handed in alert["handed_over"]:
            said = f"{handed['by']}: {handed['reason']}"
            yield Entry(_at(handed["at"]), f"Handed over to {handed['to']}: {words}", said)
        if alert["closed_at"]:
            why = alert["closed_because"] or "nothing is owed on it any more"
            yield Entry(_at(alert["closed_at"]), f"Closed: {words}", f"{alert['closed_by'] or 'Tocsin'}: {why}", "done")


def _decisions(facts: CaseFacts) -> Iterable[Entry]:
    for one in facts.assessed["decisions"]:
        name = one["decision"].replace("_", " ")
        for number, signature in enumerate(one["signatures"], start=1):
            said = f"Signed ({number} of {one['needs']}): {name}"
            yield Entry(
                _at(signature["at"]), said, f"{signature['by']}, {signature['meaning']}: {one['reason']}", "done"
            )


def _submissions(facts: CaseFacts) -> Iterable[Entry]:
    sent = {one["submission_id"]: one for clock in facts.clocks for one in clock["submissions"]}
    for one in sent.values():
        yield Entry(
            _at(one["at"]), f"Recorded as sent to {one['recipient']}, version {one['version']}",
            f"{one['reference']}, entered by {one['entered_by']}", "done",
        )  # fmt: skip
        answer = one["acknowledgement"]
        if answer:
            said = f"{one['recipient']}: {answer['outcome']}"
            yield Entry(_at(answer["at"]), said, answer["reason"] or answer["reference"] or "no reference", "done")


def _deliveries(facts: CaseFacts) -> Iterable[Entry]:
    for one in facts.deliveries:
        if one["state"] == "dead" and one["ended_at"]:
            said = f"A {one['channel']} to {one['address']} was given up"
            yield Entry(_at(one["ended_at"]), said, f"{len(one['attempts'])} tries: {one['why']}", "hot")


def _first(reasons: Sequence[str]) -> str:
    """The first reasons; all of them stand on the page of the alarm."""
    said = "; ".join(reasons[:REASONS_SHOWN])
    more = len(reasons) - REASONS_SHOWN
    return f"{said}; and {more} more reasons" if more > 0 else said


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
