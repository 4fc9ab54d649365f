"""Numbers of a figure, in a reader's words, off what experiments gave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from simulation.experiment.cramp import measure

if TYPE_CHECKING:
    import xarray as xr

    from simulation.experiment.motor_unit import UnitRun
    from simulation.experiment.recording import Recording


def along(data: xr.Dataset, names: Iterable[str], values: Iterable[float] | None = None) -> dict[str, float]:
    """Numbers over the one axis of a sweep: {'rest at K 2 mM (mV)': -101.2}. ``values``: points of the axis, the nearest taken; all if none."""
    out: dict[str, float] = {}
    for name in names:
        (axis,) = data[name].dims
        x = data[axis].values
        chosen = range(len(x)) if values is None else [int(np.argmin(abs(x - v))) for v in values]
        for i in chosen:
            where = with_unit(f"{axis} {x[i]:.4g}", data[axis].attrs["units"], brackets=False)
            out[with_unit(f"{name.replace('_', ' ')} at {where}", data[name].attrs["units"])] = float(data[name].values[i])
    return out


def with_unit(what: str, unit: str, brackets: bool = True) -> str:
    """'rest (mV)', or 'K 4 mM'."""
    return what if unit in ("", "1") else f"{what} ({unit})" if brackets else f"{what} {unit}"


def spike(name: str, run: Recording) -> dict[str, float]:
    """Rest, number of spikes, peak and half-width of a run."""
    f = run.features
    found = {"rest (mV)": f.rest, "spikes": f.spikes, "peak (mV)": f.peak, "half-width (ms)": f.half_width}
    return {f"{name}: {what}": float("nan") if value is None else float(value) for what, value in found.items()}


def force(name: str, run: UnitRun) -> dict[str, float]:
    """Spikes and force of a motor unit."""
    f = measure(run)
    return {f"{name}: spikes of the axon": float(f.axon_spikes), f"{name}: spikes of the fibre": float(f.muscle_spikes),
            f"{name}: peak force (of full force)": f.peak_force, f"{name}: involuntary force (s of full force)": f.involuntary_force}
