"""A channel of your own in a shipped model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from simulation import models, parameter_sets
from simulation.assembly.bind import bind
from simulation.assembly.compile import compile_model
from simulation.assembly.declare import Equation, Scope
from simulation.assembly.errors import nearest
from simulation.classroom.errors import ClassroomError
from simulation.experiment.preparation import Preparation
from simulation.parameter_sets import Parameter


def with_channel(model: str, channel: Scope, sums: Mapping[str, Equation], numbers: Mapping[str, tuple[float, str]]) -> Preparation:
    """A shipped model with one more channel, ready for any experiment that a single membrane allows.

    ``sums``: the sums that the new current joins, written anew, as {'I_ion': function}; ``numbers``: parameters of the channel, each
    with its unit, as {'g_A': (5, 'mS/cm2')}. Every equation is walked through with units. Raises ClassroomError for a sum that the
    model does not have at its outermost level, ModelError for a name that nothing has, UnitError for units that do not fit."""
    from simulation.assembly.dimensions import check_units

    declared = models.get(model)
    own = {e.__name__: e for e in declared.equations} | dict(declared.named)
    for name in sums:
        if name not in own:
            raise ClassroomError(f"{model} has no sum '{name}' to join{nearest(name, own)}; at its outermost level it has {', '.join(own)}")
    kept = tuple(e for e in declared.equations if e.__name__ not in sums)
    changed = replace(declared, inner=(*declared.inner, channel), equations=kept, named={**declared.named, **sums})
    shipped = parameter_sets.load(declared.parameters)
    new = {s: Parameter(value=v, unit=u, kind="assumed", range=(v, v), note="your own choice") for s, (v, u) in numbers.items()}
    both = replace(shipped, parameters={**shipped.parameters, **new}, origin={**shipped.origin, **dict.fromkeys(new, "your notebook")})
    bound = bind(changed)
    bound.check_parameters([*both.parameters, *changed.stimulus])
    check_units(bound)
    return Preparation(compile_model(bound), both)
