"""The explorer as a Jupyter widget: the page (explorer.js, explorer.css) asks, this answers.

The page is a module of our own that draws SVG: of a line that moves only its points are replaced, so nothing flickers, and it needs
nothing from elsewhere. It comes to JupyterLab and voila by anywidget."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from simulation.assembly.compile import Array
from simulation.classroom.explorer import (
    LENGTHS,
    STEP_WIDTH,
    SUBJECTS,
    Bench,
    Line,
    Look,
    Numbers,
    Setting,
    Slider,
    bath_sliders,
    refusal,
    scale_sliders,
    subject,
    watched,
)
from simulation.experiment.preparation import Preparation
from simulation.figures import style
from simulation.figures.data import number
from simulation.figures.overlay import TURN
from simulation.figures.traces import by_peak

if TYPE_CHECKING:
    import xarray as xr

    from simulation.figures.plate import Plate

PAUSE = 0.15  # s without a move after which the slow part begins
DARK_PAPER = "#14181f"
_LINE = 2.4  # of which the dashes of a look are multiples, px
_MOST_KEPT = 12
_TITLES = {"pulse": "Pulse", "step": "Step", "train": "Train", "none": "None"}
_WAITING = "…"


class Explorer(anywidget.AnyWidget):
    """Sliders for bath, conductances and stimulus of a membrane, and what the model does, with the control in grey behind.

    ``membrane``: one of the explorer's; ``page``: it fills a page of its own; ``bath``: what differs from control, as K=2.5. Where the sliders
    stand is ``setting``, which may be set; ``figure`` and ``command`` give what is shown as a house figure and as a command line."""

    _esm = Path(__file__).parent / "explorer.js"
    _css = Path(__file__).parent / "explorer.css"

    page = traitlets.Bool(False).tag(sync=True)
    view = traitlets.Unicode("potential").tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)  # what belongs to the membrane chosen: sliders, panels
    asked = traitlets.Dict().tag(sync=True)  # where the sliders stand
    answer = traitlets.Dict().tag(sync=True)  # curves and words
    kept: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    numbers = traitlets.Dict().tag(sync=True)  # rows of the table, by run

    def __init__(self, membrane: str = "fibre", *, page: bool = False, **bath: float) -> None:
        self.bench = Bench()
        self.setting = Setting.read({"model": membrane, "bath": bath})
        self._looks: dict[str, Look] = {}
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._count = 0
        super().__init__(page=page)
        self.asked = self.setting.to_dict()
        self._answer({})
        self.observe(self._was_asked, "asked")
        self.observe(lambda _: self._gates_too(), "view")
        self.on_msg(self._was_told)

    # ---- asked and answered

    def show(self, **changes: Any) -> None:
        """Put the sliders elsewhere: ``show(bath={"K": 2.5}, stimulus="step")``, ``show(model="axon")``. Raises ModelError, ExperimentError."""
        anew = changes.get("model", self.setting.model) != self.setting.model
        wanted = Setting.read(({} if anew else self.setting.to_dict()) | changes)
        self.asked = wanted.to_dict() | {"serial": int(self.asked.get("serial", 0)) + 1}

    def _was_asked(self, change: Any) -> None:
        self._answer(dict(change["new"]))

    def _answer(self, asked: dict[str, Any]) -> None:
        serial = int(asked.pop("serial", 0))
        self._stop.set()
        with self.hold_sync():
            try:
                if asked:
                    self.setting = Setting.read(asked)
                if self.scene.get("model") != self.setting.model:
                    self._arrange()
                    self.asked = self.setting.to_dict() | {"serial": serial}
                now = self.bench.look(self.setting)
                control = self.bench.look(now.setting.control)
            except Exception as error:
                told = refusal(error)
                if told is None:
                    raise
                self.answer = self.answer | {"serial": serial, "refused": True, "told": told, "command": self.setting.command}
                self.numbers = self.numbers | {"now": []}
                return
            self._show(now, control, serial)
        self._later()

    def _show(self, now: Look, control: Look, serial: int) -> None:
        self._looks |= {"now": now, "control": control}
        self.answer = {
            "serial": serial, "refused": False, "told": now.told, "command": now.setting.command, "end": self.setting.length,
            "now": _sent(now.lines) | _stimulus(now.setting), "control": _sent(control.lines), "gates": self._gates(),
            "rests": {"control": control.rest.V, "now": now.rest.V},
        }
        self._count_up()

    def _gates(self) -> dict[str, Any] | None:
        """Gate curves, where they are looked at: they take as long as the run."""
        if self.view != "gates":
            return None
        curves = {"now": self.bench.gates(self.setting), "control": self.bench.gates(self.setting.control)}
        return {run: {str(name): _digits_of(data["V"].values, data[name].values) for name in data} for run, data in curves.items()}

    def _gates_too(self) -> None:
        if self.answer and not self.answer["refused"] and self.answer["gates"] is None:
            self.answer = self.answer | {"gates": self._gates()}

    def _arrange(self) -> None:
        """The sliders and panels of the membrane that is chosen."""
        p, of = self.bench.untouched(self.setting.model), subject(self.setting.model)
        lines = self.bench.look(Setting.first(self.setting.model)).lines
        self.scene = _scene(p, of.name, lines)
        if self.view not in [v["key"] for v in self.scene["views"]]:
            self.view = "potential"

    # ---- what takes longer

    def _later(self) -> None:
        """Seek rests and thresholds when the sliders have stood still for a while; where no loop runs it waits for ``finish``."""
        self._stop = stop = threading.Event()
        if self._task is not None:
            self._task.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._slowly(stop))

    async def _slowly(self, stop: threading.Event) -> None:
        await asyncio.sleep(PAUSE)
        while not stop.is_set() and (work := self._next(stop.is_set)) is not None:
            with contextlib.suppress(Exception):  # what refuses here has said so, or says so when it is run
                await asyncio.to_thread(work)
            if not stop.is_set():
                self._put_right()

    def finish(self) -> None:
        """Does at once what else is done when the sliders stand still."""
        while (work := self._next(lambda: False)) is not None:
            work()
            self._put_right()

    def _next(self, stop: Callable[[], bool]) -> Callable[[], object] | None:
        for look in list(self._looks.values()):
            if self.bench.known_numbers(look.setting) is None:
                return lambda setting=look.setting: self.bench.numbers(setting, stop)  # type: ignore[misc]
        return None

    def _put_right(self) -> None:
        """The numbers that were found, and another run where the membrane rests elsewhere than the last rest led to."""
        now = self._looks["now"]
        if self.bench.known_numbers(now.setting) is not None and not self.bench.is_right(now):
            with self.hold_sync():
                now = self.bench.look(self.setting)
                self._show(now, self.bench.look(now.setting.control), self.answer["serial"])
        self._count_up()

    def _count_up(self) -> None:
        self.numbers = {run: _row(look, self.bench.known_numbers(look.setting)) for run, look in self._looks.items()}

    # ---- kept runs, figure, command

    def keep(self, name: str | None = None) -> str:
        """Keep the run that is shown, behind those that follow; the id of it. ``name``: by default what sets it apart from control."""
        look = self._looks["now"]
        taken = {k["place"] for k in self.kept}
        place = next((i for i in range(len(TURN)) if i not in taken), self._count % len(TURN))
        self._count += 1
        key = f"kept{self._count}"
        self._looks[key] = look
        shown = {name: line for name, line in look.lines.items() if name in ("V", "force")}
        entry = {
            "id": key, "name": name or self._named(look), "place": place, "shown": True, "membrane": look.setting.model, "lines": _sent(shown),
            "style": _style(style.CARRIERS[TURN[place]]), "dash": _dash(style.CARRIERS[TURN[place]].line),
        }
        with self.hold_sync():
            for gone in [k["id"] for k in self.kept[: max(0, len(self.kept) + 1 - _MOST_KEPT)]]:
                self.drop(gone)
            self.kept = [*self.kept, entry]
            self._count_up()
        return key

    def _named(self, look: Look) -> str:
        several = {k["membrane"] for k in self.kept} | {look.setting.model}
        return f"{look.setting.model}, {look.setting.name}" if len(several) > 1 else look.setting.name

    def drop(self, key: str) -> None:
        """Let a kept run go."""
        self._looks.pop(key, None)
        self.kept = [k for k in self.kept if k["id"] != key]
        self.bench.forget([look.setting for look in self._looks.values()])
        self._count_up()

    def _change(self, key: str, **what: Any) -> None:
        self.kept = [k | what if k["id"] == key else k for k in self.kept]

    @property
    def command(self) -> str:
        """The command line that computes the run that is shown."""
        return str(self.answer["command"])

    def figure(self, size: str = "slide") -> Plate:
        """The house figure of what is shown, computed as ``cramplab run`` computes it. Raises ModelSaysNo."""
        from simulation import figures

        setting = self._looks["now"].setting
        p, stimuli, changed = self.bench.preparation(setting), setting.protocol, setting != setting.control
        if self.view == "gates":
            return figures.gate_figure(_whole_gates(p), _whole_gates(self.bench.untouched(self.setting.model)) if changed else None, size=size)
        from simulation.experiment.solve import run

        recording = run(p, stimuli)
        control = run(self.bench.untouched(self.setting.model), stimuli) if changed else None
        shown = [k for k in self.kept if k["shown"]]
        symbol = "force" if self.view == "force" else None
        if shown and self.view != "currents":
            others: dict[str, Setting] = {k["name"]: self._looks[k["id"]].setting for k in shown}
            runs = {name: run(self.bench.preparation(s), s.protocol) for name, s in others.items()}
            return figures.overlaid(recording, runs, control=control, symbol=symbol, size=size, looks=[TURN[k["place"]] for k in shown])
        return figures.traces(recording, control=control, symbols=None if symbol is None else [symbol], size=size)

    def _was_told(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        """A button was pressed."""
        key, do = str(content.get("id", "")), content.get("do")
        if do == "keep" and not self.answer.get("refused"):
            self.keep()
        elif do == "drop":
            self.drop(key)
        elif do == "show":
            self._change(key, shown=bool(content["shown"]))
        elif do == "rename":
            self._change(key, name=str(content["name"])[:60] or "kept")
        elif do == "again" and key in self._looks:
            self.show(**self._looks[key].setting.to_dict())
        elif do == "figure":
            self._send_figure(str(content.get("format", "svg")))

    def _send_figure(self, form: str) -> None:
        from simulation import figures

        try:
            with tempfile.TemporaryDirectory() as folder:
                (path,) = figures.save(self.figure(), Path(folder) / f"{self.setting.model}_{self.view}.{form}")
                kind = "image/svg+xml" if form == "svg" else "image/png"
                self.send({"file": path.name, "type": kind, "told": f"The figure is saved as {path.name}."}, [path.read_bytes()])
        except Exception as error:
            self.send({"told": refusal(error) or f"There is no figure of this: {error}.", "refused": True})


# ---- what is sent

def _sent(lines: Mapping[str, Line]) -> dict[str, list[list[float]]]:
    """Lines as the page draws them: four digits are more than a screen shows."""
    return {name: [_rounded(t, 6), _rounded(y, 4)] for name, (t, y) in lines.items()}


def _digits_of(V: Array, curve: Array) -> list[list[float]]:
    """A curve that may be drawn over decades: every value has its own four digits."""
    return [V.tolist(), [float(f"{v:.4g}") for v in curve]]


def _rounded(values: Array, digits: int) -> list[float]:
    """Values to so many digits of the largest."""
    most = float(np.max(np.abs(values), initial=0.0))
    places = digits - 1 - int(np.floor(np.log10(most))) if most > 0 and np.isfinite(most) else 0
    return [float(v) for v in np.round(values, places)]


def _stimulus(setting: Setting) -> dict[str, list[list[float]]]:
    segments = setting.protocol.segments
    t = [x for s in segments for x in (s.start, s.stop)]
    return {"I_stim": [t, [x for s in segments for x in (s.I_0, s.I_0)]]}


def _row(look: Look, numbers: Numbers | None) -> list[str]:
    """Cells of the table: rest, threshold, rheobase, spikes, peak."""
    f, unit = look.features, style.unit(look.preparation.bound.current_unit)
    others = [V for V in numbers.rests if abs(V - look.rest.V) > 0.1] if numbers else []
    rest = f"{' or '.join(_tenths(V) for V in (look.rest.V, *others))} mV{'' if look.rest.stable else ', unstable'}"
    told = [_current(x, unit) for x in (numbers.threshold, numbers.rheobase)] if numbers else [_WAITING, _WAITING]
    return [rest, *told, str(f.spikes), f"{_tenths(f.peak)} mV" if f.peak is not None else "none"]


def _tenths(value: float) -> str:
    return f"{value:.1f}".replace("-", "\N{MINUS SIGN}")


def _current(value: float, unit: str) -> str:
    if value == 0:
        return "spontaneous"
    return f"{number(value)} {unit}" if np.isfinite(value) else "inexcitable"


# ---- what belongs to a membrane

def _scene(p: Preparation, name: str, lines: Mapping[str, Line]) -> dict[str, Any]:
    of, unit, suffix = subject(name), style.unit(p.bound.current_unit), p.bound.model.potential.removeprefix("V")
    potential = _panel("V", "Membrane potential", "V", "mV", ["V"], 3.2, base=(-100.0, 50.0), kept=True)
    strip = _panel("I_stim", "Stimulus", "", unit, ["I_stim"], 0.35, ends=True)
    peaks = {s: float(np.max(np.abs(lines[s][1]))) for s in watched(p) if s != "force"}
    currents = [
        _panel(f"currents{k}", "Ionic currents" if len(group) > 1 else "Ionic current", "I", unit, group, 1.5, least=0.02, named=True)
        for k, group in enumerate(by_peak(peaks))
    ]
    time = {"title": "Time", "symbol": "t", "unit": "ms", "range": None}
    gates = [g.removesuffix(suffix) for g in p.bound.gates if g.endswith(suffix)]
    gate_panels = [
        _panel("inf", "Steady state", "", "", [f"{g}_inf" for g in gates], 1.0, base=(0.0, 1.0), named=True),
        _panel("tau", "Time constant", "", "ms", [f"tau_{g}" for g in gates], 1.0, log=True, named=True),
    ]
    views = [
        {"key": "potential", "label": "Potential", "panels": [potential, strip], "x": time},
        {"key": "currents", "label": "Currents", "panels": [potential | {"height": 1.8}, *currents, strip], "x": time},
        {"key": "gates", "label": "Gates", "panels": gate_panels,
         "x": {"title": "Membrane potential", "symbol": "V", "unit": "mV", "range": [-120.0, 40.0]}},
    ]
    if "force" in lines:
        force = _panel("force", "Force, share of that of full calcium", "", "", ["force"], 2.0, base=(0.0, 0.2), kept=True)
        views.append({"key": "force", "label": "Force", "panels": [potential | {"height": 1.4}, force, strip], "x": time})
    return {
        "model": of.name, "title": p.parameters.title, "note": p.parameters.note, "unit": unit, "lengths": list(LENGTHS), "views": views,
        "subjects": [{"name": s.name, "group": s.group, "label": s.label} for s in SUBJECTS],
        "bath": [_slider(s, "bath") for s in bath_sliders(p)], "scale": [_slider(s, "scale") for s in scale_sliders(p, of)],
        "stimuli": _stimuli(of.name), "stimulus": _stimulus_sliders(of.name, unit),
    }


def _stimuli(name: str) -> list[dict[str, Any]]:
    """Kinds of stimulus, each with where its sliders stand at first."""
    of = subject(name)
    long = max(of.length, 200.0)
    first: dict[str, dict[str, float]] = {
        "pulse": {"strength": of.pulse, "width": 0.5, "length": of.length}, "step": {"strength": of.step, "width": STEP_WIDTH, "length": long},
        "train": {"strength": of.pulse, "rate": 20.0, "length": max(of.length, 500.0)}, "none": {"length": long},
    }
    return [{"name": kind, "label": _TITLES[kind], "first": values} for kind, values in first.items()]


def _stimulus_sliders(name: str, unit: str) -> list[dict[str, Any]]:
    of = subject(name)

    def one(key: str, label: str, unit: str, low: float, high: float, step: float, kinds: Sequence[str]) -> dict[str, Any]:
        row = {"name": key, "kind": "stimulus", "label": label, "unit": unit, "low": low, "high": high, "step": step, "of": list(kinds)}
        return row | {"control": None, "normal": None, "words": ""}

    return [
        one("strength", "strength", unit, 0.0, 3.0 * of.pulse, of.pulse / 100, ("pulse", "train")),
        one("strength", "strength", unit, 0.0, 3.0 * of.step, of.step / 100, ("step",)),
        one("width", "duration", "ms", 0.1, 5.0, 0.1, ("pulse",)),
        one("width", "duration", "ms", 5.0, 500.0, 5.0, ("step",)),
        one("rate", "rate", "Hz", 1.0, 150.0, 1.0, ("train",)),
    ]


def _slider(s: Slider, kind: str) -> dict[str, Any]:
    unit = "×" if kind == "scale" else style.unit(s.unit)
    return vars(s) | {"kind": kind, "unit": unit, "symbol": s.name if kind == "scale" else None}


def _panel(
    key: str, title: str, symbol: str, unit: str, symbols: Sequence[str], height: float, *, base: tuple[float, float] | None = None,
    least: float = 1e-3, log: bool = False, ends: bool = False, kept: bool = False, named: bool = False,
) -> dict[str, Any]:
    """``base``: range that is always shown; ``least``: span that is; ``named``: lines have their ion's colour and name."""
    lines = []
    for s in symbols:
        look = style.look(s)
        dash = _dash(look.line) if len(symbols) > 1 else ""
        label = s.replace("_inf", "_∞").replace("tau_", "τ_")
        lines.append({"key": s, "label": label if named else "", "style": _style(look) if named else "", "dash": dash})
    return {
        "key": key, "title": title, "symbol": symbol, "unit": unit, "height": height, "base": base, "least": least, "log": log, "ends": ends,
        "kept": kept, "lines": lines,
    }


def _style(look: style.Look) -> str:
    """Colours of a line and of words beside it on light and dark paper, for the style sheet."""
    return f"--light:{look.color};--light-word:{style.ink(look.color)};--dark:{style.ink(look.color, DARK_PAPER)}"


def _dash(pattern: style.DashPattern) -> str:
    return "" if isinstance(pattern, str) else " ".join(f"{_LINE * x:g}" for x in pattern[1])


def _whole_gates(p: Preparation) -> xr.Dataset:
    from simulation.experiment.gates import gate_curves

    return gate_curves(p)
