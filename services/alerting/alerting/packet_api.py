"""HTTP in: the dose-review packet, as a file to keep. Reading only."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from alerting import packet
from alerting.api import Reader
from alerting.parts import Parts
from alerting.trial_api import study_of
from tocsin.web.describe import call, refusing
from tocsin.web.parameters import Instant

# The file is read elsewhere; where a browser shows it nevertheless, it may do nothing but be read.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "sandbox"
)
EXAMPLE = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    "<title>Dose review NCT06223646, data cut 2026-06-02 11:20 Asia/Shanghai (2026-06-02 03:20 UTC)</title>\n…"
)
_ANSWERS: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "The packet, one HTML file.",
            "headers": {
                "Content-Disposition": {
                    "description": "the name of the file: study, and data cut to the minute in the study's own zone",
                    "schema": {"type": "string"},
                },
                "ETag": {"description": "SHA-256 of the file, in quotes", "schema": {"type": "string"}},
            },
            "content": {"text/html": {"example": EXAMPLE}},
        }
    }
}


def add(routes: APIRouter, parts: Parts) -> None:
    """The call for the packet."""

    @routes.get(
        "/v1/dose-board/packet",
        summary="Make the dose-review packet",
        tags=["Dose"],
        response_class=HTMLResponse,
        openapi_extra=call(_ANSWERS, refusing(401, 403, 404, 422, 503)),
    )
    def dose_review_packet(who: Reader, study: str | None = None, as_of: Instant | None = None) -> HTMLResponse:
        """One self-contained file for the committee and the archive: board, verdicts, tables, hashes.

        `as_of` is the data cut, now if left out; one that lies before a fact that is held is refused. The same facts
        and the same cut give the same bytes, here and by `tocsin dose-review`.
        """
        protocol = study_of(parts, study)
        with parts.store.reading() as tx:
            made = packet.packet(tx, parts, protocol, as_of)
        return as_file(made)


def as_file(made: packet.Packet) -> HTMLResponse:
    """A packet as a browser saves it, under its name."""
    return HTMLResponse(
        made.body,
        headers={
            "content-disposition": f'attachment; filename="{made.name}"',
            "content-security-policy": _POLICY,
            "etag": f'"{made.sha256}"',
        },
    )
