"""What a site has to say before a subject's place on the board is beyond doubt."""

from __future__ import annotations

from collections.abc import Iterable

from tocsin.domain.board.facts import SubjectFacts
from tocsin.domain.board.given import Dose, Dosed, also_recorded, differs_from_level, infusion_of
from tocsin.domain.calendars import Span, local_day
from tocsin.domain.protocol import Protocol


def asks(subject: SubjectFacts, protocol: Protocol, dose: Dose, complete: Span | None) -> Iterable[str]:
    """The questions, each a sentence. `complete` is the window once it has passed."""
    infusion = infusion_of(subject)
    if infusion is None:
        if any(one.state.counts for one in subject.verdicts):
            yield "a DLT is told, and no infusion: when was the product given?"
        return
    levels = {one.level for one in subject.enrolled if one.level is not None} - {infusion.level}
    for level in sorted(levels):
        yield f"enrolled at {level} and infused at {infusion.level}: which level was assigned?"
    if others := dict.fromkeys(str(one.started) for one in also_recorded(subject)):
        yield f"infusions on {', '.join([str(infusion.started), *others])}: the product is given once; which is right?"
    if said := differs_from_level(infusion, protocol.levels, protocol.dose):
        yield f"{said}: which is right?"
    if protocol.level(infusion.level) is None:
        yield f"infused at {infusion.level}, which is no level of the protocol: which level was it?"
    if dose.dosed is Dosed.UNKNOWN:
        yield f"{dose.said}: what was planned, and what was given?"
    last = max(subject.contacts, default=None)
    if complete is not None and last is not None and last < local_day(complete.latest, subject.zone):
        yield f"nothing is known of the subject after {last}: was the last day of the window completed?"
