"""Three films: a spike that runs and one that is blocked, calcium that falls until an axon fires, potassium that is washed out of a cramp."""

from __future__ import annotations

import numpy as np

import simulation as sim
from simulation.experiment.cable import Propagation
from simulation.experiment.motor_unit import Drive, Rate, Stage, answer
from simulation.figures import scenes, style
from simulation.figures.animation import Reel
from simulation.figures.scenes import Course, Growing, Scrolling
from simulation.figures.strip import FORCE
from simulation.gallery.lecture import LectureFigure
from simulation.studies.continuation import follow_rests

V = (-100.0, 50.0)  # mV


# ---- a spike along the cable

def running_spike(potassium: tuple[float, ...] = (4.0, 8.0, 9.0), sections: int = 100, duration: float = 8.0) -> Reel:
    """Spikes along muscle fibres in so much potassium (mM), followed for ``duration`` ms: a second of film for each of them."""
    fibre = sim.prepare("fibre")
    runs = {f"K {K:g} mM": sim.propagate(fibre.in_bath(K=K), sections, least=duration) for K in potassium}
    outcome = {name: _outcome(run) for name, run in runs.items()}
    first, *others = ((name, run.provenance) for name, run in runs.items())
    said = "; ".join(f"{name}: {text}" for name, text in outcome.items())
    return Reel(
        title="A spike along a muscle fibre, and its block in high potassium",
        alt=f"Film of the membrane potential along muscle fibres, a thousand times slower than life. {said}. The model blocks too early: rat "
        "muscle still conducts at 9 and 10 mM.",
        provenance={**first[1], "others": dict(others)},
        scene=scenes.running_spikes(runs, 1000.0, outcome), seconds=duration, moments=(0.5, 1.5, 2.5, 4.5),
        numbers={f"{name}: velocity (m/s)": run.velocity for name, run in runs.items()}
        | {f"{name}: reached (mm)": run.reached for name, run in runs.items()},
    )


def _outcome(run: Propagation) -> str:
    return f"{run.velocity:.1f} m/s" if run.velocity > 0 else f"blocked after {run.reached:.1f} mm"


# ---- calcium falls

HIGH, LOW = 1.2, 0.7  # mM of ionised calcium
FALL, RISE, END = (500.0, 6500.0), (7000.0, 8000.0), 9000.0  # ms


def falling_calcium(step: float = 50.0, end: float = END) -> Reel:
    """Calcium around an excitable axon falls in steps of ``step`` ms until it fires, and is given back."""
    axon = sim.prepare("axon_rhythmic")
    times = np.arange(0.0, end, step)
    calcium = np.interp(times, [*FALL, *RISE], [HIGH, LOW, LOW, HIGH])
    run = sim.run(axon, sim.protocol(*_changes("Ca", times, calcium), duration=end), dense=False)
    spikes = np.array(run.features.spike_times)
    unstable = max(follow_rests(axon, f"Ca={LOW}:{HIGH}").values("Hopf"))
    swept = sim.sweep(axon, f"Ca={unstable + 1e-3}:{HIGH}:12", measures="threshold_current")
    # Where rest is not stable the axon needs no stimulus.
    threshold = np.where(calcium < unstable, 0.0, np.interp(calcium, swept["Ca"].values, swept["threshold_current"].values))
    fires_at = _just_before(spikes[0], times, calcium) if len(spikes) else float("nan")
    stops_at = _just_before(spikes[-1], times, calcium) if len(spikes) else float("nan")
    t, potential = scenes.thinned(run.t, run.V, 1.0)
    shares = Growing("Share of normal", (
        Course(times, calcium / HIGH, style.CARRIERS["Ca"], "calcium"),
        Course(times, threshold / threshold[0], style.POTENTIAL, "threshold"),
    ), (0.0, 1.1))
    trace = Scrolling(style.axis_label("excitable axon", "V", "mV"), Course(t, potential, style.POTENTIAL), V, 1.1)
    words = [(float(a), f"Ca {c:.2f} mM{': fires' if _fires(spikes, a) else ''}") for a, c in zip(times, calcium, strict=True)]
    return Reel(
        title="Calcium falls until an excitable axon fires (a hypothesis: picked because it does)",
        alt=f"Film at the speed of life: ionised calcium around an excitable axon falls from {HIGH} to {LOW} mM in six seconds and is given back. "
        f"Its threshold falls ahead of it to nothing; at {fires_at:.2f} mM it begins to fire by itself, with {scenes.spike_counts(spikes, (0, end))} "
        f"in all, and at {stops_at:.2f} mM it ends. This axon was picked because it does so; the average motor axon of the model does not.",
        provenance=run.provenance, scene=scenes.through_time([shares, trace], end, words), seconds=end / 1000,
        moments=tuple(x * end / 9000 for x in (0.5, 3.5, 5.5, 8.5)),
        numbers={
            "Ca at the first spike (mM)": fires_at, "Ca at the last spike (mM)": stops_at, "spikes (1)": float(len(spikes)),
            "Ca at which rest becomes unstable (mM)": unstable,
            "threshold at normal Ca, 0.5 ms (pA)": float(threshold[0]),
        },
    )


def _changes(ion: str, times: np.ndarray, values: np.ndarray) -> list[sim.BathChange]:
    """The bath in steps."""
    steps = zip(times[1:], values[1:], values[:-1], strict=True)
    return [sim.BathChange(sim.Bath({ion: float(value)}), at=float(t)) for t, value, before in steps if value != before]


def _just_before(t: float, times: np.ndarray, values: np.ndarray) -> float:
    return float(values[np.searchsorted(times, t, side="right") - 1])


def _fires(spikes: np.ndarray, t: float, within: float = 100.0) -> bool:
    return bool(((spikes > t - within) & (spikes <= t + within)).any())


# ---- potassium is washed out of a cramp

UP, DOWN = (2000.0, 3500.0), (7000.0, 7500.0)  # ms: potassium rises, and is washed out
ORDERS = ((500.0, 500.0), (4500.0, 500.0))  # ms: when the spinal cord sends 30 Hz, and for how long
CRAMP_END = 9500.0  # ms
AFTER = 50.0  # ms after an order: later spikes are an after-discharge


def washed_out(potassium: float = 5.0, step: float = 20.0) -> Reel:
    """The same order is given to a motor unit twice, in normal potassium and in ``potassium`` (mM) around its axon, which is then washed out."""
    axon = sim.prepare("axon_near_normal")
    control = axon.whole_bath["K"]
    strong = 2.0 * sim.threshold_current(axon, 0.5)
    times = np.arange(0.0, CRAMP_END, step)
    around = np.interp(times, [*UP, *DOWN], [control, potassium, potassium, control])
    baths = _changes("K", times, around)
    given = [sim.Train(30.0, length, strong, 0.5, at=at) for at, length in ORDERS]
    run = sim.run(axon, sim.protocol(*given, *baths, duration=CRAMP_END), dense=False)
    spikes = np.array(run.features.spike_times)
    drive = Drive(tuple(Rate(30.0, length, at=at) for at, length in ORDERS))
    whole = answer(sim.unit(axon), Stage(run.t, run.V, spikes), drive, CRAMP_END)
    t, potential = scenes.thinned(run.t, run.V, 1.0)
    t_force, force = scenes.thinned(whole.muscle.t, whole.force, 10.0)
    orders = tuple((at, at + length) for at, length in ORDERS)
    panels: list[Growing | Scrolling] = [
        Growing("Force / full force", (Course(t_force, force, FORCE),), (0.0, 1.25 * float(force.max())), 1.0, orders, ((UP[0], DOWN[1]),)),
        Scrolling(style.axis_label("excitable axon", "V", "mV"), Course(t, potential, style.POTENTIAL), V, 1.1),
    ]
    after = [(orders[0][1] + AFTER, UP[0]), (orders[1][1] + AFTER, DOWN[0])]
    left = [int(((spikes >= a) & (spikes < b)).sum()) for a, b in after]
    last = float(spikes[-1])
    unstable = min(follow_rests(axon, f"K={control}:{potassium + 1}").values("Hopf"), default=float("nan"))
    words = [(float(a), f"K {K:.1f} mM{_state(spikes, orders, a)}") for a, K in zip(times, around, strict=True)]
    return Reel(
        title="Potassium washed out of a cramp (an excitable axon, a hypothesis)",
        alt=f"Film at the speed of life: a motor unit gets the same order of half a second at 30 Hz twice, black bars. In {control:g} mM potassium "
        f"around its axon {left[0]} spikes are left behind and force ends; in {potassium:g} mM {scenes.spike_counts(spikes, after[1])} follow the "
        f"order by themselves, and force with them, until potassium is washed out; the last spike comes {last - DOWN[0]:.0f} ms after that has "
        f"begun. Potassium is raised around the axon alone, tinted, to just below the {unstable:.3f} mM at which it would begin without an order. "
        "The axon is one that was picked because it is excitable; the average motor axon of the model does not do so.",
        provenance={**whole.provenance, "others": {"the axon alone": run.provenance}}, scene=scenes.through_time(panels, CRAMP_END, words),
        seconds=CRAMP_END / 1000, moments=(1.0, 5.0, 6.5, 7.5),
        numbers={
            "K at which rest becomes unstable (mM)": unstable,
            "after-discharge in normal K (1)": float(left[0]), "after-discharge in raised K (1)": float(left[1]),
            "spikes before the second order (1)": float(((spikes >= UP[0]) & (spikes < orders[1][0])).sum()),
            "last spike after the wash-out began (ms)": last - DOWN[0], "K at the last spike (mM)": _just_before(last, times, around),
            "force at the end of the cramp (1)": float(np.interp(DOWN[0], t_force, force)), "force at the end (1)": float(force[-1]),
        },
    )


def _state(spikes: np.ndarray, orders: tuple[tuple[float, float], ...], t: float) -> str:
    """What goes on, for the corner of the film."""
    if any(a <= t < b for a, b in orders):
        return ": order"
    return ": cramp" if _fires(spikes, t) and not any(0 <= t - b <= 2 * AFTER for _, b in orders) else ""


FIGURES: tuple[LectureFigure, ...] = (
    LectureFigure(
        "running-spike", "A spike along a muscle fibre, and its block in high potassium",
        "A spike sets off the membrane ahead of it; where too few sodium channels are left it dies out.", running_spike,
    ),
    LectureFigure(
        "falling-calcium", "Calcium falls until an excitable axon fires",
        "With calcium the threshold falls, and where it comes to nothing the axon fires by itself.", falling_calcium,
    ),
    LectureFigure(
        "washed-out", "Potassium washed out of a cramp",
        "In raised potassium an order can leave an axon firing; what ends the cramp is what brings its potential back.", washed_out,
    ),
)
