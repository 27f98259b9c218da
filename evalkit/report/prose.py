"""Sentences that show themselves in a notebook and in the report."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

from evalkit.core.safe_text import cleaned
from evalkit.report.bundle import bundle

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
        return cleaned(" ".join(self.sentences))

    def _repr_html_(self) -> str:
        return cleaned(f'<div class="evalkit evalkit-{self.kind}">{self._body()}</div>')

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        record = {"part": "prose", "kind": self.kind, "sentences": list(self.sentences)}
        return bundle(self._repr_html_(), self.text, record)

    @property
    def is_list(self) -> bool:
        """Return whether the sentences are set as a list."""
        return self.kind == "list" or (self.kind == "face" and len(self.sentences) > 1)

    def _body(self) -> str:
        if self.is_list:
            return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences) + "</ul>"
        return f"<p>{escape(self.text)}</p>"
