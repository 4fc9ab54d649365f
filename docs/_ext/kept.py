"""What was computed for the site before, kept as long as the code and the parameters that it came from are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from simulation import files, parameter_sets
from simulation.clinic import claims


@cache
def everything() -> str:
    """Fingerprint of the whole program with what shows its results, and of every parameter file."""
    return hash_of(Path(parameter_sets.__file__).parent, parameter_sets.folder())


def hash_of(*folders: Path) -> str:
    """Fingerprint of the program texts and parameter files in some folders."""
    texts = [p for folder in folders for p in sorted(folder.rglob("*")) if p.suffix in (".py", ".toml", ".bib", ".json")]
    return hashlib.sha256(b"\0".join(p.name.encode() + b"\0" + p.read_bytes().replace(b"\r\n", b"\n") for p in texts)).hexdigest()[:16]


def results() -> str:
    """Fingerprint of what results come from: the program without what only shows them, and every parameter file."""
    return claims.code()


class Keeper:
    """A folder of things made before. ``make``: whether what is not there may be made, which takes time."""

    def __init__(self, folder: Path, make: bool = True) -> None:
        self.folder, self.make = folder, make

    def get(self, name: str, of: str, made: Callable[[], Any], slow: bool = True) -> Any | None:
        """The thing of that name made with the code ``of``; made now if it is not there, None if that takes too long."""
        path = self.folder / f"{name}-{of}.json"
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
        if slow and not self.make:
            return None
        thing = made()
        for old in self.folder.glob(f"{name}-{'?' * len(of)}.json"):
            old.unlink()
        files.write_text(path, json.dumps(thing, indent=1))
        return thing
