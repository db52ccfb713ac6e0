"""Databases as many reports leave them, filled in bulk.

One mild and one serious report, with their codings, are played through the intake's own acceptance and alerting's own
handlers. The rows that they leave in every table are copied under other case numbers, ids, subjects and studies, as
trials like the first user's leave them: each subject has 150 reports, and 200,000 reports are of 46 studies with 29
subjects each. One report in twenty is serious. What rang is acknowledged, what was owed and said is sent; the audit
trail is chained row by row, as a service chains it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, insert, select, update

from ae_intake import tables as intake_tables
from ae_intake import taking
from ae_intake.keeping import Sender
from ae_intake.receipts import Scope
from alerting import app
from alerting import tables as alerting_tables
from alerting.parts import NAME, Parts
from bench import invented, made_log
from tocsin import studies
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import ReportReceivedV1
from tocsin.messages.topics import CODER, INTAKE
from tocsin.store import audit
from tocsin.store.engine import Store, open_store
from tocsin.store.inbox import first_time
from tocsin.store.migrate import bring_up
from tocsin.store.tables import audit as trail
from tocsin.store.tables import inbox, outbox
from tocsin.web.identity import Machine
from tocsin.web.reading import Sent, parse

STUDIES, OF_A_SUBJECT, SERIOUS_ONE_IN = 46, 150, 20
AT: Final = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
STUDY: Final = "BENCH-01"
_TOGETHER: Final = 1_000
_FIRST_SUBJECT: Final = 8_000_000
_NOT_COPIED: Final = frozenset({"keys", "counters", "drafts", "studies"})
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OF_A_SUBJECT: Final = frozenset({"subject_watch", "doses"})


def study_files(folder: Path) -> list[Path]:
    """The files of the studies among which the reports are shared out."""
    return [invented.study_file(folder, f"BENCH-{n:02d}") for n in range(1, STUDIES + 1)]


def fill(data: Path, files: Sequence[Path], number: int) -> None:
    """`number` reports in the intake's and alerting's databases of this folder, which are made."""
    protocols = studies.load(files)
    intake, alerting = (open_store(f"sqlite:///{data / name}.db", name) for name in ("intake", "alerting"))
    try:
        bring_up(intake, intake_tables.metadata, migrations=str(intake_tables.MIGRATIONS), head=intake_tables.HEAD)
        app.prepare(alerting, protocols)
        bodies = [_accepted(intake, protocols[STUDY], n, is_serious=n == 2) for n in (1, 2)]
        for n, body in enumerate(bodies, 1):
            _handled(alerting, protocols, body, n)
        for store, tables in (
            (intake, [*intake_tables.metadata.sorted_tables, outbox]),
            (alerting, [*alerting_tables.metadata.sorted_tables, outbox, inbox]),
        ):
            _copied(store, [table for table in tables if table.name not in _NOT_COPIED], number)
        with intake.transaction() as tx:
            tx.execute(update(intake_tables.counters).values(value=number))
    finally:
        intake.close()
        alerting.close()


def _accepted(store: Store, protocol: Protocol, number: int, *, is_serious: bool) -> ReportReceivedV1:
    """Report `number`, taken in as a site's request is."""
    facts = invented.report(number, invented.subject(_FIRST_SUBJECT + number))
    serious = {"serious": True, "seriousness": ["hospitalisation"], "grade": {"ctcae": 3}, "outcome": "recovered"}
    mild = {"serious": False, "seriousness": [], "grade": {"ctcae": 1}, "outcome": "recovered"}
    facts["events"] = [{**facts["events"][0], "verbatim": "headache", **(serious if is_serious else mild)}]
    raw = json.dumps(facts).encode()
    who, sender = Machine("key-bench", protocol.id, "S01"), Sender("key-bench", AT, raw.decode())
    work = taking.a_report(who, protocol, Sent(raw, parse(raw)), sender)
    scope = Scope(protocol.id, "S01", f"key of TOC-{number:04d}", Sent(raw, parse(raw)).digest("POST", "/v1/reports"))
    with store.transaction() as tx:
        taking.once_in_turn(tx, scope, AT, work)
        tx.execute(update(outbox).values(sent_at=AT))
        kept = tx.scalars(
            select(intake_tables.revisions.c.body).where(intake_tables.revisions.c.case_id == f"TOC-{number:04d}")
        )
        return ReportReceivedV1.model_validate_json(kept.one())


def _handled(store: Store, protocols: Mapping[str, Protocol], body: ReportReceivedV1, number: int) -> None:
    """The report and its coding, handled; what rang is acknowledged."""
    parts = Parts(store, protocols, lambda: AT, lambda: AT, "http://127.0.0.1:8088")
    told = made_log.Said("reports.received.v1", body.case_id, INTAKE, body).at(AT, number)
    coded = made_log.Said("events.coded.v1", body.case_id, CODER, made_log.coded(body)).at(AT, number)
    for envelope in (told, coded):
        with store.transaction() as tx:
            first_time(tx, NAME, envelope.id, AT)
            app.HANDLERS[envelope.type](envelope, tx, parts)  # type: ignore[operator]
    with store.transaction() as tx:
        answered = {"state": "acknowledged", "settled_at": AT + timedelta(minutes=5), "settled_by": "lin"}
        tx.execute(update(alerting_tables.alerts).values(answered))
        tx.execute(update(alerting_tables.clocks).values(is_open=False, status="MET"))
        tx.execute(update(alerting_tables.timers).values(done_at=AT))
        tx.execute(update(alerting_tables.deliveries).values(state="delivered"))
        tx.execute(update(outbox).values(sent_at=AT))


def _copied(store: Store, tables: Sequence[Table], number: int) -> None:
    """The rows of the first two cases once more for each case up to `number`."""
    with store.reading() as tx:
        played = [_of_case(tx, [*tables, trail], n) for n in (1, 2)]
    for start in range(3, number + 1, _TOGETHER):
        numbers = range(start, min(start + _TOGETHER, number + 1))
        with store.transaction() as tx:
            for table in tables:
                rows = [one for n in numbers for one in _rows(n, table, played[n % SERIOUS_ONE_IN == 0][table])]
                if rows:
                    tx.execute(insert(table), rows)
            for n in numbers:
                for row in _rows(n, trail, played[n % SERIOUS_ONE_IN == 0][trail]):
                    kept = {name: row[name] for name in ("at", "who", "did", "about", "study", "reason")}
                    before, after = (row[name] and json.loads(row[name]) for name in ("before", "after"))
                    audit.append(tx, **kept, before=before, after=after)


def _of_case(tx: Connection, tables: Sequence[Table], number: int) -> dict[Table, list[dict[str, Any]]]:
    """The rows about this case: those that name it or its subject, and those that share an id with such a row."""
    known = {f"TOC-{number:04d}", invented.subject(_FIRST_SUBJECT + number)}
    rows = [(table, dict(row)) for table in tables for row in tx.execute(select(table)).mappings()]
    found: dict[Table, list[dict[str, Any]]] = {table: [] for table in tables}
    while mine := [one for one in rows if any(name in repr(one[1]) for name in known)]:
        rows = [one for one in rows if one not in mine]
        for table, row in mine:
            found[table].append(row)
            known |= {str(value) for value in row.values() if isinstance(value, uuid.UUID)}
    return found


def _rows(number: int, table: Table, played: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """These rows as case `number` would have left them."""
    if table.name in _OF_A_SUBJECT and number % OF_A_SUBJECT:
        return
    counted = table.autoincrement_column
    for row in played:
        made = {name: _as(number, value) for name, value in row.items()}
        if counted is not None and counted.autoincrement is True:
            del made[counted.name]
        yield made if table.name != "cases" else {**made, "number": number}


def _as(number: int, value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return uuid.uuid5(value, str(number))
    if isinstance(value, bytes):
        return _text(number, value.decode()).encode()
    if isinstance(value, str):
        return _text(number, value)
    if isinstance(value, dict):
        return {name: _as(number, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as(number, one) for one in value]
    return value


def _text(number: int, text: str) -> str:
    """The text of another case. What is one for each subject is of the twentieth of its cases."""
    place = number // OF_A_SUBJECT
    text = _ID.sub(lambda found: str(uuid.uuid5(uuid.UUID(found[0]), str(number))), text)
    for played in (1, 2):
        text = text.replace(f"TOC-{played:04d}", f"TOC-{number:04d}")
        text = text.replace(invented.subject(_FIRST_SUBJECT + played), invented.subject(_FIRST_SUBJECT + 10 + place))
    return text.replace(STUDY, f"BENCH-{place % STUDIES + 1:02d}")
