"""A rehearsal house for a story: `tocsin up --rehearsal` as a process of its own, with a site, people and a clock.

    with rehearsal(tmp_path, at="2026-03-02T09:00+08:00") as house:
        receipt = house.report(fatal())
        house.move_to("2026-03-02T10:00+08:00")
        [alert] = house.alerts(case_id=receipt["case_id"])
        assert rung(alert) == [("safety_physician", "2026-03-02T09:00"), ...]
        house.acknowledge(alert, by="medical_director")

Nothing here knows a rule. Times that a story writes down are those of Shanghai, where the trial is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from ae_intake.keys import create_key
from alerting.accounts import add as add_account
from alerting.webhooks import add as add_webhook
from tests.standalone.processes import House as Process
from tests.support.shapes import SERVICES, STUDIES
from tocsin.store.engine import Store, open_store

STUDY = "NCT06223646"
AT = "2026-03-02T09:00+08:00"
"""Where time stands at first, unless a story says otherwise: a Monday morning in Shanghai."""

PASSWORD = "a long night, quiet so far"
LONGEST_MOVE_S = 300.0
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_ADDED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def fatal(subject: str = "S01-003", **event: Any) -> dict[str, Any]:
    """A death after a cytokine release syndrome, related; `event` replaces facts of it."""
    facts = {
        "verbatim": "Cytokine release syndrome",
        "onset": "2026-02-27",
        "serious": True,
        "seriousness": ["death"],
        "outcome": "fatal",
        "grade": {"ctcae": 5, "astct": 5},
        "causality": [{"agent": "product", "party": "investigator", "relation": "related"}],
        "investigator_aware_at": "2026-03-02T07:10+08:00",
    }
    return about(subject, {**facts, **event})


def serious(subject: str = "S01-004", **event: Any) -> dict[str, Any]:
    """A hospitalisation, related, that no dictionary has a term for; `event` replaces facts of it."""
    facts = {
        "verbatim": "felt faint in the corridor",
        "onset": "2026-02-27",
        "serious": True,
        "seriousness": ["hospitalisation"],
        "causality": [{"agent": "product", "party": "investigator", "relation": "related"}],
        "investigator_aware_at": "2026-03-02T07:10+08:00",
    }
    return about(subject, {**facts, **event})


def admitted(subject: str = "S01-004", **event: Any) -> dict[str, Any]:
    """The same of grade 2: serious, and nothing of it pages, as no dose-limiting toxicity is possible."""
    return serious(subject, **{"grade": {"ctcae": 2}, **event})


def about(subject: str, *events: Mapping[str, Any]) -> dict[str, Any]:
    """A report of these events of this subject."""
    reporter = {"name": "Dr Gao", "role": "investigator"}
    return {"subject": subject, "product": "KQ-2003", "reporter": reporter, "events": list(events)}


def shanghai(instant: str) -> str:
    """An instant as people in Shanghai read it: `2026-03-02T09:15`, with seconds where there are any."""
    local = datetime.fromisoformat(instant).astimezone(_SHANGHAI)
    whole = local.second == 0 and local.microsecond == 0
    return local.strftime("%Y-%m-%dT%H:%M") if whole else local.replace(tzinfo=None).isoformat()


def statuses(clock: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The life of a clock by its history alone: each status that it came to and when, in Shanghai."""
    found: list[tuple[str, str]] = []
    for line in clock["status_history"]:
        if not found or found[-1][0] != line["status"]:
            found.append((line["status"], shanghai(line["at"])))
    return found


def rung(alert: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom an alert rang and when, in Shanghai, in the order of the steps."""
    return [(notice["role"], shanghai(notice["at"])) for notice in alert["notices"]]


@dataclass
class Rehearsal:
    """A running rehearsal house. Every call fails the test unless it is answered as it should be."""

    folder: Path
    process: Process
    settings: dict[str, str]
    _tokens: dict[str, str] = field(default_factory=dict)
    _keys: dict[tuple[str, str], str] = field(default_factory=dict)
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    """One for all calls: making one costs more than what it asks."""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return self.process.url

    # Time

    def now(self) -> str:
        """Where time stands, as the house writes it."""
        found: str = self.ask("GET", "/v1/rehearsal/now").json()["now"]
        return found

    def move_to(self, instant: str | datetime) -> dict[str, Any]:
        """Let time pass until then and all is quiet; what the house answers (`now`, `stops`, `next`)."""
        answer = self.try_to_move(instant if isinstance(instant, str) else instant.isoformat())
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
        moved: dict[str, Any] = answer.json()
        return moved

    def pass_by(self, **much: float) -> dict[str, Any]:
        """Let that much time pass: `pass_by(minutes=15)`."""
        return self.move_to(datetime.fromisoformat(self.now()) + timedelta(**much))

    def settle(self) -> dict[str, Any]:
        """Let no time pass, but everything that was posted come to its end."""
        return self.move_to(self.now())

    def try_to_move(self, instant: object, by: str | None = "safety_team") -> httpx.Response:
        """Ask for it, however that is answered. `by` None: without signing in."""
        return self.ask("POST", "/v1/rehearsal/now", {"now": instant}, by=by, within_s=LONGEST_MOVE_S)

    # A site

    def key(self, site: str = "S01", study: str = STUDY) -> str:
        """The key of a site, or of a feed for `all`; made when first asked for."""
        if (study, site) not in self._keys:
            with self.store("intake") as store, store.transaction() as tx:
                of = None if site == "all" else site
                self._keys[study, site] = create_key(tx, study, of, _ADDED_AT, by="a story")
        return self._keys[study, site]

    def post(self, path: str, body: Any, *, site: str = "S01", study: str = STUDY, **headers: str) -> httpx.Response:
        """What a site posts, with its key."""
        authorised = {"Authorization": f"Bearer {self.key(site, study)}", **headers}
        return self._http.post(f"{self.url}{path}", json=body, headers=authorised)

    def report(self, body: Any, **how: Any) -> dict[str, Any]:
        """A report of a site, accepted; its receipt."""
        return _taken(self.post("/v1/reports", body, **how))

    def follow_up(self, case_id: str, body: Any, **how: Any) -> dict[str, Any]:
        """A new revision of a case, accepted; its receipt."""
        return _taken(self.post(f"/v1/reports/{case_id}/follow-ups", body, **how))

    # People

    def ask(
        self, method: str, path: str, body: Any = None, *, by: str | None = "safety_team", within_s: float = 60.0,
        **parameters: Any,
    ) -> httpx.Response:  # fmt: skip
        """What a person asks who is signed in with this role."""
        headers = {} if by is None else {"Authorization": f"Bearer {self.token(by)}"}
        return self._http.request(
            method, f"{self.url}{path}", json=body, params=parameters, headers=headers, timeout=within_s
        )

    def get(self, path: str, by: str = "safety_team", **parameters: Any) -> Any:
        """What a person reads, answered."""
        answer = self.ask("GET", path, by=by, **parameters)
        assert answer.status_code == 200, f"{path}: {answer.status_code}: {answer.text}"
        return answer.json()

    def token(self, role: str) -> str:
        """A login of the person who has this role, and whose name it is; made when first asked for."""
        if role not in self._tokens:
            self.person(role, role)
            self._tokens[role] = self.sign_in(role)
        return self._tokens[role]

    def signed_in(self, name: str, *roles: str) -> str:
        """Somebody with these roles, signed in: `by=name` is then this person."""
        self.person(name, *roles)
        self._tokens[name] = self.sign_in(name)
        return name

    def person(self, name: str, *roles: str) -> None:
        """Somebody who may sign in, with `PASSWORD`."""
        with self.store("alerting") as store, store.transaction() as tx:
            add_account(tx, name, PASSWORD, roles, _ADDED_AT, who="a story")

    def sign_in(self, name: str, password: str = PASSWORD) -> str:
        """A token for this person."""
        answer = self._http.post(f"{self.url}/v1/sessions", json={"name": name, "password": password})
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

    def alerts(self, **parameters: Any) -> list[dict[str, Any]]:
        """Alerts, the first that rang first; `case_id`, `kind`, `level`, `state` choose among them."""
        found: list[dict[str, Any]] = self.get("/v1/alerts", **parameters)["alerts"]
        return sorted(found, key=lambda alert: (alert["raised_at"], alert["kind"], alert["alert_id"]))

    def clocks(self, **parameters: Any) -> list[dict[str, Any]]:
        """Clocks, soonest due first; `case_id`, `status`, `recipient` choose among them."""
        found: list[dict[str, Any]] = self.get("/v1/clocks", **parameters)["clocks"]
        return found

    def clock(self, case_id: str, rule: str, **facts: Any) -> dict[str, Any]:
        """The one clock of a case by this rule; `day_zero`, `event_id` or `status` choose among several."""
        found = [
            one
            for one in self.clocks(case_id=case_id)
            if one["rule"] == rule and all(one[name] == value for name, value in facts.items())
        ]
        assert len(found) == 1, f"{len(found)} clocks {rule} {facts} of {case_id}"
        return found[0]

    def told(self, **parameters: Any) -> list[tuple[str, str, str, str]]:
        """(level, kind, role, when) of every notice of the alerts that `parameters` choose, in the order of time."""
        once = {
            notice["notice_id"]: (alert["level"], alert["kind"], notice["role"], shanghai(notice["at"]))
            for alert in self.alerts(limit=1000, **parameters)
            for notice in alert["notices"]
        }
        return sorted(once.values(), key=lambda one: (one[3], one[0], one[2]))

    def pages(self, **parameters: Any) -> list[tuple[str, str]]:
        """(kind, when) of every page of the whole house, whatever it is about; `case_id` chooses."""
        found = self.alerts(level="page", limit=1000, **parameters)
        return [(alert["kind"], shanghai(alert["raised_at"])) for alert in found]

    def mails(self) -> list[dict[str, Any]]:
        """The mails in the mailbox, oldest first."""
        found: list[dict[str, Any]] = self.get("/v1/mailbox")["mails"]
        return sorted(found, key=lambda mail: (mail["sent_at"], mail["to"], mail["subject"]))

    def deliveries(self, **parameters: Any) -> list[dict[str, Any]]:
        """What was sent to whom, with every try."""
        found: list[dict[str, Any]] = self.get("/v1/deliveries", **parameters)["deliveries"]
        return found

    def acknowledge(self, alert: Mapping[str, Any], by: str = "safety_physician") -> dict[str, Any]:
        """A person answers an alert."""
        answer = self.ask("POST", f"/v1/alerts/{alert['alert_id']}/acknowledgements", by=by)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    def submit(self, clock: Mapping[str, Any], at: str, **facts: Any) -> dict[str, Any]:
        """What the safety team enters as sent for a clock, kept; `facts` replace the kind and the reference."""
        answer = self.try_to_submit(clock, at, **facts)
        assert answer.status_code == 201, f"{answer.status_code}: {answer.text}"
        entered: dict[str, Any] = answer.json()
        return entered

    def try_to_submit(
        self, clock: Mapping[str, Any], at: str, by: str = "safety_team", **facts: Any
    ) -> httpx.Response:  # fmt: skip
        """The same, however that is answered."""
        body = {"at": at, "kind": "initial", "reference": f"sent {at}", **facts}
        return self.ask("POST", f"/v1/clocks/{clock['clock_id']}/submissions", body, by=by)

    def answer_submission(
        self, entered: Mapping[str, Any], at: str, outcome: str = "accepted", **facts: Any
    ) -> dict[str, Any]:  # fmt: skip
        """What the other side said to what `submit` answered; kept. A rejection needs `reason`."""
        answer = self.try_to_answer_submission(entered, at, outcome, **facts)
        assert answer.status_code == 201, f"{answer.status_code}: {answer.text}"
        answered: dict[str, Any] = answer.json()
        return answered

    def try_to_answer_submission(
        self, entered: Mapping[str, Any], at: str, outcome: str = "accepted", by: str = "safety_team", **facts: Any
    ) -> httpx.Response:  # fmt: skip
        """The same, however that is answered."""
        path = f"/v1/clocks/{entered['clock_id']}/submissions/{entered['submission_id']}/acknowledgements"
        return self.ask("POST", path, {"at": at, "outcome": outcome, **facts}, by=by)

    def sign(self, case_id: str, decision: str, reason: str, **facts: Any) -> dict[str, Any]:
        """A decision about a case, signed by a safety physician (`by`) and in force."""
        answer = self.try_to_sign(case_id, decision, reason, **facts)
        assert answer.status_code == 201, f"{answer.status_code}: {answer.text}"
        decided: dict[str, Any] = answer.json()
        return decided

    def try_to_sign(
        self, case_id: str, decision: str, reason: str, by: str = "safety_physician", **facts: Any
    ) -> httpx.Response:  # fmt: skip
        """The same, however that is answered."""
        signature = {"password": PASSWORD, "meaning": decision.replace("_", " ")}
        body = {"decision": decision, "reason": reason, "signature": signature, **facts}
        return self.ask("POST", f"/v1/assessments/{case_id}", body, by=by)

    def decide_duplicate(self, case_id: str, reason: str, by: str = "safety_physician", **facts: Any) -> dict[str, Any]:
        """That a case and the one it may repeat tell of the same, signed; `keep` names the one that stays."""
        [pair] = self.get("/v1/duplicates", case_id=case_id)["duplicates"]
        signature = {"password": PASSWORD, "meaning": "approval"}
        body = {"decision": "duplicate", "reason": reason, "signature": signature, **facts}
        answer = self.ask("POST", f"/v1/duplicates/{pair['duplicate_id']}/decisions", body, by=by)
        assert answer.status_code == 201, f"{answer.status_code}: {answer.text}"
        decided: dict[str, Any] = answer.json()
        return decided

    def webhook(self, url: str, role: str = "all", study: str = STUDY) -> str:
        """A receiver of what rings this role; its secret."""
        with self.store("alerting") as store, store.transaction() as tx:
            return add_webhook(tx, study, role, url, _ADDED_AT, who="a story")

    # The house

    @contextmanager
    def store(self, service: str) -> Iterator[Store]:
        """The database of one service, beside the running house."""
        assert service in SERVICES
        store = open_store(f"sqlite:///{self.data / service}.db", service)
        try:
            yield store
        finally:
            store.close()

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.process.kill()

    def end(self) -> None:
        """For the end of a story, whatever happened in it."""
        self._http.close()
        self.process.kill()

    def start_again(self, *words: str) -> None:
        """Start it on the same folder, after `kill`."""
        self.process = _start(self.folder, self.settings, words)


@contextmanager
def rehearsal(
    folder: Path,
    at: str | None = AT,
    *,
    studies: Sequence[Path] = STUDIES[:1],
    words: Sequence[str] = (),
    **settings: str,
) -> Iterator[Rehearsal]:
    """A rehearsal house on `folder`/data, serving these study files, until the block is left."""
    known = {"TOCSIN_STUDIES": ":".join(map(str, studies)), "TOCSIN_LOG_LEVEL": "warning", **settings}
    first = (*words, *(("--at", at) if at is not None else ()))
    house = Rehearsal(folder, _start(folder, known, first), known)
    try:
        yield house
    finally:
        house.end()


def printed_login(said: str) -> tuple[str, str]:
    """The site key and the password of `admin` that the first start printed."""
    key, password = re.search(r"tocsin_site_\S+", said), re.search(r"name admin, password (\S+)", said)
    assert key is not None
    assert password is not None
    return key[0], password[1]


def _start(folder: Path, settings: Mapping[str, str], words: Sequence[str]) -> Process:
    run = ["up", "--rehearsal", "--data", str(folder / "data"), "--port", "0", *words]
    return Process.fork(run, folder, "/v1/rehearsal/now", **settings)


def _taken(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, f"{answer.status_code}: {answer.text}"
    receipt: dict[str, Any] = answer.json()
    return receipt
