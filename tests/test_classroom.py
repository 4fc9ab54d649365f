"""The classroom: answers are judged by the model, students' copies hold none, notebooks are what their source gives and are never lost."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from simulation import classroom, models
from simulation.assembly.errors import ModelError
from simulation.classroom import notebooks, widgets
from simulation.classroom.asking import Open, Prediction, exercise
from simulation.classroom.exercise import Choice, Exercise, Number, Sentence, Solved
from simulation.files import FileError
from simulation.physiology import junction as law

SHIPPED = Path(__file__).parent.parent / "notebooks"
MOST_LINES, WIDEST = 15, 105  # what a narrow window shows without scrolling


# ---- how an answer is judged

FLOW = Exercise("test.flow", "Which way does K flow?", Choice(("inward", "outward", "not at all")), lambda: Solved(
    "outward", "E_K is -96 mV.", {"inward": "It would at -100 mV."}))
RIGHT = Solved(-95.0, "E_K is -95 mV.", slips=((95.0, "Mind the sign."),), hint="Use Nernst.")
NERNST = Exercise("test.nernst", "What is E_K?", Number("mV", 1.0), lambda: RIGHT)
IDEAS = {"sodium channels": ("sodium", "na"), "their state": ("inactiv",)}
WHY = Exercise("test.why", "Why?", Sentence(IDEAS), lambda: Solved("sodium inactivated", "So."))


@pytest.mark.parametrize(("of", "answer", "verdict", "says"), [
    (FLOW, "outward", "right", "E_K is -96 mV"),
    (FLOW, " Outward ", "right", "E_K"),
    (FLOW, "inward", "wrong", "It would at -100 mV. E_K is -96 mV."),
    (FLOW, "not_at_all", "wrong", "E_K"),
    (FLOW, "outwards", "unclear", "nearest: outward"),
    (FLOW, 3, "unclear", "not 3"),
    (FLOW, ..., "unanswered", 'Wanted is one of "inward"'),
    (FLOW, None, "unanswered", "Which way does K flow?"),
    (FLOW, "", "unanswered", "inward"),
    (NERNST, -95.4, "right", "-95 mV"),
    (NERNST, "-95 mV", "right", "-95 mV"),
    (NERNST, "\N{MINUS SIGN}0,0951 V", "right", "-95 mV"),
    (NERNST, 95, "wrong", "Mind the sign."),
    (NERNST, -0.095, "wrong", "Mind the unit"),
    (NERNST, -80, "wrong", "above what the model finds. Use Nernst."),
    (NERNST, -110, "wrong", "below what"),
    (NERNST, "-95 mM", "unclear", "a number in mV"),
    (NERNST, "many", "unclear", "a number in mV"),
    (NERNST, True, "unclear", "a number"),
    (WHY, "Sodium channels are inactivated", "right", "So."),
    (WHY, "the sodium is low", "wrong", "their state"),
    (WHY, ..., "unanswered", "a sentence"),
])
def test_judging(of, answer, verdict, says):
    found = of.judge(answer)
    assert found.verdict == verdict
    assert found.right == (verdict == "right")
    assert says in found.text
    assert str(found) in {f"{found}", repr(found)}
    assert found._repr_markdown_().startswith("> **")


def test_the_wrong_answer_to_a_number_does_not_give_it_away():
    assert not re.search(r"9[45]", NERNST.judge(-80).text)


def test_the_model_is_not_asked_before_there_is_an_answer():
    never = replace(FLOW, solve=lambda: pytest.fail("asked"))
    assert never.judge(...).verdict == "unanswered"
    assert never.judge("upward").verdict == "unclear"
    assert Prediction(never, "inward").answer == "inward"


def test_prediction():
    mine = Prediction(FLOW, ...)
    assert "Not answered yet" in repr(mine)
    assert mine.compare().verdict == "unanswered"
    assert mine.note("outwards").verdict == "unclear"
    assert mine.note("Inward").verdict == "noted"
    assert mine.note("outward").text == "You have predicted: Inward. It stays."
    assert mine.compare().verdict == "wrong"
    assert "You predicted: **Inward**. The model: **outward**." in mine.compare().text
    assert "**-95 mV**" in Prediction(NERNST, -90).compare().text
    assert Prediction(NERNST, "lots").compare().verdict == "unclear"


def test_names():
    with pytest.raises(classroom.ClassroomError, match=re.escape("nearest: first_look.threshold")):
        classroom.check("first_look.treshold")
    with pytest.raises(classroom.ClassroomError, match="nearest: first_look"):
        classroom.predict("fist_look.flow", "outward")


# ---- widgets

def test_buttons(monkeypatch):
    pytest.importorskip("ipywidgets")
    said = []
    box = widgets.buttons(FLOW, lambda answer: said.append(answer) or FLOW.judge(answer))
    box.children[0].value = "inward"
    assert said == ["inward"]
    assert widgets.buttons(NERNST, NERNST.judge) is None


def test_without_widgets(monkeypatch):
    import builtins

    known = builtins.__import__

    def lacking(name, *more, **args):
        if name == "ipywidgets":
            raise ImportError(name)
        return known(name, *more, **args)

    monkeypatch.setattr(builtins, "__import__", lacking)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *things: shown.extend(things))
    Open(FLOW, FLOW.judge(None))._ipython_display_()
    Prediction(FLOW)._ipython_display_()
    assert len(shown) == 2
    assert "Which way does K flow?" in shown[0].data
    assert "or click" not in shown[0].data


# ---- equations

def test_equations():
    shown = classroom.equation("I_Kdr", "fibre")
    assert shown.latex == r"I_{\mathrm{Kdr},s} = \theta_{P} \, P_{\mathrm{Kdr}} \, n_{s}^{4} \, h_{\mathrm{K},s} \, \mathrm{GHK}_{\mathrm{K},s}"
    assert "| 7.2e-05 cm/s | fitted | Almers, Roberts & Ruff (1984); Cannon Lab (2024) |" in shown._repr_markdown_()
    assert "In µA/cm²." in shown._repr_markdown_()
    assert classroom.equation("I_Na", "squid").latex.startswith(r"I_{\mathrm{Na}} = g_{\mathrm{Na}}")
    assert classroom.equation(law.rho).numbers == ()
    with pytest.raises(ModelError, match="nearest: I_Kdr"):
        classroom.equation("I_Kdrr", "fibre")
    with pytest.raises(TypeError, match="needs the model"):
        classroom.equation("I_Kdr")


def test_an_equation_is_that_of_the_model():
    from simulation.assembly.typeset import definition_latex

    assert classroom.equation("I_Cl", "fibre").latex == definition_latex(models.bound("fibre").definition("I_Cl_s"))


# ---- sources and copies

SOURCE = """# A title

Text [@hille1975].

<!-- for those
who write -->
+++

More [@hille1975; @adrian1974].

```python
x = 1
```

```python
check("first_look.gates", "more negative"); check("first_look.why", "é and\\
 more")
```

::: solution
For lecturers [@kurihara1984].
:::

```python student
y = 0
```

```python solution
y = 2
```

End.
"""


def test_cells_of_a_source():
    student, solution = (json.loads(notebooks.notebook("x", copy, SOURCE)) for copy in ("student", "solution"))
    for made in (student, solution):
        nbformat.validate(nbformat.from_dict(made))
    text = ["".join(c["source"]) for c in student["cells"]]
    assert text[0].startswith("# A title\n\nText (Hille, Woodhull & Shapiro 1975).")
    assert text[1] == "More (Hille, Woodhull & Shapiro 1975; Adrian & Bryant 1974)."
    assert text[2] == "x = 1"
    assert "who write" not in "".join(text)
    assert text[3].startswith("**Question.** In 0.6 mM calcium")
    assert text[5] == 'check("first_look.gates", ...); check("first_look.why", ...)'
    assert text[6] == "y = 0"
    assert text[7] == "End."
    assert text[8].startswith("## Sources")
    assert "Kurihara" not in text[8]
    with_answers = ["".join(c["source"]) for c in solution["cells"]]
    assert notebooks.FOR_LECTURERS in with_answers
    assert any(t.startswith("For lecturers (Kurihara") for t in with_answers)
    assert "y = 2" in with_answers
    assert "y = 0" not in with_answers


@pytest.mark.parametrize(("text", "complaint"), [
    ("```python answer\nx = 1\n```", "not 'python answer'"),
    ("See [@hille1957].", "nearest: hille1975"),
    ('```python\ncheck("first_look.gate", "up")\n```', "nearest: first_look.gates"),
])
def test_a_bad_source_says_so(text, complaint):
    with pytest.raises(classroom.ClassroomError, match=complaint):
        notebooks.notebook("x", text=text)


def test_an_unknown_notebook():
    with pytest.raises(classroom.ClassroomError, match="nearest: 00_first_look"):
        notebooks.source("00_firstlook")


# ---- what is shipped

def shipped() -> list[Path]:
    return sorted(SHIPPED.glob("*.ipynb")) + sorted((SHIPPED / "solutions").glob("*.ipynb"))


def code_of(path: Path) -> list[str]:
    return ["".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]


def test_shipped_notebooks_are_what_the_source_gives():
    """If this fails: make notebooks."""
    expected = {SHIPPED / f"{n}.ipynb": notebooks.notebook(n) for n in notebooks.names()}
    expected |= {SHIPPED / "solutions" / f"{n}.ipynb": notebooks.notebook(n, "solution") for n in notebooks.names()}
    assert set(expected) == set(shipped())
    for path, text in expected.items():
        assert path.read_text(encoding="utf-8") == text, path


@pytest.mark.parametrize("path", shipped(), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_form_of_a_notebook(path):
    made = nbformat.read(path, as_version=4)
    nbformat.validate(made)
    text = "\n".join(c.source for c in made.cells if c.cell_type == "markdown")
    for heading in ("Afterwards you can", "## Summary", "## Sources"):
        assert heading in text, heading
    assert "predict(" in "".join(code_of(path))
    assert not re.search(r"\[@|:::", text)
    for cell in made.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
            assert max(map(len, cell.source.splitlines())) <= WIDEST, cell.source
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("path", shipped(), ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_no_physics_is_hidden_in_cells(path):
    """Cells take everything from the package; only the open lab writes equations, for that is what it is about."""
    for code in code_of(path):
        tree = ast.parse(code)
        imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        imported = [n.module if isinstance(n, ast.ImportFrom) else n.names[0].name for n in imports]
        own = path.stem.startswith("10") and ["dataclasses"]
        assert all(name.split(".")[0] == "simulation" or name in (own or ()) for name in imported), code
        if not own:
            assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda)], code


@pytest.mark.parametrize("name", notebooks.names())
def test_students_copies_hold_no_answers(name):
    path = SHIPPED / f"{name}.ipynb"
    code = code_of(path)
    asking = [c for text in code for c in ast.walk(ast.parse(text)) if isinstance(c, ast.Call) and notebooks._name(c) in ("check", "predict")]
    assert len(asking) == len(notebooks.answers(name)) > 2
    assert all(isinstance(c.args[1], ast.Constant) and c.args[1].value is ... for c in asking)
    whole = path.read_text(encoding="utf-8")
    assert '"copy": "student"' in whole
    cells = notebooks.cells(notebooks.source(name))
    shared = {line for c in cells if c.only != "solution" for line in c.text.splitlines()}
    for line in {line for c in cells if c.only == "solution" for line in c.text.splitlines()} - shared:
        assert len(line) < 25 or json.dumps(line, ensure_ascii=False)[1:-1] not in whole, line
    for of, answer in notebooks.answers(name):  # a number could stand there by chance, and options stand there by right
        if isinstance(exercise(of).kind, Sentence):
            assert str(answer) not in whole


# ---- into a folder

@pytest.fixture
def few(monkeypatch):
    """The course has one notebook, for speed."""
    monkeypatch.setattr(notebooks, "names", lambda: ("00_first_look",))


def work_in(path: Path, cell: int = 0) -> None:
    made = json.loads(path.read_text(encoding="utf-8"))
    made["cells"][cell]["source"] = ["mine"]
    path.write_text(json.dumps(made), encoding="utf-8")


def test_lay(few, tmp_path):
    to = tmp_path / "new" / "course"
    assert [(x.path.name, x.how) for x in notebooks.lay(to)] == [("00_first_look.ipynb", "written")]
    assert not (to / "solutions").exists()
    assert [x.how for x in notebooks.lay(to, solutions=True)] == ["unchanged", "written"]
    assert notebooks.FOR_LECTURERS in (to / "solutions" / "00_first_look.ipynb").read_text(encoding="utf-8")


def test_a_notebook_that_was_run_is_renewed_and_one_that_was_changed_is_kept(few, tmp_path):
    (laid,) = notebooks.lay(tmp_path)
    made = json.loads(laid.path.read_text(encoding="utf-8"))
    code = next(c for c in made["cells"] if c["cell_type"] == "code")
    code["outputs"], code["execution_count"] = [{"output_type": "stream", "name": "stdout", "text": "1"}], 1
    laid.path.write_text(json.dumps(made), encoding="utf-8")
    assert notebooks.lay(tmp_path)[0].how == "renewed"
    work_in(laid.path)
    before = laid.path.read_bytes()
    with pytest.raises(FileError, match="you have worked in 00_first_look"):
        notebooks.lay(tmp_path, solutions=True)
    assert laid.path.read_bytes() == before
    assert not (tmp_path / "solutions").exists()
    for number in (1, 2):
        (again,) = notebooks.lay(tmp_path, force=True)
        assert again.backup == tmp_path / f"00_first_look.mine-{number}.ipynb"
        work_in(laid.path)
    assert (tmp_path / "00_first_look.mine-1.ipynb").read_bytes() == before


def test_a_file_of_that_name_that_is_none_of_ours_is_kept(few, tmp_path):
    (tmp_path / "00_first_look.ipynb").write_text("no notebook", encoding="utf-8")
    with pytest.raises(FileError, match="--force"):
        notebooks.lay(tmp_path)


def test_command(few, cramplab, data, here):
    code, out, err = cramplab("notebooks", "course")
    assert (code, err) == (0, "")
    assert "jupyter lab course" in out
    assert data("notebooks", "course", "--solutions")["notebooks"][1]["how"] == "written"
    work_in(here / "course" / "00_first_look.ipynb")
    code, out, err = cramplab("notebooks", "course")
    assert (code, out) == (2, "")
    assert "00_first_look.ipynb" in err
    assert cramplab("notebooks", "course", "--force")[0] == 0
    (here / "file").write_text("x")
    code, _, err = cramplab("notebooks", "file")
    assert code == 2
    assert "is a file" in err
