"""From a study's TOML file to `domain.Protocol`, with every error naming file, key, value and what is allowed.

The file is checked whole: all that is wrong is told at once. What a sponsor has not approved becomes a sentence in
`Protocol.assumptions`, which every alert that rests on it repeats.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tocsin import clockrules
from tocsin.criteria import load_terms
from tocsin.domain.clocks import Mode
from tocsin.domain.dlt import DltDefinition, DltRule, Exclusion
from tocsin.domain.protocol import (
    APPROVED,
    ASSUMED_RULES,
    DoseLevel,
    ExpectedReaction,
    Protocol,
    Recipient,
    ReferenceSafetyInformation,
    Site,
)
from tocsin.domain.words import Role
from tocsin.errors import ProtocolError


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone; allowed is a name such as Asia/Shanghai") from None
    return name


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"{text!r} is no regular expression: {wrong}") from None
    return text


ZoneName = Annotated[str, AfterValidator(_zone)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Status = Literal["SPONSOR_APPROVED", "ASSUMPTION_SPONSOR_MUST_REPLACE"]
Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Study(_Part):
    id: Text
    title: Text
    product: Text
    phase: Text
    receiver_zone: ZoneName
    subject_pattern: Pattern
    planned_subjects: int | None = Field(None, ge=1)
    follow_up_days: int | None = Field(None, ge=1)
    ctcae: Literal["5.0", "6.0"]
    meddra: Annotated[str, Field(pattern=r"^\d{2}\.[01]$")]
    uncoded_after_hours: float = Field(4, gt=0)


class _Clocks(_Part):
    profiles: list[str] = Field(min_length=1)
    mode: Mode = Mode.CONSERVATIVE


class _Level(_Part):
    id: Text
    label: Text
    cells_per_kg: float | None = Field(None, gt=0)


class _Dose(_Part):
    schedule: Text
    mtd_needs_evaluable: int | None = Field(None, ge=1)
    levels: list[_Level] = Field(min_length=1)


class _Site(_Part):
    id: Text
    name: Text
    zone: ZoneName
    contact: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None


class _Recipient(_Part):
    role: Role
    name: Text
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None


class _Reaction(_Part):
    term: Text
    code: str | None = None
    max_expected_grade: int | None = Field(None, ge=1, le=5)
    fatal_expected: bool = False


class _Rsi(_Part):
    version: Text
    status: Status
    entries: list[_Reaction]


class _DltRule(_Part):
    id: Text
    text: Text
    min_grade: int = Field(ge=1, le=5)
    terms: list[str] = []
    words: Pattern | None = None
    needs_relation: bool = True


class _Exclusion(_Part):
    id: Text
    text: Text
    terms: list[str] = Field(min_length=1)
    max_grade: int = Field(5, ge=1, le=5)


class _Dlt(_Part):
    id: Text
    status: Status
    window_days: int = Field(ge=1, le=365)
    day_base: Literal[0, 1] = 0
    rules: list[_DltRule] = Field(min_length=1)
    exclusions: list[_Exclusion] = []


class _File(_Part):
    study: _Study
    clocks: _Clocks
    dose: _Dose | None = None
    sites: list[_Site] = Field(min_length=1)
    recipients: list[_Recipient] = Field(min_length=1)
    rsi: _Rsi
    dlt: _Dlt | None = None


def load(paths: Sequence[Path]) -> dict[str, Protocol]:
    """The studies in these files, by id. ProtocolError carries every wrong place of the first wrong file."""
    studies: dict[str, Protocol] = {}
    for path in paths:
        protocol = read(path)
        if protocol.id in studies:
            raise ProtocolError(f"{path}: study.id {protocol.id!r} is already served from another file")
        studies[protocol.id] = protocol
    return studies


def read(path: Path) -> Protocol:
    """One study file, checked whole."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as wrong:
        raise ProtocolError(f"{path}: cannot be read: {wrong.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ProtocolError(f"{path}: not TOML: {wrong}") from None
    try:
        file = _File.model_validate(table)
    except ValidationError as wrong:
        raise ProtocolError("\n".join(_sentence(path, e) for e in wrong.errors())) from None
    problems = list(_contradictions(file))
    if problems:
        raise ProtocolError("\n".join(f"{path}: {problem}" for problem in problems))
    return _protocol(file)


def _sentence(path: Path, error: Any) -> str:
    """One wrong place in words: the key as it is written in the file, the value, and what is allowed."""
    key = ""
    for part in error["loc"]:
        key += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    key = key.lstrip(".")
    if error["type"] == "missing":
        return f"{path}: {key} is missing"
    if error["type"] == "extra_forbidden":
        return f"{path}: {key} is not a known key"
    value = error["input"]
    shown = repr(value) if not isinstance(value, dict | list) else type(value).__name__
    return f"{path}: {key} is {shown}; {error['msg'].removeprefix('Value error, ')}"


def _contradictions(file: _File) -> Iterable[str]:
    """What is well formed and still cannot be."""
    known = clockrules.profiles()
    for n, profile in enumerate(file.clocks.profiles, 1):
        if profile not in known:
            yield f"clocks.profiles[{n}] is {profile!r}; allowed are {', '.join(known)}"
    yield from _twice("sites", [s.id for s in file.sites])
    yield from _twice("dose.levels", [level.id for level in file.dose.levels] if file.dose else [])
    if "site" not in re.compile(file.study.subject_pattern).groupindex:
        yield (
            f"study.subject_pattern is {file.study.subject_pattern!r}; it needs a group (?P<site>…), "
            "so that a site's subjects can be told from another's"
        )
    if "safety_physician" not in {r.role for r in file.recipients}:
        yield "recipients name no 'safety_physician': somebody must be rung"
    names = {term.name for term in load_terms(f"{file.study.ctcae}")}
    if file.dlt is not None:
        parts: list[tuple[str, Sequence[_DltRule | _Exclusion]]] = [
            ("rules", file.dlt.rules),
            ("exclusions", file.dlt.exclusions),
        ]
        for part, rows in parts:
            for n, row in enumerate(rows, 1):
                for term in row.terms:
                    if term not in names:
                        yield (
                            f"dlt.{part}[{n}] ({row.id}) names term {term!r}; "
                            f"allowed are the terms of CTCAE v{file.study.ctcae}, spelt as there"
                        )
        yield from _twice("dlt.rules", [r.id for r in file.dlt.rules])


def _twice(what: str, ids: Sequence[str]) -> Iterable[str]:
    for name in sorted({i for i in ids if ids.count(i) > 1}):
        yield f"{what} has the id {name!r} twice; ids are unique"


def _protocol(file: _File) -> Protocol:
    study = file.study
    codes = {term.name: str(term.code) for term in load_terms(study.ctcae)}
    assumptions = []
    if file.rsi.status != APPROVED:
        assumptions.append(f"{ASSUMED_RULES}: reference safety information ({file.rsi.version})")
    if file.dlt is not None and file.dlt.status != APPROVED:
        assumptions.append(f"{ASSUMED_RULES}: DLT definition {file.dlt.id}")
    profiles = dict.fromkeys([*file.clocks.profiles, "SITE"])
    return Protocol(
        id=study.id,
        title=study.title,
        product=study.product,
        phase=study.phase,
        receiver_zone=ZoneInfo(study.receiver_zone),
        sites=tuple(Site(s.id, s.name, ZoneInfo(s.zone), s.contact) for s in file.sites),
        levels=tuple(DoseLevel(d.id, d.label, d.cells_per_kg) for d in (file.dose.levels if file.dose else ())),
        subject_pattern=re.compile(study.subject_pattern),
        recipients=tuple(Recipient(r.role, r.name, r.email) for r in file.recipients),
        ctcae=study.ctcae,
        meddra=study.meddra,
        rsi=ReferenceSafetyInformation(
            file.rsi.version,
            file.rsi.status,
            tuple(ExpectedReaction(e.term, e.code, e.max_expected_grade, e.fatal_expected) for e in file.rsi.entries),
        ),
        clock_rules=tuple(rule for profile in profiles for rule in clockrules.rules_of(profile)),
        dlt=_dlt(file.dlt, codes) if file.dlt is not None else None,
        clock_mode=file.clocks.mode,
        uncoded_after=timedelta(hours=study.uncoded_after_hours),
        follow_up=timedelta(days=study.follow_up_days) if study.follow_up_days else None,
        mtd_needs_evaluable=file.dose.mtd_needs_evaluable if file.dose else None,
        planned_subjects=study.planned_subjects,
        assumptions=tuple(assumptions),
    )


def _dlt(part: _Dlt, codes: dict[str, str]) -> DltDefinition:
    return DltDefinition(
        id=part.id,
        status=cast(str, part.status),
        window_days=part.window_days,
        day_base=part.day_base,
        rules=tuple(
            DltRule(
                id=r.id,
                text=r.text,
                min_grade=r.min_grade,
                codes=frozenset(codes[term] for term in r.terms),
                words=re.compile(r.words, re.IGNORECASE) if r.words else None,
                needs_relation=r.needs_relation,
            )
            for r in part.rules
        ),
        exclusions=tuple(
            Exclusion(x.id, x.text, frozenset(codes[term] for term in x.terms), x.max_grade) for x in part.exclusions
        ),
    )
