"""What the exercises experiment on: made once, so that each of them rests once."""

from __future__ import annotations

from functools import cache

from simulation.experiment.junction import junction
from simulation.experiment.motor_unit import MotorUnit, unit
from simulation.experiment.preparation import Preparation, prepare


@cache
def membrane(name: str) -> Preparation:
    """The preparation of that name in its control bath, the same one at every call."""
    return prepare(name)


@cache
def motor_unit(axon: str = "axon") -> MotorUnit:
    """The motor unit with that axon, every stage in its control bath, the same one at every call."""
    return unit(membrane(axon), junction(), membrane("muscle"))
