"""The story of `tocsin demo`: an invented trial by the study file of NCT06223646 as it is shipped. Data only.

Twelve subjects. The lowest level passes. At the middle one a subject has a DLT on day 9, another leaves and is
replaced, three more are added, and with one DLT of six the dose goes up. Then the charts of a site are read again: a
grade 3 CRS that was told as over in time had lasted longer than 168 hours. It is the second DLT of that level.

Every subject, date and finding is invented. What the board must say was written by hand from the rules.
"""

from __future__ import annotations

from standalone.demo_deeds import At, Beat, Confirmed, Signed, Stand, Story
from standalone.demo_lower_doses import DL1, LONG, LOWEST, MIDDLE, SIX, UP, WAIT
from standalone.demo_telling import at, course, enrolled, infused, later, seen

MORE, DOWN = "CONTINUE_COHORT", "DE_ESCALATE"
HOLD = "second_dlt:DL2"
LOW = At("DL1", 3, 0, 0, SIX)
"""The lowest level once the one above is exceeded: it must hold six before it can be the MTD."""

HIGHEST = (
    Beat(
        at("08-12"),
        "The first subject is infused at the highest dose. The next waits 14 days.",
        infused("S01-006", "DL3", "2026-08-12T10:00"),
        Stand((DL1, At("DL2", 6, 0, 1, UP), At("DL3", 0, 1, 0, WAIT)), "DL3", ("stagger:DL3",)), "S01-006",
    ),
    Beat(
        at("08-17"),
        "The next subject is enrolled for the highest dose; the cells are being made for 26 August.",
        (enrolled("S02-006", "DL3", "2026-08-17"),),
        Stand((DL1, At("DL2", 6, 0, 1, UP), At("DL3", 0, 1, 0, WAIT)), "DL3", ("stagger:DL3",)), "S02-006",
    ),
    Beat(
        at("08-20", "15:00"),
        "The site's charts are read again: the vasopressor ran until 18 July. The CRS of grade 3 lasted 198 "
        "hours, not 136: met by DLT-03. It is the second DLT of six; escalate becomes de-escalate, and the hold "
        "rings.",
        (later(LONG, correction=True, grade={"ctcae": 3, "astct": 3}, end="2026-07-20T08:00", outcome="recovered",
               course=course((3, "2026-07-10T04:00"), (2, "2026-07-18T10:00"))),),
        Stand((LOW, At("DL2", 6, 0, 2, DOWN), At("DL3", 0, 1, 0, DOWN)), "DL1", rang=("hold",)),
        "S02-004",
    ),
    Beat(
        at("08-20", "17:00"),
        "The cell lab and the first site confirm that they know of the hold. The second site is rung again every "
        "four hours.",
        (Confirmed(HOLD, "cell_lab"), Confirmed(HOLD, "S01", "Dr Gao, by telephone")),
        Stand((LOW, At("DL2", 6, 0, 2, DOWN), At("DL3", 0, 1, 0, DOWN)), "DL1", rang=("hold_confirmation",)), None,
    ),
    Beat(
        at("08-21", "09:00"),
        "The second site confirms, by telephone. Nobody was infused against the hold.",
        (Confirmed(HOLD, "S02", "Dr Mei, by telephone"),),
        Stand((LOW, At("DL2", 6, 0, 2, DOWN), At("DL3", 0, 1, 0, DOWN)), "DL1"), None,
    ),
    Beat(
        at("08-21", "11:00"),
        "A safety physician signs the second DLT: the level is not only held but closed.",
        (Signed(LONG.name, "CONFIRMED", "grade 3 for 198 hours by the charts"),),
        Stand((LOW, At("DL2", 6, 0, 2, DOWN), At("DL3", 0, 1, 0, DOWN)), "DL1"), "S02-004",
    ),
    Beat(
        at("09-07"),
        "The subject who waited is enrolled again and infused at the lowest dose, which must hold six.",
        (*infused("S02-006", "DL1", "2026-09-07T10:00"),),
        Stand((At("DL1", 3, 1, 0, WAIT), At("DL2", 6, 0, 2, DOWN), At("DL3", 0, 1, 0, DOWN)), "DL1"), "S02-006",
    ),
    Beat(
        at("09-10", "10:00"),
        "Day 28 of the one subject at the highest dose is complete, without a DLT. It changes nothing.",
        seen("2026-09-09", "S01-006", "S01-001", "S01-003", "S01-004", "S01-005", "S02-002", "S02-004", "S02-005"),
        Stand((At("DL1", 3, 1, 0, WAIT), At("DL2", 6, 0, 2, DOWN), At("DL3", 1, 0, 0, DOWN)), "DL1"), "S01-006",
    ),
    Beat(
        at("10-06", "10:00"),
        "Four at the lowest dose are complete, without a DLT. Two more, and it may be declared.",
        seen("2026-10-05", "S02-006", "S01-002", "S02-001"),
        Stand((At("DL1", 4, 0, 0, MORE), At("DL2", 6, 0, 2, DOWN), At("DL3", 1, 0, 0, DOWN)), "DL1"), "S02-006",
    ),
)  # fmt: skip

END = {
    "today": "2026-10-06",
    "enrolled": 12,
    "levels": {
        "DL1": "4 evaluable, 0 DLT, 0 pending, 0 replaced: CONTINUE_COHORT, at DL1",
        "DL2": "6 evaluable, 2 DLT (S01-003, S02-004), 0 pending, 1 replaced: DE_ESCALATE, to DL1",
        "DL3": "1 evaluable, 0 DLT, 0 pending, 0 replaced: DE_ESCALATE, to DL1",
    },
    "next": {"level": "DL1", "places": 2, "may_be_infused": True, "held_by": []},
    "holds": {
        "second_dlt:DL2": "closes DL2, DL3; known to S01, S02, cell_lab",
        "review:DL2:again": "stops DL2",
    },
    "subjects": {
        "S01-001": "DL1 evaluable_without_dlt", "S01-002": "DL1 evaluable_without_dlt", "S01-003": "DL2 dlt",
        "S01-004": "DL2 evaluable_without_dlt", "S01-005": "DL2 evaluable_without_dlt",
        "S01-006": "DL3 evaluable_without_dlt", "S02-001": "DL1 evaluable_without_dlt",
        "S02-002": "DL2 evaluable_without_dlt", "S02-003": "DL2 not_evaluable", "S02-004": "DL2 dlt",
        "S02-005": "DL2 evaluable_without_dlt", "S02-006": "DL1 evaluable_without_dlt",
    },
    "verdicts": {
        "S01-001 Cytokine release syndrome": "none",
        "S01-003 Cytokine release syndrome": "NOT_DLT by DLT-03",
        "S01-003 ICANS grade 4": "CONFIRMED by DLT-04, signed",
        "S02-004 Cytokine release syndrome": "CONFIRMED by DLT-03, signed",
    },
    "clocks_open": [],
    "mtd": None,
}  # fmt: skip

STORY = Story(at("03-02", "08:00"), (*LOWEST, *MIDDLE, *HIGHEST), END)
