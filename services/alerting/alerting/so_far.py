"""What is known of one case and its subject so far: read once for a message, and handed on to whoever needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from alerting import cases, grades, past
from alerting.tables import doses
from tocsin.domain.case import Case, Infusion
from tocsin.domain.clock_life import Past
from tocsin.messages.bodies import ReportReceivedV1

# Made once: it runs for every message, and making a statement costs as much as running it.
_DOSED = (
    select(doses)
    .where(doses.c.study == bindparam("of_study"), doses.c.subject == bindparam("of_subject"))
    .order_by(doses.c.received_at, doses.c.record_id)
)


@dataclass(frozen=True, slots=True)
class SoFar:
    """One case of which a report has come. `subject`: whom the newest names; `dosed`, `infusions`, `graded` are of it.

    `case`: without infusions, with every coding. `graded` is None where nobody has asked for it. `is_new`: this message
    is the first that tells of the case.
    """

    known: cases.Known
    latest: ReportReceivedV1
    case: Case
    past: Past
    dosed: Sequence[Row[Any]]
    infusions: tuple[Infusion, ...]
    graded: grades.Graded | None = None
    is_new: bool = False

    @property
    def subject(self) -> str | None:
        return self.latest.subject

    def judged(self, coded_before: int) -> Case:
        """The case for the book of rules, with the codings of revisions below `coded_before`."""
        if all(revision < coded_before for revision in self.known.codings):
            return replace(self.case, infusions=self.infusions)
        return self.known.case(self.infusions, coded_before=coded_before)


def of(tx: Connection, known: cases.Known, *, is_new: bool = False, with_grades: bool = False) -> SoFar | None:
    """What is known of a case and its subject, of the grades too if asked for; None while no report of it has come."""
    latest = known.latest
    if latest is None:
        return None
    subject, dosed = latest.subject, dosed_of(tx, latest.study, latest.subject)
    return SoFar(
        known, latest, known.case((), coded_before=cases.ALL_CODINGS), past.past_of(tx, known.case_id), dosed,
        cases.infusions_in(dosed),
        grades.told_of(tx, latest.study, subject) if with_grades and subject is not None else None,
        is_new,
    )  # fmt: skip


def each_case(tx: Connection, case_ids: Sequence[str], read: SoFar | None) -> Iterator[tuple[Case, ReportReceivedV1]]:
    """These cases with every coding, each with its newest report; those of which none has come are left out.

    What was `read` already is not read again.
    """
    ours = None if read is None else read.latest.case_id
    others = cases.load_each(tx, (case_id for case_id in case_ids if case_id != ours))
    for case_id in case_ids:
        if read is not None and case_id == ours:
            yield read.case, read.latest
        elif (latest := others[case_id].latest) is not None:
            yield others[case_id].case((), coded_before=cases.ALL_CODINGS), latest


def dosed_of(tx: Connection, study: str, subject: str | None) -> Sequence[Row[Any]]:
    """The dose records of a subject, in order of receipt."""
    return () if subject is None else tx.execute(_DOSED, {"of_study": study, "of_subject": subject}).all()
