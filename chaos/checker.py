"""Holds what a house holds against what those outside of it know. Pure: two values in, what is wrong out.

Each `Fault` names the promise that is broken, what it is about, and how. No fault is forgiven.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from chaos.expected import Clock, expected_clocks, histories, kind_of, states_of
from chaos.observed import Observed
from chaos.record import Record
from tests.domain.oracle import Kind

LOST, DOUBLED, WRONG = "lost", "doubled", "wrong"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One broken promise. `how`: lost, doubled or wrong."""

    promise: str
    how: str
    about: str
    said: str = ""

    def __str__(self) -> str:
        return f"{self.promise}: {self.about} {self.how}{': ' + self.said if self.said else ''}"


def check(record: Record, observed: Observed) -> list[Fault]:
    """Everything that is wrong, sorted; empty when every promise was kept."""
    looks = (
        _receipts, _revisions, _records, _codings, _assessments, _clocks, _rung, _deliveries, _notice_ids, _deeds,
        _log, _audit, _replay,
    )  # fmt: skip
    return sorted(fault for look in looks for fault in look(record, observed))


def _receipts(record: Record, observed: Observed) -> Iterator[Fault]:
    """A receipt says the same whenever it is asked for, and no request gets an answer of a fault."""
    for one in record.sent:
        if not one.alike:
            yield Fault("one receipt", WRONG, one.key, "the same request got another receipt")
        kept = observed.receipts.get(one.key)
        if kept is None:
            yield Fault("one receipt", LOST, one.key)
        elif kept != one.receipt:
            yield Fault("one receipt", WRONG, one.key, "what is kept is not what was answered")
    for said in record.faults:
        yield Fault("no fault of ours", WRONG, "an answer", said)


def _revisions(record: Record, observed: Observed) -> Iterator[Fault]:
    """Every accepted report is exactly one revision of one case, as it was sent."""
    named: Counter[tuple[str, int]] = Counter()
    for one in record.sent:
        if one.what not in ("report", "follow_up"):
            continue
        place = (one.case_id, one.revision)
        named[place] += 1
        if place not in observed.revisions:
            yield Fault("one revision", LOST, f"{one.case_id} revision {one.revision}", f"acknowledged under {one.key}")
        elif observed.revisions[place] != one.body:
            yield Fault("one revision", WRONG, f"{one.case_id} revision {one.revision}", "it is not what was sent")
    for case_id, revision in sorted(observed.revisions.keys() - named.keys()):
        yield Fault("one revision", DOUBLED, f"{case_id} revision {revision}", "no receipt names it")
    for (case_id, revision), number in named.items():
        if number > 1:
            yield Fault("one revision", DOUBLED, f"{case_id} revision {revision}", f"{number} receipts name it")


def _records(record: Record, observed: Observed) -> Iterator[Fault]:
    """Doses and observations are kept once, by intake and by whoever judges."""
    for what, kept, told in (
        ("dose", observed.doses, observed.doses_in_alerting),
        ("observations", observed.observations, observed.observations_in_alerting),
    ):
        answered = Counter(record_id for one in record.sent if one.what == what for record_id in one.record_ids)
        yield from _once(f"one {what} record", answered, kept)
        yield from _once(f"every {what} record judged", answered, told)


def _codings(record: Record, observed: Observed) -> Iterator[Fault]:
    """Every revision is coded once, each of its events once."""
    every = {(one.case_id, one.revision): 1 for one in record.sent if one.what in ("report", "follow_up")}
    yield from _once("every revision coded", Counter(every), observed.seen_by_coder)
    for (case_id, revision, event_id), number in observed.codings.items():
        if number > 1:
            yield Fault(
                "every event coded once", DOUBLED, f"{event_id} of {case_id} revision {revision}", f"x {number}"
            )
    for case_id, revisions in histories(record.sent).items():
        standing = _standing(case_id, revisions)
        for one in revisions:
            coded = observed.judged_codings.get((case_id, one.revision))
            if coded is None:
                continue  # told by `_assessments`
            for event_id in standing[one.revision] - set(coded):
                yield Fault("every event coded once", LOST, f"{event_id} of {case_id} revision {one.revision}")


def _standing(case_id: str, revisions: list) -> dict[int, set[str]]:  # type: ignore[type-arg]
    """By revision: its events that are not taken back."""
    found: dict[int, set[str]] = {one.revision: set() for one in revisions}
    for event_id, states in states_of(case_id, revisions).items():
        since = revisions[len(revisions) - len(states) :]
        for one, (_, event) in zip(since, states, strict=True):
            if not event.get("nullified"):
                found[one.revision].add(event_id)
    return found


def _assessments(record: Record, observed: Observed) -> Iterator[Fault]:
    """Every revision is judged, as it was reported and again when it is coded."""
    every = Counter({(one.case_id, one.revision): 1 for one in record.sent if one.what in ("report", "follow_up")})
    yield from _once("every revision judged", every, observed.judged)
    yield from _once("every coding judged", every, Counter(dict.fromkeys(observed.judged_codings, 1)))


def _clocks(record: Record, observed: Observed) -> Iterator[Fault]:
    """Every clock is there, right by the oracle, and never two for one thing."""
    expected, found = Counter(expected_clocks(record.sent, record.did)), Counter(observed.clocks)
    out_of_order = _out_of_order(record, observed)
    for clock, number in (expected - found).items():
        near = [one for one in found - expected if (one.event_id, one.rule) == (clock.event_id, clock.rule)]
        how, said = (WRONG, f"is {_shown(near[0])}") if near else (LOST, "")
        yield Fault("every clock right", how, f"{_shown(clock)} x {number}", said)
    for clock, number in (found - expected).items():
        if clock.case_id in out_of_order and _is_of_another_first(clock, expected):
            continue
        if any((one.event_id, one.rule) == (clock.event_id, clock.rule) for one in expected - found):
            continue  # told above, as the wrong one
        how = DOUBLED if clock in expected else WRONG
        yield Fault("every clock right", how, f"{_shown(clock)} x {number}", "the oracle knows none")


def _out_of_order(record: Record, observed: Observed) -> set[str]:
    """The cases of which a revision was aside while a later one was judged, or whose later one bears the earlier time.

    The second happens where the time of the house was put back in between.
    """
    told = {case: [one.received_at for one in revisions] for case, revisions in histories(record.sent).items()}
    aside = {one.key for one in observed.dead_letters if one.is_too_new}
    return aside | {case for case, times in told.items() if times != sorted(times)}


def _is_of_another_first(clock: Clock, expected: Counter[Clock]) -> bool:
    """Whether another revision of its case was taken for the first one when it began, and it stays as what it was.

    It gave way to the right one of the same rule; or it was met by a submission that meets the right one as well. No
    other clock is excused, and the right one is asked for as ever.
    """
    if clock.status == "MET":
        return any((one.event_id, one.rule, one.status) == (clock.event_id, clock.rule, "MET") for one in expected)
    return clock.status == "SUPERSEDED" and clock.superseded_by == clock.rule


def _shown(clock: object) -> str:
    return " ".join(str(part) for part in (getattr(clock, name) for name in clock.__slots__) if part)  # type: ignore[attr-defined]


def _rung(record: Record, observed: Observed) -> Iterator[Fault]:
    """What is serious rang, and a threat to life rang as a page."""
    rung = defaultdict(set)
    for alert in observed.alerts:
        if alert.case_id is not None:
            rung[alert.case_id].add(alert.level)
    for case_id, revisions in histories(record.sent).items():
        worst = max(
            (kind_of(event) for states in states_of(case_id, revisions).values() for _, event in states),
            default=Kind.NONE,
        )
        if worst is Kind.FATAL and "page" not in rung[case_id]:
            yield Fault("every alarm rings", LOST, case_id, "a threat to life, and nobody was paged")
        elif worst is Kind.OTHER and not rung[case_id]:
            yield Fault("every alarm rings", LOST, case_id, "serious, and nothing rang")


def _deliveries(record: Record, observed: Observed) -> Iterator[Fault]:
    """Every alarm reached somebody; what could not be delivered is dead, and that rang."""
    copies = Counter((one.channel, one.notice_id, one.address) for one in record.arrived)
    reached = {one.alert_id for one in record.arrived}
    failed = {alert.group_key for alert in observed.alerts if alert.kind == "delivery_failed"}
    for alert in observed.alerts:
        if alert.id not in reached:
            yield Fault("every alarm reaches somebody", LOST, f"alert {alert.id} ({alert.kind})")
    for one in observed.deliveries:
        about = f"{one.channel} of {one.notice_id} to {one.address}"
        got = copies[one.channel, one.notice_id, one.address]
        if one.state == "delivered" and not got:
            yield Fault("delivered means arrived", LOST, about)
        elif one.state == "dead" and f"delivery_failed|{one.channel}|{one.address}" not in failed:
            yield Fault("what is given up rings", LOST, about)
        elif one.state not in ("delivered", "dead"):
            yield Fault("every delivery comes to its end", LOST, about, f"it is still {one.state}")
        if got > one.attempts:
            yield Fault("no copy without a try", DOUBLED, about, f"{got} copies of {one.attempts} tries")


def _notice_ids(record: Record, observed: Observed) -> Iterator[Fault]:
    """One id at every try of a notice, and no id for two of them; each copy is signed and says the same."""
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in record.arrived:
        if one.notice_id not in observed.notices:
            yield Fault("one id a notice", WRONG, f"{one.channel} {one.notice_id}", "no notice has this id")
        elif observed.notices[one.notice_id] not in (None, one.alert_id):
            yield Fault("one id a notice", WRONG, f"{one.channel} {one.notice_id}", f"it tells of {one.alert_id}")
        if not one.is_signed:
            yield Fault("every webhook is signed", WRONG, f"{one.channel} {one.notice_id}")
        said[one.channel, one.notice_id].add(one.text)
    for (channel, notice_id), texts in said.items():
        if len(texts) > 1:
            yield Fault("one id a notice", WRONG, f"{channel} {notice_id}", f"{len(texts)} different texts")


def _deeds(record: Record, observed: Observed) -> Iterator[Fault]:
    """What a person did is kept, once."""
    for one in record.did:
        if one.what == "acknowledged" and one.about not in observed.acknowledged:
            yield Fault("a deed is kept", LOST, f"acknowledgement of {one.about}")
    entered = Counter(one.reference for one in record.did if one.what == "submitted")
    yield from _once("a deed is kept", entered, observed.submitted)


def _log(_: Record, observed: Observed) -> Iterator[Fault]:
    """Nothing waits for ever; nothing was set aside but what was too new, and that rang and was handled in the end."""
    for name, number in observed.unsent.items():
        if number:
            yield Fault("everything is said", LOST, f"{number} messages of {name}", "they still wait")
    for letter in observed.dead_letters:
        about = f"{letter.place} of {letter.consumer}"
        if not letter.is_too_new:
            yield Fault("no dead letter", WRONG, about, letter.reason)
            continue
        if not letter.has_rung:
            yield Fault("what is set aside rings", LOST, about)
        if not letter.is_handled:
            yield Fault("what was too new is handled in the end", LOST, about)


def _audit(_: Record, observed: Observed) -> Iterator[Fault]:
    """The audit chain of each service is whole."""
    for name, said in observed.broken_audit.items():
        yield Fault("the audit chain is whole", WRONG, name, said)


def _replay(_: Record, observed: Observed) -> Iterator[Fault]:
    """A replay of the log into empty tables gives what stands in them."""
    for name, tables in observed.rebuilt.items():
        for table in tables:
            yield Fault("a replay gives the same", WRONG, f"{name}: {table}")


def _once(promise: str, expected: Counter, found: Counter) -> Iterator[Fault]:  # type: ignore[type-arg]
    for one in expected.keys() | found.keys():
        about = " revision ".join(map(str, one)) if isinstance(one, tuple) else str(one)
        if found[one] < expected[one]:
            yield Fault(promise, LOST, about)
        elif found[one] > max(expected[one], 1):
            yield Fault(promise, DOUBLED, about, f"x {found[one]}")
        elif not expected[one]:
            yield Fault(promise, WRONG, about, "nobody sent it")
