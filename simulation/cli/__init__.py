"""The command line: one file a command."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from simulation.cli import output
from simulation.cli.errors import SPOILT, STOPPED, Stopped, explain, in_debug_mode

# A command is a module in this folder with a function ``register(app)``; the order here is that of the help.
COMMANDS = (
    "models", "equations", "parameters", "rest", "continue", "shift", "run", "sweep", "regimes", "population", "sensitivity", "fit",
    "excitability", "conduction", "panel", "conditions", "course", "figure", "figures", "explore", "notebooks", "validate", "claims", "overview",
    "why",
)


def build() -> typer.Typer:
    """The application with every command."""
    # Typer's boxed help needs the whole of rich, twice the time of all else; plain help is also safe in every terminal.
    app = typer.Typer(name="cramplab", rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(_about)
    for name in COMMANDS:
        importlib.import_module(f"simulation.cli.{name}").register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"cramplab {version('cramplab')}")
        raise typer.Exit


def _about(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """What potassium, calcium and magnesium around nerve and muscle do to their membranes.

    \b
    Where a muscle fibre rests in low potassium:
      cramplab rest fibre --bath K=2.5
    What one stimulus does to it, as a figure:
      cramplab run fibre --bath K=2.5 --pulse 0.5ms:300@10 --figure run.svg
    Rest and rheobase over a range of potassium:
      cramplab sweep fibre --over K=1:8:15 --measure rest,rheobase --out map.nc

    Every command has --help with examples, and --json for programs. It teaches; it gives no advice on a patient."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code: 0 done, 1 the model said no, 2 wrong use, 70 a bug, 130 stopped by Ctrl-C."""
    if args is not None:
        return _run(args)
    output.settle()
    code = _run(sys.argv[1:])
    if code == STOPPED:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # impatient fingers: the rest is only clearing up
    return code


def _run(args: Sequence[str]) -> int:
    try:
        code = _command().main(list(args) or ["--help"], "cramplab", standalone_mode=False)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error)
    except SystemExit as left:  # so Typer answers a reader that went away, and a shell that asks for completions
        if isinstance(left.__context__, OSError):
            return _failed(left.__context__)
        raise
    if code == STOPPED:  # Typer's way to say Ctrl-C
        return _failed(Stopped())
    return code if isinstance(code, int) else 0


def _command() -> Any:
    command: Any = typer.main.get_command(build())
    command.commands = {name: command.commands[name] for name in COMMANDS}  # Typer puts groups last
    for option in command.params:
        option.hidden = option.hidden or "completion" in option.name
    return command


def _failed(error: BaseException) -> int:
    if isinstance(error, OSError) and _reader_went_away(error):
        output.silence()
        return 0
    message, code = explain(error)
    try:
        sys.stdout.flush()
    except OSError:
        output.silence()  # or Python tries once more to write, and complains again
    if message:
        output.complain(message)
    if code == SPOILT and in_debug_mode():
        import traceback

        traceback.print_exception(error)
    return code


def _reader_went_away(error: OSError) -> bool:
    """Whether standard output was closed by its reader, as in ``cramplab equations fibre | head``."""
    return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL and error.filename is None)
