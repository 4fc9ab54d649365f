"""The lecture figures, where they have been made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from _ext import markdown

HEAD = "# Gallery\n\nFigures for lectures, each with what it is shown for.\n"
ABSENT = """
They are not part of this copy of the site. `cramplab figures` makes them; where they lie in `build/gallery` when the site is built, they stand here.
"""


def page(made: Path, images: Path) -> str:
    """``made``: the folder of the figures with their index, figures.json; ``images``: where the site has its images."""
    index = made / "figures.json"
    if not index.is_file():
        return HEAD + ABSENT
    parts = [HEAD]
    for name, said in json.loads(index.read_text(encoding="utf-8"))["figures"].items():
        parts.append(f"## {markdown.plain(said.get('title', name))}\n\n{markdown.plain(said.get('teaches', ''))}\n")
        shown = next((made / file for ending in (".svg", ".png") for file in said.get("files", []) if str(file).endswith(ending)), None)
        if shown is not None and shown.is_file():
            to = shutil.copy(shown, images / f"gallery-{name}{shown.suffix}")
            parts.append(f"![{markdown.plain(said.get('alt', ''))}](figures/{Path(to).name})\n")
        if numbers := said.get("numbers"):
            parts.append(markdown.table(("", "value"), ((markdown.plain(what), _number(x)) for what, x in numbers.items()), right=(1,)))
    return "\n".join(parts)


def _number(x: float | str | None) -> str:
    return "none" if x is None else f"{x:.4g}" if isinstance(x, float | int) else x
