"""The story of `tocsin demo` at the lowest and the middle dose, up to the review that opens the highest. Data only."""

from __future__ import annotations

from standalone.demo_deeds import At, Beat, Looked, Reviewed, Sent, Signed, Stand
from standalone.demo_telling import at, course, crs, icans, infused, later, seen, withdrew

WAIT, UP, SIX = "WAIT", "ESCALATE", "EXPAND_TO_6"
WITHIN_15_DAYS = ("CN_SUSAR_15D", "CN_GCP48_COPY_15D")
WITHIN_7_DAYS = ("CN_SUSAR_7D", "CN_GCP48_COPY_7D")

FIRST = crs("a CRS of grade 2", "S01-001", "2026-03-05T06:00", 2, at("03-05", "07:00"))
SHORT = crs("a CRS of grade 3", "S01-003", "2026-05-23T06:00", 3, at("05-23", "07:00"))
NINTH = icans("an ICANS of grade 4", "S01-003", "2026-05-29T03:00", 4, at("05-29", "04:00"))
LONG = crs("a CRS of grade 3 that lasts", "S02-004", "2026-07-10T04:00", 3, at("07-10", "05:00"))

DL1 = At("DL1", 3, 0, 0, UP)

LOWEST = (
    Beat(
        at("03-02"),
        "The first subject is infused at the lowest dose. The next waits 28 days.",
        infused("S01-001", "DL1", "2026-03-02T10:00"), Stand((At("DL1", 0, 1, 0, WAIT),), "DL1", ("stagger:DL1",)),
        "S01-001",
    ),
    Beat(
        at("03-05"),
        "Fever since six: CRS of grade 2, tocilizumab is given.",
        (FIRST,), Stand((At("DL1", 0, 1, 0, WAIT),), "DL1", ("stagger:DL1",)), "S01-001",
    ),
    Beat(
        at("03-09"),
        "The CRS is over. Of grade 2 it was never a DLT.",
        (later(FIRST, end="2026-03-08T08:00", outcome="recovered"),),
        Stand((At("DL1", 0, 1, 0, WAIT),), "DL1", ("stagger:DL1",)), "S01-001",
    ),
    Beat(
        at("03-30"),
        "28 days later, the second subject is infused.",
        (*infused("S01-002", "DL1", "2026-03-30T10:00"), *seen("2026-03-30", "S01-001")),
        Stand((At("DL1", 0, 2, 0, WAIT),), "DL1"), "S01-002",
    ),
    Beat(
        at("03-31"),
        "The third subject is infused, at the other site.",
        infused("S02-001", "DL1", "2026-03-31T10:00"), Stand((At("DL1", 1, 2, 0, WAIT),), None), "S02-001",
    ),
    Beat(
        at("04-29", "10:00"),
        "Day 28 of all three is complete: no DLT in three. Going up waits for the committee.",
        seen("2026-04-28", "S01-001", "S01-002", "S02-001"), Stand((DL1,), None),
    ),
    Beat(
        at("04-30", "10:00"),
        "The committee signs the review: the middle dose is open.",
        (Reviewed("DL2", "three at DL1 complete day 28 without a DLT"),), Stand((DL1,), "DL2"),
    ),
)  # fmt: skip

MIDDLE = (
    Beat(
        at("05-06"),
        "The first subject is infused at the middle dose. The next waits 14 days.",
        infused("S02-002", "DL2", "2026-05-06T10:00"),
        Stand((DL1, At("DL2", 0, 1, 0, WAIT)), "DL2", ("stagger:DL2",)), "S02-002",
    ),
    Beat(
        at("05-20"),
        "Two weeks later, the second subject is infused. The first three are seen again.",
        (*infused("S01-003", "DL2", "2026-05-20T10:00"), *seen("2026-05-20", "S01-001", "S01-002", "S02-001")),
        Stand((DL1, At("DL2", 0, 2, 0, WAIT)), "DL2"), "S01-003",
    ),
    Beat(
        at("05-21"),
        "The third subject is infused.",
        infused("S02-003", "DL2", "2026-05-21T10:00"), Stand((DL1, At("DL2", 0, 3, 0, WAIT)), None), "S02-003",
    ),
    Beat(
        at("05-23", "09:00"),
        "CRS of grade 3, a vasopressor is running: a potential DLT rings at once, and a limit of 168 hours "
        "begins.",
        (SHORT, Looked(SHORT.name, "serious, related, unexpected")),
        Stand((DL1, At("DL2", 0, 3, 0, WAIT)), None, rang=("potential_dlt",)), "S01-003",
    ),
    Beat(
        at("05-25", "09:00"),
        "The CRS fell to grade 1 within 48 hours: no DLT by DLT-03.",
        (later(SHORT, course=course((3, "2026-05-23T06:00"), (1, "2026-05-25T06:00")), outcome="recovering"),
         Sent(SHORT.name, "initial", WITHIN_15_DAYS)),
        Stand((DL1, At("DL2", 0, 3, 0, WAIT)), None), "S01-003",
    ),
    Beat(
        at("05-29", "06:00"),
        "The CRS is over; but the subject cannot be roused since three: ICANS of grade 4, met by DLT-04 at once. "
        "One DLT.",
        (later(SHORT, end="2026-05-27T08:00", outcome="recovered"), NINTH,
         Looked(NINTH.name, "life-threatening, related, unexpected")),
        Stand((DL1, At("DL2", 1, 2, 1, WAIT)), None, rang=("life_threatening",)), "S01-003",
    ),
    Beat(
        at("05-30", "10:00"),
        "A safety physician signs that it is a DLT; the expedited reports are sent.",
        (Signed(NINTH.name, "CONFIRMED", "ICANS grade 4, related, no other cause"),
         Sent(NINTH.name, "initial", WITHIN_7_DAYS),
         Sent(SHORT.name, "follow_up", ("CN_FU_15D",))),
        Stand((DL1, At("DL2", 1, 2, 1, WAIT)), None, rang=("uncoded",)), "S01-003",
    ),
    Beat(
        at("05-31"),
        "A subject withdraws before day 28, without a DLT: not evaluable, and to be replaced.",
        (withdrew("S02-003", "2026-05-31", "moves to another city"),),
        Stand((DL1, At("DL2", 1, 1, 1, WAIT)), "DL2"), "S02-003",
    ),
    Beat(
        at("06-03"),
        "The replacement is infused. The ICANS is over.",
        (*infused("S01-004", "DL2", "2026-06-03T10:00"), *seen("2026-06-03", "S02-002"),
         later(NINTH, end="2026-06-02T08:00", outcome="recovered"),
         Sent(NINTH.name, "follow_up", ("CN_SUSAR_7D_PLUS_8D",))),
        Stand((DL1, At("DL2", 1, 2, 1, WAIT)), None), "S01-004",
    ),
    Beat(
        at("07-02", "10:00"),
        "One DLT of three: three more at the same dose.",
        seen("2026-07-01", "S01-001", "S01-002", "S02-001", "S01-003", "S01-004", "S02-002"),
        Stand((DL1, At("DL2", 3, 0, 1, SIX)), "DL2", rang=("uncoded",)), "S01-004",
    ),
    Beat(
        at("07-06"),
        "The first of the three more is infused.",
        infused("S02-004", "DL2", "2026-07-06T10:00"), Stand((DL1, At("DL2", 3, 1, 1, WAIT)), "DL2"), "S02-004",
    ),
    Beat(
        at("07-08"),
        "The other two were infused yesterday and today.",
        (*infused("S01-005", "DL2", "2026-07-07T10:00"), *infused("S02-005", "DL2", "2026-07-08T10:00")),
        Stand((DL1, At("DL2", 3, 3, 1, WAIT)), None), "S02-005",
    ),
    Beat(
        at("07-10", "09:00"),
        "CRS of grade 3 since four: a potential DLT rings, and the limit is 17 July at four.",
        (LONG, Looked(LONG.name, "serious, related, unexpected")),
        Stand((DL1, At("DL2", 3, 3, 1, WAIT)), None, rang=("potential_dlt",)), "S02-004",
    ),
    Beat(
        at("07-13", "09:00"),
        "It goes on: the stricter limit of 72 hours has passed, of which a notice is sent, as no sponsor has "
        "approved the definition.",
        (Sent(LONG.name, "initial", WITHIN_15_DAYS),),
        Stand((DL1, At("DL2", 3, 3, 1, WAIT)), None, rang=("dlt_strict_limit",)), "S02-004",
    ),
    Beat(
        at("07-16", "09:00"),
        "The site tells that it fell to grade 2 after 136 hours: no DLT by DLT-03.",
        (later(LONG, course=course((3, "2026-07-10T04:00"), (2, "2026-07-15T20:00")), outcome="recovering"),),
        Stand((DL1, At("DL2", 3, 3, 1, WAIT)), None), "S02-004",
    ),
    Beat(
        at("07-20", "10:00"),
        "It was over on 18 July, the site tells; the follow-up report is sent.",
        (later(LONG, end="2026-07-18T08:00", outcome="recovered"), Sent(LONG.name, "follow_up", ("CN_FU_15D",))),
        Stand((DL1, At("DL2", 3, 3, 1, WAIT)), None), "S02-004",
    ),
    Beat(
        at("08-06", "10:00"),
        "Day 28 of all is complete: one DLT of six. The board says escalate, once the review is signed.",
        seen("2026-08-05", "S01-001", "S01-002", "S02-001", "S02-002", "S01-003", "S01-004", "S01-005", "S02-004",
             "S02-005"),
        Stand((DL1, At("DL2", 6, 0, 1, UP)), None),
    ),
    Beat(
        at("08-07", "10:00"),
        "The committee signs the review: the highest dose is open.",
        (Reviewed("DL3", "six at DL2 complete day 28 with one DLT"),), Stand((DL1, At("DL2", 6, 0, 1, UP)), "DL3"),
    ),
)  # fmt: skip
