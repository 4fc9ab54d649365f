"""What a figure reads from a result: labels, axes, control values, failed points, numbers for the description."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from simulation.assembly.errors import nearest
from simulation.figures import style
from simulation.figures.errors import FigureError

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_GLUE = re.compile(r"\$[^$]*\$|\S+ \([^ ]*\)$|\d \w+")  # mathtext, the last word and the unit, a number and its unit
_MARKUP = re.compile(r"\\mathrm|[${}\\_^]")
IONS = ("K", "Na", "Cl", "Ca", "Mg")


# ---- parts of a dataset

def variable(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """A variable of the dataset. Raises FigureError with the nearest names."""
    if name not in dataset.data_vars:
        known = measures(dataset)
        raise FigureError(f"the result has no measure '{name}'{nearest(name, known)}; it has {', '.join(known)}")
    return dataset[name]


def measures(dataset: xr.Dataset) -> list[str]:
    """Names of the variables that hold numbers measured."""
    return [str(n) for n, x in dataset.data_vars.items() if n != "status" and x.dtype.kind in "iufb"]


def axis_values(dataset: xr.Dataset, axis: str) -> Array:
    """Values along an axis, shape (n,). Raises FigureError if the dataset has no such axis or it does not rise or fall throughout."""
    if axis not in dataset.dims:
        known = [str(d) for d in dataset.dims]
        raise FigureError(f"the result has no axis '{axis}'{nearest(axis, known)}; it has {', '.join(known)}")
    values = np.asarray(dataset[axis].values, dtype=float)
    steps = np.diff(values)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise FigureError(f"the values of the axis {axis} neither rise nor fall throughout")
    return values


def control(dataset: xr.Dataset) -> dict[str, float]:
    """Value of each axis in the control bath, as far as the dataset says it."""
    return {str(k): float(v) for k, v in json.loads(dataset.attrs.get("control", "{}")).items()}


def provenance(dataset: xr.Dataset) -> dict[str, Any]:
    """What made this dataset: its provenance, else its attributes."""
    stated = dataset.attrs.get("provenance")
    return dict(json.loads(stated)) if stated else dict(dataset.attrs)


def values_and_failures(dataset: xr.Dataset, name: str) -> tuple[Array, Mask]:
    """A measure with NaN wherever there is no value, and where the point failed; both of the measure's shape."""
    array = variable(dataset, name)
    values = np.asarray(array.values, dtype=float)
    failed = failures(dataset, array.dims) if "status" in dataset else np.zeros(values.shape, dtype=bool)
    return np.where(failed | ~np.isfinite(values), np.nan, values), failed


def failures(dataset: xr.Dataset, dims: tuple[Hashable, ...] | None = None) -> Mask:
    """Where points failed, over ``dims`` if the dataset says so at all."""
    if "status" not in dataset:
        return np.zeros(0, dtype=bool)
    status = dataset["status"] if dims is None else dataset["status"].transpose(*dims)
    failed: Mask = np.asarray(status.values) != 0
    return failed


def is_integer(array: xr.DataArray) -> bool:
    """Whether a measure counts something: whole numbers without unit."""
    values = np.asarray(array.values, dtype=float)
    finite = values[np.isfinite(values)]
    return style.unit(array.attrs.get("units", "1")) == "" and finite.size > 0 and bool(np.all(finite == np.round(finite)))


# ---- spacing of an axis

def is_geometric(values: Array) -> bool:
    """Whether values are spaced by a factor rather than by a difference."""
    if len(values) < 3 or np.any(values <= 0):
        return False
    ratios, steps = np.diff(np.log(values)), np.diff(values)
    return bool(np.allclose(ratios, ratios[0], rtol=0.02) and not np.allclose(steps, steps[0], rtol=0.02))


def edges(values: Array) -> Array:
    """Borders of the cells around the points of an axis, shape (n + 1,): halfway in the axis' own spacing."""
    if len(values) == 1:
        width = 0.5 * abs(values[0]) or 0.5
        return np.array([values[0] - width, values[0] + width])
    geometric = is_geometric(values)
    x = np.log(values) if geometric else values
    middle = 0.5 * (x[1:] + x[:-1])
    out = np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]])
    return np.exp(out) if geometric else out


# ---- labels

def axis_words(dataset: xr.Dataset, axis: str) -> str:
    """What an axis holds: 'extracellular potassium'."""
    words = str(dataset[axis].attrs.get("long_name", axis))
    return f"extracellular {words}" if axis in IONS else words


def axis_label(dataset: xr.Dataset, axis: str) -> str:
    """Label of an axis: 'Extracellular potassium $[K]_o$ (mM)'."""
    symbol = f"{axis}_o" if axis in IONS else "T" if axis == "T" else None
    return _label(axis_words(dataset, axis), symbol, dataset[axis])


def measure_words(array: xr.DataArray) -> str:
    """What a measure is, to the end of the first clause."""
    return re.split(r" \(|[;:.](?:\s|$)", str(array.attrs.get("long_name", array.name)))[0]


def measure_label(array: xr.DataArray) -> str:
    """Label of a measure: what it is, with its unit."""
    return _label(measure_words(array), None, array)


def _label(words: str, symbol: str | None, array: xr.DataArray) -> str:
    return words if words == "pH" else style.axis_label(style.typeset(words), symbol, array.attrs.get("units", ""))


def wrapped(label: str, letters: int) -> str:
    """A label in as few lines of up to so many letters as can be, of like length, never broken inside mathtext or before a unit."""
    words = [w.replace("\0", " ") for w in _GLUE.sub(lambda m: m.group().replace(" ", "\0"), label).split(" ")]
    lines = _filled(words, letters)
    while letters > 1 and len(tighter := _filled(words, letters - 1)) == len(lines):
        lines, letters = tighter, letters - 1
    return "\n".join(lines)


def _filled(words: Sequence[str], letters: int) -> list[str]:
    lines = [words[0]]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if len(_MARKUP.sub("", longer)) <= letters:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


# ---- words for the description

def number(value: float, digits: int = 3) -> str:
    """A number as it is said: three digits, no exponent where it can be helped."""
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e" in text and 1 <= abs(value) < 1e6 else text


def printed(value: float) -> str:
    """A number as it stands in a figure, with a true minus."""
    return number(value).replace("-", "\N{MINUS SIGN}")


def quantity(value: float, unit: str) -> str:
    """A number with its unit: '-99 mV'."""
    return f"{number(value)} {style.unit(unit)}".strip()


def spread(count: int, wanted: int = 5) -> list[int]:
    """Up to ``wanted`` indices that go from the first to the last of ``count``."""
    return sorted({int(i) for i in np.linspace(0, count - 1, min(count, wanted)).round()})


def along(x: Array, y: Array, x_unit: str, y_unit: str, keep: Iterable[float] = (), wanted: int = 5) -> str:
    """'-99 mV at 2 mM, -90 mV at 4 mM' for some of the points that have a value, and for the x in ``keep``."""
    there = np.flatnonzero(np.isfinite(y))
    chosen = {int(there[i]) for i in spread(len(there), wanted)} if len(there) else set()
    chosen |= {int(i) for i in there for value in keep if np.isclose(x[i], value)}
    return ", ".join(f"{quantity(y[i], y_unit)} at {quantity(x[i], x_unit)}" for i in sorted(chosen, key=lambda i: x[i]))


def failed_words(dataset: xr.Dataset) -> str:
    """How many points failed, as a sentence; empty if none did."""
    failed = int(failures(dataset).sum())
    return {0: "", 1: "One point failed and is left out"}.get(failed, f"{failed} points failed and are left out")


def sentences(parts: Iterable[str]) -> str:
    """Parts that say something, as sentences."""
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in parts if part)


def point_words(dataset: xr.Dataset, axis: str, value: float) -> str:
    """'K 4 mM' for a value of an axis, 'P_Cl × 0.5' for that of a scale."""
    if axis.endswith("_scale"):
        return f"{axis.removesuffix('_scale')} × {number(value)}"
    return f"{axis} {quantity(value, dataset[axis].attrs.get('units', ''))}"
