"""The table of toxicity: subjects by preferred term, worst grade and dose level, and the severe events over time.

Each subject counts once in each row, at the worst grade that anybody knows of; a row without any grade counts it as
"grade not known", never as grade 0. The order in which events come does not matter. Which events count is decided in
`toxicity`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tocsin.domain.toxicity import SEVERE, Choice, Counted, LeftOut, ToxicityEvent, Treated, look

GRADES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Tally:
    """The subjects of one row at one level, each in one place: by worst grade, 1 to 5, or without a grade."""

    by_grade: tuple[tuple[str, ...], ...] = ((), (), (), (), ())
    unknown: tuple[str, ...] = ()

    @property
    def any(self) -> int:
        return sum(map(len, self.by_grade)) + len(self.unknown)

    @property
    def severe(self) -> int:
        return sum(map(len, self.by_grade[SEVERE - 1 :]))


@dataclass(frozen=True, slots=True)
class Row:
    """One preferred term, a tally for each level in order. Not coded: `term` is the site's words, or what they name."""

    soc: str | None
    term: str
    is_coded: bool
    levels: tuple[Tally, ...]

    @property
    def any(self) -> int:
        return sum(one.any for one in self.levels)

    @property
    def severe(self) -> int:
        return sum(one.severe for one in self.levels)


@dataclass(frozen=True, slots=True)
class Toxicity:
    """The whole answer. `treated`: how many at each level; `total`: each subject once, over all that counts.

    `groups`: the rows of each system organ class, the one with most severe toxicity first.
    """

    levels: tuple[str, ...]
    treated: tuple[int, ...]
    groups: tuple[tuple[str | None, tuple[Row, ...]], ...]
    total: Row
    counted: tuple[Counted, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def all_treated(self) -> int:
        return sum(self.treated)

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(row for _, rows in self.groups for row in rows)


@dataclass(frozen=True, slots=True)
class Month:
    """What one month brought. `month` "2026-05"; None: the onset leaves the month open. `subjects`: for the first time.

    `…_so_far` are up to the end of that month, and with None over all.
    """

    month: str | None
    infused_so_far: int
    events: int
    events_so_far: int
    subjects: int
    subjects_so_far: int


def toxicity(
    events: Iterable[ToxicityEvent], subjects: Iterable[Treated], levels: Sequence[str], choice: Choice
) -> Toxicity:  # fmt: skip
    """The table of these events, each handed over once.

    `levels`: those of the protocol, in order; `subjects`: whoever was infused.
    """
    treated = {one.subject: one for one in subjects}
    found = [
        look(event, treated.get(event.subject or ""), choice) for event in sorted(events, key=_place)
    ]  # fmt: skip
    counted = tuple(one for one in found if isinstance(one, Counted))
    rows = _rows(counted, levels)
    return Toxicity(
        levels=tuple(levels),
        treated=tuple(sum(1 for one in treated.values() if one.level == level) for level in levels),
        groups=_groups(rows),
        total=_row(None, "Any event", True, counted, levels),
        counted=counted,
        left_out=tuple(one for one in found if isinstance(one, LeftOut)),
    )


def by_month(counted: Iterable[Counted], infused: Mapping[str, str | None]) -> tuple[Month, ...]:
    """The severe events by the month of their onset, only months that brought one or an infusion.

    `infused`: the month of the first infusion of each subject, None where it is not known.
    """
    severe = [one for one in counted if one.is_severe]
    events: defaultdict[str | None, int] = defaultdict(int)
    first: dict[str, str | None] = {}
    for one in severe:
        month, subject = one.event.month, one.event.subject or ""
        events[month] += 1
        before = first.get(subject)
        first[subject] = month if before is None else min(before, month or before)
    months = sorted({month for month in (*events, *infused.values()) if month is not None})
    is_open = None in events or None in infused.values()
    found = []
    for n, month in enumerate((*months, *([None] if is_open else []))):
        until = {*months[: n + 1], month}
        found.append(
            Month(
                month=month,
                infused_so_far=sum(1 for one in infused.values() if one in until),
                events=events.get(month, 0),
                events_so_far=sum(number for one, number in events.items() if one in until),
                subjects=sum(1 for one in first.values() if one == month),
                subjects_so_far=sum(1 for one in first.values() if one in until),
            )
        )
    return tuple(found)


def _rows(counted: Iterable[Counted], levels: Sequence[str]) -> list[Row]:
    of: defaultdict[tuple[bool, str], list[Counted]] = defaultdict(list)
    for one in counted:
        of[_key(one.event)].append(one)
    found = []
    for (is_coded, _), ones in sorted(of.items()):
        term = min(_named(one.event) for one in ones)
        soc = min((one.event.soc for one in ones if one.event.soc), default=None) if is_coded else None
        found.append(_row(soc, term, is_coded, ones, levels))
    return found


def _row(soc: str | None, term: str, is_coded: bool, ones: Iterable[Counted], levels: Sequence[str]) -> Row:
    worst: dict[tuple[str, str], int] = {}
    for one in ones:
        at = (one.level, one.event.subject or "")
        worst[at] = max(worst.get(at, 0), one.grade or 0)
    return Row(soc, term, is_coded, tuple(_tally(worst, level) for level in levels))


def _tally(worst: Mapping[tuple[str, str], int], level: str) -> Tally:
    here = sorted((subject, grade) for (of, subject), grade in worst.items() if of == level)
    by_grade = tuple(tuple(subject for subject, found in here if found == grade) for grade in GRADES)
    return Tally(by_grade, tuple(subject for subject, found in here if not found))


def _groups(rows: Iterable[Row]) -> tuple[tuple[str | None, tuple[Row, ...]], ...]:
    of: defaultdict[tuple[bool, str | None], list[Row]] = defaultdict(list)
    for row in rows:
        of[row.is_coded, row.soc].append(row)
    ordered = sorted(of.items(), key=lambda one: (*_weight(one[1]), not one[0][0], one[0][1] or ""))
    return tuple((soc, tuple(sorted(own, key=_rank))) for (_, soc), own in ordered)


def _weight(rows: Sequence[Row]) -> tuple[int, int]:
    return -max(row.severe for row in rows), -max(row.any for row in rows)


def _rank(row: Row) -> tuple[int, int, str]:
    return -row.severe, -row.any, row.term


def _key(event: ToxicityEvent) -> tuple[bool, str]:
    return event.term is not None, _named(event).casefold()


def _named(event: ToxicityEvent) -> str:
    return event.term or event.known_as or " ".join(event.verbatim.split())


def _place(event: ToxicityEvent) -> tuple[str, str]:
    return event.case_id, event.event_id
