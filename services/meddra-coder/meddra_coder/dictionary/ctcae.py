"""The dictionary that is shipped: CTCAE terms with the MedDRA codes that NCI publishes for them."""

from __future__ import annotations

import functools
from typing import Final

from meddra_coder.dictionary.terms import Dictionary, DictionaryTerm, Kind
from tocsin.criteria import EDITIONS, Term, load_terms

OUTCOMES: Final = frozenset({"Death NOS", "Death neonatal", "Sudden death NOS", "Disease progression"})
"""Terms of CTCAE that say how something ended. readings.md, Coding: they stop for a person."""


@functools.cache
def ctcae_dictionary(version: str) -> Dictionary:
    """The CTCAE terms of one version ("5.0", "6.0"). Raises tocsin.criteria.CriteriaError for another."""
    terms = load_terms(version)
    # "<SOC> - Other, specify" is published with the code of the class itself; one per class.
    soc_codes = {term.soc: term.code for term in terms if term.is_other_specify}
    label = f"CTCAE v{version} (MedDRA {EDITIONS[version].meddra} codes)"
    return Dictionary.of(
        label,
        (
            DictionaryTerm(
                code=term.code,
                name=term.name,
                soc=term.soc,
                soc_code=soc_codes.get(term.soc),
                kind=_kind(term),
            )
            for term in terms
        ),
        ctcae=version,
    )


def default_dictionary() -> Dictionary:
    """CTCAE 5.0, what a study is coded against until a licensed MedDRA is loaded."""
    return ctcae_dictionary("5.0")


def _kind(term: Term) -> Kind:
    if term.is_other_specify:
        return Kind.OTHER_SPECIFY
    return Kind.OUTCOME if term.name in OUTCOMES else Kind.EVENT
