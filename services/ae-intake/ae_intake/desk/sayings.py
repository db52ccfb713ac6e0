"""What the house says in English, in the language of a page: refusals, contradictions, queries.

Each sentence of the domain that a person at a site can cause has its own words here. A sentence that has none is
shown as it is, so that nothing is ever hidden.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tocsin.errors import Wrong
from tocsin.messages.bodies import Contradiction

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in the language of the page. `original`: as the house said it, where that has no words of its own."""

    text: str
    original: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What is wrong at one field; `field` is empty for the whole."""

    field: str
    said: Said


_REFUSALS: Final[Sequence[tuple[str, str]]] = (
    (r"is missing: to nullify needs a reason", "wrong_reason"),
    (r"is missing", "wrong_missing"),
    (r".*should have at least 1 (?:character|item).*", "wrong_missing"),
    (r".*should have at most (?P<most>\d+) (?:characters|items).*", "wrong_long"),
    (r"is not a subject number of this study", "wrong_subject_form"),
    (r"is not a subject of site (?P<site>.+)", "wrong_subject_site"),
    (r"is not the subject of this case", "wrong_subject_other"),
    (r"is the subject that the case names already", "wrong_subject_same"),
    (r"day is out of range for month: .*", "wrong_day"),
    (r"year \d+ is out of range", "wrong_year"),
    (r"(?:year|month|day|hour|minute|second) is out of range: .*", "wrong_calendar"),
    (r".* is not a date as CDISC writes them", "wrong_date"),
    (r"nonexistent local time.*", "wrong_gap"),
    (r"ambiguous local time.*", "wrong_twice"),
    (r"holds a character that cannot be kept", "wrong_character"),
    (r".*should be (?:'|a valid integer|greater|less).*", "wrong_choice"),
    (r"the answer says nothing|is empty", "wrong_missing"),
)
_SCALES: Final = {"ctcae": "CTCAE", "astct": "ASTCT"}
_CONTRADICTIONS: Final[Sequence[tuple[str, str]]] = (
    (r"the end (?P<end>.+) is before the onset (?P<onset>.+)", "odd_end_first"),
    (r"the onset (?P<onset>.+) lies after the receipt", "odd_onset_future"),
    (r"the end (?P<end>.+) lies after the receipt", "odd_end_future"),
    (r"the outcome is fatal without the criterion death", "odd_fatal_no_criterion"),
    (r"grade 5 is stated without the criterion death", "odd_grade_5_no_criterion"),
    (r"grade 5 beside the outcome .+", "odd_grade_5_alive"),
    (r"the criterion death beside the outcome .+", "odd_death_alive"),
    (r"grade (?P<grade>\d) beside a fatal outcome", "odd_fatal_below_5"),
    (r'"not serious" beside a criterion of seriousness .+', "odd_not_serious_criterion"),
    (r'"not serious" beside .+', "odd_not_serious_dead"),
    (r"the investigator's awareness (?P<aware>.+) lies after the receipt", "odd_aware_future"),
    (r"the investigator's awareness (?P<aware>.+) is before the onset (?P<onset>.+)", "odd_aware_first"),
    (r"(?P<scale>ctcae|astct) grade (?P<now>\d) now, grade (?P<was>\d) before, and not marked as a correction",
     "odd_grade_fell"),
    (r"the outcome fatal was stated in revision (?P<n>\d+) and is not now", "odd_not_fatal_now"),
    (r"the criterion (?P<criterion>.+) was stated in revision (?P<n>\d+) and is not now", "odd_criterion_gone"),
    (r'"serious" in revision (?P<n>\d+), "not serious" now', "odd_not_serious_now"),
    (r".+ is no detail of a report of .+", "odd_detail"),
    (r"news of a case that was nullified", "odd_revived"),
    (r"nullified in the first report of it", "odd_nullified_first"),
)  # fmt: skip
_READINGS: Final[Sequence[tuple[str, str]]] = (
    (r"going on: the end does not count", "read_going_on"),
    (r"it has happened", "read_happened"),
    (r"fatal, and so serious|serious, fatal|fatal", "read_fatal"),
    (r"serious", "read_serious"),
    (r"grade (?P<grade>\d)", "read_grade"),
    (r"the earlier time counts", "read_earlier"),
    (r"the investigator knew when this was received, at the latest", "read_aware_at_receipt"),
    (r"taken back; the clocks that it started run on", "read_taken_back"),
    (r"a report of .+", "read_kind"),
    (r"the case stands again", "read_stands"),
    (r"it stands", "read_stands"),
)  # fmt: skip
_ASKED = re.compile(r"(.*)\. Until you answer it is read as: (.*)\. What is right\?", re.DOTALL)
_DUPLICATE = re.compile(r"This may tell of the same event as (TOC-\d+) .*", re.DOTALL)
_AWARE_PARTLY = re.compile(r"The investigator's awareness is given as (.+)\. At what time .*", re.DOTALL)
_MISSING = {
    "/subject": "ask_subject", "/patient_identifiable": "ask_patient", "/reporter": "ask_reporter",
    "/product": "ask_product_missing", "/events": "ask_event",
}  # fmt: skip


def refusal(wrong: Wrong, w: Words, *, example: str = "") -> Said:
    """What is wrong at a place. `example`: a subject's number of this site."""
    found = _found(_REFUSALS, wrong.problem, w, example=example)
    if found is None:
        original = wrong.problem + (f". {wrong.allowed}" if wrong.allowed else "")
        return Said(w["wrong_other"], original)
    # A time that the clocks showed twice is told with how to write it.
    return Said(found, wrong.allowed or "") if wrong.problem.startswith("ambiguous") else Said(found)


def contradiction(found: Contradiction, w: Words) -> Said:
    """What contradicts itself, and how it is read until the site answers."""
    return _contradiction(found.problem, found.read_as, w)


def query(kind: str, about: str, question: str, w: Words) -> Said:
    """What is asked."""
    if kind == "missing" and about in _MISSING:
        return Said(w[_MISSING[about]])
    if kind == "awareness":
        partly = _AWARE_PARTLY.fullmatch(question)
        return Said(w["ask_aware_partly"].format(aware=partly[1]) if partly else w["ask_aware"])
    if kind == "duplicate" and (other := _DUPLICATE.fullmatch(question)):
        return Said(w["ask_duplicate"].format(case=other[1]))
    if asked := _ASKED.fullmatch(question):
        told = _contradiction(asked[1], asked[2], w)
        return Said(f"{told.text} {w['what_is_right']}", told.original)
    return Said(w["ask_other"], question)


def _contradiction(problem: str, read_as: str, w: Words) -> Said:
    what = _found(_CONTRADICTIONS, problem[:1].lower() + problem[1:], w) or _found(_CONTRADICTIONS, problem, w)
    how = _found(_READINGS, read_as, w)
    if what is None or how is None:
        return Said(w["odd_other"], f"{problem}. {read_as}")
    return Said(w["odd"].format(what=what, how=how))


def _found(table: Sequence[tuple[str, str]], said: str, w: Words, **more: str) -> str | None:
    for form, key in table:
        found = re.fullmatch(form, said, re.DOTALL)
        if found is not None:
            parts = {name: _part(name, part, w) for name, part in found.groupdict().items()}
            return w[key].format(**parts, **more)
    return None


def _part(name: str, said: str, w: Words) -> str:
    if name == "criterion":
        return w.get(f"criterion_{said.replace(' ', '_')}", said)
    return _SCALES.get(said, said)


def example_of(pattern: re.Pattern[str], site: str) -> str:
    """A subject's number as this study writes them at this site; empty where the pattern is too rich to tell."""
    text = re.sub(r"\(\?P<site>[^()]*\)", site, pattern.pattern)
    text = re.sub(r"\\d\{(\d)(?:,\d*)?\}", lambda found: "1".zfill(int(found[1])), text).replace(r"\d", "1")
    text = text.removeprefix("^").removesuffix("$").replace("\\-", "-")
    found = pattern.fullmatch(text)
    return text if found is not None and found["site"] == site else ""
