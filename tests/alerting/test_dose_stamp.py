"""The stamp of the dose page: it changes with every fact and every limit, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.alerting.desk import Desk
from tests.alerting.dose_desk import PENDING, panel, stamp
from tests.alerting.test_assessments import SPONSOR_NO, decide
from tests.alerting.test_dlt import AS_CRS, CRS, anc, observed, sign
from tests.alerting.test_trial import HOUR, TWO, ask, held, infused, lift
from tests.alerting.test_values import derived
from tests.alerting.ward import HEADACHE, MILD, NOON, Ward, coding, dose, report


def _signs(found: Ward) -> None:
    assert sign(found, "CONFIRMED").status_code == 201


def _lifts(found: Ward) -> None:
    lift(found, held(found, "second_dlt")[0], by="medical_director")


def _confirms(found: Ward) -> None:
    hold = held(found, "second_dlt")[0]
    ask(found, f"/v1/holds/{hold['hold_id']}/confirmations", {"party": "cell_lab"}, "cell_lab")


def _reviews(found: Ward) -> None:
    assert decide(Desk(found), "medical_review", causality=SPONSOR_NO, events=["TOC-0031-E1"])["state"] == "in_force"


HEAD = {**MILD, "verbatim": "headache, worse in the evening"}

CHANGES: dict[str, Callable[[Ward], None]] = {
    "a report": lambda found: found.receive(report(CRS, case="TOC-0099", subject="S01-009")),
    "a revision": lambda found: found.receive(report(HEAD, case="TOC-0050", revision=2, subject="S01-001")),
    "a coding": lambda found: found.receive(coding(AS_CRS, case="TOC-0099")),
    "another coding of the same revision": lambda found: found.receive(
        coding({"term": "Migraine"}, case="TOC-0050", at=NOON + timedelta(seconds=1))
    ),
    "a withdrawal": lambda found: found.receive(
        dose("W1", kind="withdrawal", subject="S01-001", withdrawn_on="2026-05-14", reason="withdrew consent")
    ),
    "another observation of a known subject": lambda found: found.receive(
        observed(anc(4.0, "2026-05-13T08:00+08:00"), subject="S01-001")
    ),
    "a dose": lambda found: found.receive(infused("S01-009", "DL1", "2026-05-14T09:00+08:00")),
    "an observation": lambda found: found.receive(observed(anc(0.4, "2026-05-13T08:00+08:00"), subject="S01-009")),
    "a product event": lambda found: found.receive(
        dose("P1", kind="product_event", what="sterility", found_at="2026-05-14", lot="L7")
    ),
    "a grade": lambda found: found.receive(derived("R9", grade_id="g9")),
    "a grade that is corrected": lambda found: found.receive(derived(number=2, lowest=3)),
    "a signed decision on a case": _reviews,
    "a signature on a verdict": _signs,
    "a hold that is lifted": _lifts,
    "a hold that is confirmed": _confirms,
    "the minute": lambda found: found.move(timedelta(minutes=1)),
}


@pytest.mark.rule("promise: an open dose board follows every fact, with its reason")
@pytest.mark.parametrize("what", CHANGES)
def test_the_stamp_changes_with_each_kind_of_fact_and_with_the_minute(trial: Ward, what: str) -> None:
    # What is told of S01-001 below is older than what is known of it already: its verdicts stand as of later.
    trial.receive(*TWO, derived(), report(MILD, case="TOC-0050", subject="S01-001"), coding(HEADACHE, case="TOC-0050"))
    trial.receive(report(MILD, case="TOC-0051", subject="S01-001", at=NOON + HOUR))
    before = stamp(trial)
    CHANGES[what](trial)
    assert stamp(trial) != before


@pytest.mark.rule("promise: an open dose board follows every fact, with its reason")
def test_the_stamp_changes_with_a_limit_that_passes_within_the_minute(trial: Ward) -> None:
    trial.receive(*PENDING)
    trial.fast_forward(timedelta(days=6, hours=23), step=12 * HOUR)
    before = stamp(trial)
    trial.fast_forward(timedelta(seconds=2), step=timedelta(seconds=1))
    assert stamp(trial) != before
    assert "met by its rule" in panel(trial, "h-open")


def test_the_stamp_stays_while_nothing_is_known_anew(trial: Ward) -> None:
    trial.receive(*TWO)
    before = stamp(trial)
    trial.receive(TWO[0], TWO[2])
    trial.do_chores()
    trial.move(timedelta(seconds=59))
    assert stamp(trial) == before
