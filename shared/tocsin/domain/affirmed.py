"""Whether a site's words name a thing or deny it: "CRS grade 2" names it, "no evidence of CRS" does not.

Only a denial that stands directly at the word counts. Whatever is doubtful ("CRS not ruled out", 不能排除CRS) is read
as named, because a false silence costs more than a false ring.
"""

from __future__ import annotations

import re
from functools import lru_cache
from re import Match

# ASCII: between a Chinese character and a Latin letter there is a word boundary only then (出现CRS).
WORDING = re.IGNORECASE | re.ASCII

_DENIED_BEFORE = re.compile(
    r"(?:"
    r"\b(?:no|not|non|never|without|denie[sd]|no longer|negative for|free of|absence of"
    r"|(?:no|without)\s(?:\w+\s)?(?:evidence|signs?|symptoms?|features?|suspicion|risk)\s(?:of|for))"
    r"[\s-]+(?:an?\s|any\s)?(?:[\w-]+\s(?:or|nor)\s)?"
    r"|(?<![不未非能法待有])(?:无|未见|未发生|未出现|没有|否认|非|排除|除外)(?:明显|任何)?(?:证据)?\s*"
    r")$",
    WORDING,
)
_DENIED_AFTER = re.compile(
    r"^\s*(?:syndrome\s)?(?:(?:was|has been|is)\s)?(?:ruled out|excluded)|^\s*已(?:被)?排除", WORDING
)


# One event is judged several times with the same words: as told, as coded, as it stands.
@lru_cache(maxsize=8192)
def named(pattern: re.Pattern[str], words: str, harmless: re.Pattern[str] | None = None) -> Match[str] | None:
    """The first place where `words` name what `pattern` looks for; None when they do not, or deny it.

    What `harmless` finds (a dead tooth) is taken out first.
    """
    text = words if harmless is None else harmless.sub(" ; ", words)
    return next((found for found in pattern.finditer(text) if not _is_denied(found, text)), None)


def _is_denied(found: Match[str], text: str) -> bool:
    return bool(_DENIED_BEFORE.search(text[: found.start()]) or _DENIED_AFTER.search(text[found.end() :]))
