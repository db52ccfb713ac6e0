"""Facts of a report that cannot both be: kept, read at the worse, named, and asked about. None of them refuses.

Each rule is one row of `EVENT_RULES` or `REPORT_RULES`: it looks at one event (or the report) and finds nothing or
one contradiction. Dates are compared as spans: only what cannot be true under any reading is called a contradiction.
Times are compared with the receipt, in the site's zone. Sources: ICH E2B(R3) E.i; rules.md 2.1, 2.2 (outcome fatal,
criterion death and grade 5 go together).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from ae_intake.answer_contradictions import ANSWER_RULES
from ae_intake.look import Found, Look
from tocsin.domain.answered import ALIVE
from tocsin.domain.known import Known
from tocsin.domain.words import Criterion, Outcome, ReportKind, Scale, is_suspected
from tocsin.messages.bodies import Contradiction
from tocsin.messages.facts import ReportFacts

_DETAILS = {
    ReportKind.PREGNANCY: {"subject", "partner", "other"},
    ReportKind.PRODUCT_EVENT: {
        "out_of_specification", "failed_release", "sterility", "mix_up", "wrong_dose", "wrong_subject",
        "thaw_failure", "bag_failure", "other",
    },
    ReportKind.MEDICATION_ERROR: {"overdose", "medication_error", "wrong_dose", "wrong_subject", "mix_up", "other"},
    ReportKind.ADVERSE_EVENT: set(),
}  # fmt: skip


def _end_before_onset(look: Look) -> Found | None:
    event = look.event
    if not look.before(event.end, event.onset):
        return None
    return Found("/end", f"the end {event.end} is before the onset {event.onset}", "going on: the end does not count")


def _onset_in_future(look: Look) -> Found | None:
    if not look.is_future(look.event.onset):
        return None
    return Found("/onset", f"the onset {look.event.onset} lies after the receipt", "it has happened")


def _end_in_future(look: Look) -> Found | None:
    if not look.is_future(look.event.end):
        return None
    return Found("/end", f"the end {look.event.end} lies after the receipt", "going on: the end does not count")


def _death_without_criterion(look: Look) -> Found | None:
    if not look.has_died() or Criterion.DEATH in look.event.seriousness:
        return None
    what = "the outcome is fatal" if look.event.outcome is Outcome.FATAL else "grade 5 is stated"
    return Found("/seriousness", f"{what} without the criterion death", "fatal, and so serious")


def _grade_5_alive(look: Look) -> Found | None:
    if 5 not in look.grades() or look.event.outcome not in ALIVE:
        return None
    return Found("/outcome", f"grade 5 beside the outcome {_words(look.event.outcome)}", "fatal")


def _death_alive(look: Look) -> Found | None:
    if Criterion.DEATH not in look.event.seriousness or look.event.outcome not in ALIVE:
        return None
    return Found("/outcome", f"the criterion death beside the outcome {_words(look.event.outcome)}", "fatal")


def _fatal_below_5(look: Look) -> Found | None:
    stated = look.event.grade.ctcae if look.event.grade is not None else None
    if look.event.outcome is not Outcome.FATAL or stated is None or stated == 5:
        return None
    return Found("/grade/ctcae", f"grade {stated} beside a fatal outcome", "fatal")


def _not_serious_beside_criterion(look: Look) -> Found | None:
    if look.event.serious is not False or not look.event.seriousness:
        return None
    names = ", ".join(_words(c) for c in look.event.seriousness)
    return Found("/serious", f'"not serious" beside a criterion of seriousness ({names})', "serious")


def _not_serious_but_dead(look: Look) -> Found | None:
    if look.event.serious is not False or look.event.seriousness or not look.has_died():
        return None
    what = "a fatal outcome" if look.event.outcome is Outcome.FATAL else "grade 5"
    return Found("/serious", f'"not serious" beside {what}', "serious, fatal")


def _aware_in_future(look: Look) -> Found | None:
    if not look.is_future(look.event.investigator_aware_at):
        return None
    problem = f"the investigator's awareness {look.event.investigator_aware_at} lies after the receipt"
    return Found("/investigator_aware_at", problem, "the investigator knew when this was received, at the latest")


def _aware_before_onset(look: Look) -> Found | None:
    event = look.event
    if not look.before(event.investigator_aware_at, event.onset):
        return None
    problem = f"the investigator's awareness {event.investigator_aware_at} is before the onset {event.onset}"
    return Found("/investigator_aware_at", problem, "the earlier time counts")


def _two_grades_at_once(look: Look) -> Found | None:
    seen: dict[tuple[Scale, str], int] = {}
    for n, step in enumerate(look.event.course):
        before = seen.setdefault((step.scale, step.from_), step.grade)
        if before != step.grade:
            problem = f"grades {before} and {step.grade} ({step.scale}) from the same time {step.from_}"
            return Found(f"/course/{n}/grade", problem, f"grade {max(before, step.grade)}")
    return None


def _course_above_grade(look: Look) -> Found | None:
    grade = look.event.grade
    if grade is None:
        return None
    for scale, stated in ((Scale.CTCAE, grade.ctcae), (Scale.ASTCT, grade.astct)):
        worst = max((step.grade for step in look.event.course if step.scale is scale), default=None)
        if stated is not None and worst is not None and worst > stated:
            problem = f"the course reaches {scale} grade {worst}, the stated grade is {stated}"
            return Found(f"/grade/{scale}", problem, f"grade {worst}")
    return None


def _course_before_onset(look: Look) -> Found | None:
    for n, step in enumerate(look.event.course):
        if look.before(step.from_, look.event.onset):
            problem = f"a grade from {step.from_}, before the onset {look.event.onset}"
            return Found(f"/course/{n}/from", problem, "the earlier of the two is when it began")
    return None


def _course_in_future(look: Look) -> Found | None:
    for n, step in enumerate(look.event.course):
        if look.is_future(step.from_):
            return Found(f"/course/{n}/from", f"a grade from {step.from_}, after the receipt", "the grade was reached")
    return None


def _two_opinions(look: Look) -> Found | None:
    seen: dict[tuple[str, str], object] = {}
    for n, opinion in enumerate(look.event.causality):
        before = seen.setdefault((opinion.agent, opinion.party), opinion.relation)
        if before is not opinion.relation:
            both = [is_suspected(o.relation) for o in look.event.causality
                    if (o.agent, o.party) == (opinion.agent, opinion.party)]  # fmt: skip
            worst = "suspected" if Known.YES in both else "not suspected by this party"
            problem = f"two opinions of the {_words(opinion.party)} on the {_words(opinion.agent)}"
            return Found(f"/causality/{n}/relation", problem, worst)
    return None


def _component_of_nothing(look: Look) -> Found | None:
    named = look.event.component_of
    if named is None:
        return None
    if named in look.own_names:
        return Found("/component_of", "the event is named as a sign of itself", "an event of its own")
    if named not in look.names:
        problem = f"{named} is no event of this report"
        return Found("/component_of", problem, "an event of its own")
    return None


EVENT_RULES: tuple[Callable[[Look], Found | None], ...] = (
    _end_before_onset,
    _onset_in_future,
    _end_in_future,
    _death_without_criterion,
    _grade_5_alive,
    _death_alive,
    _fatal_below_5,
    _not_serious_beside_criterion,
    _not_serious_but_dead,
    _aware_in_future,
    _aware_before_onset,
    *ANSWER_RULES,
    _two_grades_at_once,
    _course_above_grade,
    _course_before_onset,
    _course_in_future,
    _two_opinions,
    _component_of_nothing,
)


def _detail_of_another_kind(facts: ReportFacts) -> Found | None:
    if facts.detail is None or facts.detail in _DETAILS[facts.kind]:
        return None
    kind = _words(facts.kind)
    return Found("/detail", f"{_words(facts.detail)} is no detail of a report of {kind}", f"a report of {kind}")


REPORT_RULES: tuple[Callable[[ReportFacts], Found | None], ...] = (_detail_of_another_kind,)


def contradictions(
    facts: ReportFacts, zone: ZoneInfo, received_at: datetime, event_ids: Sequence[str] = ()
) -> list[Contradiction]:
    """Every contradiction of a report, in the order of its events. Nullified events contradict nothing."""
    found = [_told("", f) for rule in REPORT_RULES if (f := rule(facts)) is not None]
    own = [
        frozenset(filter(None, (event.ref or str(n), event_ids[n - 1] if n <= len(event_ids) else None)))
        for n, event in enumerate(facts.events, 1)
    ]
    names = frozenset[str]().union(*own)
    for n, event in enumerate(facts.events):
        if not event.nullified:
            found += _of_event(Look(event, zone, received_at, names, own[n]), f"/events/{n}")
    return found


def _of_event(look: Look, at: str) -> Iterator[Contradiction]:
    for rule in EVENT_RULES:
        found = rule(look)
        if found is not None:
            yield _told(at, found)


def _told(at: str, found: Found) -> Contradiction:
    return Contradiction(pointer=at + found.at, problem=found.problem, read_as=found.read_as)


def _words(value: str | None) -> str:
    return str(value).replace("_", " ")
