"""What a lecture figure is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulation.figures.animation import Reel
from simulation.figures.plate import Plate

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Shown:
    """What came out: how it is drawn at a size, and the numbers that the figure rests on.

    ``numbers``: what, with its unit, in the words that a reader would use -> value: 'rheobase at K 2.5 mM (uA/cm2)'. NaN where there is none."""

    draw: Callable[[str], Plate]
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class LectureFigure:
    """A figure of the gallery. ``teaches``: what it is shown for, in one sentence; ``make`` computes it."""

    name: str
    title: str
    teaches: str
    make: Callable[[], Shown]


@dataclass(frozen=True)
class Film:
    """A film of the gallery; as a figure it is a strip of moments. ``teaches``: what it is shown for, in one sentence; ``make`` computes it."""

    name: str
    title: str
    teaches: str
    make: Callable[[], Reel]


def at(found: xr.Dataset, name: str, **place: float) -> float:
    """A number of a result at the point nearest to a place."""
    return float(found[name].sel(place, method="nearest"))
