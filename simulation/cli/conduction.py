"""cramplab conduction: a spike along a cable of one membrane."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.cli import options, output, words
from simulation.cli.options import Json, Membrane, given

if TYPE_CHECKING:
    from simulation.experiment.cable import CableConstants, Propagation


def register(app: typer.Typer) -> None:
    app.command("conduction")(conduction)


@given(membrane=options.membrane)
def conduction(
    membrane: Membrane,
    sections: Annotated[int, typer.Option("--sections", metavar="N", help="How many sections of membrane make the cable.")] = 100,
    again: Annotated[float | None, typer.Option("--again", metavar="MS", help="A second stimulus so many ms after the first.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Keep potentials and arrivals as .nc.", show_default=False)] = None,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    json: Json = False,
) -> None:
    """Send a spike along a cable: how fast it runs, or where it is blocked.

    Sections of the membrane in a row, sealed at both ends, stimulated at the first.
    Their length (dx; L from node to node in the axon) and the resistivity inside (R_i) are parameters.

    \b
    Examples:
      cramplab conduction fibre
      cramplab conduction fibre --bath K=9 --figure block.svg
      cramplab conduction fibre --again 8
      cramplab conduction squid --bath T=18.5
      cramplab excitability conduction fibre --over K=2.5:9:14 --figure v.svg"""
    from simulation.experiment.cable import cable_constants, propagate

    options.check_files("a cable", out, figure, size, (".nc",))
    spike, constants = propagate(membrane.here, sections, again=again), cable_constants(membrane.here)
    written = []
    if out is not None:
        from simulation.studies import sweep

        with output.saving(out):
            written.append(sweep.save(spike.to_xarray(), out))
    if figure is not None:
        from simulation import figures

        written += figures.save(figures.propagation_figure(spike.to_xarray(), size), figure)
    if json:
        output.as_json({
            **membrane.facts(), "sections": sections, "length": spike.cable.dx * sections, "velocity": spike.velocities, "reached": spike.reached,
            "spike": spike.spike, "arrivals": spike.arrivals, "x": spike.cable.x, "cable": vars(constants), "files": written,
        })
        return
    output.say(*membrane.heading(), f"Cable: {sections} sections, {words.quantity(spike.cable.dx * sections, 'mm')}", "")
    output.say(_verdict(spike), "", style="bold")
    output.table(_rows(spike, constants, membrane.here.bound.current_unit), right=(1,))
    if written:
        output.say("", *(f"Saved: {path}" for path in written))


def _verdict(spike: Propagation) -> str:
    if not spike.conducted:
        return f"The spike is blocked: it comes {words.quantity(spike.reached, 'mm', 3)} far."
    first, *more = spike.velocities
    said = f"The spike runs at {words.quantity(first, 'm/s', 3)}."
    for v in more:
        change = f"at {words.quantity(v, 'm/s', 3)} ({100 * (v / first - 1):+.0f} %)" if v else "does not come through"
        said += f" The second one {change}."
    return said


def _rows(spike: Propagation, constants: CableConstants, current_unit: str) -> list[list[str]]:
    resistance, ohm = constants.input_resistance, "kOhm"
    if current_unit == "pA":
        resistance, ohm = 1000 * resistance, "MOhm"
    texts = {
        "peak": ("peak half way", "mV"), "amplitude": ("amplitude", "mV"),
        "half_width": ("half-width", "ms"), "max_dV_dt": ("steepest rise", "mV/ms"),
    }
    shape = [[text, words.quantity(spike.spike[name], unit)] for name, (text, unit) in texts.items()] if spike.conducted else []
    return [
        *shape,
        ["length constant at rest", words.quantity(constants.length_constant, "mm", 3)],
        ["input resistance of an endless cable", words.quantity(resistance, ohm, 3)],
        ["time constant of the membrane", words.quantity(constants.time_constant, "ms", 3)],
    ]
