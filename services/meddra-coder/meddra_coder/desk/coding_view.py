"""What the coding page shows of one event: its words, its candidates with their path, who may do what, what was asked.

Reads; changes nothing. What is said in words is left to `coding_words`, and how it looks to the templates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from meddra_coder import api, casebook, decisions, proposals, recoding, site_questions, synonym_book, tables
from meddra_coder.api import MAY_DECIDE, Found
from meddra_coder.coder import Coder
from meddra_coder.coders import Coders
from meddra_coder.dictionary.terms import DictionaryError
from meddra_coder.proposals import CodingProposal
from meddra_coder.review_api import MAY_ANSWER
from meddra_coder.site_questions import SiteQuestion
from meddra_coder.site_questions_api import MAY_ASK
from meddra_coder.synonym_book import KeptSynonym
from tocsin.domain.protocol import Protocol
from tocsin.errors import Refused
from tocsin.messages.bodies import CodedEvent
from tocsin.web.identity import Person

WITH_KEYS: Final = 9
HITS: Final = 20
LATELY: Final = 5
_LOOKED_AT: Final = 30
"""How many decisions are looked at for those that still count."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term that may be picked. `preferred` is none where the dictionary has no such level."""

    code: str
    lowest: str
    preferred: str | None
    soc: str
    score: float
    why: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """One event as the page shows it. `dictionary` is none, and `away` says why, where its version is not loaded."""

    case_id: str
    event: CodedEvent
    revision: int
    study: str
    serious: str
    came: casebook.Sent
    history: Sequence[Any]
    candidates: Sequence[Term]
    parts: Sequence[tuple[str, Term | None]]
    hits: Sequence[Term]
    dictionary: str | None
    away: str
    phrase: str
    proposal: CodingProposal | None
    proposed: Term | None
    asked: Sequence[SiteQuestion]
    can_undo: bool
    needs_second: bool
    counts: bool

    @property
    def id(self) -> str:
        return self.event.event_id

    @property
    def coded_by(self) -> str:
        return str(self.history[-1].coded_by)

    def takes(self, may: May) -> frozenset[str]:
        """Which forms stand on the page for somebody, by the end of their address."""
        its = self.proposal
        found = {
            "decisions": may.decide and self.counts and its is None and not self.away,
            "undo": may.decide and self.can_undo,
            "queries": may.ask and self.counts,
            "splits": may.ask and self.counts,
            "answers": may.answer and its is not None and its.by != may.name,
        }
        return frozenset(name for name, is_there in found.items() if is_there)


@dataclass(frozen=True, slots=True)
class Lately:
    """A decision of a person that counts and may be taken back."""

    event_id: str
    revision: int
    verbatim: str
    term: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class May:
    """What somebody may do on this page; `name` is who it is."""

    name: str
    decide: bool
    answer: bool
    ask: bool

    @classmethod
    def of(cls, who: Person) -> May:
        return cls(who.name, *(bool(who.roles & {*roles}) for roles in (MAY_DECIDE, MAY_ANSWER, MAY_ASK)))


def chosen(
    tx: Connection, coders: Coders, studies: Mapping[str, Protocol], event_id: str, q: str
) -> Chosen | None:  # fmt: skip
    """The event with this id, whether or not it waits; None where the coder holds none. `q`: searched for."""
    case_id = event_id.rpartition("-E")[0]
    try:
        stands = recoding.standing(tx, case_id, event_id)
    except Refused:
        return None
    of, event = stands.revision, stands.event
    coder, away = _coder(tx, coders, of.study)
    came = casebook.sent(tx, of)
    listed = {one.code: one for one in event.candidates}
    candidates = [_term(one.code, one.term, one.soc, one.score, one.why, coder) for one in listed.values()]
    by_code = {one.code: one for one in candidates}
    proposal = proposals.open_of(tx, [case_id]).get((case_id, of.revision, event_id))
    return Chosen(
        case_id=case_id,
        event=event,
        revision=of.revision,
        study=of.study,
        serious=(came.serious or {}).get(event_id, "unknown"),
        came=came,
        history=[row for _, row in stands.of_event],
        candidates=candidates,
        parts=[(part.words, by_code.get(part.code)) for part in event.split],
        hits=[_hit(one, coder) for one in api.search(coder, q, HITS)] if coder is not None and q else [],
        dictionary=coder.dictionary.version if coder is not None else None,
        away=away,
        phrase=_phrase(event),
        proposal=proposal,
        proposed=_term(proposal.llt_code, "", "", 0.0, "", coder)
        if proposal is not None and coder is not None
        else None,
        asked=site_questions.of_events(tx, [case_id]).get((case_id, event_id), []),
        can_undo=decisions.can_be_undone(stands),
        needs_second=of.study in studies and studies[of.study].coding.second_person,
        counts=came.counts(event_id),
    )


def lately(tx: Connection, study: str | None) -> list[Lately]:
    """The newest decisions of people that count and may be taken back, newest first."""
    its = tables.codings.c
    query = select(tables.codings).where(its.method == recoding.PERSON, its.coded_by != casebook.SOURCE)
    if study is not None:
        query = query.where(its.study == study)
    found: list[Lately] = []
    for row in tx.execute(query.order_by(its.seq.desc()).limit(_LOOKED_AT)):
        stands = recoding.standing(tx, row.case_id, row.event_id)
        if stands.of_event[-1][1].seq == row.seq and decisions.can_be_undone(stands):
            found.append(Lately(row.event_id, row.revision, row.verbatim, row.term, row.coded_by, row.coded_at))
        if len(found) == LATELY:
            break
    return found


def proposed_synonyms(
    tx: Connection, coders: Coders, studies: Iterable[str], study: str | None
) -> list[tuple[KeptSynonym, str]]:  # fmt: skip
    """The synonyms that wait for a second person, each with the name of its term where a study here has it."""
    waiting = [one for one in synonym_book.listed(tx, study) if one.newest.state == synonym_book.PROPOSED]
    return [(one, _name(tx, coders, [one.study] if one.study else studies, one.newest.llt_code)) for one in waiting]


def _name(tx: Connection, coders: Coders, studies: Iterable[str], code: str) -> str:
    for study in studies:
        coder, _ = _coder(tx, coders, study)
        term = coder.dictionary.coded(code) if coder is not None else None
        if term is not None:
            return term.name
    return ""


def _coder(tx: Connection, coders: Coders, study: str) -> tuple[Coder | None, str]:
    try:
        return coders.of(tx, study), ""
    except DictionaryError as error:
        return None, str(error)


def _term(code: str, name: str, soc: str, score: float, why: str, coder: Coder | None) -> Term:
    known = coder.dictionary.coded(code) if coder is not None else None
    if known is None:
        return Term(code, name, None, soc, score, why, is_current=True)
    return Term(code, known.name, _preferred(known.path), known.soc, score, why, known.is_current)


def _proposed(proposal: CodingProposal | None, coder: Coder | None) -> Term | None:
    if proposal is None or coder is None or coder.dictionary.coded(proposal.llt_code) is None:
        return None
    return _term(proposal.llt_code, "", "", 0.0, "", coder)


def _hit(found: Found, coder: Coder | None) -> Term:
    return _term(found.code, found.term, found.soc, found.score, f"code {found.code}", coder)


def _preferred(path: Sequence[str]) -> str | None:
    level = next((one for one in path if one.startswith("PT ")), None)
    return level.split(" ", 2)[-1] if level is not None else None


def _phrase(event: CodedEvent) -> str:
    """What would become a synonym; nothing where no phrase can be made of the event."""
    try:
        return synonym_book.phrase_of(event)
    except Refused:
        return ""
