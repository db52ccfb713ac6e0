"""Words of the ward: which words mean the same, which phrases mean one term, and which mean more than one.

Data of the project's own, in tables beside this file: `words.tsv` (a concept and the words for it, in English and
Chinese; the concept "-" holds words that add nothing, "~" such that may belong to a name), `synonyms/*.tsv` (phrases
that mean one CTCAE term), `ambiguous/*.tsv` (phrases that mean several, so that a person chooses) and `holding.tsv`
(words that stop a coding). How they are applied is left to `meddra_coder.concepts` and `meddra_coder.gate`.
"""

from meddra_coder.lexicon.reading import Ambiguous, Held, Lexicon, LexiconError, Synonym, load_lexicon

__all__ = ["Ambiguous", "Held", "Lexicon", "LexiconError", "Synonym", "load_lexicon"]
