"""Lecture figures into a folder: every size, theme and format, an index of the numbers that they rest on, and a page to look through."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulation import figures, files
from simulation.figures import animation
from simulation.gallery.lecture import Film, LectureFigure, Shown

INDEX, PAGE = "figures.json", "index.html"
_SAME = 1e-6  # share by which a number may differ that is made again: rounding


@dataclass(frozen=True)
class Printed:
    """A figure that was made. ``how``: 'new', 'changed' or 'unchanged'; ``changes``: number -> (before, now), None where there is none."""

    figure: LectureFigure | Film
    alt: str
    numbers: Mapping[str, float]
    files: tuple[Path, ...]
    how: str
    changes: Mapping[str, tuple[float | None, float | None]]


def printed(
    chosen: Sequence[LectureFigure | Film], out: Path, sizes: Sequence[str], themes: Sequence[str], formats: Sequence[str], jobs: int = 1,
) -> Iterator[Printed]:
    """Makes figures and writes them into ``out``, in a folder for each size and theme; gives each as it is finished, when the index knows it.

    ``jobs``: processes. Raises FigureError, or FileError where one cannot be written."""
    if jobs == 1 or len(chosen) == 1:
        found = (_made(figure.name, out, sizes, themes, formats) for figure in chosen)
    else:
        from joblib import Parallel, delayed

        found = Parallel(n_jobs=jobs, return_as="generator_unordered")(
            delayed(_made)(figure.name, out, sizes, themes, formats) for figure in chosen
        )
    yield from (_kept_in_index(out, *one) for one in found)


def _made(
    name: str, out: Path, sizes: Sequence[str], themes: Sequence[str], formats: Sequence[str],
) -> tuple[str, str, Mapping[str, float], list[Path]]:
    """Its name, what it shows in words, its numbers and its files."""
    from simulation.gallery import catalogue

    (figure,) = catalogue.chosen([name])
    made = figure.make()
    shown = Shown(made.still, made.numbers) if isinstance(made, animation.Reel) else made
    still, moving = ([f for f in formats if (f in animation.FORMATS) is moves] for moves in (False, True))
    written: list[Path] = []
    alt = ""
    if isinstance(made, animation.Reel):
        written += [made.write(out / f"film-{theme}" / f"{name}.{form}", theme) for theme in themes for form in moving]
        alt = made.alt
    for size in sizes if still else ():
        for theme in themes:
            plate = shown.draw(size)
            plate.title, alt = figure.title, plate.alt
            plate.provenance = {**plate.provenance, "lecture_figure": figure.name}
            if theme == "dark":
                figures.in_dark(plate)
            written += figures.save(plate, out / f"{size}-{theme}" / figure.name, still)
    return name, alt, shown.numbers, written


def _kept_in_index(out: Path, name: str, alt: str, numbers: Mapping[str, float], written: Sequence[Path]) -> Printed:
    from simulation.gallery import catalogue

    (figure,) = catalogue.chosen([name])
    index = read_index(out)
    before = index.get(name)
    changes = differences(before["numbers"], numbers) if before else {}
    how = "new" if before is None else "changed" if changes else "unchanged"
    kept = {out / file for file in before["files"]} if before else set()
    known = sorted({*written, *(path for path in kept if path.is_file())})
    index[name] = {
        "title": figure.title, "teaches": figure.teaches, "alt": alt, "numbers": {k: _kept(v) for k, v in numbers.items()},
        "files": [path.relative_to(out).as_posix() for path in known],
    }
    _write(out / INDEX, json.dumps({"figures": index}, indent=1, ensure_ascii=False) + "\n")
    return Printed(figure, alt, numbers, tuple(written), how, changes)


def read_index(out: Path) -> dict[str, Any]:
    """What the index of a folder says of each figure; empty where there is none. Raises FigureError for one that cannot be read."""
    try:
        found: dict[str, Any] = json.loads((out / INDEX).read_text(encoding="utf-8"))["figures"]
        for one in found.values():
            if not isinstance(one["numbers"], dict) or not isinstance(one["files"], list):
                raise TypeError
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise figures.FigureError(f"{out / INDEX} is no index of lecture figures: remove it, or take another folder with --out") from None
    return found


def differences(before: Mapping[str, float | None], now: Mapping[str, float]) -> dict[str, tuple[float | None, float | None]]:
    """Numbers that are not what they were, those that came and those that went."""
    out: dict[str, tuple[float | None, float | None]] = {}
    for name in {**before, **now}:
        old, new = before.get(name), _kept(now[name]) if name in now else None
        same = old == new if old is None or new is None else math.isclose(old, new, rel_tol=_SAME, abs_tol=1e-12)
        if not same or (name in before) != (name in now):
            out[name] = (old, new)
    return out


def _kept(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def write_page(out: Path, order: Iterable[LectureFigure | Film]) -> Path | None:
    """A page with all figures that the folder holds, to be looked through without a network; None if none of them is an image for pages."""
    index = read_index(out)
    parts = []
    for figure in order:
        one = index.get(figure.name, {"files": []})
        image = next((name for ending in (".gif", ".svg", ".png") for name in one["files"] if name.endswith(ending) and "light" in name), None)
        if image is not None:
            numbers = "".join(f"<tr><td>{html.escape(name)}<td>{'none' if x is None else f'{x:.4g}'}" for name, x in one["numbers"].items())
            links = " ".join(f'<a href="{html.escape(name)}">{html.escape(name)}</a>' for name in one["files"])
            parts.append(
                f'<section id="{figure.name}"><h2>{html.escape(figure.title)}</h2><p>{html.escape(figure.teaches)}</p>'
                f'<img src="{html.escape(image)}" alt="{html.escape(one["alt"])}" loading="lazy">'
                f"<details><summary>Numbers and files</summary><table>{numbers}</table><p>{links}</p></details></section>"
            )
    if not parts:
        return None
    _write(out / PAGE, _HEAD + "\n".join(parts) + "\n")
    return out / PAGE


_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Lecture figures</title>
<style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
img{width:100%;height:auto;background:#fff}section{margin:0 0 4rem}td{padding:0 1.5rem 0 0}a{overflow-wrap:anywhere}</style>
<h1>Lecture figures</h1><p>Made by <code>cramplab figures</code>. <code>cramplab why FILE</code> says how each was made. They teach; they give no
advice on a patient.</p>
"""


def _write(path: Path, text: str) -> None:
    with files.aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
