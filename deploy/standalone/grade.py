"""`tocsin grade`: grades from facts, a file at a time. Each kind of facts has its own file."""

from __future__ import annotations

import typer

from standalone.grade_labs import grade_labs
from standalone.grade_syndromes import grade_syndromes

grade = typer.Typer(help="Grades from facts, without a server.", no_args_is_help=True)


@grade.callback()
def _grade() -> None:
    """Grades from facts, without a server."""


grade.command("labs")(grade_labs)
grade.command("syndromes")(grade_syndromes)
