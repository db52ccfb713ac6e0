"""The site's grade beside what it answered of the same event: where they differ, what to ask, which line is crossed.

Both are kept and neither overwrites the other. Compared is the highest CTCAE grade that the site states with what the
answers leave of the coded term. Who is told of a line that is crossed is left to `alerting`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.domain.answered import answers_of
from tocsin.domain.case import Event
from tocsin.domain.facet_words import SAID_IN_CHINESE, TermFacets, said
from tocsin.domain.facets import bounds, decided_by
from tocsin.domain.grade_check import LINES
from tocsin.domain.graded import Graded
from tocsin.domain.known import Known
from tocsin.domain.words import Scale


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The site's grade lies outside what its answers leave. `because`: the answers that say so; "" where the term does.

    `crosses` are the lines between the site's grade and the least that the answers make it: empty where the site grades
    higher, since its own grade then counts. `is_of_a_death`: rules on dose-limiting toxicity see that without a grade.
    """

    event_id: str
    site: int
    found: Graded
    because: str
    crosses: tuple[int, ...]
    is_of_a_death: bool
    rests_on_a_stay: bool
    english: str
    chinese: str

    @property
    def broken(self) -> str:
        """The bound that the grade breaks, such as "at least 3"."""
        return f"at least {self.found.lowest}" if self.site < self.found.lowest else f"at most {self.found.highest}"


def check(event: Event, of: TermFacets) -> Mismatch | None:
    """Where the site's CTCAE grade and its answers differ; None where they agree, or one of them is not there."""
    site, answers = event.worst_grade(Scale.CTCAE), answers_of(event)
    found = bounds(of, answers)
    if site is None or not isinstance(found, Graded) or found.lowest <= site <= found.highest:
        return None
    raised_by, lowered_by = decided_by(of, answers)
    by = raised_by if site < found.lowest else lowered_by
    because = ", and ".join(said(question, answers) for question in by)
    because_chinese = "，".join(said(question, answers, SAID_IN_CHINESE) for question in by)
    return Mismatch(
        event_id=event.event_id,
        site=site,
        found=found,
        because=because,
        crosses=tuple(line for line in LINES if site < line <= found.lowest),
        is_of_a_death=answers.died is Known.YES,
        rests_on_a_stay=[question.field for question in by] == ["hospitalised"],
        english=_english(site, found, because),
        chinese=_chinese(site, found, because_chinese),
    )


def _english(site: int, found: Graded, because: str) -> str:
    scale = f"CTCAE {found.edition}"
    bound = f"at least grade {found.lowest}" if site < found.lowest else f"at most grade {found.highest}"
    told = (
        f"What you told of it makes it {bound} of {found.term}: {because}."
        if because
        else (f"{found.term} has {bound} in {scale}.")
    )
    return (
        f"You graded this event {site} ({scale}). {told} We keep both. Please check: correct the grade or what you "
        "told, or tell us why both stand."
    )


def _chinese(site: int, found: Graded, because: str) -> str:
    scale = f"CTCAE {found.edition}"
    bound = f"至少为{found.lowest}级" if site < found.lowest else f"最高为{found.highest}级"
    told = f"按贵中心所述（{because}），{found.term} {bound}" if because else f"在 {scale} 中，{found.term} {bound}"
    return (
        f"贵中心将该事件评为{site}级（{scale}）。{told}。两者我们均保留。请核对：更正分级或所述内容，或说明为何均不变。"
    )
