"""What the clocks of one event must be, worked out a second time, day by day, to compare the rules of the house with.

Written from the text alone (rules.md 1.2 to 1.4; readings.md clocks 1, 4, 5, 6) before the rules were read, and it
shares no code with them. It knows much less: whole days in one zone, one event, one recipient at a time, and events
that are already judged. A `Ledger` is what one authority is owed, with the copies beside it. At most one fact a day.

Where the text leaves a cell open, the reading stands in a comment that begins with "Read as".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum


class Kind(IntEnum):
    """What an event is on a day, worse is more."""

    NONE = 0
    OTHER = 1
    FATAL = 2


@dataclass(frozen=True)
class Told:
    """A revision of the report. Another `detail` is new information that is significant (rules.md 1.4)."""

    on: int
    kind: Kind
    detail: str = ""


@dataclass(frozen=True)
class Sent:
    """A report to the authority, or with `is_copy` the copies to all who get one."""

    on: int
    is_follow_up: bool = False
    rejected_on: int | None = None
    is_copy: bool = False


@dataclass(frozen=True)
class Downgrade:
    """The sponsor signs that it is what was told last, and no more than that."""

    on: int


@dataclass(frozen=True)
class TakenBack:
    """The sponsor signs that it is told twice (a duplicate)."""

    on: int


Fact = Told | Sent | Downgrade | TakenBack


@dataclass(frozen=True)
class Rules:
    """What one authority is owed, and beside it those who get copies; None where it asks for no such thing."""

    fifteen: str
    seven: str
    upgrade: str
    eight: str
    follow_up: str | None = None
    is_strict: bool = False
    copy_fifteen: str | None = None
    copy_seven: str | None = None


CN = Rules(
    "CN_SUSAR_15D", "CN_SUSAR_7D", "CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D", "CN_FU_15D",
    copy_fifteen="CN_GCP48_COPY_15D", copy_seven="CN_GCP48_COPY_7D",
)  # fmt: skip
EU = Rules("EU_ART42_2B_15D", "EU_ART42_2A_7D", "EU_ART42_2C_UPGRADE_7D", "EU_ANNEXIII_7D_PLUS_8D", "EU_FU_15D")
UK = Rules("UK_15D", "UK_7D_BEGINNING_DAY_AFTER", "UK_7D_BEGINNING_DAY_AFTER", "UK_FU_8D", "UK_FU_15D", is_strict=True)


REPORT, COPY, FOLLOW_UP = "report", "copy", "follow-up"


@dataclass
class Row:
    """One clock. `after` is the first report that a completed one follows, `origin` the day 15 days count from."""

    rule: str
    zero: int
    due: int
    kind: Kind
    duty: str
    origin: int
    after: Row | None = None
    sent: Sent | None = None
    was_late: bool = False
    closed: str | None = None
    successor: Row | None = None

    @property
    def is_open(self) -> bool:
        return self.closed is None and self.sent is None

    @property
    def status(self) -> str:
        if self.was_late:
            return "LATE"
        return self.closed or ("RUNNING" if self.sent is None else "MET")

    def close(self, status: str, successor: Row | None = None) -> None:
        self.closed, self.successor = status, successor


@dataclass
class Ledger:
    rules: Rules
    rows: list[Row] = field(default_factory=list)
    now: Kind = Kind.NONE
    said: tuple[Kind, str] | None = None
    below_since: dict[Kind, int] = field(default_factory=dict)
    is_nullified: bool = False

    def enter(self, fact: Fact, on: int) -> None:
        match fact:
            case Told():
                self._told(fact)
            case Downgrade():
                self._downgraded(fact)
            case TakenBack():
                self._taken_back(fact)
            case Sent() if on == fact.on:
                self._sent(fact)
            case Sent():
                self._rejected(fact)

    def open(self, duty: str) -> list[Row]:
        return [row for row in self.rows if row.duty == duty and row.is_open]

    @property
    def is_reported(self) -> bool:
        return any(row.duty == REPORT and row.sent for row in self.rows)

    def _told(self, fact: Told) -> None:
        is_news = self.said not in (None, (fact.kind, fact.detail))
        for kind in Kind:
            if fact.kind < kind:
                self.below_since.setdefault(kind, fact.on)
            else:
                self.below_since.pop(kind, None)
        running = [row.kind for row in self.open(REPORT)]
        # Not reported: an unsigned improvement changes nothing. Reported: it is what was told of it last.
        before = max([*running, *([] if running and not self.is_reported else [self.now])])
        was_reported, was_open = self.is_reported, bool(running)
        if fact.kind > before:
            # Read as: the row of what became worse says all that is owed for it, no follow-up beside it.
            self._start(fact.on, fact.kind)
        elif is_news and was_reported and not was_open:
            self._follow_up(fact.on)
        self.now, self.said = fact.kind, (fact.kind, fact.detail)

    def _start(self, on: int, kind: Kind) -> None:
        rules, self.is_nullified = self.rules, False
        # Read as: what had run out stays open for itself, and the new clock has its seven days.
        combined = [row for row in self.open(REPORT) if row.kind < kind and row.due >= on]
        is_upgrade = self.now is Kind.OTHER and self.is_reported and not self.open(REPORT)
        if kind is Kind.OTHER:
            self._add(rules.fifteen, on, on + 15, kind, REPORT)
            if not any(row.due >= on for row in self.open(COPY)):
                self._add(rules.copy_fifteen, on, on + 15, kind, COPY)
            return
        copies = [row for row in self.open(COPY) if row.kind < kind and row.due >= on]
        seven = self._add(rules.upgrade if is_upgrade else rules.seven, on, on + 7, kind, REPORT, among=combined)
        self._add(rules.eight, on, on + 15, kind, FOLLOW_UP, after=seven)
        if not any(row.kind is kind and row.due >= on for row in self.open(COPY)):
            self._add(rules.copy_seven, on, on + 7, kind, COPY, among=copies)

    def _add(
        self, rule: str | None, on: int, due: int, kind: Kind, duty: str, *, among: Sequence[Row] = (),
        after: Row | None = None,
    ) -> Row | None:  # fmt: skip
        if rule is None:
            return None
        due, origin = min([due, *(row.due for row in among)]), min([on, *(row.origin for row in among)])
        made = Row(rule, on, due, kind, duty, origin, after)
        for row in among:
            row.close("SUPERSEDED", made)
        self.rows.append(made)
        return made

    def _follow_up(self, on: int) -> None:
        """15 days, or merged into the follow-up that is pending. The completed report stands beside it."""
        if not any(row.after is None for row in self.open(FOLLOW_UP)):
            self._add(self.rules.follow_up, on, on + 15, self.now, FOLLOW_UP)

    def _sent(self, fact: Sent) -> None:
        if fact.is_copy:
            met = self.open(COPY)
        else:
            met = self.open(REPORT) if not fact.is_follow_up or self.is_reported else []
            # Read as: what was reported and is taken back is nullified, and a follow-up is no nullification.
            if fact.is_follow_up and not self.is_nullified:
                met += [r for r in self.open(FOLLOW_UP) if r.after is None or r.after.sent]
        for row in met:
            row.sent, row.was_late = fact, row.was_late or fact.on > row.due
            for follower in self.rows:
                if follower.after is row and self.rules.is_strict:
                    follower.due = min(follower.due, fact.on + 8)

    def _rejected(self, fact: Sent) -> None:
        for row in self.rows:
            if row.sent == fact:
                row.sent = None
                if row.duty == REPORT and self.said:
                    self.now = self.said[0]
                for follower in self.rows:
                    if follower.after is row and follower.is_open:
                        follower.due = follower.zero + 15

    def _downgraded(self, fact: Downgrade) -> None:
        told = self.said[0] if self.said else Kind.NONE
        pending = [row for row in self.open(REPORT) if row.kind > told]
        copies = [row for row in self.open(COPY) if row.kind > told]
        if told is Kind.NONE:
            self._cancel(pending, copies)
            if pending and self.is_reported:
                self._follow_up(self.below_since[Kind.OTHER])
        for row in [*pending, *copies] if pending and told is Kind.OTHER else ():
            rule = self.rules.fifteen if row.duty == REPORT else self.rules.copy_fifteen
            made = next((r for r in self.open(row.duty) if r.kind is Kind.OTHER), None)
            made = made or self._add(rule, row.origin, row.origin + 15, Kind.OTHER, row.duty)
            followers = [r for r in self.open(FOLLOW_UP) if r.after is row]
            if self.below_since[Kind.FATAL] <= row.due:
                row.close("SUPERSEDED", made)
            else:
                row.kind = Kind.OTHER  # its lateness stays
            for follower in followers:
                follower.close("SUPERSEDED", made)

    def _taken_back(self, fact: TakenBack) -> None:
        was_reported = self.is_reported
        self._cancel(self.open(REPORT), self.open(COPY))
        if was_reported:
            # Read as: the further eight days hold no news back, a nullification least of all.
            self._follow_up(fact.on)
        self.now, self.is_nullified = Kind.NONE, was_reported

    def _cancel(self, reports: list[Row], copies: list[Row]) -> None:
        for row in [*reports, *copies]:
            row.close("CANCELLED")
        for row in self.open(FOLLOW_UP):
            if row.after in reports or (not self.is_reported and reports):
                row.close("CANCELLED")


def clocks_of(history: Sequence[Fact], rules: Rules) -> list[Row]:
    """Every clock that one authority's rules give for the history, as it stands when all of it has happened."""
    ledger = Ledger(rules)
    days = [(fact.on, fact) for fact in history]
    days += [(f.rejected_on, f) for f in history if isinstance(f, Sent) and f.rejected_on is not None]
    for on, fact in sorted(days, key=lambda entry: entry[0]):
        ledger.enter(fact, on)
    return ledger.rows
