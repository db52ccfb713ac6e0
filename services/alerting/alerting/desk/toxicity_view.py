"""The toxicity page as its template draws it: the table, the months, the timeline, and what is left out and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final, TypeVar

from alerting.desk import toxicity_plot, toxicity_words
from alerting.desk.toxicity_facts import Facts
from tocsin.domain.protocol import ASSUMED_RULES, Protocol
from tocsin.domain.toxicity import Assumed, Choice, Period, Why
from tocsin.domain.toxicity_table import GRADES, Month, Row, Tally, Toxicity, by_month
from tocsin.domain.words import CrsScale

MOST_LISTED: Final = 100
"""How many events stand under one reason; the file of all events holds every one."""

_A = TypeVar("_A")
_K = TypeVar("_K")


def view(found: Toxicity, facts: Facts, protocol: Protocol, choice: Choice) -> dict[str, Any]:
    """What the template is handed."""
    at_no_level = [one.treated.subject for one in facts.infused if one.treated.level is None]
    at_a_level = [one for one in facts.infused if one.treated.level is not None]
    base = protocol.dlt.day_base if protocol.dlt is not None else 0
    rows = found.rows
    return {
        "heading": toxicity_words.heading(found, choice),
        "rule": toxicity_words.rule(choice, protocol.ctcae),
        "ungraded": toxicity_words.ungraded(found),
        "levels": [_level(protocol, level, n) for level, n in zip(found.levels, found.treated, strict=True)],
        "columns": [f"G{grade}" for grade in GRADES],
        "groups": _groups(found),
        "total": _row(found.total, found, "total"),
        "terms": len(rows),
        "events": len(found.counted),
        "behind": [_who(row, found.levels, f"t{n}") for n, row in enumerate(rows, 1)],
        "behind_total": _who(found.total, found.levels, "total"),
        "all_treated": found.all_treated,
        "at_no_level": at_no_level,
        "months": [_month(one) for one in by_month(found.counted, {o.treated.subject: o.month for o in at_a_level})],
        "plot": toxicity_plot.plot(at_a_level, found.counted, choice, base),
        "left_out": _listed(((one.why, toxicity_words.one_line(one.event)) for one in found.left_out), Why, _why),
        "left_out_count": len(found.left_out),
        "assumed": _listed(_assumed(found), Assumed, _of_assumed),
        "assumptions": protocol.assumptions,
        "assumed_rules": ASSUMED_RULES if protocol.assumptions else "",
        "dlt_scale": _dlt_scale(protocol),
        "periods": [(one.value, _period(one, choice), one is choice.period) for one in Period],
        "choice": choice,
        "day_base": base,
    }


def _level(protocol: Protocol, level: str, treated: int) -> dict[str, Any]:
    known = protocol.level(level)
    return {"id": level, "label": known.label if known is not None else "", "treated": treated}


def _groups(found: Toxicity) -> list[dict[str, Any]]:
    groups, n = [], 0
    for soc, rows in found.groups:
        shown = []
        for row in rows:
            n += 1
            shown.append(_row(row, found, f"t{n}"))
        said = soc or "System organ class not given" if rows[0].is_coded else "Not coded"
        groups.append({"soc": said, "rows": shown})
    return groups


def _row(row: Row, found: Toxicity, anchor: str) -> dict[str, Any]:
    return {
        "anchor": anchor,
        "term": row.term,
        "is_coded": row.is_coded,
        "levels": [_cells(tally, n) for tally, n in zip(row.levels, found.treated, strict=True)],
        "severe": row.severe,
        "any": row.any,
    }


def _cells(tally: Tally, treated: int) -> dict[str, Any]:
    return {
        "grades": [len(subjects) for subjects in tally.by_grade],
        "unknown": len(tally.unknown),
        "any": tally.any,
        "treated": treated,
    }


def _who(row: Row, levels: Sequence[str], anchor: str) -> dict[str, Any]:
    lines = []
    for level, tally in zip(levels, row.levels, strict=True):
        places = [*((f"grade {g}", tally.by_grade[g - 1]) for g in reversed(GRADES)), ("not graded", tally.unknown)]
        lines += [f"{level}, {place}: {', '.join(subjects)}" for place, subjects in places if subjects]
    return {"anchor": anchor, "term": row.term, "is_coded": row.is_coded, "lines": lines}


def _month(one: Month) -> dict[str, Any]:
    named = "Month not known" if one.month is None else f"{date.fromisoformat(f'{one.month}-01'):%b %Y}"
    return {
        "named": named, "infused": one.infused_so_far, "events": one.events, "events_so_far": one.events_so_far,
        "subjects": one.subjects, "subjects_so_far": one.subjects_so_far,
    }  # fmt: skip


def _assumed(found: Toxicity) -> Iterable[tuple[Assumed, str]]:
    for one in found.counted:
        for assumed in one.assumed:
            yield assumed, toxicity_words.one_line(one.event, one.grade)


def _listed(told: Iterable[tuple[_K, str]], kinds: Iterable[_K], said: Callable[[_K], str]) -> list[dict[str, Any]]:
    """What there is under each reason, in the order of the reasons; of many the first."""
    under: dict[_K, list[str]] = {kind: [] for kind in kinds}
    for kind, line in told:
        under[kind].append(line)
    return [
        {"said": said(kind), "count": len(lines), "lines": lines[:MOST_LISTED], "more": len(lines[MOST_LISTED:])}
        for kind, lines in under.items()
        if lines
    ]


def _why(why: Why) -> str:
    return toxicity_words.WHY[why]


def _of_assumed(assumed: Assumed) -> str:
    return toxicity_words.ASSUMED[assumed]


def _period(one: Period, choice: Choice) -> str:
    return {
        Period.WHOLE: "Whole time, also before infusion",
        Period.TREATMENT_EMERGENT: "From the first infusion on",
        Period.WINDOW: f"First infusion to day {choice.last_day}",
    }[one]


def _dlt_scale(protocol: Protocol) -> str:
    """Where the rules on the dose go by another scale for CRS than this table."""
    if protocol.grading.crs is CrsScale.ASTCT:
        return ""
    by = "the worse of CTCAE and ASTCT" if protocol.grading.crs is CrsScale.WORST_OF else "CTCAE"
    return f"For a CRS the dose board goes by {by}, so that it may count there at a higher grade than here."
