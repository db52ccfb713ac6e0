"""In which manner a term was found."""

from __future__ import annotations

from enum import StrEnum


class Manner(StrEnum):
    """How the term was found, the surest first."""

    EXACT = "exact"
    """The verbatim is the name, character for character, blanks around it apart."""
    NORMALISED = "normalised"
    """The verbatim is the name after the steps of `meddra_coder.wording`, and what stands beside it taken out."""
    STUDY_SYNONYM = "study_synonym"
    """It is a phrase that a person approved for this study or for all."""
    SYNONYM = "synonym"
    """It is a phrase of the lexicon that is shipped."""
    WORDS = "words"
    """Its words say the same as those of the name or of a phrase, in whatever order and language."""
    SPELLING = "spelling"
    """It is one of these once the spelling of a word is mended."""
    CIRCUMSTANCE = "circumstance"
    """It is one of these once is left out when, how often, at what and by whose word it was."""
    PLACE = "place"
    """It is one of these once its place is left out, where no term tells such an event by its place."""
    TREATED = "treated"
    """It is one of these, and a clause beside it says only what was given for it."""
    SAME_PARTS = "same_parts"
    """It says one event twice: each of its parts is the same term."""
    VALUE = "laboratory_value"
    """It is a value that lies in a grade of the term."""
    NONE = "none"
