"""Builders of cases for the tests of the rules: what is not named is unknown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.environment import reference_folder
from tocsin import clockrules
from tocsin.criteria import load_terms
from tocsin.domain.affirmed import WORDING
from tocsin.domain.calendars import Partial, instant
from tocsin.domain.case import Case, Coded, Event, Infusion, Opinion, Report
from tocsin.domain.clocks import Mode
from tocsin.domain.dlt import DltDefinition, DltRule, Exclusion
from tocsin.domain.known import Known
from tocsin.domain.protocol import ClockSettings, ExpectedReaction, Protocol, ReferenceSafetyInformation, Site
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.submissions import Submission, SubmissionKind
from tocsin.domain.words import Agent, Criterion, Outcome, Party, Relation, ReportKind, Scale

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
REFERENCE = reference_folder()

CODES = {term.name: term.code for term in load_terms("5.0")}


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return instant(text, zone)


def event(
    verbatim: str = "rash",
    *,
    n: int = 1,
    onset: str | None = None,
    grade: int | None = None,
    astct: int | None = None,
    serious: bool | None = None,
    criteria: Sequence[Criterion] = (),
    outcome: Outcome | None = None,
    investigator: Relation | None = None,
    sponsor: Relation | None = None,
    aware: str | None = None,
    nullified: bool = False,
    **more: Any,
) -> Event:
    grades = [(scale, g) for scale, g in ((Scale.CTCAE, grade), (Scale.ASTCT, astct)) if g is not None]
    by = ((Party.INVESTIGATOR, investigator), (Party.SPONSOR, sponsor))
    return Event(
        event_id=f"TOC-0031-E{n}",
        verbatim=verbatim,
        onset=None if onset is None else Partial.parse(onset),
        stated_serious=Known.of(serious),
        criteria=frozenset(criteria),
        outcome=outcome,
        grades=tuple(grades),
        opinions=tuple(Opinion(Agent.PRODUCT, party, said) for party, said in by if said is not None),
        investigator_aware_at=None if aware is None else Partial.parse(aware),
        is_nullified=nullified,
        **more,
    )


def report(
    *events: Event,
    revision: int = 1,
    received: str = "2026-03-02T09:15",
    zone: ZoneInfo = SHANGHAI,
    subject: str | None = "S01-001",
    reporter: bool = True,
    product: str | None = "KQ-2003",
    kind: ReportKind = ReportKind.ADVERSE_EVENT,
    nullified: bool = False,
    denied: bool = False,
) -> Report:
    return Report(
        case_id="TOC-0031",
        revision=revision,
        study="NCT06223646",
        site="S01",
        kind=kind,
        received_at=at(received, zone).astimezone(UTC),
        subject=subject,
        patient_denied=denied,
        has_reporter=reporter,
        product=product,
        events=events,
        is_nullified=nullified,
    )


def coded(
    term: str | None, *, n: int = 1, revision: int = 1, code: str | None = None, hour: int = 1, is_coded: bool = True
) -> Coded:
    known = None if term is None else code or CODES[term]
    when = datetime(2026, 3, 3, hour, tzinfo=UTC)
    return Coded(f"TOC-0031-E{n}", revision, is_coded, known, term, None, "CTCAE v5.0", when)


def submitted(
    when: str, recipient: str = "CDE", *, n: int | Sequence[int] = 1, kind: SubmissionKind = SubmissionKind.INITIAL,
    rejected: str | None = None, name: str | None = None,
) -> Submission:  # fmt: skip
    """A report that was sent, of the n-th event or of several."""
    events = (n,) if isinstance(n, int) else tuple(n)
    return Submission(
        id=name or f"sent {when} to {recipient}",
        sent_at=at(when).astimezone(UTC),
        kind=kind,
        recipient=recipient,
        event_ids=frozenset(f"TOC-0031-E{one}" for one in events),
        reference=f"reference of {when}",
        by="A. Reporter",
        rejected_at=None if rejected is None else at(rejected).astimezone(UTC),
        rejected_because="" if rejected is None else "wrong format",
    )


def signed(
    deed: Deed, when: str, *, n: int | None = None, by: Sequence[str] = ("Dr Li",), sponsor: Relation | None = None,
    criteria: Sequence[Criterion] = (), is_expected: Known = Known.UNKNOWN, aware: str | None = None,
    revision: int | None = None, other_case: str | None = None,
) -> Signed:  # fmt: skip
    """A signed decision on the n-th event, or on every event of the case."""
    return Signed(
        id=f"{deed.value} {when}",
        deed=deed,
        signed_at=at(when).astimezone(UTC),
        by=tuple(by),
        reason="as discussed",
        event_ids=frozenset() if n is None else frozenset([f"TOC-0031-E{n}"]),
        opinions=() if sponsor is None else (Opinion(Agent.PRODUCT, Party.SPONSOR, sponsor),),
        criteria=frozenset(criteria),
        is_expected=is_expected,
        aware_at=None if aware is None else at(aware).astimezone(UTC),
        revision=revision,
        other_case=other_case,
    )


def infusion(started: str = "2026-03-02T10:00") -> Infusion:
    return Infusion(Partial.parse(started), "DL1")


def case(*reports: Report, codings: Sequence[Coded] = (), infusions: Sequence[Infusion] = ()) -> Case:
    return Case(tuple(reports), tuple(codings), tuple(infusions))


def rsi(*entries: ExpectedReaction, approved: bool = True) -> ReferenceSafetyInformation:
    return ReferenceSafetyInformation(
        "IB 4.1", "SPONSOR_APPROVED" if approved else "ASSUMPTION_SPONSOR_MUST_REPLACE", entries
    )


NO_RSI = rsi(approved=False)


def listed(term: str, grade: int | None = None, *, fatal: bool = False) -> ExpectedReaction:
    return ExpectedReaction(term, CODES[term], grade, fatal)


def rule(
    name: str, grade: int, *terms: str, words: str | None = None, relation: bool = True, text: str = "",
    exclusions: Sequence[str] = (),
) -> DltRule:  # fmt: skip
    return DltRule(
        name,
        text or name,
        grade,
        frozenset(CODES[t] for t in terms),
        re.compile(words, WORDING) if words else None,
        relation,
        exclusions=frozenset(exclusions),
    )


DEFINITION = DltDefinition(
    id="dlt-test",
    status="ASSUMPTION_SPONSOR_MUST_REPLACE",
    window_days=28,
    day_base=0,
    rules=(
        rule("DLT-01", 5, relation=False, text="death from any cause"),
        rule("DLT-02", 4, "Cytokine release syndrome", words=r"\bCRS(?![a-z])|细胞因子(释放|风暴)"),
        rule("DLT-03", 3, "Cytokine release syndrome", words=r"\bCRS(?![a-z])|细胞因子(释放|风暴)"),
        rule("DLT-05", 3, words=r"\bICANS(?![a-z])|神经毒性"),
        rule("DLT-08", 4, "Neutrophil count decreased"),
        rule("DLT-11", 4, exclusions=["EX-01", "EX-02"]),
        rule("DLT-12", 3, exclusions=["EX-01", "EX-02"]),
    ),
    exclusions=(
        Exclusion("EX-01", "fever of any grade", frozenset({CODES["Fever"]})),
        Exclusion("EX-02", "neutropenia below grade 4", frozenset({CODES["Neutrophil count decreased"]}), 3),
    ),
)


def protocol(
    *profiles: str,
    receiver: ZoneInfo = SHANGHAI,
    dlt: DltDefinition | None = None,
    safety: ReferenceSafetyInformation = NO_RSI,
    mode: Mode = Mode.CONSERVATIVE,
    clock_settings: ClockSettings | None = None,
    **more: Any,
) -> Protocol:
    return Protocol(
        id="NCT06223646",
        title="a study",
        product="KQ-2003",
        phase="1",
        receiver_zone=receiver,
        sites=(Site("S01", "Beijing", SHANGHAI), Site("S09", "New York", NEW_YORK)),
        levels=(),
        subject_pattern=re.compile(r"(?P<site>S\d\d)-\d{3}"),
        recipients=(),
        ctcae="5.0",
        meddra="29.0",
        rsi=safety,
        clock_rules=tuple(r for p in (*(profiles or ("CN",)), "SITE") for r in clockrules.rules_of(p)),
        dlt=dlt,
        clock_mode=mode,
        clock_settings=clock_settings or ClockSettings(),
        **more,
    )


SUSAR = event(
    "myocarditis",
    grade=3,
    criteria=[Criterion.HOSPITALISATION],
    investigator=Relation.RELATED,
    sponsor=Relation.RELATED,
)
FATAL = replace(SUSAR, criteria=frozenset({Criterion.DEATH}), outcome=Outcome.FATAL)
HARMLESS = event("myocarditis", grade=1, serious=False, investigator=Relation.NOT_RELATED, sponsor=Relation.NOT_RELATED)
