"""Why a grade or an interval has no number of its own. A closed list, so that every gap is one that somebody meant."""

from __future__ import annotations

from enum import StrEnum


class Explain(StrEnum):
    """`no_grade_n`: the term has no such grade. `clinical_grade_n`: it is described without a number.

    `other_way_grade_n`: it has a number on another basis or analyte of the same term.
    """

    NO_GRADE_1 = "no_grade_1"
    NO_GRADE_2 = "no_grade_2"
    NO_GRADE_3 = "no_grade_3"
    NO_GRADE_4 = "no_grade_4"
    CLINICAL_GRADE_1 = "clinical_grade_1"
    CLINICAL_GRADE_2 = "clinical_grade_2"
    CLINICAL_GRADE_3 = "clinical_grade_3"
    CLINICAL_GRADE_4 = "clinical_grade_4"
    OTHER_WAY_GRADE_1 = "other_way_grade_1"
    OTHER_WAY_GRADE_2 = "other_way_grade_2"
    OTHER_WAY_GRADE_3 = "other_way_grade_3"
    OTHER_WAY_GRADE_4 = "other_way_grade_4"
    STARTS_AT_NUMBER = "starts_at_number"
    """The mildest band begins at a number, not at the limit of normal; outside it the grade is 0."""
    BELOW_1_5_X_BASELINE = "below_1.5_x_baseline"
    BELOW_2_X_BASELINE = "below_2_x_baseline"
    """Between the baseline and the first bound counted from it the text gives no grade."""
    ENDS_AT_NUMBER = "ends_at_number"
    """The worst band ends at a number; beyond it another basis of the same term decides."""
    CLINICAL_ONLY = "clinical_only"
    """The whole grade is described without a number; the row has no bounds."""
    READING = "reading"
    """The row rests on a reading of the text; the reasons are in `tocsin.criteria.readings`."""
