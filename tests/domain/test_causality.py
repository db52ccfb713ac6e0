"""Suspected: either party is enough, and a missing opinion counts as suspected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.cases import event
from tocsin.domain.case import Opinion
from tocsin.domain.causality import suspected
from tocsin.domain.words import Agent, Party, Relation

YES, NO = Relation.RELATED, Relation.NOT_RELATED
CONTESTED = Relation.CN_UNLIKELY


@pytest.mark.parametrize(
    ("investigator", "sponsor", "value", "is_provisional"),
    [
        (YES, YES, True, False),
        (YES, NO, True, False),
        (NO, YES, True, False),
        (NO, NO, False, False),
        (YES, None, True, False),
        (None, YES, True, False),
        (NO, None, True, True),
        (None, NO, True, True),
        (None, None, True, True),
        (CONTESTED, NO, True, True),
        (CONTESTED, None, True, True),
        (CONTESTED, YES, True, False),
        (Relation.UNLIKELY, Relation.CN_UNRELATED, False, False),
        (Relation.REMOTE, NO, True, True),
    ],
)
@pytest.mark.rule("rules.md 1.1: suspected; rules.md C1; readings.md clocks 2")
def test_only_two_firm_denials_make_an_event_not_suspected(
    investigator: Relation | None, sponsor: Relation | None, value: bool, is_provisional: bool
) -> None:
    found = suspected(event(investigator=investigator, sponsor=sponsor))
    assert (found.value, found.is_provisional) == (value, is_provisional)


def test_an_opinion_on_another_agent_says_nothing_of_the_product() -> None:
    by_drug = tuple(Opinion(Agent.LYMPHODEPLETION, party, YES) for party in Party)
    found = suspected(replace(event(), opinions=by_drug))
    assert found.value
    assert found.is_provisional


@pytest.mark.rule("promise: a contradiction is read at its worst")
@pytest.mark.parametrize("said", [(YES, NO), (NO, YES)])
def test_of_two_opinions_of_one_party_the_worse_counts_in_either_order(said: tuple[Relation, Relation]) -> None:
    both = tuple(Opinion(Agent.PRODUCT, Party.INVESTIGATOR, r) for r in said)
    assert suspected(replace(event(), opinions=(*both, Opinion(Agent.PRODUCT, Party.SPONSOR, NO)))).value
