"""This project beside other programs on the same work: environments made, settings chosen, runs taken in turn, a table written.

Each program has an environment of its own below the folder given, filled with wheels only; one that cannot be had is named and left out.
Of each program's settings the fastest that meets the scoring is taken. The repetitions go round, one of each program before the
next of any."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import work

HERE = Path(__file__).resolve().parent
PEERS: dict[str, tuple[str, ...]] = {
    "neuron": ("neuron",),
    "brian2": ("brian2", "numpy<2.4", "setuptools"),
    "myokit": ("myokit", "setuptools"),
    "numbalsoda": ("numbalsoda",),
    "arbor": ("arbor",),
    "jaxley": ("jaxley",),
}
TRIAL = 19  # of a map's points one in so many: prime to the lengths of its axes
COMPILER = {"brian2": "g++", "myokit": "gcc"}
TITLES = {
    "W1": "squid membrane, 1,000 ms", "W2": "squid, 1,000 points", "W3": "13-state fibre, 20 spikes", "W3S": "13-state fibre, 200 points",
}
Line = dict[str, Any]


class Absent(Exception):
    """A program that cannot be had here, and why."""


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environment(name: str, folder: Path, from_source: bool) -> Path:
    """The interpreter of a peer's environment, made if it is not there. Raises Absent."""
    compiler = COMPILER.get(name)
    if compiler and not shutil.which(compiler):
        raise Absent(f"needs a compiler ({compiler}), and there is none")
    here = folder / name
    python, ready = python_of(here), here / "ready"
    if ready.exists():
        return python
    if not python.exists():
        venv.create(here, with_pip=True)
    how = ["--prefer-binary"] if from_source else ["--only-binary", ":all:"]
    made = subprocess.run([python, "-m", "pip", "install", "--quiet", *how, *PEERS[name]], capture_output=True, text=True)
    if made.returncode:
        said = [line for line in made.stderr.splitlines() if line.startswith("ERROR")]
        raise Absent("not installed: " + (said[-1].removeprefix("ERROR: ") if said else "pip failed"))
    ready.touch()
    return python


class Program:
    """A script that serves requests, in a process of its own. Raises Absent where it does not start."""

    def __init__(self, name: str, python: Path) -> None:
        self.name = name
        module = "benchmarks.ours" if name == "cramplab" else f"benchmarks.peers.{name}"
        self.process = subprocess.Popen(
            [python, "-m", module, "--serve"], cwd=HERE.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.head = self._read("does not start")
        self.version = self.head["version"]
        self.settings: list[tuple[str, str]] = [(w, s) for w, s in self.head["settings"]]

    def _read(self, otherwise: str) -> Line:
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        if not text:
            self.close()
            raise Absent(otherwise)
        line: Line = json.loads(text)
        return line

    def ask(self, what: str, setting: str, every: int) -> Line:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"work": what, "setting": setting, "every": every}) + "\n")
        self.process.stdin.flush()
        return self._read(f"ended during {what} with {setting}")

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def choose(name: str, python: Path, works: Sequence[str], every: int, say: Callable[[str], None]) -> tuple[dict[str, Line], list[Line]]:
    """The fastest setting of a program that meets the scoring, by work, and all that were tried. A program that ends is begun again.

    Maps are first tried on a few of their points; then the settings that met it are run in full, the fastest first, until one meets that."""
    tried: list[Line] = []
    program = Program(name, python)

    def ask(what: str, setting: str, step: int) -> Line:
        nonlocal program
        try:
            line = program.ask(what, setting, step)
        except Absent as reason:
            line = {"name": name, "work": what, "setting": setting, "every": step, "failed": str(reason)}
            program = Program(name, python)
        tried.append(line)
        came = line["failed"] if "failed" in line else f"{line['seconds']:.3f} s, {'met' if line['meets'] else 'not met'}"
        say(f"  {name} {what}{f' (one point in {step})' if step > 1 else ''} {setting}: {came}")
        return line

    out: dict[str, Line] = {}
    try:
        for what in works:
            step = every if what in ("W1", "W3") else max(every, TRIAL)
            lines = [ask(what, setting, step) for w, setting in list(program.settings) if w == what]
            for line in sorted((x for x in lines if x.get("meets")), key=lambda x: x["seconds"]):
                whole = line if step == every else ask(what, line["setting"], every)
                if whole.get("meets"):
                    out[what] = whole
                    break
    finally:
        program.close()
    return out, tried


def in_turn(what: str, chosen: dict[str, str], pythons: dict[str, Path], repeats: int, every: int) -> dict[str, list[Line]]:
    """Repetitions of one piece of work, one of each program before the next of any. Raises Absent if a program ends."""
    programs = {name: Program(name, pythons[name]) for name in chosen}
    lines: dict[str, list[Line]] = {name: [] for name in chosen}
    try:
        for program in programs.values():
            program.ask(what, chosen[program.name], every)  # builds and warms up before any is timed
        for _ in range(repeats):
            for program in programs.values():
                lines[program.name].append(program.ask(what, chosen[program.name], every))
    finally:
        for program in programs.values():
            program.close()
    return lines


def summary(lines: Sequence[Line]) -> Line:
    seconds = [x["seconds"] for x in lines]
    return {**lines[-1], "seconds": statistics.median(seconds), "all_seconds": seconds}


def machine() -> dict[str, Any]:
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line.split(":", 1)[1].strip() for line in information.read_text().splitlines() if line.startswith("model name")]
        name = names[0] if names else name
    system = f"{platform.system()} {platform.machine()}"
    return {"cpu": name, "cores": os.cpu_count(), "system": system, "python": platform.python_version()}


def table(result: Line) -> str:
    """The result as Markdown."""
    here = result["machine"]
    out = [f"{here['cpu']}, {here['cores']} cores, {here['system']}, Python {here['python']}, {result['date']}; medians of {result['repeats']}.", ""]
    if result["every"] > 1:
        out += [f"Of the maps only one point in {result['every']} was run.", ""]
    for what, rows in result["works"].items():
        own = next((r["seconds"] for r in rows if r["name"] == "cramplab"), None)
        out += [f"**{what}** ({TITLES[what]})", ""]
        out.append("| program | setting | s | compiling, s | ratio | wrong counts | worst time, ms | worst K_t, mM |")
        out.append("|---|---|---:|---:|---:|---:|---:|---:|")
        for r in sorted(rows, key=lambda r: r["seconds"]):
            ratio = f"{r['seconds'] / own:.2f}" if own else ""
            errors = [f"{r[x]:.2g}" if r.get(x) is not None else "" for x in ("worst_time_error_ms", "worst_K_t_error_mM")]
            times = [f"{r['seconds']:.3g}", f"{r['compile_seconds']:.1f}", ratio]
            cells = [f"{r['name']} {r['version']}", r["setting"], *times, str(r["mismatches"]), *errors]
            out.append("| " + " | ".join(cells) + " |")
        out.append("")
    for name, reason in result["absent"].items():
        out.append(f"- {name}: {reason}")
    for name, what in result["without"]:
        out.append(f"- {name}: no setting for {what}, or none that met the scoring")
    if result["absent"] or result["without"]:
        out.append("")
    out += ["The ratio is the program's time by cramplab's, below 1 it is faster. Wrong counts: points, or spikes, unlike the reference's."]
    return "\n".join(out) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("peers", nargs="*", default=list(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--environments", type=Path, default=Path("build/peers"), help="folder of the peers' environments")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"), help="folder of the results")
    parser.add_argument("--work", nargs="+", choices=work.WORKS, default=list(work.WORKS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="take every so many points of the maps, for a trial")
    parser.add_argument("--from-source", action="store_true", help="let pip compile what has no wheel")
    a = parser.parse_args()
    if unknown := [x for x in a.peers if x not in PEERS]:
        parser.error(f"there is no peer {unknown[0]}; peers: {', '.join(PEERS)}")

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    a.environments.mkdir(parents=True, exist_ok=True)
    pythons, absent = {"cramplab": Path(sys.executable)}, {}
    picked: dict[str, dict[str, Line]] = {}
    tried: list[Line] = []
    for name in ("cramplab", *a.peers):
        try:
            if name not in pythons:
                say(f"{name}: environment")
                pythons[name] = environment(name, a.environments.resolve(), a.from_source)
            picked[name], lines = choose(name, pythons[name], a.work, a.every, say)
            tried += lines
        except Absent as reason:
            absent[name] = str(reason)
            say(f"{name}: {reason}")
    works = {}
    for what in a.work:
        chosen = {name: lines[what]["setting"] for name, lines in picked.items() if what in lines}
        say(f"{what}: {', '.join(chosen)}")
        works[what] = [summary(lines) for lines in in_turn(what, chosen, pythons, a.repeats, a.every).values()]
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(), "machine": machine(), "repeats": a.repeats, "every": a.every,
        "works": works, "absent": absent, "without": [(name, w) for name, lines in picked.items() for w in a.work if w not in lines], "tried": tried,
    }
    a.out.mkdir(parents=True, exist_ok=True)
    (a.out / "comparison.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (a.out / "comparison.md").write_text(table(result), encoding="utf-8")
    print(table(result))


if __name__ == "__main__":
    main()
