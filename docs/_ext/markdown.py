"""Small pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table; ``right``: columns of numbers. Cells hold Markdown; a column that nothing stands in is left out."""
    rows = list(rows)
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    marks = ["--:" if i in right else ":--" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(_cell(row[i]) for i in kept)} |" for row in (head, marks, *rows)) + "\n"


def _cell(text: str) -> str:
    return " ".join(re.sub(r"(?<!\\)\|", r"\\|", text).split()) or " "


def plain(text: str) -> str:
    """A text whose letters mean themselves; what stands between double backticks stays code."""
    parts = re.split(r"(``.+?``)", text)
    return "".join(part if i % 2 else re.sub(r"([\\`*_{}\[\]<>#$~^|])", r"\\\1", part) for i, part in enumerate(parts))


def code(text: str, language: str = "text") -> str:
    """A block of code, whatever fences it holds."""
    fence = max(["```", *(f"`{found}" for found in re.findall(r"`{3,}", text))], key=len)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def anchor(*parts: str) -> str:
    """A name for a place that links lead to."""
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)


def menu(pages: Iterable[str], hidden: bool = False) -> str:
    """A table of contents of other pages."""
    options = ":hidden:\n" if hidden else ":maxdepth: 1\n"
    lines = "\n".join(pages)
    return f"```{{toctree}}\n{options}\n{lines}\n```\n"
