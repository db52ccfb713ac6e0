"""The page `/desk/toxicity`: what toxicity have we seen, by dose? With its rows, and its events, as CSV.

Reading only: opening it changes nothing. Which events count, and at which grade, is decided in `domain.toxicity`.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from alerting import trial_api
from alerting.desk import toxicity_csv, toxicity_view
from alerting.desk.dose_times import Times
from alerting.desk.toxicity_facts import Facts, Ledger
from alerting.parts import Parts
from tocsin.domain.protocol import Protocol
from tocsin.domain.toxicity import Choice, Period
from tocsin.domain.toxicity_table import Toxicity, toxicity
from tocsin.errors import NotFound, Refused, Wrong
from tocsin.web.pages import Pages
from tocsin.web.places import TOXICITY

HERE: Final = TOXICITY.path
YES: Final = "yes"
_FLAGS: Final = {"": False, YES: True, "true": True, "1": True, "no": False, "false": False, "0": False}


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes of the toxicity page."""
    page = ToxicityPage(parts, pages)

    @routes.get(HERE, include_in_schema=False)
    def open_toxicity(request: Request) -> Response:
        return page.show(request)

    @routes.get(f"{HERE}.csv", include_in_schema=False)
    def toxicity_file(request: Request) -> Response:
        return page.file(request)


class ToxicityPage:
    """Answers the toxicity page of each study."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages
        self._ledger = Ledger()

    def show(self, request: Request) -> Response:
        """The page; the sign-in form or a refusal for whoever may not see it; the studies, where several have doses."""
        try:
            who = self._pages.must_be(request, TOXICITY)
            asked = request.query_params.get("study") or None
            protocol = self._study(asked)
            if protocol is None:
                return self._which(request)
            choice = choice_of(request, protocol)
        except Refused as refusal:
            return self._pages.refused(request, refusal, title=_title(refusal))
        found, facts, times = self._found(protocol, choice)
        study = {"study": asked} if asked is not None else {}
        return self._pages.html(
            "toxicity.html",
            title="Toxicity",
            who=who,
            place=TOXICITY,
            study=protocol.id,
            study_title=protocol.title,
            asked=asked,
            times=times,
            zone_of_study=protocol.receiver_zone.key,
            csv_rows=f"{HERE}.csv?{urlencode({**study, **_query(choice)})}",
            csv_events=f"{HERE}.csv?{urlencode({**study, **_query(choice), 'rows': 'events'})}",
            **toxicity_view.view(found, facts, protocol, choice),
        )

    def file(self, request: Request) -> Response:
        """The rows of the page as CSV, or with `rows=events` every event."""
        try:
            self._pages.must_be(request, TOXICITY)
            protocol = trial_api.study_of(self._parts, request.query_params.get("study") or None)
            choice = choice_of(request, protocol)
        except Refused as refusal:
            return self._pages.refused(request, refusal, title=_title(refusal))
        found, _, times = self._found(protocol, choice)
        at = times.now.astimezone(protocol.receiver_zone)
        about = toxicity_csv.about(protocol.id, at.isoformat(timespec="minutes"), choice)
        day = at.date().isoformat()
        if request.query_params.get("rows") == "events":
            return _as_file(toxicity_csv.of_events(found, about), toxicity_csv.file_name(protocol.id, day, "-events"))
        return _as_file(toxicity_csv.of_rows(found, about), toxicity_csv.file_name(protocol.id, day))

    def _study(self, asked: str | None) -> Protocol | None:
        """The study that is meant; None where none is named and there are several, or none with doses."""
        if asked is None and len([one for one in self._parts.studies.values() if one.levels]) != 1:
            return None
        return trial_api.study_of(self._parts, asked)

    def _found(self, protocol: Protocol, choice: Choice) -> tuple[Toxicity, Facts, Times]:
        now = self._parts.now()
        with self._parts.store.reading() as tx:
            facts = self._ledger.of_study(tx, protocol, now)
        treated = [one.treated for one in facts.infused]
        found = toxicity(facts.events, treated, [level.id for level in protocol.levels], choice)
        return found, facts, Times(protocol.receiver_zone, now)

    def _which(self, request: Request) -> Response:
        links = [
            (one.id, one.title, f"{HERE}?{urlencode({'study': one.id})}")
            for one in self._parts.studies.values()
            if one.levels
        ]
        return self._pages.html(
            "dose_which.html", who=self._pages.who(request), place=TOXICITY, title="Which study?", links=links,
            what="toxicity",
        )  # fmt: skip


def choice_of(request: Request, protocol: Protocol) -> Choice:
    """What is asked for; Refused where it cannot be understood: a filter that is not read shows what was not meant."""
    asked = request.query_params
    wrong = []
    period = asked.get("from") or Period.TREATMENT_EMERGENT.value
    if period not in {one.value for one in Period}:
        wrong.append(Wrong("/from", f"{period!r} is no period", ", ".join(one.value for one in Period)))
    flags: dict[str, Any] = {}
    for name in ("related", "serious"):
        said = asked.get(name, "")
        if said not in _FLAGS:
            wrong.append(Wrong(f"/{name}", f"{said!r} is neither yes nor no", "yes, no"))
        flags[f"{name}_only"] = _FLAGS.get(said, False)
    if wrong:
        raise Refused("this page was asked for in a way that it does not know", wrong)
    last_day = protocol.dlt.window_days if protocol.dlt is not None else Choice().last_day
    return Choice(Period(period), last_day, **flags)


def _query(choice: Choice) -> dict[str, str]:
    flags = {"related": choice.related_only, "serious": choice.serious_only}
    return {"from": choice.period.value, **{name: YES for name, is_asked in flags.items() if is_asked}}


def _title(refusal: Refused) -> str:
    return "No such study" if isinstance(refusal, NotFound) else ""


def _as_file(body: bytes, name: str) -> Response:
    return Response(
        body,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )
