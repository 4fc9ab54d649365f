"""What is installed elsewhere is the same instrument: the wheel holds every model, parameter set, reference and notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from simulation import models, parameter_sets
from simulation.classroom import notebooks

REPOSITORY = Path(__file__).parent.parent
LIST = """
import json, simulation
from simulation import models, parameter_sets as ps
from simulation.classroom import notebooks
from simulation.studies import validation
print(json.dumps({"file": simulation.__file__, "models": models.names(), "sets": ps.available(), "references": list(ps.references()),
                  "values": {n: {s: p.value for s, p in ps.load(n).parameters.items()} for n in ps.available()}, "rows": len(validation.rows()),
                  "notebooks": {n: [notebooks.notebook(n), notebooks.notebook(n, "solution")] for n in notebooks.names()}}))
"""


def test_a_wheel_installed_elsewhere_lists_the_same(tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    elsewhere = tmp_path / "elsewhere"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(elsewhere)
    pages = ("cramplab.ipynb", "voila/templates/cramplab/index.html.j2", "voila/templates/cramplab/conf.json", "kernels/cramplab/kernel.json")
    for page in ("explorer.js", "explorer.css", *(f"page/{name}" for name in pages)):
        assert (elsewhere / "simulation" / "classroom" / page).is_file()
    done = subprocess.run(
        [sys.executable, "-c", LIST], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(elsewhere)}, check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    assert Path(found["file"]).is_relative_to(elsewhere)
    assert found["models"] == list(models.names())
    assert found["sets"] == list(parameter_sets.available())
    assert found["references"] == list(parameter_sets.references())
    assert found["values"] == {n: {s: p.value for s, p in parameter_sets.load(n).parameters.items()} for n in parameter_sets.available()}
    assert found["rows"] > 40
    assert found["notebooks"] == {n: [notebooks.notebook(n), notebooks.notebook(n, "solution")] for n in notebooks.names()}
