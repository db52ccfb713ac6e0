"""A list of a site's serious events and deaths, compared with what we hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.cases import SHANGHAI
from tocsin.domain.calendars import Partial
from tocsin.domain.known import Known
from tocsin.domain.reconcile import Comparison, Difference, Field, Held, Kind, List, Listed, compare
from tocsin.domain.words import Criterion, Outcome

EVERY_FIELD = frozenset(Field)
EVERY_CRITERION = frozenset(Criterion)
HOSPITAL = frozenset({Criterion.HOSPITALISATION})


def held(term: str = "pneumonia", *, n: int = 1, case: int = 31, onset: str | None = "2026-05-13", **more: Any) -> Held:
    facts: dict[str, Any] = {"criteria": HOSPITAL, "outcome": Outcome.RECOVERED, **more}
    subject = facts.pop("subject", "S01-003")
    return Held(
        f"TOC-00{case}", f"TOC-00{case}-E{n}", subject, (term,), SHANGHAI,
        onset=None if onset is None else Partial.parse(onset), **facts,
    )  # fmt: skip


def row(term: str | None = "pneumonia", *, n: int = 1, onset: str | None = "2026-05-13", **more: Any) -> Listed:
    facts: dict[str, Any] = {"serious": Known.YES, "criteria": HOSPITAL, "outcome": Outcome.RECOVERED, **more}
    return Listed(
        n, facts.pop("subject", "S01-003"), term, None if onset is None else Partial.parse(onset), **facts
    )  # fmt: skip


def compared(rows: Sequence[Listed], ours: Sequence[Held], **columns: Any) -> Comparison:
    whole = List(tuple(rows), columns.get("fields", EVERY_FIELD), columns.get("criteria", EVERY_CRITERION))
    return compare(whole, ours)


def told(found: Comparison) -> list[tuple[str, str, str | None, str | None]]:
    return [(d.kind.value, d.field.value, d.theirs, d.ours) for d in found.differences]


def test_a_row_that_says_what_we_hold_agrees() -> None:
    assert compared([row()], [held()]) == Comparison(1, ())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (row("PNEUMONIA, left lung"), held("pneumonia left lung")),
        (row("pneumonia"), replace(held("lung infection"), terms=("lung infection", "Pneumonia"))),
        (row(onset="2026-05"), held()),
        (row(), held(onset="2026-05-13T08:30")),
        (row(outcome=Outcome.UNKNOWN), held(outcome=None)),
        (row(serious=Known.UNKNOWN), held()),
        (row(onset=None), held(onset=None)),
    ],
)
def test_what_says_less_in_other_words_is_no_difference(theirs: Listed, ours: Held) -> None:
    assert compared([theirs], [ours]) == Comparison(1, ())


@pytest.mark.parametrize(
    ("theirs", "ours", "difference"),
    [
        (row(onset="2026-05-11"), held(), ("differs", "onset", "2026-05-11", "2026-05-13")),
        (row(onset="2026-04-20"), held(), ("differs", "onset", "2026-04-20", "2026-05-13")),
        (row(onset=None), held(), ("differs", "onset", None, "2026-05-13")),
        (row(), held(onset=None), ("differs", "onset", "2026-05-13", None)),
        (row(outcome=Outcome.RECOVERING), held(), ("differs", "outcome", "recovering", "recovered")),
        (row(outcome=None), held(), ("differs", "outcome", None, "recovered")),
        (row(), held(outcome=Outcome.UNKNOWN), ("differs", "outcome", "recovered", None)),
        (row(serious=Known.NO, criteria=frozenset()), held(criteria=frozenset()), ("differs", "serious", "no", "yes")),
        (row(), held(is_serious=False), ("differs", "serious", "yes", "no")),
        (row(criteria=frozenset()), held(), ("differs", "criteria", None, "hospitalisation")),
        (row("sepsis", references=frozenset({"TOC-0031-E1"})), held(), ("differs", "term", "sepsis", "pneumonia")),
        (row(outcome=Outcome.FATAL), held(), ("differs", "death", "yes", "no")),
        (row(death=Known.YES), held(), ("differs", "death", "yes", "no")),
        (row(), held(is_fatal=True), ("differs", "death", None, "yes")),
        (row(death=Known.NO), held(is_fatal=True), ("differs", "death", "no", "yes")),
        (row("肺炎"), held("pneumonia"), ("differs", "term", "肺炎", "pneumonia")),
    ],
)
def test_each_fact_that_differs_is_named_with_both_readings(
    theirs: Listed, ours: Held, difference: tuple[str, str, str | None, str | None]
) -> None:
    found = compared([theirs], [ours])
    assert (told(found), found.agreed) == ([difference], 0)
    assert (found.differences[0].row, found.differences[0].event_id) == (1, "TOC-0031-E1")


def test_what_the_list_has_no_column_for_is_not_compared() -> None:
    bare = row(onset=None, outcome=None, criteria=frozenset(), serious=Known.UNKNOWN)
    for ours in (held(), held(is_fatal=True, outcome=Outcome.FATAL)):
        assert compared([bare], [ours], fields=frozenset({Field.TERM}), criteria=frozenset()).differences == ()


def test_a_row_that_we_do_not_hold_and_an_event_that_they_do_not_have_are_two_differences() -> None:
    found = compared([row("sepsis")], [held("pneumonia")])
    assert told(found) == [
        ("not_ours", "event", "sepsis, onset 2026-05-13", None),
        ("not_theirs", "event", None, "pneumonia, onset 2026-05-13"),
    ]


def test_an_event_of_another_subject_is_another_event() -> None:
    assert [d.kind for d in compared([row(subject="S01-004")], [held()]).differences] == [
        Kind.NOT_OURS, Kind.NOT_THEIRS,
    ]  # fmt: skip


def test_the_same_words_months_apart_are_two_events() -> None:
    found = compared([row(onset="2026-01-13")], [held()])
    assert [d.kind for d in found.differences] == [Kind.NOT_OURS, Kind.NOT_THEIRS]


def test_a_row_that_is_not_serious_and_that_nobody_holds_is_no_difference() -> None:
    mild = row("headache", serious=Known.NO, criteria=frozenset())
    assert compared([mild], []) == Comparison(1, ())
    assert [d.kind for d in compared([replace(mild, serious=Known.UNKNOWN)], []).differences] == [Kind.NOT_OURS]


def test_an_event_of_ours_that_is_not_serious_need_not_be_in_the_list() -> None:
    assert compared([], [held(is_serious=False)]) == Comparison(0, ())


@pytest.mark.rule("promise: a death in a list that nobody reported rings")
@pytest.mark.parametrize(
    ("rows", "ours", "unheard"),
    [
        ([row(outcome=Outcome.FATAL)], [], [True]),
        ([row(outcome=Outcome.FATAL)], [held()], [True]),
        ([row(criteria=frozenset({Criterion.DEATH}))], [held(criteria=frozenset())], [True]),
        ([row(outcome=Outcome.FATAL)], [held("sepsis", is_fatal=True, outcome=Outcome.FATAL)], [False]),
        ([row(death=Known.UNKNOWN, outcome=None)], [], [False]),
        ([row(death=Known.YES)], [held(is_fatal=True), held("fall", n=2)], [False]),
    ],
)
def test_a_death_of_a_subject_of_whom_we_hold_none_is_the_most_urgent(
    rows: list[Listed], ours: list[Held], unheard: list[bool]
) -> None:
    found = compared(rows, ours).differences
    assert [d.is_unheard_death for d in found if d.field is not Field.CRITERIA] == unheard


def test_a_death_that_nobody_reported_stands_first() -> None:
    rows = [row("sepsis", n=1), row("found dead", n=2, subject="S01-009", death=Known.YES, onset=None)]
    assert [d.subject for d in compared(rows, []).differences] == ["S01-009", "S01-003"]


def test_a_subject_dies_once_so_two_accounts_of_a_death_are_one_event() -> None:
    found = compared([row("found dead", death=Known.YES, onset=None)], [held("cardiac arrest", is_fatal=True)])
    assert {d.kind for d in found.differences} == {Kind.DIFFERS}


def test_our_number_names_the_event_although_nobody_told_us_its_subject() -> None:
    found = compared([row(references=frozenset({"TOC-0031-E1"}))], [held(subject=None)])
    assert found == Comparison(1, ())


def test_a_number_that_both_use_for_something_else_does_not_make_one_event() -> None:
    theirs = row("fracture", onset="2026-01-01", references=frozenset({"AE-1"}))
    found = compared([theirs], [held("pneumonia", references=frozenset({"AE-1"}))])
    assert [d.kind for d in found.differences] == [Kind.NOT_OURS, Kind.NOT_THEIRS]


def test_of_two_like_events_each_row_finds_its_own() -> None:
    ours = [held(n=1, onset="2026-05-10"), held(n=2, onset="2026-05-12", outcome=Outcome.RECOVERING)]
    rows = [row(n=1, onset="2026-05-12", outcome=Outcome.RECOVERING), row(n=2, onset="2026-05-10")]
    assert compared(rows, ours) == Comparison(2, ())


def test_a_row_that_is_there_twice_finds_one_event() -> None:
    found = compared([row(n=1), row(n=2)], [held()])
    assert (found.agreed, [d.kind for d in found.differences]) == (1, [Kind.NOT_OURS])


WORDS = st.sampled_from(["pneumonia", "Pneumonia, left", "sepsis", "febrile neutropenia", "肺炎", "细胞因子释放综合征"])
DATES = st.sampled_from([None, "2026", "2026-05", "2026-05-10", "2026-05-12", "2026-05-13T08:00", "2026-06-30"])
EVENTS = st.builds(
    held,
    WORDS,
    onset=DATES,
    subject=st.sampled_from(["S01-001", "S01-002"]),
    is_serious=st.booleans(),
    is_fatal=st.booleans(),
    criteria=st.frozensets(st.sampled_from([Criterion.HOSPITALISATION, Criterion.DISABILITY])),
    outcome=st.sampled_from([None, *(o for o in Outcome if o is not Outcome.FATAL)]),
)


def numbered(events: Sequence[Held]) -> list[Held]:
    return [replace(e, case_id=f"TOC-{n:04}", event_id=f"TOC-{n:04}-E1") for n, e in enumerate(events, 1)]


def exported(events: Sequence[Held]) -> list[Listed]:
    """Our own serious events as a list, without our numbers."""
    return [
        Listed(
            n,
            e.subject or "",
            e.terms[0],
            e.onset,
            Known.of(e.is_serious),
            e.criteria,
            Known.YES if e.is_fatal else Known.UNKNOWN,
            e.outcome,
        )
        for n, e in enumerate(events, 1)
        if e.is_serious or (not e.is_fatal and not e.criteria)
    ]


def without_places(found: Comparison) -> tuple[int, list[Difference]]:
    return found.agreed, sorted((replace(d, row=None) for d in found.differences), key=repr)


@pytest.mark.rule("promise: every difference between a list and ours is asked of the site, once")
@given(st.lists(EVENTS, max_size=8))
def test_our_own_export_compared_with_ourselves_gives_no_difference(events: list[Held]) -> None:
    ours = numbered([e for e in events if e.is_serious or (not e.is_fatal and not e.criteria)])
    rows = exported(ours)
    assert compared(rows, ours) == Comparison(len(rows), ())


@given(st.lists(EVENTS, max_size=6), st.lists(EVENTS, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_events_does_not_matter(theirs: list[Held], events: list[Held], chance: Any) -> None:
    rows, ours = exported(numbered(theirs)), numbered(events)
    whole = without_places(compared(rows, ours))
    chance.shuffle(rows)
    chance.shuffle(ours)
    shuffled = [replace(one, row=n) for n, one in enumerate(rows, 1)]
    assert without_places(compared(shuffled, ours)) == whole


@given(st.lists(EVENTS, max_size=6), st.lists(EVENTS, max_size=6))
def test_every_row_and_every_serious_event_is_accounted_for_once(theirs: list[Held], events: list[Held]) -> None:
    rows, ours = exported(numbered(theirs)), numbered(events)
    found = compared(rows, ours)
    with_difference = {d.row for d in found.differences if d.row is not None}
    assert found.agreed + len(with_difference) == len(rows)
    by_row = {d.row: d.event_id for d in found.differences if d.kind is Kind.DIFFERS}
    assert len(set(by_row.values())) == len(by_row)
    not_theirs = [d.event_id for d in found.differences if d.kind is Kind.NOT_THEIRS]
    assert len(set(not_theirs)) == len(not_theirs)
    assert not set(not_theirs) & set(by_row.values())
