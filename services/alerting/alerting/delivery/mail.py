"""Mail by SMTP. The one file that knows smtplib.

A connection is kept while there is something to send and closed when there is not. What a server refuses for good
(5xx for this address or this mail) is given up at once, so that the alarm about it comes at once; everything else is
tried again. A login that is refused is tried again as well: a person can mend it, and the watcher says so meanwhile.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Literal, cast
from urllib.parse import parse_qs, unquote, urlsplit

from alerting.delivery.letter import letter
from alerting.delivery.outcome import Delivered, GiveUp, Outcome, TryAgain
from alerting.delivery.parcel import Parcel
from tocsin.errors import SettingsError

TIMEOUT_S = 15.0
_FORM = (
    "smtp://user:password@host:587?starttls=require, smtp://host:25?starttls=never or smtps://user:password@host:465"
)


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in, and how. The password is never printed."""

    host: str
    port: int
    is_tls: bool
    starttls: Literal["require", "if_offered", "never"]
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"<Server {self.host}:{self.port}>"

    @classmethod
    def of(cls, url: str) -> Server:
        """The server that a setting names. Without a word on STARTTLS it is used where it is offered.

        Raises SettingsError without repeating the address: it holds a password.
        """
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        starttls = options.pop("starttls", ["if_offered"])[-1]
        try:
            port = parts.port
        except ValueError:
            port = -1
        wrong = (
            options or starttls not in ("require", "if_offered", "never") or parts.path not in ("", "/") or port == -1
        )
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or wrong:
            raise SettingsError(f"TOCSIN_SMTP_URL cannot be read; it must look like {_FORM}")
        is_tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=port or (465 if is_tls else 587),
            is_tls=is_tls,
            starttls=cast('Literal["require", "if_offered", "never"]', "never" if is_tls else starttls),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class Mail:
    """A deliverer of mail. Not thread-safe."""

    def __init__(
        self, server: Server, sender: str, *, timeout_s: float = TIMEOUT_S, is_rehearsal: bool = False
    ) -> None:
        self._server = server
        self._sender = sender
        self._is_rehearsal = is_rehearsal
        self._timeout_s = timeout_s
        self._open: smtplib.SMTP | None = None

    def send(self, parcel: Parcel) -> Outcome:
        """Hand one mail to the server."""
        mail = letter(
            parcel.bell,
            notice_id=str(parcel.notice_id),
            sender=self._sender,
            to=parcel.address,
            is_rehearsal=self._is_rehearsal,
        )
        try:
            connection = self._connected()
        except smtplib.SMTPResponseException as error:
            self._drop()
            return TryAgain(f"the mail server refuses us: {_said(error.smtp_code, error.smtp_error)}")
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return TryAgain(f"the mail server does not answer: {type(error).__name__}: {error}"[:300])
        try:
            connection.send_message(mail, from_addr=self._envelope_sender(), to_addrs=[parcel.address])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = error.recipients[parcel.address]
            return _refused("the address is refused", code, said)
        except smtplib.SMTPSenderRefused as error:
            self._drop()
            return TryAgain(f"our sender address is refused: {_said(error.smtp_code, error.smtp_error)}")
        except smtplib.SMTPResponseException as error:
            self._drop()
            return _refused("the mail is refused", error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError as error:
            return GiveUp(f"the mail server cannot carry this address: {error}")
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return TryAgain(f"the connection was lost: {type(error).__name__}: {error}"[:300])
        return Delivered(f"taken by {self._server.host}:{self._server.port}")

    def rest(self) -> None:
        """Say goodbye to the server."""
        if self._open is not None:
            with contextlib.suppress(
                OSError, smtplib.SMTPException
            ):  # It may have gone first: nothing was asked of it.
                self._open.quit()
            self._drop()

    def _envelope_sender(self) -> str:
        return parseaddr(self._sender)[1]

    def _connected(self) -> smtplib.SMTP:
        if self._open is not None:
            try:
                if self._open.noop()[0] == 250:
                    return self._open
            except (OSError, smtplib.SMTPException):
                pass  # It hung up meanwhile: a new connection says whether anything is wrong.
            self._drop()
        server = self._server
        if server.is_tls:
            self._open = smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._timeout_s, context=ssl.create_default_context()
            )
        else:
            self._open = smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        self._open.ehlo_or_helo_if_needed()
        if server.starttls == "require" or (server.starttls == "if_offered" and self._open.has_extn("starttls")):
            self._open.starttls(context=ssl.create_default_context())
        if server.user is not None:
            self._open.login(server.user, server.password or "")
        return self._open

    def _drop(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _refused(what: str, code: int, said: bytes | str) -> Outcome:
    why = f"{what}: {_said(code, said)}"
    return GiveUp(why) if 500 <= code < 600 else TryAgain(why)


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {text}"[:300]
