"""The lecture figures, where they have been made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from _ext import markdown

HEAD = "# Gallery\n\nFigures for lectures, each with what it is shown for and the numbers that it rests on.\n"
ABSENT = """
They are not part of this copy of the site. `make figures` makes them, and `make docs` then shows them here.
"""
_SHOWN = (".svg", ".png", ".gif")  # the first of these that there is


def page(made: Path, images: Path) -> str:
    """``made``: the folder of the figures with their index, figures.json; ``images``: where the site has its images."""
    index = made / "figures.json"
    if not index.is_file():
        return HEAD + ABSENT
    parts = [HEAD]
    for name, said in json.loads(index.read_text(encoding="utf-8"))["figures"].items():
        parts.append(f"## {markdown.plain(said.get('title', name))}\n\n{markdown.plain(said.get('teaches', ''))}\n")
        parts += _pictures(name, markdown.plain(said.get("alt", "")), [made / file for file in said.get("files", [])], images)
        if numbers := said.get("numbers"):
            parts.append(markdown.table(("number", "value"), ((markdown.plain(what), _number(x)) for what, x in numbers.items()), right=(1,)))
    return "\n".join(parts)


def _pictures(name: str, alt: str, files: Sequence[Path], images: Path) -> Iterator[str]:
    """The figure for light pages and, where there is one, that for dark pages."""
    there = sorted((f for f in files if f.suffix in _SHOWN and f.is_file()), key=lambda f: ("slide" not in f.name, _SHOWN.index(f.suffix)))
    light, dark = (next((f for f in there if ("dark" in f.stem) == wanted), None) for wanted in (False, True))
    for which, file in (("light", light), ("dark", dark)):
        if file is not None:
            to = Path(shutil.copy(file, images / f"gallery-{name}-{which}{file.suffix}"))
            yield f"![{alt}](figures/{to.name})" + (f"{{.only-{which}}}" if light and dark else "") + "\n"


def _number(x: float | str | None) -> str:
    return "none" if x is None else f"{x:.4g}" if isinstance(x, float | int) else x
