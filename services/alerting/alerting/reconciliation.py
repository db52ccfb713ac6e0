"""A list compared with everything we hold of its sites: kept with what differs, asked of the sites, rung for a death.

Each comparison is a record of its own. A question follows from its difference, so the same difference is asked once,
however often a list is sent. What was found is on the log as a person's deed, so a rebuild has it and asks nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from alerting import alerts, cases, decisions, reconciliation_words
from alerting.parts import NAME, Parts
from alerting.tables import reconciliations, snapshots
from tocsin.domain import seriousness
from tocsin.domain.case import Case, Event
from tocsin.domain.protocol import Protocol
from tocsin.domain.reconcile import Comparison, Difference, Held, List, compare
from tocsin.messages.bodies import DecisionRecordedV1, EventsCodedV1, KeptEvent, QueryRaisedV1, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import audit, outbox

RECONCILED: Final = "list_reconciled"
ASKED: Final = "difference_asked"
TOPIC: Final = "queries.raised.v1"
_AT_ONCE: Final = 200
"""How many differences one message carries: thousands would be more than a broker takes."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A list as it was sent. `site` None: of all sites of the study."""

    study: str
    site: str | None
    source: str
    by: str
    raw: bytes
    listed: List


def reconcile(tx: Connection, parts: Parts, sent: Sent, at: datetime) -> UUID:
    """Compare, keep, ask and ring, in one transaction. Answers the number under which it is kept."""
    protocol = parts.study(sent.study)
    cases.lock_study(tx, sent.study)
    held = [known for known in _known(tx, sent.study) if sent.site is None or _site(known) == sent.site]
    found = compare(sent.listed, [event for known in held for event in _events(known, protocol)])
    digest = hashlib.sha256(sent.raw).hexdigest()
    number = identity("reconciliation", sent.study, sent.site or "", sent.source, digest, at.isoformat(), sent.by)
    latest = {known.case_id: known.latest for known in held}
    differences = [_asked(tx, protocol, sent, one, latest, number, at) for one in found.differences]
    for deed in _deeds(sent, digest, number, found, differences, at):
        keep(tx, parts, deed)
    audit.append(
        tx, at=at, who=sent.by, did="list reconciled", about=f"reconciliation {number}", study=sent.study,
        after={"site": sent.site, "source": sent.source, "sha256": digest, "rows": len(sent.listed.rows),
               "agreed": found.agreed, "differences": len(differences)},
    )  # fmt: skip
    return number


def _deeds(
    sent: Sent, digest: str, number: UUID, found: Comparison, differences: Sequence[dict[str, Any]], at: datetime
) -> Iterator[DecisionRecordedV1]:
    """What was found, in messages of a bearable size, the first of which has the deaths."""
    for part in range(0, max(len(differences), 1), _AT_ONCE):
        yield DecisionRecordedV1(
            decision_id=str(identity("decision", RECONCILED, str(number), str(part))), study=sent.study,
            what=RECONCILED, by=sent.by, at=at, about=str(number),
            detail={
                "site": sent.site, "source": sent.source, "sha256": digest, "rows": len(sent.listed.rows),
                "agreed": found.agreed, "part": part,
                "differences": [json.dumps(d, ensure_ascii=False) for d in differences[part : part + _AT_ONCE]],
            },
        )  # fmt: skip


def keep(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """Keep what a comparison found, and ring for the deaths in it. On a rebuild the log tells the same again."""
    if decisions.keep(tx, deed):
        envelope = Envelope(
            UUID(deed.decision_id), decisions.TOPIC, deed.study, NAME, deed.study, deed.at, deed.at, deed
        )
        outbox.put(tx, envelope)
    restore(tx, parts, deed)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """The row of a comparison, and its alerts, as the log tells them; part by part, in their order."""
    told = deed.detail["differences"]
    assert isinstance(told, list)
    differences: list[dict[str, Any]] = [json.loads(one) for one in told]
    row = reconciliations.c
    before = tx.scalars(select(row.differences).where(row.id == UUID(deed.about))).one_or_none()
    if before is None:
        detail = {name: deed.detail[name] for name in ("site", "source", "sha256", "rows", "agreed")}
        kept = {"id": UUID(deed.about), "study": deed.study, "at": deed.at, "by": deed.by, **detail}
        tx.execute(insert(reconciliations), {**kept, "differences": differences})
    else:
        whole = [*before, *differences]
        tx.execute(update(reconciliations).where(row.id == UUID(deed.about)).values(differences=whole))
    _ring(tx, parts, deed, differences)


def _ring(tx: Connection, parts: Parts, deed: DecisionRecordedV1, differences: Sequence[dict[str, Any]]) -> None:
    """A death that nobody reported: one page a subject, whatever else of it differs."""
    deaths: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in differences:
        if one["unheard_death"]:
            deaths[one["subject"]].append(one)
    for subject, found in deaths.items():
        keys = sorted({one["query_id"] for one in found})
        case_id = next((one["case_id"] for one in found if one["case_id"]), None)
        alert = alerts.Alert(
            key="|".join(["reconciliation", deed.study, subject, *keys]),
            study=deed.study,
            kind="reconciliation",
            level="page",
            reasons=tuple(_why(one, str(deed.detail["source"])) for one in found),
            case_id=case_id,
        )
        alerts.raise_one(tx, parts, alert, deed.at)


def _why(one: dict[str, Any], source: str) -> str:
    held = f"we hold {one['event_id']} as not fatal" if one["event_id"] else f"we hold no such event: {one['theirs']}"
    return f"row {one['row']} of the list of {source} is a death of subject {one['subject']}; {held}"


def _asked(
    tx: Connection, protocol: Protocol, sent: Sent, found: Difference,
    latest: dict[str, ReportReceivedV1 | None], number: UUID, at: datetime,
) -> dict[str, Any]:  # fmt: skip
    """A difference as it is kept, with the question to the site; the question is sent where it was never asked."""
    facts = (found.kind, found.field, found.subject or "", found.event_id or "", found.theirs or "", found.ours or "")
    query_id = str(identity("query", "reconciliation", sent.study, *facts))
    report = latest.get(found.case_id) if found.case_id else None
    is_new = decisions.record(
        tx, what=ASKED, about=query_id, parts=(), study=sent.study, case_id=found.case_id, by=sent.by, at=at,
        detail={"reconciliation_id": str(number)},
    )  # fmt: skip
    if is_new:
        site = report.site if report else _site_of(protocol, found.subject)
        body = QueryRaisedV1(
            query_id=query_id, case_id=found.case_id, study=sent.study, site=site, kind="reconciliation",
            about=reconciliation_words.about(found, report),
            question=reconciliation_words.question(found, sent.source), raised_at=at, batch=f"reconciliation {number}",
        )  # fmt: skip
        key = found.case_id or site
        outbox.put(tx, Envelope(identity(TOPIC, query_id), TOPIC, key, NAME, sent.study, at, at, body))
    return {
        "row": found.row, "case_id": found.case_id, "event_id": found.event_id, "subject": found.subject,
        "kind": found.kind.value, "field": found.field.value, "theirs": found.theirs, "ours": found.ours,
        "query_id": query_id, "unheard_death": found.is_unheard_death,
    }  # fmt: skip


def _site_of(protocol: Protocol, subject: str | None) -> str:
    """The site that a row's subject names; every row that was understood names one."""
    match = protocol.subject_pattern.fullmatch(subject or "")
    assert match is not None
    return match["site"]


def _site(known: cases.Known) -> str | None:
    return known.latest.site if known.latest else None


def _known(tx: Connection, study: str) -> Iterator[cases.Known]:
    """Every case of a study that a report has come of, in one query."""
    s = snapshots.c
    rows = tx.execute(
        select(s.case_id, s.source, s.revision, s.body).where(s.study == study).order_by(s.case_id, s.revision)
    )
    found: dict[str, cases.Known] = {}
    for row in rows:
        known = found.setdefault(row.case_id, cases.Known(row.case_id))
        if row.source == cases.REPORT:
            known.reports[row.revision] = ReportReceivedV1.model_validate(row.body)
        else:
            known.codings[row.revision] = EventsCodedV1.model_validate(row.body)
    return (known for known in found.values() if known.reports)


def _events(known: cases.Known, protocol: Protocol) -> Iterator[Held]:
    """The standing events of a case as the site told them: what the sponsor signed is not the site's to list."""
    latest = known.latest
    assert latest is not None
    site = protocol.site(latest.site)
    zone = site.zone if site else protocol.receiver_zone
    case = known.case((), coded_before=cases.ALL_CODINGS)
    told = {kept.event_id: kept for report in known.reports.values() for kept in report.events}
    for event, _ in case.standing:
        judged = seriousness.of(event, case.coding_of(event), protocol.special_interest, protocol.grading.crs)
        yield Held(
            case_id=known.case_id,
            event_id=event.event_id,
            subject=latest.subject,
            terms=_terms(case, event),
            zone=zone,
            onset=event.onset,
            is_serious=bool(judged.serious),
            is_fatal=bool(judged.fatal),
            criteria=event.criteria,
            outcome=event.outcome,
            references=_references(latest, told[event.event_id]),
        )


def _terms(case: Case, event: Event) -> tuple[str, ...]:
    coded = case.coding_of(event)
    return (event.verbatim, coded.term) if coded and coded.term else (event.verbatim,)


def _references(latest: ReportReceivedV1, kept: KeptEvent) -> frozenset[str]:
    """The names that a list may give the event beside our numbers: the site's own, the row it was imported from."""
    source = latest.facts.source
    names = (kept.facts.ref, source.reference if source else None)
    return frozenset(name for name in names if name)
