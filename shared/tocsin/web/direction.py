"""Which way text runs: what a page shows of others' words never turns the words about them round.

A word in Hebrew or Arabic letters takes the numbers beside it into its own direction, and a control character such as
U+202E turns all that follows on its line. So such a value is set apart (UAX 9, isolates), and the controls in it are
written out. What is kept, and what a form sends back, stays as it was written.
"""

from __future__ import annotations

import re
from typing import Any, Final

from markupsafe import Markup, escape

_TURNS: Final = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdd1\ufdf0-\ufdff\ufe70-\ufefe\U00010800-\U00010fff"
    "\U0001e800-\U0001efff]"
)
"""Letters that run from the right, the controls of direction, and our own two marks."""

_CONTROLS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
"""Stand about a value until it is known whether it is in a tag. They are no characters of any text."""

_ISOLATE, _POP = "\u2068", "\u2069"
_PIECES: Final = re.compile(r"(<(?:textarea|script|style)\b.*?</(?:textarea|script|style)>|<[^>]*>)", re.DOTALL)


def set_apart(value: Any) -> Any:
    """`finalize` of an environment of templates: marks a value that could turn the words about it."""
    if not isinstance(value, str) or isinstance(value, Markup) or not _TURNS.search(value):
        return value
    inner = str(escape(value)).replace(_OPEN, "&#xfdd0;").replace(_CLOSE, "&#xfdd1;")
    return Markup(f"{_OPEN}{inner}{_CLOSE}")  # noqa: S704  it was escaped a line above


def shown(page: str) -> str:
    """A rendered page in which each marked value is isolated where it is shown, and as it was in tags and forms."""
    if _OPEN not in page:
        return page
    pieces = _PIECES.split(page)
    pieces[1::2] = [piece.replace(_OPEN, "").replace(_CLOSE, "") for piece in pieces[1::2]]
    pieces[::2] = [_isolated(text) for text in pieces[::2]]
    return "".join(pieces)


def _isolated(text: str) -> str:
    written_out = _CONTROLS.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
    return written_out.replace(_OPEN, _ISOLATE).replace(_CLOSE, _POP)
