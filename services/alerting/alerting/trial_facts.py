"""Everything that alerting holds of one trial, as the dose board reads it: subjects, product, what people signed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, bindparam, select

from alerting import kept_verdicts, subject_facts, watched
from alerting.tables import doses, hold_deeds, holds, snapshots, subject_watch
from alerting.tables import verdicts as verdict_rows
from tocsin.domain.board.facts import (
    Confirmed,
    Enrolled,
    Given,
    Lifted,
    ProductEvent,
    Raised,
    Recommended,
    Reviewed,
    SubjectFacts,
    TrialFacts,
    Withdrawn,
)
from tocsin.domain.board.settings import ProductFault
from tocsin.domain.calendars import Partial
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import ReportKind
from tocsin.messages.bodies import DoseRecordedV1
from tocsin.messages.facts import EnrolmentFacts, InfusionFacts, ProductEventFacts, WithdrawalFacts

LIFTED, CONFIRMED, RECOMMENDED = "lifted", "confirmed", "recommended"
REVIEW = "review:"
"""How the key of a hold begins that waits for the committee's review of the level below."""

# Made once: these run for every message that may change the board, and making a statement costs as much as running it.
_D, _V, _W, _S = doses.c, verdict_rows.c, subject_watch.c, snapshots.c
_RECORDED = select(_D.body).where(_D.study == bindparam("of_study")).order_by(_D.received_at, _D.record_id)
_RECORDED_OF_ONE = _RECORDED.where(_D.subject == bindparam("of_subject"))
_JUDGED = select(verdict_rows).where(_V.study == bindparam("of_study")).order_by(_V.key)
_JUDGED_OF_ONE = _JUDGED.where(_V.subject == bindparam("of_subject"))
_TELLING = _JUDGED.where(_V.state != State.NONE.value)
_WATCH = select(_W.subject, _W.body).where(_W.study == bindparam("of_study"))
_WATCH_OF_ONE = _WATCH.where(_W.subject == bindparam("of_subject"))
_DEEDS = select(hold_deeds).where(hold_deeds.c.study == bindparam("of_study")).order_by(hold_deeds.c.id)
_HOLDS = select(holds).where(holds.c.study == bindparam("of_study")).order_by(holds.c.id)
_PRODUCT_EVENTS = (
    select(_S.case_id, _S.at, _S.body)
    .where(
        _S.study == bindparam("of_study"), _S.source == "report",
        _S.kind == ReportKind.PRODUCT_EVENT.value,
    )
    .order_by(_S.case_id, _S.revision)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """All facts of one trial."""

    subjects: tuple[SubjectFacts, ...]
    trial: TrialFacts


def of_study(tx: Connection, protocol: Protocol, *, is_shown: bool = True) -> Known:
    """What is known of a trial now.

    Not `is_shown`: without the verdicts on events of which no rule says anything. Nothing of the board follows from
    them, and of a study with many events they are nearly all.
    """
    recorded = _recorded(tx, protocol.id)
    by_subject: defaultdict[str, list[DoseRecordedV1]] = defaultdict(list)
    for body in recorded:
        if body.subject is not None:
            by_subject[body.subject].append(body)
    judged = _by_subject(tx.execute(_JUDGED if is_shown else _TELLING, {"of_study": protocol.id}))
    kept = {row.subject: row.body for row in tx.execute(_WATCH, {"of_study": protocol.id})}
    names = sorted({*subject_facts.subjects_of(tx, protocol.id), *by_subject})
    subjects = tuple(
        _subject(protocol, name, by_subject[name], judged.get(name, ()), kept.get(name, {})) for name in names
    )
    alarming = [one for name in names for one in watched.alarming_of(name, kept.get(name, {}))]
    deeds = list(tx.execute(_DEEDS, {"of_study": protocol.id}))
    raised = list(tx.execute(_HOLDS, {"of_study": protocol.id}))
    return Known(
        subjects,
        TrialFacts(
            product_events=(*_of_doses(recorded), *_of_reports(tx, protocol.id)),
            alarming=tuple(alarming),
            reviewed=tuple(_reviewed(deeds, protocol)),
            recommended=tuple(
                Recommended(d.key, (d.by,), d.at, d.reason or "") for d in deeds if d.what == RECOMMENDED
            ),
            raised=tuple(
                Raised(r.key, r.kind, r.level, tuple(r.levels), r.raised_at, tuple(r.reasons)) for r in raised
            ),
            lifted=tuple(
                Lifted(d.key, (d.by,), d.at, d.reason or "")
                for d in deeds
                if d.what == LIFTED and not d.key.startswith(REVIEW)
            ),
            confirmed=tuple(Confirmed(d.key, d.party, d.by, d.at) for d in deeds if d.what == CONFIRMED),
        ),
    )


def of_subject(tx: Connection, protocol: Protocol, name: str) -> SubjectFacts | None:
    """What is known of one subject; None where nobody enrolled or dosed it."""
    recorded = _recorded(tx, protocol.id, name)
    if not recorded:
        return None
    watch = tx.execute(_WATCH_OF_ONE, {"of_study": protocol.id, "of_subject": name}).one_or_none()
    kept = {} if watch is None else watch.body
    judged = _by_subject(tx.execute(_JUDGED_OF_ONE, {"of_study": protocol.id, "of_subject": name}))
    return _subject(protocol, name, recorded, judged.get(name, ()), kept)


def _recorded(tx: Connection, study: str, subject: str | None = None) -> list[DoseRecordedV1]:
    asked = {"of_study": study, "of_subject": subject}
    rows = tx.scalars(_RECORDED, {"of_study": study}) if subject is None else tx.scalars(_RECORDED_OF_ONE, asked)
    return [DoseRecordedV1.model_validate(body) for body in rows]


def _by_subject(rows: Iterable[Row[Any]]) -> dict[str, tuple[Verdict, ...]]:
    found: defaultdict[str, list[Verdict]] = defaultdict(list)
    for row in rows:
        found[row.subject].append(kept_verdicts.of_row(row))
    return {subject: tuple(ones) for subject, ones in found.items()}


def _subject(
    protocol: Protocol, name: str, recorded: Iterable[DoseRecordedV1], judged: tuple[Verdict, ...],
    kept: dict[str, Any],
) -> SubjectFacts:  # fmt: skip
    told = list(recorded)
    enrolled = [b.facts for b in told if isinstance(b.facts, EnrolmentFacts)]
    given = [b.facts for b in told if isinstance(b.facts, InfusionFacts)]
    left = [b.facts for b in told if isinstance(b.facts, WithdrawalFacts)]
    site = _site(protocol, name, told)
    known = protocol.site(site)
    zone = known.zone if known else protocol.receiver_zone
    more = watched.of_body(kept)
    days = [one.enrolled_on for one in enrolled] + [one.started_at for one in given]
    contacts = {day for text in days if (day := watched.day_of(Partial.parse(text))) is not None}
    return SubjectFacts(
        id=name,
        site=site,
        zone=ZoneInfo(kept["zone"]) if "zone" in kept else zone,
        enrolled=tuple(Enrolled(one.level, Partial.parse(one.enrolled_on)) for one in enrolled),
        given=tuple(
            Given(Partial.parse(one.started_at), one.level, _exact(one.planned), _exact(one.given), one.unit)
            for one in given
        ),
        withdrawn=tuple(Withdrawn(Partial.parse(one.withdrawn_on), one.reason) for one in left),
        deaths=more["deaths"],
        verdicts=judged,
        contacts=more["contacts"] | contacts,
        severe_icans=more["severe_icans"],
    )


def _site(protocol: Protocol, name: str, told: Iterable[DoseRecordedV1]) -> str:
    """Where a subject is treated: the site that infused it, else the one in its number."""
    by_infusion = sorted(told, key=lambda body: body.facts.kind != "infusion")
    if by_infusion:
        return by_infusion[0].site
    found = protocol.subject_pattern.fullmatch(name)
    return found["site"] if found else ""


def _exact(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def _of_doses(recorded: Iterable[DoseRecordedV1]) -> Iterable[ProductEvent]:
    for body in recorded:
        if isinstance(body.facts, ProductEventFacts):
            said = "; ".join(text for text in (body.facts.description, body.facts.lot) if text)
            yield ProductEvent(body.record_id, ProductFault(body.facts.what), body.received_at, said)


def _of_reports(tx: Connection, study: str) -> Iterable[ProductEvent]:
    """The product events that came as reports: by the newest revision of each case."""
    rows = tx.execute(_PRODUCT_EVENTS, {"of_study": study}).all()
    newest: dict[str, dict[str, Any]] = {row.case_id: row.body for row in rows}
    first = {row.case_id: row.at for row in reversed(rows)}
    for case_id, body in sorted(newest.items()):
        if body.get("is_nullified"):
            continue
        detail = body["facts"].get("detail")
        fault = ProductFault(detail) if detail in {one.value for one in ProductFault} else ProductFault.OTHER
        yield ProductEvent(case_id, fault, first[case_id], f"reported as {case_id}")


def _reviewed(deeds: Iterable[Row[Any]], protocol: Protocol) -> Iterable[Reviewed]:
    """The signed reviews: each opens the level that its hold names, and is of the level below."""
    places = [level.id for level in protocol.levels]
    for deed in deeds:
        if deed.what != LIFTED or not deed.key.startswith(REVIEW):
            continue
        upper = deed.key.removeprefix(REVIEW).removesuffix(":again")
        if upper in places[1:]:
            yield Reviewed(places[places.index(upper) - 1], (deed.by,), deed.at, deed.reason or "")
