"""What the clocks of one event must be, worked out a second time, day by day, to compare the rules of the house with.

Written from the text alone (rules.md 1.2 to 1.4; readings.md clocks 1, 4, 5, 6) before the rules were read, and it
shares no code with them. It knows much less: whole days in one zone, one event, one recipient at a time, and events
that are already judged. Each `Ledger` is what one recipient is owed; facts are entered one a day, in their order.
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
    """A revision of the report. Another `term` is new information that is significant (rules.md 1.4)."""

    on: int
    kind: Kind
    term: str = "myocarditis"


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
class Nullification:
    """The sponsor signs that it never happened, or is told twice."""

    on: int
    is_duplicate: bool = False


Fact = Told | Sent | Downgrade | Nullification


@dataclass(frozen=True)
class Rules:
    """What one recipient is owed; None where it asks for no such thing."""

    fifteen: str
    seven: str
    upgrade: str
    eight: str | None = None
    follow_up: str | None = None
    is_strict: bool = False
    for_copies: bool = False


CN = Rules("CN_SUSAR_15D", "CN_SUSAR_7D", "CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D", "CN_FU_15D")
CN_COPIES = Rules("CN_GCP48_COPY_15D", "CN_GCP48_COPY_7D", "CN_GCP48_COPY_7D", for_copies=True)
EU = Rules("EU_ART42_2B_15D", "EU_ART42_2A_7D", "EU_ART42_2C_UPGRADE_7D", "EU_ANNEXIII_7D_PLUS_8D", "EU_FU_15D")
UK = Rules("UK_15D", "UK_7D_BEGINNING_DAY_AFTER", "UK_7D_BEGINNING_DAY_AFTER", "UK_FU_8D", is_strict=True)


@dataclass
class Row:
    """One clock. `after` is the first report that a completed one follows."""

    rule: str
    zero: int
    due: int
    kind: Kind
    is_report: bool = True
    after: Row | None = None
    origin: int = 0
    sent: Sent | None = None
    was_late: bool = False
    closed: str | None = None
    successor: Row | None = None

    @property
    def is_open(self) -> bool:
        return self.closed is None and self.sent is None

    @property
    def status(self) -> str:
        if self.closed:
            return self.closed
        return "LATE" if self.was_late else "RUNNING" if self.sent is None else "MET"

    def shown(self) -> tuple[str, int, int, str, bool, str | None]:
        by = None if self.successor is None else self.successor.rule
        return self.rule, self.zero, self.due, self.status, self.is_open, by


@dataclass
class Ledger:
    rules: Rules
    rows: list[Row] = field(default_factory=list)
    now: Kind = Kind.NONE
    term: str | None = None
    below_fatal_since: int = 0

    def enter(self, fact: Fact, on: int) -> None:
        if isinstance(fact, Told):
            self._told(fact)
        elif isinstance(fact, Downgrade):
            self._downgraded(fact)
        elif isinstance(fact, Nullification):
            self._nullified(fact)
        elif fact.is_copy == self.rules.for_copies:
            self._sent(fact) if on == fact.on else self._rejected(fact)

    @property
    def pending(self) -> list[Row]:
        return [row for row in self.rows if row.is_report and row.is_open]

    @property
    def was_reported(self) -> bool:
        return any(row.is_report and row.sent for row in self.rows)

    def _told(self, fact: Told) -> None:
        is_news = self.term is not None and (fact.kind, fact.term) != (self.now, self.term)
        before = max((row.kind for row in self.pending), default=self.now)
        if fact.kind > before:
            self._start(fact.on, fact.kind, is_upgrade=before is Kind.OTHER)
        elif is_news and self.was_reported and not self.pending:
            self._follow_up(fact.on)
        if fact.kind < Kind.FATAL <= self.now:
            self.below_fatal_since = fact.on
        self.now, self.term = fact.kind, fact.term

    def _start(self, on: int, kind: Kind, *, is_upgrade: bool) -> Row:
        if kind is Kind.OTHER:
            return self._add(Row(self.rules.fifteen, on, on + 15, kind, origin=on))
        combined = [row for row in self.pending if row.kind is Kind.OTHER]
        rule = self.rules.upgrade if is_upgrade and not combined else self.rules.seven
        due = min([on + 7, *(row.due for row in combined)])
        seven = self._add(Row(rule, on, due, kind, origin=min([on, *(row.origin for row in combined)])))
        if self.rules.eight:
            self._add(Row(self.rules.eight, on, on + 15, kind, is_report=False, after=seven))
        for row in combined:
            row.closed, row.successor = "SUPERSEDED", seven
        return seven

    def _add(self, row: Row) -> Row:
        self.rows.append(row)
        return row

    def _follow_up(self, on: int) -> None:
        """Merged into what is pending, or 15 days."""
        if self.rules.follow_up and not any(row.is_open for row in self.rows):
            self._add(Row(self.rules.follow_up, on, on + 15, self.now, is_report=False))

    def _sent(self, fact: Sent) -> None:
        met = self.pending if not fact.is_follow_up or self.was_reported else []
        if fact.is_follow_up:
            met += [r for r in self.rows if not r.is_report and r.is_open and (r.after is None or not r.after.is_open)]
        for row in met:
            row.sent, row.was_late = fact, row.was_late or fact.on > row.due
            for follower in self.rows:
                if follower.after is row and self.rules.is_strict:
                    follower.due = min(follower.due, fact.on + 8)

    def _rejected(self, fact: Sent) -> None:
        for row in self.rows:
            if row.sent == fact:
                row.sent = None

    def _downgraded(self, fact: Downgrade) -> None:
        for row in self.pending:
            if row.kind <= self.now:
                continue  # the investigator does not agree: no effect
            if self.now is Kind.NONE:
                self._close(row, "CANCELLED", None)
            elif self.below_fatal_since <= row.due:
                self._close(row, "SUPERSEDED", self._add(
                    Row(self.rules.fifteen, row.origin, row.origin + 15, Kind.OTHER, origin=row.origin)
                ))  # fmt: skip

    def _nullified(self, fact: Nullification) -> None:
        was_reported = self.was_reported
        for row in self.pending:
            self._close(row, "CANCELLED", None)
        if was_reported:
            self._follow_up(fact.on)
        self.now = Kind.NONE

    def _close(self, row: Row, status: str, successor: Row | None) -> None:
        for one in self.rows:
            if one is row or (one.after is row and one.is_open):
                one.closed, one.successor = status, successor


def clocks_of(history: Sequence[Fact], rules: Rules) -> list[Row]:
    """Every clock that one recipient's rules give for the history, as it stands when all of it has happened."""
    ledger = Ledger(rules)
    days = [(fact.on, fact) for fact in history]
    days += [(f.rejected_on, f) for f in history if isinstance(f, Sent) and f.rejected_on is not None]
    for on, fact in sorted(days, key=lambda entry: entry[0]):
        ledger.enter(fact, on)
    return ledger.rows
