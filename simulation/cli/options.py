"""Options that several commands share, each declared once, and what they are turned into."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation.cli import output, quantities, words
from simulation.cli.errors import WrongUse

if TYPE_CHECKING:
    from simulation.experiment.preparation import Preparation
    from simulation.experiment.protocol import Protocol, Stimulus
    from simulation.experiment.recording import Recording
    from simulation.parameter_sets import ParameterSet

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model (fibre, squid), a parameter set (fibre_hypopp) or a file (mine.toml).", show_default=False)
]
FigureFile = Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw it: .svg, .pdf or .png.", show_default=False)]
DataFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Keep the result: .nc (to draw later) or .csv (for a spreadsheet).")]
Texts = list[str] | None


def given(**makers: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose argument ``name`` is what ``makers[name]`` makes of its own options.

    The options of a maker are its arguments, so they are declared in one place; in the command's help they stand where its
    signature has ``name``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        wanted = {name: list(inspect.signature(maker, eval_str=True).parameters.values()) for name, maker in makers.items()}
        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [p.replace(kind=p.KEYWORD_ONLY) for argument in own for p in wanted.get(argument.name, [argument])]

        def with_options(**values: Any) -> None:
            made = {name: makers[name](**{p.name: values.pop(p.name) for p in group}) for name, group in wanted.items()}
            command(**made, **values)

        with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
        with_options.__annotations__ = {p.name: p.annotation for p in parameters}
        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return with_options

    return decorate


# ---- the membrane

@dataclass(frozen=True)
class Membrane:
    """What was asked for, the same set untouched (``origin``), and the name or file by which the set was asked for."""

    here: Preparation
    origin: ParameterSet
    named: str = ""

    @property
    def control(self) -> Preparation | None:
        """The untouched membrane in its control bath; None if that is what was asked for."""
        from simulation.experiment.bath import Bath

        p = self.here
        if not (p.bath or p.parameters.changed or p.frozen or p.mode != "chronic"):
            return None
        return replace(p, parameters=self.origin, bath=Bath(), mode="chronic", frozen=())

    def control_run(self, recording: Recording) -> Recording | None:
        """The same experiment on the untouched membrane, without changes of bath; None if it would be the same, or cannot be done."""
        from simulation.experiment.errors import ModelSaysNo
        from simulation.experiment.protocol import BathChange
        from simulation.experiment.solve import run

        protocol = recording.protocol
        events = tuple(e for e in protocol.events if not isinstance(e, BathChange))
        if self.control is None and len(events) == len(protocol.events):
            return None
        try:
            return run(self.control or self.here, replace(protocol, events=events), solver=recording.solver)
        except ModelSaysNo as error:
            output.warn(f"the figure is without control: {error}")
            return None

    def facts(self) -> dict[str, Any]:
        """What every result says about it."""
        p = self.here
        return {
            "model": p.bound.name,
            "parameter_set": p.parameters.name,
            "bath": p.whole_bath,
            "changed": dict(p.parameters.changed),
            "mode": p.mode,
            "frozen": list(p.frozen),
        }

    def heading(self) -> list[str]:
        """The same for people."""
        p = self.here
        given = dict(p.bath)
        rest = {name: value for name, value in p.whole_bath.items() if name not in given}
        lines = [f"{p.parameters.title} ({p.parameters.name})"]
        if given:
            lines.append(f"Bath: {words.bath(given)}{f'; as in control: {words.bath(rest)}' if rest else ''}")
        else:
            lines.append(f"Bath: control ({words.bath(rest)})")
        lines += [f"{symbol}: {how}" for symbol, how in p.parameters.changed.items()]
        return [*lines, f"Mode: {words.mode(p.mode, p.frozen)}"] if p.mode != "chronic" or p.frozen else lines


def membrane(
    model: Model,
    bath: Annotated[
        Texts,
        typer.Option("--bath", metavar="ION=MM,...", help="What differs from the control bath, in mM: K=2.5,Ca=0.6 (or Ca=9.5mg/dL; T in degC)."),
    ] = None,
    set_: Annotated[
        Texts, typer.Option("--set", metavar="SYMBOL=VALUE", help="Another value for a parameter, in the unit of its file: T=22. Repeat for more.")
    ] = None,
    scale: Annotated[
        Texts, typer.Option("--scale", metavar="SYMBOL=FACTOR", help="Multiply a parameter: P_Kir=0.5 halves it. Repeat for more.")
    ] = None,
    freeze: Annotated[
        Texts, typer.Option("--freeze", metavar="STORE", help="Hold the ions of a store (tubule, myoplasm, or ions for all) as in control.")
    ] = None,
    chronic: Annotated[bool, typer.Option("--chronic", help="Everything has come to rest in this bath (this is the default).")] = False,
    acute: Annotated[bool, typer.Option("--acute", help="The bath has just changed: slow gates and inner ions are as in control.")] = False,
) -> Membrane:
    """The membrane that the options describe. Raises what ``prepare`` raises, and WrongUse."""
    from simulation.experiment.preparation import prepare

    if chronic and acute:
        raise WrongUse("--chronic and --acute exclude each other; leave one out (without either it is chronic)")
    known_model(model)
    untouched = prepare(model)

    def value_of(symbol: str, text: str) -> float:
        return _value(untouched, symbol, text)

    p = prepare(
        model, ",".join(bath or []), set=quantities.pairs(set_ or [], "--set", value_of),
        scale=quantities.pairs(scale or [], "--scale", _factor), freeze=tuple(parts(freeze)), mode="acute" if acute else "chronic",
    )
    _possible(p)
    for sentence in p.parameters.implausible():
        output.warn(sentence)
    return Membrane(p, untouched.parameters, model)


def subject(**values: Any) -> Any:
    """A membrane, or, for the name motor_unit, a whole motor unit. Raises what ``membrane`` raises, and WrongUse."""
    from simulation.cli import motor_unit

    of_unit = {name: values.pop(name) for name in ("drive", "axon", "junction", "muscle")}
    if values["model"] != motor_unit.NAME:
        for name, value in of_unit.items():
            if value:
                raise WrongUse(f"--{name} belongs to a motor unit: cramplab run motor_unit --{name} {value if isinstance(value, str) else value[0]}")
        return membrane(**values)
    if values["freeze"] or values["acute"]:
        raise WrongUse("--freeze and --acute are for one membrane, not for a motor unit")
    return motor_unit.asked(values["bath"] or [], values["set_"] or [], values["scale"] or [], of_unit.pop("drive") or [], **of_unit)


def _unit_options(
    drive: Annotated[
        Texts, typer.Option("--drive", metavar="HZ:S[@S]", help="Motor unit: its drive. RATE:DURATION[@START] as 20Hz:2s@0.5s, a ramp 5Hz..40Hz:2s, "
                            "noise:DURATION:SD[:SEED] (SD in rheobases), stretch:DURATION@START, or none. Repeat for more.")
    ] = None,
    axon: Annotated[str | None, typer.Option("--axon", metavar="SET", help="Motor unit: axon (default), axon_rhythmic ...")] = None,
    junction: Annotated[str | None, typer.Option("--junction", metavar="SET", help="Motor unit: junction (default) or junction_frog.")] = None,
    muscle: Annotated[
        str | None, typer.Option("--muscle", metavar="SET", help="Motor unit: muscle (default), muscle_slow, muscle_in_situ ...")
    ] = None,
) -> None:
    """Options of a motor unit alone."""


subject.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [p.replace(kind=p.KEYWORD_ONLY) for f in (membrane, _unit_options) for p in inspect.signature(f, eval_str=True).parameters.values()]
)


def known_model(name: str) -> None:
    """Complain about a name that is neither a model nor a parameter set nor a file. Raises ModelError."""
    from simulation import models, parameter_sets
    from simulation.assembly.errors import ModelError, nearest

    sets = [s for s in parameter_sets.available() if s not in models.names()]
    if name.endswith(".toml") or name in (*models.names(), *models.others(), *sets):  # of others, prepare says that they are no membranes
        return
    raise ModelError(
        f"there is no model '{name}'{nearest(name, [*models.names(), *sets])}; models: {', '.join(models.names())}; "
        f"parameter sets: {', '.join(sets)}; or the path of a .toml file"
    )


def parts(texts: Texts) -> list[str]:
    """What was given in lists with commas, by one or by several options."""
    return [part.strip() for text in texts or [] for part in text.split(",") if part.strip()]


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise WrongUse(f"{where}: '{text}' is not a number, for example 0.5") from None


def _factor(symbol: str, text: str) -> float:
    return _number(text, f"--scale {symbol}")


def _value(p: Preparation, symbol: str, text: str) -> float:
    """A number, with or without the unit that the parameter has."""
    unit = p.parameters[symbol].unit
    stripped = text.removesuffix(unit) if unit != "1" else text
    try:
        return float(stripped)
    except ValueError:
        wanted = "a number" if unit == "1" else f"a number in {unit}"
        raise WrongUse(f"--set {symbol}: '{text}' is not {wanted}; in control it is {p.parameters[symbol].value:g}") from None


def _possible(p: Preparation) -> None:
    """Complain about bath concentrations that were set as parameters and cannot be."""
    from simulation.experiment.bath import check

    for name, symbol in p.bound.model.bath.items():
        if symbol in p.parameters.changed and math.isfinite(p.parameters[symbol].value):
            check(name, p.parameters[symbol].value, stated=True)


# ---- what is done to it

@dataclass(frozen=True)
class Plan:
    """Events as they were asked for. ``changes``: of bath, as (ions, start in ms). ``duration``: of the run, ms."""

    stimuli: tuple[Any, ...]
    changes: tuple[tuple[Mapping[str, float], float], ...]
    file: Path | None
    duration: float | None

    def __bool__(self) -> bool:
        return bool(self.stimuli or self.changes or self.file is not None or self.duration is not None)

    def protocol(self, p: Preparation) -> Protocol:
        """The protocol of a run of ``p``. A change of bath leaves alone what it does not name."""
        from simulation.experiment.bath import Bath
        from simulation.experiment.protocol import BathChange, protocol, read

        written = read(self.file) if self.file is not None else None
        events: list[Stimulus | Any] = [*(written.events if written else ()), *self.stimuli]
        ions = dict(p.bath)
        for change, at in sorted(self.changes, key=lambda c: c[1]):
            ions |= change
            events.append(BathChange(Bath.stated(ions), at))
        duration = self.duration
        if duration is None and written is not None:
            duration = max(written.duration, protocol(*events).duration) if self.stimuli or self.changes else written.duration
        out = protocol(*events, duration=duration)
        for event in out.events:
            if isinstance(event, BathChange):
                replace(p, bath=event.bath)  # complains about an ion that this bath does not have
        return out


def _event(form: quantities.Form, metavar: str, text: str) -> Any:
    return typer.Option(form.option, metavar=metavar, help=f"{text}: {form.pattern}, as {form.example}.")


def plan(
    pulse: Annotated[Texts, _event(quantities.PULSE, "MS:UA[@MS]", "A short current pulse")] = None,
    step: Annotated[Texts, _event(quantities.STEP, "MS:UA[@MS]", "A long current step")] = None,
    train: Annotated[Texts, _event(quantities.TRAIN, "HZ:S:UA[@MS]", "Pulses at a rate, each 0.5 ms wide if not said")] = None,
    ramp: Annotated[Texts, _event(quantities.RAMP, "MS:UA:UA[@MS]", "A current that rises or falls")] = None,
    noise: Annotated[Texts, _event(quantities.NOISE, "MS:SD[@MS]", "A random current, the same again for the same seed")] = None,
    clamp: Annotated[Texts, _event(quantities.CLAMP, "MS:MV[@MS]", "Voltage clamp")] = None,
    bath_change: Annotated[
        Texts, typer.Option("--bath-change", metavar="ION=MM@MS", help="Another bath from some time on: K=8@100. What it does not name stays.")
    ] = None,
    protocol: Annotated[Path | None, typer.Option("--protocol", metavar="FILE", help="Events from a TOML file.")] = None,
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="MS", help="How long the run lasts: 300ms, 2s. Default: 20 ms beyond the last event.")
    ] = None,
) -> Plan:
    """The events that the options describe. Raises WrongUse, ExperimentError."""
    readers: Sequence[tuple[Texts, Callable[[str], Any]]] = (
        (pulse, quantities.pulse), (step, quantities.step), (train, quantities.train), (ramp, quantities.ramp),
        (noise, quantities.noise), (clamp, quantities.clamp),
    )
    stimuli = tuple(reader(text) for texts, reader in readers for text in texts or [])
    changes = tuple(quantities.bath_change(text) for text in bath_change or [])
    return Plan(stimuli, changes, protocol, None if duration is None else quantities.milliseconds(duration, "--duration"))


def solver_choice(
    solver: Annotated[str | None, typer.Option("--solver", metavar="NAME", help="LSODA (default), BDF, Radau, RK45 or DOP853.")] = None,
    rtol: Annotated[float | None, typer.Option("--rtol", metavar="NUMBER", help="Relative tolerance of the solver.")] = None,
) -> dict[str, Any]:
    """What was said about the solver, as arguments of Solver."""
    return ({"method": solver} if solver is not None else {}) | ({"rtol": rtol} if rtol is not None else {})


# ---- how a figure looks

Size = Annotated[str, typer.Option("--size", metavar="slide|half|column", help="Where the figure goes: a slide, half of one, or a column of a page.")]
Theme = Annotated[str, typer.Option("--theme", metavar="light|dark", help="What paper it is for.")]
Control = Annotated[bool, typer.Option("--control/--no-control", help="Draw a run of the untouched membrane in grey behind.")]


def check_files(what: str, out: Path | None, figure: Path | None, size: str, endings: Sequence[str] = output.DATA) -> None:
    """Raises WrongUse or FigureError before any work is done. ``what``: is kept in ``out``, for the message."""
    for path, allowed, named in ((out, endings, what), (figure, output.FIGURES, "a figure")):
        if path is not None:
            output.destination(path, allowed, named)
    if figure is not None:
        check_size(size)


def check_size(size: str) -> None:
    """Raises FigureError before any work is done."""
    from simulation.figures.style import size_of

    size_of(size)
