"""The clocks of one event at one authority, followed through its story: the state machine of rules.md 1.4.

An event has at most one class at a time (a SUSAR that is fatal or life-threatening, any other SUSAR). What makes it
worse starts or brings forward a clock; what makes it better closes none: it puts the running ones in question until a
person signs. A sponsor's lone opinion has no effect, because either party is enough.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tocsin.domain.clock_life import ClockLife, Effect, Run, Status
from tocsin.domain.clocks import (
    SUSAR,
    ClockRule,
    Duty,
    Start,
    Trigger,
)
from tocsin.domain.elements import MINIMUM
from tocsin.domain.judged import EventAssessment
from tocsin.domain.owed import FDA, Owed, no_later, supersede
from tocsin.domain.protocol import Protocol, SuspectedBy
from tocsin.domain.signed import Deed, Signed, people
from tocsin.domain.significance import Told, narrative_alone, significant
from tocsin.domain.story import Heard, Rejection, Story
from tocsin.domain.submissions import Submission, SubmissionKind
from tocsin.domain.words import Party

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
        self._classes = classes
        is_sponsors_alone = jurisdiction == FDA and self._settings.fda_suspected_by is SuspectedBy.SPONSOR
        self._by = frozenset([Party.SPONSOR]) if is_sponsors_alone else frozenset(Party)
        self._owed = Owed(story, rules)
        self._heard: list[Heard] = []
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
                    self._owed.send(moment)
                case Rejection():
                    self._owed.reject(moment.submission)
                    self._reopen()

    def ended(self) -> list[ClockLife]:
        """What became of each clock."""
        for run in self._owed.runs:
            run.clock = self._owed.brought_forward(run)
        return [run.ended(() if run.rule.trigger in _LATER else self._questions) for run in self._owed.runs]

    # -- what is told -------------------------------------------------------------------------------------------------

    def _hear(self, heard: Heard) -> None:
        self._settle()
        judged = self._judge(heard)
        self._heard.append(heard)
        news, is_pending, stood = self._news(heard), self._owed.has_open(Duty.REPORT), len(self._owed.runs)
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
        begun = self._owed.runs[stood:]
        is_told_in_full = any(run.rule.follows is not None or run.rule.trigger in _IN_FULL for run in begun)
        if news and not is_told_in_full:
            self._start_follow_up(heard, news, is_pending=is_pending)

    def _settle(self) -> None:
        """What was reported, with no report owed, is what was told of it last: there is no clock left to sign down.

        So a death after a threat to life that was reported, and then taken back, is an upgrade and has its seven days.
        """
        if self._heard and self._owed.is_reported and not self._owed.has_open(Duty.REPORT):
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
            f"{self._story.local(heard.at)}: this is the legal day zero"
        )
        if self._owed.is_reported:
            return
        if heard.at == self._known_at:
            # It came at the same instant: the same day zero, and nothing to give way to.
            self._notes = (*self._notes, legal)
            self._restate(replace(start, awaits=(), reasons=(*start.reasons, legal)))
            return
        old = [run for run in self._owed.runs if run.is_open]
        since, known = self._known_since(heard)
        start = replace(start, aware_at=since, awaits=(), reasons=(*start.reasons, *known))
        self._set_class(self._class, start, heard.at, heard.report.revision)
        new = self._begin(self._note(legal), heard.at, again=True)
        for run in old:
            supersede(run, legal, among=[n for n in new if n.rule is run.rule])

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
            firm = f"confirmed by revision {heard.report.revision}, received {self._story.local(heard.at)}"
            self._notes = (*self._notes, firm)
            self._restate(replace(start, is_provisional=False, reasons=(*start.reasons, firm)))

    def _restate(self, start: Start) -> None:
        """Other reasons, the same dates."""
        assert self._start is not None
        added = self._start.reasons
        self._start = start
        for run in self._owed.runs:
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
        if last is None or revision in self._significant or not self._owed.was_reported_before(heard.at):
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
        told = f"revision {heard.report.revision} received {self._story.local(heard.at)} after a report was sent; {why}"
        if any(
            run.known_at == heard.at and run.rule.trigger is Trigger.SIGNIFICANT_FOLLOW_UP for run in self._owed.runs
        ):
            return
        pending = [run for run in self._owed.runs if run.is_open and run.rule.trigger is Trigger.SIGNIFICANT_FOLLOW_UP]
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
        elif self._class is None and not self._owed.is_reported and not any(run.is_open for run in self._owed.runs):
            return
        elif len(set(deed.by)) < (needed := deed.needs or self._settings.signatures_to_close):
            self._say(deed, f"this study asks for the signatures of {needed} people to close a clock; "
                            f"signed by {people(deed)} alone", is_refused=True)  # fmt: skip
        elif deed.deed is Deed.DOWNGRADE:
            self._downgrade(deed)
        elif deed.deed in (Deed.NULLIFICATION, Deed.DUPLICATE):
            self._take_back(deed)

    def _judge_narrative(self, deed: Signed) -> None:
        heard = next((h for h in self._heard if h.report.revision == deed.revision), None)
        if heard is not None and self._owed.was_reported_before(heard.at):
            self.to_judge = [revision for revision in self.to_judge if revision != deed.revision]
            why = f"signed as significant by {people(deed)}: {deed.reason}"
            self._start_follow_up(heard, why, is_pending=self._owed.has_open(Duty.REPORT))

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
        at = self._story.local(deed.signed_at)
        signed = f"found so by the medical review that {people(deed)} signed {at}: {deed.reason}"
        start = replace(start, reasons=(*start.reasons, signed))
        stood = len(self._owed.runs)
        late = [rule for rule in self._owed.rules if rule.trigger is Trigger.LATE_DETERMINATION]
        if late and self._class is None:
            self._determine_late(now, replace(start, aware_at=deed.signed_at), deed.signed_at)
        elif self._class is None:
            self._begin_class(now, start, deed.signed_at, first.report.revision)
        else:
            self._upgrade(now, start, deed.signed_at, first.report.revision)
        for run in self._owed.runs[stood:]:
            self._say(deed, f"{run.rule.id} starts, day zero {run.clock.day_zero}, due {run.clock.due_on}")

    def _determine_late(self, now: Trigger, start: Start, at: datetime) -> None:
        """First judged not reportable, later found reportable (21 CFR 312.32(d)(3); rules.md 1.6 C6)."""
        self._set_class(now, start, at, self._heard[-1].report.revision)
        self._begin(replace(start, trigger=Trigger.LATE_DETERMINATION), at)
        if now is Trigger.FATAL_LT_SUSAR and self._settings.also_7_days_after_determination:
            for run in self._begin(start, at):
                if run.rule.trigger is Trigger.ANY_SUSAR:
                    self._owed.runs.remove(run)  # its 15 days are the determination's own

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
        signed = f"downgraded: signed by {people(deed)} {self._story.local(deed.signed_at)}: {deed.reason}"
        is_owed, was_more = self._owed.has_open(Duty.REPORT), self._rank(self._class) > self._rank(now)
        if self._owed.is_reported:
            self._say(deed, "it was reported already: the follow-up report tells the new assessment")
        if now is None:
            self._cancel(deed, signed)
            if self._owed.is_reported and is_owed:
                # The news went with the report that is cancelled now: what was reported before it needs a follow-up.
                told = (
                    f"revision {since.report.revision} received {self._story.local(since.at)} after a report was sent"
                )
                self._owe_follow_up(f"{told}; {signed}", since.at, deed.signed_at)
        elif is_owed:
            self._to_other(deed, now, since.at, signed)
        else:
            self._questions = ()
        if was_more and self._owed.is_reported and not is_owed and not self._was_followed_up(since.at):
            # What was news went with the report, before it was signed what it comes to.
            self._owe_follow_up(f"signed after the report was sent; {signed}", deed.signed_at, deed.signed_at)

    def _was_followed_up(self, since: datetime) -> bool:
        """Whether what was told from then on has, or had, a follow-up of its own."""
        return any(run.rule.trigger in _LATER and run.known_at >= since for run in self._owed.runs)

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
        old = [run for run in self._owed.runs if run.is_open]
        reasons = (*self._start.reasons, signed)
        start = replace(self._start, trigger=now, reasons=reasons)
        self._set_class(now, start, self._known_at, self._revision)
        worse = [run for run in old if run.rule.trigger is not now]
        owed = {run.rule.duty for run in worse} - {run.rule.duty for run in old if run.rule.trigger is now}
        self._begin(start, self._known_at, instead_of=worse, duties=owed)
        new = [run for run in self._owed.runs if run.is_open and run.rule.trigger is now]
        for run in new:
            self._owed.as_before(run, old)
        for run in old:
            if run in new or run.rule.trigger in (*_LATER, Trigger.ANY_SUSAR) or self._owed.is_owed_in_full(run):
                continue
            if run.rule.duty is not Duty.FOLLOW_UP and news_at > run.clock.due_at:
                run.episode = self._episode  # owed for what it is now, with its own date
                self._say(
                    deed, f"{run.rule.id} had run out on {run.clock.due_on}, before the news came: its lateness stays"
                )
            elif new:
                supersede(run, signed, among=new)
                self._say(deed, f"{run.rule.id} gives way to {run.successor.rule.id}" if run.successor else signed)

    def _take_back(self, deed: Signed) -> None:
        if deed.deed is Deed.NULLIFICATION and not self._heard[-1].is_taken_back:
            self._say(deed, "the site has not taken this event back: it does so by a follow-up, and nobody for it",
                      is_refused=True)  # fmt: skip
            return
        because = "duplicate of " + deed.other_case if deed.other_case else "nullified"
        signed = f"{because}: signed by {people(deed)} {self._story.local(deed.signed_at)}: {deed.reason}"
        self._cancel(deed, signed)
        if not self._owed.is_reported:
            return
        self._owed.is_taken_back = True
        if any(sent.kind is SubmissionKind.NULLIFICATION for sent in self._owed.sent):
            self._say(deed, "it was reported, and a nullification report was sent")
            return
        self._say(deed, "it was reported already: a nullification report is owed as a follow-up")
        self._owe_follow_up(f"{signed}; a nullification report is owed", deed.signed_at, deed.signed_at)

    def _owe_follow_up(self, why: str, since: datetime, known_at: datetime) -> None:
        if not any(run.is_open and run.rule.trigger in _LATER for run in self._owed.runs):
            self._begin(Start(Trigger.SIGNIFICANT_FOLLOW_UP, self._story.event_id, since, (why,)), known_at)

    def _cancel(self, deed: Signed, signed: str) -> None:
        """Close what is not sent. What completes or follows a report that was sent is still owed."""
        is_reported = self._owed.is_reported
        for run in self._owed.runs:
            is_begun = bool(run.sent) or run.rule.trigger in _LATER or self._owed.is_owed_in_full(run)
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
        self._owed.is_taken_back = False
        self._episode += 1

    def _note(self, note: str) -> Start:
        """A further reason that stays when the others are told anew."""
        assert self._start is not None
        self._notes = (*self._notes, note)
        self._start = replace(self._start, reasons=(*self._start.reasons, note))
        return self._start

    def _upgrade(self, now: Trigger, start: Start, known_at: datetime, revision: int) -> None:
        """Not reported yet: one combined report, due by the earlier of both dates. Reported: a clock of its own."""
        is_reported = self._owed.is_reported and not self._owed.has_open(Duty.REPORT)
        self._set_class(now, start, known_at, revision)
        self._combine(start, known_at, after_report=is_reported)

    def _combine(self, start: Start, known_at: datetime, *, after_report: bool = False) -> None:
        """Start what this sets going; what is owed for less than it gives way, and none is due later for that."""
        old = [run for run in self._owed.runs if run.is_open and run.rule.trigger in (*SUSAR, Trigger.ANY_SUSAR)]
        is_worse = start.trigger is Trigger.FATAL_LT_SUSAR
        others = [run for run in old if is_worse and run.rule.trigger is Trigger.OTHER_SUSAR]
        new = self._begin(start, known_at, after_report=after_report, instead_of=others)
        for run in new:
            if run.rule.follows is None:
                no_later(run, [o for o in old if o.rule.duty is run.rule.duty])
        for run in others:
            # What had run out stays: the lateness is not undone by a worse outcome.
            if run.clock.due_at >= start.aware_at:
                supersede(run, f"upgraded: {start.reasons[0]}", among=new)

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
        """Start what this sets going, and remember for what."""
        begun = self._owed.begin(
            start,
            known_at,
            self._episode,
            after_report=after_report,
            again=again,
            instead_of=instead_of,
            duties=duties,
        )
        if any(run.rule.duty is Duty.REPORT for run in begun):
            self._episodes[self._episode] = _Episode(self._class, self._start, self._known_at, self._revision)
        return begun

    def _reopen(self) -> None:
        """A report that is owed again is owed for what it was started for, until a person signs it down."""
        owed = [self._episodes[run.episode] for run in self._owed.runs if run.is_open and run.rule.duty is Duty.REPORT]
        worst = max(owed, key=lambda episode: self._rank(episode.of_class), default=None)
        if worst is not None and self._rank(worst.of_class) > self._rank(self._class):
            self._class = self._highest = worst.of_class
            self._start, self._known_at, self._revision = worst.start, worst.known_at, worst.revision
            last = self._heard[-1]
            is_lower = self._rank(self._heard_class(last)) < self._rank(self._class)
            self._questions = self._why_not(self._judge(last), last) if is_lower else ()

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
        reasons.append(f"revision {heard.report.revision} received {self._story.local(heard.at)}")
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
        known = f"the sponsor knew {self._story.local(override.aware_at)} already"
        return override.aware_at, (f"{known}: signed by {people(override)}: {override.reason}",)


_LATER = (Trigger.SIGNIFICANT_FOLLOW_UP,)
_IN_FULL = (Trigger.OTHER_SUSAR, Trigger.ANY_SUSAR)
"""What is told by the 15th day tells everything: nothing of the same moment needs a follow-up beside it."""


def _words(found: Trigger | None) -> str:
    return "no SUSAR" if found is None else found.value.replace("_", " ").replace("susar", "SUSAR")


def _grounds(judged: EventAssessment) -> list[str]:
    """What it fails by, else all it rests on."""
    failing = [f for f in (judged.serious, judged.suspected, judged.unexpected) if not f]
    return [reason for finding in failing or judged.grounds for reason in finding.reasons]
