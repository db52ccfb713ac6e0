"""What a person can do on the coding page: who may, how its form is read, and what is done with it.

Each is the same work as that of the call with the same name; only the form is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from meddra_coder import decisions, proposals, recoding, site_questions, synonym_book
from meddra_coder.api import MAY_DECIDE, Parts
from meddra_coder.desk import coding_forms
from meddra_coder.proposals import CodingProposal
from meddra_coder.review_api import MAY_ANSWER
from meddra_coder.site_questions import SiteQuestionFacts
from meddra_coder.site_questions_api import MAY_ASK
from tocsin.web.pages import Form


@dataclass(frozen=True, slots=True)
class Done:
    """What happened: a code of `coding_words.SAID`, the event, and whether its words became a synonym.

    `stays`: the page goes on with the same event, not with the next.
    """

    said: str
    event: str
    synonym: str = ""
    stays: bool = False


Work = Callable[[Connection], Done]
"""What the writer does; it may be run twice, as every work of it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One action. `read` understands its form, or raises Refused; `name` is the end of its address."""

    name: str
    roles: tuple[str, ...]
    read: Callable[[Form, Parts, str, datetime], Work]


def _case_of(event_id: str) -> str:
    return event_id.rpartition("-E")[0]


def _decide(form: Form, parts: Parts, by: str, at: datetime) -> Work:
    facts = coding_forms.decision(form)

    def work(tx: Connection) -> Done:
        case_id = _case_of(facts.event_id)
        decided = decisions.decide(
            tx, case_id, facts, coders=parts.coders, studies=parts.studies, by=by, at=at
        )  # fmt: skip
        said = "proposed" if isinstance(decided, CodingProposal) else "coded"
        return Done(said, facts.event_id, _synonym(tx, parts, facts) if facts.synonym is not None else "")

    return work


def _synonym(tx: Connection, parts: Parts, facts: decisions.CodingDecision) -> str:
    """Whether the words are a synonym now, or proposed as one."""
    stands = recoding.standing(tx, _case_of(facts.event_id), facts.event_id)
    phrase = facts.synonym_phrase or synonym_book.phrase_of(stands.event)
    newest = synonym_book.newest_of(tx, phrase, facts.synonym or "study", stands.revision.study)
    return newest or ""


def _undo(form: Form, parts: Parts, by: str, at: datetime) -> Work:
    facts = coding_forms.undo(form)

    def work(tx: Connection) -> Done:
        case_id = _case_of(facts.event_id)
        decisions.decide(tx, case_id, facts, coders=parts.coders, studies=parts.studies, by=by, at=at)
        return Done("undone", facts.event_id, stays=True)

    return work


def _ask(form: Form, parts: Parts, by: str, at: datetime) -> Work:
    return _asking(coding_forms.question(form), by, at)


def _split(form: Form, parts: Parts, by: str, at: datetime) -> Work:
    return _asking(coding_forms.split(form), by, at)


def _asking(facts: SiteQuestionFacts, by: str, at: datetime) -> Work:
    def work(tx: Connection) -> Done:
        site_questions.ask(tx, _case_of(facts.event_id), facts, by=by, at=at)
        return Done("asked", facts.event_id)

    return work


def _answer(form: Form, parts: Parts, by: str, at: datetime) -> Work:
    proposal, facts = coding_forms.answer(form)
    event_id = form.get("event")

    def work(tx: Connection) -> Done:
        proposals.answer(tx, _case_of(event_id), proposal, facts, coders=parts.coders, by=by, at=at)
        return Done("approved" if facts.approve else "refused", event_id)

    return work


def _answer_synonym(form: Form, parts: Parts, by: str, at: datetime) -> Work:
    proposal, facts = coding_forms.answer(form)

    def work(tx: Connection) -> Done:
        synonym_book.answer(tx, proposal, facts, by=by, at=at)
        return Done("synonym-approved" if facts.approve else "synonym-refused", "", stays=True)

    return work


DEEDS: Final[Mapping[str, Deed]] = {
    one.name: one
    for one in (
        Deed("decisions", MAY_DECIDE, _decide),
        Deed("undo", MAY_DECIDE, _undo),
        Deed("queries", MAY_ASK, _ask),
        Deed("splits", MAY_ASK, _split),
        Deed("answers", MAY_ANSWER, _answer),
        Deed("synonyms", MAY_ANSWER, _answer_synonym),
    )
}
"""Every action, by the end of its address."""
