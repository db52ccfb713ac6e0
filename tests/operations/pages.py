"""The pages and rules of operations, as tests read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from tests.docs.pages import ROOT, anchors

RULES = ROOT / "deploy" / "prometheus" / "tocsin.rules.yml"
RUNBOOK = ROOT / "docs" / "runbook.md"
OPERATIONS = ROOT / "docs" / "operations.md"
METRIC = re.compile(r"\btocsin_[a-z_]+\b")


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule: its name, its expression, its severity and its annotations."""

    name: str
    expr: str
    severity: str
    annotations: dict[str, str]

    @property
    def section(self) -> str:
        """The anchor in the runbook."""
        return self.annotations["runbook_url"].partition("#")[2]


def rules() -> list[Rule]:
    document: dict[str, Any] = yaml.safe_load(RULES.read_text("utf-8"))
    return [
        Rule(one["alert"], str(one["expr"]), one["labels"]["severity"], one["annotations"])
        for group in document["groups"]
        for one in group["rules"]
    ]


def sections() -> set[str]:
    """The anchors of the runbook."""
    return set(anchors(RUNBOOK))


def table(page: Any, first: str) -> list[list[str]]:
    """The rows of the table whose first heading is this, cell by cell."""
    lines = page.read_text("utf-8").splitlines()
    [start] = [n for n, line in enumerate(lines) if line.startswith(f"| {first} |")]
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in line.strip().strip("|").split(" | ")])
    return rows
