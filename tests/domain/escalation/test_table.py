"""A decision table as text: every cell, and the place where one stands."""

from __future__ import annotations

from tocsin.domain.escalation import Boin, Here, Table, render
from tocsin.domain.escalation.table import spans


def test_the_text_marks_where_one_stands_and_names_the_parameters() -> None:
    assert render(Table("A design", ("n", "decision"), (("1", "E"), ("2", "S")), (("target", "0.3"),), (1, 1))) == (
        "A design\n\nn  decision\n-  --------\n1  E\n2  [S]       <- you are here\n\ntarget: 0.3"
    )


def test_a_table_without_a_place_marks_nothing() -> None:
    text = render(Boin.of("0.30").table(3))
    assert "[" not in text
    assert "you are here" not in text
    assert "lambda_d: 0.3585195" in text
    assert "you are here" in render(Boin.of("0.30").table(3, Here(3, 1)))


def test_numbers_in_a_row_are_written_as_a_span() -> None:
    assert [spans(numbers) for numbers in ([], [3], [0, 1, 2], [0, 1, 3], [1, 3, 4, 6])] == [
        "-", "3", "0-2", "0-1, 3", "1, 3-4, 6",
    ]  # fmt: skip
