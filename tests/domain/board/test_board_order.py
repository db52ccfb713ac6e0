"""The same facts in any order, also twice, make the same board; and a fact more never opens what was closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.board.trial import CONFIRMED, MET, NOT_DLT, PENDING, POTENTIAL, REJECTED, at_board, protocol, subject
from tests.domain.cases import at
from tocsin.domain.board.facts import (
    Confirmed,
    Lifted,
    ProductEvent,
    Raised,
    Recommended,
    Reviewed,
    SubjectFacts,
    TrialFacts,
)
from tocsin.domain.board.settings import Design, ProductFault
from tocsin.domain.board.standing import Status
from tocsin.domain.dlt.verdict import State, Verdict

START = at("2026-01-05T10:00")
states = st.lists(st.sampled_from([MET, CONFIRMED, REJECTED, POTENTIAL, PENDING, NOT_DLT]), max_size=3)
days = st.integers(0, 200)
moments = days.map(lambda day: START + timedelta(days=day))
studies = st.sampled_from([protocol(design=design) for design in Design])


@st.composite
def subjects(draw: st.DrawFn) -> list[SubjectFacts]:
    found = []
    for n in range(1, draw(st.integers(0, 8)) + 1):
        on = draw(st.one_of(st.none(), moments.map(lambda at: at.isoformat()), st.just("2026-02")))
        one = subject(
            n,
            *draw(states),
            level=draw(st.sampled_from(["DL1", "DL2", "DL3", "DL9"])),
            on=on,
            percent=draw(st.sampled_from(["70", "100", "130"])),
            left=draw(st.sampled_from([None, "2026-02-01", "2026-03"])),
            died=draw(st.sampled_from([None, "2026-02-10"])),
        )
        found.append(replace(one, contacts=frozenset(draw(st.lists(moments.map(lambda at: at.date()), max_size=3)))))
    return found


keys = st.sampled_from(["second_dlt:DL1", "death:D1", "stagger:DL1", "product:P1"])
trials = st.builds(
    TrialFacts,
    product_events=st.lists(st.builds(ProductEvent, st.just("P1"), st.sampled_from(ProductFault), moments), max_size=2)
    .map(tuple),
    reviewed=st.lists(st.builds(Reviewed, st.sampled_from(["DL1", "DL2"]), st.just(("A",)), moments, st.just("ok")),
                      max_size=3).map(tuple),
    recommended=st.lists(st.builds(Recommended, st.just("DL1"), st.just(("A",)), moments, st.just("ok")), max_size=1)
    .map(tuple),
    raised=st.lists(
        st.builds(Raised, st.just("death:D1"), st.just("treatment_related_death"), st.none(), st.just(()), moments,
                  st.just(("told",))), max_size=2).map(tuple),
    lifted=st.lists(st.builds(Lifted, keys, st.just(("A",)), moments, st.just("ok")), max_size=3).map(tuple),
    confirmed=st.lists(st.builds(Confirmed, keys, st.sampled_from(["S01", "cell_lab"]), st.just("A"), moments),
                       max_size=3).map(tuple),
)  # fmt: skip


def mixed(facts: SubjectFacts, chance: Random) -> SubjectFacts:
    """The same facts in another order, and each of them twice."""
    shuffled: dict[str, Any] = {}
    for name in ("enrolled", "given", "withdrawn", "deaths", "verdicts"):
        twice = list(getattr(facts, name)) * 2
        chance.shuffle(twice)
        shuffled[name] = tuple(twice)
    return replace(facts, **shuffled)


@pytest.mark.rule("promise: the same facts make the same board")
@settings(max_examples=80, deadline=None)
@given(subjects(), trials, moments, studies, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_arrive_changes_nothing(
    trial: list[SubjectFacts], facts: TrialFacts, as_of: object, study: object, chance: Random
) -> None:
    straight = at_board(trial, facts, as_of, study)  # type: ignore[arg-type]
    others = [mixed(one, chance) for one in trial]
    chance.shuffle(others)
    shuffled = {}
    for name in ("product_events", "reviewed", "recommended", "raised", "lifted", "confirmed"):
        twice = list(getattr(facts, name)) * 2
        chance.shuffle(twice)
        shuffled[name] = tuple(twice)
    assert at_board(others, TrialFacts(**shuffled), as_of, study) == straight  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(subjects(), trials, moments, studies, st.none() | st.integers(1, 5))
def test_an_event_of_which_no_rule_says_anything_changes_nothing(
    trial: list[SubjectFacts], facts: TrialFacts, as_of: object, study: object, grade: int | None
) -> None:
    """Alerting leaves such verdicts out when it looks at the board: of a study with many events they are nearly all."""
    nothing = Verdict(State.NONE, None, ("outside of the window",), key="E9", event_id="E9", grade=grade)
    more = [replace(one, verdicts=(*one.verdicts, nothing)) for one in trial]
    assert at_board(more, facts, as_of, study) == at_board(trial, facts, as_of, study)  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(subjects(), trials, moments, studies)
def test_every_subject_stands_once_and_says_why(
    trial: list[SubjectFacts], facts: TrialFacts, as_of: object, study: object
) -> None:
    found = at_board(trial, facts, as_of, study)  # type: ignore[arg-type]
    assert [one.subject for one in found.subjects] == sorted(one.id for one in trial)
    assert all(one.reasons for one in found.subjects)
    assert all(hold.reasons for hold in found.holds)
    for one in found.subjects:
        assert (one.status is Status.PENDING) <= bool(one.waits_for)
        if one.status is Status.EVALUABLE:
            facts_of = next(each for each in trial if each.id == one.subject)
            assert not any(verdict.state.is_open or verdict.holds_up for verdict in facts_of.verdicts)
            assert one.window is not None
            assert found.as_of > one.window.latest


@pytest.mark.rule("readings.md DLT 14")
@settings(max_examples=80, deadline=None)
@given(subjects(), st.integers(0, 7), moments)
def test_a_dlt_more_never_opens_a_level_to_which_nobody_might_go(
    trial: list[SubjectFacts], which: int, as_of: object
) -> None:
    """Whoever was not escalated to is not because one more subject had a DLT."""
    if not trial:
        return
    n = which % len(trial)
    worse = [
        *trial[:n],
        replace(trial[n], verdicts=(*trial[n].verdicts, *subject(1, CONFIRMED).verdicts)),
        *trial[n + 1 :],
    ]
    before, after = at_board(trial, None, as_of), at_board(worse, None, as_of)  # type: ignore[arg-type]
    ups = {one.level for one in before.decisions if one.is_up}
    waiting = {one.level for one in before.decisions if one.word in ("WAIT", "CONTINUE_COHORT", "COMMITTEE")}
    assert {one.level for one in after.decisions if one.is_up} <= ups | waiting
    held = {one.key for one in before.holds if one.key.startswith(("second_dlt", "outside_plan"))}
    assert held <= {one.key for one in after.holds}
