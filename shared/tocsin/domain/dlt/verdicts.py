"""Every verdict on one subject at one moment: by the rules, with what people signed of them on top.

A pure function of everything known, so that the order of arrival cannot matter. A machine verdict may go back when
facts change; what a person signed stays until a person signs otherwise, and says where the facts have moved since
(readings.md DLT 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tocsin.domain.dlt.definition import About, DltDefinition
from tocsin.domain.dlt.excluding import SYNDROMES
from tocsin.domain.dlt.naming import names
from tocsin.domain.dlt.of_bleeding import of_bleeding
from tocsin.domain.dlt.of_counts import of_counts
from tocsin.domain.dlt.of_event import of_event
from tocsin.domain.dlt.of_liver import of_liver, tells_of_liver
from tocsin.domain.dlt.subject import Decided, Reported, Subject
from tocsin.domain.dlt.verdict import State, Verdict, worst
from tocsin.domain.syndromes import recognise
from tocsin.domain.words import CrsScale


def verdicts(
    subject: Subject, definition: DltDefinition, as_of: datetime, *, crs: CrsScale = CrsScale.WORST_OF
) -> tuple[Verdict, ...]:
    """One for each event of the subject and for each finding that no report tells of, by their keys."""
    standing = tuple(one for one in subject.events if not one.event.is_nullified)
    stands = replace(subject, events=standing)
    found = [*_by_rule(stands, definition, as_of, crs), *_taken_back(subject, definition, as_of, crs)]
    signed = _signed(subject.decided)
    told = {one.key: _with(one, signed.get(one.key)) for one in found}
    for key, decided in signed.items():
        if key not in told:
            said = "what it was signed about is no longer known as one finding: the signature stands"
            told[key] = _with(Verdict(State.NONE, None, (said,), key=key), decided)
    return tuple(told[key] for key in sorted(told))


def beside(subject: Subject, definition: DltDefinition) -> Iterable[str]:
    """The events that may change what a rule says of another event, or of values.

    Those of counts, those that tell of the liver, and syndromes of which others are signs.
    """
    about = definition.rules_about(About.NEUTROPHILS, About.PLATELETS, About.BLEEDING)
    has_liver = bool(definition.rules_about(About.LIVER))
    for one in subject.events:
        is_named = any(names(rule, one.event, one.coded) is not None for rule in about)
        if is_named or (has_liver and tells_of_liver(one)) or recognise(one.event, one.coded) & SYNDROMES:
            yield one.event.event_id


def _by_rule(
    subject: Subject, definition: DltDefinition, as_of: datetime, crs: CrsScale
) -> Iterable[Verdict]:  # fmt: skip
    counted: dict[str, list[Verdict]] = {}
    for rule in definition.rules_about(About.NEUTROPHILS, About.PLATELETS):
        for one in of_counts(subject, rule, definition, as_of):
            counted.setdefault(one.key, []).append(one)
    reported = {one.event.event_id for one in subject.events}
    # Before the infusion is recorded, what no report tells of is the lymphodepletion's: there is no window yet.
    untold = (one for key, ones in counted.items() if key not in reported for one in ones)
    yield from untold if subject.infusions else ()
    for event in subject.events:
        own = counted.get(event.event.event_id, [])
        if own and not event.fatal:
            yield worst(own)
        else:
            yield of_event(event, subject, definition, as_of, crs, _beside(event, subject, definition))
    for rule in definition.rules_about(About.LIVER) if subject.infusions else ():
        yield from of_liver(subject, rule, definition, as_of)


def _beside(reported: Reported, subject: Subject, definition: DltDefinition) -> list[Verdict]:
    """What the rules say of a bleeding by the platelets beside it."""
    found = [
        of_bleeding(reported, subject, rule, definition, reported.event.worst_grade())
        for rule in definition.rules_about(About.BLEEDING)
        if names(rule, reported.event, reported.coded) is not None
    ]
    return [one for one in found if one is not None]


def _taken_back(
    subject: Subject, definition: DltDefinition, as_of: datetime, crs: CrsScale
) -> Iterable[Verdict]:  # fmt: skip
    """A nullified event is no DLT, without a rule, where it would be looked at (readings DLT 13)."""
    for one in subject.events:
        if not one.event.is_nullified:
            continue
        standing = replace(one, event=replace(one.event, is_nullified=False))
        others = tuple(e for e in subject.events if not e.event.is_nullified)
        as_told = replace(subject, events=(*others, standing))
        would_be = next(v for v in _by_rule(as_told, definition, as_of, crs) if v.key == one.event.event_id)
        if would_be.state is State.NONE:
            yield replace(would_be, reasons=("the site took the event back",))
        else:
            said = ("the site took the event back: nothing is left to judge, and its history stays",)
            yield Verdict(
                State.NOT_DLT, None, said, key=one.event.event_id, case_id=one.case_id, event_id=one.event.event_id
            )


def _signed(decided: Iterable[Decided]) -> dict[str, Decided]:
    """The last word of each."""
    ordered = sorted(decided, key=lambda one: (one.at, one.state, one.reason))
    return {one.key: one for one in ordered}


def _with(machine: Verdict, decided: Decided | None) -> Verdict:
    if decided is None:
        return machine
    who = " and ".join(decided.by)
    by_rule = f"the rules alone say {machine.state}" + (f" ({machine.rule_id})" if machine.rule_id else "")
    return replace(
        machine,
        state=decided.state,
        rule_id=decided.rule_id or machine.rule_id,
        reasons=(f"signed {decided.state} by {who}: {decided.reason}", by_rule, *machine.reasons),
        is_provisional=False,
        due_at=None,
        strict_at=None,
        for_committee=(),
        would_change=("a person signs otherwise",),
        asks=(),
        by_rule=machine.state,
    )
