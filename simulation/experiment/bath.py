"""The bath: ionised concentrations around the membrane, pH and temperature."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulation.assembly.errors import nearest
from simulation.experiment.errors import ExperimentError


@dataclass(frozen=True)
class Component:
    """What a bath may hold: name, unit, range in which a bare number is believed, range that is possible at all,
    and for ions molar mass (g/mol) and valence."""

    name: str
    unit: str
    usual: tuple[float, float]
    possible: tuple[float, float]
    molar_mass: float = 0.0
    valence: int = 0


COMPONENTS = {
    "K": Component("potassium", "mM", (0.2, 30), (1e-3, 200), 39.098, 1),
    "Na": Component("sodium", "mM", (80, 200), (1e-3, 600), 22.990, 1),
    "Cl": Component("chloride", "mM", (50, 200), (1e-3, 700), 35.45, 1),
    "Ca": Component("ionised calcium", "mM", (0.05, 5), (0, 50), 40.078, 2),
    "Mg": Component("ionised magnesium", "mM", (0, 6), (0, 50), 24.305, 2),
    "pH": Component("pH", "", (6.5, 8.2), (4, 10)),
    "T": Component("temperature", "degC", (0, 45), (0, 45)),
}
_ITEM = re.compile(r"^\s*([^=\s]+)\s*=\s*([^\s=a-zA-Z_]*(?:[eE][-+]?\d+)?)\s*([a-zA-Z/]*[a-zA-Z\d/]*)\s*$")


@dataclass(frozen=True)
class Bath:
    """Extracellular fluid as far as it differs from the control bath of the parameter set.

    ``ions``: name -> value in mM (pH without unit, T in degC)."""

    ions: tuple[tuple[str, float], ...] = ()

    def __init__(self, ions: Mapping[str, float] | Bath | str | None = None, **more: float) -> None:
        if not (ions is None or isinstance(ions, str | Mapping | Bath)):
            raise ExperimentError(f"a bath is written as 'K=2.5, Ca=0.6' or as {{'K': 2.5, 'Ca': 0.6}}, not as {ions!r}")
        written = parse(ions) if isinstance(ions, str) else dict(ions) if isinstance(ions, Bath) else {}
        bare = (dict(ions) if isinstance(ions, Mapping) else {}) | more
        checked = written | {name: check(name, value, stated=False)[1] for name, value in bare.items()}
        object.__setattr__(self, "ions", tuple(checked.items()))

    @classmethod
    def stated(cls, ions: Mapping[str, float]) -> Bath:
        """A bath whose values are meant as they are, however rare."""
        out = cls()
        object.__setattr__(out, "ions", tuple(check(name, value, stated=True) for name, value in ions.items()))
        return out

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return iter(self.ions)

    def __bool__(self) -> bool:
        return bool(self.ions)

    def keys(self) -> list[str]:
        return [name for name, _ in self.ions]

    def __getitem__(self, name: str) -> float:
        return dict(self.ions)[name]

    def changed(self, **ions: float) -> Bath:
        return Bath(self, **ions)

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:g}{' ' + COMPONENTS[name].unit if COMPONENTS[name].unit else ''}" for name, value in self.ions)


def check(name: str, value: float, stated: bool) -> tuple[str, float]:
    """A component and its value, if they can be. ``stated``: the user wrote the unit, so a rare value is meant.

    Raises ExperimentError."""
    if name not in COMPONENTS:
        raise ExperimentError(f"the bath has no '{name}'{nearest(name, COMPONENTS)}; it has {', '.join(COMPONENTS)}")
    c = COMPONENTS[name]
    unit = f" {c.unit}" if c.unit else ""
    try:
        value = float(value)
    except (TypeError, ValueError):
        raise ExperimentError(f"bath {name} = {value!r} is not a number") from None
    if not math.isfinite(value):
        raise ExperimentError(f"bath {name} = {value} is not a number that a bath can have")
    low, high = c.possible
    if value <= 0 and low > 0 and c.valence:
        raise ExperimentError(
            f"bath {name} = {value:g} mM: a concentration is above 0 (at 0 the Nernst potential is infinite); "
            f"the lowest that works is {low:g} mM"
        )
    if not low <= value <= high:
        hint = f". If {value:g} K is meant, write T={value - 273.15:g}" if name == "T" and 270 < value < 320 else ""
        raise ExperimentError(f"bath {name} = {value:g}{unit} is not possible: {c.name} goes from {low:g} to {high:g}{unit}{hint}")
    if not stated and not c.usual[0] <= value <= c.usual[1]:
        hint = ""
        if c.molar_mass and c.usual[0] <= value * 10 / c.molar_mass <= c.usual[1]:
            hint = f" If {value:g} mg/dL is meant, write {name}={value:g}mg/dL ({value * 10 / c.molar_mass:.3g} mM)."
        if c.unit:
            hint += f" If {value:g}{unit} is meant, write {name}={value:g}{c.unit}."
        raise ExperimentError(
            f"bath {name} = {value:g}: is that in {c.unit or 'pH units'}? Expected is {c.usual[0]:g} to {c.usual[1]:g}{unit}.{hint}"
        )
    return name, value


def parse(text: str) -> dict[str, float]:
    """'K=2.5, Ca=9.5mg/dL' as {name: value in mM}. Raises ExperimentError."""
    out: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        match = _ITEM.match(item)
        if not match:
            raise ExperimentError(f"'{item}' is not of the form NAME=NUMBER, for example K=2.5 or Ca=9.5mg/dL")
        name, number, unit = match.groups()
        if name in out:
            raise ExperimentError(f"the bath names {name} twice")
        try:
            value = float(number)
        except ValueError:
            raise ExperimentError(f"bath {name} = '{number}{unit}' is not a number") from None
        if name not in COMPONENTS:
            check(name, value, stated=True)
        out[name] = check(name, _in_mM(name, value, unit), stated=bool(unit))[1]
    return out


def _in_mM(name: str, value: float, unit: str) -> float:
    c = COMPONENTS[name]
    if not unit or unit == c.unit:
        return value
    if c.valence:
        factors = {"mmol/L": 1.0, "mM": 1.0, "mEq/L": 1 / c.valence, "mg/dL": 10 / c.molar_mass, "uM": 1e-3}
        known = {u.lower(): f for u, f in factors.items()}
        if unit.lower() in known:
            return value * known[unit.lower()]
        raise ExperimentError(f"bath {name}: the unit '{unit}' is not known{nearest(unit, factors)}; known: {', '.join(factors)}")
    raise ExperimentError(f"bath {name} is given in {c.unit or 'no unit'}, not in '{unit}'")
