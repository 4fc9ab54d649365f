"""A folder of lecture figures: what is written into it, what its index says, and what has changed since."""

from __future__ import annotations

import html
import json
import math
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulation import files
from simulation.figures.errors import FigureError
from simulation.gallery.lecture import LectureFigure, Moving, Shown

INDEX, PAGE = "figures.json", "index.html"
SIZES, THEMES, FORMATS = ("slide", "column"), ("light", "dark"), ("svg", "pdf", "png")
DIGITS = 6  # that are kept of a number
ONE_DIGIT = 1.01 * 10.0 ** (1 - DIGITS)  # two numbers that differ by less may have been rounded apart


@dataclass(frozen=True)
class Wanted:
    """In which sizes, themes and formats figures are written."""

    sizes: tuple[str, ...] = SIZES
    themes: tuple[str, ...] = THEMES
    formats: tuple[str, ...] = FORMATS


@dataclass(frozen=True)
class Made:
    """A figure that was made: its files, by their names in the folder, and what the index keeps of it. ``seconds``: of computing and drawing."""

    name: str
    title: str
    teaches: str
    alt: str
    numbers: Mapping[str, float | None]
    files: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Change:
    """A number of a figure that is no more what it was; None: it was not there, or has no value."""

    what: str
    old: float | None
    new: float | None


# ---- making

def make(figure: LectureFigure, folder: Path, wanted: Wanted) -> Made:
    """Compute a figure and write its files, SIZE-THEME/NAME-SIZE-THEME.FORMAT. Raises what the experiments raise, FileError."""
    started = time.perf_counter()
    shown = figure.make()
    still = shown if isinstance(shown, Shown) else Shown(shown.still, shown.numbers)
    alt, written = _drawn(figure.name, still, folder, wanted)
    if not isinstance(shown, Shown):
        alt, written = shown.alt, [*_played(figure.name, shown, folder, wanted), *written]
    numbers = {what: rounded(value) for what, value in shown.numbers.items()}
    names = tuple(path.relative_to(folder).as_posix() for path in written)
    return Made(figure.name, figure.title, figure.teaches, alt, numbers, names, time.perf_counter() - started)


def _drawn(name: str, shown: Shown, folder: Path, wanted: Wanted) -> tuple[str, list[Path]]:
    """What the figure shows in words, and its files."""
    from simulation.figures.dark import themed
    from simulation.figures.save import save

    alt, out = "", []
    for size in wanted.sizes:
        plate = shown.draw(size)
        alt = alt or plate.alt
        for theme in sorted(wanted.themes, reverse=True):  # light first: a plate that was made dark stays dark
            path = folder / f"{size}-{theme}" / f"{name}-{size}-{theme}"
            out += save(themed(plate, theme), path.with_name(f"{path.name}.{wanted.formats[0]}"), wanted.formats)
    return alt, out


def _played(name: str, film: Moving, folder: Path, wanted: Wanted) -> list[Path]:
    """Files of a film: one size, and formats of its own."""
    out = []
    for theme in sorted(wanted.themes, reverse=True):
        for ending in film.formats:
            path = folder / f"film-{theme}" / f"{name}-film-{theme}.{ending}"
            with files.aside(path) as temporary:
                film.write(temporary, theme)
            out.append(path)
    return out


def make_all(figures: Sequence[LectureFigure], folder: Path, wanted: Wanted, jobs: int = 1) -> Generator[Made, None, None]:
    """Figures as they are finished. ``jobs``: processes that share them."""
    if min(jobs, len(figures)) == 1:
        yield from (make(figure, folder, wanted) for figure in figures)
        return
    from simulation.studies.workers import in_processes

    with closing(in_processes(_make_named, [(f.name, folder, wanted) for f in figures], jobs)) as finished:
        yield from finished


def _make_named(task: tuple[str, Path, Wanted]) -> Made:
    """The same in another process, which looks the figure up by its name: functions within functions do not travel."""
    from simulation.gallery.catalogue import figure

    name, folder, wanted = task
    return make(figure(name), folder, wanted)


def rounded(value: float) -> float | None:
    """A number to as many digits as are kept; None where there is none."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


# ---- the index

def read_index(folder: Path) -> dict[str, dict[str, Any]]:
    """What the index of a folder says of each figure; empty where there is none. Raises FigureError if it is no index."""
    path = folder / INDEX
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["figures"]
        if not all(isinstance(entry["numbers"], dict) and isinstance(entry["files"], list) for entry in found.values()):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FigureError(f"{path} is no index of figures; move it away, or take another folder with --out") from None
    return dict(found)


def write_index(folder: Path, entries: Mapping[str, Mapping[str, Any]], order: Sequence[str]) -> list[Path]:
    """Write the index and the page that shows the figures; their paths. ``order``: of the figures; others go to the end. Raises FileError."""
    place = {name: i for i, name in enumerate(order)}
    sorted_entries = {name: dict(entries[name]) for name in sorted(entries, key=lambda n: (place.get(n, len(place)), n))}
    text = json.dumps({"figures": sorted_entries}, indent=2, ensure_ascii=False, allow_nan=False)
    return [files.write_text(folder / INDEX, text + "\n"), files.write_text(folder / PAGE, page(sorted_entries))]


def entry(made: Made, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the index keeps of a figure. Files that were written ``before`` and not again stay listed."""
    kept = [f for f in (before or {}).get("files", []) if f not in made.files]
    return {"title": made.title, "teaches": made.teaches, "alt": made.alt, "numbers": dict(made.numbers), "files": [*made.files, *kept],
            "seconds": round(made.seconds, 1)}


def changes(before: Mapping[str, Any], now: Mapping[str, float | None]) -> list[Change]:
    """Every number that differs, beyond the digits that are kept, between two makings of a figure."""
    out = []
    for what in dict.fromkeys([*before, *now]):
        old, new = before.get(what), now.get(what)
        same = old == new and (what in before) == (what in now)
        if not same and not (isinstance(old, int | float) and isinstance(new, int | float) and math.isclose(old, new, rel_tol=ONE_DIGIT)):
            out.append(Change(what, old, new))
    return out


# ---- the page

def page(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """All figures of a folder on one page of HTML, which fetches nothing but them and runs no script."""
    cards = []
    for name, e in entries.items():
        picture = _picture(e["files"])
        links = " ".join(f'<a href="{html.escape(f)}">{html.escape(Path(f).name)}</a>' for f in e["files"])
        image = f'<img src="{html.escape(picture)}" alt="{html.escape(e["alt"])}" loading="lazy">' if picture else ""
        rows = ((html.escape(what), "none" if v is None else f"{v:g}") for what, v in e["numbers"].items())
        numbers = "".join(f"<tr><td>{what}</td><td>{value}</td></tr>" for what, value in rows)
        cards.append(
            f'<section id="{html.escape(name)}"><h2>{html.escape(e["title"])}</h2><p>{html.escape(e["teaches"])}</p>{image}'
            f"<details><summary>Numbers and files</summary><table>{numbers}</table><p>{links}</p></details></section>"
        )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lecture figures of cramplab</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font-family: sans-serif; max-width: 80rem; margin: 0 auto; padding: 1rem; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr)); gap: 2rem; }}
img {{ width: 100%; height: auto; }}
h2 {{ font-size: 1.1rem; }}
td {{ padding-right: 1rem; vertical-align: top; }}
a {{ margin-right: .6rem; }}
</style></head><body>
<h1>Lecture figures of cramplab</h1>
<p>What made a figure: <code>cramplab why FILE</code>. It teaches; it gives no advice on a patient.</p>
<main>
{chr(10).join(cards)}
</main></body></html>
"""


def _picture(names: Sequence[str]) -> str:
    """The file that the page shows: the film, or a light slide as SVG, if there is one."""
    shown = [n for n in names if n.endswith((".svg", ".png", ".gif"))]
    return min(shown, key=lambda n: (not n.endswith(".gif"), not n.endswith(".svg"), "-slide" not in n, "-light" not in n), default="")
