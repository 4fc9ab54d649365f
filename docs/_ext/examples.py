"""Worked examples: run when the site is built, and entries of the house's own files."""

from __future__ import annotations

import re
import runpy
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from _ext import markdown
from simulation import parameter_sets

FOLDER = Path(__file__).parents[1] / "examples"


def filled(text: str) -> str:
    """A page with what its marks ask for: <!-- ran NAME --> what an example prints, <!-- entry FILE TABLE ID --> an entry of a parameter file."""
    text = re.sub(r"<!-- ran (\w+) -->", lambda found: markdown.code(printed(found[1])), text)
    return re.sub(r"<!-- entry ([\w.]+) (\w+) ([\w-]+) -->", lambda found: markdown.code(entry(*found.groups()), "toml"), text)


def printed(name: str) -> str:
    """What an example prints."""
    out = StringIO()
    with redirect_stdout(out):
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    return out.getvalue()


def entry(file: str, table: str, name: str) -> str:
    """The entry of that id in a list of tables, as it is written. Raises LookupError if there is none."""
    text = (parameter_sets.folder() / file).read_text(encoding="utf-8")
    for part in re.split(rf"^(?=\[\[{table}\]\]$)", text, flags=re.MULTILINE):
        if f'\nid = "{name}"\n' in part and part.startswith(f"[[{table}]]"):
            return part.strip()
    raise LookupError(f"{file} has no {table} '{name}'")
