"""The dictionary that is shipped, and looking up in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddra_coder.dictionary import (
    Dictionary,
    DictionaryError,
    DictionaryTerm,
    Kind,
    ctcae_dictionary,
    default_dictionary,
)
from meddra_coder.gate import Gate
from meddra_coder.lexicon import load_lexicon
from meddra_coder.wording import normalise

ROOT = Path(__file__).parents[2]


def a_term(code: str, name: str, kind: Kind = Kind.EVENT) -> DictionaryTerm:
    return DictionaryTerm(code=code, name=name, soc="Invented disorders", soc_code=None, kind=kind)


def test_the_default_is_ctcae_5_with_its_label() -> None:
    dictionary = default_dictionary()
    assert dictionary.version == "CTCAE v5.0 (MedDRA 20.1 codes)"
    assert len(dictionary) == 837
    assert ctcae_dictionary("6.0").version == "CTCAE v6.0 (MedDRA 28.0 codes)"


def test_a_term_is_found_by_code_by_name_and_by_wording() -> None:
    dictionary = default_dictionary()
    term = dictionary.coded("10012727")
    assert term is not None
    assert term.path == ("LLT 10012727 Diarrhea", "SOC 10017947 Gastrointestinal disorders")
    assert dictionary.named("Diarrhea") is term
    assert dictionary.named("diarrhea") is None
    assert dictionary.worded("diarrhea") == (term,)
    assert dictionary.worded("diarrhoea") == ()


@pytest.mark.parametrize("version", ["5.0", "6.0"])
def test_no_two_terms_have_one_wording(version: str) -> None:
    dictionary = ctcae_dictionary(version)
    assert all(dictionary.worded(normalise(term.name).text) == (term,) for term in dictionary.terms)


@pytest.mark.rule("readings.md Coding: outcomes stop for a person")
@pytest.mark.parametrize("version", ["5.0", "6.0"])
def test_the_outcomes_of_ctcae_are_four_and_no_event_is_taken_for_one(version: str) -> None:
    terms = ctcae_dictionary(version).terms
    gate = Gate(load_lexicon().held)
    assert {term.name for term in terms if term.kind is Kind.OUTCOME} == {
        "Death NOS",
        "Death neonatal",
        "Sudden death NOS",
        "Disease progression",
    }
    assert {
        term.name for term in terms if "outcome" in {stop.gate for stop in gate.stops(normalise(term.name).text)}
    } == {
        "Death NOS",
        "Death neonatal",
        "Sudden death NOS",
        "Disease progression",
    }


def test_one_code_for_two_terms_is_refused() -> None:
    with pytest.raises(DictionaryError, match='invented 1: "10000001" stands for two terms'):
        Dictionary.of("invented 1", [a_term("10000001", "Blue ears"), a_term("10000001", "Green ears")])


def test_the_nearest_stand_in_a_fixed_order() -> None:
    dictionary = Dictionary.of(
        "invented 1",
        [
            a_term("10000003", "Red ears"),
            a_term("10000002", "Blue ears"),
            a_term("10000001", "Ears - Other, specify", Kind.OTHER_SPECIFY),
            a_term("10000004", "Cough"),
        ],
    )
    assert [code for code, _ in dictionary.nearest([("ears blue", "EAR blue")], 20)[0]] == ["10000002", "10000003"]
    assert dictionary.nearest([("ears blue", "EAR blue")], 20)[0][0] == ("10000002", 1.0)
    assert dictionary.nearest([("ears", "EAR")], 1)[0][0][0] == "10000003"
    assert dictionary.nearest([("", "")], 20) == [[]]
    assert dictionary.nearest([("贫血", "贫 血")], 20) == [[]]


@given(st.text(alphabet="abcdefghinorst ", max_size=40), st.integers(0, 20))
def test_likeness_lies_between_0_and_1_and_falls(text: str, top: int) -> None:
    scores = [likeness for _, likeness in default_dictionary().nearest([(text, text)], top)[0]]
    assert len(scores) <= top
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_the_order_is_the_same_in_every_process() -> None:
    program = (
        "from meddra_coder.coder import default_coder; from meddra_coder.coding import code_event;"
        "print([code_event(v, default_coder()) for v in ('low platelets', 'rash', 'infection of the skin')])"
    )
    path = f"{ROOT / 'shared'}:{ROOT / 'services' / 'meddra-coder'}"
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(answers) == 1
