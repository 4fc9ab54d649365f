"""Formulas as MathML, which every current browser sets by itself: nothing is fetched and no script runs."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from docutils import nodes
from latex2mathml.converter import convert_to_element
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


@cache
def mathml(latex: str, display: str) -> str:
    r"""A formula; ``display``: inline or block. \mathrm is set as text, for browsers lean a single letter whatever else is said of it."""
    tree = convert_to_element(re.sub(r"\\mathrm\{([^{}\\]*)\}", r"\\text{\1}", latex), display=display)
    for e in tree.iter():
        e.text = unescape(e.text) if e.text else e.text  # the converter writes references to characters, which would be escaped once more
    for power in [e for e in tree.iter() if e.tag in ("msup", "msubsup")]:
        power[-1] = _on_one_line(power[-1])
    return ElementTree.tostring(tree, encoding="unicode")


def _on_one_line(e: Element) -> Element:
    """A power whose fractions are written with a stroke, as textbooks have them: set small above each other they cannot be read."""
    if e.tag == "mfrac":
        out = Element("mrow")
        top, bottom = map(_on_one_line, e)
        out.extend([_bracketed(top) if _is_sum(top) else top, _sign("/"), _bracketed(bottom) if len(bottom) > 1 and bottom.tag == "mrow" else bottom])
        return out
    e[:] = [_on_one_line(part) for part in e]
    return e


def _is_sum(e: Element) -> bool:
    return any(part.tag == "mo" and part.text in ("+", "-", "\N{MINUS SIGN}") for part in e[1:])


def _bracketed(e: Element) -> Element:
    out = Element("mrow")
    out.extend([_sign("("), e, _sign(")")])
    return out


def _sign(text: str) -> Element:
    out = Element("mo", {"stretchy": "false"})
    out.text = text
    return out


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    # A formula can be wider than a phone: it scrolls by itself, and is reached with the keyboard.
    translator.body.append(f'<div class="formula" tabindex="0" role="group" aria-label="Formula">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode
