"""What handlers, chores and the API of this service are handed: studies, time, addresses. Wired in `app.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tocsin.domain.protocol import Protocol
from tocsin.errors import Poison
from tocsin.now import Now
from tocsin.store.engine import Store

NAME = "alerting"
ALL_STUDIES = "all"
"""What stands in place of a study where something is about the house itself, or nobody can say which study."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`now` is the time of cases and timers; `wall` is the machine's, for leases, logins and what leaves by the wire.

    `is_rebuilding`: the log is being read into empty tables, so nothing may ring; what rang comes from the log too.
    `to_judge`: the subjects, by study and number, that a rebuild has still to judge, and as of which moment.
    `is_rehearsal`: time stands until it is moved; every page and message says so, and nobody beyond
    this machine is called.
    """

    store: Store
    studies: Mapping[str, Protocol]
    now: Now
    wall: Now
    public_url: str
    is_rebuilding: bool = False
    is_rehearsal: bool = False
    to_judge: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def study(self, study_id: str) -> Protocol:
        """The protocol of a study. Poison when it is not served here: waiting would not help."""
        protocol = self.studies.get(study_id)
        if protocol is None:
            known = ", ".join(sorted(self.studies)) or "none"
            raise Poison(f"study {study_id!r} is not served here; served are {known}")
        return protocol
