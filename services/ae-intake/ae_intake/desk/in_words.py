"""The facts of a case in the words of a page: what was understood, and what changed from one revision to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tocsin.domain.words import Criterion, Party
from tocsin.messages.bodies import ReportReceivedV1
from tocsin.messages.facts import EventFacts

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """The report as a whole (`event_id` empty), or one event, as labels and what was said."""

    event_id: str
    verbatim: str
    lines: tuple[tuple[str, str], ...]
    is_nullified: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that a revision changed. `was` or `now` is empty where there was nothing, or is nothing any more."""

    about: str
    label: str
    was: str
    now: str


def parts_of(body: ReportReceivedV1, w: Words, product: str) -> list[Part]:
    """Everything that is known, in order. What nobody said is not there; `not stated` is said for what counts."""
    return [
        Part("", "", tuple(_report(body, w))),
        *(
            Part(kept.event_id, kept.facts.verbatim, tuple(_event(kept.facts, w, product)), kept.facts.nullified)
            for kept in body.events
        ),
    ]


def changes_of(before: ReportReceivedV1, after: ReportReceivedV1, w: Words, product: str) -> list[Change]:
    """What differs between two revisions."""
    was, now = ({p.event_id: p for p in parts_of(body, w, product)} for body in (before, after))
    found = []
    for event_id, part in now.items():
        old = was.get(event_id)
        if old is None:
            found.append(Change(event_id, w["verbatim"], "", part.verbatim))
        elif old.verbatim != part.verbatim:
            found.append(Change(event_id, w["verbatim"], old.verbatim, part.verbatim))
        lines = dict(old.lines) if old else {}
        found += [
            Change(event_id, label, lines.get(label, ""), said)
            for label, said in part.lines
            if lines.get(label, "") != said and not (old is None and said == w["not_stated"])
        ]
        there = dict(part.lines)
        found += [Change(event_id, label, said, "") for label, said in lines.items() if label not in there]
        if old is not None and part.is_nullified != old.is_nullified:
            found.append(Change(event_id, w["struck"], "", w["yes"] if part.is_nullified else w["no"]))
    return found


def relation(event: EventFacts, w: Words, product: str) -> str:
    """Every opinion on the cause."""
    said = []
    for one in event.causality:
        agent = product if one.agent == "product" else w[f"agent_{one.agent}"]
        by = "" if one.party is Party.INVESTIGATOR else f" ({w['party_sponsor']})"
        said.append(f"{agent}{w['colon']}{w.get(f'relation_{one.relation}', str(one.relation))}{by}")
    return w["semicolon"].join(said)


def seriousness(event: EventFacts, w: Words) -> str:
    """Whether it is serious, and why. Not known is said as not known."""
    named = w["comma"].join(w[f"criterion_{one}"] for one in Criterion if one in event.seriousness)
    if event.serious is False:
        return f"{w['not_serious']}{w['semicolon']}{named}" if named else w["not_serious"]
    if named:
        return f"{w['serious']}{w['colon']}{named}"
    return w["serious"] if event.serious else w["serious_unknown"]


def _report(body: ReportReceivedV1, w: Words) -> Iterator[tuple[str, str]]:
    facts, missing = body.facts, w["not_stated"]
    yield w["subject"], facts.subject or missing
    if facts.kind != "adverse_event":
        yield w["kind"], w[f"kind_{facts.kind}"]
    if facts.detail:
        yield w["detail"], w[f"detail_{facts.detail}"]
    yield w["product"], facts.product or missing
    who = facts.reporter
    said = [part for part in (who.name, who.role, who.contact) if part] if who else []
    yield w["reporter"], w["comma"].join(said) or missing
    if facts.narrative:
        yield w["narrative"], facts.narrative


def _event(event: EventFacts, w: Words, product: str) -> Iterator[tuple[str, str]]:
    missing = w["not_stated"]
    yield w["onset"], _date(event.onset) or missing
    if event.end:
        yield w["end"], _date(event.end)
    yield w["seriousness"], seriousness(event, w)
    grades: Sequence[tuple[str, int | None]] = (
        (("CTCAE", event.grade.ctcae), ("ASTCT", event.grade.astct)) if event.grade else ()
    )
    said = w["comma"].join(f"{scale} {w['grade_n'].format(n=grade)}" for scale, grade in grades if grade is not None)
    yield w["grade"], said or missing
    yield w["outcome"], w[f"outcome_{event.outcome}"] if event.outcome else missing
    yield w["cause"], relation(event, w, product) or missing
    yield w["action"], w[f"action_{event.action}"] if event.action else missing
    if event.treatment:
        yield w["treatment"], event.treatment
    yield w["aware"], _date(event.investigator_aware_at) or missing


def _date(text: str | None) -> str:
    return (text or "").replace("T", " ")
