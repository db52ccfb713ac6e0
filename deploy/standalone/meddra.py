"""`tocsin meddra`: a licensed MedDRA, loaded from the files that its subscribers receive."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tocsin.errors import SettingsError

if TYPE_CHECKING:
    from meddra_coder.impact import Impact
    from tocsin.now import Now
    from tocsin.store.engine import Store

meddra = typer.Typer(help="A licensed MedDRA.", no_args_is_help=True)


@meddra.callback()
def _meddra() -> None:
    """A licensed MedDRA."""


@meddra.command("load")
def load(
    folder: Annotated[
        Path, typer.Argument(help="The folder with the twelve .asc files.", exists=True, file_okay=False, readable=True)
    ],
    version: Annotated[str, typer.Option(help="The version of MedDRA that it is, for example 28.1.")],
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Load a version of MedDRA beside those that are there. Works beside a running house.

    Every file is checked first; one that is damaged changes nothing, and each finding says file and line. No study is
    coded with the new version before somebody decides it.

    Example: tocsin meddra load MedAscii --version 28.1
    """
    from meddra_coder.dictionary.versions import keep, read
    from standalone.progress import progress
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    with open_existing(settings, "coder") as store:
        with progress("Reading terms") as tell:
            distribution, image = read(folder, version, tell)
        with store.transaction() as tx:
            is_new = keep(tx, distribution, image, version, at=time_of(settings)())
    found = {
        "version": version,
        "new": is_new,
        "terms": len(distribution.llts),
        "preferred_terms": len(distribution.pts),
        "encoding": distribution.encoding,
        "fingerprint": distribution.fingerprint,
    }
    if as_json:
        print(json.dumps(found, indent=2))
        return
    what = "loaded" if is_new else "was loaded already, the same"
    print(f"MedDRA {version} {what}: {found['terms']} lowest level terms, {found['preferred_terms']} preferred terms")


_DATA = Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")]
_VERSION = Annotated[str, typer.Argument(help="A loaded version, for example 28.1; ctcae for the shipped dictionary.")]
_STUDY = Annotated[str, typer.Option(help="The study, for example NCT06223646.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@meddra.command("list")
def list_versions(data: _DATA = None, as_json: _JSON = False) -> None:
    """The dictionaries that are here, and which studies use them.

    Example: tocsin meddra list
    """
    from meddra_coder import version_use
    from meddra_coder.coders import Coders

    with _opened(data) as (store, studies, _), store.reading() as tx:
        found = version_use.known(tx, Coders(), studies)
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
        return
    for one in found:
        when = f"loaded {one.loaded_at:%Y-%m-%d} by {one.loaded_by}" if one.loaded_at else "shipped"
        used = f"; used by {', '.join(one.studies)}" if one.studies else ""
        print(f"{one.dictionary}: {one.current_terms} current terms of {one.terms}, {when}{used}")


@meddra.command("impact")
def show_impact(version: _VERSION, study: _STUDY, data: _DATA = None, as_json: _JSON = False) -> None:
    """What moving a study to a version would do, event by event. Changes nothing.

    Example: tocsin meddra impact 29.0 --study NCT06223646
    """
    from meddra_coder import version_use
    from meddra_coder.coders import Coders

    with _opened(data) as (store, studies, _), store.reading() as tx:
        _must_serve(study, studies)
        found = version_use.report(tx, Coders(), study, version_use.named(version))
    print(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False) if as_json else _told(found))


@meddra.command("use")
def use(
    version: _VERSION,
    study: _STUDY,
    by: Annotated[str, typer.Option(help="Who decides this, by name: it stands on the record.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    take_better: Annotated[
        bool, typer.Option("--take-better", help="Give the machine's own codings the other term it is sure of now.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask after the report.")] = False,
    data: _DATA = None,
    as_json: _JSON = False,
) -> None:
    """Code a study with a version from now on: shows the report, asks, and says every case of the study again.

    Old codes stay readable at each case. Works beside a running house; its messages go out with the house's own.

    Example: tocsin meddra use 29.0 --study NCT06223646 --by "Lin Wei" --reason "the reporting version since May"
    """
    from meddra_coder import version_use
    from meddra_coder.coders import Coders

    with _opened(data) as (store, studies, now):
        _must_serve(study, studies)
        coders, wanted = Coders(), version_use.named(version)
        with store.reading() as tx:
            found = version_use.report(tx, coders, study, wanted)
        print(_told(found), file=sys.stderr)
        if not yes:
            typer.confirm(f"Code {study} with {found.after} from now on?", abort=True, err=True)
        facts = version_use.UseFacts(
            study=study, impact=found.fingerprint, better="take" if take_better else "keep", reason=reason
        )
        with store.transaction() as tx:
            applied = version_use.apply(tx, coders, facts, wanted, by=by, at=now())
    if as_json:
        print(json.dumps(applied.model_dump(mode="json"), indent=2))
        return
    numbers = ", ".join(f"{number} {outcome}" for outcome, number in applied.outcomes.items())
    print(f"{study} is coded with {applied.dictionary}; {applied.cases} cases said again: {numbers}")


@contextmanager
def _opened(data: Path | None) -> Iterator[tuple[Store, list[str], Now]]:
    """The coder's store, the studies served here, and the clock of the house."""
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from standalone.study_files import load_studies
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    with open_existing(settings, "coder") as store:
        yield store, sorted(load_studies(settings.studies)), time_of(settings)


def _must_serve(study: str, studies: list[str]) -> None:
    if study not in studies:
        raise SettingsError(f"no study {study!r}; served are {', '.join(studies)}")


def _told(found: Impact) -> str:
    """The report in lines for a terminal."""
    lines = [f"{found.study}: {found.after} instead of {found.before}, {found.events} events"]
    lines += [f"  {number:>5} {change.replace('_', ' ')}" for change, number in found.changes.items()]
    lines.append("  outcome: " + ", ".join(f"{number} {outcome}" for outcome, number in found.outcomes.items()))
    if found.behind:
        lines.append(f"  {found.behind} events are coded with another version than the study uses")
    for one in found.touched:
        what = one.change.value.replace("_", " ") + (f" ({', '.join(one.moved)})" if one.moved else "")
        code = f"{one.llt_code} {one.term}" if one.llt_code else "no code"
        better = f"; sure of {one.better.code} {one.better.term} now" if one.better else ""
        lines.append(f'  {one.event_id} "{one.verbatim}": {code}, {what}; {one.outcome.value}{better}')
    for synonym in found.synonyms:
        gone = synonym.change.value.replace("_", " ")
        lines.append(f'  synonym "{synonym.phrase}" ({synonym.scope}): {synonym.llt_code} is {gone}')
    return "\n".join(lines)
