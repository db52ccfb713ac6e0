"""What one message may ask of the database: each statement costs a tenth of a millisecond, whatever it finds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import event

from alerting.app import HANDLERS
from tests.alerting.ward import FATAL, Ward, coding, report
from tocsin.messages.envelope import Envelope

_HANDLERS: Mapping[str, Any] = HANDLERS


def statements(house: Ward, message: Envelope[Any]) -> list[str]:
    """What the database was asked to handle a message."""
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    event.listen(house.store._writing, "before_cursor_execute", note)
    try:
        with house.store.transaction() as tx:
            _HANDLERS[message.type](message, tx, house.parts)
    finally:
        event.remove(house.store._writing, "before_cursor_execute", note)
    return asked


def reads_of(asked: list[str], table: str) -> int:
    """How often a table was read by itself."""
    return sum(1 for one in asked if re.match(rf"SELECT .*\sFROM {table}\s", one, re.DOTALL) and "UNION" not in one)


def test_a_fatal_report_and_its_coding_ask_little_of_the_database(trial: Ward) -> None:
    assert len(statements(trial, report(FATAL))) <= 50
    assert len(statements(trial, coding({}))) <= 25


def test_what_is_known_of_a_case_and_its_subject_is_read_once(trial: Ward) -> None:
    once = ("submissions", "signed", "grades", "observations", "dlt_decisions", "holds", "call_plans")
    for message in (report(FATAL), coding({}), report(FATAL, revision=2)):
        asked = statements(trial, message)
        assert [table for table in once if reads_of(asked, table) > 1] == []
        assert reads_of(asked, "snapshots") <= 2  # the case; and on the board the reports of product events


def test_all_that_one_message_says_is_written_at_once(trial: Ward) -> None:
    asked = statements(trial, report(FATAL))
    assert len([one for one in asked if one.startswith("INSERT INTO outbox")]) == 1
