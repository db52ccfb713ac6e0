"""What a site is asked in a request for a follow-up, and since when it counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.domain.cases import SUSAR, at, case, event, report
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Case, Event
from tocsin.domain.follow_up import (
    OUTCOMES,
    PHRASES,
    Request,
    Wanted,
    about,
    names_terminal_report,
    question,
    requests,
    since,
)
from tocsin.domain.words import Agent, Criterion, Outcome, Relation

E1 = "TOC-0031-E1"
WHOLE = replace(SUSAR, onset=Partial.parse("2026-03-01"), end=Partial.parse("2026-03-05"), outcome=Outcome.RECOVERED)
DEATH = replace(WHOLE, end=None, outcome=Outcome.FATAL, criteria=frozenset({Criterion.DEATH}))


def asked(*events: Event, dead: bool = False, **facts: object) -> Sequence[Request]:
    """What is asked of a case of one report, all of whose events are serious."""
    ids = [one.event_id for one in events]
    return requests(case(report(*events, **facts)), ids, ids if dead else [], {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "wanted", "place"),
    [
        (replace(WHOLE, onset=None), Wanted.ONSET, "/events/0/onset"),
        (replace(WHOLE, grades=()), Wanted.GRADE, "/events/0/grade"),
        (replace(WHOLE, opinions=()), Wanted.OPINION, "/events/0/causality"),
        (replace(WHOLE, outcome=None), Wanted.OUTCOME, "/events/0/outcome"),
        (replace(WHOLE, outcome=Outcome.UNKNOWN), Wanted.OUTCOME, "/events/0/outcome"),
        (replace(WHOLE, outcome=Outcome.NOT_RECOVERED), Wanted.COURSE, "/events/0/outcome"),
        (replace(WHOLE, outcome=Outcome.RECOVERING), Wanted.COURSE, "/events/0/outcome"),
        (replace(WHOLE, end=None), Wanted.END, "/events/0/end"),
        (replace(WHOLE, end=None, outcome=Outcome.RECOVERED_WITH_SEQUELAE), Wanted.END, "/events/0/end"),
    ],
)
def test_what_is_not_told_or_not_settled_is_asked_where_it_belongs(told: Event, wanted: Wanted, place: str) -> None:
    assert [(one.wanted, one.about) for one in asked(told)] == [(wanted, place)]


def test_nothing_is_asked_of_an_event_that_is_told_to_its_end() -> None:
    assert asked(WHOLE) == ()


def test_an_opinion_on_another_agent_is_none_on_the_product() -> None:
    elsewhere = replace(WHOLE, opinions=tuple(replace(o, agent=Agent.BRIDGING) for o in WHOLE.opinions))
    assert [one.wanted for one in asked(elsewhere)] == [Wanted.OPINION]


def test_the_missing_minimum_elements_come_first() -> None:
    found = asked(replace(WHOLE, end=None), subject=None, reporter=False)
    assert [(one.wanted, one.about) for one in found] == [
        (Wanted.PATIENT, "/subject"), (Wanted.REPORTER, "/reporter"), (Wanted.END, "/events/0/end"),
    ]  # fmt: skip


def test_an_event_that_is_not_serious_is_not_followed_up_beside_one_that_is() -> None:
    mild = event("headache", n=2, serious=False)
    found = requests(case(report(replace(WHOLE, end=None), mild)), [E1], [], {})
    assert [one.event_id for one in found] == [E1]


def test_a_nullified_case_and_a_nullified_event_leave_nothing_to_ask() -> None:
    bare = event("pneumonia")
    whole = case(report(bare), report(bare, revision=2, nullified=True))
    assert requests(whole, [E1], [], {}) == ()
    taken_back = case(report(bare, WHOLE), report(replace(bare, is_nullified=True), revision=2))
    assert requests(taken_back, [E1], [], {}) == ()


@pytest.mark.rule("rules.md 1.3: CN_INV")
@pytest.mark.parametrize(
    ("words", "is_asked"),
    [
        ("", True),
        ("The family has been informed.", True),
        ("Autopsy is pending.", True),
        ("Autopsy consent was obtained.", True),
        ("Cause of death unknown.", True),
        ("尸检结果待回报。", True),
        ("The result will follow. Autopsy: massive pulmonary embolism.", False),
        ("The family refused an autopsy.", False),
        ("Family did not consent to autopsy", False),
        ("尸检报告：肺栓塞。", False),
        ("家属不同意尸检", False),
        ("死因：感染性休克", False),
    ],
)
def test_of_a_death_the_terminal_report_is_asked_until_words_tell_it(words: str, is_asked: bool) -> None:
    dead = case(report(DEATH), report(DEATH, revision=2))
    found = requests(dead, [E1], [E1], {1: (), 2: (words,)})
    assert [one.wanted for one in found] == ([Wanted.TERMINAL_REPORT] if is_asked else [])
    assert names_terminal_report(words) is not is_asked


@pytest.mark.rule("rules.md 1.3: CN_INV")
def test_words_that_came_before_the_death_tell_no_terminal_report_of_it() -> None:
    text = "Cause of death of the father: lymphoma"
    alive = replace(DEATH, criteria=frozenset({Criterion.LIFE_THREATENING}), outcome=Outcome.NOT_RECOVERED)
    told = case(report(alive), report(DEATH, revision=2), report(DEATH, revision=3))
    assert [one.wanted for one in requests(told, [E1], [E1], {1: (text,), 2: (text,), 3: (text,)})] == [
        Wanted.TERMINAL_REPORT
    ]
    assert requests(told, [E1], [E1], {1: (text,), 2: (text,), 3: (text, "Autopsy: sepsis")}) == ()


def test_a_fatal_event_is_not_asked_for_a_grade_or_an_end() -> None:
    assert [one.wanted for one in asked(replace(DEATH, grades=()), dead=True)] == [Wanted.TERMINAL_REPORT]


@pytest.mark.rule("rules.md 1.2 D1")
def test_it_counts_from_the_receipt_of_the_report_that_first_told_of_it() -> None:
    mild = event("pneumonia", serious=False, grade=2)
    severe = replace(mild, criteria=frozenset({Criterion.HOSPITALISATION}))
    dead = replace(severe, criteria=frozenset({Criterion.DEATH}))
    told = [
        report(mild, received="2026-03-02T09:00"),
        report(severe, revision=2, received="2026-03-04T09:00"),
        report(dead, revision=3, received="2026-03-06T09:00"),
        report(dead, revision=4, received="2026-03-08T09:00"),
    ]
    assert since(case(told[0]), urgent=False) is None
    assert since(case(*told), urgent=False) == at("2026-03-04T09:00")
    assert since(case(*reversed(told)), urgent=True) == at("2026-03-06T09:00")
    assert since(case(*told[:2]), urgent=True) is None


def test_what_was_told_and_taken_back_does_not_move_the_day_it_counts_from() -> None:
    first = replace(SUSAR, verbatim="pneumonia")
    gone = replace(first, is_nullified=True)
    told = case(
        report(first, received="2026-03-02T09:00"),
        report(gone, event("sepsis", n=2, serious=True), revision=2, received="2026-03-09T09:00"),
    )
    assert since(told, urgent=False) == at("2026-03-02T09:00")


def test_no_word_on_seriousness_counts_as_serious() -> None:
    told = case(report(event("pneumonia"), received="2026-03-02T09:00"))
    assert since(told, urgent=False) == at("2026-03-02T09:00")


def test_the_question_is_one_text_in_both_languages() -> None:
    open_still = asked(replace(WHOLE, outcome=Outcome.RECOVERING, opinions=()))
    assert question("TOC-0031", open_still, day=7, number=3, of=3) == (
        "Follow-up request 3 of 3 (day 7) for TOC-0031. Please tell what is new: "
        '(1) TOC-0031-E1 ("myocarditis"): in the investigator\'s opinion, is it related to the investigational '
        'product?; (2) TOC-0031-E1 ("myocarditis"): last told as recovering. How is it now, and what was done?\n'
        "TOC-0031 随访询问，第 3 次，共 3 次（第 7 天）。请告知最新情况："
        '（1）TOC-0031-E1 ("myocarditis")：研究者认为与试验用药品是否有关？；'
        '（2）TOC-0031-E1 ("myocarditis")：上次报告的转归为“好转”。目前情况如何？采取了什么措施？'
    )


def test_a_sites_own_words_are_not_read_as_a_form_to_fill() -> None:
    (one,) = asked(replace(WHOLE, verbatim="{outcome} {0}", outcome=None))
    assert one.english == 'TOC-0031-E1 ("{outcome} {0}"): what is its outcome?'


def test_one_open_fact_is_pointed_at_and_several_are_the_whole_report() -> None:
    assert about(asked(replace(WHOLE, end=None))) == "/events/0/end"
    assert about(asked(replace(WHOLE, end=None, opinions=()))) == ""


def test_every_question_has_its_chinese_with_the_same_places_to_fill() -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"{\w+}", text))

    assert set(PHRASES) == set(Wanted)
    for phrase in [*PHRASES.values(), *OUTCOMES.values()]:
        assert re.search("[一-鿿]", phrase.chinese)
        assert places(phrase.english) == places(phrase.chinese)


def test_adding_facts_never_opens_more_and_order_does_not_matter() -> None:
    bare = event("pneumonia", criteria=[Criterion.HOSPITALISATION])
    steps = [bare, replace(bare, onset=Partial.parse("2026-03")), WHOLE]
    open_ones = [len(asked(step)) for step in steps]
    assert open_ones == sorted(open_ones, reverse=True)
    base = at("2026-03-02T09:00")
    told = [replace(report(step, revision=n), received_at=base + timedelta(days=n)) for n, step in enumerate(steps, 1)]
    assert requests(Case(tuple(told)), [E1], [], {}) == requests(Case(tuple(reversed(told))), [E1], [], {}) == ()


def test_an_investigator_who_judges_it_not_related_has_given_an_opinion() -> None:
    judged = event("rash", onset="2026-03-01", grade=3, investigator=Relation.NOT_RELATED, outcome=Outcome.RECOVERING)
    assert [one.wanted for one in asked(judged)] == [Wanted.COURSE]
