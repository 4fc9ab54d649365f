"""One membrane: its gates, its rests, its spike."""

from __future__ import annotations

import numpy as np

import simulation as sim
from simulation import figures
from simulation.figures.gates import half_way
from simulation.gallery import reading
from simulation.gallery.lecture import LectureFigure, Shown

PULSE = (300.0, 0.5)  # uA/cm2 and ms: fires the fibre in every bath shown
LOW = {"Ca": 0.6, "Mg": 0.3}


def _gates_in_low_calcium() -> Shown:
    fibre = sim.prepare("fibre")
    control, low = sim.gate_curves(fibre), sim.gate_curves(fibre.in_bath(LOW))
    numbers = {"shift of the gates (mV)": float(low.attrs["dpsi"]) - float(control.attrs["dpsi"])}
    for gate in ("m", "h"):
        for name, data in (("control", control), ("low calcium", low)):
            numbers[f"{gate} half-way, {name} (mV)"] = half_way(data["V"].values, data[f"{gate}_inf"].values) or float("nan")
    return Shown(lambda size: figures.gate_figure(low, control, gates=("m", "h", "s", "n"), size=size), numbers)


def _squid_gates() -> Shown:
    curves = sim.gate_curves(sim.prepare("squid"))
    numbers = {}
    for gate in ("m", "h", "n"):
        tau = curves[f"tau_{gate}"].values
        numbers[f"{gate}: longest time constant (ms)"] = float(tau.max())
        numbers[f"{gate}: its potential (mV)"] = float(curves["V"].values[tau.argmax()])
    return Shown(lambda size: figures.gate_figure(curves, size=size), numbers)


def _fibre_spike() -> Shown:
    run = sim.run(sim.prepare("fibre"), sim.protocol(sim.Pulse(*PULSE, at=1), after=6))
    numbers = reading.spike("fibre", run) | {"highest potassium in the tubule (mM)": float(run["K_t"].max())}
    return Shown(lambda size: figures.traces(run, symbols=[["I_Na_s", "I_Kdr_s"], ["K_t"]], size=size), numbers)


def _spike_over_potassium() -> Shown:
    fibre, pulse = sim.prepare("fibre"), sim.protocol(sim.Pulse(*PULSE, at=1), after=10)
    runs = {f"K {K:g} mM": sim.run(fibre.in_bath(K=K), pulse) for K in (2.5, 4.0, 7.0)}
    numbers = {what: value for name, run in runs.items() for what, value in reading.spike(name, run).items()}
    others = {name: run for name, run in runs.items() if name != "K 4 mM"}
    return Shown(lambda size: figures.overlaid(runs["K 4 mM"], others, called="K 4 mM (control)", size=size), numbers)


def _rest_over_potassium() -> Shown:
    data = sim.sweep(sim.prepare("fibre"), "K=0.5:12:47", measures="rest,E_K_s")
    numbers = reading.along(data, ("rest", "rest_2", "E_K_s"), (0.5, 2.0, 4.0, 8.0, 12.0))
    return Shown(lambda size: figures.rest_curve(data, "K", size=size), numbers)


def _two_rests() -> Shown:
    followed = sim.follow_rests(sim.prepare("fibre"), "K=0.3:6")
    data = followed.to_dataset()
    numbers = {f"fold {i} at K (mM)": K for i, K in enumerate(sorted(followed.values("fold")), start=1)}
    return Shown(lambda size: figures.branches_figure(data, size), numbers)


def _borders() -> Shown:
    borders = sim.follow_borders(sim.prepare("fibre"), "K=0.3:8", "P_Kir_scale=0.3:2")
    data = borders.to_dataset()
    numbers = {
        f"fold {i} at P_Kir × {scale:g}, K (mM)": K
        for scale in (0.5, 1.0, 1.5) for i, K in enumerate(sorted(borders.crossings("fold", {"P_Kir_scale": scale})), start=1)
    }
    return Shown(lambda size: figures.borders_figure(data, size), numbers)


def _chloride_holds() -> Shown:
    change = sim.protocol(sim.BathChange(sim.Bath("K=10"), at=10_000), duration=300_000)
    run = sim.run(sim.prepare("fibre"), change)
    numbers = {f"potential after {t:g} s (mV)": float(np.interp(1000 * t, run.t, run.V)) for t in (5, 30, 60, 300)}
    return Shown(lambda size: figures.traces(run, symbols=[["E_K", "E_Cl"]], size=size), numbers)


def _remembers() -> Shown:
    push = sim.protocol(sim.Pulse(20, 60_000, at=10_000), after=200_000)
    run = sim.run(sim.prepare("fibre", {"K": 2}), push)
    numbers = {f"potential after {t:g} s (mV)": float(np.interp(1000 * t, run.t, run.V)) for t in (5, 60, 270)}
    return Shown(lambda size: figures.traces(run, symbols=[["y_Kir", "s"]], size=size), numbers)


def _shift(ion: str, values: list[float]) -> Shown:
    data = sim.gating_shift(sim.prepare("axon"), ion, values)
    return Shown(lambda size: figures.shift_figure(data, size), reading.along(data, ("shift_Na", "shift_K"), (values[0], values[-1])))


def _shift_by_calcium() -> Shown:
    return _shift("Ca", [0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.2, 1.6, 2.0, 2.4])


def _shift_by_magnesium() -> Shown:
    return _shift("Mg", [0.05, 0.1, 0.2, 0.3, 0.4, 0.55, 0.8, 1.0, 1.5, 2.0])


FIGURES = (
    LectureFigure("squid-gates", "The gates of Hodgkin and Huxley", "m is fast, h and n are slow: that is why there is a spike.", _squid_gates),
    LectureFigure(
        "low-calcium-gates", "Gates of the muscle fibre in low calcium", "Low calcium and magnesium move every gate towards rest, by a few mV.",
        _gates_in_low_calcium,
    ),
    LectureFigure(
        "fibre-spike", "The action potential of a muscle fibre and its currents",
        "Sodium flows in, potassium flows out, and some of it is left in the tubules.", _fibre_spike,
    ),
    LectureFigure(
        "potassium-spikes", "One stimulus in low, normal and high potassium",
        "Rest moves with potassium, and a depolarised fibre has a smaller spike.", _spike_over_potassium,
    ),
    LectureFigure(
        "rest-over-potassium", "Resting potential over potassium",
        "Rest follows potassium down to about 1 mM; in low potassium there is a second, depolarised rest.", _rest_over_potassium,
    ),
    LectureFigure(
        "two-rests", "Two resting potentials and the folds between them",
        "The two rests are one curve that folds back: between the folds the fibre can be in either.", _two_rests,
    ),
    LectureFigure(
        "rest-borders", "Where rests end, over potassium and inward rectifier",
        "How many inward rectifiers there are decides at which potassium a fibre falls.", _borders,
    ),
    LectureFigure(
        "paralysed-for-good", "A fibre that remembers", "In low potassium a push is enough to leave the fibre at its second rest, where it stays.",
        _remembers,
    ),
    LectureFigure(
        "chloride-holds", "Potassium raised at once: chloride holds the potential",
        "After a jump of potassium rest takes minutes, because chloride has to go where the potential sends it.", _chloride_holds,
    ),
    LectureFigure(
        "calcium-shift", "Calcium and the surface charge", "Calcium acts on gates from outside, by the charge of the membrane's face.",
        _shift_by_calcium,
    ),
    LectureFigure(
        "magnesium-shift", "Magnesium and the surface charge", "Magnesium does what calcium does, less of it.", _shift_by_magnesium,
    ),
)
