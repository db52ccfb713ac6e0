"""JSON Pointers (RFC 6901) for wrong places, and in words what is allowed there, read off the model's JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from tocsin.errors import Wrong

MOST = 100
"""How many wrong places one answer names."""


def join(parts: Iterable[str | int]) -> str:
    """The pointer of these steps: `join(("a/b", 0)) == "/a~1b/0"`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def split(pointer: str) -> list[str]:
    """The steps of a pointer; ValueError when it is none."""
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} is no JSON Pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def wrong_places(error: ValidationError, sent: Any, model: TypeAdapter[Any]) -> list[Wrong]:
    """Each wrong place of `sent`, once, in the order found."""
    schema = _schema(model)
    found: dict[tuple[str, str], Wrong] = {}
    for detail in error.errors(include_url=False)[:MOST]:
        wrong = _wrong(detail, sent, schema)
        found.setdefault((wrong.pointer, wrong.problem), wrong)
    return list(found.values())


def _wrong(detail: ErrorDetails, sent: Any, schema: dict[str, Any]) -> Wrong:
    kind, steps = detail["type"], _steps(detail["loc"], sent)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        union = _at(schema, steps, None) or {}
        problem = "is missing" if kind == "union_tag_not_found" else "is not one of the known kinds"
        return Wrong(join([*steps, "kind"]), problem, ", ".join(union.get("discriminator", {}).get("mapping", ())))
    if kind == "missing":
        return Wrong(join(steps), "is missing", _allowed(_at(schema, steps, sent), schema))
    if kind == "extra_forbidden":
        known = _at(schema, steps[:-1], sent)
        return Wrong(join(steps), "is not a known field", _allowed(known, schema))
    if kind == "value_error":
        # Our own validators say what is allowed behind a semicolon.
        problem, _, allowed = detail["msg"].removeprefix("Value error, ").partition("; allowed is ")
        return Wrong(join(steps), problem, allowed or _allowed(_at(schema, steps, sent), schema))
    message = detail["msg"].removeprefix("Input ")
    return Wrong(join(steps), message, _allowed(_at(schema, steps, sent), schema))


def _steps(loc: Sequence[str | int], sent: Any) -> list[str | int]:
    """The location without the tags of discriminated unions, which are no part of the document.

    A tag stands right behind the step to its object, and equals that object's `kind`.
    """
    steps: list[str | int] = []
    node, rest = sent, list(loc)
    while rest:
        # The tag of a union is never the last step: something within the member is wrong, not the member itself.
        if isinstance(node, dict) and len(rest) > 1 and rest[0] == node.get("kind"):
            rest.pop(0)
        step = rest.pop(0)
        steps.append(step)
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            node = None
    return steps


@cache
def _schema(model: TypeAdapter[Any]) -> dict[str, Any]:
    return model.json_schema(by_alias=True)


def _at(schema: dict[str, Any], steps: Sequence[str | int], sent: Any) -> dict[str, Any] | None:
    """The part of the schema that describes the value at `steps`; None where there is none."""
    part: dict[str, Any] | None = _member(schema, sent, schema)
    node = sent
    for step in steps:
        if part is None:
            return None
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            node = None
        part = part.get("items") if isinstance(step, int) else part.get("properties", {}).get(step)
        part = None if part is None else _member(part, node, schema)
    return part


def _member(part: dict[str, Any], node: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references, behind "or null", and behind the tag of a union."""
    while True:
        if "$ref" in part:
            target: dict[str, Any] = schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
            part = {**target, **{k: v for k, v in part.items() if k != "$ref"}}
        elif "anyOf" in part:
            real = [p for p in part["anyOf"] if p.get("type") != "null"]
            if len(real) != 1:
                return part
            part = {**{k: v for k, v in part.items() if k != "anyOf"}, **real[0]}
        elif "discriminator" in part and isinstance(node, dict):
            target_ref = part["discriminator"]["mapping"].get(str(node.get("kind")))
            if target_ref is None:
                return part
            part = {"$ref": target_ref}
        else:
            return part


def _allowed(part: dict[str, Any] | None, schema: dict[str, Any]) -> str | None:
    """What is allowed there, in words."""
    if part is None:
        return None
    if "const" in part:
        return str(part["const"])
    if "enum" in part:
        return ", ".join(str(value) for value in part["enum"])
    if "discriminator" in part:
        return f"an object of the kind {', '.join(part['discriminator'].get('mapping', ()))}"
    match part.get("type"):
        case "boolean":
            return "true or false"
        case "integer" | "number" as kind:
            return f"{'a whole number' if kind == 'integer' else 'a number'}{_range(part)}"
        case "string":
            form = f" of the form {part['pattern']}" if "pattern" in part else ""
            return f"text{form}{_length(part, 'minLength', 'maxLength', 'characters')}"
        case "array":
            return f"a list{_length(part, 'minItems', 'maxItems', 'entries')}"
        case "object":
            return f"an object with {', '.join(part.get('properties', {}))}"
    return None


def _range(part: dict[str, Any]) -> str:
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    if "exclusiveMinimum" in part:
        return f" greater than {part['exclusiveMinimum']}"
    return f" of {low} or more" if low is not None else (f" of {high} or less" if high is not None else "")


def _length(part: dict[str, Any], least: str, most: str, what: str) -> str:
    low, high = part.get(least), part.get(most)
    if low and high:
        return f", {low} to {high} {what}"
    return f", at most {high} {what}" if high else (f", at least {low} {what}" if low else "")
