"""Lecture figures of the muscle fibre's membrane: rest, spike, gates, and what potassium and calcium do to them."""

from __future__ import annotations

import simulation as sim
from simulation import figures
from simulation.experiment.excitability import StrengthDuration, Threshold
from simulation.gallery.lecture import LectureFigure, Shown, at
from simulation.studies.overview import stimulus

SPIKE = sim.protocol(sim.Pulse(300.0, 0.5, at=2.0), after=22.0)


def _spike_in(bath: str) -> Shown:
    fibre = sim.prepare("fibre")
    control, run = sim.run(fibre, SPIKE), sim.run(fibre.in_bath(bath), SPIKE)
    numbers = {}
    for name, one in (("control", control), (bath.replace("=", " ") + " mM", run)):
        numbers[f"rest, {name} (mV)"] = float(one.V[0])
        numbers[f"peak, {name} (mV)"] = float(one.V.max())
    return Shown(lambda size: figures.traces(run, control=control, size=size), numbers)


def _spike() -> Shown:
    run = sim.run(sim.prepare("fibre"), SPIKE)
    numbers = {"rest (mV)": float(run.V[0]), "peak (mV)": float(run.V.max()), "most inward sodium current (uA/cm2)": float(run["I_Na_s"].min())}
    return Shown(lambda size: figures.traces(run, size=size), numbers)


def _gates() -> Shown:
    fibre = sim.prepare("fibre")
    control, low = sim.gate_curves(fibre), sim.gate_curves(fibre.in_bath("Ca=0.6,Mg=0.3"))
    return Shown(lambda size: figures.gate_figure(low, control, size=size), {"shift of the gates (mV)": float(low.attrs["dpsi"])})


def _rest() -> Shown:
    found = sim.sweep(sim.prepare("fibre"), "K=0.5:12:47", measures="rest,E_K_s")
    numbers = {f"rest at K {K:g} mM (mV)": at(found, "rest", K=K) for K in (1.0, 2.5, 4.0, 6.0, 10.0)}
    return Shown(lambda size: figures.rest_curve(found, "K", size=size), numbers)


def _two_rests() -> Shown:
    followed = sim.follow_rests(sim.prepare("fibre"), "K=0.5:6")
    folds = sorted(float(point.p[0]) for point in followed.points("fold"))
    found = followed.to_dataset()
    return Shown(lambda size: figures.branches_figure(found, size), {f"fold {i} (mM K)": K for i, K in enumerate(folds, 1)})


def _border() -> Shown:
    borders = sim.follow_borders(sim.prepare("fibre"), "K=0.3:5", "P_Kir_scale=0.4:1.6")
    numbers = {f"fold {i} at P_Kir x 1 (mM K)": K for i, K in enumerate(sorted(borders.crossings("fold", {"P_Kir_scale": 1.0})), 1)}
    found = borders.to_dataset()
    return Shown(lambda size: figures.borders_figure(found, size), numbers)


def _surface_charge() -> Shown:
    fibre = sim.prepare("fibre")
    found = sim.gating_shift(fibre, "Ca", [0.1, 0.2, 0.3, 0.45, 0.6, 0.9, 1.2, 1.6, 2.0, 2.4])
    low = sim.gate_curves(fibre.in_bath("Ca=0.6"))
    return Shown(lambda size: figures.shift_figure(found, size), {"shift at Ca 0.6 mM (mV)": float(low.attrs["dpsi"])})


def _excitability() -> Shown:
    found = sim.sweep(sim.prepare("fibre"), "K=0.5:12:24", measures="threshold_current,rheobase")
    numbers = {f"threshold at K {K:g} mM (uA/cm2)": at(found, "threshold_current", K=K) for K in (2.5, 4.0, 6.0, 8.0)}
    return Shown(lambda size: figures.lines(found, ("threshold_current", "rheobase"), size=size), numbers)


def _strength_duration() -> Shown:
    found = sim.sweep(sim.prepare("fibre"), "K=2.5,4,6", measures=[StrengthDuration()])
    numbers = {f"{name} at K {K:g} mM ({unit})": at(found, name, K=K)
               for name, unit in (("rheobase", "uA/cm2"), ("chronaxie", "ms")) for K in (2.5, 4.0, 6.0)}
    return Shown(lambda size: figures.excitability_figure(found, size), numbers)


def _axon_before_fibre() -> Shown:
    """Thresholds of axon and fibre over calcium, each as a share of its own in the control bath."""
    Ca = "Ca=0.3,0.45,0.6,0.75,0.9,1.05,1.2,1.5,1.8,2.1,2.4"
    found = {name: sim.sweep(sim.prepare(name), Ca, measures=[Threshold()]) for name in ("axon", "fibre")}
    numbers = {f"threshold of the {name} at Ca 0.6 mM (% of control)": 100 * at(one, "threshold", Ca=0.6) / at(one, "threshold", Ca=1.2)
               for name, one in found.items()}
    return Shown(lambda size: figures.compared(found, "threshold", size), numbers)


def _myotonia() -> Shown:
    fibre = sim.prepare("fibre")
    few = fibre.scaled({"P_Cl": 0.1})
    normal, run = sim.run(fibre, stimulus(fibre)), sim.run(few, stimulus(few))
    numbers = {"spikes with normal ClC-1": float(normal.features.spikes), "spikes with 10 % of it": float(run.features.spikes)}
    return Shown(lambda size: figures.traces(run, normal, symbols=["K_t"], size=size), numbers)


def _block() -> Shown:
    found = sim.propagate(sim.prepare("fibre").in_bath(K=9))
    control = sim.propagate(sim.prepare("fibre"))
    data = found.to_xarray()
    numbers = {"velocity at K 4 mM (m/s)": control.velocity, "velocity at K 9 mM (m/s)": found.velocity}
    return Shown(lambda size: figures.propagation_figure(data, size), numbers)


FIGURES = (
    LectureFigure("fibre-spike", "The muscle fibre's action potential", "Which currents make it, in which order.", _spike),
    LectureFigure("gates", "Gates in low calcium and magnesium", "Fewer divalent ions shift every gate as a depolarisation would.", _gates),
    LectureFigure("rest-over-potassium", "Rest over potassium",
                  "The resting potential follows E_K, until in low potassium it no longer does.", _rest),
    LectureFigure("two-rests", "Two resting potentials in low potassium",
                  "Between two folds the fibre has two rests, and history decides.", _two_rests),
    LectureFigure("paralysis-border", "Where paralysis begins", "The inward rectifier decides how much potassium a fibre needs.", _border),
    LectureFigure("spike-in-low-potassium", "A spike in low potassium", "More negative rest: harder to excite, not easier.",
                  lambda: _spike_in("K=2.5")),
    LectureFigure("spike-in-high-potassium", "A spike in high potassium",
                  "A depolarised rest inactivates sodium channels.", lambda: _spike_in("K=7")),
    LectureFigure("excitability-over-potassium", "Excitability over potassium", "A little more potassium excites, more of it blocks.", _excitability),
    LectureFigure("strength-duration", "Strength and duration", "Rheobase and chronaxie, and what potassium does to them.", _strength_duration),
    LectureFigure("surface-charge", "Calcium screens surface charge", "What calcium does to gates is a shift along V.", _surface_charge),
    LectureFigure("axon-before-fibre", "Low calcium: the axon before the fibre", "Tetany begins in the nerve.", _axon_before_fibre),
    LectureFigure("myotonia", "Loss of ClC-1", "Without chloride conductance potassium of the tubules goes on exciting the fibre.", _myotonia),
    LectureFigure("conduction-block", "A spike that does not arrive", "High potassium slows the spike along the fibre and then stops it.", _block),
)
