"""Every clock of a case, followed through everything that happened: one chain for each event and authority."""

from __future__ import annotations

from tocsin.domain.case import Case
from tocsin.domain.chain import EXPECTED, SUSARS, Chain
from tocsin.domain.clock_life import ClockLife, Effect, Lives, Past
from tocsin.domain.clocks import Duty
from tocsin.domain.elements import missing_so_far
from tocsin.domain.protocol import Protocol
from tocsin.domain.story import Story, story_of

NO_EFFECT = Effect("it changes no clock")


def live(case: Case, protocol: Protocol, past: Past) -> Lives:
    """What became of every clock of the case, the site's own left out."""
    lacking = {r.revision: missing_so_far(case, r.revision) for r in case.revisions}
    event_ids = dict.fromkeys(event.event_id for r in case.revisions if not r.is_nullified for event in r.events)
    clocks: list[ClockLife] = []
    effects: dict[str, list[Effect]] = {}
    to_judge: set[tuple[str, int]] = set()
    for event_id in event_ids:
        story = story_of(event_id, case, past, protocol, lacking)
        for chain in _chains(story, protocol):
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


def _chains(story: Story, protocol: Protocol) -> list[Chain]:
    of_authority = [rule for rule in protocol.clock_rules if rule.duty is not Duty.SITE_REPORT]
    found = []
    for jurisdiction in dict.fromkeys(rule.jurisdiction for rule in of_authority):
        rules = [rule for rule in of_authority if rule.jurisdiction == jurisdiction]
        found.append(Chain(story, jurisdiction, rules, SUSARS))
        if any(rule.trigger in EXPECTED for rule in rules):
            found.append(Chain(story, jurisdiction, rules, EXPECTED))
    return found
