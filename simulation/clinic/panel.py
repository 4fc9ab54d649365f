"""A serum panel: read as a laboratory prints it, graded, and turned into the bath of nerve and muscle, and what these then do."""

from __future__ import annotations

import contextlib
import csv
import inspect
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from simulation import parameter_sets
from simulation.assembly.errors import nearest
from simulation.clinic.conditions import GRADES, body_knobs
from simulation.experiment import cramp
from simulation.experiment.bath import Bath
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.junction import BATH
from simulation.experiment.motor_unit import Drive, Rate, run_unit, unit
from simulation.experiment.preparation import Preparation, prepare
from simulation.experiment.protocol import Pulse, protocol, rest_only
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import run
from simulation.experiment.threshold import of_restless, rheobase, threshold_current
from simulation.physiology import body_calcium, body_magnesium

DISCLAIMER = "It teaches. It gives no advice on a patient."
_ITEM = re.compile(r"^\s*([A-Za-z0-9]+)\s*=\s*([^\s=a-zA-Z]*(?:[eE][-+]?\d+)?)\s*([a-zA-Z][^\s]*)?\s*$")


class Analyte(BaseModel):
    """One value of a panel: its unit, its reference band and where its grades begin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    unit: str
    normal: tuple[float, float]
    middle: float
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    possible: tuple[float, float]
    conventional: dict[str, Any] = {}
    others: dict[str, float] = {}
    no_effect: str = ""

    @property
    def units(self) -> dict[str, float]:
        """What one of each unit is in that of the panel."""
        own = {self.unit: 1.0} if self.unit else {}
        return own | self.others | ({self.conventional["unit"]: float(self.conventional["factor"])} if self.conventional else {})

    def grade(self, value: float) -> str:
        """'normal', or 'low, mild' and the like."""
        if self.normal[0] <= value <= self.normal[1]:
            return "normal"
        low = value < self.normal[0]
        passed = [value < limit for limit in self.low] if low else [value > limit for limit in self.high]
        return f"{'low' if low else 'high'}, {GRADES[sum(passed) - 1]}"


@cache
def analytes() -> Mapping[str, Analyte]:
    """What a panel may hold, by name."""
    data = tomllib.loads((parameter_sets.folder() / "panel.toml").read_text(encoding="utf-8"))
    return {name: Analyte.model_validate(x) for name, x in data.items()}


@dataclass(frozen=True)
class Panel:
    """A serum panel in the units of ``analytes``. ``missing``: what was not measured, and is taken as normal."""

    values: Mapping[str, float]
    name: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        known = {*self.values, "iCa", *(("Ca",) if "iCa" in self.values else ())}
        return tuple(n for n, a in analytes().items() if n not in known and not a.no_effect)

    def __getitem__(self, name: str) -> float:
        return self.values.get(name, analytes()[name].middle)

    @property
    def grades(self) -> dict[str, str]:
        """Of each value that was given."""
        return {name: analytes()[name].grade(value) for name, value in self.values.items()}

    @property
    def Ca_ion(self) -> float:
        """Ionised calcium, mM: as measured, or from total calcium, albumin and pH by the equations of the body model."""
        if "iCa" in self.values:
            return self.values["iCa"]
        of = _normal_body()
        pH = {"pH": self["pH"], "pH_0": of["pH_0"]}
        ion = _called(body_calcium.Ca_ion, {**of, **pH, "Ca_rel": 1.0})
        total = _called(body_calcium.Ca_total, {**of, **pH, "Ca_ion": ion, "Ca_rel": 1.0, "albumin": self["albumin"]})
        return ion * self["Ca"] / total  # ionised, complexed and bound move together

    @property
    def Mg_ion(self) -> float:
        """Ionised magnesium, mM, from the total and albumin."""
        of = _normal_body()
        ion_0 = _called(body_magnesium.Mg_ion_0, of)
        return ion_0 * self["Mg"] / _called(body_magnesium.Mg_total, {**of, "Mg_rel": 1.0, "albumin": self["albumin"]})

    @property
    def bath(self) -> dict[str, float]:
        """What nerve and muscle lie in."""
        return {"K": self["K"], "Na": self["Na"], "Ca": self.Ca_ion, "Mg": self.Mg_ion, "pH": self["pH"]}

    def reset(self, name: str) -> Panel:
        """The same panel with one value normal."""
        return replace(self, values={k: v for k, v in self.values.items() if k != name})


@cache
def normal_bath() -> Mapping[str, tuple[float, float]]:
    """The reference bands as what nerve and muscle lie in, by component of the bath: ionised calcium, and of magnesium its ionised part."""
    bands = {name: analytes()["iCa" if name == "Ca" else name].normal for name in ("K", "Na", "Ca", "pH")}
    low, high = (Panel({"Mg": total}).Mg_ion for total in analytes()["Mg"].normal)
    return bands | {"Mg": (low, high)}


def _normal_body() -> Mapping[str, float]:
    return {s: p.value for s, p in body_knobs().items()}


def _called(equation: Callable[..., Any], of: Mapping[str, float]) -> float:
    """An equation of the body model in numbers: its arguments' names say which."""
    return float(equation(**{n: of[n] for n in inspect.signature(equation).parameters}))


# ---- reading

def read(items: Sequence[str], conventional: bool = False, name: str = "") -> Panel:
    """'K=2.9', 'Ca=7.8mg/dL' and so on. Raises ExperimentError for what cannot be, or may be in another unit."""
    values: dict[str, float] = {}
    for item in items:
        match = _ITEM.match(item)
        if not match:
            raise ExperimentError(f"'{item}' is not of the form NAME=NUMBER, for example K=2.9 or Ca=7.8mg/dL")
        given, number, written = match.groups()
        known = {n.lower(): n for n in analytes()}
        if given.lower() not in known:
            raise ExperimentError(f"a panel has no '{given}'{nearest(given, analytes())}; it may have {', '.join(analytes())}")
        symbol = known[given.lower()]
        if symbol in values:
            raise ExperimentError(f"the panel names {symbol} twice")
        values[symbol] = _value(symbol, number, written or "", conventional)
    if "Ca" in values and "iCa" in values:
        raise ExperimentError("the panel has total and ionised calcium; give one of them: the ionised is what the membrane feels")
    return Panel(values, name)


def _value(symbol: str, number: str, written: str, conventional: bool) -> float:
    a = analytes()[symbol]
    try:
        value = float(number)
    except ValueError:
        raise ExperimentError(f"{symbol} = '{number}{written}' is not a number") from None
    if not math.isfinite(value):
        raise ExperimentError(f"{symbol} = {number} is not a number that a serum can have")
    factors = {u.lower(): f for u, f in a.units.items()}
    if written and written.lower() not in factors:
        raise ExperimentError(f"{symbol}: the unit '{written}' is not known{nearest(written, a.units)}; known: {', '.join(a.units) or 'none'}")
    usual = a.conventional["unit"] if conventional and a.conventional else a.unit
    out = value * factors.get((written or usual).lower(), 1.0)
    other = a.unit if conventional else a.conventional.get("unit", a.unit)
    inside = a.possible[0] <= out <= a.possible[1]
    read_otherwise = value * factors.get(other.lower(), 1.0) if other else math.nan
    open_to_doubt = not written and other != usual
    if open_to_doubt and inside and a.grade(read_otherwise) == "normal" != a.grade(out):
        raise ExperimentError(
            f"{symbol} = {value:g}: is that {value:g} {usual} ({a.grade(out)}) or {value:g} {other} (normal)? "
            f"Write {symbol}={value:g}{usual} or {symbol}={value:g}{other}"
        )
    if not inside:
        meant = open_to_doubt and a.possible[0] <= read_otherwise <= a.possible[1]
        hint = f"; if {value:g} {other} is meant, write {symbol}={value:g}{other}" if meant else ""
        unit = f" {a.unit}" if a.unit else ""
        raise ExperimentError(
            f"{symbol} = {value:g} {written or usual}".rstrip() + f" cannot be: {a.name} goes from {a.possible[0]:g} to {a.possible[1]:g}{unit}{hint}"
        )
    return out


def read_csv(path: Path, conventional: bool = False) -> list[tuple[str, Panel | str]]:
    """Panels of a CSV file, one a row, columns named as the values; a column 'name' names them. A row that cannot be read is the reason why.

    Raises ExperimentError if the file cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ExperimentError(f"cannot read {path}: {error}") from None
    if not rows:
        raise ExperimentError(f"{path} holds no panels: the first line names the values (name,K,Ca,Mg,...), each further one is a panel")
    out: list[tuple[str, Panel | str]] = []
    for i, row in enumerate(rows, start=2):
        name = (row.get("name") or f"line {i}").strip()
        try:
            items = [f"{k.strip()}={v.strip()}" for k, v in row.items() if k and k.strip() != "name" and v and v.strip()]
            out.append((name, read(items, conventional, name)))
        except ExperimentError as error:
            out.append((name, f"line {i}: {error}"))
    return out


# ---- what membranes do in it

@dataclass(frozen=True)
class Excitability:
    """A membrane in a bath, beside the same in the serum of health. ``rest``: mV; ``threshold`` of a 0.5 ms pulse and ``rheobase`` in the unit of the
    stimulus, 0 if it fires by itself, NaN if nothing makes it fire; the ratios: to health. ``spontaneous``: spikes in 300 ms without
    a stimulus; ``spikes``, ``after``: during and after 200 ms of twice the rheobase in health."""

    rest: float
    rest_change: float
    threshold: float
    threshold_ratio: float
    rheobase: float
    rheobase_ratio: float
    spontaneous: int
    spikes: int
    after: int
    two_rests: bool


@dataclass(frozen=True)
class Reading:
    """What a panel comes to. ``membranes``: by name; ``force``: of a motor unit at 20 Hz as a share of that in health; ``involuntary``: force without
    a drive; ``drives``: of each value that is not normal, how the axon's threshold (%) and the fibre's rest (mV) change if it alone is reset."""

    panel: Panel
    membranes: Mapping[str, Excitability]
    force: float
    force_ratio: float
    involuntary: float
    safety: float
    drives: Mapping[str, tuple[float, float]]
    tail: Mapping[str, Any]


MEMBRANES: Mapping[str, str] = {"axon": "motor axon", "axon_rhythmic": "excitable axon (hypothesis)", "fibre": "muscle fibre"}
HEALTH = Panel({})


def bath_for(p: Preparation, ions: Mapping[str, float]) -> Preparation:
    """The membrane in what it knows of a bath."""
    return replace(p, bath=Bath.stated(_known(p, ions)))


def _known(p: Preparation, ions: Mapping[str, float]) -> dict[str, float]:
    return {k: v for k, v in ions.items() if k in p.bound.model.bath}


def excitability(name: str, ions: Mapping[str, float]) -> Excitability:
    """Of one membrane in one bath, beside health. Raises ModelSaysNo where it has no steady state."""
    here, control = bath_for(_membrane(name), ions), _health(name)
    rest = find_rest(here)
    state = rest.at()
    restless = of_restless(here, state)
    threshold = threshold_current(here, start=state.state) if restless is None else restless
    step = rheobase(here, start=state.state) if restless is None else restless
    alone = run(here, rest_only(300), start=here.beside(state.state, 1.0)).features.spikes
    seen = run(here, protocol(Pulse(2 * control.rheobase, 200, at=10), after=300), start=state.state).features
    after = seen.after_discharge or 0
    return Excitability(
        state.V, state.V - control.rest, threshold, threshold / control.threshold, step, step / control.rheobase, alone, seen.spikes - after,
        after, len(rest.stable) > 1,
    )


@cache
def _membrane(name: str) -> Preparation:
    return prepare(name)


@cache
def _health(name: str) -> _Control:
    here = bath_for(_membrane(name), HEALTH.bath)
    state = find_rest(here).at()
    return _Control(state.V, threshold_current(here, start=state.state), rheobase(here, start=state.state))


@dataclass(frozen=True)
class _Control:
    rest: float
    threshold: float
    rheobase: float


def force(ions: Mapping[str, float]) -> tuple[float, float, float]:
    """Peak force of a motor unit at 20 Hz for a second, its involuntary force in 2 s without a drive, and the safety factor of its junction."""
    made = unit(baths={"axon": _known(_membrane("axon"), ions), "junction": {k: ions[k] for k in BATH}, "muscle": _known(_membrane("muscle"), ions)})
    driven = run_unit(made, Drive((Rate(20.0, 1000.0),)), 1500.0)
    return float(driven.force.max()), cramp.measure(run_unit(made, Drive(), 2000.0)).involuntary_peak, made.safety_factor


@cache
def _force_in_health() -> float:
    return force(HEALTH.bath)[0]


def examine(panel: Panel, *, members: int = 0) -> Reading:
    """Everything at once. ``members``: how many plausible axons are asked as well. Raises ExperimentError."""
    ions = panel.bath
    seen: dict[str, Excitability] = {}
    for name in MEMBRANES:
        with contextlib.suppress(ModelSaysNo):
            seen[name] = excitability(name, ions)
    try:
        peak, involuntary, safety = force(ions)
    except ModelSaysNo:
        peak = involuntary = safety = math.nan
    drives = {name: _driven_by(panel, name, seen) for name, grade in panel.grades.items() if grade != "normal" and not analytes()[name].no_effect}
    return Reading(panel, seen, peak, peak / _force_in_health(), involuntary, safety, drives, _tail(ions, members))


def _driven_by(panel: Panel, name: str, seen: Mapping[str, Excitability]) -> tuple[float, float]:
    """Change of the axon's threshold (%) and of the fibre's rest (mV) that go if one value is reset to normal."""
    ions = panel.reset(name).bath
    axon, fibre = (bath_for(_membrane(m), ions) for m in ("axon", "fibre"))
    try:
        reset = threshold_current(axon)
        health = _health("axon")
        here = seen["axon"].threshold if "axon" in seen else math.nan
        change = 100 * (here - reset) / health.threshold
        return change, (seen["fibre"].rest if "fibre" in seen else math.nan) - find_rest(fibre).V
    except ModelSaysNo:
        return math.nan, math.nan


def _tail(ions: Mapping[str, float], members: int) -> dict[str, Any]:
    """What a population of plausible axons does in the bath."""
    if not members:
        return {}
    from simulation.studies.population import members as drawn

    found, bath = drawn(_membrane("axon"), members).in_bath(ions)
    return {
        o: {"share": found.fraction(o, bath), "interval": list(found.interval(o, bath)), "count": int(found.shows(o, bath).sum())}
        for o in ("fires by itself", "after-discharge", "paralysed", "excitable")
    } | {"members": members}
