"""What a laboratory criterion is: bands with bounds, what each needs, and the analytes that they judge.

A band says from where to where one grade reaches. Bands are data (`tocsin.criteria`); which of them holds for a value
is said in `possible`, and what that means in `labs`. Numbers are fractions inside, so that nothing is ever rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from tocsin.domain.known import Known


class Direction(StrEnum):
    """Which way a term is the main term of its analytes; NONE: it is graded when asked for by name only."""

    LOW = "low"
    HIGH = "high"
    NONE = "none"


class Comparison(StrEnum):
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="

    def holds(self, left: Fraction, right: Fraction) -> bool:
        match self:
            case Comparison.BELOW:
                return left < right
            case Comparison.AT_MOST:
                return left <= right
            case Comparison.ABOVE:
                return left > right
            case Comparison.AT_LEAST:
                return left >= right

    @property
    def opposite(self) -> Comparison:
        """The comparison that holds exactly where this one does not."""
        return _OPPOSITE[self]

    @property
    def words(self) -> str:
        return _WORDS[self]


_OPPOSITE = {
    Comparison.BELOW: Comparison.AT_LEAST,
    Comparison.AT_MOST: Comparison.ABOVE,
    Comparison.ABOVE: Comparison.AT_MOST,
    Comparison.AT_LEAST: Comparison.BELOW,
}
_WORDS = {
    Comparison.BELOW: "below",
    Comparison.AT_MOST: "at most",
    Comparison.ABOVE: "above",
    Comparison.AT_LEAST: "at least",
}


class Basis(StrEnum):
    """What the number of a bound is measured by. A decrease is counted positive: 25 is a fall by 25."""

    ABSOLUTE = "absolute"
    X_ULN = "xULN"
    X_LLN = "xLLN"
    X_BASELINE = "xbaseline"
    ABOVE_ULN = "above_ULN"
    BELOW_LLN = "below_LLN"
    INCREASE = "increase"
    DECREASE = "decrease"
    PCT_INCREASE = "pct_increase"
    PCT_DECREASE = "pct_decrease"

    @property
    def of_uln(self) -> bool:
        return self in (Basis.X_ULN, Basis.ABOVE_ULN)

    @property
    def of_lln(self) -> bool:
        return self in (Basis.X_LLN, Basis.BELOW_LLN)

    @property
    def of_baseline(self) -> bool:
        return self in (Basis.X_BASELINE, Basis.INCREASE, Basis.DECREASE, Basis.PCT_INCREASE, Basis.PCT_DECREASE)

    @property
    def has_unit(self) -> bool:
        """Whether its number has the unit of the value, so that the unit decides."""
        return self in (Basis.ABSOLUTE, Basis.ABOVE_ULN, Basis.BELOW_LLN, Basis.INCREASE, Basis.DECREASE)


class Baseline(StrEnum):
    """For which baselines a band is. A low baseline is no "abnormal" one of an "increased" term, and the reverse."""

    ANY = "any"
    NOT_ABOVE_ULN = "not_above_ULN"
    ABOVE_ULN = "above_ULN"
    ABOVE_ULN_TO_5X = "above_ULN_to_5x"
    ABOVE_5X_ULN = "above_5x_ULN"
    NOT_BELOW_LLN = "not_below_LLN"
    BELOW_LLN = "below_LLN"

    @property
    def of_uln(self) -> bool:
        return self.value.endswith("ULN") or self is Baseline.ABOVE_ULN_TO_5X

    @property
    def of_lln(self) -> bool:
        return self.value.endswith("LLN")


class Condition(StrEnum):
    """What a band may need besides the number, yes or no. A closed list."""

    ADULT = "adult"
    ANTICOAGULATED = "anticoagulated"
    AT_REST = "at_rest"
    EVIDENCE_OF_HAEMOLYSIS = "evidence_of_haemolysis"
    FASTING = "fasting"
    FEBRILE = "febrile"
    HYPOXIA = "hypoxia"
    INFARCTION_LEVEL = "infarction_level"
    INTERVENTION = "intervention"
    LABORATORY_TUMOUR_LYSIS = "laboratory_tumour_lysis"
    MODERATE_SYMPTOMS = "moderate_symptoms"
    NEW = "new"
    NO_BASELINE_EXISTS = "no_baseline_exists"
    OVER_1_HOUR = "over_1_hour"
    OVER_24_HOURS = "over_24_hours"
    PHYSIOLOGIC_CONSEQUENCES = "physiologic_consequences"
    PREVIOUSLY_NORMAL = "previously_normal"
    PULMONARY_SYMPTOMS = "pulmonary_symptoms"
    STRAIN_OR_BIOMARKERS_WORSE = "strain_or_biomarkers_worse"
    SYMPTOMATIC = "symptomatic"

    @property
    def question(self) -> str:
        """What is asked when it is not known."""
        return _QUESTIONS[self]


_QUESTIONS = {
    Condition.ADULT: "whether the subject is an adult",
    Condition.ANTICOAGULATED: "whether the subject is on anticoagulation",
    Condition.AT_REST: "whether it was measured at rest",
    Condition.EVIDENCE_OF_HAEMOLYSIS: "whether there is evidence of haemolysis",
    Condition.FASTING: "whether the subject had fasted",
    Condition.FEBRILE: "whether there was fever above 38.3 Cel once, or of 38.0 Cel for more than an hour",
    Condition.HYPOXIA: "whether the oxygen is for hypoxia of the syndrome",
    Condition.INFARCTION_LEVEL: "whether it reaches the manufacturer's level of myocardial infarction",
    Condition.INTERVENTION: "whether an intervention was started",
    Condition.LABORATORY_TUMOUR_LYSIS: "whether there is laboratory tumour lysis",
    Condition.MODERATE_SYMPTOMS: "whether there are moderate or severe symptoms",
    Condition.NEW: "whether the finding is new",
    Condition.NO_BASELINE_EXISTS: "whether a baseline exists",
    Condition.OVER_1_HOUR: "whether it lasted more than 1 hour",
    Condition.OVER_24_HOURS: "whether it lasted more than 24 hours",
    Condition.PHYSIOLOGIC_CONSEQUENCES: "whether there are physiologic consequences",
    Condition.PREVIOUSLY_NORMAL: "whether it was normal before",
    Condition.PULMONARY_SYMPTOMS: "whether there are pulmonary symptoms",
    Condition.STRAIN_OR_BIOMARKERS_WORSE: "whether strain or cardiac biomarkers have newly worsened",
    Condition.SYMPTOMATIC: "whether there are symptoms",
}

IMPLIES = ((Condition.MODERATE_SYMPTOMS, Condition.SYMPTOMATIC),)
"""Where the first holds, the second does."""

OUT_OF_SCOPE = {
    (Condition.ADULT, Known.NO): "the bounds are for adults",
    (Condition.FASTING, Known.NO): "the bounds are for a fasting value",
    (Condition.INTERVENTION, Known.YES): "the grade is for a finding without intervention",
}
"""What takes a value out of a criterion. Its grade is then not 0: the criterion does not speak of it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One comparison: the value, or its change, against a number on a basis."""

    comparison: Comparison
    number: Fraction
    basis: Basis

    def meets(self, other: Bound | None) -> bool:
        """Whether one ends exactly where the other begins."""
        return other == Bound(self.comparison.opposite, self.number, self.basis)


@dataclass(frozen=True, slots=True)
class Band:
    """One row of the criteria: the grade holds where every bound and every need does.

    `unit` is UCUM; None where no bound has a unit. `also` is a third bound, on another basis than the two.
    `is_reading`: the row rests on a reading of the text, written down in `tocsin.criteria.readings`.
    """

    analyte: str
    unit: str | None
    grade: int
    lower: Bound | None
    upper: Bound | None
    also: Bound | None = None
    baseline: Baseline = Baseline.ANY
    needs: tuple[tuple[Condition, Known], ...] = ()
    is_reading: bool = False

    @property
    def bounds(self) -> tuple[Bound, ...]:
        return tuple(bound for bound in (self.lower, self.upper, self.also) if bound is not None)


@dataclass(frozen=True, slots=True)
class Analyte:
    """One quantity, and every unit that it may come in.

    `factors`: UCUM unit to what one of it is in `unit`; None where it can be judged in itself but not converted.
    `judged_as`: the analyte that the criteria judge instead (total calcium: calcium corrected for albumin).
    """

    id: str
    name: str
    unit: str
    factors: Mapping[str, Fraction | None] = field(compare=False)
    tests: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()
    judged_as: str | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One term of one edition. No bands: its grades are described without a number."""

    edition: str
    term: str
    code: str
    direction: Direction
    bands: tuple[Band, ...]
    analytes: Mapping[str, Analyte] = field(compare=False)


@dataclass(frozen=True, slots=True)
class LabCriteria:
    """Every criterion of one edition that has to do with numbers."""

    edition: str
    criteria: tuple[Criterion, ...]
    analytes: Mapping[str, Analyte] = field(compare=False)

    def of(self, term: str) -> Criterion:
        """The criterion of a term, by its name or its code. KeyError where this edition has none."""
        for criterion in self.criteria:
            if term in (criterion.term, criterion.code):
                return criterion
        raise KeyError(f"{term} has no numbers in CTCAE v{self.edition}")

    def main(self, analyte: str, direction: Direction) -> Criterion | None:
        """The main term of an analyte in one direction."""
        for criterion in self.criteria:
            if criterion.direction is direction and analyte in criterion.analytes:
                return criterion
        return None
