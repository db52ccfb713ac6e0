"""A sponsor's own rule files, laid over ours: rules added, replaced, or a whole profile put in place of ours.

The order of the files does not matter. A rule keeps what it is for as long as it keeps its id, since clocks that run
are known by it; whatever else a sponsor changes is allowed, and `tocsin.departures` says aloud what makes it later.
In words a sponsor's rule is told from ours by its own clause and text, which stand in every alert.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin import clockrules
from tocsin.bounded_file import bytes_within
from tocsin.clockrules.rule_file import RuleFile, read, wrongly_followed
from tocsin.domain.clocks import ClockRule
from tocsin.errors import ProtocolError
from tocsin.table_file import FileRefused

LARGEST: Final = 4 << 20
"""Bytes of a rule file."""

SITE = "SITE"
_SITES_CLOCK = "INV_TO_SPONSOR_24H"


@dataclass(frozen=True, slots=True)
class RuleSets:
    """The rules of every profile there is. `changed` has the names of the sponsor's files by the profile they touch."""

    rules: Mapping[str, tuple[ClockRule, ...]]
    changed: Mapping[str, tuple[str, ...]]

    @property
    def own(self) -> tuple[str, ...]:
        """The profiles that only the sponsor's files have."""
        return tuple(profile for profile in self.rules if profile not in clockrules.profiles())


def with_files(paths: Sequence[Path]) -> RuleSets:
    """Our rules with these files over them. ProtocolError has a line for everything that is wrong in any of them."""
    files: list[RuleFile] = []
    wrong: list[str] = []
    for path in paths:
        try:
            files.append(read(bytes_within(path, LARGEST).decode(), str(path)))
        except OSError as error:
            wrong.append(f"{path}: cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            wrong.append(f"{path}: not TOML: {error}")
        except (ProtocolError, FileRefused) as error:
            wrong.append(str(error))
    wrong += [*_twice(files), *_changed_in_kind(files)]
    if wrong:
        raise ProtocolError("\n".join(wrong))
    sets = laid_over(files)
    if wrong := list(_contradictions(sets, files)):
        raise ProtocolError("\n".join(wrong))
    return sets


def laid_over(files: Iterable[RuleFile]) -> RuleSets:
    """Our rules with the sponsor's over them: the same id takes the place of ours, a new one stands after ours."""
    files = tuple(files)
    dropped = {file.profile for file in files if file.replaces_profile}
    rules = {p: {r.id: r for r in clockrules.rules_of(p)} if p not in dropped else {} for p in clockrules.profiles()}
    changed: dict[str, list[str]] = {}
    for file in files:
        rules.setdefault(file.profile, {}).update({rule.id: rule for rule in file.rules})
        changed.setdefault(file.profile, []).append(file.name)
    return RuleSets(
        {profile: tuple(by_id.values()) for profile, by_id in rules.items()},
        {profile: tuple(names) for profile, names in changed.items()},
    )


def _twice(files: Sequence[RuleFile]) -> Iterable[str]:
    first: dict[str, RuleFile] = {}
    for file in files:
        for rule in file.rules:
            other = first.setdefault(rule.id, file)
            if other is not file:
                yield f"{file.place(rule)}: stands in {other.name} too; allowed is each id once"


def _changed_in_kind(files: Sequence[RuleFile]) -> Iterable[str]:
    """Rules under an id of ours that are no longer the same kind of rule."""
    ours = {rule.id: rule for profile in clockrules.profiles() for rule in clockrules.rules_of(profile)}
    for file in files:
        for rule in file.rules:
            old = ours.get(rule.id)
            if old is None:
                continue
            if old.jurisdiction != rule.jurisdiction:
                yield (
                    f"{file.place(rule)}: is a rule of profile {old.jurisdiction!r}, here it stands under "
                    f"{rule.jurisdiction!r}; allowed is to change it in a file of its own profile, or another id"
                )
                continue
            kept = {
                "trigger": (old.trigger.value, rule.trigger.value),
                "follows": (old.follows, rule.follows),
                "copies": (old.copies, rule.copies),
                "limit": (_unit(old), _unit(rule)),
            }
            for key, (was, now) in kept.items():
                if was != now:
                    yield (
                        f"{file.place(rule)}: {key} is {now!r}, of the rule it replaces {was!r}; a rule keeps that as "
                        "long as it keeps its id: allowed is the same, or another id"
                    )


def _contradictions(sets: RuleSets, files: Sequence[RuleFile]) -> Iterable[str]:
    for profile in sets.changed:
        for rule, why in wrongly_followed(sets.rules[profile]):
            yield f"{_place(rule, sets.rules[profile], files)}: {why}"
    if _SITES_CLOCK not in {rule.id for rule in sets.rules[SITE]}:
        yield (
            f"{', '.join(sets.changed[SITE])}: replaces profile {SITE!r} without {_SITES_CLOCK!r}; "
            "allowed is to replace it with a rule of the same id"
        )


def _place(rule: ClockRule, rules: Collection[ClockRule], files: Sequence[RuleFile]) -> str:
    """Where a sponsor's rule stands; for one of ours that is kept, where the sponsor changed what it follows."""
    own = next((file for file in files if rule in file.rules), None)
    if own is not None:
        return own.place(rule)
    followed = next(other for other in rules if other.id == rule.follows)
    return f"{next(file for file in files if followed in file.rules).place(followed)}: {rule.id} follows it and is kept"


def _unit(rule: ClockRule) -> str:
    return "days" if rule.hours is None else "hours"
