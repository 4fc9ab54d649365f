"""The budget of the resting potential: where each ion pulls, which currents balance, and what the pump adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulation.experiment.errors import ExperimentError
from simulation.experiment.preparation import Preparation
from simulation.experiment.rest import Rest, find_rest
from simulation.physiology.vocabulary import F, R, ghk_current, nernst

CURRENTS: Mapping[str, tuple[str, ...]] = {
    "Na": ("I_Na", "I_NaL", "I_gp_Na"), "K": ("I_Kdr", "I_Kir", "I_KCNQ", "I_gp_K"), "Cl": ("I_Cl",), "pump": ("I_pump",),
}
VALENCES = {"K": 1, "Na": 1, "Cl": -1}


@dataclass(frozen=True, eq=False)
class Budget:
    """What makes the resting potential of a muscle fibre.

    ``V``: resting potential, mV; ``E``: equilibrium potentials by ion, mV; ``GHK``: by the Goldman-Hodgkin-Katz equation of potassium, sodium
    and chloride, mV, with the concentrations and the permeabilities of the channels as they are at rest and no pump current; ``ratios``: of
    permeabilities to that of potassium; ``currents``: net outward current by carrier, of surface and tubules, uA/cm2 of surface; NKCC1
    carries none."""

    rest: Rest
    E: Mapping[str, float]
    GHK: float
    ratios: Mapping[str, float]
    currents: Mapping[str, float]

    @property
    def V(self) -> float:
        return self.rest.V

    @property
    def provenance(self) -> dict[str, Any]:
        """What made it."""
        return {**self.rest.preparation.describe(), "budget": {"V": self.V, "E": dict(self.E), "GHK": self.GHK, "ratios": dict(self.ratios)}}


def budget(p: Preparation) -> Budget:
    """The budget of a fibre at rest; for the set 'muscle', which knows calcium within, also E_Ca.

    Raises ExperimentError for a model without tubules, ModelSaysNo if there is no rest."""
    if "gamma" not in p.kernel.emitted.symbols:
        raise ExperimentError(f"the budget of rest is that of a muscle fibre (fibre, muscle); {p.bound.name} is none")
    rest = find_rest(p)
    gamma, numbers = rest.symbol("gamma"), p.numbers()

    def whole(symbol: str) -> float:
        return rest.symbol(f"{symbol}_s") + gamma * rest.symbol(f"{symbol}_t")

    E = {ion: rest.symbol(f"E_{ion}_s") for ion in ("Na", "K", "Cl")}
    T = numbers["T"]
    if "Ca_i" in p.states:
        E["Ca"] = float(nernst(2, T, rest.symbol("Ca_i"), numbers["Ca_o"]))
    currents = {name: sum(whole(s) for s in symbols) for name, symbols in CURRENTS.items()}
    # Chord permeabilities: what the channels of each ion pass at rest, per what an open pore would.
    ions = {ion: (z, rest.symbol(f"{ion}_i"), numbers[f"{ion}_o"]) for ion, z in VALENCES.items()}
    P = {ion: currents[ion] / float(ghk_current(z, rest.V, T, inside, outside)) for ion, (z, inside, outside) in ions.items()}
    outer = sum(P[ion] * (outside if z > 0 else inside) for ion, (z, inside, outside) in ions.items())
    inner = sum(P[ion] * (inside if z > 0 else outside) for ion, (z, inside, outside) in ions.items())
    ratios = {ion: P[ion] / P["K"] for ion in ("Na", "Cl")}
    return Budget(rest, E, float(R * T / F * np.log(outer / inner)), ratios, currents)
