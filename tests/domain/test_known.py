"""Yes, no and not known."""

from __future__ import annotations

import pytest

from tocsin.domain.known import Finding, Known


@pytest.mark.parametrize(("stated", "known"), [(True, Known.YES), (False, Known.NO), (None, Known.UNKNOWN)])
def test_what_is_not_stated_is_unknown_and_not_no(stated: bool | None, known: Known) -> None:
    assert Known.of(stated) is known


def test_a_finding_is_as_true_as_its_value_whether_provisional_or_not() -> None:
    assert Finding(True, ("a reason",), is_provisional=True)
    assert not Finding(False, ("a reason",), is_provisional=True)
