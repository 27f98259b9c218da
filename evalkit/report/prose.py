"""Sentences that show themselves in a notebook and in the report."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

ProseKind = Literal["paragraph", "list", "headline", "banner", "face"]


@dataclass(frozen=True, slots=True, repr=False)
class Prose:
    """Sentences in order. `kind` says how they are set; `banner` and `face` stand once at the top of the report."""

    sentences: tuple[str, ...]
    kind: ProseKind = "paragraph"

    def __repr__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """Return the sentences as one plain paragraph."""
        return " ".join(self.sentences)

    def _repr_html_(self) -> str:
        return f'<div class="evalkit evalkit-{self.kind}">{self._body()}</div>'

    def _body(self) -> str:
        if self.kind == "list" or (self.kind == "face" and len(self.sentences) > 1):
            return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences) + "</ul>"
        return f"<p>{escape(self.text)}</p>"
