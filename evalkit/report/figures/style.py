"""One size, one voice, and the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Final

import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from evalkit.core.manifest import DataKind
from evalkit.core.words import cleaned
from evalkit.report.documents.typography import shown

# Of Okabe and Ito (2008) those that stand out from white (3:1 or more); told apart with any common colour vision.
VERMILION: Final = "#D55E00"
BLUE: Final = "#0072B2"
BLACK: Final = "#1B1F24"
GREY: Final = "#5F6368"
QUIET: Final = "#7D838B"
"""What stands behind what is shown: other areas, thresholds."""
PALE: Final = "#E3E6EA"
"""Fills on which nothing depends, always with an outline or a label."""
SHADE: Final = "#E2F1FA"
"""The programme's period; its edges are drawn and it is named."""

ARM_COLOURS: Final = {"treated": VERMILION, "neighbours": BLUE, "england": GREY, "matched": BLACK}
"""The colour of an arm in every figure."""
_INKS: Final = {VERMILION: "#AD4600"}

WIDTH: Final = 7.5
_DPI: Final = 160
_STRIP: Final = 0.22
"""Inches under a figure of synthetic data in which it says so."""
WARNING: Final = "#5C1A00"
SMALL: Final = 10
"""The smallest type of any figure, in points: some 9 where a figure is as wide as the lines of a page of A4."""
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
    "axes.labelcolor": BLACK,
    "text.color": BLACK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "axes.unicode_minus": True,
    "text.parse_math": False,  # names come from files: `$` is a sign of money there, and never opens a formula
    "figure.facecolor": "white",
    "lines.linewidth": 1.8,
}


def ink(colour: str) -> str:
    """Return the colour in which words about a mark of `colour` are written: dark enough for text (4.5:1 on white)."""
    return _INKS.get(colour, colour)


@contextmanager
def canvas(height: float = 4.2, columns: int = 1) -> Iterator[tuple[Canvas, list[Axes]]]:
    """Give a figure of the common size with its axes side by side, sharing the vertical axis."""
    with rc_context(sns.axes_style("ticks") | _RC):
        figure = Canvas(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots(1, columns, squeeze=False, sharey=columns > 1)
        for ax in axes[0]:
            sns.despine(ax=ax)
        yield figure, list(axes[0])


@contextmanager
def stacked(heights: Sequence[float], is_shared: bool = True) -> Iterator[tuple[Canvas, list[Axes]]]:
    """Give a figure of the common width with axes of these heights in inches, one under the other.

    They share the horizontal axis, unless that is not of one unit.
    """
    with rc_context(sns.axes_style("ticks") | _RC):
        figure = Canvas(figsize=(WIDTH, sum(heights)), layout="constrained")
        axes = figure.subplots(len(heights), 1, squeeze=False, sharex=is_shared, height_ratios=list(heights))
        for ax in axes[:, 0]:
            sns.despine(ax=ax)
        yield figure, list(axes[:, 0])


@contextmanager
def sheet(height: float) -> Iterator[tuple[Canvas, Axes]]:
    """Give a figure of the common width that is one empty sheet, measured in inches from its lower left corner."""
    with rc_context(sns.axes_style("white") | _RC):
        figure = Canvas(figsize=(WIDTH, height))
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        ax.set_axis_off()
        ax.set_xlim(0, WIDTH)
        ax.set_ylim(0, height)
        yield figure, ax


def say_empty(axes: list[Axes], words: str) -> None:
    """Put words where a figure has nothing to draw, without axes that would show invented numbers."""
    for ax in axes:
        ax.clear()
        ax.set_axis_off()
    axes[0].text(0, 0.5, words, va="center", transform=axes[0].transAxes, color=GREY)


def drawn(figure: Canvas, data_kind: DataKind = "real") -> tuple[bytes, bytes]:
    """Return a figure as PNG and SVG without dates or names of software in it; synthetic data are named in it.

    `savefig` would lay the figure out anew and draw it twice for each format, which takes twice as long.
    """
    png, svg = io.BytesIO(), io.BytesIO()
    clean_words(figure)
    figure.set_dpi(_DPI)
    if data_kind == "synthetic":
        _say_synthetic(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    raster: Any = FigureCanvasAgg(figure)
    raster.print_png(png, metadata={"Software": None})
    vector: Any = FigureCanvasSVG(figure)
    vector.print_svg(svg, metadata={"Date": None, "Creator": None})
    return png.getvalue(), svg.getvalue()


def clean_words(figure: Canvas) -> None:
    """Take out of every text what no font can show and no document may hold; names of ticks are kept by their axes."""
    for words in figure.findobj(Text):
        words.set_text(_plain(words.get_text()))
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if isinstance(axis.get_major_locator(), FixedLocator):
            names = [words.get_text() for words in axis.get_ticklabels()]
            if names != list(map(_plain, names)):
                axis.set_ticklabels(list(map(_plain, names)))


def _plain(text: str) -> str:
    return shown(cleaned(text))


def _say_synthetic(figure: Canvas) -> None:
    """Add a strip under a figure that says what its data are: it holds wherever the picture is taken alone."""
    height = figure.get_figheight() + _STRIP
    box = (0.0, _STRIP / height, 1.0, 1.0 - _STRIP / height)
    figure.set_figheight(height)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=box)
    else:
        figure.axes[0].set_position(box)
    look: dict[str, Any] = {"fontsize": SMALL, "fontweight": "bold", "color": WARNING}
    figure.text(1 - 0.06 / WIDTH, 0.05 / height, "Synthetic data", ha="right", va="bottom", **look)


def clipped(label: str, longest: int) -> str:
    """Return a label cut to a number of letters, with a sign that it goes on."""
    return label if len(label) <= longest else label[: longest - 1].rstrip() + "…"


def spread(positions: list[float], gap: float) -> list[float]:
    """Return label positions moved apart so that neighbours lie at least `gap` from each other, order kept."""
    order = sorted(range(len(positions)), key=positions.__getitem__)
    placed = list(positions)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    shift = (sum(placed) - sum(positions)) / max(len(positions), 1)
    return [position - shift for position in placed]
