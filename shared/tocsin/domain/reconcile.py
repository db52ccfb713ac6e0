"""A list of a site's or an EDC's serious events and deaths, compared with what we hold: what differs, row by row.

Unknown is not "no". What a list has no column for is not compared. A cell that is left empty differs from what we
hold where we hold something definite, and an empty place of ours from what the list states. Being in the list means
serious, unless the row itself says that it is not.

Sources: rules.md 7 (SAE reconciliation between the clinical and the safety database), ICH E6 (SAE listings agree).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.domain.alike import NEAR, apart, like_words, normalised, same_words
from tocsin.domain.calendars import Partial
from tocsin.domain.known import Known
from tocsin.domain.words import Criterion, Outcome

SLIP = timedelta(days=31)
"""The same words of one subject with onsets up to this far apart may be one event with a slip of the pen."""


class Kind(StrEnum):
    """How a row and we differ."""

    NOT_OURS = "not_ours"
    NOT_THEIRS = "not_theirs"
    DIFFERS = "differs"


class Field(StrEnum):
    """In what they differ. `EVENT`: one side does not have it at all."""

    EVENT = "event"
    DEATH = "death"
    SERIOUS = "serious"
    CRITERIA = "criteria"
    ONSET = "onset"
    OUTCOME = "outcome"
    TERM = "term"


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list. `row` counts from 1 without the header; `references` are numbers of theirs or of ours."""

    row: int
    subject: str
    term: str | None = None
    onset: Partial | None = None
    serious: Known = Known.UNKNOWN
    criteria: frozenset[Criterion] = frozenset()
    death: Known = Known.UNKNOWN
    outcome: Outcome | None = None
    references: frozenset[str] = frozenset()

    @property
    def is_dead(self) -> Known:
        """A death by any of its columns; "no" only where one says so and none says yes."""
        if self.outcome is Outcome.FATAL or Criterion.DEATH in self.criteria:
            return Known.YES
        return self.death

    @property
    def is_serious(self) -> bool:
        """In a list of serious events a row is one, unless it says no and nothing in it says otherwise."""
        return self.serious is not Known.NO or bool(self.criteria) or self.is_dead is Known.YES


@dataclass(frozen=True, slots=True)
class Held:
    """One standing event of ours. `terms`: the site's words first, then the coded term; `references`: other names."""

    case_id: str
    event_id: str
    subject: str | None
    terms: tuple[str, ...]
    zone: ZoneInfo
    onset: Partial | None = None
    is_serious: bool = True
    is_fatal: bool = False
    criteria: frozenset[Criterion] = frozenset()
    outcome: Outcome | None = None
    references: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class List:
    """A whole list: its rows, and what it has columns for."""

    rows: tuple[Listed, ...]
    fields: frozenset[Field]
    criteria: frozenset[Criterion] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `theirs` and `ours` in words, None where that side says nothing.

    `is_unheard_death`: a death in theirs of a subject of whom we hold none.
    """

    kind: Kind
    field: Field
    subject: str | None
    row: int | None
    case_id: str | None
    event_id: str | None
    theirs: str | None
    ours: str | None
    is_unheard_death: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`agreed` rows have no difference; the differences stand with the deaths we never heard of first."""

    agreed: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    row: Listed
    held: Held
    order: tuple[object, ...]


def compare(listed: List, held: Iterable[Held]) -> Comparison:
    """Compare a list with everything we hold of its sites. Neither the order of rows nor of events matters."""
    ours = sorted(held, key=lambda event: event.event_id)
    pairs = _paired(listed, ours)
    dead = {event.subject for event in ours if event.is_fatal}
    found: list[Difference] = []
    agreed = 0
    for row in listed.rows:
        pair = pairs.get(row.row)
        if pair is None:
            differences = [_not_ours(row, dead)] if row.is_serious else []
        else:
            differences = list(_differing(listed, row, pair, dead))
        agreed += not differences
        found += differences
    matched = {event.event_id for event in pairs.values()}
    found += [_not_theirs(event) for event in ours if event.is_serious and event.event_id not in matched]
    return Comparison(agreed, tuple(sorted(found, key=_urgent_first)))


def _paired(listed: List, ours: Sequence[Held]) -> dict[int, Held]:
    """Which event each row tells of: the surest pair first, and each row and each event once."""
    by_subject: dict[str | None, list[Held]] = {}
    by_number: dict[str, Held] = {}
    for event in ours:
        by_subject.setdefault(event.subject, []).append(event)
        by_number[event.event_id] = event
    possible: list[_Pair] = []
    for row in listed.rows:
        # Our own number names the event even where we do not know its subject.
        named = [by_number[ref] for ref in row.references if ref in by_number and by_number[ref].subject is None]
        both = [*by_subject.get(row.subject, ()), *named]
        orders = ((event, _likeness(listed, row, event)) for event in both)
        possible += [_Pair(row, event, order) for event, order in orders if order is not None]
    possible.sort(key=lambda pair: (pair.order, pair.held.event_id, _content(pair.row), pair.row.row))
    found: dict[int, Held] = {}
    taken: set[str] = set()
    for pair in possible:
        if pair.row.row not in found and pair.held.event_id not in taken:
            found[pair.row.row] = pair.held
            taken.add(pair.held.event_id)
    return found


def _likeness(listed: List, row: Listed, event: Held) -> tuple[int, int, int, int] | None:
    """How surely both are one event, smallest first; None where nothing says so."""
    named = _named(row, event)
    words = _words(row, event)
    gap = _gap(row, event)
    near = 3 if gap is None else 0 if not gap else 1 if gap <= NEAR else 2 if gap <= SLIP else 4
    both_dead = row.is_dead is Known.YES and event.is_fatal  # A subject dies once.
    may_be = (
        named < 2  # Our numbers name nothing else; a number of theirs may.
        or (named == 2 and (words < 3 or near == 0))
        or (words < 3 and near in (0, 1, 3))
        or (words == 0 and near == 2)
        or both_dead
        or (near == 0 and _is_whole_day(row) and _in_different_scripts(row, event))
    )
    if not may_be:
        return None
    differing = sum(1 for _ in _differing(listed, row, event, frozenset()))
    return named, words, near, differing


def _named(row: Listed, event: Held) -> int:
    """0 by our number of the event, 1 by that of its case, 2 by a number of theirs, 3 by none."""
    if event.event_id in row.references:
        return 0
    return 1 if event.case_id in row.references else 2 if row.references & event.references else 3


def _words(row: Listed, event: Held) -> int:
    """0 the same words, 1 like words, 2 nothing to compare, 3 other words."""
    if row.term is None:
        return 2
    if any(same_words(row.term, term) for term in event.terms):
        return 0
    return 1 if any(like_words(row.term, term) for term in event.terms) else 3


def _in_different_scripts(row: Listed, event: Held) -> bool:
    """An EDC in English and a report in Chinese share no word, and may tell of one event all the same."""
    return row.term is not None and all(
        normalised(row.term).isascii() is not normalised(term).isascii() for term in event.terms
    )


def _is_whole_day(row: Listed) -> bool:
    return row.onset is not None and row.onset.is_whole_day


def _onsets_differ(row: Listed, event: Held) -> bool:
    """Where they exclude one another, or one is not there. A date that says less than the other does not differ."""
    gap = _gap(row, event)
    return (row.onset is None) is not (event.onset is None) if gap is None else gap > timedelta()


def _gap(row: Listed, event: Held) -> timedelta | None:
    one = None if row.onset is None else row.onset.widest(event.zone)
    other = None if event.onset is None else event.onset.widest(event.zone)
    return apart(one, other)


def _differing(listed: List, row: Listed, event: Held, dead: Collection[str | None]) -> Iterable[Difference]:
    """The facts in which a row and its event differ; a death first, and then no other word of it."""

    def one(field: Field, theirs: str | None, ours: str | None, *, unheard: bool = False) -> Difference:
        return Difference(
            Kind.DIFFERS, field, row.subject, row.row, event.case_id, event.event_id, theirs, ours, unheard
        )

    is_dead = row.is_dead
    says_death = listed.fields & {Field.DEATH, Field.OUTCOME} or Criterion.DEATH in listed.criteria
    if is_dead is Known.YES and not event.is_fatal:
        yield one(Field.DEATH, "yes", "no", unheard=row.subject not in dead)
    elif event.is_fatal and is_dead is not Known.YES and says_death:
        yield one(Field.DEATH, _said(is_dead), "yes")
    elif Field.OUTCOME in listed.fields and _outcome(row.outcome) != _outcome(event.outcome):
        yield one(Field.OUTCOME, _outcome(row.outcome), _outcome(event.outcome))
    if row.is_serious is not event.is_serious:
        yield one(Field.SERIOUS, "yes" if row.is_serious else "no", "yes" if event.is_serious else "no")
    ticks = listed.criteria - {Criterion.DEATH}
    if row.criteria & ticks != event.criteria & ticks:
        yield one(Field.CRITERIA, _ticks(row.criteria & ticks), _ticks(event.criteria & ticks))
    if Field.ONSET in listed.fields and _onsets_differ(row, event):
        yield one(Field.ONSET, _text(row.onset), _text(event.onset))
    if _words(row, event) == 3:
        yield one(Field.TERM, row.term, event.terms[0] if event.terms else None)


def _not_ours(row: Listed, dead: Collection[str | None]) -> Difference:
    is_dead = row.is_dead is Known.YES
    unheard = is_dead and row.subject not in dead
    said = [row.term or ("death" if is_dead else "an event"), *([f"onset {row.onset}"] if row.onset else [])]
    field = Field.DEATH if is_dead else Field.EVENT
    return Difference(Kind.NOT_OURS, field, row.subject, row.row, None, None, ", ".join(said), None, unheard)


def _not_theirs(event: Held) -> Difference:
    said = [*event.terms[:1], *([f"onset {event.onset}"] if event.onset else [])]
    field = Field.DEATH if event.is_fatal else Field.EVENT
    ours = ", ".join(said) or None
    return Difference(Kind.NOT_THEIRS, field, event.subject, None, event.case_id, event.event_id, None, ours)


_ORDER: Mapping[Field, int] = {field: n for n, field in enumerate(Field)}
_KINDS: Mapping[Kind, int] = {kind: n for n, kind in enumerate(Kind)}


def _urgent_first(one: Difference) -> tuple[object, ...]:
    return (
        not one.is_unheard_death, one.field is not Field.DEATH, _KINDS[one.kind], one.subject or "", one.event_id or "",
        _ORDER[one.field], one.theirs or "", one.row or 0,
    )  # fmt: skip


def _content(row: Listed) -> tuple[str, ...]:
    """What a row says, to order rows by without their places."""
    return (
        row.subject, row.term or "", _text(row.onset) or "", row.serious.value, row.death.value,
        row.outcome.value if row.outcome else "", *sorted(row.criteria), *sorted(row.references),
    )  # fmt: skip


def _said(known: Known) -> str | None:
    return None if known is Known.UNKNOWN else known.value


def _outcome(outcome: Outcome | None) -> str | None:
    """An outcome "unknown" says nothing, as an empty one."""
    return None if outcome in (None, Outcome.UNKNOWN) else outcome.value


def _ticks(criteria: Collection[Criterion]) -> str | None:
    return ", ".join(sorted(criteria)) or None


def _text(onset: Partial | None) -> str | None:
    return None if onset is None else onset.text
