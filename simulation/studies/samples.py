"""Experiments at points that lie on no grid: each has a row of parameters of its own. Done, kept and checked as a sweep is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulation import parameter_sets
from simulation.assembly.compile import Array
from simulation.experiment.excitability import Examination
from simulation.experiment.preparation import Preparation
from simulation.experiment.protocol import Protocol
from simulation.studies.sweep import Axis, Sweep

SAMPLE = "sample"


def _no_rows() -> Array:
    return np.zeros((1, 0))


@dataclass(frozen=True, eq=False)
class Sample(Sweep):
    """A study of as many points as ``rows`` has: in row k stand the values of ``names`` (parameters in the units of their file, bath
    components, scales as 'SYMBOL_scale') at point k.

    ``about``: what the rows were drawn for, for provenance."""

    names: tuple[str, ...] = ()
    rows: Array = field(default_factory=_no_rows)
    about: Mapping[str, Any] = field(default_factory=dict)

    def at(self, point: Mapping[str, float]) -> Preparation:
        return super().at(dict(zip(self.names, self.rows[int(point[SAMPLE])].tolist(), strict=True)))

    def changed(self, index: Sequence[int]) -> dict[str, Array]:
        return {self.symbol_of(name): self._in_model(name, self.rows[np.asarray(index), j]) for j, name in enumerate(self.names)}

    def _in_model(self, name: str, values: Array) -> Array:
        """In the units of the model, from those of the parameter file."""
        p, symbol = self.preparation, self.symbol_of(name)
        if name in p.bound.model.bath:
            return values + parameter_sets.ZERO_CELSIUS if name == "T" else values
        factors = values if name in p.parameters.parameters else values * p.parameters[symbol].value
        offset, slope = in_model(p, symbol)
        return offset + slope * factors

    def part(self, index: Sequence[int]) -> dict[str, Any]:
        rows = self.rows[index[0] : index[-1] + 1]
        return {**super().part(index), "axes": _axes(len(rows)), "names": self.names, "rows": rows}

    def coordinates(self) -> dict[str, tuple[str, Array, dict[str, str]]]:
        out = {SAMPLE: (SAMPLE, np.arange(len(self.rows), dtype=float), {"units": "1", "long_name": "number of the sample"})}
        for m in self.asked:
            out |= m.examination.coordinates() if m.examination else {}
        return out

    def control(self) -> dict[str, float]:
        return {}

    def describe(self) -> dict[str, Any]:
        rows = hashlib.sha256(np.ascontiguousarray(self.rows).tobytes()).hexdigest()[:16]
        return {**super().describe(), "axes": {}, "sample": {"names": list(self.names), "count": len(self.rows), "digest": rows}, **self.about}


def in_model(p: Preparation, symbol: str) -> tuple[float, float]:
    """Offset and slope of a parameter's number in the model against its value in the file."""
    unit, wanted = p.parameters[symbol].unit, p.bound.parameters[symbol]
    zero = parameter_sets.convert(0.0, unit, wanted, symbol)
    return zero, parameter_sets.convert(1.0, unit, wanted, symbol) - zero


def sample(
    p: Preparation, names: Sequence[str], rows: Array, measures: Sequence[str | Examination], *, protocol: Protocol | None = None,
    about: Mapping[str, Any] | None = None,
) -> Sample:
    """The study of such points. Raises ExperimentError, ParameterError."""
    return Sample(p, _axes(len(rows)), tuple(measures), protocol, names=tuple(names), rows=np.asarray(rows, dtype=float), about=about or {})


def _axes(count: int) -> tuple[Axis, ...]:
    return (Axis(SAMPLE, tuple(float(k) for k in range(count))),)
