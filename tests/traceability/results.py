"""What one run found of each test: how many cases passed, failed or were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.traceability.register import Requirement

# What pytest calls the ends of a test, and what they are here; a failure that was expected is none that passed.
_ENDS = {
    "passed": "passed", "failed": "failed", "error": "failed", "xfailed": "failed", "xpassed": "failed",
    "skipped": "left out",
}  # fmt: skip
VERDICTS = ("passed", "passed in part", "failed", "left out", "not run", "pending")


class Reported(Protocol):
    """What is needed of pytest's report of one case."""

    nodeid: str


@dataclass(frozen=True, slots=True)
class Results:
    """The cases of each test, by node id without parameters, counted by how they ended."""

    cases: Mapping[str, Counter[str]]

    @classmethod
    def of(cls, stats: Mapping[str, Iterable[Reported]]) -> Results:
        """From pytest's own lists. A case that passed and failed in its tear-down has failed."""
        ends: dict[str, str] = {}
        for word, end in _ENDS.items():
            for report in stats.get(word, ()):
                if ends.get(report.nodeid) != "failed":
                    ends[report.nodeid] = end
        cases: dict[str, Counter[str]] = {}
        for nodeid, end in ends.items():
            cases.setdefault(nodeid.partition("[")[0], Counter())[end] += 1
        return cls(cases)

    def said_of(self, test: str) -> str:
        """How one test went, in words."""
        found = self.cases.get(test)
        if not found:
            return "not run"
        if set(found) == {"passed"}:
            return f"passed, {counted(found['passed'], 'case')}"
        of = sum(found.values())
        return ", ".join(f"{found[end]} of {counted(of, 'case')} {end}" for end in ("failed", "left out") if found[end])

    def verdict(self, row: Requirement, tests: Sequence[str]) -> str:
        """What the run says of one requirement: the worst of its tests. *Passed* means every case of every test."""
        found = [self.cases.get(test, Counter()) for test in tests]
        together = sum(found, Counter())
        if not tests:
            return "pending" if row.is_pending else "no test"
        if together["failed"]:
            return "failed"
        if any(not one for one in found):
            return "not run"
        if together["left out"]:
            return "passed in part" if together["passed"] else "left out"
        return "passed"


def counted(number: int, what: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
