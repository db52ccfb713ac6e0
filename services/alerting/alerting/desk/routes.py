"""Every page of the desk that alerting serves, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from alerting.desk import (
    addresses_page,
    alert_page,
    audit_page,
    board_page,
    case_page,
    deliveries_page,
    dose_page,
    hold_page,
    me_page,
    now,
    on_call_page,
    people_page,
    person_page,
    plan_page,
    sign_in,
    toxicity_page,
    webhook_deeds,
)
from alerting.parts import Parts
from tocsin.settings import Settings
from tocsin.web.pages import Pages

PACKAGE = "alerting.desk"


def add(
    routes: APIRouter, parts: Parts, settings: Settings, troubles: Callable[[], Sequence[str]] = list
) -> Pages:  # fmt: skip
    """The routes of the pages, and who renders them. `troubles`: what `/ready` says is wrong with this service."""
    pages = Pages(PACKAGE, settings, parts.studies, parts.now, is_rehearsal=parts.is_rehearsal)
    sign_in.add(routes, parts, pages, settings)
    board_page.add(routes, parts, pages, settings, troubles)
    alert_page.add(routes, parts, pages)
    case_page.add(routes, parts, pages)
    dose_page.add(routes, parts, pages)
    hold_page.add(routes, parts, pages)
    toxicity_page.add(routes, parts, pages)
    now.add(routes, parts, pages)
    people_page.add(routes, parts, pages)
    person_page.add(routes, parts, pages)
    me_page.add(routes, parts, pages)
    on_call_page.add(routes, parts, pages)
    plan_page.add(routes, parts, pages)
    addresses_page.add(routes, parts, pages)
    webhook_deeds.add(routes, parts, pages)
    deliveries_page.add(routes, parts, pages)
    audit_page.add(routes, parts, pages)
    return pages
