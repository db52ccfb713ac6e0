"""Dose-limiting toxicity: the study's definition, the first look at an event, and the verdicts on a subject."""

from tocsin.domain.dlt.candidate import evaluate
from tocsin.domain.dlt.definition import About, DltDefinition, DltRule, Exclusion, GradedBy, Ground, Need
from tocsin.domain.dlt.verdict import NO_DLT, POTENTIAL_DLT, State, Verdict
from tocsin.domain.dlt.window import window

__all__ = [
    "NO_DLT",
    "POTENTIAL_DLT",
    "About",
    "DltDefinition",
    "DltRule",
    "Exclusion",
    "GradedBy",
    "Ground",
    "Need",
    "State",
    "Verdict",
    "evaluate",
    "window",
]
