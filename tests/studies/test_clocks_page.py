"""docs/clocks.md says what the rule files and the form of a study file say, and its examples work."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from tests.docs.pages import ROOT, blocks
from tocsin import clockrules
from tocsin.clockrules.own_rules import with_files
from tocsin.clockrules.page import page
from tocsin.departures import of_rules
from tocsin.domain.clocks import Trigger
from tocsin.domain.protocol import ClockSettings
from tocsin.studies import read
from tocsin.study_shape import ClocksPart

PAGE = ROOT / "docs" / "clocks.md"
KQ2003 = (ROOT / "deploy" / "protocols" / "nct06223646.toml").read_text("utf-8")


def test_the_page_is_what_the_rules_give() -> None:
    made_by = "the rules have changed: python -m tocsin.clockrules.page > docs/clocks.md"
    assert PAGE.read_text("utf-8") == page(), made_by


def test_every_rule_trigger_and_setting_is_on_the_page() -> None:
    text = page()
    rules = [rule for profile in clockrules.profiles() for rule in clockrules.rules_of(profile)]
    for named in [*(rule.id for rule in rules), *Trigger, *(field.name for field in fields(ClockSettings))]:
        assert f"`{named}`" in text
    for rule in rules:
        assert f"- `{rule.id}`, {rule.clause}: {rule.text}." in text


def test_every_setting_of_the_clocks_is_a_key_of_the_study_file_with_the_same_default() -> None:
    default = ClockSettings()
    for field in fields(ClockSettings):
        found = ClocksPart.model_fields[field.name].default
        assert (frozenset(found) if isinstance(found, list) else found) == getattr(default, field.name)


def test_the_rule_file_of_the_page_is_read_and_makes_nothing_later(tmp_path: Path) -> None:
    [example] = [block for block in blocks(PAGE) if block.name == "rules/acme.toml"]
    path = tmp_path / "acme.toml"
    path.write_text(example.text, "utf-8")
    found = with_files([path]).rules["CN"]
    assert [(rule.id, rule.days or rule.hours) for rule in found[-2:]] == [
        ("CN_OTHER_RISK", 7),
        ("CN_HOSPITAL_EC_24H", 24),
    ]
    assert of_rules(found) == ()


def test_the_parts_of_a_study_file_on_the_page_are_read(tmp_path: Path) -> None:
    rsi = KQ2003[KQ2003.index("[rsi]") : KQ2003.index("entries = []") + len("entries = []")]
    parts = {block.text.split("\n")[0]: block.text for block in blocks(PAGE) if block.language == "toml"}
    text = KQ2003.replace(rsi, parts["[[earlier_rsi]]"])
    path = tmp_path / "study.toml"
    path.write_text("\n".join([text, parts["[[copies_to]]"], parts["[follow_up_requests]"]]), "utf-8")
    study = read(path)
    assert [version.version for version in (*study.earlier_rsi, study.rsi)] == ["IB 3.0", "IB 4.0"]
    assert [copy.name for copy in study.copies_to] == ["Dr Gao", "Beijing Municipal Health Commission"]
