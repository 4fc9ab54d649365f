"""cramplab notebooks: the course, laid into a folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.cli import output, words
from simulation.cli.errors import WrongUse
from simulation.cli.options import Json

if TYPE_CHECKING:
    from simulation.classroom.notebooks import Laid


def register(app: typer.Typer) -> None:
    app.command("notebooks")(notebooks)


def notebooks(
    to: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; made if it is not there.", show_default=False)],
    solutions: Annotated[bool, typer.Option("--solutions", help="For lecturers: the copies with answers too, in FOLDER/solutions.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Renew notebooks that you worked in; yours are kept as NAME.mine-1.ipynb.")] = False,
    json: Json = False,
) -> None:
    """Put the notebooks of the course into a folder of yours.

    Notebooks that you worked in are never overwritten: without --force nothing
    is written then, and you are told which they are.

    \b
    Examples:
      cramplab notebooks course
      cramplab notebooks course --solutions
      cramplab notebooks course --force"""
    from simulation.classroom import notebooks as course

    if to.exists() and not to.is_dir():
        raise WrongUse(f"cannot write notebooks into {to}: that is a file, not a folder")
    laid = course.lay(to, solutions=solutions, force=force)
    if json:
        output.as_json({"folder": to, "notebooks": [{"file": x.path, "how": x.how, "backup": x.backup} for x in laid]})
        return
    _report(to, laid)


def _report(to: Path, laid: list[Laid]) -> None:
    output.table([f"  {x.path.relative_to(to).as_posix()}", x.how, f"yours is now {x.backup.name}" if x.backup else ""] for x in laid)
    output.say("", f"{words.count(len(laid), 'notebook')} in {to}. To begin: jupyter lab {to}")
    if importlib.util.find_spec("jupyterlab") is None:
        output.warn('JupyterLab is not installed here: pip install "cramplab[notebooks]"')
