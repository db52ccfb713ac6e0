"""Causality words, and the closed lists of the standards."""

from __future__ import annotations

import pytest

from tocsin.domain.known import Known
from tocsin.domain.words import Agent, Criterion, Outcome, Relation, ReportKind, is_suspected


@pytest.mark.parametrize(
    ("relation", "known"),
    [
        (Relation.RELATED, Known.YES),
        (Relation.NOT_RELATED, Known.NO),
        (Relation.CERTAIN, Known.YES),
        (Relation.PROBABLE, Known.YES),
        (Relation.POSSIBLE, Known.YES),
        (Relation.UNLIKELY, Known.NO),
        (Relation.CONDITIONAL, Known.YES),
        (Relation.UNASSESSABLE, Known.YES),
        (Relation.REMOTE, Known.YES),
        (Relation.CN_DEFINITE, Known.YES),
        (Relation.CN_PROBABLE, Known.YES),
        (Relation.CN_POSSIBLE, Known.YES),
        (Relation.CN_UNLIKELY, Known.YES),
        (Relation.CN_UNRELATED, Known.NO),
        (Relation.CN_UNASSESSABLE, Known.YES),
        (None, Known.UNKNOWN),
    ],
)
@pytest.mark.rule("rules.md 2.4")
def test_a_causality_word_leaves_a_reasonable_possibility_or_not(relation: Relation | None, known: Known) -> None:
    assert is_suspected(relation) is known


def test_no_causality_word_is_left_without_a_reading() -> None:
    assert {is_suspected(relation) for relation in Relation} == {Known.YES, Known.NO}


@pytest.mark.rule("E2B(R3) E.i.3.2, E.i.7")
def test_the_lists_hold_what_the_standards_name() -> None:
    assert [c.value for c in Criterion] == [
        "death",
        "life_threatening",
        "hospitalisation",
        "disability",
        "congenital_anomaly",
        "medically_important",
    ]
    assert {o.value for o in Outcome} == {
        "recovered",
        "recovering",
        "not_recovered",
        "recovered_with_sequelae",
        "fatal",
        "unknown",
    }
    assert {k.value for k in ReportKind} == {"adverse_event", "pregnancy", "product_event", "medication_error"}
    assert {"product", "lymphodepletion", "bridging", "apheresis", "other"} <= {a.value for a in Agent}
