"""What a house made of the reports it accepted: told by the facts alone, so that two houses can be compared.

Case numbers, ids and times differ from house to house; which report was coded how, which clocks it started and what
rang does not.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Any

from sqlalchemy import select

from ae_intake import tables as intake
from alerting import tables as alerting
from meddra_coder import tables as coder
from tests.support.shapes import Shape
from tocsin.store import audit

Outcome = dict[str, dict[str, Any]]


def outcome(shape: Shape) -> Outcome:
    """By the reference each report came with: its codings, its clocks, its alerts and who was told."""
    with ExitStack() as stack:
        tx = {name: stack.enter_context(store.reading()) for name, store in shape.stores(stack).items()}
        snapshots = tx["alerting"].execute(select(alerting.snapshots).where(alerting.snapshots.c.source == "report"))
        reference = {row.case_id: row.body["facts"]["source"]["reference"] for row in snapshots}
        found: Outcome = {
            name: {"codings": [], "clocks": [], "alerts": [], "told": Counter()} for name in reference.values()
        }
        for row in tx["coder"].execute(select(coder.codings).order_by(coder.codings.c.seq)):
            found[reference[row.case_id]]["codings"].append((row.revision, row.verbatim, row.status, row.llt_code))
        for row in tx["alerting"].execute(select(alerting.clocks).order_by(alerting.clocks.c.rule)):
            found[reference[row.case_id]]["clocks"].append((row.rule, row.status, row.is_provisional))
        told = {}
        for row in tx["alerting"].execute(select(alerting.alerts).order_by(alerting.alerts.c.kind)):
            if row.case_id is not None:
                told[row.id] = found[reference[row.case_id]]
                told[row.id]["alerts"].append((row.kind, row.level, row.state))
        for row in tx["alerting"].execute(select(alerting.notices)):
            if row.alert_id in told:
                told[row.alert_id]["told"][(row.role, row.step)] += 1
        return found


def doubled(found: Outcome) -> list[str]:
    """Every report that was coded, clocked or rung for more than once for one and the same thing."""
    wrong = []
    for reference, of in found.items():
        for what in ("codings", "clocks", "alerts"):
            counted: Counter[Any] = Counter(of[what])
            wrong += [f"{reference}: {what} {thing} x {n}" for thing, n in counted.items() if n > 1]
        wrong += [f"{reference}: told {who} x {n}" for who, n in of["told"].items() if n > 1]
    return wrong


def accepted(shape: Shape) -> int:
    """How many cases intake holds."""
    with shape.reading("intake") as tx:
        return len(tx.execute(select(intake.cases.c.case_id)).all())


def undelivered(shape: Shape) -> list[str]:
    """Every delivery that did not reach its receiver."""
    with shape.reading("alerting") as tx:
        rows = tx.execute(select(alerting.deliveries).where(alerting.deliveries.c.state != "delivered")).all()
    return [f"{row.channel} {row.state}" for row in rows]


def broken_audit(shape: Shape) -> list[str]:
    """The first broken link of each service's chain; empty when all are whole."""
    with ExitStack() as stack:
        verdicts = {}
        for name, store in shape.stores(stack).items():
            with store.reading() as tx:
                verdicts[name] = audit.verify(tx)
    return [f"{name}: {verdict}" for name, verdict in verdicts.items() if isinstance(verdict, audit.Broken)]
