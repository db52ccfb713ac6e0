"""A list of serious events and deaths as a site or an EDC exports it: CSV in, rows of the book of rules out.

Names of columns are read forgivingly (case, spaces and signs do not count; CDISC names too), values strictly: a value
that is in no table of this file refuses the whole list, with row, column and what is allowed. An empty cell, and a
word such as "unknown", is not known.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from tocsin.domain.calendars import ALLOWED, Partial
from tocsin.domain.known import Known
from tocsin.domain.protocol import Protocol
from tocsin.domain.reconcile import Field, List, Listed
from tocsin.domain.words import Criterion, Outcome
from tocsin.errors import Refused, Wrong

T = TypeVar("T")
Refuse: TypeAlias = Callable[[str, str, str], None]
"""Says of a column of the row that is read what is wrong, and what is allowed."""

MOST_ROWS = 5000
MOST_WRONG = 100

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "subject": ("subject", "subject id", "subject no", "subject number", "subjid", "usubjid", "patient", "受试者",
                "受试者编号", "受试者号"),
    "term": ("term", "verbatim", "event", "event term", "adverse event", "diagnosis", "aeterm", "不良事件",
             "不良事件名称", "事件", "事件名称"),
    "onset": ("onset", "onset date", "start", "start date", "aestdtc", "发生时间", "发生日期", "开始时间", "开始日期"),
    "serious": ("serious", "sae", "is serious", "aeser", "严重", "是否严重"),
    "seriousness": ("seriousness", "seriousness criteria", "criteria", "严重性标准"),
    "death": ("death", "dead", "died", "fatal", "results in death", "aesdth", "死亡", "是否死亡"),
    "life_threatening": ("life threatening", "aeslife", "危及生命"),
    "hospitalisation": ("hospitalisation", "hospitalization", "aeshosp", "住院"),
    "disability": ("disability", "aesdisab", "残疾"),
    "congenital_anomaly": ("congenital anomaly", "aescong", "先天性异常"),
    "medically_important": ("medically important", "aesmie", "重要医学事件"),
    "outcome": ("outcome", "aeout", "转归"),
    "reference": ("reference", "ref", "case", "case id", "case number", "reported as", "tocsin", "tocsin case",
                  "event id", "aespid", "aerefid", "病例编号", "事件编号"),
    "study": ("study", "studyid", "study id", "protocol", "方案编号"),
}  # fmt: skip
"""Column to the names it goes by. `reference` may be there more than once."""

_YES_NO: Mapping[str, Known] = {
    **dict.fromkeys(("y", "yes", "true", "1", "x", "是", "有"), Known.YES),
    **dict.fromkeys(("n", "no", "false", "0", "否", "无"), Known.NO),
    **dict.fromkeys(("u", "unk", "unknown", "na", "n/a", "nd", "不详", "未知"), Known.UNKNOWN),
}
_OUTCOMES: Mapping[str, Outcome] = {
    **{outcome.value.replace("_", " "): outcome for outcome in Outcome},
    "recovered/resolved": Outcome.RECOVERED,
    "resolved": Outcome.RECOVERED,
    "recovering/resolving": Outcome.RECOVERING,
    "resolving": Outcome.RECOVERING,
    "not recovered/not resolved": Outcome.NOT_RECOVERED,
    "not resolved": Outcome.NOT_RECOVERED,
    "ongoing": Outcome.NOT_RECOVERED,
    "recovered/resolved with sequelae": Outcome.RECOVERED_WITH_SEQUELAE,
    "resolved with sequelae": Outcome.RECOVERED_WITH_SEQUELAE,
    "death": Outcome.FATAL,
    "died": Outcome.FATAL,
    "痊愈": Outcome.RECOVERED,
    "好转": Outcome.RECOVERING,
    "未好转": Outcome.NOT_RECOVERED,
    "痊愈伴后遗症": Outcome.RECOVERED_WITH_SEQUELAE,
    "死亡": Outcome.FATAL,
    "不详": Outcome.UNKNOWN,
    "未知": Outcome.UNKNOWN,
}
_CRITERIA: Mapping[str, Criterion] = {
    **{criterion.value.replace("_", " "): criterion for criterion in Criterion},
    "results in death": Criterion.DEATH,
    "fatal": Criterion.DEATH,
    "life threat": Criterion.LIFE_THREATENING,
    "hospitalization": Criterion.HOSPITALISATION,
    "hospitalised": Criterion.HOSPITALISATION,
    "hospitalized": Criterion.HOSPITALISATION,
    "prolonged hospitalisation": Criterion.HOSPITALISATION,
    "prolonged hospitalization": Criterion.HOSPITALISATION,
    "birth defect": Criterion.CONGENITAL_ANOMALY,
    "other medically important": Criterion.MEDICALLY_IMPORTANT,
    "死亡": Criterion.DEATH,
    "导致死亡": Criterion.DEATH,
    "危及生命": Criterion.LIFE_THREATENING,
    "住院": Criterion.HOSPITALISATION,
    "住院或住院时间延长": Criterion.HOSPITALISATION,
    "残疾": Criterion.DISABILITY,
    "先天性异常": Criterion.CONGENITAL_ANOMALY,
    "重要医学事件": Criterion.MEDICALLY_IMPORTANT,
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Forms that can be read in one way only. 05/06/2026 can be read in two, and is refused.
_DAY_MONTH_YEAR = re.compile(r"(?P<day>\d{1,2}|UNK?)[ -]?(?P<month>[A-Za-z]{3})[ -]?(?P<year>\d{4})", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[/年.](?P<month>\d{1,2})(?:[/月.](?P<day>\d{1,2})日?|月)?")
ONSETS = f"{ALLOWED}; also 13-May-2026, UN-May-2026, 2026/5/13 and 2026年5月13日"
_BOOLEAN = "Y or N (yes, no, true, false, 1, 0, 是, 否), U, or empty"


@dataclass(frozen=True, slots=True)
class Read:
    """A list that was understood, and the columns that were not looked at."""

    listed: List
    not_read: tuple[str, ...]


def read(text: str, protocol: Protocol, site: str | None) -> Read:
    """Every row of a list. Refused as a whole, with `/rows/3/onset` for each wrong cell: nothing of it is kept.

    Rows count from 1, the header not counted, as in the comparison. Blank lines are no rows.
    """
    lines = _lines(text)
    header, rows = lines[0], lines[1:]
    places, not_read = _places(header)
    if len(rows) > MOST_ROWS:
        raise _refused([Wrong("/rows", f"are {len(rows)}", f"at most {MOST_ROWS}; send the list of each site")])
    wrong: list[Wrong] = []
    found = [_row(n, cells, header, places, protocol, site, wrong) for n, cells in enumerate(rows, 1)]
    if wrong:
        raise _refused(wrong)
    fields = {Field.TERM, *(Field(name) for name in ("onset", "outcome", "death", "serious") if name in places)}
    ticks = {criterion for criterion in Criterion if criterion.value in places}
    criteria = frozenset(Criterion) if "seriousness" in places else frozenset(ticks)
    return Read(List(tuple(one for one in found if one), frozenset(fields), criteria), not_read)


def _refused(wrong: Sequence[Wrong]) -> Refused:
    named = list(wrong[:MOST_WRONG])
    if len(wrong) > MOST_WRONG:
        named.append(Wrong("/rows", f"hold {len(wrong) - MOST_WRONG} more wrong cells, not named here"))
    return Refused("the list cannot be understood; nothing of it was kept", named)


def _lines(text: str) -> list[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        ]
    except csv.Error as wrong:
        raise _refused([Wrong("", f"is not CSV ({wrong})", "cells with commas between, in double quotes")]) from None
    lines = [cells for cells in lines if any(cells)]
    if not lines:
        raise _refused([Wrong("", "is empty", "a header, and a row for each serious event")])
    return lines


def _places(header: Sequence[str]) -> tuple[dict[str, list[int]], tuple[str, ...]]:
    """Where each known column stands. Refused when one that is needed is not there, or one is there twice."""
    known = {_name(name): column for column, names in COLUMNS.items() for name in names}
    places: dict[str, list[int]] = {}
    not_read = []
    for n, name in enumerate(header):
        if (column := known.get(_name(name))) is None:
            not_read.append(name or f"column {n + 1}")
        else:
            places.setdefault(column, []).append(n)
    wrong = [
        Wrong(f"/columns/{column}", "is not there", f"a column called {', '.join(COLUMNS[column])}")
        for column in ("subject", "term")
        if column not in places
    ]
    wrong += [
        Wrong(f"/columns/{column}", f"is there twice: {', '.join(header[n] for n in found)}", "one of them")
        for column, found in places.items()
        if len(found) > 1 and column != "reference"
    ]
    if wrong:
        raise Refused("the columns of the list cannot be understood; nothing of it was kept", wrong)
    return places, tuple(not_read)


def _name(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _row(
    number: int, cells: Sequence[str], header: Sequence[str], places: Mapping[str, Sequence[int]], protocol: Protocol,
    site: str | None, wrong: list[Wrong],
) -> Listed | None:  # fmt: skip
    """One row; None, with each wrong cell added to `wrong`, when it cannot be understood."""
    before = len(wrong)
    if len(cells) != len(header):
        wrong.append(Wrong(f"/rows/{number}", f"has {len(cells)} cells", f"{len(header)}, as the header"))
        return None

    def refuse(column: str, problem: str, allowed: str) -> None:
        wrong.append(Wrong(f"/rows/{number}/{column}", problem, allowed))

    def cell(column: str) -> str:
        return cells[places[column][0]] if column in places else ""

    def of_table(column: str, table: Mapping[str, T], allowed: str) -> T | None:
        text = cell(column)
        key = unicodedata.normalize("NFKC", text).casefold().replace("_", " ")
        if text and key not in table:
            refuse(column, f"{text!r} is not known", allowed)
        return table.get(key)

    subject = cell("subject")
    _check_subject(subject, protocol, site, refuse)
    if cell("study") not in ("", protocol.id):
        refuse("study", f"{cell('study')!r} is another study", protocol.id)
    flags = {
        criterion: of_table(criterion.value, _YES_NO, _BOOLEAN) or Known.UNKNOWN
        for criterion in Criterion
        if criterion.value in places
    }
    criteria = {criterion for criterion, flag in flags.items() if flag is Known.YES}
    for word in filter(None, re.split(r"\s*[;,|、；，+]\s*", cell("seriousness"))):
        criterion = _CRITERIA.get(re.sub(r"[\s_-]+", " ", word).casefold())
        if criterion is None:
            refuse("seriousness", f"{word!r} is not known", ", ".join(Criterion))
        else:
            criteria.add(criterion)
    row = Listed(
        row=number,
        subject=subject,
        term=cell("term") or None,
        onset=_onset(cell("onset"), refuse),
        serious=of_table("serious", _YES_NO, _BOOLEAN) or Known.UNKNOWN,
        criteria=frozenset(criteria),
        death=flags.get(Criterion.DEATH, Known.UNKNOWN),
        outcome=of_table("outcome", _OUTCOMES, ", ".join(Outcome)),
        references=frozenset(cells[n] for n in places.get("reference", ()) if cells[n]),
    )
    if row.term is None and row.is_dead is not Known.YES and not row.references:
        refuse("term", "is empty", "the event's words; only a death, or a row with a reference, may have none")
    return row if len(wrong) == before else None


def _check_subject(subject: str, protocol: Protocol, site: str | None, refuse: Refuse) -> None:
    form = f"a number of the form {protocol.subject_pattern.pattern}"
    found = protocol.subject_pattern.fullmatch(subject)
    if found is None:
        refuse("subject", f"{subject!r} is no subject of this study" if subject else "is empty", form)
    elif protocol.site(found["site"]) is None:
        refuse("subject", f"{subject!r} is of no site of this study", ", ".join(s.id for s in protocol.sites))
    elif site is not None and found["site"] != site:
        refuse("subject", f"{subject!r} is not of site {site}", f"subjects of site {site}, or a list without `site`")


def _onset(text: str, refuse: Refuse) -> Partial | None:
    if not text or _YES_NO.get(text.casefold()) is Known.UNKNOWN:
        return None
    try:
        return Partial.parse(_iso(text))
    except ValueError as wrong:
        refuse("onset", str(wrong), ONSETS)
        return None


def _iso(text: str) -> str:
    """A date of another form that can be read in one way only, as CDISC writes it; else as it stands."""
    if found := _DAY_MONTH_YEAR.fullmatch(text):
        month = found["month"].casefold()
        if month in _MONTHS:
            whole = f"{found['year']}-{_MONTHS.index(month) + 1:02}"
            return f"{whole}-{int(found['day']):02}" if found["day"].isdecimal() else whole
    if found := _YEAR_FIRST.fullmatch(text):
        whole = f"{found['year']}-{int(found['month']):02}"
        return f"{whole}-{int(found['day']):02}" if found["day"] else whole
    return text.replace(" ", "T", 1)
