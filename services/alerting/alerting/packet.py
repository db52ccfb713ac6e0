"""The dose-review packet: one self-contained file of a study at a data cut, for the committee and for its archive.

The same facts and the same cut give the same bytes, by whichever way they are asked for: nothing in it tells when, by
whom or on which machine it was made. What stands on its pages stands in it as JSON too, under its hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerting import packet_board, packet_facts, packet_words
from alerting.canonical import plain, sha256_of
from alerting.instants import text
from alerting.parts import Parts
from tocsin import __version__
from tocsin.code_hash import code_hash
from tocsin.departures import departures
from tocsin.domain.protocol import Protocol
from tocsin.store.types import json_text
from tocsin.web.direction import set_apart, shown

if TYPE_CHECKING:
    from jinja2 import Environment

FORMAT: Final = 1
"""Raised when a program that reads the JSON of a packet would have to be changed."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A finished packet. `name`: of its file; `body`: the file itself, HTML in UTF-8."""

    name: str
    body: bytes

    @property
    def sha256(self) -> str:
        """Of the file, in hex."""
        return hashlib.sha256(self.body).hexdigest()


def packet(tx: Connection, parts: Parts, protocol: Protocol, as_of: datetime | None = None) -> Packet:
    """The packet of a study as of a data cut; without one, as of now, to the second where no fact is newer than that.

    Raises Refused for a cut that is still to come, or that lies before a fact that is held.
    """
    now = parts.now()
    facts = packet_facts.of_study(tx, protocol.id)
    cut = (as_of or _last_second(now, facts)).astimezone(UTC)
    packet_facts.must_hold(facts, cut, now)
    document = _document(tx, parts, protocol, facts, cut)
    return Packet(name_of(protocol, cut), _html(document).encode())


def _last_second(now: datetime, facts: packet_facts.Facts) -> datetime:
    """A moment that people can write down again; `now` itself where something became known since."""
    whole = now.replace(microsecond=0)
    return now if facts.newest is not None and facts.newest[0] > whole else whole


def name_of(protocol: Protocol, cut: datetime) -> str:
    """The name of the file: the study, and the cut to the minute in the study's own zone."""
    study = re.sub(r"[^A-Za-z0-9.-]+", "-", protocol.id)
    return f"dose-review_{study}_{cut.astimezone(protocol.receiver_zone):%Y-%m-%dT%H%M}.html"


def _document(
    tx: Connection, parts: Parts, protocol: Protocol, facts: packet_facts.Facts, cut: datetime
) -> dict[str, Any]:
    """Everything that the file says, as plain JSON values."""
    known = packet_board.of_cut(tx, parts, protocol, cut)
    board = packet_board.shown(known)
    judged = packet_board.judged_events(tx, parts, known)
    return {
        "document": "dose-review packet",
        "format": FORMAT,
        "study": protocol.id,
        "title": protocol.title,
        "product": protocol.product,
        "rehearsal": parts.is_rehearsal,
        "data_cut": {"at": text(cut), "zone": protocol.receiver_zone.key},
        "assumptions": list(dict.fromkeys([*board["assumptions"], *protocol.assumptions])),
        "departures": list(departures(protocol)),
        "board": board,
        "verdicts": [one for one in judged if one["was_ever_a_question"]],
        "never_a_question": [one for one in judged if not one["was_ever_a_question"]],
        "definition": None if protocol.dlt is None else packet_words.definition(protocol.dlt),
        "provenance": {
            "version": __version__,
            "code_sha256": code_hash(),
            "definition_sha256": definition_hash(protocol),
            "data_sha256": facts.sha256,
            "facts": dict(facts.counts),
            "newest_fact_at": None if facts.newest is None else text(facts.newest[0]),
        },
    }


def definition_hash(protocol: Protocol) -> str:
    """SHA-256 of what the study file says of dose-limiting toxicity and of the dose, as it was read."""
    return sha256_of(
        {
            "dlt": protocol.dlt,
            "dose": protocol.dose,
            "levels": protocol.levels,
            "crs": protocol.grading.crs,
            "ctcae": protocol.ctcae,
        }
    )


def _html(document: dict[str, Any]) -> str:
    from markupsafe import Markup  # late: start-up time

    embedded = embedded_json(document)
    zones = {one["subject"]: ZoneInfo(one["zone"]) for one in document["board"]["subjects"]}
    whole = (
        _templates()
        .get_template("packet.html")
        .render(
            **document,
            zone=ZoneInfo(document["data_cut"]["zone"]),
            zones=zones,
            standing=[one for one in document["board"]["holds"] if one["stands"]],
            past=[one for one in document["board"]["holds"] if not one["stands"]],
            excluded=[one for one in document["never_a_question"] if one["state"] != "none"],
            style=Markup(_file("packet.css")),  # noqa: S704 - a file of ours
            embedded=Markup(embedded),  # noqa: S704 - every angle bracket and ampersand in it is escaped
            packet_sha256=hashlib.sha256(embedded.encode()).hexdigest(),
        )
    )
    return "\n".join(_lines(shown(whole))) + "\n"


def embedded_json(document: object) -> str:
    """Canonical JSON that can stand in a page: what could end its block, or begin a tag, is written as an escape."""
    written = json_text(plain(document), sort_keys=True)
    for character in "<>&":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written


def _lines(whole: str) -> Iterable[str]:
    """Without the lines that only the template's own commands stood on."""
    return (line.rstrip() for line in whole.split("\n") if line.strip())


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # late: start-up time

    found = Environment(loader=PackageLoader("alerting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                        lstrip_blocks=True, finalize=set_apart)  # fmt: skip
    found.filters.update(packet_words.FILTERS)
    return found


@cache
def _file(name: str) -> str:
    return (files("alerting") / "templates" / name).read_text("utf-8")
