"""What holds of the clocks of every case, whatever is told, coded, sent, refused and signed, and in whatever order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.cases import coded, event, listed, protocol, report, rsi, signed, submitted
from tocsin.domain.assess import Assessment, assess
from tocsin.domain.case import Case, Coded, Event, Report
from tocsin.domain.clock_life import ClockKey, ClockLife, Past, Status
from tocsin.domain.clocks import Duty
from tocsin.domain.known import Known
from tocsin.domain.lives import live
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.submissions import Submission, SubmissionKind
from tocsin.domain.words import Criterion, Outcome, Relation

STUDY = protocol("CN", "US", "EU", "UK", "JP", safety=rsi(listed("Fever"), listed("Cytokine release syndrome", 3)))
RECIPIENTS = {
    "CN": ["CDE"], "EU": ["EudraVigilance"], "UK": ["MHRA"], "JP": ["PMDA"],
    "US": ["FDA", "FDA and all participating investigators"],
}  # fmt: skip
COPIES = "investigators, institutions, ethics committees, health authority"
YES, NO = Relation.RELATED, Relation.NOT_RELATED
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
EXPECTED_ONLY = "JP_ART273_EXPECTED_FATAL_15D"


@dataclass(frozen=True)
class History:
    """Facts in the order in which they happened, each at an hour of its own; the codings, which have no such place."""

    facts: tuple[tuple[int, Report | Submission | Signed], ...]
    codings: tuple[Coded, ...]

    def until(self, hour: float, *, with_codings: bool = True) -> tuple[Case, Past]:
        then = at(hour)
        known = [fact for when, fact in self.facts if when <= hour]
        sent = [one for one in known if isinstance(one, Submission)]
        unanswered = [
            replace(one, rejected_at=None) if one.rejected_at is not None and one.rejected_at > then else one
            for one in sent
        ]
        reports = tuple(one for one in known if isinstance(one, Report))
        deeds = tuple(one for one in known if isinstance(one, Signed))
        return Case(reports, self.codings if with_codings else ()), Past(tuple(unanswered), deeds)

    @property
    def hours(self) -> list[int]:
        """When something becomes known, the answers to what was sent included."""
        answers = [
            int((fact.rejected_at - START) / timedelta(hours=1))
            for _, fact in self.facts
            if isinstance(fact, Submission) and fact.rejected_at is not None
        ]
        return sorted({hour for hour, _ in self.facts} | set(answers))

    def assessed(self) -> list[Assessment]:
        """After each of these hours."""
        known = [self.until(hour) for hour in self.hours]
        return [assess(held, STUDY, past) for held, past in known if held.revisions]


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


@st.composite
def events(draw: st.DrawFn, n: int) -> Event:
    return event(
        draw(st.sampled_from(["rash", "CRS grade 2", "patient died", "cardiac arrest"])),
        n=n,
        grade=draw(st.sampled_from([None, 2, 4])),
        serious=draw(st.sampled_from([None, True, False, False])),
        criteria=draw(st.lists(st.sampled_from([Criterion.DEATH, Criterion.HOSPITALISATION]), max_size=1)),
        outcome=draw(st.sampled_from([None, Outcome.FATAL, Outcome.RECOVERED])),
        investigator=draw(st.sampled_from([None, YES, NO, NO])),
        sponsor=draw(st.sampled_from([None, YES, NO, NO])),
        nullified=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def histories(draw: st.DrawFn, *, deeds: tuple[Deed, ...] = tuple(Deed)) -> History:
    hour, facts = 0, list[tuple[int, Report | Submission | Signed]]()
    revisions = 0
    steps = draw(st.lists(st.sampled_from(["report", "report", "report", "sent", "sent", "signed"]), max_size=7))
    for step in ["report", *steps]:
        hour += draw(st.integers(1, 24 * 9))
        name = f"{hour}"
        if step == "report":
            revisions += 1
            told = [draw(events(n)) for n in sorted(draw(st.sets(st.integers(1, 2), min_size=revisions == 1)))]
            made = report(
                *told, revision=revisions,
                reporter=draw(st.sampled_from([True, True, False])),
                nullified=revisions > 1 and draw(st.sampled_from([False, False, False, True])),
            )  # fmt: skip
            facts.append((hour, replace(made, received_at=at(hour))))
        elif step == "sent":
            names = draw(st.sets(st.integers(1, 2), min_size=1))
            recipient = draw(st.sampled_from([*itertools.chain(*RECIPIENTS.values()), COPIES]))
            sent = submitted(
                "2026-03-02T12:00", recipient, n=sorted(names), kind=draw(st.sampled_from(KINDS)), name=name
            )
            answer = draw(st.sampled_from([None, None, 7, 200]))
            refused = None if answer is None else at(hour + answer)
            facts.append((hour, replace(sent, sent_at=at(hour), rejected_at=refused)))
        else:
            made_deed = signed(
                draw(st.sampled_from(deeds)), "2026-03-02T12:00",
                n=draw(st.sampled_from([None, 1, 2])),
                sponsor=draw(st.sampled_from([None, YES, NO])),
                criteria=draw(st.lists(st.sampled_from([Criterion.LIFE_THREATENING]), max_size=1)),
                is_expected=draw(st.sampled_from(list(Known))),
                revision=draw(st.sampled_from([None, 1, 2])),
            )  # fmt: skip
            earlier = at(draw(st.integers(-48, hour))) if made_deed.deed is Deed.AWARENESS_OVERRIDE else None
            facts.append((hour, replace(made_deed, id=name, signed_at=at(hour), aware_at=earlier)))
    terms = st.sampled_from([None, None, "Fever", "Cytokine release syndrome", "Sepsis"])
    codings = [
        coded(term, n=n, revision=revision)
        for revision in range(1, revisions + 1)
        for n in (1, 2)
        for term in [draw(terms)]
        if term is not None
    ]
    return History(tuple(facts), tuple(codings))


KINDS = [SubmissionKind.INITIAL, SubmissionKind.INITIAL, SubmissionKind.FOLLOW_UP, SubmissionKind.NULLIFICATION]
NO_OVERRIDE = tuple(deed for deed in Deed if deed is not Deed.AWARENESS_OVERRIDE)
One = TypeVar("One")


@given(histories(), st.randoms(use_true_random=False))
@pytest.mark.rule("promise: the order of arrival of the same facts does not change the outcome")
@settings(max_examples=60, deadline=None)
def test_the_same_facts_in_any_order_and_twice_have_the_same_clocks(history: History, random: Random) -> None:
    held, past = history.until(10**6)

    def again(some: tuple[One, ...]) -> tuple[One, ...]:
        return tuple(random.sample(some * 2, 2 * len(some)))

    shuffled = Case(again(held.revisions), again(held.codings))
    then = assess(shuffled, STUDY, Past(again(past.submissions), again(past.signed)))
    straight = assess(held, STUDY, past)
    assert then.lives == straight.lives
    assert dict(then.effects) == dict(straight.effects)
    assert then == replace(straight, effects=then.effects)


@given(histories(), st.booleans())
@settings(max_examples=120, deadline=None)
def test_what_was_judged_a_moment_ago_gives_the_clocks_that_the_story_gives_by_itself(
    history: History, with_codings: bool
) -> None:
    """An assessment hands its judgements on, and asks nothing of an event that is not serious and was told once."""
    for hour in history.hours:
        held, past = history.until(hour, with_codings=with_codings)
        if held.revisions:
            assessed, alone = assess(held, STUDY, past), live(held, STUDY, past)
            ours = [life for life in assessed.lives if life.duty is not Duty.SITE_REPORT]
            assert sorted(map(repr, ours)) == sorted(map(repr, alone.clocks))
            assert dict(assessed.effects) == dict(alone.effects)


@given(histories(deeds=NO_OVERRIDE))
@pytest.mark.rule("promise: a later revision loses no running clock, and moves none later without its reason")
@settings(max_examples=120, deadline=None)
def test_whatever_happens_next_loses_no_clock_and_moves_none_later_without_its_reason(history: History) -> None:
    # Coded otherwise later on, what was told at first is another thing: that is a correction, not what comes next.
    once = replace(history, codings=tuple(coding for coding in history.codings if coding.revision == 1))
    for before, after in itertools.pairwise(once.assessed()):
        now = {life.key: life for life in after.lives}
        for life in before.lives:
            if life.duty is Duty.SITE_REPORT:
                continue
            then = now[life.key]
            assert then.clock.day_zero <= life.clock.day_zero
            if then.clock.due_at > life.clock.due_at:
                # Only the days that a first report brought forward come back, when it is rejected.
                assert then.clock.rule == "UK_FU_8D"
            if life.status is Status.LATE:
                assert then.status is Status.LATE
            if life.is_open and not then.is_open:
                assert is_accounted_for(then, life, now), (life, then)


def is_accounted_for(then: ClockLife, life: ClockLife, now: dict[ClockKey, ClockLife]) -> bool:
    if then.status is Status.MET or (then.status is Status.LATE and then.superseded_by is None):
        return bool(then.submissions) or "signed by" in then.because
    if then.status is Status.CANCELLED:
        return "signed by" in then.because
    assert then.superseded_by is not None
    successor = now[then.superseded_by]
    is_no_later = successor.clock.due_at <= life.clock.due_at
    return is_no_later or "signed by" in then.because or "this is the legal day zero" in then.because


@given(histories())
@pytest.mark.rule("promise: a later revision loses no running clock, and moves none later without its reason")
@settings(max_examples=100, deadline=None)
def test_a_coding_takes_no_owed_report_away_and_makes_none_later(history: History) -> None:
    for hour in history.hours:
        held, past = history.until(hour, with_codings=False)
        if not held.revisions or past.signed:
            continue  # what is signed is signed on what was coded
        answer = tuple(replace(coding, at=at(hour + 1)) for coding in history.codings)
        now = assess(replace(held, codings=answer), STUDY, past).lives
        for life in assess(held, STUDY, past).lives:
            if life.is_open:
                same = [x for x in now if x.is_open and x.clock.event_id == life.clock.event_id]
                assert any(
                    x.clock.recipient == life.clock.recipient and x.clock.due_at <= life.clock.due_at for x in same
                ), life


@given(histories())
@pytest.mark.rule(
    "promise: every clock has a rule, a clause and a day zero, which is never before the first receipt; "
    "rules.md 1.4: never delete a clock; rules.md 1.4: only a person cancels; readings.md clocks 6"
)
@settings(max_examples=120, deadline=None)
def test_every_clock_says_what_it_rests_on_and_what_became_of_it(history: History) -> None:
    held, past = history.until(10**6)
    lives = assess(held, STUDY, past).lives
    by_key = {life.key: life for life in lives}
    assert len(by_key) == len(lives)
    for life in lives:
        assert life.clock.rule
        assert life.clock.clause
        assert life.clock.reasons
        assert life.clock.day_zero <= life.clock.due_on
        assert life.is_open or life.status is not Status.RUNNING
        if life.duty is Duty.SITE_REPORT:
            continue
        if life.status is Status.MET:
            assert life.submissions
            assert not life.is_open
        if life.status is Status.CANCELLED:
            assert "signed by" in life.because
        assert (life.status is Status.SUPERSEDED) <= (life.superseded_by is not None)
        seen = {life.key}
        while life.superseded_by is not None:
            assert life.superseded_by.event_id == life.clock.event_id
            life = by_key[life.superseded_by]
            assert life.key not in seen
            seen.add(life.key)


@given(histories())
@pytest.mark.rule(
    "rules.md 1.1: SUSAR; promise: a later revision loses no running clock, and moves none later without its reason"
)
@settings(max_examples=150, deadline=None)
def test_at_every_moment_a_susar_that_nobody_reported_has_an_open_clock_at_each_authority(history: History) -> None:
    for hour in history.hours:
        held, past = history.until(hour)
        if not held.revisions:
            continue
        found = assess(held, STUDY, past)
        closed = (Deed.DUPLICATE, Deed.NULLIFICATION)
        for judged in found.events:
            is_closed = any(d.deed in closed and d.is_about(judged.event_id) for d in past.signed)
            if not judged.is_susar or is_closed:
                continue
            for jurisdiction, recipients in RECIPIENTS.items():
                sent = [s for s in past.submissions if s.recipient in recipients and judged.event_id in s.event_ids]
                if any(s.rejected_at is None for s in sent):
                    continue
                owed = [
                    life
                    for life in found.lives
                    if life.is_open
                    and life.duty is Duty.REPORT
                    and life.clock.event_id == judged.event_id
                    and life.clock.recipient in recipients
                    and life.clock.rule != EXPECTED_ONLY
                ]
                assert owed, (judged.event_id, jurisdiction)
                if judged.is_fatal_or_life_threatening:
                    assert any((life.days or 99) <= 7 for life in owed) or jurisdiction == "US", (judged, owed)
