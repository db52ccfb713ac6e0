"""Every clock of a case, followed through everything that happened: one chain for each event and authority."""

from __future__ import annotations

from collections.abc import Mapping

from tocsin.domain.case import Case
from tocsin.domain.chain import EXPECTED, SUSARS, Chain
from tocsin.domain.clock_life import ClockLife, Effect, Lives, Past
from tocsin.domain.clocks import ClockRule, Duty
from tocsin.domain.elements import missing_so_far
from tocsin.domain.judged import EventAssessment
from tocsin.domain.protocol import Protocol
from tocsin.domain.story import Story, story_of

NO_EFFECT = Effect("it changes no clock")


def live(
    case: Case, protocol: Protocol, past: Past, as_told: Mapping[tuple[int, int], EventAssessment] | None = None
) -> Lives:
    """What became of every clock of the case, the site's own left out.

    `as_told`: by the ids of event and report, what was judged a moment ago of words that nobody coded or signed of.
    """
    as_told = as_told or {}
    rules = _rules_by_jurisdiction(protocol)
    is_told_once = len(case.revisions) == 1 and not past.submissions
    # Nothing was ever owed of these, whoever must suspect the product.
    quiet = {judged.event_id for judged in as_told.values() if not judged.serious} if is_told_once else set()
    lacking = {r.revision: missing_so_far(case, r.revision) for r in case.revisions}
    event_ids = dict.fromkeys(event.event_id for r in case.revisions if not r.is_nullified for event in r.events)
    clocks: list[ClockLife] = []
    effects: dict[str, list[Effect]] = {}
    to_judge: set[tuple[str, int]] = set()
    for event_id in event_ids:
        if event_id in quiet:
            continue
        story = story_of(event_id, case, past, protocol, lacking, as_told)
        for chain in _chains(story, rules):
            chain.follow()
            # A report that told of an expected reaction too is followed up once.
            known = {life.key for life in clocks}
            clocks += [life for life in chain.ended() if life.key not in known]
            for deed, found in chain.effects.items():
                effects.setdefault(deed, []).extend(found)
            to_judge |= {(event_id, revision) for revision in chain.to_judge}
        for deed_id, effect in story.effects_of_overrides().items():
            effects.setdefault(deed_id, []).append(effect)
    for signed in past.signed:
        effects.setdefault(signed.id, [NO_EFFECT])
    return Lives(
        clocks=tuple(clocks),
        effects={deed: tuple(dict.fromkeys(found)) for deed, found in effects.items()},
        to_judge=tuple(sorted(to_judge)),
    )


def _rules_by_jurisdiction(protocol: Protocol) -> dict[str, list[ClockRule]]:
    found: dict[str, list[ClockRule]] = {}
    for rule in protocol.clock_rules:
        if rule.duty is not Duty.SITE_REPORT:
            found.setdefault(rule.jurisdiction, []).append(rule)
    return found


def _chains(story: Story, rules_by_jurisdiction: Mapping[str, list[ClockRule]]) -> list[Chain]:
    found = []
    for jurisdiction, rules in rules_by_jurisdiction.items():
        found.append(Chain(story, jurisdiction, rules, SUSARS))
        if any(rule.trigger in EXPECTED for rule in rules):
            found.append(Chain(story, jurisdiction, rules, EXPECTED))
    return found
