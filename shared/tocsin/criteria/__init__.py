"""Grading criteria as versioned data, and the reader that checks it.

Here today: the terms of CTCAE 5.0 and 6.0 with code, system organ class and the grades that exist. The
tables beside this file are written by `python -m tocsin.criteria.build` from the reference files; nobody
edits them by hand. How a value becomes a grade is left to `tocsin.domain`.
"""

from tocsin.criteria.terms import EDITIONS, CriteriaError, Edition, Term, load_terms, parse_terms

__all__ = ["EDITIONS", "CriteriaError", "Edition", "Term", "load_terms", "parse_terms"]
