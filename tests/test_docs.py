"""The site: built from code, parameters and notebooks without a warning, whole, with links that lead somewhere and nothing fetched."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest
import typer

import simulation
from simulation import cli, models, parameter_sets
from simulation.classroom import notebooks
from simulation.studies import validation
from simulation.studies.validation import Outcome

DOCS = Path(__file__).parent.parent / "docs"
LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "object": "data", "embed": "src", "use": "href"}


class Page(HTMLParser):
    """Ids, links, and what a browser would load."""

    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.loaded, self.tags = path, set(), [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        self.tags.append(tag)
        self.ids |= {a[name] for name in ("id", "name") if a.get(name)}
        if tag == "a" and "href" in a:
            self.links.append(a["href"])
        if tag == "link" and not {"index", "search", "next", "prev"} & set(a["rel"].split()):
            self.loaded.append(a["href"])
        if tag in LOADED and a.get(LOADED[tag]):
            self.loaded.append(a[LOADED[tag]])

    handle_startendtag = handle_starttag


@pytest.fixture(scope="module")
def made():
    """Modules of what makes the pages, by name."""
    sys.path.insert(0, str(DOCS))
    yield lambda name: importlib.import_module(f"_ext.{name}")
    sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as it is built in a hurry, with nothing kept from before; its pages by name."""
    out = tmp_path_factory.mktemp("built") / "site"
    command = [sys.executable, str(DOCS / "make.py"), "--fast", "--without-api", "--out", str(out), "--kept", str(out.with_name("kept"))]
    done = subprocess.run([*command, "--gallery", str(out.with_name("gallery"))], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return {path.relative_to(out).as_posix(): Page(path) for path in out.rglob("*.html")}


def text_of(page):
    return page.path.read_text(encoding="utf-8")


# ---- the whole

def test_links_lead_somewhere(site):
    by_path = {page.path.resolve(): page for page in site.values()}
    broken = []
    for name, page in site.items():
        for link in page.links:
            target, anchor = urldefrag(link)
            if urlparse(target).scheme:
                continue
            path = (page.path.parent / unquote(target)).resolve() if target else page.path.resolve()
            there = by_path.get(path)
            if not path.is_file() or (anchor and there is not None and unquote(anchor) not in there.ids):
                broken.append((name, link))
    assert not broken


def test_nothing_is_fetched(site):
    for name, page in site.items():
        for address in page.loaded:
            assert not urlparse(address).netloc, (name, address)
            if address.startswith(("data:", "#")):
                continue
            path = page.path.parent / unquote(address.split("?")[0])
            assert path.is_file(), (name, address)
    (root,) = {page.path.parent for name, page in site.items() if name == "index.html"}
    for sheet in root.rglob("*.css"):
        assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_what_was_left_out_says_so(site):
    for name, command in (("validation", "cramplab validate"), ("claims", "cramplab claims"), ("limits", "cramplab validate --missed")):
        text = text_of(site[f"{name}.html"])
        assert "Left out of this copy" in text
        assert command in re.sub("<[^>]+>", "", text)
    assert "left out of this copy" in text_of(site["cookbook.html"])
    assert "They are not part of this copy" in text_of(site["gallery.html"])


# ---- the command line

def test_every_command_has_its_help(site, made):
    paths = made("commands").paths()
    assert {path[0] for path in paths} == set(cli.COMMANDS)
    assert ("parameters", "cite") in paths
    assert {f"command-{'-'.join(path)}" for path in paths} <= site["commands.html"].ids
    assert "Hold the models against published experiments" in text_of(site["commands.html"])


def test_the_commands_of_the_cookbook_are_commands(made):
    whole = typer.main.get_command(cli.build())
    for chapter in made("commands").recipes():
        for recipe in chapter["recipe"]:
            for command in recipe["commands"]:
                name, *args = shlex.split(command)
                context = whole.commands[name].make_context(name, args)
                if hasattr(whole.commands[name], "commands"):
                    whole.commands[name].resolve_command(context, args)


def test_what_a_command_prints_and_draws_is_shown_and_kept(made, tmp_path):
    commands, kept = made("commands"), made("kept")
    keeper = kept.Keeper(tmp_path / "kept")
    recipe = ["run squid --pulse 0.5ms:60@5 --duration 20ms --figure spike.svg", "why spike.svg"]
    page = "\n".join(commands.shown(recipe, keeper, tmp_path))
    assert "cramplab run squid --pulse 0.5ms:60@5" in page
    assert "Squid giant axon" in page
    assert "cramplab why spike.svg" in page
    (image,) = re.findall(r"!\[([^]]+)\]\(figures/(.+)\)", page)
    assert "mV" in image[0]
    assert (tmp_path / image[1]).read_text(encoding="utf-8").rstrip().endswith("</svg>")
    hurried = kept.Keeper(tmp_path / "kept", make=False)
    assert "\n".join(commands.shown(recipe, hurried, tmp_path)) == page
    with pytest.raises(RuntimeError, match="ended with 2"):
        commands.called(["rest", "fibber"], tmp_path)


def test_what_is_kept_goes_with_its_code(made, tmp_path):
    keeper = made("kept").Keeper(tmp_path)
    assert keeper.get("thing", "aaaa", lambda: 1) == 1
    assert keeper.get("thing", "aaaa", lambda: 2) == 1
    assert keeper.get("thing", "bbbb", lambda: 2) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["thing-bbbb.json"]
    assert made("kept").Keeper(tmp_path, make=False).get("thing", "cccc", lambda: 3) is None


# ---- equations, numbers, references

@pytest.mark.parametrize("name", [*models.names(), *models.others()])
def test_every_model_has_its_equations_and_numbers(site, name):
    page, bound = site[f"equations/{name}.html"], models.bound(name)
    assert page.tags.count("math") > len(bound.definitions)
    text = text_of(page)
    assert all(f">{d.symbol}<" in text for d in bound.definitions)
    assert not re.search(r"&amp;#x|\\(frac|mathrm|left)\b", text)
    for found in map(parameter_sets.load, (*parameter_sets.available(), *parameter_sets.parts())):
        if found.model == name:
            assert f"set-{found.name.lower().replace('_', '-')}" in page.ids
    assert all(f">{s}<" in text for s, origin in parameter_sets.load(bound.model.parameters).origin.items() if origin == bound.model.parameters)


def test_a_fraction_in_a_power_stands_on_one_line(made):
    text = made("mathml").mathml(r"Q_{\mathrm{10}}^{\frac{T - T_{0}}{10}} + \frac{a}{b}", "block")
    power = text[text.index("<msubsup") : text.index("</msubsup>")]
    assert "mfrac" not in power
    assert re.sub("<[^>]+>", "", power) == "Q10(T−T0)/10"
    assert text.count("<mfrac>") == 1
    assert "<mtext>10</mtext>" in text


def test_every_work_says_what_was_seen_of_it(site):
    text, ids = text_of(site["references.html"]), site["references.html"].ids
    for key, entry in parameter_sets.references().items():
        assert f"ref-{key}" in ids
        if parameter_sets.entry_fields(entry).get("checked") == "recalled":
            assert "from memory, not looked up" in text[text.index(f"<strong>{key}</strong>") :][:1500]


def test_what_is_only_assumed_is_listed(site):
    text = text_of(site["limits.html"])
    for name in ("fibre", "axon", "junction", "body"):
        assert re.search(rf"{name}: \d+ of \d+ that it states", text)


def test_misses_are_shown_with_their_figure(made):
    published = made("published")
    rows = validation.rows()
    outcomes = [Outcome(row, row.expected[0], "met") for row in rows[1:]]
    missed = Outcome(rows[0], -12.34, "missed")
    page = published.validation_text([missed, *outcomes])
    first = page[page.index("## What is missed") : page.index("## Every row")]
    assert "-12.3 mV" in first
    assert "**MISSED**" in first
    assert re.findall("`(.+?)`", first) == [rows[0].id]
    assert all(f"`{row.id}`" in page for row in rows)


def test_what_is_offered_is_described(made):
    pages = dict(made("api").pages())
    text = pages["api/simulation.md"]
    assert sorted(re.findall(r":: simulation\.(\w+)$", text, re.MULTILINE)) == sorted(simulation.__all__)
    assert ":: simulation.figures.traces" in pages["api/figures.md"]
    assert ":: simulation.clinic.panel.Panel" in pages["api/clinic.md"]


# ---- the course, and worked examples

def test_every_notebook_has_its_page_without_answers(site, made):
    listing = text_of(site["course.html"])
    for name in notebooks.names():
        lesson = made("course").lesson(name)
        assert re.fullmatch(r"\d+ minutes.*", lesson.minutes)
        assert lesson.aims
        assert f'href="course/{name}.html"' in listing
        assert not {"SOLUTION", "For lecturers"} & set(text_of(site[f"course/{name}.html"]).split())
    text = unescape(re.sub("<[^>]+>", "", text_of(site["course/03_potassium.html"])))
    assert 'higher = predict("potassium.higher", ...)' in text


def test_the_worked_channels_run(site, made, prepared):
    sys.path.insert(0, str(DOCS / "examples"))
    try:
        katp = importlib.import_module("katp")
    finally:
        sys.path.remove(str(DOCS / "examples"))
    mine, fibre = katp.prepared(), prepared("fibre")
    shut, opened = simulation.find_rest(mine.with_values({"P_KATP": 0.0})), simulation.find_rest(mine.with_values({"ATP": 0.2}))
    assert pytest.approx(simulation.find_rest(fibre).V, abs=1e-6) == shut.V
    assert opened.V < shut.V - 1
    text = text_of(site["extend.html"])
    assert f"rest {opened.V:6.1f} mV" in text
    assert re.search(r"without it: rest -\d\d\.\d mV, threshold +\d+\.\d uA/cm2", text)


def test_the_gallery_shows_what_was_made(made, tmp_path):
    gallery = made("gallery")
    folder, images = tmp_path / "gallery", tmp_path / "images"
    folder.mkdir()
    images.mkdir()
    files = [f"one-{size}-{theme}.svg" for size in ("column", "slide") for theme in ("dark", "light")]
    for file in files:
        (folder / file).write_text(f"<svg>{file}</svg>", encoding="utf-8")
    said = {"title": "First", "teaches": "Why.", "alt": "A line.", "numbers": {"rest (mV)": -90.4, "x": None}, "files": [*files, "gone.png"]}
    (folder / "figures.json").write_text(json.dumps({"figures": {"one": said}}), encoding="utf-8")
    page = gallery.page(folder, images)
    assert "## First" in page
    for theme in ("light", "dark"):
        assert f"![A line.](figures/gallery-one-{theme}.svg){{.only-{theme}}}" in page
        assert (images / f"gallery-one-{theme}.svg").read_text(encoding="utf-8") == f"<svg>one-slide-{theme}.svg</svg>"
    assert "| rest (mV) | -90.4 |" in page
