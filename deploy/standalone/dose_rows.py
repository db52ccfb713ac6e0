"""One row of counts in, the decision of a dose design and its reason out, as the cells of a file.

What a design decides is in `tocsin.domain.escalation`; files, printing and exit codes are left to others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tocsin.domain.escalation import Boin, Decision, Impossible, Parameters, Position, three_plus_three

ADDED: Final = ("computed_decision", "reason")
DESIGNS: Final = ("3+3", "boin")

_NUMBER: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_RATE: Final = re.compile(r"0?\.[0-9]{1,6}", re.ASCII)


class Unread(Exception):
    """A row that cannot be read. Says everything that is wrong with it, and what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True)
class Design:
    """A design as a file asks it: the columns that are read, its parameters, and its answer to the cells of a row."""

    name: str
    read: tuple[str, ...]
    parameters: Parameters
    answer: Callable[[Mapping[str, str]], Decision]


def design(name: str, target: str = "0.30") -> Design:
    """The design of a name. Raises Impossible for a target with which it tells nothing apart."""
    if name == "3+3":
        read = ("dose_position", "higher_dose_exceeds_mtd", "n_evaluable", "n_dlt")
        return Design(name, read, three_plus_three.PARAMETERS, _three_plus_three)
    boin = boin_of(target)
    return Design(name, ("n_treated", "n_dlt"), boin.parameters, lambda row: _boin(row, boin))


def boin_of(target: str) -> Boin:
    """The BOIN design of a target in figures, taken as written. Raises Impossible."""
    if not _RATE.fullmatch(target.strip()):
        raise Impossible([f"the target is {target!r}; allowed is a rate such as 0.30"])
    return Boin.of(Fraction(target.strip()))


def cells(decision: Decision) -> tuple[str, str]:
    """A decision as the cells of `ADDED`."""
    return decision.decision, "; ".join((decision.next_action, *decision.reasons))


def _three_plus_three(row: Mapping[str, str]) -> Decision:
    problems: list[str] = []
    position = _one_of(row, "dose_position", {word.value: word.value for word in Position}, problems)
    exceeds = _one_of(row, "higher_dose_exceeds_mtd", {"0": "", "1": "1"}, problems)
    n, dlt = _whole(row, "n_evaluable", problems), _whole(row, "n_dlt", problems)
    if problems or position is None or n is None or dlt is None:
        raise Unread(problems)
    return three_plus_three.decide(position, bool(exceeds), n, dlt)


def _boin(row: Mapping[str, str], boin: Boin) -> Decision:
    problems: list[str] = []
    n, dlt = _whole(row, "n_treated", problems), _whole(row, "n_dlt", problems)
    if problems or n is None or dlt is None:
        raise Unread(problems)
    return boin.decide(n, dlt)


def _whole(row: Mapping[str, str], name: str, problems: list[str]) -> int | None:
    told = row[name].strip()
    if _NUMBER.fullmatch(told):
        return int(told)
    said = f"is {row[name]!r}" if told else "is unknown"
    problems.append(f"{name} {said}; needed is a whole number")
    return None


def _one_of(row: Mapping[str, str], name: str, words: Mapping[str, str], problems: list[str]) -> str | None:
    told = row[name].strip().casefold()
    if told in words:
        return words[told]
    said = f"is {row[name]!r}" if told else "is unknown"
    problems.append(f"{name} {said}; allowed are {', '.join(words)}")
    return None
