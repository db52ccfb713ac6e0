"""docs/dlt.md says what the default set and the form of a study file say, and its examples work."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from pathlib import Path

from tests.docs.pages import ROOT, blocks
from tocsin.departures import departures
from tocsin.domain.dlt import DltRule, Ground, Need, State
from tocsin.studies import read
from tocsin.study_shape import DltRulePart, ExclusionPart

PAGE = ROOT / "docs" / "dlt.md"
STUDY = ROOT / "deploy" / "protocols" / "nct06223646.toml"


def test_every_state_key_need_and_ground_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    keys = [*DltRulePart.model_fields, *ExclusionPart.model_fields]
    assert [name for name in [*State, *keys, *Need, *Ground] if f"`{name}`" not in text] == []


def test_every_rule_and_exclusion_of_the_default_set_has_its_row() -> None:
    rows = [line.split("|")[1].strip() for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    found = read(STUDY).dlt
    assert found is not None
    ids = [*(rule.id for rule in found.rules), *(row.id for row in found.exclusions)]
    assert [row for row in rows if row.startswith(("DLT-", "EX-"))] == ids


def test_the_examples_of_the_page_are_a_definition_that_loads(tmp_path: Path) -> None:
    examples = [block.text for block in blocks(PAGE) if block.language == "toml"]
    assert len(examples) == 2
    head = STUDY.read_text("utf-8").split("[dlt]")[0]
    path = tmp_path / "study.toml"
    path.write_text(
        f'{head}[dlt]\nid = "own"\nstatus = "SPONSOR_APPROVED"\nwindow_days = 28\n' + "\n".join(examples), "utf-8"
    )
    study = read(path)
    assert study.dlt is not None
    [rule] = study.dlt.rules
    assert [row.id for row in study.dlt.admitted(rule)] == ["X-01", "X-02"]
    assert departures(study) == ()


def test_every_key_of_a_rule_has_the_default_of_the_rule_itself() -> None:
    default = {field.name: field.default for field in fields(DltRule)}
    for name in ("by_day", "late_days", "needs_relation", "leaves_others", "about", "graded_by"):
        assert DltRulePart.model_fields[name].default == default[name]
    for name in ("platelets_below", "transaminases_above", "bilirubin_above"):
        assert Decimal(DltRulePart.model_fields[name].default) == default[name]
