"""What a role is called on a page: "safety physician", "site S01", or a person's own name."""

from __future__ import annotations

from alerting.alarm import PERSON


def role(name: str) -> str:
    """A role of ours, `site:S01`, or `person:lin`, in words."""
    if name.startswith(PERSON):
        return name.removeprefix(PERSON)
    kind, _, which = name.partition(":")
    return f"{kind.replace('_', ' ')} {which}".strip()
