"""cramplab run: one membrane, one experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from simulation.cli import options, output, words
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json, Membrane, Plan, given

if TYPE_CHECKING:
    from simulation.experiment.features import Features
    from simulation.experiment.recording import Recording
    from simulation.experiment.rest import Rest

_SHOWN_SPIKES = 8
_NAMES = {"max_dV_dt": "max dV/dt", "max_V": "max V", "end_V": "end V"}


def register(app: typer.Typer) -> None:
    app.command("run")(run)


@given(membrane=options.subject, plan=options.plan, solver=options.solver_choice)
def run(
    membrane: Any,
    plan: Plan,
    solver: dict[str, Any],
    out: options.DataFile = None,
    figure: options.FigureFile = None,
    size: options.Size = "slide",
    control: options.Control = True,
    json: Json = False,
) -> None:
    """Stimulate a membrane, or drive a motor unit, and say what it does.

    The run starts at rest in the bath given. Events may be repeated and combined; stimuli that overlap add up.
    Times are in ms unless they say s, currents in uA/cm2 (node, axon: pA); @10 is the start, 10 ms if it is left out.

    \b
    Examples:
      cramplab run fibre --pulse 0.5ms:300@10
      cramplab run fibre --bath K=2.5 --step 200ms:70@10 --figure run.svg
      cramplab run fibre --train 30Hz:1s:300 --bath-change K=8@500 --out run.nc
      cramplab run squid --clamp 20ms:0@10 --duration 40ms --out clamp.csv
      cramplab run fibre_hypopp --bath K=2 --duration 2s        just watch
      cramplab run muscle --train 20Hz:1s:400

    \b
    A motor unit: axon, junction, muscle fibre, each in a bath of its own
    (--bath Ca=0.7 is for all of them):
      cramplab run motor_unit --drive 20Hz:2s@0.5s --figure strip.svg
      cramplab run motor_unit --axon axon_rhythmic --bath Ca=0.7 --duration 3s
      cramplab run motor_unit --drive 5Hz..40Hz:2s --set muscle:caffeine=10
      cramplab run motor_unit --drive 25Hz:4s@0.5s --drive stretch:1s@2s

    \b
    A protocol file says the same in TOML:
      duration = 300
      [[event]]
      kind = "pulse"      # or step, train, ramp, noise, clamp, bath
      amplitude = 300
      duration = 0.5
      at = 10"""
    from simulation.experiment.rest import find_rest
    from simulation.experiment.solve import Solver
    from simulation.experiment.solve import run as solve

    if not isinstance(membrane, Membrane):
        from simulation.cli import motor_unit

        motor_unit.perform(membrane, plan, solver, out, figure, size, control, json)
        return
    if not plan:
        raise WrongUse(
            "say what is done to the membrane: --pulse 0.5ms:300@10, --step, --train, --ramp, --noise, --clamp, --bath-change or "
            "--protocol FILE, or --duration 300ms to just watch; where it rests says: cramplab rest"
        )
    options.check_files("a run", out, figure, size)
    chosen = Solver(**solver)
    protocol = plan.protocol(membrane.here)
    rest = find_rest(membrane.here)
    recording = solve(membrane.here, protocol, solver=chosen, start=rest.at().state)
    written = _write(recording, membrane.control_run(recording) if figure is not None and control else None, out, figure, size)
    if json:
        output.as_json({
            **membrane.facts(), "protocol": protocol.to_dict(), **recording.features.to_dict(), **_force(recording), "files": written,
        })
    else:
        _print(membrane, rest, recording, written)


def _write(recording: Recording, control: Recording | None, out: Path | None, figure: Path | None, size: str) -> list[Path]:
    written = []
    if out is not None:
        with output.saving(out):
            written.append(recording.save(out))
    if figure is not None:
        from simulation import figures

        written += figures.save(figures.traces(recording, control=control, size=size), figure)
    return written


def _print(membrane: Membrane, rest: Rest, recording: Recording, written: list[Path]) -> None:
    f = recording.features
    first, *others = words.protocol(recording.protocol.to_dict(), recording.preparation.bound.current_unit)
    output.say(*membrane.heading(), f"Done to it: {'; '.join([first, *others])}", "")
    output.say(*sentences(rest, recording), style="bold")
    output.say("")
    output.table([*_rows(f), *_force_rows(recording)], right=(1,))
    if written:
        output.say("", *(f"Saved: {path}" for path in written))


def _force(recording: Recording) -> dict[str, float | None]:
    """Of a membrane that contracts: peak of force, its time after the first stimulus, and half relaxation."""
    if "force" not in recording.symbols:
        return {}
    import numpy as np

    from simulation.experiment.cramp import relaxation, smooth

    t, force = smooth(recording.t, recording["force"])
    peak = int(force.argmax())
    return {
        "peak_force": float(force[peak]), "time_to_peak": float(t[peak] - (recording.protocol.stimulus_start or 0.0)),
        "half_relaxation": relaxation(t, force, np.array(recording.features.spike_times)), "resting_force": float(force[0]),
    }


def _force_rows(recording: Recording) -> list[list[str]]:
    of = _force(recording)
    if not of:
        return []
    rows = [["peak force", words.quantity(of["peak_force"], "", 3), "as a share of that of full calcium"]]
    if (of["peak_force"] or 0.0) > (of["resting_force"] or 0.0) + 1e-3:
        rows += [
            ["time to peak force", words.quantity(of["time_to_peak"], "ms", 3), "after the stimulus began"],
            ["half relaxation", words.quantity(of["half_relaxation"], "ms", 3), "from the last peak of force to half of it"],
        ]
    return rows


def sentences(rest: Rest, recording: Recording) -> list[str]:
    """What happened, in words."""
    f = recording.features
    out = []
    if not rest.at().stable:
        out.append(f"It starts from an unstable balance at {words.quantity(f.rest, 'mV')}: there is no stable rest in this bath.")
    if f.spikes == 0:
        out.append(f"It does not fire: the potential goes from {words.quantity(f.rest, 'mV')} up to {words.quantity(f.max_V, 'mV')}.")
        return out
    after = f", {words.quantity(f.latency, 'ms', 3)} after the stimulus began" if f.latency is not None else ""
    first = words.quantity(f.spike_times[0], "ms")
    out.append(f"It fires one spike at {first}{after}." if f.spikes == 1 else f"It fires {f.spikes} spikes, the first at {first}{after}.")
    if f.spikes > 1:
        times = ", ".join(f"{t:.1f}" for t in f.spike_times[:_SHOWN_SPIKES])
        out.append(f"Spikes at {times} ms{f' and {f.spikes - _SHOWN_SPIKES} more' if f.spikes > _SHOWN_SPIKES else ''}.")
    if f.after_discharge:
        out.append(
            f"It goes on firing when the stimulus is over: {words.count(f.after_discharge, 'spike')}, "
            f"the last {words.duration(f.after_discharge_duration or 0.0)} after its end."
        )
    if f.depolarisation_block:
        out.append("Then it stays depolarised and falls silent (depolarisation block).")
    return out


def _rows(f: Features) -> list[list[str]]:
    """Name, value and meaning of what was measured."""
    from simulation.experiment.features import TEXTS, UNITS

    left_out = {"spikes", "spike_times", "depolarisation_block"} | (set() if f.after_discharge else {"after_discharge", "after_discharge_duration"})
    return [
        [_NAMES.get(name, name.replace("_", " ")), words.quantity(value, UNITS[name]), TEXTS[name]]
        for name, value in f.to_dict().items() if value is not None and name not in left_out
    ]
