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
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from tocsin import study_clocks, study_dlt, study_dose
from tocsin.bounded_file import bytes_within
from tocsin.clockrules.own_rules import RuleSets
from tocsin.domain.protocol import (
    APPROVED,
    ASSUMED_RULES,
    CodingSettings,
    DoseLevel,
    GradingSettings,
    Protocol,
    Recipient,
    Site,
)
from tocsin.domain.words import Role
from tocsin.errors import ProtocolError
from tocsin.messages.heartbeat import is_heartbeat
from tocsin.study_clocks import twice
from tocsin.study_shape import StudyFile

LARGEST: Final = 4 << 20
"""Bytes of a study file. Those that are shipped have less than a hundredth."""


def load(paths: Sequence[Path]) -> dict[str, Protocol]:
    """The studies in these files, by id. ProtocolError carries every wrong place of the first wrong file."""
    studies: dict[str, Protocol] = {}
    for path in paths:
        protocol = read(path)
        if protocol.id in studies:
            raise ProtocolError(
                f"{path}: study.id is {protocol.id!r}, already served from another file; allowed is each once"
            )
        studies[protocol.id] = protocol
    return studies


def read(path: Path) -> Protocol:
    """One study file, checked whole."""
    try:
        table = tomllib.loads(bytes_within(path, LARGEST).decode())
    except OSError as wrong:
        raise ProtocolError(f"{path}: cannot be read: {wrong.strerror}") from None
    except (ValueError, RecursionError) as wrong:  # beside its own: a number of thousands of digits, and nesting
        raise ProtocolError(f"{path}: not TOML: {wrong}") from None
    try:
        file = StudyFile.model_validate(table)
    except ValidationError as wrong:
        raise ProtocolError("\n".join(_sentence(path, e) for e in wrong.errors())) from None
    problems = [f"{path}: {problem}" for problem in _contradictions(file)]
    try:
        sets = study_clocks.rule_sets(file.clocks, path)
    except ProtocolError as wrong:
        raise ProtocolError("\n".join([*problems, str(wrong)])) from None
    problems += [f"{path}: {problem}" for problem in study_clocks.contradictions(file, sets)]
    if problems:
        raise ProtocolError("\n".join(problems))
    return _protocol(file, sets)


def _sentence(path: Path, error: Any) -> str:
    """One wrong place in words: the key as it is written in the file, the value, and what is allowed."""
    key = ""
    for part in error["loc"]:
        key += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    key = key.lstrip(".")
    if error["type"] == "missing":
        return f"{path}: {key} is missing; it is needed"
    value = error["input"]
    if error["type"] == "extra_forbidden":
        allowed = ", ".join(_keys(error["loc"][:-1]))
        return f"{path}: {key} is not a known key (its value is {value!r}); allowed here are {allowed}"
    shown = repr(value) if not isinstance(value, dict | list) else type(value).__name__
    return f"{path}: {key} is {shown}; {error['msg'].removeprefix('Value error, ')}"


def _keys(where: Sequence[str | int]) -> list[str]:
    """The keys that the part of the file at `where` may have."""
    part: type[BaseModel] = StudyFile
    for name in where:
        if isinstance(name, str):
            part = next(a for a in _annotations(part.model_fields[name].annotation) if issubclass(a, BaseModel))
    return list(part.model_fields)


def _annotations(annotation: Any) -> Iterable[type]:
    """The classes that an annotation such as `list[SitePart]` or `DosePart | None` is made of."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _annotations(inner)


def _contradictions(file: StudyFile) -> Iterable[str]:
    """What is well formed and still cannot be."""
    yield from twice("sites", [s.id for s in file.sites])
    if file.dose is not None:
        yield from study_dose.contradictions(file.dose, file.study)
    if "site" not in re.compile(file.study.subject_pattern).groupindex:
        yield (
            f"study.subject_pattern is {file.study.subject_pattern!r}; it needs a group (?P<site>…), "
            "so that a site's subjects can be told from another's"
        )
    if is_heartbeat(file.study.id):
        yield f"study.id is {file.study.id!r}, which is kept for the heartbeat; any other is allowed"
    if not any(r.role is Role.SAFETY_PHYSICIAN and r.email for r in file.recipients):
        roles = ", ".join(dict.fromkeys(r.role.value for r in file.recipients))
        yield f"recipients are {roles}; at least one 'safety_physician' with an email is needed: somebody must be rung"
    if file.dlt is not None:
        yield from study_dlt.contradictions(file.dlt, file.study.ctcae)


def _protocol(file: StudyFile, sets: RuleSets) -> Protocol:
    study = file.study
    assumptions = [
        f"{ASSUMED_RULES}: reference safety information ({part.version})"
        for part in (file.rsi, *reversed(file.earlier_rsi))
        if part.status != APPROVED
    ]
    if file.dlt is not None and file.dlt.status != APPROVED:
        assumptions.append(f"{ASSUMED_RULES}: DLT definition {file.dlt.id}")
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
        rsi=study_clocks.reference_information(file.rsi),
        clock_rules=study_clocks.clock_rules(file.clocks, sets),
        dlt=study_dlt.definition(file.dlt, study.ctcae) if file.dlt is not None else None,
        clock_mode=file.clocks.mode,
        uncoded_after=timedelta(hours=study.uncoded_after_hours),
        follow_up=timedelta(days=study.follow_up_days) if study.follow_up_days else None,
        planned_subjects=study.planned_subjects,
        assumptions=tuple(assumptions),
        schedule=file.dose.schedule if file.dose else None,
        special_interest=frozenset(study.special_interest),
        earlier_rsi=tuple(study_clocks.reference_information(part) for part in file.earlier_rsi),
        clock_settings=study_clocks.settings(file.clocks),
        follow_up_requests=study_clocks.follow_up_requests(file.follow_up_requests),
        grading=GradingSettings(file.grading.crs, file.grading.ask_from_grade),
        coding=CodingSettings(file.coding.second_person),
        copies_to=study_clocks.copies_to(file),
        dose=study_dose.settings(file.dose),
    )
