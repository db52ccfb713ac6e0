"""Webhooks, signed as the Standard Webhooks specification says. The one file of this service that knows httpx.

Only 2xx is success. A redirect is a failure and is never followed; 410 means that the address wants no more. The
connection goes to the address that was checked (`addresses`), TLS is checked against the host's name.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from standardwebhooks.webhooks import Webhook

from alerting.delivery.addresses import LOOPBACK, Forbidden, Resolve, resolve, target
from alerting.delivery.bell import HEARTBEAT, TEST, Bell
from alerting.delivery.outcome import Delivered, GiveUp, Outcome, TryAgain
from alerting.delivery.parcel import Parcel
from tocsin.now import Now

CONNECT_S, READ_S, WHOLE_S = 5.0, 10.0, 20.0
MOST_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook goes and what signs it: one secret, or two while the receiver changes over."""

    url: str
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return "<Endpoint>"


Find = Callable[[str], Endpoint | None]
"""From a webhook's id to its endpoint; None when it is disabled or gone."""


class Webhooks:
    """A deliverer of webhooks. Not thread-safe: one for each worker."""

    def __init__(
        self,
        find: Find,
        wall: Now,
        *,
        allow: Collection[str] = (),
        is_rehearsal: bool = False,
        look_up: Resolve = resolve,
        whole_s: float = WHOLE_S,
        read_s: float = READ_S,
    ) -> None:
        self._find = find
        self._wall = wall
        # A rehearsal calls receivers on this machine, and no other, whatever the settings say.
        self._allow = frozenset((LOOPBACK,) if is_rehearsal else allow)
        self._is_rehearsal = is_rehearsal
        self._look_up = look_up
        self._whole_s = whole_s
        # No proxies or .netrc from the environment: the address called must be the address checked.
        self._client = httpx.Client(
            timeout=httpx.Timeout(read_s, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
        )

    def send(self, parcel: Parcel) -> Outcome:
        """Post one notice."""
        endpoint = self._find(parcel.address)
        if endpoint is None:
            return GiveUp("this webhook is disabled or gone")
        try:
            to = target(endpoint.url, self._allow, self._look_up, only_loopback=self._is_rehearsal)
        except Forbidden as why:
            return GiveUp(f"the address may not be called: {why}")
        except (OSError, UnicodeError) as error:
            return TryAgain(f"the host's name gives no address: {type(error).__name__}")
        body = payload(parcel.bell, is_rehearsal=self._is_rehearsal)
        sent_at = self._wall()
        signatures = [Webhook(secret).sign(str(parcel.notice_id), sent_at, body) for secret in endpoint.secrets]
        request = self._client.build_request(
            "POST",
            to.url,
            content=body.encode(),
            headers={
                "host": to.host_header,
                "content-type": "application/json",
                "user-agent": "Tocsin",
                "webhook-id": str(parcel.notice_id),
                "webhook-timestamp": str(int(sent_at.timestamp())),
                "webhook-signature": " ".join(signatures),
            },
            extensions={"sni_hostname": to.host},
        )
        begun = time.monotonic()
        try:
            response = self._client.send(request, stream=True)
            try:
                status, start = response.status_code, self._read(response, begun)
            finally:
                response.close()
        except httpx.TimeoutException:
            return TryAgain(f"no whole answer within {time.monotonic() - begun:.1f} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return TryAgain(f"the connection failed: {type(error).__name__}: {error}"[:300])
        return judge(status, start, response.headers.get("retry-after"), self._wall())

    def rest(self) -> None:
        """Nothing is held open between sends."""

    def _read(self, response: httpx.Response, begun: float) -> str:
        """The start of the answer, at most 64 kB and until the time is up; the rest is not read."""
        found = bytearray()
        for piece in response.iter_raw():
            found += piece
            if len(found) >= MOST_READ:
                break
            if time.monotonic() - begun > self._whole_s:
                raise httpx.ReadTimeout("the answer took too long")
        return found[:200].decode("utf-8", "replace")


def judge(status: int, start: str, retry_after: str | None, now: datetime) -> Outcome:
    """What an HTTP status means here."""
    said = f"{status}: {start}" if start else str(status)
    if 200 <= status < 300:
        return Delivered(said)
    if status == 410:
        return GiveUp("410: the address says that it wants no more", disable=True)
    if 300 <= status < 400:
        return TryAgain(f"{status}: a redirect is a failure and is not followed")
    return TryAgain(said, after=_wait(retry_after, now))


def payload(bell: Bell, *, is_rehearsal: bool = False) -> str:
    """The body: thin, and the same at every try. That of a rehearsal says so, beside the type."""
    own = {TEST: "contact.test", HEARTBEAT: "heartbeat"}
    kind = own.get(bell.kind, "alert.raised" if bell.step == 0 else "alert.escalated")
    data = {
        "alert_id": bell.alert_id,
        "case_id": bell.case_id,
        "kind": bell.kind,
        "urgency": bell.level,
        "due_date": bell.due.on.isoformat() if bell.due else None,
        "link": bell.link,
    }
    timestamp = bell.sent_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    says = {"rehearsal": True} if is_rehearsal else {}
    return json.dumps({"type": kind, **says, "timestamp": timestamp, "data": data}, separators=(",", ":"))


def _wait(retry_after: str | None, now: datetime) -> timedelta | None:
    """Seconds, or an HTTP date; what cannot be read asks for nothing."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return timedelta(seconds=min(int(retry_after), 10**6))
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(at.astimezone(UTC) - now, timedelta(0)) if at.tzinfo else None
