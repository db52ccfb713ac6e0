"""Random histories of one event: what the rules make of its clocks is what an independent oracle makes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain import oracle
from tests.domain.cases import FATAL, HARMLESS, SUSAR, case, protocol, report
from tests.domain.oracle import CN, EU, UK, Downgrade, Fact, Kind, Row, Rules, Sent, TakenBack, Told
from tocsin.domain.case import Event, Report
from tocsin.domain.clock_life import ClockLife, Past
from tocsin.domain.lives import live
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.submissions import Submission, SubmissionKind
from tocsin.domain.words import Criterion, Outcome

DAY_ZERO = datetime(2026, 3, 2, 4, tzinfo=UTC)  # noon in Shanghai, the same date in London
AUTHORITIES = {"CN": (CN, "CDE"), "EU": (EU, "EudraVigilance"), "UK": (UK, "MHRA")}
COPIES = "investigators, institutions, ethics committees, health authority"
EVENT = {Kind.NONE: HARMLESS, Kind.OTHER: SUSAR, Kind.FATAL: FATAL}


def at(day: int) -> datetime:
    return DAY_ZERO + timedelta(days=day)


def on(day: int) -> date:
    return at(day).date()


def told(fact: Told) -> Event:
    made = EVENT[fact.kind]
    if fact.kind is Kind.FATAL:
        return replace(made, criteria=made.criteria | ({Criterion.DISABILITY} if fact.detail else set()))
    return replace(made, outcome=Outcome.RECOVERING if fact.detail else Outcome.NOT_RECOVERED)


def of_the_rules(history: list[Fact], authority: str) -> list[tuple[object, ...]]:
    recipient = AUTHORITIES[authority][1]
    reports: list[Report] = []
    submissions: list[Submission] = []
    signed: list[Signed] = []
    for n, fact in enumerate(history, 1):
        match fact:
            case Told():
                made = report(told(fact), revision=len(reports) + 1)
                reports.append(replace(made, received_at=at(fact.on)))
            case Sent():
                submissions.append(
                    Submission(
                        id=f"s{n}",
                        sent_at=at(fact.on),
                        kind=SubmissionKind.FOLLOW_UP if fact.is_follow_up else SubmissionKind.INITIAL,
                        recipient=COPIES if fact.is_copy else recipient,
                        event_ids=frozenset([SUSAR.event_id]),
                        reference=f"no. {n}",
                        by="A. Reporter",
                        rejected_at=None if fact.rejected_on is None else at(fact.rejected_on),
                    )
                )
            case Downgrade():
                signed.append(Signed(f"d{n}", Deed.DOWNGRADE, at(fact.on), ("Dr Li",), "both parties agree"))
            case TakenBack():
                signed.append(
                    Signed(f"d{n}", Deed.DUPLICATE, at(fact.on), ("Dr Li",), "told twice", other_case="TOC-0007")
                )
    found = live(case(*reports), protocol(authority), Past(tuple(submissions), tuple(signed))).clocks
    return sorted(shown(life) for life in found)


def shown(life: ClockLife) -> tuple[object, ...]:
    by = "" if life.superseded_by is None else life.superseded_by.rule
    return life.clock.rule, str(life.clock.day_zero), str(life.clock.due_on), life.status.value, life.is_open, by


def of_the_oracle(history: list[Fact], rules: Rules) -> list[tuple[object, ...]]:
    def row(one: Row) -> tuple[object, ...]:
        by = "" if one.successor is None else one.successor.rule
        return one.rule, str(on(one.zero)), str(on(one.due)), one.status, one.is_open, by

    return sorted(row(one) for one in oracle.clocks_of(history, rules))


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    facts: list[Fact] = [Told(0, draw(st.sampled_from([Kind.OTHER, Kind.FATAL, Kind.NONE])))]
    day = 0
    for step in draw(st.lists(st.sampled_from(STEPS), max_size=8)):
        day += draw(st.integers(1, 9))
        sent = [(n, fact) for n, fact in enumerate(facts) if isinstance(fact, Sent) and fact.rejected_on is None]
        if step == "rejected":
            for n, fact in sent[-1:]:
                facts[n] = replace(fact, rejected_on=day)
        elif step == "told":
            facts.append(Told(day, draw(st.sampled_from(list(Kind))), draw(st.sampled_from(["", "else"]))))
        elif step == "downgrade":
            facts.append(Downgrade(day))
        elif step == "duplicate":
            facts.append(TakenBack(day))
        else:
            facts.append(Sent(day, is_follow_up=step == "follow-up", is_copy=step == "copies"))
    return facts


STEPS = ("told", "told", "told", "initial", "initial", "follow-up", "copies", "rejected", "downgrade", "duplicate")


@pytest.mark.parametrize("authority", list(AUTHORITIES))
@pytest.mark.rule("promise: a later revision loses no running clock, and moves none later without its reason")
@given(history=histories())
@settings(max_examples=250, deadline=None)
def test_the_rules_and_the_oracle_agree_on_every_clock(history: list[Fact], authority: str) -> None:
    ours = of_the_rules(history, authority)
    expected = of_the_oracle(history, AUTHORITIES[authority][0])
    assert ours == expected, "\n".join(
        ["", *(f"only the rules:  {row}" for row in ours if row not in expected),
         *(f"only the oracle: {row}" for row in expected if row not in ours)]
    )  # fmt: skip
