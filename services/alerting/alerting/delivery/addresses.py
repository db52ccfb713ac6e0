"""Which webhook addresses may be called: checked after DNS, and the connection goes to the very address checked.

Loopback, private, link-local, metadata and every other special range is refused unless the settings allow it by name:
whoever may add a webhook must not be able to make this house call its own neighbours.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

LOOPBACK, PRIVATE = "loopback", "private"

Resolve = Callable[[str, int], list[str]]
"""From host and port to IP addresses as text. Raises OSError when there are none."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(Exception):
    """This address may not be called, and why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: `ip` was checked; `host` is for TLS and the Host header."""

    scheme: str
    host: str
    port: int
    ip: str
    path: str

    @property
    def url(self) -> str:
        """The address with the checked IP in the host's place."""
        ip = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{self.scheme}://{ip}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def resolve(host: str, port: int) -> list[str]:
    """The addresses that DNS gives, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_form(url: str) -> SplitResult:
    """The address, if it can be one at all: https or http, a host, no credentials. Raises Forbidden."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Forbidden(f"it is no address: {error}") from None
    if any(c.isspace() or ord(c) < 33 or c == "\\" for c in url):
        raise Forbidden("it holds blanks, control characters or backslashes")
    if parts.scheme not in ("https", "http"):
        raise Forbidden("it must begin with https://")
    if not parts.hostname:
        raise Forbidden("it names no host")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("it carries a user or a password; webhooks are signed instead")
    if port == 0:
        raise Forbidden("port 0 is no port")
    return parts


def target(url: str, allow: Collection[str], look_up: Resolve = resolve, *, only_loopback: bool = False) -> Target:
    """The address to connect to. Raises Forbidden, or OSError when DNS does not answer.

    Every address that DNS gives must be allowed: one bad one among them is enough to refuse.
    `only_loopback` refuses all but this machine's own addresses, public ones too.
    """
    parts = check_form(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = look_up(host, port)
    if not found:
        raise OSError(f"{host} has no address")
    ips = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    if only_loopback and not all(_plain(ip).is_loopback for ip in ips):
        raise Forbidden("this is a rehearsal, which calls only this machine's own addresses (loopback)")
    for ip in ips:
        check_ip(ip, allow)
    if parts.scheme == "http" and not all(_plain(ip).is_loopback for ip in ips):
        raise Forbidden("it must begin with https://; plain http is for this machine only")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, str(ips[0]), path)


def check_ip(ip: IpAddress, allow: Collection[str]) -> None:
    """Raises Forbidden unless this address is public, or its kind is allowed."""
    plain = _plain(ip)
    if plain.is_loopback:
        if LOOPBACK not in allow:
            raise Forbidden("it is this machine's own address (loopback), which the settings do not allow")
        return
    is_site_local = isinstance(plain, ipaddress.IPv6Address) and plain.is_site_local  # old, and routed inside still
    if plain.is_link_local or is_site_local or plain.is_multicast or plain.is_unspecified or plain.is_reserved:
        raise Forbidden("it is a link-local, metadata, multicast or reserved address")
    if not plain.is_global and (PRIVATE not in allow or not plain.is_private):
        raise Forbidden("it is an address inside a private network, which the settings do not allow")


def _plain(ip: IpAddress) -> IpAddress:
    """The IPv4 address inside an IPv6 one (mapped, 6to4, NAT64, Teredo), where there is one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if ip in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
