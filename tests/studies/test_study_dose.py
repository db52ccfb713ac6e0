"""What a study file says of finding the dose: defaults, what is taken as written, and what is refused in words."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from tocsin.domain.board.settings import Design, DoseSettings, ExpansionSettings, FollowUpSettings, ProductFault
from tocsin.errors import ProtocolError
from tocsin.studies import read

FOLDER = Path(__file__).parents[2] / "deploy" / "protocols"
KQ2003 = (FOLDER / "nct06223646.toml").read_text("utf-8")
HEAD = '[dose]\nschedule = "single infusion"\nmtd_needs_evaluable = 6\n'


def study(folder: Path, lines: str = "", *, parts: str = "", swap: tuple[str, str] = ("", "")) -> DoseSettings:
    """The dose settings of the first study, with lines added to [dose], parts added at the end, or a text swapped."""
    assert HEAD in KQ2003
    assert swap[0] in KQ2003
    text = KQ2003.replace(*swap, 1) if swap[0] else KQ2003
    path = folder / "study.toml"
    with_lines = text.replace(HEAD, f"{HEAD}{lines}\n")
    path.write_text(f"{with_lines}\n{parts}\n", "utf-8")
    return read(path).dose


def refused(folder: Path, lines: str = "", **more: object) -> list[str]:
    with pytest.raises(ProtocolError) as wrong:
        study(folder, lines, **more)  # type: ignore[arg-type]
    return [line.removeprefix(f"{folder / 'study.toml'}: ") for line in str(wrong.value).splitlines()]


def test_the_first_study_has_every_default_and_is_not_approved() -> None:
    found = read(FOLDER / "nct06223646.toml").dose
    assert found == DoseSettings()
    assert found.status == "ASSUMPTION_SPONSOR_MUST_REPLACE"
    assert (found.design, found.target, found.mtd_needs_evaluable) == (Design.THREE_PLUS_THREE, Fraction(3, 10), 6)
    assert (found.evaluable_from, found.evaluable_to) == (Fraction(4, 5), Fraction(6, 5))


@pytest.mark.rule("rules.md 5.5: ST-01")
def test_the_stagger_is_28_days_at_the_lowest_level_and_14_elsewhere() -> None:
    found = read(FOLDER / "nct06223646.toml").dose
    assert (found.stagger("DL1", is_lowest=True), found.stagger("DL2", is_lowest=False)) == (28, 14)


def test_a_level_may_have_its_own_stagger(tmp_path: Path) -> None:
    found = study(tmp_path, swap=("cells_per_kg = 3.0e6", "cells_per_kg = 3.0e6\nstagger_days = 21"))
    assert found.stagger("DL3", is_lowest=False) == 21
    assert found.stagger("DL2", is_lowest=False) == 14


def test_a_study_without_a_dose_has_the_defaults() -> None:
    assert read(FOLDER / "cdiscpilot01.toml").dose == DoseSettings()


def test_what_the_file_shows_of_phase_2a_and_of_visits_can_be_written_so(tmp_path: Path) -> None:
    start, end = KQ2003.index("#   [dose.expansion]"), KQ2003.index("# stagger_days: ")
    found = study(tmp_path, parts=KQ2003[start:end].replace("#   ", ""))
    limits = ExpansionSettings(icans_limit=Fraction(1, 5), non_relapse_mortality_limit=Fraction(1, 10))
    assert found == DoseSettings(expansion=limits)
    assert found.follow_up == FollowUpSettings((1, 2, 3, 6, 9, 12, 18, 24), timedelta(days=28))
    assert found.product_holds == frozenset(ProductFault) - {ProductFault.THAW_FAILURE, ProductFault.BAG_FAILURE}


def test_rates_are_taken_as_they_are_written(tmp_path: Path) -> None:
    found = study(tmp_path, 'design = "tite_boin"\ntarget = 0.20\nphi2 = 0.35')
    assert (found.design, found.target, found.phi1, found.phi2) == (
        Design.TITE_BOIN,
        Fraction(1, 5),
        None,
        Fraction(7, 20),
    )
    assert found.boin.phi1 == Fraction(12, 100)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("target = 0.25", "dose.target is 0.25; allowed with design '3+3' is none: it aims at no rate"),
        ("subjects_per_cohort = 4", "dose.subjects_per_cohort is 4; allowed with design '3+3' is 3"),
        (
            'design = "boin"\ntarget = 0.9',
            "dose: the target is 0.9; allowed is 0.05 to 0.6; phi2 is 1.26; allowed is 0.99 to below 1",
        ),
        ('design = "boin"\nphi1 = 0.29', "dose: phi1 is 0.29; allowed is above 0 to 0.27"),
        ('design = "4+4"', "dose.design is '4+4'; Input should be '3+3', 'boin' or 'tite_boin'"),
        ("evaluable_from = 1.1", "dose.evaluable_from is 1.1; Input should be less than or equal to 1"),
        ('product_holds = ["smell"]', "dose.product_holds[1] is 'smell'; Input should be 'out_of_specification',"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(tmp_path: Path, lines: str, said: str) -> None:
    [found] = refused(tmp_path, lines)
    assert found.startswith(said)


def test_an_mtd_of_3_plus_3_holds_six(tmp_path: Path) -> None:
    said = "dose.mtd_needs_evaluable is 9; allowed with design '3+3' is 6: a dose never holds more"
    swap = ("mtd_needs_evaluable = 6\n", "mtd_needs_evaluable = 9\n")
    path = tmp_path / "study.toml"
    path.write_text(KQ2003.replace(*swap), "utf-8")
    with pytest.raises(ProtocolError, match="holds more") as wrong:
        read(path)
    assert str(wrong.value) == f"{path}: {said}"


def test_levels_stand_from_the_lowest_to_the_highest(tmp_path: Path) -> None:
    found = refused(tmp_path, swap=("cells_per_kg = 2.0e6", "cells_per_kg = 5.0e6"))
    assert found == ["dose.levels has 'DL3' after 'DL2', which is no lower dose; allowed is lowest first"]


@pytest.mark.rule("NCT06223646, public record")
def test_a_calendar_shorter_than_the_record_asks_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, parts="[dose.follow_up]\nmonths = [1, 12]") == [
        "dose.follow_up.months is [1, 12]; allowed is up to the 731 days of study.follow_up_days at least"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("certainty = 0.3", "dose.expansion: the certainty is 0.3; allowed is 0.5 to below 1"),
        ("icans_limit = 1.5", "dose.expansion: the limit of icans_limit is 1.5; allowed is above 0 to below 1"),
        ("prior = [0, 1]", "dose.expansion.prior[1] is 0; Input should be greater than or equal to 1"),
    ],
)
def test_an_expansion_that_could_not_be_watched_is_refused(tmp_path: Path, line: str, said: str) -> None:
    assert refused(tmp_path, parts=f"[dose.expansion]\n{line}") == [said]
