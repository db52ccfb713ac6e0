"""What happened to one event, in the order in which it happened: told, coded, signed, sent, rejected.

A coding stands directly behind the revision whose words it codes, whenever it was made: the report's own words are
judged first, so a clock that they start is seen to start although the coder was quicker. Words that come again are
judged as they were coded by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TypeAlias

from tocsin.domain.case import Case, Coded, Event, Report
from tocsin.domain.clock_life import Effect, Past
from tocsin.domain.judged import EventAssessment
from tocsin.domain.judging import judge
from tocsin.domain.protocol import Protocol
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.submissions import Submission
from tocsin.domain.words import Party

_EITHER = frozenset(Party)
_NEVER = datetime.combine(date.max, datetime.min.time(), UTC)


@dataclass(frozen=True, slots=True)
class Heard:
    """A revision as far as it tells of the event: first by its words (`is_coding` False), then as they are coded."""

    event: Event
    report: Report
    coded: Coded | None
    is_coding: bool
    lacking: tuple[str, ...]

    @property
    def at(self) -> datetime:
        return self.report.received_at

    @property
    def is_taken_back(self) -> bool:
        return self.event.is_nullified


@dataclass(frozen=True, slots=True)
class Rejection:
    """The other side refused what was sent."""

    submission: Submission


Moment: TypeAlias = Heard | Signed | Submission | Rejection


@dataclass(slots=True)
class Story:
    """One event of a case with all its moments, and its judgements so far (each is made once)."""

    event_id: str
    protocol: Protocol
    moments: tuple[Moment, ...]
    overrides: tuple[Signed, ...]
    reviews: tuple[Signed, ...]
    as_told: Mapping[tuple[int, int], EventAssessment] = field(default_factory=dict)
    _judged: dict[tuple[int, str, bool, int, frozenset[Party]], EventAssessment] = field(default_factory=dict)

    def judge(self, heard: Heard, reviews: tuple[Signed, ...], by: frozenset[Party]) -> EventAssessment:
        """The event as heard, with what the sponsor has signed of it until then."""
        told = (id(heard.event), id(heard.report))
        if told in self.as_told and not reviews and heard.coded is None and by == _EITHER:
            return self.as_told[told]  # Judged a moment ago, with its DLT besides, of which no clock asks.
        key = (heard.report.revision, heard.report.received_at.isoformat(), heard.is_coding, len(reviews), by)
        if key not in self._judged:
            self._judged[key] = judge(heard.event, heard.report, heard.coded, self.protocol, reviews=reviews, by=by)
        return self._judged[key]

    def local(self, at: datetime) -> str:
        """An instant as the receiver's people write it."""
        return f"{at.astimezone(self.protocol.receiver_zone):%Y-%m-%d %H:%M %Z}"

    def override_of(self, report: Report) -> Signed | None:
        """The newest signed word on when the sponsor knew what this revision tells, of those that are borne out.

        One that is later than the receipt has no effect, and takes none from an earlier one.
        """
        about = [o for o in self.overrides if self._names(o) == report.revision and _is_earlier(o, report)]
        return about[-1] if about else None

    def effects_of_overrides(self) -> dict[str, Effect]:
        """What each signed word on awareness did; those on a revision that does not tell of this event are left out."""
        found = {}
        told = {m.report.revision: m.report for m in self.moments if isinstance(m, Heard)}
        for override in self.overrides:
            report = told.get(self._names(override) or 0)
            if report is None or override.aware_at is None:
                continue
            if not _is_earlier(override, report):
                text = f"it names a time after revision {report.revision} was received: the receipt counts"
                found[override.id] = Effect(text, is_refused=True)
            elif self.override_of(report) is override:
                found[override.id] = Effect(f"what revision {report.revision} tells counts from {override.aware_at}")
            else:
                found[override.id] = Effect("a later signature says when the sponsor knew")
        return found

    def _names(self, override: Signed) -> int | None:
        """The revision it is about: the first that tells of the event where it names none."""
        first = min((m.report.revision for m in self.moments if isinstance(m, Heard)), default=None)
        return first if override.revision is None else override.revision


def _is_earlier(override: Signed, report: Report) -> bool:
    return override.aware_at is not None and override.aware_at <= report.received_at


def story_of(
    event_id: str, case: Case, past: Past, protocol: Protocol, lacking: dict[int, tuple[str, ...]],
    as_told: Mapping[tuple[int, int], EventAssessment],
) -> Story:  # fmt: skip
    """Everything that happened to one event. `lacking`: the minimum elements still missing at each revision.

    `as_told`: judgements that need not be made again, as `lives.live` has them.
    """
    about = sorted({d for d in past.signed if d.is_about(event_id)}, key=lambda d: (d.signed_at, d.id))
    sent = sorted({s for s in past.submissions if event_id in s.event_ids}, key=lambda s: (s.sent_at, s.id))
    moments: list[tuple[tuple[datetime, int, int, int, str], Moment]] = [
        ((heard.at, 0, heard.report.revision, int(heard.is_coding), ""), heard)
        for heard in _heard(event_id, case, lacking)
    ]
    moments += [((d.signed_at, 1, 0, 0, d.id), d) for d in about if d.deed is not Deed.AWARENESS_OVERRIDE]
    moments += [((s.sent_at, 2, 0, 0, s.id), s) for s in sent]
    moments += [((s.rejected_at or _NEVER, 3, 0, 0, s.id), Rejection(s)) for s in sent if s.rejected_at is not None]
    return Story(
        event_id=event_id,
        protocol=protocol,
        moments=tuple(moment for _, moment in sorted(moments, key=lambda found: found[0])),
        overrides=tuple(d for d in about if d.deed is Deed.AWARENESS_OVERRIDE),
        reviews=tuple(d for d in about if d.deed in (Deed.MEDICAL_REVIEW, Deed.DOWNGRADE)),
        as_told=as_told,
    )


def _heard(event_id: str, case: Case, lacking: dict[int, tuple[str, ...]]) -> Iterable[Heard]:
    last: Heard | None = None
    told: Event | None = None
    worded: set[str] = set()
    for report in case.revisions:
        missing = lacking.get(report.revision, ())
        found = next((e for e in report.events if e.event_id == event_id), None)
        if report.is_nullified:
            if last is None:
                continue
            found = replace(last.event, is_nullified=True)
        else:
            told = found or told
        if found is None:
            # It leaves the event out, which stands as it was: heard where the case comes back from a nullification,
            # and where it brings the last of the minimum elements.
            if last is None or told is None:
                continue
            if last.report.is_nullified or (last.lacking and not missing):
                last = Heard(told, report, case.coding_of(told), False, missing)
                yield last
            continue
        # A coding is of words: the newest counts wherever the event has them, once they were heard as they were
        # known when they came. So a clock that ran until the coder answered is seen to have run.
        then = None if found.verbatim not in worded else case.coding_of(found, by=report.received_at)
        worded.add(found.verbatim)
        last = Heard(found, report, then, False, missing)
        yield last
        coded = case.coding_of(found)
        if coded != then:
            last = Heard(found, report, coded, True, missing)
            yield last
