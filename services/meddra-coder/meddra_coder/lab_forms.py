"""Where the grades of a laboratory value can change, as linear forms: made from the bounds of the criteria.

A form is a weighted sum of the numbers of one row (`Number`); the criteria only ever ask on which side of zero it is.
Where numbers are not known, the rule tries each at every place where it would matter. The answer then depends on the
order of these places, so each pair of them is a form too. Fractions throughout: no number is rounded here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from enum import IntEnum
from fractions import Fraction

from tocsin.domain.bands import Analyte, Band, Baseline, Basis, Bound


class Number(IntEnum):
    """The numbers of a row by their place in a form; ONE is what stands alone."""

    ONE = 0
    VALUE = 1
    LLN = 2
    ULN = 3
    BASELINE = 4
    BASELINE_LLN = 5
    BASELINE_ULN = 6


Form = tuple[Fraction, ...]
"""A weight for each `Number`."""


def forms_of(bands: Iterable[Band], analyte: Analyte, unit: str, known: frozenset[Number]) -> frozenset[Form]:
    """The forms whose signs settle every comparison that one criterion makes for values in `unit`, each once.

    `known` are the numbers that the rows have. The first weight of a form that is not 0 is 1.
    """
    forms = {_normal(form) for form in _comparisons(bands, analyte, unit, known)}
    asked = {number for form in forms for number in Number if form[number]}
    unknown = [number for number in (Number.LLN, Number.ULN, Number.BASELINE) if number in asked - known]
    forms |= {_form(**{number.name: 1}) for number in unknown}  # none is ever tried at nothing or below
    if unknown and {Number.LLN, Number.ULN} <= known.union(unknown):
        forms.add(_normal(_form(LLN=1, ULN=-1)))  # a limit that is not known is never tried beyond the other one
    # In every order, because of each number the rule also asks whether it matters, for some of the others.
    settled: set[Form] = set()
    for order in itertools.permutations(unknown):
        left = forms
        for number in order:
            left = _without(left, number)
        settled |= left
    return frozenset(form for form in settled if _turns(form))


def _without(forms: set[Form], number: Number) -> set[Form]:
    """The forms without a number, and the order of all places where the others say that it would matter."""
    places = {_solved(form, number) for form in forms if form[number]}
    ordered = {_normal(_minus(one, other)) for one, other in itertools.combinations(places, 2)}
    return {form for form in forms if not form[number]} | ordered


def _comparisons(bands: Iterable[Band], analyte: Analyte, unit: str, known: frozenset[Number]) -> Iterator[Form]:
    for band in bands:
        factor = _factor(unit, band.unit, analyte)
        if factor is None:
            continue  # bounds in a unit to which this one is not converted never judge it
        for bound in band.bounds:
            yield _of_bound(bound, bound.number / factor if bound.basis.has_unit else bound.number)
        yield from _of_baseline(band.baseline, known)


def _of_bound(bound: Bound, number: Fraction) -> Form:
    match bound.basis:
        case Basis.ABSOLUTE:
            return _form(VALUE=1, ONE=-number)
        case Basis.X_ULN:
            return _form(VALUE=1, ULN=-number)
        case Basis.X_LLN:
            return _form(VALUE=1, LLN=-number)
        case Basis.X_BASELINE:
            return _form(VALUE=1, BASELINE=-number)
        case Basis.ABOVE_ULN:
            return _form(VALUE=1, ULN=-1, ONE=-number)
        case Basis.BELOW_LLN:
            return _form(LLN=1, VALUE=-1, ONE=-number)
        case Basis.INCREASE:
            return _form(VALUE=1, BASELINE=-1, ONE=-number)
        case Basis.DECREASE:
            return _form(BASELINE=1, VALUE=-1, ONE=-number)
        case Basis.PCT_INCREASE:
            return _form(VALUE=100, BASELINE=-100 - number)
        case Basis.PCT_DECREASE:
            return _form(VALUE=-100, BASELINE=100 - number)


def _of_baseline(baseline: Baseline, known: frozenset[Number]) -> Iterator[Form]:
    """The baseline against its own limits, and against those of the value where it came without."""
    if baseline.of_lln:
        yield _form(BASELINE=1, **{_limit(Number.BASELINE_LLN, Number.LLN, known): -1})
    elif baseline.of_uln:
        uln = _limit(Number.BASELINE_ULN, Number.ULN, known)
        yield _form(BASELINE=1, **{uln: -1})
        yield _form(BASELINE=1, **{uln: -5})


def _limit(own: Number, of_value: Number, known: frozenset[Number]) -> str:
    return own.name if {own, Number.BASELINE} <= known else of_value.name


def _solved(form: Form, number: Number) -> Form:
    """What `number` is where the form is zero."""
    return tuple(Fraction(0) if place == number else -weight / form[number] for place, weight in enumerate(form))


def _minus(one: Form, other: Form) -> Form:
    return tuple(a - b for a, b in zip(one, other, strict=True))


def _turns(form: Form) -> bool:
    """Whether its sign can change at all."""
    return any(form[Number.VALUE :])


def _normal(form: Form) -> Form:
    first = next((weight for weight in form if weight), Fraction(1))
    return tuple(weight / first for weight in form)


def _form(**weights: Fraction | int) -> Form:
    return tuple(Fraction(weights.get(number.name, 0)) for number in Number)


def _factor(of: str, to: str | None, analyte: Analyte) -> Fraction | None:
    """What one of `of` is in `to`, as the rule converts."""
    if to is None or of == to:
        return Fraction(1)
    one, other = analyte.factors.get(of), analyte.factors.get(to)
    return None if one is None or other is None else one / other
