"""Which reported event tells of what a graded observation shows, and which observation no report tells of.

What is doubtful about time is read as told of (an onset that is not known overlaps everything); what is doubtful about
words is read as in `affirmed`. What is told of nowhere is asked of the site, once for a term and episode. The codes
and words are data in `same_finding`; CRS, ICANS and IEC-HS go by `syndromes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache

from tocsin.domain.affirmed import named
from tocsin.domain.case import Coded, Event
from tocsin.domain.derived import Derived
from tocsin.domain.graded import Graded
from tocsin.domain.known import Finding
from tocsin.domain.same_finding import LABORATORY, finding_of
from tocsin.domain.stretches import moments
from tocsin.domain.syndromes import Syndrome, recognised
from tocsin.domain.words import Scale

A_DAY = timedelta(days=1)
TWO_WEEKS = timedelta(days=14)
_SYNDROMES = {
    Syndrome.CRS: "细胞因子释放综合征",
    Syndrome.ICANS: "免疫效应细胞相关神经毒性综合征",
    Syndrome.IEC_HS: "免疫效应细胞相关噬血细胞综合征",
}


class Telling(StrEnum):
    """How a report tells of a finding: it is that finding, or it is something wider with a grade of its own."""

    IS = "is"
    TELLS = "tells"


@dataclass(frozen=True, slots=True)
class Unreported:
    """Values of one term in one episode that no report tells of. `worst` is what is asked about.

    `is_provisional`: only the highest of what the values may be reaches the grade. `elsewhere` are the events of the
    same finding at another time.
    """

    worst: Derived
    values: tuple[Derived, ...]
    is_provisional: bool
    elsewhere: tuple[str, ...]
    english: str
    chinese: str

    @property
    def evidence(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for value in self.values for one in value.evidence))


def tells(event: Event, coded: Coded | None, grading: Graded) -> tuple[Telling, str] | None:
    """How the event, at whatever time, tells of what is graded, and by what; None when it does not.

    A code decides over the site's words: what is coded as another term may tell of the finding, but its grade is then
    that of the other term. A code that is no term of CTCAE goes by the words of its term.
    """
    code, term = (None, None) if coded is None else (coded.code, coded.term)
    return _tells(event.verbatim, code, term, grading.scale, grading.code, grading.term)


@lru_cache(maxsize=32768)  # Every event of a subject is held against every value of it, at each look at the subject.
def _tells(
    verbatim: str, code: str | None, term: str | None, scale: Scale, graded_code: str | None, graded_term: str
) -> tuple[Telling, str] | None:
    as_term = term if code is not None else None
    if code is not None and code == graded_code:
        return Telling.IS, f"coded as {as_term}"
    if shared := _syndromes_of(scale, graded_code, graded_term) & recognised(verbatim, code, term):
        return Telling.IS, f"the report is of {min(shared)}"
    finding = finding_of(graded_code, graded_term)
    if finding is not None and code is not None and code in finding.codes | finding.tells_codes:
        return (Telling.IS if code in finding.codes else Telling.TELLS), f"coded as {as_term}"
    is_, wider = (finding.is_, finding.tells) if finding is not None else (_literally(graded_term), None)
    if as_term is not None and (how := _by_words(as_term, is_, wider)):
        return how[0], f"coded as {as_term}"
    how = _by_words(verbatim, is_, wider)
    if how is None:
        return None
    # Words decide where no code does, or where the code is of another value: ALT, of "ALT and AST increased".
    is_own = how[0] is Telling.IS and (code is None or code in LABORATORY)
    return (Telling.IS if is_own else Telling.TELLS), f"the site's words tell of it: {how[1]!r}"


def covers(event: Event, coded: Coded | None, derived: Derived, zone: tzinfo, *, slack: timedelta = A_DAY) -> Finding:
    """Whether a reported event tells of what a graded observation shows, at its time."""
    if event.is_nullified:
        return Finding(False, ("the event was taken back",))
    told = tells(event, coded, derived.grading)
    if told is None:
        return Finding(False, (f"it does not tell of {derived.grading.term}",))
    when = derived.span(zone)
    onset = moments(event.onset, zone) if event.onset is not None else None
    end = moments(event.end, zone) if event.end is not None else None
    if when is not None and onset is not None and onset.earliest - slack > when.latest:
        return Finding(False, (told[1], f"it began {event.onset}, after the value of {derived.at}"))
    if when is not None and end is not None and end.latest + slack < when.earliest:
        return Finding(False, (told[1], f"it ended {event.end}, before the value of {derived.at}"))
    return Finding(True, (told[1],), is_provisional=when is None or onset is None)


def belonging(
    event: Event, coded: Coded | None, derived: Iterable[Derived], zone: tzinfo, *, slack: timedelta = A_DAY
) -> tuple[Derived, ...]:
    """The graded observations whose grade is the grade of this event: of the finding itself, and of its time."""
    own = [
        one
        for one in set(derived)
        if covers(event, coded, one, zone, slack=slack) and (tells(event, coded, one.grading) or ("",))[0] is Telling.IS
    ]
    return tuple(sorted(own, key=lambda one: _place(one, zone)))


def uncovered(
    derived: Iterable[Derived],
    events: Sequence[tuple[Event, Coded | None]],
    zone: tzinfo,
    *,
    from_grade: int = 3,
    gap: timedelta = TWO_WEEKS,
    slack: timedelta = A_DAY,
) -> tuple[Unreported, ...]:
    """What to ask the site: the values of `from_grade` or more that no event tells of, one for a term and episode.

    Values at most `gap` apart, with none of a lower grade between, are of one episode.
    """
    terms: dict[tuple[Scale, str, str], list[Derived]] = {}
    for one in sorted(set(derived), key=lambda one: _place(one, zone)):
        terms.setdefault((one.grading.scale, one.grading.edition, one.term), []).append(one)
    found = []
    for _, values in sorted(terms.items()):
        for episode in _episodes(values, zone, from_grade, gap):
            open_ = [one for one in episode if not any(covers(e, c, one, zone, slack=slack) for e, c in events)]
            if open_:
                found.append(_unreported(open_, events, from_grade))
    return tuple(found)


def together(found: Iterable[Unreported]) -> tuple[tuple[Unreported, ...], ...]:
    """What is one thing to ask: one syndrome on several scales, seen in the same observations, the worst first.

    The order in which they come does not matter.
    """
    groups: list[list[Unreported]] = []
    for one in sorted(found, key=lambda one: (-one.worst.grading.lowest, one.english)):
        same = [group for group in groups if _is_same_syndrome(one, group)]
        groups = [group for group in groups if group not in same]
        groups.append([*(each for group in same for each in group), one])
    return tuple(tuple(group) for group in groups)


def _is_same_syndrome(one: Unreported, group: Iterable[Unreported]) -> bool:
    syndromes, seen = _syndromes(one.worst.grading), set(one.evidence)
    return any(syndromes & _syndromes(each.worst.grading) and seen & set(each.evidence) for each in group)


def _episodes(values: Sequence[Derived], zone: tzinfo, from_grade: int, gap: timedelta) -> list[list[Derived]]:
    episodes: list[list[Derived]] = []
    last: Derived | None = None
    for one in values:
        if one.grading.highest < from_grade:
            last = None
            continue
        if last is None or _apart(last, one, zone) > gap:
            episodes.append([])
        episodes[-1].append(one)
        last = one
    return episodes


def _apart(one: Derived, later: Derived, zone: tzinfo) -> timedelta:
    """The shortest time between two values; those without a year are together."""
    first, second = one.span(zone), later.span(zone)
    if first is None or second is None:
        return timedelta(0) if first is second else timedelta.max
    return second.earliest - first.latest


def _unreported(values: Sequence[Derived], events: Sequence[tuple[Event, Coded | None]], from_grade: int) -> Unreported:
    worst = max(values, key=lambda one: (one.grading.lowest, one.grading.highest))
    grading, is_provisional = worst.grading, worst.grading.lowest < from_grade
    elsewhere = tuple(sorted(e.event_id for e, c in events if not e.is_nullified and tells(e, c, grading)))
    return Unreported(
        worst,
        tuple(values),
        is_provisional,
        elsewhere,
        _english(worst, elsewhere, "may be" if is_provisional else "is"),
        _chinese(worst, elsewhere, "可能为" if is_provisional else "为"),
    )


def _english(worst: Derived, elsewhere: Sequence[str], is_: str) -> str:
    at_other = f" ({', '.join(elsewhere)} tells of it at another time)" if elsewhere else ""
    what = "an observation" if _syndromes(worst.grading) else "a value"
    return (
        f"We hold {what} that {is_} {worst.scale_said} {worst.grade_said} ({worst.grading.term}): {worst.said} of "
        f"{worst.at}, and no report of it{at_other}. Please report it, or tell us why it is no adverse event."
    )


def _chinese(worst: Derived, elsewhere: Sequence[str], is_: str) -> str:
    grading = worst.grading
    at_other = f"（{'、'.join(elsewhere)} 报告的是另一时间）" if elsewhere else ""
    what = "观察结果" if _syndromes(grading) else "数值"
    return (
        f"我们收到的一项{what}{is_} {worst.scale_said} {_levels(grading)}级（{_chinese_name(grading)}）：{worst.at}，"
        f"{worst.said}，但未收到相应的报告{at_other}。请报告，或说明为何不是不良事件。"
    )


def _chinese_name(grading: Graded) -> str:
    if syndromes := _syndromes(grading):
        return _SYNDROMES[min(syndromes)]
    finding = finding_of(grading.code, grading.term)
    return grading.term if finding is None else finding.chinese


def _levels(grading: Graded) -> str:
    return str(grading.lowest) if grading.grade is not None else f"{grading.lowest}至{grading.highest}"


def _syndromes(grading: Graded) -> frozenset[Syndrome]:
    """The syndrome that a term of a scale is."""
    return _syndromes_of(grading.scale, grading.code, grading.term)


def _syndromes_of(scale: Scale, code: str | None, term: str) -> frozenset[Syndrome]:
    found = recognised(term, code, term) & _SYNDROMES.keys()
    return found | {Syndrome.IEC_HS} if scale is Scale.IEC_HS else found


def _by_words(words: str, is_: re.Pattern[str], wider: re.Pattern[str] | None) -> tuple[Telling, str] | None:
    if wider is not None and (found := named(wider, words)):
        return Telling.TELLS, found.group(0)
    found = named(is_, words)
    return (Telling.IS, found.group(0)) if found else None


def _literally(term: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(term)}", re.IGNORECASE | re.ASCII)


def _place(one: Derived, zone: tzinfo) -> tuple[datetime, datetime, datetime, str, int, int, tuple[str, ...], str]:
    """In order of when they were measured, those without a year last."""
    when = one.span(zone)
    never = datetime.max.replace(tzinfo=UTC)
    edges = (never, never) if when is None else (when.earliest, when.latest)
    return *edges, one.known_at, one.term, one.grading.lowest, one.grading.highest, one.evidence, one.said
