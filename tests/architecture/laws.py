"""The import laws (shared/README.md), each a function from modules to the places that break it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from tests.architecture.imports import ROOT, Module, is_within

SERVICES = ("ae_intake", "meddra_coder", "alerting")

# Which of our files may import what leaves the process. Each is one file, but for the HTTP clients of the CLI and of
# signing in: the one for webhooks goes only where a webhook may go.
ONLY_IN: Mapping[str, tuple[str, ...]] = {
    "kafka": ("tocsin.bus.kafka",),
    "smtplib": ("alerting.delivery.*",),
    "httpx": ("alerting.delivery.*", "alerting.oidc", "standalone.posting"),
    "requests": (),
    "urllib.request": (),
    "http.client": (),
}

# No clock, no files, no chance, no network, no processes: these arrive as arguments, or not at all.
IMPURE_MODULES = (
    "asyncio", "http", "importlib", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil",
    "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
)  # fmt: skip
IMPURE_CALLS = ("open", "input", "print", "exec", "eval", "__import__")
CLOCKS = ("now", "today", "utcnow")

DRAWERS = ("utils", "util", "helpers", "helper", "common", "manager", "managers", "service", "misc")

# The only places that may end a transaction: the store itself.
MAY_COMMIT = ("tocsin.store",)
_COMMITS = ("commit", "rollback")


def services_never_import_one_another(modules: Iterable[Module]) -> Iterator[str]:
    """Law 1."""
    for module in modules:
        if module.package in SERVICES:
            others = [s for s in SERVICES if s != module.package]
            yield from _imports_of(module, others)


def shared_never_imports_a_service(modules: Iterable[Module]) -> Iterator[str]:
    """Law 2, and the last arrow: nobody imports the shapes."""
    for module in modules:
        if module.package == "tocsin":
            yield from _imports_of(module, [*SERVICES, "standalone"])
        elif module.package in SERVICES:
            yield from _imports_of(module, ["standalone"])


def the_domain_is_pure(modules: Iterable[Module]) -> Iterator[str]:
    """Law 3: the standard library and itself, without clock, files, chance or network."""
    for module in modules:
        if not is_within(module.name, "tocsin.domain"):
            continue
        for line, name in module.imports():
            top = name.partition(".")[0]
            if not is_within(name, "tocsin.domain") and top != "__future__":
                if top not in sys.stdlib_module_names:
                    yield _place(module, line, f"imports {name}: the domain knows only the standard library")
                elif any(is_within(name, impure) for impure in IMPURE_MODULES):
                    yield _place(module, line, f"imports {name}: time, files and chance arrive as arguments")
        for line, name in module.calls():
            if name in IMPURE_CALLS or name.rpartition(".")[2] in CLOCKS:
                yield _place(module, line, f"calls {name}(): time and files arrive as arguments")


def what_leaves_the_process_is_in_one_file(modules: Iterable[Module]) -> Iterator[str]:
    """Law 4. A `.*` at the end allows exactly one file of that package."""
    modules = list(modules)
    for library, allowed in ONLY_IN.items():
        users = {m.name: (m, line) for m in modules for line, name in m.imports() if is_within(name, library)}
        for place in allowed:
            if place.endswith(".*"):
                inside = sorted(name for name in users if is_within(name, place[:-2]))
                for name in inside[:1]:
                    users.pop(name)
            else:
                users.pop(place, None)
        for module, line in users.values():
            where = " and ".join(allowed) or "nowhere"
            yield _place(module, line, f"imports {library}, which is imported in one file only: {where}")


def no_service_reads_anothers_tables(modules: Iterable[Module]) -> Iterator[str]:
    """Law 5, for those whom law 1 lets import services: the shapes touch tables only to see whether they are empty."""
    for module in modules:
        if module.package == "standalone" and module.name != "standalone.first_start":
            for line, name in module.imports():
                if any(is_within(name, f"{service}.tables") for service in SERVICES):
                    yield _place(module, line, f"imports {name}: a service's tables are its own")


def only_the_store_commits(modules: Iterable[Module]) -> Iterator[str]:
    """Law 6: handlers never commit. Transactions end where `Store.transaction()` ends, offsets in the consume loop."""
    for module in modules:
        if any(is_within(module.name, place) for place in MAY_COMMIT) or module.name.startswith("tocsin.bus"):
            continue
        for line, name in module.calls():
            if name.rpartition(".")[2] in _COMMITS:
                yield _place(module, line, f"calls {name}(): leave the transaction to whoever opened it")


def no_drawers(modules: Iterable[Module]) -> Iterator[str]:
    """A file is named after what it does."""
    for module in modules:
        if any(part in DRAWERS for part in module.name.split(".")):
            yield _place(module, 1, "is named as a drawer; name it after what it does")


LAWS = (
    services_never_import_one_another,
    shared_never_imports_a_service,
    the_domain_is_pure,
    what_leaves_the_process_is_in_one_file,
    no_service_reads_anothers_tables,
    only_the_store_commits,
    no_drawers,
)


def _imports_of(module: Module, forbidden: list[str]) -> Iterator[str]:
    for line, name in module.imports():
        if any(is_within(name, package) for package in forbidden):
            yield _place(module, line, f"imports {name}")


@cache
def _shown(path: str) -> str:
    return path.removeprefix(f"{ROOT}/")


def _place(module: Module, line: int, what: str) -> str:
    return f"{_shown(str(module.path))}:{line} {what}"
