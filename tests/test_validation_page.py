"""The page of published results: whole, sound, safe, without anything fetched. Nothing is solved here."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from simulation.figures import validation_page
from simulation.studies.validation import GROUPS, VERDICTS, Count, Outcome, Row, rows

MADE = {"version": "1.2", "date": "2026-01-02 03:04", "command": "cramplab validate"}
VOID = {"meta", "br"}
IN_SVG = {"rect", "line", "path", "circle", "polyline"}


def outcome_of(row, which):
    """One kind of outcome for a row, without running it."""
    low, high = row.expected
    inside = next(v for v in (row.mean, low, high) if v is not None and math.isfinite(v))
    if row.waits:
        return Outcome(row, None, "waits", f"not run for want of {row.waits}")
    if which % 3 == 0:
        return Outcome(row, None, "missed", "the model gives no such figure")
    if which % 3 == 1:
        return Outcome(row, inside - 1000, "missed")
    return Outcome(row, inside, "met" if row.evidence == "independent" else row.evidence)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag in IN_SVG
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def outcomes():
    return [outcome_of(row, i) for i, row in enumerate(rows())]


@pytest.fixture(scope="module")
def text(outcomes):
    return validation_page(outcomes, MADE)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_tags_are_closed_and_ids_are_there_once(page, outcomes):
    assert page.open == []
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert [a["id"] for a in page.all("article")] == [o.row.id for name in GROUPS for o in outcomes if o.row.group == name]


def test_nothing_is_fetched_and_links_lead_inside_or_to_a_doi(page, text):
    ids = {a["id"] for _, a in page.tags if "id" in a}
    for a in page.all("a"):
        assert a["href"].startswith("https://doi.org/10.") or a["href"].removeprefix("#") in ids
    assert not {"script", "link", "img", "iframe", "object", "embed"} & {tag for tag, _ in page.tags}
    assert not {"src", "srcset", "onclick", "onload", "style"} & {name for _, a in page.tags for name in a}
    assert set(re.findall(r"[a-z]+://[^/\s\"<]+", text)) == {"https://doi.org"}
    assert not re.search(r"@import|url\(", text)


def test_size_is_that_of_a_page(text):
    assert len(text.encode()) < 1_000_000


def test_every_row_says_what_it_is(text, outcomes):
    for o in outcomes:
        start = text.index(f'id="{o.row.id}"')
        article = text[start : text.index("</article>", start)]
        assert f'<span class="verdict">{VERDICTS[o.verdict]}</span>' in article
        assert f"cramplab validate {o.row.id}</code>" in article
        assert 'role="img" aria-label="Published ' in article
        assert article.count("<svg") == (2 if o.row.curve else 1)
        for fact in ("Published", "Model", "Species", "How known", "Evidence", "Source"):
            assert f"<dt>{fact}</dt>" in article or (fact == "Species" and not o.row.species)


def test_sources_stand_in_full_with_their_doi(text):
    start = text.index('id="velocity"')
    article = text[start : text.index("</article>", start)]
    assert "F. Buchthal, C. Guld, P. Rosenfalck (1955). Propagation velocity in electrically activated muscle fibres in man." in article
    assert '<a href="https://doi.org/10.1113/jphysiol.1987.sp016756">doi:10.1113/jphysiol.1987.sp016756</a>' in article
    assert "St\u00e5lberg" in article
    assert "recalled: volume, pages" in article


def test_it_can_be_heard(page, text, outcomes):
    assert page.all("html") == [{"lang": "en"}]
    assert all(a.get("role") == "img" and a.get("aria-label") for a in page.all("svg"))
    assert all(a.get("scope") in ("col", "row") for a in page.all("th"))
    for part in ("<title>cramplab:", "<caption>"):
        assert part in text
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert Count.of(outcomes).sentence in text


def test_both_themes_and_print(text):
    for query in ("(prefers-color-scheme: dark)", "print"):
        assert f"@media {query}" in text


def test_where_it_came_from(text):
    foot = text[text.index("<footer>") :]
    assert all(part in foot for part in MADE.values())


def test_numbers_of_the_drawings_are_numbers(page):
    for tag, attributes in page.tags:
        if tag in IN_SVG:
            assert not re.search(r"nan|inf", " ".join(v for k, v in attributes.items() if k != "class"))
        if tag == "circle":
            assert 40 < float(attributes["cx"]) < 360


def test_what_is_written_cannot_become_tags():
    wicked = Row(
        id="x<b>", group="spike", experiment="<script>alert(1)</script> & more", expected=(1, 2), unit="mV", source=(), species="<i>",
        known="recalled", evidence="independent", remark='"<u>"', measure="rest",
    )
    text = validation_page([Outcome(wicked, 1.5, "met", "<s>")], MADE | {"command": "<em>"})
    tags = {tag for tag, _ in Page(text).tags}
    assert not {"script", "b", "i", "u", "s", "em"} & tags


@pytest.mark.parametrize(
    ("expected", "value"), [((0, 0), 0.0), ((0, 0), None), ((-math.inf, -0.1), 3e5), ((1e-6, 2e-6), 1.5e-6), ((3, math.inf), 3.0)]
)
def test_any_range_can_be_drawn(expected, value):
    row = Row(id="x", group="spike", experiment="x", expected=expected, unit="1", source=(), species="", known="recalled", evidence="independent")
    assert Page(validation_page([Outcome(row, value, "missed" if value else "met")], MADE)).open == []
