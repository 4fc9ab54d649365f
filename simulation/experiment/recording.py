"""What a run left behind: time, states, and any symbol of the model worked out from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation import files
from simulation.assembly.compile import Array
from simulation.assembly.errors import ModelError, nearest
from simulation.experiment.bath import Bath
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation, prepare
from simulation.experiment.protocol import Protocol, from_dict

if TYPE_CHECKING:
    import xarray as xr

    from simulation.experiment.features import Features
    from simulation.experiment.solve import Solver

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Recording:
    """A run of ``preparation`` through ``protocol``.

    ``t``: times, ms, shape (n,), as dense as the solver's steps. ``states``: shape (n, states).
    ``values``, ``counts``: parameters of each segment and how many points it has."""

    preparation: Preparation
    protocol: Protocol
    solver: Solver
    t: Array
    states: Array
    values: tuple[Array, ...]
    counts: tuple[int, ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that can be observed."""
        return (*self.preparation.states, *self.preparation.kernel.emitted.symbols)

    @cached_property
    def _observed(self) -> Array:
        out, at = [], 0
        for values, n in zip(self.values, self.counts, strict=True):
            out.append(self.preparation.kernel.observe(self.t[at : at + n], self.states[at : at + n], values))
            at += n
        return np.concatenate(out)

    def __getitem__(self, symbol: str) -> Array:
        """Any symbol of the model along the run, without solving again. Raises ModelError with the nearest names."""
        if symbol in self.preparation.states:
            return self.states[:, self.preparation.states.index(symbol)]
        names = self.preparation.kernel.emitted.symbols
        if symbol not in names:
            raise ModelError(f"{self.preparation.bound.name} has no symbol '{symbol}'{nearest(symbol, self.symbols)}")
        return self._observed[:, names.index(symbol)]

    @property
    def V(self) -> Array:
        """Membrane potential, mV."""
        return self.states[:, self.preparation.potential]

    @property
    def dV_dt(self) -> Array:
        """Rate of change of the membrane potential by the model's own equation, mV/ms."""
        return self[self.preparation.bound.derivatives[self.preparation.potential]]

    @property
    def clamp_current(self) -> Array:
        """Current that the voltage clamp passes, uA/cm2: what it takes to keep dV/dt at zero. NaN where nothing is clamped."""
        C_m = self.preparation.numbers()["C_m"]
        out, at = np.full(len(self.t), np.nan), 0
        for segment, n in zip(self.protocol.segments, self.counts, strict=True):
            if segment.V is not None:
                out[at : at + n] = -C_m * self.dV_dt[at : at + n]
            at += n
        return out

    def resample(self, dt: float, symbol: str | None = None) -> tuple[Array, Array]:
        """Times at even steps of ``dt`` ms and a symbol there; the potential by cubic Hermite interpolation, others linearly."""
        t = np.arange(self.t[0], self.t[-1], dt)
        if symbol is not None and symbol != self.preparation.bound.model.potential:
            return t, np.interp(t, self.t, self[symbol])
        from scipy.interpolate import CubicHermiteSpline

        return t, CubicHermiteSpline(self.t, self.V, self.dV_dt)(t)

    @cached_property
    def features(self) -> Features:
        from simulation.experiment.features import measure

        return measure(self)

    # ---- to files and back

    @property
    def provenance(self) -> dict[str, Any]:
        """What made this recording, enough to make it again."""
        p = self.preparation
        return {
            "format": FORMAT,
            "cramplab": _version(),
            "model": p.bound.name,
            "equations": p.kernel.emitted.digest,
            "parameter_set": p.parameters.name,
            "changed": dict(p.parameters.changed),
            "parameters": {s: x.value for s, x in p.parameters.parameters.items()},
            "bath": dict(p.bath),
            "mode": p.mode,
            "frozen": list(p.frozen),
            "kernel": p.kernel.kind,
            "solver": {k: (v if np.isfinite(v) else None) if isinstance(v, float) else v for k, v in vars(self.solver).items()},
            "protocol": self.protocol.to_dict(),
        }

    def to_xarray(self, symbols: Sequence[str] | None = None) -> xr.Dataset:
        """Dataset over ``time`` with the states and ``symbols`` (the model's currents if not given), units and provenance as attributes."""
        import xarray as xr

        p = self.preparation
        chosen = [*p.states, *(self._currents if symbols is None else symbols)]
        units = p.bound.units
        texts = {d.symbol: d.text for d in p.bound.definitions}
        variables = {
            s: ("time", self[s], {"units": units[s], "long_name": texts.get(s, s)}) for s in dict.fromkeys(chosen)
        }
        attributes = {"title": p.bound.model.title, "provenance": json.dumps(self.provenance)}
        counts = {"points_per_segment": ("segment", np.array(self.counts))}
        return xr.Dataset({**variables, **counts}, {"time": ("time", self.t, {"units": "ms"})}, attributes)

    @property
    def _currents(self) -> list[str]:
        return [s for s in self.preparation.kernel.emitted.symbols if self.preparation.bound.units[s] == "uA/cm2"]

    def save(self, path: str | Path, symbols: Sequence[str] | None = None) -> Path:
        """Write to .nc (netCDF) or .csv. Raises FileError, or ExperimentError for another ending."""
        path = Path(path)
        if path.suffix not in (".nc", ".csv"):
            raise ExperimentError(f"a recording is written as .nc or .csv, not as '{path.suffix or path.name}'")
        data = self.to_xarray(symbols)
        with files.aside(path) as temporary:
            if path.suffix == ".nc":
                data.to_netcdf(temporary, engine="netcdf4")
            else:
                table = data.drop_vars("points_per_segment").to_dataframe()
                table.columns = [f"{name} ({data[name].attrs['units']})" for name in table.columns]
                table.index.name = "time (ms)"
                head = f"# {data.attrs['title']}\n# {data.attrs['provenance']}\n"
                temporary.write_text(head + table.to_csv(lineterminator="\n"), encoding="utf-8", newline="\n")
        return path


def open_recording(path: str | Path) -> Recording:
    """A recording from the netCDF file that ``save`` wrote; every symbol can be observed again.

    Raises ExperimentError if the file cannot be read or was made by other equations."""
    import xarray as xr

    from simulation.experiment.solve import Solver

    path = Path(path)
    try:
        with xr.open_dataset(path, engine="netcdf4") as data:
            data.load()
        made = json.loads(data.attrs["provenance"])
        model, digest = made["model"], made["equations"]
    except FileNotFoundError:
        raise ExperimentError(f"there is no file {path}") from None
    except (OSError, KeyError, ValueError) as error:
        raise ExperimentError(f"{path} is not a recording of this program: {error}") from None
    p = prepare(model, Bath(), parameters=made["parameter_set"], freeze=tuple(made["frozen"]), mode=made["mode"], kernel=None)
    changed = {s: v for s, v in made["parameters"].items() if p.parameters[s].value != v}
    numbers = replace(p.parameters.with_values(changed), changed=made["changed"])
    bath = Bath.stated(made["bath"])
    p = replace(p, parameters=numbers, bath=bath)
    if p.kernel.emitted.digest != digest:
        raise ExperimentError(f"{path} was made by other equations of '{model}' (version {made['cramplab']}); run it again")
    protocol = from_dict(made["protocol"])
    settings: dict[str, Any] = {k: np.inf if v is None else v for k, v in made["solver"].items()}
    solver = Solver(**settings)
    from simulation.experiment.solve import segment_values

    values = tuple(segment_values(p, s) for s in protocol.segments)
    states = np.column_stack([data[s].values for s in p.states])
    counts = tuple(int(n) for n in data["points_per_segment"].values)
    return Recording(p, protocol, solver, data["time"].values, states, values, counts)


def _version() -> str:
    try:
        return version("cramplab")
    except PackageNotFoundError:
        return "not installed"
