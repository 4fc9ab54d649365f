"""All lecture figures and films by name."""

from __future__ import annotations

from collections.abc import Iterable

from simulation.assembly.errors import nearest
from simulation.figures import FigureError
from simulation.gallery import body, classics, films, membrane, muscle, nerve
from simulation.gallery.lecture import Film, LectureFigure

MODULES = (classics, membrane, nerve, muscle, body)


def figures() -> tuple[LectureFigure | Film, ...]:
    """In the order of a course, from the membrane to the patient; films last."""
    return (*(figure for module in MODULES for figure in module.FIGURES), *films.FILMS)


def chosen(names: Iterable[str]) -> tuple[LectureFigure | Film, ...]:
    """Those of these names, or all if none is given. Raises FigureError with the nearest names."""
    known = {figure.name: figure for figure in figures()}
    names = list(dict.fromkeys(names))
    for name in names:
        if name not in known:
            raise FigureError(f"there is no lecture figure '{name}'{nearest(name, known)}; all of them: cramplab figures --list")
    return tuple(known[name] for name in names) if names else tuple(known.values())
