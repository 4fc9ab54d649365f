"""cramplab run motor_unit: from the spinal cord's drive to force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulation.cli import options, output, quantities, words
from simulation.cli.errors import WrongUse
from simulation.models.motor_unit import STAGES, motor_unit

if TYPE_CHECKING:
    from simulation.experiment.cramp import Cramp
    from simulation.experiment.motor_unit import Drive, MotorUnit, UnitRun

NAME = motor_unit.name
_ROWS = ("peak_force", "half_relaxation", "fusion", "involuntary_force", "involuntary_peak", "involuntary_spikes", "active_share")


@dataclass(frozen=True)
class UnitAsked:
    """A motor unit and its drive as they were asked for, and the same sets untouched in their control baths."""

    here: MotorUnit
    origin: MotorUnit
    drive: Drive

    @property
    def changed(self) -> bool:
        return self.here.describe() != self.origin.describe()


def asked(
    bath: Sequence[str], set_: Sequence[str], scale: Sequence[str], drive: Sequence[str], axon: str | None, junction: str | None, muscle: str | None,
) -> UnitAsked:
    """The unit that the options describe. Raises WrongUse and what ``unit`` raises."""
    from simulation.experiment import motor_unit as units
    from simulation.experiment.junction import BATH
    from simulation.experiment.junction import junction as junction_of
    from simulation.experiment.preparation import prepare

    changes = {option: _by_stage(texts, option) for option, texts in (("--set", set_), ("--scale", scale))}
    sets = {"axon": axon or motor_unit.axon, "junction": junction or motor_unit.junction, "muscle": muscle or motor_unit.muscle}
    untouched: dict[str, Any] = {
        "axon": prepare(sets["axon"]), "junction": junction_of(sets["junction"]), "muscle": prepare(sets["muscle"]),
    }
    here: dict[str, Any] = dict(untouched)
    for stage in STAGES:
        values = quantities.pairs(changes["--set"].get(stage, []), "--set", _number)
        factors = quantities.pairs(changes["--scale"].get(stage, []), "--scale", _number)
        if stage == "junction":
            numbers = here[stage].parameters.with_values(values).scaled(factors)
            here[stage] = type(here[stage])(numbers, here[stage].bath)
        else:
            here[stage] = here[stage].with_values(values).scaled(factors)
        for sentence in here[stage].parameters.implausible():
            output.warn(sentence)
    ions: dict[str, dict[str, float]] = {}
    for text in bath:
        for stage, own, item in _stages(text, "--bath", needed=False):
            from simulation.experiment.bath import parse

            has = BATH if stage == "junction" else here[stage].bound.model.bath
            ions.setdefault(stage, {}).update({k: v for k, v in parse(item).items() if own or k in has})
    return UnitAsked(
        units.unit(here["axon"], here["junction"], here["muscle"], baths=ions),
        units.unit(untouched["axon"], untouched["junction"], untouched["muscle"]), quantities.drive(drive),
    )


def _stages(text: str, option: str, needed: bool) -> list[tuple[str, bool, str]]:
    """'axon:Ca=0.7' as [('axon', True, 'Ca=0.7')]; without a stage what is said holds for all of them."""
    stage, colon, item = text.partition(":")
    if not colon:
        if needed:
            raise WrongUse(f"{option} {text}: say of which stage, as in {option} muscle:{text}; stages: {', '.join(STAGES)}")
        return [(s, False, text) for s in STAGES]
    if stage not in STAGES:
        raise WrongUse(f"{option} {text}: a motor unit has no stage '{stage}'; stages: {', '.join(STAGES)}")
    return [(stage, True, item)]


def _by_stage(texts: Sequence[str], option: str) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for text in texts:
        for stage, _, item in _stages(text, option, needed=True):
            out.setdefault(stage, []).append(item)
    return out


def _number(symbol: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise WrongUse(f"{symbol}: '{text}' is not a number, for example {symbol}=0.5") from None


def perform(
    want: UnitAsked, plan: options.Plan, solver: dict[str, Any], out: Path | None, figure: Path | None, size: str, control: bool, json: bool
) -> None:
    """Run the unit and say what it did."""
    from simulation.experiment import cramp
    from simulation.experiment.motor_unit import run_unit
    from simulation.experiment.solve import Solver

    if plan.stimuli or plan.changes or plan.file is not None:
        raise WrongUse("a motor unit is driven with --drive, as in --drive 20Hz:2s@0.5s; --pulse, --train and the like are for one membrane")
    if not want.drive and plan.duration is None:
        raise WrongUse("say how the unit is driven, as in --drive 20Hz:2s@0.5s, or --duration 3s to watch whether it fires by itself")
    options.check_files("a run of a motor unit", out, figure, size, (".nc",))
    chosen = Solver(**solver) if solver else None
    found = run_unit(want.here, want.drive, plan.duration, solver=chosen)
    measured = cramp.measure(found)
    written = []
    if out is not None:
        from simulation.studies import sweep

        with output.saving(out):
            written.append(sweep.save(found.to_xarray(), out))
    if figure is not None:
        from simulation import figures

        beside = run_unit(want.origin, want.drive, found.duration, solver=chosen) if control and want.changed else None
        written += figures.save(figures.strip(found, control=beside, size=size), figure)
    if json:
        output.as_json({**_facts(found), **measured.to_dict(), "files": written})
        return
    output.say(*_heading(found), "")
    output.say(*_sentences(found, measured), style="bold")
    output.say("")
    output.table(_rows(found, measured), right=(1,))
    if written:
        output.say("", *(f"Saved: {path}" for path in written))


def _release_by_sets(found: UnitRun) -> dict[str, float]:
    """Release in the junction's bath, relative to control, as the sets that disagree have it."""
    from simulation.experiment.junction import junction

    return {name: junction(name, found.unit.junction.bath).release for name in ("junction", "junction_frog")}


def _facts(found: UnitRun) -> dict[str, Any]:
    u = found.unit
    return {
        "model": NAME, "sets": {s: getattr(u, s).parameters.name for s in STAGES}, "bath": {s: getattr(u, s).whole_bath for s in STAGES},
        "changed": {s: dict(getattr(u, s).parameters.changed) for s in STAGES}, "drive": found.drive.to_dict(), "duration": found.duration,
        "solver": found.solver, "safety_factor": u.safety_factor,
        "last_safety_factor": found.safety_factors[-1] if len(found.safety_factors) else None,
        "quantal_content": u.junction.quantal_content, "EPP": u.junction.potential, "release": u.junction.release,
        "release_by_set": _release_by_sets(found), "threshold_depolarisation": u.fibre_threshold.depolarisation,
        "excitable": u.fibre_threshold.excitable, "axon_spike_times": found.axon.spikes, "muscle_spike_times": found.muscle.spikes,
        "peak_Ca_i": float(found.Ca_i.max()),
    }


def _heading(found: UnitRun) -> list[str]:
    lines = [motor_unit.title]
    for stage in STAGES:
        part = getattr(found.unit, stage)
        given = dict(part.bath)
        changed = "; ".join(f"{s} {how}" for s, how in part.parameters.changed.items())
        bath = words.bath(given) if given else "control"
        lines.append(f"{stage.capitalize()}: {part.parameters.name}, bath {bath}{'; ' + changed if changed else ''}")
    return [*lines, f"Drive: {drive_words(found.drive)}; watched for {words.duration(found.duration)}"]


def drive_words(drive: Drive) -> str:
    """A drive in words."""
    said = [
        f"{words.quantity(r.rate)}{f' to {words.quantity(r.end)}' if r.end is not None else ''} Hz for {words.duration(r.duration)} "
        f"from {words.duration(r.at)}" for r in drive.rates
    ]
    said += [
        f"noise of {words.quantity(n.sd)} rheobases for {words.duration(n.duration)} from {words.duration(n.at)} (seed {n.seed})" for n in drive.noise
    ]
    said += [f"stretched for {words.duration(x.duration)} from {words.duration(x.at)}" for x in drive.stretches]
    return "; ".join(said) or "none"


def _sentences(found: UnitRun, c: Cramp) -> list[str]:
    """What happened, in words."""
    by_itself = " by itself" if c.axon_spikes and not found.drive else ""
    out = [f"The axon fires {words.count(c.axon_spikes, 'spike')}{by_itself}, the fibre {words.count(c.muscle_spikes, 'spike')}."
           if c.axon_spikes or c.muscle_spikes else "Neither axon nor fibre fires."]
    u = found.unit
    if not u.fibre_threshold.excitable:
        out.append("The fibre cannot fire in its bath, whatever the junction does.")
    else:
        worn = found.safety_factors
        late = f", {words.quantity(float(worn[-1]), '', 3)} at the last spike" if len(worn) > 1 else ""
        out.append(f"Safety factor of the junction {words.quantity(u.safety_factor, '', 3)}{late}"
                   f"{'; below 1 it is blocked' if u.safety_factor < 1 else ''}.")
    by_set = _release_by_sets(found)
    if abs(by_set["junction"] - by_set["junction_frog"]) > 0.02:
        out.append(f"Release is {100 * by_set['junction']:.0f} % of control with the affinity taken for mammals, "
                   f"{100 * by_set['junction_frog']:.0f} % with the frog's: the two disagree, and what holds in man is not settled.")
    out.append(f"Force reaches {100 * c.peak_force:.3g} % of full force.")
    involuntary = words.quantity(c.involuntary_force, "s", 3)
    out.append({
        "no involuntary force": "No involuntary force.",
        "electrical": f"Involuntary force with electrical activity (an electrical cramp, of nerve or fibre): {involuntary} of full force.",
        "silent": f"Involuntary force without electrical activity (a silent contracture): {involuntary} of full force.",
    }[c.verdict])
    return out


def _rows(found: UnitRun, c: Cramp) -> list[list[str]]:
    from simulation.experiment.cramp import TEXTS, UNITS

    j = found.unit.junction
    rows = [
        ["quantal content", words.quantity(j.quantal_content, "", 3), "quanta of the rested junction"],
        ["end-plate potential", words.quantity(j.potential, "mV"), "of the rested junction"],
        ["peak Ca_i", words.quantity(1000 * float(found.Ca_i.max()), "uM", 3), "highest free calcium of the myoplasm"],
    ]
    return rows + [
        [name.replace("_", " "), words.quantity(c.to_dict()[name], UNITS[name], 3), TEXTS[name]] for name in _ROWS if c.to_dict()[name] is not None
    ]
