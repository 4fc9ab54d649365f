"""How every figure looks: three sizes, one look for each ion, labels with symbol and unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
import matplotlib.colors
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

from simulation.assembly.errors import nearest
from simulation.figures.errors import FigureError

DashPattern = str | tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class Size:
    """A place that a figure is made for.

    ``width``, ``height``: inches; ``font``: of labels, pt; ``tall``, ``small``: height and font of a figure of many stacked
    panels; ``line``: width of a data line, pt."""

    width: float
    height: float
    font: float
    tall: float
    small: float
    line: float

    def letters(self, inches: float) -> int:
        """How many letters of a label that length holds."""
        return int(inches * 72 / (0.55 * self.font))


# Comes with Matplotlib: the same figure on every machine. Needed whenever a figure is drawn, so also when it is saved.
FONTS: dict[Any, Any] = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "mathtext.fontset": "dejavusans", "text.usetex": False,
}
# The sizes are what the place asks for: 18 pt and more are read from the back row, 7 to 8 pt are what journals set.
SIZES: Mapping[str, Size] = {
    "slide": Size(13.33, 7.5, 22.0, 7.5, 18.0, 3.0),
    "half": Size(6.67, 5.6, 18.0, 7.5, 16.0, 2.5),
    "column": Size(3.5, 2.8, 8.0, 4.8, 7.5, 1.3),
}


@dataclass(frozen=True)
class Look:
    """Colour, line style and marker: each alone tells its bearer from the others."""

    color: str
    line: DashPattern
    marker: str


# Okabe and Ito's colours, safe for the colour-blind. Their yellow is not seen on white: leak and cotransport got dark ones.
CARRIERS: Mapping[str, Look] = {
    "Na": Look("#D55E00", "-", "o"),
    "K": Look("#0072B2", (0, (6.0, 1.2)), "s"),
    "Cl": Look("#009E73", (0, (4.0, 1.0, 1.0, 1.0)), "^"),
    "Ca": Look("#CC79A7", (0, (2.5, 1.0)), "D"),
    "Mg": Look("#E69F00", (0, (8.0, 1.0, 2.0, 1.0)), "v"),
    "pump": Look("#56B4E9", (0, (1.2, 0.9)), "P"),
    "NKCC": Look("#5B2A86", (0, (3.0, 1.0, 1.0, 1.0, 1.0, 1.0)), "X"),
    "leak": Look("#7A4B1E", (0, (1.0, 1.8)), "h"),
}
PAPER, DARK_PAPER = "#FFFFFF", "#14161A"
POTENTIAL = Look("#000000", "-", "o")
CONTROL = Look("#A6A6A6", "-", "")
REFERENCE = "#6E6E6E"  # thin lines and words that explain: Nernst potential, control bath, bath changes
TINT = "#EFE7D2"  # a range that is pointed out
FAILED, NO_VALUE = "#DADADA", "#F4F4F4"
MIDDLE = 0.178  # luminance on which black and white words are read alike
COLOURS = "viridis"  # perceptually uniform, reads in grey and for the colour-blind

# Several currents and gates of one ion share its colour; these dashes tell them apart.
_DASHES: Mapping[str, DashPattern] = {
    "NaL": (0, (1.0, 1.0)), "NaP": (0, (4.0, 1.5)), "gp_Na": (0, (2.0, 2.0)), "Na_all": (0, (6.0, 1.0, 1.0, 1.0)),
    "Kir": (0, (2.0, 1.0)), "KCNQ": (0, (6.0, 1.0, 1.0, 1.0)), "Ks": (0, (6.0, 1.0, 1.0, 1.0)), "gp_K": (0, (1.0, 1.0)),
    "h": (0, (4.0, 1.2)), "s": (0, (1.2, 1.0)), "p": (0, (6.0, 1.0, 1.0, 1.0)),
    "h_K": (0, (2.0, 1.0)), "s_K": (0, (1.2, 1.0)), "q": (0, (6.0, 1.0, 1.0, 1.0)),
}
_GATES: Mapping[str, str] = {"m": "Na", "h": "Na", "s": "Na", "p": "Na", "n": "K", "h_K": "K", "s_K": "K", "q": "K", "c": "Cl"}
_IN_NAMES: tuple[tuple[str, str], ...] = (
    ("NKCC", "NKCC"), ("pump", "pump"), ("Na", "Na"), ("Ca", "Ca"), ("Cl", "Cl"), ("Mg", "Mg"), ("K", "K"), ("L", "leak"), ("leak", "leak"),
)
_COMPARTMENT = re.compile(r"_[stin]$")
_SYMBOL_IN_WORDS = re.compile(r"\b[A-Za-z]+(?:_[A-Za-z0-9]+)+\b")
_UNITS = (
    ("uA", "µA"), ("uF", "µF"), ("uM", "µM"), ("uS", "µS"), ("umol", "µmol"), ("Ohm", "Ω"), ("cm2", "cm²"), ("cm3", "cm³"), ("nm2", "nm²"),
    ("degC", "°C"), ("*", "·"),
)


def size_of(name: str) -> Size:
    """The size of that name. Raises FigureError with the nearest names."""
    if name not in SIZES:
        raise FigureError(f"there is no size '{name}'{nearest(name, SIZES)}; sizes: {', '.join(SIZES)}")
    return SIZES[name]


@contextmanager
def drawing(size: str | Size, stacked: bool = False) -> Iterator[Size]:
    """Matplotlib's settings for one figure of that size, by its name or as it is; outside the block they are what they were.

    ``stacked``: the size for many panels one above the other."""
    s = size if isinstance(size, Size) else size_of(size)
    if stacked:
        s = replace(s, height=s.tall, font=s.small)
    with matplotlib.rc_context(_settings(s)):
        yield s


def _settings(s: Size) -> dict[Any, Any]:
    thin = 0.4 * s.line
    ticks = {f"{axis}tick.{name}": value for axis in "xy" for name, value in {
        "labelsize": 0.9 * s.font, "major.size": 0.28 * s.font, "minor.size": 0.15 * s.font, "major.width": thin, "minor.width": 0.6 * thin,
    }.items()}
    return {
        "font.size": s.font, "axes.titlesize": s.font, "axes.labelsize": s.font, "legend.fontsize": 0.9 * s.font,
        "lines.linewidth": s.line, "lines.markersize": 2.6 * s.line, "axes.linewidth": thin, "hatch.linewidth": thin,
        "axes.spines.top": False, "axes.spines.right": False, "axes.labelpad": 0.3 * s.font, "axes.unicode_minus": True,
        "axes.formatter.useoffset": False,
        "legend.frameon": False, "legend.handlelength": 1.8, "legend.handletextpad": 0.5, "legend.borderaxespad": 0.0,
        "legend.labelspacing": 0.25, "legend.borderpad": 0.0, "image.cmap": COLOURS,
        **FONTS, **ticks,
    }


# ---- which look a symbol has

def carrier(symbol: str) -> str | None:
    """What a symbol belongs to: 'I_Kir_s' -> 'K', 'tau_m' -> 'Na', 'I_pump' -> 'pump'; None for V, I_stim and the like."""
    gate = gate_of(symbol)
    if gate is not None:
        return _GATES[gate]
    parts = symbol.split("_")
    found = (owner for part in parts for start, owner in _IN_NAMES if part.startswith(start))
    return next(found, None)


def gate_of(symbol: str) -> str | None:
    """The gate whose state, steady state, time constant or rate a symbol is: 'tau_h_K_s' -> 'h_K'; None if it is none."""
    bare = re.sub(r"^(tau|alpha|beta)_|_inf(?=$|_[stin]$)", "", symbol)
    return next((name for name in (bare, _COMPARTMENT.sub("", bare)) if name in _GATES), None)


def look(symbol: str) -> Look:
    """Colour, line style and marker of a symbol: its ion's colour, with dashes of its own where an ion has several currents."""
    owner = carrier(symbol)
    if owner is None:
        return POTENTIAL
    whole = CARRIERS[owner]
    bare = gate_of(symbol) or _COMPARTMENT.sub("", symbol).partition("_")[2]
    if gate_of(symbol):
        return Look(whole.color, _DASHES.get(bare, "-"), whole.marker)
    return Look(whole.color, _DASHES.get(bare, whole.line), whole.marker)


def ink(color: str, paper: str = PAPER, least: float = 4.5) -> str:
    """A colour darkened, or on a dark paper lightened, until words in it are read (``least``: contrast to the paper)."""
    rgb: Sequence[float] = matplotlib.colors.to_rgb(color)
    behind = matplotlib.colors.to_rgb(paper)
    end = 0.0 if luminance(behind) > MIDDLE else 1.0
    while contrast(rgb, behind) < least:
        rgb = [0.95 * c + 0.05 * end for c in rgb]
    return str(matplotlib.colors.to_hex((rgb[0], rgb[1], rgb[2])))


def shades(count: int) -> list[str]:
    """So many colours from dark to light, none too light for a line on paper, for lines that are steps of one quantity."""
    return [matplotlib.colors.to_hex(c) for c in matplotlib.colormaps[COLOURS]([0.58 * i / max(1, count - 1) for i in range(count)])]


def luminance(rgb: Sequence[float]) -> float:
    """Relative luminance of a colour, 0 black to 1 white."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: Sequence[float], b: Sequence[float]) -> float:
    """Contrast of two colours as WCAG has it, 1 to 21."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


# ---- axes

def few_ticks(axis: Axis, most: int) -> None:
    """At most so many ticks, at round numbers."""
    axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))


def symbol(name: str) -> str:
    """A symbol as mathtext: 'I_Na' -> '$I_{\\mathrm{Na}}$'."""
    from simulation.assembly.symbols import symbol_latex

    return f"${symbol_latex(name)}$"


def typeset(words: str) -> str:
    """Words in which every symbol is mathtext: 'P_Cl as a share of normal'."""
    return _SYMBOL_IN_WORDS.sub(lambda m: symbol(m.group()), words)


def unit(name: str) -> str:
    """A unit as it is printed: 'uA/cm2' -> 'µA/cm²'; '1' is no unit."""
    if name == "1":
        return ""
    for written, printed in _UNITS:
        name = name.replace(written, printed)
    return name


def axis_label(quantity: str, symbol_name: str | None = None, unit_name: str = "") -> str:
    """'Membrane potential $V$ (mV)' from a quantity, a symbol and a unit."""
    typeset = symbol(symbol_name) if symbol_name else ""
    brackets = f"({unit(unit_name)})" if unit(unit_name) else ""
    return " ".join(filter(None, (quantity[:1].upper() + quantity[1:], typeset, brackets)))
