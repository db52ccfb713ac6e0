"""The verdict on one reported event, by the rules that look at the event itself.

Rules that name the event stand before those on any other event. Of several that hold the worst counts; a death goes by
the rule on deaths. Sources: rules.md 4.2, readings.md DLT 1 to 10, 12 and 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tocsin.domain.dlt.definition import About, DltDefinition, DltRule, GradedBy
from tocsin.domain.dlt.excluding import Excluded, Exclusions, exclusions_of
from tocsin.domain.dlt.lasting import Grades, Lasting, Lasts, grades_of, hours_of, lasting
from tocsin.domain.dlt.naming import by_code_or_words, names
from tocsin.domain.dlt.relation import Related, related
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.dlt.verdict import State, Verdict, worst
from tocsin.domain.dlt.window import Place, place, window
from tocsin.domain.stretches import moments
from tocsin.domain.syndromes import grade_said
from tocsin.domain.words import CrsScale


def of_event(
    reported: Reported, subject: Subject, definition: DltDefinition, as_of: datetime,
    crs: CrsScale = CrsScale.WORST_OF, also: Sequence[Verdict] = (),
) -> Verdict:  # fmt: skip
    """What the rules say of an event at a moment. `also`: what rules on values beside it say of the same event."""
    onset = place(reported.event.onset, subject.infusions, subject.zone, definition)
    if not onset.is_inside:
        return _about(reported, Verdict(State.NONE, None, (onset.said,)))
    look = _Look(reported, subject, definition, as_of, crs, onset)
    found = [*also, *look.verdicts()]
    if not found:
        return _about(reported, Verdict(State.NONE, None, (look.why_none(),)))
    chosen = worst(found)
    beside = [one for one in found if one is not chosen and _is_told_beside(one, chosen)]
    more = tuple(f"beside it: {one.state} by {one.reasons[0]}" for one in beside)
    return _about(reported, replace(chosen, reasons=(*chosen.reasons, *more), study_day=onset.study_day))


def _is_told_beside(one: Verdict, chosen: Verdict) -> bool:
    """Whether it says more than what was chosen: what only waits says nothing beside what is met."""
    is_weaker = chosen.state is State.MET_BY_RULE and one.state is not State.MET_BY_RULE
    return one.state.is_open and one.rule_id != chosen.rule_id and not is_weaker


def _about(reported: Reported, verdict: Verdict) -> Verdict:
    event_id = reported.event.event_id
    return replace(verdict, key=event_id, case_id=reported.case_id, event_id=event_id)


@dataclass(frozen=True, slots=True)
class _Look:
    """One event, at one moment, by one definition."""

    reported: Reported
    subject: Subject
    definition: DltDefinition
    as_of: datetime
    crs: CrsScale
    onset: Place

    @property
    def zone(self) -> ZoneInfo:
        return self.subject.zone

    def verdicts(self) -> Iterable[Verdict]:
        relation = related(self.reported.event)
        if self.reported.fatal:
            deaths = [rule for rule in self.definition.rules if rule.min_grade == 5]
            if deaths:
                yield self._of_death(deaths[0], relation)
                return
        for rule, named in self._rules():
            found = self._by(rule, named, relation)
            if found is not None:
                yield found

    def why_none(self) -> str:
        grades = self._grades(GradedBy.ANY)
        said = "without a grade" if grades.most is None else f"of grade {grades.most}"
        return f"no rule of {self.definition.id} names an event {said}"

    def _rules(self) -> list[tuple[DltRule, str]]:
        """The rules that look at this event, each with why it names it."""
        event, coded = self.reported.event, self.reported.coded
        own = [
            (rule, named)
            for rule in self.definition.rules_about(About.EVENT)
            if not rule.is_any_event and (named := names(rule, event, coded)) is not None
        ]
        if any(not rule.leaves_others for rule, _ in own):
            return own
        others = [rule for rule in self.definition.rules if rule.is_any_event and rule.min_grade < 5]
        return [*own, *((rule, "the rule covers any other event") for rule in others)]

    def _grades(self, by: GradedBy) -> Grades:
        return grades_of(self.reported, self.zone, by, self.crs)

    def _of_death(self, rule: DltRule, relation: Related) -> Verdict:
        """Any cause: that it was the disease or another cause needs the committee's signature (readings DLT 7)."""
        missing = [self.onset.missing, *relation.missing]
        committee = list(relation.for_committee)
        if self.reported.fatal.is_provisional:
            missing += self.reported.fatal.reasons
        if not relation.holds:
            alone = (
                "both parties judge the death not related: the committee must sign that (EX-09), until then it counts"
            )
            missing.append(alone)
            committee.append(alone)
        end = moments(self.reported.event.end, self.zone) if self.reported.event.end is not None else None
        if end is not None and self._is_after_window(end.latest):
            committee.append(f"it began in the window and killed after it, {self.reported.event.end}")
        return self._stands(
            State.MET_BY_RULE, rule, ["it is fatal", *self.reported.fatal.reasons], relation, missing,
            grade=5, committee=committee, would=("the committee signs another cause (EX-09): REJECTED",),
        )  # fmt: skip

    def _by(self, rule: DltRule, named: str, relation: Related) -> Verdict | None:
        grades = self._grades(rule.graded_by)
        if grades.most is not None and grades.most < rule.min_grade:
            return None
        if rule.needs_relation and not relation.holds:
            return Verdict(
                State.NOT_DLT, rule.id, (*self._head(rule, grades), *relation.reasons), grade=grades.most,
                would_change=("one party judges it related: the rule counts again",),
            )  # fmt: skip
        exclusions = exclusions_of(
            self.reported, self.subject.events, rule, self.definition, grades, self.as_of, self.zone
        )  # fmt: skip
        if exclusions.holds is not None:
            return self._excluded(rule, grades, exclusions.holds)
        if grades.most is None:
            missing = [self.onset.missing, *relation.missing, "no grade: never met without one"]
            return self._stands(
                State.POTENTIAL_DLT, rule, [named], relation, missing, asks=("which grade was it at its worst?",),
                would=(f"a grade below {rule.min_grade}: it does not match {rule.id}",),
            )  # fmt: skip
        return self._graded(rule, named, relation, grades, exclusions)

    def _graded(
        self, rule: DltRule, named: str, relation: Related, grades: Grades, exclusions: Exclusions
    ) -> Verdict:  # fmt: skip
        assert grades.most is not None
        facts = [named, grade_said(self.reported.event, grades.most), *grades.notes, *exclusions.notes]
        missing = [self.onset.missing, *relation.missing]
        committee = [*relation.for_committee, *self._late(rule, grades)]
        if grades.least is None or grades.least < rule.min_grade:
            least = "not known" if grades.least is None else f"at least {grades.least}"
            missing.append(f"its grade is {least} and may be {grades.most}: never met without one (readings DLT 7)")
            return self._stands(
                State.POTENTIAL_DLT, rule, facts, relation, missing, committee=committee,
                asks=("which grade was it at its worst?",),
                would=(f"a grade below {rule.min_grade}: it does not match {rule.id}",),
            )  # fmt: skip
        if rule.committee_below is not None and grades.most < rule.committee_below:
            return self._for_committee(rule, facts, relation, missing, committee, grades, exclusions)
        if self._is_at_once(rule, grades.most):
            waits = exclusions.may_hold
            if waits is None:
                # A timer that ends without data: met, provisional, and the site is asked (readings DLT 8).
                return self._stands(
                    State.MET_BY_RULE, rule, facts, relation, [*missing, *exclusions.lacks], grade=grades.most,
                    committee=committee, asks=exclusions.asks, would=self._if_unrelated(rule),
                )  # fmt: skip
            facts.append(f"{waits.exclusion.id} may still hold: {waits.said}")
            return self._stands(
                State.PENDING_DURATION, rule, facts, relation, missing, grade=grades.most, committee=committee,
                due_at=waits.passes_at,
                would=(f"it falls in time: NOT_DLT by {waits.exclusion.id}", *self._if_unrelated(rule)),
            )  # fmt: skip
        assert rule.longer_than is not None
        missing += grades.assumed
        facts += exclusions.lacks
        lasts = lasting(grades, rule.min_grade, rule.longer_than, self.as_of, self.zone)
        return self._lasting(rule, facts, relation, missing, committee, grades, lasts)

    def _lasting(
        self, rule: DltRule, facts: list[str], relation: Related, missing: list[str], committee: list[str],
        grades: Grades, lasts: Lasting,
    ) -> Verdict:  # fmt: skip
        """A rule with a limit in time: waited for, passed, or over within it."""
        facts = [*facts, lasts.said]
        strict_at, is_strict_passed = self._strict(rule, grades)
        if lasts.how is Lasts.WITHIN:
            return Verdict(
                State.NOT_DLT, rule.id, (*self._head(rule, grades), *facts), grade=grades.most,
                is_strict_passed=is_strict_passed,
                would_change=("it rises again, or lasted longer than was told",),
            )  # fmt: skip
        if lasts.is_provisional:
            missing = [*missing, lasts.said]
            facts = facts[:-1]
        state = {Lasts.PASSED: State.MET_BY_RULE, Lasts.WAITS: State.PENDING_DURATION}.get(
            lasts.how, State.POTENTIAL_DLT
        )
        hours = hours_of(rule.longer_than) if rule.longer_than is not None else ""
        would = [f"it fell below grade {rule.min_grade} within {hours}: NOT_DLT by {rule.id}"]
        return self._stands(
            state, rule, facts, relation, missing, grade=grades.most, committee=committee, due_at=lasts.passes_at,
            strict_at=strict_at, is_strict_passed=is_strict_passed, asks=lasts.asks,
            would=(*would, *self._if_unrelated(rule)),
        )  # fmt: skip

    def _excluded(self, rule: DltRule, grades: Grades, held: Excluded) -> Verdict:
        said = f"{held.exclusion.id}: {held.exclusion.text}"
        return Verdict(
            State.NOT_DLT, held.exclusion.id, (said, held.said, self.onset.said, f"it would match {rule.id}"),
            is_provisional=bool(self.onset.missing), grade=grades.most, for_committee=held.for_committee,
            due_at=held.committee_at, would_change=(f"{held.exclusion.id} no longer holds: {rule.id} decides",),
        )  # fmt: skip

    def _for_committee(
        self, rule: DltRule, facts: list[str], relation: Related, missing: list[str], committee: list[str],
        grades: Grades, exclusions: Exclusions,
    ) -> Verdict:  # fmt: skip
        """Below the rule's own grade only the committee says that it is one, or an exclusion that it is none."""
        why = f"below grade {rule.committee_below} only the committee can say that it meets {rule.id}"
        waits = exclusions.may_hold
        would = [f"grade {rule.committee_below}: MET_BY_RULE", *self._if_unrelated(rule)]
        facts = [*facts, *exclusions.lacks]
        if waits is not None:
            facts.append(f"{waits.exclusion.id} may still hold: {waits.said}")
            would.insert(0, f"it falls in time: NOT_DLT by {waits.exclusion.id}")
        return self._stands(
            State.POTENTIAL_DLT, rule, facts, relation, missing, grade=grades.most, committee=[*committee, why],
            due_at=None if waits is None else waits.passes_at, asks=exclusions.asks, would=would,
        )  # fmt: skip

    def _stands(
        self, state: State, rule: DltRule, facts: Sequence[str], relation: Related, missing: Sequence[str], *,
        grade: int | None = None, committee: Sequence[str] = (), due_at: datetime | None = None,
        strict_at: datetime | None = None, is_strict_passed: bool = False, asks: Sequence[str] = (),
        would: Sequence[str] = (),
    ) -> Verdict:  # fmt: skip
        """An open verdict. Without an infusion there is no window yet: then nothing is met, and nothing is no DLT."""
        assumed = [said for said in missing if said]
        if not self.subject.infusions:
            state, due_at = State.POTENTIAL_DLT, None
        reasons = [
            f"{rule.id}: {rule.text}", *facts, self.onset.said,
            *(relation.reasons if rule.needs_relation or rule.min_grade == 5 else ()), *assumed,
        ]  # fmt: skip
        return Verdict(
            state, rule.id, tuple(dict.fromkeys(reasons)), bool(assumed), grade=grade, due_at=due_at,
            strict_at=strict_at, is_strict_passed=is_strict_passed, for_committee=tuple(dict.fromkeys(committee)),
            would_change=tuple(dict.fromkeys(would)), asks=tuple(asks),
        )  # fmt: skip

    def _head(self, rule: DltRule, grades: Grades) -> tuple[str, ...]:
        said = () if grades.most is None else (grade_said(self.reported.event, grades.most),)
        return (f"{rule.id}: {rule.text}", *said, self.onset.said)

    def _if_unrelated(self, rule: DltRule) -> tuple[str, ...]:
        return (f"both parties judge it not related: NOT_DLT by {rule.id}",) if rule.needs_relation else ()

    def _is_at_once(self, rule: DltRule, grade: int) -> bool:
        if rule.longer_than is None or (rule.at_once_from is not None and grade >= rule.at_once_from):
            return True
        event, coded = self.reported.event, self.reported.coded
        return by_code_or_words(rule.at_once_codes, rule.at_once_words, event, coded) is not None

    def _strict(self, rule: DltRule, grades: Grades) -> tuple[datetime | None, bool]:
        """When the shorter limit is passed, and whether it was."""
        if rule.strict is None:
            return None, False
        lasts = lasting(grades, rule.min_grade, rule.strict, self.as_of, self.zone)
        return lasts.passes_at, lasts.how is Lasts.PASSED

    def _late(self, rule: DltRule, grades: Grades) -> list[str]:
        """What began in the window and reached the rule's grade after it is the committee's too (readings DLT 1)."""
        first = min((span.longest.since for span in grades.spans(rule.min_grade)), default=None)
        if first is None or not self._is_after_window(first):
            return []
        on = first.astimezone(self.zone).date().isoformat()
        return [f"it began in the window and reached grade {rule.min_grade} after it, on {on}"]

    def _is_after_window(self, at: datetime) -> bool:
        started = self.onset.infusion.started.widest(self.zone) if self.onset.infusion is not None else None
        return started is not None and at > window(started.latest, self.zone, self.definition).latest
