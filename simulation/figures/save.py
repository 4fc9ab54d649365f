"""Figures in files: with what they show in words, where they came from, and the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import matplotlib
from matplotlib.figure import Figure

from simulation import files
from simulation.assembly.errors import nearest
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate
from simulation.figures.style import FONTS, PAPER

DOTS_PER_INCH = 200
_NAMESPACE = "urn:cramplab:provenance"
_SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "cramplab", "pdf.fonttype": 42, **FONTS}


def save(
    figure: Figure,
    path: str | Path,
    formats: Sequence[str] | None = None,
    *,
    provenance: Mapping[str, Any] | None = None,
    alt: str | None = None,
    title: str | None = None,
) -> list[Path]:
    """Write a figure; returns the files written.

    ``formats``: of 'svg', 'pdf' and 'png'; if not given, what ``path`` ends with, or svg. ``path`` ends with any of these or with none.
    ``provenance`` (anything that JSON can hold), ``alt`` (what the figure shows in words) and ``title`` are those of the
    figure if not given. The same figure gives the same bytes. Raises FigureError, or FileError where the file cannot be written."""
    known = figure if isinstance(figure, Plate) else None
    provenance = provenance if provenance is not None else known.provenance if known else None
    alt = alt or (known.alt if known else "")
    if not provenance or not alt:
        lacking = "provenance" if not provenance else "alt"
        raise FigureError(f"the figure says nothing of its own {lacking}; give {lacking}=... to save it")
    title = title or (known.title if known else "") or alt.split(". ")[0]
    origin = json.dumps(provenance, sort_keys=True, default=_plain_value)
    base, formats = _targets(Path(path), formats)
    written = []
    for name in formats:
        target = base.with_name(f"{base.name}.{name}")
        with files.aside(target) as temporary:
            _WRITERS[name](figure, temporary, title, alt, origin)
        written.append(target)
    return written


def provenance_of(path: str | Path) -> dict[str, Any]:
    """What made a figure, read back from its SVG, PDF or PNG file.

    Raises FigureError if there is no such file, the format is another one, or the file says nothing."""
    path = Path(path)
    name = path.suffix.removeprefix(".").lower()
    if name not in _READERS:
        raise FigureError(f"the provenance of a figure is read from {_or(_READERS)}, not from '{path.suffix or path.name}'")
    try:
        found = _READERS[name](path)
    except FileNotFoundError:
        raise FigureError(f"there is no file {path}") from None
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise FigureError(f"{path} cannot be read as {name.upper()}: {error}") from None
    try:
        origin = json.loads(found) if found else None
    except json.JSONDecodeError:
        origin = None
    if not isinstance(origin, dict):
        raise FigureError(f"{path} does not say what made it: it was not saved by this program, or the note was lost on the way")
    return origin


def _targets(path: Path, formats: Sequence[str] | None) -> tuple[Path, Sequence[str]]:
    """The path without its ending, and the formats wanted."""
    ending = path.suffix.removeprefix(".")
    if ending.isalpha() and ending.lower() not in _WRITERS:
        raise FigureError(f"a figure is written as {_or(_WRITERS)}, not as '.{ending}'{nearest(ending, _WRITERS)}")
    # The dot in 'rest_K2.5' begins no ending.
    has_ending = ending.lower() in _WRITERS
    base = path.with_suffix("") if has_ending else path
    if formats is None:
        formats = (ending.lower(),) if has_ending else ("svg",)
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    for name in formats:
        if name not in _WRITERS:
            raise FigureError(f"a figure is written as {_or(_WRITERS)}, not as '{name}'{nearest(name, _WRITERS)}")
    return base, formats


def _or(formats: Mapping[str, Any]) -> str:
    *first, last = (f".{name}" for name in formats)
    return f"{', '.join(first)} or {last}"


def _plain_value(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _print(figure: Figure, path: Path, name: str, metadata: Mapping[str, str | None]) -> None:
    # Never clear behind: a slide or a notebook may be light or dark.
    paper = figure.paper if isinstance(figure, Plate) else PAPER
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(path, format=name, dpi=DOTS_PER_INCH, metadata=dict(metadata), facecolor=paper)


# ---- SVG

def _write_svg(figure: Figure, path: Path, title: str, alt: str, origin: str) -> None:
    _print(figure, path, "svg", {"Date": None, "Title": title})
    mark = hashlib.sha256(f"{title}\n{alt}".encode()).hexdigest()[:8]  # several figures may stand in one page
    spoken = f'<title id="title-{mark}">{escape(title)}</title>\n <desc id="desc-{mark}">{escape(alt)}</desc>'
    note = f"<metadata><provenance xmlns={quoteattr(_NAMESPACE)}>{escape(origin)}</provenance></metadata>"
    text = path.read_text(encoding="utf-8")
    text = text.replace("<svg ", f'<svg role="img" aria-labelledby="title-{mark} desc-{mark}" ', 1)
    text = re.sub(r"<title>.*?</title>", lambda _: f"{spoken}\n {note}", text, count=1, flags=re.DOTALL)
    path.write_text(text, encoding="utf-8", newline="\n")


def _read_svg(path: Path) -> str | None:
    return ElementTree.parse(path).getroot().findtext(f".//{{{_NAMESPACE}}}provenance")


# ---- PDF

def _write_pdf(figure: Figure, path: Path, title: str, alt: str, origin: str) -> None:
    _print(figure, path, "pdf", {"CreationDate": None, "ModDate": None, "Title": title, "Subject": alt, "Keywords": origin})


def _read_pdf(path: Path) -> str | None:
    # The JSON is ASCII, so it stands in the file as a plain string, with backslashes before \ ( and ).
    found = re.search(rb"/Keywords\s*\(((?:[^\\()]|\\.)*)\)", path.read_bytes(), re.DOTALL)
    return re.sub(rb"\\(.)", rb"\1", found.group(1)).decode("ascii") if found else None


# ---- PNG

def _write_png(figure: Figure, path: Path, title: str, alt: str, origin: str) -> None:
    _print(figure, path, "png", {"Title": title, "Description": alt, "Provenance": origin})


def _read_png(path: Path) -> str | None:
    from PIL import Image

    with Image.open(path, formats=["PNG"]) as image:
        image.load()
        found = image.info.get("Provenance")
    return found if isinstance(found, str) else None


# ---- GIF and MP4: a comment that holds title, description and provenance

def comment(title: str, alt: str, provenance: Mapping[str, Any]) -> str:
    """What an animation says of itself, in ASCII."""
    return json.dumps({"title": title, "description": alt, "provenance": provenance}, sort_keys=True, default=_plain_value)


def _from_comment(found: str) -> str | None:
    try:
        said = json.loads(found)
    except json.JSONDecodeError:
        return None
    return json.dumps(said["provenance"]) if isinstance(said, dict) and "provenance" in said else None


def _read_gif(path: Path) -> str | None:
    from PIL import Image

    with Image.open(path, formats=["GIF"]) as image:
        found = image.info.get("comment", b"")
    return _from_comment(found.decode("ascii", errors="replace"))


def _read_mp4(path: Path) -> str | None:
    # An atom '©cmt' holds an atom 'data': its length, its name, eight bytes of type and language, the text.
    data = path.read_bytes()
    at = data.rfind(b"\xa9cmt")
    if at < 0 or data[at + 8 : at + 12] != b"data":
        return None
    return _from_comment(data[at + 20 : at + 4 + int.from_bytes(data[at + 4 : at + 8])].decode("utf-8", errors="replace"))


_WRITERS: Mapping[str, Callable[[Figure, Path, str, str, str], None]] = {"svg": _write_svg, "pdf": _write_pdf, "png": _write_png}
# What moves is written by simulation.figures.animation.
_READERS: Mapping[str, Callable[[Path], str | None]] = {
    "svg": _read_svg, "pdf": _read_pdf, "png": _read_png, "gif": _read_gif, "mp4": _read_mp4,
}
