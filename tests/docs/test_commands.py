"""Every `tocsin` and `make` command that a page names is there, with its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from standalone.__main__ import app
from tests.docs.pages import ROOT, blocks, named, pages, prose

PAGES = [pytest.param(path, id=named(path)) for path in pages()]
_INLINE = re.compile(r"`(?:\$ )?(?:\.venv/bin/)?(?P<command>(?:tocsin|make) [^`]+)`")
_SHELL = {"sh", "bash", "console", "shell"}


def commands(page: Path) -> Iterator[tuple[int, list[str]]]:
    """Each command that a page names, in its words, with its line."""
    for line, text in prose(page):
        for found in _INLINE.finditer(text):
            yield line, _words(found["command"])
    for block in blocks(page):
        if block.language in _SHELL:
            joined = block.text.replace("\\\n", " ")
            for number, text in enumerate(joined.splitlines(), block.line + 1):
                for part in re.split(r"[|;]|&&|\$\(", text):
                    if named_in := re.match(r"\s*(?:\$ )?(?:\S*/)?(?P<command>(?:tocsin|make) .*)", part):
                        yield number, _words(named_in["command"])


def _words(command: str) -> list[str]:
    return [word for word in shlex.split(command.replace("…", "").replace("`", ""), comments=True) if word]


def wrong_in(words: list[str]) -> str | None:
    """What is wrong with a command; None when it is there."""
    if words[0] == "make":
        targets = set(re.findall(r"^([a-z.][\w.-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
        asked = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
        return next((f"make has no target {word}" for word in asked if word not in targets), None)
    command = get_command(app)
    rest = words[1:]
    path = ["tocsin"]
    while (known := getattr(command, "commands", None)) is not None:
        if not rest or rest[0].startswith("-"):
            break
        path.append(rest[0])
        if rest[0] not in known:
            return f"there is no {' '.join(path)}"
        command = known[rest.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    given = [word.partition("=")[0] for word in rest if word.startswith("--")]
    return next((f"{' '.join(path)} has no option {option}" for option in given if option not in options), None)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    found = [(line, words, wrong_in(words)) for line, words in commands(page)]
    assert [f"line {line}: {' '.join(words)}: {wrong}" for line, words, wrong in found if wrong] == []


def _every_command() -> list[list[str]]:
    def below(command: object, path: list[str]) -> Iterator[list[str]]:
        yield path
        for name, child in getattr(command, "commands", {}).items():
            yield from below(child, [*path, name])

    return list(below(get_command(app), []))


@pytest.mark.parametrize("path", [pytest.param(path, id=" ".join(["tocsin", *path])) for path in _every_command()])
def test_every_command_has_help(path: list[str]) -> None:
    answer = CliRunner().invoke(app, [*path, "--help"])
    assert answer.exit_code == 0, answer.output
    told = " ".join(answer.output.split())
    is_group = "Commands:" in answer.output
    assert is_group or re.search(f"Example: .*{' '.join(['tocsin', *path])}", told), (
        "interfaces.md: an example in --help"
    )


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    assert wrong_in(["tocsin", "fly"]) == "there is no tocsin fly"
    assert wrong_in(["tocsin", "keys", "lose"]) == "there is no tocsin keys lose"
    assert wrong_in(["tocsin", "up", "--altitude", "3"]) == "tocsin up has no option --altitude"
    assert wrong_in(["make", "tea"]) == "make has no target tea"
    assert wrong_in(["tocsin", "keys", "add", "--study", "X", "--site=S01"]) is None
