"""The clocks of one event at one authority, followed through its story: the state machine of rules.md 1.4.

An event has at most one class at a time (a SUSAR that is fatal or life-threatening, any other SUSAR). What makes it
worse starts or brings forward a clock; what makes it better closes none: it puts the running ones in question until a
person signs. A sponsor's lone opinion has no effect, because either party is enough.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin.domain.calendars import local_day
from tocsin.domain.clock_life import ClockLife, Effect, Run, Status
from tocsin.domain.clocks import (
    SUSAR,
    Clock,
    ClockRule,
    Duty,
    Start,
    Trigger,
    clock,
    end_of,
    fires,
    zones_of,
)
from tocsin.domain.elements import MINIMUM
from tocsin.domain.judged import EventAssessment
from tocsin.domain.protocol import CountsFrom, Protocol, SuspectedBy
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.significance import Told, narrative_alone, significant
from tocsin.domain.story import Heard, Rejection, Story
from tocsin.domain.submissions import Submission, SubmissionKind
from tocsin.domain.words import Party

FDA = "US"
STRICT_DAYS = 8
"""After the first report, where a study is strict and no rule says otherwise (rules.md 1.6 C4)."""
SUSARS = (Trigger.OTHER_SUSAR, Trigger.FATAL_LT_SUSAR)
EXPECTED = (Trigger.EXPECTED_FATAL_LT,)
"""The classes that a chain may have, least urgent first. An expected reaction is no downgrade of a SUSAR."""


@dataclass(frozen=True, slots=True)
class _Episode:
    """What some clocks were started for, kept for the day on which a rejection opens one of them again."""

    of_class: Trigger | None
    start: Start | None
    known_at: datetime | None
    revision: int


class Chain:
    """One event at one authority. `follow` it once, then `ended` tells what became of each clock."""

    def __init__(
        self, story: Story, jurisdiction: str, rules: Sequence[ClockRule], classes: tuple[Trigger, ...]
    ) -> None:
        self._story = story
        self._protocol: Protocol = story.protocol
        self._settings = story.protocol.clock_settings
        self._rules = tuple(rules)
        self._classes = classes
        is_sponsors_alone = jurisdiction == FDA and self._settings.fda_suspected_by is SuspectedBy.SPONSOR
        self._by = frozenset([Party.SPONSOR]) if is_sponsors_alone else frozenset(Party)
        self._runs: list[Run] = []
        self._heard: list[Heard] = []
        self._sent: list[Submission] = []
        self._reviews: tuple[Signed, ...] = ()
        self._class: Trigger | None = None
        self._start: Start | None = None
        self._highest: Trigger | None = None
        self._known_at: datetime | None = None
        self._revision = 0
        self._episode = 0
        self._episodes: dict[int, _Episode] = {}
        self._questions: tuple[str, ...] = ()
        self._notes: tuple[str, ...] = ()
        self._significant: set[int] = set()
        self.effects: dict[str, list[Effect]] = {}
        self.to_judge: list[int] = []

    def follow(self) -> None:
        """Walk through the whole story."""
        for moment in self._story.moments:
            match moment:
                case Heard():
                    self._hear(moment)
                case Signed():
                    self._sign(moment)
                case Submission():
                    self._sent.append(moment)
                    for run in self._runs:
                        self._meet(run, moment)
                case Rejection():
                    self._reject(moment.submission)

    def ended(self) -> list[ClockLife]:
        """What became of each clock."""
        for run in self._runs:
            run.clock = self._brought_forward(run)
        return [run.ended(() if run.rule.trigger in _LATER else self._questions) for run in self._runs]

    # -- what is told -------------------------------------------------------------------------------------------------

    def _hear(self, heard: Heard) -> None:
        self._settle()
        judged = self._judge(heard)
        self._heard.append(heard)
        news, is_pending, stood = self._news(heard), self._has_open(Duty.REPORT), len(self._runs)
        self._complete(heard)
        now = None if heard.is_taken_back else self._class_of(judged)
        if now is None or self._rank(now) < self._rank(self._class):
            self._questions = self._why_not(judged, heard) if self._class is not None else ()
        elif self._class is None:
            self._begin_class(now, self._start_of(now, judged, heard), heard.at, heard.report.revision)
        elif now is not self._class:
            self._upgrade(now, self._start_of(now, judged, heard), heard.at, heard.report.revision)
        else:
            self._questions = ()
            self._confirm(judged, heard)
        begun = self._runs[stood:]
        is_told_in_full = any(run.rule.follows is not None or run.rule.trigger in _IN_FULL for run in begun)
        if news and not is_told_in_full:
            self._start_follow_up(heard, news, is_pending=is_pending)

    def _settle(self) -> None:
        """What was reported, with no report owed, is what was told of it last: there is no clock left to sign down.

        So a death after a threat to life that was reported, and then taken back, is an upgrade and has its seven days.
        """
        if self._heard and self._is_reported and not self._has_open(Duty.REPORT):
            told = self._heard_class(self._heard[-1])
            if self._rank(told) < self._rank(self._class):
                self._class = told

    def _complete(self, heard: Heard) -> None:
        """The receipt of the last minimum element is the legal day zero: clocks that ran before give way."""
        start = self._start
        if heard.lacking or start is None or not start.awaits or self._class is None:
            return
        legal = (
            f"the last of the minimum elements came with revision {heard.report.revision}, received "
            f"{self._local(heard.at)}: this is the legal day zero"
        )
        if self._is_reported:
            return
        if heard.at == self._known_at:
            # It came at the same instant: the same day zero, and nothing to give way to.
            self._notes = (*self._notes, legal)
            self._restate(replace(start, awaits=(), reasons=(*start.reasons, legal)))
            return
        old = [run for run in self._runs if run.is_open]
        since, known = self._known_since(heard)
        start = replace(start, aware_at=since, awaits=(), reasons=(*start.reasons, *known))
        self._set_class(self._class, start, heard.at, heard.report.revision)
        new = self._begin(self._note(legal), heard.at, again=True)
        for run in old:
            self._supersede(run, legal, among=[n for n in new if n.rule is run.rule])

    def _confirm(self, judged: EventAssessment, heard: Heard) -> None:
        """The same class again: firm where it was provisional, and in the words of the coding once there is one."""
        start = self._start
        assert start is not None
        is_provisional = any(finding.is_provisional for finding in judged.grounds)
        if heard.is_coding and heard.report.revision == self._revision:
            said = self._start_of(start.trigger, judged, heard)
            reasons = (*said.reasons, *self._notes)
            self._restate(replace(start, reasons=reasons, is_provisional=said.is_provisional))
        elif start.is_provisional and not is_provisional:
            firm = f"confirmed by revision {heard.report.revision}, received {self._local(heard.at)}"
            self._notes = (*self._notes, firm)
            self._restate(replace(start, is_provisional=False, reasons=(*start.reasons, firm)))

    def _restate(self, start: Start) -> None:
        """Other reasons, the same dates."""
        assert self._start is not None
        added = self._start.reasons
        self._start = start
        for run in self._runs:
            if run.is_open and run.episode == self._episode and run.rule.trigger not in _LATER:
                own = run.clock.reasons[len(added) :] if run.clock.reasons[: len(added)] == added else ()
                is_provisional = start.is_provisional or bool(start.awaits)
                run.clock = replace(
                    run.clock, reasons=(*start.reasons, *own), is_provisional=is_provisional, awaits=start.awaits
                )

    def _news(self, heard: Heard) -> str:
        """Why this is a significant follow-up to what was reported; empty where it is merged or held."""
        revision = heard.report.revision
        last = next((h for h in reversed(self._heard) if h.report.revision < revision), None)
        if last is None or revision in self._significant or not self._was_reported_before(heard.at):
            return ""
        was, now = self._told(last), self._told(heard)
        if found := significant(was, now):
            self._significant.add(revision)
            return found.reasons[0]
        if not heard.is_coding and narrative_alone(was, now):
            self.to_judge.append(revision)
        return ""

    def _start_follow_up(self, heard: Heard, why: str, *, is_pending: bool) -> None:
        """What is significant is reported in its turn, or goes with the report that `is_pending`."""
        told = f"revision {heard.report.revision} received {self._local(heard.at)} after a report was sent; {why}"
        if any(run.known_at == heard.at and run.rule.trigger is Trigger.SIGNIFICANT_FOLLOW_UP for run in self._runs):
            return
        pending = [run for run in self._runs if run.is_open and run.rule.trigger is Trigger.SIGNIFICANT_FOLLOW_UP]
        for run in pending:
            run.clock = replace(run.clock, reasons=(*run.clock.reasons, f"goes with it: {told}"))
        if pending or is_pending:
            return
        since, known = self._known_since(heard)
        self._begin(Start(Trigger.SIGNIFICANT_FOLLOW_UP, self._story.event_id, since, (told, *known)), heard.at)

    # -- what is signed -----------------------------------------------------------------------------------------------

    def _sign(self, deed: Signed) -> None:
        self._settle()
        if deed.deed is Deed.SIGNIFICANT:
            self._judge_narrative(deed)
            return
        if deed.deed in (Deed.MEDICAL_REVIEW, Deed.DOWNGRADE):
            self._reviews = (*self._reviews, deed)
        if not self._heard:
            return
        # Whatever it is called: what a signature makes worse starts what that asks for.
        is_worse = self._rank(self._heard_class(self._heard[-1])) > self._rank(self._class)
        if deed.deed is Deed.MEDICAL_REVIEW or (deed.deed is Deed.DOWNGRADE and is_worse):
            self._review(deed)
        elif self._class is None and not self._is_reported and not any(run.is_open for run in self._runs):
            return
        elif len(set(deed.by)) < (needed := self._settings.signatures_to_close):
            self._say(deed, f"this study asks for the signatures of {needed} people to close a clock; "
                            f"signed by {_people(deed)} alone", is_refused=True)  # fmt: skip
        elif deed.deed is Deed.DOWNGRADE:
            self._downgrade(deed)
        elif deed.deed in (Deed.NULLIFICATION, Deed.DUPLICATE):
            self._take_back(deed)

    def _judge_narrative(self, deed: Signed) -> None:
        heard = next((h for h in self._heard if h.report.revision == deed.revision), None)
        if heard is not None and self._was_reported_before(heard.at):
            self.to_judge = [revision for revision in self.to_judge if revision != deed.revision]
            why = f"signed as significant by {_people(deed)}: {deed.reason}"
            self._start_follow_up(heard, why, is_pending=self._has_open(Duty.REPORT))

    def _review(self, deed: Signed) -> None:
        """Judging old information anew keeps the day zero of that information (rules.md 1.2 D4)."""
        last = self._heard[-1]
        judged = self._judge(last)
        now = None if last.is_taken_back else self._class_of(judged)
        if now is None or self._rank(now) <= self._rank(self._class):
            is_lower = self._class is not None and now is not self._class
            self._questions = self._why_not(judged, last) if is_lower else ()
            if now is not None and now is self._class:
                self._confirm(judged, last)
            return
        before = None if last.is_taken_back else self._class_of(self._story.judge(last, self._reviews[:-1], self._by))
        if self._class is None and self._rank(now) <= self._rank(before):
            return  # a signature closed it on the same facts: a review that finds nothing worse opens nothing
        first = next(
            h for h in self._heard if not h.is_taken_back and self._rank(self._heard_class(h)) >= self._rank(now)
        )
        start = self._start_of(now, self._judge(first), first)
        signed = (
            f"found so by the medical review that {_people(deed)} signed {self._local(deed.signed_at)}: {deed.reason}"
        )
        start = replace(start, reasons=(*start.reasons, signed))
        stood = len(self._runs)
        late = [rule for rule in self._rules if rule.trigger is Trigger.LATE_DETERMINATION]
        if late and self._class is None:
            self._determine_late(now, replace(start, aware_at=deed.signed_at), deed.signed_at)
        elif self._class is None:
            self._begin_class(now, start, deed.signed_at, first.report.revision)
        else:
            self._upgrade(now, start, deed.signed_at, first.report.revision)
        for run in self._runs[stood:]:
            self._say(deed, f"{run.rule.id} starts, day zero {run.clock.day_zero}, due {run.clock.due_on}")

    def _determine_late(self, now: Trigger, start: Start, at: datetime) -> None:
        """First judged not reportable, later found reportable (21 CFR 312.32(d)(3); rules.md 1.6 C6)."""
        self._set_class(now, start, at, self._heard[-1].report.revision)
        self._begin(replace(start, trigger=Trigger.LATE_DETERMINATION), at)
        if now is Trigger.FATAL_LT_SUSAR and self._settings.also_7_days_after_determination:
            for run in self._begin(start, at):
                if run.rule.trigger is Trigger.ANY_SUSAR:
                    self._runs.remove(run)  # its 15 days are the determination's own

    def _downgrade(self, deed: Signed) -> None:
        last = self._heard[-1]
        judged = self._judge(last)
        now = None if last.is_taken_back else self._class_of(judged)
        if now is not None and self._rank(now) >= self._rank(self._highest):
            self._say(deed, f"the facts still make it {_words(now)}: {'; '.join(_grounds(judged))}", is_refused=True)
            return
        since = self._lower_since(now)
        is_news = since.report.revision > self._revision or since.is_coding or self._was_open(judged)
        if self._class is not None and not is_news:
            self._say(deed, "nothing new was told since the clock started: old facts judged anew close no clock",
                      is_refused=True)  # fmt: skip
            return
        signed = f"downgraded: signed by {_people(deed)} {self._local(deed.signed_at)}: {deed.reason}"
        is_owed = self._has_open(Duty.REPORT)
        if self._is_reported:
            self._say(deed, "it was reported already: the follow-up report tells the new assessment")
        if now is None:
            self._cancel(deed, signed)
            if self._is_reported and is_owed:
                # The news went with the report that is cancelled now: what was reported before it needs a follow-up.
                told = f"revision {since.report.revision} received {self._local(since.at)} after a report was sent"
                self._owe_follow_up(f"{told}; {signed}", since.at, deed.signed_at)
        elif is_owed:
            self._to_other(deed, now, since.at, signed)
        else:
            self._questions = ()

    def _was_open(self, judged: EventAssessment) -> bool:
        """Whether what fails now rested, when the clock started, on a fact that was missing: the answer is news."""
        first = next((h for h in self._heard if h.report.revision == self._revision), None)
        if first is None:
            return False
        then = self._story.judge(first, self._reviews[:-1], self._by)
        pairs = ((then.serious, judged.serious), (then.suspected, judged.suspected),
                 (then.unexpected, judged.unexpected), (then.fatal, judged.fatal),
                 (then.life_threatening, judged.life_threatening))  # fmt: skip
        fell = [was for was, now in pairs if was and not now]
        return bool(fell) and all(was.is_provisional for was in fell)

    def _to_other(self, deed: Signed, now: Trigger, news_at: datetime, signed: str) -> None:
        """Due day zero plus 15, if the news came before the shorter clock had run out (rules.md 1.4)."""
        assert self._start is not None
        assert self._known_at is not None
        old = [run for run in self._runs if run.is_open]
        reasons = (*self._start.reasons, signed)
        start = replace(self._start, trigger=now, reasons=reasons)
        self._set_class(now, start, self._known_at, self._revision)
        worse = [run for run in old if run.rule.trigger is not now]
        owed = {run.rule.duty for run in worse} - {run.rule.duty for run in old if run.rule.trigger is now}
        self._begin(start, self._known_at, instead_of=worse, duties=owed)
        new = [run for run in self._runs if run.is_open and run.rule.trigger is now]
        for run in new:
            self._as_before(run, old)
        for run in old:
            if run in new or run.rule.trigger in (*_LATER, Trigger.ANY_SUSAR) or self._is_owed_in_full(run):
                continue
            if run.rule.duty is not Duty.FOLLOW_UP and news_at > run.clock.due_at:
                run.episode = self._episode  # owed for what it is now, with its own date
                self._say(
                    deed, f"{run.rule.id} had run out on {run.clock.due_on}, before the news came: its lateness stays"
                )
            elif new:
                self._supersede(run, signed, among=new)
                self._say(deed, f"{run.rule.id} gives way to {run.successor.rule.id}" if run.successor else signed)

    def _as_before(self, run: Run, old: Sequence[Run]) -> None:
        """What was owed before it became worse is owed again from its own day zero, not from the worse one's."""
        owed = [one.clock for one in self._runs if one.rule is run.rule and any(one.successor is o for o in old)]
        first = min(owed, key=lambda c: c.due_at, default=run.clock)
        if first.due_at < run.clock.due_at:
            reason = f"owed since {first.day_zero} already, before it became worse: due on {first.due_on}"
            run.clock = replace(run.clock, day_zero=first.day_zero, due_on=first.due_on, due_at=first.due_at,
                                started_at=first.started_at, reasons=(*run.clock.reasons, reason))  # fmt: skip

    def _is_owed_in_full(self, run: Run) -> bool:
        """A completed report stays owed once the first was sent."""
        return run.rule.follows is not None and bool(self._first_reports(run))

    def _take_back(self, deed: Signed) -> None:
        if deed.deed is Deed.NULLIFICATION and not self._heard[-1].is_taken_back:
            self._say(deed, "the site has not taken this event back: it does so by a follow-up, and nobody for it",
                      is_refused=True)  # fmt: skip
            return
        because = "duplicate of " + deed.other_case if deed.other_case else "nullified"
        signed = f"{because}: signed by {_people(deed)} {self._local(deed.signed_at)}: {deed.reason}"
        self._cancel(deed, signed)
        if not self._is_reported:
            return
        if any(sent.kind is SubmissionKind.NULLIFICATION for sent in self._sent):
            self._say(deed, "it was reported, and a nullification report was sent")
            return
        self._say(deed, "it was reported already: a nullification report is owed as a follow-up")
        if not self._has_open(Duty.FOLLOW_UP):
            self._owe_follow_up(f"{signed}; a nullification report is owed", deed.signed_at, deed.signed_at)

    def _owe_follow_up(self, why: str, since: datetime, known_at: datetime) -> None:
        if not any(run.is_open and run.rule.trigger in _LATER for run in self._runs):
            self._begin(Start(Trigger.SIGNIFICANT_FOLLOW_UP, self._story.event_id, since, (why,)), known_at)

    def _cancel(self, deed: Signed, signed: str) -> None:
        """Close what is not sent. What completes or follows a report that was sent is still owed."""
        is_reported = self._is_reported
        for run in self._runs:
            is_begun = bool(run.sent) or run.rule.trigger in _LATER or self._is_owed_in_full(run)
            if run.is_open and not (is_reported and is_begun):
                run.close(Status.CANCELLED, signed)
                self._say(deed, f"{run.rule.id} is cancelled")
        self._class, self._highest, self._start, self._questions = None, None, None, ()

    def _say(self, deed: Signed, text: str, *, is_refused: bool = False) -> None:
        self.effects.setdefault(deed.id, []).append(Effect(text, is_refused))

    # -- classes and clocks -------------------------------------------------------------------------------------------

    def _begin_class(self, now: Trigger, start: Start, known_at: datetime, revision: int) -> None:
        self._set_class(now, start, known_at, revision)
        self._combine(start, known_at)

    def _set_class(self, now: Trigger, start: Start, known_at: datetime, revision: int) -> None:
        self._class, self._highest = now, now
        self._start, self._known_at, self._revision = start, known_at, revision
        self._questions, self._notes = (), ()
        self._episode += 1

    def _note(self, note: str) -> Start:
        """A further reason that stays when the others are told anew."""
        assert self._start is not None
        self._notes = (*self._notes, note)
        self._start = replace(self._start, reasons=(*self._start.reasons, note))
        return self._start

    def _upgrade(self, now: Trigger, start: Start, known_at: datetime, revision: int) -> None:
        """Not reported yet: one combined report, due by the earlier of both dates. Reported: a clock of its own."""
        is_reported = self._is_reported and not self._has_open(Duty.REPORT)
        self._set_class(now, start, known_at, revision)
        self._combine(start, known_at, after_report=is_reported)

    def _combine(self, start: Start, known_at: datetime, *, after_report: bool = False) -> None:
        """Start what this sets going; what is owed for less than it gives way, and none is due later for that."""
        old = [run for run in self._runs if run.is_open and run.rule.trigger in (*SUSAR, Trigger.ANY_SUSAR)]
        is_worse = start.trigger is Trigger.FATAL_LT_SUSAR
        others = [run for run in old if is_worse and run.rule.trigger is Trigger.OTHER_SUSAR]
        new = self._begin(start, known_at, after_report=after_report, instead_of=others)
        for run in new:
            if run.rule.follows is None:
                self._no_later(run, [o for o in old if o.rule.duty is run.rule.duty])
        for run in others:
            # What had run out stays: the lateness is not undone by a worse outcome.
            if run.clock.due_at >= start.aware_at:
                self._supersede(run, f"upgraded: {start.reasons[0]}", among=new)

    def _no_later(self, run: Run, old: Sequence[Run]) -> None:
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

    def _begin(
        self,
        start: Start,
        known_at: datetime,
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
        has_own = after_report and any(r.trigger is Trigger.UPGRADE_AFTER_SUBMISSION for r in self._rules)
        begun = []
        for rule in self._rules:
            is_own = has_own and rule.trigger is Trigger.UPGRADE_AFTER_SUBMISSION
            is_replaced = has_own and rule.trigger is start.trigger and rule.duty is Duty.REPORT
            if not is_own and (is_replaced or not fires(rule, start.trigger)):
                continue
            if rule.trigger is Trigger.ANY_SUSAR and not again and self._stands(rule):
                continue
            if duties is not None and rule.duty not in duties:
                continue
            made = self._clock(rule, start)
            if not again and self._is_owed(rule, made, [run for run in self._runs if run not in instead_of]):
                continue
            if rule.binds_on(made.day_zero):
                begun.append(Run(rule, made, known_at, self._episode, copies_to=self._copies(rule)))
        self._runs += begun
        if any(run.rule.duty is Duty.REPORT for run in begun):
            self._episodes[self._episode] = _Episode(self._class, self._start, self._known_at, self._revision)
        for run in begun:
            for sent in self._sent:
                if not after_report or sent.sent_at >= known_at:
                    self._meet(run, sent)
        return begun

    def _stands(self, rule: ClockRule) -> bool:
        return any(run.rule is rule and run.closed is None for run in self._runs)

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
                why = f"this study counts from the determination that {_people(determined)} signed"
                start = replace(start, aware_at=determined.signed_at, reasons=(*start.reasons, why))
        protocol = self._protocol
        return clock(rule, start, protocol.receiver_zone, protocol.clock_mode, self._settings.non_working)

    def _copies(self, rule: ClockRule) -> tuple[str, ...]:
        return tuple(one.name for one in self._protocol.copies_to) if rule.duty is Duty.COPIES else ()

    def _supersede(self, run: Run, because: str, *, among: Sequence[Run]) -> None:
        """Give way to a newer clock of the same duty, else to the soonest report."""
        reports = [new for new in among if new.rule.duty is Duty.REPORT]
        fitting = [new for new in among if new.rule.duty is run.rule.duty] or reports or list(among)
        if fitting:
            successor = min(fitting, key=lambda new: (new.clock.due_at, new.rule.id))
            run.close(Status.SUPERSEDED, because, successor)

    # -- what is sent -------------------------------------------------------------------------------------------------

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
                    for other in self._runs
                )
                allowed = {SubmissionKind.INITIAL} | ({SubmissionKind.FOLLOW_UP} if is_second else set())
                return sent.kind in allowed
            case Duty.FOLLOW_UP:
                return sent.kind is not SubmissionKind.INITIAL and (
                    run.rule.follows is None or self._is_second(run, sent)
                )
        return False

    def _is_second(self, run: Run, sent: Submission) -> bool:
        """Whether the report that this one completes went out before it."""
        first = self._first_reports(run)
        return bool(first) and all(at <= sent.sent_at and name != sent.id for name, at in first)

    def _first_reports(self, run: Run) -> list[tuple[str, datetime]]:
        return [
            found
            for other in self._runs
            if other.episode == run.episode
            and other.rule.duty is Duty.REPORT
            and other.rule.recipient == run.rule.recipient
            for found in other.sent.values()
        ]

    def _reject(self, sent: Submission) -> None:
        why = f"reopened: {sent.recipient} rejected {sent.reference or 'the report'}: {sent.rejected_because}"
        self._sent.remove(sent)
        for run in self._runs:
            due_at = self._brought_forward(run).due_at
            for name, (sent_id, at) in list(run.sent.items()):
                if sent_id == sent.id:
                    run.was_late = run.was_late or at > due_at
                    del run.sent[name]
                    run.because = why if not run.was_late else f"{why}; sent late before, which stays"
        # What was sent once more before the answer came stands in its place.
        for run in self._runs:
            for other in self._sent:
                self._meet(run, other)
        self._reopen()

    def _reopen(self) -> None:
        """A report that is owed again is owed for what it was started for, until a person signs it down."""
        owed = [self._episodes[run.episode] for run in self._runs if run.is_open and run.rule.duty is Duty.REPORT]
        worst = max(owed, key=lambda episode: self._rank(episode.of_class), default=None)
        if worst is not None and self._rank(worst.of_class) > self._rank(self._class):
            self._class = self._highest = worst.of_class
            self._start, self._known_at, self._revision = worst.start, worst.known_at, worst.revision
            last = self._heard[-1]
            is_lower = self._rank(self._heard_class(last)) < self._rank(self._class)
            self._questions = self._why_not(self._judge(last), last) if is_lower else ()

    def _brought_forward(self, run: Run) -> Clock:
        """The completed report is due 8 days after the first, where the law or the study is strict (rules.md C4)."""
        rule = run.rule
        followed = next((r for r in self._rules if r.id == rule.follows), None)
        if followed is None:
            return run.clock
        days = rule.strict_days
        if days is None and self._settings.strict_follow_up:
            days = (rule.days or 0) - (followed.days or 0)
        first = [at for _, at in self._first_reports(run)]
        if days is None or not first:
            return run.clock
        zones = zones_of(rule, self._protocol.receiver_zone, self._protocol.clock_mode)
        due_on = min(local_day(min(first), zone) for zone in zones) + timedelta(days=days)
        if due_on >= run.clock.due_on:
            return run.clock
        reason = f"the first report was sent {self._local(min(first))}: due {days} days after it, on {due_on}"
        return replace(run.clock, due_on=due_on, due_at=end_of(due_on, zones), reasons=(*run.clock.reasons, reason))

    @property
    def _is_reported(self) -> bool:
        return any(run.rule.duty is Duty.REPORT and run.is_sent and run.closed is None for run in self._runs)

    def _was_reported_before(self, at: datetime) -> bool:
        sent = [
            s for run in self._runs if run.rule.duty is Duty.REPORT and run.closed is None for _, s in run.sent.values()
        ]
        return any(s <= at for s in sent)

    def _has_open(self, duty: Duty) -> bool:
        return any(run.is_open and run.rule.duty is duty for run in self._runs)

    # -- judgements ---------------------------------------------------------------------------------------------------

    def _judge(self, heard: Heard) -> EventAssessment:
        return self._story.judge(heard, self._reviews, self._by)

    def _told(self, heard: Heard) -> Told:
        return Told(heard.event, heard.report, heard.coded, self._judge(heard))

    def _class_of(self, judged: EventAssessment) -> Trigger | None:
        return judged.trigger if judged.trigger in self._classes else None

    def _heard_class(self, heard: Heard) -> Trigger | None:
        return None if heard.is_taken_back else self._class_of(self._judge(heard))

    def _rank(self, found: Trigger | None) -> int:
        return 0 if found is None else self._classes.index(found) + 1

    def _lower_since(self, now: Trigger | None) -> Heard:
        """The first telling from which on it was no worse than it is now, of those that came after it was known."""
        found = self._heard[-1]
        for heard in reversed(self._heard):
            if self._known_at is not None and heard.at < self._known_at:
                break
            if self._rank(self._heard_class(heard)) > self._rank(now):
                break
            found = heard
        return found

    def _why_not(self, judged: EventAssessment, heard: Heard) -> tuple[str, ...]:
        if heard.is_taken_back:
            return (f"taken back by revision {heard.report.revision}: it runs until a person closes it by signature",)
        now = self._class_of(judged)
        if now is not None:
            return (f"the facts as known now make it {_words(now)}: it runs until a physician signs the downgrade",)
        grounds = "; ".join(_grounds(judged))
        return (f"the facts as known now would not start it ({grounds}): it runs until a person decides",)

    def _start_of(self, now: Trigger, judged: EventAssessment, heard: Heard) -> Start:
        reasons = [reason for finding in judged.grounds for reason in finding.reasons]
        reasons.append(f"revision {heard.report.revision} received {self._local(heard.at)}")
        if heard.lacking:
            wanted = ", ".join(MINIMUM[name] for name in heard.lacking)
            reasons.append(f"still missing {wanted}: the legal day zero is the receipt of what is missing")
        since, known = self._known_since(heard)
        return Start(
            trigger=now,
            event_id=self._story.event_id,
            aware_at=since,
            reasons=tuple(dict.fromkeys((*reasons, *known))),
            is_provisional=any(finding.is_provisional for finding in judged.grounds),
            awaits=heard.lacking,
        )

    def _known_since(self, heard: Heard) -> tuple[datetime, tuple[str, ...]]:
        """When the sponsor knew what a revision tells, and by whose signature where that is not its receipt."""
        override = self._story.override_of(heard.report)
        if override is None or override.aware_at is None:
            return heard.at, ()
        known = f"the sponsor knew {self._local(override.aware_at)} already"
        return override.aware_at, (f"{known}: signed by {_people(override)}: {override.reason}",)

    def _local(self, at: datetime) -> str:
        return f"{at.astimezone(self._protocol.receiver_zone):%Y-%m-%d %H:%M %Z}"


_LATER = (Trigger.SIGNIFICANT_FOLLOW_UP,)
_IN_FULL = (Trigger.OTHER_SUSAR, Trigger.ANY_SUSAR)
"""What is told by the 15th day tells everything: nothing of the same moment needs a follow-up beside it."""


def _recipients(run: Run, sent: Submission) -> tuple[str, ...]:
    """Whom this reaches, of those the clock is owed to. The clock's own recipient means all of them."""
    said = sent.recipient.casefold()
    if run.rule.duty is not Duty.COPIES or not run.copies_to:
        return (run.rule.recipient,) if said == run.rule.recipient.casefold() else ()
    if said == run.rule.recipient.casefold():
        return run.copies_to
    return tuple(name for name in run.copies_to if name.casefold() == said)


def _people(deed: Signed) -> str:
    return " and ".join(deed.by)


def _words(found: Trigger | None) -> str:
    return "no SUSAR" if found is None else found.value.replace("_", " ").replace("susar", "SUSAR")


def _grounds(judged: EventAssessment) -> list[str]:
    """What it fails by, else all it rests on."""
    failing = [f for f in (judged.serious, judged.suspected, judged.unexpected) if not f]
    return [reason for finding in failing or judged.grounds for reason in finding.reasons]
