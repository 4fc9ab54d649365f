"""The same figure on dark paper, for dark slides: every colour keeps its meaning and what it says is read as well as on white."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.colors import Colormap, ListedColormap, to_hex, to_rgba
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import AbstractPathEffect
from matplotlib.text import Text

from simulation.figures.plate import Plate
from simulation.figures.style import contrast, ink

PAPER, INK = "#14171C", "#F4F4F4"
THEMES = ("light", "dark")
READ, SEEN = 4.5, 3.0  # contrast of words, and of lines and marks, as WCAG asks
_GREY = 0.06  # a colour whose channels differ by less is a grey
_TINT = 0.78  # lightness above which a hue is a background
_FEW = 24  # colours of a colour map that names kinds, not amounts

RGBA = tuple[float, float, float, float]


def in_dark(plate: Plate) -> Plate:
    """Recolours a finished figure for dark paper, and gives it back. Colour maps of amounts stay as they are."""
    texts = [artist for artist in plate.findobj(Text) if isinstance(artist, Text)]
    for artist in plate.findobj():
        if not isinstance(artist, Text):
            _recolour(artist)
    for text in texts:
        text.set_color(_stroke(_rgba(text.get_color())))
        text.set_path_effects([_halo(effect) for effect in text.get_path_effects() or []])
        box = text.get_bbox_patch()
        if box is not None:
            _recolour(box)
    for text, behind in backgrounds(plate):
        if contrast(_rgba(text.get_color())[:3], behind) < READ:
            text.set_color(ink(to_hex(text.get_color()), to_hex(behind)))
    return plate


def backgrounds(plate: Plate) -> list[tuple[Text, tuple[float, float, float]]]:
    """Every text that is seen, and the colour of what lies behind it as it is drawn."""
    texts = [t for t in plate.findobj(Text) if isinstance(t, Text) and t.get_visible() and t.get_text().strip()]
    with matplotlib.rc_context({"path.simplify": True}):
        canvas: Any = FigureCanvasAgg(plate)
        shown = [t.get_alpha() for t in texts]
        for t in texts:
            t.set_alpha(0.0)  # a text that is not visible takes no room, and others would move
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3] / 255.0
        for t, alpha in zip(texts, shown, strict=True):
            t.set_alpha(alpha)
    out = []
    height, width = pixels.shape[:2]
    for t in texts:
        box = t.get_window_extent(canvas.get_renderer())
        x0, x1 = (int(np.clip(x, 0, width)) for x in (box.x0, box.x1))
        y0, y1 = (int(np.clip(height - y, 0, height)) for y in (box.y1, box.y0))
        if x1 > x0 and y1 > y0:
            r, g, b = np.median(pixels[y0:y1, x0:x1].reshape(-1, 3), axis=0)
            out.append((t, (float(r), float(g), float(b))))
    return out


# ---- colours

def _rgba(color: Any) -> RGBA:
    r, g, b, a = to_rgba(color if isinstance(color, str) else tuple(color))
    return (r, g, b, a)


def _stroke(color: RGBA) -> RGBA:
    """Of lines, marks and words: greys are turned round, hues lightened until they are seen."""
    return _grey(color) if _is_grey(color) else _fill(color) if _lightness(color) > _TINT else _lightened(color)


def _fill(color: RGBA) -> RGBA:
    """Of areas: greys are turned round, tints become dark tints, other hues stay as long as they are seen."""
    if _is_grey(color):
        return _grey(color)
    if _lightness(color) > _TINT:
        hue, _, saturation = colorsys.rgb_to_hls(*color[:3])
        lightness = _lightness(to_rgba(PAPER)) + 0.9 * (1.0 - _lightness(color))
        return (*colorsys.hls_to_rgb(hue, lightness, 0.6 * saturation), color[3])
    return _lightened(color)


def _lightened(color: RGBA) -> RGBA:
    r, g, b, alpha = color
    while contrast((r, g, b), to_rgba(PAPER)) < SEEN:
        r, g, b = (0.95 * x + 0.05 for x in (r, g, b))
    return (r, g, b, alpha)


def _grey(color: RGBA) -> RGBA:
    """Black becomes the ink, white the paper."""
    share = sum(color[:3]) / 3
    r, g, b = (share * paper + (1 - share) * written for paper, written in zip(to_rgba(PAPER), to_rgba(INK)[:3], strict=False))
    return (r, g, b, color[3])


def _is_grey(color: RGBA) -> bool:
    return max(color[:3]) - min(color[:3]) < _GREY


def _lightness(color: RGBA) -> float:
    return colorsys.rgb_to_hls(*color[:3])[1]


# ---- artists

def _recolour(artist: Artist) -> None:
    if isinstance(artist, Line2D):
        hollow = {part: getattr(artist, f"get_marker{part}color")() for part in ("face", "edge")}
        artist.set_color(_stroke(_rgba(artist.get_color())))
        for part, color in hollow.items():
            getattr(artist, f"set_marker{part}color")(_mapped(color, _stroke))
        artist.set_path_effects([_halo(effect) for effect in artist.get_path_effects() or []])
    elif isinstance(artist, Patch):
        face, edge = artist.get_facecolor(), artist.get_edgecolor()
        artist.set_facecolor(_fill(_rgba(face)))
        artist.set_edgecolor(_stroke(_rgba(edge)))
    elif isinstance(artist, Collection):
        if artist.get_array() is None:
            artist.set_facecolor([_fill(_rgba(c)) for c in artist.get_facecolor()])
        else:
            artist.set_cmap(_map(artist.get_cmap()))
        if len(artist.get_edgecolor()) and not isinstance(artist.get_edgecolor(), str):
            artist.set_edgecolor([_stroke(_rgba(c)) for c in artist.get_edgecolor()])
    elif isinstance(artist, AxesImage):
        artist.set_cmap(_map(artist.get_cmap()))


def _mapped(color: Any, how: Callable[[RGBA], RGBA]) -> Any:
    return color if isinstance(color, str) and color in ("auto", "none") else how(_rgba(color))


def _map(colours: Colormap) -> Colormap:
    """Of kinds: each colour as an area's. Of amounts: only what stands for a value that is none."""
    if isinstance(colours, ListedColormap) and colours.N <= _FEW:
        out: Colormap = ListedColormap([_fill(_rgba(c)) for c in np.asarray(colours(np.arange(colours.N)))], name=colours.name)
    else:
        out = colours.copy()
    bad, under, over = (_fill(_rgba(get())) for get in (colours.get_bad, colours.get_under, colours.get_over))
    if not isinstance(out, ListedColormap) or colours.N > _FEW:
        out.set_extremes(bad=bad)
    else:
        out.set_extremes(bad=bad, under=under, over=over)
    return out


def _halo(effect: AbstractPathEffect) -> AbstractPathEffect:
    """A stroke around words in the colour of the paper."""
    settings = getattr(effect, "_gc", None)
    if isinstance(settings, dict) and "foreground" in settings:
        settings["foreground"] = to_hex(_fill(to_rgba(settings["foreground"])))
    return effect
