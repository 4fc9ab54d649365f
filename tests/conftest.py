"""What the tests share: how hypothesis searches, preparations made once, and rests sought once."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from simulation import cli, models
from simulation.assembly.compile import compile_model
from simulation.assembly.emit import Emitted
from simulation.experiment.preparation import prepare
from simulation.experiment.rest import find_rest

# The first call of a compiled model takes seconds, so no example has a deadline.
settings.register_profile("here", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.register_profile("thorough", settings.get_profile("here"), max_examples=1000)  # pytest --hypothesis-profile=thorough
settings.load_profile("ci" if os.environ.get("CI") else "here")


# Files that take longest come first: a file is one worker's, and at the end the other would wait for it.
LONGEST = ("validation", "browser", "exercises", "continuation", "cli", "clinic")


def pytest_collection_modifyitems(items):
    names = [f"test_{name}.py" for name in LONGEST]
    items.sort(key=lambda item: names.index(item.path.name) if item.path.name in names else len(names))


@pytest.fixture(scope="session")
def prepared():
    """``prepared(model, bath, mode=..., freeze=...)``: a preparation, the same one at every call."""
    return cache(prepare)


@pytest.fixture(scope="session")
def rested(prepared):
    """``rested(model, bath, mode=..., freeze=...)``: its rests, sought once."""
    return cache(lambda *given, **more: find_rest(prepared(*given, **more)))


@pytest.fixture(scope="session")
def squid(prepared):
    return prepared("squid")


@pytest.fixture(scope="session")
def fibre(prepared):
    return prepared("fibre")


@pytest.fixture(scope="session", params=models.names())
def model(request):
    """The name of every model in turn."""
    return request.param


@pytest.fixture(scope="session")
def bound(model):
    return models.bound(model)


@pytest.fixture(scope="session")
def kernel(bound):
    return compile_model(bound)


@pytest.fixture(scope="session")
def written_out():
    """``written_out(model)``: the emitted source of a model, run as it stands, as a module."""

    @cache
    def run(model: str) -> ModuleType:
        module = ModuleType(f"written_out_{model}")
        exec(Emitted(models.bound(model)).source, vars(module))
        return module

    return run


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty folder for compiled models."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CRAMPLAB_CACHE", str(folder))
    return folder


# ---- the command line

@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cramplab(capsys):
    """Calls a command in this process; gives exit code, standard output and standard error."""

    def call(*args: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(args)
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def data(cramplab):
    """Calls a command that has to succeed with --json; gives its data, having seen that standard error is silent."""

    def call(*args: str):
        code, out, err = cramplab(*args, "--json")
        assert (code, err) == (0, "")
        return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    return call
