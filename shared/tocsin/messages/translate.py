"""From messages to the book of rules: one named function at each border, and nothing decided on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tocsin.domain.calendars import Partial
from tocsin.domain.case import Coded, Event, GradeStep, Infusion, Opinion, Report
from tocsin.domain.derived import Derived
from tocsin.domain.graded import Graded
from tocsin.domain.known import Known
from tocsin.domain.words import Scale
from tocsin.messages.bodies import DerivedGrade, DoseRecordedV1, EventsCodedV1, KeptEvent, ReportReceivedV1
from tocsin.messages.facts import EventFacts, InfusionFacts, ReportFacts


def report_of(body: ReportReceivedV1) -> Report:
    """One revision as the rules see it."""
    return Report(
        case_id=body.case_id,
        revision=body.revision,
        study=body.study,
        site=body.site,
        kind=body.facts.kind,
        received_at=body.received_at,
        subject=body.subject,
        patient_denied=body.facts.patient_identifiable is False,
        has_reporter=_names_a_reporter(body.facts),
        product=body.facts.product,
        events=_events(body.events),
        is_nullified=body.is_nullified,
        narrative=body.facts.narrative,
    )


def event_of(kept: KeptEvent) -> Event:
    """One event as the rules see it. `component_of` is still what the site calls the other event."""
    facts = kept.facts
    return Event(
        event_id=kept.event_id,
        verbatim=facts.verbatim,
        onset=_partial(facts.onset),
        end=_partial(facts.end),
        stated_serious=Known.of(facts.serious),
        criteria=frozenset(facts.seriousness),
        outcome=facts.outcome,
        action=facts.action,
        severity=facts.severity,
        grades=_grades(facts),
        course=tuple(GradeStep(step.grade, step.scale, Partial.parse(step.from_)) for step in facts.course),
        opinions=tuple(Opinion(c.agent, c.party, c.relation) for c in facts.causality),
        investigator_aware_at=_partial(facts.investigator_aware_at),
        treatment=facts.treatment,
        treated=Known.of(facts.treated),
        asymptomatic=Known.of(facts.asymptomatic),
        symptoms=facts.symptoms,
        limits=facts.limits,
        intervention=facts.intervention,
        culture_positive=Known.of(facts.culture_positive),
        component_of=facts.component_of,
        alternative_cause=facts.alternative_cause,
        is_nullified=facts.nullified,
    )


def codings_of(body: EventsCodedV1) -> tuple[Coded, ...]:
    """What the coder made of each event; a code that waits for a person is no code."""
    return tuple(
        Coded(
            event_id=event.event_id,
            revision=body.revision,
            is_coded=event.status in ("coded", "corrected"),
            code=event.llt_code if event.status in ("coded", "corrected") else None,
            term=event.term if event.status in ("coded", "corrected") else None,
            soc=event.soc if event.status in ("coded", "corrected") else None,
            dictionary=body.dictionary,
            at=body.coded_at,
        )
        for event in body.events
    )


def infusion_of(body: DoseRecordedV1) -> Infusion | None:
    """The infusion a dose message records; None when it records something else."""
    if not isinstance(body.facts, InfusionFacts):
        return None
    return Infusion(started=Partial.parse(body.facts.started_at), level=body.facts.level)


def derived_of(grade: DerivedGrade, known_at: datetime) -> Derived | None:
    """A grade from observations as the rules see it; None where it was taken back or could not be graded."""
    if grade.is_withdrawn or grade.lowest is None or grade.highest is None:
        return None
    graded = Graded(
        scale=grade.scale,
        edition=grade.edition,
        term=grade.term,
        code=grade.code,
        lowest=grade.lowest,
        highest=grade.highest,
        reasons=tuple(grade.reasons),
        missing=tuple(grade.missing),
    )
    return Derived(graded, Partial.parse(grade.at), known_at, tuple(grade.evidence), grade.said)


def words_of(body: ReportReceivedV1) -> tuple[str, ...]:
    """What one revision tells in free words, beside the names of its events."""
    told = [body.facts.narrative, body.statement, *(kept.facts.treatment for kept in body.events)]
    return tuple(text for text in told if text)


def _events(kept: Sequence[KeptEvent]) -> tuple[Event, ...]:
    """The events of one report, each sign with the id of the event that it is a sign of."""
    events = tuple(event_of(one) for one in kept)
    if all(one.component_of is None for one in events):
        return events
    ids = _ids_by_name(kept)
    return tuple(replace(one, component_of=ids.get(one.component_of or "", one.component_of)) for one in events)


def _ids_by_name(kept: Sequence[KeptEvent]) -> Mapping[str, str]:
    """The event of each name in a report: the site's `ref` before our id, and a place only where no `ref` was given.

    Intake reads a follow-up in the same order.
    """
    by_place = {str(n): one.event_id for n, one in enumerate(kept, 1) if one.facts.ref is None}
    by_id = {one.event_id: one.event_id for one in kept}
    by_ref = {one.facts.ref: one.event_id for one in reversed(kept) if one.facts.ref is not None}
    return {**by_place, **by_id, **by_ref}


def _names_a_reporter(facts: ReportFacts) -> bool:
    who = facts.reporter
    return who is not None and any((who.name, who.role, who.contact))


def _grades(facts: EventFacts) -> tuple[tuple[Scale, int], ...]:
    if facts.grade is None:
        return ()
    stated = ((Scale.CTCAE, facts.grade.ctcae), (Scale.ASTCT, facts.grade.astct))
    return tuple((scale, grade) for scale, grade in stated if grade is not None)


def _partial(text: str | None) -> Partial | None:
    return None if text is None else Partial.parse(text)
