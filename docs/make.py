"""Builds the site: lays out what is written and what is made from code and parameters, and hands it to Sphinx.

python docs/make.py                everything, into build/docs
python docs/make.py --fast         without what takes minutes and was not kept from an earlier build"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
HOUSE = HERE.parent
BUILD = HOUSE / "build"
_LINKS = {"(docs/cluster.md)": "(cluster.md)", "(docs/rest_over_potassium.svg)": "(rest_over_potassium.svg)", "(CONTRIBUTING.md)": "(extend.md)"}


def main(args: list[str] | None = None) -> int:
    """Build; the result is Sphinx's exit code, 0 if nothing was to be warned of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="leave out what takes minutes and was not kept")
    parser.add_argument("--without-api", action="store_true", help="leave out the pages made from docstrings")
    parser.add_argument("--out", type=Path, default=BUILD / "docs", help="folder of the site")
    parser.add_argument("--kept", type=Path, default=BUILD / "docs_kept", help="folder of what was computed before")
    parser.add_argument("--gallery", type=Path, default=HOUSE / "results" / "figures", help="folder of the lecture figures")
    asked = parser.parse_args(args)
    laid = asked.out.with_name(f"{asked.out.name}_pages")
    lay_out(laid, asked.kept, asked.gallery, fast=asked.fast, with_api=not asked.without_api)

    from sphinx.cmd.build import main as sphinx

    read, extra = laid.with_name(f"{laid.name}_read"), laid / "_extra"
    done = sphinx(["-W", "--keep-going", "-q", "-c", str(HERE), "-d", str(read), "-D", f"html_extra_path={extra}", str(laid), str(asked.out)])
    if done == 0:
        print(f"The site: {asked.out / 'index.html'}")
    return done


def lay_out(to: Path, kept: Path, gallery: Path, *, fast: bool, with_api: bool = True) -> None:
    """Every page as Markdown in one folder; those of an earlier build that have not changed are left as they are, others go."""
    from _ext import api, commands, published
    from _ext.kept import Keeper

    keeper = Keeper(kept, make=not fast)
    images = to / "figures"
    for folder in (images, to / "_extra"):
        folder.mkdir(parents=True, exist_ok=True)
    found = published.outcomes(keeper)
    wanted = dict(_written())
    wanted |= dict(_generated(images, gallery))
    wanted |= {name: text if with_api else "# Left out of this copy\n" for name, text in api.pages()}
    wanted["start.md"] = wanted["start.md"].replace("<!-- first -->", "\n".join(commands.shown(["rest fibre --bath K=2.5"], keeper, images)))
    wanted["cookbook.md"] += commands.cookbook(keeper, images)
    wanted["validation.md"] += published.validation_text(found)
    wanted["claims.md"] += published.claims_text(keeper)
    wanted["limits.md"] = wanted["limits.md"].replace("<!-- misses -->", published.misses(found))
    if found is not None:
        wanted["_extra/validation_plots.html"] = published.plots(found)
    for path in to.rglob("*"):
        if path.is_file() and path.parent != images and path.relative_to(to).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        _write(to / name, text)


def _written() -> Iterator[tuple[str, str]]:
    """What is written by hand: the pages, and the parts of README and CONTRIBUTING that they include."""
    for path in sorted((HERE / "pages").glob("*.md")):
        yield path.name, path.read_text(encoding="utf-8")
    yield "cluster.md", (HERE / "cluster.md").read_text(encoding="utf-8")
    yield "rest_over_potassium.svg", (HERE / "rest_over_potassium.svg").read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (HOUSE / name).read_text(encoding="utf-8")
        for link, there in _LINKS.items():
            text = text.replace(link, there)
        yield f"_house/{name}", text
    for path in sorted((HERE / "examples").iterdir()):
        if path.is_file():
            yield f"_house/examples/{path.name}", path.read_text(encoding="utf-8")
    shown = HOUSE / "parameters" / "conditions" / "thiazide.toml"
    yield f"_house/conditions/{shown.name}", shown.read_text(encoding="utf-8")


def _generated(images: Path, made: Path) -> Iterator[tuple[str, str]]:
    """What is made from code, notebooks and parameters, quickly."""
    from _ext import commands, course, equations, examples, gallery

    yield from course.pages()
    yield from equations.pages()
    yield "commands.md", commands.help_page()
    yield "gallery.md", gallery.page(made, images)
    pages = HERE / "pages"
    yield "course.md", (pages / "course.md").read_text(encoding="utf-8").replace("<!-- lessons -->", course.listing())
    yield "extend.md", examples.filled((pages / "extend.md").read_text(encoding="utf-8"))
    yield "limits.md", (pages / "limits.md").read_text(encoding="utf-8").replace("<!-- assumed -->", equations.only_assumed())


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
