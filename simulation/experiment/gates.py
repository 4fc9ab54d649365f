"""Gate curves: steady states and time constants over the membrane potential, shifted as in the bath."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from simulation.assembly.compile import Array
from simulation.experiment.preparation import Preparation
from simulation.experiment.rest import Rest, find_rest

if TYPE_CHECKING:
    import xarray as xr


def gate_curves(p: Preparation, V: Array | None = None, rest: Rest | None = None) -> xr.Dataset:
    """Steady states and time constants of the gates of the outer membrane over ``V`` (mV), all else as at rest (``rest``, if it is known).

    Variables like m_inf (1) and tau_m (ms) over the dimension V; attribute 'dpsi' is the gating shift, mV (0 without surface charge)."""
    import xarray as xr

    V = np.arange(-120.0, 40.5, 0.5) if V is None else np.asarray(V, dtype=float)
    rest = rest or find_rest(p)
    states = np.tile(rest.at().state, (len(V), 1))
    states[:, p.potential] = V
    observed = p.kernel.observe(np.zeros(len(V)), states, p.values)
    names = p.kernel.emitted.symbols
    suffix = p.bound.model.potential.removeprefix("V")
    curves = {}
    for gate in p.bound.gates:
        if not gate.endswith(suffix):
            continue
        base = gate.removesuffix(suffix)
        for label, unit in ((f"{base}_inf", "1"), (f"tau_{base}", "ms")):
            curves[label] = ("V", observed[:, names.index(label + suffix)], {"units": unit})
    shift = rest.symbol("dpsi") if "dpsi" in names else 0.0
    return xr.Dataset(curves, {"V": ("V", V, {"units": "mV"})}, {"dpsi": shift, "title": p.bound.model.title, "provenance": json.dumps(p.describe())})
