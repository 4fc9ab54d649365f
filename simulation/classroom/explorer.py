"""The live explorer without its page: from where the sliders stand to curves, numbers and the command line that gives them.

One run goes through the engine in milliseconds, from the rest that Newton's method reaches from the last one. Where the membrane rests at
all (there may be several places) and what it takes to make it fire is sought afterwards; a rest that was not the one is then put right."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.assembly.compile import Array
from simulation.assembly.errors import ModelError, nearest
from simulation.clinic.panel import normal_bath
from simulation.experiment import many
from simulation.experiment.bath import COMPONENTS, Bath
from simulation.experiment.errors import ExperimentError, ModelSaysNo
from simulation.experiment.features import Features, measure_all
from simulation.experiment.preparation import Preparation, prepare
from simulation.experiment.protocol import Protocol, Pulse, Train, protocol, rest_only
from simulation.experiment.rest import Rest, SteadyState, find_rest, rest_near
from simulation.experiment.threshold import of_restless
from simulation.parameter_sets import ParameterError

if TYPE_CHECKING:
    import xarray as xr

START = 5.0  # ms: when the stimulus begins
PULSE_WIDTH, STEP_WIDTH = 0.5, 100.0  # ms: of the pulses whose thresholds are told
LENGTHS = (25.0, 50.0, 100.0, 200.0, 500.0, 1000.0)  # ms
_MOST_PULSES = 500
_PUSH = 0.2  # of the pulse that a membrane is shown with at first: what sets off one that has no stable rest
_SAME_REST = 1e-3  # mV
_POINTS = 1500  # of a line on a screen
_BETWEEN = 3  # points for one step of the solver, as the eye wants the potential
_REFUSED = (ModelSaysNo, ExperimentError, ModelError, ParameterError)


# ---- what can be chosen

@dataclass(frozen=True)
class Subject:
    """A membrane of the explorer. ``name``: of the model or parameter set; ``group``, ``label``: in the list of membranes; ``pulse``, ``step``:
    a stimulus of 0.5 and of 100 ms that makes it fire in control, in its own unit; ``length``: ms that a run lasts at first; ``scales``:
    parameter and its name, for the sliders of conductances."""

    name: str
    group: str
    label: str
    pulse: float
    step: float
    length: float
    scales: tuple[tuple[str, str], ...]


_OF_FIBRE = (("P_Na", "sodium channel"), ("P_Kdr", "delayed rectifier"), ("P_Kir", "inward rectifier"), ("P_Cl", "chloride channel"),
             ("J_pump", "sodium pump"))
_OF_PORE = (*_OF_FIBRE[:-1], ("P_gp", "gating pore"))
_OF_AXON = (("P_Na", "sodium channel"), ("g_Kf", "fast K channel"), ("g_Ks", "slow K channel"), ("g_LK", "leak, node"), ("g_H", "HCN, internode"))
_OF_SQUID = (("g_Na", "sodium"), ("g_K", "potassium"), ("g_L", "leak"))
SUBJECTS = (
    Subject("fibre", "Muscle fibre", "Muscle fibre", 300, 60, 25, _OF_FIBRE),
    Subject("fibre_hypopp", "Muscle fibre", "Fibre of hypokalaemic paralysis", 300, 60, 25, _OF_PORE),
    Subject("axon", "Motor axon", "Motor axon", 1000, 800, 25, _OF_AXON),
    Subject("axon_rhythmic", "Motor axon", "Excitable axon, rhythmic (hypothesis)", 300, 100, 100, _OF_AXON),
    Subject("axon_multiplets", "Motor axon", "Excitable axon, multiplets (hypothesis)", 150, 40, 100, _OF_AXON),
    Subject("axon_near_normal", "Motor axon", "Excitable axon, near normal (hypothesis)", 150, 40, 100, _OF_AXON),
    Subject("axon_demyelinated", "Motor axon", "Axon with damaged myelin", 2500, 2000, 25, _OF_AXON),
    Subject("muscle", "Contracting muscle", "Fast muscle with force", 300, 60, 200, _OF_FIBRE),
    Subject("muscle_slow", "Contracting muscle", "Slow muscle with force", 300, 60, 200, _OF_FIBRE),
    Subject("squid", "Squid", "Squid giant axon (1952)", 20, 10, 25, _OF_SQUID),
)
STIMULI = ("pulse", "step", "train", "none")


def subject(name: str) -> Subject:
    """The membrane of that name. Raises ModelError with the nearest names."""
    known = {s.name: s for s in SUBJECTS}
    if name not in known:
        raise ModelError(f"the explorer has no membrane '{name}'{nearest(name, known)}; it has {', '.join(known)}")
    return known[name]


@dataclass(frozen=True)
class Slider:
    """What a slider stands for. ``normal``: the range that is marked at it, told in ``words``; None where there is none."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    control: float
    normal: tuple[float, float] | None
    words: str


_BODY = (36.5, 37.5)  # degC, recalled: marked beside a slider and computed with nowhere
_SPAN = {"K": (0.5, 12.0, 0.1), "Ca": (0.2, 3.0, 0.05), "Mg": (0.0, 3.0, 0.05), "pH": (6.8, 7.8, 0.01), "T": (20.0, 42.0, 0.5)}
_WARM = 30.0  # degC: a membrane whose control is colder is no warm-blooded one's
_MOST = 3.0  # times control


def bath_sliders(p: Preparation) -> list[Slider]:
    """Sliders of what the bath of a membrane holds."""
    out = []
    for name in (n for n in _SPAN if n in p.bound.model.bath):
        control = p.parameters[p.bound.model.bath[name]].value
        low, high, step = _SPAN[name]
        normal = _BODY if name == "T" else normal_bath()[name]
        if name == "T" and control < _WARM:
            out.append(Slider(name, "temperature", "degC", 0.0, 30.0, 0.1, control, None, f"control {control:g}"))
            continue
        words = f"normal {_fixed(normal[0], step)} to {_fixed(normal[1], step)}"
        out.append(Slider(name, COMPONENTS[name].name.removeprefix("ionised "), COMPONENTS[name].unit, low, high, step, control, normal, words))
    return out


def scale_sliders(p: Preparation, of: Subject) -> list[Slider]:
    """Sliders that multiply conductances; the range marked is the plausible one of the parameter's file."""
    out = []
    for symbol, label in of.scales:
        number = p.parameters[symbol]
        low, high = (x / number.value for x in number.range)
        marked = max(low, 0.0), min(high, _MOST)
        words = f"plausible {low:.2g} to {high:.2g}"
        out.append(Slider(symbol, label, "", 0.0, _MOST, 0.05, 1.0, marked, words))
    return out


def _fixed(value: float, step: float) -> str:
    return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


# ---- where the sliders stand

@dataclass(frozen=True)
class Setting:
    """Where the sliders stand. ``bath``, ``scale``: what differs from control; ``strength``: of the stimulus, in the membrane's own unit;
    ``width``: of a pulse or step, ms; ``rate``: of a train, Hz; ``length``: of the run, ms. ``push``: a weak pulse at the very start, without
    which a membrane that has no stable rest would stay in its balance; the page does not choose it."""

    model: str = "fibre"
    bath: tuple[tuple[str, float], ...] = ()
    scale: tuple[tuple[str, float], ...] = ()
    stimulus: str = "pulse"
    strength: float = 0.0
    width: float = PULSE_WIDTH
    rate: float = 20.0
    length: float = 25.0
    push: bool = False

    @classmethod
    def first(cls, model: str) -> Setting:
        """What a membrane is shown with at first: control, and a pulse that makes it fire."""
        of = subject(model)
        return cls(model=of.name, strength=float(of.pulse), length=float(of.length))

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Setting:
        """A setting as the page writes it: {'model': ..., 'bath': {...}, 'scale': {...}, 'strength': ...}. What is missing is as at first.

        Raises ModelError, ExperimentError."""
        start = cls.first(str(data.get("model", "fibre")))
        known = ("model", "bath", "scale", "stimulus", "strength", "width", "rate", "length")
        for key in data:
            if key not in known:
                raise ExperimentError(f"a setting has no '{key}'{nearest(key, known)}; it has {', '.join(known)}")
        stimulus = str(data.get("stimulus", start.stimulus))
        if stimulus not in STIMULI:
            raise ExperimentError(f"there is no stimulus '{stimulus}'{nearest(stimulus, STIMULI)}; stimuli: {', '.join(STIMULI)}")
        pairs = {key: tuple((str(k), _number(k, v)) for k, v in dict(data.get(key) or {}).items()) for key in ("bath", "scale")}
        strength, width, rate, length = (_number(key, data.get(key, getattr(start, key))) for key in ("strength", "width", "rate", "length"))
        return cls(start.model, pairs["bath"], pairs["scale"], stimulus, strength, width, rate, length)

    def to_dict(self) -> dict[str, Any]:
        """As ``read`` takes it."""
        return {k: v for k, v in vars(self).items() if k != "push"} | {"bath": dict(self.bath), "scale": dict(self.scale)}

    @property
    def control(self) -> Setting:
        """The same done to the untouched membrane."""
        return replace(self, bath=(), scale=())

    @property
    def membrane(self) -> Setting:
        """The same membrane, whatever is done to it."""
        return replace(Setting.first(self.model), bath=self.bath, scale=self.scale)

    @property
    def protocol(self) -> Protocol:
        """Raises ExperimentError."""
        if self.stimulus == "none":
            return protocol(self._weak, duration=self.length) if self.push else rest_only(self.length)
        if self.stimulus != "train":
            return protocol(Pulse(self.strength, self.width, START), duration=self.length)
        if self.rate * self.length > 1000 * _MOST_PULSES:
            raise ExperimentError(f"a train of {self.rate:g} Hz for {self.length:g} ms has more than the {_MOST_PULSES} pulses that are shown here")
        return protocol(Train(self.rate, self.length - START, self.strength, PULSE_WIDTH, START), duration=self.length)

    @property
    def _weak(self) -> Pulse:
        return Pulse(_PUSH * subject(self.model).pulse, PULSE_WIDTH)

    @property
    def command(self) -> str:
        """The command line that does the same, for any shell."""
        words = ["cramplab", "run", self.model]
        if self.bath:
            words += ["--bath", _listed(self.bath)]
        for pair in self.scale:
            words += ["--scale", _listed([pair])]
        if self.stimulus == "train":
            words += ["--train", f"{_digits(self.rate)}Hz:{_digits(self.length - START)}ms:{_digits(self.strength)}@{START:g}"]
        elif self.stimulus != "none":
            words += [f"--{self.stimulus}", f"{_digits(self.width)}ms:{_digits(self.strength)}@{START:g}"]
        elif self.push:
            words += ["--pulse", f"{PULSE_WIDTH:g}ms:{_digits(self._weak.amplitude)}@0"]
        return " ".join([*words, "--duration", f"{_digits(self.length)}ms"])

    @property
    def name(self) -> str:
        """What sets the membrane apart from control: 'K 2.5 mM, P_Cl x 0.1'."""
        bath = [str(Bath.stated({k: v})) for k, v in self.bath]
        return ", ".join([*bath, *(f"{s} × {v:g}" for s, v in self.scale)]) or "control"


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ExperimentError(f"{name} = '{value}' is not a number") from None
    if not math.isfinite(number):
        raise ExperimentError(f"{name} = {value} is not a number that a membrane can have")
    return number


def _digits(value: float) -> str:
    return f"{value:.12g}"


def _listed(pairs: Iterable[tuple[str, float]]) -> str:
    text = ",".join(f"{name}={_digits(value)}" for name, value in pairs)
    return f'"{text}"' if "," in text else text  # PowerShell takes a comma for a list


# ---- what comes out

Line = tuple[Array, Array]  # times (ms) and values


@dataclass(frozen=True, eq=False)
class Look:
    """What a membrane does in one setting. ``lines``: potential, currents and force by symbol without the suffix of the outer membrane."""

    setting: Setting
    preparation: Preparation
    rest: SteadyState
    features: Features
    lines: Mapping[str, Line]

    @property
    def told(self) -> str:
        """What happened, in words."""
        f = self.features
        at = f"{f.rest:.1f} mV".replace("-", "\N{MINUS SIGN}")
        start = f"It rests at {at}." if self.rest.stable else f"No stable rest: the least push takes it away from {at}."
        count = f"It fires {_times(f.spikes)}" if f.spikes else "It does not fire"
        if f.after_discharge and self.setting.stimulus != "none":
            count += f", {_times(f.after_discharge)} after the stimulus"
        if f.depolarisation_block:
            count += "; under the stimulus depolarisation blocks it"
        return f"{start} {count}."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


@dataclass(frozen=True)
class Numbers:
    """What takes longer than a run. ``rests``: all stable resting potentials, mV; ``threshold``: of a pulse of 0.5 ms; ``rheobase``: of a step of
    100 ms, both in the unit of the membrane's stimulus: 0 where it fires without, NaN where nothing makes it fire."""

    rests: tuple[float, ...]
    threshold: float
    rheobase: float


@dataclass(eq=False)
class Bench:
    """Membranes ready to be asked again and again: each is compiled once, and what was found is kept while it may be of use."""

    _untouched: dict[str, Preparation] = field(default_factory=dict)
    _states: dict[str, Array] = field(default_factory=dict)  # the last rest of each membrane
    _rests: dict[Setting, Rest] = field(default_factory=dict)  # by membrane, where all were sought
    _looks: dict[Setting, Look] = field(default_factory=dict)  # of controls
    _numbers: dict[Setting, Numbers] = field(default_factory=dict)

    def untouched(self, model: str) -> Preparation:
        """The membrane of that name in control. Raises ModelError."""
        if model not in self._untouched:
            self._untouched[subject(model).name] = prepare(model)
        return self._untouched[model]

    def preparation(self, setting: Setting) -> Preparation:
        """Raises ExperimentError, ParameterError."""
        p = self.untouched(setting.model)
        for name, value in setting.scale:
            if value < 0:
                raise ExperimentError(f"{name} × {value:g}: a conductance is not below 0")
        return p.scaled(dict(setting.scale)).in_bath(dict(setting.bath)) if setting.bath or setting.scale else p

    def look(self, setting: Setting) -> Look:
        """One run, in milliseconds; its setting says if a push was needed. Raises ModelSaysNo, ExperimentError, ParameterError."""
        if setting in self._looks:
            return self._looks[setting]
        p = self.preparation(setting)
        rest = self._rest(p, setting)
        if setting.stimulus == "none" and not rest.stable:
            setting = replace(setting, push=True)
        look = _follow(p, setting, rest)
        if setting == setting.control:
            self._looks[setting] = look
        return look

    def _rest(self, p: Preparation, setting: Setting) -> SteadyState:
        """The most negative stable rest if all were sought, else the one that is reached from the last."""
        known = self._rests.get(setting.membrane)
        if known is None and setting.model in self._states:
            near = rest_near(p, self._states[setting.model])
            # One direction in which it leaves is a saddle between two stable rests; two are a rest that oscillates, and that may be all there is.
            if near is not None and np.count_nonzero(near.eigenvalues.real >= 0) != 1:
                self._states[setting.model] = near.state
                return near
        rest = (known or self.rests(setting)).at()
        self._states[setting.model] = rest.state
        return rest

    def rests(self, setting: Setting) -> Rest:
        """All rests of a membrane. Raises ModelSaysNo, ExperimentError, ParameterError."""
        if setting.membrane not in self._rests:
            self._rests[setting.membrane] = find_rest(self.preparation(setting))
        return self._rests[setting.membrane]

    def is_right(self, look: Look) -> bool:
        """Whether a run began at the rest that ``cramplab run`` begins at, as is known once all rests were sought."""
        return abs(self.rests(look.setting).at().V - look.rest.V) < _SAME_REST

    def known_numbers(self, setting: Setting) -> Numbers | None:
        """What ``numbers`` has found before."""
        return self._numbers.get(setting.membrane)

    def numbers(self, setting: Setting, stop: Callable[[], bool] = lambda: False) -> Numbers | None:
        """All rests, threshold and rheobase; None if it was told to ``stop``. Raises ModelSaysNo, ExperimentError, ParameterError."""
        key = setting.membrane
        if key not in self._numbers:
            rests = self.rests(setting)
            rest, p, found = rests.at(), self.preparation(setting), []
            restless = of_restless(p, rest)
            guesses = self._numbers.get(key.control, Numbers((), subject(setting.model).pulse, subject(setting.model).step))
            for width, guess in ((PULSE_WIDTH, guesses.threshold), (STEP_WIDTH, guesses.rheobase)):
                if stop():
                    return None
                if restless is not None:
                    found.append(restless)
                else:
                    start = np.array([guess if guess > 0 else 100.0])
                    found.append(float(many.thresholds(p, width, rest.state[None], p.values[None], start, threads=1)[0]))
            self._numbers[key] = Numbers(tuple(s.V for s in rests.stable), *found)
        return self._numbers[key]

    def gates(self, setting: Setting) -> xr.Dataset:
        """Gate curves, all else as at rest. Raises ModelSaysNo, ExperimentError, ParameterError."""
        from simulation.experiment.gates import gate_curves

        p = self.preparation(setting)
        return gate_curves(p, np.arange(-120.0, 41.0, 1.0), Rest(p, (self._rest(p, setting),)))

    def forget(self, keep: Sequence[Setting]) -> None:
        """Lets go of what was found for other membranes than those of some settings and their controls."""
        wanted = {s.membrane for s in keep} | {s.membrane.control for s in keep}
        for kept in (self._rests, self._numbers):
            for key in [k for k in kept if k not in wanted]:
                kept.pop(key, None)
        controls = {s.control for s in keep}
        self._looks = {k: v for k, v in self._looks.items() if k in controls}


def refusal(error: Exception) -> str | None:
    """What to tell where a membrane refuses, in a sentence; None if it is another kind of error."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if isinstance(error, _REFUSED) else None


def watched(p: Preparation) -> dict[str, str]:
    """What is shown beneath the potential: the name without the suffix of the outer membrane -> symbol."""
    suffix, symbols = p.bound.model.potential.removeprefix("V"), p.kernel.emitted.symbols
    out = {s: s if s in symbols else s + suffix for s in p.bound.model.traces}
    return out | ({"force": "force"} if "force" in symbols else {})


def _follow(p: Preparation, setting: Setting, rest: SteadyState) -> Look:
    from scipy.interpolate import CubicHermiteSpline

    stimuli, names = setting.protocol, watched(p)
    symbols = tuple(names.values())
    ((courses, traces),) = many.follow(p, stimuli, rest.state[None], p.values[None], threads=1, watch=symbols, width=1)
    course = courses[0]
    if course.failed or not np.isfinite(course.V).all():
        raise ModelSaysNo(f"{p.bound.name} cannot be followed here: it {course.failed or 'gave up'}; try values nearer to control")
    t, watched_lines = many.watched_to_end(p, stimuli, course, p.values, symbols)
    steps = np.diff(traces.t)[:, None] * (np.arange(_BETWEEN) / _BETWEEN)
    dense = np.append((traces.t[:-1, None] + steps).ravel(), traces.t[-1])
    potential = CubicHermiteSpline(traces.t, traces.V, traces.dV_dt)(dense)
    lines = {"V": thinned(dense, potential)} | {name: thinned(t, y) for name, y in zip(names, watched_lines, strict=True)}
    return Look(setting, p, rest, measure_all(traces)[0], lines)


def thinned(t: Array, y: Array, points: int = _POINTS) -> Line:
    """A line of not many more points that looks the same: of each stretch the first, the highest and the lowest point are left."""
    if len(t) <= points:
        return t, y
    edges = np.unique(np.searchsorted(t, np.linspace(t[0], t[-1], points // 3)))
    kept = {0, len(t) - 1}
    for first, last in pairwise(edges.tolist()):
        kept |= {first, first + int(np.argmax(y[first:last])), first + int(np.argmin(y[first:last]))}
    order = sorted(kept)
    return t[order], y[order]
