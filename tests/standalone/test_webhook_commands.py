"""`tocsin webhooks` and `tocsin contacts`: who is rung, exchanged secrets, trying an address before it is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from alerting import webhooks
from alerting.app import prepare
from standalone.__main__ import main
from standalone.study_files import load_studies
from tocsin.store.engine import Store, open_store

URL = "https://hooks.example.org/tocsin"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'alerting.db'}", "alerting")
    prepare(opened, load_studies([]))
    yield opened
    opened.close()


class Shell:
    """Runs commands on the data folder; answers (exit code, what was printed, what went to the error channel)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path) -> None:
        self._monkeypatch, self._capsys, self._data = monkeypatch, capsys, data

    def __call__(self, *words: str) -> tuple[object, str, str]:
        self._capsys.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["tocsin", *words, "--data", str(self._data)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = self._capsys.readouterr()
        return ended.value.code or 0, told.out, told.err


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: Store, tmp_path: Path
) -> Shell:  # fmt: skip
    return Shell(monkeypatch, capsys, tmp_path)


def one_of(store: Store) -> webhooks.Receiver:
    with store.reading() as tx:
        (found,) = webhooks.listed(tx)
    return found


def test_a_secret_is_printed_when_it_is_made_and_never_again(run: Shell, store: Store) -> None:
    code, first, _ = run("webhooks", "add", URL, "--study", "all")
    assert (code, first.startswith("whsec_")) == (0, True)
    hook = str(one_of(store).id)
    code, second, _ = run("webhooks", "rotate", hook, "--by", "Lin Wei")
    assert (code, second.startswith("whsec_"), second != first) == (0, True, True)
    code, listed, _ = run("webhooks", "list")
    assert code == 0
    assert f"{hook}  {URL}  all: all  enabled, two secrets sign until " in listed
    assert first.strip() not in listed
    assert second.strip() not in listed
    code, _, why = run("webhooks", "rotate", hook, "--by", "Lin Wei")
    assert (code, "two secrets sign until" in why) == (1, True)


def test_a_receiver_is_disabled_with_a_reason_and_enabled_again(run: Shell, store: Store) -> None:
    run("webhooks", "add", URL, "--study", "all")
    hook = str(one_of(store).id)
    assert run("webhooks", "disable", hook, "--by", "Lin Wei", "--reason", "moved")[0] == 0
    assert "DISABLED: moved" in run("webhooks", "list")[1]
    assert run("webhooks", "enable", hook, "--by", "Lin Wei")[0] == 0
    assert one_of(store).disabled_at is None


def test_what_is_not_there_is_told(run: Shell) -> None:
    code, _, why = run("webhooks", "enable", str(UUID(int=7)), "--by", "Lin Wei")
    assert (code, "there is no webhook 00000000-0000-0000-0000-000000000007" in why) == (1, True)
    code, _, why = run("contacts", "test", "nobody@elsewhere.invalid", "--by", "Lin Wei")
    assert (code, "nobody here is reached at nobody@elsewhere.invalid" in why) == (1, True)


def test_contacts_are_listed_and_a_test_that_nobody_sends_says_so(run: Shell) -> None:
    """No house runs here, so the trial waits: that is said, and the exit code is 1."""
    code, listed, _ = run("contacts", "list")
    assert code == 0
    assert "mail    safety-physician@sponsor.invalid  [NCT06223646: safety_physician]  never used" in listed
    code, told, _ = run("contacts", "test", "safety-physician@sponsor.invalid", "--by", "Lin Wei", "--seconds", "0")
    assert code == 1
    assert told.splitlines() == [
        "safety-physician@sponsor.invalid: pending",
        "1 of 1 were not delivered within 0 s; is the house running?",
    ]
