"""The ICE score and ICANS, written out by hand from rules.md 3.3 and 3.4."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.icans import Consciousness, IcansFacts, Oedema, Seizure, icans
from tocsin.domain.ice import Ice
from tocsin.domain.known import Known
from tocsin.domain.side_by_side import every_scale

C, S = Consciousness, Seizure
WELL = IcansFacts(Ice(10), C.NORMAL, S.NONE, Known.NO, Oedema.NONE)
NOTHING_KNOWN = IcansFacts()


def bounds(facts: IcansFacts) -> tuple[int, int]:
    found = icans(facts)
    return found.lowest, found.highest


@pytest.mark.rule("rules.md 3.3")
@pytest.mark.parametrize(
    ("ice", "least", "most"),
    [
        (Ice(), 0, 10),
        (Ice(7), 7, 7),
        (Ice(orientation=4, naming=3, command=1, writing=1, attention=1), 10, 10),
        (Ice(orientation=2, naming=3, command=1, writing=0, attention=0), 6, 6),
        (Ice(orientation=2, naming=3), 5, 8),
        (Ice(orientation=4, naming=3, command=1, writing=1), 9, 10),
        (Ice(6, orientation=2, naming=3), 6, 6),
        # A total that its items cannot give: both are kept.
        (Ice(9, orientation=2, naming=3, command=1, writing=0, attention=0), 6, 9),
        (Ice(1, orientation=4), 1, 10),
    ],
)
def test_a_score_from_its_items_or_its_total(ice: Ice, least: int, most: int) -> None:
    assert ice.bounds() == (least, most)


@pytest.mark.rule("rules.md 3.3")
@pytest.mark.parametrize(
    "wrong", [{"score": 11}, {"orientation": 5}, {"naming": 4}, {"command": 2}, {"writing": -1}, {"attention": 2}]
)
def test_more_points_than_an_item_has_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="allowed is 0 to"):
        Ice(**wrong)


@pytest.mark.rule("rules.md 3.4")
@pytest.mark.parametrize(
    ("score", "grade"),
    [(10, 0), (9, 1), (8, 1), (7, 1), (6, 2), (5, 2), (4, 2), (3, 2), (2, 3), (1, 3), (0, 3)],
)
def test_the_ice_score_of_a_waking_subject(score: int, grade: int) -> None:
    assert bounds(replace(WELL, ice=Ice(score))) == (grade, grade)


@pytest.mark.rule("rules.md 3.4")
@pytest.mark.parametrize(
    ("level", "grade"),
    [(C.NORMAL, 0), (C.SPONTANEOUS, 1), (C.VOICE, 2), (C.TACTILE, 3), (C.UNAROUSABLE, 4)],
)
def test_consciousness(level: Consciousness, grade: int) -> None:
    assert bounds(replace(WELL, consciousness=level)) == (grade, grade)


@pytest.mark.rule("rules.md 3.4")
@pytest.mark.parametrize(
    ("facts", "grade", "said"),
    [
        (replace(WELL, seizure=S.BRIEF), 3, "Grade 3 by seizure: a seizure that resolved."),
        (replace(WELL, seizure=S.PROLONGED), 4, "Grade 4 by seizure: a seizure of more than five minutes, or "),
        (replace(WELL, motor=Known.YES), 4, "Grade 4 by motor weakness: deep focal weakness"),
        (replace(WELL, oedema=Oedema.FOCAL), 3, "Grade 3 by cerebral oedema: focal oedema on imaging."),
        (replace(WELL, oedema=Oedema.DIFFUSE), 4, "Grade 4 by cerebral oedema: diffuse oedema, or a sign of raised"),
        (replace(WELL, ice=Ice(0), consciousness=C.VOICE), 3, "Grade 3 by ICE score: ICE 0, awake."),
        (replace(WELL, ice=None, consciousness=C.UNAROUSABLE), 4, "Grade 4 by ICE score: the test cannot be done"),
        (replace(WELL, ice=Ice(0), consciousness=C.UNAROUSABLE), 4, "Grade 4 by ICE score: the test cannot be done"),
        (replace(WELL, ice=Ice(8), consciousness=C.TACTILE), 3, "Grade 3 by consciousness: awakens only to touch."),
        (replace(WELL, died_of_it=Known.YES), 5, "Grade 5 by death: death of it."),
    ],
)
def test_the_worst_axis_decides_and_is_named(facts: IcansFacts, grade: int, said: str) -> None:
    found = icans(facts)
    assert found.grade == grade
    assert found.reasons[0].startswith(said)
    assert found.missing == ()


@pytest.mark.rule("rules.md 3.4")
@pytest.mark.parametrize(
    ("facts", "least", "most", "missing"),
    [
        (
            NOTHING_KNOWN,
            0,
            4,
            ("ICE score", "consciousness", "seizure", "motor weakness", "cerebral oedema"),
        ),
        # A subject who wakes and whose score is not known is grade 3 at most by it.
        (replace(WELL, ice=None), 0, 3, ("ICE score",)),
        (replace(WELL, ice=None, consciousness=C.TACTILE), 3, 3, ()),
        (replace(WELL, ice=None, consciousness=C.VOICE), 2, 3, ("ICE score",)),
        (replace(WELL, ice=Ice(0), consciousness=None), 3, 4, ("consciousness",)),
        (replace(WELL, ice=Ice(orientation=2, naming=3)), 1, 2, ("ICE command", "ICE writing", "ICE attention")),
        (replace(WELL, ice=Ice(orientation=0)), 2, 3, ("ICE naming", "ICE command", "ICE writing", "ICE attention")),
        (replace(WELL, ice=Ice(9, 2, 3, 1, 0, 0)), 1, 2, ("ICE score",)),
        (replace(WELL, seizure=None), 0, 4, ("seizure",)),
        (replace(WELL, seizure=S.BRIEF, motor=Known.UNKNOWN), 3, 4, ("motor weakness",)),
        (replace(WELL, motor=Known.YES, oedema=None), 4, 4, ()),
        (replace(WELL, died_of_it=Known.UNKNOWN), 0, 5, ("whether the subject died of it",)),
        (replace(NOTHING_KNOWN, died_of_it=Known.YES), 5, 5, ()),
    ],
)
def test_an_axis_that_is_not_known_could_be_the_worst(
    facts: IcansFacts, least: int, most: int, missing: tuple[str, ...]
) -> None:
    assert bounds(facts) == (least, most)
    assert icans(facts).missing == missing


@pytest.mark.rule("rules.md 3.4")
def test_the_ctcae_terms_to_be_graded_beside_it_are_named() -> None:
    assert [each.term for each in every_scale(WELL).components] == ["Encephalopathy"]
    found = every_scale(NOTHING_KNOWN)
    assert [(each.term, each.code) for each in found.components] == [
        ("Encephalopathy", "10014625"),
        ("Seizure", "10039906"),
        ("Depressed level of consciousness", "10012373"),
    ]
    assert found.grades == (icans(NOTHING_KNOWN),)


ICES = st.none() | st.builds(
    Ice,
    score=st.none(),
    orientation=st.none() | st.integers(0, 4),
    naming=st.none() | st.integers(0, 3),
    command=st.none() | st.integers(0, 1),
    writing=st.none() | st.integers(0, 1),
    attention=st.none() | st.integers(0, 1),
)
FACTS = st.builds(
    IcansFacts,
    ice=ICES,
    consciousness=st.none() | st.sampled_from(Consciousness),
    seizure=st.none() | st.sampled_from(Seizure),
    motor=st.sampled_from(Known),
    oedema=st.none() | st.sampled_from(Oedema),
    died_of_it=st.sampled_from(Known),
)


@pytest.mark.rule("rules.md 3.4")
@given(FACTS, st.data())
def test_knowing_more_never_widens_the_grade(facts: IcansFacts, data: st.DataObject) -> None:
    ice = facts.ice or Ice()
    most = {"orientation": 4, "naming": 3, "command": 1, "writing": 1, "attention": 1}
    learnt = replace(
        facts,
        ice=Ice(**{
            name: data.draw(st.integers(0, most[name])) if getattr(ice, name) is None else getattr(ice, name)
            for name in most
        }),
        consciousness=facts.consciousness or data.draw(st.none() | st.sampled_from(Consciousness)),
        seizure=facts.seizure or data.draw(st.none() | st.sampled_from(Seizure)),
        motor=data.draw(st.sampled_from(Known)) if facts.motor is Known.UNKNOWN else facts.motor,
        oedema=facts.oedema or data.draw(st.none() | st.sampled_from(Oedema)),
    )  # fmt: skip
    least, highest = bounds(facts)
    now_least, now_highest = bounds(learnt)
    assert least <= now_least <= now_highest <= highest


@pytest.mark.rule("rules.md 3.4")
@given(FACTS)
def test_a_worse_fact_never_lowers_the_grade(facts: IcansFacts) -> None:
    ladders: list[list[IcansFacts]] = [
        [replace(facts, ice=Ice(score)) for score in range(10, -1, -1)],
        [replace(facts, consciousness=level) for level in Consciousness],
        [replace(facts, seizure=course) for course in Seizure],
        [replace(facts, motor=known) for known in (Known.NO, Known.YES)],
        [replace(facts, oedema=extent) for extent in Oedema],
        [replace(facts, died_of_it=known) for known in (Known.NO, Known.YES)],
    ]
    for ladder in ladders:
        found = [bounds(step) for step in ladder]
        assert [least for least, _ in found] == sorted(least for least, _ in found)
        assert [most for _, most in found] == sorted(most for _, most in found)
