"""cramplab rest: where a membrane rests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.options import Json, Membrane, given

if TYPE_CHECKING:
    from simulation.experiment.rest import Rest, SteadyState

IONS = ("K", "Na", "Cl")
_DEPOLARISED = -70.0  # mV: a second rest above it leaves the sodium channels inactivated
_NO_DRIFT = 5e-3  # mM/min: less than this is balance for a reader
_FATE = {"fibre": "a fibre that got there is paralysed"}
_ANY_FATE = "a membrane that got there stays there"


def register(app: typer.Typer) -> None:
    app.command("rest")(rest)


@given(membrane=options.membrane)
def rest(membrane: Membrane, json: Json = False) -> None:
    """Where a membrane rests, and whether it stays there.

    Every resting potential is found, stable or not, with the potentials behind it.

    \b
    Examples:
      cramplab rest fibre
      cramplab rest fibre --bath K=2.5,Ca=0.6
      cramplab rest fibre --bath K=2 --acute          the bath has just changed
      cramplab rest fibre_hypopp --bath K=3           a leaky gating pore
      cramplab rest fibre --bath K=3 --scale P_Kir=0.5 --set T=22"""
    from simulation.experiment.rest import find_rest

    found = find_rest(membrane.here)
    found.at()  # says no if there is no steady state at all
    control = find_rest(membrane.control) if membrane.control is not None else None
    if json:
        output.as_json({**membrane.facts(), **facts(found), "control": facts(control) if control is not None and control.states else None})
        return
    output.say(*membrane.heading(), "")
    output.say(*sentences(found), style="bold")
    output.say("")
    _print_potentials(found, control)


def facts(rest: Rest) -> dict[str, Any]:
    """What ``--json`` says about the rests of a membrane."""
    return {
        "states": [
            {"V": s.V, "stable": s.stable, "max_real_eigenvalue": s.max_real_eigenvalue, "time_constant": time_constant(s), "residual": s.residual}
            for s in rest.states
        ],
        **{f"E_{ion}": equilibrium(rest, ion) for ion in IONS},
        "gating_shift": gating_shift(rest),
        "drift": rest.drift(),
    }


def time_constant(state: SteadyState) -> float:
    """How slowly the membrane comes back to a stable state or leaves an unstable one, ms."""
    rate = abs(state.max_real_eigenvalue)
    return 1 / rate if rate > 0 else float("inf")


def equilibrium(rest: Rest, ion: str) -> float | None:
    """Equilibrium potential of an ion at the outer membrane (mV): worked out, or a parameter, or None if the model has none."""
    p = rest.preparation
    for name in (f"E_{ion}{p.bound.model.potential.removeprefix('V')}", f"E_{ion}"):
        if name in p.kernel.emitted.symbols:
            return rest.symbol(name)
        if name in p.bound.parameters:
            return p.numbers()[name]
    return None


def gating_shift(rest: Rest) -> float | None:
    """Shift of the gates' curves by surface charge (mV), or None if the model has none."""
    return rest.symbol("dpsi") if "dpsi" in rest.preparation.kernel.emitted.symbols else None


def sentences(rest: Rest) -> list[str]:
    """The rests in words."""
    stable, unstable = rest.stable, [s for s in rest.states if not s.stable]
    if not stable:
        at = " and ".join(words.quantity(s.V, "mV") for s in unstable)
        return [f"There is no stable rest: at {at} the membrane is in balance, but leaves it at the least push, fires on its own or drifts away."]
    out = [f"The membrane rests at {_described(stable[0])}."]
    for number, state in enumerate(stable[1:]):
        which = "A second" if number == 0 else "One more"
        fate = _FATE.get(rest.preparation.bound.name, _ANY_FATE) if state.V > _DEPOLARISED else _ANY_FATE
        out.append(f"{which} stable rest is at {_described(state)}: {fate}.")
    between = [words.quantity(s.V, "mV") for s in unstable if stable[0].V < s.V < stable[-1].V]
    return [*out, *(f"Between them lies the point of no return, {V} (unstable)." for V in between)]


def _described(state: SteadyState) -> str:
    return f"{words.quantity(state.V, 'mV')} (stable, settles with a time constant of {words.duration(time_constant(state))})"


def _print_potentials(here: Rest, control: Rest | None) -> None:
    rests = [here] if control is None or not control.states else [here, control]
    rows = [["resting potential", *(words.quantity(r.V, "mV") for r in rests)]]
    names = {"K": "potassium", "Na": "sodium", "Cl": "chloride"}
    for ion in IONS:
        if equilibrium(here, ion) is not None:
            rows.append([f"E_{ion}, equilibrium of {names[ion]}", *(words.quantity(equilibrium(r, ion), "mV") for r in rests)])
    if gating_shift(here) is not None:
        rows.append(["gating shift by surface charge", *(words.quantity(gating_shift(r), "mV") for r in rests)])
    for symbol in here.drift():
        if max(abs(r.drift()[symbol]) for r in rests) < _NO_DRIFT:
            continue
        rows.append([f"{symbol}, still drifting by", *(_drift(r, symbol) for r in rests)])
    output.table(rows, head=["", "here", "control"][: len(rests) + 1] if len(rests) > 1 else (), right=(1, 2))


def _drift(rest: Rest, symbol: str) -> str:
    return f"{rest.drift()[symbol]:+.2g} {rest.preparation.bound.units[symbol]}/min"
