"""The codings that wait for a person: serious events first, and of those the longest waiting.

Of each case the newest revision counts, and of each event its newest coding. An event with an open proposal waits as
well, for a second person, however it is coded now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Connection, and_, func, select

from meddra_coder import casebook, proposals, tables
from meddra_coder.coders import Coders
from meddra_coder.dictionary import Dictionary
from meddra_coder.dictionary.terms import DictionaryError
from meddra_coder.proposals import CodingProposal
from tocsin.domain import seriousness
from tocsin.domain.known import Known
from tocsin.messages.bodies import CandidateTerm, EventPart, KeptEvent, ReportReceivedV1, ToldBeside
from tocsin.messages.translate import event_of

NEEDS_REVIEW: Final = "needs_review"
CANDIDATES: Final = 5
_ORDER: Final = {Known.YES.value: 0, Known.UNKNOWN.value: 1, Known.NO.value: 2}


class Choice(BaseModel):
    """A term that may be chosen. `path` leads from the lowest level term up to the system organ class."""

    code: str
    term: str
    score: float
    why: str
    path: list[str]


class Waiting(BaseModel):
    """One event that waits for a person. `by`: who or what coded it last; `proposal`: what waits for a second person.

    `serious` is yes, no or unknown; it only orders the queue.
    """

    case_id: str
    revision: int
    event_id: str
    study: str
    verbatim: str
    serious: str
    waiting_since: datetime
    status: str
    llt_code: str | None
    term: str | None
    by: str
    reasons: list[str]
    told: list[ToldBeside]
    split: list[EventPart]
    candidates: list[Choice]
    dictionary: str
    proposal: CodingProposal | None


class ReviewQueue(BaseModel):
    """The events that wait, the most urgent first; `total` counts those that were left out as well."""

    total: int
    codings: list[Waiting] = Field(description="at most `limit` of them")


def how_serious(report: ReportReceivedV1) -> dict[str, Known]:
    """Whether each event that counts is serious, by the report alone; of a nullified case none counts.

    A death or a threat to life counts as serious also where only words tell of it. Where nothing is said it is unknown.
    """
    counting = () if report.is_nullified else report.events
    return {kept.event_id: _known(kept) for kept in counting if not kept.facts.nullified}


def queue(tx: Connection, coders: Coders, study: str | None, limit: int) -> ReviewQueue:
    """What waits now."""
    ordered = _ordered(tx, study)
    return ReviewQueue(total=len(ordered), codings=_shown(tx, coders, ordered[:limit]))


def order(tx: Connection, study: str | None) -> list[str]:
    """The events that wait now, in the order of the queue."""
    return [row.event_id for row in _ordered(tx, study)]


@dataclass(frozen=True, slots=True)
class Length:
    """How long the queue is. `oldest_at`: since when the longest of it waits."""

    to_review: int
    second_person: int
    oldest_at: datetime | None


def length(tx: Connection) -> Length:
    """How long the queue is now, over all studies."""
    ordered = _ordered(tx, None)
    proposed = tables.proposals.c
    second = tx.scalar(select(func.count()).where(proposed.state == proposals.PROPOSED)) or 0
    return Length(len(ordered), second, min(map(_since, ordered), default=None))


def _ordered(tx: Connection, study: str | None) -> list[Any]:
    its = tables.codings.c
    proposed = tables.proposals.c
    has_proposal = and_(
        proposed.case_id == its.case_id, proposed.revision == its.revision, proposed.event_id == its.event_id,
        proposed.state == proposals.PROPOSED,
    )  # fmt: skip
    # Two questions, as each has an index of its own.
    found = _counting(tx, its.status == NEEDS_REVIEW, study)
    with_open = select(proposed.case_id).where(proposed.state == proposals.PROPOSED)
    found |= _counting(tx, and_(its.case_id.in_(with_open), select(1).where(has_proposal).exists()), study)
    waiting = [row for row in found.values() if _counts(row)]
    return sorted(waiting, key=lambda row: (_ORDER[_serious(row)], _since(row), row.seq))


def _known(kept: KeptEvent) -> Known:
    judged = seriousness.of(event_of(kept), None)
    if not judged.serious:
        return Known.NO
    is_sure = not judged.serious.is_provisional or judged.is_fatal_or_life_threatening
    return Known.YES if is_sure else Known.UNKNOWN


def _counting(tx: Connection, condition: ColumnElement[bool], study: str | None) -> dict[int, Any]:
    """The codings that count and of which this is true, by number: with how serious, and since when they wait."""
    its, seen = tables.codings.c, tables.revisions.c
    newer, earlier, settled = (tables.codings.alias(name) for name in ("newer", "earlier", "settled"))
    of_event = and_(newer.c.case_id == its.case_id, newer.c.revision == its.revision, newer.c.event_id == its.event_id)
    is_newest = ~select(1).where(of_event, newer.c.seq > its.seq).exists()
    newest_seen = tables.revisions.alias("newest_seen")
    newest_revision = (
        select(func.max(newest_seen.c.revision)).where(newest_seen.c.case_id == its.case_id).scalar_subquery()
    )
    # Since its first coding after the last that settled it: a follow-up does not send it to the end of the queue.
    last_settled = (
        select(func.coalesce(func.max(settled.c.seq), 0))
        .where(
            settled.c.case_id == earlier.c.case_id,
            settled.c.event_id == earlier.c.event_id,
            settled.c.status != NEEDS_REVIEW,
        )
        .scalar_subquery()
    )
    since = (
        select(func.min(earlier.c.coded_at))
        .where(earlier.c.case_id == its.case_id, earlier.c.event_id == its.event_id, earlier.c.seq > last_settled)
        .scalar_subquery()
    )
    query = (
        select(its.seq, its.case_id, its.event_id, its.coded_at, seen.serious, since.label("since"))
        .join(tables.revisions, and_(seen.case_id == its.case_id, seen.revision == its.revision))
        .where(condition, its.revision == newest_revision, is_newest)
    )
    if study is not None:
        query = query.where(its.study == study)
    return {row.seq: row for row in tx.execute(query)}


def _counts(row: Any) -> bool:
    """Whether the event is none of a nullified case; true for a revision from before this was kept."""
    return row.serious is None or row.event_id in row.serious


def _serious(row: Any) -> str:
    """Unknown for a revision from before this was kept."""
    return str((row.serious or {}).get(row.event_id, Known.UNKNOWN.value))


def _since(row: Any) -> datetime:
    since: datetime = row.since or row.coded_at
    return since


def _shown(tx: Connection, coders: Coders, ordered: list[Any]) -> list[Waiting]:
    numbers = [row.seq for row in ordered]
    rows = {row.seq: row for row in tx.execute(select(tables.codings).where(tables.codings.c.seq.in_(numbers)))}
    waiting = proposals.open_of(tx, {row.case_id for row in ordered})
    books = {study: _dictionary(tx, coders, study) for study in {row.study for row in rows.values()}}
    shown = []
    for light in ordered:
        row = rows[light.seq]
        event = casebook.event_of(row)
        shown.append(
            Waiting(
                case_id=row.case_id,
                revision=row.revision,
                event_id=row.event_id,
                study=row.study,
                verbatim=row.verbatim,
                serious=_serious(light),
                waiting_since=_since(light),
                status=row.status,
                llt_code=row.llt_code,
                term=row.term,
                by=row.coded_by,
                reasons=event.reasons,
                told=event.told,
                split=event.split,
                candidates=[_choice(one, books[row.study]) for one in event.candidates[:CANDIDATES]],
                dictionary=row.dictionary,
                proposal=waiting.get((row.case_id, row.revision, row.event_id)),
            )
        )
    return shown


def _dictionary(tx: Connection, coders: Coders, study: str) -> Dictionary | None:
    """None where the version that the study uses is not loaded here: what waits is shown all the same."""
    try:
        return coders.of(tx, study).dictionary
    except DictionaryError:
        return None


def _choice(candidate: CandidateTerm, dictionary: Dictionary | None) -> Choice:
    term = dictionary.coded(candidate.code) if dictionary is not None else None
    path = term.path if term is not None else (f"LLT {candidate.code} {candidate.term}", f"SOC {candidate.soc}")
    return Choice(
        code=candidate.code, term=candidate.term, score=candidate.score, why=candidate.why, path=list(path)
    )  # fmt: skip
