"""docs/settings.md, made from the settings themselves: `python -m tocsin.settings_page`."""

from __future__ import annotations

from pydantic import SecretStr

from tocsin.settings import SECRETS, Settings, variable_of


def page() -> str:
    """docs/settings.md, made from the settings themselves."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = f"`{default}`" if default not in (None, "", [], SecretStr("")) else "(empty)"
        variable = f"`{variable_of(name)}`" + (f" or `{variable_of(name)}_FILE`" if name in SECRETS else "")
        text = (field.description or "").replace("|", "/")
        rows.append(f"| {variable} | {shown} | {text} |")
    return _PAGE.format(rows="\n".join(rows))


_PAGE = """# Settings

Settings are read from the environment. A secret may stand in a file instead: `TOCSIN_SIGNING_KEY_FILE` names the file
that holds `TOCSIN_SIGNING_KEY`. A wrong value is refused at start with the variable, its value (never a secret) and
what is allowed. `tocsin doctor` checks them all. This page is made from `shared/tocsin/settings.py`, and a test
compares the two.

| variable | default | what it does |
| --- | --- | --- |
{rows}

What a sponsor decides about a trial is not here but in its study file: see [the clocks](clocks.md).

`tocsin up` takes `--data`, `--host`, `--port` and `--study` too; an option is stronger than a variable.
"""


if __name__ == "__main__":
    print(page(), end="")
