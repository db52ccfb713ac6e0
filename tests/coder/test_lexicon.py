"""The tables of the lexicon: each phrase means one term, and no phrase is in the way of another."""

from __future__ import annotations

import re

import pytest

from meddra_coder.coder import default_coder
from meddra_coder.coding import code_event
from meddra_coder.concepts import Concepts, singular
from meddra_coder.dictionary import Kind, default_dictionary
from meddra_coder.gate import REASONS
from meddra_coder.lexicon import load_lexicon
from meddra_coder.spelling import Spelling
from meddra_coder.wording import normalise


def test_each_phrase_stands_for_one_term_of_ctcae_that_is_an_event() -> None:
    dictionary = default_dictionary()
    meant: dict[str, str] = {}
    for synonym in load_lexicon().synonyms:
        term = dictionary.coded(synonym.code)
        assert term is not None, synonym
        assert term.kind is Kind.EVENT, synonym
        text = normalise(synonym.phrase).text
        assert text, synonym
        assert meant.setdefault(text, synonym.code) == synonym.code, synonym


def test_no_phrase_is_the_name_of_another_term_and_no_ambiguous_one_is_a_synonym_or_a_name() -> None:
    dictionary = default_dictionary()
    synonyms = {normalise(synonym.phrase).text: synonym for synonym in load_lexicon().synonyms}
    for text, synonym in synonyms.items():
        assert {term.code for term in dictionary.worded(text)} <= {synonym.code}, synonym
    for one in load_lexicon().ambiguous:
        text = normalise(one.phrase).text
        assert text not in synonyms, one
        assert not dictionary.worded(text), one
        assert all(dictionary.coded(code) for code in one.codes), one


def test_every_term_has_a_name_in_chinese() -> None:
    chinese = {synonym.code for synonym in load_lexicon().synonyms if synonym.kind == "chinese"}
    terms = [term for term in default_dictionary().terms if term.kind is Kind.EVENT]
    assert not [term.name for term in terms if term.code not in chinese]


def test_every_shipped_phrase_is_coded_as_its_term_or_held_and_never_as_another() -> None:
    coder = default_coder()
    coded = 0
    for synonym in load_lexicon().synonyms:
        answer = code_event(synonym.phrase, coder, top=0)
        assert answer.llt_code in (synonym.code, None), synonym
        coded += answer.llt_code == synonym.code
    assert coded / len(load_lexicon().synonyms) > 0.99


def test_no_ambiguous_phrase_is_ever_coded_and_its_terms_stand_first() -> None:
    coder = default_coder()
    dictionary = coder.dictionary
    for one in load_lexicon().ambiguous:
        answer = code_event(one.phrase, coder)
        assert answer.llt_code is None, one
        events = [code for code in one.codes if (term := dictionary.coded(code)) and term.kind is Kind.EVENT]
        assert not events or answer.candidates[0].code in events, one


def test_the_gates_are_those_that_have_a_sentence() -> None:
    assert {one.reason for one in load_lexicon().held} == set(REASONS)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("low platelets", "LOW PLATELET"),
        ("platelet count decreased", "LOW PLATELET"),
        ("血小板计数降低", "LOW PLATELET"),
        ("anc↓", "LOW NEUTROPHIL"),
        ("infection of the kidney", "INFECTION KIDNEY"),
        ("肌钙蛋白i升高", "HIGH TROPONIN_I"),
        ("blorbs of the kidney", "KIDNEY blorb"),
        ("the of", ""),
        ("", ""),
    ],
)
def test_a_key_is_the_set_of_concepts_and_what_is_not_known_stands_for_itself(text: str, key: str) -> None:
    assert default_coder().thesaurus.concepts.key(text) == key


@pytest.mark.parametrize(
    ("word", "one"),
    [("ulcers", "ulcer"), ("arteries", "artery"), ("stenosis", "stenosis"), ("mucus", "mucus"), ("mass", "mass")],
)
def test_a_plural_is_its_singular_and_other_endings_stay(word: str, one: str) -> None:
    assert singular(word) == one


def test_a_word_that_adds_little_counts_in_a_name() -> None:
    concepts = Concepts([("the", "-"), ("feeling", "~"), ("cold", "COLD")])
    assert concepts.key("feeling the cold") == "COLD"
    assert concepts.key("feeling the cold", of_name=True) == "COLD feeling"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("headach", "headache"),
        ("hedache", "headache"),
        ("diahrea", "diarrhea"),
        ("swaeting", "sweating"),
        ("sweating", None),
        ("swetling", "swelling"),
        ("hypotnsion", "hypotension"),
        ("hyprtension", None),
        ("hypxtension", None),
        ("pian", None),
    ],
)
def test_a_slip_is_mended_where_one_word_alone_can_be_meant(word: str, meant: str | None) -> None:
    known = Spelling(["headache", "diarrhea", "sweating", "swelling", "hypotension", "hypertension", "pain"])
    assert known.mend(word) == meant


def test_the_longest_run_of_known_words_counts() -> None:
    concepts = Concepts([("blood", "B"), ("blood pressure", "BP"), ("血压", "BP"), ("血", "B")])
    assert concepts.key("blood pressure blood") == "B BP"
    assert concepts.key("血压血") == "B BP"


def test_no_word_has_two_concepts() -> None:
    concept_of: dict[str, str] = {}
    for word, concept in load_lexicon().words:
        assert concept_of.setdefault(word, concept) == concept or concept in "-~", word
        assert word == normalise(word).text or re.search(r"[+↑↓]", word), word
