"""What a notebook keeps of a noun it shows: the page, plain text, and the record it is read back from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# How parts of a report look in a notebook: in its colours, light or dark.

STYLE: Final = """<style>
.evalkit-shown.evalkit-shown { color: var(--jp-ui-font-color1, inherit); max-width: 76rem; }
.evalkit-shown.evalkit-shown p { margin: 0.35em 0; max-width: 60rem; }
.evalkit-shown.evalkit-shown li { max-width: 58rem; }
.evalkit-shown.evalkit-shown p.note { color: var(--jp-ui-font-color2, inherit); font-size: 0.92em; }
.evalkit-shown .evalkit-headline p { font-size: 1.12em; }
.evalkit-shown .evalkit-banner p { font-weight: 600; }
.evalkit-shown .scroll { overflow: auto; max-height: 36rem; }
.evalkit-shown.evalkit-shown table { border-collapse: collapse; margin: 0.6em 0 0.3em; color: inherit;
  font-variant-numeric: tabular-nums; }
.evalkit-shown.evalkit-shown caption { caption-side: top; text-align: left; font-weight: 600; padding: 0.2em 0;
  color: inherit; }
.evalkit-shown.evalkit-shown th, .evalkit-shown.evalkit-shown td { text-align: left; vertical-align: top;
  padding: 0.3em 1.1em 0.3em 0; border: 0; white-space: normal; background: none; min-width: 3rem; max-width: 34rem; }
.evalkit-shown.evalkit-shown tr { background: none; }
.evalkit-shown.evalkit-shown thead th { border-bottom: 1px solid currentColor; vertical-align: bottom; }
.evalkit-shown.evalkit-shown tbody tr { border-bottom: 1px solid var(--jp-border-color2, #8886); }
.evalkit-shown.evalkit-shown tbody th { font-weight: 400; }
.evalkit-shown.evalkit-shown .num { text-align: right; }
.evalkit-shown.evalkit-shown td.num { white-space: nowrap; }
.evalkit-shown.evalkit-shown td.reason { font-style: italic; max-width: 24rem; }
.evalkit-shown.evalkit-shown td.long { min-width: 18rem; }
.evalkit-shown figure { margin: 0.5em 0; }
.evalkit-shown img { max-width: 100%; background: white; }
</style>"""


def in_notebook(html: str) -> str:
    """Return parts of a report with what a notebook needs to show them as the report does."""
    return f'<div class="evalkit-shown">{STYLE}{html}</div>'


PART_MIME: Final = "application/vnd.evalkit.part+json"
"""Type of the record. It serves the documents made beside a notebook and is left out where a notebook is released."""


def bundle(html: str, text: str, record: Mapping[str, object]) -> dict[str, object]:
    """Return what `_repr_mimebundle_` of a noun answers."""
    return {"text/html": in_notebook(html), "text/plain": text, PART_MIME: dict(record)}
