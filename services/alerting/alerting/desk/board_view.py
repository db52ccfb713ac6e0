"""The board in words: a heading that answers what needs somebody now, then the panels, the most urgent first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from alerting import answers, dlt_board, kinds, trial
from alerting.desk import board_facts, board_health, case_facts, clock_words, dose_words
from alerting.desk.board_facts import Whose
from alerting.desk.dose_times import Times
from alerting.desk.now import counts as now_counts
from alerting.desk.ringing_rows import Rails
from alerting.parts import Parts
from tocsin.domain.board.board import Board
from tocsin.domain.dlt.verdict import State
from tocsin.domain.protocol import Protocol
from tocsin.web.identity import Person

OPEN_VERDICTS = 8
_SOON = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the heading counts."""

    ringing: int
    late: int
    today: int
    soon: int


def counted(tx: Connection, times: Times) -> Counts:
    """What the heading counts."""
    now = times.now
    late, today, soon = board_facts.due_before(tx, (now, times.end_of_day, now + _SOON))
    ringing = now_counts(tx)["ringing"]
    return Counts(ringing, late, max(today - late, 0), max(soon - max(today, late), 0))


def ringing(tx: Connection, parts: Parts, who: Person, times: Times) -> list[dict[str, Any]]:
    """The alarms that ring, each with its rail."""
    found = board_facts.ringing(tx)
    whose = board_facts.whose(tx, {one["case_id"] for one in found if one["case_id"]})
    rails = Rails(tx, parts, times).of(found)
    return [
        {
            "id": one["alert_id"],
            "title": _capital(kinds.words(one["kind"])),
            "case": one["case_id"],
            "meta": _meta(tx, parts, one, whose.get(one["case_id"] or ""), times),
            "reasons": times.sentences(one["reasons"]),
            "provisional": one["provisional"],
            "handed_to": one["handed_over"][-1]["to"] if one["handed_over"] else None,
            "waits_for": one["waits_for"],
            "rail": rail,
            "is_mine": answers.may_acknowledge(one["level"], one["roles"], who.roles)
            and one["kind"] not in kinds.UNTIL_ANSWERED
            and who.name not in [a["by"] for a in one["acknowledgements"]],
        }
        for one, rail in zip(found, rails, strict=True)
    ]


def running(tx: Connection, parts: Parts, times: Times) -> dict[str, Any]:
    """The clocks on which something is owed, the soonest due first."""
    number, rows = board_facts.running(tx)
    whose = board_facts.whose(tx, {row.case_id for row in rows})
    return {"number": number, "rows": _clocks(tx, parts, rows, whose, times)}


def potential(tx: Connection, parts: Parts, times: Times) -> list[dict[str, Any]]:
    """The potential DLTs."""
    return _verdicts(dlt_board.like(tx, parts, is_open=True, limit=OPEN_VERDICTS * 4), times)


def doses(tx: Connection, parts: Parts, times: Times) -> list[dict[str, Any]]:
    """The dose of each study that looks for one, with the level that is in use."""
    studies = [one for one in parts.studies.values() if one.levels]
    return [_dose(one, trial.board_of(tx, one, times.now), times) for one in studies]


def work(tx: Connection, who: Person, times: Times) -> dict[str, Any]:
    """What was acknowledged and is not finished, and what is open without ringing."""
    number, quiet = board_facts.quiet(tx)
    whose = board_facts.whose(tx, {row.case_id for row in quiet if row.case_id})
    return {
        "quiet": [_quiet(row, whose, who, times) for row in quiet],
        "number_quiet": number,
        "unfinished": [_unfinished(row, times) for row in board_facts.unfinished(tx)],
        "uncoded": board_facts.uncoded_alerts(tx),
    }


def heading(counts: Counts, health: Sequence[board_health.Sign]) -> str:
    """What needs somebody now, as a sentence."""
    said = []
    if counts.ringing:
        said.append(f"{_many(counts.ringing, 'alarm is', 'alarms are')} ringing.")
    if counts.late:
        said.append(f"{_many(counts.late, 'report is', 'reports are')} late.")
    if counts.today:
        said.append(f"{_many(counts.today, 'report is', 'reports are')} due today.")
    if not said and any(not sign.is_well for sign in health):
        return "Nothing rings, but Tocsin itself needs somebody."
    return " ".join(said) or "Nothing needs you now."


def is_calm(counts: Counts, health: Sequence[board_health.Sign]) -> bool:
    """Silence counts as calm only while the proofs of life pass."""
    nothing = not (counts.ringing or counts.late or counts.today or counts.soon)
    return nothing and all(sign.is_well for sign in health)


def below(counts: Counts, health: Sequence[board_health.Sign]) -> str:
    """What the heading leaves out, in a line."""
    said = []
    if not counts.ringing:
        said.append("No alarm is ringing.")
    if counts.soon:
        said.append(f"{_many(counts.soon, 'more report is', 'more reports are')} due in the next 3 days.")
    elif not (counts.late or counts.today):
        said.append("No report is due in the next 3 days.")
    ill = [sign.name for sign in health if not sign.is_well]
    if ill:
        said.append(f"Look at: {', '.join(ill)}.")
    return " ".join(said)


def _meta(tx: Connection, parts: Parts, one: Mapping[str, Any], of: Whose | None, times: Times) -> str:
    """The line beneath an alarm: of whom it tells, when it came, how long it has rung."""
    said = []
    if of is not None:
        said += [of.subject or "subject not named", f"site {of.site}"]
        standing = case_facts.standing_of(tx, parts, parts.studies.get(one["study"]), of.subject)
        if standing is not None:
            said += [standing.level or "level not known"]
            said += [f"day {standing.window_day}"] if standing.window_day is not None else []
        said.append(f"received {times.near(of.received_at)}")
    raised = datetime.fromisoformat(one["raised_at"])
    said.append(f"rung for {clock_words.span(max(times.now - raised, timedelta(0)))}")
    return " · ".join(said)


def _clocks(
    tx: Connection, parts: Parts, rows: Sequence[Row[Any]], whose: Mapping[str, Whose], times: Times
) -> list[dict[str, Any]]:  # fmt: skip
    cases = {row.case_id for row in rows}
    second = board_facts.waiting_for_a_signature(tx, cases)
    ringing = board_facts.ringing_cases(tx, cases)
    found = []
    for row in rows:
        study = parts.studies.get(row.study)
        rule = clock_words.rules_of(study).get(row.rule)
        of = whose.get(row.case_id)
        # A day ends where the report is owed: in the zone of its own study.
        own = Times(study.receiver_zone, times.now) if study is not None else times
        found.append(
            {
                "chip": clock_words.chip(
                    started_at=row.started_at, due_at=row.due_at, is_open=True, status=row.status,
                    is_provisional=row.is_provisional, times=own,
                ),
                "title": clock_words.title(rule, row.rule, row.recipient),
                "why": times.sentence(row.reasons[0]) if row.reasons else "",
                "case": row.case_id,
                "zone": own.zone.key if own.zone.key != times.zone.key else "",
                "subject": of.subject if of is not None else None,
                "waits_for": _waits_for(row, of, second, ringing),
                "provisional": row.is_provisional,
                "in_question": row.in_question,
            }
        )  # fmt: skip
    return found


def _waits_for(
    row: Row[Any], of: Whose | None, second: Collection[str], ringing: Collection[str]
) -> tuple[str, str]:  # fmt: skip
    """Whom a clock waits for, and the tone of the chip that says so."""
    if row.recipient == "sponsor":
        return f"Site {of.site}" if of is not None else "The site", ""
    if row.case_id in ringing:
        return "Acknowledgement", "alarm-c"
    if row.case_id in second:
        return "Second signature", "info"
    return ("Assessment", "info") if row.is_provisional or row.in_question else ("Submission", "info")


def _verdicts(found: Iterable[Mapping[str, Any]], times: Times) -> list[dict[str, Any]]:
    """The potential DLTs, those that wait for a time first, the soonest of them before the others."""
    told = [
        {
            "subject": one["subject"], "case": one["case_id"], "named": dose_words.named(one), "grade": one["grade"],
            "state": dose_words.STATES[State(one["state"])], "rule": one["rule_id"], "due": one["due_at"],
            "said": f"Meets the rule {times.moment(one['due_at'])} unless improved; a physician decides"
            if one["due_at"] else "A physician decides",
            "left": times.left(one["due_at"]) if one["due_at"] else "", "provisional": one["provisional"],
            "assumptions": one["assumptions"],
        }
        for one in found
    ]  # fmt: skip
    return sorted(told, key=lambda one: (one["due"] is None, str(one["due"]), str(one["subject"])))[:OPEN_VERDICTS]


def _dose(study: Protocol, found: Board, times: Times) -> dict[str, Any]:
    """One study's dose, with the level that is in use."""
    here = next((one for one in found.levels if one.level == found.next.current), found.levels[0])
    standing = [one for one in found.holds if one.stands(found.as_of, found.today)]
    grave = [one for one in standing if one.confirmations]
    unconfirmed = sorted({party for one in grave for party in one.unconfirmed})
    sites = {site.id: site.name for site in study.sites}
    treated = [one for one in found.subjects if one.level == here.level and one.started is not None]
    return {
        "study": study.id, "level": here.level, "label": here.label, "treated": len(treated),
        "evaluable": here.evaluable, "dlt": len(here.dlt), "pending": len(here.pending),
        "may": found.next.may_be_infused, "reason": times.sentence(found.next.reasons[0]) if found.next.reasons else "",
        "holds": len(standing), "grave": len(grave),
        "unconfirmed": [dose_words.party(party, sites) for party in unconfirmed],
    }  # fmt: skip


def _quiet(row: Row[Any], whose: Mapping[str, Whose], who: Person, times: Times) -> dict[str, Any]:
    of = whose.get(row.case_id or "")
    return {
        "id": str(row.id), "title": _capital(kinds.words(row.kind)), "case": row.case_id,
        "subject": of.subject if of is not None else None, "at": times.near(row.raised_at), "level": row.level,
        "is_mine": answers.may_acknowledge(row.level, row.roles, who.roles),
    }  # fmt: skip


def _unfinished(row: Row[Any], times: Times) -> dict[str, Any]:
    return {
        "case": row.case_id, "by": row.settled_by, "at": times.near(row.settled_at),
        "title": _capital(kinds.words(row.kind)),
    }  # fmt: skip


def _many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
