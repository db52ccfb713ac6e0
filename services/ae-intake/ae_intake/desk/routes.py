"""Every page that ae-intake serves, put together."""

from __future__ import annotations

from fastapi import APIRouter

from ae_intake.desk import case_page, follow_up_page, keys_page, query_page, receipt_page, report_page, start_page
from ae_intake.desk.visit import Desk
from ae_intake.parts import Parts
from tocsin.settings import Settings
from tocsin.web.pages import Pages

PACKAGE = "ae_intake.desk"


def add(routes: APIRouter, parts: Parts, settings: Settings, *, is_rehearsal: bool = False) -> None:
    """The routes of the pages."""
    desk = Desk(parts, Pages(PACKAGE, settings, parts.studies, parts.now, is_rehearsal=is_rehearsal))
    for page in (start_page, report_page, receipt_page, case_page, follow_up_page, query_page, keys_page):
        page.add(routes, desk)
