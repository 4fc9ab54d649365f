"""cramplab: what potassium, calcium and magnesium around nerve and muscle do to them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation.experiment.bath import Bath
    from simulation.experiment.body import bath_of, body, course, steady
    from simulation.experiment.cable import Cable, cable_constants, propagate
    from simulation.experiment.errors import ExperimentError, ModelSaysNo
    from simulation.experiment.excitability import (
        Accommodation,
        Conduction,
        CurrentThreshold,
        FiringRate,
        Latency,
        RecoveryCycle,
        SpontaneousRate,
        StrengthDuration,
        Threshold,
        ThresholdElectrotonus,
        examination,
    )
    from simulation.experiment.gates import gate_curves
    from simulation.experiment.junction import Junction, junction
    from simulation.experiment.motor_unit import Drive, MotorUnit, Rate, Stretch, run_unit, unit
    from simulation.experiment.preparation import Preparation, prepare
    from simulation.experiment.protocol import BathChange, Clamp, Noise, Protocol, Pulse, Ramp, Train, protocol, rest_only
    from simulation.experiment.recording import Recording, open_recording
    from simulation.experiment.rest import Rest, find_rest
    from simulation.experiment.shift import gating_shift
    from simulation.experiment.solve import Solver, run
    from simulation.experiment.threshold import rheobase, threshold_current
    from simulation.studies.continuation import follow_borders, follow_rests
    from simulation.studies.regimes import map_regimes
    from simulation.studies.sensitivity import sensitivity
    from simulation.studies.sweep import Axis, Sweep, open_sweep, parse_axis, run_sweep, sweep

# What `import simulation` offers, loaded when it is first asked for.
_OFFERED = {
    "experiment.bath": ("Bath",),
    "experiment.body": ("bath_of", "body", "course", "steady"),
    "experiment.cable": ("Cable", "cable_constants", "propagate"),
    "experiment.errors": ("ExperimentError", "ModelSaysNo"),
    "experiment.excitability": (
        "Accommodation", "Conduction", "CurrentThreshold", "FiringRate", "Latency", "RecoveryCycle", "SpontaneousRate", "StrengthDuration",
        "Threshold", "ThresholdElectrotonus", "examination",
    ),
    "experiment.gates": ("gate_curves",),
    "experiment.junction": ("Junction", "junction"),
    "experiment.motor_unit": ("Drive", "MotorUnit", "Rate", "Stretch", "run_unit", "unit"),
    "experiment.preparation": ("Preparation", "prepare"),
    "experiment.protocol": ("BathChange", "Clamp", "Noise", "Protocol", "Pulse", "Ramp", "Train", "protocol", "rest_only"),
    "experiment.recording": ("Recording", "open_recording"),
    "experiment.rest": ("Rest", "find_rest"),
    "experiment.shift": ("gating_shift",),
    "experiment.solve": ("Solver", "run"),
    "experiment.threshold": ("rheobase", "threshold_current"),
    "studies.continuation": ("follow_borders", "follow_rests"),
    "studies.regimes": ("map_regimes",),
    "studies.sensitivity": ("sensitivity",),
    "studies.sweep": ("Axis", "Sweep", "open_sweep", "parse_axis", "run_sweep", "sweep"),
}
_WHERE = {name: module for module, names in _OFFERED.items() for name in names}
__all__ = [
    "Accommodation", "Axis", "Bath", "BathChange", "Cable", "Clamp", "Conduction", "CurrentThreshold", "Drive", "ExperimentError", "FiringRate",
    "Junction", "Latency", "ModelSaysNo", "MotorUnit", "Noise", "Preparation", "Protocol", "Pulse", "Ramp", "Rate", "Recording", "RecoveryCycle",
    "Rest", "Solver", "SpontaneousRate", "StrengthDuration", "Stretch", "Sweep", "Threshold", "ThresholdElectrotonus", "Train", "bath_of", "body",
    "cable_constants", "course", "examination", "find_rest", "follow_borders", "follow_rests", "gate_curves", "gating_shift", "junction",
    "map_regimes", "open_recording", "open_sweep", "parse_axis", "prepare", "propagate", "protocol", "rest_only", "rheobase", "run", "run_sweep",
    "run_unit", "sensitivity", "steady", "sweep", "threshold_current", "unit",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f"simulation.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'simulation' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
