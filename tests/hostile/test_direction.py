"""What a page shows of others' words turns nothing round that stands beside it."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from tests.alerting.visitor import Door
from tests.alerting.ward import FATAL, report, ward
from tests.hostile.longer import bounded
from tocsin.web.direction import set_apart, shown

TURNED = "rash \u202egninethgil"
PAGE = Environment(autoescape=True, finalize=set_apart).from_string(
    "<title>{{ x }}</title><p title=\"{{ x }}\">{{ x }}, grade 4</p><input value='{{ x }}'><textarea>{{ x }}</textarea>"
)


def test_a_control_is_written_out_where_it_is_shown_and_kept_where_a_form_sends_it_back() -> None:
    assert shown(PAGE.render(x=TURNED)) == (
        "<title>\u2068rash [U+202E]gninethgil\u2069</title>"
        '<p title="rash \u202egninethgil">\u2068rash [U+202E]gninethgil\u2069, grade 4</p>'
        "<input value='rash \u202egninethgil'><textarea>rash \u202egninethgil</textarea>"
    )


def test_a_word_that_runs_from_the_right_is_set_apart_from_the_number_beside_it() -> None:
    assert '<p title="\u05d7\u05d5\u05dd">\u2068\u05d7\u05d5\u05dd\u2069, grade 4</p>' in shown(
        PAGE.render(x="\u05d7\u05d5\u05dd")
    )


@pytest.mark.parametrize("words", ["fever", "发热 <b>", "Grad 4 – Fieber", "", "😀 & more"])
def test_words_that_turn_nothing_are_left_as_they_were(words: str) -> None:
    plain = Environment(autoescape=True).from_string("<p title='{{ x }}'>{{ x }}</p>").render(x=words)
    finalised = Environment(autoescape=True, finalize=set_apart).from_string("<p title='{{ x }}'>{{ x }}</p>")
    assert shown(finalised.render(x=words)) == plain


HOSTILE = st.text(
    st.sampled_from("a1 <>&\"'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f\u05d0\u0661\ufdd0\ufdd1"),
    max_size=12,
)


@pytest.mark.rule("promise: what is shown of others' words turns nothing round that stands beside it")
@bounded(150)
@given(HOSTILE)
def test_whatever_is_written_each_shown_text_is_balanced_and_each_form_has_what_was_written(words: str) -> None:
    page = shown(PAGE.render(x=words))
    body = re.fullmatch(
        "<title>(.*?)</title><p title=\"(.*?)\">(.*?)</p><input value='(.*?)'><textarea>(.*?)</textarea>",
        page,
        re.DOTALL,
    )
    assert body is not None
    title, tooltip, paragraph, value, area = body.groups()
    for text in (title, paragraph):
        classes = [unicodedata.bidirectional(letter) for letter in text]
        assert not {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI"} & set(classes)
        assert classes.count("FSI") == classes.count("PDI") <= 1
        if set(words) & set("\u202e\u05d0\u0661"):
            assert text.startswith("\u2068")
    for text in (tooltip, value, area):
        # HTML reads a reference to these two as what they are; Python's reader leaves them out.
        assert unescape(text) == words.replace("\ufdd0", "").replace("\ufdd1", "")


@pytest.mark.rule("promise: what is shown of others' words turns nothing round that stands beside it")
def test_no_page_of_a_case_shows_a_control_that_a_site_wrote(tmp_path: Path) -> None:
    evil = {**FATAL, "verbatim": "found \u202etnaw dlrow eht\u2066 dead", "ref": "AE-1"}
    with ward(f"sqlite:///{tmp_path}/alerting.db", tmp_path) as found:
        door = Door(found)
        found.receive(report(evil, reporter={"name": "Dr \u202eoaG"}))
        visitor = door.visitor("lin", "safety_physician")
        pages = [visitor.opened(path).text for path in ("/desk", "/desk/cases", "/desk/cases/TOC-0031", "/mailbox")]
    assert any("found [U+202E]tnaw dlrow eht[U+2066] dead" in page for page in pages)
    for page in pages:
        outside_of_tags = re.sub(r"<textarea\b.*?</textarea>|<script\b.*?</script>|<[^>]*>", "", page, flags=re.DOTALL)
        assert not re.search("[\u202a-\u202e\u2066\u2067]", outside_of_tags)
