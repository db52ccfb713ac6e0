"""A case as it stands, and as it would stand if one more thing were sent or signed about it.

Nothing is kept here. Who acts on a clock is answered by the difference between the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from alerting import cases, past
from alerting.clocks import clock_id
from alerting.parts import Parts
from tocsin.domain.assess import Assessment, assess
from tocsin.domain.case import Case
from tocsin.domain.clock_life import ClockKey, ClockLife, Past
from tocsin.domain.protocol import Protocol
from tocsin.domain.signed import Signed
from tocsin.domain.submissions import Submission
from tocsin.errors import NotFound


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything known of one case, and what follows from it."""

    case_id: str
    study: str
    protocol: Protocol
    case: Case
    past: Past
    now: Assessment

    def after(self, *, sent: Sequence[Submission] = (), signed: Sequence[Signed] = ()) -> Assessment:
        """What would follow if these were sent and signed too."""
        more = replace(
            self.past, submissions=(*self.past.submissions, *sent), signed=(*self.past.signed, *signed)
        )  # fmt: skip
        return assess(self.case, self.protocol, more)

    def without(self, decision_id: str) -> Standing:
        """The case as it would stand if this had never been signed."""
        less = replace(self.past, signed=tuple(d for d in self.past.signed if d.id != decision_id))
        return replace(self, past=less, now=assess(self.case, self.protocol, less))

    @property
    def event_ids(self) -> tuple[str, ...]:
        """Every event of the case in any revision, in the order in which they were told."""
        return tuple(dict.fromkeys(e.event_id for r in self.case.revisions for e in r.events))

    def clock(self, life: ClockLife) -> UUID:
        return clock_id(self.case_id, life.key, life.duty)

    def lives(self, found: Assessment | None = None) -> Mapping[UUID, ClockLife]:
        """Clocks by their ids, as they stand or as they are in `found`."""
        return {self.clock(life): life for life in (found or self.now).lives}

    def successor(self, life: ClockLife) -> tuple[UUID, ClockKey] | None:
        """The clock that this one gave way to."""
        after = life.superseded_by
        return None if after is None else (clock_id(self.case_id, after, life.duty), after)

    def revision_at(self, at: datetime) -> int:
        """The newest revision that had come by then: what a report that was sent then can have told."""
        told = [r.revision for r in self.case.revisions if r.received_at <= at]
        return max(told, default=self.case.revisions[0].revision)


def standing_of(tx: Connection, parts: Parts, study: str, case_id: str) -> Standing:
    """The case as it stands; NotFound while no report of it has come, or when its study is not served here.

    The caller holds the study's lock when it goes on to change something.
    """
    protocol = parts.studies.get(study)
    known = cases.load(tx, case_id)
    latest = known.latest
    if protocol is None or latest is None or latest.study != study:
        raise NotFound("there is no such case")
    infusions = cases.infusions_of(tx, study, latest.subject)
    case = known.case(infusions, coded_before=cases.ALL_CODINGS)
    so_far = past.past_of(tx, case_id)
    return Standing(case_id, study, protocol, case, so_far, assess(case, protocol, so_far))


def words(life: ClockLife) -> str:
    """What a mail calls this clock."""
    return f"{life.days}-day clock" if life.days is not None else "clock"
