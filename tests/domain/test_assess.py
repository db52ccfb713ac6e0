"""Case histories: what is known, judged; and that neither order nor more knowledge loses a clock."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.cases import (
    DEFINITION,
    FATAL,
    HARMLESS,
    NEW_YORK,
    SUSAR,
    at,
    case,
    coded,
    event,
    infusion,
    listed,
    protocol,
    report,
    rsi,
)
from tocsin.domain.assess import Assessment, assess, missing_elements
from tocsin.domain.case import Case, Coded, Event, Opinion, Report
from tocsin.domain.clock_life import Status
from tocsin.domain.clocks import Clock
from tocsin.domain.words import Agent, Criterion, Outcome, Party, Relation, ReportKind

YES, NO = Relation.RELATED, Relation.NOT_RELATED
STUDY = protocol("CN", dlt=DEFINITION)


def by_rule(found: Assessment, n: int | None = 1) -> dict[str, Clock]:
    event_id = None if n is None else f"TOC-0031-E{n}"
    return {c.rule: c for c in found.clocks if c.event_id == event_id}


def kinds(found: Assessment) -> list[str]:
    return [c.kind for c in found.concerns]


def followed(*events: Event, revision: int = 2, received: str = "2026-03-05T09:00", **more: bool) -> Report:
    return report(*events, revision=revision, received=received, **more)  # type: ignore[arg-type]


def test_a_death_rings_and_runs_before_anyone_has_coded_it() -> None:
    found = assess(case(report(event("multi-organ failure", outcome=Outcome.FATAL))), STUDY)
    assert "fatal" in kinds(found)
    assert by_rule(found)["CN_SUSAR_7D"].due_on == date(2026, 3, 9)
    assert by_rule(found)["CN_SUSAR_7D"].is_provisional
    assert "not coded yet: taken as unexpected" in by_rule(found)["CN_SUSAR_7D"].reasons


def test_coding_makes_firm_what_was_provisional_and_moves_no_date() -> None:
    before = assess(case(report(SUSAR)), STUDY)
    after = assess(case(report(SUSAR), codings=[coded("Myocarditis", code="10028606")]), STUDY)
    assert by_rule(before)["CN_SUSAR_15D"].is_provisional
    assert not by_rule(after)["CN_SUSAR_15D"].is_provisional
    assert by_rule(before)["CN_SUSAR_15D"].due_at == by_rule(after)["CN_SUSAR_15D"].due_at


@pytest.mark.rule("rules.md 1.3: not expedited")
def test_coding_to_a_listed_term_puts_the_clock_in_question_and_only_a_person_closes_it() -> None:
    crs = event("CRS", grade=2, criteria=[Criterion.HOSPITALISATION], investigator=YES, sponsor=YES)
    study = protocol("CN", safety=rsi(listed("Cytokine release syndrome", 3)))
    found = assess(case(report(crs), codings=[coded("Cytokine release syndrome")]), study)
    assert not found.events[0].is_susar
    assert found.events[0].rsi_version == "IB 4.1"
    lives = {life.clock.rule: life for life in found.lives}
    assert set(lives) == {"CN_SUSAR_15D", "CN_GCP48_COPY_15D"}
    assert lives["CN_SUSAR_15D"].status is Status.RUNNING
    assert lives["CN_SUSAR_15D"].questions == (
        "the facts as known now would not start it (Cytokine release syndrome grade 2 is listed in reference safety "
        "information IB 4.1): it runs until a person decides",
    )
    assert "clock_in_question" in kinds(found)


def test_coding_may_settle_that_an_event_is_no_dlt() -> None:
    fever = event("high temperature", onset="2026-03-11", grade=3, serious=False, investigator=YES, sponsor=YES)
    held = case(report(fever), infusions=[infusion()])
    assert "potential_dlt" in kinds(assess(held, STUDY))
    assert "potential_dlt" not in kinds(assess(replace(held, codings=(coded("Fever"),)), STUDY))


@pytest.mark.rule("rules.md 1.1: class")
def test_a_class_that_rests_on_words_makes_its_clock_provisional() -> None:
    told = replace(SUSAR, verbatim="myocarditis, cardiac arrest")
    found = assess(case(report(told), codings=[coded("Cardiac arrest")]), STUDY)
    assert by_rule(found)["CN_SUSAR_7D"].is_provisional


@pytest.mark.parametrize(
    ("told", "rules"),
    [
        (FATAL, {"CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D", "CN_GCP48_COPY_7D"}),
        (SUSAR, {"CN_SUSAR_15D", "CN_GCP48_COPY_15D"}),
        (HARMLESS, set()),
        (replace(SUSAR, opinions=HARMLESS.opinions), set()),
        (replace(FATAL, opinions=HARMLESS.opinions), set()),
        (event(), {"CN_SUSAR_15D", "CN_GCP48_COPY_15D"}),
    ],
)
@pytest.mark.rule("rules.md 1.1: SUSAR")
def test_only_a_serious_suspected_unexpected_event_starts_an_authoritys_clock(told: Event, rules: set[str]) -> None:
    assert set(by_rule(assess(case(report(told)), STUDY))) == rules


@pytest.mark.rule("rules.md D5; interfaces.md: a missing investigator date never delays a 7- or 15-day clock")
@pytest.mark.parametrize("aware", [None, "2026", "--03-02", "2026-03-02T08:00", "2026-02-20"])
def test_what_the_investigator_knew_never_moves_the_sponsors_day_zero(aware: str | None) -> None:
    found = assess(case(report(replace(FATAL, investigator_aware_at=event(aware=aware).investigator_aware_at))), STUDY)
    assert by_rule(found)["CN_SUSAR_7D"].day_zero == date(2026, 3, 2)
    assert by_rule(found)["CN_SUSAR_7D"].due_on == date(2026, 3, 9)


# --- what a later revision does ---


@pytest.mark.rule("rules.md 1.4: nonserious to serious; rules.md D4")
def test_an_event_that_becomes_serious_starts_at_the_receipt_of_that_news() -> None:
    found = assess(case(report(HARMLESS), followed(SUSAR)), STUDY)
    assert by_rule(found)["CN_SUSAR_15D"].day_zero == date(2026, 3, 5)
    assert by_rule(found)["CN_SUSAR_15D"].due_on == date(2026, 3, 20)


@pytest.mark.rule("rules.md 1.4: unrelated to related; rules.md D4")
def test_an_event_that_becomes_related_starts_at_the_receipt_of_that_news() -> None:
    found = assess(case(report(replace(SUSAR, opinions=HARMLESS.opinions)), followed(SUSAR)), STUDY)
    assert by_rule(found)["CN_SUSAR_15D"].day_zero == date(2026, 3, 5)


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, not yet submitted")
def test_a_death_after_a_susar_is_reported_with_it_by_the_earlier_date() -> None:
    found = assess(case(report(SUSAR), followed(FATAL, received="2026-03-14T09:00")), STUDY)
    clocks = by_rule(found)
    assert (clocks["CN_SUSAR_7D"].day_zero, clocks["CN_SUSAR_7D"].due_on) == (date(2026, 3, 14), date(2026, 3, 17))
    assert clocks["CN_SUSAR_7D_PLUS_8D"].due_on == date(2026, 3, 29)
    (earlier,) = [life for life in found.lives if life.clock.rule == "CN_SUSAR_15D"]
    assert (earlier.clock.day_zero, earlier.clock.due_on) == (date(2026, 3, 2), date(2026, 3, 17))
    assert earlier.status is Status.SUPERSEDED
    assert earlier.superseded_by is not None
    assert earlier.superseded_by.rule == "CN_SUSAR_7D"


@pytest.mark.rule("rules.md 1.4: FATAL_LT to OTHER, not yet submitted; readings.md clocks 5")
def test_a_downgrade_closes_nothing_and_starts_nothing() -> None:
    before = assess(case(report(FATAL)), STUDY)
    after = assess(case(report(FATAL), followed(SUSAR)), STUDY)
    assert [(c.rule, c.due_at) for c in after.clocks] == [(c.rule, c.due_at) for c in before.clocks]


@pytest.mark.parametrize(
    "later",
    [
        followed(HARMLESS),
        followed(replace(SUSAR, opinions=HARMLESS.opinions)),
        followed(replace(SUSAR, is_nullified=True)),
        followed(SUSAR, nullified=True),
        followed(),
    ],
)
@pytest.mark.rule("rules.md 1.4: only a person cancels")
def test_no_later_revision_takes_a_clock_away(later: Report) -> None:
    before = by_rule(assess(case(report(SUSAR)), STUDY))
    after = by_rule(assess(case(report(SUSAR), later), STUDY))
    assert {r: c.due_at for r, c in after.items()} == {r: c.due_at for r, c in before.items()}


def test_a_rewording_later_on_is_not_used_to_judge_what_came_first() -> None:
    study = protocol("CN", safety=rsi(listed("Fever")))
    fever = replace(SUSAR, verbatim="fever")
    sepsis = replace(SUSAR, verbatim="sepsis")
    codings = [coded("Sepsis"), coded("Fever", revision=2)]
    found = assess(case(report(sepsis), followed(fever), codings=codings), study)
    clock = by_rule(found)["CN_SUSAR_15D"]
    assert clock.day_zero == date(2026, 3, 2)
    assert "Sepsis is not listed in reference safety information IB 4.1" in clock.reasons
    assert [bool(life.questions) for life in found.lives if life.clock.rule == "CN_SUSAR_15D"] == [True]


def test_a_provisional_clock_becomes_firm_when_the_site_answers_and_keeps_its_day_zero() -> None:
    unjudged = replace(SUSAR, opinions=())
    coding = [coded("Myocarditis", code="10028606")]
    assert by_rule(assess(case(report(unjudged), codings=coding), STUDY))["CN_SUSAR_15D"].is_provisional
    found = by_rule(assess(case(report(unjudged), followed(SUSAR), codings=coding), STUDY))["CN_SUSAR_15D"]
    assert not found.is_provisional
    assert found.day_zero == date(2026, 3, 2)
    assert "confirmed by revision 2, received 2026-03-05 09:00 CST" in found.reasons


def test_an_event_left_out_of_a_follow_up_is_still_judged_and_still_rings() -> None:
    found = assess(case(report(FATAL), followed(event("rash", n=2, serious=False))), STUDY)
    assert [e.event_id for e in found.events] == ["TOC-0031-E1", "TOC-0031-E2"]
    assert "fatal" in kinds(found)


# --- the four minimum elements ---

UNJUDGED = event("rash", serious=True)


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        (report(SUSAR), ()),
        (report(SUSAR, subject=None), ("patient",)),
        (report(SUSAR, denied=True), ("patient",)),
        (report(SUSAR, reporter=False), ("reporter",)),
        (report(UNJUDGED, product=None), ("product",)),
        (report(), ("event",)),
        (report(kind=ReportKind.PREGNANCY), ()),
        (report(subject=None, reporter=False, product=None), ("patient", "reporter", "product", "event")),
    ],
)
@pytest.mark.rule("rules.md 2.5: the four minimum elements; readings.md clocks 3")
def test_the_four_elements_are_found_missing_one_by_one(told: Report, missing: tuple[str, ...]) -> None:
    assert missing_elements(told) == missing


@pytest.mark.rule("rules.md 2.5: a suspect product")
def test_an_opinion_on_the_relation_to_the_product_names_it() -> None:
    about_the_product = event("rash", investigator=Relation.NOT_RELATED)
    about_another = replace(UNJUDGED, opinions=(Opinion(Agent.BRIDGING, Party.INVESTIGATOR, Relation.RELATED),))
    assert missing_elements(report(about_the_product, product=None)) == ()
    assert missing_elements(report(about_another, product=None)) == ("product",)


@pytest.mark.rule("readings.md clocks 3: rings at first contact, provisional clock from then")
def test_an_incomplete_report_of_a_death_rings_and_runs_from_first_contact() -> None:
    found = assess(case(report(FATAL, reporter=False)), STUDY)
    clock = by_rule(found)["CN_SUSAR_7D"]
    assert "fatal" in kinds(found)
    assert found.missing == ("reporter",)
    assert (clock.day_zero, clock.is_provisional, clock.awaits) == (date(2026, 3, 2), True, ("reporter",))
    assert (
        "still missing an identifiable reporter: the legal day zero is the receipt of what is missing" in clock.reasons
    )


@pytest.mark.rule("readings.md clocks 3: the legal day zero is the receipt of the fourth element")
def test_the_legal_day_zero_is_the_receipt_of_the_last_element_and_says_so() -> None:
    coding = [coded("Myocarditis", code="10028606")]
    found = assess(case(report(FATAL, reporter=False), followed(FATAL), codings=coding), STUDY)
    clock = by_rule(found)["CN_SUSAR_7D"]
    assert found.missing == ()
    assert (clock.day_zero, clock.due_on, clock.awaits) == (date(2026, 3, 5), date(2026, 3, 12), ())
    assert not clock.is_provisional
    came = "the last of the minimum elements came with revision 2, received 2026-03-05 09:00 CST"
    assert f"{came}: this is the legal day zero" in clock.reasons


def test_elements_that_came_in_different_revisions_are_all_held() -> None:
    first = report(replace(FATAL, opinions=()), product=None)
    second = replace(followed(FATAL), has_reporter=False)
    found = assess(case(first, second), STUDY)
    assert found.missing == ()
    assert by_rule(found)["CN_SUSAR_7D"].day_zero == date(2026, 3, 5)


def test_a_downgrade_that_completes_the_elements_dates_the_clock_and_keeps_its_class() -> None:
    found = by_rule(assess(case(report(FATAL, reporter=False), followed(SUSAR)), STUDY))
    assert set(found) == {"CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D", "CN_GCP48_COPY_7D"}
    assert found["CN_SUSAR_7D"].day_zero == date(2026, 3, 5)


# --- the 24-hour clock of the site ---


def aware(told: Event, text: str, n: int = 1) -> Event:
    return replace(told, event_id=f"TOC-0031-E{n}", investigator_aware_at=event(aware=text).investigator_aware_at)


@pytest.mark.rule("INV_TO_SPONSOR_24H; readings.md clocks 1")
def test_the_sites_clock_runs_once_a_case_from_the_earliest_awareness_of_a_serious_event() -> None:
    first = report(
        aware(SUSAR, "2026-03-02T08:00"), aware(FATAL, "2026-03-01T20:00", 2), aware(HARMLESS, "2026-02-01", 3)
    )
    later = followed(aware(SUSAR, "2026-03-01T19:00"), aware(FATAL, "2026-03-01T22:00", 2))
    for held, due in ((case(first), "2026-03-02T20:00"), (case(first, later), "2026-03-02T19:00")):
        (found,) = by_rule(assess(held, STUDY), None).values()
        assert found.rule == "INV_TO_SPONSOR_24H"
        assert found.due_at == at(due)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (event("IEC-HS", serious=False, grade=1), ReportKind.ADVERSE_EVENT),
        (event("cough", serious=False, grade=3), ReportKind.ADVERSE_EVENT),
        (event("positive test", serious=False, grade=1), ReportKind.PREGNANCY),
    ],
)
@pytest.mark.rule("INV_TO_SPONSOR_24H: SAE, AESI, DLT candidate, pregnancy")
def test_the_sites_clock_runs_for_special_interest_dlt_candidates_and_pregnancy_too(
    told: Event, kind: ReportKind
) -> None:
    found = assess(case(report(aware(told, "2026-03-02T08:00"), kind=kind)), STUDY)
    assert by_rule(found, None)["INV_TO_SPONSOR_24H"].due_at == at("2026-03-03T08:00")


def test_the_sites_clock_does_not_run_for_an_event_that_is_neither() -> None:
    assert by_rule(assess(case(report(aware(HARMLESS, "2026-03-02T08:00"))), STUDY), None) == {}


@pytest.mark.parametrize("text", ["2026-03-02", "2026-03-02T08", "2026-03"])
def test_an_awareness_that_is_not_whole_counts_at_its_earliest_provisionally(text: str) -> None:
    found = by_rule(assess(case(report(aware(SUSAR, text))), STUDY), None)["INV_TO_SPONSOR_24H"]
    assert found.is_provisional
    assert found.due_at == {"2026-03-02": at("2026-03-03T00:00"), "2026-03-02T08": at("2026-03-03T08:00")}.get(
        text, at("2026-03-02T00:00")
    )


def test_an_awareness_after_the_receipt_counts_from_the_receipt_at_the_latest() -> None:
    found = by_rule(assess(case(report(aware(SUSAR, "2026-03-09T08:00"))), STUDY), None)["INV_TO_SPONSOR_24H"]
    assert found.due_at == at("2026-03-03T09:15")
    assert found.is_provisional
    assert "that is after we received it: whoever told us knew by then" in found.reasons


@pytest.mark.parametrize("text", [None, "--03-02"])
def test_without_a_date_of_awareness_there_is_no_sites_clock_and_nothing_is_made_up(text: str | None) -> None:
    told = replace(SUSAR, investigator_aware_at=event(aware=text).investigator_aware_at)
    assert by_rule(assess(case(report(told)), STUDY), None) == {}


def test_an_awareness_in_a_gap_or_an_overlap_still_gets_a_clock() -> None:
    for text, due in (("2026-03-08T02:30", "2026-03-09T02:30-04:00"), ("2026-11-01T01:30", "2026-11-02T01:30-04:00")):
        held = case(replace(report(aware(SUSAR, text), received="2026-12-01T09:00"), site="S09"))
        found = by_rule(assess(held, STUDY), None)["INV_TO_SPONSOR_24H"]
        assert found.is_provisional
        assert abs(found.due_at - at(due, NEW_YORK)) <= timedelta(hours=1)


# --- no history loses a clock, no order changes an answer ---

VERBATIMS = ("rash", "fever", "CRS grade 2", "patient died", "cardiac arrest", "ICANS")
RELATIONS = (None, YES, NO, Relation.CN_UNLIKELY)


@st.composite
def events(draw: st.DrawFn, n: int) -> Event:
    return event(
        draw(st.sampled_from(VERBATIMS)),
        n=n,
        onset=draw(st.sampled_from([None, "2026-03", "2026-03-11T08:00", "2026-05-01"])),
        grade=draw(st.sampled_from([None, 1, 3, 4, 5])),
        serious=draw(st.sampled_from([None, True, False])),
        criteria=draw(st.lists(st.sampled_from(list(Criterion)), max_size=2)),
        outcome=draw(st.sampled_from([None, Outcome.FATAL, Outcome.RECOVERED])),
        investigator=draw(st.sampled_from(RELATIONS)),
        sponsor=draw(st.sampled_from(RELATIONS)),
        aware=draw(st.sampled_from([None, "2026-03-01", "2026-03-01T20:00"])),
        nullified=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[Report, ...]:
    hours = sorted(draw(st.lists(st.integers(0, 24 * 40), min_size=1, max_size=4)))
    made = []
    for n, hour in enumerate(hours, 1):
        told = [draw(events(k)) for k in draw(st.sets(st.integers(1, 2)))]
        one = report(
            *told,
            revision=n,
            reporter=draw(st.booleans()),
            product=draw(st.sampled_from([None, "KQ-2003"])),
            nullified=draw(st.sampled_from([False, False, False, True])),
            kind=draw(st.sampled_from([ReportKind.ADVERSE_EVENT, ReportKind.ADVERSE_EVENT, ReportKind.PREGNANCY])),
        )
        made.append(replace(one, received_at=datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour)))
    return tuple(made)


@st.composite
def known(draw: st.DrawFn) -> tuple[tuple[Report, ...], tuple[Coded, ...]]:
    reports = draw(histories())
    terms = st.sampled_from([None, "Fever", "Cytokine release syndrome", "Sepsis"])
    codings = [
        coded(term, n=n, revision=r.revision, hour=hour, is_coded=term is not None)
        for r in reports
        for n in (1, 2)
        for hour in draw(st.sets(st.integers(1, 3), max_size=2))
        for term in [draw(terms)]
    ]
    return reports, tuple(codings)


PROTOCOLS = st.sampled_from(
    [STUDY, protocol("CN", "US", dlt=DEFINITION, safety=rsi(listed("Fever"), listed("Cytokine release syndrome", 3)))]
)
INFUSIONS = (infusion(), infusion("2026-04"))


@given(known(), PROTOCOLS, st.randoms(use_true_random=False))
@pytest.mark.rule("promise: the order of arrival of the same facts does not change the outcome")
@settings(max_examples=60, deadline=None)
def test_the_same_facts_in_any_order_and_twice_give_the_same_answer(facts, study, random) -> None:  # type: ignore[no-untyped-def]
    reports, codings = facts
    straight = assess(Case(reports, codings, INFUSIONS), study)
    shuffled = [list(part) * 2 for part in (reports, codings, INFUSIONS)]
    for part in shuffled:
        random.shuffle(part)
    again = assess(Case(*(tuple(part) for part in shuffled)), study)
    assert again == straight


@given(histories(), PROTOCOLS)
@pytest.mark.rule("promise: a later revision loses no running clock, and moves none later without its reason")
@settings(max_examples=150, deadline=None)
def test_no_later_revision_loses_a_clock_or_moves_it_later_without_a_reason(reports, study) -> None:  # type: ignore[no-untyped-def]
    for known_then, known_later in itertools.pairwise([reports[:n] for n in range(1, len(reports) + 1)]):
        before = [life for life in assess(Case(known_then), study).lives if life.is_open]
        after = {life.key: life for life in assess(Case(known_later), study).lives}
        for life in before:
            then = after[life.key]
            assert then.clock.due_at <= life.clock.due_at
            if then.status is Status.RUNNING:
                continue
            assert then.status is Status.SUPERSEDED
            assert then.superseded_by is not None
            successor = after[then.superseded_by]
            if successor.clock.due_at > life.clock.due_at:
                assert "this is the legal day zero" in then.because or successor.clock.day_zero > life.clock.day_zero


@given(known(), PROTOCOLS)
@pytest.mark.rule("promise: every clock has a rule, a clause and a day zero, which is never before the first receipt")
@settings(max_examples=100, deadline=None)
def test_every_clock_has_its_rule_clause_and_a_day_zero_not_before_first_receipt(facts, study) -> None:  # type: ignore[no-untyped-def]
    reports, codings = facts
    found = assess(Case(reports, codings, INFUSIONS), study)
    assert len({life.key for life in found.lives}) == len(found.lives)
    for clock in found.clocks:
        assert clock.rule
        assert clock.clause
        assert clock.day_zero <= clock.due_on
        assert clock.reasons
        if clock.rule != "INV_TO_SPONSOR_24H":
            assert clock.started_at in {r.received_at for r in reports}
            # A conservative day zero may be the day before in the authority's zone, of the same instant.
            assert clock.day_zero >= (reports[0].received_at - timedelta(hours=13)).date()


@given(known(), PROTOCOLS)
@settings(max_examples=100, deadline=None)
def test_concern_keys_are_unique_and_a_serious_event_never_stays_silent(facts, study) -> None:  # type: ignore[no-untyped-def]
    reports, codings = facts
    held = Case(reports, codings, INFUSIONS)
    found = assess(held, study)
    keys = [c.key for c in found.concerns]
    assert len(keys) == len(set(keys))
    rung = {c.event_id for c in found.concerns}
    assert {e.event_id for e in found.events if e.serious} <= rung
    assert len(found.events) == len(held.standing)
