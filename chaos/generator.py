"""Sites and a physician who act as people do: random but valid histories, each request sent until it is answered.

What they do is drawn from a seed. When an answer comes is not: so a seed gives the same histories, not the same races.
Each site works through subject after subject; a site never sends two things at once, as a person at a form does not.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Set
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import httpx

from chaos.houses import PASSWORD, PHYSICIAN, STUDY, House
from chaos.record import Did, Record, Sent

VERBATIMS = {
    False: ("nausea", "fatigue", "headache", "back pain", "skin rash", "恶心", "felt faint in the corridor"),
    True: ("pneumonia", "sepsis", "febrile neutropenia", "acute kidney injury", "肺炎", "fell in the garden"),
}
LEVELS = ("DL1", "DL2", "DL3")
WAITS_FOR_OTHERS = "hold_confirmation"
"""An alert that ends when each site has confirmed that it knows of a hold: no physician can."""
MENDED_FIRST = "dead_letter"
"""An alert that is acknowledged last, as the runbook says: when the cause is mended and what was set aside is back."""
AGAIN_S = 0.2
LONGEST_S = 600.0
"""How long a house may owe an answer while it is killed again and again: it is up for moments only."""
"""How long a request may go unanswered while the house is under fire: beyond it the run has failed."""


class Unanswered(Exception):
    """A valid request was refused, or got no answer at all."""


def an_event(draw: random.Random, ref: str) -> dict[str, Any]:
    """An event of which the generator knows what it is: nothing, serious, or a threat to life."""
    kind = draw.choice(("harmless", "harmless", "serious", "serious", "unknown cause", "not related", "threat"))
    is_serious = kind != "harmless"
    event: dict[str, Any] = {
        "ref": ref,
        "verbatim": draw.choice(VERBATIMS[is_serious]),
        "onset": "2026-11-01",
        "serious": is_serious,
        "outcome": "not_recovered",
        "grade": {"ctcae": {"harmless": 1, "threat": 4}.get(kind, 3)},
    }
    if is_serious:
        event["seriousness"] = ["life_threatening" if kind == "threat" else "hospitalisation"]
    if kind != "unknown cause":
        # One opinion that it is related is enough; only where both say no is it not suspected (ICH E2A III.B).
        parties, said = (
            (("investigator", "sponsor"), "not_related") if kind == "not related" else (("investigator",), "related")
        )
        event["causality"] = [{"agent": "product", "party": party, "relation": said} for party in parties]
    return event


def news_of(draw: random.Random, event: Mapping[str, Any]) -> dict[str, Any]:
    """What a follow-up says of it: worse, better, another outcome, one more criterion, or that it never was."""
    said = {"ref": event["ref"], "verbatim": event["verbatim"]}
    choice = draw.choice(("worse", "outcome", "outcome", "criterion", "nothing", "never was"))
    if choice == "worse":
        return {**said, "serious": True, "seriousness": ["life_threatening"], "grade": {"ctcae": 4}}
    if choice == "outcome":
        return {**said, "outcome": draw.choice(("recovering", "recovered", "not_recovered"))}
    if choice == "criterion" and event["serious"]:
        return {**said, "seriousness": sorted({*event["seriousness"], "disability"})}
    if choice == "never was":
        return {**said, "nullified": True}
    return said


@dataclass
class Case:
    """A case as its site knows it: the events as they were last told."""

    case_id: str
    subject: str
    events: dict[str, dict[str, Any]]
    is_nullified: bool = False


@dataclass
class Desk:
    """One who asks the house over HTTP, and does not give up."""

    house: House
    record: Record
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=httpx.Timeout(30.0, connect=5.0)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def ask(self, method: str, url: str, body: Any = None, **headers: str) -> httpx.Response:
        """The first answer that is one: what is away, slow, full or broken is asked again."""
        until = time.monotonic() + LONGEST_S
        why = ""
        while time.monotonic() < until:
            try:
                answer = self.client.request(method, url, json=body, headers=headers)
            except httpx.TransportError as error:
                why = type(error).__name__
            else:
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
                why = f"{answer.status_code} {answer.text[:300]}"
                if answer.status_code == 500:
                    self.record.wrong(f"{method} {url}: {answer.text[:300]}")
            time.sleep(AGAIN_S)
        raise Unanswered(f"{method} {url} was not answered within {LONGEST_S:g} s: {why}")


class Site(Desk):
    """One site at its keyboard, on a thread of its own, until `stop`."""

    def __init__(self, house: House, record: Record, site: str, seed: int) -> None:
        super().__init__(house, record)
        self.site = site
        self._draw = random.Random(f"{seed}/{site}")
        self._numbers = 0
        self._subjects = 0
        self._cases: list[Case] = []
        self._subject = ""
        self._last: Sent | None = None
        self._allowed = threading.Semaphore(0)
        self.failed: BaseException | None = None

    def allow(self, deeds: int) -> None:
        """So many more things may be done: a slow machine gets no longer histories than a fast one."""
        self._allowed.release(deeds)

    def run(self, stop: threading.Event) -> None:
        """Go on until told to stop; what is under way then is brought to its end."""
        deeds = {
            self._next_subject: 1, self._report: 6, self._follow_up: 5, self._nullify: 1, self._twice: 1,
            self._observe: 2, self._again: 2,
        }  # fmt: skip
        try:
            self._next_subject()
            while not stop.is_set():
                if self._allowed.acquire(timeout=0.1):
                    (deed,) = self._draw.choices(list(deeds), list(deeds.values()))
                    deed()
        except BaseException as error:  # noqa: BLE001  told by whoever started this thread
            self.failed = error

    def _next_subject(self) -> None:
        self._subjects += 1
        self._subject = f"{self.site}-{self._subjects:03d}"
        self._send(
            "dose", "/v1/doses",
            {
                "kind": "infusion", "subject": self._subject, "level": self._draw.choice(LEVELS),
                "started_at": "2026-10-20T10:05", "planned": 1.0, "given": 1.0, "unit": "10^6 cells/kg", "lot": "LOT-1",
            },
        )  # fmt: skip

    def _report(self) -> None:
        events = [an_event(self._draw, f"AE-{n}") for n in range(1, self._draw.randint(1, 2) + 1)]
        self._post_report(events, "Dr Li Example")

    def _twice(self) -> None:
        """A second reporter tells the same: a case of its own, which may be a duplicate."""
        of_subject = [case for case in self._cases if case.subject == self._subject and not case.is_nullified]
        if of_subject:
            told = self._draw.choice(of_subject).events.values()
            self._post_report([event for event in told if not event.get("nullified")], "Nurse Xu Example")

    def _post_report(self, events: list[dict[str, Any]], reporter: str) -> None:
        body = {
            "subject": self._subject, "product": "KQ-2003", "reporter": {"name": reporter, "role": "investigator"},
            "events": events,
        }  # fmt: skip
        sent = self._send("report", "/v1/reports", body)
        self._cases.append(Case(sent.case_id, self._subject, {event["ref"]: dict(event) for event in events}))

    def _follow_up(self) -> None:
        case = self._a_case()
        if case is None:
            return
        standing = [event for event in case.events.values() if not event.get("nullified")]
        news = [news_of(self._draw, self._draw.choice(standing))]
        body: dict[str, Any] = {"events": news}
        if any(one.get("nullified") for one in news):
            body["reason"] = "told of the wrong person"
        self._send("follow_up", f"/v1/reports/{case.case_id}/follow-ups", body)
        for one in news:
            case.events[one["ref"]].update(one)
        case.is_nullified = all(event.get("nullified") for event in case.events.values())

    def _nullify(self) -> None:
        case = self._a_case()
        if case is not None:
            body = {"nullify": True, "reason": "reported twice by us"}
            self._send("follow_up", f"/v1/reports/{case.case_id}/follow-ups", body)
            case.is_nullified = True

    def _a_case(self) -> Case | None:
        open_ = [case for case in self._cases[-12:] if not case.is_nullified]
        return self._draw.choice(open_) if open_ else None

    def _observe(self) -> None:
        values = [
            {
                "kind": "laboratory", "subject": self._subject, "at": f"2026-10-{21 + n}T06:00", "test": "Neutrophils",
                "value": round(self._draw.uniform(0.2, 5.0), 2), "unit": "10*9/L", "lln": 1.8, "uln": 6.3,
            }
            for n in range(self._draw.randint(1, 4))
        ]  # fmt: skip
        self._send("observations", "/v1/observations", {"observations": values})

    def _again(self) -> None:
        """The answer was mislaid: the same request once more, under the same key."""
        if self._last is not None:
            answer = self._post(self._last.path, self._last.body, self._last.key)
            self.record.again(self._last, answer.json() == self._last.receipt)

    def _send(self, what: str, path: str, body: Mapping[str, Any]) -> Sent:
        self._numbers += 1
        key = f"{self.site}-{self._numbers:06d}"
        body = deepcopy(body)  # What was sent stays as it was, whatever becomes of the case.
        sent = Sent(key, what, path, body, self._post(path, body, key).json())
        self.record.add(sent)
        self._last = sent
        return sent

    def _post(self, path: str, body: Mapping[str, Any], key: str) -> httpx.Response:
        answer = self.ask(
            "POST", self.house.shape.intake + path, body,
            **{"Authorization": f"Bearer {self.house.keys[self.site]}", "Idempotency-Key": key},
        )  # fmt: skip
        if answer.status_code != 201:
            raise Unanswered(f"{path} under {key} was refused: {answer.status_code} {answer.text[:500]}")
        return answer


class Physician(Desk):
    """Acknowledges what rings, and enters what was sent to the authority, until `stop`."""

    def __init__(self, house: House, record: Record, seed: int) -> None:
        super().__init__(house, record)
        self._draw = random.Random(f"{seed}/physician")
        self._token = "none yet"
        self._entered = 0
        self.failed: BaseException | None = None

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(self._draw.uniform(0.3, 0.9)):
                self._acknowledge()
                self._submit()
        except BaseException as error:  # noqa: BLE001  told by whoever started this thread
            self.failed = error

    def acknowledge_all(self) -> None:
        """At the end: everything that is open has been seen."""
        while self._acknowledge(most=200, leave={WAITS_FOR_OTHERS}):
            pass

    def _acknowledge(self, most: int = 5, leave: Set[str] = frozenset({WAITS_FOR_OTHERS, MENDED_FIRST})) -> int:
        """Up to so many of the open alerts but those of the kinds to `leave`; how many there were."""
        answer = self._asked("GET", f"/v1/alerts?state=open&study={STUDY}&limit=1000")
        found = [one for one in answer.json()["alerts"] if one["kind"] not in leave][:most]
        for alert in found:
            answer = self._asked("POST", f"/v1/alerts/{alert['alert_id']}/acknowledgements")
            if answer.is_success:
                self.record.add(Did("acknowledged", alert["alert_id"], self.house.ahead.now()))
            elif answer.status_code != 409:  # Closed by itself meanwhile.
                raise Unanswered(f"an acknowledgement was refused: {answer.status_code} {answer.text[:500]}")
        return len(found)

    def _submit(self) -> None:
        """The first report of a running clock is sent to the authority, and entered."""
        answer = self._asked("GET", f"/v1/clocks?study={STUDY}&recipient=CDE&open=true&limit=50")
        clocks = [one for one in answer.json()["clocks"] if one["rule"] in ("CN_SUSAR_7D", "CN_SUSAR_15D")]
        if not clocks or self._draw.random() < 0.5:
            return
        clock = self._draw.choice(clocks)
        at = self.house.ahead.now().replace(microsecond=0)
        if at - self._last_told(clock["case_id"]) < timedelta(seconds=2):
            return  # Nobody sends a report in the second in which it came.
        self._entered += 1
        reference = f"CDE-{self._entered:05d}"
        body = {"at": at.isoformat(), "kind": "initial", "reference": reference}
        answer = self._asked("POST", f"/v1/clocks/{clock['clock_id']}/submissions", body)
        if answer.is_success:
            self.record.add(Did("submitted", clock["clock_id"], at, clock["event_id"], reference))
        elif answer.status_code != 409:  # It gave way meanwhile.
            raise Unanswered(f"a submission was refused: {answer.status_code} {answer.text[:500]}")

    def _last_told(self, case_id: str) -> datetime:
        return max(
            (
                one.received_at
                for one in self.record.sent
                if one.what != "dose" and one.receipt.get("case_id") == case_id
            ),
            default=self.house.ahead.now(),
        )

    def _asked(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Sign in when that is needed: a login ends, and time jumps."""
        for _ in range(3):
            answer = self.ask(method, self.house.shape.alerting + path, body, Authorization=f"Bearer {self._token}")
            if answer.status_code != 401:
                return answer
            told = {"name": PHYSICIAN, "password": PASSWORD}
            signed_in = self.ask("POST", f"{self.house.shape.alerting}/v1/sessions", told)
            if signed_in.status_code not in (200, 201):
                raise Unanswered(f"nobody can sign in: {signed_in.status_code} {signed_in.text[:300]}")
            self._token = signed_in.json()["token"]
        return answer
