"""What a run left behind: time, states, and any symbol of the model worked out from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation import files, models, parameter_sets
from simulation.assembly.compile import Array
from simulation.assembly.emit import Emitted
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

    @cached_property
    def dV_dt(self) -> Array:
        """Rate of change of the membrane potential by the model's own equation, mV/ms."""
        stimulus = np.concatenate([s.I_0 + s.I_slope * (t - s.start) for s, t in zip(self.protocol.segments, self._by_segment(self.t), strict=True)])
        return np.asarray(self.own_dV_dt + self._per_current * stimulus)

    @cached_property
    def own_dV_dt(self) -> Array:
        """What dV/dt would be without the stimulus, mV/ms."""
        kernel, V = self.preparation.kernel, self.preparation.potential
        at = kernel.emitted.values.index(self.preparation.bound.model.stimulus[0])
        out = []
        for t, states, values in zip(self._by_segment(self.t), self._by_segment(self.states), self._resting_values, strict=True):
            rates = np.empty(states.shape)
            kernel.rhs_along(float(t[0]), np.ascontiguousarray(states), values, np.zeros(len(t)), at, rates)
            out.append(rates[:, V])
        return np.concatenate(out)

    @cached_property
    def _per_current(self) -> Array:
        """What a unit of stimulus adds to dV/dt: it is in the capacitance alone, so one state of each segment tells it for all."""
        kernel, V = self.preparation.kernel, self.preparation.potential
        at = kernel.emitted.values.index(self.preparation.bound.model.stimulus[0])
        out, rates = [], np.empty((2, self.states.shape[1]))
        for states, values in zip(self._by_segment(self.states), self._resting_values, strict=True):
            kernel.rhs_along(0.0, np.ascontiguousarray(states[[0, 0]]), values, np.array([0.0, 1.0]), at, rates)
            out.append(rates[1, V] - rates[0, V])
        return np.repeat(out, self.counts)

    @property
    def _resting_values(self) -> list[Array]:
        """The values of each segment, with no stimulus."""
        stimulus = dict.fromkeys(self.preparation.bound.model.stimulus[:2], 0.0)
        return [self.preparation.kernel.changed(values, stimulus) for values in self.values]

    def _by_segment(self, rows: Array) -> list[Array]:
        return np.split(rows, np.cumsum(self.counts)[:-1])

    @property
    def clamp_current(self) -> Array:
        """Current that the voltage clamp passes, in the unit of the stimulus: what it takes to keep dV/dt at zero. NaN where nothing is clamped."""
        return np.where(self._clamped, -self.dV_dt / self._per_current, np.nan)

    @property
    def _clamped(self) -> NDArray[np.bool_]:
        return np.repeat([segment.V is not None for segment in self.protocol.segments], self.counts)

    def at(self, t: float) -> Array:
        """Every state at a time, by cubic Hermite interpolation between the solver's points."""
        i = int(np.clip(np.searchsorted(self.t, t, side="right") - 1, 0, len(self.t) - 2))
        segment = int(np.searchsorted(np.cumsum(self.counts), i, side="right"))
        rates = np.empty((2, self.states.shape[1]))
        for k in (0, 1):
            self.preparation.kernel.rhs(self.t[i + k], self.states[i + k], self.values[segment], rates[k])
        rates[:, list(self.preparation.held)] = 0.0
        rates[self._clamped[i : i + 2], self.preparation.potential] = 0.0
        from scipy.interpolate import CubicHermiteSpline

        return np.asarray(CubicHermiteSpline(self.t[i : i + 2], self.states[i : i + 2], rates)(t))

    def resample(self, dt: float, symbol: str | None = None) -> tuple[Array, Array]:
        """Times at even steps of ``dt`` ms and a symbol there; the potential by cubic Hermite interpolation, others linearly."""
        t = np.arange(self.t[0], self.t[-1], dt)
        if symbol is not None and symbol != self.preparation.bound.model.potential:
            return t, np.interp(t, self.t, self[symbol])
        from scipy.interpolate import CubicHermiteSpline

        return t, CubicHermiteSpline(self.t, self.V, np.where(self._clamped, 0.0, self.dV_dt))(t)

    @cached_property
    def features(self) -> Features:
        from simulation.experiment.features import measure

        return measure(self)

    # ---- to files and back

    @property
    def provenance(self) -> dict[str, Any]:
        """What made this recording, enough to make it again."""
        return {
            "format": FORMAT,
            **self.preparation.describe(),
            "kernel": self.preparation.kernel.kind,
            "solver": self.solver.describe(),
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
        return [s for s in self.preparation.kernel.emitted.symbols if self.preparation.bound.units[s] == self.preparation.bound.current_unit]

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

    path = Path(path)
    try:
        with xr.open_dataset(path, engine="netcdf4") as data:
            data.load()
        made = json.loads(data.attrs["provenance"])
        ours = made["format"] == FORMAT and Emitted(models.bound(made["model"])).digest == made["equations"]
        recording = _rebuilt(made, data) if ours else None
    except FileNotFoundError:
        raise ExperimentError(f"there is no file {path}") from None
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise ExperimentError(f"{path} is not a recording of this program: {error}") from None
    if recording is None:
        raise ExperimentError(f"{path} was made by other equations of '{made['model']}' (version {made.get('cramplab')}); run it again")
    return recording


def _rebuilt(made: dict[str, Any], data: xr.Dataset) -> Recording:
    from simulation.experiment.solve import Solver, segment_values

    shipped = made["parameter_set"] in parameter_sets.available()  # the user's own file may be gone; its values are all here
    p = prepare(made["model"], parameters=made["parameter_set"] if shipped else None, freeze=tuple(made["frozen"]), mode=made["mode"])
    parameters = {
        s: p.parameters[s].model_copy(update={"value": value, "unit": made["units"][s]}) for s, value in made["parameters"].items()
    }
    numbers = replace(p.parameters, name=made["parameter_set"], parameters=parameters, changed=made["changed"])
    p = replace(p, parameters=numbers, bath=Bath.stated(made["bath"]))
    protocol = from_dict(made["protocol"], stated=True)
    settings: dict[str, Any] = {k: np.inf if v is None else v for k, v in made["solver"].items()}
    solver = Solver(**settings)
    values = tuple(segment_values(p, s) for s in protocol.segments)
    states = np.column_stack([data[s].values for s in p.states])
    counts = tuple(int(n) for n in data["points_per_segment"].values)
    if len(counts) != len(values) or sum(counts) != len(states):
        raise ValueError("its points do not fit its protocol")
    return Recording(p, protocol, solver, data["time"].values, states, values, counts)
