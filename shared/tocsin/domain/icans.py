"""ICANS by the consensus of 2019 (Lee 2019; rules.md 3.3 and 3.4): the worst of five axes.

The facts are those that no other cause explains. A haemorrhage in the skull is no oedema here; tremor and myoclonus
are graded by CTCAE alone. A sixth-nerve palsy counts as the severe form of oedema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tocsin.domain.axes import Axis, bounds, death, missing, told
from tocsin.domain.graded import ASTCT, Graded
from tocsin.domain.ice import Ice
from tocsin.domain.known import Known
from tocsin.domain.words import Scale

TERM: Final = "Immune effector cell-associated neurotoxicity syndrome"
CODE: Final = "10083347"


class Consciousness(StrEnum):
    """What it takes to wake the subject."""

    NORMAL = "normal"
    SPONTANEOUS = "spontaneous"
    VOICE = "voice"
    TACTILE = "tactile"
    UNAROUSABLE = "vigorous_or_unarousable"


class Seizure(StrEnum):
    """The worst course of a seizure."""

    NONE = "none"
    BRIEF = "brief_resolves"
    PROLONGED = "prolonged_or_status"


class Oedema(StrEnum):
    """Swelling of the brain, or the signs of raised pressure that stand for it."""

    NONE = "none"
    FOCAL = "focal"
    DIFFUSE = "diffuse_or_posturing"


_LEVELS: Final = {
    Consciousness.NORMAL: (0, "normal consciousness"),
    Consciousness.SPONTANEOUS: (1, "awakens spontaneously"),
    Consciousness.VOICE: (2, "awakens to voice"),
    Consciousness.TACTILE: (3, "awakens only to touch"),
    Consciousness.UNAROUSABLE: (4, "cannot be woken, or only by vigorous or repeated touch"),
}
_SEIZURES: Final = {
    Seizure.NONE: (0, "no seizure"),
    Seizure.BRIEF: (3, "a seizure that resolved"),
    Seizure.PROLONGED: (4, "a seizure of more than five minutes, or repeated without recovery between"),
}
_OEDEMAS: Final = {
    Oedema.NONE: (0, "no cerebral oedema"),
    Oedema.FOCAL: (3, "focal oedema on imaging"),
    Oedema.DIFFUSE: (4, "diffuse oedema, or a sign of raised pressure such as posturing or a sixth-nerve palsy"),
}


@dataclass(frozen=True, slots=True)
class IcansFacts:
    """What ICANS is graded by, at one moment. `motor` is deep focal weakness: hemiparesis or paraparesis."""

    ice: Ice | None = None
    consciousness: Consciousness | None = None
    seizure: Seizure | None = None
    motor: Known = Known.UNKNOWN
    oedema: Oedema | None = None
    died_of_it: Known = Known.NO


def icans(facts: IcansFacts) -> Graded:
    """The consensus grade of ICANS: that of the worst axis. An axis that is not known could be the worst."""
    axes = (
        _ice(facts),
        _of("consciousness", facts.consciousness, _LEVELS),
        _of("seizure", facts.seizure, _SEIZURES),
        _motor(facts.motor),
        _of("cerebral oedema", facts.oedema, _OEDEMAS),
        *death(facts.died_of_it),
    )
    return Graded(Scale.ASTCT, ASTCT, TERM, CODE, *bounds(axes), told(axes), missing(axes))


def _ice(facts: IcansFacts) -> Axis:
    """Grade 4 is for those who cannot be tested because they cannot be woken; a waking subject with 0 is grade 3."""
    name = "ICE score"
    level, ice = facts.consciousness, facts.ice
    if level is Consciousness.UNAROUSABLE:
        return Axis(name, 4, 4, "the test cannot be done, as the subject cannot be woken")
    worst = 4 if level is None else 3
    if ice is None:
        return Axis(name, 0, worst, "the ICE score is not known", ("ICE score",))
    least, most = ice.bounds()
    because = f"ICE {least}" if least == most else f"ICE {least} to {most}"
    if ice.contradicts():
        because += ", as the total and its items contradict each other"
    asked = ice.missing()
    if least > 0:
        return Axis(name, _by_score(most), _by_score(least), because, asked)
    if level is None:
        because, asked = f"{because}, and whether the subject was awake is not known", (*asked, "consciousness")
    elif most == 0:
        because += ", awake"
    return Axis(name, _by_score(most), worst, because, asked)


def _by_score(score: int) -> int:
    if score >= 10:
        return 0
    if score >= 7:
        return 1
    return 2 if score >= 3 else 3


def _of(name: str, found: StrEnum | None, grades: Mapping[Any, tuple[int, str]]) -> Axis:
    if found is None:
        return Axis(name, 0, 4, f"{name} is not known", (name,))
    grade, because = grades[found]
    return Axis(name, grade, grade, because)


def _motor(weakness: Known) -> Axis:
    name = "motor weakness"
    if weakness is Known.UNKNOWN:
        return Axis(name, 0, 4, f"{name} is not known", (name,))
    if weakness is Known.YES:
        return Axis(name, 4, 4, "deep focal weakness, such as hemiparesis or paraparesis")
    return Axis(name, 0, 0, "no deep focal weakness")
