"""The heartbeat: an invented report that intake says every hour and that goes the whole way of a real one.

It is a `reports.received.v1` of a study that is none, so that it meets the same relay, log, consumers and coder; each
handler knows it by `is_heartbeat` and keeps no case of it. Source: rules.md, "synthetic heartbeat SAE hourly".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tocsin.messages.bodies import KeptEvent, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.facts import EventFacts, ReportFacts

STUDY: Final = "tocsin.heartbeat"
"""In place of a study: no study file may name one so."""
TOPIC: Final = "reports.received.v1"
_WORDS: Final = "Pyrexia"
_PREFIX: Final = "HEARTBEAT-"


def is_heartbeat(study: str) -> bool:
    """Whether what says this study is a heartbeat."""
    return study == STUDY


def beat(at: datetime, source: str) -> Envelope[ReportReceivedV1]:
    """The heartbeat of this moment, an aware instant on a whole beat: the same moment gives the same message."""
    case_id = f"{_PREFIX}{at.isoformat()}"
    facts = EventFacts(verbatim=_WORDS, serious=True)
    body = ReportReceivedV1(
        case_id=case_id, revision=1, study=STUDY, site="none", received_at=at, facts=ReportFacts(events=[facts]),
        events=[KeptEvent(event_id=f"{case_id}-E1", facts=facts)],
    )  # fmt: skip
    return Envelope(identity("heartbeat", case_id), TOPIC, case_id, source, STUDY, at, at, body)


def beat_of(case_id: str) -> datetime:
    """The moment of a heartbeat, from its number. ValueError when it is none."""
    if not case_id.startswith(_PREFIX):
        raise ValueError(f"{case_id!r} is no heartbeat")
    return datetime.fromisoformat(case_id.removeprefix(_PREFIX))


def last_beat(at: datetime, every: timedelta) -> datetime:
    """The moment of the newest beat at this instant: beats are counted from the epoch, so that all machines agree."""
    seconds = int(every.total_seconds())
    return at.fromtimestamp(int(at.timestamp()) // seconds * seconds, at.tzinfo)
