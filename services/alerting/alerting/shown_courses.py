"""The course of an event's grade as the API shows it: the models, and their example."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

from tocsin.domain.course import SaidBy
from tocsin.domain.words import Scale


class SinceShown(BaseModel):
    """The first and the last instant that a date may mean; one where it is exact."""

    earliest: str
    latest: str


class StepShown(BaseModel):
    """From when on the event has a grade, by whom, and in words what the site said or what was measured."""

    lowest: int
    highest: int
    since: SinceShown | None = Field(alias="from", description="null: nobody said when")
    source: SaidBy
    said: str
    is_end: bool = Field(description="the event is over, which is grade 0")


class GradeAtShown(BaseModel):
    """A grade and what makes it. `lowest` is null where perhaps nobody had said anything yet."""

    lowest: int | None
    highest: int
    steps: list[StepShown]


class CourseShown(BaseModel):
    """One event on one scale: every step in order of time, those without a date last; the worse of two counts."""

    scale: Scale
    editions: list[str] = Field(description="of the scale, by which the observations were graded")
    steps: list[StepShown]
    peak: GradeAtShown = Field(description="the highest of the whole course; its steps say when")
    now: GradeAtShown | None = Field(description="null where nobody says anything of this moment")
    as_of: str
    zone: str = Field(description="in which dates without a zone are read")


def _moment(at: str) -> dict[str, str]:
    return {"earliest": at, "latest": at}


_FIRST: Final = {
    "lowest": 2, "highest": 2, "from": {"earliest": "2026-05-11T16:00:00Z", "latest": "2026-05-12T15:59:59Z"},
    "source": "site", "said": "the site says grade 2 since 2026-05-12", "is_end": False,
}  # fmt: skip
_WORST: Final = {
    "lowest": 4, "highest": 4, "from": _moment("2026-05-12T22:00:00Z"), "source": "computed",
    "said": "Neutrophils 0.4 10*9/L of 2026-05-13T06:00 is grade 4 of Neutrophil count decreased", "is_end": False,
}  # fmt: skip
_END: Final = {
    "lowest": 0, "highest": 0, "from": _moment("2026-05-20T02:00:00Z"), "source": "site",
    "said": "the site says that it ended 2026-05-20T10:00", "is_end": True,
}  # fmt: skip
COURSE: Final[dict[str, Any]] = {
    "scale": "ctcae",
    "editions": ["5.0"],
    "steps": [_FIRST, _WORST, _END],
    "peak": {"lowest": 4, "highest": 4, "steps": [_WORST]},
    "now": {"lowest": 0, "highest": 0, "steps": [_END]},
    "as_of": "2026-05-21T04:00:00Z",
    "zone": "Asia/Shanghai",
}
