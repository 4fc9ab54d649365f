"""The command line: what it prints, how it refuses, and what it leaves behind when it is stopped."""

from __future__ import annotations

import codecs
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from simulation import cli
from simulation.cli import options, output, quantities, words
from simulation.cli import rest as rest_command
from simulation.cli.errors import WrongUse
from simulation.experiment.bath import Bath
from simulation.experiment.protocol import BathChange, Clamp, Noise, Pulse, Ramp, Train

HEAVY = ("numpy", "scipy", "llvmlite", "matplotlib", "xarray", "pydantic", "pint", "sympy", "joblib", "netCDF4", "rich")
LEAVES = (
    "models", "equations", "rest", "continue", "shift", "run", "sweep", "regimes", "population", "sensitivity", "fit", "excitability",
    "conduction", "panel", "conditions", "course", "figure", "figures", "explore", "notebooks", "validate", "claims", "overview", "why",
    "parameters list", "parameters show", "parameters diff", "parameters check", "parameters cite",
)
posix = pytest.mark.skipif(os.name != "posix", reason="signals and devices of POSIX")


def process(*args: str, **more) -> subprocess.Popen[str]:
    """The command in a process and a process group of its own, in which Ctrl-C is heard."""
    environment = os.environ | more.pop("env", {})
    return subprocess.Popen(
        [sys.executable, "-m", "simulation", *args], text=True, env=environment, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler), **more,
    )


# ---- help and start

def test_help_loads_nothing_heavy():
    code = f"""
import sys
from simulation.cli import build, main
build()
assert main(["--help"]) == 0
heavy = [name for name in {HEAVY!r} if name in sys.modules]
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for command in {leaf.split()[0] for leaf in LEAVES}:
        assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE), command
    assert "completion" not in done.stdout


@pytest.mark.parametrize("command", ["", *LEAVES])
def test_help(cramplab, command):
    code, out, err = cramplab(*command.split(), "--help")
    assert (code, err) == (0, "")
    assert out.isascii()
    assert max(map(len, out.splitlines())) <= 80
    assert f"cramplab {command}".strip() in out.split("Usage:", 1)[1].split("\n", 1)[1]  # an example
    if command:
        assert "--json" in out


def test_no_arguments_is_help(cramplab):
    code, out, _ = cramplab()
    assert code == 0
    assert "Commands:" in out


def test_version(cramplab):
    assert re.fullmatch(r"cramplab \d+\.\d+.*\n", cramplab("--version")[1])


def test_python_m():
    done = subprocess.run([sys.executable, "-m", "simulation", "rest", "fibr"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "nearest: fibre" in done.stderr


# ---- JSON

NUMBER, MAYBE, TEXT = {"type": "number"}, {"type": ["number", "null"]}, {"type": "string"}


def record(**properties):
    return {"type": "object", "required": list(properties), "properties": properties}


def array(items):
    return {"type": "array", "items": items}


MEMBRANE = {"model": TEXT, "parameter_set": TEXT, "bath": record(T=NUMBER), "changed": {"type": "object"}, "mode": TEXT, "frozen": array(TEXT)}
STATE = record(V=NUMBER, stable={"type": "boolean"}, max_real_eigenvalue=NUMBER, residual=NUMBER)
REST = record(
    **MEMBRANE, states=array(STATE), E_K=MAYBE, E_Na=MAYBE, E_Cl=MAYBE, gating_shift=MAYBE, drift={"type": "object"},
    control={"type": ["object", "null"]},
)
RUN = record(
    **MEMBRANE, protocol=record(duration=NUMBER, event=array(record(kind=TEXT))), rest=NUMBER, spikes={"type": "integer"},
    spike_times=array(NUMBER), latency=MAYBE, threshold=MAYBE, files=array(TEXT),
)
SWEEP = record(
    **MEMBRANE, axes={"type": "object", "additionalProperties": {**record(count=NUMBER, unit=TEXT), "type": "object"}},
    measures=record(rest=record(unit=TEXT, text=TEXT, lowest=MAYBE, highest=MAYBE, points=NUMBER)),
    points={"type": "integer"}, failed={"type": "integer"}, failures={"type": "object"}, seconds=NUMBER, files=array(TEXT),
)
FOLLOWED = record(
    **MEMBRANE, over=array(TEXT), files=array(TEXT),
    branches=array(record(
        kind=TEXT, closed={"type": "boolean"}, count={"type": "integer"}, stable=array(array(NUMBER)),
        points=array(record(label=TEXT, V=NUMBER, period=MAYBE, growth=NUMBER, unstable={"type": "integer"})),
    )),
)
REGIMES = record(
    **MEMBRANE, axes={"type": "object"}, regimes=array(record(name=TEXT, number={"type": "integer"}, share=NUMBER, text=TEXT)),
    protocol={"type": "object"}, points={"type": "integer"}, failed={"type": "integer"}, control_rest=NUMBER, files=array(TEXT),
)
SENSITIVITY = record(
    **MEMBRANE, measure=record(name=TEXT, text=TEXT, unit=TEXT), method=TEXT, units={"type": "object"}, left_out={"type": "object"},
    ranked=array(record(parameter=TEXT, unit=TEXT, value=NUMBER, low=NUMBER, high=NUMBER)), files=array(TEXT),
)
FIT = record(
    **MEMBRANE, fitted_to=TEXT, evidence={"const": "none: a fit"}, determined=TEXT, starts=NUMBER, agreeing=NUMBER, files=array(TEXT),
    parameters=array(record(parameter=TEXT, unit=TEXT, before=NUMBER, after=NUMBER, low=NUMBER, high=NUMBER, at_bound={"type": "boolean"}, sd=MAYBE)),
    data=array(record(name=TEXT, data=NUMBER, before=NUMBER, after=NUMBER, residual_before=NUMBER, residual_after=NUMBER)),
)
ROW = record(
    id=TEXT, group=TEXT, experiment=TEXT, expected=array(MAYBE), unit=TEXT, value=MAYBE, mean=MAYBE, deviation=MAYBE, verdict=TEXT, evidence=TEXT,
    source=array(TEXT), known=TEXT, species=TEXT, note=TEXT, remark=TEXT,
)
PARAMETER = record(value=NUMBER, unit=TEXT, kind=TEXT, source=array(TEXT), range=array(NUMBER), note=TEXT, stated_in=TEXT)
SCHEMAS = {
    "models": record(
        models=array(record(name=TEXT, title=TEXT, states={"type": "integer"}, bath=array(TEXT))),
        parameter_sets=array(record(name=TEXT, model=TEXT)),
    ),
    "equations squid": record(model=TEXT, equations=array(record(symbol=TEXT, expression=TEXT, unit=TEXT, text=TEXT, scope=TEXT))),
    "equations squid I_Na --latex": record(equations=array(record(symbol=TEXT, latex=TEXT))),
    "equations squid --source": record(model=TEXT, source=TEXT),
    "parameters list": record(parameter_sets=array(record(name=TEXT, model=TEXT, title=TEXT))),
    "parameters show squid g_Na": record(name=TEXT, parameters=record(g_Na=PARAMETER)),
    "parameters diff fibre fibre_hypopp": record(sets=array(TEXT), parameters=record(P_gp=array(PARAMETER))),
    "parameters check": record(fibre=record(sound={"const": True}, complaint={"type": "null"})),
    "parameters cite fibre": record(set=TEXT, sources=array(record(key=TEXT, reference=TEXT, parameters=array(TEXT)))),
    "rest fibre": REST,
    "rest squid": REST,
    "continue squid --over T=5:15": FOLLOWED,
    "regimes squid --over T=5:15:2 --over g_K=20,36 --jobs 1": REGIMES,
    "continue squid --over E_L=-70:-10 --and g_K=20:40": FOLLOWED,
    "run squid --step 20ms:20": RUN,
    "run squid --duration 20ms": RUN,
    "sweep squid --over T=5:15:3 --jobs 1 --out m.nc": SWEEP,
    "sensitivity squid": SENSITIVITY,
    "sensitivity fibre --method morris --samples 2 --spread 0.2 --over P_Kir,P_NaL --jobs 1": SENSITIVITY,
    "fit fibre P_Kir --to rest-8 --restarts 0": FIT,
    "validate rest-4 gramicidin --jobs 1": array(ROW),
    "validate rest-4 --missed --jobs 1": {"type": "array", "maxItems": 0},
}


@pytest.mark.parametrize("line", SCHEMAS)
def test_json(here, data, line):
    jsonschema.validate(data(*line.split()), SCHEMAS[line])


def test_clean():
    import numpy as np

    dirty = {"a": (np.nan, np.float64(1), float("inf")), "b": Path("x"), 3: np.array([1, 2])}
    assert output.clean(dirty) == {"a": [None, 1.0, None], "b": "x", "3": [1, 2]}


# ---- validation

def test_validation_in_groups_with_a_page(here, cramplab, monkeypatch):
    for width in (80, 100):
        monkeypatch.setenv("COLUMNS", str(width))
        code, out, err = cramplab("validate", "--group", "low potassium", "rest-4", "--jobs", "1", "--html", "page.html")
        assert (code, err) == (0, "")
        assert max(map(len, out.splitlines())) <= width
        for line in ("Resting potential$", "  = tuned or built 1 of 1$", "Low potassium$", r"  = experiments \d of \d"):
            assert re.search(f"^{line}", out, re.MULTILINE)
        assert re.search(r"^\d+ rows\. Independent experiments: \d+ of \d+ met", out, re.MULTILINE)
        assert out.rstrip().endswith("Saved: page.html")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "cramplab validate rest-4 --group &#x27;low potassium&#x27;" in page


def test_nothing_missed(cramplab):
    assert cramplab("validate", "rest-4", "--missed", "--jobs", "1")[1].startswith("None of these is missed.")


# ---- rest

def test_rest_of_the_fibre(cramplab, data):
    found = data("rest", "fibre", "--bath", "K=2.5,Ca=0.6")
    stable = [s["V"] for s in found["states"] if s["stable"]]
    assert len(stable) == 2
    assert -120 < found["E_K"] < stable[0] < -80 < stable[1] < -50
    assert found["gating_shift"] < 0
    assert found["bath"]["K"] == 2.5
    assert found["bath"]["Na"] == 140
    assert found["control"]["gating_shift"] == 0
    code, out, err = cramplab("rest", "fibre", "--bath", "K=2.5", "--bath", "Ca=0.6")
    assert (code, err) == (0, "")
    assert f"The membrane rests at {stable[0]:.1f} mV (stable" in out
    assert f"A second stable rest is at {stable[1]:.1f} mV" in out
    assert "is paralysed" in out.replace("\n", " ")
    assert "point of no return" in out


def test_rest_of_the_squid(cramplab, data):
    found = data("rest", "squid")
    assert found["E_K"] == -77
    assert found["E_Cl"] is None
    assert found["gating_shift"] is None
    assert found["control"] is None
    out = cramplab("rest", "squid")[1]
    assert "-65.0 mV (stable" in out
    assert "\x1b" not in out
    assert out.isascii()


def test_unstable_rest_is_a_finding(cramplab):
    code, out, _ = cramplab("rest", "squid", "--scale", "g_K=0.2")
    assert code == 0
    if "no stable rest" not in out:
        pytest.skip("rests stably at this conductance")
    assert "at the least push" in out.replace("\n", " ")


def test_acute_and_frozen_are_told(data, cramplab):
    found = data("rest", "fibre", "--bath", "K=2", "--acute", "--freeze", "tubule")
    assert found["mode"] == "acute"
    assert found["frozen"] == ["tubule"]
    assert "acute" in cramplab("rest", "fibre", "--bath", "K=2", "--acute")[1]


def test_set_and_scale(data, cramplab):
    assert data("rest", "squid", "--set", "E_K=-80")["E_K"] == -80
    assert data("rest", "squid", "--scale", "g_L=0.9,g_K=1.1")["changed"] == {"g_L": "scaled by 0.9", "g_K": "scaled by 1.1"}
    assert data("rest", "squid", "--set", "T=7degC")["bath"] == {"T": 7}
    assert "E_K: -80 mV instead of -77" in cramplab("rest", "squid", "--set", "E_K=-80")[1]


def test_implausible_values_are_a_note(cramplab):
    code, out, err = cramplab("rest", "squid", "--scale", "g_Na=3", "--json")
    assert code == 0
    json.loads(out)
    assert re.fullmatch(r"Note: g_Na = 360 mS/cm2 lies outside its plausible range .*\.\n", err)


def test_own_parameter_file(here, data, cramplab):
    (here / "mine.toml").write_text(MINE, encoding="utf-8")
    found = data("run", "mine.toml", "--pulse", "1:20", "--out", "mine.nc")
    assert found["parameter_set"] == "mine"
    (here / "mine.toml").unlink()
    assert "set mine" in cramplab("why", "mine.nc")[1]
    assert cramplab("figure", "mine.nc", "--size", "column")[0] == 0
    assert (here / "mine.svg").exists()


MINE = """
name = "mine"
inherits = "squid"
title = "Mine"
[parameters]
g_Na = { value = 100.0, unit = "mS/cm2", kind = "assumed", range = [50.0, 200.0], note = "own choice" }
"""


# ---- equations and parameters

def test_equations(cramplab):
    out = cramplab("equations", "fibre")[1]
    assert re.search(r"^  I_Kir_t = theta_P \* P_Kir_t \* y_Kir_t \* GHK_K_t   \[uA/cm2\]$", out, re.MULTILINE)
    assert re.search(r"^tubule, potassium channels$", out, re.MULTILINE)
    assert out.index("sarcolemma, NaV1.4") < out.index("tubule, NaV1.4")
    assert "psi = the psi at which" in out
    assert max(map(len, out.splitlines())) <= 80
    latex = cramplab("equations", "squid", "I_Na", "--latex")[1]
    assert latex.startswith("% I_Na (uA/cm2): Sodium current")
    assert latex.count(r"\begin{equation*}") == 1
    source = cramplab("equations", "squid", "--source")[1]
    compile(source, "squid", "exec")
    assert "%\"g_Na\" = load" in cramplab("equations", "squid", "--llvm")[1]


def test_parameters(here, cramplab):
    out = cramplab("parameters", "show", "squid")[1]
    assert re.search(r"g_Na +120 +mS/cm2 ", out)
    assert re.search(r"known +fitted", cramplab("parameters", "show", "fibre", "P_NaL")[1])
    assert cramplab("parameters", "diff", "squid", "squid")[1] == "squid and squid have the same values.\n"
    assert re.search(r"^P_gp +0 cm/s ", cramplab("parameters", "diff", "fibre", "fibre_hypopp")[1], re.MULTILINE)
    assert "Hodgkin & Huxley (1952)" in cramplab("parameters", "cite", "squid")[1]
    assert cramplab("parameters", "cite", "squid", "--bibtex")[1].startswith("@article{hodgkin1952,")


def test_check_tells_what_is_wrong(here, cramplab):
    (here / "mine.toml").write_text(MINE.replace("g_Na", "g_Naa"), encoding="utf-8")
    (here / "cites.toml").write_text(MINE.replace('kind = "assumed"', 'kind = "fitted", source = ["nobody1900"]'), encoding="utf-8")
    code, out, _ = cramplab("parameters", "check", "mine.toml", "cites.toml", "squid")
    assert code == 2
    assert "mine.toml: mine.toml: 'squid' has no parameter 'g_Naa'; nearest: g_Na" in out
    assert "g_Na cites 'nobody1900'" in out
    assert "squid: sound" in out


# ---- run

def test_run_says_what_happened(cramplab):
    code, out, err = cramplab("run", "squid", "--step", "50ms:20")
    assert (code, err) == (0, "")
    assert "Done to it: a pulse of 20 uA/cm2 for 50 ms from 10 ms" in out
    assert re.search(r"It fires 5 spikes, the first at 11\.\d+ ms", out)
    assert "Spikes at 11.2," in out
    assert max(map(len, out.splitlines())) <= 80
    assert "It does not fire" in cramplab("run", "squid", "--duration", "20")[1]


def test_events_combine(data):
    found = data("run", "squid", "--pulse", "1:20@5", "--pulse", "1:20@30", "--clamp", "5ms:-70@50", "--duration", "0.07s")
    assert [e["kind"] for e in found["protocol"]["event"]] == ["pulse", "pulse", "clamp"]
    assert found["protocol"]["duration"] == 70


def test_protocol_file_and_options(here, data):
    (here / "p.toml").write_text('duration = 30\n[[event]]\nkind = "pulse"\namplitude = 20\nduration = 1\nat = 5\n', encoding="utf-8-sig")
    assert data("run", "squid", "--protocol", "p.toml")["protocol"]["duration"] == 30
    more = data("run", "squid", "--protocol", "p.toml", "--pulse", "1:20@40")
    assert [e["at"] for e in more["protocol"]["event"]] == [5, 40]
    assert more["protocol"]["duration"] == 61


def test_a_bath_change_leaves_the_rest_of_the_bath(fibre):
    plan = options.Plan((), (({"Ca": 0.6}, 50.0), ({"K": 8.0}, 20.0)), None, None)
    events = plan.protocol(fibre.in_bath("Mg=9.5mM")).events
    assert [(e.at, dict(e.bath)) for e in events] == [(20.0, {"Mg": 9.5, "K": 8.0}), (50.0, {"Mg": 9.5, "K": 8.0, "Ca": 0.6})]


def test_solver_options(data):
    assert data("run", "squid", "--pulse", "1:20", "--solver", "BDF", "--rtol", "1e-5")["spikes"] == 1


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (quantities.pulse, "0.5ms:300@10", Pulse(300, 0.5, 10)),
        (quantities.pulse, "500us:300uA/cm2@10ms", Pulse(300, 0.5, 10)),
        (quantities.pulse, "0.5 ms : -3e2 \N{MICRO SIGN}A/cm\N{SUPERSCRIPT TWO}", Pulse(-300, 0.5, 10)),
        (quantities.step, "0.2s:70@0", Pulse(70, 200, 0)),
        (quantities.train, "30Hz:1s:300", Train(30, 1000, 300, at=10)),
        (quantities.train, "30:1s:300:1ms@5", Train(30, 1000, 300, 1, 5)),
        (quantities.ramp, "200ms:0:100@10", Ramp(0, 100, 200, 10)),
        (quantities.noise, "500:20", Noise(20, 500, 1, at=10)),
        (quantities.noise, "500:20:7@1s", Noise(20, 500, 7, at=1000)),
        (quantities.clamp, "20ms:-20mV@10", Clamp(-20, 20, 10)),
        (quantities.bath_change, "K=8,Ca=9.5mg/dL@0.1s", ({"K": 8.0, "Ca": pytest.approx(2.37, abs=0.01)}, 100.0)),
    ],
)
def test_events_as_written(read, text, expected):
    assert read(text) == expected


@pytest.mark.parametrize("event", [Pulse(1, 2), Train(30, 100, 5), Ramp(0, 1, 2), Noise(1, 2, 3), Clamp(-20, 5), BathChange(Bath(K=8), 3)])
def test_every_event_has_words(event):
    from simulation.experiment.protocol import Protocol

    line = words.protocol(Protocol(100, (event,)).to_dict(), "uA/cm2")[0]
    assert re.match(r"a |noise of |voltage clamp at |bath changed to ", line)


@pytest.mark.parametrize(
    ("ms", "text"), [(0.5, "0.5 ms"), (8.29, "8.29 ms"), (1980, "2 s"), (90_000, "90 s"), (145_159, "2.4 min"), (3e7, "8.3 h"), (1e9, "278 h")]
)
def test_duration(ms, text):
    assert words.duration(ms) == text


# ---- from run to figure

def test_run_figure_why(here, cramplab, data):
    made = data("run", "squid", "--set", "T=10", "--step", "20ms:20", "--out", "run.nc", "--figure", "first.svg", "--size", "column")
    assert made["files"] == ["run.nc", "first.svg"]
    drawn = data("figure", "run.nc", "--format", "svg,pdf,png", "--size", "column", "--out", "second.svg")
    assert drawn["kind"] == "traces"
    assert drawn["files"] == ["second.svg", "second.pdf", "second.png"]
    assert drawn["alt"]
    assert (here / "first.svg").read_bytes() == (here / "second.svg").read_bytes()
    cramplab("run", "squid", "--set", "T=10", "--step", "20ms:20", "--out", "run.csv")
    told = {name: cramplab("why", name)[1].split("\n", 1) for name in ("run.nc", "run.csv", "second.svg", "second.pdf", "second.png")}
    for name, (head, body) in told.items():
        assert head == f"{name}: a run"
        for part in ("squid", "T: 10 degC instead of 6.3", "a pulse of 20 uA/cm2 for 20 ms from 10 ms", "LSODA", "those of this version"):
            assert part in body, (name, part)
    assert "untouched membrane" in told["second.svg"][1]
    assert data("why", "run.nc")["provenance"]["model"] == "squid"
    assert "untouched" not in cramplab("figure", "run.nc", "--no-control", "--size", "column")[1]


def test_gates_of_a_run(here, cramplab, data):
    data("run", "squid", "--duration", "5", "--out", "run.nc")
    assert data("figure", "run.nc", "--kind", "gates", "--measure", "m,h", "--size", "column", "--out", "gates.svg")["kind"] == "gates"
    assert "squid" in cramplab("why", "gates.svg")[1]


def test_figures_of_sweeps(here, cramplab, data):
    data("sweep", "squid", "--over", "T=5:15:3", "--measure", "rest,I_K", "--jobs", "1", "--out", "line.nc")
    data("sweep", "squid", "--over", "T=5:15:3", "--over", "g_Na_scale=0.8,1,1.2", "--jobs", "1", "--out", "map.nc")
    assert data("figure", "line.nc", "--size", "column")["kind"] == "rest"
    assert data("figure", "line.nc", "--size", "column", "--measure", "I_K")["kind"] == "lines"
    assert data("figure", "map.nc", "--size", "column", "--out", "sub/map.png")["files"] == [str(Path("sub/map.png"))]
    out = cramplab("why", str(Path("sub/map.png")))[1]
    assert "a sweep" in out
    assert re.search(r"axis T +from 5 to 15 degC, 3 values", out)
    for kind, wanted in (("map", "line.nc"), ("lines", "map.nc")):
        assert cramplab("figure", wanted, "--kind", kind)[0] == 2


# ---- sweep

def test_sweep_tells_failures(here, cramplab, data):
    found = data("sweep", "squid", "--over", "C_m=0,1", "--measure", "rheobase", "--jobs", "1", "--out", "m.csv")
    assert (found["points"], found["failed"]) == (2, 1)
    assert list(found["failures"].values()) == [1]
    assert "a sweep" in cramplab("why", "m.csv")[1]
    code, out, err = cramplab("sweep", "squid", "--over", "C_m=0,1", "--measure", "rheobase", "--jobs", "1", "--out", "m.nc")
    assert code == 0
    assert re.search(r"2 points in .*, 1 failed\.", out)
    assert "1 point: squid has no steady state" in out
    assert "Saved: m.nc" in out
    assert err == ""


def test_sweep_keeps_one_protocol(here, data):
    found = data("sweep", "squid", "--over", "T=5,6", "--measure", "rest,spikes", "--step", "20:20", "--jobs", "1", "--out", "m.nc", "--rtol", "1e-5")
    assert found["protocol"]["event"][0]["amplitude"] == 20
    assert found["measures"]["spikes"]["highest"] >= 1


def test_resume_with_nothing_unfinished_just_runs(here, data):
    assert data("sweep", "squid", "--over", "T=5,6", "--jobs", "1", "--resume", "--out", "m.nc")["points"] == 2


INTERRUPTED = ("sweep", "squid", "--over", "T=4:24:60", "--measure", "rest,I_K", "--solver", "LSODA", "--out", "map.nc")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The result of the sweep that the next tests interrupt."""
    from simulation.studies.sweep import open_sweep

    path = tmp_path_factory.mktemp("sweep") / "map.nc"
    assert cli.main([*INTERRUPTED[:-1], str(path), "--jobs", "1"]) == 0
    return open_sweep(path)


def wait_for_blocks(unfinished: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(unfinished.glob("status/c/*"))) < count:
        assert time.monotonic() < deadline, "the sweep does not get going"
        time.sleep(0.02)


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_and_resume(here, cramplab, undisturbed, jobs):
    from simulation.studies.sweep import open_sweep

    with open("err.txt", "w") as err, process(*INTERRUPTED, "--jobs", jobs, stdout=subprocess.DEVNULL, stderr=err, cwd=here) as running:
        wait_for_blocks(here / "map.nc.unfinished", 2)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to every process of the command
        assert running.wait(30) == 130
    said = (here / "err.txt").read_text()
    assert re.search(r"stopped by Ctrl-C; \d+ of 60 points are finished and kept in map.nc.unfinished\. .* --resume\.", said)
    assert "Traceback" not in said
    assert "Error" not in said
    assert not (here / "map.nc").exists()
    code, _, err_without = cramplab(*INTERRUPTED, "--jobs", "1")
    assert code == 2
    assert "go on with --resume" in err_without
    code, _, err_with = cramplab(*INTERRUPTED, "--jobs", "1", "--resume")
    assert code == 0
    assert re.match(r"\d+ of 60 points\n", err_with)
    assert open_sweep("map.nc").drop_attrs().identical(undisturbed.drop_attrs())
    assert not (here / "map.nc.unfinished").exists()


@posix
def test_kill_and_resume(here, cramplab, undisturbed):
    from simulation.studies.sweep import open_sweep

    with process(*INTERRUPTED, "--jobs", "1", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=here) as running:
        wait_for_blocks(here / "map.nc.unfinished", 2)
        running.kill()
    kept = len(list((here / "map.nc.unfinished").glob("status/c/*")))
    code, _, err = cramplab(*INTERRUPTED, "--jobs", "1", "--resume")
    assert code == 0, err
    assert int(re.match(r"(\d+) of 60 points", err)[1]) == 4 * kept  # what is finished is not done again
    assert open_sweep("map.nc").drop_attrs().identical(undisturbed.drop_attrs())


def test_ctrl_c_in_any_command(cramplab, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("simulation.experiment.rest.find_rest", stopped)
    assert cramplab("rest", "squid")[::2] == (130, "stopped by Ctrl-C; nothing new was saved.\n")


def test_progress_on_a_terminal(monkeypatch, capsys):
    from simulation.cli import sweep

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with sweep.progress_bar() as progress:
        for done in range(4):
            progress(done, 3)
    assert "point" in progress.farewell(Path("m.nc"))
    assert capsys.readouterr().out == ""


# ---- refusals: a sentence on standard error, and the exit code

REFUSED = [
    # the membrane
    ("rest fibr", 2, "there is no model 'fibr'; nearest: fibre"),
    ("rest fibre_hypop", 2, "nearest: fibre_hypopp"),
    ("rest no.toml", 2, "there is no file no.toml"),
    ("rest broken.toml", 2, "broken.toml is not valid TOML"),
    ("rest", 2, "Missing argument 'MODEL'. Help: cramplab rest --help"),
    ("rest fibre --bath K=0", 2, "bath K = 0 mM: a concentration is above 0"),
    ("rest fibre --bath K=-1", 2, "bath K = -1 mM: a concentration is above 0"),
    ("rest fibre --bath Ca=9.5", 2, "write Ca=9.5mg/dL"),
    ("rest fibre --bath K=nan", 2, "is not a number"),
    ("rest fibre --bath K=1e999", 2, "is not a number that a bath can have"),
    ("rest fibre --bath Kk=2", 2, "the bath has no 'Kk'; nearest: K"),
    ("rest fibre --bath K", 2, "for example K=2.5"),
    ("rest fibre K=2.5", 2, 'in PowerShell a list needs quotes: --bath "K=2.5,Ca=0.6"'),
    ("rest squid --bath K=2.5", 2, "the bath of squid has no K"),
    ("rest fibre --set P_Nna=1", 2, "has no parameter 'P_Nna'; nearest: P_Na"),
    ("rest fibre --set P_Na", 2, "'P_Na' is not of the form SYMBOL=NUMBER"),
    ("rest fibre --set P_Na=0,5", 2, "decimals are written with a point"),
    ("rest fibre --set P_Na=x", 2, "--set P_Na: 'x' is not a number in cm/s; in control it is"),
    ("rest fibre --set P_Na=nan", 2, "P_Na = nan is not a number that a model can use"),
    ("rest fibre --set P_Na=inf", 2, "P_Na = inf is not a number that a model can use"),
    ("rest fibre --set K_o=0", 2, "bath K = 0 mM: a concentration is above 0"),
    ("rest fibre --set K_o=2 --bath K=3", 2, "K_o is set twice"),
    ("rest fibre --set T=310", 2, "temperature goes from 0 to 45 degC"),
    ("rest fibre --scale P_Na=-1", 2, "P_Na cannot be scaled by -1"),
    ("rest fibre --scale P_Na=2 --scale P_Na=3", 2, "--scale names P_Na twice"),
    ("rest fibre --scale P_Na=much", 2, "--scale P_Na: 'much' is not a number"),
    ("rest fibre --freeze tubul", 2, "there is no ion store 'tubul'; nearest: tubule"),
    ("rest fibre --chronic --acute", 2, "--chronic and --acute exclude each other"),
    ("rest squid --scale C_m=0", 1, "squid has no steady state between -180 and 40 mV"),
    # the experiment
    ("run squid", 2, "say what is done to the membrane: --pulse 0.5ms:300@10, --step, --train"),
    ("run squid --pulse 1ms", 2, "write DURATION:AMPLITUDE[@START], as in --pulse 0.5ms:300@10"),
    ("run squid --pulse 300:1ms", 2, "'1ms' is not a current"),
    ("run squid --pulse 0,5ms:300", 2, "decimals are written with a point"),
    ("run squid --pulse nan:3", 2, "'nan' is not a time"),
    ("run squid --pulse 0:3", 2, "pulse: duration = 0 has to be above 0"),
    ("run squid --pulse 1:3@50 --duration 20", 2, "at = 50 ms lies after the end of the run at 20 ms"),
    ("run squid --pulse 1:3@-5", 2, "lies before the start of the run"),
    ("run squid --duration 0", 2, "duration = 0 has to be above 0"),
    ("run squid --duration 5m", 2, "--duration: '5m' is not a time; for example 20ms or 1s"),
    ("run squid --train 3000Hz:1s:3", 2, "pulses of 0.5 ms overlap at 3000 Hz"),
    ("run squid --train 30Hz:1e6s:3", 2, "more than the 100000 that a run can hold"),
    ("run squid --noise 20:3:1.5", 2, "a seed is a whole number"),
    ("run squid --bath-change T=20", 2, "say what changes and when, as in --bath-change K=8@100"),
    ("run squid --bath-change K=8@10", 2, "the bath of squid has no K"),
    ("run squid --protocol no.toml", 2, "cannot read no.toml: No such file"),
    ("run squid --protocol broken.toml", 2, "broken.toml is not valid TOML"),
    ("run squid --protocol shape.toml", 2, "events are tables, each begun by a line [[event]]"),
    ("run squid --pulse 1:3 --solver LSODAA", 2, "there is no solver 'LSODAA'; nearest: LSODA"),
    ("run squid --pulse 1:3 --rtol 2", 2, "rtol lies between 0 and 1"),
    ("run squid --pulse 1:3 --rtol x", 2, "'--rtol'"),
    # files
    ("run squid --pulse 1:3 --out run", 2, "a run is written as .nc or .csv, not as 'run'; for example run.nc"),
    ("run squid --pulse 1:3 --out run.xlsx", 2, "not as '.xlsx'; for example run.nc"),
    ("run squid --pulse 1:3 --out folder.nc", 2, "a folder has that name"),
    ("run squid --pulse 1:3 --out file/run.nc", 2, "file is a file, not a folder"),
    ("run squid --pulse 1:3 --figure run.jpg", 2, "a figure is written as .svg or .pdf or .png, not as '.jpg'"),
    ("run squid --pulse 1:3 --figure run.svg --size huge", 2, "there is no size 'huge'"),
    # sweeps
    ("sweep squid --out m.nc", 2, "say what is varied: --over NAME=FROM:TO:COUNT"),
    ("sweep squid --over T=5:15:3", 2, "say where the result is kept: --out FILE"),
    ("sweep squid --over T=5:15:0 --out m.nc", 2, "COUNT whole, from 1 up"),
    ("sweep squid --over T --out m.nc", 2, "write NAME=FROM:TO:COUNT"),
    ("sweep squid --over T=1,2 --over g_Na=1,2 --over g_K=1,2 --out m.nc", 2, "a sweep has one or two axes, not 3"),
    ("sweep squid --over T=1,2 --over T=1,2 --out m.nc", 2, "the axis T is there twice"),
    ("sweep squid --over T=4,2,8 --out m.nc", 2, "the values of the axis T have to rise or fall throughout"),
    ("sweep squid --over T=5:5:3 --out m.nc", 2, "the values of the axis T have to rise or fall throughout"),
    ("sweep squid --over T=1,2 --measure , --out m.nc", 2, "a sweep measures something, for example rest"),
    ("sweep squid --over T=1,2 --measure restt --out m.nc", 2, "nearest: rest"),
    ("sweep fibre --over K=0:5:3 --out m.nc", 2, "a concentration is above 0"),
    ("sweep fibre --over P_Kirr=1,2 --out m.nc", 2, "nearest: P_Kir"),
    ("sweep fibre --over K=2,3 --bath-change Ca=0.6@10 --measure spikes --out m.nc", 2, "would undo the axis K"),
    ("sweep squid --over T=1,2 --out m.svg", 2, "a sweep is written as .nc or .csv or .zarr"),
    ("sweep squid --over T=1,2 --out folder.nc", 2, "a folder has that name"),
    ("sweep squid --over T=1,2 --jobs 0 --out m.nc", 2, "'--jobs'"),
    # continuation
    ("continue fibre", 2, "say what is changed: --over NAME=FROM:TO"),
    ("continue fibre --over K=3", 2, "'K=3' is not a range; write NAME=FROM:TO, the smaller value first"),
    ("continue fibre --over K=12:3", 2, "is not a range"),
    ("continue fibre --over K=0:3", 2, "a concentration is above 0"),
    ("continue fibre --over P_Kirr=1:2", 2, "nearest: P_Kir"),
    ("continue fibre --over K=1:2 --and K=1:2", 2, "the axis K is there twice"),
    ("continue squid --over T=5:15 --out c.zarr", 2, "a continuation is written as .nc or .csv"),
    ("continue squid --over T=5:15 --figure c.svg --size huge", 2, "there is no size 'huge'"),
    ("continue squid --over T=5:7 --and g_L=0.3:0.31 --figure c.svg", 2, "there are no folds and no Hopf points"),
    # regimes
    ("regimes fibre", 2, "say what is varied, twice"),
    ("regimes fibre --over K=2:9:3", 2, "say what is varied, twice"),
    ("regimes fibre --over K=2:9:3 --over K=2:9:3", 2, "the axis K is there twice"),
    ("regimes fibre --over K=2:9:3 --over Ca=1,3,2", 2, "the values of the axis Ca have to rise or fall throughout"),
    ("regimes fibre --over K=2:9:3 --over Ca=1,2 --out r.zarr", 2, "a map of regimes is written as .nc or .csv"),
    ("regimes fibre --over K=2,3 --over Mg=0.5,1 --bath-change Ca=0.6@10", 2, "would undo the axis K"),
    # validation
    ("validate rest4", 2, "there is no validation row 'rest4'; nearest: rest-4"),
    ("validate --group axons", 2, "there is no group 'axons'; nearest: axon"),
    ("validate rest-4 --html page.pdf", 2, "the page is written as .html, not as '.pdf'; for example page.html"),
    ("validate rest-4 --html folder.nc", 2, "the page is written as .html"),
    # figures and origins
    ("figure no.nc", 2, "there is no file no.nc"),
    ("figure broken.nc", 2, "is neither a run nor a sweep of cramplab"),
    ("figure folder.nc", 2, "is a folder"),
    ("figure run.csv", 2, "figures are made from .nc files"),
    ("figure run.nc --kind map", 2, "is a run: what can be drawn of it is traces, gates, not map"),
    ("figure run.nc --kind trace", 2, "there is no kind of figure 'trace'; nearest: traces"),
    ("figure run.nc --format jpg", 2, "a figure is written as svg, pdf, png, not as 'jpg'"),
    ("figure run.nc --measure I_Naa", 2, "nearest: I_Na"),
    ("why no.nc", 2, "there is no file no.nc"),
    ("why broken.nc", 2, "cannot be read as netCDF"),
    ("why foreign.csv", 2, "does not say what made it"),
    ("why foreign.svg", 2, "does not say what made it"),
    ("why broken.toml", 2, "cramplab makes no '.toml' files"),
    # the explorer
    ("explore squit", 2, "the explorer has no membrane 'squit'; nearest: squid"),
    ("explore motor_unit", 2, "the explorer has no membrane 'motor_unit'"),
    ("explore squid --port 99999", 2, "less than or equal to 65535"),
    # the rest
    ("equations squid I_Naa", 2, "squid has no equation for 'I_Naa'; nearest: I_Na"),
    ("equations squid --source --latex", 2, "--source prints the whole model"),
    ("equations squid --source --llvm", 2, "ask for one of them"),
    ("parameters show squit", 2, "there is no parameter set 'squit'; nearest: squid"),
    ("parameters show squid g_Naa", 2, "nearest: g_Na"),
    ("parameters", 2, "Usage: cramplab parameters"),
    ("rset fibre", 2, "Did you mean 'rest'"),
    ("rest squid --bat T=2", 2, "No such option: --bat"),
]


@pytest.fixture(scope="module")
def cupboard(tmp_path_factory) -> Path:
    """A folder with things that are not what they should be."""
    folder = tmp_path_factory.mktemp("cupboard")
    (folder / "broken.toml").write_text("x = [", encoding="utf-8")
    (folder / "shape.toml").write_text("event = 3", encoding="utf-8")
    (folder / "broken.nc").write_text("no netCDF", encoding="utf-8")
    (folder / "foreign.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "foreign.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    (folder / "run.csv").write_text("", encoding="utf-8")
    (folder / "file").write_text("", encoding="utf-8")
    (folder / "folder.nc").mkdir()
    assert cli.main(["run", "squid", "--duration", "5", "--out", str(folder / "run.nc")]) == 0
    return folder


@pytest.mark.parametrize(("line", "code", "sentence"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refusal(cupboard, monkeypatch, cramplab, line, code, sentence):
    monkeypatch.chdir(cupboard)
    before = sorted(cupboard.iterdir())
    got, out, err = cramplab(*line.split())
    assert got == code
    assert out == ""
    assert sentence in err
    assert "Traceback" not in err
    if not sentence.startswith("Usage"):
        assert len(err.splitlines()) <= (2 if "Note:" in err else 1)
    assert sorted(cupboard.iterdir()) == before


def test_a_folder_that_is_closed(here, monkeypatch, cramplab):
    monkeypatch.setattr(os, "access", lambda *_: False)
    code, _, err = cramplab("run", "squid", "--pulse", "1:3", "--out", "run.nc")
    assert code == 2
    assert "is not allowed; take another folder" in err


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device"), "cannot write x.nc: the disk is full; make room"),
        (RuntimeError("NetCDF: HDF error"), "cannot write x.nc: NetCDF: HDF error (is the disk full?); make room"),
    ],
)
def test_a_full_disk(error, sentence):
    with pytest.raises(WrongUse, match=re.escape(sentence)), output.saving(Path("x.nc"), "make room"):
        raise error


@posix
def test_a_full_disk_below_standard_output():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "simulation", "models"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (2, "cannot read or write the output: the disk is full\n")


@posix
def test_a_reader_that_goes_away():
    with process("equations", "fibre", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 0


def test_a_mistake_of_our_own(cramplab, monkeypatch):
    def wrong(*_):
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr("simulation.experiment.rest.find_rest", wrong)
    monkeypatch.delenv("CRAMPLAB_DEBUG", raising=False)
    code, out, err = cramplab("rest", "squid")
    assert (code, out) == (70, "")
    assert "ZeroDivisionError: float division by zero). Please report it" in err
    assert "Traceback" not in err
    monkeypatch.setenv("CRAMPLAB_DEBUG", "1")
    code, _, err = cramplab("rest", "squid")
    assert code == 70
    assert "Traceback (most recent call last)" in err


# ---- terminals

def test_letters_that_a_terminal_lacks():
    codecs.register_error("nearest_letter_in_tests", output._nearest_letter)
    text = "\N{MICRO SIGN}A/cm\N{SUPERSCRIPT TWO} \N{MINUS SIGN}3 \N{DEGREE SIGN}C St\N{LATIN SMALL LETTER A WITH RING ABOVE}lberg \N{SNOWMAN}"
    assert text.encode("ascii", errors="nearest_letter_in_tests") == b"uA/cm2 -3 degC Stalberg ?"


def test_long_sentences_are_wrapped_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    output.complain("word " * 30 + "37 degC")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 40


def test_a_number_keeps_its_unit():
    assert output.wrapped("to be or not to be at 37 degC", width=25).splitlines() == ["to be or not to be at", "37 degC"]


@pytest.mark.parametrize("line", ["models", "parameters list", "parameters show fibre", "parameters cite fibre", "rest fibre --bath K=2.5"])
def test_eighty_columns(cramplab, line):
    code, out, _ = cramplab(*line.split())
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_words_for_every_kind_of_rest():
    from types import SimpleNamespace

    def state(V: float, rate: float) -> SimpleNamespace:
        return SimpleNamespace(V=V, stable=rate < 0, max_real_eigenvalue=rate)

    def said(model: str, *states: SimpleNamespace) -> str:
        bound = SimpleNamespace(name=model)
        found = SimpleNamespace(states=states, stable=tuple(s for s in states if s.stable), preparation=SimpleNamespace(bound=bound))
        return " ".join(rest_command.sentences(found))

    assert said("fibre", state(-90, -1e-3)) == "The membrane rests at -90.0 mV (stable, settles with a time constant of 1 s)."
    assert "There is no stable rest: at -50.0 mV" in said("squid", state(-50, 0.1))
    three = (state(-90, -1e-3), state(-70, 1.0), state(-60, -1e-3))
    assert "a fibre that got there is paralysed. Between them lies the point of no return, -70.0 mV" in said("fibre", *three)
    assert "a membrane that got there stays there" in said("squid", *three)
