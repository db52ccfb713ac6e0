"""Plays the beats of a story on a running rehearsal house, by its API alone, and reads what the board says.

Whoever an alert rings acknowledges it at the end of the beat, except a site or the cell lab that is told of a hold:
they answer by confirming it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from standalone.demo_board import end_state, stand_of
from standalone.demo_deeds import (
    Beat,
    Confirmed,
    Deed,
    FollowedUp,
    Looked,
    OfAPerson,
    Reported,
    Reviewed,
    Sent,
    Signed,
    Stand,
    Told,
)
from standalone.posting import Desk
from tocsin.errors import Refused, TocsinError

LONGEST_MOVE_S = 300.0
CONFIRMATION = "hold_confirmation"


class NotAsTold(TocsinError):
    """The house answered a deed of the story otherwise than the story needs: the rest cannot be played."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Cast:
    """Who acts: the keys of the sites, a name and a password for each role of the story."""

    keys: Mapping[str, str]
    people: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read after a beat: the board as the API gives it, what it says in the words of a story, what rang."""

    board: Mapping[str, Any]
    stand: Stand
    rang: tuple[Mapping[str, Any], ...]


@dataclass
class Stage:
    """One house with its cast. `close` when done."""

    url: str
    study: str
    cast: Cast
    _cases: dict[str, str] = field(default_factory=dict)
    _heard: set[str] = field(default_factory=set)
    _posted: int = 0
    _desks: dict[str, Desk] = field(default_factory=dict)

    def play(self, beat: Beat) -> Read:
        """Let time pass until the beat, do what is done in it, and read the board when all is quiet."""
        self._move_to(beat.at)
        for deed in beat.deeds:
            self._do(deed, beat.at)
        self._move_to(beat.at)
        return self._read(beat.at)

    def close(self) -> None:
        for desk in self._desks.values():
            desk.close()

    # What people do

    def _do(self, deed: Deed, now: str) -> None:
        match deed:
            case Told():
                self._post(deed.site, deed.path, deed.body)
            case Reported():
                self._cases[deed.name] = str(self._post(deed.site, "v1/reports", deed.body)["case_id"])
            case FollowedUp():
                self._post(deed.site, f"v1/reports/{self._cases[deed.name]}/follow-ups", deed.body)
            case _:
                self._move_to(now)  # A person sees what was posted before.
                self._decide(deed, now)

    def _decide(self, deed: OfAPerson, now: str) -> None:
        match deed:
            case Looked():
                body = {"decision": "medical_review", "reason": deed.reason, **self._signature("safety_physician")}
                self._ask("safety_physician", "POST", f"v1/assessments/{self._cases[deed.name]}", body)
            case Sent():
                for rule in deed.rules:
                    body = {"at": now, "kind": deed.kind, "reference": f"INVENTED {rule} {now}"}
                    self._ask("safety_team", "POST", f"v1/clocks/{self._clock(deed.name, rule)}/submissions", body)
            case Signed():
                (verdict,) = self._get("v1/dlt", case_id=self._cases[deed.name])["verdicts"]
                body = {"decision": deed.decision, "reason": deed.reason, **self._signature("safety_physician")}
                self._ask("safety_physician", "POST", f"v1/dlt/{verdict['dlt_id']}/decisions", body)
            case Reviewed():
                body = {"reason": deed.reason, **self._signature("committee")}
                self._ask("committee", "POST", f"v1/holds/{self._hold(f'review:{deed.opens}')}/decisions", body)
            case Confirmed():
                who: Literal["cell_lab", "safety_team"] = "safety_team" if deed.told_by else "cell_lab"
                body = {"party": deed.party, **({"told_by": deed.told_by} if deed.told_by else {})}
                self._ask(who, "POST", f"v1/holds/{self._hold(deed.key)}/confirmations", body)

    def _clock(self, name: str, rule: str) -> str:
        found = self._get("v1/clocks", case_id=self._cases[name], open=True)["clocks"]
        ids = [str(clock["clock_id"]) for clock in found if clock["rule"] == rule]
        if not ids:
            runs = ", ".join(clock["rule"] for clock in found) or "none"
            raise NotAsTold(f"the story meets a clock {rule} of {name}, and those that run are: {runs}")
        return ids[0]

    def _hold(self, key: str) -> str:
        found = [one["hold_id"] for one in self.board()["holds"] if one["key"] == key]
        if not found:
            raise NotAsTold(f"the story needs the hold {key}, and the board has none")
        return str(found[0])

    def _signature(self, role: str) -> dict[str, Any]:
        return {"signature": {"password": self.cast.people[role][1], "meaning": "approval"}}

    # What is read

    def board(self) -> dict[str, Any]:
        return self._get("v1/dose-board", study=self.study, what_if=False)

    def end_state(self) -> dict[str, Any]:
        """Where the trial stands, as a story writes it down of its end."""
        open_ = self._get("v1/clocks", open=True, limit=1000)["clocks"]
        verdicts = self._get("v1/dlt", study=self.study)["verdicts"]
        return end_state(self.board(), verdicts, open_)

    def _read(self, now: str) -> Read:
        board = self.board()
        rang = self._listen()
        self._move_to(now)
        kinds = tuple(sorted({alert["kind"] for alert in rang}))
        return Read(board, stand_of(board, kinds), rang)

    def _listen(self) -> tuple[dict[str, Any], ...]:
        """The alerts that nobody of the story had heard yet, and an answer to each that is open."""
        found = self._get("v1/alerts", state="open", limit=1000)["alerts"]
        for alert in found:
            if alert["kind"] != CONFIRMATION:
                self._ask("safety_physician", "POST", f"v1/alerts/{alert['alert_id']}/acknowledgements")
        new = tuple(alert for alert in found if alert["alert_id"] not in self._heard)
        self._heard.update(alert["alert_id"] for alert in new)
        return new

    # The wire

    def _move_to(self, instant: str) -> None:
        self._ask("safety_physician", "POST", "v1/rehearsal/now", {"now": instant}, within_s=LONGEST_MOVE_S)

    def _post(self, site: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._posted += 1
        if site not in self._desks:
            self._desks[site] = Desk(self.url, self.cast.keys[site])
        return _answered(self._desks[site], "POST", path, body, key=f"story-{self._posted}")

    def _get(self, path: str, **parameters: Any) -> dict[str, Any]:
        return self._ask("safety_physician", "GET", path, **parameters)

    def _ask(self, role: str, method: str, path: str, body: object = None, **how: Any) -> dict[str, Any]:
        if role not in self._desks:
            self._desks[role] = Desk(self.url)
            self._desks[role].sign_in(*self.cast.people[role])
        return _answered(self._desks[role], method, path, body, **how)


def _answered(desk: Desk, method: str, path: str, body: object, **how: Any) -> dict[str, Any]:
    try:
        return desk.ask(method, path, body, **how)
    except Refused as refused:
        places = "".join(f"; {wrong.pointer} {wrong.problem}" for wrong in refused.wrong)
        raise NotAsTold(f"{path} was refused, where the story goes on: {refused.title}{places}") from None
