"""A nerve-muscle junction in its bath: how much it releases, what that does at the end plate, and how a train wears it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from simulation import parameter_sets
from simulation.assembly.compile import Array
from simulation.experiment.bath import Bath
from simulation.experiment.errors import ExperimentError
from simulation.parameter_sets import ParameterSet
from simulation.physiology import junction as law

BATH = MappingProxyType({"Ca": "Ca_ref", "Mg": "Mg_ref"})  # what release depends on, and the parameter that says what it is in control


@dataclass(frozen=True, eq=False)
class EndPlate:
    """What a train of nerve spikes did: their times at the junction (ms), the quanta that each set free and its end-plate potential (mV)."""

    times: Array
    quanta: Array
    potentials: Array


@dataclass(frozen=True, eq=False, repr=False)
class Junction:
    """A junction with its numbers in its bath."""

    parameters: ParameterSet
    bath: Bath = field(default_factory=Bath)

    def __post_init__(self) -> None:
        for name, _ in self.bath:
            if name not in BATH:
                raise ExperimentError(f"the bath of a junction has no {name}: release depends on {' and '.join(BATH)}")

    def __repr__(self) -> str:
        return f"<{self.parameters.name} in {str(self.bath) or 'the control bath'}>"

    @cached_property
    def of(self) -> dict[str, float]:
        """Every number by symbol."""
        return {s: p.value for s, p in self.parameters.parameters.items()}

    @property
    def whole_bath(self) -> dict[str, float]:
        """Calcium and magnesium around the nerve's ending, mM."""
        return {name: dict(self.bath).get(name, self.of[symbol]) for name, symbol in BATH.items()}

    def in_bath(self, bath: Bath | dict[str, float] | str | None = None, **ions: float) -> Junction:
        """The same junction in another bath."""
        return replace(self, bath=Bath(bath, **ions))

    def describe(self) -> dict[str, Any]:
        """What defines this junction, enough to make it again."""
        return {"parameter_set": self.parameters.name, "changed": dict(self.parameters.changed), "parameters": self.of, "bath": dict(self.bath)}

    @property
    def release(self) -> float:
        """Release of the rested junction relative to that in the reference bath."""
        x = self.of
        here = law.rho(self.whole_bath["Ca"], self.whole_bath["Mg"], x["K_Ca"], x["K_Mg"])
        return float(law.release(here, law.rho(x["Ca_ref"], x["Mg_ref"], x["K_Ca"], x["K_Mg"]), x["n_sites"]))

    @property
    def quantal_content(self) -> float:
        """Quanta that a spike sets free of the rested junction."""
        return float(law.m(self.of["m_0"], self.release, 1.0))

    @property
    def potential(self) -> float:
        """End-plate potential of the rested junction, mV."""
        return self._potential(self.quantal_content)

    def _potential(self, quanta: float) -> float:
        return float(law.EPP(quanta, self.of["q"], self.of["w_sum"], self.of["E_EPP"]))

    def safety_factor(self, threshold: float, potential: float | None = None) -> float:
        """End-plate potential (of the rested junction if not given, mV) as a multiple of what fires the end plate of a fibre whose
        bare membrane fires when depolarised by ``threshold`` mV."""
        return float(law.safety_factor(self.potential if potential is None else potential, threshold, self.of["ease"]))

    @property
    def latency(self) -> float:
        """From the spike of the axon to the end-plate current, ms."""
        return self.of["way"] / self.of["velocity"] + self.of["delay"]

    def potentials(self, spike_times: Sequence[float] | Array) -> EndPlate:
        """End-plate potentials of spikes that arrive at rising times (ms) at a rested junction."""
        x, release = self.of, self.release
        times = np.asarray(spike_times, dtype=float)
        ready, reserve, before = 1.0, 1.0, times[0] if len(times) else 0.0
        quanta = np.empty(len(times))
        for i, t in enumerate(times):
            dt = float(t - before)
            ready, reserve = (
                float(law.ready_later(dt, ready, reserve, x["tau_ready"], x["tau_reserve"])),
                float(law.reserve_later(dt, reserve, x["tau_reserve"])),
            )
            quanta[i] = law.m(x["m_0"], release, ready)
            used = float(law.used(release, ready, x["u_ready"]))
            ready, reserve, before = ready - used, reserve - x["u_reserve"] * min(used, reserve), t
        return EndPlate(times, quanta, np.array([self._potential(n) for n in quanta]))


def junction(name: str = "junction", bath: Bath | dict[str, float] | str | None = None, *, set: dict[str, float] | None = None) -> Junction:
    """A junction from a parameter set: 'junction' (man), or 'junction_frog' (with the frog's affinity for calcium).

    Raises ParameterError or ExperimentError."""
    numbers = parameter_sets.load(name)
    if numbers.model != "junction":
        raise ExperimentError(f"'{name}' is a set for {numbers.model}, not for a junction; junctions: junction, junction_frog")
    return Junction(numbers.with_values(set or {}), Bath(bath))
