"""What was typed into the form, as the facts of a report: the same document that a system would post.

Nothing is filled in. A question that nobody answered, or answered "not known yet", says nothing: it is never a "no".
Whatever is wrong is left as it was typed, so that the one judge of it is the model of the facts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tocsin.domain.words import Agent, Criterion
from tocsin.web.pages import Form
from tocsin.web.pointers import split

Values = Mapping[str, str]
"""What stands in the fields, by name."""

MOST_EVENTS = 20
"""How many events stand on one page."""
OTHER, UNKNOWN = "other", "unknown"
_BLOCK = re.compile(r"e(\d{1,3})-.+")
_OURS = frozenset({"token", "do", "over", "lang", "draft", "version", "page", "once", "revision", "events_page"})
"""Fields of the page itself."""
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?")
_TIME = re.compile(r"(\d{1,2})[:时](\d{2})分?(.*)", re.DOTALL)


def values_of(form: Form) -> dict[str, str]:
    """What was typed, without the fields of the page itself and without blank ones."""
    typed = {name: form.get(name).replace("\r\n", "\n") for name in form.names() if name not in _OURS}
    return {name: value for name, value in typed.items() if value}


def blocks_of(values: Values) -> list[int]:
    """The numbers of the event blocks in which something stands, in order."""
    return sorted({int(found[1]) for name in values if (found := _BLOCK.fullmatch(name))})


def at_block(n: int) -> str:
    """How the names of the fields of an event block begin."""
    return f"e{n}-"


@dataclass(frozen=True, slots=True)
class Typed:
    """Facts as they were typed. `blocks[i]` is the event block on the page that `facts["events"][i]` came from."""

    facts: dict[str, Any]
    blocks: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said at all."""
        return not set(self.facts) - {"kind"}

    def field_of(self, pointer: str) -> str:
        """The field on the page that a pointer into the facts is about; empty for the whole."""
        steps = split(pointer)
        if len(steps) > 1 and steps[0] == "events" and steps[1].isdecimal() and int(steps[1]) < len(self.blocks):
            at = at_block(self.blocks[int(steps[1])])
            return at + _field_of_event(steps[2:])
        if not steps:
            return ""
        return "_".join(steps[:2]) if steps[0] == "reporter" else steps[0]


def _field_of_event(steps: list[str]) -> str:
    if steps[:1] == ["grade"] and len(steps) > 1:
        return f"grade_{steps[1]}"
    return _EVENT_FIELDS.get(steps[0], steps[0]) if steps else "verbatim"


_EVENT_FIELDS: Final = {"serious": "seriousness", "investigator_aware_at": "aware", "nullified": "struck"}


def first_report(values: Values) -> Typed:
    """The facts of a first report."""
    blocks = tuple(blocks_of(values))
    events = [{"ref": str(place), **event(values, at_block(n))} for place, n in enumerate(blocks, 1)]
    return Typed({**about_the_report(values), **({"events": events} if events else {})}, blocks)


def about_the_report(values: Values) -> dict[str, Any]:
    """The facts that are of no single event."""
    product = values.get("product_is", OTHER)
    said: dict[str, Any] = {
        "subject": values.get("subject"),
        "kind": values.get("kind"),
        "detail": values.get("detail"),
        "product": {OTHER: values.get("product"), UNKNOWN: None}.get(product, product),
        "narrative": values.get("narrative"),
    }
    reporter = {
        part: values[f"reporter_{part}"] for part in ("name", "role", "contact") if f"reporter_{part}" in values
    }
    if reporter:
        said["reporter"] = reporter
    return {name: value for name, value in said.items() if value}


def event(values: Values, at: str) -> dict[str, Any]:
    """The facts of one event block, `at` its prefix."""
    said: dict[str, Any] = {name: say(values, at + name) for name, say in _PLAIN.items()}
    said["investigator_aware_at"] = _moment(values, at + "aware")
    said |= _seriousness(values, at) | {"grade": _grades(values, at), "causality": _causality(values, at)}
    if values.get(at + "struck"):
        said["nullified"] = True
    return {name: value for name, value in said.items() if value is not None}


def _text(values: Values, name: str) -> str | None:
    return values.get(name) or None


def _moment(values: Values, name: str) -> str | None:
    """A date as far as it is known, with the time where one is given."""
    day, hour = whole_date(values.get(name + "_date", "")), whole_time(values.get(name + "_time", ""))
    if not day and not hour:
        return None
    return f"{day}T{hour}" if hour else day


_PLAIN: Final[Mapping[str, Callable[[Values, str], str | None]]] = {
    "verbatim": _text, "onset": _moment, "end": _moment, "outcome": _text, "action": _text, "treatment": _text,
}  # fmt: skip


def whole_date(text: str) -> str:
    """A date in the form of the standard, where it is written so that it can mean one day, month or year only."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if found := re.fullmatch(r"(\d{4})年", plain):
        return found[1]
    found = _DATE.fullmatch(plain)
    if found is None:
        return text
    return "-".join(part.zfill(2) for part in found.groups() if part is not None)


def whole_time(text: str) -> str:
    """A time as the standard writes it: 9:05 is 09:05."""
    found = _TIME.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return text if found is None else f"{found[1].zfill(2)}:{found[2]}{found[3]}"


def _seriousness(values: Values, at: str) -> dict[str, Any]:
    """Serious by one "yes"; not serious only by six times "no"; else nobody knows yet, and nothing is said."""
    answers = {criterion: values.get(f"{at}serious_{criterion}") for criterion in Criterion}
    named = [criterion.value for criterion, answer in answers.items() if answer == "yes"]
    if named:
        return {"serious": True, "seriousness": named}
    return {"serious": False} if all(answer == "no" for answer in answers.values()) else {}


def _grades(values: Values, at: str) -> dict[str, Any] | None:
    given = {scale: values[f"{at}grade_{scale}"] for scale in ("ctcae", "astct") if f"{at}grade_{scale}" in values}
    return {scale: int(text) if re.fullmatch(r"\d{1,3}", text) else text for scale, text in given.items()} or None


def _causality(values: Values, at: str, agents: Iterable[Agent] = Agent) -> list[dict[str, str]] | None:
    """The investigator's opinion on each agent of which one was given."""
    relations = {"yes": "related", "no": "not_related"}
    given = {agent: values.get(f"{at}cause_{agent}", "") for agent in agents}
    said = [{"agent": agent.value, "relation": relations[how]} for agent, how in given.items() if how in relations]
    return said or None
