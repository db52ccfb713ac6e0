"""Both languages say the same things, and everything that a page says has words in both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import ae_intake.desk
from ae_intake.desk.sayings import example_of, query, refusal
from ae_intake.desk.words_en import WORDS as ENGLISH
from ae_intake.desk.words_zh import WORDS as CHINESE
from tests.support.houses import PILOT, STUDY, protocols
from tocsin.domain.words import Action, Agent, Criterion, Outcome, Relation, ReportKind
from tocsin.errors import Wrong
from tocsin.messages.bodies import QueryKind

DESK = Path(ae_intake.desk.__file__).parent
_HOLES = re.compile(r"\{(\w+)\}")


def test_both_tables_have_the_same_keys() -> None:
    assert ENGLISH.keys() == CHINESE.keys()


@pytest.mark.parametrize("key", ENGLISH)
def test_both_sentences_have_the_same_places_to_fill(key: str) -> None:
    assert set(_HOLES.findall(ENGLISH[key])) == set(_HOLES.findall(CHINESE[key]))
    assert ENGLISH[key].strip()
    assert CHINESE[key].strip()


def test_whatever_a_page_or_its_code_asks_for_is_there() -> None:
    asked: set[str] = set()
    for file in DESK.glob("templates/*.html"):
        asked |= set(re.findall(r"\bw\.([a-z_0-9]+)", file.read_text("utf-8"))) - {"get"}
    for file in DESK.glob("*.py"):
        asked |= set(re.findall(r"""\bw\["([a-z_0-9]+)"\]""", file.read_text("utf-8")))
    assert len(asked) > 100
    assert asked - ENGLISH.keys() == set()


def test_every_word_of_a_closed_list_has_words() -> None:
    wanted = {
        *(f"outcome_{one}" for one in Outcome), *(f"action_{one}" for one in Action),
        *(f"agent_{one}" for one in Agent), *(f"kind_{one}" for one in ReportKind),
        *(f"criterion_{one}" for one in Criterion), *(f"ask_{one}" for one in Criterion),
        *(f"relation_{one}" for one in Relation if one.isascii()),
        *(f"query_{one}" for one in get_args(QueryKind)),
        *(f"how_{one}" for one in ("report", "follow_up", "answer", "moved")),
    }  # fmt: skip
    assert wanted - ENGLISH.keys() == set()


def test_the_chinese_is_chinese() -> None:
    """But for names that nobody translates."""
    plain = {key for key, said in CHINESE.items() if said.isascii()}
    assert plain == {"other_language", "date_shape", "time_shape"}


def test_a_sentence_without_words_of_its_own_is_shown_as_it_is() -> None:
    said = refusal(Wrong("/x", "is no such thing", "another"), CHINESE)
    assert (said.text, said.original) == ("无法识别：", "is no such thing. another")
    asked = query("follow_up", "", "What is new?", CHINESE)
    assert (asked.text, asked.original) == ("请答复：", "What is new?")


def test_a_subjects_number_is_shown_by_example() -> None:
    assert example_of(protocols()[STUDY].subject_pattern, "S01") == "S01-001"
    assert example_of(protocols()[PILOT].subject_pattern, "701") == "01-701-0001"
    assert example_of(re.compile(r"(?P<site>A|B).*"), "S01") == ""
