"""What benchmarks send: invented reports, doses and values of many subjects, the same for the same number and seed.

Every body is one that the intake accepts whole. The words are the verbatims of `bench/coding_sets`; subjects, dates and
people are invented. A study for it is a shipped one with room for more subjects.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
SETS: Final = Path(__file__).parent / "coding_sets"
SHIPPED: Final = ROOT / "deploy" / "protocols" / "nct06223646.toml"
SEED: Final = 20_261
_NARROW: Final = r"(?P<site>S\d{2})-\d{3}"

_SERIOUS: Final = (
    (["hospitalisation"], "not_recovered", 3), (["life_threatening"], "recovering", 4), (["death"], "fatal", 5),
    (["medically_important"], "recovered", 3), (["hospitalisation", "life_threatening"], "not_recovered", 4),
)  # fmt: skip
_MILD: Final = ("recovered", "recovering", "not_recovered", "unknown")
_LABS: Final = (
    ("Neutrophils", "10*9/L", 0.1, 6.0, 1.8, 6.3), ("Platelets", "10*9/L", 5, 300, 125, 350),
    ("Hemoglobin", "g/L", 60, 150, 115, 150), ("Alanine Aminotransferase", "U/L", 8, 400, 9, 50),
)  # fmt: skip


def study_file(folder: Path, study: str) -> Path:
    """A study file of its own for `study`: the shipped one, with subjects of three to seven digits."""
    text = SHIPPED.read_text("utf-8")
    assert text.count(_NARROW) == 1, SHIPPED
    path = folder / f"{study.lower()}.toml"
    path.write_text(text.replace(_NARROW, r"(?P<site>S\d{2})-\d{3,7}").replace("NCT06223646", study), "utf-8")
    return path


@cache
def verbatims() -> tuple[str, ...]:
    """The words of the coder's sets, in the order of a hash of none of them: mixed, and always the same."""
    found = []
    for path in sorted(SETS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            found += [cells["verbatim"] for cells in csv.DictReader(lines)]
    random.Random(SEED).shuffle(found)  # noqa: S311
    return tuple(found)


def subject(number: int, site: str = "S01") -> str:
    return f"{site}-{number:06d}"


def report(number: int, of: str) -> dict[str, Any]:
    """Report `number`, of subject `of`: one to three events, one in four of them serious; nothing of it is missing."""
    chance = random.Random(SEED + number)  # noqa: S311
    words = verbatims()
    onset = f"2026-{chance.randint(1, 5):02d}-{chance.randint(1, 28):02d}"
    events = []
    for place in range(1, chance.choice((1, 1, 1, 2, 3)) + 1):
        is_serious = chance.random() < 0.25
        criteria, outcome, grade = chance.choice(_SERIOUS) if is_serious else ([], chance.choice(_MILD), 1)
        events.append(
            {
                "ref": f"AE-{number}-{place}", "verbatim": words[(number * 7 + place) % len(words)], "onset": onset,
                "serious": is_serious, "seriousness": criteria, "outcome": outcome,
                "grade": {"ctcae": grade if is_serious else chance.choice((1, 2))},
                "causality": [
                    {"agent": "product", "party": "investigator",
                     "relation": chance.choice(("related", "not_related", "possible"))},
                ],
                "investigator_aware_at": f"{onset}T22:10+08:00",
            }
        )  # fmt: skip
    return {
        "subject": of,
        "product": "KQ-2003",
        "reporter": {"name": f"Dr Example {number % 40}", "role": "investigator"},
        "events": events,
        "narrative": " ".join(words[(number * 13 + n) % len(words)] for n in range(12)),
    }


def reports(count: int, first: int = 1) -> Iterator[dict[str, Any]]:
    """Reports one after the other, each of another subject."""
    return (report(number, subject(number)) for number in range(first, first + count))


def fatal(number: int) -> dict[str, Any]:
    """A death, of another subject for each number: it rings at once."""
    made = report(number, subject(number))
    first = {
        **made["events"][0], "serious": True, "seriousness": ["death"], "outcome": "fatal", "grade": {"ctcae": 5},
    }  # fmt: skip
    return {**made, "events": [first]}


def infusion(number: int, of: str) -> dict[str, Any]:
    chance = random.Random(SEED - number)  # noqa: S311
    return {
        "kind": "infusion", "subject": of, "level": chance.choice(("DL1", "DL2", "DL3")),
        "started_at": f"2025-{chance.randint(9, 12):02d}-{chance.randint(1, 28):02d}T10:05", "planned": 1.0,
        "given": 0.98, "unit": "10^6 cells/kg", "lot": f"LOT-{number:05d}",
    }  # fmt: skip


def observed(number: int, of: str) -> list[dict[str, Any]]:
    """One to four laboratory values of one morning."""
    chance = random.Random(SEED * 3 + number)  # noqa: S311
    at = f"2026-{chance.randint(1, 5):02d}-{chance.randint(1, 28):02d}T06:00"
    return [
        {"kind": "laboratory", "subject": of, "at": at, "ref": f"LB-{number}-{n}", "test": test, "unit": unit,
         "value": round(chance.uniform(low, high), 2), "lln": lln, "uln": uln}
        for n, (test, unit, low, high, lln, uln) in enumerate(_LABS[: chance.randint(1, 4)], 1)
    ]  # fmt: skip
