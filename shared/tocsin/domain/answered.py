"""What a report answers of one event: three questions in words of their own, three by what it says of seriousness.

Hospitalisation, a threat to life and a death are read as `seriousness` reads them. A criterion that is not there is no
answer (E2B(R3) E.i.3.2); only a site that calls the event not serious, and says nothing against it, has denied all
three. Facts that cannot both be are read at the worse, as intake reads them when it asks: what is contradicted is no
answer. Which grades the answers leave is left to `facets`.
"""

from __future__ import annotations

from tocsin.domain import seriousness
from tocsin.domain.case import Event
from tocsin.domain.facet_words import Answers, Intervention, Symptoms
from tocsin.domain.known import Finding, Known
from tocsin.domain.words import Criterion, Outcome

ALIVE = (Outcome.RECOVERED, Outcome.RECOVERING, Outcome.NOT_RECOVERED, Outcome.RECOVERED_WITH_SEQUELAE)
"""The outcomes of an event that nobody died of."""


def answers_of(event: Event) -> Answers:
    """The six answers of one event. What is said in the words of the verbatim alone is not answered yet."""
    judged = seriousness.of(event, None)
    is_denied = (
        event.stated_serious is Known.NO and not event.criteria and not judged.fatal and not judged.life_threatening
    )
    unless_stated = Known.NO if is_denied else Known.UNKNOWN
    died = _stated(judged.fatal, unless_stated)
    if died is Known.UNKNOWN and not judged.fatal and event.outcome in ALIVE:
        died = Known.NO
    return Answers(
        symptoms=_symptoms(event, is_grave=_is_sure(judged.fatal) or _is_sure(judged.life_threatening)),
        limits=event.limits,
        intervention=_intervention(event),
        hospitalised=Known.YES if Criterion.HOSPITALISATION in event.criteria else unless_stated,
        life_threatening=_stated(judged.life_threatening, unless_stated),
        died=died,
    )


def _stated(found: Finding, unless_stated: Known) -> Known:
    """What is only taken for true until the site answers is neither yes nor no."""
    if not found:
        return unless_stated
    return Known.YES if _is_sure(found) else Known.UNKNOWN


def _is_sure(found: Finding) -> bool:
    return bool(found) and not found.is_provisional


def _symptoms(event: Event, *, is_grave: bool) -> Symptoms | None:
    """`asymptomatic` says the same as `symptoms` does where that is not answered."""
    said = event.symptoms
    if said not in (None, Symptoms.ASYMPTOMATIC):
        return said
    if event.asymptomatic is Known.NO or is_grave:
        return None  # There were symptoms, and nobody has said how bad.
    return Symptoms.ASYMPTOMATIC if said or event.asymptomatic is Known.YES else None


def _intervention(event: Event) -> Intervention | None:
    """What was treated called for something; what kind of thing, nobody has said."""
    is_treated = event.treated is Known.YES or event.treatment is not None
    return None if event.intervention is Intervention.NONE and is_treated else event.intervention
