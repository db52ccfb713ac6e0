"""Every page of the desk that alerting serves, put together."""

from __future__ import annotations

from fastapi import APIRouter

from alerting.desk import alert_page, dose_page, now, sign_in
from alerting.parts import Parts
from tocsin.settings import Settings
from tocsin.web.pages import Pages

PACKAGE = "alerting.desk"


def add(routes: APIRouter, parts: Parts, settings: Settings) -> None:
    """The routes of the pages."""
    pages = Pages(PACKAGE, settings, parts.studies, parts.now, is_rehearsal=parts.is_rehearsal)
    sign_in.add(routes, parts, pages, settings)
    alert_page.add(routes, parts, pages)
    dose_page.add(routes, parts, pages)
    now.add(routes, parts, pages)
