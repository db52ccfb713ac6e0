"""Grading again whatever new observations may have changed, and saying only what is different now.

All values of an analyte are graded together, because any of them may be the baseline of the others: so the outcome
does not depend on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from meddra_coder import chart, gradebook, ward_grades
from meddra_coder.grading import ALBUMIN, TOTAL_CALCIUM, Chart, grade_analyte
from tocsin.criteria import load_lab_criteria
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import DerivedGrade


def regrade(
    tx: Connection, protocol: Protocol, site: str, subject: str, analytes: Iterable[str], kinds: Iterable[str], *,
    record_id: str, at: datetime, afresh: bool = False,
) -> None:  # fmt: skip
    """Grade these analytes and these kinds of observation of a subject, and put what changed into the outbox.

    `afresh`: what they are read against has changed, so nothing that was worked out before is taken over.
    """
    known = protocol.site(site)
    zone = known.zone if known else protocol.receiver_zone
    read_against = Chart(
        study=protocol.id,
        subject=subject,
        zone=zone,
        infused=chart.first_infusion(tx, protocol.id, subject, zone),
        criteria=load_lab_criteria(protocol.ctcae),
    )
    wanted = set(analytes)
    if ALBUMIN in wanted:
        wanted.add(TOTAL_CALCIUM)
    values = chart.of_analytes(tx, protocol.id, subject, {*wanted, ALBUMIN} if TOTAL_CALCIUM in wanted else wanted)
    before = gradebook.standing(tx, protocol.id, subject, wanted)
    now: dict[str, list[DerivedGrade]] = {
        name: grade_analyte(
            values[name],
            read_against,
            albumin=values.get(ALBUMIN, ()),
            before=() if afresh else before[name].values(),
        )
        for name in sorted(wanted)
    }
    for syndrome in ward_grades.touched_by(kinds, wanted):
        if syndrome.analytes:
            needed = tuple(one for name in sorted(syndrome.analytes) for one in values[name])
        else:
            needed = chart.of_kinds(tx, protocol.id, subject, syndrome.kinds)
        now[syndrome.name] = syndrome.grade(needed, read_against)
    before |= gradebook.standing(tx, protocol.id, subject, now.keys() - wanted)
    gradebook.keep_and_say(
        tx, {about: gradebook.changes(grades, before[about]) for about, grades in now.items()},
        record_id=record_id, study=protocol.id, site=site, subject=subject, at=at,
    )  # fmt: skip
