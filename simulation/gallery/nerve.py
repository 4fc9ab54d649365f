"""Lecture figures of the squid axon and of the human motor axon: gates, firing, recovery, regimes."""

from __future__ import annotations

from collections.abc import Callable

import simulation as sim
from simulation import figures
from simulation.experiment.excitability import Accommodation, Examination, RecoveryCycle, ThresholdElectrotonus
from simulation.gallery.lecture import LectureFigure, Shown, at
from simulation.studies.regimes import shares


def _squid_gates() -> Shown:
    curves = sim.gate_curves(sim.prepare("squid"))
    found = {f"steady state of {gate} at rest": float(curves[f"{gate}_inf"].sel(V=-65.0, method="nearest")) for gate in ("m", "h", "n")}
    return Shown(lambda size: figures.gate_figure(curves, size=size), found)


def _over_potassium(kind: Callable[[], Examination], names: dict[str, str], K: str = "K=2.5,4.2,6") -> Shown:
    found = sim.sweep(sim.prepare("axon"), K, measures=[kind()])
    values = [float(k) for k in found["K"].values]
    numbers = {f"{name.replace('_', ' ')} at K {k:g} mM ({unit})": at(found, name, K=k) for name, unit in names.items() for k in values}
    return Shown(lambda size: figures.excitability_figure(found, size), numbers)


def _recovery() -> Shown:
    return _over_potassium(RecoveryCycle, {"relative_refractory_period": "ms", "superexcitability": "%", "subexcitability": "%"})


def _electrotonus() -> Shown:
    return _over_potassium(ThresholdElectrotonus, {"TEd_peak": "%", "TEh_90_100": "%"})


def _accommodation() -> Shown:
    return _over_potassium(Accommodation, {"rheobase": "pA"})


def _regimes() -> Shown:
    found = sim.map_regimes(sim.prepare("axon_rhythmic"), "K=2:9:29", "Ca=0.4:2:25")
    return Shown(lambda size: figures.regime_figure(found, size), {f"{word} (% of the map)": 100 * x for word, x in shares(found).items()})


def _regimes_of_the_fibre() -> Shown:
    found = sim.map_regimes(sim.prepare("fibre"), "K=0.5:12:24", "P_Kir_scale=0.4:1.6:13")
    return Shown(lambda size: figures.regime_figure(found, size), {f"{word} (% of the map)": 100 * x for word, x in shares(found).items()})


def _borders() -> Shown:
    borders = sim.follow_borders(sim.prepare("axon_rhythmic"), "K=2:9", "Ca=0.3:2.4")
    found = borders.to_dataset()
    numbers = {f"Hopf point {i} at Ca 1.2 mM (mM K)": K for i, K in enumerate(sorted(borders.crossings("Hopf", {"Ca": 1.2})), 1)}
    return Shown(lambda size: figures.borders_figure(found, size), numbers)


FIGURES = (
    LectureFigure("squid-gates", "Hodgkin and Huxley's gates", "Fast m opens, slower h closes, slower n opens: a spike follows.", _squid_gates),
    LectureFigure("recovery-cycle", "Recovery cycle",
                  "After a spike: refractory, then easier, then harder to excite; potassium flattens it.", _recovery),
    LectureFigure("electrotonus", "Threshold electrotonus", "How a nerve meets a lasting current, as the clinic measures it.", _electrotonus),
    LectureFigure("accommodation", "Accommodation", "A slow ramp of current may never excite.", _accommodation),
    LectureFigure("regimes", "What an axon does over potassium and calcium",
                  "Quiet, firing by itself, blocked: a map of an excitable site.", _regimes),
    LectureFigure("regimes-of-the-fibre", "What a fibre does over potassium and inward rectifier", "Where it is quiet, excitable, paralysed.",
                  _regimes_of_the_fibre),
    LectureFigure("firing-border", "Where an axon begins to fire by itself", "The border of the map, followed exactly.", _borders),
)
