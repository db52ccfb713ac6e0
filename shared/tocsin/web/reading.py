"""Reading a JSON request strictly: what could be understood in two ways is refused, and says where.

Refused beside what no JSON reader takes: a name given twice in one object (which of the two?), NaN and infinities,
characters that no database can keep, more bytes or more nesting than anybody needs. Types are strict: `true` is not
the number 1 and "3" is not a grade.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from tocsin.errors import Refused, Wrong
from tocsin.web.arriving import arriving
from tocsin.web.pointers import join, wrong_places
from tocsin.web.problems import Malformed, TooLarge, WrongMediaType

T = TypeVar("T")

LIMIT_BYTES = 1024 * 1024
LIMIT_DEPTH = 32
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
_MAY_HOLD_UNKEEPABLE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Sent:
    """A JSON document as it came: its bytes, and what they say."""

    raw: bytes
    value: Any

    def digest(self, *about: str) -> str:
        """A hash of what is asked: the same for the same document however it is spaced or ordered."""
        return hashlib.sha256(_CANONICAL.encode([*about, self.value]).encode()).hexdigest()


async def read_json(request: Request, limit_bytes: int = LIMIT_BYTES) -> Sent:
    """The request's JSON document. Raises WrongMediaType, TooLarge, TooSlow, or Malformed with where."""
    _check_media_type(request.headers.get("content-type", ""))
    raw = await _body(request, limit_bytes)
    return Sent(raw, parse(raw))


async def read_text(request: Request, media_type: str, limit_bytes: int) -> tuple[bytes, str]:
    """The request's bytes and its text in UTF-8, with or without a mark at its start. Raises as `read_json` does."""
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != media_type:
        problem = f"Content-Type is {given or 'missing'}"
        raise WrongMediaType(f"the request must be {media_type}", [Wrong("", problem, f"Content-Type: {media_type}")])
    raw = await _body(request, limit_bytes)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        where = f"line {line}, byte {wrong.start} of the whole, is not UTF-8"
        raise Malformed("the request is not UTF-8", [Wrong("", where, "UTF-8")]) from None
    if "\x00" in text:
        raise Malformed("the request is not text", [Wrong("", "holds the character U+0000", "text in UTF-8")])
    return raw, text


def parse(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8."""
    twice: list[str] = []
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, twice), parse_constant=_no_constant)
    except UnicodeDecodeError as wrong:
        raise Malformed("the request is not UTF-8", [Wrong("", f"byte {wrong.start} is not UTF-8", "UTF-8")]) from None
    except json.JSONDecodeError as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}"
        raise Malformed(
            "the request is not JSON", [Wrong("", f"{wrong.msg} at {where}", "one JSON document")]
        ) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as wrong:  # NaN, or a number with more digits than Python reads
        raise Malformed("the request is not JSON", [Wrong("", str(wrong), "finite numbers")]) from None
    if raw.count(b"[") + raw.count(b"{") > LIMIT_DEPTH and _depth(value) > LIMIT_DEPTH:
        raise _too_deep()
    if twice:
        raise _given_twice(value, set(twice))
    if _MAY_HOLD_UNKEEPABLE.search(raw):
        _refuse_unkeepable(value)
    return value


def understood(sent: Sent, model: TypeAdapter[T], title: str = "the request cannot be understood") -> T:
    """The document as the model's type; Refused with every wrong place."""
    try:
        return model.validate_json(sent.raw, strict=True)
    except ValidationError as error:
        raise Refused(title, wrong_places(error, sent.value, model)) from None


class _Twice(dict[str, Any]):
    """An object that gave a name twice."""

    name: str


def _object(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    marked = _Twice(plain)
    marked.name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    twice.append(marked.name)
    return marked


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _too_deep() -> Malformed:
    return Malformed("the request is nested too deep", [Wrong("", "nested too deep", f"at most {LIMIT_DEPTH} levels")])


def _walk(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value with its place, without recursion: the document's depth is the sender's choice."""
    todo: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while todo:
        place, node = todo.pop()
        yield place, node
        if isinstance(node, dict):
            todo += [((*place, key), child) for key, child in node.items()]
        elif isinstance(node, list):
            todo += [((*place, n), child) for n, child in enumerate(node)]


def _depth(value: Any) -> int:
    """How many levels of nesting. Level by level, and no further than it has to be."""
    level, depth = [value], 0
    while depth <= LIMIT_DEPTH:
        nested = [node for node in level if isinstance(node, dict | list)]
        if not nested:
            return depth
        depth += 1
        level = [child for node in nested for child in (node.values() if isinstance(node, dict) else node)]
    return depth


def _given_twice(value: Any, names: set[str]) -> Refused:
    wrong = [
        Wrong(join((*place, node.name)), "is given twice in one object", "each name once")
        for place, node in _walk(value)
        if isinstance(node, _Twice)
    ]
    # An object that was itself overwritten by its double is found no more; its name still is.
    return Malformed(
        "a name is given twice", wrong or [Wrong("", f"given twice: {', '.join(sorted(names))}", "each name once")]
    )


def _refuse_unkeepable(value: Any) -> None:
    wrong = []
    for place, node in _walk(value):
        names = list(node) if isinstance(node, dict) else []
        texts = [*names, node] if isinstance(node, str) else names
        if any(_UNKEEPABLE.search(text) for text in texts):
            wrong.append(Wrong(join(place), "holds a character that cannot be kept", "no U+0000, no lone surrogate"))
    if wrong:
        raise Refused("the request holds characters that cannot be kept", wrong)


def _check_media_type(given: str) -> None:
    kind, _, rest = given.partition(";")
    kind = kind.strip().lower()
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", rest, re.IGNORECASE)
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise WrongMediaType(
            "the request must be JSON",
            [Wrong("", f"Content-Type is {given or 'missing'}", "Content-Type: application/json")],
        )
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        raise WrongMediaType("the request must be UTF-8", [Wrong("", f"charset is {charset[1]}", "charset=utf-8")])


async def _body(request: Request, limit_bytes: int) -> bytes:
    # Not the framework's own limit: its answer is plain text.
    stated = request.headers.get("content-length", "")
    parts, size = [], int(stated) if stated.isdecimal() else 0
    if size <= limit_bytes:
        size = 0
        async for part in arriving(request):
            parts.append(part)
            size += len(part)
            if size > limit_bytes:
                break
    if size > limit_bytes:
        allowed = f"at most {limit_bytes} bytes; send it in parts"
        raise TooLarge("the request is too large", [Wrong("", f"it has {size} bytes or more", allowed)])
    return b"".join(parts)
