"""Every error as `application/problem+json` (RFC 9457), with a JSON Pointer for each wrong place.

`type` is a URN that never changes meaning; `errors` is `[{pointer, problem, allowed}]`. What went wrong inside is
told to nobody outside: the log has it, under the request's id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tocsin.errors import Away, Refused, Unauthorised, Wrong
from tocsin.web import parameters
from tocsin.web.pointers import join

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
_NAMES = {400: "malformed", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}


class Malformed(Refused):
    """The request cannot be read at all (400)."""

    status = 400
    kind = "malformed"


class TooLarge(Refused):
    """The request is larger than is read (413)."""

    status = 413
    kind = "too-large"


class TooSlow(Refused):
    """The request did not come in time (408). The connection ends with the answer."""

    status = 408
    kind = "too-slow"


class TooMany(Refused):
    """One asker is too fast (429). `Retry-After` has the whole seconds after which it may ask again, at least 1."""

    status = 429
    kind = "too-many"


class WrongMediaType(Refused):
    """The request is not JSON (415)."""

    status = 415
    kind = "unsupported-media-type"


def problem(
    request: Request,
    status: int,
    kind: str,
    title: str,
    wrong: Sequence[Wrong] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem document. `kind` also names it in the metrics."""
    request.scope.setdefault("state", {})["problem"] = kind
    document: dict[str, Any] = {"type": f"urn:tocsin:problem:{kind}", "title": title, "status": status}
    if wrong:
        document["errors"] = [
            {"pointer": w.pointer, "problem": w.problem, **({"allowed": w.allowed} if w.allowed is not None else {})}
            for w in wrong
        ]
    if found := request.scope["state"].get("request_id"):
        document["request_id"] = found
    # A refused text may hold a lone surrogate, which UTF-8 cannot carry: ASCII escapes can.
    body = json.dumps(document, ensure_ascii=True).encode()
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


async def of_refusal(request: Request, error: Exception) -> Response:
    """A refusal on purpose."""
    assert isinstance(error, Refused)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorised) else None
    return problem(request, error.status, error.kind, error.title, error.wrong, headers)


async def of_away(request: Request, error: Exception) -> Response:
    """Something we depend on does not answer: nothing was kept, and the same request may be sent again."""
    assert isinstance(error, Away)
    return problem(
        request,
        503,
        "away",
        "nothing was kept: the database does not answer. Send the same request again, with the same Idempotency-Key",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


async def of_http(request: Request, error: Exception) -> Response:
    """What the framework refuses: no such address, or not this method."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    if status == 404:
        return problem(request, 404, "not-found", "there is nothing at this address")
    phrase = HTTPStatus(status).phrase
    kind = _NAMES.get(status) or phrase.lower().replace(" ", "-").replace("'", "")
    title = f"{request.method} is not possible here" if status == 405 else phrase
    return problem(request, status, kind, title, headers=error.headers)


async def of_parameters(request: Request, error: Exception) -> Response:
    """A path, query or header parameter that cannot be read. The pointer names it: `/query/limit`."""
    assert isinstance(error, RequestValidationError)
    wrong = [Wrong(join(e["loc"]), parameters.problem(e), parameters.allowed(e)) for e in error.errors()]
    return problem(request, 422, "refused", "a parameter cannot be understood", wrong)


def of_fault(request: Request) -> Response:
    """A fault of ours. The request was not accepted; what happened is in the log under the request's id."""
    return problem(
        request,
        500,
        "fault",
        "a fault on our side: nothing was accepted. Send the same request again, with the same Idempotency-Key",
    )
