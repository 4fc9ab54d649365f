"""What a membrane does, as one word, over two ions: quiet, one spike, many, after-discharge, firing by itself, block, two rests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulation.assembly.compile import Array
from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol
from simulation.experiment.rest import find_rest
from simulation.studies import side_by_side
from simulation.studies.sweep import Axis, Progress, Sweep, parse_axis, run_sweep, save

if TYPE_CHECKING:
    import xarray as xr

MEASURES = ("rest", "spikes", "after_discharge", "depolarisation_block")
DEPOLARISED = 10.0  # mV above the rest in the control bath: a membrane that no stimulus makes fire from there is called blocked
NO_ANSWER = -1


@dataclass(frozen=True)
class Regime:
    """``name``: short, as in a legend; ``text``: by what it is told from the others."""

    name: str
    text: str


REGIMES: Mapping[int, Regime] = {
    0: Regime("quiet", "rests, and the stimulus evokes no spike"),
    1: Regime("one spike", "the stimulus evokes one spike"),
    2: Regime("fires while stimulated", "the stimulus evokes two spikes or more, and they end with it"),
    3: Regime("after-discharge", "spikes later than 5 ms after the stimulus, though there is a stable rest"),
    4: Regime("fires by itself", "no rest is stable, and spikes go on without the stimulus"),
    5: Regime(
        "depolarised block",
        f"no spike from a rest {DEPOLARISED:g} mV or more above that in the control bath; or there no rest is stable, but what goes on are no "
        "spikes; or it fired and then stayed above -50 mV while stimulated",
    ),
    6: Regime("two resting states", "two rests are stable"),
}


def classed(
    rest: Array, rest_2: Array, rest_unstable: Array, spikes: Array, after_discharge: Array, block: Array, control: float
) -> NDArray[np.int64]:
    """The regime of each point from the measures of a sweep, of one shape; ``rest``, ``rest_2``: stable rests, NaN where there is none;
    ``control``: rest in the control bath, mV. What holds first: fires by itself, two rests, block, after-discharge, by the number of
    spikes; -1 where there are no numbers."""
    restless = np.isnan(rest)
    depolarised = np.where(restless, rest_unstable, rest) > control + DEPOLARISED
    out = np.select(
        [
            np.isnan(spikes),
            restless & (after_discharge > 0),
            np.isfinite(rest_2),
            (block > 0) | (depolarised & ((spikes == 0) | (restless & (spikes < 2)))),
            after_discharge > 0,
            spikes > 1,
            spikes == 1,
        ],
        [NO_ANSWER, 4, 6, 5, 3, 2, 1],
        0,
    )
    return np.asarray(out, dtype=np.int64)


def map_regimes(
    p: Preparation, *over: str | Axis, protocol: Protocol | None = None, jobs: int | None = 1, out: str | Path | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """The regimes of ``p`` over two axes ('K=2:9:40'): a sweep of rests and of one run at each point, and 'regime' (numbers of ``REGIMES``; -1
    where the point failed).

    Rests and their stability come from the eigenvalues of the whole membrane, everything else from the run: without ``protocol`` 200 ms at
    twice the rheobase of the control bath and 300 ms more, the same current at every point. It starts at the most negative stable rest. So the
    words hold for this stimulus; a stronger one may find spikes where this one finds none. Raises ExperimentError, ModelSaysNo, FileError."""
    axes: Sequence[Axis] = [parse_axis(a) if isinstance(a, str) else a for a in over]
    if len(axes) != 2:
        raise ExperimentError(f"a map of regimes has two axes, not {len(axes)}; for example K=2:9:20 and Ca=0.4:2:20")
    asked = Sweep(p, tuple(axes), MEASURES, protocol)
    control = find_rest(p.control).at().V
    found = run_sweep(asked, jobs=jobs, progress=progress)
    rest, rest_2, unstable, spikes, after, block = (
        np.asarray(found[n].values, dtype=float) for n in ("rest", "rest_2", "rest_unstable", "spikes", "after_discharge", "depolarisation_block")
    )
    regime = classed(rest, rest_2, unstable, spikes, after, block, control)
    regime[np.asarray(found["status"].values) != 0] = NO_ANSWER
    attributes = {
        "units": "1", "long_name": "what the membrane does", "flag_values": np.array(list(REGIMES), dtype=np.int64),
        "flag_meanings": " ".join(r.name.replace(" ", "_") for r in REGIMES.values()),
    }
    found = found.assign(regime=(found["status"].dims, regime, attributes))
    found.attrs["regimes"] = json.dumps({str(k): [r.name, r.text] for k, r in REGIMES.items()})
    found.attrs["control_rest"] = control
    if out is not None:
        save(found, out)
    return found


def shares(found: xr.Dataset) -> dict[str, float]:
    """The share of the points in each regime that occurs."""
    regime = found["regime"].values
    return {r.name: float(np.mean(regime == k)) for k, r in REGIMES.items() if (regime == k).any()}


def check_words(found: xr.Dataset) -> str:
    """What the check against SciPy found, as a sentence; empty if there was none."""
    return side_by_side.said(json.loads(found.attrs["check"])) if "check" in found.attrs else ""
