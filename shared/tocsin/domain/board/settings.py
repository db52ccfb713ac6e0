"""How one study finds its dose, as data. Read from its file by `tocsin.study_dose`.

Sources: rules.md 4.2 (evaluable) and 5; readings.md DLT 2 and 14. What the public record does not say is an assumption
until the sponsor approves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from tocsin.domain.escalation.bayes_monitor import DLT_LIMIT
from tocsin.domain.escalation.boin import Boin
from tocsin.domain.escalation.posterior import FLAT, Prior
from tocsin.domain.escalation.tite_boin import TiteBoin

ASSUMPTION = "ASSUMPTION_SPONSOR_MUST_REPLACE"


class Design(StrEnum):
    """By which rule doses are gone up and down."""

    THREE_PLUS_THREE = "3+3"
    BOIN = "boin"
    TITE_BOIN = "tite_boin"


class ProductFault(StrEnum):
    """What can go wrong with the product itself."""

    OUT_OF_SPECIFICATION = "out_of_specification"
    FAILED_RELEASE = "failed_release"
    STERILITY = "sterility"
    MIX_UP = "mix_up"
    WRONG_DOSE = "wrong_dose"
    WRONG_SUBJECT = "wrong_subject"
    THAW_FAILURE = "thaw_failure"
    BAG_FAILURE = "bag_failure"
    OTHER = "other"


# A bag of one's own cells that breaks, or does not thaw, says nothing of anybody else's. Everything else may.
HOLDING = frozenset(ProductFault) - {ProductFault.THAW_FAILURE, ProductFault.BAG_FAILURE}


@dataclass(frozen=True, slots=True)
class ExpansionSettings:
    """How phase 2a is watched (ST-05). A limit that is None is not public and not set: that rate is not watched."""

    dlt_limit: Fraction = DLT_LIMIT
    certainty: Fraction = Fraction(95, 100)
    prior: Prior = FLAT
    looks_from: int = 3
    icans_limit: Fraction | None = None
    non_relapse_mortality_limit: Fraction | None = None


@dataclass(frozen=True, slots=True)
class FollowUpSettings:
    """Visits in months after infusion; each may be `grace` early or late. An assumption but for the two years."""

    months: tuple[int, ...] = (1, 2, 3, 6, 9, 12, 18, 24)
    grace: timedelta = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class DoseSettings:
    """The design with its numbers, each at its stated default. Rates are taken as they are written: 0.30 is 3/10.

    `evaluable_from`, `evaluable_to`: which parts of the planned dose count as that dose, both included.
    `stagger_days`: from the first infusion at a level to the next one there; a level that is not named has
    `stagger_lowest_days` or `stagger_other_days`. `review_within`: for the committee after a treatment-related death.
    """

    status: str = ASSUMPTION
    design: Design = Design.THREE_PLUS_THREE
    target: Fraction = Fraction(30, 100)
    phi1: Fraction | None = None
    phi2: Fraction | None = None
    subjects_per_cohort: int = 3
    evaluable_from: Fraction = Fraction(80, 100)
    evaluable_to: Fraction = Fraction(120, 100)
    mtd_needs_evaluable: int = 6
    stagger_lowest_days: int = 28
    stagger_other_days: int = 14
    stagger_days: tuple[tuple[str, int], ...] = ()
    parallel_levels: bool = False
    committee_review_before_escalation: bool = True
    review_within: timedelta = timedelta(hours=72)
    product_holds: frozenset[ProductFault] = HOLDING
    expansion: ExpansionSettings = ExpansionSettings()
    follow_up: FollowUpSettings = FollowUpSettings()

    @property
    def boin(self) -> Boin:
        """The design of the target. Raises Impossible for rates with which it tells nothing apart."""
        return Boin.of(self.target, self.phi1, self.phi2)

    @property
    def tite_boin(self) -> TiteBoin:
        return TiteBoin(self.boin)

    def stagger(self, level: str, is_lowest: bool) -> int:
        """Days from the first infusion at a level to the next one there (ST-01)."""
        return dict(self.stagger_days).get(level, self.stagger_lowest_days if is_lowest else self.stagger_other_days)
