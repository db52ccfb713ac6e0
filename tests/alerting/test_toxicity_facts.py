"""What the toxicity page reads: the grade that the rules go by, each new fact at once, few queries for many cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as sql_event

from alerting.desk.toxicity_case import grades_by_scale
from alerting.desk.toxicity_facts import Facts, Ledger
from tests.alerting.desk import Desk
from tests.alerting.test_assessments import decide
from tests.alerting.test_dlt import RELATED, UNRELATED
from tests.alerting.test_trial import infused
from tests.alerting.test_values import NEUTROPENIA, derived
from tests.alerting.ward import STUDY, Ward, coding, report, studies, ward
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Coded, Event, GradeStep
from tocsin.domain.derived import Derived
from tocsin.domain.dlt.definition import GradedBy
from tocsin.domain.dlt.lasting import grades_of
from tocsin.domain.dlt.subject import Reported
from tocsin.domain.graded import Graded
from tocsin.domain.known import Known
from tocsin.domain.toxicity import Onset, ScaleGrade
from tocsin.domain.words import CrsScale, Scale

SHANGHAI = ZoneInfo("Asia/Shanghai")
LOW = {"verbatim": "neutrophils low", "onset": "2026-05-13", "serious": False, "grade": {"ctcae": 2}}
TREATED = infused("S01-003", "DL1", "2026-05-11T10:00+08:00")


@pytest.fixture
def any_trial(any_database: Callable[[], str], tmp_path: Path) -> Iterator[Ward]:
    """A house that serves the study with its dose levels, on SQLite, and one on PostgreSQL."""
    with ward(any_database(), tmp_path, studies()) as found:
        yield found


def read(ledger: Ledger, found: Ward) -> Facts:
    with found.store.reading() as tx:
        return ledger.of_study(tx, found.studies[STUDY], found.at)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement that runs meanwhile."""
    said: list[str] = []

    def note(*told: Any) -> None:
        said.append(told[2])

    sql_event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        sql_event.remove(Engine, "before_cursor_execute", note)


def value(lowest: int, highest: int) -> Derived:
    grading = Graded(Scale.CTCAE, "5.0", "Neutrophil count decreased", "10029366", lowest, highest, ("measured",))
    return Derived(grading, Partial.parse("2026-05-13T06:00"), datetime(2026, 5, 14, tzinfo=UTC), ("O1",), "ANC")


STEPS = (
    GradeStep(1, Scale.CTCAE, Partial.parse("2026-05-13")), GradeStep(3, Scale.CTCAE, Partial.parse("2026-05-15")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("event", "values", "most"),
    [
        (Event("E1", "x", grades=((Scale.CTCAE, 2),)), (), 2),
        (Event("E1", "x", grades=((Scale.CTCAE, 2),)), (value(4, 4),), 4),
        (Event("E1", "x", grades=((Scale.CTCAE, 3),)), (value(1, 1),), 3),
        (Event("E1", "x", grades=((Scale.CTCAE, 2),)), (value(1, 4),), 2),
        (Event("E1", "x"), (value(1, 4),), 4),
        (Event("E1", "x", onset=Partial.parse("2026-05-13"), course=STEPS), (), 3),
        (Event("E1", "x", grades=((Scale.ASTCT, 3),)), (value(2, 2),), 2),
    ],
)
def test_the_grade_on_a_scale_is_the_one_that_the_rules_on_dose_limiting_toxicity_go_by(
    event: Event, values: tuple[Derived, ...], most: int
) -> None:
    coded = Coded("E1", 1, True, "10029366", "Neutrophil count decreased", "Investigations", "CTCAE 5.0")
    by_rule = grades_of(
        Reported("TOC-1", event, coded, derived=values), SHANGHAI, GradedBy.CTCAE, CrsScale.WORST_OF
    )  # fmt: skip
    found = {one.scale: one.most for one in grades_by_scale(event, values)}
    assert (found[Scale.CTCAE], by_rule.most) == (most, most)


def test_each_fact_is_seen_by_a_ledger_that_has_read_the_case_before(any_trial: Ward) -> None:
    ledger = Ledger()
    any_trial.receive(report({**LOW, "causality": UNRELATED}, case="TOC-0031", subject="S01-003"))
    (event,) = read(ledger, any_trial).events
    assert (event.term, event.onset, event.related) == (None, Onset(), Known.NO)
    assert event.grades == (ScaleGrade(Scale.CTCAE, 2, 2),)

    any_trial.receive(coding(NEUTROPENIA))
    assert read(ledger, any_trial).events[0].term == "Neutrophil count decreased"

    any_trial.receive(TREATED)
    found = read(ledger, any_trial)
    assert found.events[0].onset == Onset(2, 2, Known.YES)
    assert [(one.treated.subject, one.treated.level, one.today, one.month) for one in found.infused] == [
        ("S01-003", "DL1", 3, "2026-05")
    ]

    any_trial.receive(derived(lowest=4))
    assert read(ledger, any_trial).events[0].grades == (ScaleGrade(Scale.CTCAE, 4, 4),)
    any_trial.receive(derived(number=2, gone=True))
    assert read(ledger, any_trial).events[0].grades == (ScaleGrade(Scale.CTCAE, 2, 2),)

    decide(Desk(any_trial), "medical_review", causality=[{"agent": "product", "relation": "related"}])
    assert read(ledger, any_trial).events[0].related is Known.YES

    any_trial.receive(report({**LOW, "causality": RELATED, "grade": {"ctcae": 3}}, case="TOC-0031", revision=2))
    assert read(ledger, any_trial).events[0].grades == (ScaleGrade(Scale.CTCAE, 3, 3),)

    any_trial.receive(report(case="TOC-0031", revision=3, nullified=True))
    assert read(ledger, any_trial).events == ()


def test_a_follow_up_with_another_subject_moves_the_event_to_it(trial: Ward) -> None:
    ledger = Ledger()
    trial.receive(TREATED, report(LOW, case="TOC-0031", subject="S01-009"))
    assert [one.onset for one in read(ledger, trial).events] == [Onset()]
    trial.receive(report(LOW, case="TOC-0031", subject="S01-003", revision=2))
    assert [(one.subject, one.onset.first) for one in read(ledger, trial).events] == [("S01-003", 2)]


def test_the_preferred_term_is_that_of_the_path_where_a_licensed_dictionary_gives_it(trial: Ward) -> None:
    path = ["LLT 10000001 low white cells", "PT 10000002 White cells decreased", "SOC 10022891 Investigations"]
    trial.receive(TREATED, report(LOW, case="TOC-0031", subject="S01-003"))
    trial.receive(coding({"llt_code": "10000001", "term": "low white cells", "soc": "Investigations", "path": path}))
    assert read(Ledger(), trial).events[0].term == "White cells decreased"


def test_an_infusion_that_is_dated_in_the_future_has_treated_nobody_yet(trial: Ward) -> None:
    trial.receive(infused("S01-003", "DL1", "2026-05-20T10:00+08:00"))
    assert read(Ledger(), trial).infused == ()


def test_the_number_of_queries_does_not_grow_with_the_cases(trial: Ward) -> None:
    ledger = Ledger()
    trial.receive(TREATED, *(report(LOW, case=f"TOC-01{n:02d}", subject="S01-003") for n in range(30)))
    with counted() as first:
        assert len(read(ledger, trial).events) == 30
    with counted() as again:
        assert len(read(ledger, trial).events) == 30
    # Four say what is held, and one reads the cases; no grade is known of the subject.
    assert (sum("SELECT" in one for one in first), sum("SELECT" in one for one in again)) == (5, 4)
