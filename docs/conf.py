"""How the pages that make.py laid out become a site that fetches nothing."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _ext.kept import hash_of

project = "cramplab"
author = "The cramplab authors"
copyright = "The cramplab authors, BSD-3-Clause"
release = version = installed("cramplab")
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "_ext.mathml"]
exclude_patterns = ["_house/**"]
myst_enable_extensions = ["dollarmath", "attrs_inline", "colon_fence"]
myst_heading_anchors = 0
myst_ref_domains = ["std", "py"]
smartquotes = False  # quotation marks stay as they were typed
suppress_warnings = ["myst.header"]  # a lesson goes from its title to what size suits it

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
add_module_names = False
toc_object_entries = False

# A change of what writes the pages makes all of them anew.
html_context = {"made_by": hash_of(Path(__file__).parent)}
html_theme = "furo"
html_math_renderer = "mathml"
html_title = "cramplab"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_use_index = True
pygments_style = "default"
