"""Which addresses a webhook may go to."""

from __future__ import annotations

import pytest

from alerting.delivery.addresses import Forbidden, Target, resolve, target


def dns(*ips: str) -> object:
    return lambda host, port: list(ips)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example/x",
        "file:///etc/passwd",
        "gopher://hooks.example",
        "https://",
        "//hooks.example/x",
        "hooks.example/x",
        "https://user:secret@hooks.example/x",
        "https://user@hooks.example/x",
        "https://hooks.example:0/x",
        "https://hooks.example:99999/x",
        "https://hooks.example/a b",
        "https://hooks.example\\@inner.example/",
        "https://hooks.example/\r\nHost: inner",
        "https://[::1/x",
    ],
)
def test_a_form_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        target(url, (), dns("93.184.215.14"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "10.0.0.1", "172.16.0.1",
        "192.168.1.1", "169.254.169.254", "fe80::1", "fd00::1", "100.64.0.1", "224.0.0.1", "ff02::1",
        "255.255.255.255", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "192.0.2.1", "198.18.0.1", "fd00:ec2::254", "240.0.0.1", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_inner_address_is_refused_whatever_name_leads_to_it(ip: str) -> None:
    with pytest.raises(Forbidden):
        target("https://hooks.example/x", (), dns(ip))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://localhost/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "http://127.0.0.1/",
    ],
)  # fmt: skip
def test_other_spellings_of_this_machine_are_refused_too(url: str) -> None:
    with pytest.raises((Forbidden, OSError)):
        target(url, (), resolve)


def test_one_inner_address_among_several_is_enough_to_refuse() -> None:
    with pytest.raises(Forbidden):
        target("https://hooks.example/x", (), dns("93.184.215.14", "10.0.0.1"))  # type: ignore[arg-type]


@pytest.mark.parametrize("ip", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0"])
def test_link_local_and_metadata_stay_refused_even_where_inner_networks_are_allowed(ip: str) -> None:
    with pytest.raises(Forbidden):
        target("https://hooks.example/x", ("loopback", "private"), dns(ip))  # type: ignore[arg-type]


def test_settings_may_allow_this_machine_and_the_private_network() -> None:
    assert target("http://localhost:8080/x", ("loopback",), dns("127.0.0.1")).ip == "127.0.0.1"  # type: ignore[arg-type]
    assert target("https://inner.example/x", ("private",), dns("10.0.0.1")).ip == "10.0.0.1"  # type: ignore[arg-type]


def test_plain_http_is_for_this_machine_only() -> None:
    with pytest.raises(Forbidden, match="https"):
        target("http://hooks.example/x", ("private",), dns("93.184.215.14"))  # type: ignore[arg-type]


def test_the_connection_goes_to_the_checked_address_under_the_hosts_name() -> None:
    found = target("https://hooks.example/x?y=1", (), dns("93.184.215.14"))  # type: ignore[arg-type]
    assert found == Target("https", "hooks.example", 443, "93.184.215.14", "/x?y=1")
    assert (found.url, found.host_header) == ("https://93.184.215.14:443/x?y=1", "hooks.example")


def test_an_ipv6_address_is_written_as_urls_write_it() -> None:
    found = target("https://hooks.example:8443/x", (), dns("2606:2800:21f:cb07:6820:80da:af6b:8b2c"))  # type: ignore[arg-type]
    assert found.url == "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/x"
    assert found.host_header == "hooks.example:8443"
