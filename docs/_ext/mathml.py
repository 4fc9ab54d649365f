"""Formulas as MathML, which every current browser sets by itself: nothing is fetched and no script runs."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(latex: str, display: str) -> str:
    r"""A formula; ``display``: inline or block. \mathrm is set as text, for browsers lean a single letter whatever else is said of it."""
    return convert(re.sub(r"\\mathrm\{([^{}\\]*)\}", r"\\text{\1}", latex), display=display)


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    # A formula can be wider than a phone: it scrolls by itself, and is reached with the keyboard.
    translator.body.append(f'<div class="formula" tabindex="0" role="group" aria-label="Formula">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode
