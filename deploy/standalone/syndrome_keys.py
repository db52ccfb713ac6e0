"""The words of one cell of syndrome facts, `key=value` joined by `;`: which keys each scale has and what they may say.

`unknown` is allowed everywhere. A key that a row does not name is unknown as well, except where the key says an
exceptional thing (`death`, `seizure`, `fever_earlier`): there a row names what was found, and what it does not name was
not there. Whoever does not know writes `unknown`. `anticytokine` is no such key: a fever may be hidden without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from tocsin.domain.crs import Device
from tocsin.domain.icaht import EARLY_DAYS
from tocsin.domain.icans import Consciousness, Oedema, Seizure
from tocsin.domain.ice import FULL, ITEMS
from tocsin.domain.known import Known


class Unread(Exception):
    """A row that cannot be read. Says everything that is wrong with it, and what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `read` raises ValueError for a word that is not allowed. `absent` is what a row without it says."""

    name: str
    allowed: str
    read: Callable[[str], Any]
    unknown: Any = None
    absent: Any = None
    is_exception: bool = False
    other_names: tuple[str, ...] = ()


_YES: Final = {"1", "true", "yes"}
_NO: Final = {"0", "false", "no"}
_UNKNOWN: Final = {"unknown", "?", "", "none"}
"""`none` is unknown only where it is no word of the key itself."""


def _answer(word: str) -> Known:
    if word not in _YES | _NO:
        raise ValueError
    return Known.of(word in _YES)


def _fact(name: str) -> Key:
    return Key(name, "0, 1, True, False", _answer, Known.UNKNOWN, Known.UNKNOWN)


def _exception(name: str) -> Key:
    return Key(name, "0, 1, True, False", _answer, Known.UNKNOWN, Known.NO, is_exception=True)


def _whole(name: str, most: int) -> Key:
    def read(word: str) -> int:
        if not (word.isascii() and word.isdigit() and int(word) <= most):
            raise ValueError
        return int(word)

    return Key(name, f"0 to {most}", read)


def _number(name: str, least: int, most: int) -> Key:
    def read(word: str) -> Decimal:
        try:
            number = Decimal(word)
        except InvalidOperation:
            raise ValueError from None
        if not number.is_finite() or not least <= number <= most:
            raise ValueError
        return number

    return Key(name, f"a number from {least} to {most}", read)


def _word(
    name: str, words: type[StrEnum], other_words: Mapping[str, str] | None = None, *, absent: StrEnum | None = None,
    other_names: tuple[str, ...] = (),
) -> Key:  # fmt: skip
    def read(word: str) -> StrEnum:
        plain = word.replace("-", "_").replace(" ", "_")
        return words((other_words or {}).get(plain, plain))

    return Key(name, ", ".join(words), read, None, absent, absent is not None, other_names)


_DEVICE_SPELLINGS: Final = {"intubation": "intubated", "non_rebreather": "nonrebreather"}
_CRS: Final = (
    _fact("fever"),
    _whole("pressors_ex_vaso", 10),
    _fact("vasopressin"),
    _fact("hypotension"),
    _word("o2", Device, _DEVICE_SPELLINGS),
    _number("flow_l_per_min", 0, 100),
    _number("fio2_percent", 21, 100),
    _fact("anticytokine"),
    _exception("antipyretic"),
    _exception("fever_earlier"),
    _exception("airway_only"),
    _exception("death"),
)

KEYS: Final[Mapping[str, tuple[Key, ...]]] = {
    "CRS": _CRS,
    "CRS_CTCAE5": _CRS,
    "CRS_CTCAE6": _CRS,
    "ICANS": (
        _whole("ice", FULL),
        *(_whole(item, most) for item, most in ITEMS.items()),
        _word("consciousness", Consciousness),
        _word("seizure", Seizure, absent=Seizure.NONE),
        _exception("motor"),
        _word("edema", Oedema, absent=Oedema.NONE, other_names=("oedema",)),
        _exception("death"),
    ),
    "IEC_HS": (
        _fact("iec_hs"),
        _fact("intervention"),
        _fact("bleeding_transfused"),
        _fact("organ_admission"),
        _fact("life_threatening"),
        _fact("intubated"),
        _fact("dialysis"),
        _exception("death"),
    ),
    "ICAHT_EARLY": (
        _whole("days_anc_le_500", EARLY_DAYS),
        _whole("days_anc_le_100", EARLY_DAYS),
        _fact("never_above_500"),
    ),
    "ICAHT_LATE": (_number("anc_per_uL", 0, 1_000_000),),
}
"""The keys of each scale."""


@dataclass(frozen=True, slots=True)
class Told:
    """The facts of one row by key, and the exceptional keys that it did not name."""

    facts: Mapping[str, Any]
    read_as_absent: tuple[str, ...]


def read(scale: str, inputs: str) -> Told:
    """The facts of one row. Raises Unread with everything that is wrong in it."""
    keys = KEYS[scale]
    by_name = {name.casefold(): key for key in keys for name in (key.name, *key.other_names)}
    facts: dict[str, Any] = {}
    problems: list[str] = []
    for part in (part.strip() for part in inputs.split(";")):
        if not part:
            continue
        name, sign, word = (piece.strip() for piece in part.partition("="))
        key = by_name.get(name.casefold())
        if not sign:
            problems.append(f"{part!r} is no fact; allowed is key=value, joined by ;")
        elif key is None:
            problems.append(f"{scale} has no key {name!r}; allowed are {', '.join(each.name for each in keys)}")
        elif key.name in facts:
            problems.append(f"{key.name} is there twice; allowed is once")
        else:
            facts[key.name] = _value(key, word, problems)
    if problems:
        raise Unread(problems)
    absent = tuple(key.name for key in keys if key.is_exception and key.name not in facts)
    return Told({**{key.name: key.absent for key in keys}, **facts}, absent)


def _value(key: Key, word: str, problems: list[str]) -> Any:
    plain = word.casefold()
    try:
        return key.read(plain)
    except ValueError:
        if plain not in _UNKNOWN:
            problems.append(f"{key.name} is {word!r}; allowed are {key.allowed}, unknown")
        return key.unknown
