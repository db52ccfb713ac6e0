"""3+3 against the table of rules.md 5.1, written out."""

from __future__ import annotations

import csv
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.environment import reference_folder
from tocsin.domain.escalation import Here, Impossible, Pending, Position, three_plus_three
from tocsin.domain.escalation.three_plus_three import decide, table

VECTORS = reference_folder() / "rules" / "three_plus_three.csv"

# n: the decision for 0, 1, 2 … DLTs. c continue, x expand, E escalate, M the MTD, N the MTD not exceeded, d too toxic.
OPEN = {0: "c", 1: "cc", 2: "ccd", 3: "Exdd", 4: "ccddd", 5: "ccdddd", 6: "EEddddd"}
CLOSED = {0: "c", 1: "cc", 2: "ccd", 3: "xxdd", 4: "ccddd", 5: "ccdddd", 6: "MMddddd"}
TOP = {0: "c", 1: "cc", 2: "ccd", 3: "xxdd", 4: "ccddd", 5: "ccdddd", 6: "NNddddd"}
WORDS = {
    "c": "CONTINUE_COHORT",
    "x": "EXPAND_TO_6",
    "E": "ESCALATE",
    "M": "DECLARE_MTD",
    "N": "DECLARE_MTD_NOT_EXCEEDED",
    "d": "DE_ESCALATE",
}
PLACES = [("lowest", False, OPEN), ("lowest", True, CLOSED), ("middle", False, OPEN), ("middle", True, CLOSED),
          ("highest", False, TOP)]  # fmt: skip
counts = st.integers(0, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
places = st.sampled_from([(position, exceeds) for position, exceeds, _ in PLACES])


@pytest.mark.reference
@pytest.mark.rule("three_plus_three.csv")
def test_every_row_of_the_sample_gets_its_decision_and_its_next_action() -> None:
    with VECTORS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) >= 45
    for row in rows:
        found = decide(
            row["dose_position"], row["higher_dose_exceeds_mtd"] == "1", int(row["n_evaluable"]), int(row["n_dlt"])
        )
        assert (found.decision, found.next_action) == (row["decision"], row["next_action"]), row


@pytest.mark.rule("rules.md 5.1")
@pytest.mark.parametrize(("position", "exceeds", "written"), PLACES)
def test_every_number_at_every_position_is_as_the_table_says(
    position: str, exceeds: bool, written: dict[int, str]
) -> None:
    for n, letters in written.items():
        for dlt, letter in enumerate(letters):
            too_toxic = "STOP_ALL_DOSES_TOO_TOXIC" if position == "lowest" else "DE_ESCALATE"
            expected = too_toxic if letter == "d" else WORDS[letter]
            assert decide(position, exceeds, n, dlt).decision == expected, (n, dlt)


@pytest.mark.rule("rules.md 5.1")
@pytest.mark.parametrize(
    ("n", "dlt", "action"),
    [
        (2, 1, "complete the cohort of 3"),
        (3, 1, "enrol 3 more at the same dose"),
        (5, 0, "complete 6 evaluable"),
        (6, 1, "next higher dose"),
        (2, 2, "dose exceeds MTD; next lower dose: expand to 6 evaluable if <6, else declare MTD"),
    ],
)
def test_what_follows_is_said_in_words(n: int, dlt: int, action: str) -> None:
    assert decide("middle", False, n, dlt).next_action == action


@pytest.mark.rule("rules.md 5.1")
def test_three_without_a_dlt_are_expanded_where_there_is_nothing_to_go_up_to() -> None:
    top = decide("highest", False, 3, 0)
    assert top.decision == "EXPAND_TO_6"
    assert top.reasons == (
        "0 of 3 evaluable with a DLT",
        "this is the highest planned dose, and an MTD needs 6 evaluable",
    )
    assert "the next higher dose exceeds the MTD" in decide("middle", True, 3, 0).reasons[1]


@pytest.mark.rule("rules.md 5.5: ST-04")
@given(places, counts.filter(lambda pair: pair[1] >= 2), st.integers(0, 6))
def test_a_second_dlt_closes_a_dose_at_once_whoever_is_pending(
    place: tuple[str, bool], pair: tuple[int, int], pending: int
) -> None:
    found = decide(*place, *pair, Pending(pending))
    assert found.decision == ("STOP_ALL_DOSES_TOO_TOXIC" if place[0] == "lowest" else "DE_ESCALATE")


@pytest.mark.rule("rules.md 5.4")
def test_nothing_else_is_decided_while_somebody_is_pending() -> None:
    found = decide("middle", False, 5, 1, Pending(1, date(2026, 6, 9)))
    assert (found.decision, found.next_action) == ("WAIT", "wait for 1 pending, 2026-06-09 at the earliest")
    assert decide("middle", False, 3, 0, Pending(2)).next_action == "wait for 2 pending"


@pytest.mark.rule("rules.md 5.1")
@given(places, counts)
def test_no_dose_is_gone_up_from_or_declared_with_a_dlt_more_where_it_is_not_with_one_less(
    place: tuple[str, bool], pair: tuple[int, int]
) -> None:
    n, dlt = pair
    harm = {"ESCALATE": 0, "DECLARE_MTD": 0, "DECLARE_MTD_NOT_EXCEEDED": 0, "CONTINUE_COHORT": 1, "EXPAND_TO_6": 1}
    if dlt:
        fewer, more = decide(*place, n, dlt - 1), decide(*place, n, dlt)
        assert harm.get(fewer.decision, 2) <= harm.get(more.decision, 2)


@pytest.mark.rule("rules.md 5.1")
@given(places, counts.filter(lambda pair: pair[0] < 6))
def test_no_mtd_is_declared_with_fewer_than_six(place: tuple[str, bool], pair: tuple[int, int]) -> None:
    assert not decide(*place, *pair).decision.startswith("DECLARE")


@pytest.mark.parametrize(
    ("position", "exceeds", "n", "dlt", "said"),
    [
        ("middle", False, 3, 4, "4 with a DLT of 3 evaluable; allowed is 0 to 3"),
        ("middle", False, 3, -1, "-1 with a DLT of 3 evaluable; allowed is 0 to 3"),
        ("middle", False, -1, 0, "-1 evaluable; allowed is 0 to 6"),
        ("middle", False, 7, 0, "7 evaluable; allowed is 0 to 6"),
        ("top", False, 3, 0, "position is 'top'; allowed are lowest, middle, highest"),
        ("highest", True, 3, 0, "a dose higher than the highest exceeds the MTD; allowed is lowest or middle"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(
    position: str, exceeds: bool, n: int, dlt: int, said: str
) -> None:
    with pytest.raises(Impossible) as wrong:
        decide(position, exceeds, n, dlt)
    assert str(wrong.value) == said


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Impossible) as wrong:
        decide("top", False, 7, 8, Pending(-1))
    assert str(wrong.value) == (
        "position is 'top'; allowed are lowest, middle, highest; 7 evaluable; allowed is 0 to 6; "
        "8 with a DLT of 7 evaluable; allowed is 0 to 7; -1 pending; allowed is 0 or more"
    )


def test_a_decision_carries_the_parameters_it_rests_on() -> None:
    assert decide("middle", False, 6, 1).parameters == three_plus_three.PARAMETERS
    assert dict(three_plus_three.PARAMETERS)["most evaluable at a dose, and needed for the MTD"] == "6"


def test_the_table_holds_every_number_once_and_marks_where_one_stands() -> None:
    whole = table("highest", False, Here(3, 1))
    assert [row[:3] for row in whole.rows] == [
        ("0", "0", "CONTINUE_COHORT"),
        ("1", "0-1", "CONTINUE_COHORT"),
        ("2", "0-1", "CONTINUE_COHORT"),
        ("2", "2", "DE_ESCALATE"),
        ("3", "0-1", "EXPAND_TO_6"),
        ("3", "2-3", "DE_ESCALATE"),
        ("4", "0-1", "CONTINUE_COHORT"),
        ("4", "2-4", "DE_ESCALATE"),
        ("5", "0-1", "CONTINUE_COHORT"),
        ("5", "2-5", "DE_ESCALATE"),
        ("6", "0-1", "DECLARE_MTD_NOT_EXCEEDED"),
        ("6", "2-6", "DE_ESCALATE"),
    ]
    assert whole.here == (4, 2)
    assert table("highest", False).here is None


@pytest.mark.rule("NCT06223646")
def test_the_trial_has_one_level_of_each_position() -> None:
    assert [Position.of(level, 3) for level in (1, 2, 3)] == [Position.LOWEST, Position.MIDDLE, Position.HIGHEST]
    with pytest.raises(Impossible, match="level 4 of 3"):
        Position.of(4, 3)
