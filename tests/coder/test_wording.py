"""Normalising a verbatim: one way of writing, never another meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddra_coder.wording import STEPS, by_steps, normalise

# Pieces that the steps work on, so that hypothesis finds odd neighbours sooner than by chance.
PIECES = st.sampled_from(
    (
        *("haem", "aemi", "oedem", "gastro", " o", "oesoph", "general", "isation", "leuco", "vorin", "non", "pre"),
        *("-", " - ", "(", ")", "'", "’", " ", "?", "−", "É", "é", "œ", "Ａ", "Ⅱ", "ß", "İ", "ΐ", "贫血", "，"),
        *("\u200b", "\u00ad", "\x00", "\u0345", "\u0301", "\ud800"),
    )
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=8).map("".join))


@pytest.mark.parametrize(
    ("verbatim", "text", "steps"),
    [
        ("anemia", "anemia", ()),
        ("  Anaemia ", "anemia", ("letter case", "blanks", "British spelling")),
        ("ＡＮＥＭＩＡ", "anemia", ("character forms", "letter case")),
        ("ane\u200bmia", "anemia", ("invisible characters",)),
        ("Guillain-Barré syndrome", "guillain barre syndrome", ("letter case", "accents", "punctuation")),
        ("Cushing’s", "cushings", ("letter case", "punctuation")),
        ("gastro-oesophageal reflux", "gastroesophageal reflux", ("punctuation", "British spelling")),
        ("non-cardiac chest pain", "noncardiac chest pain", ("punctuation", "joined prefixes")),
        ("muscle\tcramp\r\n", "muscle cramp", ("invisible characters", "blanks")),
    ],
)
def test_says_what_it_changed(verbatim: str, text: str, steps: tuple[str, ...]) -> None:
    wording = normalise(verbatim)
    assert (wording.verbatim, wording.text, wording.steps) == (verbatim, text, steps)


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("diarrhoea", "diarrhea"),
        ("leucocytosis", "leukocytosis"),
        ("leukaemia", "leukemia"),
        ("tumour", "tumor"),
        ("haemolytic uraemic", "hemolytic uremic"),
        ("paraesthesia", "paresthesia"),
        ("caecal haemorrhage", "cecal hemorrhage"),
        ("papilloedema", "papilledema"),
        ("generalised", "generalized"),
        ("virilisation", "virilization"),
    ],
)
def test_british_spelling_becomes_american(british: str, american: str) -> None:
    assert normalise(british).text == american


@pytest.mark.parametrize("word", ["leucovorin", "angioedema", "exercise", "bruise", "advised", "aerosol", "phoenix"])
def test_words_that_only_look_british_stay(word: str) -> None:
    assert normalise(word).text == word


@pytest.mark.rule("readings.md Coding: what is doubtful goes to a person")
@pytest.mark.parametrize(
    "verbatim", ["anemia?", "?anemia", "anemia (-)", "anemia -", "- anemia", "(-) anemia", "anemia +", "anemia/fever"]
)
def test_signs_that_carry_meaning_stay(verbatim: str) -> None:
    assert normalise(verbatim).text != "anemia"


def test_a_lone_hyphen_is_never_taken_for_one_between_words() -> None:
    assert normalise("chest pain (-) cardiac").text == "chest pain − cardiac"


@given(TEXTS)
def test_normalising_twice_changes_nothing(verbatim: str) -> None:
    text = normalise(verbatim).text
    again = normalise(text)
    assert (again.text, again.steps) == (text, ())


@given(
    st.one_of(TEXTS, st.text(alphabet="abehimnoprsuyz 0123贫血"), st.sampled_from(["haem x", "pre x", "x y", "x  y"]))
)
def test_what_is_plain_already_is_as_the_steps_leave_it(verbatim: str) -> None:
    assert normalise(verbatim) == by_steps(verbatim)


@given(TEXTS)
def test_any_text_is_normalised_and_the_verbatim_kept(verbatim: str) -> None:
    wording = normalise(verbatim)
    assert wording.verbatim == verbatim
    assert set(wording.steps) <= {name for name, _ in STEPS}
