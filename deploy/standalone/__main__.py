"""The command `tocsin`. Each command has its own file and imports what it needs when it runs, not before."""

from __future__ import annotations

import sys

import typer

from standalone.audit_trail import audit
from standalone.backup import backup
from standalone.catch_up import catch_up
from standalone.code_terms import code
from standalone.contacts import contacts
from standalone.demo import demo
from standalone.doctor import doctor
from standalone.dose import dose
from standalone.dose_review import dose_review
from standalone.due_dates import due
from standalone.grade import grade
from standalone.import_ae import import_file
from standalone.meddra import meddra
from standalone.official_text import ctcae
from standalone.on_call import on_call
from standalone.people import users
from standalone.rebuild import rebuild
from standalone.reconcile import reconcile
from standalone.replay_dead import replay
from standalone.serve import serve
from standalone.site_keys import keys
from standalone.up import up
from standalone.webhook_receivers import webhooks
from tocsin.errors import ProtocolError, Refused, SettingsError, TocsinError

DONE, WRONG_INPUT, WRONG_USE = 0, 1, 2

app = typer.Typer(
    name="tocsin",
    help="Safety service for early-phase trials: intake, MedDRA coding, DLT and SAE alerting.",
    epilog="Exit codes: 0 done, 1 something in the input is wrong (each finding is printed), 2 wrong use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up)
app.command("serve")(serve)
app.command("demo")(demo)
app.add_typer(keys, name="keys")
app.add_typer(users, name="users")
app.add_typer(webhooks, name="webhooks")
app.add_typer(contacts, name="contacts")
app.add_typer(on_call, name="on-call")
app.command("import")(import_file)
app.command("code")(code)
app.add_typer(meddra, name="meddra")
app.add_typer(ctcae, name="ctcae")
app.command("due")(due)
app.command("dose")(dose)
app.command("dose-review")(dose_review)
app.add_typer(grade, name="grade")
app.command("reconcile")(reconcile)
app.command("replay")(replay)
app.command("backup")(backup)
app.command("catch-up")(catch_up)
app.command("rebuild")(rebuild)
app.add_typer(audit, name="audit")
app.command("doctor")(doctor)


def main() -> None:
    """Run one command; an error of ours is one line that says what to do, not a traceback."""
    try:
        app()
    except TocsinError as error:
        print(f"tocsin: {told(error)}", file=sys.stderr)
        sys.exit(exit_code_of(error))
    except ModuleNotFoundError as missing:
        if missing.name not in ("ae_intake", "meddra_coder", "alerting"):
            raise
        print(
            f"tocsin: {missing.name} is not in this image: run this in the container of that service", file=sys.stderr
        )
        sys.exit(WRONG_USE)
    except BrokenPipeError:
        sys.exit(DONE)


def told(error: TocsinError) -> str:
    """An error in the words for a terminal, each wrong place on a line of its own."""
    if not isinstance(error, Refused):
        return str(error)
    places = [
        f"\n  {wrong.pointer}: {wrong.problem}" + (f"; allowed is {wrong.allowed}" if wrong.allowed else "")
        for wrong in error.wrong
    ]
    return error.title + "".join(places)


def exit_code_of(error: TocsinError) -> int:
    """1 when what was read is wrong or something is away, 2 when it was asked wrongly. An error may say itself."""
    own = getattr(error, "exit_code", None)
    if isinstance(own, int):
        return own
    return WRONG_USE if isinstance(error, SettingsError) and not isinstance(error, ProtocolError) else WRONG_INPUT


if __name__ == "__main__":
    main()
