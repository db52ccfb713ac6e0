"""The same numbers from R, where R is: its incomplete beta function, and its package BOIN where that is installed."""

from __future__ import annotations

import random
import shutil
import subprocess
from fractions import Fraction
from functools import cache

import pytest

from tocsin.domain.escalation import Boin, probability_above, select_mtd

RSCRIPT = shutil.which("Rscript")
TARGETS = ["0.10", "0.20", "0.25", "0.30", "0.33", "0.40"]


def r(script: str) -> list[list[str]]:
    """The lines that an R script prints, split at commas."""
    assert RSCRIPT is not None
    # By standard input: a script of 300 trials is longer than R takes as an argument.
    command = [RSCRIPT, "/dev/stdin"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=120, check=True)
    return [line.split(",") for line in done.stdout.splitlines()]


@cache
def why_not(package: str | None) -> str | None:
    """Why a comparison cannot be made here; None where it can."""
    if RSCRIPT is None:
        return "R is not installed"
    if package is not None and r(f'cat(requireNamespace("{package}", quietly = TRUE), "\\n")') != [["TRUE "]]:
        return f"R's package {package} is not installed"
    return None


@pytest.mark.rule("rules.md 5.2: elimination")
def test_posteriors_are_those_of_rs_incomplete_beta() -> None:
    if why := why_not(None):
        pytest.skip(why)
    lines = r(
        f"for (t in c({','.join(TARGETS)})) for (n in 1:30) for (y in 0:n)"
        ' cat(sprintf("%.2f,%d,%d,%.12f\\n", t, n, y, 1 - pbeta(t, 1 + y, 1 + n - y)))'
    )
    assert len(lines) == 6 * 495
    for target, n, y, tail in lines:
        assert float(probability_above(Fraction(target), int(n), int(y))) == pytest.approx(float(tail), abs=1e-9)


@pytest.mark.rule("rules.md 5.2: boundaries", "rules.md 5.2: elimination")
def test_bounds_are_those_of_the_package_boin() -> None:
    if why := why_not("BOIN"):
        pytest.skip(why)
    lines = r(
        f"for (t in c({','.join(TARGETS)})) {{"
        " b <- BOIN::get.boundary(target = t, ncohort = 60, cohortsize = 1)$boundary_tab;"
        ' for (n in 1:60) cat(sprintf("%.2f,%s\\n", t, paste(b[, n], collapse = ","))) }'
    )
    assert len(lines) == 6 * 60
    for target, n, escalate, de_escalate, eliminate in lines:
        bounds = Boin.of(target).boundaries(int(n))
        found = bounds.escalate_at_most, bounds.de_escalate_at_least, bounds.eliminate_at_least
        assert found == (int(escalate), int(de_escalate), None if eliminate == "NA" else int(eliminate)), (target, n)


@pytest.mark.rule("rules.md 5.2: final MTD")
def test_the_mtd_is_that_of_the_package_boin() -> None:
    if why := why_not("BOIN"):
        pytest.skip(why)
    chance = random.Random(20260301)  # the same trials each time
    trials = [
        [(n := chance.randint(0, 12), chance.randint(0, n // 2)) for _ in range(chance.randint(2, 6))]
        for _ in range(300)
    ]
    calls = "".join(
        f"cat(BOIN::select.mtd(0.3, c({','.join(str(n) for n, _ in trial)}), "
        f'c({",".join(str(y) for _, y in trial)}), verbose = FALSE)$MTD, "\\n");'
        for trial in trials
    )
    found = [select_mtd(trial, Fraction("0.30"), needs_evaluable=0).mtd for trial in trials]
    assert [None if int(line[0]) == 99 else int(line[0]) for line in r(calls)] == found
