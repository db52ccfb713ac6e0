"""docs/settings.md says what the settings are."""

from __future__ import annotations

import re

from tests.architecture.imports import ROOT
from tocsin.settings import PREFIX, Settings, variable_of
from tocsin.settings_page import page

PAGE = ROOT / "docs" / "settings.md"


def test_the_page_is_what_the_settings_give() -> None:
    made_by = "shared/tocsin/settings.py has changed: python -m tocsin.settings_page > docs/settings.md"
    assert PAGE.read_text(encoding="utf-8") == page(), made_by


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_no_code_reads_a_setting_around_the_settings() -> None:
    known = {variable_of(name) for name in Settings.model_fields}
    for path in sorted([*(ROOT / "services").rglob("*.py"), *(ROOT / "shared" / "tocsin").rglob("*.py")]):
        if path.name in ("settings.py", "cautions.py", "settings_page.py"):
            continue
        text = path.read_text(encoding="utf-8")
        if re.search(r"\bos\.(environ|getenv)\b", text):
            assert not known & set(re.findall(rf"{PREFIX}[A-Z_]+", text)), path
