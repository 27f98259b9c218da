"""One size, one voice, and the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Final

import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

# Okabe and Ito (2008), told apart by readers with any common colour vision.
BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREY: Final = "#5F6368"
PALE: Final = "#B8BCC2"

WIDTH: Final = 7.5
_RC: Final[dict[str, Any]] = {
    "svg.hashsalt": "evalkit",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "lines.linewidth": 1.8,
}


@contextmanager
def canvas(height: float = 4.2, columns: int = 1) -> Iterator[tuple[Canvas, list[Axes]]]:
    """Give a figure of the common size with its axes side by side, sharing the vertical axis."""
    with rc_context(sns.axes_style("ticks") | _RC):
        figure = Canvas(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots(1, columns, squeeze=False, sharey=columns > 1)
        for ax in axes[0]:
            sns.despine(ax=ax)
        yield figure, list(axes[0])


def say_empty(axes: list[Axes], words: str) -> None:
    """Put words where a figure has nothing to draw, without axes that would show invented numbers."""
    for ax in axes:
        ax.clear()
        ax.set_axis_off()
    axes[0].text(0, 0.5, words, va="center", transform=axes[0].transAxes, color=GREY)


def drawn(figure: Canvas) -> tuple[bytes, bytes]:
    """Return a figure as PNG and SVG without dates or names of software in it."""
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=160, metadata={"Software": None})
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return png.getvalue(), svg.getvalue()


def spread(positions: list[float], gap: float) -> list[float]:
    """Return label positions moved apart so that neighbours lie at least `gap` from each other, order kept."""
    order = sorted(range(len(positions)), key=positions.__getitem__)
    placed = list(positions)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    shift = (sum(placed) - sum(positions)) / max(len(positions), 1)
    return [position - shift for position in placed]
