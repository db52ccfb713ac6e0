"""What one chain owes: its clocks as they are started, met by what is sent, and opened again by a rejection.

When to start or end a clock is in `chain`; here is how each is counted and which submissions it takes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tocsin.domain.calendars import local_day
from tocsin.domain.clock_life import Run, Status
from tocsin.domain.clocks import Clock, ClockRule, Duty, Start, Trigger, clock, end_of, fires, zones_of
from tocsin.domain.protocol import CountsFrom
from tocsin.domain.signed import people
from tocsin.domain.story import Story
from tocsin.domain.submissions import Submission, SubmissionKind

FDA = "US"
STRICT_DAYS = 8
"""After the first report, where a study is strict and no rule says otherwise (rules.md 1.6 C4)."""


class Owed:
    """The clocks of one event at one authority. `sent` are the submissions that stand.

    `is_taken_back`: what was reported is to be nullified, and nothing else completes or follows it.
    """

    def __init__(self, story: Story, rules: Sequence[ClockRule]) -> None:
        self._story = story
        self._protocol = story.protocol
        self._settings = story.protocol.clock_settings
        self.rules = tuple(rules)
        self.runs: list[Run] = []
        self.sent: list[Submission] = []
        self.is_taken_back = False

    def send(self, sent: Submission) -> None:
        """What was sent meets whatever of it is owed."""
        self.sent.append(sent)
        for run in self.runs:
            self._meet(run, sent)

    def begin(
        self,
        start: Start,
        known_at: datetime,
        episode: int,
        *,
        after_report: bool = False,
        again: bool = False,
        instead_of: Sequence[Run] = (),
        duties: Collection[Duty] | None = None,
    ) -> list[Run]:
        """Start what this sets going. After a report, an authority with a rule for just that goes by it.

        An upgrade is no second "any SUSAR", and what is owed already is not owed a second time at a later date;
        `again`: the same, from another day zero. What was sent before it was known that it is worse did not say so.
        """
        has_own = after_report and any(r.trigger is Trigger.UPGRADE_AFTER_SUBMISSION for r in self.rules)
        begun = []
        for rule in self.rules:
            is_own = has_own and rule.trigger is Trigger.UPGRADE_AFTER_SUBMISSION
            is_replaced = has_own and rule.trigger is start.trigger and rule.duty is Duty.REPORT
            if not is_own and (is_replaced or not fires(rule, start.trigger)):
                continue
            if rule.trigger is Trigger.ANY_SUSAR and not again and self._stands(rule):
                continue
            if duties is not None and rule.duty not in duties:
                continue
            made = self._clock(rule, start)
            if not again and self._is_owed(rule, made, [run for run in self.runs if run not in instead_of]):
                continue
            if rule.binds_on(made.day_zero):
                begun.append(Run(rule, made, known_at, episode, copies_to=self._copies(rule)))
        self.runs += begun
        for run in begun:
            for sent in self.sent:
                if not after_report or sent.sent_at >= known_at:
                    self._meet(run, sent)
        return begun

    def reject(self, sent: Submission) -> None:
        """What was sent counts no more; what was sent once more before the answer came stands in its place."""
        why = f"reopened: {sent.recipient} rejected {sent.reference or 'the report'}: {sent.rejected_because}"
        self.sent.remove(sent)
        for run in self.runs:
            due_at = self.brought_forward(run).due_at
            for name, (sent_id, at) in list(run.sent.items()):
                if sent_id == sent.id:
                    run.was_late = run.was_late or at > due_at
                    del run.sent[name]
                    run.because = why if not run.was_late else f"{why}; sent late before, which stays"
        for run in self.runs:
            for other in self.sent:
                self._meet(run, other)

    def as_before(self, run: Run, old: Sequence[Run]) -> None:
        """What was owed before it became worse is owed again from its own day zero, not from the worse one's."""
        owed = [one.clock for one in self.runs if one.rule is run.rule and any(one.successor is o for o in old)]
        first = min(owed, key=lambda c: c.due_at, default=run.clock)
        if first.due_at < run.clock.due_at:
            reason = f"owed since {first.day_zero} already, before it became worse: due on {first.due_on}"
            run.clock = replace(run.clock, day_zero=first.day_zero, due_on=first.due_on, due_at=first.due_at,
                                started_at=first.started_at, reasons=(*run.clock.reasons, reason))  # fmt: skip

    def brought_forward(self, run: Run) -> Clock:
        """The completed report is due 8 days after the first, where the law or the study is strict (rules.md C4)."""
        rule = run.rule
        followed = next((r for r in self.rules if r.id == rule.follows), None)
        if followed is None:
            return run.clock
        days = rule.strict_days
        if days is None and self._settings.strict_follow_up:
            days = STRICT_DAYS
        first = [at for _, at in self._first_reports(run)]
        if days is None or not first:
            return run.clock
        zones = zones_of(rule, self._protocol.receiver_zone, self._protocol.clock_mode)
        due_on = min(local_day(min(first), zone) for zone in zones) + timedelta(days=days)
        if due_on >= run.clock.due_on:
            return run.clock
        reason = f"the first report was sent {self._story.local(min(first))}: due {days} days after it, on {due_on}"
        return replace(run.clock, due_on=due_on, due_at=end_of(due_on, zones), reasons=(*run.clock.reasons, reason))

    def is_owed_in_full(self, run: Run) -> bool:
        """A completed report stays owed once the first was sent."""
        return run.rule.follows is not None and bool(self._first_reports(run))

    @property
    def is_reported(self) -> bool:
        return any(run.rule.duty is Duty.REPORT and run.is_sent and run.closed is None for run in self.runs)

    def was_reported_before(self, at: datetime) -> bool:
        sent = [
            s for run in self.runs if run.rule.duty is Duty.REPORT and run.closed is None for _, s in run.sent.values()
        ]
        return any(s <= at for s in sent)

    def has_open(self, duty: Duty) -> bool:
        return any(run.is_open and run.rule.duty is duty for run in self.runs)

    def _stands(self, rule: ClockRule) -> bool:
        return any(run.rule is rule and run.closed is None for run in self.runs)

    def _is_owed(self, rule: ClockRule, made: Clock, among: Sequence[Run]) -> bool:
        """Whether the same report or such copies are owed already, no later, and have not run out."""
        if rule.duty is not Duty.COPIES and rule.trigger is not Trigger.OTHER_SUSAR:
            return False
        return any(
            run.is_open
            and (run.rule is rule or (run.rule.duty is Duty.COPIES and run.rule.recipient == rule.recipient))
            and run.rule.duty is rule.duty
            and made.day_zero <= run.clock.due_on
            and run.clock.due_at <= made.due_at
            for run in among
        )

    def _clock(self, rule: ClockRule, start: Start) -> Clock:
        is_fdas = rule.trigger is Trigger.ANY_SUSAR and rule.jurisdiction == FDA
        if is_fdas and self._settings.fda_15_days_from is CountsFrom.DETERMINATION:
            determined = next((r for r in self._story.reviews if r.signed_at >= start.aware_at), None)
            if determined is None:
                why = "this study counts from the determination, which nobody has signed yet: receipt stands in for it"
                start = replace(start, is_provisional=True, reasons=(*start.reasons, why))
            else:
                why = f"this study counts from the determination that {people(determined)} signed"
                start = replace(start, aware_at=determined.signed_at, reasons=(*start.reasons, why))
        protocol = self._protocol
        return clock(rule, start, protocol.receiver_zone, protocol.clock_mode, self._settings.non_working)

    def _copies(self, rule: ClockRule) -> tuple[str, ...]:
        return tuple(one.name for one in self._protocol.copies_to) if rule.duty is Duty.COPIES else ()

    def _meet(self, run: Run, sent: Submission) -> None:
        if not run.is_open or sent.sent_at < run.clock.started_at or not self._fits(run, sent):
            return
        for name in _recipients(run, sent):
            run.sent.setdefault(name, (sent.id, sent.sent_at))

    def _fits(self, run: Run, sent: Submission) -> bool:
        match run.rule.duty:
            case Duty.COPIES:
                return True
            case Duty.REPORT:
                # A second report of the same event is a follow-up in the words of E2B.
                is_second = any(
                    other.is_sent and other.rule.duty is Duty.REPORT and other.episode < run.episode
                    for other in self.runs
                )
                allowed = {SubmissionKind.INITIAL} | ({SubmissionKind.FOLLOW_UP} if is_second else set())
                return sent.kind in allowed
            case Duty.FOLLOW_UP:
                allowed = {SubmissionKind.NULLIFICATION}
                if not self.is_taken_back:
                    allowed |= {SubmissionKind.FOLLOW_UP}
                return sent.kind in allowed and (run.rule.follows is None or self._is_second(run, sent))
        return False

    def _is_second(self, run: Run, sent: Submission) -> bool:
        """Whether the report that this one completes went out before it."""
        first = self._first_reports(run)
        return bool(first) and all(at <= sent.sent_at and name != sent.id for name, at in first)

    def _first_reports(self, run: Run) -> list[tuple[str, datetime]]:
        return [
            found
            for other in self.runs
            if other.episode == run.episode
            and other.rule.duty is Duty.REPORT
            and other.rule.recipient == run.rule.recipient
            for found in other.sent.values()
        ]


def supersede(run: Run, because: str, *, among: Sequence[Run]) -> None:
    """Give way to a newer clock of the same duty, else to the soonest report."""
    reports = [new for new in among if new.rule.duty is Duty.REPORT]
    fitting = [new for new in among if new.rule.duty is run.rule.duty] or reports or list(among)
    if fitting:
        successor = min(fitting, key=lambda new: (new.clock.due_at, new.rule.id))
        run.close(Status.SUPERSEDED, because, successor)


def no_later(run: Run, old: Sequence[Run]) -> None:
    """After an upgrade before the report: due by the earlier of both dates."""
    made = run.clock
    sooner = min(
        (o.clock for o in old if o.clock.due_on >= made.day_zero),
        key=lambda c: (c.due_at, c.recipient != made.recipient, c.rule),
        default=made,
    )
    if sooner.due_at >= made.due_at:
        return
    reason = f"upgraded before submission: due no later than {sooner.rule}, which already runs to {sooner.due_on}"
    run.clock = replace(made, due_on=sooner.due_on, due_at=sooner.due_at, reasons=(*made.reasons, reason))


def _recipients(run: Run, sent: Submission) -> tuple[str, ...]:
    """Whom this reaches, of those the clock is owed to. The clock's own recipient means all of them."""
    said = sent.recipient.casefold()
    if run.rule.duty is not Duty.COPIES or not run.copies_to:
        return (run.rule.recipient,) if said == run.rule.recipient.casefold() else ()
    if said == run.rule.recipient.casefold():
        return run.copies_to
    return tuple(name for name in run.copies_to if name.casefold() == said)
