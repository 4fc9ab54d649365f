"""What moves: a result played as a film, in a GIF or MP4 file that says what it shows and what made it, and as a strip of moments for print.

A scene draws once what stands still and then moves lines; each frame is what stands still with the moved lines on it."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.animation import FFMpegWriter
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from simulation import files
from simulation.assembly.errors import nearest
from simulation.figures import data, style
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate
from simulation.figures.save import comment

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("gif", "mp4")
PAPERS: Mapping[str, str] = {"light": "#FFFFFF", "dark": "#14161A"}
DOTS_PER_INCH = 100
FRAME = style.Size(9.6, 5.4, 17.0, 5.4, 17.0, 2.5)  # 960 x 540: letters of 17 pt are 24 dots high
COLOURS = 48  # of a GIF: black, a few lines, and what lies between them and the paper
_SAMPLES = 8  # frames that the colours are taken from
_GREY = 0.12  # spread of red, green and blue below which a colour is a grey

Move = Callable[[float], Sequence[Artist]]
Scene = Callable[["Plate | SubFigure", style.Size], Move]


@dataclass(frozen=True, eq=False)
class Reel:
    """A result as a film.

    ``scene``: draws what stands still into a figure of that size and returns what moves the rest: given the time in the film (s) it sets
    the lines and returns them, the same ones at every call. ``seconds``: how long the film lasts; ``moments``: times (s) that the still shows;
    ``numbers``: what it rests on, as a lecture figure has them; ``fps``: frames per second, of 100 a whole part, as GIF counts time."""

    title: str
    alt: str
    provenance: Mapping[str, Any]
    scene: Scene
    seconds: float
    moments: tuple[float, ...]
    numbers: Mapping[str, float]
    fps: int = 20

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that can be written here."""
        return FORMATS if FFMpegWriter.isAvailable() else FORMATS[:1]

    @property
    def times(self) -> data.Array:
        """Time in the film of every frame, s."""
        return np.arange(round(self.seconds * self.fps)) / self.fps

    def write(self, path: str | Path, theme: str = "light") -> Path:
        """Write the film as its ending says: .gif, or .mp4 where ffmpeg is installed. ``theme``: 'light' or 'dark'.

        Raises FigureError, or FileError where the file cannot be written."""
        path = Path(path)
        ending = path.suffix.removeprefix(".").lower()
        if ending not in FORMATS:
            raise FigureError(f"a film is written as .gif or .mp4, not as '{path.suffix or path.name}'{nearest(ending, FORMATS)}")
        known_theme(theme)
        if ending == "mp4":
            need_ffmpeg()
        with files.aside(path) as temporary:
            (self._write_gif if ending == "gif" else self._write_mp4)(temporary, theme)
        return path

    def frames(self, theme: str = "light", times: Sequence[float] | data.Array | None = None) -> Iterator[Image.Image]:
        """Pictures at ``times`` (s), at every frame if not given."""
        from PIL import Image

        plate, move = self._on_stage(theme)
        canvas: Any = FigureCanvasAgg(plate)
        with matplotlib.rc_context(style.FONTS):
            for artist in move(0.0):
                artist.set_animated(True)
            canvas.draw()
            still = canvas.copy_from_bbox(plate.bbox)
            for t in self.times if times is None else times:
                canvas.restore_region(still)
                for artist in move(float(t)):
                    plate.draw_artist(artist)
                yield Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())

    def still(self, size: str = "slide") -> Plate:
        """A strip of moments, for print; on half a slide the middle ones."""
        s = style.size_of(size)
        columns = 2 if s.width > 10 else 1
        moments = self.moments[1:3] if size == "half" else self.moments
        rows = math.ceil(len(moments) / columns)
        font = min(s.small, 0.8 * s.font)
        height = 0.6 * s.width if size == "column" else s.tall / rows
        cell = replace(s, width=s.width / columns, height=height, font=font, small=font, line=0.7 * s.line)
        seconds = ", ".join(map(data.number, moments))
        alt = f"{self.alt} {data.sentences([f'shown are the moments {seconds} s into the film'])}"
        with style.drawing(replace(cell, width=s.width, height=rows * cell.height)) as whole:
            plate = new_plate(whole, title=self.title, alt=alt, provenance=self.provenance)
            for t, part in zip(moments, np.ravel(np.asarray(plate.subfigures(rows, columns))), strict=False):
                self.scene(part, cell)(t)
            return plate.settled()

    def _on_stage(self, theme: str) -> tuple[Plate, Move]:
        with style.drawing(FRAME) as s:
            plate = new_plate(s, title=self.title, alt=self.alt, provenance=self.provenance)
            plate.set_dpi(DOTS_PER_INCH)
            move = self.scene(plate, s)
            move(0.0)
            return on_paper(plate.settled(), theme), move

    def _write_gif(self, path: Path, theme: str) -> None:
        from PIL import Image

        chosen = list(self.frames(theme, self.times[data.spread(len(self.times), _SAMPLES)]))
        together = Image.fromarray(np.concatenate([np.asarray(frame) for frame in chosen]))
        palette = together.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames(theme))
        buffer = io.BytesIO()
        first.save(
            buffer, format="GIF", save_all=True, append_images=others, duration=1000 // self.fps, loop=0, optimize=False,
            comment=comment(self.title, self.alt, self.provenance).encode("ascii"),
        )
        path.write_bytes(buffer.getvalue())

    def _write_mp4(self, path: Path, theme: str) -> None:
        screen = Figure(figsize=(FRAME.width, FRAME.height), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(screen)
        said = {"title": self.title, "comment": comment(self.title, self.alt, self.provenance)}
        writer = FFMpegWriter(fps=self.fps, codec="h264", metadata=said, extra_args=["-pix_fmt", "yuv420p"])
        picture = screen.figimage(np.zeros((round(FRAME.height * DOTS_PER_INCH), round(FRAME.width * DOTS_PER_INCH), 3), dtype=np.uint8))
        with writer.saving(screen, str(path), DOTS_PER_INCH):
            for frame in self.frames(theme):
                picture.set_data(np.asarray(frame))
                writer.grab_frame()


def need_ffmpeg() -> None:
    """Raises FigureError where there is no ffmpeg."""
    if not FFMpegWriter.isAvailable():
        raise FigureError("an .mp4 film needs the program ffmpeg, which is not on the path; install it, or write a .gif, which needs nothing")


# ---- light and dark paper

def known_theme(name: str) -> str:
    """The theme of that name. Raises FigureError with the nearest names."""
    if name not in PAPERS:
        raise FigureError(f"there is no theme '{name}'{nearest(name, PAPERS)}; themes: {', '.join(PAPERS)}")
    return name


def on_paper(plate: Plate, theme: str) -> Plate:
    """The plate coloured for a 'light' or a 'dark' slide, in place."""
    if known_theme(theme) == "light":
        return plate
    behind = PAPERS[theme]
    plate.patch.set_facecolor(behind)
    for artist in plate.findobj():
        if isinstance(artist, Line2D):
            line, face, edge = (_seen(c, behind, 3.0) for c in (artist.get_color(), artist.get_markerfacecolor(), artist.get_markeredgecolor()))
            artist.set(color=line, markerfacecolor=face, markeredgecolor=edge)
        elif isinstance(artist, Text):
            artist.set_color(_seen(artist.get_color(), behind, 4.5))
        elif isinstance(artist, Patch) and artist is not plate.patch:
            face, edge = to_rgba(artist.get_facecolor()), to_rgba(artist.get_edgecolor())
            artist.set_facecolor(to_rgba(_fill(face, behind), face[3]))
            artist.set_edgecolor(to_rgba(_seen(edge, behind, 2.0), edge[3]))
    return plate


def _turned(color: Any, behind: str) -> str:
    """Greys turned over between paper and white; hues stay."""
    rgb = to_rgb(color)
    if max(rgb) - min(rgb) > _GREY:
        return str(matplotlib.colors.to_hex(rgb))
    low, share = np.array(to_rgb(behind)), 1.0 - float(np.mean(rgb))
    red, green, blue = (float(x) for x in low + share * (0.97 - low))
    return str(matplotlib.colors.to_hex((red, green, blue)))


def _seen(color: Any, behind: str, least: float) -> Any:
    """A colour that is told from the dark behind it."""
    if isinstance(color, str) and color == "none":
        return color
    rgb: Sequence[float] = to_rgb(_turned(color, behind))
    if min(to_rgb(color)) > 0.97:  # paper stays paper
        return behind
    while style.contrast(rgb, to_rgb(behind)) < least:
        rgb = [0.95 * c + 0.05 for c in rgb]
    return matplotlib.colors.to_hex((rgb[0], rgb[1], rgb[2]))


def _fill(color: Any, behind: str) -> str:
    """A tint of light paper as one of dark paper."""
    rgb, paper = np.array(to_rgb(color)), np.array(to_rgb(behind))
    if float(np.ptp(rgb)) <= _GREY:
        return _turned(color, behind)
    red, green, blue = (float(x) for x in paper + 0.25 * rgb)
    return str(matplotlib.colors.to_hex((red, green, blue)))
