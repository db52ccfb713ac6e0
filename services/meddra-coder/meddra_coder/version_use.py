"""Moving a study to another version of the dictionary: the report first, then a decision that repeats it.

The decision and every case that it says again are one transaction. The version in use may be decided on once more: what
waits is tried again, with the synonyms that were approved since. Old codings stay as rows of their own, so that each
code that was ever given can be read with the version that it is of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, func, insert, select

from meddra_coder import casebook, decision_log, impact, tables
from meddra_coder.coder import Coder
from meddra_coder.coders import Coders, approved, used_version
from meddra_coder.coding import Coding
from meddra_coder.dictionary import meddra
from meddra_coder.impact import AfterMove, Counting, Impact, Judged
from tocsin.errors import Conflict, NotFound, Wrong
from tocsin.messages.bodies import CodedEvent, DecisionRecordedV1
from tocsin.messages.envelope import identity

SHIPPED: Final = "ctcae"
"""How the shipped dictionary is named where a version is asked for."""
METHOD: Final = "moved_to_version"
"""The method of a coding whose code was carried into another version."""


class UseFacts(BaseModel):
    """That a study is coded with a version from now on. `impact` is the fingerprint of the report that was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: Annotated[str, Field(min_length=1, max_length=60)]
    impact: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="the fingerprint in the impact report")]
    better: Literal["keep", "take"] = Field(
        "keep", description="take: the machine's own codings get the other term that it is sure of now"
    )
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]


class Used(BaseModel):
    """A decision about the version of a study. `version` is null for the shipped dictionary."""

    decision_id: UUID
    study: str
    version: str | None
    by: str
    at: datetime
    reason: str


class Applied(BaseModel):
    """What a decision did: how many events stay, were coded by the machine, and wait for a person now."""

    use: Used
    dictionary: str
    cases: int
    outcomes: dict[str, int]


class KnownDictionary(BaseModel):
    """A version that studies may be coded with. `version` is null for the shipped one, which nobody has to load."""

    version: str | None
    dictionary: str = Field(description="as it is named on every coding")
    terms: int
    current_terms: int
    loaded_at: datetime | None
    loaded_by: str | None
    fingerprint: str | None
    studies: list[str] = Field(description="that are coded with it now")


@dataclass(frozen=True, slots=True)
class _Case:
    of: casebook.Revision
    events: list[Counting]


def named(version: str) -> str | None:
    """The version that a name in an address or on the command line stands for; None for the shipped dictionary."""
    return None if version.casefold() == SHIPPED else version


def known(tx: Connection, coders: Coders, studies: list[str]) -> list[KnownDictionary]:
    """Every version of this house, the shipped one first."""
    using: dict[str | None, list[str]] = {}
    for study in sorted(studies):
        using.setdefault(used_version(tx, study), []).append(study)
    shipped = coders.version(tx, None).dictionary
    current = sum(term.is_current for term in shipped.terms)
    found = [
        KnownDictionary(
            version=None, dictionary=shipped.version, terms=len(shipped), current_terms=current, loaded_at=None,
            loaded_by=None, fingerprint=None, studies=using.get(None, []),
        )
    ]  # fmt: skip
    its = tables.dictionaries.c
    columns = (its.version, its.terms, its.current_terms, its.loaded_at, its.loaded_by, its.fingerprint)
    loaded = tx.execute(select(*columns).order_by(its.loaded_at, its.version))
    found += [
        KnownDictionary(**row._mapping, dictionary=meddra.label(row.version), studies=using.get(row.version, []))
        for row in loaded
    ]
    return found


def report(tx: Connection, coders: Coders, study: str, version: str | None) -> Impact:
    """What moving the study to this version would do. NotFound where the version is not loaded here."""
    impact_of, _ = _judge(tx, coders, study, version)
    return impact_of


def apply(tx: Connection, coders: Coders, facts: UseFacts, version: str | None, *, by: str, at: datetime) -> Applied:
    """Move the study. Conflict where the report that was read is not true any more, or nothing would change."""
    study = facts.study
    found, judged = _judge(tx, coders, study, version)
    if found.fingerprint != facts.impact:
        raise Conflict(
            f"the impact of {found.after} on {study} is another one now",
            [Wrong("/impact", "something was coded or decided since the report", f"{found.fingerprint}, once read")],
        )
    new = coders.version(tx, version)
    take_better = facts.better == "take"
    changed = {one.of.case_id for one in judged if _changes(one, new, take_better)}
    if used_version(tx, study) == version and not changed:
        raise Conflict(f"{study} is coded with {new.version} already, every event of it")
    made = _keep_use(tx, facts, version, new, found, by, at)
    reason = f"{new.version} instead of {found.before}, decided by {by}: {facts.reason}"
    cases: dict[str, list[Judged]] = {}
    outcomes = dict.fromkeys(AfterMove, 0)
    for one in judged:
        outcomes[one.outcome(take_better)] += 1
        if one.of.case_id in changed:
            cases.setdefault(one.of.case_id, []).append(one)
    for case_id, ones in cases.items():
        events = [_after(one, new, reason, take_better) for one in ones]
        of = casebook.Revision(case_id, ones[0].of.revision, study)
        decision = case_decision(made, of)
        casebook.keep(tx, of, events, decision=decision, dictionary=new.version, at=at, by=by)
        casebook.say(
            tx, of, events, decision=decision, dictionary=new.version, occurred_at=at, recorded_at=at, by=by
        )  # fmt: skip
    return Applied(
        use=Used(decision_id=made, study=study, version=version, by=by, at=at, reason=facts.reason),
        dictionary=new.version,
        cases=len(cases),
        outcomes={outcome.value: number for outcome, number in outcomes.items()},
    )


def case_decision(made: UUID, of: casebook.Revision) -> UUID:
    """The decision on one case that follows from the decision on its study."""
    return identity("version of the dictionary", str(made), of.case_id, str(of.revision))


def uses(tx: Connection, study: str) -> list[Used]:
    """Every decision about the version of a study, oldest first."""
    its = tables.dictionary_uses.c
    query = select(its.decision_id, its.study, its.version, its.by, its.at, its.reason)
    return [Used(**row._mapping) for row in tx.execute(query.where(its.study == study).order_by(its.seq))]


def rebuild(tx: Connection, body: DecisionRecordedV1) -> None:
    """Keep what the log says of the version of a study."""
    version = body.detail["version"]
    _insert(
        tx, UUID(body.decision_id), body.study, None if version is None else str(version), body.by, body.at,
        body.reason or "",
    )  # fmt: skip


def _judge(tx: Connection, coders: Coders, study: str, version: str | None) -> tuple[Impact, list[Judged]]:
    if version is not None:
        its = tables.dictionaries.c
        if tx.scalar(select(its.version).where(its.version == version)) is None:
            loaded = ", ".join(tx.scalars(select(its.version).order_by(its.version))) or "none"
            raise NotFound(f"MedDRA {version} is not loaded here; loaded are: {loaded}")
    new = coders.with_version(tx, study, version)
    before = used_version(tx, study)
    judged = impact.judge(_counting(tx, study), new)
    old = coders.version(tx, before).version
    return impact.report(study, old, judged, new, approved(tx, study)), judged


def _counting(tx: Connection, study: str) -> list[Counting]:
    """Every event of the newest revision of each case of a study, as it counts now."""
    seen = tables.revisions.c
    newest = select(seen.case_id, func.max(seen.revision)).where(seen.study == study).group_by(seen.case_id)
    return [
        Counting(case_id, revision, event)
        for case_id, revision in tx.execute(newest.order_by(seen.case_id)).all()
        for event in casebook.counting(tx, case_id, revision)
    ]


def _keep_use(
    tx: Connection, facts: UseFacts, version: str | None, new: Coder, found: Impact, by: str, at: datetime
) -> UUID:
    number = len(uses(tx, facts.study))
    made = identity("dictionary chosen", facts.study, version or SHIPPED, by, str(number))
    _insert(tx, made, facts.study, version, by, at, facts.reason)
    detail: decision_log.Detail = {
        "version": version, "before": found.before, "after": found.after, "impact": found.fingerprint,
        "better": facts.better,
    }  # fmt: skip
    decided = decision_log.Decided(
        made, decision_log.DICTIONARY, new.version, facts.study, by, at, facts.reason, detail
    )
    decision_log.record(
        tx, decided, did="chose a dictionary", before={"dictionary": found.before},
        after={"dictionary": found.after, "better": facts.better, "changes": found.changes},
    )  # fmt: skip
    return made


def _insert(tx: Connection, made: UUID, study: str, version: str | None, by: str, at: datetime, reason: str) -> None:
    tx.execute(
        insert(tables.dictionary_uses).values(
            decision_id=made, study=study, version=version, by=by, at=at, reason=reason
        )
    )


def _changes(one: Judged, new: Coder, take_better: bool) -> bool:
    """Whether the event is coded otherwise by the decision: in another version, or anew by what was approved since."""
    return one.of.event.dictionary != new.version or one.outcome(take_better) is AfterMove.CODED


def _after(one: Judged, new: Coder, reason: str, take_better: bool) -> CodedEvent:
    """The event as it is coded in the new version."""
    event, outcome = one.of.event, one.outcome(take_better)
    if not _changes(one, new, take_better):
        return event
    if outcome is AfterMove.STAYS and one.term is not None:
        term = one.term
        return event.model_copy(
            update={
                "term": term.name,
                "soc": term.soc,
                "path": list(term.path),
                "smqs": list(term.smqs),
                "method": METHOD,
                "confidence": None,
                "reasons": [f'the code stays, "{term.name}": {reason}', *event.reasons],
                "dictionary": new.version,
            }
        )
    why = f"it was {event.llt_code} {event.term}: {reason}" if event.llt_code else reason
    return _of_machine(event, one.anew, why, is_coded=outcome is AfterMove.CODED)


def _of_machine(event: CodedEvent, anew: Coding, why: str, *, is_coded: bool) -> CodedEvent:
    """What the machine says of the event in the new version; without a code where a person has to decide."""
    said = casebook.with_coding(event, anew)
    if is_coded:
        return said.model_copy(update={"reasons": [*said.reasons, why]})
    waits: dict[str, Any] = {
        "status": "needs_review",
        "llt_code": None,
        "term": None,
        "soc": None,
        "path": [],
        "smqs": [],
    }
    return said.model_copy(update={**waits, "method": "none", "confidence": None, "reasons": [why, *said.reasons]})
