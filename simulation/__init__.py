"""cramplab: what potassium, calcium and magnesium around nerve and muscle do to them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation.experiment.bath import Bath
    from simulation.experiment.preparation import Preparation, prepare
    from simulation.experiment.protocol import BathChange, Clamp, Noise, Protocol, Pulse, Ramp, Train, protocol, rest_only
    from simulation.experiment.recording import Recording, open_recording
    from simulation.experiment.rest import Rest, find_rest
    from simulation.experiment.solve import Solver, run

# What `import simulation` offers, loaded when it is first asked for.
_WHERE = {
    "Bath": "experiment.bath",
    "BathChange": "experiment.protocol",
    "Clamp": "experiment.protocol",
    "Noise": "experiment.protocol",
    "Preparation": "experiment.preparation",
    "Protocol": "experiment.protocol",
    "Pulse": "experiment.protocol",
    "Ramp": "experiment.protocol",
    "Recording": "experiment.recording",
    "Rest": "experiment.rest",
    "Solver": "experiment.solve",
    "Train": "experiment.protocol",
    "find_rest": "experiment.rest",
    "open_recording": "experiment.recording",
    "prepare": "experiment.preparation",
    "protocol": "experiment.protocol",
    "rest_only": "experiment.protocol",
    "run": "experiment.solve",
}
__all__ = [
    "Bath", "BathChange", "Clamp", "Noise", "Preparation", "Protocol", "Pulse", "Ramp", "Recording", "Rest", "Solver", "Train",
    "find_rest", "open_recording", "prepare", "protocol", "rest_only", "run",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f"simulation.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'simulation' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
