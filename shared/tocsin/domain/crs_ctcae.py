"""CRS by CTCAE, v5.0 and v6.0 (rules.md 3.1): fluids or one pressor, and how much oxygen.

CTCAE asks for no fever from grade 2 on and has no carve-out for vasopressin. v5.0 goes by the concentration of oxygen
(40 %), v6.0 by the device. Grade 4 is a sentence, not a sign; the readings of it made here are each at their place. A
threat to life that none of these facts shows is the site's to state.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from tocsin.domain import crs
from tocsin.domain.axes import Axis, bounds, death, missing, told
from tocsin.domain.crs import ROOM_AIR_PERCENT, CrsFacts, Device
from tocsin.domain.graded import Graded
from tocsin.domain.known import Known
from tocsin.domain.words import Scale

Edition = Literal["5.0", "6.0"]

FIO2_BOUND_PERCENT: Final = 40
PERCENT_PER_LITRE: Final = 4
"""The usual estimate: each litre per minute by cannula adds 4 % to room air."""

_SURE_LITRES: Final = 4

# What each device can give: below 40 %, 40 % or more, or either. A reservoir mask is made to give well above.
_BY_CONCENTRATION: Final = {
    Device.LOW_FLOW_NC: (2, 3),
    Device.BLOW_BY: (2, 3),
    Device.HIGH_FLOW_NC: (2, 3),
    Device.FACEMASK: (2, 3),
    Device.NONREBREATHER: (3, 3),
    Device.VENTURI: (2, 3),
    Device.CPAP: (2, 3),
    Device.BIPAP: (2, 3),
}
_POSITIVE_PRESSURE: Final = {Device.CPAP, Device.BIPAP}


def crs_ctcae(facts: CrsFacts, edition: Edition = "5.0") -> Graded:
    """The grade of CRS by CTCAE, from the same facts as the consensus grade."""
    axes = (crs.fever(facts), hypotension(facts), hypoxia(facts, edition), *death(facts.died_of_it))
    return Graded(Scale.CTCAE, edition, crs.TERM, crs.CODE, *bounds(axes), told(axes), missing(axes))


def hypotension(facts: CrsFacts) -> Axis:
    """By pressors, vasopressin being one. Grade 3 ends at one pressor, so that two can only be grade 4 (a choice)."""
    least, most, because, asked = crs.without_pressors(facts)
    certain = (facts.pressors or 0) + (facts.vasopressin is Known.YES)
    possible = (2 if facts.pressors is None else facts.pressors) + (facts.vasopressin is not Known.NO)
    if certain:
        because = "one pressor" if certain == 1 else f"{certain} pressors, where grade 3 ends at one"
        because += ", vasopressin being one" if facts.vasopressin is Known.YES else ""
        least, asked = _by_pressors(certain), ()
    if possible > certain and certain < 2:
        because += "; not all that was given is known"
        asked = (*asked, *(("vasopressin",) if facts.vasopressin is Known.UNKNOWN else ()))
        asked = (*asked, *(("number of vasopressors",) if facts.pressors is None else ()))
    return Axis("hypotension", least, _by_pressors(possible) if possible else most, because, asked)


def hypoxia(facts: CrsFacts, edition: Edition) -> Axis:
    """v5.0 by the concentration of oxygen, v6.0 by the device."""
    return crs.hypoxia(facts) if edition == "6.0" else _by_fio2(facts)


def _by_pressors(count: int) -> int:
    return 3 if count == 1 else 4


def _by_fio2(facts: CrsFacts) -> Axis:
    """The concentration as stated, else what is certain of the device. Ventilation by tube is grade 4 (a choice)."""
    name = "hypoxia"
    asked: tuple[str, ...] = ("oxygen concentration",)
    stated = facts.fio2_percent
    if facts.device is None:
        if stated is None or stated <= ROOM_AIR_PERCENT:
            return Axis(name, 0, 4, "how oxygen is given is not known", ("oxygen device",))
        return Axis(name, _of(stated), 4, f"{stated:f} % oxygen by a device not known", ("oxygen device",))
    if facts.device in (Device.NONE, Device.INTUBATED):
        return crs.hypoxia(facts)
    because = crs.NAMES[facts.device]
    least, most = _BY_CONCENTRATION[facts.device]
    if stated is not None:
        because, asked = f"{because}, {stated:f} %", ()
        least = most = _of(stated)
    elif facts.device is Device.LOW_FLOW_NC and facts.flow_l_per_min is not None:
        flow = facts.flow_l_per_min
        because = f"{because} at {flow:f} L/min, estimated as {_estimate(flow):f} % (4 % for each litre)"
        if flow <= _SURE_LITRES:
            least, most, asked = 2, 2, ()
    if least != most:
        because += "; whether it gives 40 % is not known"
    if facts.device in _POSITIVE_PRESSURE:
        # Positive pressure by mask may be urgent or not: CTCAE says neither, so a physician does.
        because += "; whether the positive pressure was urgent is a physician's judgement"
        return Axis(name, least, 4, because, (*asked, "whether the positive pressure was urgent"))
    return Axis(name, least, most, because, asked)


def _of(fio2_percent: Decimal) -> int:
    return 2 if fio2_percent < FIO2_BOUND_PERCENT else 3


def _estimate(flow_l_per_min: Decimal) -> Decimal:
    return ROOM_AIR_PERCENT - 1 + PERCENT_PER_LITRE * flow_l_per_min
