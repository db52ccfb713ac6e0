"""A syndrome on every scale at once: the grades stand side by side, and a sentence says where they differ and why.

They are never merged. Which of them counts is the study's to say (readings.md, DLT 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tocsin.domain import crs, crs_ctcae
from tocsin.domain.axes import Axis
from tocsin.domain.crs import CrsFacts, crs_astct
from tocsin.domain.crs_ctcae import Edition
from tocsin.domain.graded import Graded, Grading, NotGradable
from tocsin.domain.icans import Consciousness, IcansFacts, Seizure, icans
from tocsin.domain.known import Known
from tocsin.domain.words import Scale


@dataclass(frozen=True, slots=True)
class Component:
    """A CTCAE v5.0 term that is graded beside a syndrome which CTCAE v5.0 has no term for."""

    term: str
    code: str


ENCEPHALOPATHY: Final = Component("Encephalopathy", "10014625")
SEIZURE: Final = Component("Seizure", "10039906")
DEPRESSED_CONSCIOUSNESS: Final = Component("Depressed level of consciousness", "10012373")


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The grades of one moment, the consensus scale first. `differ` says where and why; empty where they agree.

    `components` are to be graded by CTCAE beside them.
    """

    grades: tuple[Grading, ...]
    differ: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


def every_scale(facts: CrsFacts | IcansFacts, *, ctcae: tuple[Edition, ...] = ("5.0",)) -> SideBySide:
    """Every scale that has a table for this syndrome."""
    if isinstance(facts, IcansFacts):
        return SideBySide((icans(facts),), (), _components(facts))
    consensus = crs_astct(facts)
    others = tuple(crs_ctcae.crs_ctcae(facts, edition) for edition in ctcae)
    return SideBySide(
        (consensus, *others), tuple(said for other in others if (said := _differ(facts, consensus, other)))
    )


def name(grading: Grading) -> str:
    """The scale as people say it."""
    return f"CTCAE v{grading.edition}" if grading.scale is Scale.CTCAE else f"{grading.scale.upper()} {grading.edition}"


def said(grading: Grading) -> str:
    """The grade as people say it."""
    if isinstance(grading, NotGradable):
        return "not gradable"
    return f"grade {grading.lowest}" + ("" if grading.grade is not None else f" to {grading.highest}")


def _differ(facts: CrsFacts, consensus: Grading, other: Graded) -> str:
    if isinstance(consensus, Graded) and (consensus.lowest, consensus.highest) == (other.lowest, other.highest):
        return ""
    grades = f"{name(consensus)} says {said(consensus)}, {name(other)} {said(other)}"
    return f"{grades}: {'; '.join(_why(facts, consensus, other.edition))}."


def _why(facts: CrsFacts, consensus: Grading, edition: str) -> list[str]:
    ctcae: Edition = "6.0" if edition == "6.0" else "5.0"
    why = []
    is_without = facts.fever is Known.NO and crs.fever_is_not_needed(facts) is Known.NO
    if is_without or isinstance(consensus, NotGradable):
        why.append("ASTCT needs a fever or what may have hidden one, CTCAE does not")
    pressors = crs.hypotension(facts), crs_ctcae.hypotension(facts)
    if _range(pressors[0]) != _range(pressors[1]):
        why.append("CTCAE counts vasopressin as a pressor and ends grade 3 at one pressor, ASTCT does not count it")
    oxygen = crs.hypoxia(facts), crs_ctcae.hypoxia(facts, ctcae)
    if _range(oxygen[0]) != _range(oxygen[1]):
        why.append("ASTCT goes by the oxygen device, CTCAE v5.0 by a concentration of 40 %")
    return why


def _range(axis: Axis) -> tuple[int, int]:
    return axis.lowest, axis.highest


def _components(facts: IcansFacts) -> tuple[Component, ...]:
    """Encephalopathy always; the others unless it is known that they are not there."""
    named = [ENCEPHALOPATHY]
    if facts.seizure is not Seizure.NONE:
        named.append(SEIZURE)
    if facts.consciousness is not Consciousness.NORMAL:
        named.append(DEPRESSED_CONSCIOUSNESS)
    return tuple(named)
