"""How the documentation becomes a site: `python3 run.py docs` (Sphinx, with nothing from the network)."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

project = "evalkit"
author = "evalkit developers"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
language = "en-GB"

extensions = ["myst_parser", "sphinx_llms_txt"]
root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "docs/**/*.md",
    "build/reference/*.md",
    "GLOSSARY.md",
    "CHANGELOG.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "AGENTS.md",
]
exclude_patterns = ["docs/README.md"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = "evalkit"
html_last_updated_fmt = None
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False

llms_txt_title = "evalkit"
llms_txt_summary = (
    "Evaluations of school-improvement partnership programmes in England, from the files that the Department for "
    "Education publishes to a report that anyone can make again with one command."
)


def setup(app: Sphinx) -> None:
    """Write what is made of the code before anything is read, and mend what a theme leaves out."""
    sys.path.insert(0, str(ROOT))
    from tools.make_reference import FOLDER, write

    write(FOLDER)
    app.connect("build-finished", name_what_the_theme_leaves_nameless)


NAMED = {
    'class="caption" role="heading">': 'class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Pages">',
    '<aside class="toc-drawer': '<aside aria-label="On this page" class="toc-drawer',
}
"""What readers of screens need and the theme does not say."""


def name_what_the_theme_leaves_nameless(app: Sphinx, problem: Exception | None) -> None:
    """Give captions their level of heading and the two side panels their names, in every page."""
    if problem or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        named = text
        for bare, whole in NAMED.items():
            named = named.replace(bare, whole)
        if named != text:
            path.write_text(named, encoding="utf-8")
