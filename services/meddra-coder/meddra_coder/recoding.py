"""A coding of a person in the place of the one before: a row of its own, and the whole revision said again.

Whether somebody may decide so is left to `decisions` and `proposals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from meddra_coder import casebook
from meddra_coder.casebook import Revision
from meddra_coder.coder import Coder
from meddra_coder.dictionary import Dictionary, DictionaryTerm, Kind
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.messages.bodies import CodedEvent

PERSON: Final = "person"
"""The method of a coding that somebody chose."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One event as it is coded now, in the newest revision of its case. `rows`: the whole revision, oldest first."""

    revision: Revision
    rows: Sequence[Any]
    event: CodedEvent

    @property
    def of_event(self) -> list[tuple[int, Any]]:
        """(place among the rows of the revision, row) of each coding of the event, oldest first."""
        return [(n, row) for n, row in enumerate(self.rows) if row.event_id == self.event.event_id]


def standing(tx: Connection, case_id: str, event_id: str) -> Standing:
    """The event as it stands. NotFound without the case, Refused without the event."""
    revision = casebook.latest_revision(tx, case_id)
    rows = casebook.history(tx, case_id, revision.revision) if revision is not None else []
    if revision is None or not rows:
        raise NotFound(f"the coder holds no case {case_id}")
    newest = next((row for row in reversed(rows) if row.event_id == event_id), None)
    if newest is None:
        held = ", ".join(event.event_id for event in casebook.counting(tx, case_id, revision.revision))
        raise Refused("no such event", [Wrong("/event_id", f"{event_id} is not an event of {case_id}", held)])
    return Standing(revision, rows, casebook.event_of(newest))


def must_be_newest(seen: int, newest: Revision) -> None:
    """Conflict where somebody decided on another revision than the newest."""
    if seen != newest.revision:
        raise Conflict(
            f"{newest.case_id} is at revision {newest.revision} now",
            [Wrong("/revision", f"this was decided on revision {seen}", "what is decided on the newest revision")],
        )


def term_of(code: str, dictionary: Dictionary) -> DictionaryTerm:
    """The lowest level term that a person may choose. Refused where it is none."""
    term = dictionary.coded(code)
    if term is None:
        raise Refused(
            "no such term",
            [Wrong("/llt_code", f"{code} is not in {dictionary.version}", "a code that GET /v1/terms?q= finds")],
        )
    if term.kind is Kind.OTHER_SPECIFY:
        raise Refused(
            "not a lowest level term",
            [Wrong("/llt_code", f'{code} is the class of "{term.name}", not a term', "the code of a term")],
        )
    return term


def as_decided_before(tx: Connection, of: Revision, event: CodedEvent, coder: Coder) -> CodedEvent:
    """The event with the term that a person chose for the same words in an earlier revision, or as it is.

    A follow-up says other things of an event; its words say what they said, so a decision on them stands.
    """
    row = casebook.newest_before(tx, of, event.event_id)
    if row is None or row.status != "corrected" or row.verbatim != event.verbatim:
        return event
    term = coder.dictionary.coded(row.llt_code)
    if term is None or not term.is_current:
        return event
    is_kept_already = bool(row.reasons) and row.reasons[0].startswith(_KEPT)
    said = row.reasons if is_kept_already else [f"{_KEPT} {row.revision}", *row.reasons]
    return chosen(event, term, said, coder.version)


_KEPT: Final = "the words are the same as a person coded in revision"


def chosen(before: CodedEvent, term: DictionaryTerm, reasons: Sequence[str], version: str) -> CodedEvent:
    """The event with the term that people chose."""
    return before.model_copy(
        update={
            "status": "corrected",
            "llt_code": term.code,
            "term": term.name,
            "soc": term.soc,
            "path": list(term.path),
            "smqs": list(term.smqs),
            "dictionary": version,
            "method": PERSON,
            "confidence": None,
            "reasons": list(reasons),
        }
    )


def put(tx: Connection, stands: Standing, after: CodedEvent, *, decision: UUID, at: datetime, by: str) -> None:
    """Keep the coding, and say the revision again with it."""
    revision = stands.revision
    events = casebook.counting(tx, revision.case_id, revision.revision)
    dictionary = after.dictionary or ""
    casebook.keep(tx, revision, [after], decision=decision, dictionary=dictionary, at=at, by=by)
    casebook.say(
        tx,
        revision,
        [after if event.event_id == after.event_id else event for event in events],
        decision=decision,
        dictionary=dictionary,
        occurred_at=at,
        recorded_at=at,
        by=by,
    )


def shown(event: CodedEvent) -> dict[str, str | None]:
    """A coding as the audit trail keeps it."""
    return {"event_id": event.event_id, "llt_code": event.llt_code, "status": event.status}
