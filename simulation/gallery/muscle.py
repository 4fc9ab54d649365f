"""Lecture figures of the motor unit: from the order of the nerve to force, a cramp, and what is none."""

from __future__ import annotations

import simulation as sim
from simulation import figures
from simulation.experiment import cramp
from simulation.experiment.motor_unit import UnitRun
from simulation.gallery.lecture import LectureFigure, Shown

TRAIN = sim.Drive((sim.Rate(30, 500, at=100),))
STRETCH = sim.Stretch(1000, at=1000)


def _unit(axon: str = "axon", Ca: float | None = None, **fibre: float) -> sim.MotorUnit:
    nerve = sim.prepare(axon, {"Ca": Ca} if Ca is not None else None)
    return sim.unit(nerve, sim.junction(), sim.prepare("muscle").with_values(fibre))


def _shown(run: UnitRun, control: UnitRun | None = None) -> Shown:
    found = cramp.measure(run)
    numbers = {"spikes of the axon": float(found.axon_spikes), "spikes of the fibre": float(found.muscle_spikes),
               "peak force (% of full)": 100 * float(found.peak_force)}
    return Shown(lambda size: figures.strip(run, control, size=size), numbers)


def _healthy() -> Shown:
    return _shown(sim.run_unit(_unit(), TRAIN, 1200))


def _cramp() -> Shown:
    return _shown(sim.run_unit(_unit("axon_rhythmic", Ca=0.7), duration=600))


def _contracture() -> Shown:
    return _shown(sim.run_unit(_unit(caffeine=15), duration=1000))


def _stretched() -> Shown:
    return _shown(sim.run_unit(_unit(), sim.Drive((sim.Rate(20, 2000, at=100),), (), (STRETCH,)), 2500))


def _stretched_site() -> Shown:
    return _shown(sim.run_unit(_unit("axon_rhythmic", Ca=0.7), sim.Drive((), (), (STRETCH,)), 2500))


def _twitch_to_tetanus() -> Shown:
    muscle = sim.prepare("muscle")
    runs = {f"{rate} Hz": sim.run(muscle, sim.protocol(sim.Train(rate, 800, 300, at=50), duration=1100)) for rate in (1, 10, 20, 50)}
    last = runs.pop("50 Hz")
    numbers = {f"peak force at {name} (% of full)": 100 * float(run["force"].max()) for name, run in {**runs, "50 Hz": last}.items()}
    return Shown(lambda size: figures.overlaid(last, runs, symbol="force", size=size, now="50 Hz"), numbers)


def _potassium() -> Shown:
    run = sim.run(sim.prepare("muscle_in_situ"), sim.protocol(sim.Train(25, 3000, 400, at=5), duration=5000))
    numbers = {"potassium between the fibres at rest (mM)": float(run["K_is"][0]), "at its highest (mM)": float(run["K_is"].max())}
    return Shown(lambda size: figures.traces(run, symbols=[["K_is"], ["force"]], size=size, window=(0, 5000)), numbers)


FIGURES = (
    LectureFigure("motor-unit", "From the order of the nerve to force", "Spike of the axon, end-plate potential, spike of the fibre, calcium, force.",
                  _healthy),
    LectureFigure("twitch-to-tetanus", "Twitch and tetanus", "Force sums with the rate of stimulation.", _twitch_to_tetanus),
    LectureFigure("potassium-between-fibres", "Potassium between working fibres", "Work fills the space between fibres with potassium.", _potassium),
    LectureFigure("tetany", "An axon that fires by itself",
                  "In low calcium an excitable site drives the muscle (hypothesis: a picked axon).", _cramp),
    LectureFigure("contracture", "Force without spikes", "Caffeine opens the store: a contracture is electrically silent.", _contracture),
    LectureFigure("stretch", "Stretch, where the motoneuron drives", "Tendon organs silence the motoneuron (how strongly was chosen).", _stretched),
    LectureFigure("stretch-beyond-the-cord", "Stretch, where the axon drives itself",
                  "The same stretch changes nothing beyond the cord.", _stretched_site),
)
