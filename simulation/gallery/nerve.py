"""The motor axon: how it is excited, what it does in low calcium, and that it comes before the fibre."""

from __future__ import annotations

import simulation as sim
from simulation import figures
from simulation.experiment.excitability import Examination
from simulation.figures.compared import compared_figure, shares
from simulation.gallery import reading
from simulation.gallery.lecture import LectureFigure, Shown
from simulation.studies.regimes import shares as shares_of_regimes

K = "K=2.5,4.2,6"  # low, normal and high in the axon's bath, mM


def _examined(examination: Examination, over: str = K) -> Shown:
    data = sim.sweep(sim.prepare("axon"), over, measures=[examination])
    return Shown(lambda size: figures.excitability_figure(data, size), reading.along(data, examination.numbers))


def _strength_duration() -> Shown:
    return _examined(sim.StrengthDuration())


def _recovery_cycle() -> Shown:
    return _examined(sim.RecoveryCycle())


def _electrotonus() -> Shown:
    return _examined(sim.ThresholdElectrotonus(), "K=3,4.2,5")


def _accommodation() -> Shown:
    return _examined(sim.Accommodation())


def _spontaneous() -> Shown:
    site = sim.prepare("axon_rhythmic")
    changes = sim.BathChange(sim.Bath("Ca=0.7"), at=200), sim.BathChange(sim.Bath("Ca=0.7, K=3"), at=800)
    run = sim.run(site, sim.protocol(*changes, duration=1200))
    times = run.features.spike_times
    numbers = {f"spikes from {a} to {b} ms": float(sum(a <= t < b for t in times)) for a, b in ((0, 200), (200, 800), (800, 1200))}
    return Shown(lambda size: figures.traces(run, symbols=[], size=size), numbers)


def _axon_before_fibre() -> Shown:
    found = {
        name: sim.sweep(sim.prepare(model), "Ca=0.4:2:9", measures="threshold_current")
        for name, model in (("axon", "axon"), ("muscle fibre", "fibre"))
    }
    numbers: dict[str, float] = {}
    for name, data in found.items():
        share = shares(data, "threshold_current", "Ca")
        numbers |= {f"{name}: threshold at Ca {Ca:g} mM (% of normal)": float(y) for Ca, y in zip(data["Ca"].values, share, strict=True)}
    return Shown(lambda size: compared_figure(found, "threshold_current", size), numbers)


def _regimes() -> Shown:
    found = sim.map_regimes(sim.prepare("axon_rhythmic"), "K=2:9:36", "Ca=0.4:2:33")
    numbers = {f"{name} (share of the map)": share for name, share in shares_of_regimes(found).items()}
    return Shown(lambda size: figures.regime_figure(found, size), numbers)


def _borders() -> Shown:
    borders = sim.follow_borders(sim.prepare("axon_rhythmic"), "K=2:9", "Ca=0.3:2.4")
    data = borders.to_dataset()
    numbers = {
        f"{kind} {i} at Ca {Ca:g} mM, K (mM)": K
        for Ca in (0.6, 0.9, 1.2) for kind in ("fold", "Hopf") for i, K in enumerate(sorted(borders.crossings(kind, {"Ca": Ca})), start=1)
    }
    return Shown(lambda size: figures.borders_figure(data, size), numbers)


FIGURES = (
    LectureFigure(
        "strength-duration", "Strength and duration in low, normal and high potassium",
        "The shorter a pulse, the more current it takes; potassium moves the rheobase.", _strength_duration,
    ),
    LectureFigure(
        "recovery-cycle", "Recovery cycle of the axon over potassium",
        "After a spike an axon is refractory, then more, then less excitable than at rest; potassium shifts all of it.", _recovery_cycle,
    ),
    LectureFigure(
        "threshold-electrotonus", "Threshold electrotonus over potassium",
        "Threshold during long weak currents shows how far the membrane gives way: potassium fans the curves in or out.", _electrotonus,
    ),
    LectureFigure("accommodation", "Accommodation of the axon", "A current that rises slowly has to rise further before it excites.", _accommodation),
    LectureFigure(
        "low-calcium-axon", "An excitable axon in low calcium, then in low potassium as well",
        "Low calcium makes an excitable axon fire by itself, and low potassium silences it. (The axon is a hypothesis, picked because it fires.)",
        _spontaneous,
    ),
    LectureFigure(
        "axon-before-fibre", "Low calcium excites axon and muscle fibre",
        "In low calcium the threshold of the axon falls further than that of the fibre.", _axon_before_fibre,
    ),
    LectureFigure(
        "axon-regimes", "What an excitable axon does over potassium and calcium",
        "It fires by itself in low calcium and high potassium; in low potassium it is quiet. (The axon is a hypothesis, picked because it fires.)",
        _regimes,
    ),
    LectureFigure(
        "axon-borders", "Where an excitable axon begins to fire by itself, over potassium and calcium",
        "The border of spontaneous firing is where the rest begins to oscillate. (The axon is a hypothesis, picked because it fires.)", _borders,
    ),
)
