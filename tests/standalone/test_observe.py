"""Log lines: one a fact, secrets taken out by name and by look, a stranger's text never a line of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from tocsin import observe


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    level = root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("password", "hunter2", "[hidden]"),
        ("Authorization", "x", "[hidden]"),
        ("signing_key", "x", "[hidden]"),
        ("webhook_secret", "x", "[hidden]"),
        ("key_id", "key-1", "key-1"),
        ("case", "TOC-0042", "TOC-0042"),
        ("why", "no tocsin_site_AbCdEfGh12345678 here", "no [hidden] here"),
        ("why", "Bearer abcdefgh.ijkl", "Bearer [hidden]"),
        ("url", "postgresql://intake:pw@db/x", "postgresql://intake:[hidden]@db/x"),
        ("secret", None, None),
        ("facts", {"token": "x", "n": [1, "whsec_abcdefgh1234"]}, {"token": "[hidden]", "n": [1, "[hidden]"]}),
    ],
)
def test_what_is_or_looks_like_a_secret_is_hidden(name: str, value: object, shown: object) -> None:
    assert observe.redact(None, "info", {name: value}) == {name: shown}


def test_a_line_is_a_fact_with_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    observe.set_up("info")
    came_in = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with observe.traced(came_in) as mine:
        structlog.get_logger("t").info("alert_raised", case="TOC-0042", reason="fatal unexpected")
    line = capsys.readouterr().err
    assert line.partition(" ")[2] == (
        'info    alert_raised case=TOC-0042 reason="fatal unexpected" trace=0af7651916cd43dd8448eb211c80319c\n'
    )
    assert mine.startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert mine != came_in


def test_text_from_outside_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    observe.set_up("info")
    structlog.get_logger("t").info("refused", why="x\n2026-03-02T01:15:00Z info alert_raised")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_other_libraries_take_the_same_way_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    observe.set_up("info", as_json=True)
    logging.getLogger("uvicorn.error").error("cannot reach %s", "smtp://u:pw@mail")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["logger"]) == (
        "cannot reach smtp://u:[hidden]@mail",
        "error",
        "uvicorn.error",
    )


@pytest.mark.parametrize(
    "came_in", [None, "", "nonsense", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "ff-x-y-z"]
)
def test_an_unreadable_trace_begins_a_new_one(came_in: str | None) -> None:
    first, second = observe.traceparent(came_in), observe.traceparent(came_in)
    assert len(first) == 55
    assert first[3:35] != second[3:35]
    assert observe.current_trace() is None
