"""Patient histories told to a rehearsal house, many in one house, each at its own pace.

A history is a generator: it posts what a site would post, and yields the next moment at which it goes on; `None` means
once everything posted has come to its end. `play` moves the time of the house through all of them, once. Each subject
is infused on 2 March 2026 at 10:00 in Beijing, study day 0, so that study day 28 is 30 March.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from tests.support.rehearsals import PASSWORD, Rehearsal, about

INFUSED = "2026-03-02T10:00"
START = "2026-03-02T12:00+08:00"
ASSUMED = "ASSUMED RULES, not approved by the sponsor: DLT definition dlt-default-0.1"

Story = Iterator[str | None]
Stands = tuple[str, str | None, bool]
"""(state, rule_id, provisional)."""


def day(study_day: int, time: str = "08:00") -> str:
    """A time of a study day, as the site writes it."""
    return f"{date(2026, 3, 2) + timedelta(days=study_day)}T{time}"


def judged(investigator: str | None = "related", sponsor: str | None = None, **agents: str) -> list[dict[str, str]]:
    """Opinions on the product, and the investigator's on other agents."""
    said = [("product", "investigator", investigator), ("product", "sponsor", sponsor)]
    said += [(agent, "investigator", relation) for agent, relation in agents.items()]
    return [{"agent": agent, "party": party, "relation": relation} for agent, party, relation in said if relation]


UNRELATED = judged("not_related", "not_related")


def event(verbatim: str, onset: str | None = None, ctcae: int | None = None, **facts: Any) -> dict[str, Any]:
    """An event that the investigator judges related.

    `course`: (grade, from when) by CTCAE; `steps`: as `course_step` has them; `facts` replace any field.
    """
    told: dict[str, Any] = {
        "ref": "AE-1",
        "verbatim": verbatim,
        "onset": onset,
        "serious": False,
        "causality": judged(),
    }
    if ctcae is not None:
        told["grade"] = {"ctcae": ctcae}
    told["course"] = [*(course_step(*one) for one in facts.pop("course", ())), *facts.pop("steps", ())]
    return {name: value for name, value in {**told, **facts}.items() if value is not None}


def died(verbatim: str, onset: str | None, **facts: Any) -> dict[str, Any]:
    fatal = {"serious": True, "seriousness": ["death"], "outcome": "fatal"}
    return event(verbatim, onset, 5, **{**fatal, **facts})


def course_step(grade: int, since: str, scale: str = "ctcae") -> dict[str, Any]:
    return {"grade": grade, "scale": scale, "from": since}


def lab(test: str, value: float, at: str, unit: str = "10*9/L", **facts: Any) -> dict[str, Any]:
    return {"kind": "laboratory", "test": test, "value": value, "unit": unit, "at": at, **facts}


@dataclass
class Ward:
    """A house in which several histories are told; what it says is read once for each moment."""

    house: Rehearsal
    _said: list[dict[str, Any]] | None = None

    def move_to(self, instant: str) -> None:
        """Let time pass until then, and do what is due: what nobody answers rings on, and takes long."""
        self.house.move_to(instant)
        for clock in self.house.clocks(status="RUNNING", limit=1000):
            if self.house.try_to_submit(clock, instant).status_code == 409:
                self.house.try_to_submit(clock, instant, kind="follow_up")
        ringing = self.house.alerts(state="open", limit=1000)
        for alert in ringing:
            if alert["kind"] != "hold_confirmation":
                self.house.acknowledge(alert)
        if any(alert["kind"] == "hold_confirmation" for alert in ringing):
            self._confirm_holds()
        self._said = None

    def _confirm_holds(self) -> None:
        for hold in self.house.get("/v1/dose-board")["holds"]:
            for asked in hold["confirmations"]:
                if asked["confirmed_at"] is None:
                    body = {"party": asked["party"], "told_by": "who was on duty"}
                    answer = self.house.ask("POST", f"/v1/holds/{hold['hold_id']}/confirmations", body)
                    assert answer.status_code == 201, answer.text

    def said(self) -> list[dict[str, Any]]:
        if self._said is None:
            self._said = self.house.get("/v1/dlt", limit=1000)["verdicts"]
        return self._said


@dataclass
class Patient:
    """One subject, and what a site tells of it."""

    ward: Ward
    subject: str
    cases: list[str] = field(default_factory=list)

    def infused(self, started_at: str = INFUSED, **facts: Any) -> None:
        dose = {"kind": "infusion", "subject": self.subject, "level": "DL1", "started_at": started_at}
        given = {"planned": 1.0, "given": 1.0, "unit": "10^6 cells/kg"}
        answer = self.ward.house.post("/v1/doses", {**dose, **given, **facts})
        assert answer.status_code == 201, answer.text

    def reports(self, *events: dict[str, Any], subject: str | None = None) -> str:
        """A report of these events; the number of its case."""
        receipt = self.ward.house.report(about(subject or self.subject, *events))
        self.cases.append(receipt["case_id"])
        return self.cases[-1]

    def adds(self, verbatim: str = "", *, case: str | None = None, ref: str = "AE-1", **facts: Any) -> dict[str, Any]:
        """A follow-up with news of one event; its receipt."""
        news = {"ref": ref, "verbatim": verbatim, **facts}
        course = [course_step(*one) for one in facts.get("course", ())]
        told = {**news, "course": course} if course else news
        return self.ward.house.follow_up(case or self.cases[-1], {"events": [told], **told.pop("beside", {})})

    def observed(self, *seen: dict[str, Any]) -> None:
        told = [{"subject": self.subject, **one} for one in seen]
        answer = self.ward.house.post("/v1/observations", {"observations": told})
        assert answer.status_code == 201, answer.text

    def verdicts(self) -> list[dict[str, Any]]:
        return [one for one in self.ward.said() if one["subject"] == self.subject]

    def verdict(self, n: int = 1, case: int = -1, about: str = "event") -> dict[str, Any]:
        """That of the nth event of a case, or the only one about values (`about`)."""
        if about != "event":
            found = [one for one in self.verdicts() if one["about"] == about and one["event_id"] is None]
        else:
            found = [one for one in self.ward.said() if one["event_id"] == f"{self.cases[case]}-E{n}"]
        assert len(found) == 1, f"{self.subject}: {len(found)} verdicts of event {n}: {_shown(self.verdicts())}"
        _is_plain(found[0])
        return found[0]

    def stands(self, state: str, rule_id: str | None = None, provisional: bool = False, **which: Any) -> dict[str, Any]:
        """Asserts how a verdict stands; the verdict."""
        one = self.verdict(**which)
        expected: Stands = (state, rule_id, provisional)
        assert _stands(one) == expected, f"{self.subject}: {expected} expected: {_shown([one])}"
        return one

    def became(self, *expected: Stands, **which: Any) -> None:
        """Asserts the whole history of a verdict: each change once, in order."""
        found = [_stands(line) for line in self.verdict(**which)["history"]]
        assert found == list(expected), f"{self.subject}: {expected} expected: {found}"

    def on_the_board(self) -> tuple[str, list[str]]:
        """(status, what it waits for) of the subject on the dose board."""
        found = [one for one in self.ward.house.get("/v1/dose-board")["subjects"] if one["subject"] == self.subject]
        assert len(found) == 1, f"{self.subject} stands {len(found)} times on the board"
        return found[0]["status"], found[0]["waits_for"]

    def try_to_sign(self, decision: str, by: str, reason: str = "the course was reviewed", **facts: Any) -> Any:
        """A decision on a verdict (`which`), however that is answered."""
        which = facts.pop("which", {})
        signature = {"password": PASSWORD, "meaning": "approval"}
        body = {"decision": decision, "reason": reason, "signature": signature, **facts}
        path = f"/v1/dlt/{self.verdict(**which)['dlt_id']}/decisions"
        answer = self.ward.house.ask("POST", path, body, by=by)
        self.ward._said = None
        return answer

    def signs(self, decision: str, by: str = "safety_physician", **facts: Any) -> dict[str, Any]:
        answer = self.try_to_sign(decision, by, **facts)
        assert answer.status_code == 201, f"{self.subject}: {answer.status_code}: {answer.text}"
        signed: dict[str, Any] = answer.json()
        return signed

    def rang(self, kind: str, case: int = -1) -> int:
        """How many alerts of this kind there are of a case."""
        return len(self.ward.house.alerts(case_id=self.cases[case], kind=kind))


def play(house: Rehearsal, *stories: Callable[[Patient], Story]) -> None:
    """Tell all histories in one house, and move its time through them once; each that fails is named at the end."""
    ward, wrong = Ward(house), list[AssertionError]()
    now, turn = START, 0
    waiting = [(now, turn, n, one.__name__, one(Patient(ward, f"S01-{n}"))) for n, one in enumerate(stories, 101)]
    while waiting:
        at, its_turn, n, name, story = heapq.heappop(waiting)
        if (at, its_turn) > (now, turn):
            ward.move_to(now)  # What was posted comes to its end, and is answered, before time goes on.
            if at > now:
                ward.move_to(at)
            now, turn = at, its_turn
        try:
            then = next(story)
        except StopIteration:
            continue
        except AssertionError as failed:
            failed.add_note(name)
            wrong.append(failed)
            continue
        at, its_turn = (now, turn + 1) if then is None else (f"{then}+08:00", 0)
        heapq.heappush(waiting, (at, its_turn, n, name, story))
    if wrong:
        raise ExceptionGroup("histories that did not end as the rules say", wrong)


def _stands(one: dict[str, Any]) -> Stands:
    return one["state"], one["rule_id"], one["provisional"]


def _shown(found: list[dict[str, Any]]) -> str:
    lines = (f"{one['key']}: {_stands(one)} " + "; ".join(one["reasons"]) for one in found)
    return "\n".join(lines)


def _is_plain(one: dict[str, Any]) -> None:
    """Asserts what every verdict has: reasons, the assumption, and a history of changes that ends as it stands."""
    assert one["assumptions"] == [ASSUMED], one
    assert one["reasons"], one
    assert all(one["reasons"]), one
    assert all("None" not in said and "Known." not in said for said in one["reasons"]), one
    told = [_stands(line) for line in one["history"]]
    assert all(first != then for first, then in pairwise(told)), one
    if told:
        assert _stands(one) == told[-1], one
