"""The site's grade beside the computed one: where they differ, what to ask, and which line is crossed.

Both are kept and neither overwrites the other. Compared are the highest of each over the event, on one scale at a time
and never across scales, and only values of the finding that the event itself is: febrile neutropenia has a grade of
its own, whatever the count. A site that grades higher may know of the patient what no number says, and is asked only
where the number alone settles the grade. Who is told of a line that is crossed is left to `alerting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from tocsin.domain.case import Coded, Event
from tocsin.domain.coverage import belonging
from tocsin.domain.derived import Derived
from tocsin.domain.same_finding import finding_of
from tocsin.domain.words import Scale

LINES = (3, 4)
"""The grades at which rules on dose-limiting toxicity begin."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The site's grade lies outside what the observations make it. `deciding` is the value that says so.

    `crosses` are the lines between the site's grade and the least that the computed one is: empty where the site
    grades higher, since its own grade then counts. `may_cross` are those that only the highest reading reaches.
    """

    event_id: str
    scale: Scale
    site: int
    lowest: int
    highest: int
    deciding: Derived
    crosses: tuple[int, ...]
    may_cross: tuple[int, ...]
    english: str
    chinese: str

    @property
    def is_site_lower(self) -> bool:
        return self.site < self.lowest


@dataclass(frozen=True, slots=True)
class Worst:
    """The worse of the site's grade and the computed one; neither is changed by it.

    `grade` is the least it can be, None when nobody says any; `at_most` the most that the values leave open.
    """

    grade: int | None
    at_most: int | None
    reasons: tuple[str, ...]


def compare(event: Event, coded: Coded | None, derived: Iterable[Derived], zone: tzinfo) -> tuple[Difference, ...]:
    """Where the site's grade and the computed one differ, at most one difference for each scale."""
    own = belonging(event, coded, derived, zone)
    found = [_difference(event, scale, [one for one in own if one.grading.scale is scale]) for scale in Scale]
    return tuple(one for one in found if one is not None)


def worst_with_computed(event: Event, derived: Iterable[Derived], scale: Scale | None = None) -> Worst:
    """The worse of both on one scale, or on any; `derived` are those that belong to the event (`belonging`)."""
    site = event.worst_grade(scale)
    own = sorted((one for one in derived if scale in (None, one.grading.scale)), key=_depth)
    reasons = [] if site is None else [f"the site grades it {site}"]
    if not own:
        return Worst(site, site, tuple(reasons))
    grades = [one.grading.lowest for one in own] + ([] if site is None else [site])
    at_most = max([one.grading.highest for one in own] + grades)
    worst = own[-1]
    reasons.append(f"{worst.said} of {worst.at} is {worst.grade_said} of {worst.grading.term} ({worst.scale_said})")
    reasons += worst.grading.reasons
    if at_most > max(grades):
        reasons.append(f"it may be grade {at_most}: {'; '.join(_missing(own)) or 'the values leave it open'}")
    return Worst(max(grades), at_most, tuple(reasons))


def _difference(event: Event, scale: Scale, own: Sequence[Derived]) -> Difference | None:
    site = event.worst_grade(scale)
    if site is None or not own:
        return None
    lowest, highest = max(one.grading.lowest for one in own), max(one.grading.highest for one in own)
    if lowest <= site <= highest or (site > highest and not _is_settled(own)):
        return None
    # A site may grade a death 5, which no value does.
    if site > highest and site == 5:
        return None
    deciding = max(own, key=_depth)
    said = _lower(site, deciding) if site < lowest else _higher(site, deciding)
    return Difference(
        event.event_id, scale, site, lowest, highest, deciding, _lines(site, lowest),
        _lines(max(site, lowest), highest), *said,
    )  # fmt: skip


def _is_settled(own: Iterable[Derived]) -> bool:
    """Whether numbers alone make the grade, every one of them without a fact missing."""
    return all(_is_by_number(one) and one.grading.grade is not None and not one.grading.missing for one in own)


def _is_by_number(value: Derived) -> bool:
    finding = finding_of(value.grading.code, value.grading.term)
    return finding is not None and finding.is_by_number


def _lower(site: int, value: Derived) -> tuple[str, str]:
    return (
        f"You graded this event {site} ({value.scale_said}). {value.said} of {value.at} is {value.grade_said} of "
        f"{value.grading.term}. We keep both grades. Please check: correct the grade, or tell us why it stands.",
        f"贵中心将该事件评为{site}级（{value.scale_said}）。{value.at}，{value.said}，按 {value.grading.term} 为"
        f"{_levels(value)}级。两个分级我们均保留。请核对：更正分级，或说明为何不变。",
    )


def _higher(site: int, value: Derived) -> tuple[str, str]:
    return (
        f"You graded this event {site} ({value.scale_said}). The worst value that we hold, {value.said} of {value.at}, "
        f"is {value.grade_said} of {value.grading.term}. You may know what we do not: a value that has not reached us, "
        "or how the patient was. Your grade stands until you change it. Please send what it rests on, or correct it.",
        f"贵中心将该事件评为{site}级（{value.scale_said}）。我们收到的最重数值为{value.said}（{value.at}），按"
        f" {value.grading.term} 为{_levels(value)}级。贵中心或掌握我们尚未收到的数值或患者情况。"
        "在贵中心更正之前，贵中心的分级有效。请补充依据，或更正分级。",
    )


def _lines(site: int, reached: int) -> tuple[int, ...]:
    return tuple(line for line in LINES if site < line <= reached)


def _levels(value: Derived) -> str:
    low, high = value.grading.lowest, value.grading.highest
    return str(low) if low == high else f"{low}至{high}"


def _missing(own: Iterable[Derived]) -> list[str]:
    return sorted({missing for one in own for missing in one.grading.missing})


def _depth(value: Derived) -> tuple[int, int, str, str]:
    return value.grading.lowest, value.grading.highest, value.at.text, value.said
