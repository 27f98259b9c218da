"""A drawn figure with its words and the numbers behind it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape

from evalkit.core.errors import EvalkitError
from evalkit.core.safe_text import cleaned
from evalkit.report.bundle import bundle
from evalkit.report.disclosure import ReleasedTable
from evalkit.report.markup import numbered


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Figure:
    """A figure as PNG and SVG, what it shows in words (`alt`), its caption, and its data as a released table.

    `name` is that of its files among the outputs of a project, empty for a figure that has none.
    """

    name: str = ""
    png: bytes
    svg: bytes
    alt: str
    caption: str
    data: ReleasedTable

    def __post_init__(self) -> None:
        object.__setattr__(self, "alt", cleaned(self.alt))
        object.__setattr__(self, "caption", cleaned(self.caption))
        if not self.alt.strip():
            raise EvalkitError(f"The figure '{self.caption}' needs a text for readers who do not see it.")

    def __repr__(self) -> str:
        return f"<Figure: {self.caption}>"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, number: int | None = None) -> str:
        """Return the figure with its caption, under the number it has in a report."""
        source = b64encode(self.svg).decode("ascii")
        return (
            f'<figure class="evalkit evalkit-figure"><div class="scroll" role="group" tabindex="0" '
            f'aria-label="Figure: {escape(self.caption)}">'
            f'<img alt="{escape(self.alt)}" src="data:image/svg+xml;base64,{source}"></div>'
            f"<figcaption>{numbered('Figure', number)}{escape(self.caption)}</figcaption>"
            f"<details><summary>The numbers behind this figure</summary>{self.data._repr_html_()}</details></figure>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        return bundle(self._repr_html_(), repr(self), self.record())

    def record(self) -> dict[str, object]:
        """Return the figure as a JSON record, from which `part_from_json` reads it back."""
        return {
            "part": "figure",
            "name": self.name,
            "png": b64encode(self.png).decode("ascii"),
            "svg": b64encode(self.svg).decode("ascii"),
            "alt": self.alt,
            "caption": self.caption,
            "data": self.data.record(),
        }
