"""CRS by CTCAE and beside the consensus, written out by hand from rules.md 3.1 and readings.md, DLT 6."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tocsin.domain.crs import CrsFacts, Device
from tocsin.domain.crs_ctcae import crs_ctcae
from tocsin.domain.graded import Graded, Grading
from tocsin.domain.known import Known
from tocsin.domain.side_by_side import every_scale
from tocsin.domain.words import Scale

YES, NO, UNKNOWN = Known.YES, Known.NO, Known.UNKNOWN
FEBRILE = CrsFacts(
    fever=YES, fever_earlier=NO, antipyretic=NO, anti_cytokine=NO, hypotension=NO, pressors=0, vasopressin=NO,
    device=Device.NONE,
)  # fmt: skip
AFEBRILE = replace(FEBRILE, fever=NO)
D = Device


def bounds(grading: Grading) -> tuple[int, int]:
    assert isinstance(grading, Graded), grading
    return grading.lowest, grading.highest


@pytest.mark.rule("rules.md 3.1")
@pytest.mark.parametrize(
    ("hypotension", "pressors", "vasopressin", "least", "most"),
    [
        (NO, 0, NO, 1, 1),
        (YES, 0, NO, 2, 2),
        (YES, 1, NO, 3, 3),
        (YES, 0, YES, 3, 3),
        (YES, 1, YES, 4, 4),
        (YES, 2, NO, 4, 4),
        (YES, 1, UNKNOWN, 3, 4),
        (UNKNOWN, 0, NO, 1, 2),
        (YES, 0, UNKNOWN, 2, 3),
        (YES, None, NO, 2, 4),
        (YES, None, YES, 3, 4),
    ],
)
def test_ctcae_counts_every_pressor_and_ends_grade_3_at_one(
    hypotension: Known, pressors: int | None, vasopressin: Known, least: int, most: int
) -> None:
    facts = replace(FEBRILE, hypotension=hypotension, pressors=pressors, vasopressin=vasopressin)
    assert bounds(crs_ctcae(facts)) == (least, most)
    assert bounds(crs_ctcae(facts, "6.0")) == (least, most)


@pytest.mark.rule("rules.md 3.1")
@pytest.mark.parametrize(
    ("device", "flow", "fio2", "v5", "v6"),
    [
        (D.NONE, None, None, (1, 1), (1, 1)),
        (D.LOW_FLOW_NC, "2", None, (2, 2), (2, 2)),
        (D.LOW_FLOW_NC, "4", None, (2, 2), (2, 2)),
        (D.LOW_FLOW_NC, "5", None, (2, 3), (2, 2)),
        (D.LOW_FLOW_NC, None, None, (2, 3), (2, 2)),
        (D.LOW_FLOW_NC, "6", "44", (3, 3), (2, 2)),
        (D.BLOW_BY, None, None, (2, 3), (2, 2)),
        (D.BLOW_BY, None, "30", (2, 2), (2, 2)),
        (D.HIGH_FLOW_NC, "40", None, (2, 3), (3, 3)),
        (D.HIGH_FLOW_NC, "40", "30", (2, 2), (3, 3)),
        (D.FACEMASK, None, "39.9", (2, 2), (3, 3)),
        (D.FACEMASK, None, "40", (3, 3), (3, 3)),
        (D.VENTURI, None, "28", (2, 2), (3, 3)),
        (D.NONREBREATHER, None, None, (3, 3), (3, 3)),
        (D.CPAP, None, None, (2, 4), (4, 4)),
        (D.BIPAP, None, "50", (3, 4), (4, 4)),
        (D.INTUBATED, None, "30", (4, 4), (4, 4)),
        (None, None, None, (1, 4), (1, 4)),
        (None, None, "35", (2, 4), (1, 4)),
    ],
)
def test_ctcae_v5_goes_by_40_percent_and_v6_by_the_device(
    device: Device | None, flow: str | None, fio2: str | None, v5: tuple[int, int], v6: tuple[int, int]
) -> None:
    facts = replace(
        FEBRILE,
        device=device,
        flow_l_per_min=None if flow is None else Decimal(flow),
        fio2_percent=None if fio2 is None else Decimal(fio2),
    )
    assert bounds(crs_ctcae(facts, "5.0")) == v5
    assert bounds(crs_ctcae(facts, "6.0")) == v6


@pytest.mark.rule("rules.md 3.1")
def test_an_estimated_concentration_says_that_it_is_one() -> None:
    found = crs_ctcae(replace(FEBRILE, device=D.LOW_FLOW_NC, flow_l_per_min=Decimal(4)))
    assert "estimated as 36 % (4 % for each litre)" in found.reasons[0]


@pytest.mark.rule("rules.md 3.1")
def test_ctcae_asks_for_no_fever() -> None:
    assert bounds(crs_ctcae(replace(AFEBRILE, pressors=1))) == (3, 3)
    assert bounds(crs_ctcae(AFEBRILE)) == (0, 0)
    assert bounds(crs_ctcae(replace(AFEBRILE, fever=UNKNOWN))) == (0, 1)
    assert bounds(crs_ctcae(replace(AFEBRILE, died_of_it=YES))) == (5, 5)


@pytest.mark.rule("readings.md DLT 6", "rules.md 3.1", "rules.md 3.2")
@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            replace(FEBRILE, pressors=1, vasopressin=YES),
            "ASTCT 2019 says grade 3, CTCAE v5.0 grade 4: CTCAE counts vasopressin",
        ),
        (replace(AFEBRILE, pressors=1), "ASTCT 2019 says grade 0, CTCAE v5.0 grade 3: ASTCT needs a fever"),
        (
            replace(AFEBRILE, pressors=1, antipyretic=UNKNOWN),
            "ASTCT 2019 says not gradable, CTCAE v5.0 grade 3: ASTCT needs a fever",
        ),
        (
            replace(FEBRILE, device=D.FACEMASK, fio2_percent=Decimal(35)),
            "ASTCT 2019 says grade 3, CTCAE v5.0 grade 2: ASTCT goes by the oxygen device",
        ),
    ],
)
def test_both_scales_are_told_and_why_they_differ(facts: CrsFacts, said: str) -> None:
    found = every_scale(facts)
    assert [(each.scale, each.edition) for each in found.grades] == [(Scale.ASTCT, "2019"), (Scale.CTCAE, "5.0")]
    assert len(found.differ) == 1
    assert found.differ[0].startswith(said)


@pytest.mark.rule("readings.md DLT 6")
def test_scales_that_agree_need_no_sentence() -> None:
    assert every_scale(replace(FEBRILE, pressors=1), ctcae=("5.0", "6.0")).differ == ()
