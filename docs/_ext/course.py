"""The course: what each notebook is for, and the copies for students as pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from _ext import markdown
from simulation.classroom import notebooks


@dataclass(frozen=True)
class Lesson:
    """What the source of a notebook says of itself."""

    name: str
    title: str
    minutes: str
    aims: tuple[str, ...]


def lesson(name: str) -> Lesson:
    """Title, duration and aims of a notebook."""
    head = re.split(r"^(?:\+\+\+|```|## )", notebooks.source(name), maxsplit=1, flags=re.MULTILINE)[0]
    title = re.search(r"^# (.+)$", head, re.MULTILINE)
    minutes = re.search(r"^About (.+?)\. Afterwards", head, re.MULTILINE)
    aims = re.findall(r"^\* (.+?)[,.;]?$", head, re.MULTILINE)
    if not (title and minutes and aims):
        raise ValueError(f"the notebook {name} does not say its title, its duration and what one can do afterwards")
    return Lesson(name, title[1], minutes[1], tuple(aims))


def listing() -> str:
    """The lessons with their aims, and the menu of their pages."""
    lessons = [lesson(name) for name in notebooks.names()]
    parts = [_entry(x) for x in lessons]
    return "\n".join([*parts, markdown.menu([f"course/{x.name}" for x in lessons], hidden=True)])


def _entry(x: Lesson) -> str:
    aims = "\n".join(f"* {aim}" for aim in x.aims)
    return f"### [{x.title}](course/{x.name}.md)\n\n`{x.name}.ipynb`, about {x.minutes}. Afterwards you can\n\n{aims}\n"


def pages() -> Iterator[tuple[str, str]]:
    """The copies for students: text and code; what comes out is seen where they run."""
    for name in notebooks.names():
        file = f"{name}.ipynb"
        text = notebooks.notebook(name)
        yield f"course/{file}", text
        yield f"course/{name}.md", _page(json.loads(text)["cells"], file)


def _page(cells: Sequence[Mapping[str, Any]], file: str) -> str:
    first, *others = ("".join(cell["source"]) if cell["cell_type"] == "markdown" else _code(cell) for cell in cells)
    title, _, rest = first.partition("\n")
    said = f"This is the students' copy of {{download}}`{file}`, without what comes out when it runs."
    note = f"```{{admonition}} To be worked on, not only read\n{said}\n```"
    return "\n\n".join([title, note, rest.strip(), *others]) + "\n"


def _code(cell: Mapping[str, Any]) -> str:
    return markdown.code("".join(cell["source"]), "python")
