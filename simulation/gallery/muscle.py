"""The muscle fibre and the motor unit: excitability, myotonia, block, junction, force."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

import simulation as sim
from simulation import figures
from simulation.experiment.motor_unit import UnitRun
from simulation.figures.changes import changes_figure
from simulation.gallery import reading
from simulation.gallery.lecture import LectureFigure, Shown
from simulation.studies import overview
from simulation.studies.regimes import shares

TRAIN = sim.Drive((sim.Rate(30, 500, at=100),))
STRETCH = sim.Stretch(1000, at=1000)
LOW_CALCIUM = 0.7  # mM, in which an excitable axon fires by itself


# ---- the fibre

def _excitability() -> Shown:
    data = sim.sweep(sim.prepare("fibre"), overview.EXCITABILITY["K"], measures="threshold_current,rheobase")
    numbers = reading.along(data, ("threshold_current", "rheobase"), (2.5, 4.0, 6.0, 8.0))
    return Shown(lambda size: figures.lines(data, ("threshold_current", "rheobase"), size), numbers)


def _rectifier_over_potassium() -> Shown:
    found = sim.map_regimes(sim.prepare("fibre"), "K=0.5:10:20", "P_Kir_scale=0.3:1.5:16")
    numbers = {f"{name} (share of the map)": share for name, share in shares(found).items()}
    return Shown(lambda size: figures.regime_figure(found, size), numbers)


def _after_discharge() -> Shown:
    data = overview.firing_over(sim.prepare("fibre"), sim.parse_axis(overview.FIRING["K"]))
    after = data["after_discharge"]
    numbers = {
        f"after-discharge at ClC-1 × {share:g} and K {K:g} mM (spikes)": float(after.sel(P_Cl_scale=share, K=K))
        for share in after["P_Cl_scale"].values for K in (2.0, 4.0, 6.0)
    }
    return Shown(lambda size: figures.map_figure(data, "after_discharge", size), numbers)


def _myotonia() -> Shown:
    few = sim.prepare("fibre", scale={"P_Cl": 0.1})
    run = sim.run(few, overview.stimulus(few))
    numbers = {
        "spikes": float(run.features.spikes), "after-discharge (spikes)": float(run.features.after_discharge or 0),
        "highest potassium in the tubule (mM)": float(run["K_t"].max()),
    }
    return Shown(lambda size: figures.traces(run, symbols=["K_t"], size=size), numbers)


def _block() -> Shown:
    found = sim.propagate(sim.prepare("fibre", {"K": 9}))
    data = found.to_xarray()
    numbers = {"velocity (m/s)": found.velocity, "reached (mm)": found.reached}
    return Shown(lambda size: figures.propagation_figure(data, size), numbers)


# ---- the junction

def _release() -> Shown:
    import xarray as xr

    ending = sim.junction()
    Ca, Mg = np.linspace(0.4, 2.4, 21), np.linspace(0.1, 5.0, 21)
    release = np.array([[100 * ending.in_bath(Ca=float(a), Mg=float(b)).release for b in Mg] for a in Ca])
    made = {"junction": ending.describe(), "axes": {"Ca": Ca.tolist(), "Mg": Mg.tolist()}, "measures": ["release"]}
    data = xr.Dataset(
        {"release": (("Ca", "Mg"), release, {"units": "%", "long_name": "transmitter released by a spike, of normal"})},
        {"Ca": ("Ca", Ca, {"units": "mM", "long_name": "calcium"}), "Mg": ("Mg", Mg, {"units": "mM", "long_name": "magnesium"})},
        {"provenance": json.dumps(made), "control": json.dumps(ending.whole_bath)},
    )
    numbers = {
        f"release at Ca {a:g} and Mg {b:g} mM (%)": 100 * ending.in_bath(Ca=a, Mg=b).release
        for a, b in ((1.2, 0.6), (0.6, 0.6), (1.2, 0.2), (1.2, 3.0))
    }
    return Shown(lambda size: figures.map_figure(data, "release", size), numbers)


# ---- the motor unit

def _strip(run: UnitRun, control: UnitRun | None = None) -> Shown:
    numbers = reading.force("unit", run) | (reading.force("control", control) if control is not None else {})
    return Shown(lambda size: figures.strip(run, control, size=size), numbers)


def _site() -> sim.MotorUnit:
    """A unit with an excitable axon in low calcium: it fires by itself."""
    return sim.unit("axon_rhythmic", baths={"axon": {"Ca": LOW_CALCIUM}})


def _tetanus() -> Shown:
    return _strip(sim.run_unit(sim.unit(), TRAIN, 1200))


def _twitches() -> Shown:
    return _strip(sim.run_unit(sim.unit(), sim.Drive((sim.Rate(5, 1000, at=100), sim.Rate(20, 1000, at=1400))), 3000))


def _tetany() -> Shown:
    return _strip(sim.run_unit(_site(), duration=1000))


def _blocked() -> Shown:
    site = _site()
    return _strip(sim.run_unit(replace(site, junction=site.junction.in_bath(Mg=6)), duration=1000))


def _myotonic_unit() -> Shown:
    unit = sim.unit()
    few = replace(unit, muscle=unit.muscle.scaled({"P_Cl": 0.1}))
    return _strip(sim.run_unit(few, TRAIN, 1200), sim.run_unit(unit, TRAIN, 1200))


def _contracture() -> Shown:
    unit = sim.unit()
    return _strip(sim.run_unit(replace(unit, muscle=unit.muscle.with_values({"caffeine": 15})), duration=1000))


def _stretched() -> Shown:
    return _strip(sim.run_unit(sim.unit(), sim.Drive((sim.Rate(20, 2000, at=100),), (), (STRETCH,)), 2500))


def _stretched_site() -> Shown:
    return _strip(sim.run_unit(_site(), sim.Drive((), (), (STRETCH,)), 2500))


def _places_of_magnesium() -> Shown:
    axon, ending, muscle = sim.prepare("axon"), sim.junction(), sim.prepare("muscle")
    normal_outside, normal_inside = axon.whole_bath["Mg"], muscle.parameters["Mg_i_0"].value
    rows: dict[str, dict[str, float]] = {}
    for case, factor in (("half of normal", 0.5), ("twice normal", 2.0)):
        outside, inside = {"Mg": factor * normal_outside}, muscle.with_values({"Mg_i_0": factor * normal_inside})
        here, rest, before = axon.in_bath(outside), sim.find_rest(inside), sim.find_rest(muscle)
        found = {
            "outside, surface charge: threshold of the axon": sim.threshold_current(here) / sim.threshold_current(axon),
            "outside, ending of the nerve: release": ending.in_bath(Mg=factor * ending.whole_bath["Mg"]).release,
            "inside, store: free calcium of the resting fibre": rest.symbol("Ca_i") / before.symbol("Ca_i"),
            "inside, MgATP: speed of the calcium pump": rest.symbol("phi_SERCA_i") / before.symbol("phi_SERCA_i"),
        }
        for place, ratio in found.items():
            rows.setdefault(place, {})[case] = 100 * (ratio - 1)
    made = {"membranes": {"axon": axon.describe(), "muscle": muscle.describe()}, "junction": ending.describe(),
            "varied": {"Mg outside (mM)": [0.5 * normal_outside, 2 * normal_outside], "Mg_i_0 (mM)": [0.5 * normal_inside, 2 * normal_inside]}}
    numbers = {f"{place}, magnesium {case} (%)": value for place, cases in rows.items() for case, value in cases.items()}
    return Shown(lambda size: changes_figure(rows, "What magnesium does in four places", "Change (%)", made, size), numbers)


FIGURES = (
    LectureFigure(
        "fibre-excitability", "Excitability of the muscle fibre over potassium",
        "Low potassium makes the fibre harder to excite, moderately raised potassium easier, and high potassium blocks it.", _excitability,
    ),
    LectureFigure(
        "after-discharge", "Spikes after the stimulus, over ClC-1 and potassium",
        "Myotonia takes the loss of most chloride channels.", _after_discharge,
    ),
    LectureFigure(
        "rectifier-regimes", "What the fibre does over potassium and inward rectifier",
        "With fewer inward rectifiers the second rest, and paralysis, come at a potassium that patients have.", _rectifier_over_potassium,
    ),
    LectureFigure(
        "myotonia", "Myotonia: a tenth of the chloride conductance",
        "Potassium that gathers in the tubules keeps the fibre firing after the stimulus.", _myotonia,
    ),
    LectureFigure(
        "conduction-block", "Conduction block in high potassium",
        "At 9 mM a spike dies on its way: the weakness of high potassium. (Rat muscle still conducts.)", _block,
    ),
    LectureFigure(
        "release", "Transmitter release over calcium and magnesium",
        "At the ending of the nerve magnesium is calcium's opponent: release takes several calcium ions at once.", _release,
    ),
    LectureFigure(
        "magnesium-places", "Four places where magnesium acts",
        "At the membrane magnesium is calcium's helper; only at the ending of the nerve is it its opponent.", _places_of_magnesium,
    ),
    LectureFigure("twitches", "Twitches and a tetanus of a motor unit", "At 5 Hz twitches stay apart, at 20 Hz force sums up.", _twitches),
    LectureFigure(
        "tetanus", "From the order to force, stage by stage",
        "Each spike of the axon makes an end-plate potential, a spike of the fibre, a puff of calcium, and force.", _tetanus,
    ),
    LectureFigure(
        "tetany", "Tetany: an excitable axon in low calcium drives the muscle",
        "Involuntary force can come from nerve alone. (The axon is a hypothesis, picked because it fires.)", _tetany,
    ),
    LectureFigure(
        "tetany-blocked", "The same with the junction blocked",
        "A block of the junction ends what comes from nerve; so it tells where a cramp comes from.", _blocked,
    ),
    LectureFigure(
        "myotonic-unit", "A motor unit with myotonia", "In myotonia the fibre fires on where the nerve has stopped, and force falls all the same.",
        _myotonic_unit,
    ),
    LectureFigure(
        "contracture", "A contracture: force without a spike",
        "A store that is opened by a drug makes force, and a needle in the muscle would find it silent. (How strongly was chosen.)", _contracture,
    ),
    LectureFigure(
        "stretch", "Stretch ends what the spinal cord commands", "Stretch lowers the rate of the motoneuron. (How far is an assumption.)", _stretched,
    ),
    LectureFigure(
        "stretch-beyond", "Stretch does not end what arises beyond the spinal cord",
        "Spikes that arise on the axon go on during a stretch; so where stretching helps, the cord has a part in it.", _stretched_site,
    ),
)
