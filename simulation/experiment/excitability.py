"""How much current a membrane needs to fire: thresholds by bracketing."""

from __future__ import annotations

import math

from simulation.assembly.compile import Array
from simulation.experiment.features import find_spikes
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Pulse, protocol
from simulation.experiment.rest import find_rest
from simulation.experiment.solve import Solver, run

TOLERANCE = 2e-3
HIGHEST = 1e4  # uA/cm2
_SOLVER = Solver(rtol=1e-5, atol=1e-7)


def fires(p: Preparation, amplitude: float, duration: float, start: Array, watch: float = 10.0) -> bool:
    """Whether a pulse (uA/cm2, ms) from the state ``start`` evokes a spike during it or within ``watch`` ms after."""
    return bool(find_spikes(run(p, protocol(Pulse(amplitude, duration), after=watch), solver=_SOLVER, start=start)))


def threshold_current(
    p: Preparation, duration: float = 0.5, *, start: Array | None = None, guess: float = 100.0, tolerance: float = TOLERANCE
) -> float:
    """Smallest current (uA/cm2) of a pulse of ``duration`` ms that evokes a spike, to the relative ``tolerance``.

    0 if the membrane fires without a stimulus, NaN if no current up to 10,000 uA/cm2 makes it fire (a blocked membrane)."""
    start = find_rest(p).at().state if start is None else start
    if fires(p, 0.0, duration, start):
        return 0.0
    low, high = 0.0, guess
    while not fires(p, high, duration, start):
        low, high = high, 2 * high
        if high > HIGHEST:
            return math.nan
    while high - low > tolerance * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if fires(p, middle, duration, start) else (middle, high)
    return 0.5 * (low + high)


def rheobase(p: Preparation, *, duration: float = 100.0, start: Array | None = None, guess: float = 30.0, tolerance: float = TOLERANCE) -> float:
    """Smallest current (uA/cm2) of a long step that evokes a spike; see ``threshold_current``."""
    return threshold_current(p, duration, start=start, guess=guess, tolerance=tolerance)
