"""What is printed, and where: results on standard output, all else on standard error."""

from __future__ import annotations

import codecs
import contextlib
import errno
import json
import math
import os
import re
import shutil
import sys
import textwrap
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulation.cli.errors import WrongUse, in_debug_mode
from simulation.files import FileError

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console
    from rich.table import Table

    from simulation.figures.plate import Plate

WIDTH = 80
DATA, FIGURES = (".nc", ".csv"), (".svg", ".pdf", ".png")
FILMS = (".gif", ".mp4")
SWEEPS = (".nc", ".csv", ".zarr")


# ---- streams

def settle() -> None:
    """Make a terminal or a file that lacks a letter print the nearest one, and keep libraries' warnings from the user."""
    codecs.register_error("nearest_letter", _nearest_letter)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="nearest_letter")
    if not sys.warnoptions and not in_debug_mode():
        warnings.simplefilter("ignore")


def _nearest_letter(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    special = {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "\N{DEGREE SIGN}": "deg"}
    out = []
    for letter in error.object[error.start : error.end]:
        plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
        out.append(special.get(letter) or plain or "?")
    return "".join(out), error.end


def silence() -> None:
    """Give up on standard output, so that nothing more is said about it when the program ends."""
    with contextlib.suppress(OSError, ValueError):  # a stream without a file below it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str) -> None:
    """A sentence on standard error, wrapped for a terminal and whole for anything else."""
    if sys.stderr.isatty():
        width = min(shutil.get_terminal_size().columns, 100)
        message = "\n".join(wrapped(line, width) for line in message.split("\n"))
    print(message, file=sys.stderr)


def warn(message: str) -> None:
    complain(f"Note: {message}.")


# ---- JSON

def as_json(data: Any) -> None:
    """Print data as JSON, the only thing on standard output."""
    print(json.dumps(clean(data), indent=2, allow_nan=False))


def clean(data: Any) -> Any:
    """The same data as JSON can hold it: what is no finite number becomes null."""
    if hasattr(data, "tolist"):  # NumPy's numbers and arrays
        data = data.tolist()
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(key): clean(value) for key, value in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [clean(value) for value in data]
    return str(data) if isinstance(data, Path) else data


# ---- for people

def console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(file=sys.stderr if stderr else sys.stdout, highlight=False, markup=False, emoji=False)


def say(*lines: str, style: str | None = None) -> None:
    """Lines on standard output, wrapped between words, if they are not yet; a number keeps its unit."""
    out = console()
    for line in lines:
        out.print(line if "\n" in line else wrapped(line, out.width), style=style)


def wrapped(text: str, width: int = WIDTH, first: str = "", indent: str = "") -> str:
    """A text in lines of at most ``width``; ``first`` stands before the first line, ``indent`` before the others."""
    glued = re.sub(r"(\d) (?=[A-Za-z])", "\\1\N{NO-BREAK SPACE}", text)
    lines = textwrap.fill(glued, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\N{NO-BREAK SPACE}", " ")


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = (), right: Sequence[int] = (), styles: Sequence[str] = ()) -> None:
    """Print a table without lines; ``right``: columns of numbers; ``styles``: of the rows, for terminals with colours."""
    from rich.table import Table

    rows = [list(map(str, row)) for row in rows]
    if not rows:
        return
    out: Table = Table(box=None, show_header=bool(head), header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for i in range(len(rows[0])):
        out.add_column(head[i] if head else "", justify="right" if i in right else "left", overflow="fold", no_wrap=i in right)
    for i, row in enumerate(rows):
        out.add_row(*row, style=styles[i] if i < len(styles) else None)
    console().print(out)



# ---- files

def destination(path: Path, endings: Sequence[str], what: str) -> Path:
    """A path that can be written to. Raises WrongUse before any work is done.

    ``endings``: those allowed. ``what``: what is written, for the message."""
    if path.suffix.lower() not in endings:
        example = f"{path.stem or 'name'}{endings[0]}"
        raise WrongUse(f"{what} is written as {' or '.join(endings)}, not as '{path.suffix or path.name}'; for example {example}")
    if path.is_dir() and not is_zarr(path):
        raise WrongUse(f"cannot write {path}: a folder has that name; for example {path / f'result{endings[0]}'}")
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise WrongUse(f"cannot write {path}: {folder} is a file, not a folder")
    if not os.access(folder, os.W_OK):
        raise WrongUse(f"cannot write {path}: writing in the folder {folder} is not allowed; take another folder, for example your own")
    return path


def keep(data: xr.Dataset, out: Path | None, draw: Callable[[], Plate], figure: Path | None) -> list[Path]:
    """Writes what was asked for, data and figure; the files. The figure is drawn first, so that it says no before anything is written."""
    from simulation.studies.sweep import save

    written = []
    plate = draw() if figure is not None else None
    if out is not None:
        with saving(out):
            written.append(save(data, out))
    if plate is not None and figure is not None:
        from simulation import figures

        written += figures.save(plate, figure)
    return written


def is_zarr(path: Path) -> bool:
    """Whether a path is a folder that keeps a large sweep."""
    return path.suffix.lower() == ".zarr" and (path / "zarr.json").is_file()


@contextlib.contextmanager
def saving(path: Path, advice: str = "") -> Iterator[None]:
    """Turns what the system and the netCDF library raise when a file cannot be written into a WrongUse with the reason."""
    try:
        yield
    except (FileError, BrokenPipeError):
        raise
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "NetCDF" not in str(error):
            raise
        reason = error.strerror or str(error) if isinstance(error, OSError) else f"{error} (is the disk full?)"
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        raise WrongUse(f"cannot write {path}: {'the disk is full' if full else reason}{'; ' + advice if advice else ''}") from None
