"""The verdicts on grade 4 neutrophils and platelets, of reported events and of counts that no report tells of.

They must have recovered by the end of a study day. Which falls there are is in `falls`, what a recovery is in
`recovery`. Sources: rules.md 4.2 DLT-08, DLT-09, EX-02 and EX-08; readings.md DLT 4, 7, 8 and 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.domain.cell_counts import days_of, is_low
from tocsin.domain.dlt.definition import About, DltDefinition, DltRule, Exclusion, Ground
from tocsin.domain.dlt.falls import LOW_GRADE, Fall, falls_of, graded_fall, onset_of, recovery_rule
from tocsin.domain.dlt.lasting import A_SECOND
from tocsin.domain.dlt.naming import excludes, names
from tocsin.domain.dlt.relation import NO_REPORT, Related, related
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.dlt.verdict import State, Verdict, worst
from tocsin.domain.known import Known


def of_counts(subject: Subject, rule: DltRule, definition: DltDefinition, as_of: datetime) -> list[Verdict]:
    """One for each standing event that the rule names, and one for each fall that no such event tells of."""
    named = [
        one for one in subject.events if not one.event.is_nullified and names(rule, one.event, one.coded) is not None
    ]
    found = [_of_event(one, subject, rule, definition, as_of) for one in named]
    untold = _Look(subject, rule, definition, as_of, NO_REPORT)
    found += [
        replace(untold.verdict(fall), key=f"{rule.about}|{fall.since}", about=rule.about)
        for fall in falls_of(subject, rule, definition)
        if not any(fall.is_of(one.event, subject.zone) for one in named)
    ]
    return found


def _of_event(
    reported: Reported, subject: Subject, rule: DltRule, definition: DltDefinition, as_of: datetime
) -> Verdict:  # fmt: skip
    event = reported.event
    look = _Look(subject, rule, definition, as_of, related(event), reported)
    onset = onset_of(reported, subject, rule, definition)
    falls = [fall for fall in falls_of(subject, rule, definition, onset) if fall.is_of(event, subject.zone)]
    if falls:
        found = _together([look.verdict(fall) for fall in falls])
    elif not onset.is_inside:
        found = Verdict(State.NONE, None, (onset.said,))
    else:
        grade = event.worst_grade()
        if grade is not None and grade < rule.min_grade:
            found = look.below(grade, onset.said, is_open=bool(onset.missing))
        else:
            found = look.verdict(graded_fall(reported, onset, subject, rule, definition))
        found = replace(found, study_day=onset.study_day)
    return replace(found, key=event.event_id, about=rule.about, case_id=reported.case_id, event_id=event.event_id)


def _together(found: Sequence[Verdict]) -> Verdict:
    """The worst of the falls of one event, with what is said of the others after it."""
    chosen = worst(list(found))
    rest = [one for one in found if one is not chosen]
    still_open = [one for one in rest if one.state.is_open]
    return replace(
        chosen,
        reasons=_once(chosen.reasons, *(one.reasons for one in rest)),
        for_committee=_once(chosen.for_committee, *(one.for_committee for one in still_open)),
        asks=_once(chosen.asks, *(one.asks for one in still_open)),
    )


def _once(*said: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for part in said for sentence in part if sentence))


@dataclass(frozen=True, slots=True)
class _Look:
    """One rule on one subject at one moment, of what one event tells or none does."""

    subject: Subject
    rule: DltRule
    definition: DltDefinition
    as_of: datetime
    relation: Related
    reported: Reported | None = None

    def verdict(self, fall: Fall) -> Verdict:
        if self.rule.needs_relation and not self.relation.holds:
            would = "one party judges it related: the rule counts again"
            return self._is_none(None, fall, self.relation.reasons, would)
        before = self._low_before()
        if before is not None:
            exclusion, said = before
            return self._is_none(exclusion, fall, (said,), "the count before lymphodepletion was not of grade 4")
        limit = fall.limit
        if limit is None:
            return self._stands(State.POTENTIAL_DLT, fall, asks=fall.asks)
        by = f"the end of study day {self.rule.by_day}, {limit.day}"
        if fall.recovered is Known.YES:
            said = f"recovered by {by}"
            would = "a low count comes in that leaves it unrecovered by then"
            return self._is_none(self._event_exclusion(fall.grade), fall, (said,), would)
        is_over = self.as_of > limit.ends
        lacks, asks = (fall.lacks, fall.asks) if is_over else ("", ())
        if fall.since is not None and limit.day - fall.since < timedelta(days=self.rule.late_days):
            why = (
                f"grade 4 since {fall.since}, fewer than {self.rule.late_days} days before the limit of {limit.day}: "
                f"the committee says whether it counts"
            )
            return self._stands(State.POTENTIAL_DLT, fall, lacks=lacks, asks=asks, committee=(why,))
        if not is_over:
            return self._stands(
                State.PENDING_DURATION, fall, said=f"it must have recovered by {by}", due_at=limit.ends + A_SECOND
            )
        return self._stands(State.MET_BY_RULE, fall, said=f"not recovered by {by}", lacks=lacks, asks=asks)

    def below(self, grade: int, said: str, *, is_open: bool) -> Verdict:
        """What the site grades lower, without a low count: named where an exclusion takes it from any other event.

        Below the grade of every such rule nothing ever matched (readings DLT 3).
        """
        others = [rule.min_grade for rule in self.definition.rules if rule.is_any_event]
        exclusion = self._event_exclusion(grade) if grade >= min(others, default=grade) else None
        facts = (f"the site says grade {grade}, and no count is below the limit", said)
        would = (f"grade {self.rule.min_grade}, or a count below the limit: {self.rule.id} decides",)
        if exclusion is None:
            return Verdict(State.NONE, None, (f"{self.rule.id} needs grade {self.rule.min_grade}", *facts), grade=grade)
        head = f"{exclusion.id}: {exclusion.text}"
        return Verdict(State.NOT_DLT, exclusion.id, (head, *facts), is_open, grade=grade, would_change=would)

    def _is_none(self, by: Exclusion | None, fall: Fall, said: Sequence[str], would: str) -> Verdict:
        """No DLT, by an exclusion or, where none is named, by the rule's own condition."""
        what = by or self.rule
        matched = () if by is None else (f"it would match {self.rule.id}: {self.rule.text}",)
        return Verdict(
            State.NOT_DLT, what.id, _once((f"{what.id}: {what.text}", *fall.facts, *said), matched, (fall.missing,)),
            bool(fall.missing), grade=fall.grade, study_day=fall.study_day, would_change=(would,),
        )  # fmt: skip

    def _stands(
        self, state: State, fall: Fall, *, said: str = "", lacks: str = "", asks: Sequence[str] = (),
        committee: Sequence[str] = (), due_at: datetime | None = None,
    ) -> Verdict:  # fmt: skip
        """An open verdict, with everything that was assumed for it."""
        relation = self.relation if self.rule.needs_relation else Related(True, ())
        assumed = _once((fall.missing, lacks), relation.missing)
        head = f"{self.rule.id}: {self.rule.text}"
        return Verdict(
            state, self.rule.id, _once((head, *fall.facts, said), fall.flags, relation.reasons, assumed),
            bool(assumed), grade=fall.grade, study_day=fall.study_day, due_at=due_at,
            for_committee=_once(relation.for_committee, committee, fall.for_committee, self._marrow()),
            would_change=self._would_change(fall), asks=tuple(asks),
        )  # fmt: skip

    def _would_change(self, fall: Fall) -> tuple[str, ...]:
        would = [fall.may_recover]
        if fall.limit is not None and fall.since is not None and fall.since <= fall.limit.day:
            exclusion = self._event_exclusion(fall.grade)
            would.append(
                f"{recovery_said(self.rule.about)}, the first by {fall.limit.day}: "
                f"NOT_DLT by {(exclusion or self.rule).id}"
            )
        if self.rule.needs_relation:
            would.append(f"both parties judge it not related: NOT_DLT by {self.rule.id}")
        return _once(would)

    def _event_exclusion(self, grade: int | None) -> Exclusion | None:
        """The exclusion of such an event whatever its course: of the same terms as the rule, or that names this one."""
        of_grade = LOW_GRADE if grade is None else grade
        for one in self.definition.admitted(self.rule):
            if one.ground is not Ground.EVENT or one.needs or one.within is not None:
                continue
            told = self.reported
            is_named = told is not None and excludes(one, told.event, told.coded) is not None
            if one.min_grade <= of_grade <= one.max_grade and (is_named or one.codes & self.rule.codes):
                return one
        return None

    def _of_marrow_or_baseline(self) -> Exclusion | None:
        admitted = self.definition.admitted(self.rule)
        return next((one for one in admitted if one.ground is Ground.MARROW_OR_BASELINE), None)

    def _low_before(self) -> tuple[Exclusion, str] | None:
        """That the last count before lymphodepletion was of the same grade."""
        exclusion = self._of_marrow_or_baseline()
        is_neutrophils = self.rule.about is About.NEUTROPHILS
        counts = self.subject.baseline_neutrophils if is_neutrophils else self.subject.baseline_platelets
        days = days_of(counts, self.subject.zone)
        if exclusion is None or not days or not is_low(days[-1], recovery_rule(self.rule.about)):
            return None
        return exclusion, f"of the same grade before lymphodepletion: {self.rule.about} {days[-1]}"

    def _marrow(self) -> tuple[str, ...]:
        """Whether myeloma in the marrow is the cause is a judgement, and only the committee's."""
        exclusion = self._of_marrow_or_baseline()
        involved = sorted(one.at.text for one in self.subject.marrow if one.myeloma_involvement is Known.YES)
        if exclusion is None or not involved:
            return ()
        return (
            f"myeloma in the marrow of {involved[-1]}: the committee says whether it is the cause ({exclusion.id})",
        )


def recovery_said(about: About) -> str:
    """What a recovery is, in words."""
    rule = recovery_rule(about)
    values = "a value" if rule.values == 1 else f"{rule.values} values in a row, each of another day,"
    said = f"{values} at or above {rule.limit_10e9_per_l} 10*9/L"
    if rule.untransfused is None:
        return said
    return f"{said} with no transfusion in the {rule.untransfused.days} days before it"
