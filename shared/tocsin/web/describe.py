"""How a call is described in /openapi.json when its body is read by `reading` rather than by the framework."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import TypeAdapter

_CARRIED = "x-tocsin-schemas"
_PACKED = "x-tocsin-example:"
_REF = "#/components/schemas/{model}"

Mode = Literal["validation", "serialization"]

_MODELS: dict[str, TypeAdapter[Any]] = {}
"""By mode and name: what the calls take and answer. Filled while routes are made, never changed after."""

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "urn:tocsin:problem:…, its meaning never changes"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "problem"],
                "properties": {
                    "pointer": {"type": "string", "description": "where: a JSON Pointer (RFC 6901) into the request"},
                    "problem": {"type": "string"},
                    "allowed": {"type": "string"},
                },
            },
        },
    },
}
"""The schema of a problem document (RFC 9457)."""


def taking(model: TypeAdapter[Any], name: str, examples: Mapping[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a call whose JSON body is a `model`, shown by named examples."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": _REF.format(model=name)},
                    "examples": {title: {"value": _packed(value)} for title, value in examples.items()},
                }
            },
        },
        _CARRIED: [_known(name, model, "validation")],
    }


def taking_text(media_type: str, says: str, examples: Mapping[str, str]) -> dict[str, Any]:
    """`openapi_extra` of a call whose body is text of this kind."""
    content = {
        "schema": {"type": "string", "description": says},
        "examples": {title: {"value": text} for title, text in examples.items()},
    }
    return {"requestBody": {"required": True, "content": {media_type: content}}}


def answering(status: int, says: str, name: str, model: TypeAdapter[Any], example: Any) -> dict[str, Any]:
    """The part of `openapi_extra` for what a call answers."""
    content = {"application/json": {"schema": {"$ref": _REF.format(model=name)}, "example": _packed(example)}}
    return {
        "responses": {str(status): {"description": says, "content": content}},
        _CARRIED: [_known(name, model, "serialization")],
    }


def refusing(*statuses: int) -> dict[str, Any]:
    """The part of `openapi_extra` for how a call refuses."""
    return {"responses": {str(status): _REFUSALS[status] for status in statuses}}


def call(*parts: dict[str, Any]) -> dict[str, Any]:
    """One `openapi_extra` out of several parts."""
    whole: dict[str, Any] = {_CARRIED: [], "responses": {}}
    for part in parts:
        whole[_CARRIED] += part.get(_CARRIED, [])
        whole["responses"] |= part.get("responses", {})
        whole |= {key: value for key, value in part.items() if key not in (_CARRIED, "responses")}
    return whole


def add_schemas(document: dict[str, Any]) -> None:
    """Move what the calls carry into the document's components; a name with two meanings is an error of ours."""
    _unpack(document["paths"])
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    of_the_framework = set(schemas)  # It describes what a call is declared to answer; nulls are left out there.
    schemas["Problem"] = PROBLEM
    for path in document["paths"].values():
        for operation in path.values():
            if "401" in operation["responses"]:  # Whoever is counted, or tries to sign in, may be too fast.
                operation["responses"].setdefault("429", _REFUSALS[429])
            if "413" in operation["responses"]:  # Whatever has a body may be sent too slowly.
                operation["responses"].setdefault("408", _REFUSALS[408])
            made: dict[str, Any] = {}
            for carried in operation.pop(_CARRIED, []):
                made |= _schemas(carried)  # what is answered describes a shared part more fully than what is taken
            for name, schema in made.items():
                if name not in of_the_framework and schemas.setdefault(name, schema) != schema:
                    raise ValueError(f"two schemas are called {name}")
            # The framework describes its own form of a wrong parameter; ours is a problem document.
            if "application/json" in (wrong := operation["responses"].get("422", {}).get("content", {})):
                del wrong["application/json"]
                operation["responses"]["422"] = _REFUSALS[422]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _known(name: str, model: TypeAdapter[Any], mode: Mode) -> str:
    """Remember a model for the page of the interface. Its schema is made only when somebody asks for that page."""
    _MODELS[carried := f"{mode} {name}"] = model
    return carried


def _schemas(carried: str) -> dict[str, Any]:
    mode, _, name = carried.partition(" ")
    schema = _MODELS[carried].json_schema(by_alias=True, ref_template=_REF, mode=cast(Mode, mode))
    parts: dict[str, Any] = schema.pop("$defs", {})
    return {name: schema, **parts}


def _packed(example: Any) -> str:
    """An example as text: the framework would leave out each null, and a null is a fact here."""
    return _PACKED + json.dumps(example)


def _unpack(node: Any) -> None:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            _unpack(value)
        elif isinstance(value, str) and value.startswith(_PACKED):
            node[key] = json.loads(value.removeprefix(_PACKED))


def _refusal(says: str, title: str, kind: str, status: int, errors: list[dict[str, str]] | None = None) -> Any:
    example: dict[str, Any] = {"type": f"urn:tocsin:problem:{kind}", "title": title, "status": status}
    if errors:
        example["errors"] = errors
    example["request_id"] = "5c1b1f0a6d1e4c0f8f6f0e8a7b9c3d21"
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": says, "content": {"application/problem+json": {"schema": schema, "example": example}}}


_RETRY_AFTER = {
    "Retry-After": {
        "description": "After how many seconds to send it again.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_REFUSALS = {
    400: _refusal(
        "Not JSON, or ambiguous JSON.", "a name is given twice", "malformed", 400,
        [{"pointer": "/events/0/onset", "problem": "is given twice in one object", "allowed": "each name once"}],
    ),
    401: _refusal("Who asks is not known.", "this key is not known, or was revoked", "unauthorised", 401),
    403: _refusal("Who asks may not.", "this needs the role safety_physician", "forbidden", 403),
    404: _refusal("Not there, or not yours to see.", "there is no such case", "not-found", 404),
    408: _refusal(
        "It came too slowly. Nothing was kept, and the connection ends.",
        "the request came too slowly: nothing was kept", "too-slow", 408,
        [{"pointer": "", "problem": "200 bytes came in 20 s", "allowed": "1000 bytes a second after the first 20 s"}],
    ),
    409: _refusal("What is known or was decided does not bear it, or the same Idempotency-Key came with another body. "
                  "Nothing was changed.", "this was decided already", "conflict", 409),
    413: _refusal("Too large.", "the request is too large", "too-large", 413),
    415: _refusal("Not JSON.", "the request must be JSON", "unsupported-media-type", 415),
    422: _refusal(
        "It cannot be understood or attributed. Nothing was kept.", "the report cannot be understood", "refused", 422,
        [{"pointer": "/events/0/grade/ctcae", "problem": "should be less than or equal to 5",
          "allowed": "a whole number, 1 to 5"}],
    ),
    429: _refusal(
        "Too fast. Nothing was kept; wait as long as Retry-After says, and send it again.",
        "too many requests with this key: nothing was accepted. Wait 1 s, then send the same again, with the same "
        "Idempotency-Key", "too-many", 429,
        [{"pointer": "", "problem": "too many requests with this key",
          "allowed": "50 a second, and 2000 at once; the next in 1 s"}],
    ) | {"headers": _RETRY_AFTER},
    503: _refusal("The database does not answer. Nothing was kept; send it again.", "nothing was kept: the database "
                  "does not answer", "away", 503) | {"headers": _RETRY_AFTER},
}  # fmt: skip
