"""What a user imports, from the docstrings."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator
from itertools import groupby
from types import ModuleType

import simulation

ROOMS = {"figures": "Figures", "classroom": "Classroom"}
CLINIC = ("panel", "conditions", "course", "claims", "findings")


def pages() -> Iterator[tuple[str, str]]:
    """The package itself, figures, classroom, clinic, parameter sets."""
    yield "api/simulation.md", _offered()
    for room, title in ROOMS.items():
        module = importlib.import_module(f"simulation.{room}")
        yield f"api/{room}.md", f"# {title}\n\n" + _rst([_module(module), *_members(module, module.__all__)])
    modules = [importlib.import_module(f"simulation.clinic.{name}") for name in CLINIC]
    sections = [f"## {m.__name__}\n\n" + _rst([_module(m), *_members(m, _own(m))]) for m in modules]
    yield "api/clinic.md", "\n".join(["# Clinic\n", "From cause to serum to bath, and the claims on trial. Import its modules by name.\n", *sections])
    m = importlib.import_module("simulation.parameter_sets")
    yield "api/parameter_sets.md", "# Parameter sets\n\n" + _rst([_module(m), *_members(m, _own(m))])


def _offered() -> str:
    """What `import simulation as sim` offers, by the modules that it comes from."""
    where = {name: getattr(simulation, name).__module__ for name in simulation.__all__}
    parts = ["# What `import simulation as sim` offers\n"]
    for module, names in groupby(sorted(where, key=lambda name: (where[name], name)), where.__getitem__):
        title = (inspect.getdoc(importlib.import_module(module)) or module).split("\n")[0].rstrip(".")
        parts += [f"## {title}\n", _rst(_members(simulation, names))]
    return "\n".join(parts)


def _own(module: ModuleType) -> list[str]:
    """Public functions and classes that a module defines itself."""
    made = [n for n, x in vars(module).items() if (inspect.isclass(x) or inspect.isroutine(x)) and getattr(x, "__module__", "") == module.__name__]
    return [name for name in made if not name.startswith("_")]


def _module(module: ModuleType) -> str:
    return f".. automodule:: {module.__name__}\n   :no-members:\n"


def _members(module: ModuleType, names: Iterable[str]) -> list[str]:
    """Directives for functions and classes; what is a plain value, as a table of sizes, is left to the text."""
    out = []
    for name in names:
        thing = getattr(module, name)
        if inspect.isclass(thing):
            out.append(f".. autoclass:: {module.__name__}.{name}\n   :members:\n   :exclude-members: set\n")  # set: Matplotlib's own, of every artist
        elif callable(thing):
            out.append(f".. autofunction:: {module.__name__}.{name}\n")
    return out


def _rst(parts: Iterable[str]) -> str:
    return "```{eval-rst}\n" + "\n".join(parts) + "```\n"
