"""The releases that the proof restarts a house to: what each of them writes and reads, in a process of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from chaos.releases import FIELD, Release, become, is_of_the_next, is_too_new

from tests.messages.test_envelope import received, report
from tests.support.warm import fork
from tocsin.errors import Poison
from tocsin.messages.envelope import encode
from tocsin.messages.reading import decode


def read_and_written(release: Release) -> None:
    """What a process of this release makes of a message of today's and of the next one, and what it writes itself."""
    old = encode(report())
    new = replace(old, value=old.value[:-1] + b',"said_by_the_next_release":"yes"}')
    become(release)
    said: dict[str, object] = {"writes": FIELD in json.loads(encode(report()).value)}
    for name, one in (("old", old), ("new", new)):
        try:
            body = decode(received(one)).body
            kept = body.model_dump(mode="json", by_alias=True, exclude_unset=True)
            said[name] = kept == json.loads(one.value) and body.model_dump().get(FIELD, "no") == said_in(one.value)
        except Poison as poison:
            said[name] = f"Poison: {poison}"
    print(json.dumps(said))


def said_in(value: bytes) -> str:
    found: str = json.loads(value).get(FIELD, "no")
    return found


def told_by(release: Release, folder: Path) -> dict[str, object]:
    out = folder / "said"
    assert fork(read_and_written, (release,), out).wait(60) == 0, out.read_text("utf-8")
    found: dict[str, object] = json.loads(out.read_text("utf-8"))
    return found


def test_today_s_reader_gives_up_what_the_next_release_wrote_and_names_the_field(tmp_path: Path) -> None:
    found = told_by(Release.TODAY, tmp_path)

    assert found == {
        "writes": False,
        "old": True,
        "new": "Poison: reports.received.v1 breaks its contract at /said_by_the_next_release: "
        "Extra inputs are not permitted",
    }
    assert is_too_new(str(found["new"]))


@pytest.mark.parametrize(("release", "writes"), [(Release.BETWEEN, False), (Release.NEXT, True)])
def test_a_later_release_reads_both_and_loses_no_field(release: Release, writes: bool, tmp_path: Path) -> None:
    assert told_by(release, tmp_path) == {"writes": writes, "old": True, "new": True}


@pytest.mark.parametrize(
    "error",
    [
        "Poison: reports.received.v1 breaks its contract at /site: Field required",
        "Poison: reports.received.v1 breaks its contract at /site: Field required; "
        "/said_by_the_next_release: Extra inputs are not permitted",
        "KeyError: 'said_by_the_next_release'",
    ],
)
def test_a_message_that_was_given_up_for_anything_else_is_not_excused(error: str) -> None:
    assert not is_too_new(error)


def test_which_release_wrote_a_message_is_seen_in_its_bytes() -> None:
    value = encode(report()).value
    assert not is_of_the_next(value)
    assert is_of_the_next(value[:-1] + b',"said_by_the_next_release":"yes"}')
