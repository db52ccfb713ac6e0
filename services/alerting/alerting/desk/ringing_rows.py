"""The alarms that ring now, as the board shows them: what, who was rung, who is being rung, who is next and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from alerting import alarm, call_plans, kinds, routing, webhooks
from alerting.desk.clock_words import span
from alerting.desk.dose_times import Times
from alerting.desk.role_words import role
from alerting.parts import Parts
from alerting.tables import alerts

Json = Mapping[str, Any]
SHOWN_BEFORE = 2
"""How many of those who were rung before stand on the rail; a night of repeats would fill the page."""

_OUTCOMES = {
    "delivered": "delivered", "pending": "on its way", "sending": "on its way", "dead": "GIVEN UP",
    "nobody reachable": "NOBODY reachable", "told by another notice": "told by another notice",
}  # fmt: skip
_CHANNELS = {"mail": "e-mail", "webhook": "webhook"}


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the escalation. `state`: done, now or next."""

    who: str
    said: str
    state: str


class Rails:
    """Works out the rails of several alarms; the people of a study are looked up once."""

    def __init__(self, tx: Connection, parts: Parts, times: Times) -> None:
        self._tx = tx
        self._parts = parts
        self._times = times
        self._people: dict[str, tuple[list[routing.Person], list[routing.Hook]]] = {}

    def of(self, found: Sequence[Json]) -> list[list[Stop]]:
        """The rail of each of these open alerts."""
        ids = [UUID(one["alert_id"]) for one in found]
        query = select(alerts.c.id, alerts.c.policy).where(alerts.c.id.in_(ids))
        kept = {str(row.id): row.policy for row in self._tx.execute(query)}
        return [self._rail(one, kept[one["alert_id"]]) for one in found]

    def _rail(self, one: Json, policy: Mapping[str, Any] | None) -> list[Stop]:
        rung = list(_by_notice(one["notices"]))
        said = [self._rung(notices, is_last=n == len(rung) - 1) for n, notices in enumerate(rung)]
        hidden = len(said) - SHOWN_BEFORE - 1
        if hidden > 0:
            said = [Stop(f"{hidden} earlier", "rung, no answer", "done"), *said[hidden:]]
        return [*said, *self._ahead(one, policy)]

    def _rung(self, notices: Sequence[Json], *, is_last: bool) -> Stop:
        first = notices[0]
        at = datetime.fromisoformat(first["at"])
        when = self._times.near(at)
        who = ", ".join(first["people"]) or role(first["rung_role"] or first["role"])
        outcomes = ", ".join(dict.fromkeys(
            f"{_CHANNELS.get(n['channel'], n['channel'])} {_OUTCOMES[n['outcome']]}" if n["channel"]
            else _OUTCOMES[n["outcome"]]
            for n in notices
        ))  # fmt: skip
        if is_last:
            return Stop(who, f"Being rung since {when}, {outcomes}", "now")
        return Stop(who, f"Rung {when}, {outcomes}, no answer", "done")

    def _ahead(self, one: Json, policy: Mapping[str, Any] | None) -> list[Stop]:
        now = self._times.now
        handed = one["handed_over"]
        last = alarm.Handed(handed[-1]["to"], len(handed), _at(handed[-1]["at"])) if handed else None
        asked = alarm.Alarm(
            one["level"], one["state"], min(_at(one["raised_at"]), now), tuple(one["roles"]),
            one["kind"] in kinds.UNTIL_ANSWERED, last,
        )  # fmt: skip
        history = [
            alarm.Rung(notices[0]["step"], _at(notices[0]["at"]), notices[0]["cause"])
            for notices in _by_notice(one["notices"])
            if notices[0]["rung_role"] is not None
        ]
        counts = alarm.Policy.of(policy) if policy else alarm.policy_for(asked)
        coming = alarm.ahead(asked, history, counts, now)
        return [
            Stop(self._name(one["study"], who), f"{'Next' if n == 0 else 'Then'}, {self._when(due)}", "next")
            for n, (due, who) in enumerate(coming)
        ]

    def _when(self, due: datetime) -> str:
        if due <= self._times.now:
            return "now"
        return f"at {self._times.near(due)}, in {span(due - self._times.now)}"

    def _name(self, study: str, name: str) -> str:
        if study not in self._people:
            enabled = webhooks.enabled(self._tx)
            found = call_plans.callees(self._tx, study, self._parts.studies, enabled, self._times.now)
            found += routing.contacts_of(study, self._parts.studies)
            self._people[study] = (found, routing.hooks_for(study, enabled))
        reached = routing.reach(name, *self._people[study])
        if reached.rung_role is None:
            return f"{role(name)}: NOBODY is reachable"
        return ", ".join(reached.people) or role(reached.rung_role)


def _by_notice(notices: Iterable[Json]) -> Iterable[list[Json]]:
    """The lines of each notice together, in the order in which they were rung."""
    found: dict[str, list[Json]] = {}
    for one in notices:
        found.setdefault(one["notice_id"], []).append(one)
    return found.values()


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
