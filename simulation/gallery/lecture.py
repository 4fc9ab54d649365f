"""What a lecture figure is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from simulation.figures.plate import Plate


@dataclass(frozen=True)
class Shown:
    """What came out: how it is drawn at a size, and the numbers that the figure rests on.

    ``numbers``: what, with its unit, in the words that a reader would use -> value: 'rheobase at K 2.5 mM (uA/cm2)'. NaN where there is none."""

    draw: Callable[[str], Plate]
    numbers: Mapping[str, float]


class Moving(Protocol):
    """A film: what it shows in words, the numbers that it rests on as those of ``Shown``, and its formats, as 'gif' and 'mp4'."""

    @property
    def alt(self) -> str: ...

    @property
    def numbers(self) -> Mapping[str, float]: ...

    @property
    def formats(self) -> tuple[str, ...]: ...

    def write(self, path: Path, theme: str) -> object:
        """Write it to a path that ends with one of its formats, for a 'light' or a 'dark' slide."""

    def still(self, size: str) -> Plate:
        """A strip of moments, for print."""


@dataclass(frozen=True)
class LectureFigure:
    """A figure or a film of the gallery. ``teaches``: what it is shown for, in one sentence; ``make`` computes it."""

    name: str
    title: str
    teaches: str
    make: Callable[[], Shown | Moving]
