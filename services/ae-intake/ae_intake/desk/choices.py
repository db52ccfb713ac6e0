"""What the form offers to choose from, in the words of the page; and what its fields are drawn with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, get_args

from ae_intake.desk.sayings import Said, Told, example_of
from ae_intake.desk.typed import MOST_EVENTS, Values, blocks_of
from ae_intake.desk.visit import Visit
from tocsin.criteria.terms import load_terms
from tocsin.domain.words import Action, Agent, Criterion, Outcome, ReportKind
from tocsin.messages.facts import ReportFacts

_PROCEDURES = (Agent.LYMPHODEPLETION, Agent.BRIDGING, Agent.APHERESIS)
_SUGGESTED = "5.0"


def fields(
    visit: Visit, values: Values, told: Iterable[Told] = (), *, may_add: bool = False, has_spare: bool = True
) -> dict[str, Any]:
    """Everything that the fields of a report are drawn from."""
    w, blocks = visit.w, blocks_of(values) or [0]
    spare = blocks[-1] + 1 if has_spare and len(blocks) < MOST_EVENTS else None
    return {
        "values": values, "wrong": by_field(told, values, [*blocks, *([spare] if spare is not None else [])]),
        "blocks": blocks, "spare": spare, "may_add": may_add, "terms": _suggestions(),
        "example": example_of(visit.protocol.subject_pattern, visit.site.id),
        "criteria": [criterion.value for criterion in Criterion],
        "grades": _grades(1, w), "grades_astct": _grades(0, w),
        "outcomes": [(one.value, w[f"outcome_{one}"]) for one in Outcome],
        "actions": [(one.value, w[f"action_{one}"]) for one in Action],
        "kinds": [(one.value, w[f"kind_{one}"]) for one in ReportKind],
        "details": [(one, w[f"detail_{one}"]) for one in _details()],
        "agents": [(one.value, _agent(one, visit)) for one in Agent if one in _asked(visit, values)],
    }  # fmt: skip


def by_field(told: Iterable[Told], values: Values, blocks: Iterable[int]) -> dict[str, list[Said]]:
    """What is wrong, by the field at which it is shown; under no name what belongs to no field of the page."""
    starts = tuple(f"e{n}-" for n in blocks)
    found: dict[str, list[Said]] = {}
    for one in told:
        is_there = not one.field.startswith("e") or one.field.startswith(starts)
        found.setdefault(one.field if is_there else "", []).append(one.said)
    return found


def _asked(visit: Visit, values: Values) -> set[Agent]:
    """The product, the procedures of a cell therapy where the study plans doses of one, and what was judged before."""
    asked = {Agent.PRODUCT, Agent.OTHER, *(_PROCEDURES if visit.protocol.levels else ())}
    return asked | {agent for agent in Agent if any(name.endswith(f"-cause_{agent}") for name in values)}


def _agent(agent: Agent, visit: Visit) -> str:
    return visit.protocol.product if agent is Agent.PRODUCT else visit.w[f"agent_{agent}"]


def _grades(least: int, w: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(str(n), w["grade_n"].format(n=n)) for n in range(least, 6)]


@cache
def _suggestions() -> tuple[str, ...]:
    """The terms of CTCAE, without those that only say "other"."""
    return tuple(sorted(term.name for term in load_terms(_SUGGESTED) if "Other, specify" not in term.name))


@cache
def _details() -> tuple[str, ...]:
    literal, _ = get_args(ReportFacts.model_fields["detail"].annotation)
    return tuple(get_args(literal))
