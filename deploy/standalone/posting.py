"""Posts to a running Tocsin: reports, several at once, not giving up while it is away; lists. The CLI's HTTP client.

A report goes out again after a lost connection, a time-out, 429 and 503, with growing pauses (or `Retry-After`): the
idempotency key makes that safe. Anything else is an answer.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from tocsin.errors import Refused, TocsinError, Wrong

AT_ONCE = 8
_TRY_AGAIN = (429, 502, 503, 504)
_LONGEST_PAUSE_S = 5.0


class NotOurs(TocsinError):
    """The address or the key is wrong: no report will go through, so the rest is not tried."""


@dataclass(frozen=True, slots=True)
class ToPost:
    """One report: what to call it, its idempotency key and its body."""

    name: int
    key: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one report. `problems` are the server's findings (refused) or why it was never sent."""

    name: int
    outcome: Literal["accepted", "already_known", "refused", "unsent"]
    receipt: Mapping[str, Any]
    problems: tuple[str, ...] = ()


class Poster:
    """Posts to one address under one key. `patience_s`: how long the server may be away, all in all, without a sign."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        at_once: int = AT_ONCE,
        patience_s: float = 300.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._client = httpx.Client(
            base_url=_address(url),
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(30.0, connect=5.0),
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
            transport=transport,
        )
        self._at_once = at_once
        self._patience_s = patience_s
        self._heard_at = time.monotonic()
        self._stop = threading.Event()

    def post_all(self, reports: Sequence[ToPost], done: Callable[[Answer], None]) -> None:
        """Post every report; `done` is called on this thread, in the order of the reports. Raises NotOurs."""
        self._heard_at = time.monotonic()
        with self._client, ThreadPoolExecutor(self._at_once, thread_name_prefix="post") as pool:
            try:
                for answer in pool.map(self._post, reports):
                    done(answer)
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _post(self, report: ToPost) -> Answer:
        may_be_there = False
        tries = 0
        why = "stopped"
        while not self._stop.is_set():
            pause = min(_LONGEST_PAUSE_S, 0.1 * 2**tries)
            tries += 1
            try:
                response = self._client.post("v1/reports", json=report.body, headers={"Idempotency-Key": report.key})
            except httpx.TransportError as error:
                may_be_there = True  # The request may have been kept and only its answer lost.
                why = f"{type(error).__name__}: {error}"
            else:
                if response.status_code not in _TRY_AGAIN:
                    self._heard_at = time.monotonic()
                    return self._read(report, response, may_be_there)
                may_be_there = may_be_there or response.status_code in (502, 504)
                why = f"the server answers {response.status_code}"
                pause = max(pause, _retry_after_s(response))
            if time.monotonic() - self._heard_at > self._patience_s:
                self._stop.set()
                break
            self._stop.wait(pause * random.uniform(0.7, 1.0))  # noqa: S311  only spreads the load
        return Answer(report.name, "unsent", {}, (f"not sent, the server is away ({why})",))

    def _read(self, report: ToPost, response: httpx.Response, may_be_there: bool) -> Answer:
        if response.status_code == 401:
            raise NotOurs(f"the key is not accepted: {'; '.join(_problems(response))}")
        if response.status_code in (404, 405):
            raise NotOurs(f"{response.url} answers {response.status_code}: no Tocsin is there")
        try:
            content = response.json()
        except ValueError:
            content = None
        if response.is_success and isinstance(content, dict) and "case_id" in content:
            replayed = response.headers.get("Idempotent-Replay", "").lower() == "true"
            return Answer(report.name, "already_known" if replayed and not may_be_there else "accepted", content)
        return Answer(report.name, "refused", {}, _problems(response))


class Desk:
    """A session at one address, of a person or with a key. What is refused raises Refused with its places."""

    def __init__(self, url: str, token: str | None = None, *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(300.0, connect=5.0)  # A long list against many cases takes its time.
        self._client = httpx.Client(base_url=_address(url), headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sign_in(self, name: str, password: str) -> None:
        """Go on as this person."""
        session = self._asked("v1/sessions", json={"name": name, "password": password})
        self._client.headers["Authorization"] = f"Bearer {session['token']}"

    def send_list(self, text: str, about: Mapping[str, str]) -> dict[str, Any]:
        """Have a list of serious events compared; `about` says of which study, site and source it is."""
        headers = {"Content-Type": "text/csv; charset=utf-8"}
        return self._asked("v1/reconciliations", params=dict(about), content=text.encode(), headers=headers)

    def ask(
        self, method: str, path: str, body: object = None, *, within_s: float = 60.0, key: str | None = None,
        **parameters: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Any call of the API, as this person or site. `key`: the idempotency key of what is posted."""
        headers = {"Idempotency-Key": key} if key else {}
        return self._asked(path, method, json=body, params=parameters, headers=headers, timeout=within_s)

    def close(self) -> None:
        self._client.close()

    def _asked(self, path: str, method: str = "POST", **how: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **how)
            content = response.json()
        except httpx.TransportError as error:
            raise NotOurs(f"{self._client.base_url} does not answer ({type(error).__name__})") from None
        except ValueError:
            raise NotOurs(f"{response.url} answers {response.status_code} without JSON: no Tocsin is there") from None
        if not response.is_success or not isinstance(content, dict):
            wrong = content.get("errors", []) if isinstance(content, dict) else []
            title = content.get("title") if isinstance(content, dict) else None
            places = [Wrong(str(w.get("pointer")), str(w.get("problem")), w.get("allowed")) for w in wrong]
            raise Refused(str(title or f"{response.url} answers {response.status_code}"), places)
        return content


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotOurs(f"{url!r} is no address; it must look like https://tocsin.example.org")
    return url.rstrip("/") + "/"


def _problems(response: httpx.Response) -> tuple[str, ...]:
    """The findings of a problem+json answer, one line each."""
    try:
        content = response.json()
        title = str(content.get("title", "")) or f"answered {response.status_code}"
        detail = content.get("detail")
        found: Iterable[Mapping[str, Any]] = content.get("errors") or []
        lines = [
            f"{wrong.get('pointer') or '/'}: {wrong.get('problem')}"
            + (f"; allowed is {wrong['allowed']}" if wrong.get("allowed") else "")
            for wrong in found
        ]
    except (ValueError, AttributeError, TypeError):
        return (f"answered {response.status_code} without a problem document",)
    return tuple(lines) or (f"{title}: {detail}" if detail else title,)


def _retry_after_s(response: httpx.Response) -> float:
    try:
        return min(60.0, max(0.0, float(response.headers.get("Retry-After", "0"))))
    except ValueError:
        return 0.0
