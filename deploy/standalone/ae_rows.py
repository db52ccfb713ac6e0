"""One row of an SDTM AE data set, read as the report a site would have sent. Pure: rows in, facts and findings out.

Every value goes through a table of this file. What a table does not know is a finding and left out; it is never
guessed. A row that contradicts itself is sent as it stands, so that the server reads it at its worst and asks the site.

Sources: CDISC SDTMIG 3.4, domain AE; controlled terminology NY, OUT, ACN, AESEV. AEREL has no controlled list: its
words are those in common use.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tocsin.domain.calendars import ALLOWED, Partial

SYSTEM = "sdtm-ae-import"
NEEDED = ("STUDYID", "USUBJID", "AESEQ", "AETERM")

Row = Mapping[str, str]
"""Variable name to text, trimmed; an empty or missing value is "" or not there."""

YES_NO: Mapping[str, bool | None] = {"Y": True, "N": False, "U": None, "UNKNOWN": None}

CRITERIA: Mapping[str, str] = {
    "AESDTH": "death",
    "AESLIFE": "life_threatening",
    "AESHOSP": "hospitalisation",
    "AESDISAB": "disability",
    "AESCONG": "congenital_anomaly",
    "AESMIE": "medically_important",
    # Two criteria from before ICH E2A that E2B(R3) no longer has: "involves cancer" and "occurred with overdose".
    "AESCAN": "medically_important",
    "AESOD": "medically_important",
}

OUTCOMES: Mapping[str, str] = {
    "FATAL": "fatal",
    "NOT RECOVERED/NOT RESOLVED": "not_recovered",
    "RECOVERED/RESOLVED": "recovered",
    "RECOVERED/RESOLVED WITH SEQUELAE": "recovered_with_sequelae",
    "RECOVERING/RESOLVING": "recovering",
    "UNKNOWN": "unknown",
}

ACTIONS: Mapping[str, str] = {
    "DOSE INCREASED": "increased",
    "DOSE NOT CHANGED": "not_changed",
    "DOSE REDUCED": "reduced",
    "DRUG INTERRUPTED": "interrupted",
    "DRUG WITHDRAWN": "withdrawn",
    "NOT APPLICABLE": "not_applicable",
    "UNKNOWN": "unknown",
}

SEVERITIES: Mapping[str, str] = {"MILD": "mild", "MODERATE": "moderate", "SEVERE": "severe"}

GRADES: Mapping[str, int] = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}

RELATIONS: Mapping[str, str] = {
    "NONE": "not_related",
    "NOT RELATED": "not_related",
    "UNRELATED": "not_related",
    "N": "not_related",
    "REMOTE": "remote",
    "UNLIKELY": "unlikely",
    "UNLIKELY RELATED": "unlikely",
    "POSSIBLE": "possible",
    "POSSIBLY RELATED": "possible",
    "PROBABLE": "probable",
    "PROBABLY RELATED": "probable",
    "RELATED": "related",
    "Y": "related",
    "CERTAIN": "certain",
    "DEFINITE": "certain",
    "DEFINITELY RELATED": "certain",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a row that a person should look at. `row` counts from 1, the header not counted."""

    row: int
    subject: str
    seq: str
    problem: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """A row as a report: the body to post (None when the row cannot be attributed), its key, and what was found."""

    row: int
    subject: str
    seq: str
    body: Mapping[str, Any] | None
    idempotency_key: str
    is_serious: bool
    contradictions: tuple[Finding, ...]
    findings: tuple[Finding, ...]


def map_rows(rows: Sequence[Row], subject_patterns: Mapping[str, re.Pattern[str]]) -> list[Mapped]:
    """Every row, in order. `subject_patterns` gives a study's pattern, whose group `site` is the subject's site."""
    seen: dict[tuple[str, str, str], int] = {}
    mapped = []
    for number, row in enumerate(rows, 1):
        name = (row.get("STUDYID", ""), row.get("USUBJID", ""), row.get("AESEQ", ""))
        twice = seen.setdefault(name, number)
        one = map_row(number, row, subject_patterns.get(name[0]))
        if twice != number and one.body is not None:
            again = Finding(number, one.subject, one.seq, f"row {twice} has the same USUBJID and AESEQ")
            one = replace(one, findings=(*one.findings, again))
        mapped.append(one)
    return mapped


def map_row(number: int, row: Row, subject_pattern: re.Pattern[str] | None) -> Mapped:
    """One row of a data set. See the tables above for what each value becomes."""
    reader = _Reader(number, row)
    missing = [name for name in NEEDED if not row.get(name)]
    if missing:
        reader.find(f"{' and '.join(missing)} empty: the row cannot be attributed and was not sent")
        return reader.done(None, "", is_serious=False)
    study, subject, seq = row["STUDYID"], row["USUBJID"], row["AESEQ"]
    serious = reader.of_table("AESER", YES_NO)
    flags = {name: reader.of_table(name, YES_NO) for name in CRITERIA}
    criteria = list(dict.fromkeys(CRITERIA[name] for name, flag in flags.items() if flag))
    if serious is False and criteria:
        said = ", ".join(f"{name}=Y" for name, flag in flags.items() if flag)
        reader.contradict(f"AESER=N beside {said}: read as serious")
    if serious and not criteria:
        reader.find("AESER=Y and no criterion says why")
    outcome = reader.of_table("AEOUT", OUTCOMES)
    relation = reader.of_table("AEREL", RELATIONS)
    grade = reader.of_table("AETOXGR", GRADES)
    event: dict[str, Any] = {
        "verbatim": row["AETERM"],
        "onset": reader.date("AESTDTC"),
        "end": reader.date("AEENDTC"),
        "serious": serious,
        "seriousness": criteria,
        "outcome": outcome,
        "action": reader.of_table("AEACN", ACTIONS),
        "severity": reader.of_table("AESEV", SEVERITIES),
        "grade": {"ctcae": grade} if grade is not None else None,
        "causality": [{"agent": "product", "party": "investigator", "relation": relation}] if relation else [],
    }
    site = site_of(subject, subject_pattern)
    reporter = {"name": f"Investigator of site {site}" if site else None, "role": "investigator"}
    body: dict[str, Any] = {
        "study": study,
        "site": site,
        "subject": subject,
        "reporter": {name: value for name, value in reporter.items() if value},
        "events": [{name: value for name, value in event.items() if value not in (None, [])}],
        # One batch for the data set of a study, not for one file: the unchanged rows of a corrected file stay known.
        "source": {"system": SYSTEM, "batch": _digest(f"{study}/AE")[:16], "reference": f"{subject}/{seq}"},
    }
    body = {name: value for name, value in body.items() if value is not None}
    key = _digest(json.dumps([study, subject, seq, body], sort_keys=True, ensure_ascii=False))
    return reader.done(body, f"{SYSTEM}-{key[:40]}", is_serious=bool(serious or criteria or outcome == "fatal"))


def site_of(subject: str, pattern: re.Pattern[str] | None) -> str | None:
    """The site in a subject's number; None leaves the server to say, from the key."""
    found = pattern.fullmatch(subject) if pattern is not None and "site" in pattern.groupindex else None
    return found["site"] if found else None


class _Reader:
    """Reads one row's values and remembers what was wrong."""

    def __init__(self, number: int, row: Row) -> None:
        self._number = number
        self._row = row
        self._findings: list[Finding] = []
        self._contradictions: list[Finding] = []

    def of_table(self, name: str, table: Mapping[str, Any]) -> Any:
        """The value by its table; None when empty or not in the table, which is a finding."""
        text = self._row.get(name, "").upper()
        if not text:
            return None
        if text not in table:
            allowed = ", ".join(table)
            self.find(f"{name}={self._row[name]!r} is not known and was left out; known are {allowed}")
            return None
        return table[text]

    def date(self, name: str) -> str | None:
        """The date as written; None when empty or unreadable, which is a finding."""
        text = self._row.get(name, "")
        if not text:
            return None
        try:
            Partial.parse(text)
        except ValueError as wrong:
            self.find(f"{name}: {wrong}; it was left out; allowed is {ALLOWED}")
            return None
        return text

    def find(self, problem: str) -> None:
        self._findings.append(self._finding(problem))

    def contradict(self, problem: str) -> None:
        self._contradictions.append(self._finding(problem))

    def done(self, body: Mapping[str, Any] | None, key: str, *, is_serious: bool) -> Mapped:
        subject, seq = self._row.get("USUBJID", ""), self._row.get("AESEQ", "")
        found, against = tuple(self._findings), tuple(self._contradictions)
        return Mapped(self._number, subject, seq, body, key, is_serious, against, found)

    def _finding(self, problem: str) -> Finding:
        return Finding(self._number, self._row.get("USUBJID", ""), self._row.get("AESEQ", ""), problem)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
