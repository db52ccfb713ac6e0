"""What a process says of itself: one line a fact, as text or JSON, and the trace that a message carries along.

Log facts, not sentences: `log.info("alert_raised", case="TOC-0042", reason="fatal_unexpected")`; no patient's words.
Everything goes to standard error; standard output is for answers. Lines of the standard library's loggers (uvicorn,
alembic, kafka) take the same way. Secrets are taken out here, by name and by look, as the last fence and not the first.

The trace is W3C Trace Context: `traceparent` comes in with a request, travels in the envelope, and stands on each line.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

HIDDEN = "[hidden]"

_SECRET_NAME = re.compile(r"(?i)(^|[_-])(pass(word|wd|phrase)?|authorization|secrets?|token|cookie|key|credentials?)$")
_SECRET_LOOK = (
    (re.compile(r"tocsin_(site|login)_[A-Za-z0-9._-]{8,}"), HIDDEN),
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,}"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+@"), rf"\1:{HIDDEN}@"),
)
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")

_trace: ContextVar[str | None] = ContextVar("traceparent", default=None)


def set_up(level: str = "info", *, as_json: bool = False) -> None:
    """Send every log line of this process through one format. May be called again."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else as_text
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            pass_foreign_args=False,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    # Every request is measured in /metrics; a line for each would bury the facts.
    for noisy in ("kafka", "alembic", "httpx", "httpcore", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def redact(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Hide what is called a secret or looks like one, however deep."""
    for name in line:
        line[name] = _hide(name, line[name])
    return line


def _hide(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, str):
        return _hide_in_text(value)
    if isinstance(value, Mapping):
        return {key: _hide(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hide("", inner) for inner in value]
    return value if name.startswith("_") else _hide_in_text(str(value))


def _hide_in_text(text: str) -> str:
    for look, instead in _SECRET_LOOK:
        text = look.sub(instead, text)
    return text


def as_text(_: WrappedLogger, __: str, line: MutableMapping[str, Any]) -> str:
    """`2026-03-02T01:15:00.000000Z info    alert_raised case=TOC-0042 …`, a traceback below it, indented."""
    at, level, event = line.pop("timestamp", ""), line.pop("level", ""), line.pop("event", "")
    traceback = line.pop("exception", None)
    line.pop("logger", None)
    facts = " ".join(f"{name}={_value(value)}" for name, value in line.items())
    head = f"{at} {level:<7} {_one_line(str(event))} {facts}".rstrip()
    return head if not traceback else head + "\n    " + str(traceback).replace("\n", "\n    ")


def _value(value: Any) -> str:
    text = _one_line(str(value))
    return f'"{text}"' if not text or any(c in text for c in ' ="') else text


def _one_line(text: str) -> str:
    """What came from outside must not begin a line of its own."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _add_trace(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    if (trace := _trace.get()) and "trace" not in line:
        line["trace"] = trace[3:35]
    return line


def traceparent(came_in: str | None = None) -> str:
    """A `traceparent` for the work that begins here: of the same trace as `came_in` if that can be read, else new."""
    found = _TRACEPARENT.fullmatch(came_in or "")
    trace, flags = (found[1], found[3]) if found else (secrets.token_hex(16), "01")
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}"


@contextmanager
def traced(came_in: str | None = None) -> Iterator[str]:
    """Work within a trace: every line logged inside carries it, and `current_trace` answers it."""
    mine = traceparent(came_in)
    token = _trace.set(mine)
    try:
        yield mine
    finally:
        _trace.reset(token)


def current_trace() -> str | None:
    """The `traceparent` of the work going on, for an envelope; None outside of any."""
    return _trace.get()
