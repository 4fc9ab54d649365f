"""The classics of the textbook: phase plane, firing over current, the budget of rest, the spike of 1952 and along a cable, chloride; and all
verdicts at a glance."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

import simulation as sim
from simulation import figures
from simulation.clinic import claims as court
from simulation.experiment.budget import budget
from simulation.experiment.firing import firing_rates
from simulation.experiment.phase_plane import phase_plane
from simulation.figures.spike import conductance
from simulation.figures.verdicts import TILES
from simulation.gallery.lecture import LectureFigure, Shown

SITES = {"control": {}, "Ca 0.6 mM": {"Ca": 0.6}, "K 3 mM": {"K": 3.0}, "K 6 mM": {"K": 6.0}}
CABLE = (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 7.5, 8.0, 9.0, 10.0)  # mM

MINUTE = 60_000.0  # ms


def _phase_plane() -> Shown:
    plane = phase_plane(sim.prepare("squid"))
    numbers = {
        "threshold of a 0.2 ms pulse (uA/cm2)": plane.threshold, "h over n in the reduction (1)": plane.reduction.slope,
        "rest (mV)": plane.reduction.rest.V, "n at rest (1)": plane.reduction.rest.symbol("n"),
        "furthest potential below threshold (mV)": plane.below.features.max_V, "furthest potential above threshold (mV)": plane.above.features.max_V,
    }
    return Shown(lambda size: figures.phase_plane_figure(plane, size), numbers)


def _resting_potential() -> Shown:
    found = budget(sim.prepare("muscle"))
    numbers = {f"E_{ion} (mV)": V for ion, V in found.E.items()} | {"GHK without pump (mV)": found.GHK, "rest (mV)": found.V}
    numbers |= {f"net current of {name} (uA/cm2)": flow for name, flow in found.currents.items()}
    return Shown(lambda size: figures.budget_figure(found, size), numbers)


def _firing() -> Shown:
    squid = firing_rates({"squid": sim.prepare("squid")}, np.arange(0.0, 60.1, 1.0))
    site = {name: sim.prepare("axon_rhythmic", bath) for name, bath in SITES.items()}
    axon = firing_rates(site, np.arange(0.0, 800.1, 20.0))
    plain = firing_rates({"axon": sim.prepare("axon")}, np.arange(0.0, 2000.1, 100.0))
    fibre = firing_rates({"fibre": sim.prepare("fibre")}, np.arange(0.0, 200.1, 10.0), length=500.0)
    rate = squid["rate"].values[0]
    first = int(np.flatnonzero(rate)[0])
    numbers = {
        "squid: least current with repetitive firing (uA/cm2)": float(squid["current"][first]), "squid: rate there (Hz)": float(rate[first]),
        "squid: rate at 60 uA/cm2 (Hz)": float(rate[-1]),
        "plain motor axon: highest rate up to 2000 pA (Hz)": float(plain["rate"].max()),
        "muscle fibre: highest rate up to 200 uA/cm2 (Hz)": float(fibre["rate"].max()),
    }
    for name in SITES:
        firing = np.flatnonzero(axon["rate"].sel(membrane=name).values)
        numbers[f"excitable axon, {name}: least current with repetitive firing (pA)"] = float(axon["current"][firing[0]]) if len(firing) else math.nan
    panels = {"Squid axon": squid, "Excitable axon (hypothesis)": axon}
    return Shown(lambda size: figures.firing_figure(panels, size), numbers)


def _squid_spike() -> Shown:
    run = sim.run(sim.prepare("squid"), sim.protocol(sim.Pulse(30.0, 0.5, at=0.5), duration=10.0))
    numbers = {f"highest conductance of {ion} (mS/cm2)": float(conductance(run, ion).max()) for ion in ("Na", "K")}
    numbers |= {"peak (mV)": run.features.peak or math.nan, "half-width (ms)": run.features.half_width or math.nan}
    return Shown(lambda size: figures.spike_figure(run, size), numbers)


def _cable_spike() -> Shown:
    fibre = sim.prepare("fibre")
    runs = {K: sim.propagate(fibre.in_bath(K=K), 60) for K in CABLE}
    numbers = {f"velocity at K {K:g} mM (m/s)": run.velocity for K, run in runs.items()}
    return Shown(lambda size: figures.cable_figure(runs, (4.0, 9.0), size=size), numbers)


def _availability() -> Shown:
    fibre, axon = (sim.sweep(sim.prepare(name), "K=2:12:41", measures=f"rest,threshold_current,{gates}") for name, gates in (
        ("fibre", "h_s,s_s"), ("axon", "h_n")))
    membranes = {"muscle fibre": fibre.assign(available=fibre["h_s"] * fibre["s_s"]), "motor axon": axon.assign(available=axon["h_n"])}
    numbers = {f"{name}, available at K {K:g} mM (1)": float(d["available"].sel(K=K)) for name, d in membranes.items() for K in (4.0, 8.0)}
    for name, d in membranes.items():
        numbers[f"{name}, highest K with a spike (mM)"] = float(d["K"][np.flatnonzero(np.isfinite(d["threshold_current"]))[-1]])
    return Shown(lambda size: figures.availability_figure(membranes, size=size), numbers)


def _donnan() -> Shown:
    step = sim.protocol(
        sim.BathChange(sim.Bath("K=10"), at=2 * MINUTE), sim.BathChange(sim.Bath(), at=22 * MINUTE), duration=45 * MINUTE)
    silent = sim.prepare("fibre").scaled({"P_Na": 0})  # without sodium channels: spikes would hide how chloride goes
    runs = {"Normal ClC-1": sim.run(silent, step), "A tenth of ClC-1": sim.run(silent.scaled({"P_Cl": 0.1}), step)}
    numbers = {
        f"{name}, {symbol} at {t:g} min (mV)": float(np.interp(t * MINUTE, run.t, run[symbol]))
        for name, run in runs.items() for t in (1.9, 2.1, 21.9, 22.1) for symbol in ("V_s", "E_Cl_s")
    }
    return Shown(lambda size: figures.chloride_figure(runs, size), numbers)


def _verdicts() -> Shown:
    claims = court.ledger()
    judged = court.judge_all(claims)
    counts = Counter(j.verdict for j in judged)
    return Shown(lambda size: figures.verdicts_figure(claims, judged, size), {f"claims {v} (1)": float(counts[v]) for v in TILES})


FIGURES: tuple[LectureFigure, ...] = (
    LectureFigure(
        "phase-plane", "The phase plane of the squid axon",
        "A spike is one long way round: the potential runs away, the potassium gate fetches it back.", _phase_plane,
    ),
    LectureFigure(
        "resting-potential", "What makes the resting potential", "Each ion pulls towards a potential of its own; rest is where the currents balance.",
        _resting_potential,
    ),
    LectureFigure(
        "f-i", "Firing rate over current",
        "The squid axon jumps from silence to firing; low calcium and high potassium make an excitable axon fire on less.", _firing,
    ),
    LectureFigure(
        "squid-spike", "Hodgkin and Huxley's spike",
        "Sodium conductance comes first and ends by itself; potassium conductance follows and stays a while.", _squid_spike,
    ),
    LectureFigure(
        "cable-spike", "The spike along a muscle fibre",
        "High potassium first hastens, then slows and at last blocks conduction (too early: rat muscle conducts at 9 and 10 mM).", _cable_spike,
    ),
    LectureFigure(
        "na-availability", "Why high potassium first excites and then paralyses",
        "Depolarised by potassium a membrane is nearer to threshold, until too few sodium channels are left for a spike.", _availability,
    ),
    LectureFigure(
        "donnan", "Chloride follows, or sets (sodium channels blocked)",
        "With its channels chloride takes minutes to let the potential go; with few of them potassium rules at once.", _donnan,
    ),
    LectureFigure("verdicts", "The popular account on trial", "Some of what everyone says is so, more of it in part, and some is not.", _verdicts),
)
