"""CRS by the consensus of 2019 (Lee 2019; rules.md 3.2): fever, then the worse of hypotension and hypoxia.

The facts are those that no other cause explains; whether that is so is a physician's judgement. Organ toxicity is
graded by CTCAE beside it and drives nothing here. The other scale is in `crs_ctcae`, both together in `side_by_side`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from tocsin.domain.axes import Axis, any_of, bounds, death, missing, told
from tocsin.domain.graded import ASTCT, Graded, Grading, NotGradable
from tocsin.domain.known import Known
from tocsin.domain.words import Scale

TERM: Final = "Cytokine release syndrome"
CODE: Final = "10052015"

FEVER_FROM_CELSIUS: Final = Decimal("38.0")
HIGH_FLOW_ABOVE_L_PER_MIN: Final = 6
ROOM_AIR_PERCENT: Final = 21


class Device(StrEnum):
    """How oxygen is given."""

    NONE = "none"
    LOW_FLOW_NC = "low_flow_nc"
    BLOW_BY = "blow_by"
    HIGH_FLOW_NC = "high_flow_nc"
    FACEMASK = "facemask"
    NONREBREATHER = "nonrebreather"
    VENTURI = "venturi"
    CPAP = "cpap"
    BIPAP = "bipap"
    INTUBATED = "intubated"


NAMES: Final = {
    Device.NONE: "no oxygen",
    Device.LOW_FLOW_NC: "oxygen by low-flow nasal cannula",
    Device.BLOW_BY: "oxygen by blow-by",
    Device.HIGH_FLOW_NC: "oxygen by high-flow nasal cannula",
    Device.FACEMASK: "oxygen by facemask",
    Device.NONREBREATHER: "oxygen by non-rebreather mask",
    Device.VENTURI: "oxygen by Venturi mask",
    Device.CPAP: "positive pressure by CPAP",
    Device.BIPAP: "positive pressure by BiPAP",
    Device.INTUBATED: "intubation and ventilation",
}

_BY_DEVICE: Final = {
    Device.NONE: 0,
    Device.LOW_FLOW_NC: 2,
    Device.BLOW_BY: 2,
    Device.HIGH_FLOW_NC: 3,
    Device.FACEMASK: 3,
    Device.NONREBREATHER: 3,
    Device.VENTURI: 3,
    Device.CPAP: 4,
    Device.BIPAP: 4,
    Device.INTUBATED: 4,
}


@dataclass(frozen=True, slots=True)
class CrsFacts:
    """What CRS is graded by, at one moment; what is not known stays UNKNOWN or None.

    `fever` is one of now, from 38.0 °C. `anti_cytokine` is a drug against cytokines or a corticosteroid, `antipyretic`
    and it at any time of the episode until now. `pressors` counts vasopressors without vasopressin. Two facts are
    exceptions and have to be stated to count: `airway_only`, an intubation only to protect the airway, and
    `died_of_it`.
    """

    fever: Known = Known.UNKNOWN
    fever_earlier: Known = Known.UNKNOWN
    antipyretic: Known = Known.UNKNOWN
    anti_cytokine: Known = Known.UNKNOWN
    hypotension: Known = Known.UNKNOWN
    pressors: int | None = None
    vasopressin: Known = Known.UNKNOWN
    device: Device | None = None
    flow_l_per_min: Decimal | None = None
    fio2_percent: Decimal | None = None
    airway_only: Known = Known.NO
    died_of_it: Known = Known.NO


def is_fever(celsius: Decimal | None) -> Known:
    """Fever begins at 38.0 °C, and that is one."""
    return Known.of(None if celsius is None else celsius >= FEVER_FROM_CELSIUS)


def fever_is_not_needed(facts: CrsFacts) -> Known:
    """Whether signs count without a fever of now: a drug may hide it, or it came earlier in the episode."""
    return any_of(facts.anti_cytokine, facts.antipyretic, facts.fever_earlier)


def crs_astct(facts: CrsFacts) -> Grading:
    """The consensus grade of CRS.

    Signs without fever are grade 0 only where nothing can have hidden one. Where that is not known they are not
    gradable, and the worst grade is told; where there are no signs either, it makes no difference (readings.md,
    DLT 6).
    """
    signs = (hypotension(facts), hypoxia(facts), *death(facts.died_of_it))
    needless = fever_is_not_needed(facts)
    if facts.fever is Known.YES or needless is Known.YES or facts.died_of_it is Known.YES:
        return _graded((fever(facts), *signs), _why_no_fever(facts))
    if facts.fever is Known.NO and needless is Known.NO:
        none = Axis("fever", 0, 0, "without fever, and with nothing that hid one, it is not CRS")
        return _graded((none, *death(facts.died_of_it)), ())
    _, highest = bounds(signs)
    if highest == 0:
        return _graded((fever(facts), *signs), ())
    return NotGradable(Scale.ASTCT, ASTCT, TERM, CODE, _open(facts, signs))


def fever(facts: CrsFacts) -> Axis:
    """Grade 1 by itself; it adds nothing above that."""
    if facts.fever is Known.UNKNOWN:
        return Axis("fever", 0, 1, "whether there is fever is not known", ("temperature",))
    return Axis("fever", 1, 1, "38.0 °C or more") if facts.fever is Known.YES else Axis("fever", 0, 0, "no fever")


def hypotension(facts: CrsFacts) -> Axis:
    """By vasopressors; vasopressin alone counts as one (a choice of rules.md 3.2), beside others it adds nothing."""
    name = "hypotension"
    if facts.pressors is not None and facts.pressors > 0:
        if facts.pressors > 1:
            return Axis(name, 4, 4, f"{facts.pressors} vasopressors, vasopressin not counted")
        return Axis(name, 3, 3, "one vasopressor" + (", with vasopressin" if facts.vasopressin is Known.YES else ""))
    least, most, because, asked = without_pressors(facts)
    if facts.vasopressin is Known.YES:
        least = most = 3
        because, asked = "vasopressin without another vasopressor", ()
    if facts.vasopressin is Known.UNKNOWN:
        most, asked = 3, (*asked, "vasopressin")
        because += "; whether vasopressin was given is not known"
    if facts.pressors is None:
        most, asked = 4, (*asked, "number of vasopressors")
        because += "; how many vasopressors were given is not known"
    return Axis(name, least, most, because, asked)


def without_pressors(facts: CrsFacts) -> tuple[int, int, str, tuple[str, ...]]:
    """Hypotension that no vasopressor was given for: least, most, because, missing."""
    if facts.hypotension is Known.UNKNOWN:
        return 0, 2, "whether there is hypotension is not known", ("hypotension",)
    is_there = facts.hypotension is Known.YES
    return (2, 2, "hypotension", ()) if is_there else (0, 0, "no hypotension", ())


def hypoxia(facts: CrsFacts) -> Axis:
    """By device. A cannula at more than 6 L/min is high flow whatever it is called; a contradiction is read worse."""
    name = "hypoxia"
    if facts.device is None:
        return Axis(name, 0, 4, "how oxygen is given is not known", ("oxygen device",))
    if facts.device is Device.INTUBATED and facts.airway_only is not Known.NO:
        if facts.airway_only is Known.YES:
            return Axis(name, 0, 0, "intubation only to protect the airway, which is no hypoxia")
        asked = ("whether the intubation was only to protect the airway",)
        return Axis(name, 0, 4, "intubation, perhaps only to protect the airway", asked)
    flow = facts.flow_l_per_min
    if facts.device is Device.NONE and ((flow or 0) > 0 or (facts.fio2_percent or 0) > ROOM_AIR_PERCENT):
        because = "no device is named, yet oxygen is given, which contradict each other"
        return Axis(name, 0, 4, because, ("oxygen device",))
    because = NAMES[facts.device] + (f" at {flow:f} L/min" if flow is not None else "")
    if facts.device is Device.LOW_FLOW_NC and flow is not None and flow > HIGH_FLOW_ABOVE_L_PER_MIN:
        return Axis(name, 3, 3, f"{because}, which is high flow")
    return Axis(name, _BY_DEVICE[facts.device], _BY_DEVICE[facts.device], because)


def _graded(axes: tuple[Axis, ...], before: tuple[str, ...]) -> Graded:
    return Graded(Scale.ASTCT, ASTCT, TERM, CODE, *bounds(axes), (*before, *told(axes)), missing(axes))


def _why_no_fever(facts: CrsFacts) -> tuple[str, ...]:
    if facts.fever is Known.YES or fever_is_not_needed(facts) is not Known.YES:
        return ()
    after = [
        said
        for fact, said in (
            (facts.anti_cytokine, "an anti-cytokine drug or a corticosteroid"),
            (facts.antipyretic, "an antipyretic"),
            (facts.fever_earlier, "an earlier fever of this episode"),
        )
        if fact is Known.YES
    ]
    return (f"Fever of now is not needed after {' and '.join(after)}.",)


def _open(facts: CrsFacts, signs: tuple[Axis, ...]) -> str:
    lowest, highest = bounds(signs)
    if facts.fever is Known.NO:
        doubt = "there is no fever now, and it is not known whether a drug hid it or it came earlier in the episode"
    else:
        doubt = "whether there was fever, now or earlier or hidden by a drug, is not known"
    range_ = f"grade {highest}" if lowest == highest else f"grade {lowest} to grade {highest}"
    worst = "; ".join(f"{axis.name}: {axis.because}" for axis in signs if axis.highest == highest)
    return f"{doubt}; with fever it is {range_}, worst grade {highest} ({worst}); without, no CRS"
