"""The regulatory clocks as versioned data: one TOML file a profile, and what a sponsor lays over them.

What a rule means is in `tocsin.domain.clocks`; which profiles a study runs is in the study's own file. The page for a
sponsor, docs/clocks.md, is made from this data (`python -m tocsin.clockrules.page`).
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from tocsin.clockrules import rule_file
from tocsin.domain.clocks import ClockRule
from tocsin.errors import ProtocolError


@cache
def profiles() -> tuple[str, ...]:
    """The profiles that come with Tocsin. A study may name them, and those of its sponsor's own files."""
    names = (f.name for f in resources.files(__package__).iterdir() if f.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml").upper() for name in names))


@cache
def rules_of(profile: str) -> tuple[ClockRule, ...]:
    """Our rules of one profile; ProtocolError names the file and the place that is wrong."""
    if profile not in profiles():
        raise ProtocolError(f"clock profile {profile!r} is not known; allowed are {', '.join(profiles())}")
    file = f"{profile.lower()}.toml"
    text = resources.files(__package__).joinpath(file).read_text("utf-8")
    found = read(text, file)
    if found[0].jurisdiction != profile:
        raise ProtocolError(
            f"{file}: profile is {found[0].jurisdiction!r}; allowed is {profile!r}, as the file is named"
        )
    return found


def read(text: str, file: str) -> tuple[ClockRule, ...]:
    """The rules of a file that stands for itself; `file` is only for the errors."""
    found = rule_file.read(text, file)
    if wrong := [f"{found.place(rule)}: {why}" for rule, why in rule_file.wrongly_followed(found.rules)]:
        raise ProtocolError("\n".join(wrong))
    return found.rules
