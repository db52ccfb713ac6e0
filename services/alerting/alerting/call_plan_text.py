"""A call plan as people write it: TOML or JSON in, TOML out."""

from __future__ import annotations

import json
import tomllib
from typing import Any, Final

from alerting.call_plan import DOCUMENT, CallPlanDocument
from tocsin.errors import Refused, Wrong
from tocsin.web.reading import Sent, parse, understood

_TITLE: Final = "this is no call plan"


def read(text: str, title: str = _TITLE) -> CallPlanDocument:
    """The plan: JSON where the text begins with a brace, else TOML. Raises Refused with every wrong place."""
    if text.lstrip().startswith("{"):
        raw = text.encode()
    else:
        try:
            # TOML has dates and times of its own; JSON writes the same as text.
            raw = json.dumps(tomllib.loads(text), default=lambda own: own.isoformat()).encode()
        except (ValueError, RecursionError) as error:  # beside its own: a number of thousands of digits
            raise Refused(title, [Wrong("", str(error), "TOML, or JSON")]) from None
    return understood(Sent(raw, parse(raw)), DOCUMENT, title)


def toml(plan: dict[str, Any]) -> str:
    """The document, as `CallPlanDocument` gives it in JSON values without the absent ones, as TOML."""
    lines = [f"zone = {_value(plan['zone'])}"]
    for table in ("people", "rotas", "policies"):
        for one in plan.get(table, []):
            lines += ["", f"[[{table}]]"]
            lines += [f"{name} = {_value(value)}" for name, value in one.items() if name != "steps"]
            for step in one.get("steps", []):
                lines += ["", f"[[{table}.steps]]", *(f"{name} = {_value(value)}" for name, value in step.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_value(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    # A basic string of TOML is one of JSON, but for DEL, which it wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
