"""Every file that a command reads, spoilt: it is read, or refused in our own words. Never a fault, never for ever."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting import bounces, call_plan_text, reconciliation_list
from meddra_coder import lab_file
from meddra_coder.batch import code_file
from meddra_coder.dictionary.meddra_files import read_distribution
from standalone.ae_files import read_ae
from standalone.ae_rows import map_rows
from standalone.dose_file import dose_file
from standalone.dose_rows import design
from standalone.due_file import due_file
from standalone.syndrome_file import grade_file
from tests.alerting.plans import plan
from tests.criteria.test_workbook import parts, whole
from tests.hostile.longer import bounded
from tests.hostile.mutations import spoilt, within
from tests.standalone.transport_file import transport_file
from tests.support.houses import PROTOCOLS, STUDY, protocols
from tests.support.invented_meddra import write_distribution
from tocsin import studies
from tocsin.clockrules.own_rules import with_files
from tocsin.criteria.workbook import read_workbook
from tocsin.errors import TocsinError

EXAMPLES = 40
LONGEST_S = 20

AE: list[dict[str, str | float | None]] = [
    {"STUDYID": "S", "USUBJID": f"S-{n}", "AESEQ": 1.0, "AETERM": "Rash, itching", "AESTDTC": "2026-03", "AESER": "N"}
    for n in range(6)
]
LB: list[dict[str, str | float | None]] = [
    {"USUBJID": f"S-{n}", "LBTESTCD": "HGB", "LBTEST": "Hemoglobin", "LBSTRESN": 9.1, "LBSTRESU": "g/dL",
     "LBSTNRLO": 12.0, "LBSTNRHI": 16.0, "LBDTC": "2026-03-01"}
    for n in range(6)
]  # fmt: skip


def table(rows: list[dict[str, Any]]) -> bytes:
    """Rows as CSV, without a quote that is not needed."""
    lines = [",".join(rows[0])]
    lines += [",".join(f'"{cell}"' if "," in str(cell) else str(cell) for cell in row.values()) for row in rows]
    return "\n".join(lines).encode() + b"\n"


def dataset() -> dict[str, Any]:
    return {
        "datasetJSONVersion": "1.1.0", "name": "AE", "columns": [{"name": name} for name in AE[0]],
        "rows": [list(row.values()) for row in AE],
    }  # fmt: skip


def ndjson() -> bytes:
    head = {name: value for name, value in dataset().items() if name != "rows"}
    return "\n".join(json.dumps(line) for line in (head, *dataset()["rows"])).encode()


def import_ae(path: Path) -> None:
    map_rows(read_ae(path), {})


def answered(command: Callable[[Path, Path], object]) -> Callable[[Path], None]:
    """A command that writes the file again: what it wrote is there whole, and where it refused nothing is there."""

    def run(path: Path) -> None:
        out = path.with_name("out.csv")
        out.unlink(missing_ok=True)
        try:
            command(path, out)
        except TocsinError:
            assert not out.exists()
            raise
        assert out.stat().st_size > 0
        assert [each.name for each in path.parent.iterdir() if each.name.endswith(".part")] == []

    return run


def reconcile(path: Path) -> None:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return  # The edge refuses it before it comes so far: tocsin.web.reading.
    if "\x00" not in text:
        reconciliation_list.read(text, protocols()[STUDY], "S01")


DOSES = [{"dose_position": "middle", "higher_dose_exceeds_mtd": 0, "n_evaluable": 3, "n_dlt": 1}] * 4
BOIN = [{"n_treated": 6, "n_dlt": 2}] * 4
DUE = [
    {"seriousness": "death", "causality": "related", "expectedness": "unexpected", "jurisdiction": "CN",
     "awareness_local": "2026-03-01T09:00", "tz": "Asia/Shanghai"}
] * 4  # fmt: skip
SYNDROMES = [{"scale": "CRS", "inputs": "fever=1; hypotension=1; vasopressors=1"}] * 4
LIST = [{"subject": "S01-001", "term": "pneumonia", "onset": "2026-05-12", "serious": "Y", "death": "N"}] * 4
RULES = b"""profile = "KR"
zone = "Asia/Seoul"

[[rule]]
id = "KR_7D"
recipient = "MFDS"
trigger = "fatal_or_life_threatening_susar"
day_zero = "first_knowledge_of_sponsor"
days = 7
clause = "clause 30"
text = "within 7 days, by the sponsor's own reading"
confidence = "medium"
"""
BOUNCE = b"""From: MAILER-DAEMON@mx.example
Content-Type: multipart/report; report-type=delivery-status; boundary="=="
MIME-Version: 1.0

--==
Content-Type: text/plain; charset="utf-8"

Undelivered.
--==
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; lin@sponsor.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--==
Content-Type: text/rfc822-headers

Message-ID: <6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11@sponsor.example>

--==--
"""


@cache
def good(what: str) -> bytes:
    """The good file of each kind."""
    made: dict[str, Callable[[], bytes]] = {
        "ae.csv": lambda: table(AE),
        "ae.xpt": lambda: transport_file("AE", AE),
        "ae.json": lambda: json.dumps(dataset()).encode(),
        "ae.ndjson": ndjson,
        "lb.csv": lambda: table(LB),
        "lb.xpt": lambda: transport_file("LB", LB),
        "terms.csv": lambda: table([{"term": "felt faint"}, {"term": "发热"}, {"term": "neutropenia grade 4"}]),
        "boin.csv": lambda: table(BOIN),
        "3+3.csv": lambda: table(DOSES),
        "due.csv": lambda: table(DUE),
        "syndromes.csv": lambda: table(SYNDROMES),
        "list.csv": lambda: table(LIST),
        "study.toml": lambda: (PROTOCOLS / "nct06223646.toml").read_bytes(),
        "rules.toml": lambda: RULES,
        "ctcae.xlsx": workbook,
        "plan.toml": lambda: call_plan_text.toml(plan()).encode(),
        "bounce.eml": lambda: BOUNCE,
    }
    return made[what]()


def workbook() -> bytes:
    """Five rows of it are enough to be spoilt: it is refused as not whole, but not before it was read."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts(whole()[:6]).items():
            archive.writestr(zipfile.ZipInfo(name), text)  # of one time, so that the bytes are the same every day
    return kept.getvalue()


READERS: dict[str, Callable[[Path], object]] = {
    "ae.csv": import_ae,
    "ae.xpt": import_ae,
    "ae.json": import_ae,
    "ae.ndjson": import_ae,
    "lb.csv": answered(lambda path, out: lab_file.grade_file(path, out, "5.0")),
    "lb.xpt": answered(lambda path, out: lab_file.grade_file(path, out, "5.0")),
    "terms.csv": answered(lambda path, out: code_file(path, "term", out)),
    "boin.csv": answered(lambda path, out: dose_file(path, out, design("boin"), _quietly)),
    "3+3.csv": answered(lambda path, out: dose_file(path, out, design("3+3"), _quietly)),
    "due.csv": answered(lambda path, out: due_file(path, out, with_files([]).rules, _quietly)),
    "syndromes.csv": answered(lambda path, out: grade_file(path, out, _quietly)),
    "list.csv": reconcile,
    "study.toml": studies.read,
    "rules.toml": lambda path: with_files([path]),
    "ctcae.xlsx": read_workbook,
    "plan.toml": lambda path: call_plan_text.read(path.read_bytes().decode("utf-8", "replace")),
    "bounce.eml": lambda path: bounces.read(path.read_bytes()),
}


def _quietly(done: int, of: int | None) -> None: ...


@pytest.mark.rule("promise: a damaged file is read or refused in words, never a fault, never for ever")
@pytest.mark.parametrize("name", READERS)
def test_a_spoilt_file_is_read_or_refused_in_our_words(tmp_path: Path, name: str) -> None:
    path = tmp_path / name

    @bounded(EXAMPLES)
    @given(spoilt(good(name)))
    def holds(raw: bytes) -> None:
        path.write_bytes(raw)
        read_or_refused(READERS[name], path)

    holds()


@pytest.mark.parametrize("name", [name for name in READERS if name != "ctcae.xlsx"])
def test_the_good_files_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(good(name))
    READERS[name](path)


def test_a_spoilt_distribution_of_meddra_is_read_or_refused_in_our_words(tmp_path: Path) -> None:
    write_distribution(tmp_path, llts=60, pts=30)
    files = {path: path.read_bytes() for path in sorted(tmp_path.iterdir())}

    @bounded(EXAMPLES * 2)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(files)))
        path.write_bytes(data.draw(spoilt(files[path])))
        try:
            read_or_refused(read_distribution, tmp_path)
        finally:
            path.write_bytes(files[path])

    holds()


def read_or_refused(read: Callable[[Path], object], path: Path) -> None:
    """The reader is done soon, and by our own kind of error if by any, which says something."""
    said = "read"
    with within(LONGEST_S):
        try:
            read(path)
        except TocsinError as refusal:
            said = str(refusal).strip()
    assert said
