"""Buttons for those notebooks that can show them; everything works without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation.classroom.exercise import Exercise, Feedback

# Wide enough for the longest answer of an exercise.
_WIDE = {"width": "auto", "max_width": "60em"}


def buttons(of: Exercise, judge: Callable[[Any], Feedback]) -> Any:
    """Radio buttons for a choice, with what is said to the answer beneath; None where there is no choice or no ipywidgets."""
    from simulation.classroom.exercise import Choice

    if not isinstance(of.kind, Choice):
        return None
    try:
        import ipywidgets
        from IPython.display import Markdown, display
    except ImportError:
        return None
    options = ipywidgets.RadioButtons(options=list(of.kind.options), value=None, layout=_WIDE)
    said = ipywidgets.Output()

    def answered(change: dict[str, Any]) -> None:
        said.clear_output(wait=True)
        with said:
            display(Markdown(judge(change["new"])._repr_markdown_()))  # type: ignore[no-untyped-call]

    options.observe(answered, names="value")
    return ipywidgets.VBox([options, said])


def show(markdown: str, buttons: Any) -> None:
    """A text in a notebook, and buttons beneath if there are any."""
    from IPython.display import Markdown, display

    display(Markdown(markdown), *([buttons] if buttons is not None else []))  # type: ignore[no-untyped-call]
