"""What a study is coded with: one version of a dictionary and one revision of the synonyms."""

from __future__ import annotations

import functools
from typing import Final

from meddra_coder.dictionary import Dictionary, default_dictionary
from meddra_coder.thesaurus import Thesaurus


class Coder:
    """Made once, then only read, by any thread."""

    def __init__(self, dictionary: Dictionary, thesaurus: Thesaurus | None = None) -> None:
        self.dictionary: Final = dictionary
        self.thesaurus: Final = Thesaurus(dictionary) if thesaurus is None else thesaurus

    @property
    def version(self) -> str:
        """The version of the dictionary."""
        return self.dictionary.version


@functools.cache
def default_coder() -> Coder:
    """The shipped dictionary with the shipped synonyms."""
    return Coder(default_dictionary())
