"""The four minimum elements of a valid report, and which of them are still missing (ICH E2D; rules.md 2.5)."""

from __future__ import annotations

from tocsin.domain.case import Case, Report
from tocsin.domain.words import Agent, ReportKind

MINIMUM = {
    "patient": "an identifiable patient",
    "reporter": "an identifiable reporter",
    "product": "a suspect product",
    "event": "an adverse event",
}


def missing_elements(report: Report) -> tuple[str, ...]:
    """Which of the four minimum elements a report lacks (ICH E2D; rules.md 2.5).

    A subject at a trial site is an identifiable patient unless the report denies it (readings.md, clocks 3). An
    opinion on the relation to the product names the study's product, by whatever party it was given.
    """
    judges_the_product = any(o.agent is Agent.PRODUCT for e in report.events for o in e.opinions)
    has = {
        "patient": report.subject is not None and not report.patient_denied,
        "reporter": report.has_reporter,
        "product": report.product is not None or judges_the_product,
        "event": bool(report.events) or report.kind is not ReportKind.ADVERSE_EVENT,
    }
    return tuple(name for name in MINIMUM if not has[name])


def missing_so_far(case: Case, until: int | None = None) -> tuple[str, ...]:
    """Which minimum elements no revision has brought, up to and with revision `until`.

    What an earlier revision named is held, even when a later one leaves it out.
    """
    held = [r for r in case.revisions if not r.is_nullified and (until is None or r.revision <= until)]
    lacking = [set(missing_elements(r)) for r in held]
    return tuple(name for name in MINIMUM if all(name in one for one in lacking))
