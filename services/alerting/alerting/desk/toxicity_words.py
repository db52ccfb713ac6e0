"""What the toxicity page says: its heading, what was asked for, why an event does not count, and what was assumed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocsin.domain.known import Known
from tocsin.domain.toxicity import Assumed, Choice, Counted, Period, ScaleGrade, ToxicityEvent, Why
from tocsin.domain.toxicity_table import Toxicity
from tocsin.domain.words import Scale

SCALES: Final = {Scale.CTCAE: "CTCAE", Scale.ASTCT: "ASTCT", Scale.IEC_HS: "IEC-HS", Scale.ICAHT: "ICAHT"}
WHY: Final = {
    Why.NO_SUBJECT: "The report names no subject",
    Why.NOT_TREATED: "The subject is not infused, as far as is known",
    Why.NO_LEVEL: "The subject is at no level of the protocol",
    Why.DUPLICATE: "Told twice: signed as a duplicate, and counted by the case that stays",
    Why.BEFORE: "Began before the first infusion",
    Why.AFTER: "Began after the last day of the window",
    Why.NOT_RELATED: "Every party judges it not related",
    Why.NOT_SERIOUS: "Not serious",
}
ASSUMED: Final = {
    Assumed.NO_GRADE: "Nobody graded it: counted under “not graded”, never as grade 0",
    Assumed.NOT_CODED: "Nobody has coded it: it stands in a row of its own, by the site’s words",
    Assumed.SCALES_DIFFER: "The scales disagree: the grade counts that stands first",
    Assumed.OTHER_SCALE: "No grade on the scale that counts: the grade on another scale was taken",
    Assumed.GRADE_OPEN: "The observations leave several grades open: the highest was taken",
    Assumed.FATAL_OPEN: "The words speak of a death and no field does: taken as grade 5 until answered",
    Assumed.NO_ONSET: "The onset is not known: counted, and in no place on the timeline",
    Assumed.ONSET_OPEN: "The dates leave open whether it began in this period: counted as if it had",
    Assumed.RELATION_OPEN: "A party has not judged the relation, or not clearly: counted as related",
    Assumed.SERIOUSNESS_OPEN: "Whether it is serious rests on a missing fact: counted as serious",
}


def heading(found: Toxicity, choice: Choice) -> str:
    """What toxicity have we seen? How many were treated, and how many had a severe event."""
    if not found.all_treated:
        return "Nobody has been treated at a level of the protocol yet."
    kind = " ".join(
        word for word, is_asked in (("serious", choice.serious_only), ("related", choice.related_only)) if is_asked
    )
    what = f"a {kind} event" if kind else "an event"
    return f"{found.all_treated} treated. {found.total.severe or 'None'} with {what} of grade 3 or more."


def ungraded(found: Toxicity) -> str:
    """Who may have a severe event that the heading cannot count; empty where nobody may."""
    severe = {one.event.subject for one in found.counted if one.is_severe}
    open_ = {one.event.subject for one in found.counted if one.grade is None} - severe
    if not open_:
        return ""
    names = ", ".join(sorted(filter(None, open_)))
    whose = "1 more has" if len(open_) == 1 else f"{len(open_)} more have"
    return f"{whose} an event that nobody graded, which may be of grade 3 or more: {names}."


def period(choice: Choice) -> str:
    """Which onsets count."""
    return {
        Period.WHOLE: "Onset at any time, also before infusion",
        Period.TREATMENT_EMERGENT: "Onset on or after the first infusion",
        Period.WINDOW: f"Onset from the first infusion to study day {choice.last_day}",
    }[choice.period]


def rule(choice: Choice, ctcae: str) -> str:
    """What is counted, in one paragraph."""
    asked = [
        *(["Only related: by either party, and where one has not judged."] if choice.related_only else []),
        *(["Only serious: also where nobody has said."] if choice.serious_only else []),
    ]
    return " ".join(
        [
            f"Each subject counts once per term, at the worst grade. {period(choice)}.",
            f"ASTCT for CRS and ICANS, CTCAE v{ctcae} for the rest.",
            *asked,
        ]
    )


def grades(told: Sequence[ScaleGrade]) -> str:
    """The worst grade on each scale: "CTCAE 2, ASTCT 3"."""
    said = [
        f"{SCALES[one.scale]} {one.most if one.least == one.most else f'{one.least} to {one.most}'}" for one in told
    ]  # fmt: skip
    return ", ".join(said)


def name(event: ToxicityEvent) -> str:
    """The term of an event; without one, the site's words."""
    return event.term if event.term is not None else f"“{' '.join(event.verbatim.split())}” (not coded)"


def days(event: ToxicityEvent) -> str:
    """When it was, in study days."""
    onset = event.onset
    if onset.first is None or onset.last is None:
        return f"onset {event.began}, study day not known" if event.began else "onset not known"
    began = f"day {onset.first}" if onset.first == onset.last else f"day {onset.first} or up to {onset.last}"
    if event.ends is None:
        return f"{began}, no end told"
    return began if event.ends == onset.last else f"{began}, until day {event.ends}"


def counted(one: Counted) -> str:
    """An event that counts: "grade 3 Pneumonia, day 9, until day 14"."""
    grade = f"grade {one.grade}" if one.grade is not None else "not graded"
    return f"{grade} {name(one.event)}, {days(one.event)}"


def one_line(event: ToxicityEvent, grade: int | None = None) -> str:
    """An event in a list: whose, of which case, what, when, and its grades on every scale."""
    stated = grades(event.grades)
    of = [event.subject or "no subject", event.case_id, name(event), days(event)]
    if grade is not None:
        of.append(f"counted as grade {grade}" + (f" ({stated})" if stated else ""))
    elif stated:
        of.append(stated)
    return " · ".join(of)


def answer(known: Known) -> str:
    """Yes or no; what was taken as yes for want of a fact says so."""
    return {Known.YES: "yes", Known.NO: "no", Known.UNKNOWN: "not known, taken as yes"}[known]
