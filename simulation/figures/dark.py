"""A finished figure on dark paper: every colour is looked up once more, nothing is drawn anew."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgb, to_rgba, to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text

from simulation.assembly.errors import nearest
from simulation.figures import style
from simulation.figures.errors import FigureError
from simulation.figures.plate import Plate

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.figures.data import Array

GREY = 0.06  # red, green and blue lie closer together in what counts as grey
TINTED = 0.65  # lightness from which a fill is a tint of the paper rather than a colour of its own
LEAST_OF_LINES = 4.2  # 3 is asked of lines, more is seen from the back row
LEAST_OF_CONTROL = 2.0  # the control lies behind, in grey
THEMES = ("light", "dark")


def in_dark(plate: Plate) -> Plate:
    """The same plate, recoloured for a dark slide: papers turn dark, greys are turned over, hues lightened until they are seen.

    Colours that stand for numbers stay. Words have a contrast of 4.5 or more to what lies behind them, lines of 3 to the paper, the control of 2."""
    with matplotlib.rc_context(style.FONTS):
        plate.draw_without_rendering()  # ticks and their labels are there from the first drawing on
        words = shown_words(plate)
        before = backgrounds(plate, words)
        for artist in _all(plate):
            _recolour(artist)
        plate.paper = style.DARK_PAPER
        plate.patch.set_facecolor(style.DARK_PAPER)
        for text, was, behind in zip(words, before, backgrounds(plate, words), strict=True):
            colour = to_hex(text.get_color()) if was == behind else _turned(text.get_color())
            text.set_color(style.ink(colour, behind))
    return plate


def themed(plate: Plate, theme: str) -> Plate:
    """The plate for a 'light' or a 'dark' slide. A plate that was made dark stays so. Raises FigureError."""
    return in_dark(plate) if known_theme(theme) == "dark" and plate.paper != style.DARK_PAPER else plate


def known_theme(name: str) -> str:
    """The theme of that name. Raises FigureError with the nearest names."""
    if name not in THEMES:
        raise FigureError(f"there is no theme '{name}'{nearest(name, THEMES)}; themes: {', '.join(THEMES)}")
    return name


def shown_words(plate: Plate) -> list[Text]:
    """Every text that is seen: labels of ticks beyond the ends of an axis are not."""
    beyond: set[int] = set()
    for ax in plate.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            room = 1e-6 * (high - low)
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            beyond |= {id(label) for t in ticks if not low - room <= t.get_loc() <= high + room for label in (t.label1, t.label2)}
    return [t for t in _all(plate) if isinstance(t, Text) and t.get_visible() and t.get_text().strip() and id(t) not in beyond]


def backgrounds(plate: Plate, words: list[Text]) -> list[str]:
    """The colour that most of each text lies on, by drawing the plate without any words."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(plate)
    every = [t for t in _all(plate) if isinstance(t, Text)]
    alphas = [t.get_alpha() for t in every]
    face = plate.get_facecolor()
    plate.patch.set_facecolor(plate.paper)
    boxes = [t.get_window_extent() for t in words]
    own = [t.get_bbox_patch() for t in words]
    for text in every:
        text.set_alpha(0.0)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[:, :, :3]
    for text, alpha in zip(every, alphas, strict=True):
        text.set_alpha(alpha)
    plate.patch.set_facecolor(face)
    out = []
    for box, patch in zip(boxes, own, strict=True):
        if patch is not None and to_rgba(patch.get_facecolor())[3] > 0.5:
            out.append(to_hex(to_rgb(patch.get_facecolor())))
            continue
        top, left = image.shape[0] - box.y1, box.x0
        part = image[max(0, int(top)): int(image.shape[0] - box.y0) + 1, max(0, int(left)): int(box.x1) + 1].reshape(-1, 3)
        out.append(plate.paper if not len(part) else _commonest(part))
    return out


def _commonest(pixels: Array) -> str:
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    return str(to_hex(colours[counts.argmax()] / 255))


def _all(plate: Plate) -> Iterator[Artist]:
    """Every artist once, with those that Matplotlib does not count as children."""
    seen: set[int] = set()
    for artist in plate.findobj():
        more: list[Any] = [artist]
        if isinstance(artist, Text):
            more.append(artist.get_bbox_patch())
        if isinstance(artist, Annotation):
            more.append(artist.arrow_patch)
        for one in more:
            if one is not None and id(one) not in seen:
                seen.add(id(one))
                yield one


# ---- colours

def _turned(color: Any) -> str:
    """A colour for the dark: greys turned over between paper and white, hues as they are."""
    rgb = to_rgb(color)
    if max(rgb) - min(rgb) > GREY:
        return str(to_hex(rgb))
    low = np.array(to_rgb(style.DARK_PAPER))
    red, green, blue = low + (1.0 - float(np.mean(rgb))) * (0.97 - low)
    return str(to_hex((red, green, blue)))


def _line(color: Any) -> str:
    """Of a line: turned, and lightened until it is seen. White lines are gaps of paper and stay gaps."""
    rgb = to_rgb(color)
    if min(rgb) > 0.97:
        return style.DARK_PAPER
    grey = max(rgb) - min(rgb) <= GREY
    return style.ink(_turned(color), style.DARK_PAPER, LEAST_OF_CONTROL if grey else LEAST_OF_LINES)


def _fill(color: Any) -> str:
    """Of a fill: paper and its tints turn dark and keep their hue, colours of their own stay, black turns white."""
    rgb = to_rgb(color)
    hue, lightness, saturation = colorsys.rgb_to_hls(*rgb)
    if max(rgb) - min(rgb) <= GREY:
        return _turned(color)
    if lightness < TINTED:
        return str(to_hex(rgb))
    dark = sum(to_rgb(style.DARK_PAPER)) / 3
    return str(to_hex(colorsys.hls_to_rgb(hue, dark + 0.8 * (1.0 - lightness), min(saturation, 0.45))))


def _with_alpha(change: Callable[[Any], str], color: Any) -> Any:
    """A changed colour with the alpha that it had; 'none' stays."""
    if isinstance(color, str) and color in ("none", "auto"):
        return color
    rgba = to_rgba(color)
    return "none" if rgba[3] == 0 else (*to_rgb(change(color)), rgba[3])


def _recolour(artist: Artist) -> None:
    if isinstance(artist, Line2D):
        artist.set_markerfacecolor(_with_alpha(_marker, artist.get_markerfacecolor()))
        artist.set_markeredgecolor(_with_alpha(_line, artist.get_markeredgecolor()))
        artist.set_color(_with_alpha(_line, artist.get_color()))
    elif isinstance(artist, Patch):
        _recolour_patch(artist)
    elif isinstance(artist, Collection):
        _recolour_collection(artist)
    if artist.get_path_effects():
        for effect in artist.get_path_effects():
            given = getattr(effect, "_gc", {})
            if "foreground" in given:
                given["foreground"] = _fill(given["foreground"])


def _marker(color: Any) -> str:
    """Of a marker: paper inside stays paper, the rest is seen as lines are."""
    return style.DARK_PAPER if min(to_rgb(color)) > 0.97 else _line(color)


def _recolour_patch(patch: Patch) -> None:
    face, edge = patch.get_facecolor(), patch.get_edgecolor()
    hatched = bool(patch.get_hatch())
    fill = _with_alpha(_fill, face)
    patch.set_facecolor(fill)
    patch.set_edgecolor(_with_alpha(_line, edge) if not hatched else _over(fill, edge))


def _over(fill: Any, edge: Any) -> Any:
    """Of a hatch: as dark or light as it was against its fill."""
    if isinstance(fill, str):
        return _with_alpha(_line, edge)
    return edge if style.contrast(to_rgb(edge), to_rgb(fill)) >= 2 else _with_alpha(_turned, edge)


def _recolour_collection(collection: Collection) -> None:
    if collection.get_array() is not None:  # colours that stand for numbers
        return
    faces, edges = to_rgba_array(collection.get_facecolor()), to_rgba_array(collection.get_edgecolor())
    filled = len(faces) > 0 and bool(np.any(faces[:, 3] > 0))
    if collection.get_hatch() and not filled:  # it lies over colours of their own
        return
    if filled:
        collection.set_facecolor([_with_alpha(_fill, c) for c in faces])
    if len(edges):
        same = filled and len(edges) == len(faces) and np.allclose(edges, faces)
        collection.set_edgecolor([_with_alpha(_fill if same else _line, c) for c in edges])
