"""How much current it takes to fire: thresholds by bracketing, also of a membrane to which something else is being done.

Currents are tried on a fixed ladder whose rungs lie ``TOLERANCE`` apart, so a threshold does not depend on where the search
began: a guess from a neighbouring bath makes it quicker, never different."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from simulation.assembly.compile import Array
from simulation.experiment.features import find_spikes
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol, Pulse, Ramp, protocol
from simulation.experiment.recording import Recording
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver, run

TOLERANCE = 2e-3
HIGHEST = 1e4  # in the unit of the model's stimulus
WATCH = 10.0  # ms after a stimulus in which its spike is looked for
SOLVER = Solver(rtol=1e-5, atol=1e-7)
_LOWEST = 1e-6
_FIRST_STRIDE = 1.1  # the search leaves a guess by this factor, then by ever larger ones


class Warm:
    """Thresholds found before, by name: guesses for the next membrane. Empty at first."""

    def __init__(self) -> None:
        self.known: dict[str, float] = {}
        self.runs = 0  # how many stimuli were tried, warm or cold

    def search(self, name: str, fires: Callable[[float], bool], guess: float, *, highest: float = HIGHEST) -> float:
        """``lowest_that_fires``, begun at what was last found under that name, else at ``guess``."""

        def counted(amplitude: float) -> bool:
            self.runs += 1
            return fires(amplitude)

        found = lowest_that_fires(counted, self.known.get(name, guess), highest=highest)
        if found > 0:
            self.known[name] = found
        return found


def lowest_that_fires(fires: Callable[[float], bool], guess: float, *, highest: float = HIGHEST, tolerance: float = TOLERANCE) -> float:
    """Smallest stimulus that fires, to the relative ``tolerance``; 0 if none is needed, NaN if none up to ``highest`` does."""
    if fires(0.0):
        return 0.0
    step = math.log1p(tolerance)

    def at(rung: int) -> bool:
        return fires(math.exp(rung * step))

    bottom, top = math.ceil(math.log(_LOWEST) / step), math.floor(math.log(highest) / step)
    stride = max(1, round(math.log(_FIRST_STRIDE) / step))
    here = min(max(round(math.log(guess) / step), bottom), top)
    if at(here):
        low, high = here - stride, here
        while low > bottom and at(low):
            stride *= 2
            low, high = low - stride, low
    else:
        low, high = here, here + stride
        while high < top and not at(high):
            stride *= 2
            low, high = high, high + stride
        if high >= top:
            high = top
            if low >= top or not at(top):
                return math.nan
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle) else (middle, high)
    return math.exp((high - 0.5) * step)


def fires(p: Preparation, amplitude: float, duration: float, start: Array, watch: float = WATCH) -> bool:
    """Whether a pulse (in the unit of the model's stimulus, ms) from the state ``start`` evokes a spike during it or within ``watch`` ms after."""
    return spikes(p, protocol(Pulse(amplitude, duration), after=watch), start) > 0


def spikes(p: Preparation, stimuli: Protocol, start: Array) -> int:
    """How many spikes a protocol evokes from the state ``start``."""
    return len(find_spikes(run(p, stimuli, solver=SOLVER, start=start)))


def threshold_current(
    p: Preparation, duration: float = 0.5, *, start: Array | None = None, guess: float = 100.0, warm: Warm | None = None
) -> float:
    """Smallest current of a pulse of ``duration`` ms that evokes a spike, to the relative ``TOLERANCE``, in the unit of the model's stimulus.

    0 if the membrane fires without a stimulus, NaN if no current up to 10,000 makes it fire (a blocked membrane).
    ``warm``: thresholds of a neighbouring bath to begin from, if there are any."""
    state = find_rest(p).at().state if start is None else start
    return (warm or Warm()).search(f"{duration:g} ms", lambda x: fires(p, x, duration, state), guess)


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

    def fires(self, amplitude: float, at: float, duration: float) -> bool:
        """Whether a test pulse that begins ``at`` ms evokes a spike (or one comes without it)."""
        return self._fires(self.recording.at(at), _after(self.recording.protocol, at), Pulse(amplitude, duration))

    def _fires(self, state: Array, meanwhile: list[Pulse], test: Pulse) -> bool:
        return spikes(self.recording.preparation, protocol(*meanwhile, test, duration=test.duration + WATCH), state) > 0

    def threshold(self, at: float, duration: float, *, guess: float, highest: float = HIGHEST, warm: Warm | None = None) -> float:
        """Threshold current of a test pulse that begins ``at`` ms; 0 where the membrane fires without it, see ``threshold_current``."""
        state, meanwhile = self.recording.at(at), _after(self.recording.protocol, at)
        return (warm or Warm()).search(
            f"{self.name}, {duration:g} ms at {at:g} ms", lambda x: self._fires(state, meanwhile, Pulse(x, duration)), guess, highest=highest
        )


def _after(whole: Protocol, t: float) -> list[Pulse]:
    """What is left of a protocol's pulses at time ``t``, counted from there."""
    pulses = [e for e in whole.events if isinstance(e, Pulse)]
    assert len(pulses) == len(whole.events)
    return [
        replace(e, at=max(0.0, e.at - t), duration=min(e.duration, e.at + e.duration - t))
        for e in pulses if e.at + e.duration - t > 1e-9 and max(0.0, e.at - t) < WATCH
    ]
