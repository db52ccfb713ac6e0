"""The grade that a site states beside what it answered of the same event: asked about, and rung for.

Of every standing event that is coded as a term of the study's CTCAE the answers leave a lowest and a highest grade.
A stated grade outside is asked about once; a correction of the grade or of an answer settles the question. Answers are
the site's own: what the sponsor decides of an event changes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerting.cases import uncoded_in
from alerting.crossed_lines import Crossed, ring
from alerting.grade_questions import Question, ask, where
from alerting.parts import Parts
from alerting.so_far import SoFar
from tocsin.criteria.facets import load_facets
from tocsin.domain.answer_check import Mismatch, check
from tocsin.domain.answered import answers_of
from tocsin.domain.case import Case, Event
from tocsin.domain.facets import TermFacets, bounds
from tocsin.domain.graded import NotGradable
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Outcome, Scale


def look(tx: Connection, parts: Parts, protocol: Protocol, known: SoFar, at: datetime) -> None:
    """Compare the grades of a case with its answers, ask its site what is new to ask, settle what is, and ring."""
    latest, case = known.latest, known.case
    found = [(event, one) for event, term in _coded(case, protocol) if (one := check(event, term)) is not None]
    questions = [
        Question(
            keys=frozenset({f"{one.event_id}|answers|{one.site}|{one.broken}"}),
            case_id=latest.case_id,
            site=latest.site,
            about=where(latest, one.event_id, Scale.CTCAE),
            text=f"{one.english}\n{one.chinese}",
        )
        for event, one in found
        if not _is_asked_by_intake(event)
    ]
    about = f"{protocol.id}|{latest.case_id}|answers"
    ask(tx, parts, protocol, about, questions, at, undecided=uncoded_in(case))
    for _, one in found:
        # A death rings for itself, and rules on dose-limiting toxicity take it for grade 5 whatever is stated.
        if one.crosses and not one.is_of_a_death:
            ring(tx, parts, protocol, latest, _crossed(one), at)


def shown(event: Event, term: TermFacets | None) -> dict[str, Any] | None:
    """What the answers leave of the coded term, as the API shows it; None where the code is no term of CTCAE."""
    if term is None:
        return None
    stated, found = event.worst_grade(Scale.CTCAE), bounds(term, answers_of(event))
    kept = {"edition": found.edition, "term": found.term, "code": found.code, "stated": stated}
    if isinstance(found, NotGradable):
        return {**kept, "lowest": None, "highest": None, "reasons": [found.because], "missing": [], "fits": None}
    return {
        **kept,
        "lowest": found.lowest,
        "highest": found.highest,
        "reasons": list(found.reasons),
        "missing": list(found.missing),
        "fits": None if stated is None else found.lowest <= stated <= found.highest,
    }


def terms(case: Case, protocol: Protocol) -> Mapping[str, TermFacets]:
    """The term of each standing event that is coded as one of the study's CTCAE, by the event's id."""
    return {event.event_id: term for event, term in _coded(case, protocol)}


def _coded(case: Case, protocol: Protocol) -> Iterator[tuple[Event, TermFacets]]:
    facets = load_facets(protocol.ctcae)
    for event, _ in case.standing:
        coded = case.coding_of(event)
        term = facets.get(coded.code) if coded is not None and coded.code is not None else None
        if term is not None:
            yield event, term


def _is_asked_by_intake(event: Event) -> bool:
    """A fatal outcome beside a lower grade contradicts itself within the report: intake asks at the same place."""
    return event.outcome is Outcome.FATAL and any(scale is Scale.CTCAE and grade < 5 for scale, grade in event.grades)


def _crossed(one: Mismatch) -> Crossed:
    edition, term = one.found.edition, one.found.term
    why = (
        f"{one.event_id}: the site grades it {one.site}; what it told of it makes it at least grade {one.found.lowest} "
        f"of {term} (CTCAE {edition}): {one.because}"
        if one.because
        else f"{one.event_id}: the site grades it {one.site}; {term} has at least grade {one.found.lowest} in CTCAE "
        f"{edition}"
    )
    return Crossed(one.event_id, Scale.CTCAE, one.site, one.found.lowest, one.crosses, (why,), one.rests_on_a_stay)
