"""Grading criteria as versioned data, and the reader that checks it.

Here today: the terms of CTCAE 5.0 and 6.0 with code, system organ class and the grades that exist; the bands of
those that have to do with numbers; and the analytes that they judge. `python -m tocsin.criteria.build` writes the
tables of terms and of bands from the reference files. Two things are entered by hand: `analytes.csv`, and in
`ctcae_v6_bands.csv` the terms whose numbers v6.0 changed. How a value becomes a grade is left to `tocsin.domain`.
"""

from tocsin.criteria.analytes import find_analyte
from tocsin.criteria.bands import load_lab_criteria
from tocsin.criteria.terms import EDITIONS, CriteriaError, Edition, Term, load_terms, parse_terms

__all__ = [
    "EDITIONS",
    "CriteriaError",
    "Edition",
    "Term",
    "find_analyte",
    "load_lab_criteria",
    "load_terms",
    "parse_terms",
]
