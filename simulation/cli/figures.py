"""cramplab figures: the lecture figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.cli import output, words
from simulation.cli.errors import WrongUse
from simulation.cli.figure import FORMATS
from simulation.cli.options import Json, Texts, parts

if TYPE_CHECKING:
    from simulation.gallery.lecture import Film, LectureFigure
    from simulation.gallery.printing import Printed


def register(app: typer.Typer) -> None:
    app.command("figures")(figures)


def figures(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which. Default: all of them.", show_default=False)] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where to; made if it is not there.")] = Path("figures"),
    size: Annotated[Texts, typer.Option("--size", metavar="slide,half,column", help="Default: slide and column (of print).")] = None,
    theme: Annotated[Texts, typer.Option("--theme", metavar="light,dark", help="On white or dark paper. Default: both.")] = None,
    format_: Annotated[Texts, typer.Option("--format", metavar="svg,pdf,png,gif,mp4", help="Default: all that can be written here.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Only say which figures there are and what each is shown for.")] = False,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    json: Json = False,
) -> None:
    """Make the figures for lectures, and three films.

    They go into FOLDER/slide-light, FOLDER/slide-dark and so on. A figure that
    was made there before and comes out otherwise is reported with the numbers
    that changed. FOLDER/index.html shows them all.

    \b
    Examples:
      cramplab figures --list
      cramplab figures
      cramplab figures two-rests recovery-cycle --size slide --theme dark
      cramplab figures running-spike --format gif --out talk"""
    from simulation.gallery import catalogue, printing

    chosen = catalogue.chosen(names or [])
    if list_:
        _list(chosen, json)
        return
    sizes, themes, formats = _kinds(size, theme, format_)
    _can_be_made(chosen, formats, asked=bool(format_))
    if out.exists() and not out.is_dir():
        raise WrongUse(f"cannot write figures into {out}: that is a file, not a folder")
    printing.read_index(out)  # a broken one is refused before any work is done
    started = time.perf_counter()
    made = []
    for one in printing.printed(chosen, out, sizes, themes, formats, jobs):
        made.append(one)
        if not json:
            print(f"{len(made)} of {len(chosen)}: {one.figure.name}", file=sys.stderr, flush=True)
    page = printing.write_page(out, catalogue.figures())
    if json:
        output.as_json({"folder": out, "page": page, "figures": [
            {"name": x.figure.name, "title": x.figure.title, "teaches": x.figure.teaches, "alt": x.alt, "numbers": x.numbers, "how": x.how,
             "changes": {k: {"before": a, "now": b} for k, (a, b) in x.changes.items()}, "files": x.files}
            for x in made
        ]})
        return
    _report(made, out, page, time.perf_counter() - started)


def _kinds(size: Texts, theme: Texts, format_: Texts) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    from simulation.figures import SIZES, THEMES, animation

    here = [form for form in (*FORMATS, *animation.FORMATS) if form != "mp4" or animation.has_ffmpeg()]
    return (
        _of("size", size, tuple(SIZES)) or ("slide", "column"), _of("theme", theme, THEMES) or THEMES,
        _of("format", format_, (*FORMATS, *animation.FORMATS)) or here,
    )


def _can_be_made(chosen: Sequence[LectureFigure | Film], formats: Sequence[str], asked: bool) -> None:
    """Raises WrongUse or FigureError before any work is done."""
    from simulation.figures import animation
    from simulation.gallery.lecture import Film

    if asked and "mp4" in formats:
        animation.need_ffmpeg()
    if not set(formats) & set(FORMATS):
        still = [figure.name for figure in chosen if not isinstance(figure, Film)]
        if still:
            raise WrongUse(f"{still[0]} does not move: it is written as {', '.join(FORMATS)}; .gif and .mp4 are for films")


def _of(what: str, asked: Texts, known: Sequence[str]) -> list[str]:
    """What was asked for, each once. Raises WrongUse for what is not known."""
    from simulation.assembly.errors import nearest

    names = list(dict.fromkeys(parts(asked)))
    for name in names:
        if name not in known:
            raise WrongUse(f"there is no {what} '{name}'{nearest(name, known)}; {what}s: {', '.join(known)}")
    return names


def _list(chosen: Sequence[LectureFigure | Film], json: bool) -> None:
    if json:
        output.as_json({"figures": [{"name": f.name, "title": f.title, "teaches": f.teaches} for f in chosen]})
        return
    output.table([[f.name, f.teaches] for f in chosen], head=["figure", "is shown for"])


def _report(made: list[Printed], out: Path, page: Path | None, seconds: float) -> None:
    for one in made:
        if one.how == "changed":
            output.say(f"{one.figure.name} has changed:", style="bold")
            output.say(*(output.wrapped(f"{name}: {_number(before)} -> {_number(now)}", first="  ", indent="    ")
                         for name, (before, now) in one.changes.items()))
    counts = {how: sum(one.how == how for one in made) for how in ("new", "changed", "unchanged")}
    told = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
    output.say(f"{words.count(len(made), 'figure')} in {out} ({told}), {words.count(sum(len(one.files) for one in made), 'file')}, "
               f"after {words.duration(1000 * seconds)}.")
    if page is not None:
        output.say(f"To look through them: {page}")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"
