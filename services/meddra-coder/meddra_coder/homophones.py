"""A Chinese name with a wrong character of the same sound, and the one name that was surely meant.

Whoever types Chinese types its sound and picks characters: 乏利 is 乏力, 便密 is 便秘. A slip is mended where all names
and phrases of that sound mean one and the same, and where it differs in one character only, or in two of five or more.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable
from typing import Final

from meddra_coder.concepts import CJK

_CHINESE: Final = re.compile(rf"[{CJK}]{{2,12}}")
_TWO_SLIPS_FROM: Final = 5
_NEGATING: Final = frozenset("不没无未非否")
"""Characters that are never read as a slip: 不肿 sounds like 浮肿 to some, and is the opposite."""
_MOST_READINGS: Final = 64
"""A text whose characters have more readings in all stays as it is."""
_REMEMBERED: Final = 16_384


class Homophones:
    """The Chinese names and phrases by their sound; `meaning` says of two whether they mean the same."""

    def __init__(self, texts: Iterable[str], meaning: Callable[[str], object]) -> None:
        self._meaning = meaning
        self._sounding: dict[str, list[str]] = {}
        for text in texts:
            if _CHINESE.fullmatch(text):
                # The commonest reading of each character stands for a name; a text is tried in all its readings.
                self._sounding.setdefault(" ".join(_sounds(character)[0] for character in text), []).append(text)
        self.mend = functools.lru_cache(_REMEMBERED)(self._mend)

    def _mend(self, text: str) -> str | None:
        """The name that was meant; None where none sounds so, or where it is not sure which."""
        if not _CHINESE.fullmatch(text):
            return None
        readings = [_sounds(character) for character in text]
        number = 1
        for one in readings:
            number *= len(one)
        if number > _MOST_READINGS:
            return None
        meant = {
            name
            for sound in itertools.product(*readings)
            for name in self._sounding.get(" ".join(sound), ())
            if self._may_be(text, name)
        }
        meanings = {self._meaning(name) for name in meant}
        return min(meant) if len(meanings) == 1 and text not in meant else None

    @staticmethod
    def _may_be(text: str, name: str) -> bool:
        slips = [one for one, other in zip(text, name, strict=True) if one != other]
        if not _NEGATING.isdisjoint(slips):
            return False
        return len(slips) <= (2 if len(text) >= _TWO_SLIPS_FROM else 1)


@functools.cache
def _sounds(character: str) -> tuple[str, ...]:
    """How a character may be read, without tones, the commonest first; sounds that many do not tell apart are one."""
    from pypinyin import Style, pinyin

    (readings,) = pinyin(character, style=Style.NORMAL, heteronym=True)
    return tuple(dict.fromkeys(map(_folded, readings)))


def _folded(sound: str) -> str:
    """zh, ch, sh as z, c, s; -ng as -n: southern speakers type one for the other."""
    return re.sub("ng$", "n", re.sub("^([zcs])h", r"\1", sound))
