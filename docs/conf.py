"""How Sphinx builds the handbook; `./dev docs` runs it with warnings as errors."""

from __future__ import annotations

import corral

project = "Corral"
copyright = "2026, the Corral authors"  # noqa: A001 - Sphinx's name
author = "the Corral authors"
release = version = corral.__version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "reference/unreleased.md"]
html_theme = "furo"
html_title = f"Corral {version}"
html_show_sphinx = False
nitpicky = True
man_pages: list[tuple[str, str, str, str, int]] = []
