"""A case as it stands in the fields of a form: the way back from facts to what somebody would have typed."""

from __future__ import annotations

from collections.abc import Sequence

from ae_intake.desk.typed import MOST_EVENTS, OTHER, at_block
from tocsin.domain.known import Known
from tocsin.domain.words import Criterion, Party, is_suspected
from tocsin.messages.bodies import KeptEvent, ReportReceivedV1
from tocsin.messages.facts import EventFacts

_ANSWERS = {Known.YES: "yes", Known.NO: "no"}


def pages_of(events: Sequence[KeptEvent]) -> int:
    """Over how many pages the events of a case are spread."""
    return max(1, -(-len(events) // MOST_EVENTS))


def filled(body: ReportReceivedV1, product: str, page: int = 1) -> dict[str, str]:
    """The fields of a case. `product`: the study's own, which the form names."""
    facts, found = body.facts, {"kind": body.facts.kind.value}
    found |= {name: value for name, value in (("subject", facts.subject), ("detail", facts.detail)) if value}
    if facts.product:
        found |= (
            {"product_is": product} if facts.product == product else {"product_is": OTHER, "product": facts.product}
        )
    if facts.narrative:
        found["narrative"] = facts.narrative.strip()
    for part in ("name", "role", "contact"):
        said = getattr(facts.reporter, part) if facts.reporter else None
        if said:
            found[f"reporter_{part}"] = said
    first = (page - 1) * MOST_EVENTS
    for n, kept in enumerate(body.events[first : first + MOST_EVENTS], first):
        found[f"{at_block(n)}id"] = kept.event_id
        found |= {at_block(n) + name: value for name, value in _event(kept.facts).items()}
    return found


def _event(event: EventFacts) -> dict[str, str]:
    found = {"verbatim": event.verbatim.strip()}
    for name, text in (("onset", event.onset), ("end", event.end), ("aware", event.investigator_aware_at)):
        if text:
            day, _, hour = text.partition("T")
            found |= {f"{name}_date": day, f"{name}_time": hour} if hour else {f"{name}_date": day}
    for name, value in (("outcome", event.outcome), ("action", event.action), ("treatment", event.treatment)):
        if value:
            found[name] = str(value)
    for criterion in Criterion:
        if criterion in event.seriousness:
            found[f"serious_{criterion}"] = "yes"
        elif event.serious is False:
            found[f"serious_{criterion}"] = "no"
    for scale in ("ctcae", "astct"):
        grade = getattr(event.grade, scale) if event.grade else None
        if grade is not None:
            found[f"grade_{scale}"] = str(grade)
    for opinion in event.causality:
        if opinion.party is Party.INVESTIGATOR:
            found[f"cause_{opinion.agent}"] = _ANSWERS[is_suspected(opinion.relation)]
    if event.nullified:
        found["struck"] = "yes"
    return found
