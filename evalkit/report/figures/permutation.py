"""The change of every area analysed the same way, the treated one among them."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from evalkit.core.formats import count, number
from evalkit.core.words import counted
from evalkit.diagnose.project.evaluation import AreaDistribution, Evaluation
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column, Table
from evalkit.report.figures.style import (
    BLACK,
    GREY,
    QUIET,
    SMALL,
    VERMILION,
    canvas,
    clean_words,
    drawn,
    ink,
    say_empty,
)
from evalkit.report.tables.design import released
from evalkit.report.words.names import outcome_label, unit_of


def permutation_plot(evaluation: Evaluation) -> Figure:
    """Return the change of every area analysed the same way, the treated area marked."""
    main = evaluation.project.primary.measure
    found = next((d for d in evaluation.distributions if (d.outcome, d.design) == (main, "neighbours")), None)
    label, place = outcome_label(evaluation, main), evaluation.headline.place
    with canvas(3.2) as (figure, axes):
        if found is not None:
            _swarm(axes[0], found, place)
            axes[0].set_yticks([])
            axes[0].set_xlabel(f"Change relative to each area's own neighbours ({unit_of(evaluation, main)})")
            axes[0].spines["left"].set_visible(False)
            _mark(figure, axes[0], _own(found))
        else:
            say_empty(axes, "No area permutation was made.")
        png, svg = drawn(figure, evaluation.design.data_kind)
    caption = (
        f"{label}: no area was analysed in the place of {place}"
        if found is None
        else (
            f"{label}: the change of every area, each analysed as if the programme had been there; the dark dots "
            f"changed at least as much as {place} in either direction"
        )
    )
    return Figure(
        name="permutation", png=png, svg=svg, alt=_alt(found, place), caption=caption, data=_data(evaluation, found)
    )


def _own(found: AreaDistribution) -> float:
    return found.effects[found.areas.index(found.treated_area)]


def _n_large(found: AreaDistribution) -> int:
    """Return how many areas lie at least as far from zero, the treated one among them."""
    return sum(abs(effect) >= abs(_own(found)) for effect in found.effects)


def _swarm(ax: Axes, found: AreaDistribution, place: str) -> None:
    """Draw one dot an area; those that changed at least as much as the treated one are dark."""
    own = _own(found)
    kinds = [
        "own" if area == found.treated_area else "large" if abs(effect) >= abs(own) else "other"
        for area, effect in zip(found.areas, found.effects, strict=True)
    ]
    colours = {"own": VERMILION, "large": BLACK, "other": QUIET}
    sns.swarmplot(
        x=list(found.effects),
        y=[""] * len(kinds),
        hue=kinds,
        palette=colours,
        hue_order=list(colours),
        ax=ax,
        size=5.5,
        legend=False,
        orient="y",
    )
    for side in (-abs(own), abs(own)):
        ax.axvline(side, color=GREY, linestyle="--", linewidth=1, zorder=0)
    ax.axvline(0, color=QUIET, linewidth=1, zorder=0)
    ax.set_ylabel("")
    _say(ax, found, place)


def _mark(figure: Canvas, ax: Axes, own: float) -> None:
    """Draw the treated area's dot larger, where the swarm has put it; places are known once it has been drawn."""
    ax.autoscale(enable=False)
    clean_words(figure)
    figure.draw_without_rendering()
    places = [(float(x), float(y)) for dots in ax.collections for x, y in np.asarray(dots.get_offsets())]
    x, y = min(places, key=lambda place: abs(place[0] - own))
    ax.plot(x, y, "o", color=VERMILION, markersize=11, markeredgecolor="white", markeredgewidth=1.6, zorder=100)


def _say(ax: Axes, found: AreaDistribution, place: str) -> None:
    """Name the treated area on the side of its line where there is room, and count the dark dots."""
    own, (low, high) = _own(found), ax.get_xlim()
    is_right = own < low + 0.6 * (high - low)
    ax.annotate(
        f"{place} {number(own)}",
        (own, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(4 if is_right else -4, 0),
        textcoords="offset points",
        ha="left" if is_right else "right",
        va="top",
        color=ink(VERMILION),
        fontweight="bold",
    )
    n = _n_large(found) - 1
    words = f"dark: {counted(n, 'other area')} at least as far from zero, on either side"
    ax.set_title(words, fontsize=SMALL, fontweight="normal")


def _alt(found: AreaDistribution | None, place: str) -> str:
    if found is None:
        return "No area permutation was made, so there is no distribution to show."
    own, large = _own(found), _n_large(found)
    return (
        f"Dot plot of {count(len(found.effects))} areas' changes, from {number(min(found.effects))} to "
        f"{number(max(found.effects))}. {place} stands at {number(own)}; {count(large)} areas, {place} "
        "among them, lie at least as far from zero."
    )


def _data(evaluation: Evaluation, found: AreaDistribution | None) -> ReleasedTable:
    columns = (Column("area", "Area"), Column("code", "Code"), Column("effect", "Change", "estimate"))
    pairs = sorted(zip(found.names, found.areas, found.effects, strict=True), key=lambda row: -row[2]) if found else []
    rows = tuple((name, str(code), effect) for name, code, effect in pairs)
    return released(evaluation, Table(caption="Numbers behind the figure of areas", columns=columns, rows=rows))
