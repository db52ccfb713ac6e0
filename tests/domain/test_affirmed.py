"""Whether words name a thing or deny it. What is doubtful is named."""

from __future__ import annotations

import re

import pytest

from tocsin.domain.affirmed import WORDING, named

CRS = re.compile(r"\bCRS(?![a-z])|细胞因子风暴", WORDING)


@pytest.mark.parametrize(
    "words",
    [
        "CRS",
        "crs grade 2",
        "出现CRS",
        "CRS3级",
        "细胞因子风暴",
        "CRS not ruled out",
        "CRS cannot be excluded",
        "rule out CRS",
        "possible CRS",
        "suspected CRS, no fever",
        "no improvement of CRS",
        "no fever, CRS grade 2",
        "not resolved CRS",
        "without treatment CRS worsened",
        "不能排除CRS",
        "CRS不能排除",
        "CRS待排除",
        "不除外CRS",
        "无法排除CRS",
        "有无CRS待查",
        "no CRS on day 1, CRS on day 3",
    ],
)
def test_what_is_said_or_doubtful_is_named(words: str) -> None:
    assert named(CRS, words)


@pytest.mark.parametrize(
    "words",
    [
        "no CRS",
        "fever, no evidence of CRS",
        "fever without CRS",
        "fever without any signs of CRS",
        "no clinical evidence of CRS",
        "not CRS",
        "non-CRS fever",
        "negative for CRS",
        "no ICANS or CRS",
        "CRS ruled out",
        "CRS was excluded",
        "无CRS",
        "发热，未见CRS",
        "无明显CRS",
        "排除CRS",
        "已排除CRS",
        "CRS已排除",
        "crystals",
        "rash",
    ],
)
def test_what_is_denied_at_the_word_itself_is_not_named(words: str) -> None:
    assert named(CRS, words) is None


def test_harmless_phrases_are_taken_out_first() -> None:
    dead = re.compile(r"\bdead\b", WORDING)
    tooth = re.compile(r"\bdead tooth\b", WORDING)
    assert named(dead, "dead tooth") is not None
    assert named(dead, "dead tooth", tooth) is None
    assert named(dead, "dead tooth, found dead", tooth) is not None
