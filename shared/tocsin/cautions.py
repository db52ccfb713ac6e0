"""What is legal but harmful about the settings: said aloud at every start, and by `tocsin doctor`."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from tocsin.settings import PREFIX, SECRETS, Settings, variable_of

_NOT_SETTINGS = ("TOCSIN_TEST_", "TOCSIN_REQUIRE_", "TOCSIN_REFERENCE", "TOCSIN_KEY")


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """The `TOCSIN_` variables that are no setting: likely misspelt, so that the meant one is not set."""
    known = {variable_of(name) for name in Settings.model_fields} | {f"{variable_of(name)}_FILE" for name in SECRETS}
    return sorted(
        name for name in environ if name.startswith(PREFIX) and name not in known and not name.startswith(_NOT_SETTINGS)
    )


def cautions(settings: Settings, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is legal but harmful about these settings, one sentence each, saying what to do. Said aloud at start."""
    found: list[str] = []
    if settings.smtp_url is None:
        mailbox = settings.data.absolute() / "mailbox"
        found.append(f"No mail server is set: mail goes to {mailbox} and reaches nobody. Set TOCSIN_SMTP_URL.")
    else:
        smtp = urlsplit(settings.smtp_url.get_secret_value())
        if smtp.scheme == "smtp" and "starttls=require" not in smtp.query and not is_loopback(smtp.hostname):
            found.append("Mail may travel in the clear: add ?starttls=require to TOCSIN_SMTP_URL, or use smtps://.")
        if settings.mail_from == Settings.model_fields["mail_from"].default:
            found.append("Mail is sent from tocsin@localhost, which most servers refuse. Set TOCSIN_MAIL_FROM.")
    public = urlsplit(settings.public_url)
    if public.scheme == "http" and not is_loopback(public.hostname):
        found.append(
            f"{settings.public_url} is not encrypted: keys, passwords and reports can be read on the way. "
            "Put a proxy with TLS in front and set TOCSIN_PUBLIC_URL to its https:// address."
        )
    if settings.failed_sign_ins and not settings.proxies and not is_loopback(public.hostname) and (
        public.scheme == "https" or public.hostname != settings.host
    ):  # fmt: skip
        found.append(
            "A proxy seems to be in front, and TOCSIN_PROXIES names none: all people share one address, and a stranger "
            "who fails to sign in often enough keeps everybody out. Name the proxy's address, or `private`."
        )
    if settings.bus.startswith("kafka:") and settings.kafka_replication == 1:
        found.append(
            "Kafka keeps one copy of each message: a lost disk loses what is on it. "
            "With three brokers set TOCSIN_KAFKA_REPLICATION=3."
        )
    if settings.webhook_allow:
        found.append(
            f"Webhooks may go to {' and '.join(settings.webhook_allow)} addresses, so that whoever may set a webhook "
            "can reach the inner network. Empty TOCSIN_WEBHOOK_ALLOW unless a receiver is there."
        )
    found += [
        f"{name} is no setting and does nothing: is it misspelt? docs/settings.md has all of them."
        for name in unknown_variables(os.environ if environ is None else environ)
    ]
    return found


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine. A name is only taken for it when it is `localhost`."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
