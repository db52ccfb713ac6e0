"""Reports that were begun and not yet sent. Whoever is of the site sees them and goes on with them; nobody else does.

A draft has a version, so that nobody overwrites what somebody else saved meanwhile without being told. The page that
saved it last may save it again, whatever became of the answer to it. Runs in the writer's turn of the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from ae_intake.desk.typed import Values
from ae_intake.receipts import Scope
from ae_intake.tables import drafts, receipts
from tocsin.errors import Conflict
from tocsin.web.identity import Machine

MOST = 200
"""How many drafts a site may keep."""


class Overtaken(Conflict):
    """Somebody else saved the draft, or threw it away, since it was opened. `version` is theirs, 0 when it is gone."""

    def __init__(self, version: int, by: str = "", at: datetime | None = None) -> None:
        super().__init__("somebody else changed this draft")
        self.version, self.by, self.at = version, by, at


class SentAlready(Conflict):
    """The report of this draft was sent."""

    def __init__(self, case_id: str) -> None:
        super().__init__(f"this report was sent already, as {case_id}")
        self.case_id = case_id


class TooMany(Conflict):
    """The site keeps as many drafts as it may."""

    def __init__(self) -> None:
        super().__init__(f"there are {MOST} drafts already: send or throw away some")


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft as it was saved last."""

    draft_id: str
    version: int
    values: Mapping[str, str]
    saved_at: datetime
    saved_by: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Which draft a page holds: its id, the version it was opened with, and the page's own name."""

    draft_id: str
    version: int
    page: str

    @property
    def key(self) -> str:
        """The Idempotency-Key of the report that the draft becomes: a double click gives one case."""
        return f"form-{self.draft_id}"


def of(tx: Connection, whose: Machine) -> list[Draft]:
    """The drafts of a site, the newest first."""
    rows = tx.execute(select(drafts).where(_of(whose)).order_by(drafts.c.saved_at.desc(), drafts.c.draft_id))
    return [_draft(row) for row in rows]


def find(tx: Connection, whose: Machine, draft_id: str) -> Draft | None:
    """The draft, if it is the site's."""
    row = tx.execute(select(drafts).where(_of(whose), drafts.c.draft_id == draft_id)).one_or_none()
    return None if row is None else _draft(row)


def save(tx: Connection, whose: Machine, mark: Mark, values: Values, at: datetime) -> int:
    """Keep what was typed; the new version. Raises Overtaken, SentAlready, TooMany."""
    if (case_id := sent_as(tx, whose, mark)) is not None:
        raise SentAlready(case_id)
    version = check(tx, whose, mark)
    said = {
        "version": version + 1, "page": mark.page, "fields": json.dumps(dict(values), ensure_ascii=False),
        "saved_at": at, "saved_by": whose.key_id,
    }  # fmt: skip
    if version:
        tx.execute(update(drafts).where(_of(whose), drafts.c.draft_id == mark.draft_id).values(said))
    elif len(of(tx, whose)) >= MOST:
        raise TooMany
    else:
        tx.execute(insert(drafts), {"study": whose.study, "site": whose.site, "draft_id": mark.draft_id, **said})
    return version + 1


def check(tx: Connection, whose: Machine, mark: Mark) -> int:
    """The version that is kept, 0 for none. Overtaken when it is not what this page was opened with."""
    row = tx.execute(select(drafts).where(_of(whose), drafts.c.draft_id == mark.draft_id)).one_or_none()
    if row is None:
        if mark.version:
            raise Overtaken(0)
        return 0
    if row.version != mark.version and row.page != mark.page:
        raise Overtaken(row.version, row.saved_by, row.saved_at)
    return int(row.version)


def throw_away(tx: Connection, whose: Machine, draft_id: str) -> None:
    """The draft is there no more."""
    tx.execute(delete(drafts).where(_of(whose), drafts.c.draft_id == draft_id))


def sent_as(tx: Connection, whose: Machine, mark: Mark) -> str | None:
    """The case that the draft became, if it was sent."""
    query = select(receipts.c.body).where(
        receipts.c.study == whose.study, receipts.c.scope == whose.site, receipts.c.key == mark.key
    )
    body = tx.scalars(query).one_or_none()
    return None if body is None else str(json.loads(body)["case_id"])


def is_new(tx: Connection, scope: Scope) -> bool:
    """Whether nothing was ever answered under this key."""
    query = select(receipts.c.key).where(
        receipts.c.study == scope.study, receipts.c.scope == scope.site, receipts.c.key == scope.key
    )
    return tx.execute(query).first() is None


def _of(whose: Machine) -> ColumnElement[bool]:
    return and_(drafts.c.study == whose.study, drafts.c.site == whose.site)


def _draft(row: Row[tuple[object, ...]]) -> Draft:
    return Draft(row.draft_id, row.version, json.loads(row.fields), row.saved_at, row.saved_by)
