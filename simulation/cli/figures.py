"""cramplab figures: the lecture figures, in every size and format, on light and dark paper."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulation import files
from simulation.cli import options, output, words
from simulation.cli.errors import Stopped, WrongUse
from simulation.cli.options import Json, Texts

if TYPE_CHECKING:
    from simulation.gallery.folder import Change, Made, Wanted


def register(app: typer.Typer) -> None:
    app.command("figures")(figures)


def figures(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Which figures; all if none is named.", show_default=False)] = None,
    list_: Annotated[bool, typer.Option("--list", help="Say what there is, and make nothing.")] = False,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the figures go.")] = Path("figures"),
    size: Annotated[Texts, typer.Option("--size", metavar="slide,half,column", help="Default: slide,column.")] = None,
    theme: Annotated[Texts, typer.Option("--theme", metavar="light,dark", help="What paper they are for. Default: both.")] = None,
    format_: Annotated[Texts, typer.Option("--format", metavar="svg,pdf,png", help="Default: all three.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", help="Processes that share the work.", min=1)] = 2,
    json: Json = False,
) -> None:
    """Make the lecture figures, for slides and for notes.

    Each is computed, drawn in every size, theme and format, and kept with the numbers that it rests on in
    FOLDER/figures.json; FOLDER/index.html shows them all. Made again, what has changed is said number by number. What
    made a file: cramplab why FILE. All of them take some minutes.

    \b
    Examples:
      cramplab figures
      cramplab figures --list
      cramplab figures two-rests strength-duration --theme dark --format png
      cramplab figures --size slide --format svg --out slides"""
    from simulation.gallery import catalogue, folder

    known = catalogue.figures()
    chosen = [catalogue.figure(name) for name in dict.fromkeys(names or known)]
    before = folder.read_index(out)
    if list_:
        _list(chosen, before, json)
        return
    wanted = _wanted(size, theme, format_)
    output.destination(out / folder.INDEX, [".json"], "the index of the figures")
    made: list[tuple[Made, list[Change] | None]] = []
    try:
        with files.alone(out / folder.INDEX), _following(len(chosen)) as follow, closing(folder.make_all(chosen, out, wanted, jobs)) as finished:
            before = folder.read_index(out)
            kept = dict(before)
            for one in finished:
                old = before.get(one.name)
                changes = folder.changes(old["numbers"], one.numbers) if old is not None else None
                kept[one.name] = folder.entry(one, old)
                folder.write_index(out, kept, list(known))
                made.append((one, changes))
                follow(one)
    except KeyboardInterrupt:
        raise Stopped(f"Stopped; {words.count(len(made), 'figure')} of {len(chosen)} made, and kept in {out}.") from None
    place = {f.name: i for i, f in enumerate(chosen)}
    made.sort(key=lambda each: place[each[0].name])
    if json:
        output.as_json({"folder": out, "figures": [_facts(one, changes, out) for one, changes in made]})
        return
    output.say(*(verdict(one.name, changes) for one, changes in made))
    count = sum(len(one.files) for one, _ in made)
    output.say("", f"{words.count(len(made), 'figure')}, {words.count(count, 'file')} in {out}; all of them on one page: {out / folder.PAGE}")


def _wanted(size: Texts, theme: Texts, format_: Texts) -> Wanted:
    """What was asked for. Raises FigureError or WrongUse with the nearest names before any work is done."""
    from simulation.assembly.errors import nearest
    from simulation.figures.dark import known_theme
    from simulation.gallery.folder import FORMATS, SIZES, THEMES, Wanted

    sizes, themes = options.parts(size) or SIZES, options.parts(theme) or THEMES
    formats = [f.lower().removeprefix(".") for f in options.parts(format_)] or FORMATS
    for one in sizes:
        options.check_size(one)
    for one in themes:
        known_theme(one)
    for one in formats:
        if one not in FORMATS:
            raise WrongUse(f"a figure is written as {', '.join(FORMATS)}, not as '{one}'{nearest(one, FORMATS)}")
    return Wanted(*(tuple(dict.fromkeys(each)) for each in (sizes, themes, formats)))


def _list(chosen: Sequence[Any], before: Mapping[str, Mapping[str, Any]], json: bool) -> None:
    if json:
        output.as_json([
            {"name": f.name, "title": f.title, "teaches": f.teaches, "seconds": before.get(f.name, {}).get("seconds")} for f in chosen
        ])
        return
    rows = [[f.name, f.teaches, f"{before[f.name]['seconds']:.0f} s" if f.name in before else ""] for f in chosen]
    output.table(rows, head=("figure", "what it teaches", "took"), right=(2,))
    output.say("", f"{words.count(len(chosen), 'figure')}. To make some: cramplab figures NAME NAME; all of them: cramplab figures.")


def verdict(name: str, changes: Sequence[Change] | None) -> str:
    """Whether a figure is new, unchanged or changed, and then in which numbers."""
    if changes is None:
        return f"{name}: new"
    if not changes:
        return f"{name}: unchanged"
    return f"{name} changed: {'; '.join(_change(c) for c in changes)}"


def _change(change: Change) -> str:
    """'rheobase at K 2.5 mM 12.3 -> 13.1 uA/cm2'."""
    what, bracket, unit = change.what.rpartition(" (")
    what, unit = (what, f" {unit.removesuffix(')')}") if bracket and unit.endswith(")") else (change.what, "")
    unit = "" if unit == " 1" else unit
    return f"{what} {_number(change.old)} -> {_number(change.new)}{unit}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"


def _facts(one: Made, changes: Sequence[Change] | None, out: Path) -> dict[str, Any]:
    state = "new" if changes is None else "changed" if changes else "unchanged"
    return {
        "name": one.name, "title": one.title, "teaches": one.teaches, "alt": one.alt, "state": state, "numbers": one.numbers,
        "changes": [vars(c) for c in changes or []], "files": [out / f for f in one.files], "seconds": one.seconds,
    }


@contextmanager
def _following(total: int) -> Iterator[Callable[[Made], None]]:
    """What tells on standard error which figures are finished: a bar on a terminal, a line for each elsewhere."""
    if not sys.stderr.isatty():
        done = 0

        def name_it(one: Made) -> None:
            nonlocal done
            done += 1
            print(f"{done} of {total}: {one.name}, {words.duration(1000 * one.seconds)}", file=sys.stderr, flush=True)

        yield name_it
        return
    from rich.progress import Progress as Bars

    with Bars(console=output.console(stderr=True), transient=True) as bars:
        task = bars.add_task("figures", total=total)

        def advance(one: Made) -> None:
            bars.update(task, advance=1, description=one.name)

        yield advance
