"""With what each study is coded now: the version of the dictionary it uses, and the synonyms that hold for it.

Read from the tables each time it is asked, so that several processes agree; the dictionaries themselves are kept in
memory, as their versions never change.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from meddra_coder import tables
from meddra_coder.coder import Coder, default_coder
from meddra_coder.dictionary.meddra import Image
from meddra_coder.dictionary.terms import DictionaryError
from meddra_coder.thesaurus import STUDY, Approved, Thesaurus

_MOST: Final = 8
"""How many studies' coders, and how many versions, are kept in memory."""


class Coders:
    """The coder of each study. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: OrderedDict[str, Coder] = OrderedDict()
        self._studies: OrderedDict[tuple[str | None, str, int, tuple[UUID | None, ...]], Coder] = OrderedDict()

    def of(self, tx: Connection, study: str) -> Coder:
        """The coder of a study as the tables say now. Raises DictionaryError when its version is not loaded here."""
        return self.with_version(tx, study, used_version(tx, study))

    def with_version(self, tx: Connection, study: str, version: str | None) -> Coder:
        """A version with what people said of phrases in a study. Raises DictionaryError when it is not loaded here."""
        number = decisions_about(tx, study)
        # Beside their number the newest of them: what was rolled back and what came in its place have one number.
        key = (version, study, number, _newest_decisions(tx, study) if number else ())
        with self._lock:
            known = self._studies.get(key)
            if known is not None:
                return known
            base = self._version(tx, version)
            if number:
                thesaurus = base.thesaurus.with_approved(approved(tx, study), held(tx, study), number)
                base = Coder(base.dictionary, thesaurus)
            self._studies[key] = base
            while len(self._studies) > _MOST:
                self._studies.popitem(last=False)
            return base

    def version(self, tx: Connection, version: str | None) -> Coder:
        """The dictionary of a version, with the shipped synonyms. None: the shipped dictionary."""
        with self._lock:
            return self._version(tx, version)

    def _version(self, tx: Connection, version: str | None) -> Coder:
        if version is None:
            return default_coder()
        known = self._versions.get(version)
        if known is None:
            raw = tx.scalar(select(tables.dictionaries.c.image).where(tables.dictionaries.c.version == version))
            if raw is None:
                raise DictionaryError(
                    f"MedDRA {version} is not loaded here; tocsin meddra load DIR --version {version}"
                )
            dictionary = Image(bytes(raw)).dictionary()
            known = self._versions[version] = Coder(dictionary, Thesaurus(dictionary))
            while len(self._versions) > _MOST:
                self._versions.popitem(last=False)
        return known


def used_version(tx: Connection, study: str) -> str | None:
    """The version that a study is coded with; None for the shipped dictionary."""
    its = tables.dictionary_uses.c
    return tx.scalar(select(its.version).where(its.study == study).order_by(its.seq.desc()).limit(1))


def decisions_about(tx: Connection, study: str) -> int:
    """How many decisions about synonyms and held phrases hold for a study: the number in the revision."""
    synonyms, phrases = tables.synonyms.c, tables.held_phrases.c
    of_synonyms = (
        select(func.count()).select_from(tables.synonyms).where(or_(synonyms.scope != STUDY, synonyms.study == study))
    )
    of_phrases = (
        select(func.count())
        .select_from(tables.held_phrases)
        .where(or_(phrases.study.is_(None), phrases.study == study))
    )
    return (tx.scalar(of_synonyms) or 0) + (tx.scalar(of_phrases) or 0)


def _newest_decisions(tx: Connection, study: str) -> tuple[UUID | None, ...]:
    """The newest decision about a synonym, and about a held phrase, that holds for a study."""
    synonyms, phrases = tables.synonyms.c, tables.held_phrases.c
    of_synonyms = select(synonyms.decision_id).where(or_(synonyms.scope != STUDY, synonyms.study == study))
    of_phrases = select(phrases.decision_id).where(or_(phrases.study.is_(None), phrases.study == study))
    return (
        tx.scalar(of_synonyms.order_by(synonyms.seq.desc()).limit(1)),
        tx.scalar(of_phrases.order_by(phrases.seq.desc()).limit(1)),
    )


def approved(tx: Connection, study: str) -> list[Approved]:
    """The synonyms that hold for a study: of what was approved or withdrawn, the newest word on each phrase."""
    its = tables.synonyms.c
    rows = tx.execute(select(tables.synonyms).where(or_(its.scope != STUDY, its.study == study)).order_by(its.seq))
    newest = {(row.text, row.scope): row for row in rows if row.state in ("approved", "withdrawn")}
    return [Approved(row.phrase, row.code, row.scope) for row in newest.values() if row.state == "approved"]


def held(tx: Connection, study: str) -> list[str]:
    """The phrases that are never coded automatically in a study: the newest word on each."""
    its = tables.held_phrases.c
    rows = tx.execute(select(tables.held_phrases).where(or_(its.study.is_(None), its.study == study)).order_by(its.seq))
    newest = {(row.text, row.study): row for row in rows}
    return [row.phrase for row in newest.values() if row.is_held]
