"""JSON Pointers as RFC 6901 writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.web.pointers import join, split


@pytest.mark.rule("RFC 6901")
@pytest.mark.parametrize(
    ("steps", "pointer"),
    [([], ""), (["foo"], "/foo"), (["foo", 0], "/foo/0"), ([""], "/"), (["a/b"], "/a~1b"), (["m~n"], "/m~0n"),
     (["~1"], "/~01"), ([" "], "/ ")],
)  # fmt: skip
def test_the_examples_of_the_standard(steps: list[str | int], pointer: str) -> None:
    assert join(steps) == pointer
    assert split(pointer) == [str(step) for step in steps]


@given(st.lists(st.text()))
def test_what_is_joined_can_be_split(steps: list[str]) -> None:
    assert split(join(steps)) == steps


def test_what_is_no_pointer_is_an_error() -> None:
    with pytest.raises(ValueError, match="no JSON Pointer"):
        split("foo")
