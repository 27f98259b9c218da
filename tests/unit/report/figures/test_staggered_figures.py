"""The event study drawn: every estimate that may be told, its interval and band, and the same in words."""

from dataclasses import replace

import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.results import staggered_results
from evalkit.estimate.two_way.two_way import two_way_event_study
from evalkit.report.figures import staggered as figures
from evalkit.report.figures.staggered import staggered_plot, two_way_plot
from tests.did_command import simulated

ROLES = Roles(unit="unit", period="year", outcome="y", cohort="cohort")


@pytest.fixture(scope="module")
def panel():
    return Panel.from_frame(simulated(60), ROLES)


@pytest.fixture(scope="module")
def results(panel):
    return staggered_results(group_time_effects(staggered_design(panel, StaggeredOptions())))


def test_words_and_numbers_hold_every_time(results):
    figure = staggered_plot(results, "y")
    parts = results.event_study.parts
    assert figure.alt.count("(") == len(parts)  # each with its interval
    for part in parts:
        assert f"{part.label}: ".replace("-", "−") in figure.alt
    rows = figure.data.table.rows
    assert [row[0] for row in rows] == [*(part.label for part in parts), "0 and on"]
    assert [row[1] for row in rows] == [*(part.estimate for part in parts), results.event_study.overall.estimate]
    assert figure.png.startswith(b"\x89PNG")
    assert b"<svg" in figure.svg


def test_results_draw_themselves_where_nobody_names_the_outcome(panel, results):
    figure = results.plot()
    assert figure.data == staggered_plot(results, "y").data
    assert figure.caption.startswith("The effect by time since the start: thick lines")
    assert "Dot chart of the effect by periods" in figure.alt
    study = two_way_event_study(panel)
    assert study.plot("event_study").data == two_way_plot(study, "y").data


def test_the_same_results_give_the_same_bytes(results):
    one, two = staggered_plot(results, "y"), staggered_plot(results, "y")
    assert (one.png, one.svg) == (two.png, two.svg)


def test_every_interval_and_band_is_drawn_where_it_lies(results, monkeypatch):
    drawn = []

    class Axes:
        def vlines(self, at, lower, upper, **_):
            drawn.append((at, lower, upper))

        def hlines(self, *_, **__): ...

        def plot(self, at, value, *_, **look):
            drawn.append((at, value, look["markerfacecolor"]))

    part = results.event_study.parts[0]
    time = figures._Time(-2, part.estimate, Interval(-1.0, 1.0), Interval(-2.0, 2.0))
    figures._point(Axes(), time)
    figures._point(Axes(), figures._Time(3, Unavailable("None."), Interval(-1.0, 1.0)))
    assert drawn == [(-2, -2.0, 2.0), (-2, -1.0, 1.0), (-2, part.estimate, "white")]


def test_what_rests_on_few_people_is_neither_drawn_nor_said(results):
    few = replace(results, group_time=tuple(replace(cell, fewest_people=3) for cell in results.group_time))
    figure = staggered_plot(few, "y")
    assert "fewer than 10 people" in figure.alt
    assert not any(isinstance(row[1], float) for row in figure.data.table.rows)
    assert f"{results.event_study.parts[0].estimate:.2f}" not in figure.alt


def test_the_two_way_study_has_intervals_at_its_level_and_no_band(panel):
    study = two_way_event_study(panel)
    figure = two_way_plot(study, "y", 0.8)
    assert "each time's 80% interval" in figure.caption
    assert "band" not in figure.caption
    at = [column.key for column in figure.data.table.columns].index("interval")
    assert [row[at] for row in figure.data.table.rows] == [time.estimate.interval(0.8) for time in study.times]
