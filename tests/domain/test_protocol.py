"""What one study says, looked up by its own names."""

from __future__ import annotations

from dataclasses import replace

from tests.domain.cases import protocol
from tocsin.domain.protocol import DoseLevel
from tocsin.domain.syndromes import Syndrome


def test_sites_and_levels_are_found_by_id_and_unknown_ones_are_none() -> None:
    study = replace(protocol(), levels=(DoseLevel("DL1", "low", 1_000_000.0),))
    site, level = study.site("S01"), study.level("DL1")
    assert site is not None
    assert level is not None
    assert (site.name, level.cells_per_kg) == ("Beijing", 1_000_000.0)
    assert study.site("S77") is None
    assert study.level("DL9") is None


def test_every_event_of_special_interest_counts_unless_the_study_says_otherwise() -> None:
    assert protocol().special_interest == frozenset(Syndrome)
