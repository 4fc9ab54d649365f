"""The main job: how rest and firing of the fibre change as potassium, calcium and magnesium fall and rise."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.experiment import threshold
from simulation.experiment.gates import gate_curves
from simulation.experiment.preparation import Preparation, prepare
from simulation.experiment.protocol import Protocol, Pulse, protocol
from simulation.experiment.recording import Recording
from simulation.experiment.solve import run
from simulation.studies.sweep import Axis, Progress, Sweep, parse_axis, run_sweep

if TYPE_CHECKING:
    import xarray as xr

REST = "K=0.5:12:47"
EXCITABILITY = {"K": "K=0.5:12:24", "Ca": "Ca=0.3:2.4:15", "Mg": "Mg=0.1,0.2,0.3,0.45,0.6,0.9,1.2,1.8,2.4,3"}
FIRING = {"K": "K=2,3,4,5,6,7,8", "Ca": "Ca=0.3,0.6,0.9,1.2,1.8,2.4", "Mg": "Mg=0.1,0.3,0.6,1.2,3"}
CLC1 = (1.0, 0.607, 0.368, 0.223, 0.136, 0.082, 0.05)  # even steps of a logarithm


@dataclass(frozen=True, eq=False)
class Overview:
    """Everything that the main job worked out.

    ``rest``: Dataset over potassium (rest with its branches). ``excitability``: ion -> Dataset over that ion (rest, thresholds, gating
    shift). ``firing``: ion -> Dataset over ClC-1 and that ion (spikes, after-discharge). ``runs``: name -> recording.
    ``gates``: (control, low calcium)."""

    rest: xr.Dataset
    excitability: Mapping[str, xr.Dataset]
    firing: Mapping[str, xr.Dataset]
    runs: Mapping[str, Recording]
    gates: tuple[xr.Dataset, xr.Dataset]


def stimulus(p: Preparation) -> Protocol:
    """200 ms at twice the rheobase of this membrane in the control bath, watched for 400 ms more."""
    return protocol(Pulse(2 * threshold.rheobase(p.control), 200.0, at=10.0), after=400.0)


def make(jobs: int | None = None, progress: Callable[[str], Progress] | None = None) -> Overview:
    """Do all of it. ``progress``: given the name of a part, what to call as its points are finished."""
    fibre = prepare("fibre")
    follow = progress or (lambda name: lambda done, total: None)

    def over(axis: str, measures: tuple[str, ...], name: str) -> xr.Dataset:
        return run_sweep(Sweep(fibre, (parse_axis(axis),), measures), jobs=jobs, progress=follow(name))

    rest = over(REST, ("rest", "E_K_s"), "rest over K")
    measures = ("rest", "threshold_current", "rheobase", "dpsi")
    excitability = {ion: over(axis, measures, f"excitability over {ion}") for ion, axis in EXCITABILITY.items()}
    firing = {ion: firing_over(fibre, parse_axis(axis), jobs, follow(f"firing over {ion} and ClC-1")) for ion, axis in FIRING.items()}
    return Overview(rest, excitability, firing, _runs(fibre), (gate_curves(fibre), gate_curves(fibre.in_bath(Ca=0.6, Mg=0.3))))


def firing_over(fibre: Preparation, ion: Axis, jobs: int | None = 1, progress: Progress | None = None) -> xr.Dataset:
    """Spikes and after-discharge over ClC-1 and an ion. Each density gets a stimulus of its own, so the sweeps go one by one and are stacked."""
    import xarray as xr

    parts = []
    for i, factor in enumerate(CLC1):
        axes = (Axis("P_Cl_scale", (factor,)), ion)
        sweep = Sweep(fibre, axes, ("spikes", "after_discharge"), stimulus(fibre.scaled({"P_Cl": factor})))

        def stacked(done: int, total: int, before: int = i) -> None:
            if progress is not None:
                progress(before * total + done, len(CLC1) * total)

        parts.append(run_sweep(sweep, jobs=jobs, progress=stacked, least_checked=1))  # seven in all
    whole: xr.Dataset = xr.concat(parts, "P_Cl_scale", combine_attrs="override")
    made = json.loads(whole.attrs["provenance"])
    made["axes"] = {"P_Cl_scale": list(CLC1), ion.name: list(ion.values)}
    made["protocol"], made["stimulus"] = None, "200 ms at twice the rheobase of each density in the control bath, and 400 ms more"
    whole.attrs["provenance"] = json.dumps(made)
    return whole


def _runs(fibre: Preparation) -> dict[str, Recording]:
    spike = protocol(Pulse(300.0, 0.5, at=2.0), after=22.0)
    few = fibre.scaled({"P_Cl": 0.1})
    return {
        "control": run(fibre, spike),
        "low potassium": run(fibre.in_bath(K=2.5), spike),
        "high potassium": run(fibre.in_bath(K=7.0), spike),
        "low calcium": run(fibre.in_bath(Ca=0.6), spike),
        "normal ClC-1": run(fibre, stimulus(fibre)),
        "ClC-1 at 10 %": run(few, stimulus(few)),
    }


# ---- in words

def summary(found: Overview) -> list[str]:
    """What came out, in clinical words; every number is read off the results."""
    return [
        *_potassium(found.rest, found.excitability["K"]),
        *_divalent(found.excitability["Ca"], "Ca", "calcium", normal=1.2, low=0.6),
        *_divalent(found.excitability["Mg"], "Mg", "magnesium", normal=0.6, low=0.3),
        *_clc1(found.firing),
    ]


def _at(data: xr.Dataset, variable: str, ion: str, value: float) -> float:
    return float(data[variable].sel({ion: value}, method="nearest"))


def _potassium(rests: xr.Dataset, data: xr.Dataset) -> list[str]:
    fine, rest, second = (rests[v].values for v in ("K", "rest", "rest_2"))
    K, threshold = (data[v].values for v in ("K", "threshold_current"))
    control = _at(data, "threshold_current", "K", 4)
    both, paralysed = fine[np.isfinite(second)], fine[(rest > -75) & (fine < 4)]
    blocked = K[~np.isfinite(threshold) & (K > 4)]
    easiest = K[np.nanargmin(np.where(K >= 3, threshold, np.nan))]
    lines = [
        f"Control (potassium 4 mM): the fibre rests at {_at(data, 'rest', 'K', 4):.1f} mV and fires at {control:.0f} uA/cm2 (0.5 ms pulse).",
        f"Low potassium, 2.5 mM: rest {_at(data, 'rest', 'K', 2.5):.1f} mV, threshold {_change(_at(data, 'threshold_current', 'K', 2.5), control)}: "
        "harder to excite, not easier.",
    ]
    if len(both):
        second_V = _at(rests, "rest_2", "K", 2)
        lines.append(f"From {both.min():g} to {both.max():g} mM there are two resting potentials; at 2 mM the second is {second_V:.1f} mV.")
    if len(paralysed):
        V = _at(rests, "rest", "K", paralysed.max())
        lines.append(f"At {paralysed.max():g} mM and below only the depolarised one ({V:.0f} mV) is left: paralysis, not cramp.")
    lines.append(f"High potassium: easiest to excite at {easiest:g} mM ({_change(float(np.nanmin(threshold)), control)}).")
    if len(blocked):
        lines.append(f"From {blocked.min():g} mM on no current makes it fire: weakness.")
    return lines


def _divalent(data: xr.Dataset, ion: str, name: str, normal: float, low: float) -> list[str]:
    control, here = data.interp({ion: normal}), data.interp({ion: low})
    change = _change(float(here["threshold_current"]), float(control["threshold_current"]))
    fires = data[ion].values[data["threshold_current"].values == 0]
    alone = f"it fires by itself at {fires.max():g} mM and below" if len(fires) else f"it fires by itself at no {name} tried"
    return [f"Low {name}, {low:g} mM: gates shift by {float(here['dpsi']):.1f} mV, rest {float(here['rest']):.1f} mV, threshold {change}; {alone}."]


def _clc1(firing: Mapping[str, xr.Dataset]) -> list[str]:
    def worst(ion: str, value: float) -> float:
        after = firing[ion]["after_discharge"].sel({ion: value})
        fires = after["P_Cl_scale"].values[after.values >= 3]
        return float(fires.max()) if len(fires) else float("nan")

    def said(limit: float) -> str:
        return f"from {100 * limit:.0f} % down" if np.isfinite(limit) else "at none tried"

    return [
        f"Loss of ClC-1 (myotonia): after-discharges in the control bath {said(worst('K', 4))} of the normal density, "
        f"at potassium 6 mM {said(worst('K', 6))}, at calcium 0.6 mM {said(worst('Ca', 0.6))}.",
        "That is readiness of the fibre to go on firing. It tells nothing of where the command for a cramp starts.",
    ]


def _change(value: float, control: float) -> str:
    return f"{100 * (value / control - 1):+.0f} %"


def tables(found: Overview) -> dict[str, xr.Dataset]:
    """Datasets to be saved, by file name without ending."""
    return {
        "rest_over_K": found.rest,
        **{f"excitability_over_{ion}": data for ion, data in found.excitability.items()},
        **{f"firing_over_{ion}_and_ClC-1": data for ion, data in found.firing.items()},
    }
