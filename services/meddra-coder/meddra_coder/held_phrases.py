"""The phrases that are never coded automatically, in one study or in all: kept on the list, or taken off it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, insert, or_, select

from meddra_coder import decision_log, tables
from meddra_coder.synonym_book import Phrase, Reason
from meddra_coder.wording import normalise
from tocsin.errors import Refused, Wrong
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity


class HoldFacts(BaseModel):
    """That a phrase is held for a person from now on, or no longer. `study` null: in all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phrase: Phrase
    study: Annotated[str, Field(min_length=1, max_length=60)] | None
    is_held: bool
    reason: Reason


class HeldWord(BaseModel):
    """What somebody once decided of a phrase."""

    decision_id: UUID
    is_held: bool
    by: str
    at: datetime
    reason: str


class HeldPhrase(BaseModel):
    """A phrase with the newest word on it. `study` is null where it holds in all."""

    phrase: str
    study: str | None
    is_held: bool
    history: list[HeldWord] = Field(description="every word on it, oldest first")


def put(tx: Connection, facts: HoldFacts, *, by: str, at: datetime) -> HeldPhrase:
    """Keep the decision. What stands already is not kept again."""
    text = normalise(facts.phrase).text
    if not text:
        raise Refused("not a phrase", [Wrong("/phrase", f"{facts.phrase!r} says nothing", "words")])
    rows = _rows(tx, text, facts.study)
    if rows and rows[-1].is_held == facts.is_held:
        return _shown(rows)
    if not rows and not facts.is_held:
        allowed = "a phrase that GET /v1/held-phrases lists, in the same study or in all"
        raise Refused("not on the list", [Wrong("/phrase", f'"{facts.phrase}" is not held there', allowed)])
    phrase = facts.phrase.strip()
    made = identity("held phrase", text, facts.study or "", str(facts.is_held), by, str(len(rows)))
    _insert(tx, made, text, phrase, facts.study, facts.is_held, by, at, facts.reason)
    study = facts.study or decision_log.ALL_STUDIES
    detail = {"text": text, "phrase": phrase, "study": facts.study, "is_held": facts.is_held}
    decided = decision_log.Decided(
        made, decision_log.HELD, f'phrase "{phrase}"', study, by, at, facts.reason, detail
    )  # fmt: skip
    before = {"is_held": rows[-1].is_held} if rows else None
    did = "held a phrase" if facts.is_held else "released a held phrase"
    decision_log.record(tx, decided, did=did, before=before, after={"is_held": facts.is_held, "study": facts.study})
    return _shown(_rows(tx, text, facts.study))


def listed(tx: Connection, study: str | None) -> list[HeldPhrase]:
    """Each phrase that was ever held, by phrase; those of one study with those of all, or every one."""
    its = tables.held_phrases.c
    query = select(tables.held_phrases).order_by(its.seq)
    if study is not None:
        query = query.where(or_(its.study.is_(None), its.study == study))
    kept: dict[tuple[str, str], list[Any]] = {}
    for row in tx.execute(query):
        kept.setdefault((row.text, row.study or ""), []).append(row)
    return [_shown(kept[key]) for key in sorted(kept)]


def rebuild(tx: Connection, body: DecisionRecordedV1) -> None:
    """Keep what the log says of a phrase."""
    detail = body.detail
    study = detail["study"]
    _insert(
        tx, UUID(body.decision_id), str(detail["text"]), str(detail["phrase"]), None if study is None else str(study),
        detail["is_held"] is True, body.by, body.at, body.reason or "",
    )  # fmt: skip


def _insert(
    tx: Connection, made: UUID, text: str, phrase: str, study: str | None, is_held: bool, by: str, at: datetime,
    reason: str,
) -> None:  # fmt: skip
    tx.execute(
        insert(tables.held_phrases).values(
            decision_id=made, text=text, phrase=phrase, study=study, is_held=is_held, by=by, at=at, reason=reason
        )
    )


def _rows(tx: Connection, text: str, study: str | None) -> Sequence[Any]:
    its = tables.held_phrases.c
    of_study = its.study.is_(None) if study is None else its.study == study
    return tx.execute(select(tables.held_phrases).where(its.text == text, of_study).order_by(its.seq)).all()


def _shown(rows: Sequence[Any]) -> HeldPhrase:
    return HeldPhrase(
        phrase=rows[-1].phrase,
        study=rows[-1].study,
        is_held=rows[-1].is_held,
        history=[
            HeldWord(decision_id=row.decision_id, is_held=row.is_held, by=row.by, at=row.at, reason=row.reason)
            for row in rows
        ],
    )
