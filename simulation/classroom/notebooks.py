"""Notebooks from one source: a copy for students without answers, one for lecturers with them, and both laid where they are wanted.

A source is a text in Markdown, ``notebooks/source/NN_name.md``. What stands between two fences of Python is a cell of text (a line ``+++``
begins a new one), a fence is a cell of code: ``python`` in both copies, ``python student`` and ``python solution`` in one of them. Text between the
lines ``::: solution`` and ``:::`` is for lecturers only. Before a cell that asks an exercise its question is put in; the answer is written in the
source, and the students' copy has ``...`` in its place. ``[@key]`` cites ``references.bib``; what is cited is listed at the end.
``<!-- remarks -->`` are left out."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulation import files, parameter_sets
from simulation.assembly.errors import nearest
from simulation.classroom.asking import exercise
from simulation.classroom.errors import ClassroomError

STUDENT, SOLUTION = "student", "solution"
SOLUTIONS = "solutions"  # folder of the copies for lecturers
FOR_LECTURERS = "*With answers, for lecturers.* They are typed here to be read; when a cell runs, the model judges them like a student's."
_ASKING = {"check": "Question.", "predict": "Predict first."}
_FENCE = re.compile(r"^```python[ \t]*(\w*)[ \t]*$(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_ASIDE = re.compile(r"^:::[ \t]*solution[ \t]*$(.*?)^:::[ \t]*$\n?", re.MULTILINE | re.DOTALL)
_REMARK = re.compile(r"<!--.*?-->\n*", re.DOTALL)
_METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}


@dataclass(frozen=True)
class Cell:
    """``kind``: markdown or code. ``only``: the copy that it stands in, '' for both."""

    kind: str
    text: str
    only: str = ""


def folder() -> Path:
    """Folder of the shipped sources."""
    here = Path(__file__).resolve().parents[1]
    installed = here / "data" / "notebooks"
    return installed if installed.is_dir() else here.parent / "notebooks" / "source"


def names() -> tuple[str, ...]:
    """Names of the shipped notebooks, '03_potassium'."""
    return tuple(sorted(path.stem for path in folder().glob("*.md")))


def source(name: str) -> str:
    """The source of a notebook. Raises ClassroomError with the nearest names."""
    if name not in names():
        raise ClassroomError(f"there is no notebook '{name}'{nearest(name, names())}; notebooks: {', '.join(names())}")
    return (folder() / f"{name}.md").read_text(encoding="utf-8")


# ---- from source to cells

def cells(text: str) -> list[Cell]:
    """The cells of a source. Raises ClassroomError for a fence of a kind that is not known, ModelError and SyntaxError for what it holds."""
    text = _REMARK.sub("", text)
    out: list[Cell] = []
    end = 0
    for fence in _FENCE.finditer(text):
        if fence[1] not in ("", STUDENT, SOLUTION):
            raise ClassroomError(f"a fence is 'python', 'python {STUDENT}' or 'python {SOLUTION}', not 'python {fence[1]}'")
        out += _texts(text[end : fence.start()])
        out += _questions(fence[2]) if fence[1] != SOLUTION else []
        out.append(Cell("code", fence[2].strip("\n"), fence[1]))
        end = fence.end()
    return [*out, *_texts(text[end:])]


def _texts(text: str) -> Iterator[Cell]:
    """Cells of text, with those for lecturers apart."""
    end = 0
    for aside in _ASIDE.finditer(text):
        yield from _paragraphs(text[end : aside.start()], "")
        yield from _paragraphs(aside[1], SOLUTION)
        end = aside.end()
    yield from _paragraphs(text[end:], "")


def _paragraphs(text: str, only: str) -> Iterator[Cell]:
    for part in re.split(r"^\+\+\+[ \t]*$", text, flags=re.MULTILINE):
        if part.strip():
            yield Cell("markdown", part.strip("\n"), only)


def _questions(code: str) -> list[Cell]:
    """The questions that a cell of code asks."""
    out = []
    for call in _calls(code):
        e = exercise(ast.literal_eval(call.args[0]))
        out.append(Cell("markdown", f"**{_ASKING[_name(call)]}** {e.question}\n\n*Answer: {e.kind.how}.*"))
    return out


def _calls(code: str) -> list[ast.Call]:
    """Calls of ``check`` and ``predict`` with an answer, in their order."""
    found = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Call) and _name(n) in _ASKING and len(n.args) == 2]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def answers(name: str) -> list[tuple[str, str | float]]:
    """Exercises of a notebook with the answers that its source gives, in their order."""
    calls = [call for cell in cells(source(name)) if cell.kind == "code" for call in _calls(cell.text)]
    return [(ast.literal_eval(call.args[0]), ast.literal_eval(call.args[1])) for call in calls]


def unanswered(code: str) -> str:
    """The same code with ``...`` in place of each answer."""
    lines = code.splitlines()
    for call in reversed(_calls(code)):
        answer = call.args[1]
        assert answer.end_lineno is not None
        assert answer.end_col_offset is not None
        head = lines[answer.lineno - 1].encode()[: answer.col_offset].decode()
        tail = lines[answer.end_lineno - 1].encode()[answer.end_col_offset :].decode()
        lines[answer.lineno - 1 : answer.end_lineno] = [f"{head}...{tail}"]
    return "\n".join(lines)


# ---- citations

def _with_citations(text: str, known: Mapping[str, str]) -> str:
    def in_brackets(keys: list[str]) -> str:
        return f"({'; '.join(re.sub(r'[()]', '', parameter_sets.citation(known[key])) for key in keys)})"

    return parameter_sets.with_citations(text, in_brackets)


def _bibliography(keys: Iterable[str], known: Mapping[str, str]) -> Cell:
    lines = []
    for entry in sorted((known[key] for key in keys), key=parameter_sets.reference):
        recalled = " *(recalled, not looked up)*" if parameter_sets.entry_fields(entry).get("checked") == "recalled" else ""
        lines.append(f"* {parameter_sets.reference(entry)}{recalled}")
    return Cell("markdown", "\n".join(["## Sources", "", *lines]))


# ---- from cells to a notebook

def notebook(name: str, copy: str = STUDENT, text: str | None = None) -> str:
    """A notebook as the text of its file; ``copy``: 'student' or 'solution'; ``text``: its source, if not the shipped one.

    Raises ClassroomError for a notebook or an exercise that is not there, or a source that the bibliography lacks."""
    text = source(name) if text is None else text
    known = parameter_sets.references()
    for key in parameter_sets.cited_in(text):
        if key not in known:
            raise ClassroomError(f"{name} cites '{key}'{nearest(key, known)}, which references.bib does not have")
    chosen = [c for c in cells(text) if c.only in ("", copy)]
    if copy == SOLUTION:
        chosen.insert(1, Cell("markdown", FOR_LECTURERS))
    if keys := parameter_sets.cited_in("\n".join(c.text for c in chosen if c.kind == "markdown")):
        chosen.append(_bibliography(keys, known))
    done = []
    for i, cell in enumerate(chosen):
        entry: dict[str, Any] = {"cell_type": cell.kind, "id": f"cell-{i:02}", "metadata": {}}
        if cell.kind == "code":
            entry |= {"execution_count": None, "outputs": []}
            entry["source"] = unanswered(cell.text) if copy == STUDENT else cell.text
        else:
            entry["source"] = _with_citations(cell.text, known)
        done.append(entry)
    metadata = {**_METADATA, "cramplab": {"notebook": name, "copy": copy, "digest": _digest(done)}}
    whole = {"cells": [c | {"source": c["source"].splitlines(keepends=True)} for c in done], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _digest(of: Iterable[Mapping[str, Any]]) -> str:
    """Of what the cells say, not of what came out."""
    said = [(c["cell_type"], "".join(c["source"]).strip()) for c in of]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


# ---- into a folder

@dataclass(frozen=True)
class Laid:
    """What became of a notebook. ``how``: written, renewed or unchanged; ``backup``: where the user's own version is kept."""

    path: Path
    how: str
    backup: Path | None = None


def is_changed(path: Path) -> bool:
    """Whether someone worked in a notebook: its cells say something else than when it was laid. What came out of them does not count."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return bool(_digest(data["cells"]) != data["metadata"]["cramplab"]["digest"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return True  # not one of ours, or no longer


def lay(to: Path, *, solutions: bool = False, force: bool = False) -> list[Laid]:
    """Put the notebooks into a folder; with ``solutions`` those for lecturers too, into its folder 'solutions'.

    One that someone worked in is never lost: then nothing is written and FileError says which; with ``force`` it is kept under another
    name first. One that only was run, or is of an earlier version, is renewed."""
    wanted = {to / f"{name}.ipynb": notebook(name) for name in names()}
    if solutions:
        wanted |= {to / SOLUTIONS / f"{name}.ipynb": notebook(name, SOLUTION) for name in names()}
    changed = [path for path in wanted if path.exists() and is_changed(path)]
    if changed and not force:
        which = ", ".join(str(p.relative_to(to)) for p in changed)
        raise files.FileError(f"you have worked in {which} in {to}; nothing was written. Take another folder, or --force to keep yours as a backup")
    out = []
    for path, text in wanted.items():
        backup = _backup(path) if path in changed else None
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before != text:
            files.write_text(path, text)
        out.append(Laid(path, "written" if before is None or backup else "unchanged" if before == text else "renewed", backup))
    return out


def _backup(path: Path) -> Path:
    """Moves a file to a name that is free."""
    number = 1
    while (to := path.with_name(f"{path.stem}.mine-{number}{path.suffix}")).exists():
        number += 1
    try:
        return path.rename(to)
    except OSError as error:
        raise files.cannot_write(to, error) from None
