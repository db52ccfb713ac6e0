"""A verbatim brought to one way of writing, so that two spellings of one name become equal.

Only the way of writing changes here, never the meaning: letter case, width, blanks, neutral punctuation, and
British against American spelling. Signs that carry meaning ("?", "/", "+", a hyphen that stands alone, as in
"anemia (-)") stay, so that such a verbatim equals no term and goes to a person. Taking out grades, sides and
dates, synonyms and word order are left to later steps of the coder.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Wording:
    """A verbatim and its normal form.

    `verbatim` is untouched. `steps` names what changed it, in order, for the reasons of a coding.
    """

    verbatim: str
    text: str
    steps: tuple[str, ...]


def normalise(verbatim: str) -> Wording:
    """The normal form of any text. Never fails; normalising a normal form changes nothing."""
    # Most phrases are plain already, and thousands are read at start: the steps would leave them as they are.
    return Wording(verbatim, verbatim, ()) if _is_plain(verbatim) else by_steps(verbatim)


def _is_plain(text: str) -> bool:
    """Whether no step would change the text; what it does not see is only slower."""
    return _PLAIN.fullmatch(text) is not None and not _ANY_BRITISH.search(text) and not _PREFIX.search(text)


def by_steps(verbatim: str) -> Wording:
    """The same, step by step."""
    text = verbatim
    steps: dict[str, None] = {}
    # One pass is enough for words. Odd mixtures of combining marks can need another; none needs many.
    for _ in range(_MOST_PASSES):
        before = text
        for name, step in STEPS:
            after = step(text)
            if after != text:
                steps[name] = None
                text = after
        if text == before or _is_plain(text):
            break
    return Wording(verbatim=verbatim, text=text, steps=tuple(steps))


def unify_forms(text: str) -> str:
    """Unicode NFKC: full-width letters, ligatures and Roman numeral signs become plain ones."""
    return unicodedata.normalize("NFKC", text)


def drop_invisible(text: str) -> str:
    """Without zero-width and formatting characters; control characters become blanks."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "" if category == "Cf" else " " if category == "Cc" else letter
        for letter, category in ((letter, unicodedata.category(letter)) for letter in text)
    )


def fold_case(text: str) -> str:
    """Small letters, as Unicode folds them, put together again where folding takes them apart."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text.casefold())


def fold_accents(text: str) -> str:
    """Latin letters without accents (Barré, Sjögren) and ligatures in full (œdema). Other scripts stay."""
    if text.isascii():
        return text
    bare = _ACCENT.sub(r"\1", unicodedata.normalize("NFD", text.replace("æ", "ae").replace("œ", "oe")))
    return unicodedata.normalize("NFC", bare)


def drop_neutral_punctuation(text: str) -> str:
    """Punctuation that says nothing about the event becomes a blank; an apostrophe is taken out.

    A hyphen between two words is neutral. One that stands alone may mean "negative" and becomes a minus sign,
    which no term has.
    """
    text = _HYPHEN_BETWEEN.sub(" ", text)
    text = _HYPHEN.sub("−", text)
    return _NEUTRAL.sub(" ", _APOSTROPHE.sub("", text))


def single_blanks(text: str) -> str:
    """One blank between words and none around."""
    return " ".join(text.split())


def american_spelling(text: str) -> str:
    """British medical spelling to American, as CTCAE writes. A closed list, on small letters."""
    if not _ANY_BRITISH.search(text):
        return text
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return text


def join_prefixes(text: str) -> str:
    """A prefix written apart is joined to its word: "non cardiac" and "non-cardiac" are "noncardiac"."""
    return _PREFIX.sub(r"\1", text)


STEPS: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("character forms", unify_forms),
    ("invisible characters", drop_invisible),
    ("letter case", fold_case),
    ("accents", fold_accents),
    ("punctuation", drop_neutral_punctuation),
    ("blanks", single_blanks),
    ("British spelling", american_spelling),
    ("joined prefixes", join_prefixes),
)
"""The steps in their order, each with the name it has in a reason."""

_MOST_PASSES: Final = 8
_PLAIN: Final = re.compile("[a-z0-9\u4e00-\u9fa5]+(?: [a-z0-9\u4e00-\u9fa5]+)*")

_ACCENT: Final = re.compile("([a-z])[\u0300-\u036f]+")
_HYPHENS: Final = "\\-\u2010\u2011\u2012\u2013\u2014\u2015"
_HYPHEN_BETWEEN: Final = re.compile(rf"(?<=\w)\s*[{_HYPHENS}]\s*(?=\w)")
_HYPHEN: Final = re.compile(rf"[{_HYPHENS}]")
_APOSTROPHE: Final = re.compile("(?<=\\w)['\u2018\u2019`\u00b4](?=\\w|$|\\s)")
_NEUTRAL: Final = re.compile(
    "[.,;:!_*()\\[\\]{}\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb\u00b7\u2022\u3001\u3002\u3008-\u3011]"
)

_PREFIX: Final = re.compile(r"\b(intra|multi|non|post|pre) (?=[a-z])")

# Each British spelling on the left occurs in no American word that means something else; "leucovorin" and
# "angioedema" are the exceptions met, and stay as they are.
_SPELLINGS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"haem", "hem"),
        (r"aemi", "emi"),
        (r"(?<!angi)oedem", "edem"),
        (r"gastro ?o?esoph", "gastroesoph"),
        (r"(?<!gastr)oesoph", "esoph"),
        (r"rrhoe", "rrhe"),
        (r"pnoe", "pne"),
        (r"paeni", "peni"),
        (r"aesthe", "esthe"),
        (r"faec", "fec"),
        (r"caec", "cec"),
        (r"foet", "fet"),
        (r"gynaec", "gynec"),
        (r"paed", "ped"),
        (r"\boestr", "estr"),
        (r"coeliac", "celiac"),
        (r"leuc(?=em|o(?!vorin))", "leuk"),
        (r"tumour", "tumor"),
        (r"colour", "color"),
        (r"odour", "odor"),
        (r"behaviour", "behavior"),
        (r"hiccough", "hiccup"),
        (r"fibre", "fiber"),
        (r"\bsulph", "sulf"),
        (r"(?<=general)is(?=e|ing|ation)", "iz"),
        (r"(?<=local)is(?=e|ing|ation)", "iz"),
        (r"(?<=viril)is(?=e|ing|ation)", "iz"),
        (r"(?<=femin)is(?=e|ing|ation)", "iz"),
        (r"(?<=hospital)is(?=e|ing|ation)", "iz"),
    )
)
_ANY_BRITISH: Final = re.compile("|".join(pattern.pattern for pattern, _ in _SPELLINGS))
