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
from matplotlib.figure import Figure, SubFigure

from simulation import files
from simulation.assembly.errors import nearest
from simulation.figures import data, style
from simulation.figures.dark import known_theme, themed
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate, new_plate
from simulation.figures.save import comment

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("gif", "mp4")
DOTS_PER_INCH = 100
FRAME = style.Size(9.6, 5.4, 17.0, 5.4, 17.0, 2.5)  # 960 x 540: letters of 17 pt are 24 dots high
COLOURS = 48  # of a GIF: black, a few lines, and what lies between them and the paper
_SAMPLES = 8  # frames that the colours are taken from

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
            return themed(plate.settled(), theme), move

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
