"""Rooms: imports run one way, and nothing heavy is loaded before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import simulation

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"llvmlite", "matplotlib", "pint", "sympy", "xarray", "pandas", "netCDF4"}


def test_imports_run_one_way():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "0 broken" in told.stdout


@pytest.mark.parametrize(("statement", "left_out"), [
    ("import simulation", HEAVY | {"numpy", "scipy", "pydantic"}),
    ("import simulation.physiology.membrane, simulation.physiology.surface_charge", HEAVY | {"scipy", "pydantic"}),
    ("import simulation.assembly", HEAVY | {"scipy", "pydantic"}),
    ("from simulation import models; [models.bound(name) for name in models.names()]", HEAVY | {"scipy", "pydantic"}),
    ("from simulation import models, parameter_sets; parameter_sets.load('fibre')", HEAVY | {"scipy"}),
    ("from simulation import prepare, run, find_rest, protocol; prepare('fibre')", HEAVY),
    ("import os; os.environ['CRAMPLAB_KERNEL'] = 'plain'; from simulation import prepare, find_rest; find_rest(prepare('squid'))", HEAVY),
])
def test_nothing_heavy_is_loaded_before_it_is_needed(statement, left_out):
    script = f"import sys; {statement}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not left_out & set(told.stdout.split())


def test_what_the_package_offers_is_there():
    assert sorted(simulation.__all__) == dir(simulation)
    for name in simulation.__all__:
        assert getattr(simulation, name).__doc__, name
    with pytest.raises(AttributeError, match="module 'simulation' has no attribute 'Barth'"):
        simulation.Barth  # noqa: B018


def test_equations_import_their_vocabulary_only():
    """Nothing in the physiology reaches for numpy, math or the assembler: that is what lets one text be read in five ways."""
    for file in (ROOT / "simulation" / "physiology").glob("*.py"):
        if file.name == "vocabulary.py":
            continue
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith(("import ", "from ")):
                assert line.startswith("from simulation.physiology"), f"{file.name}: {line}"
