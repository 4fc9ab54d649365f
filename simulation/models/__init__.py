"""The models, declared. Nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
from functools import cache

from simulation.assembly.bind import Bound, bind
from simulation.assembly.declare import Model
from simulation.assembly.errors import ModelError, nearest

_WHERE = {
    "squid": "simulation.models.squid_axon",
    "fibre": "simulation.models.muscle_fibre",
    "muscle": "simulation.models.muscle",
    "node": "simulation.models.motor_axon",
    "axon": "simulation.models.motor_axon",
}
_NO_MEMBRANES = {"body": "simulation.models.body"}


def names() -> tuple[str, ...]:
    """Names of all models of membranes."""
    return tuple(_WHERE)


def others() -> tuple[str, ...]:
    """Names of the models of what is no membrane."""
    return tuple(_NO_MEMBRANES)


def get(name: str) -> Model:
    """The declared model of that name. Raises ModelError with the nearest names."""
    where = _WHERE | _NO_MEMBRANES
    if name not in where:
        raise ModelError(f"there is no model '{name}'{nearest(name, where)}; models: {', '.join(where)}")
    model = getattr(importlib.import_module(where[name]), name)
    assert isinstance(model, Model)
    return model


@cache
def bound(name: str) -> Bound:
    """The model of that name with every symbol resolved."""
    return bind(get(name))
