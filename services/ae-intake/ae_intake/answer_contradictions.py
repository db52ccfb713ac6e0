"""What a site answers of an event beside what it says of the same event elsewhere: symptoms, and treatment.

`tocsin.domain.answered` reads each as it is said here to be read: what is contradicted is no answer.
"""

from __future__ import annotations

from collections.abc import Callable

from ae_intake.look import Found, Look
from tocsin.domain.facet_words import Intervention, Symptoms
from tocsin.domain.words import Criterion


def _treated_or_not(look: Look) -> Found | None:
    if look.event.treated is not False or look.event.treatment is None:
        return None
    return Found("/treated", '"not treated" beside a treatment', "treated")


def _nothing_called_for_but_treated(look: Look) -> Found | None:
    event = look.event
    if event.intervention is not Intervention.NONE or not (event.treated or event.treatment is not None):
        return None
    return Found(
        "/intervention", '"no intervention called for" beside a treatment', "an intervention, it is not known which"
    )


def _asymptomatic_and_grave(look: Look) -> Found | None:
    event = look.event
    grave = {Criterion.DEATH, Criterion.LIFE_THREATENING} & set(event.seriousness)
    if not (grave or look.has_died()):
        return None
    if event.asymptomatic is True:
        at = "/asymptomatic"
    elif event.symptoms is Symptoms.ASYMPTOMATIC:
        at = "/symptoms"
    else:
        return None
    return Found(at, '"asymptomatic" beside death or a threat to life', "with symptoms")


def _asymptomatic_and_not(look: Look) -> Found | None:
    if _asymptomatic_and_grave(look) is not None:
        return None
    symptoms = look.event.symptoms
    if look.event.asymptomatic is True and symptoms not in (None, Symptoms.ASYMPTOMATIC):
        return Found("/asymptomatic", f'"asymptomatic" beside {symptoms} symptoms', "with symptoms")
    if look.event.asymptomatic is False and symptoms is Symptoms.ASYMPTOMATIC:
        return Found("/symptoms", '"asymptomatic" beside the word that there were symptoms', "with symptoms")
    return None


ANSWER_RULES: tuple[Callable[[Look], Found | None], ...] = (
    _treated_or_not,
    _nothing_called_for_but_treated,
    _asymptomatic_and_grave,
    _asymptomatic_and_not,
)
