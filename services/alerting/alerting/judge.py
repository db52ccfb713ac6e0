"""One case, judged by everything known of it: clocks kept, alerts raised. For a report, a coding and a dose alike."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from alerting import alerts, cases, clocks, follow_ups, kinds, so_far, trial
from alerting.parts import NAME, Parts
from alerting.so_far import SoFar
from alerting.tables import clocks as clock_rows
from tocsin.domain.assess import MINIMUM, Assessment, Concern, assess
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import ReportReceivedV1


def judge(
    tx: Connection, parts: Parts, protocol: Protocol, known: SoFar, *, why: str, at: datetime,
    is_new_case: bool = False, coded_before: int = cases.ALL_CODINGS, by: str = NAME,
) -> Assessment:  # fmt: skip
    """Assess a case and keep what follows. `at`: when the facts became known, `by`: who made them known."""
    latest = known.latest
    assessment = assess(known.judged(coded_before), protocol, known.past)
    kept = clocks.keep(
        tx, protocol, latest.case_id, assessment.lives, is_new_case=is_new_case, why=why, at=at, by=by,
    )  # fmt: skip
    alerts.raise_for(
        tx, parts, protocol.id, latest.case_id, latest.revision,
        [*assessment.concerns, *_for_people(latest, kept)],
        is_new_case=is_new_case, beside=_beside(latest, assessment), explained=kept.explained,
        assumptions=assessment.assumptions, due=kept.soonest, at=at,
    )  # fmt: skip
    follow_ups.keep(tx, protocol, known.case, assessment, at, is_new_case=is_new_case)
    return assessment


def judge_again(
    tx: Connection, parts: Parts, study: str, case_id: str, *, why: str, at: datetime, by: str
) -> Assessment | None:
    """Judge a case anew after a person has sent or signed something about it; None while no report of it has come."""
    cases.lock_study(tx, study)
    protocol, known = parts.study(study), so_far.of(tx, cases.load(tx, case_id))
    if known is None:
        return None
    assessment = judge(tx, parts, protocol, known, why=why, at=at, by=by)
    trial.follow_case(tx, parts, protocol, known, at, why=why)
    return assessment


def judge_all_again(parts: Parts, *, why: str, at: datetime) -> int:
    """Judge every case that has an open clock, each in its own transaction; answers how many.

    For tables that an older version kept: what is new about a clock, its timers too, follows from its facts.
    """
    with parts.store.reading() as connection:
        c = clock_rows.c
        found = connection.execute(
            select(c.study, c.case_id).where(c.is_open.is_(True)).distinct().order_by(c.study, c.case_id)
        ).all()
    served = [row for row in found if row.study in parts.studies]
    for row in served:
        with parts.store.transaction() as tx:
            judge_again(tx, parts, row.study, row.case_id, why=why, at=at, by=NAME)
    return len(served)


def urgency(assessment: Assessment) -> int:
    """How soon an uncoded case is rung for, smallest first: pages, then serious ones, then the rest."""
    levels = {concern.level for concern in assessment.concerns}
    return kinds.urgency("warn", "uncoded") + (0 if "page" in levels else 1 if levels else 2)


def _for_people(report: ReportReceivedV1, kept: clocks.Kept) -> list[Concern]:
    """What only a person may decide: clocks go on running meanwhile."""
    if report.is_nullified:
        reasons = ["the site nullified the case: its clocks go on running until a person decides"]
        if report.reason:
            reasons.append(f"the site's reason: {report.reason}")
        key = f"{report.case_id}:nullified:{report.revision}"
        return [Concern(key, "nullified", "review", None, tuple(reasons), False)]
    return list(kept.concerns)


def _beside(report: ReportReceivedV1, assessment: Assessment) -> list[str]:
    said = [f"contradiction at {c.pointer}: {c.problem}; read as {c.read_as}" for c in report.contradictions]
    if assessment.missing:
        said.append("still missing: " + ", ".join(MINIMUM[name] for name in assessment.missing))
    said += [f"may tell of the same as {d.case_id}: {'; '.join(d.reasons)}" for d in report.possible_duplicates]
    return said
