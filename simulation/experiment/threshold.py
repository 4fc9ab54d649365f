"""How much current it takes to fire: thresholds by bracketing, also of a membrane to which something else is being done.

Currents are tried on a fixed ladder whose rungs lie ``TOLERANCE`` apart, so a threshold does not depend on where the search
began: a guess from a neighbouring bath makes it quicker, not different. Some membranes fire in a window of currents only; where the
search finds nothing the whole range is looked through in coarse steps."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace

from simulation.assembly.compile import Array
from simulation.experiment.features import find_spikes
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Pulse, Ramp, protocol, rest_only
from simulation.experiment.recording import Recording
from simulation.experiment.rest import SteadyState, find_rest
from simulation.experiment.solve import Solver, run

TOLERANCE = 2e-3
HIGHEST = 1e4  # in the unit of the model's stimulus
WATCH = 10.0  # ms after a stimulus in which its spike is looked for
SOLVER = Solver(rtol=1e-5, atol=1e-7)
_LOWEST = 1e-6
_NUDGE = 1.0  # mV beside a rest that is not stable
_UNTIL_IT_FIRES = 500.0  # ms
_FIRST_STRIDE = 1.1  # the search leaves a guess by this factor, then by ever larger ones
_COARSE = 1.15  # steps in which the whole range is looked through, from _LEAST_LIKELY up
_LEAST_LIKELY = 0.1


class Warm:
    """Thresholds found before, by name: guesses for the next membrane. ``stride``: the factor by which a search first leaves its guess;
    ``solver``: by which it is tried whether a stimulus fires."""

    def __init__(self, known: Mapping[str, float] | None = None, *, stride: float | None = None, solver: Solver | None = None) -> None:
        self.known = dict(known or {})
        self.stride, self.solver = stride or _FIRST_STRIDE, solver or SOLVER
        self.runs = 0  # how many stimuli were tried, warm or cold

    def search(
        self, name: str, fires: Callable[[float], bool], guess: float, *, highest: float = HIGHEST, look_from: float = _LEAST_LIKELY
    ) -> float:
        """``lowest_that_fires``, begun at what was last found under that name, else at ``guess``."""

        def counted(amplitude: float) -> bool:
            self.runs += 1
            return fires(amplitude)

        stride = self.stride if name in self.known else _FIRST_STRIDE
        found = lowest_that_fires(counted, self.known.get(name, guess), highest=highest, look_from=look_from, stride=stride)
        if found > 0:
            self.known[name] = found
        return found


def onset(holds: Callable[[float], bool], low: float, high: float, to: float) -> float:
    """Where something begins to hold between ``low`` and ``high``, found by halving to a distance ``to``; NaN if it does so at neither or both."""
    if holds(low) or not holds(high):
        return math.nan
    while high - low > to:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return 0.5 * (low + high)


class Search:
    """The search for the smallest stimulus that fires, one question at a time: ``amplitude`` is to be tried, ``tell`` takes the answer,
    ``found`` is the result as soon as there is one: 0 if no stimulus is needed, NaN if none up to ``highest`` fires."""

    def __init__(
        self, guess: float, *, highest: float = HIGHEST, look_from: float = _LEAST_LIKELY, tolerance: float = TOLERANCE,
        stride: float = _FIRST_STRIDE,
    ) -> None:
        self.step = math.log1p(tolerance)
        self.stride = max(1, round(math.log(stride) / self.step))
        self.bottom, self.top = math.ceil(math.log(_LOWEST) / self.step), math.floor(math.log(highest) / self.step)
        self.found: float | None = None
        self.amplitude = 0.0
        self._answers = self._search(guess, look_from)
        next(self._answers)

    def tell(self, fired: bool) -> None:
        """The answer to ``amplitude``."""
        with contextlib.suppress(StopIteration):
            self._answers.send(fired)

    def _try(self, rung: int) -> Generator[None, bool, bool]:
        self.amplitude = math.exp(rung * self.step)
        return (yield)

    def _search(self, guess: float, look_from: float) -> Generator[None, bool, None]:
        if (yield):
            self.found = 0.0
            return
        stride = self.stride
        here = min(max(round(math.log(guess) / self.step), self.bottom), self.top)
        if (yield from self._try(here)):
            low, high = here - stride, here
            while low > self.bottom and (yield from self._try(low)):
                stride *= 2
                low, high = low - stride, low
        else:
            low, high = here, min(here + stride, self.top)
            while not (yield from self._try(high)):
                if high == self.top:
                    coarse = round(math.log(_COARSE) / self.step)
                    rung = math.floor(math.log(look_from) / self.step / coarse) * coarse
                    while rung < self.top and not (yield from self._try(rung)):
                        rung += coarse
                    if rung >= self.top:
                        self.found = math.nan
                        return
                    low, high = rung - coarse, rung
                    break
                stride *= 2
                low, high = high, min(high + stride, self.top)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if (yield from self._try(middle)) else (middle, high)
        self.found = math.exp((high - 0.5) * self.step)


def lowest_that_fires(
    fires: Callable[[float], bool], guess: float, *, highest: float = HIGHEST, look_from: float = _LEAST_LIKELY, tolerance: float = TOLERANCE,
    stride: float = _FIRST_STRIDE,
) -> float:
    """Smallest stimulus that fires, to the relative ``tolerance``; 0 if none is needed, NaN if none up to ``highest`` does.

    ``look_from``: where the look through the whole range begins that follows a search without result; ``stride``: the factor by which the
    guess is left first."""
    search = Search(guess, highest=highest, look_from=look_from, tolerance=tolerance, stride=stride)
    while search.found is None:
        search.tell(fires(search.amplitude))
    return search.found


def of_restless(p: Preparation, rest: SteadyState) -> float | None:
    """Threshold of a membrane whose rest is not stable: 0 if it fires by itself, NaN if it only leaves its rest. None if it is stable."""
    if rest.stable:
        return None
    return 0.0 if spikes(p, rest_only(_UNTIL_IT_FIRES), p.beside(rest.state, _NUDGE)) else math.nan


def fires(p: Preparation, amplitude: float, duration: float, start: Array, watch: float = WATCH, solver: Solver = SOLVER) -> bool:
    """Whether a pulse (in the unit of the model's stimulus, ms) from the state ``start`` evokes a spike during it or within ``watch`` ms after."""
    return spikes(p, protocol(Pulse(amplitude, duration), after=watch), start, solver) > 0


def spikes(p: Preparation, stimuli: Protocol, start: Array, solver: Solver = SOLVER) -> int:
    """How many spikes a protocol evokes from the state ``start``."""
    return len(find_spikes(run(p, stimuli, solver=solver, start=start, dense=False)))


def threshold_current(
    p: Preparation, duration: float = 0.5, *, start: Array | None = None, guess: float = 100.0, warm: Warm | None = None
) -> float:
    """Smallest current of a pulse of ``duration`` ms that evokes a spike, to the relative ``TOLERANCE``, in the unit of the model's stimulus.

    0 if the membrane fires without a stimulus, NaN if no current up to 10,000 makes it fire (a blocked membrane).
    ``start``: the state that the pulse meets, the resting one if not given.
    ``warm``: thresholds of a neighbouring bath to begin from, if there are any."""
    if start is None:
        rest = find_rest(p).at()
        restless = of_restless(p, rest)
        if restless is not None:
            return restless
        start = rest.state
    state, warm = start, warm or Warm()
    return warm.search(pulse_of(duration), lambda x: fires(p, x, duration, state, solver=warm.solver), guess)


def pulse_of(duration: float) -> str:
    """Name under which the threshold of a pulse is remembered."""
    return f"{duration:g} ms"


def rheobase(
    p: Preparation, *, duration: float = 100.0, start: Array | None = None, guess: float = 30.0, warm: Warm | None = None
) -> float:
    """Smallest current of a long step that evokes a spike; see ``threshold_current``."""
    return threshold_current(p, duration, start=start, guess=guess, warm=warm)


def ramp_threshold(p: Preparation, duration: float, *, start: Array, guess: float, highest: float, warm: Warm | None = None) -> float:
    """Smallest end of a ramp from 0, ``duration`` ms long, that evokes a spike; see ``threshold_current``."""

    def fires(end: float) -> bool:
        return spikes(p, protocol(Ramp(0.0, end, duration), after=WATCH), start) > 0

    return (warm or Warm()).search(f"ramp {duration:g} ms", fires, guess, highest=highest)


@dataclass(frozen=True, eq=False)
class Conditioned:
    """A membrane to which pulses are given, as ``recording`` shows, while test pulses ask how excitable it is meanwhile.

    ``name``: under which thresholds are remembered."""

    recording: Recording
    name: str

    def threshold(
        self, at: float, duration: float, *, guess: float, highest: float, look_from: float, warm: Warm | None = None
    ) -> float:
        """Threshold current of a test pulse that begins ``at`` ms; 0 where the membrane fires without it, see ``threshold_current``."""
        state, meanwhile = self.recording.at(at), _after(self.recording.protocol, at)

        def fires(amplitude: float) -> bool:
            both = protocol(*meanwhile, Pulse(amplitude, duration), duration=duration + WATCH)
            return spikes(self.recording.preparation, both, state) > 0

        return (warm or Warm()).search(
            f"{self.name}, {duration:g} ms at {at:g} ms", fires, guess, highest=highest, look_from=look_from
        )


def _after(whole: Protocol, t: float) -> list[Pulse]:
    """What is left of a protocol's pulses at time ``t``, counted from there."""
    pulses = [e for e in whole.events if isinstance(e, Pulse)]
    assert len(pulses) == len(whole.events)
    return [
        replace(e, at=max(0.0, e.at - t), duration=min(e.duration, e.at + e.duration - t))
        for e in pulses if e.at + e.duration - t > 1e-9 and max(0.0, e.at - t) < WATCH
    ]
