"""What people say of a phrase: that it means a term, in one study or in all, and that it no longer does.

Each word is a row of its own, and the newest that is approved or withdrawn counts. Where a study asks for a second
person, a synonym is proposed first. How phrases are looked up is left to `thesaurus`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, insert, or_, select

from meddra_coder import decision_log, recoding, tables
from meddra_coder.coder import Coder
from meddra_coder.dictionary import DictionaryTerm
from meddra_coder.dictionary.terms import concepts
from meddra_coder.proposals import SecondAnswerFacts
from meddra_coder.reading import read
from meddra_coder.thesaurus import GLOBAL, STUDY
from meddra_coder.wording import normalise
from tocsin.domain.protocol import Protocol
from tocsin.errors import Conflict, Forbidden, NotFound, Refused, Wrong
from tocsin.messages.bodies import CodedEvent, DecisionRecordedV1
from tocsin.messages.envelope import identity

LONGEST: Final = 200
PROPOSED: Final = "proposed"
APPROVED: Final = "approved"
REFUSED: Final = "refused"
WITHDRAWN: Final = "withdrawn"

Phrase = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"\S")]
Scope = Annotated[Literal["study", "global"], Field(description="whether it holds in this study or in all")]
StudyId = Annotated[str, Field(min_length=1, max_length=60)]
Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]


class SynonymFacts(BaseModel):
    """That a phrase means a term. `study`: where it holds, or, in all, the study whose dictionary has the term."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phrase: Phrase
    llt_code: Annotated[str, Field(pattern=r"^[0-9]{8}$")]
    scope: Scope
    study: StudyId
    reason: Reason


class SynonymWithdrawal(BaseModel):
    """That a phrase no longer means what was approved."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phrase: Phrase
    scope: Scope
    study: StudyId
    reason: Reason


class SynonymWord(BaseModel):
    """What somebody once said of a phrase. `state`: proposed, approved, refused or withdrawn."""

    decision_id: UUID
    llt_code: str
    state: str
    by: str
    at: datetime
    reason: str


class KeptSynonym(BaseModel):
    """A phrase with the newest word on it. `study` is null where it holds in all."""

    phrase: str
    scope: str
    study: str | None
    counts: str | None = Field(description="the code that it means now, by what was approved; null where it means none")
    newest: SynonymWord
    history: list[SynonymWord] = Field(description="every word on it, oldest first")


@dataclass(frozen=True, slots=True)
class _Key:
    """Of what each word is: a phrase in its normal form, in one study or in all."""

    text: str
    scope: str
    study: str | None

    @classmethod
    def of(cls, phrase: str, scope: str, study: str) -> _Key:
        text = normalise(phrase).text
        if not text:
            raise Refused("not a phrase", [Wrong("/phrase", f"{phrase!r} says nothing", "words")])
        return cls(text, scope, study if scope == STUDY else None)


def put(
    tx: Connection, facts: SynonymFacts, *, coder: Coder, studies: Mapping[str, Protocol], by: str, at: datetime
) -> KeptSynonym:
    """Keep a synonym, approved or proposed. What is approved, or waits by the same person, is not kept again.

    Conflict where a proposal on it waits, where it is the name of another term, or where it means another one already
    and `scope` is not the study.
    """
    key = _Key.of(facts.phrase, facts.scope, facts.study)
    term = recoding.term_of(facts.llt_code, coder.dictionary)
    if not term.is_current:
        allowed = "the code of a current term"
        raise Refused("not a current term", [Wrong("/llt_code", f"{term.name} is no longer current", allowed)])
    rows = _rows(tx, key)
    newest = rows[-1] if rows else None
    is_same = newest is not None and newest.code == term.code
    if newest is not None and is_same and (newest.state == APPROVED or (newest.state, newest.by) == (PROPOSED, by)):
        return _shown(rows)
    if newest is not None and newest.state == PROPOSED:
        allowed = "first an answer to it, or its withdrawal"
        raise Conflict(
            f'"{newest.phrase}" is proposed as {newest.code} already, by {newest.by}',
            [Wrong("/phrase", f"proposal {newest.decision_id} waits for a second person", allowed)],
        )
    _must_not_contradict(key.text, term.code, facts.scope, coder)
    state = PROPOSED if _needs_second(facts.scope, facts.study, studies) else APPROVED
    return _keep(tx, key, facts.phrase.strip(), term.code, state, facts.study, by, at, facts.reason, rows)


def withdraw(tx: Connection, facts: SynonymWithdrawal, *, by: str, at: datetime) -> KeptSynonym:
    """Keep that a phrase no longer means what was approved, or is no longer proposed."""
    key = _Key.of(facts.phrase, facts.scope, facts.study)
    rows = _rows(tx, key)
    shown = _shown(rows) if rows else None
    if shown is None or (shown.counts is None and shown.newest.state != PROPOSED):
        where = "in all studies" if facts.scope == GLOBAL else f"in {facts.study}"
        raise NotFound(f'"{facts.phrase}" is no approved synonym {where}')
    code = shown.counts or shown.newest.llt_code
    return _keep(tx, key, shown.phrase, code, WITHDRAWN, facts.study, by, at, facts.reason, rows)


def answer(tx: Connection, decision_id: UUID, facts: SecondAnswerFacts, *, by: str, at: datetime) -> KeptSynonym:
    """Approve or refuse a proposed synonym. Forbidden for who proposed it; Conflict where something newer was said."""
    its = tables.synonyms
    asked = tx.execute(select(its).where(its.c.decision_id == decision_id, its.c.state == PROPOSED)).one_or_none()
    if asked is None:
        raise NotFound(f"there is no proposed synonym {decision_id}")
    key = _Key(asked.text, asked.scope, asked.study)
    rows = _rows(tx, key)
    newest = rows[-1]
    if newest.decision_id != decision_id:
        raise Conflict(f'of "{asked.phrase}" something newer was said: {newest.state}, by {newest.by}')
    if asked.by == by:
        raise Forbidden(f"{by} proposed this: another person has to answer")
    state = APPROVED if facts.approve else REFUSED
    said_in = asked.study or decision_log.ALL_STUDIES
    return _keep(tx, key, asked.phrase, asked.code, state, said_in, by, at, facts.reason, rows)


def listed(tx: Connection, study: str | None) -> list[KeptSynonym]:
    """Each phrase of which something was said, by phrase; those of one study with those of all, or every one."""
    its = tables.synonyms.c
    query = select(tables.synonyms).order_by(its.seq)
    if study is not None:
        query = query.where(or_(its.scope != STUDY, its.study == study))
    kept: dict[tuple[str, str, str], list[Any]] = {}
    for row in tx.execute(query):
        kept.setdefault((row.text, row.scope, row.study or ""), []).append(row)
    return [_shown(kept[key]) for key in sorted(kept)]


def newest_of(tx: Connection, phrase: str, scope: str, study: str) -> str | None:
    """The state of the newest word on a phrase; None where nothing was ever said of it."""
    rows = _rows(tx, _Key.of(phrase, scope, study))
    return rows[-1].state if rows else None


def phrase_of(event: CodedEvent) -> str:
    """The event in its own words without what stands beside it: the phrase that is kept by default."""
    told = [(one.kind, one.words) for one in event.told]
    stages = read(event.verbatim, concepts()).stages
    without = [text for text, _, out in stages if [(one.kind, one.words) for one in out] == told]
    phrase = (without[0] if without else "") or event.verbatim.strip()
    if not phrase or len(phrase) > LONGEST:
        allowed = f"1 to {LONGEST} letters, in synonym_phrase"
        raise Refused("no phrase can be made of this event", [Wrong("/synonym", f"{len(phrase)} letters", allowed)])
    return phrase


def rebuild(tx: Connection, body: DecisionRecordedV1) -> None:
    """Keep what the log says of a phrase."""
    detail = body.detail
    study = detail["study"]
    _insert(
        tx, _Key(str(detail["text"]), str(detail["scope"]), None if study is None else str(study)),
        UUID(body.decision_id), str(detail["phrase"]), str(detail["llt_code"]), str(detail["state"]), body.by, body.at,
        body.reason or "",
    )  # fmt: skip


def _must_not_contradict(text: str, code: str, scope: str, coder: Coder) -> None:
    """Conflict where the phrase is the name of another term, or where it means another one and is not for one study."""
    names = [term for term in coder.dictionary.worded(text) if term.is_current]
    if names and code not in {term.code for term in names}:
        # Whoever writes it as the dictionary does is coded by the name: with the synonym one word had two codes.
        raise Conflict(
            f'"{text}" is the name of {_named(names)}',
            [Wrong("/phrase", "a name never means another term", "a phrase that is no name of the dictionary")],
        )
    meant = coder.thesaurus.phrase(text)
    if scope == GLOBAL and meant is not None and meant.codes not in ((), (code,)):
        terms = [term for one in meant.codes if (term := coder.dictionary.coded(one)) is not None]
        allowed = "scope study, or first its withdrawal where it was approved here"
        raise Conflict(
            f'"{text}" means {_named(terms)} already', [Wrong("/phrase", "it has a meaning in all studies", allowed)]
        )


def _named(terms: Sequence[DictionaryTerm]) -> str:
    return " or ".join(f'"{term.name}" ({term.code})' for term in terms)


def _needs_second(scope: str, study: str, studies: Mapping[str, Protocol]) -> bool:
    """What holds in all studies is agreed to wherever one of them asks for that."""
    if scope == GLOBAL:
        return any(one.coding.second_person for one in studies.values())
    return study in studies and studies[study].coding.second_person


def _keep(
    tx: Connection, key: _Key, phrase: str, code: str, state: str, said_in: str, by: str, at: datetime, reason: str,
    rows: Sequence[Any],
) -> KeptSynonym:  # fmt: skip
    """Add a word on a phrase; `rows` are those before, `said_in` the study that the decision is told of."""
    made = identity("synonym", key.text, key.scope, key.study or "", code, state, by, str(len(rows)))
    _insert(tx, key, made, phrase, code, state, by, at, reason)
    detail = {
        "text": key.text, "phrase": phrase, "llt_code": code, "scope": key.scope, "study": key.study, "state": state,
    }  # fmt: skip
    decided = decision_log.Decided(made, decision_log.SYNONYM, f'phrase "{phrase}"', said_in, by, at, reason, detail)
    before = {"llt_code": rows[-1].code, "state": rows[-1].state} if rows else None
    decision_log.record(
        tx, decided, did=f"{state} a synonym", before=before,
        after={"llt_code": code, "state": state, "scope": key.scope},
    )  # fmt: skip
    return _shown(_rows(tx, key))


def _insert(
    tx: Connection, key: _Key, made: UUID, phrase: str, code: str, state: str, by: str, at: datetime, reason: str
) -> None:
    tx.execute(
        insert(tables.synonyms).values(
            decision_id=made, text=key.text, phrase=phrase, code=code, scope=key.scope, study=key.study, state=state,
            by=by, at=at, reason=reason,
        )
    )  # fmt: skip


def _rows(tx: Connection, key: _Key) -> Sequence[Any]:
    """Every word on a phrase, oldest first."""
    its = tables.synonyms.c
    of_study = its.study.is_(None) if key.study is None else its.study == key.study
    query = select(tables.synonyms).where(its.text == key.text, its.scope == key.scope, of_study)
    return tx.execute(query.order_by(its.seq)).all()


def _shown(rows: Sequence[Any]) -> KeptSynonym:
    words = [
        SynonymWord(
            decision_id=row.decision_id, llt_code=row.code, state=row.state, by=row.by, at=row.at, reason=row.reason
        )
        for row in rows
    ]
    counting = next((one for one in reversed(words) if one.state in (APPROVED, WITHDRAWN)), None)
    newest = rows[-1]
    return KeptSynonym(
        phrase=newest.phrase,
        scope=newest.scope,
        study=newest.study,
        counts=counting.llt_code if counting is not None and counting.state == APPROVED else None,
        newest=words[-1],
        history=words,
    )
