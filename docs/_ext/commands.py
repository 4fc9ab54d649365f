"""The command line: help of every command from the program itself, and the cookbook with what its commands really print."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import typer

from _ext import markdown
from _ext.kept import Keeper, everything
from simulation import cli

WIDTH = "80"
LEFT_OUT = "*What it prints is left out of this copy, which was built in a hurry.*\n"
RECIPES = Path(__file__).parents[1] / "recipes.toml"


def called(args: list[str], folder: Path) -> str:
    """What a command prints, in a terminal of 80 columns, started in that folder. Raises RuntimeError if it fails."""
    before = {name: os.environ.get(name) for name in ("COLUMNS", "TERM")}
    os.environ.update(COLUMNS=WIDTH, TERM="dumb")
    out, err = StringIO(), StringIO()
    try:
        with chdir(folder), redirect_stdout(out), redirect_stderr(err):
            code = cli.main(args)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    if code:
        raise RuntimeError(f"cramplab {shlex.join(args)} ended with {code}: {err.getvalue()}")
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


# ---- help

def paths() -> list[tuple[str, ...]]:
    """Every command, those in groups behind their group, in the order of the help."""
    whole: Any = typer.main.get_command(cli.build())

    def visit(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, inner in getattr(command, "commands", {}).items():
            yield from visit(inner, (*path, name))

    return [path for name in cli.COMMANDS for path in visit(whole.commands[name], (name,))]


def help_page() -> str:
    """The help of every command."""
    here = Path.cwd()
    parts = ["# Every command\n", "As `--help` prints it. Every command has `--json` for programs.\n", markdown.code(called(["--help"], here))]
    for path in paths():
        name = " ".join(path)
        parts += [f"({markdown.anchor('command', *path)})=\n{'#' * (len(path) + 1)} {name}\n", markdown.code(called([*path, "--help"], here))]
    return "\n".join(parts)


# ---- cookbook

def recipes() -> list[dict[str, Any]]:
    """Chapters of the cookbook with their recipes: question, commands, and what the answer means."""
    chapters = tomllib.loads(RECIPES.read_text(encoding="utf-8"))["chapter"]
    assert isinstance(chapters, list)
    return chapters


def cookbook(keeper: Keeper, images: Path) -> str:
    """Questions with the commands that answer them; figures are put into ``images``."""
    parts = []
    for chapter in recipes():
        parts.append(f"## {chapter['title']}\n")
        for recipe in chapter["recipe"]:
            parts += [f"### {recipe['question']}\n", *shown(recipe["commands"], keeper, images), f"{recipe['says']}\n"]
    return "\n".join(parts)


def shown(commands: Sequence[str], keeper: Keeper, images: Path) -> Iterator[str]:
    """Commands, one after the other in one folder, with what they print and draw."""
    name = hashlib.sha256("\n".join(commands).encode()).hexdigest()[:12]
    made = keeper.get(f"recipe-{name}", everything(), lambda: answered(commands))
    for i, command in enumerate(commands):
        yield f"```{{code-block}} text\n:class: command\n\ncramplab {command}\n```\n"
        yield markdown.code(made["out"][i]) if made is not None else LEFT_OUT
    for file, text in made["figures"].items() if made is not None else ():
        (images / f"{name}-{file}").write_text(text, encoding="utf-8", newline="\n")
        yield f"![{markdown.plain(_described(text))}](figures/{name}-{file})\n"


def answered(commands: Sequence[str]) -> dict[str, Any]:
    """What commands print, and the figures that they leave."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        out = [called(shlex.split(command), Path(folder)) for command in commands]
        figures = {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(folder).glob("*.svg"))}
    return {"out": out, "figures": figures}


def _described(svg: str) -> str:
    """What a figure of ours says of itself."""
    found = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
    return " ".join(found[1].split()) if found else ""
