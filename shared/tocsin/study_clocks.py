"""What a study file says of its clocks: rule sets, contested points, copies, and the versions of the RSI.

The keys and their form are in `study_shape`; the file as a whole is read in `studies`. What each setting does to a
clock is in `tocsin.domain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tocsin import clockrules
from tocsin.clockrules.own_rules import SITE, RuleSets, with_files
from tocsin.domain.clocks import ClockRule
from tocsin.domain.protocol import (
    ClockSettings,
    CopyRecipient,
    CopyTo,
    ExpectedReaction,
    FollowUpRequests,
    ReferenceSafetyInformation,
)
from tocsin.study_shape import ClocksPart, FollowUpRequestsPart, RsiPart, StudyFile


def rule_sets(part: ClocksPart, study_file: Path) -> RuleSets:
    """Our rules with the study's own files over them; a file's path is read from beside the study file."""
    return with_files([study_file.parent / name for name in part.rules])


def clock_rules(part: ClocksPart, sets: RuleSets) -> tuple[ClockRule, ...]:
    """The rules that the study runs: of its profiles, of those that its own files add, and of the site."""
    return tuple(rule for profile in _running(part, sets) for rule in sets.rules.get(profile, ()))


def settings(part: ClocksPart) -> ClockSettings:
    """The contested points as the study decides them."""
    return ClockSettings(
        fda_suspected_by=part.fda_suspected_by,
        fda_15_days_from=part.fda_15_days_from,
        non_working=frozenset(part.non_working),
        strict_follow_up=part.strict_follow_up,
        also_7_days_after_determination=part.also_7_days_after_determination,
        probably_not_related_is_suspected=part.probably_not_related_is_suspected,
        wrong_subject_keeps_day_zero=part.wrong_subject_keeps_day_zero,
        signatures_to_close=part.signatures_to_close,
    )


def follow_up_requests(part: FollowUpRequestsPart) -> FollowUpRequests:
    """When a site is asked what is new of a serious event."""
    return FollowUpRequests(tuple(part.fatal_or_life_threatening), tuple(part.other))


def copies_to(file: StudyFile) -> tuple[CopyRecipient, ...]:
    """Who gets a copy of a SUSAR. Where the file names nobody: everybody that China's GCP 2020 Art. 48 names."""
    if file.copies_to is not None:
        return tuple(CopyRecipient(copy.name, copy.kind, copy.site) for copy in file.copies_to)
    of_sites = (CopyTo.INVESTIGATOR, CopyTo.INSTITUTION, CopyTo.ETHICS_COMMITTEE)
    return (
        *(CopyRecipient(f"{site.id} {_words(kind)}", kind, site.id) for site in file.sites for kind in of_sites),
        CopyRecipient(_words(CopyTo.HEALTH_AUTHORITY), CopyTo.HEALTH_AUTHORITY),
    )


def reference_information(part: RsiPart) -> ReferenceSafetyInformation:
    """One version of the reference safety information."""
    return ReferenceSafetyInformation(
        version=part.version,
        status=part.status,
        entries=tuple(ExpectedReaction(e.term, e.code, e.max_expected_grade, e.fatal_expected) for e in part.entries),
        in_force_from=part.in_force_from,
    )


def contradictions(file: StudyFile, sets: RuleSets) -> Iterable[str]:
    """What is well formed and still cannot be."""
    yield from _wrong_profiles(file.clocks, sets)
    yield from _wrong_copies(file, sets)
    yield from _wrong_versions(
        [*((f"earlier_rsi[{n}]", p) for n, p in enumerate(file.earlier_rsi, 1)), ("rsi", file.rsi)]
    )


def twice(what: str, names: Sequence[str], kind: str = "id") -> Iterable[str]:
    """A sentence for each name that stands more than once."""
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"{what} has the {kind} {name!r} more than once; allowed is each once"


def _running(part: ClocksPart, sets: RuleSets) -> Iterable[str]:
    return dict.fromkeys([*part.profiles, *sets.own, SITE])


def _wrong_profiles(part: ClocksPart, sets: RuleSets) -> Iterable[str]:
    for n, profile in enumerate(part.profiles, 1):
        if profile not in sets.rules:
            yield f"clocks.profiles[{n}] is {profile!r}; allowed are {', '.join([*clockrules.profiles(), *sets.own])}"
    running = list(_running(part, sets))
    for profile, names in sets.changed.items():
        if profile not in running:
            yield (
                f"clocks.rules names {', '.join(names)}, of profile {profile!r}, which this study does not run; "
                f"allowed are {', '.join(running)}, or a profile of your own"
            )


def _wrong_copies(file: StudyFile, sets: RuleSets) -> Iterable[str]:
    sites = [site.id for site in file.sites]
    for n, copy in enumerate(file.copies_to or (), 1):
        if copy.site is not None and copy.site not in sites:
            yield f"copies_to[{n}].site is {copy.site!r}; allowed are {', '.join(sites)}"
    yield from twice("copies_to", [copy.name.casefold() for copy in file.copies_to or ()], "name")
    # A submission names its recipient: it could not be told which of the two was meant.
    recipients = {rule.recipient.casefold() for rule in clock_rules(file.clocks, sets)}
    for name in [copy.name for copy in copies_to(file) if copy.name.casefold() in recipients]:
        yield f"copies_to has the name {name!r}, which is the recipient of a rule too; allowed is another name"


def _wrong_versions(parts: Sequence[tuple[str, RsiPart]]) -> Iterable[str]:
    """`parts` from the earliest version to the one in force, each with its key."""
    yield from twice("rsi and earlier_rsi", [part.version for _, part in parts], "version")
    before = None
    for n, (key, part) in enumerate(parts):
        yield from twice(f"{key}.entries", [e.code or e.term.casefold() for e in part.entries], "term or code")
        if part.in_force_from is None:
            if n:
                yield f"{key}.in_force_from is missing; it is needed as {parts[n - 1][0]} came before"
            continue
        if before is not None and part.in_force_from <= before:
            yield f"{key}.in_force_from is {part.in_force_from}; allowed is a date after {before}: earliest first"
        before = part.in_force_from


def _words(kind: CopyTo) -> str:
    return kind.value.replace("_", " ")
