"""The releases of Tocsin that come next, as far as messages go: what a process becomes when it is restarted to one.

The next release says one thing more in the body of every message, which is the least by which a contract can change. A
body is closed, so today's reader sets such a message aside. Readers are upgraded before writers: hence the release
between, which reads the new field already and does not write it yet, and to which a house can go back.

Only the models of the bodies are changed here, in a process that is forked for a run. What is not said is not kept
either: a field that an older writer left out stands nowhere, so that a later release makes the same rows of it.
"""

from __future__ import annotations

from enum import Enum
from functools import wraps
from typing import Any

from pydantic.fields import FieldInfo

from tocsin.messages.envelope import Body
from tocsin.messages.topics import BODIES

FIELD = "said_by_the_next_release"


class Release(Enum):
    """Which release a process is."""

    TODAY = "today's"
    BETWEEN = "the one between"
    NEXT = "the next"


def become(release: Release) -> None:
    """Be that release from now on, in this whole process. Before anything is read or written."""
    if release is Release.TODAY:
        return
    for body in BODIES.values():
        _read_more(body)
        if release is Release.NEXT:
            _say_more(body)


def is_of_the_next(value: bytes) -> bool:
    """Whether the next release wrote this message."""
    return f'"{FIELD}":'.encode() in value


def is_too_new(error: str) -> bool:
    """Whether a message was given up because of that field, and for nothing else."""
    return error.endswith(f" breaks its contract at /{FIELD}: Extra inputs are not permitted")


def _read_more(body: type[Body]) -> None:
    # Pydantic has no call for one more field in a class that is imported everywhere already.
    field = FieldInfo(annotation=str | None, default=None, exclude_if=lambda said: said is None)
    body.__pydantic_fields__[FIELD] = field
    body.model_rebuild(force=True)


def _say_more(body: type[Body]) -> None:
    # Who reads a message does not come by here: pydantic looked for an `__init__` of our own when the class was made.
    as_today = body.__init__

    @wraps(as_today)
    def of_the_next(self: Body, **facts: Any) -> None:
        as_today(self, **{FIELD: "yes", **facts})

    body.__init__ = of_the_next  # type: ignore[method-assign, assignment]
