"""All lecture figures, by name."""

from __future__ import annotations

import importlib
from types import ModuleType

from simulation.assembly.errors import nearest
from simulation.figures.errors import FigureError
from simulation.gallery.lecture import LectureFigure

MODULES = ("classics", "membrane", "nerve", "muscle", "body", "films")


def figures() -> dict[str, LectureFigure]:
    """Every figure by its name, in the order in which they are shown."""
    return {f.name: f for name in MODULES for f in module(name).FIGURES}


def module(name: str) -> ModuleType:
    """A module of figures, which has them in its ``FIGURES``."""
    return importlib.import_module(f"simulation.gallery.{name}")


def figure(name: str) -> LectureFigure:
    """The figure of that name. Raises FigureError with the nearest names."""
    known = figures()
    if name not in known:
        raise FigureError(f"the gallery has no figure '{name}'{nearest(name, known)}; all of them: cramplab figures --list")
    return known[name]
