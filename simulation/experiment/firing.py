"""Firing rate over stimulating current, of several membranes at once, through the sweep engine."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulation.assembly.compile import Array
from simulation.experiment import many
from simulation.experiment.errors import ExperimentError
from simulation.experiment.features import spikes_of
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Pulse
from simulation.experiment.rest import find_rest

if TYPE_CHECKING:
    import xarray as xr


def firing_rates(
    membranes: Mapping[str, Preparation], currents: Sequence[float] | Array, *, length: float = 1000.0, threads: int | None = None
) -> xr.Dataset:
    """How fast membranes of one model fire during long steps from rest.

    ``membranes``: by name; ``currents``: in the unit of the model's stimulus; ``length``: of the steps, ms. Variables over membrane and
    current: ``rate`` (Hz), one over the mean interval of the spikes in the second half of the step, 0 where there are fewer than two;
    ``spikes``, their number in all; ``depolarised``, 1 where it fired and then stayed above -50 mV for the last 50 ms. NaN where the engine
    gave up. Raises ExperimentError for membranes of several models, ModelSaysNo where there is no rest."""
    import xarray as xr

    (first, *others) = membranes.values()
    if any(p.bound is not first.bound for p in others) or len({p.held for p in membranes.values()}) > 1:
        raise ExperimentError("firing rates are compared of membranes of one model, all acute or all chronic")
    shape = (len(membranes), len(currents))
    starts = np.repeat([find_rest(p).at().state for p in membranes.values()], shape[1], axis=0)
    values = np.repeat([p.values for p in membranes.values()], shape[1], axis=0)
    step = Protocol(length, (Pulse(1.0, length),))
    found = {name: np.full(shape, math.nan) for name in ("rate", "spikes", "depolarised")}
    strength = np.tile(np.asarray(currents, dtype=float), shape[0])
    for courses, traces in many.follow(first, step, starts, values, strength=strength, threads=threads):
        for k, (course, spikes) in enumerate(zip(courses, spikes_of(traces), strict=True)):
            if course.failed:
                continue
            at = np.unravel_index(course.index, shape)
            times = np.array([s[0] for s in spikes])
            rows = slice(traces.first[k], traces.first[k + 1])
            found["rate"][at], found["spikes"][at] = late_rate(times, length), len(times)
            found["depolarised"][at] = bool(len(times)) and traces.V[rows][traces.t[rows] > length - 50.0].min() > -50.0
    unit = first.bound.current_unit
    texts = {
        "rate": ("Hz", "firing rate in the second half of the step"), "spikes": ("1", "number of spikes"),
        "depolarised": ("1", "fired, then stayed above -50 mV"),
    }
    made = {"firing": {"length": length, "membranes": {name: p.describe() for name, p in membranes.items()}}, **first.describe()}
    return xr.Dataset(
        {name: (("membrane", "current"), y, {"units": texts[name][0], "long_name": texts[name][1]}) for name, y in found.items()},
        {
            "membrane": ("membrane", list(membranes)),
            "current": ("current", np.asarray(currents, dtype=float), {"units": unit, "long_name": "stimulating current"}),
        },
        {"title": first.bound.model.title, "provenance": json.dumps(made)},
    )


def late_rate(times: Array, length: float) -> float:
    """Rate (Hz) of the spikes in the second half of a step of ``length`` ms; 0 where there are fewer than two."""
    late = times[times > 0.5 * length]
    return 1000 * (len(late) - 1) / float(late[-1] - late[0]) if len(late) > 1 else 0.0
