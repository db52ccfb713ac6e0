"""The dictionaries a verbatim is coded against: their terms, and looking one up by name or by likeness."""

from meddra_coder.dictionary.ctcae import ctcae_dictionary, default_dictionary
from meddra_coder.dictionary.terms import Dictionary, DictionaryError, DictionaryTerm, Kind

__all__ = [
    "Dictionary",
    "DictionaryError",
    "DictionaryTerm",
    "Kind",
    "ctcae_dictionary",
    "default_dictionary",
]
