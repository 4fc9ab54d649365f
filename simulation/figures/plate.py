"""The figure object: Matplotlib's, with its description and its origin."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from simulation.experiment.preparation import version_here
from simulation.figures.style import FONTS, PAPER, Size


class Plate(Figure):
    """A Matplotlib figure that knows what it shows in words (``alt``), what it is called (``title``), what it was made from
    (``provenance``) and the colour that it is drawn on (``paper``). It needs no pyplot, and a notebook shows it as it is."""

    alt: str = ""
    title: str = ""
    paper: str = PAPER
    provenance: Mapping[str, Any] = MappingProxyType({})

    def arrange(self) -> None:
        """Put everything where it finds room."""
        layout = self.get_layout_engine()
        if layout is not None:
            layout.execute(self)

    def settled(self) -> Plate:
        """The same, arranged for good: a layout made anew at each drawing differs in the last digits."""
        self.arrange()
        self.set_layout_engine("none")
        return self

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        """For notebooks: the image and its description."""
        buffer = BytesIO()
        with matplotlib.rc_context(FONTS):
            self.savefig(buffer, format="png", facecolor=self.paper)
        return buffer.getvalue(), {"alt": self.alt}


def new_plate(s: Size, *, title: str, alt: str, provenance: Mapping[str, Any]) -> Plate:
    """An empty figure of that size."""
    layout = ConstrainedLayoutEngine(w_pad=0.5 * s.font / 72, h_pad=0.25 * s.font / 72, hspace=0.0, wspace=0.0)
    plate = Plate(figsize=(s.width, s.height), layout=layout)
    plate.title, plate.alt, plate.provenance = title[:1].upper() + title[1:], alt, {"cramplab": version_here(), **provenance}
    return plate
