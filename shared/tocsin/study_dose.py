"""What a study file says of finding the dose: the design with its numbers, the intervals, and what contradicts itself.

The keys and their form are in `study_shape`; the file as a whole is read in `studies`. What each number does is in
`tocsin.domain.board` and `tocsin.domain.escalation`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from tocsin.domain.board.settings import Design, DoseSettings, ExpansionSettings, FollowUpSettings
from tocsin.domain.escalation import Impossible, Monitor, three_plus_three
from tocsin.study_clocks import twice
from tocsin.study_shape import DosePart, ExpansionPart, StudyPart

_DEFAULT = DoseSettings()
_SHORTEST_MONTH = Fraction(365, 12)
"""Days in a month of follow-up, at the least that a year of them makes."""


def settings(part: DosePart | None) -> DoseSettings:
    """The settings of a study; of one that doses nobody, the defaults. `part` must be free of contradictions."""
    if part is None:
        return _DEFAULT
    return DoseSettings(
        status=part.status,
        design=part.design,
        target=_DEFAULT.target if part.target is None else _written(part.target),
        phi1=_or_none(part.phi1),
        phi2=_or_none(part.phi2),
        subjects_per_cohort=part.subjects_per_cohort,
        evaluable_from=_written(part.evaluable_from),
        evaluable_to=_written(part.evaluable_to),
        mtd_needs_evaluable=_needs(part),
        stagger_days=tuple((one.id, one.stagger_days) for one in part.levels if one.stagger_days is not None),
        parallel_levels=part.parallel_levels,
        committee_review_before_escalation=part.committee_review_before_escalation,
        review_within=timedelta(hours=part.review_within_hours),
        product_holds=frozenset(part.product_holds),
        expansion=_expansion(part.expansion),
        follow_up=FollowUpSettings(tuple(part.follow_up.months), timedelta(days=part.follow_up.grace_days)),
    )


def contradictions(part: DosePart, study: StudyPart) -> Iterable[str]:
    """What is well formed and still cannot be."""
    yield from twice("dose.levels", [level.id for level in part.levels])
    for lower, higher in pairwise(level for level in part.levels if level.cells_per_kg is not None):
        if (lower.cells_per_kg or 0) >= (higher.cells_per_kg or 0):
            yield f"dose.levels has {higher.id!r} after {lower.id!r}, which is no lower dose; allowed is lowest first"
    yield from _of_three_plus_three(part) if part.design is Design.THREE_PLUS_THREE else _of_interval(part)
    yield from _of_expansion(part.expansion)
    months = part.follow_up.months
    if study.follow_up_days is not None and (not months or months[-1] * _SHORTEST_MONTH < study.follow_up_days - 1):
        yield (
            f"dose.follow_up.months is {months}; allowed is up to the {study.follow_up_days} days of "
            "study.follow_up_days at least"
        )


def _of_three_plus_three(part: DosePart) -> Iterable[str]:
    for name in ("target", "phi1", "phi2"):
        if (value := getattr(part, name)) is not None:
            yield f"dose.{name} is {value}; allowed with design '3+3' is none: it aims at no rate"
    if part.subjects_per_cohort != three_plus_three.COHORT:
        yield f"dose.subjects_per_cohort is {part.subjects_per_cohort}; allowed with design '3+3' is 3"
    if _needs(part) != three_plus_three.FULL:
        yield f"dose.mtd_needs_evaluable is {_needs(part)}; allowed with design '3+3' is 6: a dose never holds more"


def _of_interval(part: DosePart) -> Iterable[str]:
    if len(part.levels) < 2:
        yield f"dose.levels has 1 level; allowed with design {part.design.value!r} are two or more"
    try:
        _ = settings(part).boin
    except Impossible as wrong:
        yield f"dose: {wrong}"


def _of_expansion(part: ExpansionPart) -> Iterable[str]:
    limits = ("dlt_limit", "icans_limit", "non_relapse_mortality_limit")
    for name in limits:
        limit = getattr(part, name)
        if limit is None:
            continue
        try:
            Monitor(name, _written(limit), _written(part.certainty), _prior(part), part.looks_from)
        except Impossible as wrong:
            yield f"dose.expansion: {wrong}"


def _expansion(part: ExpansionPart) -> ExpansionSettings:
    return ExpansionSettings(
        dlt_limit=_written(part.dlt_limit),
        certainty=_written(part.certainty),
        prior=_prior(part),
        looks_from=part.looks_from,
        icans_limit=_or_none(part.icans_limit),
        non_relapse_mortality_limit=_or_none(part.non_relapse_mortality_limit),
    )


def _prior(part: ExpansionPart) -> tuple[int, int]:
    a, b = part.prior
    return a, b


def _needs(part: DosePart) -> int:
    return _DEFAULT.mtd_needs_evaluable if part.mtd_needs_evaluable is None else part.mtd_needs_evaluable


def _written(rate: float) -> Fraction:
    """A rate as it is written in the file: 0.30 is 3/10 and not the nearest binary number."""
    return Fraction(str(rate))


def _or_none(rate: float | None) -> Fraction | None:
    return None if rate is None else _written(rate)
