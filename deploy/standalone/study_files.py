"""Which study files are served: those that were named, else every one of `deploy/protocols/`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.errors import SettingsError

if TYPE_CHECKING:
    from tocsin.domain.protocol import Protocol
    from tocsin.settings import Settings

_HERE = Path(__file__).resolve().parent
# In a checkout the files stand beside this package; in a wheel they are packed into it.
_PLACES = (_HERE.parent / "protocols", _HERE / "protocols")


def default_studies() -> list[Path]:
    """Every study file that comes with Tocsin, by name."""
    for place in _PLACES:
        if found := sorted(place.glob("*.toml")):
            return found
    raise SettingsError("no study file is there: name one with --study or TOCSIN_STUDIES")


def load_studies(named: Sequence[Path]) -> dict[str, Protocol]:
    """The studies by id. SettingsError for a file that is not there, ProtocolError for one that is wrong."""
    from tocsin.studies import load

    paths = list(named) or default_studies()
    if missing := [str(path) for path in paths if not path.is_file()]:
        raise SettingsError(f"no such study file: {', '.join(missing)}")
    return load(paths)


def say_departures(studies: Mapping[str, Protocol]) -> None:
    """Say aloud, at start, where a study departs from the stated defaults and from our clock rules."""
    from tocsin.departures import departures

    for protocol in studies.values():
        for sentence in departures(protocol):
            print(f"Caution: {sentence}", file=sys.stderr)


def must_be_known(settings: Settings, study: str) -> Protocol:
    """The study of that id. SettingsError when it is not among those that are served."""
    studies = load_studies(settings.studies)
    if study not in studies:
        raise SettingsError(f"no study {study!r}; served are {', '.join(sorted(studies))}")
    return studies[study]
