"""A few figures beside pictures of them that were looked at. To renew these: pytest tests/test_looks.py --mpl-generate-path=tests/looks"""

from __future__ import annotations

import pytest

from simulation.figures.dark import themed
from simulation.gallery import catalogue

LOOKED_AT = {"deterministic": True, "baseline_dir": "looks", "style": "default", "backend": "agg", "tolerance": 12, "remove_text": False}


@pytest.mark.parametrize(("name", "theme"), [("squid-gates", "light"), ("two-rests", "dark"), ("phase-plane", "light")])
@pytest.mark.mpl_image_compare(**LOOKED_AT, savefig_kwargs={"dpi": 40, "facecolor": "auto"})
def test_a_figure_looks_as_it_did(name, theme):
    return themed(catalogue.figure(name).make().draw("slide"), theme)
