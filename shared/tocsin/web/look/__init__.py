"""The look that all pages share: the frame, small parts, the sheet, the script of the keys, the icon."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

_KEPT = {"cache-control": "public, max-age=31536000, immutable"}
"""The address of a file holds its version, so a browser may keep it for good."""


def routes() -> APIRouter:
    """The files, served by every house."""
    found = APIRouter()

    @found.get("/look/desk.css", include_in_schema=False)
    def sheet() -> Response:
        return Response(read("desk.css"), media_type="text/css; charset=utf-8", headers=_KEPT)

    @found.get("/look/desk.js", include_in_schema=False)
    def script() -> Response:
        return Response(read("desk.js"), media_type="text/javascript; charset=utf-8", headers=_KEPT)

    @found.get("/icon.svg", include_in_schema=False)
    def icon() -> Response:
        return Response(read("icon.svg"), media_type="image/svg+xml", headers={"cache-control": "max-age=86400"})

    return found


@cache
def read(name: str) -> str:
    """The text of a file of the look."""
    return (files(__name__) / name).read_text("utf-8")


@cache
def version() -> str:
    """Differs whenever the sheet or the script does."""
    return hashlib.sha256((read("desk.css") + read("desk.js")).encode()).hexdigest()[:12]
